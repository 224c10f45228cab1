//! The one error table: what the rooms below refuse, as status, code, message, details and hint on the wire.
//! Codes of PostgreSQL (`23505`) and PostgREST (`PGRST116`) mean what they mean there; `TAKT...` are ours:
//!
//! | code | status | meaning |
//! |---|---|---|
//! | `TAKT001` | 401 | no API key |
//! | `TAKT002` | 401 | an API key that is none of ours |
//! | `TAKT003` | 503 | the database is busy |
//! | `TAKT005` | 422 | an `Idempotency-Key` used before with another body |
//! | `TAKT006` | 400 | an `Idempotency-Key` that is none |
//! | `TAKT007` | 401 | the secret key, sent by a browser or in the query |
//! | `TAKT008` | 413 | body larger than `limits.body` |
//! | `TAKT009` | 408 | body slower than `limits.request_time` |
//! | `TAKT010` | 503, 504 | answer slower than `limits.request_time` |
//! | `TAKT011` | 507 | the disk is full |
//! | `TAKT012` | 501 | this part of the API is not there yet |
//! | `TAKT013` | 404, 405 | no such address, or not with this method |
//! | `TAKT014` | 429, 503 | no room for another body: of this address, of all (`limits.bodies`) |
//! | `TAKT015` | 429 | a visitor called functions too often: `limits.visitor_calls` |
//! | `TAKT016` | 429 | too many requests of one address: `limits.requests_per_address` |
//! | `TAKT017` | 400 | no `Host`, or two |
//! | `TAKT018` | 404 | no messages are received at this address |
//! | `TAKT019` | 401 | a message that is not signed as agreed |
//! | `TAKT020` | 400 | a message that cannot be read |
//! | `TAKT021` | 503 | a connection whose secrets are not set yet |
//! | `REJECTED` | 400-499 | a function said no |
//!
//! A new error cannot be forgotten: no match here has a `_`. A code is never used for something else later.

use std::borrow::Cow;

use ::http::{HeaderValue, Response, StatusCode, header};
use axum::body::Body;
use serde_json::{Value as Json, json};
use takt_engine::{EngineError, RefusedTransition, StoreError};
use takt_logic::LogicError;
use takt_model::Principal;
use takt_rest::RestError;

use crate::identity::IdentityError;

/// An error as the data dialect tells it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WireError {
    pub(crate) status: u16,
    pub(crate) code: Cow<'static, str>,
    pub(crate) message: String,
    pub(crate) details: Option<Box<Json>>,
    pub(crate) hint: Option<String>,
    /// Seconds after which trying again makes sense.
    pub(crate) retry_after: Option<u32>,
    /// For `WWW-Authenticate`.
    challenge: Option<Challenge>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Challenge {
    Bearer,
    InvalidToken,
}

/// An error with nothing but status, code and message.
pub(crate) fn wire(status: u16, code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> WireError {
    WireError {
        status,
        code: code.into(),
        message: message.into(),
        details: None,
        hint: None,
        retry_after: None,
        challenge: None,
    }
}

impl WireError {
    pub(crate) fn details(mut self, details: impl Into<Json>) -> Self {
        self.details = Some(Box::new(details.into()));
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The body: exactly these four, nulls present.
    pub(crate) fn to_json(&self) -> Vec<u8> {
        let body = json!({
            "code": self.code,
            "details": self.details,
            "hint": self.hint,
            "message": self.message,
        });
        body.to_string().into_bytes()
    }

    /// The answer in the data dialect.
    pub(crate) fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.to_json()));
        self.mark(&mut response);
        let proxy = format!("PostgREST; error={}", self.code);
        if let Ok(value) = HeaderValue::from_str(&proxy) {
            response.headers_mut().insert("proxy-status", value);
        }
        response
    }

    /// Status and headers that every dialect shares.
    pub(crate) fn mark(&self, response: &mut Response<Body>) {
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        let challenge = self.challenge.and_then(|c| match c {
            Challenge::Bearer => Some(HeaderValue::from_static("Bearer")),
            Challenge::InvalidToken => {
                let text = format!("Bearer error=\"invalid_token\", error_description=\"{}\"", self.message);
                HeaderValue::from_str(&text).ok()
            }
        });
        if let Some(challenge) = challenge {
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
    }
}

/// What went wrong inside is for the log; the wire learns only that it did.
pub(crate) fn internal(inside: &str) -> WireError {
    tracing::error!(inside, "internal error");
    wire(500, "XX000", "Something failed inside; the log of the server knows more.")
}

/// The engine's refusals, for this caller: without the right, a visitor is asked to sign in (401), an account is
/// refused (403).
pub(crate) fn engine_error(error: EngineError, who: &Principal) -> WireError {
    match error {
        EngineError::Plan(e) => rest_error(RestError::from_plan(&e, who)),
        EngineError::Store(e) => store_error(e, who),
        EngineError::NotSingular { rows } => rest_error(RestError::not_singular(rows)),
        EngineError::IdempotencyMismatch => {
            wire(422, "TAKT005", "This Idempotency-Key was used before with another request body.")
        }
        EngineError::Rejected { status, message, details_json } => {
            rejected(status, message.get("en").unwrap_or_default(), &details_json)
        }
        EngineError::Hook { code, message, position } => {
            let error = message.as_str();
            tracing::error!(code, error, position = position.as_deref(), "a hook failed");
            wire(500, code, "A rule of the table failed; nothing was written.")
        }
        EngineError::Schema(inside) | EngineError::Internal(inside) => internal(&inside),
    }
}

fn store_error(error: StoreError, who: &Principal) -> WireError {
    let message = error.to_string();
    match error {
        StoreError::Refused { code, message, details, hint } => {
            let mut refused = RestError::coded(code, message, who);
            refused.details = details.map(|d| Box::new(Json::String(d)));
            refused.hint = hint;
            rest_error(refused)
        }
        StoreError::Transition(t) => {
            let mut refused = RestError::coded(RefusedTransition::CODE, message, who);
            refused.details = Some(Box::new(Json::String(t.details())));
            refused.hint = Some(t.hint());
            rest_error(refused)
        }
        StoreError::Busy => wire(503, "TAKT003", "The database is busy; please try again.").retry_after(1),
        StoreError::Timeout => wire(500, "57014", message),
        StoreError::Full => wire(507, "TAKT011", "The disk is full; nothing was written."),
        StoreError::Locked(inside) | StoreError::Open(inside) | StoreError::Internal(inside) => {
            internal(&inside)
        }
    }
}

/// `reject(status, words, details)`, as an action or a hook said it.
pub(crate) fn rejected(status: u16, message: &str, details_json: &str) -> WireError {
    let refused = wire(status, "REJECTED", message);
    match serde_json::from_str(details_json) {
        Ok(Json::Null) | Err(_) => refused,
        Ok(details) => refused.details(details),
    }
}

/// The data dialect's refusals.
pub(crate) fn rest_error(error: RestError) -> WireError {
    // Nobody but a visitor gets 401 for a missing right.
    let challenge = (error.status == 401 && error.code == "42501").then_some(Challenge::Bearer);
    WireError {
        status: error.status,
        code: error.code,
        message: error.message,
        details: error.details,
        hint: error.hint,
        retry_after: None,
        challenge,
    }
}

/// Why nobody was let in, in the data dialect.
pub(crate) fn identity_error(error: IdentityError) -> WireError {
    let bearer = |mut e: WireError, challenge| {
        e.challenge = Some(challenge);
        e
    };
    match error {
        IdentityError::NoKey => wire(401, "TAKT001", "No API key found in request")
            .hint("Send the publishable key in the header `apikey`; `takt keys` shows it."),
        IdentityError::WrongKey => wire(401, "TAKT002", "Invalid API key")
            .hint("Double check the API key; `takt keys` shows the ones of this project."),
        IdentityError::SecretFromBrowser => {
            wire(401, "TAKT007", "Forbidden use of secret API key in browser")
                .hint("Whoever opens the page can read the secret key. Use the publishable key there.")
        }
        IdentityError::SecretInQuery => wire(401, "TAKT007", "Forbidden use of secret API key in the query")
            .hint("Addresses are kept in histories and logs. Send the secret key in the header `apikey`."),
        IdentityError::InvalidToken => bearer(wire(401, "PGRST301", "JWT invalid"), Challenge::InvalidToken),
        IdentityError::ExpiredToken => bearer(wire(401, "PGRST303", "JWT expired"), Challenge::InvalidToken),
    }
}

/// What the project's functions refuse or fail at.
pub(crate) fn logic_error(error: LogicError, function: &str, who: &Principal, dev: bool) -> WireError {
    match error {
        LogicError::UnknownFunction => unknown_function(function),
        LogicError::Denied => {
            let message = format!("permission denied for function {function}");
            rest_error(RestError::coded("42501", message, who))
        }
        LogicError::BadInput { code, message, details } => {
            let wired = wire(400, code, message);
            match details {
                Some(details) => wired.details(details),
                None => wired,
            }
        }
        LogicError::Failed { code, message, position } => {
            // `message` is the name of the line's own text.
            let error = message.as_str();
            tracing::error!(function, code, error, position = position.as_deref(), "the function failed");
            let failed = wire(500, code, format!("The function {function} failed."));
            if dev { failed.details(place(&message, position.as_deref())) } else { failed }
        }
        LogicError::Busy => wire(503, "TAKT003", "Too many functions run; please try again.").retry_after(1),
        LogicError::Engine(e) => engine_error(e, who),
    }
}

fn place(message: &str, position: Option<&str>) -> String {
    position.map_or_else(|| message.to_owned(), |p| format!("{message} ({p})"))
}

/// As PostgREST tells it.
pub(crate) fn unknown_function(function: &str) -> WireError {
    let message = format!("Could not find the function public.{function} in the schema cache");
    wire(404, "PGRST202", message)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use expect_test::expect;

    use super::*;

    fn shown(error: &WireError) -> String {
        let body = String::from_utf8(error.to_json()).unwrap_or_default();
        let response = error.clone().into_response();
        let mut text = format!("{} {body}", response.status().as_u16());
        for name in ["proxy-status", "www-authenticate", "retry-after"] {
            if let Some(value) = response.headers().get(name) {
                text.push_str(&format!("\n  {name}: {}", value.to_str().unwrap_or("?")));
            }
        }
        text
    }

    #[test]
    fn every_error_of_the_engine_has_its_place_on_the_wire() {
        let refused = |code, message: &str| {
            EngineError::Store(StoreError::Refused {
                code,
                message: message.into(),
                details: None,
                hint: None,
            })
        };
        let user = Principal::service();
        let anon = Principal::anon();
        let errors = [
            (refused("23505", "duplicate key"), &user),
            (refused("42501", "new row violates row-level security policy"), &user),
            (refused("42501", "new row violates row-level security policy"), &anon),
            (refused("23514", "check"), &anon),
            (EngineError::NotSingular { rows: 2 }, &anon),
            (EngineError::Store(StoreError::Busy), &anon),
            (EngineError::Store(StoreError::Full), &anon),
            (EngineError::Store(StoreError::Internal("table auth.users".into())), &anon),
            (EngineError::Plan(takt_plan::PlanError::NoFilter { verb: "DELETE" }), &anon),
            (EngineError::IdempotencyMismatch, &anon),
        ];
        let text: Vec<_> = errors.map(|(e, who)| shown(&engine_error(e, who))).into();
        expect![[r#"
            409 {"code":"23505","details":null,"hint":null,"message":"duplicate key"}
              proxy-status: PostgREST; error=23505
            403 {"code":"42501","details":null,"hint":null,"message":"new row violates row-level security policy"}
              proxy-status: PostgREST; error=42501
            401 {"code":"42501","details":null,"hint":null,"message":"new row violates row-level security policy"}
              proxy-status: PostgREST; error=42501
              www-authenticate: Bearer
            400 {"code":"23514","details":null,"hint":null,"message":"check"}
              proxy-status: PostgREST; error=23514
            406 {"code":"PGRST116","details":"The result contains 2 rows","hint":null,"message":"Cannot coerce the result to a single JSON object"}
              proxy-status: PostgREST; error=PGRST116
            503 {"code":"TAKT003","details":null,"hint":null,"message":"The database is busy; please try again."}
              proxy-status: PostgREST; error=TAKT003
              retry-after: 1
            507 {"code":"TAKT011","details":null,"hint":null,"message":"The disk is full; nothing was written."}
              proxy-status: PostgREST; error=TAKT011
            500 {"code":"XX000","details":null,"hint":null,"message":"Something failed inside; the log of the server knows more."}
              proxy-status: PostgREST; error=XX000
            400 {"code":"21000","details":null,"hint":null,"message":"DELETE requires a WHERE clause"}
              proxy-status: PostgREST; error=21000
            422 {"code":"TAKT005","details":null,"hint":null,"message":"This Idempotency-Key was used before with another request body."}
              proxy-status: PostgREST; error=TAKT005"#]]
        .assert_eq(&text.join("\n"));
    }

    #[test]
    fn a_failed_function_is_one_line_of_log_with_each_name_once() {
        let kept = std::sync::Arc::new(tempfile::tempfile().unwrap());
        let lines =
            tracing_subscriber::fmt().json().flatten_event(true).with_writer(std::sync::Arc::clone(&kept));
        let failed = || LogicError::Failed {
            code: "TAKT004",
            message: "inner secret".into(),
            position: Some("note.ts:9".into()),
        };
        let wired = tracing::subscriber::with_default(lines.finish(), || {
            logic_error(failed(), "note", &Principal::anon(), false)
        });
        assert!(!String::from_utf8(wired.to_json()).unwrap().contains("inner secret"));
        let mut file = &*kept;
        std::io::Seek::rewind(&mut file).unwrap();
        let text = std::io::read_to_string(file).unwrap();
        assert_eq!(text.matches("\"message\":").count(), 1, "{text}");
        let line: Json = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (&line["message"], &line["error"]),
            (&json!("the function failed"), &json!("inner secret"))
        );
    }

    #[test]
    fn a_token_that_is_refused_says_so_in_the_challenge() {
        expect![[r#"
            401 {"code":"PGRST303","details":null,"hint":null,"message":"JWT expired"}
              proxy-status: PostgREST; error=PGRST303
              www-authenticate: Bearer error="invalid_token", error_description="JWT expired""#]]
        .assert_eq(&shown(&identity_error(IdentityError::ExpiredToken)));
    }
}
