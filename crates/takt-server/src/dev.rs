//! `--dev`: reloads the project when its files change, and explains why rows are missing.
//! Lives here: both. A broken edit changes nothing that is served; its problems are in the log.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use takt_model::{Policy, Principal, Project, TableId, Verb};
use takt_plan::{Node, Plan};

use crate::{
    app::App,
    check,
    project_files::{is_hidden, sorted_entries},
};

const EVERY: Duration = Duration::from_millis(500);
/// What is watched; files of `public/` are read anew by themselves.
const WATCHED: [&str; 7] = ["takt.toml", "schema", "logic", "flows", "interfaces", "contracts", "mails"];

/// Looks for changes since `seen` until the server ends.
pub(crate) async fn watch(app: Arc<App>, mut seen: Seen) {
    loop {
        tokio::time::sleep(EVERY).await;
        let app = Arc::clone(&app);
        let looked = tokio::task::spawn_blocking(move || {
            let now = look(&app.project_dir);
            if now != seen {
                reload(&app);
            }
            now
        });
        match looked.await {
            Ok(now) => seen = now,
            Err(error) => return tracing::error!(%error, "changes are not looked for any more"),
        }
    }
}

/// Serves the changed project, or says what is wrong with it.
fn reload(app: &App) {
    let loaded = match check::load(&app.project_dir, &app.layers, &app.outbound) {
        Ok(loaded) => loaded,
        Err(error) => return tracing::error!("not reloaded: {error}"),
    };
    for problem in &loaded.report.problems {
        tracing::error!("{problem}");
    }
    if loaded.report.errors() > 0 {
        return tracing::error!("not reloaded: the project has errors; the old one is served on");
    }
    let hooks = loaded.logic.hooks();
    let project = app.interfaces.with_subscriptions(Project::clone(&loaded.project));
    let replaced = project.and_then(|project| app.engine.replace_project(Arc::new(project), hooks));
    // Once more, for a subscription that came or went meanwhile.
    if let Err(error) = replaced.and_then(|()| app.interfaces.take_up_subscriptions()) {
        return tracing::error!("not reloaded: {error}");
    }
    app.logic.store(Arc::new(loaded.logic));
    app.interfaces.look_at_functions_again();
    app.interfaces.use_templates(loaded.templates);
    app.interfaces.use_contracts(loaded.contracts);
    tracing::info!("the project was reloaded");
}

/// The watched files with what changes when they do.
pub(crate) type Seen = Vec<(PathBuf, Option<SystemTime>, u64)>;

/// What stands in the project folder now. Taken before a project is read, so that no change falls between.
pub(crate) fn look(folder: &Path) -> Seen {
    let mut seen = Vec::new();
    for name in WATCHED {
        look_at(&folder.join(name), 0, &mut seen);
    }
    seen
}

fn look_at(path: &Path, depth: usize, seen: &mut Seen) {
    let Ok(meta) = fs::metadata(path) else { return };
    if !meta.is_dir() {
        seen.push((path.to_owned(), meta.modified().ok(), meta.len()));
    } else if depth < 12 {
        for entry in sorted_entries(path).unwrap_or_default() {
            if !is_hidden(&entry) {
                look_at(&entry, depth + 1, seen);
            }
        }
    }
}

/// One line for the header `takt-explain`: which select policies let which rows of each table through, for whom.
pub(crate) fn explain(plan: &Plan, project: &Project, who: &Principal) -> Option<String> {
    let Plan::Read(read) = plan else { return None };
    let mut tables = Vec::new();
    collect(&read.root, &mut tables);
    let lines: Vec<_> = tables.into_iter().map(|t| explain_table(t, project, who)).collect();
    Some(one_line(&lines.join("; ")))
}

fn collect(node: &Node, tables: &mut Vec<TableId>) {
    if !tables.contains(&node.table) {
        tables.push(node.table);
    }
    for child in &node.children {
        collect(&child.node, tables);
    }
}

fn explain_table(table: TableId, project: &Project, who: &Principal) -> String {
    let table = project.get(table);
    if !who.is_bound_by_policies() {
        return format!("{}: all rows, because the service role is not bound by policies", table.name);
    }
    let applies = |p: &&Policy| p.allow.contains(&Verb::Select) && p.to.iter().any(|role| who.has_role(role));
    let rules: Vec<_> = table
        .policies
        .iter()
        .filter(applies)
        .map(|p| format!("\"{}\" ({})", p.name, p.using_text.as_deref().unwrap_or("true")))
        .collect();
    let role = roles(who);
    if rules.is_empty() {
        format!("{}: no rows, because no policy lets {role} select", table.name)
    } else {
        format!("{}: rows that {role} may see by {}", table.name, rules.join(" or "))
    }
}

fn roles(who: &Principal) -> String {
    let own = who.user.iter().flat_map(|u| u.roles.iter().map(String::as_str));
    let all: Vec<_> = std::iter::once(who.claim_role()).chain(own).collect();
    all.join("+")
}

/// A header has one line, and not an endless one.
fn one_line(text: &str) -> String {
    const MOST: usize = 2_000;
    let mut line = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if line.len() + word.len() > MOST {
            line.push_str(" ...");
            break;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.extend(word.chars().filter(|c| !c.is_control()));
    }
    line
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use expect_test::expect;
    use takt_model::{ProjectFiles, Severity, User, Uuid};

    use super::*;

    const ORDERS: &str = r#"
        [fields.id]
        type = "uuid"
        primary_key = true
        [fields.customer_id]
        type = "uuid"
        [[policies]]
        name = "customers read their own orders"
        to = ["authenticated"]
        allow = ["select"]
        using = """customer_id
            = auth.uid()"""
        [[policies]]
        name = "staff read orders"
        to = ["staff"]
        allow = ["select"]
        using = "true"
    "#;

    #[test]
    fn an_answer_says_by_which_policies_its_rows_were_chosen() {
        let files =
            ProjectFiles::from([("takt.toml", "roles = [\"staff\"]"), ("schema/orders.toml", ORDERS)]);
        let (project, problems) = Project::parse(&files, &[]);
        assert!(problems.iter().all(|p| p.severity == Severity::Warning), "{problems:?}");
        let plan = Plan::read(Node::all(project.table("orders").unwrap().id));
        let user = |roles: &[&str]| {
            Principal::user(User {
                id: Uuid::nil(),
                email: None,
                roles: roles.iter().map(|r| (*r).to_owned()).collect(),
                session_id: None,
                claims: serde_json::Value::Null,
            })
        };
        let explained: Vec<_> = [Principal::anon(), user(&[]), user(&["staff"]), Principal::service()]
            .iter()
            .map(|who| explain(&plan, &project, who).unwrap())
            .collect();
        expect![[r#"
            orders: no rows, because no policy lets anon select
            orders: rows that authenticated may see by "customers read their own orders" (customer_id = auth.uid())
            orders: rows that authenticated+staff may see by "customers read their own orders" (customer_id = auth.uid()) or "staff read orders" (true)
            orders: all rows, because the service role is not bound by policies"#]]
        .assert_eq(&explained.join("\n"));
    }
}
