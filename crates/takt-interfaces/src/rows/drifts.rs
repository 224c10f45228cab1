//! `takt.drifts`: how messages differed from their contracts; `takt.samples`: what they looked like when they did not,
//! and the figures of the last answer that was taken.

use takt_engine::{EngineError, EngineTx};
use takt_model::{CompareOp, Expr, Uuid, Value};
use takt_plan::{Assignment, Direction as Order, On, Plan, Update};

use super::{Row, rows, text_or_null, write};
use crate::contract::{Direction, Drift, DriftKind, Finding, Judged, Kept, Place};

const TABLE: &str = "takt.drifts";
const SAMPLES: &str = "takt.samples";
/// Differences that are kept of one connection, of those that break something and of the others; a partner may name
/// fields as it likes.
const MOST: u64 = 500;

const FIELDS: [&str; 16] = [
    "id",
    "connection",
    "operation",
    "step",
    "direction",
    "path",
    "kind",
    "breaking",
    "detail",
    "first_seen",
    "last_seen",
    "count",
    "before",
    "after",
    "accepted",
    "contract",
];

fn read(tx: &EngineTx, plan: Plan) -> Result<Vec<Drift>, EngineError> {
    let drift = |mut row: Row| {
        Some(Drift {
            id: row.uuid()?,
            connection: row.text()?,
            operation: row.text()?,
            step: row.text()?,
            direction: Direction::named(&row.text()?)?,
            path: row.text()?,
            kind: DriftKind::named(&row.text()?)?,
            breaking: row.flag(),
            detail: row.text(),
            first_seen: row.integer()?,
            last_seen: row.integer()?,
            count: row.integer()?,
            before: row.text(),
            after: row.text(),
            accepted: row.flag(),
            contract: row.text().unwrap_or_default(),
        })
    };
    Ok(rows(tx, "drifts: read", plan)?.into_iter().filter_map(drift).collect())
}

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

/// Writes down what a judgement gave.
pub(crate) fn note(
    tx: &EngineTx,
    connection: &str,
    operation: &str,
    judged: &Judged,
) -> Result<(), EngineError> {
    for finding in &judged.findings {
        note_one(tx, connection, operation, finding)?;
    }
    for kept in &judged.kept {
        let Kept { step, direction, sample } = kept;
        keep_sample(tx, Place { connection, operation, step }, *direction, sample)?;
    }
    Ok(())
}

fn note_one(tx: &EngineTx, connection: &str, operation: &str, finding: &Finding) -> Result<(), EngineError> {
    let on = tx.on(TABLE)?;
    let this = on
        .eq("connection", text(connection))?
        .and(on.eq("operation", text(operation))?)
        .and(on.eq("step", text(&finding.step))?)
        .and(on.eq("direction", text(finding.direction.name()))?)
        .and(on.eq("path", text(&finding.path))?)
        .and(on.eq("kind", text(finding.kind.name()))?);
    let mut set = Vec::with_capacity(6);
    // A kept answer that is judged anew is no further sight of it.
    if finding.times > 0 {
        set.push((on.field("last_seen")?, Assignment::Value(Value::Timestamp(tx.now()))));
    }
    set.extend([
        (on.field("count")?, Assignment::Add(Value::Integer(finding.times))),
        (on.field("breaking")?, Assignment::Value(Value::Boolean(finding.breaking))),
        (on.field("detail")?, Assignment::Value(text_or_null(finding.detail.as_deref()))),
        (on.field("after")?, Assignment::Value(text(&finding.after))),
        (on.field("contract")?, Assignment::Value(text(&finding.contract))),
    ]);
    let plan = Plan::Update(Update {
        table: on.table.id,
        filter: Some(this),
        all: false,
        set,
        returning: None,
        max_affected: None,
    });
    if write(tx, "drifts: count", plan)? > 0 {
        return Ok(());
    }
    let of = on.eq("connection", text(connection))?.and(on.eq("breaking", Value::Boolean(finding.breaking))?);
    let (_, counted) = tx.rows(&takt_model::Principal::system("drifts: how many"), on.count(Some(of)))?;
    if counted.count.unwrap_or_default() >= MOST {
        tracing::warn!(connection, operation, "too many differences from the contract; one more is not kept");
        return Ok(());
    }
    let plan = on.insert(vec![
        ("id", Value::Uuid(tx.new_uuid())),
        ("connection", text(connection)),
        ("operation", text(operation)),
        ("step", text(&finding.step)),
        ("direction", text(finding.direction.name())),
        ("path", text(&finding.path)),
        ("kind", text(finding.kind.name())),
        ("breaking", Value::Boolean(finding.breaking)),
        ("detail", text_or_null(finding.detail.as_deref())),
        ("first_seen", Value::Timestamp(tx.now())),
        ("last_seen", Value::Timestamp(tx.now())),
        ("count", Value::Integer(finding.times.max(1))),
        ("before", text_or_null(finding.before.as_deref())),
        ("after", text(&finding.after)),
        ("accepted", Value::Boolean(false)),
        ("contract", text(&finding.contract)),
    ])?;
    write(tx, "drifts: first sight", plan).map(drop)
}

/// What was accepted of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Accepted {
    step: String,
    direction: Direction,
    path: String,
    kind: DriftKind,
}

impl Accepted {
    /// Whether the finding is the accepted one.
    pub(crate) fn is(&self, finding: &Finding) -> bool {
        self.step == finding.step
            && self.direction == finding.direction
            && self.path == finding.path
            && self.kind == finding.kind
    }
}

/// What a person has said to be right.
pub(crate) fn accepted(
    tx: &EngineTx,
    connection: &str,
    operation: &str,
) -> Result<Vec<Accepted>, EngineError> {
    let on = tx.on(TABLE)?;
    let these = on
        .eq("connection", text(connection))?
        .and(on.eq("operation", text(operation))?)
        .and(on.eq("accepted", Value::Boolean(true))?);
    let all = read(tx, on.read(&FIELDS, Some(these), &[], None)?)?;
    Ok(all
        .into_iter()
        .map(|Drift { step, direction, path, kind, .. }| Accepted { step, direction, path, kind })
        .collect())
}

/// Of one connection or of all, seen last first.
pub(crate) fn list(tx: &EngineTx, connection: Option<&str>, most: u64) -> Result<Vec<Drift>, EngineError> {
    let on = tx.on(TABLE)?;
    let these = connection.map(|c| on.eq("connection", text(c))).transpose()?;
    read(tx, on.read(&FIELDS, these, &[("last_seen", Order::Descending)], Some(most))?)
}

/// Those that break a contract and that nobody has accepted, of all connections.
pub(crate) fn undecided(tx: &EngineTx) -> Result<Vec<Drift>, EngineError> {
    let on = tx.on(TABLE)?;
    let these = on.eq("breaking", Value::Boolean(true))?.and(on.eq("accepted", Value::Boolean(false))?);
    read(tx, on.read(&FIELDS, Some(these), &[], None)?)
}

/// Those that were seen last before `before`, the oldest first.
pub(crate) fn old(tx: &EngineTx, before: i64) -> Result<Vec<Drift>, EngineError> {
    let on = tx.on(TABLE)?;
    let these = on.compare("last_seen", CompareOp::Lt, Value::Timestamp(before))?;
    read(tx, on.read(&FIELDS, Some(these), &[("last_seen", Order::Ascending)], None)?)
}

/// Forgets one.
pub(crate) fn forget(tx: &EngineTx, id: Uuid) -> Result<(), EngineError> {
    let on = tx.on(TABLE)?;
    write(tx, "drifts: forget", on.delete(on.eq("id", Value::Uuid(id))?)).map(drop)
}

/// One of them.
pub(crate) fn get(tx: &EngineTx, id: Uuid) -> Result<Option<Drift>, EngineError> {
    let on = tx.on(TABLE)?;
    Ok(read(tx, on.read(&FIELDS, Some(on.eq("id", Value::Uuid(id))?), &[], Some(1))?)?.pop())
}

/// A person says that it is right so.
pub(crate) fn accept(tx: &EngineTx, id: Uuid) -> Result<(), EngineError> {
    let on = tx.on(TABLE)?;
    let values = vec![("accepted", Value::Boolean(true)), ("accepted_at", Value::Timestamp(tx.now()))];
    write(tx, "drifts: accept", on.update(on.eq("id", Value::Uuid(id))?, values)?).map(drop)
}

fn sample_of(on: On<'_>, place: Place<'_>, direction: Direction) -> Result<Expr, EngineError> {
    Ok(on
        .eq("connection", text(place.connection))?
        .and(on.eq("operation", text(place.operation))?)
        .and(on.eq("step", text(place.step))?)
        .and(on.eq("direction", text(direction.name()))?))
}

/// The last sample of a good message.
pub(crate) fn sample(
    tx: &EngineTx,
    place: Place<'_>,
    direction: Direction,
) -> Result<Option<String>, EngineError> {
    let on = tx.on(SAMPLES)?;
    let plan = on.read(&["sample"], Some(sample_of(on, place, direction)?), &[], Some(1))?;
    Ok(rows(tx, "samples: read", plan)?.pop().and_then(|mut r| r.text()))
}

/// When a sample was kept last.
pub(crate) fn sampled_at(
    tx: &EngineTx,
    place: Place<'_>,
    direction: Direction,
) -> Result<Option<i64>, EngineError> {
    let on = tx.on(SAMPLES)?;
    let plan = on.read(&["at"], Some(sample_of(on, place, direction)?), &[], Some(1))?;
    Ok(rows(tx, "samples: look", plan)?.pop().and_then(|mut r| r.integer()))
}

/// Keeps a sample in the place of the one before.
pub(crate) fn keep_sample(
    tx: &EngineTx,
    place: Place<'_>,
    direction: Direction,
    sample: &str,
) -> Result<(), EngineError> {
    let on = tx.on(SAMPLES)?;
    let values = || vec![("sample", text(sample)), ("at", Value::Timestamp(tx.now()))];
    if write(tx, "samples: keep", on.update(sample_of(on, place, direction)?, values())?)? > 0 {
        return Ok(());
    }
    let mut all = values();
    all.extend([
        ("connection", text(place.connection)),
        ("operation", text(place.operation)),
        ("step", text(place.step)),
        ("direction", text(direction.name())),
    ]);
    write(tx, "samples: keep", on.insert(all)?).map(drop)
}
