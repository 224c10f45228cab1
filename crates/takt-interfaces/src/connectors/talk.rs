//! A delivery in several calls: a function of the project's logic leads the talk, over this connection only; what its
//! steps gave is kept with the delivery, so that a later attempt goes on behind them.
//!
//! Invariant: if a call ended without an answer, the attempt is unknown, unless the function goes on and succeeds: it may
//! have looked whether the other side has it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Map, Value as Json, json};
use takt_model::{Connection, ExportRef, Project};
use takt_outbound::{Request, Response};
use tokio::runtime::Handle;

use super::{Job, http};
use crate::{Ended, Outcome, interfaces::House, masks, outcome, payload};

/// Calls of one attempt.
const MOST_CALLS: u32 = 50;

/// The means of a delivering function. Its calls block the thread that they are made on.
pub struct Talk {
    house: Arc<House>,
    project: Arc<Project>,
    connection: Connection,
    idempotency_header: Option<String>,
    job: Job,
    runtime: Handle,
    until: Instant,
    /// Shared with who waits for the talk, in case it does not come back.
    calls: Arc<AtomicU32>,
    journal: Map<String, Json>,
    /// The last answer, for people.
    last: Option<(u16, String)>,
    /// The beginning of the last body that was sent.
    sent: Option<String>,
    /// How the last call that was no success ended.
    trouble: Option<Outcome>,
    unknown: bool,
    refused: bool,
    retry_after: Option<Duration>,
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
            job,
            runtime: Handle::current(),
            until: Instant::now() + timeout,
            calls: Arc::default(),
            last: None,
            sent: None,
            trouble: None,
            unknown: false,
            refused: false,
            retry_after: None,
        }
    }

    /// One call: `{ method, path, query, headers, body, accept }` as JSON text; gives `{ status, body }`.
    ///
    /// # Errors
    /// A sentence: no answer, or a status that is neither a success nor in `accept`.
    pub fn call(&mut self, request: &str) -> Result<String, String> {
        if self.calls.fetch_add(1, Ordering::Relaxed) >= MOST_CALLS {
            return Err(format!("one delivery makes at most {MOST_CALLS} calls"));
        }
        let asked: Json = serde_json::from_str(request).map_err(|_| "this is no request".to_owned())?;
        let (house, runtime) = (Arc::clone(&self.house), self.runtime.clone());
        let header = self.idempotency_header.as_deref();
        let made = http::spoken(&house, &self.connection, header, &self.job, &asked);
        let request = runtime.block_on(made).map_err(|not_made| {
            self.trouble = Some(not_made.outcome);
            not_made.reason
        })?;
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            self.trouble = Some(Outcome::Failed);
            return Err("the time for this attempt is over".to_owned());
        }
        let purpose = format!("{}.{}", self.connection.id, self.job.delivery.operation);
        if !request.body.is_empty() {
            self.sent = Some(masks::beginning(&request.body));
        }
        let request = Request { timeout: Some(left), ..request };
        match runtime.block_on(house.outbound.send(&purpose, request)) {
            Ok(response) => self.answered(&asked, &response),
            Err(error) => {
                let ended = Ended::of_error(&error);
                self.unknown |= ended.outcome == Outcome::Unknown;
                self.trouble = Some(ended.outcome);
                Err(error.to_string())
            }
        }
    }

    fn answered(&mut self, asked: &Json, response: &Response) -> Result<String, String> {
        let text = String::from_utf8_lossy(&response.body).into_owned();
        let status = response.status;
        self.last = Some((status, payload::head(&text, http::RESPONSE_HEAD)));
        let accepted: Vec<u16> = asked["accept"]
            .as_array()
            .map(|list| list.iter().filter_map(|s| u16::try_from(s.as_u64()?).ok()).collect())
            .unwrap_or_default();
        let class = outcome::of_status(status, &accepted);
        if class == Outcome::Ok {
            let body = serde_json::from_str(&text).unwrap_or(Json::String(text));
            return Ok(json!({ "status": status, "body": body }).to_string());
        }
        self.trouble = Some(class);
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
        let (outcome, error, result) = match result {
            Ok(result) => (Outcome::Ok, None, Some(result)),
            Err(why) => {
                (blame(self.refused, self.unknown, self.trouble), Some(payload::head(&why, 500)), None)
            }
        };
        let (retry_after, sent) = (self.retry_after, self.sent);
        Ended { outcome, status, response, error, retry_after, gone: false, journal, result, sent }
    }
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
    let Some(functions) = house.bodies() else {
        return Ended::without_answer(Outcome::Failed, "no function can run now");
    };
    let talk = Talk::new(house, project, connection, idempotency_header, job, timeout);
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
