//! The test of a receiver: one signed `takt.test` event, sent at once and by nobody's schedule; what came of it, so that
//! a person can be told what is wrong. No delivery is stored, and nothing is tried again.

use std::time::{Duration, Instant};

use takt_model::{Connection, Deliver, OperationKind, Protocol, Uuid};
use takt_outbound::{ConnectStep, OutboundError};

use crate::{
    Interfaces, InterfacesError,
    connectors::{Job, http},
    outcome::micros,
};

/// The name of the event that is sent.
const EVENT: &str = "takt.test";
/// Whoever presses the button waits for it.
const PATIENCE: Duration = Duration::from_secs(10);

/// What came of a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// What it means.
    pub verdict: Verdict,
    /// HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// How long it took: microseconds.
    pub took: i64,
    /// The first bytes of the answer.
    pub answer: Option<String>,
    /// Host and port that were called.
    pub host: String,
    /// Where a redirect leads, or the words of the network.
    pub detail: Option<String>,
}

/// What the end of a test means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The receiver took it.
    Arrived,
    /// It was not sent: a secret is missing, the address is none.
    NotSent,
    /// The address leads into the own network.
    Private,
    /// No machine has this name.
    NoName,
    /// Nobody listens there.
    Refused,
    /// The certificate is not trusted.
    Tls,
    /// No way leads there.
    NoRoute,
    /// No answer in time.
    Silent,
    /// The connection broke, or the answer had no end.
    Broken,
    /// The answer leads elsewhere, and nobody follows.
    Redirect,
    /// 410: nobody wants to hear from us any more.
    Gone,
    /// 401 or 403.
    Denied,
    /// 404 or 405.
    NotThere,
    /// Another status that is no success.
    Status,
}

impl Verdict {
    fn of_status(status: u16) -> Self {
        match status {
            200..=299 => Self::Arrived,
            300..=399 => Self::Redirect,
            401 | 403 => Self::Denied,
            404 | 405 => Self::NotThere,
            410 => Self::Gone,
            _ => Self::Status,
        }
    }

    fn of_error(error: &OutboundError) -> Self {
        match error {
            OutboundError::Invalid(_) => Self::NotSent,
            OutboundError::PrivateAddress { .. } => Self::Private,
            OutboundError::Timeout { .. } => Self::Silent,
            OutboundError::Connect { step, .. } => match step {
                ConnectStep::Name => Self::NoName,
                ConnectStep::Refused => Self::Refused,
                ConnectStep::Tls => Self::Tls,
                ConnectStep::Route => Self::NoRoute,
            },
            OutboundError::Lost { .. } | OutboundError::TooLarge { .. } | OutboundError::Broken { .. } => {
                Self::Broken
            }
        }
    }
}

impl Interfaces {
    /// Sends one signed `takt.test` event to a webhook that goes out, whether it is paused or not. For somebody it is
    /// written to the audit before it leaves.
    ///
    /// # Errors
    /// [`InterfacesError::UnknownConnection`], [`InterfacesError::NoWebhook`], or the engine's.
    pub async fn probe(&self, connection: &str) -> Result<Probe, InterfacesError> {
        let project = self.house.engine.project();
        let found = project.connection(connection);
        let found = found.ok_or_else(|| InterfacesError::UnknownConnection(connection.to_owned()))?;
        if found.connect.protocol != Protocol::WebhookOut {
            return Err(InterfacesError::NoWebhook(connection.to_owned()));
        }
        if let Some(deed) = self.deed("webhook.test", format!("connection {connection}")) {
            self.house.engine.note_deed(deed).await?;
        }
        let (deliver, job) = (Deliver::webhook(Vec::new()), self.test(found));
        let begun = Instant::now();
        let made = http::request(&self.house, &project, found, &deliver, &job).await;
        let host = takt_outbound::host_of_address(&found.connect.address).unwrap_or_default();
        let empty =
            Probe { verdict: Verdict::NotSent, status: None, took: 0, answer: None, host, detail: None };
        let mut request = match made {
            Ok(request) => request,
            Err(not_made) => return Ok(Probe { detail: Some(not_made.reason), ..empty }),
        };
        request.timeout = Some(PATIENCE.min(found.guard.timeout));
        let answered = self.house.outbound.ask(&format!("{connection}: test"), request).await;
        let took = micros(begun.elapsed());
        Ok(match answered {
            // As for a delivery: the status says whether it was taken, whatever became of the body.
            Ok(takt_outbound::Answered { response, .. }) => {
                let text = String::from_utf8_lossy(&response.body);
                let location = response.headers.get(::http::header::LOCATION).and_then(|v| v.to_str().ok());
                Probe {
                    verdict: Verdict::of_status(response.status),
                    status: Some(response.status),
                    took,
                    answer: (!text.is_empty()).then(|| crate::payload::head(&text, http::RESPONSE_HEAD)),
                    detail: location.map(|l| crate::payload::head(l, 200)),
                    ..empty
                }
            }
            Err(error) => {
                Probe { verdict: Verdict::of_error(&error), took, detail: Some(reason(&error)), ..empty }
            }
        })
    }

    /// The test as a call that nobody stores.
    fn test(&self, connection: &Connection) -> Job {
        let says = format!("A test of the connection {}. It means nothing.", connection.id);
        let payload = serde_json::json!({ "message": says }).to_string();
        let operation = connection.operations.iter().find(|o| matches!(o.kind, OperationKind::Deliver(_)));
        let operation = operation.map_or("", |o| o.name.as_str());
        let (id, now) = (Uuid::new_v4(), self.house.engine.now());
        Job::unstored(id, &connection.id, operation, EVENT.to_owned(), payload, now)
    }
}

/// The words of the network, without the host, which is told anyway.
pub(crate) fn reason(error: &OutboundError) -> String {
    match error {
        OutboundError::Invalid(reason)
        | OutboundError::Connect { reason, .. }
        | OutboundError::Lost { reason, .. }
        | OutboundError::Broken { reason, .. } => reason.clone(),
        OutboundError::PrivateAddress { .. }
        | OutboundError::Timeout { .. }
        | OutboundError::TooLarge { .. } => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_and_errors_have_their_verdicts() {
        for (status, verdict) in [
            (200, Verdict::Arrived),
            (204, Verdict::Arrived),
            (302, Verdict::Redirect),
            (401, Verdict::Denied),
            (404, Verdict::NotThere),
            (410, Verdict::Gone),
            (500, Verdict::Status),
        ] {
            assert_eq!(Verdict::of_status(status), verdict, "{status}");
        }
        let failed = |step| OutboundError::Connect { host: "x".into(), step, reason: "y".into() };
        for (error, verdict) in [
            (failed(ConnectStep::Name), Verdict::NoName),
            (failed(ConnectStep::Refused), Verdict::Refused),
            (failed(ConnectStep::Tls), Verdict::Tls),
            (OutboundError::PrivateAddress { host: "x".into() }, Verdict::Private),
            (OutboundError::Lost { host: "x".into(), reason: "y".into() }, Verdict::Broken),
        ] {
            assert_eq!(Verdict::of_error(&error), verdict, "{error}");
        }
    }
}
