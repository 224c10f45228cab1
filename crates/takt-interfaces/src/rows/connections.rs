//! `takt.connections`: how each connection is. A row appears with the first thing worth keeping.

use takt_engine::{EngineError, EngineTx};
use takt_model::Value;

use super::{rows, text_or_null, write};
use crate::breaker::State;

const TABLE: &str = "takt.connections";

/// How a connection is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) paused: bool,
    pub(crate) breaker: State,
    pub(crate) last_ok_at: Option<i64>,
    pub(crate) last_failed_at: Option<i64>,
    pub(crate) last_error: Option<String>,
}

impl Default for Status {
    fn default() -> Self {
        Self {
            paused: false,
            breaker: State::Closed,
            last_ok_at: None,
            last_failed_at: None,
            last_error: None,
        }
    }
}

pub(crate) fn status(tx: &EngineTx, id: &str) -> Result<Status, EngineError> {
    let on = tx.on(TABLE)?;
    let fields = ["paused", "open_until", "pause", "last_ok_at", "last_failed_at", "last_error"];
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
    })
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
