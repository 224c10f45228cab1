//! `takt.connections`: how each connection is. A row appears with the first thing worth keeping.

use takt_engine::{EngineError, EngineTx};
use takt_model::Value;

use super::{rows, text_or_null, write};
use crate::{Cause, breaker::State};

const TABLE: &str = "takt.connections";

/// How a connection is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) paused: bool,
    pub(crate) breaker: State,
    pub(crate) last_ok_at: Option<i64>,
    pub(crate) last_failed_at: Option<i64>,
    pub(crate) last_error: Option<String>,
    /// Written by [`note_health`] only.
    pub(crate) health: Option<Health>,
}

/// What was answered to the question whether it is well. Moments are microseconds since 1970 UTC.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Health {
    /// When it was asked last.
    pub at: i64,
    /// Since when it is as it is.
    pub since: i64,
    /// Whether it answered with a success.
    pub is_well: bool,
    /// What was wrong.
    pub error: Option<String>,
    /// Why, where we know it ourselves.
    pub cause: Option<Cause>,
}

impl Default for Status {
    fn default() -> Self {
        Self {
            paused: false,
            breaker: State::Closed,
            last_ok_at: None,
            last_failed_at: None,
            last_error: None,
            health: None,
        }
    }
}

pub(crate) fn status(tx: &EngineTx, id: &str) -> Result<Status, EngineError> {
    let on = tx.on(TABLE)?;
    let fields = [
        "paused",
        "open_until",
        "pause",
        "last_ok_at",
        "last_failed_at",
        "last_error",
        "health_at",
        "health_since",
        "is_well",
        "health_error",
        "health_cause",
    ];
    let plan = on.read(&fields, Some(on.eq("id", Value::Text(id.to_owned()))?), &[], Some(1))?;
    let Some(mut row) = rows(tx, "connections: read", plan)?.pop() else {
        // Until somebody decides, as the file says.
        let paused = tx.project().connection(id).is_some_and(|c| c.paused);
        return Ok(Status { paused, ..Status::default() });
    };
    let paused = row.flag();
    let breaker = match (row.integer(), row.integer()) {
        (Some(until), Some(pause)) => State::Open { until, pause },
        _ => State::Closed,
    };
    Ok(Status {
        paused,
        breaker,
        last_ok_at: row.integer(),
        last_failed_at: row.integer(),
        last_error: row.text(),
        health: health(&mut row),
    })
}

fn health(row: &mut super::Row) -> Option<Health> {
    let (at, since, is_well, error) = (row.integer(), row.integer(), row.flag(), row.text());
    let cause = row.text().and_then(|name| Cause::named(&name));
    Some(Health { at: at?, since: since?, is_well, error, cause })
}

/// Writes down what was answered to the question whether it is well.
pub(crate) fn note_health(
    tx: &EngineTx,
    id: &str,
    error: Option<&str>,
    cause: Option<Cause>,
) -> Result<(), EngineError> {
    let (on, now, before) = (tx.on(TABLE)?, tx.now(), status(tx, id)?);
    let is_well = error.is_none();
    let since = before.health.as_ref().filter(|h| h.is_well == is_well).map_or(now, |h| h.since);
    let values = || {
        vec![
            ("health_at", Value::Timestamp(now)),
            ("health_since", Value::Timestamp(since)),
            ("is_well", Value::Boolean(is_well)),
            ("health_error", text_or_null(error)),
            ("health_cause", text_or_null(cause.map(Cause::name))),
        ]
    };
    let this = on.eq("id", Value::Text(id.to_owned()))?;
    if write(tx, "connections: note health", on.update(this, values())?)? == 0 {
        keep(tx, id, &before)?;
        let this = on.eq("id", Value::Text(id.to_owned()))?;
        write(tx, "connections: note health", on.update(this, values())?)?;
    }
    Ok(())
}

pub(crate) fn keep(tx: &EngineTx, id: &str, status: &Status) -> Result<(), EngineError> {
    let on = tx.on(TABLE)?;
    let moment = |m: Option<i64>| m.map_or(Value::Null, Value::Timestamp);
    let (until, pause) = match status.breaker {
        State::Open { until, pause } => (Value::Timestamp(until), Value::Integer(pause)),
        State::Closed => (Value::Null, Value::Null),
    };
    let values = || {
        vec![
            ("paused", Value::Boolean(status.paused)),
            ("open_until", until.clone()),
            ("pause", pause.clone()),
            ("last_ok_at", moment(status.last_ok_at)),
            ("last_failed_at", moment(status.last_failed_at)),
            ("last_error", text_or_null(status.last_error.as_deref())),
        ]
    };
    let this = on.eq("id", Value::Text(id.to_owned()))?;
    if write(tx, "connections: keep", on.update(this, values())?)? == 0 {
        let mut all = values();
        all.push(("id", Value::Text(id.to_owned())));
        write(tx, "connections: keep", on.insert(all)?)?;
    }
    Ok(())
}
