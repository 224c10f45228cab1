//! Looking into an event's payload: values by path, personal fields that may not leave, texts for people. Pure.

use serde_json::Value as Json;
use takt_model::{Connection, Project};

use crate::masks::{MASK, is_personal};

/// The value at `order.address.city`; a leading `$` or `$.` is allowed.
pub(crate) fn at<'j>(payload: &'j Json, path: &str) -> Option<&'j Json> {
    let path = path.trim_start_matches('$').trim_start_matches('.');
    path.split('.').try_fold(payload, |value, key| match value {
        Json::Object(map) => map.get(key),
        Json::Array(list) => list.get(key.parse::<usize>().ok()?),
        _ => None,
    })
}

/// A value as it stands in an address or a header; none for lists, objects and null.
pub(crate) fn text(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(flag) => Some(flag.to_string()),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

/// A text as a database keeps it: without NUL. JSON names fields and gives texts with one as it likes.
pub(crate) fn without_nul(text: &mut String) {
    if text.contains('\0') {
        *text = text.replace('\0', "\u{fffd}");
    }
}

/// `/orders/$order.number` with the values of the event, percent-encoded.
pub(crate) fn path(template: &str, payload: &Json) -> Result<String, String> {
    let mut out = String::with_capacity(template.len() + 16);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
        let end = after.find(|c| !is_name(c)).unwrap_or(after.len());
        let name = after.get(..end).unwrap_or_default().trim_end_matches('.');
        let value = at(payload, name).and_then(text);
        let value = value.ok_or_else(|| format!("the event has no `{name}` for the address"))?;
        percent_encode(&mut out, &value);
        rest = after.get(name.len()..).unwrap_or_default();
    }
    out.push_str(rest);
    Ok(out)
}

pub(crate) fn percent_encode(out: &mut String, text: &str) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

/// Takes out every field that is personal by its name in the schema and that the connection does not declare:
/// what nobody has said does not leave. Gives the names of what was taken out.
pub(crate) fn keep_declared(project: &Project, connection: &Connection, payload: &mut Json) -> Vec<String> {
    let declared = |name: &str| connection.data.iter().any(|d| d.fields.iter().any(|f| f == name));
    let mut gone = Vec::new();
    walk(payload, &mut |map| {
        map.retain(|name, value| {
            let goes = !value.is_null() && is_personal(project, name) && !declared(name);
            if goes && !gone.iter().any(|g| g == name) {
                gone.push(name.clone());
            }
            !goes
        });
    });
    gone
}

/// Puts dots in the place of personal values, for people who look at deliveries.
pub(crate) fn mask(project: &Project, payload: &mut Json) {
    walk(payload, &mut |map| {
        for (name, value) in map.iter_mut() {
            if !value.is_null() && is_personal(project, name) {
                *value = Json::from(MASK);
            }
        }
    });
}

/// What people call the thing that an event is about: the value of the first field `number`, from the outside in.
/// Never a personal one.
pub(crate) fn number(project: &Project, payload: &Json) -> Option<String> {
    const NAME: &str = "number";
    const DEEPEST: u8 = 4;
    fn find(value: &Json, deep: u8) -> Option<String> {
        let map = value.as_object()?;
        let here = map.get(NAME).and_then(text);
        let inside = || map.values().filter(|_| deep < DEEPEST).find_map(|v| find(v, deep + 1));
        here.or_else(inside)
    }
    if is_personal(project, NAME) { None } else { find(payload, 0) }
}

fn walk(value: &mut Json, each: &mut impl FnMut(&mut serde_json::Map<String, Json>)) {
    match value {
        Json::Object(map) => {
            each(map);
            map.values_mut().for_each(|v| walk(v, each));
        }
        Json::Array(list) => list.iter_mut().for_each(|v| walk(v, each)),
        _ => {}
    }
}

/// The first bytes of a text, for people; never half a character.
pub(crate) fn head(text: &str, most: usize) -> String {
    let end = (0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let cut = text.get(..end).unwrap_or_default();
    if end < text.len() { format!("{cut} …") } else { cut.to_owned() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_found_by_path() {
        let event = json!({"order": {"id": "o1", "items": [{"n": 2}], "none": null}});
        for (path, value) in [
            ("order.id", Some(json!("o1"))),
            ("$order.id", Some(json!("o1"))),
            ("$.order.items.0.n", Some(json!(2))),
            ("order.items.1.n", None),
            ("order.id.x", None),
            ("nothing", None),
        ] {
            assert_eq!(at(&event, path).cloned(), value, "{path}");
        }
    }

    #[test]
    fn addresses_take_values_and_never_more_than_one_piece_of_a_path() {
        let event = json!({"order": {"number": "B/1?x=ä", "total": 12.5}});
        assert_eq!(path("/o/$order.number/lines", &event).unwrap(), "/o/B%2F1%3Fx%3D%C3%A4/lines");
        assert_eq!(path("/t/$order.total.", &event).unwrap(), "/t/12.5.");
        assert_eq!(path("/plain", &event).unwrap(), "/plain");
        assert!(path("/o/$order.missing", &event).unwrap_err().contains("order.missing"));
    }

    #[test]
    fn heads_end_at_characters() {
        assert_eq!(head("grün", 3), "gr …");
        assert_eq!(head("grün", 100), "grün");
    }
}
