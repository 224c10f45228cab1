//! `/takt/v1/webhooks`: subscriptions for programs with the secret key. The secret of one leaves in the answer that makes
//! or exchanges it, and never again.

use std::time::Duration;

use ::http::{HeaderValue, Method, Response, StatusCode, header};
use axum::body::Body;
use serde_json::{Value as Json, json};
use takt_interfaces::{InterfacesError, Probe, Subscription};
use takt_model::{Principal, ValueRef, parse_duration};
use takt_outbound::Secret;

use crate::{
    deliveries::verdicts,
    routes::Call,
    wire_error::{WireError, engine_error, wire},
};

/// `/takt/v1/webhooks`
pub(crate) async fn all(call: Call) -> Result<Response<Body>, WireError> {
    match call.parts.method {
        Method::GET | Method::HEAD => {
            let all = call.app.interfaces.subscriptions().map_err(refused)?;
            Ok(told(StatusCode::OK, &all.iter().map(shown).collect()))
        }
        Method::POST => {
            let (app, said) = read(call).await?;
            let (made, secret) = app.interfaces.subscribe(said).await.map_err(refused)?;
            note("make", &made.id);
            let mut response = told(StatusCode::CREATED, &with_secret(&made, &secret));
            if let Ok(place) = HeaderValue::from_str(&format!("/takt/v1/webhooks/{}", made.id)) {
                response.headers_mut().insert(header::LOCATION, place);
            }
            Ok(response)
        }
        _ => Err(wire(405, "TAKT013", "Only GET, HEAD and POST are answered here.")),
    }
}

/// `/takt/v1/webhooks/{id}`
pub(crate) async fn one(call: Call, id: &str) -> Result<Response<Body>, WireError> {
    match call.parts.method {
        Method::GET | Method::HEAD => {
            let found = call.app.interfaces.subscription(id).map_err(refused)?;
            Ok(told(StatusCode::OK, &shown(&found)))
        }
        Method::PATCH => {
            let (app, said) = read(call).await?;
            let changed = app.interfaces.change_subscription(id, said).await.map_err(refused)?;
            note("change", id);
            Ok(told(StatusCode::OK, &shown(&changed)))
        }
        Method::DELETE => {
            let cancelled = call.app.interfaces.unsubscribe(id).await.map_err(refused)?;
            note("remove", id);
            let what = match cancelled {
                0 => "Nothing waited".to_owned(),
                1 => "1 delivery that waited was cancelled".to_owned(),
                n => format!("{n} deliveries that waited were cancelled"),
            };
            let message = format!("Removed. {what}; what was sent stays in the log.");
            Ok(told(StatusCode::OK, &json!({ "id": id, "cancelled": cancelled, "message": message })))
        }
        _ => Err(wire(405, "TAKT013", "Only GET, HEAD, PATCH and DELETE are answered here.")),
    }
}

/// `POST /takt/v1/webhooks/{id}/rotate`, with `{ "overlap": "24h" }` if wanted.
pub(crate) async fn rotate(call: Call, id: &str) -> Result<Response<Body>, WireError> {
    let (app, said) = posted(call).await?;
    let overlap = overlap(&said)?;
    let (changed, secret) = app.interfaces.exchange_secret(id, overlap).await.map_err(refused)?;
    note("exchange the secret of", id);
    Ok(told(StatusCode::OK, &with_secret(&changed, &secret)))
}

/// `POST /takt/v1/webhooks/{id}/test`; of connections of files too.
pub(crate) async fn test(call: Call, id: &str) -> Result<Response<Body>, WireError> {
    let (app, _) = posted(call).await?;
    let probe = app.interfaces.probe(id).await.map_err(refused)?;
    Ok(told(StatusCode::OK, &probed(&probe)))
}

/// What came of a test, as programs and commands get it.
pub(crate) fn probed(probe: &Probe) -> Json {
    json!({
        "verdict": probe.verdict,
        "status": probe.status,
        "took_ms": probe.took / 1000,
        "answer": probe.answer,
        "says": { "en": verdicts::sentence(probe, "en"), "de": verdicts::sentence(probe, "de") },
    })
}

fn shown(s: &Subscription) -> Json {
    let moment = |at: i64| ValueRef::Timestamp(at).to_text();
    let mut shown = s.terms.to_json();
    shown["id"] = s.id.clone().into();
    shown["enabled"] = s.enabled.into();
    shown["off"] = s.off.map_or(Json::Null, |(at, why)| json!({ "at": moment(at), "why": why.name() }));
    shown["both_sign_until"] = s.both_sign_until.map(moment).into();
    shown["created_at"] = moment(s.created_at).into();
    shown["changed_at"] = moment(s.changed_at).into();
    shown
}

fn with_secret(s: &Subscription, secret: &Secret) -> Json {
    let mut shown = shown(s);
    shown["secret"] = secret.expose().into();
    shown
}

async fn posted(call: Call) -> Result<(std::sync::Arc<crate::app::App>, Json), WireError> {
    if call.parts.method != Method::POST {
        return Err(wire(405, "TAKT013", "Only POST is answered here."));
    }
    read(call).await
}

/// The body; an empty one says nothing.
async fn read(call: Call) -> Result<(std::sync::Arc<crate::app::App>, Json), WireError> {
    let Call { app, body, .. } = call;
    let body = body.read().await?;
    if body.is_empty() {
        return Ok((app, json!({})));
    }
    let said = serde_json::from_slice(&body).map_err(|_| wire(400, "22P02", "The body is no JSON."))?;
    Ok((app, said))
}

/// `{ "overlap": "24h" }`; `"0s"` ends the old secret at once.
fn overlap(said: &Json) -> Result<Option<Duration>, WireError> {
    let asked = match &said["overlap"] {
        Json::Null => return Ok(None),
        Json::String(text) => parse_duration(text),
        _ => None,
    };
    let wrong = || wire(422, "TAKT030", "`overlap` is a duration such as `24h`, or `0s`.");
    asked.map(Some).ok_or_else(wrong)
}

/// Who changed what is written down; the secret key has no person behind it that we know.
fn note(act: &str, id: &str) {
    let to = format!("webhook {id}");
    tracing::info!(target: "takt::audit", account = "secret key", act, to, "a program acted");
}

fn refused(error: InterfacesError) -> WireError {
    match error {
        InterfacesError::Subscription(wrong) => {
            let details: Vec<Json> =
                wrong.iter().map(|w| json!({ "field": w.field, "message": w.to_string() })).collect();
            let first = wrong.first().map(ToString::to_string).unwrap_or_default();
            wire(422, "TAKT030", format!("The webhook was not saved: {first}.")).details(details)
        }
        InterfacesError::TooManySubscriptions(_) => {
            wire(409, "TAKT031", format!("The webhook was not saved: {error}."))
        }
        InterfacesError::UnknownSubscription(_) | InterfacesError::UnknownConnection(_) => {
            let hint = "`GET /takt/v1/webhooks` lists those that there are.";
            wire(404, "TAKT013", "There is no such webhook.").hint(hint)
        }
        InterfacesError::NoWebhook(_) => wire(422, "TAKT030", format!("{error}.")),
        InterfacesError::Engine(error) => engine_error(error, &Principal::service()),
        InterfacesError::NoChance
        | InterfacesError::UnknownDelivery(_)
        | InterfacesError::NotNow(_)
        | InterfacesError::Body(_) => crate::wire_error::internal(&error.to_string()),
    }
}

fn told(status: StatusCode, json: &Json) -> Response<Body> {
    let mut response = Response::new(Body::from(json.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
