//! Why a backup, a drill or a restore did not happen.

use std::path::Path;

use takt_engine::{EngineError, StoreError};
use takt_repository::RepositoryError;

/// Each is a plain sentence for the operator.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum BackupError {
    /// The repository refused.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
    /// The database refused.
    #[error("{0}.")]
    Engine(#[from] EngineError),
    /// The machine refuses.
    #[error("{path}: {reason}.")]
    Io {
        /// Which file or folder.
        path: String,
        /// The system's words.
        reason: String,
    },
    /// There is too little room for what has to be written.
    #[error("{path} has {free} bytes left; {needed} are needed. Nothing was written.")]
    NoRoom {
        /// Where.
        path: String,
        /// Bytes that are free.
        free: u64,
        /// Bytes that are needed.
        needed: u64,
    },
    /// No backup has been made yet.
    #[error("There is no backup yet in {0}.")]
    None(String),
    /// No backup is called like that, or several are.
    #[error("There is no backup `{0}`, or more than one; `takt snapshots` lists them.")]
    Unknown(String),
    /// The database to be backed up is damaged.
    #[error("The database is damaged and was not backed up; older backups are kept. {0}")]
    DatabaseDamaged(String),
    /// What came back is not what was backed up.
    #[error("The backup does not hold what it should: {0}")]
    Differs(String),
    /// The key file is no key.
    #[error("{0} is not a key to the backup.")]
    NotAKey(String),
    /// There is something in the folder that is to be restored into.
    #[error("The folder {0} is not empty. A backup is restored into an empty or a new folder.")]
    NotEmpty(String),
}

impl BackupError {
    pub(crate) fn io(path: &Path, error: &std::io::Error) -> Self {
        Self::Io { path: path.display().to_string(), reason: error.to_string() }
    }
}

impl From<StoreError> for BackupError {
    fn from(error: StoreError) -> Self {
        Self::Engine(error.into())
    }
}
