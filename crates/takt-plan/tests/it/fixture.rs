//! A small project whose policies cover the interesting cases, and a printer for guarded plans.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::{fmt::Write, sync::Arc};

use takt_model::{Expr, Principal, Project, ProjectFiles, User, Uuid};
use takt_plan::{GuardedNode, GuardedPlan, Node, Output, OutputItem, Plan, PlanError, guard};

const ORDERS: &str = r#"
label = { en = "Orders" }
[fields]
id = { type = "uuid", primary_key = true }
customer_id = { type = "uuid", required = true }
status = { type = "enum", values = ["pending", "shipped"], default = "pending" }
total = { type = "decimal(12,2)", required = true }
note = { type = "text" }

[[policies]]
name = "customers read their own"
to = ["authenticated"]
allow = ["select"]
fields = ["id", "customer_id", "status", "total"]
using = "customer_id = auth.uid()"

[[policies]]
name = "staff read all"
to = ["staff"]
allow = ["select"]
using = "true"

[[policies]]
name = "staff ship"
to = ["staff"]
allow = ["update"]
fields = ["status"]
using = "status = 'pending'"
check = "status = 'shipped'"
"#;

const ITEMS: &str = r#"
label = { en = "Items" }
[fields]
id = { type = "uuid", primary_key = true }
order_id = { type = "uuid", references = "orders.id", required = true }
quantity = { type = "integer", required = true }

[[policies]]
name = "lines of own orders"
to = ["authenticated"]
allow = ["select"]
using = "exists (select 1 from orders o where o.id = items.order_id)"
"#;

const SECRETS: &str = r#"
label = { en = "Secrets" }
[fields]
id = { type = "uuid", primary_key = true }
word = { type = "text" }
"#;

pub(crate) fn project() -> Arc<Project> {
    let files = ProjectFiles::from([
        ("takt.toml", "name = \"Test\"\nlanguages = [\"en\"]\nroles = [\"staff\"]\n"),
        ("schema/orders.toml", ORDERS),
        ("schema/items.toml", ITEMS),
        ("schema/secrets.toml", SECRETS),
    ]);
    let (project, problems) = Project::parse(&files, &[]);
    let errors: Vec<_> = problems.iter().filter(|p| p.severity == takt_model::Severity::Error).collect();
    assert!(errors.is_empty(), "{errors:?}");
    Arc::new(project)
}

/// A signed-in account with these project roles.
pub(crate) fn account(roles: &[&str]) -> Principal {
    Principal::user(User {
        id: Uuid::from_u128(7),
        email: None,
        roles: roles.iter().map(|r| (*r).to_owned()).collect(),
        session_id: None,
        claims: serde_json::Value::Null,
    })
}

/// `table` with the named fields (`*` for all).
pub(crate) fn node(project: &Project, table: &str, fields: &[&str]) -> Node {
    let table = project.table(table).unwrap();
    let output = |name: &&str| match *name {
        "*" => Output::All,
        name => Output::Field { name: name.to_owned(), field: table.field(name).unwrap().id },
    };
    Node { outputs: fields.iter().map(output).collect(), ..Node::all(table.id) }
}

/// The guarded plan as text, or the refusal.
pub(crate) fn guarded(project: &Arc<Project>, who: &Principal, plan: Plan) -> String {
    match guard(plan, project, who) {
        Ok(guarded) => print(project, guarded.plan()),
        Err(error) => refusal(&error),
    }
}

fn refusal(error: &PlanError) -> String {
    format!("refused: {error}\n")
}

fn print(project: &Project, plan: &GuardedPlan) -> String {
    let mut out = String::new();
    match plan {
        GuardedPlan::Read(read) => print_node(project, &read.root, 0, &mut out),
        GuardedPlan::Update(update) => {
            let _ = writeln!(
                out,
                "update {} where {}",
                project.get(update.table).name,
                update.filter.display(project)
            );
            for rule in &update.rules {
                let _ = writeln!(
                    out,
                    "  by '{}' using {} check {}",
                    rule.policy,
                    rule.using.display(project),
                    rule.check.display(project)
                );
            }
        }
        other => {
            let _ = writeln!(out, "{other:?}");
        }
    }
    out
}

fn print_node(project: &Project, node: &GuardedNode, depth: usize, out: &mut String) {
    let table = project.get(node.table);
    let names: Vec<&str> = node
        .outputs
        .iter()
        .map(|o| match o {
            OutputItem::Column(c) => &*c.name,
            OutputItem::Child(at) => node.children[*at].name.as_str(),
        })
        .collect();
    let indent = "  ".repeat(depth);
    let _ =
        writeln!(out, "{indent}{} [{}] where {}", table.name, names.join(" "), text(project, &node.filter));
    for child in &node.children {
        print_node(project, &child.node, depth + 1, out);
    }
}

fn text(project: &Project, expr: &Expr) -> String {
    expr.display(project).to_string()
}
