//! The whole API on a page: which path and method leads to which handler.
//! Lives here: finding the way. Not here: who calls (`identity.rs`), what every request passes (`serve.rs`).

use std::{borrow::Cow, net::IpAddr, sync::Arc};

use ::http::{Method, Response, request::Parts};
use axum::body::Body;
use takt_model::Principal;

use crate::{
    app::App,
    body::RequestBody,
    http::{
        auth::{self, AuthCall},
        data, functions, health, hooks, rpc, static_files, stories, webhooks,
    },
    identity,
    serve::Serving,
    wire_error::{WireError, identity_error, wire},
};

/// The kinds of doors; each has its dialect for errors and its headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Surface {
    /// `/rest/v1`
    Data,
    /// `/auth/v1`
    Auth,
    /// `/functions/v1`
    Functions,
    /// `/health`
    Operation,
    /// `/takt/v1`: our own dialect, for programs with the secret key and for roles of the console.
    Takt,
    /// `/studio`
    Studio,
    /// `/hooks/v1`
    Hooks,
    /// Dialects whose place is kept: storage, realtime.
    Later,
    /// Everything else: the front end.
    Page,
}

impl Surface {
    pub(crate) fn of(path: &str) -> Self {
        let first = path.get(1..).unwrap_or_default().split('/').next().unwrap_or_default();
        match first {
            "rest" => Self::Data,
            "auth" => Self::Auth,
            "functions" => Self::Functions,
            "health" => Self::Operation,
            "takt" => Self::Takt,
            "studio" => Self::Studio,
            "hooks" => Self::Hooks,
            "storage" | "realtime" | "graphql" | "metrics" | "openapi.json" => Self::Later,
            _ => Self::Page,
        }
    }

    /// Whether other origins may call it at all.
    pub(crate) fn is_shared(self) -> bool {
        matches!(self, Self::Data | Self::Auth | Self::Functions | Self::Later)
    }

    /// Whether it is looked at in a browser.
    pub(crate) fn is_for_people(self) -> bool {
        matches!(self, Self::Studio | Self::Page)
    }
}

/// A request on its way to a handler.
pub(crate) struct Call {
    pub(crate) app: Arc<App>,
    /// The other end of the connection; see [`identity::address`] for the caller behind proxies.
    pub(crate) peer: IpAddr,
    pub(crate) parts: Parts,
    pub(crate) body: RequestBody,
}

/// An answer, and the caller's role for the log.
pub(crate) struct Answer {
    pub(crate) response: Response<Body>,
    pub(crate) role: &'static str,
}

/// Finds the handler and asks it.
pub(crate) async fn answer(serving: &Serving, surface: Surface, call: Call) -> Answer {
    match surface {
        Surface::Data => with_caller(call, data_door).await,
        // On the heap: the state of a request is as large as its largest handler, and reads of data shall be small.
        Surface::Functions => Box::pin(with_caller(call, function_door)).await,
        Surface::Auth => Box::pin(auth_door(call)).await,
        Surface::Operation => visitor(operation_door(call).await),
        Surface::Takt => Box::pin(with_caller(call, takt_door)).await,
        Surface::Studio => visitor(Box::pin(serving.studio(call)).await),
        Surface::Hooks => visitor(Box::pin(hooks_door(call)).await),
        Surface::Later => visitor(Err(later(call.parts.uri.path()))),
        Surface::Page => visitor(Ok(Box::pin(static_files::file(call)).await)),
    }
}

/// `/rest/v1`, `/functions/v1` and `/takt/v1`: who calls is found out first.
async fn with_caller<F>(call: Call, door: impl FnOnce(Call, Principal) -> F) -> Answer
where
    F: Future<Output = Result<Response<Body>, WireError>>,
{
    let who = match identity::identify(&call.app, &call.parts.headers, &call.parts.uri) {
        Ok(who) => who,
        Err(error) => return Answer { response: identity_error(error).into_response(), role: "nobody" },
    };
    let role = identity::role(&who);
    Answer { response: door(call, who).await.unwrap_or_else(WireError::into_response), role }
}

/// `/rest/v1`: PostgREST's dialect.
async fn data_door(call: Call, who: Principal) -> Result<Response<Body>, WireError> {
    let uri = call.parts.uri.clone();
    match Segments::of(uri.path()).as_slice() {
        ["rest", "v1", "rpc", function] => Box::pin(rpc::call(call, who, &decoded(function))).await,
        ["rest", "v1"] | ["rest", "v1", ""] => Err(later("/rest/v1/")),
        ["rest", "v1", table] => data::table(call, who, &decoded(table)).await,
        _ => Err(wire(404, "PGRST125", "Invalid path specified in request URL")),
    }
}

/// `/functions/v1`: plain HTTP.
async fn function_door(call: Call, who: Principal) -> Result<Response<Body>, WireError> {
    let uri = call.parts.uri.clone();
    match Segments::of(uri.path()).as_slice() {
        ["functions", "v1", function, rest @ ..] => {
            functions::call(call, who, &decoded(function), &rest.join("/")).await
        }
        _ => Err(nowhere(uri.path())),
    }
}

/// `/takt/v1`: what the house tells about itself, to the secret key and to roles of the console.
async fn takt_door(call: Call, who: Principal) -> Result<Response<Body>, WireError> {
    let uri = call.parts.uri.clone();
    let segments = Segments::of(uri.path());
    if let ["takt", "v1", "webhooks", rest @ ..] = segments.as_slice() {
        return webhooks::door(call, &who, rest).await;
    }
    let reader = stories::reader(&call, &who)?;
    match (&call.parts.method, segments.as_slice()) {
        (&Method::GET | &Method::HEAD, ["takt", "v1", "stories"]) => stories::last(&call, reader).await,
        (&Method::GET | &Method::HEAD, ["takt", "v1", "stories", id]) => {
            stories::one(&call, reader, &decoded(id)).await
        }
        (_, ["takt", "v1", "stories"] | ["takt", "v1", "stories", _]) => {
            Err(wire(405, "TAKT013", "Only GET and HEAD are answered here."))
        }
        (_, _) => Err(nowhere(uri.path())),
    }
}

/// `/auth/v1`: GoTrue's dialect; its handlers look at the access token by themselves.
async fn auth_door(call: Call) -> Answer {
    let version = auth::version(&call.parts.headers);
    let (uri, method) = (call.parts.uri.clone(), call.parts.method.clone());
    let segments = Segments::of(uri.path());
    let rest = match segments.as_slice() {
        ["auth", "v1", rest @ ..] => rest,
        _ => &[],
    };
    let is_open = matches!(rest, ["health"] | ["settings"] | [".well-known", "jwks.json"]);
    if !is_open && let Err(error) = identity::check_key(&call.app, &call.parts.headers, &call.parts.uri) {
        return Answer { response: auth::no_entry(error, version), role: "nobody" };
    }
    let response = match AuthCall::read(call).await {
        Ok(call) => match accounts(call, &method, rest).await {
            Some(done) => auth::response(done, version),
            None => auth::server_error(&nothing_for_accounts(uri.path(), rest), version),
        },
        Err(error) => auth::server_error(&error, version),
    };
    Answer { response, role: "-" }
}

async fn accounts(call: AuthCall, method: &Method, rest: &[&str]) -> Option<auth::Done> {
    Some(match (method, rest) {
        (&Method::GET, ["health"]) => call.health(),
        (&Method::GET, ["settings"]) => call.settings(),
        (&Method::GET, [".well-known", "jwks.json"]) => call.jwks(),
        (&Method::POST, ["signup"]) => call.sign_up().await,
        (&Method::POST, ["token"]) => call.token().await,
        (&Method::GET, ["user"]) => call.user().await,
        (&Method::PUT, ["user"]) => call.user_update().await,
        (&Method::POST, ["logout"]) => call.sign_out().await,
        (&Method::GET, ["admin", "users"]) => call.admin_list().await,
        (&Method::POST, ["admin", "users"]) => call.admin_create().await,
        (&Method::GET, ["admin", "users", id]) => call.admin_get(id).await,
        (&Method::PUT, ["admin", "users", id]) => call.admin_update(id).await,
        (&Method::DELETE, ["admin", "users", id]) => call.admin_delete(id).await,
        _ => return None,
    })
}

/// Parts of the dialect whose place is kept are told apart from what nobody knows.
fn nothing_for_accounts(path: &str, rest: &[&str]) -> WireError {
    const LATER: [&str; 12] = [
        "otp",
        "recover",
        "resend",
        "verify",
        "reauthenticate",
        "authorize",
        "callback",
        "invite",
        "factors",
        "passkeys",
        "sso",
        "oauth",
    ];
    match rest.first() {
        Some(first) if LATER.contains(first) => later(path),
        Some(_) | None => nowhere(path),
    }
}

/// `/hooks/v1`: whoever sends proves it by a signature, not by a key of ours.
async fn hooks_door(call: Call) -> Result<Response<Body>, WireError> {
    let uri = call.parts.uri.clone();
    match Segments::of(uri.path()).as_slice() {
        ["hooks", "v1", connection] => hooks::receive(call, &decoded(connection)).await,
        _ => Err(nowhere(uri.path())),
    }
}

/// `/health`
async fn operation_door(call: Call) -> Result<Response<Body>, WireError> {
    let path = call.parts.uri.path();
    match (&call.parts.method, path) {
        (&Method::GET | &Method::HEAD, "/health/live") => Ok(health::live()),
        (&Method::GET | &Method::HEAD, "/health/ready") => Ok(health::ready(&call.app)),
        (_, "/health/live" | "/health/ready") => {
            Err(wire(405, "TAKT013", "Only GET and HEAD are answered here."))
        }
        _ => Err(nowhere(path)),
    }
}

fn visitor(found: Result<Response<Body>, WireError>) -> Answer {
    Answer { response: found.unwrap_or_else(WireError::into_response), role: "-" }
}

pub(crate) fn nowhere(path: &str) -> WireError {
    wire(404, "TAKT013", format!("There is nothing at {path}."))
}

fn later(path: &str) -> WireError {
    wire(501, "TAKT012", format!("{path} is not there yet in this version of Takt."))
}

/// No path of the API has more pieces.
const MOST_SEGMENTS: usize = 8;

/// The pieces of a path between slashes; more than anybody uses are one piece. No allocation: every request passes.
struct Segments<'a> {
    pieces: [&'a str; MOST_SEGMENTS],
    count: usize,
}

impl<'a> Segments<'a> {
    fn of(path: &'a str) -> Self {
        let mut segments = Self { pieces: [""; MOST_SEGMENTS], count: 0 };
        let pieces = path.get(1..).unwrap_or_default().splitn(MOST_SEGMENTS, '/');
        for (place, piece) in segments.pieces.iter_mut().zip(pieces) {
            *place = piece;
            segments.count += 1;
        }
        segments
    }

    fn as_slice(&self) -> &[&'a str] {
        self.pieces.get(..self.count).unwrap_or_default()
    }
}

/// A piece with its percent signs undone; what is no text stays as it came and will not be found.
pub(crate) fn decoded(segment: &str) -> Cow<'_, str> {
    if segment.contains('%') {
        static_files::percent_decoded(segment).map_or(Cow::Borrowed(segment), Cow::Owned)
    } else {
        Cow::Borrowed(segment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_has_its_surface() {
        for (path, surface) in [
            ("/rest/v1/orders", Surface::Data),
            ("/rest", Surface::Data),
            ("/auth/v1/token", Surface::Auth),
            ("/functions/v1/hello", Surface::Functions),
            ("/health/live", Surface::Operation),
            ("/takt/v1/stories", Surface::Takt),
            ("/studio", Surface::Studio),
            ("/studio/login", Surface::Studio),
            ("/hooks/v1/payment", Surface::Hooks),
            ("/storage/v1/object", Surface::Later),
            ("/", Surface::Page),
            ("/restaurant.html", Surface::Page),
            ("/studios", Surface::Page),
        ] {
            assert_eq!(Surface::of(path), surface, "{path}");
        }
    }
}
