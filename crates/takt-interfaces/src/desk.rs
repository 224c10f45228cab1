//! What people do with deliveries: look, replay, change, cancel, pause. Every decision leaves the attempts as they
//! were; a replay goes on numbering them, but pauses and the time to give up begin anew. With an actor
//! ([`Interfaces::acting_for`]) a decision is written to the audit, in the transaction that does it.

use std::collections::HashMap;

use takt_engine::{Deed, EngineError, EngineTx};
use takt_model::{OperationKind, Project, Protocol, Uuid, Value};
use takt_plan::Direction;

use crate::{
    Attempt, ConnectionSource, ConnectionStatus, Delivery, DeliveryState, FUNCTIONS, Interfaces,
    InterfacesError,
    breaker::State,
    connectors, payload,
    rows::{attempts, connections, deliveries, events, lanes, received, subscriptions as stored},
    subscriptions::is_subscription,
};

/// Deliveries of one page.
const PAGE: u64 = 200;
/// Deliveries of one replay.
const MOST_REPLAYED: u64 = 100_000;
/// Deliveries that one transaction puts back.
const BATCH: usize = 500;

/// Which deliveries are meant; all of these hold. Moments are microseconds since 1970 UTC.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryFilter {
    /// Of one connection.
    pub connection: Option<String>,
    /// In one state.
    pub state: Option<DeliveryState>,
    /// Of one ordering key.
    pub lane: Option<String>,
    /// Caused by one story.
    pub story: Option<Uuid>,
    /// Dispatched at or after.
    pub since: Option<i64>,
    /// Dispatched before.
    pub until: Option<i64>,
    /// Older than this delivery, for the next page.
    pub before: Option<Uuid>,
}

impl DeliveryFilter {
    fn wanted(&self) -> deliveries::Wanted {
        deliveries::Wanted {
            connection: self.connection.clone(),
            messages_of: None,
            state: self.state,
            lane: self.lane.clone(),
            story: self.story,
            since: self.since,
            until: self.until,
            before: self.before,
        }
    }
}

/// A delivery with everything that is known of it.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct DeliveryDetail {
    /// The delivery.
    #[serde(flatten)]
    pub delivery: Delivery,
    /// Its attempts, oldest first.
    pub tries: Vec<Attempt>,
    /// The event's payload (or what a person wrote in its place), personal values masked.
    pub payload: serde_json::Value,
    /// Whether a person wrote it.
    pub edited: bool,
}

/// What a replay did, or would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Replayed {
    /// Deliveries.
    pub deliveries: u64,
    /// Those of them that had arrived already, and arrive once more.
    pub delivered: u64,
    /// Whether it was only counted.
    pub dry_run: bool,
}

impl Interfaces {
    /// Deliveries, newest first, a page of at most 200.
    ///
    /// # Errors
    /// The engine's.
    pub fn deliveries(&self, filter: &DeliveryFilter, limit: u64) -> Result<Vec<Delivery>, InterfacesError> {
        let wanted = filter.wanted();
        let found = self.house.engine.look_up(|tx| deliveries::newest(tx, &wanted, limit.min(PAGE)))?;
        Ok(found)
    }

    /// How many deliveries fit.
    ///
    /// # Errors
    /// The engine's.
    pub fn count(&self, filter: &DeliveryFilter) -> Result<u64, InterfacesError> {
        let wanted = filter.wanted();
        Ok(self.house.engine.look_up(|tx| deliveries::count(tx, &wanted))?)
    }

    /// One delivery with its attempts.
    ///
    /// # Errors
    /// [`InterfacesError::UnknownDelivery`], or the engine's.
    pub fn delivery(&self, id: Uuid) -> Result<DeliveryDetail, InterfacesError> {
        let found = self.house.engine.look_up(|tx| -> Result<_, EngineError> {
            let Some(delivery) = deliveries::get(tx, id)? else { return Ok(None) };
            let tries = attempts::of(tx, id)?;
            let event = events::by_ids(tx, std::iter::once(delivery.event))?.pop();
            let text = delivery.body.clone().or(event.map(|e| e.payload)).unwrap_or_default();
            let mut payload = serde_json::from_str(&text).unwrap_or(serde_json::Value::Null);
            payload::mask(tx.project(), &mut payload);
            Ok(Some(DeliveryDetail { edited: delivery.body.is_some(), delivery, tries, payload }))
        })?;
        found.ok_or(InterfacesError::UnknownDelivery(id))
    }

    /// What is sent, as JSON text with every personal value; whoever asks for a person writes that down.
    ///
    /// # Errors
    /// [`InterfacesError::UnknownDelivery`], or the engine's.
    pub fn content(&self, id: Uuid) -> Result<String, InterfacesError> {
        let found = self.house.engine.look_up(|tx| -> Result<_, EngineError> {
            let Some(delivery) = deliveries::get(tx, id)? else { return Ok(None) };
            let event = events::by_ids(tx, std::iter::once(delivery.event))?.pop();
            Ok(delivery.body.or(event.map(|e| e.payload)))
        })?;
        found.ok_or(InterfacesError::UnknownDelivery(id))
    }

    /// What people call the things that these deliveries are about (`B-2026-00012`), by delivery; those without a
    /// field `number` are missing.
    ///
    /// # Errors
    /// The engine's.
    pub fn numbers(&self, of: &[Delivery]) -> Result<HashMap<Uuid, String>, InterfacesError> {
        if of.is_empty() {
            return Ok(HashMap::new());
        }
        Ok(self.house.engine.look_up(|tx| -> Result<_, EngineError> {
            let events = events::by_ids(tx, of.iter().map(|d| d.event))?;
            let payloads: HashMap<Uuid, String> = events.into_iter().map(|e| (e.id, e.payload)).collect();
            let number = |d: &Delivery| {
                let text = d.body.as_ref().or_else(|| payloads.get(&d.event))?;
                let payload = serde_json::from_str(text).ok()?;
                let said = said_number(tx.project(), &d.name, &payload);
                Some((d.id, said.or_else(|| payload::number(tx.project(), &payload))?))
            };
            Ok(of.iter().filter_map(number).collect())
        })?)
    }

    /// How every connection is; those of the project, and consumers if there are any.
    ///
    /// # Errors
    /// The engine's.
    pub fn connections(&self) -> Result<Vec<ConnectionStatus>, InterfacesError> {
        let project = self.house.engine.project();
        let mut ids: Vec<String> = project.connections.iter().map(|c| c.id.clone()).collect();
        if self.house.functions().is_some_and(|f| !f.consumers().is_empty()) {
            ids.push(FUNCTIONS.to_owned());
        }
        let status = |tx: &EngineTx, id: &String| -> Result<ConnectionStatus, EngineError> {
            let kept = connections::status(tx, id)?;
            let count = |state| {
                let wanted = deliveries::Wanted {
                    connection: Some(id.clone()),
                    state: Some(state),
                    ..deliveries::Wanted::default()
                };
                deliveries::count(tx, &wanted)
            };
            Ok(ConnectionStatus {
                id: id.clone(),
                source: match id.as_str() {
                    FUNCTIONS => ConnectionSource::Functions,
                    id if is_subscription(id) => ConnectionSource::Subscription,
                    _ => ConnectionSource::File,
                },
                paused: kept.paused,
                open_until: match kept.breaker {
                    State::Open { until, .. } => Some(until),
                    State::Closed => None,
                },
                last_ok_at: match project.connection(id) {
                    Some(c) if c.connect.protocol == Protocol::WebhookIn => {
                        received::came_at(tx, id, takt_plan::Direction::Descending)?
                    }
                    _ => kept.last_ok_at,
                },
                last_failed_at: kept.last_failed_at,
                last_error: kept.last_error,
                health: kept.health,
                waiting: count(DeliveryState::Waiting)?,
                dead: count(DeliveryState::Dead)?,
                asking: count(DeliveryState::Asking)?,
            })
        };
        Ok(self.house.engine.look_up(|tx| ids.iter().map(|id| status(tx, id)).collect::<Result<_, _>>())?)
    }

    /// Stops a connection, or lets it go on. What is under way ends.
    ///
    /// # Errors
    /// [`InterfacesError::UnknownConnection`], or the engine's.
    pub async fn pause(&self, connection: &str, paused: bool) -> Result<(), InterfacesError> {
        if !is_known(&self.house.engine.project(), connection) {
            return Err(InterfacesError::UnknownConnection(connection.to_owned()));
        }
        if !paused && is_subscription(connection) {
            // Whoever lets it go on wants it to be told of new events too.
            let on = serde_json::json!({ "enabled": true });
            return self.change_subscription(connection, on).await.map(drop);
        }
        let act = if paused { "connection.pause" } else { "connection.resume" };
        let deed = self.deed(act, format!("connection {connection}"));
        let connection = connection.to_owned();
        if !paused {
            // Whoever is asked on schedule is asked at once when it goes on.
            self.asked.lock().await.retain(|poll, _| poll.connection != connection);
        }
        self.house
            .engine
            .transact(move |tx| -> Result<(), EngineError> {
                note(tx, deed.as_ref())?;
                let before = connections::status(tx, &connection)?;
                if !paused {
                    deliveries::let_go(tx, FUNCTIONS, &connection)?;
                }
                connections::keep(tx, &connection, &connections::Status { paused, ..before })
            })
            .await?;
        self.wake_all();
        Ok(())
    }

    /// Puts one delivery back; with `body`, that is sent in the place of the event's payload from now on.
    ///
    /// # Errors
    /// [`InterfacesError::UnknownDelivery`], [`InterfacesError::NotNow`] while an attempt is under way,
    /// [`InterfacesError::Body`], or the engine's.
    pub async fn replay(&self, id: Uuid, body: Option<String>) -> Result<(), InterfacesError> {
        if let Some(body) = &body {
            serde_json::from_str::<serde::de::IgnoredAny>(body)
                .map_err(|e| InterfacesError::Body(e.to_string()))?;
        }
        let act = if body.is_some() { "delivery.edit" } else { "delivery.replay" };
        let deed = self.deed(act, format!("delivery {id}"));
        self.house
            .engine
            .transact(move |tx| -> Result<(), InterfacesError> {
                let delivery = deliveries::get(tx, id)?.ok_or(InterfacesError::UnknownDelivery(id))?;
                if delivery.claimed && delivery.state == DeliveryState::Waiting {
                    return Err(InterfacesError::NotNow("an attempt is under way".to_owned()));
                }
                // What goes back to a connection that is gone would wait for ever.
                if !is_there(tx, &delivery.connection)? {
                    return Err(InterfacesError::UnknownConnection(delivery.connection));
                }
                put_back(tx, &delivery, body.as_deref())?;
                note(tx, deed.as_ref())?;
                Ok(())
            })
            .await?;
        self.wake_all();
        Ok(())
    }

    /// Puts all deliveries back that fit and are not waiting already, in the order of their dispatch; those that wait
    /// are made due now if just they are asked for. What is under way is left alone.
    ///
    /// # Errors
    /// The engine's.
    pub async fn replay_all(
        &self,
        filter: &DeliveryFilter,
        dry_run: bool,
    ) -> Result<Replayed, InterfacesError> {
        let wanted = filter.wanted();
        let mut found: Vec<Delivery> = self
            .house
            .engine
            .look_up(|tx| deliveries::list(tx, &wanted, Direction::Ascending, MOST_REPLAYED))?;
        let project = self.house.engine.project();
        let waiting_too = filter.state == Some(DeliveryState::Waiting);
        let may_leave = move |d: &Delivery| d.state != DeliveryState::Waiting || (waiting_too && !d.claimed);
        found.retain(|d| is_known(&project, &d.connection) && may_leave(d));
        let arrived = found.iter().filter(|d| d.state == DeliveryState::Delivered).count();
        let replayed = Replayed { deliveries: found.len() as u64, delivered: arrived as u64, dry_run };
        if dry_run {
            return Ok(replayed);
        }
        if !found.is_empty()
            && let Some(deed) = self.deed("deliveries.replay", told(filter, found.len()))
        {
            // Before the first batch: a crash between two of them must not leave one unexplained.
            self.house.engine.note_deed(deed).await?;
        }
        for batch in found.chunks(BATCH) {
            let batch: Vec<Uuid> = batch.iter().map(|d| d.id).collect();
            self.house
                .engine
                .transact(move |tx| -> Result<(), EngineError> {
                    let mut there = HashMap::new();
                    for id in &batch {
                        // As it is now: somebody may have decided, or removed a connection, meanwhile.
                        let Some(delivery) = deliveries::get(tx, *id)?.filter(may_leave) else { continue };
                        let is_there = match there.get(&delivery.connection) {
                            Some(known) => *known,
                            None => is_there(tx, &delivery.connection)?,
                        };
                        if is_there {
                            put_back(tx, &delivery, None)?;
                        }
                        there.insert(delivery.connection, is_there);
                    }
                    Ok(())
                })
                .await?;
        }
        self.wake_all();
        Ok(replayed)
    }

    /// A person says that a delivery shall not leave (any more), or, of one nobody knows of, that it has arrived.
    ///
    /// # Errors
    /// [`InterfacesError::UnknownDelivery`], [`InterfacesError::NotNow`], or the engine's.
    pub async fn decide(&self, id: Uuid, arrived: bool) -> Result<(), InterfacesError> {
        let act = if arrived { "delivery.arrived" } else { "delivery.cancel" };
        let deed = self.deed(act, format!("delivery {id}"));
        self.house
            .engine
            .transact(move |tx| -> Result<(), InterfacesError> {
                let delivery = deliveries::get(tx, id)?.ok_or(InterfacesError::UnknownDelivery(id))?;
                let is_open = delivery.state.is_stopped()
                    || (delivery.state == DeliveryState::Waiting && !delivery.claimed);
                if !is_open {
                    return Err(InterfacesError::NotNow(
                        "it has ended already, or an attempt is under way".to_owned(),
                    ));
                }
                let state = if arrived { DeliveryState::Delivered } else { DeliveryState::Cancelled };
                let values = vec![
                    ("state", Value::Text(state.name().to_owned())),
                    ("ended_at", Value::Timestamp(tx.now())),
                    ("in_lane", Value::Boolean(false)),
                ];
                deliveries::set(tx, id, values)?;
                note(tx, deed.as_ref())?;
                if let Some(lane) = delivery.lane.as_ref().filter(|_| delivery.in_lane) {
                    lanes::block(tx, &delivery.connection, lane, is_lane_stopped(tx, &delivery)?)?;
                    lanes::leave(tx, &delivery.connection, lane)?;
                }
                Ok(())
            })
            .await?;
        self.wake_all();
        Ok(())
    }
}

impl Interfaces {
    /// What the audit is told, if somebody acts.
    pub(crate) fn deed(&self, act: &str, subject: String) -> Option<Deed> {
        let by = self.actor.as_deref()?.clone();
        Some(Deed { by, act: act.to_owned(), subject, reason: None })
    }
}

pub(crate) fn note(tx: &EngineTx, deed: Option<&Deed>) -> Result<(), EngineError> {
    deed.map_or(Ok(()), |deed| tx.note_deed(deed))
}

/// What a message of another system is about, where its operation says where that stands.
pub(crate) fn said_number(project: &Project, event: &str, payload: &serde_json::Value) -> Option<String> {
    let (_, operation) = connectors::received(project, event)?;
    let OperationKind::Receive(receive) = &operation.kind else { return None };
    payload::at(payload, receive.number.as_deref()?).and_then(payload::text)
}

/// What a replay of many is about: `deliveries 3 connection=erp state=dead`; no language, since the audit is read in
/// several. The lane comes last: it is whatever the event says, with spaces too.
fn told(filter: &DeliveryFilter, count: usize) -> String {
    let moment = |at: i64| takt_model::ValueRef::Timestamp(at).to_text();
    let mut told = format!("deliveries {count}");
    for (name, value) in [
        ("connection", filter.connection.clone()),
        ("state", filter.state.map(|state| state.name().to_owned())),
        ("story", filter.story.map(|story| story.to_string())),
        ("since", filter.since.map(moment)),
        ("until", filter.until.map(moment)),
        ("lane", filter.lane.clone()),
    ] {
        if let Some(value) = value {
            told.push_str(&format!(" {name}={value}"));
        }
    }
    told
}

fn is_known(project: &Project, connection: &str) -> bool {
    connection == FUNCTIONS || project.connection(connection).is_some()
}

/// Whether something can still go to a connection. The project may be older than the transaction: a subscription that
/// is being removed is known by its row.
fn is_there(tx: &EngineTx, connection: &str) -> Result<bool, EngineError> {
    let is_known = is_known(tx.project(), connection);
    Ok(is_known && (!is_subscription(connection) || stored::get(tx, connection)?.is_some()))
}

/// Waiting again, with all the time that a new one has.
pub(crate) fn put_back(tx: &EngineTx, delivery: &Delivery, body: Option<&str>) -> Result<(), EngineError> {
    let mut values = vec![
        ("state", Value::Text(DeliveryState::Waiting.name().to_owned())),
        ("next_at", Value::Timestamp(tx.now())),
        ("first_at", Value::Null),
        ("ended_at", Value::Null),
        ("claimed", Value::Boolean(false)),
        ("in_lane", Value::Boolean(delivery.lane.is_some())),
    ];
    // What steps have kept belongs to what was sent then; who sends anew begins anew.
    if body.is_some() || delivery.state == DeliveryState::Delivered {
        values.push(("journal", Value::Null));
    }
    if let Some(body) = body {
        values.push(("body", Value::Json(body.to_owned())));
    }
    deliveries::set(tx, delivery.id, values)?;
    let Some(lane) = &delivery.lane else { return Ok(()) };
    if !delivery.in_lane {
        return lanes::join(tx, &delivery.connection, lane);
    }
    if delivery.state.is_stopped() {
        // The lane waited for this decision.
        return lanes::block(tx, &delivery.connection, lane, is_lane_stopped(tx, delivery)?);
    }
    lanes::wait(tx, &delivery.connection, lane, tx.now())
}

/// Whether another delivery of the lane waits for a person.
fn is_lane_stopped(tx: &EngineTx, delivery: &Delivery) -> Result<bool, EngineError> {
    for state in [DeliveryState::Dead, DeliveryState::Asking] {
        let wanted = deliveries::Wanted {
            connection: Some(delivery.connection.clone()),
            lane: delivery.lane.clone(),
            state: Some(state),
            ..deliveries::Wanted::default()
        };
        let others = deliveries::list(tx, &wanted, Direction::Ascending, 2)?;
        if others.iter().any(|d| d.id != delivery.id && d.in_lane) {
            return Ok(true);
        }
    }
    Ok(false)
}
