//! Plans as short texts, with names instead of ids.

use std::fmt::Write as _;

use takt_model::{CompareOp, Expr, FieldId, Project, TableId, Value};
use takt_plan::{Assignment, Child, ConflictAction, Join, Link, Missing, Node, NullsOrder, Output, Plan};

pub(crate) fn plan(project: &Project, plan: &Plan) -> String {
    let mut out = Printer { project, text: String::new() };
    match plan {
        Plan::Read(read) => {
            let count = if read.count { " and count" } else { "" };
            out.line(0, &format!("read{count} {}", out.table(read.root.table)));
            out.node(1, &read.root);
        }
        Plan::Insert(insert) => {
            let fields: Vec<&str> = insert.fields.iter().map(|f| out.field(insert.table, *f)).collect();
            out.line(0, &format!("insert {} ({})", out.table(insert.table), fields.join(", ")));
            for row in &insert.rows {
                let values: Vec<String> =
                    row.iter().map(|v| v.as_ref().map_or("-".to_owned(), value)).collect();
                out.line(1, format!("row {}", values.join(", ")).trim_end());
            }
            if insert.missing == Missing::Default {
                out.line(1, "missing default");
            }
            if let Some(conflict) = &insert.conflict {
                let fields: Vec<&str> = conflict.fields.iter().map(|f| out.field(insert.table, *f)).collect();
                let action = match conflict.action {
                    ConflictAction::Merge => "merge",
                    ConflictAction::Ignore => "ignore",
                };
                out.line(1, &format!("on conflict ({}) {action}", fields.join(", ")));
            }
            out.returning(insert.returning.as_ref());
        }
        Plan::Update(update) => {
            assert!(!update.all);
            out.line(0, &format!("update {}", out.table(update.table)));
            for (field, assignment) in &update.set {
                let Assignment::Value(new) = assignment else { panic!("{assignment:?}") };
                out.line(1, &format!("set {} = {}", out.field(update.table, *field), value(new)));
            }
            out.filter(1, update.filter.as_ref());
            out.at_most(update.max_affected);
            out.returning(update.returning.as_ref());
        }
        Plan::Delete(delete) => {
            assert!(!delete.all);
            out.line(0, &format!("delete {}", out.table(delete.table)));
            out.filter(1, delete.filter.as_ref());
            out.at_most(delete.max_affected);
            out.returning(delete.returning.as_ref());
        }
    }
    out.text
}

struct Printer<'p> {
    project: &'p Project,
    text: String,
}

impl<'p> Printer<'p> {
    fn line(&mut self, depth: usize, text: &str) {
        writeln!(self.text, "{}{text}", "  ".repeat(depth)).unwrap();
    }

    fn table(&self, id: TableId) -> &'p str {
        &self.project.get(id).name
    }

    fn field(&self, table: TableId, field: FieldId) -> &'p str {
        &self.project.get(table).get(field).name
    }

    fn returning(&mut self, node: Option<&Node>) {
        if let Some(node) = node {
            self.line(1, "returning");
            self.node(2, node);
        }
    }

    fn at_most(&mut self, rows: Option<u64>) {
        if let Some(rows) = rows {
            self.line(1, &format!("at most {rows}"));
        }
    }

    fn filter(&mut self, depth: usize, filter: Option<&Expr>) {
        if let Some(filter) = filter {
            let text = self.expr(filter);
            self.line(depth, &format!("where {text}"));
        }
    }

    fn node(&mut self, depth: usize, node: &Node) {
        let outputs: Vec<String> = node
            .outputs
            .iter()
            .map(|o| match o {
                Output::All => "*".to_owned(),
                Output::Field { name, field } => {
                    let field = self.field(node.table, *field);
                    if field == name { name.clone() } else { format!("{name}:{field}") }
                }
                Output::Child(at) => format!("{}()", node.children[*at].name),
            })
            .collect();
        self.line(depth, format!("show {}", outputs.join(", ")).trim_end());
        self.filter(depth, node.filter.as_ref());
        for order in &node.order {
            let direction = if order.descending { " desc" } else { "" };
            let nulls = match (order.nulls, order.descending) {
                (NullsOrder::First, false) => " nulls first",
                (NullsOrder::Last, true) => " nulls last",
                _ => "",
            };
            let field = self.field(node.table, order.field);
            self.line(depth, &format!("order {field}{direction}{nulls}"));
        }
        if let Some(limit) = node.window.limit {
            self.line(depth, &format!("limit {limit}"));
        }
        if node.window.offset > 0 {
            self.line(depth, &format!("offset {}", node.window.offset));
        }
        for child in &node.children {
            self.child(depth, node.table, child);
        }
    }

    fn child(&mut self, depth: usize, parent: TableId, child: &Child) {
        let to = child.node.table;
        let link = match &child.link {
            Link::ToOne { local, foreign } => {
                format!("to one, {} = {}", self.field(parent, *local), self.field(to, *foreign))
            }
            Link::ToMany { local, foreign } => {
                format!("to many, {} = {}", self.field(parent, *local), self.field(to, *foreign))
            }
            Link::Through { junction, local, to_parent, to_child, foreign } => format!(
                "through {}, {} = {}, {} = {}",
                self.table(*junction),
                self.field(parent, *local),
                self.field(*junction, *to_parent),
                self.field(*junction, *to_child),
                self.field(to, *foreign),
            ),
        };
        let join = match child.join {
            Join::Left => "embed",
            Join::Inner => "inner",
            Join::Anti => "anti",
        };
        self.line(depth, &format!("{join} {}: {} {link}", child.name, self.table(to)));
        self.node(depth + 1, &child.node);
    }

    fn expr(&self, expr: &Expr) -> String {
        let joined = |list: &[Expr], word: &str| {
            let parts: Vec<String> = list.iter().map(|e| self.expr(e)).collect();
            format!("({})", parts.join(word))
        };
        match expr {
            Expr::Literal(v) => value(v),
            Expr::Column { scope: 0, table, field } => self.field(*table, *field).to_owned(),
            Expr::Column { scope, table, field } => {
                format!("{}{scope}.{}", self.table(*table), self.field(*table, *field))
            }
            Expr::And(list) if list.is_empty() => "true".to_owned(),
            Expr::Or(list) if list.is_empty() => "false".to_owned(),
            Expr::And(list) => joined(list, " and "),
            Expr::Or(list) => joined(list, " or "),
            Expr::Not(e) => format!("not {}", self.expr(e)),
            Expr::Compare(op, l, r) => {
                let op = match op {
                    CompareOp::Eq => "=",
                    CompareOp::Ne => "<>",
                    CompareOp::Lt => "<",
                    CompareOp::Le => "<=",
                    CompareOp::Gt => ">",
                    CompareOp::Ge => ">=",
                    CompareOp::Distinct => "is distinct from",
                    CompareOp::NotDistinct => "is not distinct from",
                };
                format!("{} {op} {}", self.expr(l), self.expr(r))
            }
            Expr::IsNull(e) => format!("{} is null", self.expr(e)),
            Expr::IsBoolean(e, truth) => format!("{} is {truth}", self.expr(e)),
            Expr::In(e, list) => format!("{} in {}", self.expr(e), joined(list, ", ")),
            Expr::Like { expr, pattern, fold_case } => {
                let word = if *fold_case { "ilike" } else { "like" };
                format!("{} {word} {}", self.expr(expr), self.expr(pattern))
            }
            Expr::Exists(query) => {
                let filter = query.filter.as_ref().map_or("true".to_owned(), |f| self.expr(f));
                format!("exists({}{}: {filter})", self.table(query.table), query.scope)
            }
            other => panic!("rest makes no {other:?}"),
        }
    }
}

fn value(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Text(text) => format!("'{text}'"),
        Value::Json(text) => format!("json {text}"),
        other => other.as_ref().to_text(),
    }
}
