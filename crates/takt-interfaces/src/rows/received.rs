//! `takt.received`: which messages were taken. Kept longer than any sender repeats.

use takt_engine::{EngineError, EngineTx};
use takt_model::{CompareOp, Expr, Principal, Value};
use takt_plan::{Direction, On};

use super::{one_of, rows, text_or_null, write};

const TABLE: &str = "takt.received";

/// When the message was taken, if it was.
pub(crate) fn taken_at(tx: &EngineTx, connection: &str, message: &str) -> Result<Option<i64>, EngineError> {
    let on = tx.on(TABLE)?;
    let this = on
        .eq("connection", Value::Text(connection.to_owned()))?
        .and(on.eq("message", Value::Text(message.to_owned()))?);
    let found = rows(tx, "received: look up", on.read(&["at"], Some(this), &[], Some(1))?)?;
    Ok(found.into_iter().find_map(|mut row| row.integer()))
}

/// Rows that stand for a message; a second name of one ("body:..") is none.
fn messages(on: On<'_>, connection: &str) -> Result<Expr, EngineError> {
    let name = |op, text: &str| on.compare("message", op, Value::Text(text.to_owned()));
    let is_no_body = Expr::Or(vec![name(CompareOp::Lt, "body:")?, name(CompareOp::Ge, "body;")?]);
    Ok(on.eq("connection", Value::Text(connection.to_owned()))?.and(is_no_body))
}

/// When the first or the last message came, of those that are remembered.
pub(crate) fn came_at(
    tx: &EngineTx,
    connection: &str,
    direction: Direction,
) -> Result<Option<i64>, EngineError> {
    let on = tx.on(TABLE)?;
    let plan = on.read(&["at"], Some(messages(on, connection)?), &[("at", direction)], Some(1))?;
    Ok(rows(tx, "received: first or last", plan)?.pop().and_then(|mut row| row.integer()))
}

/// How many messages came at or after `since`.
pub(crate) fn came_since(tx: &EngineTx, connection: &str, since: i64) -> Result<u64, EngineError> {
    let on = tx.on(TABLE)?;
    let these = messages(on, connection)?.and(on.compare("at", CompareOp::Ge, Value::Timestamp(since))?);
    let (_, outcome) = tx.rows(&Principal::system("received: count"), on.count(Some(these)))?;
    Ok(outcome.count.unwrap_or_default())
}

/// The message is taken.
pub(crate) fn insert(
    tx: &EngineTx,
    connection: &str,
    message: &str,
    kind: Option<&str>,
) -> Result<(), EngineError> {
    let plan = tx.on(TABLE)?.insert(vec![
        ("connection", Value::Text(connection.to_owned())),
        ("message", Value::Text(message.to_owned())),
        ("type", text_or_null(kind)),
        ("at", Value::Timestamp(tx.now())),
    ])?;
    write(tx, "received: take", plan).map(drop)
}

/// Forgets messages of a connection from before `before`; at most `most`.
pub(crate) fn forget(tx: &EngineTx, connection: &str, before: i64, most: u64) -> Result<u64, EngineError> {
    let on = tx.on(TABLE)?;
    let of = on.eq("connection", Value::Text(connection.to_owned()))?;
    let old = of.clone().and(on.compare("at", CompareOp::Lt, Value::Timestamp(before))?);
    let plan = on.read(&["message"], Some(old), &[("at", Direction::Ascending)], Some(most))?;
    let found: Vec<Value> = rows(tx, "received: find old", plan)?
        .into_iter()
        .filter_map(|mut r| r.text().map(Value::Text))
        .collect();
    if found.is_empty() {
        return Ok(0);
    }
    let these = of.and(one_of(on, "message", found.into_iter())?);
    write(tx, "received: forget old", on.delete(these))
}
