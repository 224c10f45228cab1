//! What a call was given, kept beside its story: only of calls with an `Idempotency-Key`, for which it is written out as
//! text anyway. Like personal values it is shown for a reason and forgotten with them ([ADR 15]).
//! Lives here: what of it may be kept at all. Texts are kept only under names that the project's tables know and do not
//! call secret: a password or token that is given to a function stands in no table under its name.

use serde_json::Value as Json;
use takt_model::{Project, Uuid};

use super::MASK;

/// Bytes of an input that is kept; of a longer one nothing is.
const LONGEST: usize = 4_000;
/// The kind of personal data that is never kept.
const SECRET: &str = "secret";

/// Whether it is kept.
pub(super) fn is_kept(input_json: &str) -> bool {
    !input_json.is_empty() && input_json.len() <= LONGEST
}

/// An input as it may be kept, as JSON text.
pub(super) fn kept(project: &Project, input_json: &str) -> Option<String> {
    let mut input: Json = serde_json::from_str(input_json).ok()?;
    mask(project, Name::Unknown, &mut input);
    Some(input.to_string())
}

/// What the project says of the name under which a value stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    /// A field of a table has it, and none calls it secret.
    Known,
    /// No table has it: what it holds may be anything.
    Unknown,
    /// A table calls it secret: nothing beneath it is kept, whatever it is.
    Secret,
}

fn mask(project: &Project, name: Name, value: &mut Json) {
    match value {
        Json::Null => {}
        Json::Bool(_) | Json::Number(_) => {
            if name == Name::Secret {
                *value = MASK.into();
            }
        }
        Json::String(text) => {
            // Ids name things and say nothing about anybody.
            if name != Name::Known && (name == Name::Secret || Uuid::parse_str(text).is_err()) {
                MASK.clone_into(text);
            }
        }
        Json::Array(list) => list.iter_mut().for_each(|value| mask(project, name, value)),
        Json::Object(fields) => {
            for (inner, value) in fields.iter_mut() {
                let inner = if name == Name::Secret { name } else { Name::of(project, inner) };
                mask(project, inner, value);
            }
        }
    }
}

impl Name {
    fn of(project: &Project, name: &str) -> Self {
        let mut found = Self::Unknown;
        for table in &project.tables {
            let Some(field) = table.field(name) else { continue };
            if field.personal.as_deref() == Some(SECRET) {
                return Self::Secret;
            }
            // Our own tables have names that mean little: `key`, `payload`.
            if !table.name.contains('.') {
                found = Self::Known;
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use takt_model::ProjectFiles;

    use super::*;

    #[test]
    fn only_what_tables_know_and_do_not_call_secret_is_kept() {
        let schema = "label = { en = \"Contacts\" }\n[fields]\nid = { type = \"uuid\", primary_key = true }\n\
                      email = { type = \"text\", personal = \"contact\" }\n\
                      token = { type = \"text\", personal = \"secret\" }\nway = { type = \"text\" }\n";
        let files = ProjectFiles::from([("schema/contacts.toml", schema)]);
        let (project, _) = Project::parse(&files, &[]);
        for (given, expected) in [
            (r#"{"email":"a@b.example","way":"invoice"}"#, r#"{"email":"a@b.example","way":"invoice"}"#),
            (r#"{"password":"s3cret","token":"t0p"}"#, r#"{"password":"•••","token":"•••"}"#),
            (r#"{"token":4711,"way":7}"#, r#"{"token":"•••","way":7}"#),
            (r#"{"token":{"way":"x","n":true}}"#, r#"{"token":{"way":"•••","n":"•••"}}"#),
            (r#"{"b":true,"n":7,"x":null}"#, r#"{"b":true,"n":7,"x":null}"#),
            (
                r#"{"items":[{"product_id":"018f2f6e-0000-7000-8000-000000000001","say":"hi"}]}"#,
                r#"{"items":[{"product_id":"018f2f6e-0000-7000-8000-000000000001","say":"•••"}]}"#,
            ),
            (
                r#"{"deep":{"password":["x"]},"way":["a","b"]}"#,
                r#"{"deep":{"password":["•••"]},"way":["a","b"]}"#,
            ),
        ] {
            assert_eq!(kept(&project, given).unwrap(), expected);
        }
        assert!(!is_kept("") && is_kept("{}") && !is_kept(&"x".repeat(LONGEST + 1)));
    }
}
