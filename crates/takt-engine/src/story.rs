//! The story of an action: what happened, in which order, what changed and which rule allowed it.

use takt_model::Words;

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
    /// Names of the events that left with it.
    pub events: Vec<String>,
}

/// How an action ended.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
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

impl crate::Engine {
    /// The newest story, or the newest of one function.
    ///
    /// # Errors
    /// See [`crate::EngineError`].
    pub fn story_last(&self, function: Option<&str>) -> Result<Option<Story>, crate::EngineError> {
        let _ = function;
        todo!("engine")
    }

    /// One story.
    ///
    /// # Errors
    /// See [`crate::EngineError`].
    pub fn story(&self, id: takt_model::Uuid) -> Result<Option<Story>, crate::EngineError> {
        let _ = id;
        todo!("engine")
    }

    /// The newest stories, newest first.
    ///
    /// # Errors
    /// See [`crate::EngineError`].
    pub fn stories(&self, limit: u64) -> Result<Vec<Story>, crate::EngineError> {
        let _ = limit;
        todo!("engine")
    }
}
