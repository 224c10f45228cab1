//! `/rest/v1/rpc/{function}`: business actions, as `supabase.rpc(...)` calls them.
//! Lives here: the call, its idempotency key, and how an answer or a refusal looks.

use ::http::{HeaderMap, HeaderValue, Method as HttpMethod, Response, header};
use axum::body::Body;
use serde_json::Value as Json;
use takt_engine::ActionAnswer;
use takt_logic::{Call as LogicCall, FunctionKind};
use takt_model::{Principal, Words};
use takt_rest::Method;

use crate::{
    app::App,
    body::header as text,
    http::data,
    routes::Call,
    wire_error::{WireError, logic_error, rejected, rest_error, unknown_function, wire},
};

/// Calls an action. Actions may write, so a GET is refused.
pub(crate) async fn call(call: Call, who: Principal, function: &str) -> Result<Response<Body>, WireError> {
    let Call { app, peer, parts, body } = call;
    let (accept, prefer) = (text(&parts.headers, &header::ACCEPT), data::preferences(&parts.headers));
    let prefer = prefer.as_deref();
    if !is_action(&app, function) {
        return Err(unknown_function(function));
    }
    if matches!(parts.method, HttpMethod::GET | HttpMethod::HEAD) {
        let message = format!("The function {function} may write and is called with POST.");
        return Err(wire(405, "25006", message));
    }
    app.admission.visitor_call(&app, &who, peer, &parts.headers)?;
    let body = body.read().await?;
    let method = Method::named(parts.method.as_str()).map_err(rest_error)?;
    takt_rest::rpc_check(accept, prefer).map_err(rest_error)?;
    let query = parts.uri.query().unwrap_or_default();
    let input = takt_rest::rpc_input(method, query, &body).map_err(rest_error)?;

    let answer = run(&app, who, function, input, &parts.headers).await?;
    if answer.refused {
        return Ok(refusal(&app, &answer, &parts.headers));
    }
    let reply = takt_rest::rpc_reply(&answer.body, accept, prefer, false).map_err(rest_error)?;
    let mut response = data::response(reply);
    mark(&answer, response.headers_mut());
    Ok(response)
}

fn is_action(app: &App, function: &str) -> bool {
    app.logic.load().function(function).is_some_and(|f| matches!(f.kind, FunctionKind::Action))
}

/// Runs an action under the `Idempotency-Key` of the headers, if there is one.
pub(crate) async fn run(
    app: &App,
    who: Principal,
    function: &str,
    input: Json,
    headers: &HeaderMap,
) -> Result<ActionAnswer, WireError> {
    let idempotency = idempotency(headers)?;
    let logic = app.logic.load_full();
    let caller = who.clone();
    let call = LogicCall { function, who, input, idempotency };
    logic.call(&app.engine, call).await.map_err(|e| logic_error(e, function, &caller, app.dev))
}

fn idempotency(headers: &HeaderMap) -> Result<Option<String>, WireError> {
    let Some(key) = headers.get("idempotency-key") else { return Ok(None) };
    let visible = |b: &u8| b.is_ascii_graphic() || *b == b' ';
    let is_fine = (1..=255).contains(&key.len()) && key.as_bytes().iter().all(visible);
    match key.to_str() {
        Ok(key) if is_fine => Ok(Some(key.to_owned())),
        Ok(_) | Err(_) => {
            Err(wire(400, "TAKT006", "An Idempotency-Key has 1 to 255 visible ASCII characters."))
        }
    }
}

/// `reject(status, words, details)` as an error object, in the language that the caller likes best.
pub(crate) fn refusal(app: &App, answer: &ActionAnswer, headers: &HeaderMap) -> Response<Body> {
    let stored: Json = serde_json::from_str(&answer.body).unwrap_or_default();
    let words: Words = serde_json::from_value(stored["message"].clone()).unwrap_or_default();
    let refused = in_their_language(app, answer.status, &words, &stored["details"].to_string(), headers);
    let mut response = refused.into_response();
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Language"));
    mark(answer, headers);
    response
}

/// A refusal in the language that the caller likes best, as an error object.
pub(crate) fn in_their_language(
    app: &App,
    status: u16,
    words: &Words,
    details_json: &str,
    headers: &HeaderMap,
) -> WireError {
    let project = app.project();
    let fallback = project.settings.languages.first().map_or("en", String::as_str);
    let accepted = text(headers, &header::ACCEPT_LANGUAGE).unwrap_or_default();
    let language = best_language(accepted, words).unwrap_or(fallback);
    rejected(status, words.get(language).unwrap_or_default(), details_json)
}

/// Which story tells of it, and whether this is an answer of before.
pub(crate) fn mark(answer: &ActionAnswer, headers: &mut HeaderMap) {
    if let Ok(story) = HeaderValue::from_str(&answer.story.to_string()) {
        headers.insert("takt-story", story);
    }
    if answer.replayed {
        headers.insert("idempotent-replayed", HeaderValue::from_static("true"));
    }
}

/// The language of `words` that `Accept-Language` likes best; `de-AT` is satisfied by `de`.
fn best_language<'a>(accepted: &'a str, words: &Words) -> Option<&'a str> {
    let mut best: Option<(&str, f32)> = None;
    for part in accepted.split(',') {
        let mut pieces = part.split(';').map(str::trim);
        let tag = pieces.next().unwrap_or_default();
        let language = tag.split('-').next().unwrap_or_default();
        let quality = pieces.find_map(|p| p.strip_prefix("q=")?.parse().ok()).unwrap_or(1.0_f32);
        if words.0.contains_key(language) && quality > best.map_or(0.0, |(_, q)| q) {
            best = Some((language, quality));
        }
    }
    best.map(|(language, _)| language)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn the_language_of_a_refusal_is_the_callers_favourite_among_ours() {
        let words = Words::from([("de", "Ausverkauft"), ("en", "Sold out")]);
        for (accepted, expected) in [
            ("", None),
            ("de", Some("de")),
            ("de-AT,de;q=0.9,en;q=0.8", Some("de")),
            ("fr-FR, en;q=0.3, de;q=0.5", Some("de")),
            ("fr", None),
            ("*", None),
            ("en;q=0", None),
        ] {
            assert_eq!(best_language(accepted, &words), expected, "{accepted}");
        }
    }

    #[test]
    fn an_idempotency_key_is_short_and_visible() {
        let long = "k".repeat(256);
        for (key, fine) in
            [("order-77", true), ("a b", true), ("", false), (long.as_str(), false), ("tab\t", false)]
        {
            let mut headers = HeaderMap::new();
            headers.insert("idempotency-key", HeaderValue::from_str(key).unwrap());
            assert_eq!(idempotency(&headers).is_ok(), fine, "{key:?}");
        }
        assert_eq!(idempotency(&HeaderMap::new()).unwrap(), None);
    }
}
