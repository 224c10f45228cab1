//! The story of an action: what happened, in which order, what changed and which rule allowed it.
//! Lives here: its shape, how it is recorded, kept and read back. Not here: its words (`takt-report`).

use takt_model::{CompareOp, Principal, Project, Table, Uuid, Value, Verb, Words};
use takt_plan::Direction;
use takt_store::Change;

use crate::{Action, Engine, EngineError, EngineTx};

/// A story keeps this many written rows; a bulk import should not write a second database.
pub(crate) const MOST_CHANGES: usize = 500;

/// What stands in place of a personal value.
const MASK: &str = "•••";

const STORIES: &str = "takt.stories";

/// The field by which people name what a story wrote: the number of an order.
const NUMBER: &str = "number";
/// Stories that are searched for a number; older ones are found by id only.
const MOST_SEARCHED: usize = 10_000;
/// Stories of one look into the table, so that a search holds little in memory.
const SEARCH_PAGE: usize = 500;

/// What happened, kept from the action's own transaction.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Story {
    /// Id of the story.
    pub id: String,
    /// Name of the function.
    pub function: String,
    /// What people call it.
    pub label: Words,
    /// Microseconds since 1970 UTC.
    pub at: i64,
    /// Microseconds that the action took.
    pub took: i64,
    /// Account id of the caller; none for visitors.
    pub caller: Option<String>,
    /// `visitor`, `customer` or the caller's roles, `service`.
    pub caller_roles: Vec<String>,
    /// Whether it ran with service rights.
    pub elevated: bool,
    /// How it ended.
    pub result: StoryResult,
    /// In order.
    pub steps: Vec<StoryStep>,
    /// Changes outside any step.
    pub changes: Vec<StoryChange>,
    /// Changes beyond the first 500, counted only.
    #[serde(default)]
    pub changes_left_out: u64,
    /// Names of the events that left with it.
    pub events: Vec<String>,
}

impl Story {
    /// Every written row, in the order of the steps.
    pub fn all_changes(&self) -> impl Iterator<Item = &StoryChange> {
        self.steps.iter().flat_map(|s| &s.changes).chain(&self.changes)
    }

    fn has_number(&self, number: &str) -> bool {
        let is = |value: &Option<String>| value.as_deref() == Some(number);
        self.all_changes()
            .flat_map(|c| &c.fields)
            .any(|f| f.name == NUMBER && (is(&f.after) || is(&f.before)))
    }
}

/// How an action ended.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StoryResult {
    /// Committed.
    Success,
    /// The rules said no; nothing was written.
    Refused {
        /// HTTP status.
        status: u16,
        /// In the project's languages.
        message: Words,
    },
    /// It failed; nothing was written.
    Failed {
        /// Stable code.
        code: String,
        /// For the developer.
        message: String,
        /// `logic/checkout.ts:12:9`
        position: Option<String>,
    },
}

/// A step of an action.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct StoryStep {
    /// What people call it.
    pub label: Words,
    /// Whether it ended without an error.
    pub succeeded: bool,
    /// How deep it stands inside other steps.
    pub depth: u8,
    /// What was written in it.
    pub changes: Vec<StoryChange>,
}

/// A written row.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct StoryChange {
    /// Table name.
    pub table: String,
    /// `insert`, `update`, `delete`.
    pub verb: String,
    /// The primary key as text.
    pub key: String,
    /// Only fields that differ (all for inserts and deletes).
    pub fields: Vec<StoryField>,
    /// The rule that allowed it.
    pub rule: String,
}

/// A field before and after, as text; personal values are masked.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct StoryField {
    /// Name.
    pub name: String,
    /// Before; none for inserts and nulls.
    pub before: Option<String>,
    /// After; none for deletes and nulls.
    pub after: Option<String>,
}

/// Writes down what an action does while it runs.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    steps: Vec<StoryStep>,
    open: Vec<usize>,
    changes: Vec<StoryChange>,
    kept: usize,
    left_out: u64,
    pub(crate) events: Vec<String>,
    pub(crate) statements: u32,
}

impl Recorder {
    pub(crate) fn step_begin(&mut self, label: Words) -> usize {
        let step = self.steps.len();
        let depth = u8::try_from(self.open.len()).unwrap_or(u8::MAX);
        self.steps.push(StoryStep { label, succeeded: false, depth, changes: Vec::new() });
        self.open.push(step);
        step
    }

    pub(crate) fn step_end(&mut self, step: usize, succeeded: bool) {
        self.open.retain(|s| *s != step);
        if let Some(step) = self.steps.get_mut(step) {
            step.succeeded = succeeded;
        }
    }

    pub(crate) fn record(&mut self, project: &Project, changes: Vec<Change>) {
        for change in changes {
            if self.kept == MOST_CHANGES {
                self.left_out += 1;
                continue;
            }
            let Some(told) = project.table(&change.table).map(|t| told(t, &change)) else { continue };
            self.kept += 1;
            match self.open.last().and_then(|s| self.steps.get_mut(*s)) {
                Some(step) => step.changes.push(told),
                None => self.changes.push(told),
            }
        }
    }

    /// The story. After a refusal or failure nothing was written, so nothing is told as changed.
    pub(crate) fn into_story(
        mut self,
        action: &Action,
        id: Uuid,
        at: i64,
        took: i64,
        result: StoryResult,
    ) -> Story {
        if !matches!(result, StoryResult::Success) {
            self.steps.iter_mut().for_each(|s| s.changes.clear());
            self.changes.clear();
            self.events.clear();
            self.left_out = 0;
        }
        Story {
            id: id.to_string(),
            function: action.function.clone(),
            label: action.label.clone(),
            at,
            took,
            caller: action.caller.uid().map(|u| u.to_string()),
            caller_roles: roles(&action.caller),
            elevated: action.caller.is_bound_by_policies() && !action.rights.is_bound_by_policies(),
            result,
            steps: self.steps,
            changes: self.changes,
            changes_left_out: self.left_out,
            events: self.events,
        }
    }
}

fn roles(caller: &Principal) -> Vec<String> {
    let mut roles = vec![caller.claim_role().to_owned()];
    roles.extend(caller.user.iter().flat_map(|u| u.roles.iter().cloned()));
    roles
}

fn told(table: &Table, change: &Change) -> StoryChange {
    let row = change.after.as_ref().or(change.before.as_ref());
    let key: Vec<String> = table
        .primary_key
        .iter()
        .filter_map(|k| row?.get(usize::from(k.0)).map(|v| v.as_ref().to_text()))
        .collect();
    let verb = match change.verb {
        Verb::Insert => "insert",
        Verb::Update => "update",
        Verb::Delete => "delete",
        Verb::Select => "select",
    };
    StoryChange {
        table: table.name.clone(),
        verb: verb.to_owned(),
        key: key.join(", "),
        fields: fields(table, change),
        rule: change.rule.clone(),
    }
}

fn fields(table: &Table, change: &Change) -> Vec<StoryField> {
    let text = |at: usize, row: &Option<Vec<Value>>| {
        let value = row.as_ref()?.get(at)?;
        if value.is_null() {
            return None;
        }
        let is_personal = table.fields.get(at).is_some_and(|f| f.personal.is_some());
        Some(if is_personal { MASK.to_owned() } else { value.as_ref().to_text() })
    };
    let differs = |at: usize| match (&change.before, &change.after) {
        (Some(before), Some(after)) => before.get(at) != after.get(at),
        _ => true,
    };
    table
        .fields
        .iter()
        .enumerate()
        .filter(|(at, _)| differs(*at))
        .map(|(at, field)| StoryField {
            name: field.name.clone(),
            before: text(at, &change.before),
            after: text(at, &change.after),
        })
        .filter(|f| f.before.is_some() || f.after.is_some())
        .collect()
}

impl Story {
    pub(crate) fn insert(&self, tx: &EngineTx) -> Result<(), EngineError> {
        let document =
            serde_json::to_string(self).map_err(|e| EngineError::Internal(format!("story: {e}")))?;
        let uuid = |text: &str| Uuid::parse_str(text).map_or(Value::Null, Value::Uuid);
        let result = match self.result {
            StoryResult::Success => "success",
            StoryResult::Refused { .. } => "refused",
            StoryResult::Failed { .. } => "failed",
        };
        let plan = tx.on(STORIES)?.insert(vec![
            ("id", uuid(&self.id)),
            ("at", Value::Timestamp(self.at)),
            ("function", Value::Text(self.function.clone())),
            ("result", Value::Text(result.to_owned())),
            ("caller", self.caller.as_deref().map_or(Value::Null, uuid)),
            ("document", Value::Json(document)),
        ])?;
        tx.rows(&Principal::system("story: write"), plan)?;
        Ok(())
    }
}

impl Engine {
    /// The newest story, or the newest of one function.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub fn story_last(&self, function: Option<&str>) -> Result<Option<Story>, EngineError> {
        Ok(self.stories_where("function", function.map(|f| Value::Text(f.to_owned())), 1)?.pop())
    }

    /// One story.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub fn story(&self, id: Uuid) -> Result<Option<Story>, EngineError> {
        Ok(self.stories_where("id", Some(Value::Uuid(id)), 1)?.pop())
    }

    /// The newest stories, newest first.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub fn stories(&self, limit: u64) -> Result<Vec<Story>, EngineError> {
        self.stories_where("id", None, limit)
    }

    /// The newest story that wrote a field `number` with this value ("B-2026-00012"), among the newest 10,000.
    /// No index has the values of stories; a page of texts is searched faster than a page of documents is read.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub fn story_of_number(&self, number: &str) -> Result<Option<Story>, EngineError> {
        let needle = serde_json::to_string(number).map_err(|e| EngineError::Internal(e.to_string()))?;
        let mut before = None;
        for _ in 0..MOST_SEARCHED / SEARCH_PAGE {
            let page = self.documents(before)?;
            for (_, text) in page.iter().filter(|(_, text)| text.contains(&needle)) {
                let story = parsed(text)?;
                if story.has_number(number) {
                    return Ok(Some(story));
                }
            }
            match page.last() {
                Some((id, _)) if page.len() == SEARCH_PAGE => before = Some(*id),
                Some(_) | None => break,
            }
        }
        Ok(None)
    }

    /// A page of stories as ids and texts, newest first.
    fn documents(&self, before: Option<Uuid>) -> Result<Vec<(Uuid, String)>, EngineError> {
        self.look_up(|tx| {
            let on = tx.on(STORIES)?;
            let older = before.map(|id| on.compare("id", CompareOp::Lt, Value::Uuid(id))).transpose()?;
            let newest = [("id", Direction::Descending)];
            let plan = on.read(&["id", "document"], older, &newest, Some(SEARCH_PAGE as u64))?;
            let (rows, _) = tx.rows(&Principal::system("story: search"), plan)?;
            let document = |row: Vec<Value>| match <[Value; 2]>::try_from(row) {
                Ok([Value::Uuid(id), Value::Json(text)]) => Ok((id, text)),
                Ok(_) | Err(_) => Err(EngineError::Internal("story: no document".to_owned())),
            };
            rows.rows.into_iter().map(document).collect()
        })
    }

    fn stories_where(
        &self,
        field: &str,
        value: Option<Value>,
        limit: u64,
    ) -> Result<Vec<Story>, EngineError> {
        self.look_up(|tx| {
            let on = tx.on(STORIES)?;
            let filter = value.map(|v| on.eq(field, v)).transpose()?;
            let newest = [("at", Direction::Descending), ("id", Direction::Descending)];
            let plan = on.read(&["document"], filter, &newest, Some(limit))?;
            let (rows, _) = tx.rows(&Principal::system("story: read"), plan)?;
            rows.rows
                .into_iter()
                .flatten()
                .map(|document| match document {
                    Value::Json(text) => parsed(&text),
                    _ => Err(EngineError::Internal("story: no document".to_owned())),
                })
                .collect()
        })
    }
}

fn parsed(document: &str) -> Result<Story, EngineError> {
    serde_json::from_str(document).map_err(|e| EngineError::Internal(format!("story: {e}")))
}
