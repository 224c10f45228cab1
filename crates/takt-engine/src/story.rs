//! The story of an action: what happened, in which order, what changed and which rule allowed it.
//! Lives here: its shape, how it is recorded, kept and read back. Beneath: `personal.rs`, the values that are shown only
//! for a reason, `input.rs`, what the call was given, `stored.rs`, the text that is kept, and `statements.rs`, the SQL
//! behind it, worked out when it is read. Not here: its words (`takt-report`).

mod input;
mod personal;
mod statements;
mod stored;

use std::{fmt, sync::Arc};

use takt_model::{CompareOp, Principal, Project, Table, Uuid, Value, Words};
use takt_plan::Direction;
use takt_store::Change;

use crate::{Action, Clock, Engine, EngineError, EngineTx, Once, forget, once::CONSUMER};

pub use personal::HiddenValues;

/// A story keeps this many written rows; a bulk import should not write a second database.
pub(crate) const MOST_CHANGES: usize = 500;

/// A step keeps this many notes.
const MOST_NOTES: usize = 20;

/// What stands in place of a personal value.
pub(crate) const MASK: &str = "•••";

const STORIES: &str = "takt.stories";

/// The field by which people name what a story wrote: the number of an order.
const NUMBER: &str = "number";
/// Stories that are searched for a number; older ones are found by id only.
const MOST_SEARCHED: usize = 10_000;
/// Stories that one is compared with.
const MOST_COMPARED: u64 = 200;
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
    /// What set it off.
    #[serde(default, skip_serializing_if = "StoryCause::is_call")]
    pub cause: StoryCause,
    /// Whether it ran with service rights.
    pub elevated: bool,
    /// How it ended.
    pub result: StoryResult,
    /// In order.
    pub steps: Vec<StoryStep>,
    /// Changes outside any step.
    #[serde(default)]
    pub changes: Vec<StoryChange>,
    /// Changes beyond the first 500, counted only.
    #[serde(default)]
    pub changes_left_out: u64,
    /// Names of the events that left with it.
    #[serde(default)]
    pub events: Vec<String>,
    /// Whether what the call was given is kept beside it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub has_input: bool,
    /// What the call was given, as JSON text; only in a story that was revealed for a reason. Never part of the document.
    #[serde(skip)]
    pub input: Option<String>,
    /// Whether the personal values stand in it, because somebody gave a reason ([`Engine::reveal_story`]).
    #[serde(skip)]
    pub revealed: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_false(value: &bool) -> bool {
    !value
}

impl Story {
    /// Every written row, in the order of the steps.
    pub fn all_changes(&self) -> impl Iterator<Item = &StoryChange> {
        self.steps.iter().flat_map(|s| &s.changes).chain(&self.changes)
    }

    /// What the call was given; only in a story that was revealed for a reason.
    #[must_use]
    pub fn input_json(&self) -> Option<serde_json::Value> {
        self.input.as_deref().and_then(|text| serde_json::from_str(text).ok())
    }

    fn has_number(&self, number: &str) -> bool {
        let is = |value: &Option<String>| value.as_deref() == Some(number);
        self.all_changes()
            .flat_map(|c| &c.fields)
            .any(|f| f.name == NUMBER && (is(&f.after) || is(&f.before)))
    }
}

/// What set an action off.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StoryCause {
    /// Somebody called it.
    #[default]
    Call,
    /// A message came: an event for a consumer, a webhook.
    Message {
        /// As in [`Once::Message`].
        source: String,
        /// As in [`Once::Message`].
        id: String,
    },
    /// A schedule said so.
    Schedule {
        /// Microseconds since 1970 UTC.
        due_at: i64,
    },
    /// An earlier action had asked for it; stories of before it was kept which one.
    Delay,
    /// An earlier action, or a person, had asked for it.
    Later {
        /// Id of the delayed job.
        id: String,
        /// Which try this is, from 1.
        attempt: i64,
        /// The story that asked; none if a person did.
        asked_by: Option<String>,
    },
}

impl StoryCause {
    fn is_call(&self) -> bool {
        *self == Self::Call
    }

    /// Whether nobody called: an event, a schedule or a delay set it off.
    #[must_use]
    pub fn is_by_itself(&self) -> bool {
        match self {
            Self::Call => false,
            Self::Message { source, .. } => source.starts_with(CONSUMER),
            Self::Schedule { .. } | Self::Delay | Self::Later { .. } => true,
        }
    }

    fn of(once: Option<&Once>) -> Self {
        match once {
            None => Self::Call,
            Some(Once::Message { source, id }) => Self::Message { source: source.clone(), id: id.clone() },
            Some(Once::Due { at, .. }) => Self::Schedule { due_at: *at },
            Some(Once::Later { id, attempt, asked_by }) => Self::Later {
                id: id.to_string(),
                attempt: *attempt,
                asked_by: asked_by.map(|story| story.to_string()),
            },
        }
    }
}

/// Where an event came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventOrigin {
    /// `order.placed`
    pub name: String,
    /// The story (or the delivery) that wrote it; none for messages from outside.
    pub story: Option<Uuid>,
}

/// How long a function usually takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Usual {
    /// The median in microseconds.
    pub took: i64,
    /// Of so many successes.
    pub of: u64,
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

impl StoryResult {
    /// `success`, `refused` or `failed`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Refused { .. } => "refused",
            Self::Failed { .. } => "failed",
        }
    }
}

/// A step of an action.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct StoryStep {
    /// What people call it.
    pub label: Words,
    /// Whether it ended without an error.
    #[serde(default = "stored::yes")]
    pub succeeded: bool,
    /// How deep it stands inside other steps.
    #[serde(default)]
    pub depth: u8,
    /// Microseconds from its begin to its end; 0 in stories of before it was kept.
    #[serde(default)]
    pub took: i64,
    /// What the function decided in it, in its own words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Words>,
    /// What was written in it.
    #[serde(default)]
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
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(from = "stored::FieldRead")]
pub struct StoryField {
    /// Name.
    pub name: String,
    /// Before; none for inserts and nulls.
    pub before: Option<String>,
    /// After; none for deletes and nulls.
    pub after: Option<String>,
    /// What the masks stand for, on the way to where it is kept apart. Never part of the document.
    #[serde(skip)]
    pub hidden: Option<Box<HiddenValues>>,
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
    clock: Stopwatch,
}

/// Tells how long steps take; stands still where no story is told.
#[derive(Default)]
struct Stopwatch(Option<Arc<dyn Clock>>);

impl Stopwatch {
    fn now(&self) -> i64 {
        self.0.as_ref().map_or(0, |clock| clock.now())
    }
}

impl fmt::Debug for Stopwatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stopwatch")
    }
}

/// A point to which a [`Recorder`] can go back: what came later is forgotten.
#[derive(Debug)]
pub(crate) struct Mark {
    steps: usize,
    open: Vec<usize>,
    /// Changes so far where new ones go.
    here: usize,
    kept: usize,
    left_out: u64,
    events: usize,
}

impl Recorder {
    pub(crate) fn timed_by(clock: Arc<dyn Clock>) -> Self {
        Self { clock: Stopwatch(Some(clock)), ..Self::default() }
    }

    pub(crate) fn step_begin(&mut self, label: Words) -> usize {
        let step = self.steps.len();
        let depth = u8::try_from(self.open.len()).unwrap_or(u8::MAX);
        // Until it ends, its duration is the moment of its begin, below zero.
        let took = -self.clock.now();
        let (notes, changes) = (Vec::new(), Vec::new());
        self.steps.push(StoryStep { label, succeeded: false, depth, took, notes, changes });
        self.open.push(step);
        step
    }

    pub(crate) fn step_end(&mut self, step: usize, succeeded: bool) {
        self.open.retain(|s| *s != step);
        let now = self.clock.now();
        if let Some(step) = self.steps.get_mut(step) {
            step.succeeded = succeeded;
            if step.took < 0 {
                step.took = (now + step.took).max(0);
            }
        }
    }

    /// Says what was decided in the step that is open; outside of any step nobody would see of what it tells.
    pub(crate) fn note(&mut self, words: Words) {
        if let Some(step) = self.open.last().and_then(|s| self.steps.get_mut(*s))
            && step.notes.len() < MOST_NOTES
        {
            step.notes.push(words);
        }
    }

    pub(crate) fn step_end_unless_empty(&mut self, step: usize) {
        self.step_end(step, true);
        // Only the last one can be taken out without moving the numbers of others.
        if step + 1 == self.steps.len() && self.steps[step].changes.is_empty() {
            self.steps.pop();
        }
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark {
            steps: self.steps.len(),
            open: self.open.clone(),
            here: self.here().len(),
            kept: self.kept,
            left_out: self.left_out,
            events: self.events.len(),
        }
    }

    pub(crate) fn back_to(&mut self, mark: &Mark) {
        self.steps.truncate(mark.steps);
        self.open.clone_from(&mark.open);
        self.here_mut().truncate(mark.here);
        (self.kept, self.left_out) = (mark.kept, mark.left_out);
        self.events.truncate(mark.events);
    }

    /// Where changes go now.
    fn here(&self) -> &Vec<StoryChange> {
        self.open.last().and_then(|s| self.steps.get(*s)).map_or(&self.changes, |step| &step.changes)
    }

    fn here_mut(&mut self) -> &mut Vec<StoryChange> {
        match self.open.last().and_then(|s| self.steps.get_mut(*s)) {
            Some(step) => &mut step.changes,
            None => &mut self.changes,
        }
    }

    pub(crate) fn record(&mut self, project: &Project, changes: &[Change]) {
        for change in changes {
            if self.kept == MOST_CHANGES {
                self.left_out += 1;
                continue;
            }
            let Some(told) = project.table(&change.table).map(|t| told(t, change)) else { continue };
            self.kept += 1;
            self.here_mut().push(told);
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
        // A step that was left by an error never came to its end.
        self.steps.iter_mut().for_each(|s| s.took = s.took.max(0));
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
            cause: StoryCause::of(action.once.as_ref()),
            elevated: action.caller.is_bound_by_policies() && !action.rights.is_bound_by_policies(),
            result,
            steps: self.steps,
            changes: self.changes,
            changes_left_out: self.left_out,
            events: self.events,
            has_input: input::is_kept(&action.input_json),
            input: input::is_kept(&action.input_json).then(|| action.input_json.clone()),
            revealed: false,
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
    StoryChange {
        table: table.name.clone(),
        verb: change.verb.name().to_owned(),
        key: key.join(", "),
        fields: fields(table, change),
        rule: change.rule.clone(),
    }
}

fn fields(table: &Table, change: &Change) -> Vec<StoryField> {
    let text = |at: usize, row: &Option<Vec<Value>>| {
        let value = row.as_ref()?.get(at)?;
        (!value.is_null()).then(|| value.as_ref().to_text())
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
        .map(|(at, field)| {
            let (before, after) = (text(at, &change.before), text(at, &change.after));
            match &field.personal {
                None => StoryField { name: field.name.clone(), before, after, hidden: None },
                Some(kind) => personal::masked(&field.name, kind, before, after),
            }
        })
        .filter(|f| f.before.is_some() || f.after.is_some())
        .collect()
}

impl Story {
    pub(crate) fn insert(&self, tx: &EngineTx) -> Result<(), EngineError> {
        let document = stored::write(self)?;
        let uuid = |text: &str| Uuid::parse_str(text).map_or(Value::Null, Value::Uuid);
        let plan = tx.on(STORIES)?.insert(vec![
            ("id", uuid(&self.id)),
            ("at", Value::Timestamp(self.at)),
            ("function", Value::Text(self.function.clone())),
            ("result", Value::Text(self.result.name().to_owned())),
            ("caller", self.caller.as_deref().map_or(Value::Null, uuid)),
            ("document", Value::Json(document)),
            ("personal", self.hidden_values(tx)?.map_or(Value::Null, Value::Json)),
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

    /// One story, with personal values masked.
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
                let story = stored::read(text)?;
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

    /// Where an event came from, while it is kept.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub fn event_origin(&self, event: Uuid) -> Result<Option<EventOrigin>, EngineError> {
        self.look_up(|tx| {
            let on = tx.on("takt.outbox_events")?;
            let this = on.eq("id", Value::Uuid(event))?;
            let plan = on.read(&["name", "story"], Some(this), &[], Some(1))?;
            let (rows, _) = tx.rows(&Principal::system("story: look up event"), plan)?;
            let Some(Value::Text(name)) = rows.value(0, "name") else { return Ok(None) };
            let story = if let Some(Value::Uuid(id)) = rows.value(0, "story") { Some(*id) } else { None };
            Ok(Some(EventOrigin { name: name.clone(), story }))
        })
    }

    /// How long a function usually takes: the median of its newest 200 successes at or after `since`.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub fn usual(&self, function: &str, since: i64) -> Result<Option<Usual>, EngineError> {
        #[derive(serde::Deserialize)]
        struct Took {
            took: i64,
        }
        let mut all = self.look_up(|tx| {
            let on = tx.on(STORIES)?;
            let these = on
                .eq("function", Value::Text(function.to_owned()))?
                .and(on.eq("result", Value::Text("success".to_owned()))?)
                .and(on.compare("at", CompareOp::Ge, Value::Timestamp(since))?);
            let newest = [("at", Direction::Descending), ("id", Direction::Descending)];
            let plan = on.read(&["document"], Some(these), &newest, Some(MOST_COMPARED))?;
            let (rows, _) = tx.rows(&Principal::system("story: compare"), plan)?;
            let took = |document: Value| match document {
                Value::Json(text) => serde_json::from_str::<Took>(&text).ok().map(|t| t.took),
                _ => None,
            };
            Ok::<_, EngineError>(rows.rows.into_iter().flatten().filter_map(took).collect::<Vec<_>>())
        })?;
        all.sort_unstable();
        Ok(all.get(all.len() / 2).map(|took| Usual { took: *took, of: all.len() as u64 }))
    }

    /// Forgets the oldest stories that are older than `logic.stories`, at most 1,000; says how many.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub async fn forget_old_stories(&self) -> Result<u64, EngineError> {
        self.transact(|tx: &EngineTx| -> Result<u64, EngineError> {
            let keep = tx.project().settings.logic.stories;
            forget::older_than(tx, STORIES, keep, "story: forget old ones")
        })
        .await
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
                    Value::Json(text) => stored::read(&text),
                    _ => Err(EngineError::Internal("story: no document".to_owned())),
                })
                .collect()
        })
    }
}
