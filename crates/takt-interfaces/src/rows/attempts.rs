//! `takt.attempts`: written as unknown before the first byte leaves.

use takt_engine::{EngineError, EngineTx};
use takt_model::{CompareOp, Uuid, Value};
use takt_plan::Direction;

use super::{insert_all, one_of, rows, text_or_null, write};
use crate::{Cause, Ended, Outcome};

const TABLE: &str = "takt.attempts";

/// One attempt.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Attempt {
    /// Id.
    pub id: Uuid,
    /// From 1.
    pub number: i64,
    /// When it began: microseconds since 1970 UTC.
    pub at: i64,
    /// Microseconds; none while it runs, and for ever if the process died meanwhile.
    pub took: Option<i64>,
    /// How it ended.
    pub outcome: Outcome,
    /// HTTP or SMTP status.
    pub status: Option<i64>,
    /// What was asked, without personal values.
    pub request: Option<String>,
    /// The first KB of what was sent, without personal values; of a mail its template and subject.
    pub body: Option<String>,
    /// The first bytes of the answer.
    pub response: Option<String>,
    /// What went wrong.
    pub error: Option<String>,
    /// Why, where we know it ourselves.
    pub cause: Option<Cause>,
}

const FIELDS: [&str; 11] =
    ["id", "number", "at", "took", "outcome", "status", "request", "body", "response", "error", "cause"];

/// Writes that attempts begin: `(id, delivery, number, request)` each.
pub(crate) fn begin(tx: &EngineTx, begun: &[(Uuid, Uuid, u32, String)]) -> Result<(), EngineError> {
    let names = ["id", "delivery", "number", "at", "outcome", "request"];
    let row = |(id, delivery, number, request): &(Uuid, Uuid, u32, String)| {
        vec![
            Value::Uuid(*id),
            Value::Uuid(*delivery),
            Value::Integer(i64::from(*number)),
            Value::Timestamp(tx.now()),
            Value::Text(Outcome::Unknown.name().to_owned()),
            Value::Text(request.clone()),
        ]
    };
    let plan = insert_all(tx.on(TABLE)?, &names, begun.iter().map(row).collect())?;
    write(tx, "deliveries: begin attempts", plan).map(drop)
}

/// Writes how an attempt ended; `took` in microseconds.
pub(crate) fn end(tx: &EngineTx, id: Uuid, ended: &Ended, took: i64) -> Result<(), EngineError> {
    let on = tx.on(TABLE)?;
    let plan = on.update(
        on.eq("id", Value::Uuid(id))?,
        vec![
            ("took", Value::Integer(took)),
            ("outcome", Value::Text(ended.outcome.name().to_owned())),
            ("status", ended.status.map_or(Value::Null, |s| Value::Integer(i64::from(s)))),
            ("body", text_or_null(ended.sent.as_deref())),
            ("response", text_or_null(ended.response.as_deref())),
            ("error", text_or_null(ended.error.as_deref())),
            ("cause", text_or_null(ended.cause().map(Cause::name))),
        ],
    )?;
    write(tx, "deliveries: end attempt", plan).map(drop)
}

/// The attempts of a delivery, oldest first.
pub(crate) fn of(tx: &EngineTx, delivery: Uuid) -> Result<Vec<Attempt>, EngineError> {
    let on = tx.on(TABLE)?;
    let filter = on.eq("delivery", Value::Uuid(delivery))?;
    let plan = on.read(&FIELDS, Some(filter), &[("id", Direction::Ascending)], Some(1000))?;
    let attempt = |mut row: super::Row| {
        Some(Attempt {
            id: row.uuid()?,
            number: row.integer()?,
            at: row.integer()?,
            took: row.integer(),
            outcome: Outcome::named(&row.text()?)?,
            status: row.integer(),
            request: row.text(),
            body: row.text(),
            response: row.text(),
            error: row.text(),
            cause: row.text().and_then(|name| Cause::named(&name)),
        })
    };
    Ok(rows(tx, "deliveries: read attempts", plan)?.into_iter().filter_map(attempt).collect())
}

/// How many attempts of a delivery began at or after `since`: from 1, since one of them has just ended.
pub(crate) fn count_since(tx: &EngineTx, delivery: Uuid, since: i64) -> Result<u32, EngineError> {
    let on = tx.on(TABLE)?;
    let filter = on.eq("delivery", Value::Uuid(delivery))?.and(on.compare(
        "at",
        CompareOp::Ge,
        Value::Timestamp(since),
    )?);
    let (_, outcome) =
        tx.rows(&takt_model::Principal::system("deliveries: count attempts"), on.count(Some(filter)))?;
    Ok(u32::try_from(outcome.count.unwrap_or_default()).unwrap_or(u32::MAX).max(1))
}

/// How long the attempts of these deliveries took that arrived: microseconds each.
pub(crate) fn durations(tx: &EngineTx, deliveries: &[Uuid]) -> Result<Vec<i64>, EngineError> {
    if deliveries.is_empty() {
        return Ok(Vec::new());
    }
    let on = tx.on(TABLE)?;
    let filter = one_of(on, "delivery", deliveries.iter().map(|d| Value::Uuid(*d)))?
        .and(on.eq("outcome", Value::Text(Outcome::Ok.name().to_owned()))?);
    let plan = on.read(&["took"], Some(filter), &[], None)?;
    Ok(rows(tx, "deliveries: durations", plan)?.into_iter().filter_map(|mut r| r.integer()).collect())
}

/// Forgets attempts that began before `before`, at most `most`; gives how many. Those of dead letters too: what is
/// known of a delivery stays with it, what was sent and answered does not stay for ever.
pub(crate) fn forget(tx: &EngineTx, before: i64, most: u64) -> Result<u64, EngineError> {
    let on = tx.on(TABLE)?;
    let old = on.compare("at", CompareOp::Lt, Value::Timestamp(before))?;
    let plan = on.read(&["id"], Some(old), &[("at", Direction::Ascending)], Some(most))?;
    let ids: Vec<_> =
        rows(tx, "deliveries: old attempts", plan)?.into_iter().filter_map(|mut r| r.uuid()).collect();
    if ids.is_empty() {
        return Ok(0);
    }
    let these = one_of(on, "id", ids.into_iter().map(Value::Uuid))?;
    write(tx, "deliveries: forget attempts", on.delete(these))
}
