//! What a store can refuse, in the field's words; no driver error leaves this crate.

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
