//! What differs between a message and its contract: found, told apart, and said in words. Pure.
//! Values of messages never stand in sentences; names of fields and kinds of values do.

use std::collections::BTreeMap;

use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use serde_json::Value as Json;
use takt_model::{Project, Uuid};

use super::{Direction, Place, Whose, sample, schema::Schema};
use crate::{masks, payload};

/// Violations of one message that are looked at; more are more of the same.
const MOST_ERRORS: usize = 200;
/// Findings of one message.
const MOST_FINDINGS: usize = 20;

/// How a message differs from its contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DriftKind {
    /// A field that the contract does not name. Never breaks anything.
    UnknownField,
    /// A value that the contract does not list. Never breaks anything.
    NewValue,
    /// A required field is not there.
    Missing,
    /// A required field is not there, and a new one stands beside it.
    Renamed,
    /// A value of another type.
    Type,
    /// Nothing where a value belongs.
    Null,
    /// A value outside of what the contract allows: too small, too long, of another form.
    Value,
    /// A well-formed answer that cannot be right.
    Implausible,
}

impl DriftKind {
    const ALL: [Self; 8] = [
        Self::UnknownField,
        Self::NewValue,
        Self::Missing,
        Self::Renamed,
        Self::Type,
        Self::Null,
        Self::Value,
        Self::Implausible,
    ];

    /// As it is stored.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::UnknownField => "unknown_field",
            Self::NewValue => "new_value",
            Self::Missing => "missing",
            Self::Renamed => "renamed",
            Self::Type => "type",
            Self::Null => "null",
            Self::Value => "value",
            Self::Implausible => "implausible",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.name() == name)
    }

    /// Whether nothing may be written of such an answer.
    #[must_use]
    pub fn is_breaking(self) -> bool {
        !matches!(self, Self::UnknownField | Self::NewValue)
    }
}

/// A difference that was seen, as it is kept. Moments are microseconds since 1970 UTC.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Drift {
    /// Id.
    pub id: Uuid,
    /// The connection.
    pub connection: String,
    /// The operation.
    pub operation: String,
    /// Name of the call or step; empty where there is one call.
    pub step: String,
    /// Which way the message went.
    pub direction: Direction,
    /// Where in the message, `products.*.stock`; the rule for figures; empty for the whole message.
    pub path: String,
    /// What differs.
    pub kind: DriftKind,
    /// Whether it breaks the contract.
    pub breaking: bool,
    /// The new name, the new value, or `integer > string`.
    pub detail: Option<String>,
    /// When it was seen first.
    pub first_seen: i64,
    /// When it was seen last.
    pub last_seen: i64,
    /// How often; what breaks nothing is counted in memory for up to a minute.
    pub count: i64,
    /// A good message of before, as far as one was kept; personal values masked.
    pub before: Option<String>,
    /// The message that differs; personal values masked.
    pub after: Option<String>,
    /// Whether a person has said that it is right so.
    pub accepted: bool,
    /// Fingerprint of the schema that it differs from.
    pub contract: String,
}

/// A difference in one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) step: String,
    pub(crate) direction: Direction,
    pub(crate) path: String,
    pub(crate) kind: DriftKind,
    pub(crate) breaking: bool,
    pub(crate) detail: Option<String>,
    pub(crate) before: Option<String>,
    pub(crate) after: String,
    pub(crate) contract: String,
    /// How often since it was written down last.
    pub(crate) times: i64,
}

/// A good message, to be shown beside one that is not; or the figures of an answer that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) step: String,
    pub(crate) direction: Direction,
    pub(crate) sample: String,
}

/// What a judgement gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judged {
    pub(crate) findings: Vec<Finding>,
    pub(crate) kept: Vec<Kept>,
    /// Why nothing may be done with the message, in one sentence.
    pub(crate) stop: Option<String>,
}

impl Judged {
    /// Both judgements; the first reason to stop counts.
    pub(crate) fn and(&mut self, other: Self) {
        self.findings.extend(other.findings);
        self.kept.extend(other.kept);
        if self.stop.is_none() {
            self.stop = other.stop;
        }
    }

    /// The message was judged before: what differs is no further sight of it.
    pub(crate) fn again(mut self) -> Self {
        self.findings.iter_mut().for_each(|f| f.times = 0);
        self
    }

    /// Texts without NUL, as a database keeps them.
    pub(crate) fn make_storable(&mut self) {
        for found in &mut self.findings {
            let Finding { step, path, detail, before, after, .. } = found;
            [step, path, after].into_iter().chain(detail).chain(before).for_each(payload::without_nul);
        }
        for Kept { step, sample, .. } in &mut self.kept {
            [step, sample].into_iter().for_each(payload::without_nul);
        }
        self.stop.iter_mut().for_each(payload::without_nul);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.findings.is_empty() && self.kept.is_empty()
    }
}

/// A difference before it is told: where, what, and the rest of it.
struct Raw {
    /// As in the message, with numbers of rows.
    pointer: String,
    kind: DriftKind,
    detail: Option<String>,
}

/// Every difference between `message` and `schema`, each kind at each place once.
pub(super) fn findings(
    project: &Project,
    place: Place<'_>,
    direction: Direction,
    schema: &Schema,
    message: &Json,
    before: Option<&str>,
) -> Vec<Finding> {
    let good: Option<Json> = before.and_then(|text| serde_json::from_str(text).ok());
    let mut found: Vec<Finding> = Vec::new();
    for raw in differences(project, schema, message, good.as_ref()) {
        // As it will be kept, so that what a person has accepted is found again.
        let mut path = plain_path(schema, message, &raw.pointer);
        payload::without_nul(&mut path);
        let mut detail = raw.detail;
        detail.iter_mut().for_each(payload::without_nul);
        if found.len() >= MOST_FINDINGS || found.iter().any(|f| f.path == path && f.kind == raw.kind) {
            continue;
        }
        let parent = raw.pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
        found.push(Finding {
            step: place.step.to_owned(),
            direction,
            kind: raw.kind,
            breaking: raw.kind.is_breaking(),
            detail,
            before: good.as_ref().map(|good| sample::cap(&sample::beside(good, &path).to_string())),
            after: sample::of(project, message.pointer(parent).unwrap_or(message)),
            contract: schema.fingerprint().to_owned(),
            times: 1,
            path,
        });
    }
    found
}

fn differences(project: &Project, schema: &Schema, message: &Json, good: Option<&Json>) -> Vec<Raw> {
    let mut missing: Vec<(String, String)> = Vec::new();
    let mut unknown: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut all = Vec::new();
    for error in schema.validator().iter_errors(message).take(MOST_ERRORS) {
        let pointer = error.instance_path().as_str().to_owned();
        let value = message.pointer(&pointer).unwrap_or(&Json::Null);
        let (kind, detail) = match error.kind() {
            Kind::Required { property } => {
                missing.push((pointer, property.as_str().unwrap_or_default().to_owned()));
                continue;
            }
            Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
                unknown.entry(pointer).or_default().extend(unexpected.iter().cloned());
                continue;
            }
            Kind::Type { .. } if value.is_null() => (DriftKind::Null, None),
            Kind::Type { kind } => {
                (DriftKind::Type, Some(format!("{} > {}", expected(kind), kind_of(value))))
            }
            Kind::Enum { .. } if value.is_null() => (DriftKind::Null, None),
            Kind::Enum { .. } => (DriftKind::NewValue, token(project, &pointer, value)),
            other => (DriftKind::Value, Some(other.keyword().to_owned())),
        };
        all.push(Raw { pointer, kind, detail });
    }
    for (parent, name) in missing {
        let new_name = unknown
            .get_mut(&parent)
            .and_then(|names| take_new_name(schema, names, &parent, &name, message, good));
        let kind = if new_name.is_some() { DriftKind::Renamed } else { DriftKind::Missing };
        all.push(Raw { pointer: format!("{parent}/{}", escape(&name)), kind, detail: new_name });
    }
    for (parent, names) in unknown {
        let raw = |name: String| Raw {
            pointer: format!("{parent}/{}", escape(&name)),
            kind: DriftKind::UnknownField,
            detail: None,
        };
        all.extend(names.into_iter().map(raw));
    }
    all
}

/// The new name of a field that is gone: the one field beside it that is new, of the same kind as it was.
fn take_new_name(
    schema: &Schema,
    names: &mut Vec<String>,
    parent: &str,
    gone: &str,
    message: &Json,
    good: Option<&Json>,
) -> Option<String> {
    let place = plain_path(schema, message, &format!("{parent}/{}", escape(gone)));
    let before = good.map(|good| sample::beside(good, &place));
    let was = before.and_then(|b| b.get(gone));
    let is_new = |name: &&String| before.is_none_or(|b| b.get(name.as_str()).is_none());
    let fits = |name: &&String| {
        let value = message.pointer(&format!("{parent}/{}", escape(name)));
        was.is_none_or(|was| value.is_some_and(|v| kind_of(v) == kind_of(was)))
    };
    let candidates: Vec<&String> = names.iter().filter(is_new).filter(fits).collect();
    let [one] = candidates.as_slice() else { return None };
    let one = (*one).clone();
    names.retain(|n| *n != one);
    Some(one)
}

fn expected(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(one) => one.to_string(),
        TypeKind::Multiple(several) => several.iter().map(|t| t.to_string()).collect::<Vec<_>>().join(" or "),
    }
}

fn kind_of(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(_) => "number",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    }
}

/// A new value of a list of values, if it is a word of a machine and not personal.
fn token(project: &Project, pointer: &str, value: &Json) -> Option<String> {
    let name = pointer.rsplit('/').next().unwrap_or_default();
    let text = payload::text(value)?;
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    (text.len() <= 40 && text.chars().all(is_word) && !masks::is_personal(project, name)).then_some(text)
}

fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// `/products/17/stock` as `products.*.stock`: the same for every row, and for every key that the schema does not name:
/// those are values (ids, addresses of people), not fields.
fn plain_path(schema: &Schema, message: &Json, pointer: &str) -> String {
    let mut here = Some(message);
    let mut names = schema.names();
    let mut path: Vec<String> = Vec::new();
    for piece in pointer.split('/').skip(1) {
        let name = piece.replace("~1", "/").replace("~0", "~");
        match here {
            Some(Json::Array(list)) => {
                let at = piece.parse::<usize>().ok();
                here = at.and_then(|at| list.get(at));
                names.enter_row(at.unwrap_or_default());
                path.push("*".to_owned());
            }
            other => {
                here = other.and_then(|v| v.get(&name));
                let is_value = names.enter_key(&name) || sample::is_value(&name);
                path.push(if is_value { "*".to_owned() } else { payload::head(&name, 60) });
            }
        }
    }
    payload::head(&path.join("."), 200)
}

/// Why nothing can be done with the message, in one sentence without any value of it.
pub(super) fn sentence(whose: Whose, first: &Finding, all: usize) -> String {
    let what = match (whose, first.step.as_str()) {
        (Whose::Ours, "") => "contract: it does not leave".to_owned(),
        (Whose::Ours, step) => format!("contract: `{step}` does not leave"),
        (Whose::Theirs, "") if first.direction == Direction::Request => "contract: this message".to_owned(),
        (Whose::Theirs, "") => "contract: the answer".to_owned(),
        (Whose::Theirs, step) => format!("contract: the answer to `{step}`"),
    };
    let verb = if whose == Whose::Ours { ", because it" } else { "" };
    let more = if all > 1 { format!(" (and {} more)", all - 1) } else { String::new() };
    format!("{what}{verb} is not as agreed: {}{more}", difference(first))
}

/// What differs: "`number` is missing".
fn difference(finding: &Finding) -> String {
    let path = if finding.path.is_empty() { "the whole".to_owned() } else { format!("`{}`", finding.path) };
    let detail = finding.detail.as_deref().unwrap_or_default();
    match finding.kind {
        DriftKind::UnknownField => format!("{path} is not in the contract"),
        DriftKind::NewValue => format!("{path} has a value that is not in the list"),
        DriftKind::Missing => format!("{path} is missing"),
        DriftKind::Renamed => format!("{path} is missing, and `{detail}` is new"),
        DriftKind::Type => {
            let (wanted, is) = detail.split_once(" > ").unwrap_or(("another type", detail));
            format!("{path} must be {wanted} and is {is}")
        }
        DriftKind::Null => format!("{path} is empty (null)"),
        DriftKind::Value => format!("{path} is not as allowed ({detail})"),
        DriftKind::Implausible => format!("{path} does not hold"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use expect_test::expect;
    use serde_json::json;

    const SALE: &str = r##"{
      "type": "object",
      "required": ["id", "state", "lines"],
      "properties": {
        "id": { "type": "integer" },
        "state": { "enum": ["draft", "done"] },
        "number": { "type": ["string", "null"] },
        "at": { "type": "string", "format": "date-time" },
        "lines": { "type": "array", "items": { "$ref": "#/$defs/line" } }
      },
      "$defs": {
        "line": {
          "type": "object",
          "required": ["code", "stock"],
          "properties": { "code": { "type": "string" }, "stock": { "type": "number", "minimum": 0 } }
        }
      }
    }"##;

    fn good() -> Json {
        json!({ "id": 7, "state": "done", "number": "4", "at": "2026-11-26T09:00:00Z",
            "lines": [{ "code": "a", "stock": 3 }, { "code": "b", "stock": 0.5 }] })
    }

    /// How a message is judged beside a good one of before.
    fn judged(message: &Json) -> String {
        let schema = Schema::compile(SALE, Whose::Theirs).unwrap();
        assert!(schema.is_fulfilled(&good()));
        let project = Project::default();
        let before = sample::of(&project, &good());
        let place = Place { connection: "erp", operation: "sale", step: "" };
        let found = findings(&project, place, Direction::Response, &schema, message, Some(&before));
        let told = |f: &Finding| {
            let breaking = if f.breaking { "BREAKS" } else { "note" };
            format!(
                "{breaking} {}: {} <- {}",
                difference(f),
                f.after,
                f.before.as_deref().unwrap_or_default()
            )
        };
        found.iter().map(told).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn changed_messages_are_told_apart() {
        let with = |change: &dyn Fn(&mut Json)| {
            let mut message = good();
            change(&mut message);
            message
        };
        let remove = |message: &mut Json, name: &str| message.as_object_mut().unwrap().remove(name);
        let mut all = String::new();
        for (what, message) in [
            ("as it was", good()),
            ("a field removed", with(&|m| drop(remove(m, "id")))),
            ("an optional field removed", with(&|m| drop(remove(m, "number")))),
            (
                "a field renamed",
                with(&|m| {
                    let id = remove(m, "id").unwrap();
                    m["sale_id"] = id;
                }),
            ),
            (
                "a field removed, and another kind of field added",
                with(&|m| {
                    drop(remove(m, "id"));
                    m["colour"] = json!("green");
                }),
            ),
            (
                "a field renamed in every row",
                with(&|m| {
                    m["lines"] = json!([{ "code": "a", "quantity": 3 }, { "code": "b", "quantity": 1 }]);
                }),
            ),
            ("a type changed", with(&|m| m["id"] = json!("7"))),
            ("a type changed in a row", with(&|m| m["lines"][1]["stock"] = json!("0.5"))),
            ("an enum grown", with(&|m| m["state"] = json!("on_hold"))),
            ("an enum of free text", with(&|m| m["state"] = json!("waits for Anna"))),
            ("null", with(&|m| m["id"] = Json::Null)),
            ("null in an enum", with(&|m| m["state"] = Json::Null)),
            ("an unknown field", with(&|m| m["colour"] = json!("green"))),
            ("an unknown field in a row", with(&|m| m["lines"][0]["colour"] = json!("green"))),
            ("below the minimum", with(&|m| m["lines"][0]["stock"] = json!(-1))),
            ("no moment any more", with(&|m| m["at"] = json!("26.11.2026"))),
            ("a list instead of an object", json!([1, 2])),
            ("a text", json!("<html>down for maintenance</html>")),
        ] {
            all.push_str(&format!("{what}:\n{}\n", judged(&message)));
        }
        expect![[r#"
            as it was:

            a field removed:
            BREAKS `id` is missing: {"lines":[{"code":"a","stock":3},{"code":"b","stock":0.5}],"state":"done","number":"4","at":"2026-11-26T09:00:00Z"} <- {"id":7,"state":"done","number":"4","at":"2026-11-26T09:00:00Z","lines":[{"code":"a","stock":3},{"code":"b","stock":0.5}]}
            an optional field removed:

            a field renamed:
            BREAKS `id` is missing, and `sale_id` is new: {"lines":[{"code":"a","stock":3},{"code":"b","stock":0.5}],"state":"done","number":"4","at":"2026-11-26T09:00:00Z","sale_id":7} <- {"id":7,"state":"done","number":"4","at":"2026-11-26T09:00:00Z","lines":[{"code":"a","stock":3},{"code":"b","stock":0.5}]}
            a field removed, and another kind of field added:
            BREAKS `id` is missing: {"lines":[{"code":"a","stock":3},{"code":"b","stock":0.5}],"state":"done","number":"4","at":"2026-11-26T09:00:00Z","colour":"green"} <- {"id":7,"state":"done","number":"4","at":"2026-11-26T09:00:00Z","lines":[{"code":"a","stock":3},{"code":"b","stock":0.5}]}
            note `colour` is not in the contract: {"lines":[{"code":"a","stock":3},{"code":"b","stock":0.5}],"state":"done","number":"4","at":"2026-11-26T09:00:00Z","colour":"green"} <- {"id":7,"state":"done","number":"4","at":"2026-11-26T09:00:00Z","lines":[{"code":"a","stock":3},{"code":"b","stock":0.5}]}
            a field renamed in every row:
            BREAKS `lines.*.stock` is missing, and `quantity` is new: {"code":"a","quantity":3} <- {"code":"a","stock":3}
            a type changed:
            BREAKS `id` must be integer and is string: {"id":"7","state":"done","number":"4","at":"2026-11-26T09:00:00Z","lines":[{"code":"a","stock":3},{"code":"b","stock":0.5}]} <- {"id":7,"state":"done","number":"4","at":"2026-11-26T09:00:00Z","lines":[{"code":"a","stock":3},{"code":"b","stock":0.5}]}
            a type changed in a row:
            BREAKS `lines.*.stock` must be number and is string: {"code":"b","stock":"0.5"} <- {"code":"a","stock":3}
            an enum grown:
            note `state` has a value that is not in the list: {"id":7,"state":"on_hold","number":"4","at":"2026-11-26T09:00:00Z","lines":[{"code":"a","stock":3},{"code":"b","stock":0.5}]} <- {"id":7,"state":"done","number":"4","at":"2026-11-26T09:00:00Z","lines":[{"code":"a","stock":3},{"code":"b","stock":0.5}]}
            an enum of free text:
            note `state` has a value that is not in the list: {"id":7,"state":"•••","number":"4","at":"2026-11-26T09:00:00Z","lines":[{"code":"a","stock":3},{"code":"b","stock":0.5}]} <- {"id":7,"state":"done","number":"4","at":"2026-11-26T09:00:00Z","lines":[{"code":"a","stock":3},{"code":"b","stock":0.5}]}
            null:
            BREAKS `id` is empty (null): {"id":null,"state":"done","number":"4","at":"2026-11-26T09:00:00Z","lines":[{"code":"a","stock":3},{"code":"b","stock":0.5}]} <- {"id":7,"state":"done","number":"4","at":"2026-11-26T09:00:00Z","lines":[{"code":"a","stock":3},{"code":"b","stock":0.5}]}
            null in an enum:
            BREAKS `state` is empty (null): {"id":7,"state":null,"number":"4","at":"2026-11-26T09:00:00Z","lines":[{"code":"a","stock":3},{"code":"b","stock":0.5}]} <- {"id":7,"state":"done","number":"4","at":"2026-11-26T09:00:00Z","lines":[{"code":"a","stock":3},{"code":"b","stock":0.5}]}
            an unknown field:
            note `colour` is not in the contract: {"id":7,"state":"done","number":"4","at":"2026-11-26T09:00:00Z","lines":[{"code":"a","stock":3},{"code":"b","stock":0.5}],"colour":"green"} <- {"id":7,"state":"done","number":"4","at":"2026-11-26T09:00:00Z","lines":[{"code":"a","stock":3},{"code":"b","stock":0.5}]}
            an unknown field in a row:
            note `lines.*.colour` is not in the contract: {"code":"a","stock":3,"colour":"green"} <- {"code":"a","stock":3}
            below the minimum:
            BREAKS `lines.*.stock` is not as allowed (minimum): {"code":"a","stock":-1} <- {"code":"a","stock":3}
            no moment any more:
            BREAKS `at` is not as allowed (format): {"id":7,"state":"done","number":"4","at":"26.11.2026","lines":[{"code":"a","stock":3},{"code":"b","stock":0.5}]} <- {"id":7,"state":"done","number":"4","at":"2026-11-26T09:00:00Z","lines":[{"code":"a","stock":3},{"code":"b","stock":0.5}]}
            a list instead of an object:
            BREAKS the whole must be object and is array: [1,2] <- {"id":7,"state":"done","number":"4","at":"2026-11-26T09:00:00Z","lines":[{"code":"a","stock":3},{"code":"b","stock":0.5}]}
            a text:
            BREAKS the whole must be object and is string: "•••" <- {"id":7,"state":"done","number":"4","at":"2026-11-26T09:00:00Z","lines":[{"code":"a","stock":3},{"code":"b","stock":0.5}]}
        "#]].assert_eq(&all);
    }

    #[test]
    fn many_rows_that_differ_are_one_finding() {
        let lines: Vec<_> = (0..5_000).map(|n| json!({ "code": n })).collect();
        let mut message = good();
        message["lines"] = json!(lines);
        assert_eq!(judged(&message).lines().count(), 2, "{}", judged(&message));
    }
}
