//! Names of fields to columns: the innermost row that has the field, or the one that is named.

use sqlparser::ast::Ident;

use super::operand::Operand;
use super::{ExprProblem, Parsed};
use crate::read::{did_you_mean, did_you_mean_or_list};
use crate::{Expr, Field, Project, Table, TableId};

/// A row that an expression can speak of, under the name it is known by.
#[derive(Debug, Clone)]
struct Scope {
    table: TableId,
    name: String,
}

/// The rows around the current place; the first is the row itself.
#[derive(Debug)]
pub(super) struct Scopes<'p> {
    project: &'p Project,
    rows: Vec<Scope>,
}

impl<'p> Scopes<'p> {
    pub(super) fn new(project: &'p Project, table: TableId) -> Self {
        let name = project.get(table).name.clone();
        Self { project, rows: vec![Scope { table, name }] }
    }

    /// The innermost scope's number.
    pub(super) fn innermost(&self) -> u8 {
        u8::try_from(self.rows.len().saturating_sub(1)).unwrap_or(u8::MAX)
    }

    /// Adds the row of a sub-query.
    pub(super) fn enter(&mut self, table: TableId, alias: Option<String>) -> Parsed<()> {
        let own = &self.project.get(table).name;
        let name = alias.clone().unwrap_or_else(|| own.clone());
        if self.rows.iter().any(|row| row.name == name) {
            let message = format!("`{name}` already names a row outside this sub-query");
            let help = format!("give the inner one a name of its own: `from {own} other`");
            return Err(ExprProblem::new(message).help(help));
        }
        self.rows.push(Scope { table, name });
        Ok(())
    }

    pub(super) fn leave(&mut self) {
        self.rows.pop();
    }

    /// `field`
    pub(super) fn bare(&self, name: &Ident) -> Parsed<Operand> {
        for (at, row) in self.rows.iter().enumerate().rev() {
            let table = self.project.get(row.table);
            if let Some(field) = find(table, name) {
                return Ok(column(at, table, field));
            }
        }
        let problem = ExprProblem::new(format!("unknown field `{}`", name.value));
        if name.quote_style == Some('"') {
            return Err(problem.help(format!("a text stands in single quotes: '{}'", name.value)));
        }
        let fields = |row: &Scope| self.project.get(row.table).fields.iter().map(|f| f.name.as_str());
        let near = did_you_mean(&name.value, self.rows.iter().rev().flat_map(fields));
        let inner: Vec<&str> = self.rows.last().into_iter().flat_map(fields).collect();
        Err(problem.help(near.or_else(|| did_you_mean_or_list(&name.value, inner))))
    }

    /// `orders.field`, `alias.field`, `auth.users.field`
    pub(super) fn qualified(&self, parts: &[Ident]) -> Parsed<Operand> {
        let Some((name, qualifier)) = parts.split_last() else {
            return Err(ExprProblem::new("a name is missing"));
        };
        let written = qualifier.iter().map(|i| i.value.as_str()).collect::<Vec<_>>().join(".");
        let folded = written.to_lowercase();
        let found = self.rows.iter().enumerate().rev().find(|(_, r)| r.name == written || r.name == folded);
        let Some((at, row)) = found else {
            if folded == "auth" {
                let help = format!("functions need parentheses: `auth.{}()`", name.value);
                return Err(ExprProblem::new(format!("`auth.{}` is no field", name.value)).help(help));
            }
            let names: Vec<&str> = self.rows.iter().rev().map(|r| r.name.as_str()).collect();
            let help = did_you_mean_or_list(&written, names);
            return Err(ExprProblem::new(format!("no row is called `{written}` here")).help(help));
        };
        let table = self.project.get(row.table);
        match find(table, name) {
            Some(field) => Ok(column(at, table, field)),
            None => {
                let help = did_you_mean_or_list(&name.value, table.fields.iter().map(|f| f.name.as_str()));
                Err(ExprProblem::new(format!("table `{}` has no field `{}`", table.name, name.value))
                    .help(help))
            }
        }
    }

    /// The table of a `from`.
    pub(super) fn table(&self, parts: &[&Ident]) -> Parsed<&'p Table> {
        let written = parts.iter().map(|i| i.value.as_str()).collect::<Vec<_>>().join(".");
        let named = |name: &str| self.project.tables.iter().find(|t| t.name == name);
        named(&written).or_else(|| named(&written.to_lowercase())).ok_or_else(|| {
            let help = did_you_mean(&written, self.project.tables.iter().map(|t| t.name.as_str()));
            ExprProblem::new(format!("unknown table `{written}`")).help(help)
        })
    }
}

/// Names without quotes are lower case in PostgreSQL; one that fits as written fits, too.
fn find<'t>(table: &'t Table, name: &Ident) -> Option<&'t Field> {
    table.field(&name.value).or_else(|| {
        let folded = (name.quote_style.is_none()).then(|| name.value.to_lowercase())?;
        table.field(&folded)
    })
}

fn column(scope: usize, table: &Table, field: &Field) -> Operand {
    let scope = u8::try_from(scope).unwrap_or(u8::MAX);
    Operand::Known(Expr::Column { scope, table: table.id, field: field.id }, field.kind.clone())
}
