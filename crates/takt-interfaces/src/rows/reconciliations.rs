//! `takt.reconciliations`: each comparison with another system, how it ended, what it counted.

use takt_engine::{EngineError, EngineTx};
use takt_model::{CompareOp, Expr, Uuid, Value};
use takt_plan::{Direction, On, Plan};

use super::{rows, text_or_null, write};

const TABLE: &str = "takt.reconciliations";

/// How a comparison ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ReconciliationState {
    /// It has not ended.
    Running,
    /// Both sides agree.
    Agreed,
    /// They do not.
    Differences,
    /// They have nothing at all, we have a lot: the answer is not believed.
    Implausible,
    /// They could not be asked, or answered what cannot be read. Nothing is known.
    Failed,
}

impl ReconciliationState {
    const ALL: [Self; 5] = [Self::Running, Self::Agreed, Self::Differences, Self::Implausible, Self::Failed];

    /// As it is stored.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Agreed => "agreed",
            Self::Differences => "differences",
            Self::Implausible => "implausible",
            Self::Failed => "failed",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.name() == name)
    }

    /// Whether both sides were really compared.
    #[must_use]
    pub fn is_compared(self) -> bool {
        matches!(self, Self::Agreed | Self::Differences)
    }
}

/// A comparison. Moments are microseconds since 1970 UTC.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Reconciliation {
    /// Its id.
    pub id: Uuid,
    /// With whom.
    pub connection: String,
    /// How it ended.
    pub state: ReconciliationState,
    /// Whether a person asked for it.
    pub by_hand: bool,
    /// When it began.
    pub started_at: i64,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// What came up from here
    pub from_at: i64,
    /// to here was looked at.
    pub to_at: i64,
    /// What we have that they must know.
    pub ours: i64,
    /// What they told.
    pub theirs: i64,
    /// What agrees.
    pub matched: i64,
    /// What we have and they have not.
    pub missing_there: i64,
    /// What they have and we have not.
    pub missing_here: i64,
    /// What both have, otherwise.
    pub different: i64,
    /// What they have more than once.
    pub twice: i64,
    /// What is not there yet and not missing: too young, or still being worked on.
    pub under_way: i64,
    /// What was sent again, or handled as though it had come.
    pub replayed: i64,
    /// Why it failed, or is not believed.
    pub error: Option<String>,
}

const FIELDS: [&str; 17] = [
    "id",
    "connection",
    "state",
    "by_hand",
    "started_at",
    "ended_at",
    "from_at",
    "to_at",
    "ours",
    "theirs",
    "matched",
    "missing_there",
    "missing_here",
    "different",
    "twice",
    "under_way",
    "replayed",
];

fn read(tx: &EngineTx, plan: Plan) -> Result<Vec<Reconciliation>, EngineError> {
    let one = |mut row: super::Row| {
        Some(Reconciliation {
            id: row.uuid()?,
            connection: row.text()?,
            state: ReconciliationState::named(&row.text()?)?,
            by_hand: row.flag(),
            started_at: row.integer()?,
            ended_at: row.integer(),
            from_at: row.integer()?,
            to_at: row.integer()?,
            ours: row.integer()?,
            theirs: row.integer()?,
            matched: row.integer()?,
            missing_there: row.integer()?,
            missing_here: row.integer()?,
            different: row.integer()?,
            twice: row.integer()?,
            under_way: row.integer()?,
            replayed: row.integer()?,
            error: row.text(),
        })
    };
    Ok(rows(tx, "reconciliations: read", plan)?.into_iter().filter_map(one).collect())
}

fn with_error() -> Vec<&'static str> {
    FIELDS.into_iter().chain(["error"]).collect()
}

/// It begins.
pub(crate) fn begin(tx: &EngineTx, run: &Reconciliation) -> Result<(), EngineError> {
    let mut values = vec![
        ("id", Value::Uuid(run.id)),
        ("connection", Value::Text(run.connection.clone())),
        ("by_hand", Value::Boolean(run.by_hand)),
        ("started_at", Value::Timestamp(run.started_at)),
    ];
    values.extend(told(run));
    let plan = tx.on(TABLE)?.insert(values)?;
    write(tx, "reconciliations: begin", plan).map(drop)
}

/// It has ended as `run` says, unless somebody else settled it. Whether it was still running.
pub(crate) fn end(tx: &EngineTx, run: &Reconciliation) -> Result<bool, EngineError> {
    let on = tx.on(TABLE)?;
    let this = on.eq("id", Value::Uuid(run.id))?.and(is_running(on)?);
    let plan = on.update(this, told(run))?;
    Ok(write(tx, "reconciliations: end", plan)? > 0)
}

fn told(run: &Reconciliation) -> Vec<(&'static str, Value)> {
    let count = |n: i64| Value::Integer(n);
    vec![
        ("state", Value::Text(run.state.name().to_owned())),
        ("ended_at", run.ended_at.map_or(Value::Null, Value::Timestamp)),
        ("from_at", Value::Timestamp(run.from_at)),
        ("to_at", Value::Timestamp(run.to_at)),
        ("ours", count(run.ours)),
        ("theirs", count(run.theirs)),
        ("matched", count(run.matched)),
        ("missing_there", count(run.missing_there)),
        ("missing_here", count(run.missing_here)),
        ("different", count(run.different)),
        ("twice", count(run.twice)),
        ("under_way", count(run.under_way)),
        ("replayed", count(run.replayed)),
        ("error", text_or_null(run.error.as_deref())),
    ]
}

fn is_running(on: On<'_>) -> Result<Expr, EngineError> {
    Ok(on.eq("state", Value::Text(ReconciliationState::Running.name().to_owned()))?)
}

/// The newest comparisons with a connection.
pub(crate) fn newest(tx: &EngineTx, connection: &str, most: u64) -> Result<Vec<Reconciliation>, EngineError> {
    let on = tx.on(TABLE)?;
    let of = on.eq("connection", Value::Text(connection.to_owned()))?;
    let order = [("started_at", Direction::Descending), ("id", Direction::Descending)];
    read(tx, on.read(&with_error(), Some(of), &order, Some(most))?)
}

/// The newest comparison that began until `until`.
pub(crate) fn newest_until(
    tx: &EngineTx,
    connection: &str,
    until: i64,
) -> Result<Option<Reconciliation>, EngineError> {
    let on = tx.on(TABLE)?;
    let of = on.eq("connection", Value::Text(connection.to_owned()))?.and(on.compare(
        "started_at",
        CompareOp::Le,
        Value::Timestamp(until),
    )?);
    let order = [("started_at", Direction::Descending), ("id", Direction::Descending)];
    Ok(read(tx, on.read(&with_error(), Some(of), &order, Some(1))?)?.pop())
}

/// The newest comparison that really was one.
pub(crate) fn newest_compared(
    tx: &EngineTx,
    connection: &str,
) -> Result<Option<Reconciliation>, EngineError> {
    let on = tx.on(TABLE)?;
    let states = [ReconciliationState::Agreed, ReconciliationState::Differences];
    let states = states.map(|s| Value::Text(s.name().to_owned()));
    let of = on.eq("connection", Value::Text(connection.to_owned()))?.and(super::one_of(
        on,
        "state",
        states.into_iter(),
    )?);
    let order = [("started_at", Direction::Descending)];
    Ok(read(tx, on.read(&with_error(), Some(of), &order, Some(1))?)?.pop())
}

/// Those that the process did not survive have failed.
pub(crate) fn settle_interrupted(tx: &EngineTx, why: &str) -> Result<u64, EngineError> {
    let on = tx.on(TABLE)?;
    let values = vec![
        ("state", Value::Text(ReconciliationState::Failed.name().to_owned())),
        ("ended_at", Value::Timestamp(tx.now())),
        ("error", Value::Text(why.to_owned())),
    ];
    let plan = on.update(is_running(on)?, values)?;
    write(tx, "reconciliations: settle what was interrupted", plan)
}

/// Forgets those from before `before`, but never the newest one that compared: it says up to where was looked.
pub(crate) fn forget(tx: &EngineTx, connection: &str, before: i64) -> Result<u64, EngineError> {
    let on = tx.on(TABLE)?;
    let mut old = on.eq("connection", Value::Text(connection.to_owned()))?.and(on.compare(
        "started_at",
        CompareOp::Lt,
        Value::Timestamp(before),
    )?);
    if let Some(newest) = newest_compared(tx, connection)? {
        old = old.and(on.compare("id", CompareOp::Ne, Value::Uuid(newest.id))?);
    }
    write(tx, "reconciliations: forget old", on.delete(old))
}
