//! `takt.outbox_events`: written by the engine, read and marked here.

use takt_engine::{EngineError, EngineTx};
use takt_model::{CompareOp, Expr, Uuid, Value};
use takt_plan::Direction;

use super::{is_null, one_of, rows, write};

const TABLE: &str = "takt.outbox_events";

/// An event that committed with its cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) key: Option<String>,
    /// JSON text.
    pub(crate) payload: String,
    pub(crate) story: Option<Uuid>,
    pub(crate) at: i64,
}

const FIELDS: [&str; 6] = ["id", "name", "key", "payload", "story", "at"];

fn read(tx: &EngineTx, plan: takt_plan::Plan) -> Result<Vec<Event>, EngineError> {
    let event = |mut row: super::Row| {
        Some(Event {
            id: row.uuid()?,
            name: row.text()?,
            key: row.text(),
            payload: row.text()?,
            story: row.uuid(),
            at: row.integer()?,
        })
    };
    Ok(rows(tx, "outbox: read events", plan)?.into_iter().filter_map(event).collect())
}

/// The oldest events that nobody has looked at, in the order in which they committed.
pub(crate) fn undispatched(tx: &EngineTx, most: u64) -> Result<Vec<Event>, EngineError> {
    let on = tx.on(TABLE)?;
    let plan =
        on.read(&FIELDS, Some(is_null(on, "dispatched_at")?), &[("id", Direction::Ascending)], Some(most))?;
    read(tx, plan)
}

/// Whether there is an event that nobody has looked at.
pub(crate) fn has_undispatched(tx: &EngineTx) -> Result<bool, EngineError> {
    let on = tx.on(TABLE)?;
    let plan = on.read(&["id"], Some(is_null(on, "dispatched_at")?), &[], Some(1))?;
    Ok(!rows(tx, "outbox: look", plan)?.is_empty())
}

/// An event that has its one delivery already.
pub(crate) fn insert_dispatched(tx: &EngineTx, name: &str) -> Result<Event, EngineError> {
    let (id, at) = (tx.new_uuid(), tx.now());
    let plan = tx.on(TABLE)?.insert(vec![
        ("id", Value::Uuid(id)),
        ("name", Value::Text(name.to_owned())),
        ("payload", Value::Json("{}".to_owned())),
        ("at", Value::Timestamp(at)),
        ("dispatched_at", Value::Timestamp(at)),
    ])?;
    write(tx, "outbox: write a question", plan)?;
    Ok(Event { id, name: name.to_owned(), key: None, payload: "{}".to_owned(), story: None, at })
}

/// Marks events as looked at.
pub(crate) fn mark(tx: &EngineTx, events: &[Event]) -> Result<(), EngineError> {
    let on = tx.on(TABLE)?;
    let these = one_of(on, "id", events.iter().map(|e| Value::Uuid(e.id)))?;
    let plan = on.update(these, vec![("dispatched_at", Value::Timestamp(tx.now()))])?;
    write(tx, "outbox: mark dispatched", plan).map(drop)
}

/// Events of a key in the order of their commits, from `from` to `to`: those that somebody has looked at, or the others.
/// Found by their moments, so for few keys only.
pub(crate) fn of_key(
    tx: &EngineTx,
    key: &str,
    from: i64,
    to: Option<i64>,
    dispatched: bool,
) -> Result<Vec<Event>, EngineError> {
    let on = tx.on(TABLE)?;
    let waits = is_null(on, "dispatched_at")?;
    let waits = if dispatched { Expr::Not(Box::new(waits)) } else { waits };
    let mut these = on
        .compare("at", CompareOp::Ge, Value::Timestamp(from))?
        .and(on.eq("key", Value::Text(key.to_owned()))?)
        .and(waits);
    if let Some(to) = to {
        these = these.and(on.compare("at", CompareOp::Le, Value::Timestamp(to))?);
    }
    read(tx, on.read(&FIELDS, Some(these), &[("id", Direction::Ascending)], None)?)
}

/// Events by id.
pub(crate) fn by_ids(tx: &EngineTx, ids: impl Iterator<Item = Uuid>) -> Result<Vec<Event>, EngineError> {
    let on = tx.on(TABLE)?;
    let these = one_of(on, "id", ids.map(Value::Uuid))?;
    read(tx, on.read(&FIELDS, Some(these), &[], None)?)
}

/// Forgets events from before `before` that no delivery needs any more: those behind `after` of at most `most` looked
/// at. Gives the last one looked at, unless there are no more.
pub(crate) fn forget(
    tx: &EngineTx,
    before: i64,
    after: Option<Uuid>,
    most: u64,
) -> Result<Option<Uuid>, EngineError> {
    let on = tx.on(TABLE)?;
    let mut old = on
        .compare("at", CompareOp::Lt, Value::Timestamp(before))?
        .and(Expr::Not(Box::new(is_null(on, "dispatched_at")?)));
    if let Some(after) = after {
        old = old.and(on.compare("id", CompareOp::Gt, Value::Uuid(after))?);
    }
    let plan = on.read(&["id"], Some(old), &[("id", Direction::Ascending)], Some(most))?;
    let ids: Vec<Uuid> =
        rows(tx, "outbox: find old", plan)?.into_iter().filter_map(|mut r| r.uuid()).collect();
    // Dead letters and questions stay until somebody decides; they must not keep what stands behind them.
    let busy = super::deliveries::unfinished_among(tx, &ids)?;
    let free: Vec<Uuid> = ids.iter().filter(|id| !busy.contains(id)).copied().collect();
    if !free.is_empty() {
        let these = one_of(on, "id", free.into_iter().map(Value::Uuid))?;
        write(tx, "outbox: forget old", on.delete(these))?;
    }
    Ok(ids.last().copied().filter(|_| ids.len() as u64 == most))
}
