//! What can go wrong with a repository, and the one place where the library's panics become errors.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rustic_core::RusticError;

/// Why something could not be done with a repository; each is a plain sentence for the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RepositoryError {
    /// Nothing is there.
    #[error("There is no repository at {0}.")]
    Missing(String),
    /// A repository is there already.
    #[error("There is a repository at {0} already.")]
    Exists(String),
    /// None of the repository's keys fits.
    #[error("The key does not open the repository.")]
    WrongKey,
    /// No such snapshot.
    #[error("There is no backup {0} in the repository.")]
    UnknownSnapshot(String),
    /// What is there is not what was written.
    #[error("The repository is damaged: {0}")]
    Damaged(String),
    /// A file could not be read, or became another one while it was read; nothing was kept of this backup.
    #[error("The backup would not be complete: {0}")]
    Incomplete(String),
    /// The machine refuses.
    #[error("{path}: {reason}.")]
    Io {
        /// Which file or folder.
        path: String,
        /// The system's words.
        reason: String,
    },
    /// Something else; the library's words.
    #[error("The repository cannot be used: {0}")]
    Failed(String),
}

impl RepositoryError {
    pub(crate) fn io(path: &std::path::Path, error: &std::io::Error) -> Self {
        Self::Io { path: path.display().to_string(), reason: error.to_string() }
    }
}

impl From<Box<RusticError>> for RepositoryError {
    fn from(error: Box<RusticError>) -> Self {
        if error.is_incorrect_password() {
            return Self::WrongKey;
        }
        Self::Failed(first_line(&error.display_log()))
    }
}

/// The library explains itself over many lines; the first says what it is.
pub(crate) fn first_line(text: &str) -> String {
    const MOST: usize = 300;
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("no reason was given");
    line.chars().take(MOST).collect()
}

/// Runs `work` of the library. It checks its own files with panics in places: what panics there is damage.
pub(crate) fn contained<R>(work: impl FnOnce() -> Result<R, RepositoryError>) -> Result<R, RepositoryError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(RepositoryError::Damaged("reading it stopped at something unexpected".to_owned()))
    })
}
