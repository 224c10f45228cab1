//! A JSON Schema (draft 2020-12), compiled. References lead nowhere outside its own file, and patterns take time in
//! proportion to the text, so that no message can hold a worker up.

use jsonschema::{PatternOptions, Validator};
use serde_json::{Map, Value as Json};

use super::{Whose, names::Names};

/// Keywords whose parts see the same object together: fields that one does not name another one may.
const COMBINING: [&str; 9] =
    ["allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "$dynamicRef"];

/// A compiled schema.
#[derive(Debug)]
pub(super) struct Schema {
    validator: Validator,
    fingerprint: String,
    /// As it was written.
    text: Json,
}

/// Why a text is no schema: where it stands in the text, if that is known, and what is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) line: u32,
    pub(super) message: String,
}

impl Schema {
    /// Compiles `source`. Of what others send, fields that the schema does not name are found too.
    pub(super) fn compile(source: &str, whose: Whose) -> Result<Self, Wrong> {
        let mut schema: Json = serde_json::from_str(source).map_err(|error| Wrong {
            line: u32::try_from(error.line()).unwrap_or(1),
            message: format!("this is no JSON: {error}"),
        })?;
        if !schema.is_object() {
            return Err(Wrong {
                line: 1,
                message: "a schema is an object: `{ \"type\": \"object\" }`".to_owned(),
            });
        }
        let build = |schema: &Json| {
            jsonschema::draft202012::options()
                .offline()
                .should_validate_formats(true)
                .with_pattern_options(PatternOptions::regex().size_limit(1024 * 1024))
                .build(schema)
                .map_err(|error| Wrong {
                    line: line_of(source, error.instance_path().as_str()),
                    message: format!("this is no schema: {}", crate::payload::head(&error.to_string(), 300)),
                })
        };
        let text = schema.clone();
        // As it was written first: its problems are told in its own words.
        let mut validator = build(&schema)?;
        if whose == Whose::Theirs {
            let with_definitions = !combines(&schema);
            close(&mut schema, with_definitions);
            validator = build(&schema)?;
        }
        Ok(Self { validator, fingerprint: fingerprint(source), text })
    }

    pub(super) fn is_fulfilled(&self, message: &Json) -> bool {
        self.validator.is_valid(message)
    }

    pub(super) fn validator(&self) -> &Validator {
        &self.validator
    }

    /// What it says about the names of fields, from the whole message on.
    pub(super) fn names(&self) -> Names<'_> {
        Names::of(&self.text)
    }

    /// Tells this schema from what it was before somebody changed it.
    pub(super) fn fingerprint(&self) -> &str {
        &self.fingerprint
    }
}

fn fingerprint(text: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    URL_SAFE_NO_PAD.encode(digest.as_ref().get(..12).unwrap_or_default())
}

/// Whether parts of the schema speak of one object together.
fn combines(schema: &Json) -> bool {
    match schema {
        Json::Object(map) => {
            map.iter().any(|(key, value)| COMBINING.contains(&key.as_str()) || combines(value))
        }
        Json::Array(list) => list.iter().any(combines),
        _ => false,
    }
}

/// Lets objects that name their fields name all of them, so that others are found. Nothing below a combination is
/// touched: there a field that one part does not name may be named by its neighbour.
fn close(schema: &mut Json, with_definitions: bool) {
    let Json::Object(map) = schema else { return };
    let is_open = !["additionalProperties", "unevaluatedProperties", "$ref"]
        .iter()
        .chain(&COMBINING)
        .any(|key| map.contains_key(*key));
    if is_open && map.contains_key("properties") {
        map.insert("additionalProperties".to_owned(), Json::Bool(false));
    }
    let inside = |map: &mut Map<String, Json>, key: &str| {
        let values = map.get_mut(key).and_then(Json::as_object_mut);
        values.into_iter().flat_map(Map::values_mut).for_each(|s| close(s, with_definitions));
    };
    inside(map, "properties");
    inside(map, "patternProperties");
    if with_definitions {
        inside(map, "$defs");
    }
    for key in ["items", "additionalProperties"] {
        if let Some(schema) = map.get_mut(key) {
            close(schema, with_definitions);
        }
    }
    for schema in map.get_mut("prefixItems").and_then(Json::as_array_mut).into_iter().flatten() {
        close(schema, with_definitions);
    }
}

/// The line in which the last name of a pointer stands for the first time behind those before it; near enough to look.
fn line_of(text: &str, pointer: &str) -> u32 {
    let mut at = 0;
    for name in pointer.split('/').filter(|n| !n.is_empty() && n.parse::<usize>().is_err()) {
        let key = format!("\"{}\"", name.replace("~1", "/").replace("~0", "~"));
        at += text.get(at..).and_then(|rest| rest.find(&key)).unwrap_or(0);
    }
    let lines = text.get(..at).unwrap_or_default().matches('\n').count();
    u32::try_from(lines + 1).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_no_schema_is_said_with_its_line() {
        for (text, line, says) in [
            ("{\n\"type\": \n}", 3, "no JSON"),
            ("[]", 1, "a schema is an object"),
            ("{\n  \"type\": \"objekt\"\n}", 2, "no schema"),
            ("{\n  \"properties\": {\n    \"a\": { \"minimum\": \"1\" }\n  }\n}", 3, "no schema"),
            ("{ \"$ref\": \"https://example.com/other.json\" }", 1, "no schema"),
            ("{ \"$ref\": \"other.json\" }", 1, "no schema"),
            ("{ \"$ref\": \"#/$defs/none\" }", 1, "no schema"),
        ] {
            let wrong = Schema::compile(text, Whose::Theirs).unwrap_err();
            assert_eq!(wrong.line, line, "{text}: {}", wrong.message);
            assert!(wrong.message.contains(says), "{text}: {}", wrong.message);
        }
    }

    #[test]
    fn others_may_not_add_fields_unseen_and_we_may_unless_the_schema_says_no() {
        let open = json!({ "type": "object", "properties": { "a": { "type": "object", "properties": {} } } });
        let extra = json!({ "a": { "b": 1 }, "c": 2 });
        assert!(Schema::compile(&open.to_string(), Whose::Ours).unwrap().is_fulfilled(&extra));
        assert!(!Schema::compile(&open.to_string(), Whose::Theirs).unwrap().is_fulfilled(&extra));
        let closed = json!({ "type": "object", "properties": {}, "additionalProperties": false });
        assert!(!Schema::compile(&closed.to_string(), Whose::Ours).unwrap().is_fulfilled(&extra));
        // Each part of a combination names its own fields.
        let both = json!({ "allOf": [{ "$ref": "#/$defs/a" }, { "properties": { "b": {} } }],
            "$defs": { "a": { "properties": { "a": {} } } } });
        let message = json!({ "a": 1, "b": 2 });
        assert!(Schema::compile(&both.to_string(), Whose::Theirs).unwrap().is_fulfilled(&message));
    }

    #[test]
    fn numbers_are_judged_as_they_were_written() {
        let schema = json!({ "properties": { "n": { "type": "integer", "minimum": 0 }, "m": { "multipleOf": 0.01 } } });
        let schema = Schema::compile(&schema.to_string(), Whose::Ours).unwrap();
        let fits = |text: &str| schema.is_fulfilled(&serde_json::from_str(text).unwrap());
        for (text, fitting) in [
            (r#"{"n": 3}"#, true),
            (r#"{"n": 3.0}"#, true),
            (r#"{"n": 3.5}"#, false),
            (r#"{"n": -1}"#, false),
            (r#"{"n": 123456789012345678901234567890}"#, true),
            // Beyond what a double holds nothing is known to be whole.
            (r#"{"n": 1e400}"#, false),
            (r#"{"m": 4.35}"#, true),
            (r#"{"m": 4.355}"#, false),
        ] {
            assert_eq!(fits(text), fitting, "{text}");
        }
    }
}
