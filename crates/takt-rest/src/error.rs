//! The dialect's errors: one shape, `{"code","details","hint","message"}`, with a status.
//! Codes and words as in `design/wire.md` section 2; the words of the guard are translated here too.

use std::borrow::Cow;

use serde_json::Value;
use takt_model::{Principal, ValueError};
use takt_plan::PlanError;

use crate::status_of;

/// A refusal as it goes over the wire.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct RestError {
    /// HTTP status.
    pub status: u16,
    /// SQLSTATE or PGRST code.
    pub code: Cow<'static, str>,
    /// What is wrong.
    pub message: String,
    /// More about it: a text, or a list for PGRST201.
    pub details: Option<Box<Value>>,
    /// A way out.
    pub hint: Option<String>,
}

impl RestError {
    /// An error whose status follows from its code alone.
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        // Only 42501 depends on who asks, and it is never made this way.
        Self::coded(code, message, &Principal::service())
    }

    /// An error of any room below or beside: a SQLSTATE or PGRST code with its words. The status follows from
    /// the code (`design/wire.md` section 2, 18 to 23); `who` decides between 401 and 403 for 42501.
    pub fn coded(code: impl Into<Cow<'static, str>>, message: impl Into<String>, who: &Principal) -> Self {
        let code = code.into();
        Self { status: status_of(&code, who), code, message: message.into(), details: None, hint: None }
    }

    /// The same with details.
    #[must_use]
    pub fn details(mut self, details: impl Into<Value>) -> Self {
        self.details = Some(Box::new(details.into()));
        self
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with another status.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// A refusal of the guard. A hidden field is told exactly like a missing one.
    #[must_use]
    pub fn from_plan(error: &PlanError, who: &Principal) -> Self {
        match error {
            PlanError::UnknownField { table, field } => Self::unknown_field(table, field),
            PlanError::Denied { .. } | PlanError::FieldDenied { .. } => {
                Self::coded("42501", error.to_string(), who)
            }
            PlanError::NoFilter { .. } => Self::new("21000", error.to_string()),
            PlanError::TooManyNodes { .. } => Self::new("54000", error.to_string()),
        }
    }

    /// PGRST116: a single object was asked for, and there are `rows`.
    #[must_use]
    pub fn not_singular(rows: u64) -> Self {
        Self::new("PGRST116", "Cannot coerce the result to a single JSON object")
            .details(format!("The result contains {rows} rows"))
    }

    /// `{"code","details","hint","message"}`, nulls present.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let hint = self.hint.as_deref().map_or(Value::Null, Value::from);
        let details = self.details.as_deref().unwrap_or(&Value::Null);
        let (code, message) = (Value::from(&*self.code), Value::from(&*self.message));
        format!(r#"{{"code":{code},"details":{details},"hint":{hint},"message":{message}}}"#).into_bytes()
    }

    /// PGRST127: part of the dialect, but not built yet.
    pub(crate) fn not_built(what: impl std::fmt::Display) -> Self {
        Self::new("PGRST127", format!("Feature not implemented: {what}"))
    }

    /// PGRST102.
    pub(crate) fn body(message: impl Into<String>) -> Self {
        Self::new("PGRST102", message)
    }

    pub(crate) fn unknown_field(table: &str, field: &str) -> Self {
        Self::new("42703", format!("column {table}.{field} does not exist"))
    }

    pub(crate) fn unknown_body_field(table: &str, field: &str) -> Self {
        let message = format!("Could not find the '{field}' column of '{table}' in the schema cache");
        Self::new("PGRST204", message)
    }
}

impl From<ValueError> for RestError {
    fn from(error: ValueError) -> Self {
        Self::new(error.code, error.message)
    }
}
