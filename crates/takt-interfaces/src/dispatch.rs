//! From the outbox to deliveries: each event becomes one delivery for each connection and consumer that wants it.
//! Invariant: the deliveries and the mark on the event commit together, so an event is dispatched exactly once.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde_json::Value as Json;
use takt_engine::{EngineError, EngineTx};
use takt_model::{OperationKind, Project, event_fits};

use crate::{
    FUNCTIONS, payload,
    rows::{connections, deliveries, events, lanes},
};

/// Events of one transaction.
const BATCH: u64 = 256;

/// Who wants which events, and who is asked how often.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Routes {
    routes: Vec<Route>,
    pub(crate) polls: Vec<PollRoute>,
    /// Those to which deliveries go, each once.
    pub(crate) connections: Vec<String>,
}

/// A question on a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct PollRoute {
    pub(crate) connection: String,
    pub(crate) operation: String,
    pub(crate) every: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Route {
    connection: String,
    operation: String,
    on: Vec<String>,
    lane: Option<String>,
}

impl Routes {
    /// The connections of `project`, and consumers as `(function, names of events)`.
    pub(crate) fn of(project: &Project, consumers: Vec<(String, Vec<String>)>) -> Self {
        let (mut routes, mut polls) = (Vec::new(), Vec::new());
        for connection in &project.connections {
            // One that is off still has a pump: what waits for it goes out once it is on.
            let on = connection.takes_events();
            for operation in &connection.operations {
                let (connection, operation_name) = (connection.id.clone(), operation.name.clone());
                match &operation.kind {
                    OperationKind::Deliver(deliver) => routes.push(Route {
                        connection,
                        operation: operation_name,
                        on: if on { deliver.on.clone() } else { Vec::new() },
                        lane: deliver.lane.clone(),
                    }),
                    OperationKind::Poll(poll) => {
                        polls.push(PollRoute { connection, operation: operation_name, every: poll.every });
                    }
                    OperationKind::Receive(_) => {}
                }
            }
        }
        let consumer =
            |(operation, on)| Route { connection: FUNCTIONS.to_owned(), operation, on, lane: None };
        routes.extend(consumers.into_iter().map(consumer));
        let delivering = routes.iter().map(|r| &r.connection);
        let mut connections: Vec<String> =
            delivering.chain(polls.iter().map(|p| &p.connection)).cloned().collect();
        connections.sort();
        connections.dedup();
        Self { routes, polls, connections }
    }

    /// Whether somebody wants such events.
    pub(crate) fn are_waited_for(&self, event: &str) -> bool {
        self.wanting(event).next().is_some()
    }

    fn wanting<'r>(&'r self, event: &'r str) -> impl Iterator<Item = &'r Route> {
        self.routes.iter().filter(move |r| r.on.iter().any(|pattern| event_fits(pattern, event)))
    }
}

/// What one round gave.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Dispatched {
    /// Which connections got something; the others need not look.
    pub(crate) connections: BTreeSet<String>,
    /// Whether there may be more.
    pub(crate) is_full: bool,
}

/// Dispatches the oldest events.
pub(crate) fn dispatch(tx: &EngineTx, routes: &Routes) -> Result<Dispatched, EngineError> {
    let waiting = events::undispatched(tx, BATCH)?;
    if waiting.is_empty() {
        return Ok(Dispatched::default());
    }
    let mut new = Vec::new();
    let mut joined: BTreeMap<&str, BTreeMap<String, i64>> = BTreeMap::new();
    for event in &waiting {
        let mut parsed = None;
        for route in routes.wanting(&event.name) {
            let lane = route.lane.as_deref().map(|path| {
                let payload =
                    parsed.get_or_insert_with(|| serde_json::from_str(&event.payload).unwrap_or_default());
                lane_at(event, payload, path)
            });
            if let Some(lane) = &lane {
                *joined.entry(&route.connection).or_default().entry(lane.clone()).or_default() += 1;
            }
            new.push(deliveries::New {
                event,
                connection: &route.connection,
                operation: &route.operation,
                lane,
            });
        }
    }
    for (connection, more) in &joined {
        lanes::join_all(tx, connection, more)?;
    }
    if !new.is_empty() {
        deliveries::insert(tx, &new)?;
    }
    events::mark(tx, &waiting)?;
    let connections = new.iter().map(|n| n.connection.to_owned()).collect();
    Ok(Dispatched { connections, is_full: waiting.len() as u64 == BATCH })
}

/// Asks a question now, unless the one before it has not ended. What it asks with is an event like any other, so that
/// its attempts can be seen.
pub(crate) fn ask(tx: &EngineTx, poll: &PollRoute) -> Result<bool, EngineError> {
    let name = format!("{}.{}.due", poll.connection, poll.operation);
    // A connection that a person has stopped is not asked; what it would have said is old when it goes on.
    let is_stopped = connections::status(tx, &poll.connection)?.paused;
    if is_stopped || deliveries::is_asked(tx, &poll.connection, &poll.operation)? {
        return Ok(false);
    }
    let event = events::insert_dispatched(tx, &name)?;
    let (connection, operation) = (poll.connection.as_str(), poll.operation.as_str());
    deliveries::insert(tx, &[deliveries::New { event: &event, connection, operation, lane: None }])?;
    Ok(true)
}

/// The ordering key of an event. Without a value there, the event's own key; without that, all such go one by one:
/// a missing key must not let anything overtake.
fn lane_at(event: &events::Event, payload: &Json, path: &str) -> String {
    let found = payload::at(payload, path).and_then(payload::text);
    let lane = found.or_else(|| event.key.clone()).unwrap_or_default();
    // No table takes a NUL, and one event must not keep all others from being dispatched.
    if lane.contains('\0') { lane.replace('\0', "\u{fffd}") } else { lane }
}

/// The ordering key of an event for one operation; none where order does not matter.
pub(crate) fn lane_of(
    project: &Project,
    connection: &str,
    operation: &str,
    event: &events::Event,
) -> Option<String> {
    let operations = &project.connection(connection)?.operations;
    let OperationKind::Deliver(deliver) = &operations.iter().find(|o| o.name == operation)?.kind else {
        return None;
    };
    let payload = serde_json::from_str(&event.payload).unwrap_or_default();
    deliver.lane.as_deref().map(|path| lane_at(event, &payload, path))
}
