//! Writes. What the policies demand arrives as rules and is judged here, inside the statement's own savepoint:
//! `using` on the row before, `check` on the row as it is finally stored.

mod constraints;
mod defaults;
mod delete;
mod insert;
mod obligations;
mod returning;
mod shape;
mod targets;
mod truth;
mod update;

use rusqlite::Connection;
use takt_model::{Table, Value};
use takt_plan::{GuardedPlan, RowSink};

use super::{error::driver, lower::Env, session::Session, types::Bind};
use crate::{Outcome, StoreError};

pub(crate) use defaults::counter_next;
pub(crate) use shape::statement;

/// The values of a primary key.
type Key = Vec<Bind<'static>>;

/// What all writes need.
#[derive(Clone, Copy)]
struct Writing<'a> {
    conn: &'a Connection,
    session: &'a Session,
    env: Env<'a>,
    table: &'a Table,
    /// Whether [`Outcome::changes`] is filled.
    capture: bool,
}

/// Runs a write; `sink` gets the returned rows.
pub(crate) fn run(
    conn: &Connection,
    session: &Session,
    env: Env<'_>,
    plan: &GuardedPlan,
    sink: &mut dyn RowSink,
) -> Result<Outcome, StoreError> {
    let writing =
        |table| Writing { conn, session, env, table: env.table(table), capture: session.context().capture };
    match plan {
        GuardedPlan::Insert(insert) => insert::run(writing(insert.table), insert, sink),
        GuardedPlan::Update(update) => update::run(writing(update.table), update, sink),
        GuardedPlan::Delete(delete) => delete::run(writing(delete.table), delete, sink),
        _ => Err(StoreError::Internal("a read is no write".to_owned())),
    }
}

/// Whether the write leaves nothing behind when it fails, without a savepoint: it is one statement, which SQLite undoes
/// by itself, and nothing is judged or read after it.
pub(crate) fn undoes_itself(session: &Session, env: Env<'_>, plan: &GuardedPlan) -> bool {
    match plan {
        GuardedPlan::Insert(insert) => !session.context().capture && insert::is_one_statement(env, insert),
        _ => false,
    }
}

impl Writing<'_> {
    /// The driver's error in our words, or the constraint that failed.
    fn failure(&self, error: rusqlite::Error, row: &Attempt<'_>) -> StoreError {
        let told = constraints::explain(self, &error, row);
        told.unwrap_or_else(|| driver(error))
    }
}

/// What a failed statement tried, for finding the constraint in its way.
enum Attempt<'v> {
    /// A row with these values, in the table's order, as a new one or in the place of the row with this key.
    Store {
        values: &'v [Bind<'v>],
        instead_of: Option<&'v [Bind<'v>]>,
        rules: &'v [takt_plan::WriteRule],
        held: &'v [bool],
    },
    /// To remove the row with this key.
    Remove { key: &'v [Bind<'v>] },
}

/// All fields of a row, from the column `from` on.
fn read_fields(table: &Table, row: &rusqlite::Row<'_>, from: usize) -> Result<Vec<Value>, StoreError> {
    table
        .fields
        .iter()
        .enumerate()
        .map(|(at, field)| {
            let raw = row.get_ref(from + at).map_err(driver)?;
            Ok(super::types::decode(&field.kind, raw)?.to_owned())
        })
        .collect()
}

/// All fields of a row as it will be read once these values are stored.
fn decode_fields(table: &Table, values: &[Bind<'_>]) -> Result<Vec<Value>, StoreError> {
    let one = |(field, value): (&takt_model::Field, &Bind<'_>)| {
        Ok(super::types::decode(&field.kind, value.as_raw())?.to_owned())
    };
    table.fields.iter().zip(values).map(one).collect()
}

/// A key of a row, from the column `from` on.
fn read_key(row: &rusqlite::Row<'_>, from: usize, columns: usize) -> Result<Key, StoreError> {
    (from..from + columns).map(|at| Ok(Bind::keep(row.get_ref(at).map_err(driver)?))).collect()
}
