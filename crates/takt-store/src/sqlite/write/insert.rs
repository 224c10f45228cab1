//! New rows, and new-or-changed rows: the conflict key decides, by a look inside the transaction, which of both.

use std::{borrow::Cow, collections::HashSet};

use rusqlite::CachedStatement;
use takt_model::{DefaultValue, Field, FieldId, Value, Verb};
use takt_plan::{Conflict, ConflictAction, GuardedInsert, RowSink, WriteRule};

use super::{
    Attempt, Key, Writing, constraints, decode_fields,
    defaults::{Filled, draw_numbers, fill},
    obligations::{Obligations, Values, Written, row_security_using, transition},
    returning::{self, Order},
    shape,
    targets::{Look, Target},
    update::Updater,
};
use crate::{
    Change, Outcome, StoreError,
    sqlite::{
        error::driver,
        lower::{Env, Sql},
        read::{always, prepare},
        types::{Bind, encode},
    },
};

pub(super) fn run(
    writing: Writing<'_>,
    plan: &GuardedInsert,
    sink: &mut dyn RowSink,
) -> Result<Outcome, StoreError> {
    let mut outcome = Outcome::default();
    if plan.rows.is_empty() {
        return Ok(outcome);
    }
    let mut inserter = Inserter::new(writing, &plan.rules)?;
    let mut upserter =
        plan.conflict.as_ref().map(|conflict| Upserter::new(writing, plan, conflict)).transpose()?;
    let mut keys = Vec::new();
    for given in &plan.rows {
        let mut row = fill(&writing, plan, given);
        let key = match upserter.as_mut().map(|u| u.existing(&row)).transpose()?.flatten() {
            Some(existing) => match upserter.as_mut() {
                Some(upserter) if upserter.conflict.action == ConflictAction::Merge => {
                    upserter.merge(existing, &mut row, &mut outcome)?
                }
                _ => continue,
            },
            None => inserter.insert(&mut row, &mut outcome)?,
        };
        if let Some(upserter) = &mut upserter {
            upserter.touched.insert(key_bytes(&key));
        }
        keys.push(key);
    }
    if let Some(node) = &plan.returning {
        outcome.returned = returning::tell(&writing, node, &keys, &outcome.changes, Order::AsGiven, sink)?;
    }
    Ok(outcome)
}

/// Whether the plan is one row that is stored by one statement, with nothing to draw before or to judge afterwards.
pub(super) fn is_one_statement(env: Env<'_>, plan: &GuardedInsert) -> bool {
    let is_free = |field: &Field| {
        !matches!(field.default, Some(DefaultValue::NextNumber { .. }))
            && field.check.as_ref().is_none_or(|check| always(&env, &check.expr))
    };
    plan.rows.len() == 1
        && plan.conflict.is_none()
        && plan.returning.is_none()
        && plan.rules.iter().all(|rule| always(&env, &rule.check))
        && env.table(plan.table).fields.iter().all(is_free)
}

/// Stores new rows with one prepared statement.
struct Inserter<'a> {
    writing: Writing<'a>,
    rules: &'a [WriteRule],
    statement: CachedStatement<'a>,
    obligations: Obligations<'a>,
    /// No `using` applies to new rows.
    held: Vec<bool>,
}

impl<'a> Inserter<'a> {
    fn new(writing: Writing<'a>, rules: &'a [WriteRule]) -> Result<Self, StoreError> {
        let Writing { conn, env, table, capture, .. } = writing;
        let mut sql = Sql::new(env, table.fields.len());
        shape::insert_row(&mut sql, table);
        let obligations = Obligations::push(&mut sql, table, rules, capture, Values::Known)?;
        let statement = prepare(conn, &sql)?;
        Ok(Self { writing, rules, statement, obligations, held: vec![true; rules.len()] })
    }

    fn insert(&mut self, row: &mut Filled<'_>, outcome: &mut Outcome) -> Result<Key, StoreError> {
        let table = self.writing.table;
        draw_numbers(&self.writing, row, |_| true)?;
        let values = table
            .fields
            .iter()
            .zip(row.iter())
            .map(|(field, value)| encode(table, field, value.as_deref().unwrap_or(&Value::Null)))
            .collect::<Result<Vec<_>, _>>()?;
        let written = self.store(&values)?;
        outcome.affected += 1;
        outcome.inserted += 1;
        if self.writing.capture {
            outcome.changes.push(Change {
                table: table.name.clone(),
                verb: Verb::Insert,
                before: None,
                after: written.after,
                rule: self.rules.get(written.rule).map(|r| r.policy.clone()).unwrap_or_default(),
            });
        }
        Ok(key_of(&self.writing, &values))
    }

    fn store(&mut self, values: &[Bind<'_>]) -> Result<Written, StoreError> {
        for (at, value) in values.iter().enumerate() {
            self.statement.raw_bind_parameter(at + 1, value).map_err(driver)?;
        }
        let held = if self.obligations.beforehand {
            Cow::Owned(constraints::foreseen(&self.writing, values, self.rules, &self.held)?)
        } else {
            Cow::Borrowed(self.held.as_slice())
        };
        let attempt = Attempt::Store { values, instead_of: None, rules: self.rules, held: &held };
        let judged = if self.obligations.are_by_values() {
            Some(self.obligations.judge_values(&held, || decode_fields(self.writing.table, values))?)
        } else {
            None
        };
        let mut rows = self.statement.raw_query();
        let first = rows.next().map_err(|e| self.writing.failure(e, &attempt))?;
        let written = judged.map_or_else(|| self.obligations.judge(first, &held), Ok)?;
        // Foreign keys are looked at when the statement ends.
        while rows.next().map_err(|e| self.writing.failure(e, &attempt))?.is_some() {}
        Ok(written)
    }
}

/// Finds the row that an upsert would meet, and merges into it.
struct Upserter<'a> {
    writing: Writing<'a>,
    plan: &'a GuardedInsert,
    conflict: &'a Conflict,
    look: Look<'a>,
    statement: CachedStatement<'a>,
    /// Made when the first row meets another.
    updater: Option<Updater<'a>>,
    /// Keys of the rows that this command wrote.
    touched: HashSet<Vec<u8>>,
}

impl<'a> Upserter<'a> {
    fn new(
        writing: Writing<'a>,
        plan: &'a GuardedInsert,
        conflict: &'a Conflict,
    ) -> Result<Self, StoreError> {
        let Writing { conn, env, table, .. } = writing;
        let mut sql = Sql::new(env, conflict.fields.len());
        let merges = conflict.action == ConflictAction::Merge;
        let (rules, visible) =
            if merges { (plan.merge_rules.as_slice(), Some(&plan.merge_visible)) } else { (&[][..], None) };
        let look = Look::push(&mut sql, table, rules, visible, merges)?;
        let mut conditions = 0;
        for (at, field) in conflict.fields.iter().enumerate() {
            sql.conjunction(&mut conditions);
            sql.column(0, table.id, *field);
            sql.push(" = ");
            sql.parameter(at + 1);
        }
        let statement = prepare(conn, &sql)?;
        Ok(Self { writing, plan, conflict, look, statement, updater: None, touched: HashSet::new() })
    }

    /// The existing row with the same conflict key; a null in the key equals nothing.
    fn existing(&mut self, row: &Filled<'_>) -> Result<Option<Target>, StoreError> {
        let table = self.writing.table;
        for (at, id) in self.conflict.fields.iter().enumerate() {
            let value = match row.get(usize::from(id.0)) {
                Some(Some(value)) if !value.is_null() => value,
                _ => return Ok(None),
            };
            let bind = encode(table, table.get(*id), value)?;
            self.statement.raw_bind_parameter(at + 1, &bind).map_err(driver)?;
        }
        let mut rows = self.statement.raw_query();
        rows.next().map_err(driver)?.map(|row| self.look.read(row)).transpose()
    }

    fn merge(
        &mut self,
        existing: Target,
        row: &mut Filled<'_>,
        outcome: &mut Outcome,
    ) -> Result<Key, StoreError> {
        let (writing, plan) = (self.writing, self.plan);
        let table = writing.table;
        // As in PostgreSQL, one command may not touch a row twice, whatever its key became in between.
        if self.touched.contains(&key_bytes(&existing.key)) {
            return Err(touched_twice());
        }
        if !existing.visible || !existing.held.contains(&true) {
            return Err(row_security_using(table));
        }
        draw_numbers(&writing, row, |field| plan.fields.contains(&field.id))?;
        let mut values = Vec::with_capacity(plan.fields.len());
        for id in &plan.fields {
            let (field, at) = (table.get(*id), usize::from(id.0));
            let value: &Value = row.get(at).and_then(|v| v.as_deref()).unwrap_or(&Value::Null);
            if let Some(old) = existing.old.get(at) {
                transition(table, field, old, value)?;
            }
            values.push(encode(table, field, value)?);
        }
        let updater = match &mut self.updater {
            Some(updater) => updater,
            none => none.insert(Updater::new(writing, &plan.fields, &plan.merge_rules)?),
        };
        updater.update(existing, &values, outcome)
    }
}

fn touched_twice() -> StoreError {
    StoreError::Refused {
        code: "21000",
        message: "ON CONFLICT DO UPDATE command cannot affect row a second time".to_owned(),
        details: None,
        hint: Some(
            "Ensure that no rows proposed for insertion within the same command have duplicate constrained values."
                .to_owned(),
        ),
    }
}

/// The primary key among the values of a row.
pub(super) fn key_of(writing: &Writing<'_>, values: &[Bind<'_>]) -> Key {
    let at = |id: &FieldId| values.get(usize::from(id.0)).cloned().unwrap_or(Bind::Null).into_owned();
    writing.table.primary_key.iter().map(at).collect()
}

/// A key as bytes that are equal exactly for equal keys.
fn key_bytes(key: &Key) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in key {
        let value: Cow<'_, [u8]> = match part {
            Bind::Null => Cow::Borrowed(&[]),
            Bind::Integer(v) => Cow::Owned(v.to_be_bytes().to_vec()),
            Bind::Real(v) => Cow::Owned(v.to_bits().to_be_bytes().to_vec()),
            Bind::Text(v) => Cow::Borrowed(v.as_bytes()),
            Bind::Blob(v) => Cow::Borrowed(v),
            Bind::Uuid(v) => Cow::Borrowed(v.as_bytes()),
        };
        bytes.extend((value.len() as u64).to_be_bytes());
        bytes.extend_from_slice(&value);
    }
    bytes
}
