//! The work on one connection: claims what is due, writes down the attempt, sends, writes down how it ended.
//!
//! One pump for each connection, so that a slow or dead one costs the others nothing. Ends and new claims share a
//! transaction. Invariants: an attempt is committed before its first byte leaves; an end counts only for the attempt
//! that it belongs to; of a lane only the head is ever under way. After an outage what waits goes out in the order in
//! which it came up (`recovery.rs`).

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use takt_engine::{EngineError, EngineTx};
use takt_model::{Connection, OnDead, Operation, OperationKind, Uuid, Value};
use tokio::{sync::Notify, task::JoinSet};

use crate::{
    Cause, Delivery, DeliveryState, Ended, FUNCTIONS, Outcome,
    breaker::{Breaker, State},
    connectors::{self, Job},
    contract::without_answers,
    interfaces::House,
    masks::Masks,
    outcome::{Next, Rules, micros, next},
    recovery,
    rows::{attempts, connections, deliveries, drifts, events, lanes, subscriptions},
    subscriptions::is_subscription,
};

/// How often a pump looks without being woken.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Claims of one transaction.
const CLAIMS: usize = 64;
/// What an attempt may take longer than its timeout before it counts as lost.
const LEASE_EXTRA: Duration = Duration::from_secs(60);
/// Of our own functions at the same time.
const FUNCTIONS_AT_ONCE: usize = 4;
const FUNCTIONS_TIME: Duration = Duration::from_secs(60);

/// The work on one connection.
pub(crate) struct Pump {
    house: Arc<House>,
    connection: String,
    wake: Arc<Notify>,
    breaker: Option<Breaker>,
    running: JoinSet<Finished>,
    ended: Vec<Finished>,
    rate: Rate,
    /// Whether something may wait that found nobody there; a restart does not know.
    has_absent: bool,
    /// What is still to be written down about it.
    recovered: Recovered,
}

/// An attempt that has ended.
#[derive(Debug, Clone)]
struct Finished {
    delivery: Uuid,
    attempt: Uuid,
    number: u32,
    ended: Ended,
    /// Microseconds.
    took: i64,
}

/// What a turn did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Turn {
    /// Attempts that began.
    pub(crate) begun: usize,
    /// Whether more may be due at once.
    pub(crate) again: bool,
    /// Whether the connection is gone.
    pub(crate) is_over: bool,
}

impl Turn {
    const NOTHING: Self = Self { begun: 0, again: false, is_over: false };
}

/// What a turn knows before it writes.
#[derive(Debug, Clone, Copy)]
struct Plan {
    state: State,
    recovered: Recovered,
}

/// What has got better since the turn before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Recovered {
    Nothing,
    /// Somebody is there again, and the breaker had not opened.
    Absent,
    /// The breaker has closed.
    All,
}

/// What a pump may do now, from the connection's file.
#[derive(Debug, Clone)]
struct Bounds {
    concurrency: usize,
    timeout: Duration,
    per_second: u32,
    breaker: takt_model::Breaker,
}

impl Bounds {
    fn of(connection: Option<&Connection>) -> Self {
        match connection {
            Some(c) => Self {
                concurrency: usize::try_from(c.guard.concurrency).unwrap_or(1),
                timeout: c.guard.timeout,
                per_second: c.guard.per_second,
                breaker: c.guard.breaker.clone(),
            },
            None => Self {
                concurrency: FUNCTIONS_AT_ONCE,
                timeout: FUNCTIONS_TIME,
                per_second: 0,
                // Our own functions are always there; one that fails must not stop the others.
                breaker: takt_model::Breaker { failures: u32::MAX, ..takt_model::Breaker::default() },
            },
        }
    }
}

impl Pump {
    pub(crate) fn new(house: Arc<House>, connection: String, wake: Arc<Notify>) -> Self {
        Self {
            house,
            connection,
            wake,
            breaker: None,
            running: JoinSet::new(),
            ended: Vec::new(),
            rate: Rate::default(),
            has_absent: true,
            recovered: Recovered::Nothing,
        }
    }

    /// Works until it is dropped.
    pub(crate) async fn run(mut self) {
        if let Err(error) = self.recover().await {
            tracing::error!(connection = self.connection, %error, "interrupted attempts could not be settled");
        }
        loop {
            let pause = match self.turn().await {
                Ok(turn) if turn.again => continue,
                // A subscription that was removed; should its name ever come back, so does a pump.
                Ok(turn) if turn.is_over && self.running.is_empty() => return,
                Ok(_) => LOOK_EVERY,
                Err(error) => {
                    tracing::error!(connection = self.connection, %error, "deliveries wait");
                    LOOK_EVERY
                }
            };
            tokio::select! {
                () = self.wake.notified() => {}
                Some(done) = self.running.join_next(), if !self.running.is_empty() => self.ended.extend(done.ok()),
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Attempts that were under way when the process died: nobody knows whether they arrived.
    pub(crate) async fn recover(&mut self) -> Result<usize, EngineError> {
        let (house, connection) = (Arc::clone(&self.house), self.connection.clone());
        self.house
            .engine
            .transact(move |tx| {
                let lost = deliveries::claimed(tx, &connection)?;
                for delivery in &lost {
                    let why = "the server ended while this attempt was under way";
                    let ended = Ended {
                        cause: Some(Cause::Interrupted),
                        ..Ended::without_answer(Outcome::Unknown, why)
                    };
                    settle(tx, &house, delivery, &ended)?;
                }
                Ok(lost.len())
            })
            .await
    }

    /// Writes down what has ended and begins what is due.
    pub(crate) async fn turn(&mut self) -> Result<Turn, EngineError> {
        while let Some(done) = self.running.try_join_next() {
            self.ended.extend(done.ok());
        }
        let project = self.house.engine.project();
        let connection = project.connection(&self.connection);
        if connection.is_none() && self.connection != FUNCTIONS {
            return self.wind_up().await;
        }
        let bounds = Bounds::of(connection);
        let now = self.house.engine.now();
        let before = self.status()?;
        let breaker =
            self.breaker.get_or_insert_with(|| Breaker::new(bounds.breaker.clone(), before.breaker));
        let was_open = breaker.state() != State::Closed;
        let is_there = self.ended.iter().any(|f| matches!(f.ended.outcome, Outcome::Ok | Outcome::Refused));
        for finished in &self.ended {
            let is_absence = finished.ended.cause().is_some_and(Cause::is_absence);
            self.has_absent |= is_absence;
            // Another got through, or runs and may: then this one was bad luck.
            if is_absence && !is_there && self.running.is_empty() && connection.is_some() {
                breaker.absent(now);
            } else {
                breaker.ended(finished.ended.outcome, now);
            }
        }
        let state = breaker.state();
        let plan = Plan {
            state,
            // Nobody was there, or too much went wrong: now it is over.
            recovered: match state {
                State::Closed if was_open => Recovered::All,
                State::Closed if is_there && self.has_absent => self.recovered.max(Recovered::Absent),
                State::Closed => self.recovered,
                State::Open { .. } => Recovered::Nothing,
            },
        };
        // Kept until it is written down.
        self.recovered = plan.recovered;
        let free = bounds.concurrency.saturating_sub(self.running.len()).min(CLAIMS);
        let free = if before.paused { 0 } else { breaker.allowed(free, self.running.len(), now) };
        let free = self.rate.allowed(free, bounds.per_second);
        if self.ended.is_empty() && (free == 0 || !self.is_anything_due(now, state)?) {
            return Ok(Turn::NOTHING);
        }
        let begun = self.write(free, plan, &bounds).await?;
        if plan.recovered != Recovered::Nothing {
            (self.has_absent, self.recovered) = (false, Recovered::Nothing);
        }
        let is_gone = self.ended.iter().any(|finished| finished.ended.gone);
        self.ended.clear();
        if is_gone
            && is_subscription(&self.connection)
            && let Err(error) = self.house.take_up_subscriptions()
        {
            // What was claimed must leave all the same.
            tracing::error!(connection = self.connection, %error, "a webhook that is gone was not put away");
        }
        self.rate.spend(begun.len());
        let again = free > 0 && begun.len() == free;
        let turn = Turn { begun: begun.len(), again, is_over: false };
        for job in begun {
            self.send(job, &bounds);
        }
        Ok(turn)
    }

    /// The connection is gone: what was under way is written down, nothing begins.
    async fn wind_up(&mut self) -> Result<Turn, EngineError> {
        if !self.ended.is_empty() {
            let (house, ended) = (Arc::clone(&self.house), self.ended.clone());
            let write = move |tx: &EngineTx| ended.iter().try_for_each(|finished| end(tx, &house, finished));
            self.house.engine.transact(write).await?;
            self.ended.clear();
        }
        Ok(Turn { is_over: true, ..Turn::NOTHING })
    }

    fn status(&self) -> Result<connections::Status, EngineError> {
        self.house.engine.look_up(|tx| connections::status(tx, &self.connection))
    }

    fn is_anything_due(&self, now: i64, state: State) -> Result<bool, EngineError> {
        self.house.engine.look_up(|tx| {
            if state != State::Closed {
                return recovery::has_try(tx, &self.connection);
            }
            Ok(!deliveries::due(tx, &self.connection, now, 1)?.is_empty()
                || !lanes::due(tx, &self.connection, now, 1)?.is_empty())
        })
    }

    /// One transaction: ends, the state of the connection, and new claims.
    async fn write(&self, free: usize, plan: Plan, bounds: &Bounds) -> Result<Vec<Job>, EngineError> {
        let (house, connection) = (Arc::clone(&self.house), self.connection.clone());
        let (ended, timeout) = (self.ended.clone(), bounds.timeout);
        self.house
            .engine
            .transact(move |tx| {
                for finished in &ended {
                    end(tx, &house, finished)?;
                }
                keep_status(tx, &connection, plan.state, &ended)?;
                match plan.recovered {
                    Recovered::Nothing => {}
                    Recovered::Absent => recovery::hurry(tx, &connection, recovery::Whom::Absent)?,
                    Recovered::All => recovery::hurry(tx, &connection, recovery::Whom::All)?,
                }
                if ended.iter().any(|finished| finished.ended.gone) {
                    // Nobody wants to hear more.
                    return Ok(Vec::new());
                }
                let found = match plan.state {
                    _ if free == 0 => Vec::new(),
                    State::Closed if connection == FUNCTIONS => recovery::due_here(tx, FUNCTIONS, free)?,
                    State::Closed => recovery::due(tx, &connection, free)?,
                    State::Open { .. } => recovery::next_try(tx, &connection)?.into_iter().collect(),
                };
                claim(tx, &house, &connection, found, timeout)
            })
            .await
    }

    fn send(&mut self, job: Job, bounds: &Bounds) {
        let (house, timeout) = (Arc::clone(&self.house), bounds.timeout);
        self.running.spawn(async move {
            let begun = Instant::now();
            let (delivery, attempt, number) = (job.delivery.id, job.attempt, job.number);
            let payload = job.payload().to_owned();
            // The door has its own limit; this one holds whatever happens inside.
            let sending =
                tokio::time::timeout(timeout + LEASE_EXTRA / 2, connectors::send(&house, job, timeout));
            let mut ended = sending.await.unwrap_or_else(|_| Ended {
                cause: Some(Cause::Timeout),
                ..Ended::without_answer(Outcome::Unknown, "the attempt did not end in time")
            });
            ended.make_storable();
            mask(&house, &payload, &mut ended);
            let took = micros(begun.elapsed());
            Finished { delivery, attempt, number, ended, took }
        });
    }

    /// Waits until everything that was begun has ended.
    pub(crate) async fn wait(&mut self) {
        while let Some(done) = self.running.join_next().await {
            self.ended.extend(done.ok());
        }
    }

    /// Claims and does not send; for tests of crashes.
    pub(crate) async fn claim_only(&mut self) -> Result<usize, EngineError> {
        let project = self.house.engine.project();
        let bounds = Bounds::of(project.connection(&self.connection));
        let plan = Plan { state: State::Closed, recovered: Recovered::Nothing };
        Ok(self.write(bounds.concurrency, plan, &bounds).await?.len())
    }

    /// Whether an end waits to be written down.
    pub(crate) fn has_ended(&self) -> bool {
        !self.ended.is_empty()
    }
}

/// What was sent and what was answered is kept for people, without personal values.
fn mask(house: &House, payload: &str, ended: &mut Ended) {
    let personal = house.personal();
    let masks = Masks::of(&personal, payload);
    let samples = ended.judged.findings.iter_mut().map(|f| &mut f.after);
    let samples = samples.chain(ended.judged.kept.iter_mut().map(|k| &mut k.sample));
    for text in [&mut ended.error, &mut ended.response].into_iter().flatten().chain(samples) {
        *text = masks.echo(text);
    }
    ended.sent = ended.sent.take().map(|sent| masks.body(&personal, &sent));
}

/// Writes an end down, unless the delivery has moved on since (a lease that ran out, a person who cancelled).
fn end(tx: &EngineTx, house: &House, finished: &Finished) -> Result<(), EngineError> {
    attempts::end(tx, finished.attempt, &finished.ended, finished.took)?;
    let Some(delivery) = deliveries::get(tx, finished.delivery)? else { return Ok(()) };
    if !finished.ended.judged.is_empty() {
        note_drifts(tx, &delivery, &finished.ended)?;
    }
    let is_mine = delivery.claimed && delivery.attempts == i64::from(finished.number);
    if is_mine && delivery.state == DeliveryState::Waiting {
        settle(tx, house, &delivery, &finished.ended)
    } else {
        Ok(())
    }
}

/// Writes down how messages differed from their contract: that of the delivery, or, on the way to our own functions, that
/// by which the message came in.
fn note_drifts(tx: &EngineTx, delivery: &Delivery, ended: &Ended) -> Result<(), EngineError> {
    if delivery.connection != FUNCTIONS {
        return drifts::note(tx, &delivery.connection, &delivery.operation, &ended.judged);
    }
    match connectors::received(tx.project(), &delivery.name) {
        Some((connection, operation)) => drifts::note(tx, &connection.id, &operation.name, &ended.judged),
        None => Ok(()),
    }
}

/// What follows from the end of the delivery's newest attempt.
fn settle(tx: &EngineTx, house: &House, delivery: &Delivery, ended: &Ended) -> Result<(), EngineError> {
    let now = tx.now();
    let since = now.saturating_sub(delivery.first_at.unwrap_or(now));
    let since = Duration::from_micros(u64::try_from(since).unwrap_or_default());
    if let Some((connection, Operation { kind: OperationKind::Poll(_), name, .. })) =
        connectors::operation(tx.project(), delivery)
    {
        return settle_poll(tx, &format!("{}.{name}", connection.id), delivery, ended);
    }
    if let (Outcome::Ok, Some(why)) = (ended.outcome, &ended.judged.stop) {
        return park(tx, delivery, ended, why);
    }
    let (rules, on_dead) = rules(tx, delivery);
    // Pauses count from the last replay, as the time to give up does: a decision of a person begins anew.
    let number = match (ended.outcome, delivery.first_at) {
        (Outcome::Ok, _) => 1,
        (_, Some(first)) => attempts::count_since(tx, delivery.id, first)?,
        (_, None) => u32::try_from(delivery.attempts).unwrap_or(u32::MAX),
    };
    let then = next(&rules, ended, number, since, house.chance());
    let mut values = vec![
        ("claimed", Value::Boolean(false)),
        ("outcome", Value::Text(ended.outcome.name().to_owned())),
        ("error", ended.error.clone().map_or(Value::Null, Value::Text)),
        ("cause", cause_value(ended)),
    ];
    let journal = match then {
        // What waited was taken: of the answers nothing stays, and whoever sends it again really sends it.
        Next::Delivered => without_answers(ended.journal.as_deref().or(delivery.journal.as_deref()))
            .or_else(|| ended.journal.clone().map(Some)),
        Next::Again(_) | Next::Dead | Next::Ask => ended.journal.clone().map(Some),
    };
    if let Some(journal) = journal {
        values.push(("journal", journal.map_or(Value::Null, Value::Json)));
    }
    let state = |state: DeliveryState| ("state", Value::Text(state.name().to_owned()));
    match then {
        Next::Again(pause) => {
            let at = now.saturating_add(micros(pause));
            values.push(("next_at", Value::Timestamp(at)));
            if let Some(lane) = &delivery.lane {
                lanes::wait(tx, &delivery.connection, lane, at)?;
            }
        }
        Next::Delivered | Next::Dead | Next::Ask => {
            // What a delivering function brought back (a number of the other side) is news for our side.
            if let (Next::Delivered, Some(result)) = (then, ended.result.as_deref().filter(|r| *r != "null"))
            {
                let name = format!("{}.{}", delivery.connection, delivery.operation);
                tx.emit_for(&name, Some(&delivery.event.to_string()), result, Some(delivery.id))?;
            }
            let ended_as = match then {
                Next::Delivered => DeliveryState::Delivered,
                Next::Ask => DeliveryState::Asking,
                Next::Dead | Next::Again(_) => DeliveryState::Dead,
            };
            values.extend([state(ended_as), ("ended_at", Value::Timestamp(now))]);
            if let Some(lane) = &delivery.lane {
                if ended_as.is_stopped() && on_dead == OnDead::BlockLane {
                    lanes::block(tx, &delivery.connection, lane, true)?;
                } else {
                    lanes::leave(tx, &delivery.connection, lane)?;
                    values.push(("in_lane", Value::Boolean(false)));
                }
            }
        }
    }
    deliveries::set(tx, delivery.id, values)
}

/// It arrived, and its answer breaks the contract: nothing follows from it, and nothing behind it leaves, until the
/// contract is corrected or a person decides. It is not sent again for that: the answer stands in the journal.
fn park(tx: &EngineTx, delivery: &Delivery, ended: &Ended, why: &str) -> Result<(), EngineError> {
    let mut values = vec![
        ("claimed", Value::Boolean(false)),
        ("state", Value::Text(DeliveryState::Asking.name().to_owned())),
        ("ended_at", Value::Timestamp(tx.now())),
        ("outcome", Value::Text(ended.outcome.name().to_owned())),
        ("error", Value::Text(why.to_owned())),
        ("cause", Value::Null),
    ];
    if let Some(journal) = &ended.journal {
        values.push(("journal", Value::Json(journal.clone())));
    }
    if let Some(lane) = &delivery.lane {
        lanes::block(tx, &delivery.connection, lane, true)?;
    }
    deliveries::set(tx, delivery.id, values)
}

/// A question is asked once; the next one comes on schedule. What it brought leaves as an event with its end.
fn settle_poll(tx: &EngineTx, name: &str, delivery: &Delivery, ended: &Ended) -> Result<(), EngineError> {
    // An answer that breaks the contract or cannot be right is kept as a finding, and nothing follows from it.
    let is_taken = ended.judged.stop.is_none();
    let state = match ended.outcome {
        Outcome::Ok if is_taken => DeliveryState::Delivered,
        Outcome::Ok | Outcome::Refused | Outcome::Failed | Outcome::Unknown => DeliveryState::Cancelled,
    };
    if let (Outcome::Ok, Some(result), true) = (ended.outcome, &ended.result, is_taken) {
        tx.emit_for(name, None, result, Some(delivery.id))?;
    }
    let values = vec![
        ("claimed", Value::Boolean(false)),
        ("state", Value::Text(state.name().to_owned())),
        ("ended_at", Value::Timestamp(tx.now())),
        ("outcome", Value::Text(ended.outcome.name().to_owned())),
        ("error", ended.judged.stop.clone().or(ended.error.clone()).map_or(Value::Null, Value::Text)),
        ("cause", cause_value(ended)),
    ];
    deliveries::set(tx, delivery.id, values)
}

fn cause_value(ended: &Ended) -> Value {
    ended.cause().map_or(Value::Null, |cause| Value::Text(cause.name().to_owned()))
}

fn rules(tx: &EngineTx, delivery: &Delivery) -> (Rules, OnDead) {
    match connectors::operation(tx.project(), delivery).map(|(_, operation)| &operation.kind) {
        Some(OperationKind::Deliver(deliver)) => (Rules::of(deliver), deliver.retry.on_dead),
        Some(OperationKind::Receive(_) | OperationKind::Poll(_)) | None => {
            (Rules::of_functions(), OnDead::Skip)
        }
    }
}

fn keep_status(tx: &EngineTx, connection: &str, state: State, ended: &[Finished]) -> Result<(), EngineError> {
    let before = connections::status(tx, connection)?;
    let mut after = connections::Status { breaker: state, ..before.clone() };
    for finished in ended {
        // Standard Webhooks: 410 means that nobody wants to hear from us any more.
        after.paused |= finished.ended.gone;
        if finished.ended.gone && is_subscription(connection) {
            subscriptions::gone(tx, connection)?;
        }
        match finished.ended.outcome {
            // To the minute: a row for each delivery would be a write for each delivery.
            Outcome::Ok => after.last_ok_at = Some(tx.now() - tx.now().rem_euclid(60_000_000)),
            Outcome::Refused | Outcome::Failed | Outcome::Unknown => {
                after.last_failed_at = Some(tx.now() - tx.now().rem_euclid(60_000_000));
                after.last_error.clone_from(&finished.ended.error);
            }
        }
    }
    if after == before { Ok(()) } else { connections::keep(tx, connection, &after) }
}

/// Begins attempts on what was found.
fn claim(
    tx: &EngineTx,
    house: &House,
    connection: &str,
    mut found: Vec<Delivery>,
    timeout: Duration,
) -> Result<Vec<Job>, EngineError> {
    let now = tx.now();
    // Claimed, and its lease is over: that attempt never ended, and what follows from that comes first.
    for lost in found.extract_if(.., |d| d.claimed) {
        settle(tx, house, &lost, &Ended::without_answer(Outcome::Unknown, "the attempt did not end"))?;
    }
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let lease = now.saturating_add(micros(timeout + LEASE_EXTRA));
    deliveries::claim(tx, found.iter().map(|d| d.id), lease)?;
    let first: Vec<Uuid> = found.iter().filter(|d| d.first_at.is_none()).map(|d| d.id).collect();
    if !first.is_empty() {
        deliveries::begun(tx, first.into_iter())?;
    }
    for delivery in &found {
        if let Some(lane) = &delivery.lane {
            lanes::wait(tx, connection, lane, lease)?;
        }
    }
    let events = events::by_ids(tx, found.iter().map(|d| d.event))?;
    let mut jobs = Vec::with_capacity(found.len());
    for delivery in found {
        // Several deliveries may be of one event.
        let Some(event) = events.iter().find(|e| e.id == delivery.event).cloned() else { continue };
        let number = u32::try_from(delivery.attempts + 1).unwrap_or(u32::MAX);
        jobs.push(Job { attempt: tx.new_uuid(), number, delivery, event });
    }
    let begun: Vec<_> = jobs
        .iter()
        .map(|job| (job.attempt, job.delivery.id, job.number, connectors::describe(tx.project(), job)))
        .collect();
    attempts::begin(tx, &begun)?;
    Ok(jobs)
}

/// A bucket of a second's worth of calls.
#[derive(Debug)]
struct Rate {
    left: f64,
    at: Instant,
}

impl Default for Rate {
    fn default() -> Self {
        Self { left: 0.0, at: Instant::now() }
    }
}

impl Rate {
    fn allowed(&mut self, wanted: usize, per_second: u32) -> usize {
        if per_second == 0 {
            return wanted;
        }
        let most = f64::from(per_second);
        self.left = (self.left + self.at.elapsed().as_secs_f64() * most).min(most);
        self.at = Instant::now();
        wanted.min(self.left as usize)
    }

    fn spend(&mut self, begun: usize) {
        self.left = (self.left - begun as f64).max(0.0);
    }
}
