//! How a delivery reaches the other side: one file for each language of the wire.
//! What the rooms above lend (functions of `logic/`, secrets) stands here as traits.

pub(crate) mod http;
mod look_up;
mod mail;
mod oauth2;
mod rpc;
mod talk;

pub use mail::readable_sender;
pub(crate) use oauth2::{Holder, Token};
pub use talk::Talk;
pub(crate) use talk::ask_for_list;

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use takt_model::{Connection, Deliver, Operation, OperationKind, Project, Protocol, Uuid};
use takt_outbound::Secret;

use crate::{
    Delivery, DeliveryState, Ended, FUNCTIONS, Outcome,
    contract::{Place, kept_answer},
    interfaces::House,
    rows::events::Event,
};

/// A future on the heap.
pub type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Values of secrets by name.
pub trait Secrets: Send + Sync {
    /// The value, if somebody has set it.
    fn secret(&self, name: &str) -> Option<Secret>;
    /// Encrypts a value for the database; `name` is bound to it.
    fn seal(&self, name: &str, value: &Secret) -> Option<Vec<u8>>;
    /// Decrypts what [`Secrets::seal`] made under this name.
    fn open(&self, name: &str, sealed: &[u8]) -> Option<Secret>;
}

/// An event as a consumer gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consumed {
    /// Id of the event: the same for every repeat.
    pub id: Uuid,
    /// `order.placed`
    pub name: String,
    /// The key given to `emit`.
    pub key: Option<String>,
    /// JSON text.
    pub payload: String,
    /// When it was emitted: microseconds since 1970 UTC.
    pub at: i64,
}

/// Consumers of events in the project's logic.
pub trait Consume: Send + Sync {
    /// Each function with the names of its events.
    fn consumers(&self) -> Vec<(String, Vec<String>)>;
    /// Runs one, exactly once in effect for each event.
    fn consume(&self, function: &str, event: Consumed) -> Boxed<Ended>;
}

/// Functions of the project's logic that make bodies, or deliver in several calls.
pub trait MakeBody: Send + Sync {
    /// The JSON text that `export` of `file` makes of `input`; an error is a sentence.
    fn make(&self, file: &str, export: &str, input: String) -> Boxed<Result<String, String>>;
    /// Lets `export` of `file` deliver `input` in several calls of `talk`, which comes back in any case but when no
    /// function could run.
    fn talk(
        &self,
        file: &str,
        export: &str,
        input: String,
        talk: Talk,
    ) -> Boxed<(Result<String, String>, Option<Talk>)>;
}

/// A claimed delivery with its event.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) delivery: Delivery,
    pub(crate) event: Event,
    pub(crate) attempt: Uuid,
    /// From 1.
    pub(crate) number: u32,
}

impl Job {
    /// A call that no delivery is stored for: a question, a test. `id` names it to the other side, `at` is its moment.
    pub(crate) fn unstored(
        id: Uuid,
        connection: &str,
        operation: &str,
        name: String,
        payload: String,
        at: i64,
    ) -> Self {
        let delivery = Delivery {
            id,
            event: id,
            name: name.clone(),
            connection: connection.to_owned(),
            operation: operation.to_owned(),
            lane: None,
            state: DeliveryState::Waiting,
            attempts: 1,
            next_at: at,
            created_at: at,
            first_at: Some(at),
            ended_at: None,
            outcome: None,
            error: None,
            cause: None,
            story: None,
            body: None,
            journal: None,
            claimed: true,
            in_lane: false,
        };
        let event = Event { id, name, key: None, payload, story: None, at };
        Self { delivery, event, attempt: id, number: 1 }
    }

    /// What is sent: what a person wrote, else what was emitted.
    pub(crate) fn payload(&self) -> &str {
        self.delivery.body.as_deref().unwrap_or(&self.event.payload)
    }
}

/// What is about to be asked, for the attempt's row; no value of the event stands in it.
pub(crate) fn describe(project: &Project, job: &Job) -> String {
    if job.delivery.connection == FUNCTIONS {
        return format!("function {}", job.delivery.operation);
    }
    let Some((connection, operation)) = operation(project, &job.delivery) else {
        return "an operation that the project no longer has".to_owned();
    };
    if kept_answer(job.delivery.journal.as_deref(), http::ANSWER).is_some() {
        return "judges the kept answer anew; nothing is sent".to_owned();
    }
    let address = connection.connect.shown_address();
    match &operation.kind {
        OperationKind::Deliver(deliver) => match (&deliver.run, &deliver.request, &deliver.mail) {
            (Some(_), _, _) => format!("several calls to {address}"),
            (None, Some(request), _) => format!("{} {address}{}", request.method, request.path),
            (None, None, Some(mail)) => format!("mail {}", mail.template),
            (None, None, None) => format!("POST {address}"),
        },
        OperationKind::Poll(_) => format!("asks {address}"),
        OperationKind::Receive(_) => "nothing: this operation only receives".to_owned(),
    }
}

/// The operation of a delivery, as the project has it now.
pub(crate) fn operation<'p>(
    project: &'p Project,
    delivery: &Delivery,
) -> Option<(&'p Connection, &'p Operation)> {
    let connection = project.connection(&delivery.connection)?;
    let operation = connection.operations.iter().find(|o| o.name == delivery.operation)?;
    Some((connection, operation))
}

/// Makes one attempt.
pub(crate) async fn send(house: &Arc<House>, job: Job, timeout: Duration) -> Ended {
    if job.delivery.connection == FUNCTIONS {
        let Some(functions) = house.functions() else {
            return Ended::without_answer(Outcome::Failed, "no function can run now");
        };
        if let Some(stop) = message_stop(house, &job) {
            return stop;
        }
        let payload = job.payload().to_owned();
        let Event { id, name, key, at, .. } = job.event;
        return functions.consume(&job.delivery.operation, Consumed { id, name, key, payload, at }).await;
    }
    let project = house.engine.project();
    let Some((connection, operation)) = operation(&project, &job.delivery) else {
        return Ended::without_answer(Outcome::Refused, "the project no longer has this operation");
    };
    match &operation.kind {
        OperationKind::Deliver(deliver) => {
            if let Some(known) = look_up::first(house, &project, connection, deliver, &job, timeout).await {
                return known;
            }
            deliver_to(house, &project, connection, deliver, job, timeout).await
        }
        OperationKind::Poll(poll) => {
            let mut ended = talk::run(house, &project, connection, &poll.run, None, job, timeout).await;
            if let (Outcome::Ok, None, Some(result)) = (ended.outcome, &ended.judged.stop, &ended.result) {
                let place = Place { connection: &connection.id, operation: &operation.name, step: "" };
                ended.judged.and(house.judge_figures(place, &poll.plausible, result));
                ended.error.clone_from(&ended.judged.stop);
            }
            ended
        }
        OperationKind::Receive(_) => {
            Ended::without_answer(Outcome::Refused, "the project no longer delivers by this operation")
        }
    }
}

/// The end of a delivery to a function whose message came in and breaks its contract: it is parked, nothing has run.
fn message_stop(house: &House, job: &Job) -> Option<Ended> {
    let project = house.engine.project();
    let (connection, operation) = received(&project, &job.event.name)?;
    if !house.watch.contracts().has(&connection.id, &operation.name) {
        // Most messages: nothing is read twice.
        return None;
    }
    let message = serde_json::from_str(job.payload()).unwrap_or_default();
    let place = Place { connection: &connection.id, operation: &operation.name, step: "" };
    let judged = house.stops(&project, place, &message)?;
    let stop = judged.stop.clone().unwrap_or_default();
    Some(Ended { judged, ..Ended::without_answer(Outcome::Ok, stop) })
}

/// The operation by which an event's message came in: `payment.payment_intent.succeeded`.
pub(crate) fn received<'p>(project: &'p Project, event: &str) -> Option<(&'p Connection, &'p Operation)> {
    let (id, kind) = event.split_once('.').map_or((event, None), |(id, kind)| (id, Some(kind)));
    let connection = project.connection(id).filter(|c| c.connect.protocol == Protocol::WebhookIn)?;
    let wants = |o: &&Operation| match &o.kind {
        OperationKind::Receive(r) => {
            r.accept.is_empty() || kind.is_some_and(|k| r.accept.iter().any(|a| a == k))
        }
        OperationKind::Deliver(_) | OperationKind::Poll(_) => false,
    };
    Some((connection, connection.operations.iter().find(wants)?))
}

async fn deliver_to(
    house: &Arc<House>,
    project: &Arc<Project>,
    connection: &Connection,
    deliver: &Deliver,
    job: Job,
    timeout: Duration,
) -> Ended {
    if let Some(run) = &deliver.run {
        let header = deliver.idempotency_header.as_deref();
        return talk::run(house, project, connection, run, header, job, timeout).await;
    }
    match connection.connect.protocol {
        Protocol::Rest | Protocol::JsonRpc | Protocol::WebhookOut => {
            http::send(house, project, connection, deliver, &job, timeout).await
        }
        Protocol::Smtp => mail::send(house, project, connection, deliver, &job, timeout).await,
        Protocol::WebhookIn => {
            Ended::without_answer(Outcome::Refused, "nothing can be delivered to webhooks that come in")
        }
    }
}
