//! Samples of messages: what is kept to show a difference. At most 1 KB, with few rows and no personal values. Pure.

use serde_json::{Map, Value as Json};
use takt_model::Project;

use crate::{masks, payload};

/// Bytes of a sample.
const MOST: usize = 1024;
/// Rows of a list, fields of an object, levels.
const ROWS: usize = 2;
const FIELDS: usize = 30;
const LEVELS: usize = 6;
/// Characters of a text that reads like the word of a machine.
const WORD: usize = 40;

/// A sample of `message`: personal fields masked, and every text that a person may have written.
pub(super) fn of(project: &Project, message: &Json) -> String {
    let mut small = shrunk(message, LEVELS);
    payload::mask(project, &mut small);
    cap(&small.to_string())
}

/// At most 1 KB.
pub(super) fn cap(text: &str) -> String {
    payload::head(text, MOST - " …".len())
}

fn shrunk(value: &Json, levels: usize) -> Json {
    match value {
        Json::Array(_) | Json::Object(_) if levels == 0 => Json::from("…"),
        Json::Array(list) => list.iter().take(ROWS).map(|v| shrunk(v, levels - 1)).collect(),
        Json::Object(map) => {
            let name = |k: &str| if is_value(k) { masks::MASK.to_owned() } else { payload::head(k, WORD) };
            let small = map.iter().take(FIELDS).map(|(k, v)| (name(k), shrunk(v, levels - 1)));
            Json::Object(small.collect::<Map<_, _>>())
        }
        Json::String(text) if !is_word(text) => Json::from(masks::MASK),
        other => other.clone(),
    }
}

/// Whether a text is a word of a machine (`processing`, `2026-11-26T09:00:00Z`, `12.90`): free texts, addresses and long
/// numbers may be somebody's, whatever their field is called.
fn is_word(text: &str) -> bool {
    let is_fit = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':' | '/' | '+');
    text.len() <= WORD && text.chars().all(is_fit) && longest_number(text) < 7
}

/// Whether the key of an object reads like somebody's address or number, and not like the name of a field.
pub(super) fn is_value(key: &str) -> bool {
    key.contains('@') || longest_number(key) >= 7
}

fn longest_number(text: &str) -> usize {
    text.split(|c: char| !c.is_ascii_digit()).map(str::len).max().unwrap_or_default()
}

/// What stands in a sample where `path` leads to, one level up; the whole if it does not lead that far.
pub(super) fn beside<'j>(sample: &'j Json, path: &str) -> &'j Json {
    let parent = path.rsplit_once('.').map_or("", |(parent, _)| parent);
    let mut pieces = parent.split('.').filter(|p| !p.is_empty());
    let found = pieces.try_fold(sample, |here, piece| match here {
        Json::Array(list) => list.first(),
        Json::Object(map) if piece == "*" => map.values().next(),
        other => other.get(piece),
    });
    found.unwrap_or(sample)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_sample_is_small_and_says_nothing_about_people() {
        let rows: Vec<_> = (0..500).map(|n| json!({ "code": format!("a-{n}"), "stock": n })).collect();
        let message = json!({
            "state": "processing", "at": "2026-11-26T09:00:00Z", "note": "for Anna", "mail": "anna@example.com",
            "phone": "0301234567", "price": "12.90", "rows": rows,
        });
        let sample = of(&Project::default(), &message);
        assert!(sample.len() <= MOST);
        let read: Json = serde_json::from_str(&sample).unwrap_or_default();
        assert_eq!(read["state"], "processing");
        assert_eq!(read["price"], "12.90");
        assert_eq!([&read["note"], &read["mail"], &read["phone"]], [masks::MASK; 3]);
        assert_eq!(read["rows"].as_array().map(Vec::len), Some(2));
        let wide: Map<String, Json> =
            (0..30).map(|n| (format!("field_{n}"), json!("x".repeat(39)))).collect();
        assert!(of(&Project::default(), &Json::Object(wide)).len() <= MOST);
    }

    #[test]
    fn the_same_place_is_found_in_an_earlier_sample() {
        let sample = json!({ "products": [{ "slug": "a", "stock": 1 }] });
        assert_eq!(beside(&sample, "products.*.stock"), &json!({ "slug": "a", "stock": 1 }));
        assert_eq!(beside(&sample, "products"), &sample);
        assert_eq!(beside(&sample, "nothing.here.at.all"), &sample);
    }
}
