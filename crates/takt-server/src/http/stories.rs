//! `/takt/v1/stories`: stories as JSON, for programs with the secret key. Personal values are masked, as they are kept.

use ::http::{HeaderValue, Response, header};
use axum::body::Body;
use serde_json::{Value as Json, json};
use takt_engine::Story;
use takt_interfaces::InterfacesError;
use takt_model::{Principal, Rights, Uuid};
use takt_rest::RestError;

use crate::{
    app::App,
    deliveries::later,
    routes::Call,
    wire_error::{WireError, engine_error, rest_error, wire},
};

/// Stories of one answer if nothing is said, and at most.
const USUAL: u64 = 20;
const MOST: u64 = 200;

/// Refuses everybody but the secret key: 401 for visitors, 403 for accounts.
pub(crate) fn check_may_read(who: &Principal) -> Result<(), WireError> {
    match who.rights {
        Rights::Service => Ok(()),
        Rights::Anon | Rights::Authenticated | Rights::System { .. } => {
            Err(rest_error(RestError::coded("42501", "permission denied: this needs the secret key", who)))
        }
    }
}

/// `/takt/v1/stories?last=20`: the newest ones, newest first.
pub(crate) fn last(call: &Call) -> Result<Response<Body>, WireError> {
    let asked = call.parts.uri.query().unwrap_or_default().split('&').find_map(|p| p.strip_prefix("last="));
    let limit = match asked {
        None => USUAL,
        Some(text) => text
            .parse()
            .ok()
            .filter(|n| (1..=MOST).contains(n))
            .ok_or_else(|| wire(400, "22023", format!("`last` is a number from 1 to {MOST}")))?,
    };
    let stories = call.app.engine.stories(limit).map_err(|e| engine_error(e, &Principal::service()))?;
    Ok(told(&json!(stories)))
}

/// `/takt/v1/stories/{id}`: one, with the deliveries that it caused.
pub(crate) fn one(call: &Call, id: &str) -> Result<Response<Body>, WireError> {
    let unknown = || wire(404, "TAKT013", format!("There is no story {id}."));
    let id = Uuid::parse_str(id).map_err(|_| unknown())?;
    let story = call.app.engine.story(id).map_err(|e| engine_error(e, &Principal::service()))?;
    Ok(told(&with_deliveries(&call.app, &story.ok_or_else(unknown)?)?))
}

fn with_deliveries(app: &App, story: &Story) -> Result<Json, WireError> {
    let deliveries = later::of_story(app, story).map_err(|error| match error {
        InterfacesError::Engine(error) => engine_error(error, &Principal::service()),
        other => wire(500, "XX000", other.to_string()),
    })?;
    let mut whole = json!(story);
    whole["deliveries"] = json!(deliveries);
    Ok(whole)
}

fn told(json: &Json) -> Response<Body> {
    let mut response = Response::new(Body::from(json.to_string()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
