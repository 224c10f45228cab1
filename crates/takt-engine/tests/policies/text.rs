//! A project as people write it: schema files, and expressions in PostgreSQL's syntax with as few parentheses as its
//! precedence allows, so that the reader's precedence is part of what is tested.

use std::fmt::Write as _;

use takt_model::{
    ArithmeticOp, CompareOp, Expr, OnDelete, ProjectFiles, ScalarFunction, SubQuery, Value, ValueRef, Verb,
};

use crate::world::{Default, FieldSpec, Kind, PolicySpec, STATUS, TableSpec, World, position};

/// Words that must stand in quotes.
const KEYWORDS: [&str; 2] = ["group", "end"];

pub(crate) fn files(world: &World) -> ProjectFiles {
    let mut files = ProjectFiles::default();
    let own = "name = \"Test\"\nlanguages = [\"en\"]\nroles = [\"staff\"]\n";
    files.0.insert("takt.toml".to_owned(), own.to_owned());
    for (at, table) in world.tables.iter().enumerate() {
        files.0.insert(format!("schema/{}.toml", table.name), schema(world, at, table));
    }
    files
}

fn schema(world: &World, at: usize, table: &TableSpec) -> String {
    let mut out = format!("label = {{ en = \"{}\" }}\n", table.name);
    for (position, field) in table.fields.iter().enumerate() {
        let _ = writeln!(out, "\n[fields.{}]", field.name);
        field_lines(world, at, table, position, field, &mut out);
    }
    for (number, policy) in table.policies.iter().enumerate() {
        policy_lines(world, at, table, number, policy, &mut out);
    }
    out
}

fn field_lines(
    world: &World,
    table_at: usize,
    table: &TableSpec,
    at: usize,
    field: &FieldSpec,
    out: &mut String,
) {
    let kind = match field.kind {
        Kind::Uuid => "uuid".to_owned(),
        Kind::Integer => "integer".to_owned(),
        Kind::Text => "text".to_owned(),
        Kind::Enum => "enum".to_owned(),
        Kind::Decimal(precision, scale) => format!("decimal({precision},{scale})"),
        Kind::Boolean => "boolean".to_owned(),
        Kind::Timestamp => "timestamp".to_owned(),
    };
    let _ = writeln!(out, "type = \"{kind}\"");
    if field.kind == Kind::Enum {
        let _ = writeln!(out, "values = {STATUS:?}");
    }
    if table.key.contains(&at) {
        out.push_str("primary_key = true\n");
    } else {
        let _ = writeln!(out, "required = {}", field.required);
    }
    if field.unique {
        out.push_str("unique = true\n");
    }
    if let Some(max) = field.max {
        let _ = writeln!(out, "max = {max}");
    }
    if let Some(reference) = field.reference {
        let target = &world.tables[reference.table];
        let _ = writeln!(out, "references = \"{}.{}\"", target.name, target.fields[reference.field].name);
        let on_delete = match reference.on_delete {
            OnDelete::Restrict => "restrict",
            OnDelete::Cascade => "cascade",
            OnDelete::SetNull => "set null",
        };
        let _ = writeln!(out, "on_delete = \"{on_delete}\"");
    }
    match &field.default {
        None => {}
        Some(Default::AuthUid) => out.push_str("default = \"auth.uid()\"\n"),
        Some(Default::Now) => out.push_str("default = \"now()\"\n"),
        Some(Default::Constant(value)) => {
            let text = value.as_ref().to_text();
            let bare = matches!(value, Value::Integer(_) | Value::Boolean(_));
            let _ = writeln!(out, "default = {}", if bare { text } else { toml_string(&text) });
        }
    }
    if let Some(transitions) = &field.transitions {
        let list: Vec<String> = transitions.iter().map(|(from, to)| format!("{from} = {to:?}")).collect();
        let _ = writeln!(out, "transitions = {{ {} }}", list.join(", "));
    }
    if let Some(check) = &field.check {
        let _ = writeln!(out, "check = {}", toml_string(&expression(world, table_at, check)));
    }
}

fn policy_lines(
    world: &World,
    at: usize,
    table: &TableSpec,
    number: usize,
    policy: &PolicySpec,
    out: &mut String,
) {
    let verbs: Vec<&str> = policy.allow.iter().map(|v| verb(*v)).collect();
    let _ =
        writeln!(out, "\n[[policies]]\nname = \"policy {number}\"\nto = {:?}\nallow = {verbs:?}", policy.to);
    if let Some(fields) = &policy.fields {
        let names: Vec<&str> = fields.iter().map(|f| table.fields[*f].name.as_str()).collect();
        let _ = writeln!(out, "fields = {names:?}");
    }
    if let Some(using) = &policy.using {
        let _ = writeln!(out, "using = {}", toml_string(&expression(world, at, using)));
    }
    if let Some(check) = &policy.check {
        let _ = writeln!(out, "check = {}", toml_string(&expression(world, at, check)));
    }
}

fn verb(verb: Verb) -> &'static str {
    match verb {
        Verb::Select => "select",
        Verb::Insert => "insert",
        Verb::Update => "update",
        Verb::Delete => "delete",
    }
}

fn toml_string(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// An expression over a row of `table`.
pub(crate) fn expression(world: &World, table: usize, expr: &Expr) -> String {
    let rows = vec![name(world.tables[table].name)];
    Writer { world, rows }.write(expr, Binding::Loosest)
}

fn name(name: &str) -> String {
    if KEYWORDS.contains(&name) { format!("\"{name}\"") } else { name.to_owned() }
}

/// How tightly an expression must hold together without parentheses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Loosest,
    /// Member of `or`: `and` needs no parentheses.
    Or,
    /// Member of `and`: `not` needs none.
    And,
    /// Behind `not`: a comparison needs none.
    Not,
    /// Operand: only names, literals and calls need none.
    Operand,
}

struct Writer<'w> {
    world: &'w World,
    /// What the row of each scope is called.
    rows: Vec<String>,
}

impl Writer<'_> {
    fn write(&mut self, expr: &Expr, place: Binding) -> String {
        let (text, own) = self.bare(expr);
        if own < place { format!("({text})") } else { text }
    }

    /// The text and how tightly it holds together.
    fn bare(&mut self, expr: &Expr) -> (String, Binding) {
        if let Some(between) = self.between(expr) {
            return (between, Binding::Not);
        }
        match expr {
            Expr::And(list) if list.is_empty() => ("true".to_owned(), Binding::Operand),
            Expr::Or(list) if list.is_empty() => ("false".to_owned(), Binding::Operand),
            Expr::And(list) => (self.list(list, " and ", Binding::And), Binding::Or),
            Expr::Or(list) => (self.list(list, " or ", Binding::Or), Binding::Loosest),
            Expr::Not(e) => self.not(e),
            Expr::Compare(op, l, r) => {
                let (l, r) = (self.operand(l), self.operand(r));
                (format!("{l} {} {r}", operator(*op)), Binding::Not)
            }
            Expr::IsNull(e) => (format!("{} is null", self.operand(e)), Binding::Not),
            Expr::IsBoolean(e, wanted) => (format!("{} is {wanted}", self.operand(e)), Binding::Not),
            Expr::In(e, list) => (format!("{} in ({})", self.operand(e), self.items(list)), Binding::Not),
            Expr::Like { expr, pattern, fold_case } => {
                let word = if *fold_case { "ilike" } else { "like" };
                (format!("{} {word} {}", self.operand(expr), self.operand(pattern)), Binding::Not)
            }
            Expr::Exists(query) => (format!("exists ({})", self.query(query, "1")), Binding::Operand),
            Expr::InQuery(e, query) => {
                let left = self.operand(e);
                let output = self.output(query);
                (format!("{left} in ({})", self.query(query, &output)), Binding::Not)
            }
            Expr::Arithmetic(op, l, r) => {
                let (l, r) = (self.operand(l), self.operand(r));
                let op = match op {
                    ArithmeticOp::Add => "+",
                    ArithmeticOp::Subtract => "-",
                    ArithmeticOp::Multiply => "*",
                };
                (format!("{l} {op} {r}"), Binding::Not)
            }
            other => (self.atom(other), Binding::Operand),
        }
    }

    fn atom(&mut self, expr: &Expr) -> String {
        match expr {
            Expr::Literal(value) => literal(value),
            Expr::Column { scope, table, field } => {
                let column = name(&self.world.table(*table).fields[position(*field)].name);
                let scope = usize::from(*scope);
                if scope + 1 == self.rows.len() { column } else { format!("{}.{column}", self.rows[scope]) }
            }
            Expr::AuthUid => "auth.uid()".to_owned(),
            Expr::AuthRole => "auth.role()".to_owned(),
            Expr::AuthJwt(path) => format!("(auth.jwt() ->> '{}')", path.join(".")),
            Expr::HasRole(role) => format!("auth.has_role('{role}')"),
            Expr::Function(function, list) => {
                let called = match function {
                    ScalarFunction::Lower => "lower",
                    ScalarFunction::Upper => "upper",
                    ScalarFunction::Length => "length",
                    ScalarFunction::Trim => "trim",
                    ScalarFunction::Abs => "abs",
                    ScalarFunction::Coalesce => "coalesce",
                    ScalarFunction::Now => "now",
                };
                format!("{called}({})", self.items(list))
            }
            other => panic!("not generated: {other:?}"),
        }
    }

    fn operand(&mut self, expr: &Expr) -> String {
        self.write(expr, Binding::Operand)
    }

    fn items(&mut self, list: &[Expr]) -> String {
        list.iter().map(|e| self.write(e, Binding::Not)).collect::<Vec<_>>().join(", ")
    }

    fn list(&mut self, list: &[Expr], word: &str, inner: Binding) -> String {
        let place = if list.len() == 1 { Binding::Operand } else { inner };
        list.iter().map(|e| self.write(e, place)).collect::<Vec<_>>().join(word)
    }

    fn not(&mut self, inner: &Expr) -> (String, Binding) {
        let text = match inner {
            Expr::IsNull(e) => format!("{} is not null", self.operand(e)),
            Expr::IsBoolean(e, wanted) => format!("{} is not {wanted}", self.operand(e)),
            Expr::In(e, list) => format!("{} not in ({})", self.operand(e), self.items(list)),
            Expr::InQuery(e, query) => {
                let left = self.operand(e);
                let output = self.output(query);
                format!("{left} not in ({})", self.query(query, &output))
            }
            Expr::Like { expr, pattern, fold_case: false } => {
                format!("{} not like {}", self.operand(expr), self.operand(pattern))
            }
            other => return (format!("not {}", self.write(other, Binding::Not)), Binding::And),
        };
        (text, Binding::Not)
    }

    /// `x between a and b`
    fn between(&mut self, expr: &Expr) -> Option<String> {
        let Expr::And(list) = expr else { return None };
        let [Expr::Compare(CompareOp::Ge, x, low), Expr::Compare(CompareOp::Le, y, high)] = list.as_slice()
        else {
            return None;
        };
        (x == y).then(|| {
            let (x, low, high) = (self.operand(x), self.operand(low), self.operand(high));
            format!("{x} between {low} and {high}")
        })
    }

    fn output(&self, query: &SubQuery) -> String {
        let output = query.output.expect("a sub-query of `in` has an output");
        name(&self.world.table(query.table).fields[position(output)].name)
    }

    fn query(&mut self, query: &SubQuery, output: &str) -> String {
        let table = name(self.world.table(query.table).name);
        let alias = format!("s{}", query.scope);
        self.rows.push(alias.clone());
        let filter = query.filter.as_ref().map(|f| format!(" where {}", self.write(f, Binding::Loosest)));
        self.rows.pop();
        format!("select {output} from {table} {alias}{}", filter.unwrap_or_default())
    }
}

fn operator(op: CompareOp) -> &'static str {
    match op {
        CompareOp::Eq => "=",
        CompareOp::Ne => "<>",
        CompareOp::Lt => "<",
        CompareOp::Le => "<=",
        CompareOp::Gt => ">",
        CompareOp::Ge => ">=",
        CompareOp::Distinct => "is distinct from",
        CompareOp::NotDistinct => "is not distinct from",
    }
}

fn literal(value: &Value) -> String {
    match value.as_ref() {
        ValueRef::Null => "null".to_owned(),
        v @ (ValueRef::Boolean(_) | ValueRef::Integer(_) | ValueRef::Decimal(_)) => v.to_text(),
        v => format!("'{}'", v.to_text().replace('\'', "''")),
    }
}
