//! Which keys of a message are fields that its schema names, and which are values: in `{"orders": {"anna@example.com":
//! {}}}` the schema of `orders` describes its keys as a crowd (`additionalProperties`, `patternProperties`). Pure.
//! Values never stand in the path of a finding: it would tell people's addresses, and be another one for each of them.

use serde_json::Value as Json;

/// Levels of references and combinations that are followed at one place.
const DEEPEST: usize = 8;
/// Parts of a schema that describe one place.
const MOST: usize = 64;

/// What the schema says at one place of a message.
#[derive(Debug)]
pub(super) struct Names<'s> {
    whole: &'s Json,
    here: Vec<&'s Json>,
}

impl<'s> Names<'s> {
    pub(super) fn of(whole: &'s Json) -> Self {
        let mut names = Self { whole, here: Vec::new() };
        names.stand_at(vec![whole]);
        names
    }

    /// Goes to the value of `key`; whether the key is a value itself.
    pub(super) fn enter_key(&mut self, key: &str) -> bool {
        let named = |part: &Json| {
            let required = part.get("required").and_then(Json::as_array);
            required.is_some_and(|names| names.iter().any(|name| name == key))
        };
        let fields: Vec<&Json> =
            self.here.iter().filter_map(|part| part.get("properties")?.get(key)).collect();
        if !fields.is_empty() || self.here.iter().copied().any(named) {
            self.stand_at(fields);
            return false;
        }
        let mut crowd = Vec::new();
        for part in &self.here {
            let patterns = part.get("patternProperties").and_then(Json::as_object);
            crowd.extend(patterns.into_iter().flat_map(|p| p.values()));
            let others = ["additionalProperties", "unevaluatedProperties"];
            crowd.extend(others.iter().filter_map(|name| part.get(*name)).filter(|s| s.is_object()));
        }
        let is_value = !crowd.is_empty();
        self.stand_at(crowd);
        is_value
    }

    /// Goes to row `at` of a list.
    pub(super) fn enter_row(&mut self, at: usize) {
        let row = |part: &&'s Json| part.get("prefixItems").and_then(|p| p.get(at)).or(part.get("items"));
        let rows = self.here.iter().filter_map(row).collect();
        self.stand_at(rows);
    }

    /// `parts` and what they refer to or are combined of.
    fn stand_at(&mut self, parts: Vec<&'s Json>) {
        self.here.clear();
        let mut next = parts;
        for _ in 0..DEEPEST {
            let mut further = Vec::new();
            for part in next.iter().take(MOST) {
                for name in ["allOf", "anyOf", "oneOf"] {
                    further.extend(part.get(name).and_then(Json::as_array).into_iter().flatten());
                }
                further.extend(["if", "then", "else"].iter().filter_map(|name| part.get(*name)));
                let target = part.get("$ref").and_then(Json::as_str).and_then(|r| r.strip_prefix('#'));
                further.extend(target.and_then(|pointer| self.whole.pointer(pointer)));
            }
            self.here.extend(next);
            if further.is_empty() || self.here.len() > MOST {
                return;
            }
            next = further;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keys_that_the_schema_does_not_name_are_values() {
        let schema = json!({
            "properties": {
                "people": { "additionalProperties": { "$ref": "#/$defs/person" } },
                "stock": { "patternProperties": { "^[a-z]+$": { "type": "number" } } },
                "rows": { "items": { "allOf": [{ "properties": { "code": {} } }] } },
                "open": { "additionalProperties": true, "required": ["id"] },
            },
            "$defs": { "person": { "properties": { "name": {} }, "anyOf": [{ "$ref": "#/$defs/person" }] } },
        });
        for (path, values) in [
            (&["people", "a@b.example", "name"][..], &[false, true, false][..]),
            (&["stock", "mug"], &[false, true]),
            (&["rows", "0", "code"], &[false, false, false]),
            (&["open", "id"], &[false, false]),
            (&["open", "colour"], &[false, false]),
            (&["unknown", "deeper"], &[false, false]),
        ] {
            let mut names = Names::of(&schema);
            let enter = |piece: &&str| match piece.parse() {
                Ok(at) => {
                    names.enter_row(at);
                    false
                }
                Err(_) => names.enter_key(piece),
            };
            assert_eq!(path.iter().map(enter).collect::<Vec<_>>(), values, "{path:?}");
        }
    }
}
