//! Comparing with other systems: what is missing on which side, since when, and sending or handling it once more.
//!
//! The way of a comparison: a row says that it runs; what we have is read; a function of the project asks what they
//! have; both are compared (`reconcile/compare.rs`, pure); what our deliveries say about what seems to be missing is
//! looked up (`reconcile/ours.rs`); what was found is written down and mended (`reconcile/mend.rs`).
//!
//! Invariants: a comparison that failed is never "agreed"; what is done about a finding commits with its being written
//! down, and is told by the same ids as usual, so that a crash or a second comparison repeats nothing.

mod compare;
mod mend;
mod ours;

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use serde::Serialize;
use takt_engine::{Deed, EngineError, EngineTx};
use takt_model::{Connection, Project, Reconcile, Uuid};
use tokio::task::JoinSet;

use self::{
    compare::{Agreed, Found, MOST, compare, entries},
    mend::{keep, sight},
    ours::{Side, Standing, of_message, of_row, question},
};
use crate::{
    Difference, DifferenceKind, Interfaces, InterfacesError, Outcome, Reconciliation, ReconciliationState,
    connectors::{Job, ask_for_list},
    desk::note,
    error::NotCompared,
    outcome::micros,
    payload,
    receive::Message,
    rows::{connections, differences, reconciliations},
};

/// How often the clock is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A comparison that failed is tried again after this, if the next one is not due before.
const AGAIN_AFTER: Duration = Duration::from_secs(300);
/// A whole comparison has so many times the time of one call, and never longer than `LONGEST`.
const CALLS_TIME: u32 = 10;
const LONGEST: Duration = Duration::from_secs(300);
/// Further back nobody looks: deliveries are not kept for longer.
const FURTHEST: i64 = 30 * 86_400 * 1_000_000;
/// They have nothing at all and we have so many: that is not believed.
const IMPLAUSIBLE: usize = 5;
/// Findings that are written down; all are counted.
const MOST_KEPT: usize = 2_000;
/// Findings of one transaction.
const BATCH: usize = 50;
/// Searches through events for what has no delivery in a lane; each reads all events since the thing came up.
const MOST_SEARCHES: u32 = 200;
const EXCHANGED: &str = "the project was exchanged while this comparison was running";
/// Comparisons that can be looked at together.
const PAGE: u64 = 200;

/// What a person wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wish {
    /// Only look: nothing is written and nothing is done.
    pub dry_run: bool,
    /// Send or handle what is missing, also where the file only offers it.
    pub replay: bool,
}

/// A comparison with what it found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reconciled {
    /// The comparison.
    #[serde(flatten)]
    pub run: Reconciliation,
    /// What it found; of very many the first.
    pub differences: Vec<Difference>,
}

/// Which connections are being compared, and whether what the last process left was settled.
#[derive(Debug, Default)]
pub(crate) struct Comparing {
    busy: Mutex<HashSet<String>>,
    is_settled: AtomicBool,
}

/// Keeps a second comparison away for as long as it lives.
struct Busy {
    all: Arc<Comparing>,
    connection: String,
}

impl Busy {
    fn claim(all: &Arc<Comparing>, connection: &str) -> Option<Self> {
        let is_free = all.busy.lock().insert(connection.to_owned());
        is_free.then(|| Self { all: Arc::clone(all), connection: connection.to_owned() })
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.all.busy.lock().remove(&self.connection);
    }
}

/// Something found, with what can be done about it.
struct Case {
    found: Found,
    standing: Standing,
    message: Option<Message>,
}

/// What one comparison is about.
struct Task {
    project: Arc<Project>,
    connection: Connection,
    reconcile: Reconcile,
    run: Reconciliation,
    replay: bool,
    /// What is not equal yet and still worked on: kind and key.
    under_way: Vec<(DifferenceKind, String)>,
}

impl Interfaces {
    /// Compares on schedule until it is dropped. A slow partner does not keep the others waiting.
    pub(crate) async fn reconcile_all(&self) {
        let mut running = JoinSet::new();
        loop {
            match self.reconcilable().await {
                Ok(due) => {
                    for id in due {
                        let room = self.clone();
                        running.spawn(async move { room.reconcile_on_schedule(&id).await });
                    }
                }
                Err(error) => tracing::error!(%error, "nobody knows which reconciliations are due"),
            }
            while running.try_join_next().is_some() {}
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Compares with everybody who is due now, one after the other.
    pub(crate) async fn reconcile_due(&self) -> Result<(), EngineError> {
        for id in self.reconcilable().await? {
            self.reconcile_on_schedule(&id).await;
        }
        Ok(())
    }

    async fn reconcile_on_schedule(&self, id: &str) {
        match self.compare_now(id, Wish::default(), false).await {
            Ok(_) | Err(InterfacesError::NotCompared(NotCompared::Busy)) => {}
            Err(error) => tracing::error!(connection = id, %error, "a reconciliation was not made"),
        }
    }

    /// Connections that are due: set up, not stopped by a person, and not being compared.
    async fn reconcilable(&self) -> Result<Vec<String>, EngineError> {
        let project = self.house.engine.project();
        let wanted: Vec<_> =
            project.connections.iter().filter_map(|c| Some((c, c.reconcile.as_ref()?))).collect();
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        if !self.comparing.is_settled.load(Ordering::Acquire) {
            let settle = |tx: &EngineTx| {
                reconciliations::settle_interrupted(tx, "the server ended while this comparison was running")
            };
            self.house.engine.transact(settle).await?;
            self.comparing.is_settled.store(true, Ordering::Release);
        }
        let now = self.house.engine.now();
        let mut due = Vec::new();
        for (connection, reconcile) in wanted {
            let is_busy = self.comparing.busy.lock().contains(&connection.id);
            if is_busy || self.missing_secret(connection, reconcile).is_some() {
                continue;
            }
            let (is_paused, newest) = self.house.engine.look_up(|tx| -> Result<_, EngineError> {
                let is_paused = connections::status(tx, &connection.id)?.paused;
                // One of a moment that is still to come was made before the clock was set back.
                Ok((is_paused, reconciliations::newest_until(tx, &connection.id, now)?))
            })?;
            if !is_paused && newest.is_none_or(|last| now >= next_at(&last, reconcile)) {
                due.push(connection.id.clone());
            }
        }
        Ok(due)
    }

    /// The name of a secret that is needed and not set.
    fn missing_secret(&self, connection: &Connection, reconcile: &Reconcile) -> Option<String> {
        self.house.missing_secret(reconcile.connect.as_ref().unwrap_or(&connection.connect))
    }

    /// Compares now, because a person asks.
    ///
    /// # Errors
    /// [`InterfacesError::UnknownConnection`], [`InterfacesError::NotCompared`] with the reason, or the engine's. That
    /// they could not be asked is no error: it is what the comparison tells.
    pub async fn reconcile(&self, connection: &str, wish: Wish) -> Result<Reconciled, InterfacesError> {
        // On its own, so that it is not left half done by a client that goes away.
        let (room, connection) = (self.clone(), connection.to_owned());
        let comparing = tokio::spawn(async move { room.compare_now(&connection, wish, true).await });
        match comparing.await {
            Ok(compared) => compared,
            Err(ended) if ended.is_panic() => std::panic::resume_unwind(ended.into_panic()),
            // The server ends.
            Err(_) => Err(NotCompared::Busy.into()),
        }
    }

    async fn compare_now(&self, id: &str, wish: Wish, by_hand: bool) -> Result<Reconciled, InterfacesError> {
        let project = self.house.engine.project();
        let connection = project.connection(id);
        let connection = connection.ok_or_else(|| InterfacesError::UnknownConnection(id.to_owned()))?.clone();
        let Some(reconcile) = connection.reconcile.clone() else {
            return Err(NotCompared::Undeclared.into());
        };
        if let Some(secret) = self.missing_secret(&connection, &reconcile) {
            return Err(NotCompared::Secret(secret).into());
        }
        let _busy = Busy::claim(&self.comparing, id).ok_or(NotCompared::Busy)?;
        let (is_paused, from) = self.house.engine.look_up(|tx| -> Result<_, EngineError> {
            Ok((connections::status(tx, id)?.paused, window_begin(tx, id, &reconcile)?))
        })?;
        if is_paused {
            return Err(NotCompared::Paused.into());
        }
        let run = Reconciliation {
            id: Uuid::nil(),
            connection: id.to_owned(),
            state: ReconciliationState::Running,
            by_hand,
            started_at: self.house.engine.now(),
            ended_at: None,
            from_at: from,
            to_at: self.house.engine.now(),
            ours: 0,
            theirs: 0,
            matched: 0,
            missing_there: 0,
            missing_here: 0,
            different: 0,
            twice: 0,
            under_way: 0,
            replayed: 0,
            error: None,
        };
        let replay = wish.replay;
        let mut task = Task { project, connection, reconcile, run, replay, under_way: Vec::new() };
        if wish.dry_run {
            let cases = self.find(&mut task).await?;
            let differences = cases.iter().take(MOST_KEPT).map(|case| sight(&task, case)).collect();
            return Ok(Reconciled { run: task.run, differences });
        }
        let deed = (by_hand && wish.replay)
            .then(|| self.deed("reconcile.replay", format!("connection {id}")))
            .flatten();
        task.run = self.begin(task.run, deed).await?;
        let mut cases = self.find(&mut task).await?;
        for message in cases.iter_mut().filter_map(|case| case.message.as_mut()) {
            message.judge(&self.house, &task.project);
        }
        let reconciled = self.settle(task, cases).await?;
        self.wake_all();
        Ok(reconciled)
    }

    /// Writes down that it runs, and who wanted it to act, before anybody is asked.
    async fn begin(&self, run: Reconciliation, deed: Option<Deed>) -> Result<Reconciliation, EngineError> {
        let begin = move |tx: &EngineTx| -> Result<Reconciliation, EngineError> {
            let run = Reconciliation { id: tx.new_uuid(), ..run.clone() };
            reconciliations::begin(tx, &run)?;
            note(tx, deed.as_ref())?;
            Ok(run)
        };
        self.house.engine.transact(begin).await
    }

    /// Asks, compares, and says in `task.run` how it ended. Writes nothing.
    async fn find(&self, task: &mut Task) -> Result<Vec<Case>, EngineError> {
        let from = task.run.from_at;
        let read = self.house.engine.look_up(|tx| -> Result<_, EngineError> {
            let Some(side) = Side::of(tx, &task.project, &task.reconcile.ours) else { return Ok(None) };
            let expected = side.expected(tx, from)?;
            let asked = side.asked(tx, from, &expected)?;
            Ok(Some((expected, asked)))
        })?;
        let Some((expected, asked)) = read else {
            failed(&mut task.run, EXCHANGED);
            return Ok(Vec::new());
        };
        task.run.ours = count(expected.len());
        let told = if expected.len().max(asked.len()) > MOST {
            Err(format!("we have more than {MOST} in this time; a shorter `window` has fewer"))
        } else {
            self.ask_them(task, &asked).await
        };
        task.run.ended_at = Some(self.house.engine.now());
        let theirs = match told.and_then(|told| entries(&told)) {
            Ok(theirs) => theirs,
            Err(why) => {
                failed(&mut task.run, &why);
                return Ok(Vec::new());
            }
        };
        let keys: HashSet<&str> = theirs.iter().map(|e| e.key.as_str()).collect();
        let keys: Vec<&str> = keys.into_iter().collect();
        task.run.theirs = count(keys.len());
        let (run, under_way) = (&mut task.run, &mut task.under_way);
        let (project, connection, reconcile) = (&task.project, &task.connection, &task.reconcile);
        // One snapshot: what we have and what our deliveries say about it belong to the same moment.
        let cases = self.house.engine.look_up(|tx| -> Result<Option<Vec<Case>>, EngineError> {
            let Some(side) = Side::of(tx, project, &reconcile.ours) else { return Ok(None) };
            let mut searches = MOST_SEARCHES;
            let ours = side.by_keys(tx, &keys)?;
            let young = run.started_at.saturating_sub(micros(reconcile.grace));
            let agreed = Agreed { same: &side.same(), states: &side.ours.states };
            let compared = compare(&expected, &ours, &theirs, agreed, young, tx.now());
            run.matched = count(compared.matched);
            run.under_way = count(compared.young);
            let mut cases = Vec::with_capacity(compared.found.len());
            for mut found in compared.found {
                let (standing, message) =
                    standing(tx, connection, reconcile, &found, run.started_at, &mut searches)?;
                found.key = ours::shown_key(&found.key, side.is_key_personal());
                match standing {
                    Standing::UnderWay => {
                        run.under_way += 1;
                        under_way.push((found.kind, found.key));
                    }
                    standing => cases.push(Case { found, standing, message }),
                }
            }
            Ok(Some(cases))
        })?;
        match cases {
            Some(cases) => Ok(judged(&mut task.run, cases)),
            None => {
                failed(&mut task.run, EXCHANGED);
                Ok(Vec::new())
            }
        }
    }

    /// What the function of the project brings.
    async fn ask_them(&self, task: &Task, keys: &[String]) -> Result<String, String> {
        let (run, reconcile) = (&task.run, &task.reconcile);
        let mut asked = task.connection.clone();
        if let Some(connect) = &reconcile.connect {
            asked.connect.clone_from(connect);
        }
        let timeout = (asked.guard.timeout * CALLS_TIME).min(LONGEST);
        let job = job(run, question(run.from_at, run.to_at, keys));
        let asking = ask_for_list(&self.house, &task.project, &asked, &reconcile.theirs, job, timeout);
        // Each call has its limit; this one holds whatever happens between them.
        let ended = tokio::time::timeout(timeout + LONGEST / 10, asking).await;
        let ended = ended.map_err(|_| "they did not answer in time".to_owned())?;
        match ended.outcome {
            Outcome::Ok => Ok(ended.result.unwrap_or_default()),
            Outcome::Refused | Outcome::Failed | Outcome::Unknown => {
                Err(ended.error.unwrap_or_else(|| "they could not be asked".to_owned()))
            }
        }
    }

    /// Writes down what was found, does what is to be done, and ends the comparison.
    async fn settle(&self, task: Task, cases: Vec<Case>) -> Result<Reconciled, EngineError> {
        let engine = &self.house.engine;
        let open = engine.look_up(|tx| differences::open(tx, &task.connection.id))?;
        let (task, cases, open) = (Arc::new(task), Arc::new(cases), Arc::new(open));
        let (mut differences, mut replayed) = (Vec::new(), 0);
        for begin in (0..cases.len().min(MOST_KEPT)).step_by(BATCH) {
            let (task, cases, open) = (Arc::clone(&task), Arc::clone(&cases), Arc::clone(&open));
            let keep = move |tx: &EngineTx| -> Result<Vec<(Difference, bool)>, EngineError> {
                let batch = cases.iter().take(MOST_KEPT).skip(begin).take(BATCH);
                batch.map(|case| keep(tx, &task, case, &open)).collect()
            };
            for (difference, is_done) in engine.transact(keep).await? {
                differences.push(difference);
                replayed += i64::from(is_done);
            }
        }
        let run = Reconciliation { replayed, ..task.run.clone() };
        let gone: Vec<Uuid> = if run.state.is_compared() {
            let all: Vec<Difference> = cases.iter().map(|case| sight(&task, case)).collect();
            // What was seen before is in order once both sides are equal, not as soon as somebody works on it.
            let is_under_way =
                |d: &Difference| task.under_way.iter().any(|(kind, key)| *kind == d.kind && *key == d.key);
            let is_gone = |d: &&Difference| {
                d.at >= run.from_at && !is_under_way(d) && !all.iter().any(|seen| seen.is_same(d))
            };
            open.iter().filter(is_gone).map(|d| d.id).collect()
        } else {
            Vec::new()
        };
        let ended = run.clone();
        let end = move |tx: &EngineTx| -> Result<(), EngineError> {
            gone.iter().try_for_each(|id| differences::end(tx, *id))?;
            reconciliations::end(tx, &ended).map(drop)
        };
        engine.transact(end).await?;
        Ok(Reconciled { run, differences })
    }

    /// A person says that what does not agree about `key` is settled: it is no longer open, however often it is still
    /// seen. How many findings that were.
    ///
    /// # Errors
    /// The engine's.
    pub async fn settle_difference(&self, connection: &str, key: &str) -> Result<u64, InterfacesError> {
        let (connection, key) = (connection.to_owned(), key.to_owned());
        let deed = self.deed("reconcile.settle", format!("connection {connection}"));
        let settle = move |tx: &EngineTx| -> Result<u64, EngineError> {
            let settled = differences::settle(tx, &connection, &key)?;
            if settled > 0 {
                note(tx, deed.as_ref())?;
            }
            Ok(settled)
        };
        Ok(self.house.engine.transact(settle).await?)
    }

    /// The newest comparisons with a connection, the newest first.
    ///
    /// # Errors
    /// The engine's.
    pub fn reconciliations(
        &self,
        connection: &str,
        most: u64,
    ) -> Result<Vec<Reconciliation>, InterfacesError> {
        let most = most.min(PAGE);
        Ok(self.house.engine.look_up(|tx| reconciliations::newest(tx, connection, most))?)
    }

    /// What does not agree with a connection as far as is known, the oldest sight first; then what is gone since
    /// `since` (microseconds since 1970 UTC), the newest first.
    ///
    /// # Errors
    /// The engine's.
    pub fn differences(&self, connection: &str, since: i64) -> Result<Vec<Difference>, InterfacesError> {
        Ok(self.house.engine.look_up(|tx| -> Result<_, EngineError> {
            let mut all = differences::open(tx, connection)?;
            all.extend(differences::gone(tx, connection, since, PAGE)?);
            Ok(all)
        })?)
    }
}

/// Forgets comparisons and what they no longer find, from before `before`.
pub(crate) fn forget(tx: &EngineTx, connection: &str, before: i64) -> Result<(), EngineError> {
    reconciliations::forget(tx, connection, before)?;
    differences::forget(tx, connection, before).map(drop)
}

fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// When the next one is due.
fn next_at(last: &Reconciliation, reconcile: &Reconcile) -> i64 {
    let next = reconcile.rhythm.next_after(last.started_at);
    match last.state {
        ReconciliationState::Failed => next.min(last.started_at.saturating_add(micros(AGAIN_AFTER))),
        // Its end could not be written down.
        ReconciliationState::Running => next.max(last.started_at.saturating_add(micros(LONGEST * 2))),
        ReconciliationState::Agreed | ReconciliationState::Differences | ReconciliationState::Implausible => {
            next
        }
    }
}

/// From when on is looked: the window, further if the last real comparison lies further back or something is still
/// open that is older.
fn window_begin(tx: &EngineTx, id: &str, reconcile: &Reconcile) -> Result<i64, EngineError> {
    let now = tx.now();
    let mut from = now.saturating_sub(micros(reconcile.window));
    if let Some(last) = reconciliations::newest_compared(tx, id)? {
        let overlap = micros(reconcile.window.saturating_sub(reconcile.rhythm.longest_pause()));
        from = from.min(last.to_at.saturating_sub(overlap));
    }
    if let Some(oldest) = differences::open(tx, id)?.iter().map(|d| d.at).min() {
        from = from.min(oldest.saturating_sub(micros(reconcile.grace)));
    }
    Ok(from.max(now.saturating_sub(FURTHEST)))
}

/// The question as a job of the connection; it is no delivery, and none is written.
fn job(run: &Reconciliation, question: String) -> Job {
    const OPERATION: &str = "reconcile";
    let name = format!("{}.{OPERATION}", run.connection);
    Job::unstored(run.id, &run.connection, OPERATION, name, question, run.started_at)
}

fn standing(
    tx: &EngineTx,
    connection: &Connection,
    reconcile: &Reconcile,
    found: &Found,
    since: i64,
    searches: &mut u32,
) -> Result<(Standing, Option<Message>), EngineError> {
    match found.kind {
        DifferenceKind::MissingThere => match (reconcile.missing_there.operation(), &found.row) {
            (Some(operation), Some(row)) => {
                let row = (row.as_str(), found.at);
                Ok((of_row(tx, connection, operation, row, since, searches)?, None))
            }
            _ => Ok((Standing::Nothing, None)),
        },
        DifferenceKind::MissingHere => of_message(tx, connection, found.message.as_ref()),
        DifferenceKind::Different | DifferenceKind::Twice => Ok((Standing::Nothing, None)),
    }
}

fn failed(run: &mut Reconciliation, why: &str) {
    run.state = ReconciliationState::Failed;
    let mut why = payload::head(why, 500);
    payload::without_nul(&mut why);
    run.error = Some(why);
}

/// Counts what was found and says how the comparison ended.
fn judged(run: &mut Reconciliation, cases: Vec<Case>) -> Vec<Case> {
    let of = |kind| count(cases.iter().filter(|c| c.found.kind == kind).count());
    let missing_there = of(DifferenceKind::MissingThere);
    if run.theirs == 0 && missing_there >= count(IMPLAUSIBLE) {
        run.state = ReconciliationState::Implausible;
        run.error = Some(format!("they told of nothing at all, and {missing_there} should be there"));
        return Vec::new();
    }
    run.missing_there = missing_there;
    run.missing_here = of(DifferenceKind::MissingHere);
    run.different = of(DifferenceKind::Different);
    run.twice = of(DifferenceKind::Twice);
    run.state = if cases.is_empty() { ReconciliationState::Agreed } else { ReconciliationState::Differences };
    cases
}
