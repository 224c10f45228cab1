//! `/takt/v1/stories`: stories and deliveries as JSON, for programs with the secret key and for accounts with a role in
//! the console. Personal values are masked unless the header `Takt-Reason` says why not; every look is written down.

use std::net::IpAddr;

use ::http::{HeaderMap, HeaderValue, Response, header};
use axum::body::Body;
use serde_json::{Value as Json, json};
use takt_auth::StudioRole;
use takt_engine::{Actor, Story};
use takt_interfaces::InterfacesError;
use takt_model::{Principal, Rights};
use takt_rest::RestError;

use crate::{
    app::App,
    deliveries::later,
    http::static_files,
    identity,
    people::{self, Look},
    routes::Call,
    tales::{self, Tale},
    wire_error::{WireError, engine_error, rest_error, wire},
};

/// Stories of one answer if nothing is said, and at most.
const USUAL: u64 = 20;
const MOST: u64 = 200;
/// Where the reason stands: not in the address, which is kept in histories and logs.
const REASON: &str = "takt-reason";

/// Who reads stories here.
pub(crate) struct Reader {
    by: Actor,
    /// None for the secret key.
    role: Option<StudioRole>,
}

/// Lets the secret key and roles of the console in: 401 for visitors, 403 for other accounts.
pub(crate) fn reader(call: &Call, who: &Principal) -> Result<Reader, WireError> {
    let from: IpAddr = identity::address(&call.app, call.peer, &call.parts.headers);
    match (who.rights, people::studio_role(who)) {
        (Rights::Service, _) => Ok(Reader { by: people::secret_key(from), role: None }),
        (Rights::Authenticated, Some(role)) => {
            let email = who.user.as_ref().and_then(|u| u.email.clone()).unwrap_or_default();
            Ok(Reader { by: people::account(who, &email, from), role: Some(role) })
        }
        (Rights::Anon | Rights::Authenticated | Rights::System { .. }, _) => {
            let why = "permission denied: this needs the secret key or a role in the console";
            Err(rest_error(RestError::coded("42501", why, who)))
        }
    }
}

impl Reader {
    /// The look that the headers ask for.
    fn look(self, headers: &HeaderMap) -> Result<Look, WireError> {
        let Some(typed) = headers.get(REASON) else { return Ok(Look { by: self.by, reason: None }) };
        if self.role.is_some_and(|role| !people::may_reveal(role)) {
            return Err(wire(403, "42501", "permission denied: your role may not see personal values"));
        }
        let typed = String::from_utf8_lossy(typed.as_bytes()).into_owned();
        // Browsers send only Latin letters in headers; whoever has others writes them with percent signs.
        let typed = static_files::percent_decoded(&typed).unwrap_or(typed);
        let reason = people::reason(&typed).map_err(|no| wire(400, "22023", no.words().1))?;
        Ok(Look { by: self.by, reason: Some(reason) })
    }
}

/// `/takt/v1/stories?last=20`: the newest ones, newest first, always masked.
pub(crate) async fn last(call: &Call, reader: Reader) -> Result<Response<Body>, WireError> {
    let limit = match query(call, "last") {
        None => USUAL,
        Some(text) => text
            .parse()
            .ok()
            .filter(|n| (1..=MOST).contains(n))
            .ok_or_else(|| wire(400, "22023", format!("`last` is a number from 1 to {MOST}")))?,
    };
    let app = &call.app;
    let stories = app.engine.stories(limit).map_err(|e| engine_error(e, &Principal::service()))?;
    let look = Look { by: reader.by, reason: None };
    app.looks.note(&app.engine, &look, "story.list", "stories".to_owned()).await;
    Ok(told(&json!(stories)))
}

/// `/takt/v1/stories/{name}`: one, with the deliveries that it caused; or a delivery with its attempts. `name` is an id
/// or a number. With `?language=de` also as it is told to people.
pub(crate) async fn one(call: &Call, reader: Reader, name: &str) -> Result<Response<Body>, WireError> {
    let look = reader.look(&call.parts.headers)?;
    let language = query(call, "language");
    let found = tales::named(&call.app, name, language.unwrap_or("en"), &look).await.map_err(room_error)?;
    let found = found.ok_or_else(|| wire(404, "TAKT013", format!("There is no story {name}.")))?;
    let (mut whole, text) = match &found {
        Tale::Story(told) => (with_deliveries(&call.app, &told.0)?, json!(told.1)),
        Tale::Delivery(told) => (json!(told.0), json!(told.1)),
    };
    if language.is_some() {
        whole["told"] = text;
    }
    Ok(told(&whole))
}

fn query<'a>(call: &'a Call, name: &str) -> Option<&'a str> {
    let pairs = call.parts.uri.query().unwrap_or_default().split('&');
    pairs.filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value)
}

fn with_deliveries(app: &App, story: &Story) -> Result<Json, WireError> {
    let deliveries = later::of_story(app, story).map_err(room_error)?;
    let mut whole = json!(story);
    whole["deliveries"] = json!(deliveries);
    if let Some(input) = story.input_json() {
        whole["input"] = input;
    }
    Ok(whole)
}

fn room_error(error: InterfacesError) -> WireError {
    match error {
        InterfacesError::Engine(error) => engine_error(error, &Principal::service()),
        other => wire(500, "XX000", other.to_string()),
    }
}

fn told(json: &Json) -> Response<Body> {
    let mut response = Response::new(Body::from(json.to_string()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
