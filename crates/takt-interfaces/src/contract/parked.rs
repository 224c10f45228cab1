//! Answers that wait for a decision. The call has had its effect at the other side, so its answer is kept with the
//! delivery's finished steps: a later attempt judges the kept answer anew instead of calling again. Pure.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

/// In front of the names under which answers are kept; no step of a function is called so.
const PREFIX: &str = "takt.answer ";
/// A larger answer is not kept; the delivery then waits for a person and is not sent again by itself.
const MOST: usize = 256 * 1024;

/// An answer as it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// None if it was too large to be kept.
    pub(crate) body: Option<String>,
}

impl Answer {
    pub(crate) fn new(status: u16, body: &str) -> Self {
        Self { status, body: (body.len() <= MOST).then(|| body.to_owned()) }
    }

    /// As it stands in a journal.
    pub(crate) fn to_json(&self) -> Json {
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// The name under which the answer to a call is kept: the same call gets the same name in every attempt.
pub(crate) fn call_key(asked: &Json) -> String {
    let mut call = Map::new();
    for part in ["method", "path", "query", "body"] {
        call.insert(part.to_owned(), asked[part].clone());
    }
    if !asked["params"].is_null() {
        call.insert("params".to_owned(), asked["params"].clone());
    }
    let digest = ring::digest::digest(&ring::digest::SHA256, Json::Object(call).to_string().as_bytes());
    format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(digest.as_ref().get(..15).unwrap_or_default()))
}

/// A journal without its answers, if it has any: the finished steps, or nothing.
pub(crate) fn without_answers(journal: Option<&str>) -> Option<Option<String>> {
    let mut journal: Map<String, Json> = serde_json::from_str(journal?).ok()?;
    let before = journal.len();
    journal.retain(|name, _| !name.starts_with(PREFIX.trim_end()));
    let is_changed = journal.len() != before;
    is_changed.then(|| (!journal.is_empty()).then(|| Json::Object(journal).to_string()))
}

/// The kept answer of a delivery that is one call; `None` if there is none.
pub(crate) fn kept_answer(journal: Option<&str>, key: &str) -> Option<Answer> {
    let journal: Map<String, Json> = serde_json::from_str(journal?).ok()?;
    serde_json::from_value(journal.get(key)?.clone()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_same_call_has_the_same_name_and_another_one_another() {
        let call =
            |body: &str| json!({ "method": "POST", "path": "/sales", "body": { "n": body }, "as": "create" });
        assert_eq!(call_key(&call("1")), call_key(&call("1")));
        assert_ne!(call_key(&call("1")), call_key(&call("2")));
    }

    #[test]
    fn what_is_too_large_is_not_kept_and_not_forgotten() {
        let key = call_key(&json!({}));
        let journal = |answer: &Answer| json!({ key.clone(): answer.to_json() }).to_string();
        let small = Answer::new(201, "{}");
        assert_eq!(kept_answer(Some(&journal(&small)), &key), Some(small));
        let large = Answer::new(201, &"x".repeat(MOST + 1));
        assert_eq!(kept_answer(Some(&journal(&large)), &key), Some(Answer { status: 201, body: None }));
        assert_eq!(kept_answer(None, &key), None);
        assert_eq!(kept_answer(Some("{}"), &key), None);
    }
}
