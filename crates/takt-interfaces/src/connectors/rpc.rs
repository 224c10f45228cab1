//! JSON-RPC 2.0: the envelope around a call, and what its answer means. Lives here: pure functions. Not here: sending
//! (`http.rs`, `talk.rs`).

use serde_json::{Value as Json, json};

use crate::{Outcome, payload};

/// "Internal error" of the specification, and the codes that it leaves to servers: trying again makes sense.
const INTERNAL: i64 = -32603;
const OF_SERVERS: std::ops::RangeInclusive<i64> = -32099..=-32000;

/// A call. Without `params` it has none.
pub(super) fn envelope(id: &str, method: &str, params: &Json) -> Json {
    let mut call = json!({ "jsonrpc": "2.0", "id": id, "method": method });
    if !params.is_null() {
        call["params"] = params.clone();
    }
    call
}

/// Why there is no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NoResult {
    pub(super) outcome: Outcome,
    /// `error -32602: unknown article`
    pub(super) reason: String,
}

/// The result in the text of an answer with a success as its status.
pub(super) fn result(text: &str) -> Result<Json, NoResult> {
    let answer: Option<Json> = serde_json::from_str(text).ok();
    if let Some(error) = error(text) {
        return Err(error);
    }
    match answer {
        Some(Json::Object(mut answer)) if answer.contains_key("result") => {
            Ok(answer.remove("result").unwrap_or_default())
        }
        // A page of a proxy, as a rule: the call may be made again.
        _ => Err(NoResult { outcome: Outcome::Failed, reason: "the answer is no JSON-RPC".to_owned() }),
    }
}

/// The error object in an answer, whatever its status.
pub(super) fn error(text: &str) -> Option<NoResult> {
    let answer: Json = serde_json::from_str(text).ok()?;
    let error = answer.get("error").filter(|e| !e.is_null())?;
    let code = error.get("code").and_then(Json::as_i64);
    let message = error.get("message").and_then(Json::as_str).unwrap_or("an error without words");
    let outcome = match code {
        Some(code) if code == INTERNAL || OF_SERVERS.contains(&code) => Outcome::Failed,
        // The call itself is wrong, or the other side's own rules say no: it would say so again.
        Some(_) | None => Outcome::Refused,
    };
    let code = code.map_or_else(String::new, |code| format!(" {code}"));
    Some(NoResult { outcome, reason: format!("error{code}: {}", payload::head(message, 200)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_have_their_classes() {
        let no = |outcome, reason: &str| Err(NoResult { outcome, reason: reason.to_owned() });
        for (text, expected) in [
            (r#"{"jsonrpc":"2.0","id":"1","result":{"n":7}}"#, Ok(json!({"n": 7}))),
            (r#"{"jsonrpc":"2.0","id":"1","result":null}"#, Ok(Json::Null)),
            (r#"{"id":"1","result":1,"error":null}"#, Ok(json!(1))),
            (
                r#"{"jsonrpc":"2.0","id":"1","error":{"code":-32602,"message":"unknown article"}}"#,
                no(Outcome::Refused, "error -32602: unknown article"),
            ),
            (r#"{"id":"1","error":{"code":42,"message":"no"}}"#, no(Outcome::Refused, "error 42: no")),
            (r#"{"id":"1","error":["UserError"]}"#, no(Outcome::Refused, "error: an error without words")),
            (
                r#"{"id":"1","error":{"code":-32603,"message":"locked"}}"#,
                no(Outcome::Failed, "error -32603: locked"),
            ),
            (
                r#"{"id":"1","error":{"code":-32000,"message":"busy"}}"#,
                no(Outcome::Failed, "error -32000: busy"),
            ),
            (r#"{"id":"1"}"#, no(Outcome::Failed, "the answer is no JSON-RPC")),
            ("<html>", no(Outcome::Failed, "the answer is no JSON-RPC")),
        ] {
            assert_eq!(result(text), expected, "{text}");
        }
    }

    #[test]
    fn a_call_without_parameters_has_none() {
        assert_eq!(
            envelope("7", "ping", &Json::Null).to_string(),
            r#"{"jsonrpc":"2.0","id":"7","method":"ping"}"#
        );
        let call = envelope("7", "sale.create", &json!([1]));
        assert_eq!(call["params"], json!([1]));
    }
}
