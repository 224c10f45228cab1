//! Expressions as text again, in PostgreSQL's syntax: for `takt access`, tests and the schema's fingerprint.
//! What is printed here reads back as the same tree.

use std::fmt::{self, Write as _};

use super::{ArithmeticOp, CompareOp, Expr, ScalarFunction, SubQuery};
use crate::{Project, Value};

/// An expression to print, with the project that knows its names.
#[derive(Debug, Clone, Copy)]
pub struct ExprText<'e> {
    expr: &'e Expr,
    project: &'e Project,
}

impl Expr {
    /// The expression as text.
    #[must_use]
    pub fn display<'e>(&'e self, project: &'e Project) -> ExprText<'e> {
        ExprText { expr: self, project }
    }
}

impl fmt::Display for ExprText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut printer = Printer { project: self.project, scopes: Vec::new(), out: f };
        printer.expr(self.expr, Strength::Or)
    }
}

/// How tightly an operator binds; what binds less tightly than its place needs stands in parentheses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Strength {
    Or,
    And,
    Not,
    /// `is null`
    Is,
    Compare,
    /// `like`, `in`
    Match,
    Sum,
    Product,
    Atom,
}

struct Printer<'p, 'f> {
    project: &'p Project,
    /// Names of the sub-queries' tables around the current place.
    scopes: Vec<String>,
    out: &'p mut fmt::Formatter<'f>,
}

impl Printer<'_, '_> {
    fn expr(&mut self, expr: &Expr, place: Strength) -> fmt::Result {
        let strength = strength(expr);
        if strength < place {
            self.out.write_char('(')?;
        }
        self.bare(expr, strength)?;
        if strength < place {
            self.out.write_char(')')?;
        }
        Ok(())
    }

    fn bare(&mut self, expr: &Expr, strength: Strength) -> fmt::Result {
        match expr {
            Expr::Literal(value) => self.literal(value),
            Expr::Parameter { number, .. } => write!(self.out, "${}", number + 1),
            Expr::Column { scope, table, field } => {
                let name = &self.project.get(*table).get(*field).name;
                if !self.scopes.is_empty() {
                    let around = self.scope_name(*scope, *table);
                    write!(self.out, "{around}.")?;
                }
                write!(self.out, "{}", identifier(name))
            }
            Expr::AuthUid => self.out.write_str("auth.uid()"),
            Expr::AuthRole => self.out.write_str("auth.role()"),
            Expr::AuthJwt(path) => self.jwt(path),
            Expr::HasRole(role) => write!(self.out, "auth.has_role({})", quoted(role)),
            Expr::And(list) if list.is_empty() => self.out.write_str("true"),
            Expr::Or(list) if list.is_empty() => self.out.write_str("false"),
            Expr::And(list) => self.list(list, " and ", Strength::Not),
            Expr::Or(list) => self.list(list, " or ", Strength::And),
            Expr::Not(inner) => self.not(inner),
            Expr::Compare(op, left, right) => {
                self.expr(left, Strength::Match)?;
                write!(self.out, " {} ", compare(*op))?;
                self.expr(right, Strength::Match)
            }
            Expr::IsNull(inner) => self.after(inner, " is null", Strength::Compare),
            Expr::IsBoolean(inner, true) => self.after(inner, " is true", Strength::Compare),
            Expr::IsBoolean(inner, false) => self.after(inner, " is false", Strength::Compare),
            Expr::In(inner, list) => self.in_list(inner, list, " in "),
            Expr::Like { expr, pattern, fold_case } => self.like(expr, pattern, *fold_case, ""),
            Expr::Arithmetic(op, left, right) => {
                self.expr(left, strength)?;
                write!(self.out, " {} ", arithmetic(*op))?;
                let tighter = if strength == Strength::Sum { Strength::Product } else { Strength::Atom };
                self.expr(right, tighter)
            }
            Expr::Function(function, arguments) => {
                write!(self.out, "{}(", function_name(*function))?;
                self.list(arguments, ", ", Strength::Or)?;
                self.out.write_char(')')
            }
            Expr::Exists(query) => {
                self.out.write_str("exists ")?;
                self.query(query)
            }
            Expr::InQuery(inner, query) => {
                self.expr(inner, Strength::Sum)?;
                self.out.write_str(" in ")?;
                self.query(query)
            }
        }
    }

    /// People write `x is not null` and `x not in (...)`, not `not x is null`.
    fn not(&mut self, inner: &Expr) -> fmt::Result {
        match inner {
            Expr::IsNull(e) => self.after(e, " is not null", Strength::Compare),
            Expr::IsBoolean(e, true) => self.after(e, " is not true", Strength::Compare),
            Expr::IsBoolean(e, false) => self.after(e, " is not false", Strength::Compare),
            Expr::In(e, list) if !list.is_empty() => self.in_list(e, list, " not in "),
            Expr::Like { expr, pattern, fold_case } => self.like(expr, pattern, *fold_case, "not "),
            Expr::InQuery(e, query) => {
                self.expr(e, Strength::Sum)?;
                self.out.write_str(" not in ")?;
                self.query(query)
            }
            other => {
                self.out.write_str("not ")?;
                self.expr(other, Strength::Is)
            }
        }
    }

    fn after(&mut self, inner: &Expr, words: &str, place: Strength) -> fmt::Result {
        self.expr(inner, place)?;
        self.out.write_str(words)
    }

    fn list(&mut self, list: &[Expr], between: &str, place: Strength) -> fmt::Result {
        for (at, item) in list.iter().enumerate() {
            if at > 0 {
                self.out.write_str(between)?;
            }
            self.expr(item, place)?;
        }
        Ok(())
    }

    fn in_list(&mut self, inner: &Expr, list: &[Expr], words: &str) -> fmt::Result {
        if list.is_empty() {
            return self.out.write_str("false");
        }
        self.expr(inner, Strength::Sum)?;
        write!(self.out, "{words}(")?;
        self.list(list, ", ", Strength::Or)?;
        self.out.write_char(')')
    }

    fn like(&mut self, expr: &Expr, pattern: &Expr, fold_case: bool, not: &str) -> fmt::Result {
        self.expr(expr, Strength::Sum)?;
        write!(self.out, " {not}{} ", if fold_case { "ilike" } else { "like" })?;
        self.expr(pattern, Strength::Sum)
    }

    fn jwt(&mut self, path: &[String]) -> fmt::Result {
        self.out.write_str("auth.jwt()")?;
        for (at, key) in path.iter().enumerate() {
            let arrow = if at + 1 == path.len() { "->>" } else { "->" };
            write!(self.out, " {arrow} {}", quoted(key))?;
        }
        Ok(())
    }

    fn query(&mut self, query: &SubQuery) -> fmt::Result {
        let table = &self.project.get(query.table).name;
        let name = self.alias(query);
        let output = match query.output {
            Some(field) => {
                format!("{name}.{}", identifier(&self.project.get(query.table).get(field).name))
            }
            None => "1".to_owned(),
        };
        write!(self.out, "(select {output} from {}", table_name(table))?;
        if name != table_name(table) {
            write!(self.out, " {name}")?;
        }
        self.scopes.push(name);
        if let Some(filter) = &query.filter {
            self.out.write_str(" where ")?;
            self.expr(filter, Strength::Or)?;
        }
        self.scopes.pop();
        self.out.write_char(')')
    }

    /// The table's own name, unless a row of that table is meant already: then its name and scope.
    /// The row at scope 0 is of a table that only its columns know, so a self-reference always gets one.
    fn alias(&self, query: &SubQuery) -> String {
        let name = table_name(&self.project.get(query.table).name);
        let taken = self.scopes.contains(&name);
        let own = query.filter.as_ref().is_some_and(|filter| reads_outer_row(filter, query));
        if taken || own { format!("{}_{}", name.replace(['"', '.'], "_"), query.scope) } else { name }
    }

    fn scope_name(&self, scope: u8, table: crate::TableId) -> String {
        let inner = usize::from(scope).checked_sub(1).and_then(|at| self.scopes.get(at)).cloned();
        inner.unwrap_or_else(|| table_name(&self.project.get(table).name))
    }

    fn literal(&mut self, value: &Value) -> fmt::Result {
        match value {
            Value::Null => self.out.write_str("null"),
            Value::Boolean(_) | Value::Integer(_) | Value::Decimal(_) => {
                self.out.write_str(&value.as_ref().to_text())
            }
            Value::Double(number) if number.is_finite() => self.out.write_str(&value.as_ref().to_text()),
            _ => self.out.write_str(&quoted(&value.as_ref().to_text())),
        }
    }
}

/// Whether `filter` reads a row of the same table further out.
fn reads_outer_row(filter: &Expr, query: &SubQuery) -> bool {
    let mut found = false;
    filter.walk(&mut |e| {
        if let Expr::Column { scope, table, .. } = e {
            found |= *table == query.table && *scope < query.scope;
        }
    });
    found
}

fn strength(expr: &Expr) -> Strength {
    match expr {
        Expr::And(list) | Expr::Or(list) if list.is_empty() => Strength::Atom,
        Expr::Or(_) => Strength::Or,
        Expr::And(_) => Strength::And,
        Expr::Not(inner) => match **inner {
            Expr::IsNull(_) | Expr::IsBoolean(..) => Strength::Is,
            Expr::In(..) | Expr::Like { .. } | Expr::InQuery(..) => Strength::Match,
            _ => Strength::Not,
        },
        Expr::IsNull(_) | Expr::IsBoolean(..) => Strength::Is,
        Expr::Compare(CompareOp::Distinct | CompareOp::NotDistinct, ..) => Strength::Is,
        Expr::Compare(..) => Strength::Compare,
        Expr::In(..) | Expr::Like { .. } | Expr::InQuery(..) => Strength::Match,
        Expr::Arithmetic(ArithmeticOp::Multiply, ..) => Strength::Product,
        Expr::Arithmetic(..) => Strength::Sum,
        Expr::Literal(_)
        | Expr::Parameter { .. }
        | Expr::Column { .. }
        | Expr::AuthUid
        | Expr::AuthRole
        | Expr::HasRole(_)
        | Expr::Function(..)
        | Expr::Exists(_) => Strength::Atom,
        // `->>` binds more tightly than any comparison, but less than `+`.
        Expr::AuthJwt(_) => Strength::Match,
    }
}

fn compare(op: CompareOp) -> &'static str {
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

fn arithmetic(op: ArithmeticOp) -> &'static str {
    match op {
        ArithmeticOp::Add => "+",
        ArithmeticOp::Subtract => "-",
        ArithmeticOp::Multiply => "*",
    }
}

fn function_name(function: ScalarFunction) -> &'static str {
    match function {
        ScalarFunction::Lower => "lower",
        ScalarFunction::Upper => "upper",
        ScalarFunction::Length => "length",
        ScalarFunction::Trim => "trim",
        ScalarFunction::Abs => "abs",
        ScalarFunction::Coalesce => "coalesce",
        ScalarFunction::Now => "now",
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Names with capital letters need quotes; so do words of the language, so these are quoted too.
fn identifier(name: &str) -> String {
    const WORDS: [&str; 24] = [
        "all", "and", "any", "as", "between", "case", "cast", "date", "end", "exists", "false", "from", "in",
        "is", "like", "limit", "not", "null", "or", "order", "select", "time", "true", "where",
    ];
    let plain = !WORDS.contains(&name) && !name.bytes().any(|b| b.is_ascii_uppercase());
    if plain { name.to_owned() } else { format!("\"{name}\"") }
}

fn table_name(name: &str) -> String {
    name.split('.').map(identifier).collect::<Vec<_>>().join(".")
}
