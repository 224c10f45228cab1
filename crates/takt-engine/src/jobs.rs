//! Jobs as the database knows them: which due moments have run, and which delayed jobs wait.
//! Lives here: their rows. Not here: schedules and the task that looks at the clock (`takt-logic`).

use takt_model::{CompareOp, Principal, Uuid, Value};
use takt_plan::{Direction, On};

use crate::{ActionTx, Deed, Engine, EngineError, EngineTx, StoryResult};

const RUNS: &str = "takt.job_runs";
const LATER: &str = "takt.later_jobs";

const MINUTE: i64 = 60_000_000;
const DAY: i64 = 24 * 60 * MINUTE;
/// How long a delayed job that failed waits before it is tried again, and so how often.
const BACKOFF: [i64; 5] = [MINUTE, 5 * MINUTE, 30 * MINUTE, 120 * MINUTE, 360 * MINUTE];
/// How long runs and delayed jobs that are done can be looked at.
const KEPT: i64 = 90 * DAY;

/// A job that was asked for in a transaction and is done after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaterJob {
    /// Its id.
    pub id: Uuid,
    /// Name of the function.
    pub function: String,
    /// JSON text.
    pub input: String,
    /// When it is (or was) due: microseconds since 1970 UTC.
    pub due_at: i64,
    /// What it is known by, if something was said.
    pub key: Option<String>,
    /// `waiting`, `done`, `refused` (a rule said no), `failed` (also the last time) or `cancelled` (by a person).
    pub state: String,
    /// How often it ran without success.
    pub attempts: i64,
    /// What the last attempt told.
    pub story: Option<Uuid>,
    /// The story that asked for it; none if a person did.
    pub asked_by: Option<Uuid>,
}

/// A due moment of a schedule that was seen to. Moments are microseconds since 1970 UTC.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct JobRun {
    /// When it was due.
    pub due_at: i64,
    /// When it ran.
    pub at: i64,
    /// `success`, `refused` or `failed`.
    pub result: String,
    /// What it told.
    pub story: Option<Uuid>,
}

/// What a person wants of a delayed job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LaterJobChange {
    /// It shall not be done (any more).
    Cancel,
    /// It shall be done now: one that waits, and one that was refused, has failed or was cancelled.
    Now,
}

const LATER_FIELDS: [&str; 9] =
    ["id", "function", "input", "due_at", "key", "state", "attempts", "story", "asked_by"];

impl LaterJob {
    fn from_row(row: Vec<Value>) -> Option<Self> {
        let [id, function, input, due_at, key, state, attempts, story, asked_by]: [Value; 9] =
            row.try_into().ok()?;
        let (Value::Uuid(id), Value::Text(function), Value::Json(input)) = (id, function, input) else {
            return None;
        };
        let (Value::Timestamp(due_at), Value::Text(state), Value::Integer(attempts)) =
            (due_at, state, attempts)
        else {
            return None;
        };
        let key = if let Value::Text(key) = key { Some(key) } else { None };
        let uuid = |v: Value| if let Value::Uuid(id) = v { Some(id) } else { None };
        let (story, asked_by) = (uuid(story), uuid(asked_by));
        Some(Self { id, function, input, due_at, key, state, attempts, story, asked_by })
    }
}

impl ActionTx {
    /// Asks for a job after this transaction: it will be done if and only if this commits. A job known by the same
    /// `key` that has not been done is replaced: the last word counts.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub fn later(
        &self,
        function: &str,
        input_json: &str,
        due_at: i64,
        key: Option<&str>,
    ) -> Result<Uuid, EngineError> {
        let (tx, who) = (self.inner(), Principal::system("jobs: ask for a delayed job"));
        let on = tx.on(LATER)?;
        let mut values = vec![
            ("function", Value::Text(function.to_owned())),
            ("input", Value::Json(input_json.to_owned())),
            ("due_at", Value::Timestamp(due_at)),
            ("state", Value::Text("waiting".to_owned())),
            ("attempts", Value::Integer(0)),
            ("at", Value::Timestamp(tx.now())),
            ("asked_by", self.story().map_or(Value::Null, Value::Uuid)),
        ];
        if let Some(key) = key {
            let known = on.eq("key", Value::Text(key.to_owned()))?;
            let (rows, _) = tx.rows(&who, on.read(&["id"], Some(known.clone()), &[], None)?)?;
            if let Some(Value::Uuid(id)) = rows.value(0, "id") {
                tx.rows(&who, on.update(known, values)?)?;
                return Ok(*id);
            }
            values.push(("key", Value::Text(key.to_owned())));
        }
        let id = tx.new_uuid();
        values.push(("id", Value::Uuid(id)));
        tx.rows(&who, on.insert(values)?)?;
        Ok(id)
    }
}

impl Engine {
    /// Delayed jobs that wait and are due at `now`, the longest due first.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub fn later_due(&self, now: i64, limit: u64) -> Result<Vec<LaterJob>, EngineError> {
        self.look_up(|tx| {
            let on = tx.on(LATER)?;
            let due = on.eq("state", Value::Text("waiting".to_owned()))?.and(on.compare(
                "due_at",
                CompareOp::Le,
                Value::Timestamp(now),
            )?);
            let first = [("due_at", Direction::Ascending), ("id", Direction::Ascending)];
            let plan = on.read(&LATER_FIELDS, Some(due), &first, Some(limit))?;
            let (rows, _) = tx.rows(&Principal::system("jobs: look for due ones"), plan)?;
            Ok(rows.rows.into_iter().filter_map(LaterJob::from_row).collect())
        })
    }

    /// Delayed jobs in any state, the newest first.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub fn later_jobs(&self, limit: u64) -> Result<Vec<LaterJob>, EngineError> {
        let newest = [("at", Direction::Descending), ("id", Direction::Descending)];
        self.look_up(|tx| {
            let plan = tx.on(LATER)?.read(&LATER_FIELDS, None, &newest, Some(limit))?;
            let (rows, _) = tx.rows(&Principal::system("jobs: show delayed ones"), plan)?;
            Ok(rows.rows.into_iter().filter_map(LaterJob::from_row).collect())
        })
    }

    /// Delayed jobs in one state, the next due first.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub fn later_jobs_in(&self, state: &str, limit: u64) -> Result<Vec<LaterJob>, EngineError> {
        self.look_up(|tx| {
            let on = tx.on(LATER)?;
            let these = on.eq("state", Value::Text(state.to_owned()))?;
            let first = [("due_at", Direction::Ascending), ("id", Direction::Ascending)];
            let plan = on.read(&LATER_FIELDS, Some(these), &first, Some(limit))?;
            let (rows, _) = tx.rows(&Principal::system("jobs: show delayed ones"), plan)?;
            Ok(rows.rows.into_iter().filter_map(LaterJob::from_row).collect())
        })
    }

    /// One delayed job, while it is kept.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub fn later_job(&self, id: Uuid) -> Result<Option<LaterJob>, EngineError> {
        self.look_up(|tx| later_job(tx, id))
    }

    /// The newest due moment of a schedule that ran; none if none has yet.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub fn last_run(&self, function: &str) -> Result<Option<JobRun>, EngineError> {
        self.look_up(|tx| {
            let on = tx.on(RUNS)?;
            let ran = on.eq("function", Value::Text(function.to_owned()))?.and(on.compare(
                "result",
                CompareOp::Ne,
                Value::Text("seen".to_owned()),
            )?);
            let newest = [("due_at", Direction::Descending)];
            let plan = on.read(&["due_at", "at", "result", "story"], Some(ran), &newest, Some(1))?;
            let (rows, _) = tx.rows(&Principal::system("jobs: show last run"), plan)?;
            let run = |row: Vec<Value>| {
                let [due_at, at, result, story]: [Value; 4] = row.try_into().ok()?;
                let (Value::Timestamp(due_at), Value::Timestamp(at)) = (due_at, at) else { return None };
                let Value::Text(result) = result else { return None };
                let story = if let Value::Uuid(id) = story { Some(id) } else { None };
                Some(JobRun { due_at, at, result, story })
            };
            Ok(rows.rows.into_iter().next().and_then(run))
        })
    }

    /// A person asks for a job, to be done now: a delayed job that is due. Written down with who asked.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub async fn job_now(&self, function: &str, deed: Deed) -> Result<Uuid, EngineError> {
        let function = function.to_owned();
        self.transact(move |tx| {
            let id = tx.new_uuid();
            let plan = tx.on(LATER)?.insert(vec![
                ("id", Value::Uuid(id)),
                ("function", Value::Text(function.clone())),
                ("input", Value::Json("{}".to_owned())),
                ("due_at", Value::Timestamp(tx.now())),
                ("state", Value::Text("waiting".to_owned())),
                ("attempts", Value::Integer(0)),
                ("at", Value::Timestamp(tx.now())),
            ])?;
            tx.rows(&Principal::system("jobs: run one now"), plan)?;
            tx.note_deed(&deed)?;
            Ok(id)
        })
        .await
    }

    /// A person decides about a delayed job; written down with who did. Says whether it was possible: what is done is
    /// done. A run that is under way meanwhile comes before or after, never in between.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub async fn job_change(&self, id: Uuid, to: LaterJobChange, deed: Deed) -> Result<bool, EngineError> {
        self.transact(move |tx| {
            let Some(job) = later_job(tx, id)? else { return Ok(false) };
            let is_possible = match to {
                LaterJobChange::Cancel => job.state != "done" && job.state != "cancelled",
                LaterJobChange::Now => job.state != "done",
            };
            if !is_possible {
                return Ok(false);
            }
            let on = tx.on(LATER)?;
            let state = |state: &str| ("state", Value::Text(state.to_owned()));
            let values = match to {
                // Its key is free for the next one.
                LaterJobChange::Cancel => vec![state("cancelled"), ("key", Value::Null)],
                LaterJobChange::Now => vec![
                    state("waiting"),
                    ("due_at", Value::Timestamp(tx.now())),
                    ("attempts", Value::Integer(if job.state == "waiting" { job.attempts } else { 0 })),
                ],
            };
            let plan = on.update(on.eq("id", Value::Uuid(id))?, values)?;
            tx.rows(&Principal::system("jobs: decide about one"), plan)?;
            tx.note_deed(&deed)?;
            Ok(true)
        })
        .await
    }

    /// Up to which moment the job has been seen to: the last due moment that ran, or the moment at which this
    /// schedule was first served (noted now, if it is new), so that nothing is made up from before.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub async fn job_seen_until(&self, function: &str, schedule: &str) -> Result<i64, EngineError> {
        let (function, schedule) = (function.to_owned(), schedule.to_owned());
        self.transact(move |tx| {
            let on = tx.on(RUNS)?;
            let this = on.eq("function", Value::Text(function.clone()))?;
            let newest = [("due_at", Direction::Descending)];
            let plan = on.read(&["due_at", "schedule"], Some(this), &newest, Some(1))?;
            let (rows, _) = tx.rows(&Principal::system("jobs: look up last run"), plan)?;
            match (rows.value(0, "due_at"), rows.value(0, "schedule")) {
                (Some(Value::Timestamp(at)), Some(Value::Text(same))) if *same == schedule => Ok(*at),
                (last, _) => {
                    // Another schedule may have noted this very moment.
                    let now = match last {
                        Some(Value::Timestamp(last)) => tx.now().max(last + 1),
                        _ => tx.now(),
                    };
                    note_run(tx, &function, now, &schedule, "seen", None)?;
                    Ok(now)
                }
            }
        })
        .await
    }
}

fn later_job(tx: &EngineTx, id: Uuid) -> Result<Option<LaterJob>, EngineError> {
    let on = tx.on(LATER)?;
    let plan = on.read(&LATER_FIELDS, Some(on.eq("id", Value::Uuid(id))?), &[], Some(1))?;
    let (rows, _) = tx.rows(&Principal::system("jobs: show a delayed one"), plan)?;
    Ok(rows.rows.into_iter().next().and_then(LaterJob::from_row))
}

fn run_of(on: On<'_>, function: &str, at: i64) -> Result<takt_model::Expr, EngineError> {
    let function = on.eq("function", Value::Text(function.to_owned()))?;
    Ok(function.and(on.eq("due_at", Value::Timestamp(at))?))
}

pub(crate) fn has_run(tx: &EngineTx, function: &str, at: i64) -> Result<bool, EngineError> {
    let on = tx.on(RUNS)?;
    let plan = on.read(&["function"], Some(run_of(on, function, at)?), &[], None)?;
    Ok(!tx.rows(&Principal::system("jobs: look up run"), plan)?.0.is_empty())
}

pub(crate) fn note_run(
    tx: &EngineTx,
    function: &str,
    at: i64,
    schedule: &str,
    result: &str,
    story: Option<Uuid>,
) -> Result<(), EngineError> {
    let (on, who) = (tx.on(RUNS)?, Principal::system("jobs: note run"));
    let plan = on.insert(vec![
        ("function", Value::Text(function.to_owned())),
        ("due_at", Value::Timestamp(at)),
        ("at", Value::Timestamp(tx.now())),
        ("schedule", Value::Text(schedule.to_owned())),
        ("result", Value::Text(result.to_owned())),
        ("story", story.map_or(Value::Null, Value::Uuid)),
    ])?;
    tx.rows(&who, plan)?;
    let old = on.eq("function", Value::Text(function.to_owned()))?.and(on.compare(
        "due_at",
        CompareOp::Lt,
        Value::Timestamp(at - KEPT),
    )?);
    tx.rows(&who, on.delete(old))?;
    Ok(())
}

pub(crate) fn is_waiting(tx: &EngineTx, id: Uuid) -> Result<bool, EngineError> {
    let on = tx.on(LATER)?;
    let plan = on.read(&["state"], Some(on.eq("id", Value::Uuid(id))?), &[], None)?;
    let (rows, _) = tx.rows(&Principal::system("jobs: look up delayed job"), plan)?;
    Ok(matches!(rows.value(0, "state"), Some(Value::Text(state)) if state == "waiting"))
}

/// Done, or due again after a while, or given up.
pub(crate) fn note_later(
    tx: &EngineTx,
    id: Uuid,
    result: &StoryResult,
    story: Uuid,
) -> Result<(), EngineError> {
    let (on, who) = (tx.on(LATER)?, Principal::system("jobs: note delayed job"));
    let this = on.eq("id", Value::Uuid(id))?;
    let (rows, _) = tx.rows(&who, on.read(&["attempts"], Some(this.clone()), &[], None)?)?;
    let Some(Value::Integer(attempts)) = rows.value(0, "attempts") else { return Ok(()) };
    let state = |state: &str| ("state", Value::Text(state.to_owned()));
    let mut values = vec![("story", Value::Uuid(story))];
    match result {
        // Its key is free for the next one.
        StoryResult::Success => values.extend([state("done"), ("key", Value::Null)]),
        // The rules will say the same again.
        StoryResult::Refused { .. } => values.push(state("refused")),
        StoryResult::Failed { .. } => {
            values.push(("attempts", Value::Integer(attempts + 1)));
            match usize::try_from(*attempts).ok().and_then(|n| BACKOFF.get(n)) {
                Some(wait) => values.push(("due_at", Value::Timestamp(tx.now() + wait))),
                None => values.push(state("failed")),
            }
        }
    }
    tx.rows(&who, on.update(this, values)?)?;
    Ok(())
}

/// Deletes delayed jobs that were done or cancelled long ago; what was refused or failed stays until somebody has seen
/// to it.
pub(crate) fn forget_done_jobs(tx: &EngineTx) -> Result<(), EngineError> {
    let on = tx.on(LATER)?;
    for ended in ["done", "cancelled"] {
        let old = on.eq("state", Value::Text(ended.to_owned()))?.and(on.compare(
            "due_at",
            CompareOp::Lt,
            Value::Timestamp(tx.now() - KEPT),
        )?);
        tx.rows(&Principal::system("jobs: forget old ones"), on.delete(old))?;
    }
    Ok(())
}
