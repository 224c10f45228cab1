//! What a store can refuse, in the field's words; no driver error leaves this crate.

use std::fmt;

/// Errors of a store. SQLSTATE codes and messages are PostgreSQL's (`design/wire.md` section 2, 18 to 23).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The statement was refused by a rule of the data: constraint, policy, value. `code` is a SQLSTATE or a
    /// PostgREST code (`23505`, `23503`, `23502`, `23514`, `42501`, `22003`, `PGRST124`).
    #[error("{message}")]
    Refused {
        /// SQLSTATE or PGRST code.
        code: &'static str,
        /// PostgreSQL's words.
        message: String,
        /// Only what the caller may know.
        details: Option<String>,
        /// A way out.
        hint: Option<String>,
    },
    /// An enum field may not change like that: `23514`. In parts, so that people can be told in their words.
    #[error("{0}")]
    Transition(Box<RefusedTransition>),
    /// Too many writes wait, or the deadline passed while waiting: 503, Retry-After.
    #[error("the database is busy; try again")]
    Busy,
    /// A read took longer than `limits.read_time`: 57014.
    #[error("canceling statement due to statement timeout")]
    Timeout,
    /// The disk (or the quota) is full: 507.
    #[error("the disk is full; nothing was written")]
    Full,
    /// Another process has the data folder.
    #[error("{0}")]
    Locked(String),
    /// The database cannot be opened or does not fit; a plain sentence for the operator.
    #[error("{0}")]
    Open(String),
    /// Something failed inside; the text is for the log, never for the wire.
    #[error("internal error of the store: {0}")]
    Internal(String),
}

/// A change of an enum field that its transitions do not name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedTransition {
    /// Name of the table.
    pub table: String,
    /// Name of the field.
    pub field: String,
    /// The value before.
    pub from: String,
    /// The value that was wanted; none for null.
    pub to: Option<String>,
    /// The values that may follow.
    pub allowed: Vec<String>,
}

impl fmt::Display for RefusedTransition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, field, from, to, .. } = self;
        let to = to.as_ref().map_or_else(|| "null".to_owned(), |to| format!("\"{to}\""));
        write!(f, "{table}.{field} may not change from \"{from}\" to {to}")
    }
}

impl RefusedTransition {
    /// Its SQLSTATE: that of a check.
    pub const CODE: &'static str = "23514";

    /// Which rule it violates.
    #[must_use]
    pub fn details(&self) -> String {
        format!("Violates \"{}_{}_transition\".", self.table, self.field)
    }

    /// What would be allowed.
    #[must_use]
    pub fn hint(&self) -> String {
        if self.allowed.is_empty() {
            return format!("\"{}\" is final.", self.from);
        }
        format!("From \"{}\" it may become \"{}\".", self.from, self.allowed.join("\" or \""))
    }
}
