//! A delivery in several calls: a function of the project's logic leads the talk, over this connection only; what its
//! steps gave is kept with the delivery, so that a later attempt goes on behind them.
//!
//! Invariant: if a call ended without an answer, the attempt is unknown, unless the function goes on and succeeds: it may
//! have looked whether the other side has it.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Map, Value as Json, json};
use takt_model::{Connection, ExportRef, Project, Protocol};
use takt_outbound::{Answered, OutboundError, Request, Response};
use tokio::runtime::Handle;

use super::{Job, http, rpc};
use crate::{
    Cause, Direction, Ended, Judged, Outcome,
    contract::{Answer, Place, Whose, call_key},
    interfaces::House,
    masks, outcome, payload,
};

/// Calls of one attempt.
const MOST_CALLS: u32 = 50;
/// Calls of one comparison: lists come page by page.
const MOST_CALLS_OF_LISTS: u32 = 500;

/// The means of a delivering function. Its calls block the thread that they are made on.
pub struct Talk {
    house: Arc<House>,
    project: Arc<Project>,
    connection: Connection,
    idempotency_header: Option<String>,
    job: Job,
    runtime: Handle,
    until: Instant,
    most_calls: u32,
    /// Shared with who waits for the talk, in case it does not come back.
    calls: Arc<AtomicU32>,
    journal: Map<String, Json>,
    /// How many answers of an earlier attempt each call has been given in this one.
    given: HashMap<String, u32>,
    /// The last answer, for people.
    last: Option<(u16, String)>,
    /// The beginning of the last body that was sent.
    sent: Option<String>,
    /// How the last call that was no success ended.
    trouble: Option<Outcome>,
    /// Why, if we know it ourselves.
    cause: Option<Cause>,
    unknown: bool,
    refused: bool,
    retry_after: Option<Duration>,
    /// What the messages were like beside their contracts; if it says stop, nothing leaves any more.
    judged: Judged,
}

impl Talk {
    fn new(
        house: &Arc<House>,
        project: &Arc<Project>,
        connection: &Connection,
        idempotency_header: Option<&str>,
        job: Job,
        timeout: Duration,
    ) -> Self {
        let kept = job.delivery.journal.as_deref().and_then(|text| serde_json::from_str(text).ok());
        Self {
            house: Arc::clone(house),
            project: Arc::clone(project),
            connection: connection.clone(),
            idempotency_header: idempotency_header.map(str::to_owned),
            journal: kept.unwrap_or_default(),
            given: HashMap::new(),
            job,
            runtime: Handle::current(),
            until: Instant::now() + timeout,
            most_calls: MOST_CALLS,
            calls: Arc::default(),
            last: None,
            sent: None,
            trouble: None,
            cause: None,
            unknown: false,
            refused: false,
            retry_after: None,
            judged: Judged::default(),
        }
    }

    /// Whether the other side speaks JSON-RPC: then a call is `{ method, params, headers, as }`, and its body the result.
    #[must_use]
    pub fn is_rpc(&self) -> bool {
        self.connection.connect.protocol == Protocol::JsonRpc
    }

    /// One call: `{ method, path, query, headers, body, accept, as }` as JSON text; gives `{ status, body }`. `as` names
    /// its contract.
    ///
    /// # Errors
    /// A sentence: no answer, a status that is neither a success nor in `accept`, or a message that breaks its contract.
    pub fn call(&mut self, request: &str) -> Result<String, String> {
        if self.calls.fetch_add(1, Ordering::Relaxed) >= self.most_calls {
            return Err(format!("at most {} calls are made at once", self.most_calls));
        }
        let asked: Json = serde_json::from_str(request).map_err(|_| "this is no request".to_owned())?;
        if let Some(stop) = &self.judged.stop {
            return Err(stop.clone());
        }
        let step = asked["as"].as_str().unwrap_or_default();
        if let Some(answer) = self.kept_answer(&asked, step) {
            return answer;
        }
        self.may_leave(step, &asked[if self.is_rpc() { "params" } else { "body" }])?;
        let (house, runtime) = (Arc::clone(&self.house), self.runtime.clone());
        let header = self.idempotency_header.as_deref();
        let made = http::spoken(&house, &self.connection, header, &self.job, &asked);
        let request = runtime.block_on(made).map_err(|not_made| {
            (self.trouble, self.cause) = (Some(not_made.outcome), not_made.cause);
            not_made.reason
        })?;
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            (self.trouble, self.cause) = (Some(Outcome::Failed), Some(Cause::Timeout));
            return Err("the time for this attempt is over".to_owned());
        }
        let purpose = format!("{}.{}", self.connection.id, self.job.delivery.operation);
        if !request.body.is_empty() {
            self.sent = Some(masks::beginning(&request.body));
        }
        let request = Request { timeout: Some(left), ..request };
        match runtime.block_on(house.outbound.ask(&purpose, request)) {
            Ok(Answered { response, unread }) => match unread.filter(|_| is_taken(&asked, response.status)) {
                // The function needs what the body says.
                Some(why) => Err(self.lost(&why)),
                None => self.answered(&asked, &response),
            },
            Err(error) => Err(self.lost(&error)),
        }
    }

    /// A call that brought no answer that could be read.
    fn lost(&mut self, error: &OutboundError) -> String {
        let ended = Ended::of_error(error);
        self.unknown |= ended.outcome == Outcome::Unknown;
        (self.trouble, self.cause) = (Some(ended.outcome), ended.cause);
        error.to_string()
    }

    /// A body that breaks its contract does not leave; trying again makes no sense.
    fn may_leave(&mut self, step: &str, body: &Json) -> Result<(), String> {
        let allowed = http::may_leave(&self.house, &self.project, &self.connection, &self.job, step, body);
        allowed.map_err(|http::NotMade { reason, mut judged, .. }| {
            judged.stop = None;
            self.judged.and(judged);
            self.refused = true;
            reason
        })
    }

    /// The answer of an earlier attempt that waited for a decision, judged anew: that call is not made again. It stays
    /// until the delivery has ended, because a later call may stop this attempt too.
    fn kept_answer(&mut self, asked: &Json, step: &str) -> Option<Result<String, String>> {
        let call = call_key(asked);
        let next = self.given.get(&call).copied().unwrap_or_default() + 1;
        let kept = self.journal.get(&numbered(&call, next))?.clone();
        let kept: Answer = serde_json::from_value(kept).ok()?;
        self.given.insert(call, next);
        Some(match &kept.body {
            Some(text) => {
                let (judged, body) = self.judge(step, kept.status, text);
                self.judged.and(judged.again());
                match self.judged.stop.clone() {
                    None => Ok(json!({ "status": kept.status, "body": body }).to_string()),
                    Some(stop) => Err(stop),
                }
            }
            None => {
                self.refused = true;
                Err("its answer was too large to be kept, and the call is not made again".to_owned())
            }
        })
    }

    /// Gives an answer to the function, unless it breaks its contract: then it is kept, and the talk ends here.
    fn judged(&mut self, asked: &Json, status: u16, text: &str) -> Result<String, String> {
        let (judged, body) = self.judge(asked["as"].as_str().unwrap_or_default(), status, text);
        self.judged.and(judged);
        let Some(stop) = self.judged.stop.clone() else {
            return Ok(json!({ "status": status, "body": body }).to_string());
        };
        // A question may be asked again; anything else has had its effect there, and of JSON-RPC nobody can tell.
        if self.is_rpc() || !matches!(asked["method"].as_str(), None | Some("GET" | "HEAD")) {
            let call = call_key(asked);
            let mut next = 1;
            while self.journal.contains_key(&numbered(&call, next)) {
                next += 1;
            }
            self.given.insert(call.clone(), next);
            self.journal.insert(numbered(&call, next), Answer::new(status, text).to_json());
        }
        Err(stop)
    }

    /// An answer beside its contract, and as JSON; only successes have one.
    fn judge(&self, step: &str, status: u16, text: &str) -> (Judged, Json) {
        let body = match self.is_rpc() {
            true => rpc::result(text).unwrap_or_default(),
            false => serde_json::from_str(text).unwrap_or_else(|_| Json::from(text)),
        };
        if !(200..300).contains(&status) {
            return (Judged::default(), body);
        }
        let (connection, operation) = (self.connection.id.as_str(), self.job.delivery.operation.as_str());
        let place = Place { connection, operation, step };
        let judged = self.house.judge(&self.project, place, Direction::Response, Whose::Theirs, &body);
        (judged, body)
    }

    fn answered(&mut self, asked: &Json, response: &Response) -> Result<String, String> {
        let text = String::from_utf8_lossy(&response.body).into_owned();
        let status = response.status;
        self.last = Some((status, payload::head(&text, http::RESPONSE_HEAD)));
        let class = class_of(asked, status);
        let told = match self.is_rpc() {
            true if class == Outcome::Ok => rpc::result(&text).err(),
            true => rpc::error(&text).map(|told| rpc::NoResult { outcome: class, ..told }),
            false => None,
        };
        if class == Outcome::Ok && told.is_none() {
            return self.judged(asked, status, &text);
        }
        if let Some(told) = told {
            (self.trouble, self.cause) = (Some(told.outcome), None);
            return Err(format!("{}: {}", asked["method"].as_str().unwrap_or_default(), told.reason));
        }
        (self.trouble, self.cause) = (Some(class), None);
        self.retry_after = http::asked_to_wait(response, self.house.engine.now() / 1_000_000);
        let (method, path) =
            (asked["method"].as_str().unwrap_or("GET"), asked["path"].as_str().unwrap_or("/"));
        Err(format!("{method} {path} answered {status}: {}", payload::head(&text, 200)))
    }

    /// What a step of an earlier attempt gave, as JSON text.
    #[must_use]
    pub fn kept(&self, step: &str) -> Option<String> {
        self.journal.get(step).map(Json::to_string)
    }

    /// Keeps what a step gave.
    pub fn keep(&mut self, step: &str, result: &str) {
        let result = serde_json::from_str(result).unwrap_or(Json::Null);
        self.journal.insert(step.to_owned(), result);
    }

    /// The function says that trying again makes no sense.
    pub fn refuse(&mut self) {
        self.refused = true;
    }

    /// The function's input: the event, without what may not leave.
    fn input(&self) -> Result<String, String> {
        let mut event: Json =
            serde_json::from_str(self.job.payload()).map_err(|_| "the payload is no JSON".to_owned())?;
        payload::keep_declared(&self.project, &self.connection, &mut event);
        Ok(http::event_input(&self.job, &event).to_string())
    }

    fn ended(self, result: Result<String, String>) -> Ended {
        let journal = (!self.journal.is_empty()).then(|| Json::Object(self.journal).to_string());
        let (status, response) = self.last.unzip();
        // What the function refuses or throws by itself has words of its own.
        let cause = self.cause.filter(|_| !self.refused);
        let (outcome, error, result) = match result {
            // The call arrived; what follows from its answer waits, whatever the function made of that.
            _ if self.judged.stop.is_some() => (Outcome::Ok, self.judged.stop.clone(), None),
            Ok(result) => (Outcome::Ok, None, Some(result)),
            Err(why) => {
                (blame(self.refused, self.unknown, self.trouble), Some(payload::head(&why, 500)), None)
            }
        };
        let (retry_after, sent, judged) = (self.retry_after, self.sent, self.judged);
        Ended {
            outcome,
            status,
            response,
            error,
            cause,
            retry_after,
            gone: false,
            journal,
            result,
            judged,
            sent,
        }
    }
}

/// What a status means to a call: the function may take some that are no success.
fn class_of(asked: &Json, status: u16) -> Outcome {
    let accepted: Vec<u16> = asked["accept"]
        .as_array()
        .map(|list| list.iter().filter_map(|s| u16::try_from(s.as_u64()?).ok()).collect())
        .unwrap_or_default();
    outcome::of_status(status, &accepted)
}

fn is_taken(asked: &Json, status: u16) -> bool {
    class_of(asked, status) == Outcome::Ok
}

/// The name of the answer to the same call made for the `n`th time.
fn numbered(call: &str, n: u32) -> String {
    if n == 1 { call.to_owned() } else { format!("{call} {n}") }
}

/// How an attempt ended whose function failed.
fn blame(refused: bool, unknown: bool, trouble: Option<Outcome>) -> Outcome {
    match trouble {
        _ if unknown => Outcome::Unknown,
        _ if refused => Outcome::Refused,
        Some(trouble) => trouble,
        // It threw by itself: once somebody has mended it, it may work.
        None => Outcome::Failed,
    }
}

/// One attempt, led by the function `run`.
pub(super) async fn run(
    house: &Arc<House>,
    project: &Arc<Project>,
    connection: &Connection,
    run: &ExportRef,
    idempotency_header: Option<&str>,
    job: Job,
    timeout: Duration,
) -> Ended {
    let talk = Talk::new(house, project, connection, idempotency_header, job, timeout);
    lead(talk, run).await
}

/// Asks for a list, which may take more calls than a delivery.
pub(crate) async fn ask_for_list(
    house: &Arc<House>,
    project: &Arc<Project>,
    connection: &Connection,
    run: &ExportRef,
    job: Job,
    timeout: Duration,
) -> Ended {
    let talk = Talk::new(house, project, connection, None, job, timeout);
    lead(Talk { most_calls: MOST_CALLS_OF_LISTS, ..talk }, run).await
}

/// Lets the function `run` lead the talk.
async fn lead(talk: Talk, run: &ExportRef) -> Ended {
    let Some(functions) = talk.house.bodies() else {
        return Ended::without_answer(Outcome::Failed, "no function can run now");
    };
    let input = match talk.input() {
        Ok(input) => input,
        Err(why) => return Ended::without_answer(Outcome::Refused, why),
    };
    let calls = Arc::clone(&talk.calls);
    match functions.talk(&run.file, &run.export, input, talk).await {
        (result, Some(talk)) => talk.ended(result),
        (result, None) => {
            let nothing_left = calls.load(Ordering::Relaxed) == 0;
            let outcome = if nothing_left { Outcome::Failed } else { Outcome::Unknown };
            Ended::without_answer(outcome, result.err().unwrap_or_else(|| "the talk was lost".to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_without_an_answer_outweighs_everything_else() {
        for (refused, unknown, trouble, outcome) in [
            (false, false, None, Outcome::Failed),
            (true, false, None, Outcome::Refused),
            (true, true, Some(Outcome::Refused), Outcome::Unknown),
            (false, true, Some(Outcome::Failed), Outcome::Unknown),
            (false, false, Some(Outcome::Refused), Outcome::Refused),
            (false, false, Some(Outcome::Failed), Outcome::Failed),
        ] {
            assert_eq!(blame(refused, unknown, trouble), outcome, "{refused} {unknown} {trouble:?}");
        }
    }
}
