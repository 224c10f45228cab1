//! `takt.differences`: what one side has and the other has not, since when, and what was done about it.

use takt_engine::{EngineError, EngineTx};
use takt_model::{CompareOp, Expr, Uuid, Value};
use takt_plan::{Direction, On, Plan};

use super::{is_null, rows, text_or_null, write};

const TABLE: &str = "takt.differences";

/// What does not agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// We have it, they do not.
    MissingThere,
    /// They have it, we do not.
    MissingHere,
    /// Both have it, with another value in a field.
    Different,
    /// They have it more than once.
    Twice,
}

impl Kind {
    /// As it is stored.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::MissingThere => "missing_there",
            Self::MissingHere => "missing_here",
            Self::Different => "different",
            Self::Twice => "twice",
        }
    }

    fn named(name: &str) -> Option<Self> {
        [Self::MissingThere, Self::MissingHere, Self::Different, Self::Twice]
            .into_iter()
            .find(|k| k.name() == name)
    }
}

/// What was done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Handled as though the message had come.
    Received,
    /// Put on its way to them (again).
    Sent,
    /// A person said that it is settled, however often it is still seen.
    Settled,
}

impl Action {
    fn name(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Sent => "sent",
            Self::Settled => "settled",
        }
    }
}

/// Why it cannot be mended here by sending or receiving.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The event that would be sent is no longer kept, or never was.
    NoEvent,
    /// They did not tell the message that we missed.
    NoMessage,
    /// It came; what follows from it lies as a dead letter or a question.
    Stopped,
    /// It came and was handled, and still we do not have it.
    WithoutEffect,
}

impl Reason {
    fn name(self) -> &'static str {
        match self {
            Self::NoEvent => "no_event",
            Self::NoMessage => "no_message",
            Self::Stopped => "stopped",
            Self::WithoutEffect => "without_effect",
        }
    }

    fn named(name: &str) -> Option<Self> {
        [Self::NoEvent, Self::NoMessage, Self::Stopped, Self::WithoutEffect]
            .into_iter()
            .find(|r| r.name() == name)
    }
}

/// Something that does not agree. Moments are microseconds since 1970 UTC.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Difference {
    /// Its id, the same for as long as it is seen.
    pub id: Uuid,
    /// With whom.
    pub connection: String,
    /// What does not agree.
    pub kind: Kind,
    /// What both sides call it: `B-2026-00012`.
    pub key: String,
    /// The field that differs.
    pub field: Option<String>,
    /// Our value.
    pub ours: Option<String>,
    /// Theirs.
    pub theirs: Option<String>,
    /// When the thing itself came up.
    pub at: i64,
    /// When it was first seen.
    pub first_at: i64,
    /// When it was last seen.
    pub last_at: i64,
    /// When a comparison no longer found it.
    pub gone_at: Option<i64>,
    /// What was done about it last.
    pub action: Option<Action>,
    /// When.
    pub acted_at: Option<i64>,
    /// The delivery that should have brought it, or that works on it.
    pub delivery: Option<Uuid>,
    /// Why it cannot be mended here by sending or receiving.
    pub reason: Option<Reason>,
}

impl Difference {
    /// Whether it waits for somebody: nothing was done about it, or what was done did not help, because it was seen
    /// again afterwards.
    #[must_use]
    pub fn is_open(&self) -> bool {
        let is_settled = self.action == Some(Action::Settled);
        self.gone_at.is_none() && !is_settled && self.acted_at.is_none_or(|at| self.last_at > at)
    }

    /// Whether two sightings are of the same thing.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.kind == other.kind && self.key == other.key && self.field == other.field
    }
}

const FIELDS: [&str; 15] = [
    "id",
    "connection",
    "kind",
    "key",
    "field",
    "ours",
    "theirs",
    "at",
    "first_at",
    "last_at",
    "gone_at",
    "action",
    "acted_at",
    "delivery",
    "reason",
];

fn read(tx: &EngineTx, plan: Plan) -> Result<Vec<Difference>, EngineError> {
    let action = |name: String| {
        [Action::Received, Action::Sent, Action::Settled].into_iter().find(|a| a.name() == name)
    };
    let one = |mut row: super::Row| {
        Some(Difference {
            id: row.uuid()?,
            connection: row.text()?,
            kind: Kind::named(&row.text()?)?,
            key: row.text()?,
            field: row.text(),
            ours: row.text(),
            theirs: row.text(),
            at: row.integer()?,
            first_at: row.integer()?,
            last_at: row.integer()?,
            gone_at: row.integer(),
            action: row.text().and_then(action),
            acted_at: row.integer(),
            delivery: row.uuid(),
            reason: row.text().and_then(|name| Reason::named(&name)),
        })
    };
    Ok(rows(tx, "differences: read", plan)?.into_iter().filter_map(one).collect())
}

fn open_of(on: On<'_>, connection: &str) -> Result<Expr, EngineError> {
    Ok(on.eq("connection", Value::Text(connection.to_owned()))?.and(is_null(on, "gone_at")?))
}

/// What is still seen, the oldest sight first.
pub(crate) fn open(tx: &EngineTx, connection: &str) -> Result<Vec<Difference>, EngineError> {
    let on = tx.on(TABLE)?;
    let order = [("first_at", Direction::Ascending), ("id", Direction::Ascending)];
    read(tx, on.read(&FIELDS, Some(open_of(on, connection)?), &order, None)?)
}

/// What was seen and is gone since `since`, the newest first.
pub(crate) fn gone(
    tx: &EngineTx,
    connection: &str,
    since: i64,
    most: u64,
) -> Result<Vec<Difference>, EngineError> {
    let on = tx.on(TABLE)?;
    let of = on.eq("connection", Value::Text(connection.to_owned()))?.and(on.compare(
        "gone_at",
        CompareOp::Ge,
        Value::Timestamp(since),
    )?);
    read(tx, on.read(&FIELDS, Some(of), &[("gone_at", Direction::Descending)], Some(most))?)
}

/// It is seen: for the first time, or again.
pub(crate) fn keep(tx: &EngineTx, seen: &Difference, is_new: bool) -> Result<(), EngineError> {
    let on = tx.on(TABLE)?;
    let moment = |at: Option<i64>| at.map_or(Value::Null, Value::Timestamp);
    let mut values = vec![
        ("ours", text_or_null(seen.ours.as_deref())),
        ("theirs", text_or_null(seen.theirs.as_deref())),
        ("last_at", Value::Timestamp(seen.last_at)),
        ("action", text_or_null(seen.action.map(Action::name))),
        ("acted_at", moment(seen.acted_at)),
        ("delivery", seen.delivery.map_or(Value::Null, Value::Uuid)),
        ("reason", text_or_null(seen.reason.map(Reason::name))),
    ];
    if !is_new {
        let plan = on.update(on.eq("id", Value::Uuid(seen.id))?, values)?;
        return write(tx, "differences: seen again", plan).map(drop);
    }
    values.extend([
        ("id", Value::Uuid(seen.id)),
        ("connection", Value::Text(seen.connection.clone())),
        ("kind", Value::Text(seen.kind.name().to_owned())),
        ("key", Value::Text(seen.key.clone())),
        ("field", text_or_null(seen.field.as_deref())),
        ("at", Value::Timestamp(seen.at)),
        ("first_at", Value::Timestamp(seen.first_at)),
    ]);
    write(tx, "differences: seen", on.insert(values)?).map(drop)
}

/// A person says that what is still seen of `key` is settled. How many there were.
pub(crate) fn settle(tx: &EngineTx, connection: &str, key: &str) -> Result<u64, EngineError> {
    let on = tx.on(TABLE)?;
    let these = open_of(on, connection)?.and(on.eq("key", Value::Text(key.to_owned()))?);
    let values = vec![
        ("action", Value::Text(Action::Settled.name().to_owned())),
        ("acted_at", Value::Timestamp(tx.now())),
    ];
    write(tx, "differences: settled by a person", on.update(these, values)?)
}

/// It is no longer seen.
pub(crate) fn end(tx: &EngineTx, id: Uuid) -> Result<(), EngineError> {
    let on = tx.on(TABLE)?;
    let plan = on.update(on.eq("id", Value::Uuid(id))?, vec![("gone_at", Value::Timestamp(tx.now()))])?;
    write(tx, "differences: gone", plan).map(drop)
}

/// Forgets what is gone since before `before`.
pub(crate) fn forget(tx: &EngineTx, connection: &str, before: i64) -> Result<u64, EngineError> {
    let on = tx.on(TABLE)?;
    let old = on.eq("connection", Value::Text(connection.to_owned()))?.and(on.compare(
        "gone_at",
        CompareOp::Lt,
        Value::Timestamp(before),
    )?);
    write(tx, "differences: forget old", on.delete(old))
}
