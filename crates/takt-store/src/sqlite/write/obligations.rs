//! What must hold of a row as it is finally stored: the check of one rule and the checks of the table.
//! They travel in the RETURNING clause of the very statement that writes the row, unless its values decide alone
//! (`truth.rs`).

use rusqlite::Row;
use takt_model::{Check, Expr, Principal, Table, TableId, Value};
use takt_plan::WriteRule;

use super::{read_fields, truth};
use crate::{
    RefusedTransition, StoreError,
    sqlite::{
        error::{driver, refused},
        lower::{RowName, Sql},
        read::always,
    },
};

/// The columns of a RETURNING clause and what they mean.
pub(super) struct Obligations<'a> {
    table: &'a Table,
    /// For each rule, the column that says whether its check holds; `None` if it always does.
    rules: Vec<Option<usize>>,
    checks: Vec<(usize, &'a Check)>,
    /// Whether the rules ask the written table. Then they are judged before the row is stored
    /// ([`super::constraints::foreseen`]), as PostgreSQL does: a row must not vouch for itself.
    pub(super) beforehand: bool,
    /// Where all fields begin, if they are wanted.
    fields: Option<usize>,
    columns: usize,
    /// What is judged without the statement, if nothing needs it.
    by_values: Option<ByValues<'a>>,
}

/// Conditions that the values of the row decide.
struct ByValues<'a> {
    principal: &'a Principal,
    /// For each rule, its check; `None` if it always holds.
    rules: Vec<Option<&'a Expr>>,
    checks: Vec<&'a Check>,
    wants_fields: bool,
}

/// Whether all values of the row are known before the statement runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Values {
    Known,
    Unknown,
}

/// A row that may stay.
pub(super) struct Written {
    /// Position of the rule that let it through.
    pub(super) rule: usize,
    /// All fields, if they were wanted.
    pub(super) after: Option<Vec<Value>>,
}

impl<'a> Obligations<'a> {
    /// Appends the clause (or nothing, if nothing is to be judged).
    pub(super) fn push(
        sql: &mut Sql<'a>,
        table: &'a Table,
        rules: &'a [WriteRule],
        wants_fields: bool,
        values: Values,
    ) -> Result<Self, StoreError> {
        let beforehand = rules.iter().any(|rule| asks(&rule.check, table.id));
        let mut made = Self {
            table,
            rules: Vec::new(),
            checks: Vec::new(),
            beforehand,
            fields: None,
            columns: 0,
            by_values: None,
        };
        if values == Values::Known && !beforehand {
            made.by_values = ByValues::of(sql, table, rules, wants_fields);
            if made.by_values.is_some() {
                return Ok(made);
            }
        }
        sql.row = RowName::Own;
        for rule in rules {
            let column = if beforehand || always(&sql.env, &rule.check) {
                None
            } else {
                let column = made.column(sql);
                sql.push("((");
                sql.predicate(&rule.check)?;
                sql.push(") IS TRUE)");
                Some(column)
            };
            made.rules.push(column);
        }
        for check in table.fields.iter().filter_map(|f| f.check.as_ref()) {
            if !always(&sql.env, &check.expr) {
                let column = made.column(sql);
                // As in SQL, unknown is good enough for a check.
                sql.push("((");
                sql.predicate(&check.expr)?;
                sql.push(") IS NOT FALSE)");
                made.checks.push((column, check));
            }
        }
        if wants_fields {
            made.fields = Some(made.columns);
            for field in &table.fields {
                made.column(sql);
                sql.column(0, table.id, field.id);
            }
        }
        sql.row = RowName::Table;
        Ok(made)
    }

    /// Whether the row is judged by [`Self::judge_values`], before it is stored, instead of by [`Self::judge`].
    pub(super) fn are_by_values(&self) -> bool {
        self.by_values.is_some()
    }

    /// Judges a row that will be stored with the values that `row` makes, if they are asked for.
    pub(super) fn judge_values(
        &self,
        held: &[bool],
        row: impl FnOnce() -> Result<Vec<Value>, StoreError>,
    ) -> Result<Written, StoreError> {
        let Some(by) = &self.by_values else {
            return Err(StoreError::Internal("a row is judged by values that do not decide".to_owned()));
        };
        let is_needed = by.wants_fields || !by.checks.is_empty() || by.rules.iter().any(Option::is_some);
        let row = if is_needed { row()? } else { Vec::new() };
        let holds = |check: &Option<&Expr>| {
            check.is_none_or(|check| truth::of(check, &row, by.principal) == Some(true))
        };
        let passed = by.rules.iter().zip(held).position(|(check, held)| *held && holds(check));
        let rule = passed.ok_or_else(|| row_security(self.table))?;
        // As in SQL, unknown is good enough for a check.
        let broken = by.checks.iter().find(|c| truth::of(&c.expr, &row, by.principal) == Some(false));
        match broken {
            Some(check) => Err(check_violation(self.table, check)),
            None => Ok(Written { rule, after: by.wants_fields.then_some(row) }),
        }
    }

    fn column(&mut self, sql: &mut Sql<'a>) -> usize {
        sql.push(if self.columns == 0 { " RETURNING " } else { ", " });
        self.columns += 1;
        self.columns - 1
    }

    /// Judges a written row; `held` says which rules' `using` held before (and, [`Self::beforehand`], their `check`).
    pub(super) fn judge(&self, row: Option<&Row<'_>>, held: &[bool]) -> Result<Written, StoreError> {
        let holds = |column: usize| -> Result<bool, StoreError> {
            let row =
                row.ok_or_else(|| StoreError::Internal("a write returned no row to judge".to_owned()))?;
            row.get::<_, bool>(column).map_err(driver)
        };
        let mut passed = None;
        for (at, column) in self.rules.iter().enumerate() {
            if held.get(at) == Some(&true) && column.map_or(Ok(true), holds)? {
                passed = Some(at);
                break;
            }
        }
        let rule = passed.ok_or_else(|| row_security(self.table))?;
        for (column, check) in &self.checks {
            if !holds(*column)? {
                return Err(check_violation(self.table, check));
            }
        }
        let after = match (self.fields, row) {
            (Some(from), Some(row)) => Some(read_fields(self.table, row, from)?),
            _ => None,
        };
        Ok(Written { rule, after })
    }
}

impl<'a> ByValues<'a> {
    /// `None` if a condition needs the database.
    fn of(sql: &Sql<'a>, table: &'a Table, rules: &'a [WriteRule], wants_fields: bool) -> Option<Self> {
        let condition = |expr: &'a Expr| -> Option<Option<&'a Expr>> {
            if always(&sql.env, expr) {
                return Some(None);
            }
            truth::is_decidable(expr, table).then_some(Some(expr))
        };
        let rules = rules.iter().map(|rule| condition(&rule.check)).collect::<Option<_>>()?;
        let mut checks = Vec::new();
        for check in table.fields.iter().filter_map(|f| f.check.as_ref()) {
            if condition(&check.expr)?.is_some() {
                checks.push(check);
            }
        }
        Some(Self { principal: sql.env.principal, rules, checks, wants_fields })
    }
}

/// Whether a sub-query of the expression, or of a policy woven into it, looks into `table`.
fn asks(expr: &Expr, table: TableId) -> bool {
    let mut found = false;
    expr.walk(&mut |e| {
        if let Expr::Exists(query) | Expr::InQuery(_, query) = e {
            found |= query.table == table;
        }
    });
    found
}

/// No policy lets the row be as it would be.
pub(super) fn row_security(table: &Table) -> StoreError {
    refused("42501", format!("new row violates row-level security policy for table \"{}\"", table.name))
}

/// The existing row of an upsert is not the caller's to see or to change.
pub(super) fn row_security_using(table: &Table) -> StoreError {
    refused(
        "42501",
        format!("new row violates row-level security policy (USING expression) for table \"{}\"", table.name),
    )
}

pub(super) fn check_violation(table: &Table, check: &Check) -> StoreError {
    refused(
        "23514",
        format!("new row for relation \"{}\" violates check constraint \"{}\"", table.name, check.name),
    )
}

/// Refuses a change of an enum that its transitions do not name.
pub(super) fn transition(
    table: &Table,
    field: &takt_model::Field,
    old: &Value,
    new: &Value,
) -> Result<(), StoreError> {
    let (Some(transitions), Value::Text(from)) = (&field.transitions, old) else { return Ok(()) };
    let to = match new {
        Value::Text(to) => Some(to.as_str()),
        _ => None,
    };
    if to.is_some_and(|to| transitions.allow(from, to)) {
        return Ok(());
    }
    let allowed = transitions.0.iter().find(|(f, _)| f == from).map_or(&[][..], |(_, next)| next);
    Err(StoreError::Transition(Box::new(RefusedTransition {
        table: table.name.clone(),
        field: field.name.clone(),
        from: from.clone(),
        to: to.map(ToOwned::to_owned),
        allowed: allowed.to_vec(),
    })))
}
