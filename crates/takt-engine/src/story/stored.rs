//! A story as its row keeps it: the same document without what says nothing (nulls, empty lists, steps that went well)
//! and with the fields of written rows as lists. Half as long as the document that the API gives, so that two stories
//! of a "Buy now" fit in a page of the database instead of one. Stories of before it was so are read as well.

use serde::{Serialize, Serializer, ser::SerializeSeq};
use takt_model::Words;

use super::{Story, StoryCause, StoryChange, StoryField, StoryResult, StoryStep, is_false};
use crate::EngineError;

/// The text of a story.
pub(super) fn write(story: &Story) -> Result<String, EngineError> {
    let mut out = Vec::with_capacity(2_048);
    serde_json::to_writer(&mut out, &Document::of(story)).map_err(broken)?;
    String::from_utf8(out).map_err(|e| EngineError::Internal(format!("story: {e}")))
}

/// The story of a text.
pub(super) fn read(text: &str) -> Result<Story, EngineError> {
    serde_json::from_str(text).map_err(broken)
}

fn broken(error: serde_json::Error) -> EngineError {
    EngineError::Internal(format!("story: {error}"))
}

#[derive(Serialize)]
struct Document<'s> {
    id: &'s str,
    function: &'s str,
    label: &'s Words,
    at: i64,
    took: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    caller: Option<&'s str>,
    caller_roles: &'s [String],
    #[serde(skip_serializing_if = "StoryCause::is_call")]
    cause: &'s StoryCause,
    elevated: bool,
    result: &'s StoryResult,
    steps: Vec<Step<'s>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changes: Vec<Change<'s>>,
    #[serde(skip_serializing_if = "is_zero")]
    changes_left_out: u64,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    events: &'s [String],
    #[serde(skip_serializing_if = "is_false")]
    has_input: bool,
}

impl<'s> Document<'s> {
    fn of(story: &'s Story) -> Self {
        // All are named, so that a new one is not forgotten here.
        let Story {
            id,
            function,
            label,
            at,
            took,
            caller,
            caller_roles,
            cause,
            elevated,
            result,
            steps,
            changes,
            changes_left_out,
            events,
            has_input,
            input: _,
            revealed: _,
        } = story;
        Self {
            id,
            function,
            label,
            at: *at,
            took: *took,
            caller: caller.as_deref(),
            caller_roles,
            cause,
            elevated: *elevated,
            result,
            steps: steps.iter().map(Step::of).collect(),
            changes: changes.iter().map(Change::of).collect(),
            changes_left_out: *changes_left_out,
            events,
            has_input: *has_input,
        }
    }
}

#[derive(Serialize)]
struct Step<'s> {
    label: &'s Words,
    #[serde(skip_serializing_if = "is_true")]
    succeeded: bool,
    #[serde(skip_serializing_if = "is_top")]
    depth: u8,
    took: i64,
    #[serde(skip_serializing_if = "<[Words]>::is_empty")]
    notes: &'s [Words],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changes: Vec<Change<'s>>,
}

impl<'s> Step<'s> {
    fn of(step: &'s StoryStep) -> Self {
        let StoryStep { label, succeeded, depth, took, notes, changes } = step;
        Self {
            label,
            succeeded: *succeeded,
            depth: *depth,
            took: *took,
            notes,
            changes: changes.iter().map(Change::of).collect(),
        }
    }
}

#[derive(Serialize)]
struct Change<'s> {
    table: &'s str,
    verb: &'s str,
    key: &'s str,
    fields: Vec<Field<'s>>,
    rule: &'s str,
}

impl<'s> Change<'s> {
    fn of(change: &'s StoryChange) -> Self {
        let StoryChange { table, verb, key, fields, rule } = change;
        Self { table, verb, key, fields: fields.iter().map(Field).collect(), rule }
    }
}

/// `["stock", "7", "6"]`; `["total", "39.90"]` of a row that was not there before.
struct Field<'s>(&'s StoryField);

impl Serialize for Field<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let StoryField { name, before, after, hidden: _ } = self.0;
        let mut list = serializer.serialize_seq(None)?;
        list.serialize_element(name)?;
        if let (None, Some(after)) = (before, after) {
            list.serialize_element(after)?;
        } else {
            list.serialize_element(before)?;
            list.serialize_element(after)?;
        }
        list.end()
    }
}

/// A field as it is found in a text, of today or of before.
#[derive(serde::Deserialize)]
#[serde(untagged)]
pub(super) enum FieldRead {
    New(String, Option<String>),
    Changed(String, Option<String>, Option<String>),
    Named { name: String, before: Option<String>, after: Option<String> },
}

impl From<FieldRead> for StoryField {
    fn from(read: FieldRead) -> Self {
        let (name, before, after) = match read {
            FieldRead::New(name, after) => (name, None, after),
            FieldRead::Changed(name, before, after) | FieldRead::Named { name, before, after } => {
                (name, before, after)
            }
        };
        Self { name, before, after, hidden: None }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_top(depth: &u8) -> bool {
    *depth == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_true(said: &bool) -> bool {
    *said
}

/// What a step is that does not say whether it succeeded.
pub(super) fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn field(name: &str, before: Option<&str>, after: Option<&str>) -> StoryField {
        let owned = |text: Option<&str>| text.map(ToOwned::to_owned);
        StoryField { name: name.to_owned(), before: owned(before), after: owned(after), hidden: None }
    }

    fn story() -> Story {
        let change = StoryChange {
            table: "products".to_owned(),
            verb: "update".to_owned(),
            key: "7".to_owned(),
            fields: vec![
                field("stock", Some("7"), Some("6")),
                field("sold_at", None, Some("2026-11-23")),
                field("reserved_by", Some("•••"), None),
            ],
            rule: "service".to_owned(),
        };
        let step = |succeeded, depth, changes| StoryStep {
            label: Words::from([("en", "Stock reserved"), ("de", "Bestand reserviert")]),
            succeeded,
            depth,
            took: 42,
            notes: Vec::new(),
            changes,
        };
        Story {
            id: "01a21b0c-9e76-749f-af44-348b411203ca".to_owned(),
            function: "checkout".to_owned(),
            label: Words::from([("en", "Buy now")]),
            at: 5,
            took: 1_876,
            caller: None,
            caller_roles: vec!["visitor".to_owned()],
            cause: StoryCause::Call,
            elevated: true,
            result: StoryResult::Success,
            steps: vec![step(true, 0, vec![change]), step(false, 1, Vec::new())],
            changes: Vec::new(),
            changes_left_out: 0,
            events: vec!["order.placed".to_owned()],
            has_input: false,
            input: None,
            revealed: false,
        }
    }

    #[test]
    fn what_says_nothing_is_left_out() {
        let text = write(&story()).unwrap();
        assert_eq!(
            text,
            "{\"id\":\"01a21b0c-9e76-749f-af44-348b411203ca\",\"function\":\"checkout\",\
             \"label\":{\"en\":\"Buy now\"},\"at\":5,\"took\":1876,\"caller_roles\":[\"visitor\"],\"elevated\":true,\
             \"result\":\"success\",\"steps\":[{\"label\":{\"en\":\"Stock reserved\",\"de\":\"Bestand reserviert\"},\
             \"took\":42,\"changes\":[{\"table\":\"products\",\"verb\":\"update\",\"key\":\"7\",\
             \"fields\":[[\"stock\",\"7\",\"6\"],[\"sold_at\",\"2026-11-23\"],[\"reserved_by\",\"•••\",null]],\
             \"rule\":\"service\"}]},{\"label\":{\"en\":\"Stock reserved\",\"de\":\"Bestand reserviert\"},\
             \"succeeded\":false,\"depth\":1,\"took\":42}],\"events\":[\"order.placed\"]}"
        );
    }

    #[test]
    fn what_was_written_is_read_and_so_are_the_documents_of_before() {
        let story = story();
        assert_eq!(read(&write(&story).unwrap()).unwrap(), story);
        assert_eq!(read(&serde_json::to_string(&story).unwrap()).unwrap(), story);
    }
}
