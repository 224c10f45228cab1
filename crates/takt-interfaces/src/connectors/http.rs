//! REST, JSON-RPC and webhooks: one request for each attempt.

use std::time::Duration;

use ::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value as Json, json};
use takt_model::{Connection, ConnectionAuth, Deliver, Project, Protocol, Value};
use takt_outbound::{Answered, OutboundError, Request, Response, Secret};

use super::{Job, oauth2, rpc};
use crate::{
    Cause, Direction, Ended, Judged, Outcome,
    contract::{Answer, Place, Whose, kept_answer},
    interfaces::House,
    masks, outcome, payload, sign,
    subscriptions::is_subscription,
};

/// The name under which the answer to the one call of a delivery is kept while it waits for a decision.
pub(super) const ANSWER: &str = "takt.answer";
/// Bytes of an answer that are kept for people.
pub(crate) const RESPONSE_HEAD: usize = 1000;

pub(super) async fn send(
    house: &House,
    project: &Project,
    connection: &Connection,
    deliver: &Deliver,
    job: &Job,
    timeout: Duration,
) -> Ended {
    if let Some(kept) = kept_answer(job.delivery.journal.as_deref(), ANSWER) {
        return judged_anew(house, project, connection, job, &kept);
    }
    let request = match request(house, project, connection, deliver, job).await {
        Ok(request) => Request { timeout: Some(timeout), ..request },
        Err(not_made) => return not_made.into_ended(),
    };
    let purpose = format!("{}.{}", connection.id, job.delivery.operation);
    let sent = masks::beginning(&request.body);
    let mut ended = match house.outbound.ask(&purpose, request).await {
        Ok(Answered { response, .. }) if oauth2::is_stale(house, connection, response.status) => {
            Ended::without_answer(Outcome::Failed, "the token was refused; a new one is asked for")
        }
        Ok(Answered { response, unread: Some(why) }) => {
            let mut ended = answered(connection, deliver, &response, house.engine.now() / 1_000_000);
            let is_needed = is_answer_needed(house, connection, job);
            unread(&mut ended, &why, is_needed);
            ended
        }
        Ok(Answered { response, unread: None }) => {
            let mut ended = answered(connection, deliver, &response, house.engine.now() / 1_000_000);
            if ended.outcome == Outcome::Ok && (200..300).contains(&response.status) {
                let text = String::from_utf8_lossy(&response.body);
                judge_answer(house, project, connection, job, &text, &mut ended);
            }
            ended
        }
        Err(error) => Ended::of_error(&error),
    };
    ended.sent = Some(sent);
    ended
}

/// Whether what follows depends on what the answer says, beyond its status.
fn is_answer_needed(house: &House, connection: &Connection, job: &Job) -> bool {
    let is_judged = house.watch.contracts().judges_answers(&connection.id, &job.delivery.operation);
    is_judged || connection.connect.protocol == Protocol::JsonRpc
}

/// What an answer means of which the status came and the body did not come whole. The status is the word of the other
/// side: what it took, it took, and what it refused, it refused. Only where the body would have said more than that,
/// nobody knows what became of what it took.
pub(super) fn unread(ended: &mut Ended, why: &OutboundError, is_needed: bool) {
    let status = ended.status.unwrap_or_default();
    // What was read of the body before it broke off says nothing, an error of JSON-RPC neither.
    let is_taken = ended.outcome == Outcome::Ok || (200..300).contains(&status);
    if is_taken && !is_needed {
        return;
    }
    if is_taken {
        (ended.outcome, ended.cause) = (Outcome::Unknown, None);
    }
    ended.error = Some(format!("answered {status}, but {why}"));
}

/// Why there is no request: it never can be, or not now.
#[derive(Debug)]
pub(crate) struct NotMade {
    pub(crate) outcome: Outcome,
    pub(crate) reason: String,
    /// Why, where we know it ourselves.
    pub(crate) cause: Option<Cause>,
    /// If it breaks its contract: how.
    pub(crate) judged: Judged,
}

impl NotMade {
    /// Ours to mend, or to wait for: trying again makes sense.
    pub(super) fn for_now(reason: impl Into<String>) -> Self {
        Self { outcome: Outcome::Failed, reason: reason.into(), cause: None, judged: Judged::default() }
    }

    /// The end of an attempt that sent nothing.
    pub(super) fn into_ended(self) -> Ended {
        let Self { outcome, reason, cause, mut judged } = self;
        judged.stop = None;
        Ended { judged, cause, ..Ended::without_answer(outcome, reason) }
    }
}

impl From<String> for NotMade {
    fn from(reason: String) -> Self {
        Self { outcome: Outcome::Refused, reason, cause: None, judged: Judged::default() }
    }
}

pub(crate) async fn request(
    house: &House,
    project: &Project,
    connection: &Connection,
    deliver: &Deliver,
    job: &Job,
) -> Result<Request, NotMade> {
    let mut event: Json =
        serde_json::from_str(job.payload()).map_err(|_| "the payload is no JSON".to_owned())?;
    let left_out = payload::keep_declared(project, connection, &mut event);
    if !left_out.is_empty() {
        let fields = left_out.join(", ");
        tracing::debug!(
            connection = connection.id,
            fields,
            "personal fields that are not declared do not leave"
        );
    }
    let (method, path) = match &deliver.request {
        Some(request) => (request.method.as_str(), payload::path(&request.path, &event)?),
        None => ("POST", String::new()),
    };
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| format!("`{method}` is no method"))?;
    let made = match &deliver.map {
        Some(map) => made(house, &map.file, &map.export, job, &event).await?,
        None => event,
    };
    may_leave(house, project, connection, job, "", &made)?;
    let body = match connection.connect.protocol {
        Protocol::WebhookOut => envelope(job, &made),
        Protocol::JsonRpc => rpc::envelope(&job.delivery.id.to_string(), &job.delivery.operation, &made),
        Protocol::Rest | Protocol::WebhookIn | Protocol::Smtp => made,
    };
    let body = body.to_string().into_bytes();
    let mut request = Request::new(method, format!("{}{path}", connection.connect.address));
    request.allow_private = connection.connect.allow_private;
    let idempotency_header = deliver.idempotency_header.as_deref();
    request.headers = headers(house, connection, idempotency_header, job, &body).await?;
    request.body = body.into();
    Ok(request)
}

/// What breaks its contract does not leave. It is judged as it was made, before an envelope is put around it.
pub(super) fn may_leave(
    house: &House,
    project: &Project,
    connection: &Connection,
    job: &Job,
    step: &str,
    body: &Json,
) -> Result<(), NotMade> {
    let place = Place { connection: &connection.id, operation: &job.delivery.operation, step };
    let judged = house.judge(project, place, Direction::Request, Whose::Ours, body);
    match judged.stop.clone() {
        Some(reason) => Err(NotMade { outcome: Outcome::Refused, reason, cause: None, judged }),
        None => Ok(()),
    }
}

/// Judges an answer by its contract; what has to wait for a decision takes its answer along.
fn judge_answer(
    house: &House,
    project: &Project,
    connection: &Connection,
    job: &Job,
    text: &str,
    ended: &mut Ended,
) {
    let place = Place { connection: &connection.id, operation: &job.delivery.operation, step: "" };
    if !house.watch.contracts().has(place.connection, place.operation) {
        return;
    }
    let mut answer: Json = serde_json::from_str(text).unwrap_or_else(|_| Json::from(text));
    if text.is_empty() {
        answer = Json::Null;
    }
    if connection.connect.protocol == Protocol::JsonRpc {
        answer = answer.get_mut("result").map(Json::take).unwrap_or_default();
    }
    ended.judged = house.judge(project, place, Direction::Response, Whose::Theirs, &answer);
    if let Some(stop) = &ended.judged.stop {
        ended.error = Some(stop.clone());
        let kept = Answer::new(ended.status.unwrap_or(200), text);
        ended.journal = Some(json!({ ANSWER: kept.to_json() }).to_string());
    }
}

/// It was sent before, and its answer waits here: judged by the contract of now, or by what a person has accepted.
fn judged_anew(house: &House, project: &Project, connection: &Connection, job: &Job, kept: &Answer) -> Ended {
    let Some(text) = &kept.body else {
        let why = "it was sent before, and its answer was too large to be kept: say that it arrived, or that it shall not leave";
        return Ended::without_answer(Outcome::Refused, why);
    };
    let mut ended = Ended::without_answer(Outcome::Ok, "");
    ended.error = None;
    ended.status = Some(kept.status);
    ended.response = (!text.is_empty()).then(|| payload::head(text, RESPONSE_HEAD));
    judge_answer(house, project, connection, job, text, &mut ended);
    ended.judged = ended.judged.again();
    ended
}

/// What a function of the project's logic makes of the event.
async fn made(house: &House, file: &str, export: &str, job: &Job, event: &Json) -> Result<Json, NotMade> {
    let functions = house.bodies().ok_or_else(|| NotMade::for_now("no function can run now"))?;
    let input = event_input(job, event);
    // A function that throws may be mended; its event is still there then.
    let made = functions.make(file, export, input.to_string()).await.map_err(NotMade::for_now)?;
    Ok(serde_json::from_str(&made).map_err(|_| format!("{file}#{export} gave no JSON"))?)
}

/// An event as functions get it.
pub(super) fn event_input(job: &Job, payload: &Json) -> Json {
    let Job { event, .. } = job;
    let at = Value::Timestamp(event.at).as_ref().to_text();
    json!({ "id": event.id.to_string(), "name": event.name, "key": event.key, "payload": payload, "at": at })
}

/// The request that a function asks for; address, headers and credentials are the connection's.
pub(crate) async fn spoken(
    house: &House,
    connection: &Connection,
    idempotency_header: Option<&str>,
    job: &Job,
    asked: &Json,
) -> Result<Request, NotMade> {
    if connection.connect.protocol == Protocol::JsonRpc && asked["path"].is_null() {
        return called(house, connection, idempotency_header, job, asked).await;
    }
    let method = asked["method"].as_str().unwrap_or("GET");
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| format!("`{method}` is no method"))?;
    let path = asked["path"]
        .as_str()
        .filter(|p| p.starts_with('/'))
        .ok_or_else(|| "a call needs a path: `/orders`".to_owned())?;
    let mut url = format!("{}{path}", connection.connect.address);
    let mut sign = if path.contains('?') { '&' } else { '?' };
    for (name, value) in asked["query"].as_object().into_iter().flatten() {
        let values = value.as_array().map_or_else(|| vec![value], |list| list.iter().collect());
        for value in values.into_iter().filter_map(payload::text) {
            url.push(sign);
            payload::percent_encode(&mut url, name);
            url.push('=');
            payload::percent_encode(&mut url, &value);
            sign = '&';
        }
    }
    let body = if asked["body"].is_null() { Vec::new() } else { asked["body"].to_string().into_bytes() };
    made_of(Request::new(method, url), house, connection, idempotency_header, job, asked, body).await
}

/// A request with the headers of its connection, those that the function asks for, and its body.
async fn made_of(
    mut request: Request,
    house: &House,
    connection: &Connection,
    idempotency_header: Option<&str>,
    job: &Job,
    asked: &Json,
    body: Vec<u8>,
) -> Result<Request, NotMade> {
    request.allow_private = connection.connect.allow_private;
    request.headers = headers(house, connection, idempotency_header, job, &body).await?;
    for (name, value) in asked["headers"].as_object().into_iter().flatten() {
        put(&mut request.headers, name, &payload::text(value).unwrap_or_default())?;
    }
    request.body = body.into();
    Ok(request)
}

/// The same of JSON-RPC: `{ method, params, headers }`; the envelope is made here.
async fn called(
    house: &House,
    connection: &Connection,
    idempotency_header: Option<&str>,
    job: &Job,
    asked: &Json,
) -> Result<Request, NotMade> {
    let method = asked["method"].as_str().filter(|m| !m.is_empty());
    let method = method.ok_or_else(|| "a call needs a method: `sale.create`".to_owned())?;
    let body = rpc::envelope(&job.delivery.id.to_string(), method, &asked["params"]);
    let body = body.to_string().into_bytes();
    let request = Request::new(Method::POST, connection.connect.address.clone());
    made_of(request, house, connection, idempotency_header, job, asked, body).await
}

/// `Retry-After`, if it was said.
pub(super) fn asked_to_wait(response: &Response, now_seconds: i64) -> Option<Duration> {
    let wait = response.headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    outcome::retry_after(wait, now_seconds)
}

/// The body of a webhook, after Standard Webhooks: type, timestamp, data.
fn envelope(job: &Job, data: &Json) -> Json {
    json!({ "type": job.event.name, "timestamp": Value::Timestamp(job.event.at).as_ref().to_text(), "data": data })
}

async fn headers(
    house: &House,
    connection: &Connection,
    idempotency_header: Option<&str>,
    job: &Job,
    body: &[u8],
) -> Result<HeaderMap, NotMade> {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    for (name, value) in &connection.connect.headers {
        put(&mut headers, name, value)?;
    }
    let id = job.delivery.id.to_string();
    if connection.connect.protocol != Protocol::WebhookOut {
        put(&mut headers, idempotency_header.unwrap_or("Idempotency-Key"), &id)?;
    }
    let secret = |name: &str| secret(house, name);
    match &connection.connect.auth {
        ConnectionAuth::None => {}
        ConnectionAuth::ApiKey { header, prefix, secret: name } => {
            put_secret(&mut headers, header, &format!("{prefix}{}", secret(name)?.expose()))?;
        }
        ConnectionAuth::Basic { user, secret: name } => {
            let pair = STANDARD.encode(format!("{user}:{}", secret(name)?.expose()));
            put_secret(&mut headers, "authorization", &format!("Basic {pair}"))?;
        }
        ConnectionAuth::StandardWebhooks { secrets } => {
            let secrets = signing(house, secrets)?;
            let now = house.engine.now() / 1_000_000;
            let signed = sign::sign_standard(&secrets, &id, now, body).map_err(|e| e.to_string())?;
            headers.extend(signed);
        }
        ConnectionAuth::OAuth2 { .. } => {
            let token = oauth2::token(house, connection).await?;
            put_secret(&mut headers, "authorization", &format!("Bearer {}", token.expose()))?;
        }
        ConnectionAuth::Stripe { .. } | ConnectionAuth::GitHub { .. } | ConnectionAuth::Hmac { .. } => {
            return Err("this kind of signature is for messages that come in".to_owned().into());
        }
    }
    Ok(headers)
}

/// What signs now: of a subscription the secrets that are in force, of a file those that it names.
fn signing(house: &House, names: &[String]) -> Result<Vec<Secret>, NotMade> {
    let mut secrets = Vec::with_capacity(names.len());
    for name in names {
        match house.subscriptions.signing(name, house.engine.now()) {
            Some(held) => secrets.extend(held),
            None if is_subscription(name) => {
                return Err(NotMade::for_now("the secret of this webhook cannot be opened"));
            }
            None => secrets.push(secret(house, name)?),
        }
    }
    Ok(secrets)
}

/// The value of a secret, or what to do about it.
pub(super) fn secret(house: &House, name: &str) -> Result<Secret, NotMade> {
    let missing = || NotMade {
        cause: Some(Cause::NoSecret),
        ..NotMade::for_now(format!("the secret `{name}` is not set; `takt secrets set {name}` sets it"))
    };
    house.secrets.secret(name).ok_or_else(missing)
}

fn put(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), String> {
    let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("`{name}` is no header"))?;
    let value = HeaderValue::from_str(value)
        .map_err(|_| format!("the value of `{name}` cannot stand in a header"))?;
    headers.insert(header, value);
    Ok(())
}

/// As [`put`]; nobody who prints the headers sees the value.
fn put_secret(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), String> {
    put(headers, name, value)?;
    if let Some(value) = headers.get_mut(name) {
        value.set_sensitive(true);
    }
    Ok(())
}

fn answered(connection: &Connection, deliver: &Deliver, response: &Response, now_seconds: i64) -> Ended {
    let text = String::from_utf8_lossy(&response.body);
    let is_rpc = connection.connect.protocol == Protocol::JsonRpc;
    let told = match is_rpc {
        true if (200..300).contains(&response.status) => rpc::result(&text).err(),
        true => rpc::error(&text),
        false => None,
    };
    let outcome = match &told {
        // JSON-RPC tells its errors with status 200 too.
        Some(told) if (200..300).contains(&response.status) => told.outcome,
        _ => outcome::of_status(response.status, &deliver.ok_also),
    };
    let error = match outcome {
        Outcome::Ok => None,
        Outcome::Refused | Outcome::Failed | Outcome::Unknown => {
            Some(told.map_or_else(|| format!("answered {}", response.status), |told| told.reason))
        }
    };
    Ended {
        outcome,
        status: Some(response.status),
        response: (!text.is_empty()).then(|| payload::head(&text, RESPONSE_HEAD)),
        error,
        cause: None,
        retry_after: asked_to_wait(response, now_seconds),
        gone: response.status == 410,
        journal: None,
        result: None,
        judged: Judged::default(),
        sent: None,
    }
}
