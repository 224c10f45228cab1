//! Personal values in texts that are kept for people: what was sent, what was answered, what went wrong. Pure.
//!
//! Two ways, because each alone has a gap: by the names of fields, which finds values of every kind and length; and by
//! the values of the event, which finds them under names that a mapping function or the other side made up.
//! Cheap, because every attempt passes here: a text is looked through once, nothing is serialised again.

use std::collections::HashSet;

use serde_json::Value as Json;
use takt_model::{Exposure, Project, Table};

use crate::payload;

/// What stands in place of a personal value.
pub(crate) const MASK: &str = "•••";
/// Bytes of a sent body that are kept for people.
pub(crate) const KEPT: usize = 1024;
/// Bytes of a sent body that are looked at: what is masked shrinks, and a value must not be cut before it is found.
const LOOKED_AT: usize = 4 * KEPT;
/// Values with fewer characters stand in every text.
const SHORTEST: usize = 3;

/// Whether a field of that name is personal in some table. What the product notes about the use of accounts
/// (`created_at`, `updated_at`) has names that every table has, and does not count.
pub(crate) fn is_personal(project: &Project, name: &str) -> bool {
    let counts = |table: &Table| {
        let kind = table.field(name).and_then(|f| f.personal.as_deref());
        kind.is_some_and(|kind| table.exposure == Exposure::Public || kind != "usage")
    };
    project.tables.iter().any(counts)
}

/// The names of a project's personal fields; looked up for every field of every event.
#[derive(Debug, Default)]
pub(crate) struct Personal(HashSet<String>);

impl Personal {
    pub(crate) fn of(project: &Project) -> Self {
        let names = project.tables.iter().flat_map(|t| &t.fields).map(|f| &f.name);
        Self(names.filter(|name| is_personal(project, name)).cloned().collect())
    }

    fn has(&self, name: &str) -> bool {
        self.0.contains(name)
    }
}

/// The beginning of a body as it is looked at; never half a character.
pub(crate) fn beginning(body: &[u8]) -> String {
    let cut = body.get(..LOOKED_AT).unwrap_or(body);
    let whole = match std::str::from_utf8(cut) {
        Ok(text) => text,
        // Only the cut can have torn a character.
        Err(torn) => {
            std::str::from_utf8(cut.get(..torn.valid_up_to()).unwrap_or_default()).unwrap_or_default()
        }
    };
    whole.to_owned()
}

/// The personal values of one event.
#[derive(Debug, Default)]
pub(crate) struct Masks(Vec<String>);

impl Masks {
    /// Those of `payload`, JSON text.
    pub(crate) fn of(personal: &Personal, payload: &str) -> Self {
        if personal.0.is_empty() {
            return Self::default();
        }
        let mut values = Vec::new();
        if let Ok(payload) = serde_json::from_str(payload) {
            collect(personal, &payload, &mut values);
        }
        // The longest first: a name inside an address must not leave the rest of the address.
        values.sort_by_key(|v| std::cmp::Reverse(v.len()));
        values.dedup();
        Self(values)
    }

    /// Others repeat in their answers what they were sent; those values are dotted out.
    pub(crate) fn echo(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, value| {
            if text.contains(value.as_str()) { text.replace(value.as_str(), MASK) } else { text }
        })
    }

    /// What of a sent body is kept: `beginning` as [`beginning`] gave it.
    pub(crate) fn body(&self, personal: &Personal, beginning: &str) -> String {
        let masked = self.echo(&by_name(personal, beginning));
        // At the end of what was looked at, the half of a value may stand that was not told.
        let longest = if beginning.len() + 4 > LOOKED_AT { self.0.first().map_or(0, String::len) } else { 0 };
        payload::head(&masked, KEPT.min(masked.len().saturating_sub(longest)))
    }
}

fn collect(personal: &Personal, value: &Json, values: &mut Vec<String>) {
    match value {
        Json::Object(map) => {
            for (name, value) in map {
                if personal.has(name)
                    && let Some(text) = payload::text(value)
                    && text.chars().count() >= SHORTEST
                {
                    let escaped = serde_json::to_string(&text).unwrap_or_default();
                    let escaped = escaped.get(1..escaped.len().saturating_sub(1)).unwrap_or_default();
                    if escaped != text {
                        values.push(escaped.to_owned());
                    }
                    values.push(text);
                }
                collect(personal, value, values);
            }
        }
        Json::Array(list) => list.iter().for_each(|v| collect(personal, v, values)),
        _ => {}
    }
}

/// Dots in the place of what stands under the name of a personal field, in JSON text that may be cut at its end.
fn by_name(personal: &Personal, json: &str) -> String {
    let bytes = json.as_bytes();
    let (mut out, mut done, mut at) = (String::with_capacity(json.len()), 0, 0);
    while let Some(start) = find(bytes, at, |b| b == b'"') {
        let end = string_end(bytes, start);
        at = end;
        let colon = skip_space(bytes, end);
        if bytes.get(colon) != Some(&b':') {
            continue;
        }
        let value = skip_space(bytes, colon + 1);
        let name = json.get(start + 1..end.saturating_sub(1)).unwrap_or_default();
        let is_null = bytes.get(value..).is_some_and(|rest| rest.starts_with(b"null"));
        if is_null || !personal.has(name) {
            at = value;
            continue;
        }
        out.push_str(json.get(done..value).unwrap_or_default());
        out.push('"');
        out.push_str(MASK);
        out.push('"');
        at = value_end(bytes, value);
        done = at;
    }
    out.push_str(json.get(done..).unwrap_or_default());
    out
}

fn find(bytes: &[u8], from: usize, wanted: impl Fn(u8) -> bool) -> Option<usize> {
    bytes.get(from..)?.iter().position(|b| wanted(*b)).map(|n| from + n)
}

fn skip_space(bytes: &[u8], from: usize) -> usize {
    find(bytes, from, |b| !b.is_ascii_whitespace()).unwrap_or(bytes.len())
}

/// Behind the closing quote of the string that begins at `start`, or the end.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(next) = find(bytes, at, |b| b == b'"' || b == b'\\') {
        if bytes.get(next) == Some(&b'"') {
            return next + 1;
        }
        at = next + 2;
    }
    bytes.len()
}

/// Behind the value that begins at `start`, or the end.
fn value_end(bytes: &[u8], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0_usize);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at = string_end(bytes, at);
                if depth == 0 {
                    return at;
                }
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth <= 1 => return if depth == 1 { at + 1 } else { at },
            b'}' | b']' => depth -= 1,
            b',' if depth == 0 => return at,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use serde_json::json;

    fn personal() -> Personal {
        Personal(["email", "name", "house"].map(str::to_owned).into())
    }

    #[test]
    fn what_stands_under_a_personal_name_is_dotted_out() {
        for (sent, kept) in [
            (r#"{"email":"ada@example.com","n":1}"#, r#"{"email":"•••","n":1}"#),
            (r#"{"a":{"email" : "x\"y", "n":1}}"#, r#"{"a":{"email" : "•••", "n":1}}"#),
            (r#"{"house":7,"email":null}"#, r#"{"house":"•••","email":null}"#),
            (r#"{"house":{"no":[1,{"x":"}"}]},"n":[2]}"#, r#"{"house":"•••","n":[2]}"#),
            (r#"[{"house":[1,2]},{"house":true}]"#, r#"[{"house":"•••"},{"house":"•••"}]"#),
            (r#"{"n":"email","x":"name:"}"#, r#"{"n":"email","x":"name:"}"#),
            (r#"{"email":"cut in the mid"#, r#"{"email":"•••""#),
            (r#"{"house":{"deep":"cut"#, r#"{"house":"•••""#),
            (r#"{"ema"#, r#"{"ema"#),
            ("no JSON at all", "no JSON at all"),
        ] {
            assert_eq!(by_name(&personal(), sent), kept, "{sent}");
        }
    }

    #[test]
    fn values_are_found_under_other_names_too() {
        let payload =
            json!({"order": {"email": "ada@example.com", "name": "Ada \"A.\"", "house": 7}}).to_string();
        let masks = Masks::of(&personal(), &payload);
        let sent = json!({"mail": "ada@example.com", "to": "Ada \"A.\"", "no": 7}).to_string();
        assert_eq!(masks.body(&personal(), &sent), r#"{"mail":"•••","to":"•••","no":7}"#);
        assert_eq!(masks.echo("ada@example.com is blocked"), "••• is blocked");
    }

    #[test]
    fn the_end_of_a_long_body_leaves_no_half_of_a_value() {
        let name = "Augusta Ada King, Countess of Lovelace";
        let masks = Masks::of(&personal(), &json!({ "name": name }).to_string());
        for pad in 0..100 {
            // Each value shrinks when it is masked, so what was cut in the middle moves to the front.
            let sent = format!("{}{}", "x".repeat(pad), name.repeat(200));
            let kept = masks.body(&personal(), &beginning(sent.as_bytes()));
            assert!(!kept.contains("Augusta"), "{pad}: {kept}");
            assert!(kept.len() <= KEPT + 4);
        }
        assert_eq!(beginning("ä".repeat(4000).as_bytes()).chars().next_back(), Some('ä'));
    }
}
