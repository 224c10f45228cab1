//! `/takt/v1/webhooks`: subscriptions for programs with the secret key. The secret of one leaves in the answer that makes
//! or exchanges it, and never again.

use std::time::Duration;

use ::http::{HeaderValue, Method, Response, StatusCode, header};
use axum::body::Body;
use serde_json::{Value as Json, json};
use takt_engine::StoreError;
use takt_interfaces::{Interfaces, InterfacesError, Probe, Subscription};
use takt_model::{Principal, Rights, ValueRef, parse_duration};
use takt_outbound::Secret;
use takt_rest::RestError;

use crate::{
    deliveries::verdicts,
    identity, people,
    routes::{Call, decoded, nowhere},
    wire_error::{WireError, engine_error, rest_error, wire},
};

/// `/takt/v1/webhooks/..`; what is changed is written to the audit.
pub(crate) async fn door(call: Call, who: &Principal, rest: &[&str]) -> Result<Response<Body>, WireError> {
    if !matches!(who.rights, Rights::Service) {
        return Err(rest_error(RestError::coded(
            "42501",
            "permission denied: this needs the secret key",
            who,
        )));
    }
    let from = identity::address(&call.app, call.peer, &call.parts.headers);
    let room = call.app.interfaces.acting_for(people::secret_key(from));
    match rest {
        [] => all(call, room).await,
        [id] => one(call, room, &decoded(id)).await,
        [id, "rotate"] => rotate(call, room, &decoded(id)).await,
        [id, "test"] => test(call, room, &decoded(id)).await,
        _ => Err(nowhere(call.parts.uri.path())),
    }
}

/// `/takt/v1/webhooks`
async fn all(call: Call, room: Interfaces) -> Result<Response<Body>, WireError> {
    match call.parts.method {
        Method::GET | Method::HEAD => {
            let all = room.subscriptions().map_err(refused)?;
            Ok(told(StatusCode::OK, &all.iter().map(shown).collect()))
        }
        Method::POST => {
            let said = read(call).await?;
            let (made, secret) = room.subscribe(said).await.map_err(refused)?;
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
async fn one(call: Call, room: Interfaces, id: &str) -> Result<Response<Body>, WireError> {
    match call.parts.method {
        Method::GET | Method::HEAD => {
            let found = room.subscription(id).map_err(refused)?;
            Ok(told(StatusCode::OK, &shown(&found)))
        }
        Method::PATCH => {
            let said = read(call).await?;
            let changed = room.change_subscription(id, said).await.map_err(refused)?;
            Ok(told(StatusCode::OK, &shown(&changed)))
        }
        Method::DELETE => {
            let cancelled = room.unsubscribe(id).await.map_err(refused)?;
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
async fn rotate(call: Call, room: Interfaces, id: &str) -> Result<Response<Body>, WireError> {
    let said = posted(call).await?;
    let overlap = overlap(&said)?;
    let (changed, secret) = room.exchange_secret(id, overlap).await.map_err(refused)?;
    Ok(told(StatusCode::OK, &with_secret(&changed, &secret)))
}

/// `POST /takt/v1/webhooks/{id}/test`; of connections of files too.
async fn test(call: Call, room: Interfaces, id: &str) -> Result<Response<Body>, WireError> {
    posted(call).await?;
    let probe = room.probe(id).await.map_err(refused)?;
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

async fn posted(call: Call) -> Result<Json, WireError> {
    if call.parts.method != Method::POST {
        return Err(wire(405, "TAKT013", "Only POST is answered here."));
    }
    read(call).await
}

/// The body; an empty one says nothing.
async fn read(call: Call) -> Result<Json, WireError> {
    let body = call.body.read().await?;
    if body.is_empty() {
        return Ok(json!({}));
    }
    serde_json::from_slice(&body).map_err(|_| wire(400, "22P02", "The body is no JSON."))
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
        // Others change it at the same time: to be asked again in a moment.
        InterfacesError::NotNow(_) => engine_error(StoreError::Busy.into(), &Principal::service()),
        InterfacesError::Engine(error) => engine_error(error, &Principal::service()),
        InterfacesError::NoChance
        | InterfacesError::NotCompared(_)
        | InterfacesError::UnknownDrift(_)
        | InterfacesError::UnknownDelivery(_)
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
