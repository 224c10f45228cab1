//! SQLite's errors in the house's words; no driver error leaves this crate.

use rusqlite::ErrorCode;

use super::functions::ERROR_PREFIX;
use crate::StoreError;

/// A refusal with PostgreSQL's code and words.
pub(super) fn refused(code: &'static str, message: impl Into<String>) -> StoreError {
    StoreError::Refused { code, message: message.into(), details: None, hint: None }
}

/// A refusal with details.
pub(super) fn refused_with(
    code: &'static str,
    message: impl Into<String>,
    details: impl Into<String>,
) -> StoreError {
    StoreError::Refused { code, message: message.into(), details: Some(details.into()), hint: None }
}

/// What a driver error means while a plan runs.
pub(super) fn driver(error: rusqlite::Error) -> StoreError {
    let rusqlite::Error::SqliteFailure(failure, message) = &error else {
        return StoreError::Internal(error.to_string());
    };
    if let Some(own) = message.as_deref().and_then(own_failure) {
        return own;
    }
    // SQLite has no code of its own for these two.
    if message
        .as_deref()
        .is_some_and(|m| m.starts_with("Expression tree is too large") || m.contains("stack overflow"))
    {
        return refused("54001", "the condition is nested too deeply");
    }
    match failure.code {
        ErrorCode::DiskFull => StoreError::Full,
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Busy,
        ErrorCode::OperationInterrupted => StoreError::Timeout,
        ErrorCode::ReadOnly => refused("25006", "cannot write in a read-only transaction"),
        ErrorCode::TooBig => refused("54000", "the value or the statement is too large"),
        ErrorCode::ConstraintViolation => refused("23000", "a constraint of the data is violated"),
        _ => StoreError::Internal(error.to_string()),
    }
}

/// What a driver error means while the database is opened.
pub(super) fn opening(error: &rusqlite::Error, file: &std::path::Path) -> StoreError {
    let file = file.display();
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            StoreError::Locked(format!("the database {file} is in use by another process"))
        }
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            StoreError::Open(format!("the file {file} is no readable database"))
        }
        Some(ErrorCode::DiskFull) => StoreError::Full,
        _ => StoreError::Open(format!("the database {file} cannot be opened: {error}")),
    }
}

/// Which constraint failed, as far as SQLite says it without a text of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Constraint {
    /// Primary key or unique index.
    Unique,
    /// Foreign key, either side.
    ForeignKey,
}

/// The kind of constraint, if the error is one.
pub(super) fn constraint(error: &rusqlite::Error) -> Option<Constraint> {
    use rusqlite::ffi;
    let rusqlite::Error::SqliteFailure(failure, _) = error else { return None };
    match failure.extended_code {
        ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_ROWID => {
            Some(Constraint::Unique)
        }
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY | ffi::SQLITE_CONSTRAINT_TRIGGER => Some(Constraint::ForeignKey),
        _ => None,
    }
}

/// Reads a failure of our own functions out of SQLite's message.
fn own_failure(message: &str) -> Option<StoreError> {
    let (code, text) = message.strip_prefix(ERROR_PREFIX)?.split_once(':')?;
    let code = match code {
        "22003" => "22003",
        "22025" => "22025",
        "42883" => "42883",
        _ => return None,
    };
    Some(refused(code, text))
}
