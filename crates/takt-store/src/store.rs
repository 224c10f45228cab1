//! The store: opened once, shared by everybody.

use std::sync::Arc;

use takt_model::Project;
use takt_plan::{Migration, StoredSchema};

use crate::{StoreError, StoreOptions, Tx, TxContext};

/// An open database. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    _todo: Arc<()>,
}

/// How the database is.
#[derive(Debug, Clone)]
pub struct StoreHealth {
    /// `3.54.1`
    pub engine_version: String,
    /// Whether acknowledged writes survive a power cut (WAL and `synchronous=FULL`).
    pub durable: bool,
    /// Whether writes are accepted now.
    pub writable: bool,
    /// Bytes of the database file.
    pub bytes: u64,
}

impl Store {
    /// Opens (or creates) the database; nothing is written to an existing one.
    ///
    /// # Errors
    /// [`StoreError::Locked`] if another process has it, [`StoreError::Open`] else.
    pub fn open(options: StoreOptions) -> Result<Self, StoreError> {
        let _ = options;
        todo!("helper: store")
    }

    /// What the database holds now.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn stored_schema(&self) -> Result<StoredSchema, StoreError> {
        todo!("helper: store")
    }

    /// Makes the additive steps in one transaction.
    ///
    /// # Errors
    /// See [`StoreError`]; nothing is changed then.
    pub fn migrate(&self, project: &Project, migration: &Migration) -> Result<(), StoreError> {
        let _ = (project, migration);
        todo!("helper: store")
    }

    /// Runs `job` on a snapshot, on the calling thread; for work that is provably short (by key).
    ///
    /// # Errors
    /// The job's, or the store's.
    pub fn read_here<R, E: From<StoreError>>(
        &self,
        context: TxContext,
        job: impl FnOnce(&Tx) -> Result<R, E>,
    ) -> Result<R, E> {
        let _ = (context, job);
        todo!("helper: store")
    }

    /// Runs `job` on a snapshot, on a reader thread.
    ///
    /// # Errors
    /// The job's, or the store's.
    pub async fn read<R: Send + 'static, E: From<StoreError> + Send + 'static>(
        &self,
        context: TxContext,
        job: impl FnOnce(&Tx) -> Result<R, E> + Send + 'static,
    ) -> Result<R, E> {
        let _ = (context, job);
        todo!("helper: store")
    }

    /// Runs `job` on the writer's thread inside the commit group, in a savepoint of its own. `Ok` is returned only
    /// after the group's durable commit; `Err` of the job rolls back its savepoint and nothing else.
    /// If the group falls (disk full, a statement that SQLite answers by rolling back everything, a panic), the
    /// other jobs are run again: a job may therefore run more than once and must have no effect besides `Tx`.
    ///
    /// # Errors
    /// The job's; [`StoreError::Busy`] when the queue is full; [`StoreError::Full`] and others of the commit.
    pub async fn write<R: Send + 'static, E: From<StoreError> + Send + 'static>(
        &self,
        context: TxContext,
        job: impl FnMut(&Tx) -> Result<R, E> + Send + 'static,
    ) -> Result<R, E> {
        let _ = (context, job);
        todo!("helper: store")
    }

    /// As [`Store::write`], blocking the calling thread; for start-up and commands.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub fn write_blocking<R: Send + 'static, E: From<StoreError> + Send + 'static>(
        &self,
        context: TxContext,
        job: impl FnMut(&Tx) -> Result<R, E> + Send + 'static,
    ) -> Result<R, E> {
        let _ = (context, job);
        todo!("helper: store")
    }

    /// How the database is.
    #[must_use]
    pub fn health(&self) -> StoreHealth {
        todo!("helper: store")
    }

    /// Finishes waiting writes, optimises, closes. Later calls answer [`StoreError::Busy`].
    pub fn close(&self) {
        todo!("helper: store")
    }
}
