//! The store: opened once, shared by everybody.

use std::{path::Path, sync::Arc};

use takt_model::{Principal, Project, Value};
use takt_plan::{Guarded, GuardedPlan, Migration, RowSink, StoredSchema};
use tokio::sync::oneshot;

use crate::{
    Outcome, PreparedRead, StoreError, StoreOptions, Tx, TxContext,
    jobs::{Read, Write},
    sqlite::{self, Opened, Readers, Snapshot, Statistics, Writer},
};

/// An open database. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    options: StoreOptions,
    engine_version: String,
    writer: Writer,
    readers: Readers,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.readers.close();
        self.writer.close();
    }
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
        let Opened { writer, engine_version } = sqlite::open(&options)?;
        let statistics = Statistics::default();
        let readers = Readers::start(&options, &statistics)?;
        let writer = Writer::start(writer, options.write_queue, statistics)?;
        Ok(Self { inner: Arc::new(Inner { options, engine_version, writer, readers }) })
    }

    /// What the database holds now.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn stored_schema(&self) -> Result<StoredSchema, StoreError> {
        let context = TxContext { now: 0, seed: 0, capture: false };
        self.read_here(context, |tx| tx.session().with(|db| sqlite::stored_schema(&db.conn)))
    }

    /// Makes the additive steps in one transaction.
    ///
    /// # Errors
    /// See [`StoreError`]; nothing is changed then.
    pub fn migrate(&self, project: &Project, migration: &Migration) -> Result<(), StoreError> {
        let context = TxContext { now: 0, seed: 0, capture: false };
        let (project, migration) = (project.clone(), migration.clone());
        self.write_blocking(context, move |tx| {
            let session = tx.session();
            session.require_way_back()?;
            session
                .with(|db| sqlite::migrate(&db.conn, &project, &migration))
                .inspect_err(|e: &StoreError| session.note(e))
        })
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
        self.inner.readers.run_here(Snapshot::Transaction, context, job)
    }

    /// Runs one read on the calling thread, as [`Store::read_here`] does. What is one statement gets no transaction
    /// around it: BEGIN and COMMIT would be a good part of what a read by key costs.
    ///
    /// # Errors
    /// See [`StoreError`]; `Refused 25006` for a write.
    pub fn run_here(
        &self,
        context: TxContext,
        plan: &Guarded,
        sink: &mut dyn RowSink,
    ) -> Result<Outcome, StoreError> {
        self.inner.readers.run_here(snapshot(plan), context, |tx| tx.run(plan, sink))
    }

    /// As [`Store::run_here`] for a prepared read ([`Tx::run_prepared`]).
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn run_prepared_here(
        &self,
        context: TxContext,
        read: &PreparedRead,
        who: &Principal,
        values: &[Value],
        sink: &mut dyn RowSink,
    ) -> Result<Outcome, StoreError> {
        let run = |tx: &Tx| tx.run_prepared(read, who, values, sink);
        self.inner.readers.run_here(snapshot(read.plan()), context, run)
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
        let (answer, waiting) = oneshot::channel();
        self.inner.readers.send(Box::new(Read::new(context, job, answer)))?;
        waiting.await.unwrap_or_else(|_| Err(lost()))
    }

    /// Runs `job` on the writer's thread inside the commit group, in a savepoint of its own. `Ok` is returned only
    /// after the group's durable commit; `Err` of the job rolls back its savepoint and nothing else.
    /// If the group falls (disk full, a statement that SQLite answers by rolling back everything, a panic), the
    /// other jobs are run again: a job may therefore run more than once and must have no effect besides `Tx`.
    /// A job whose caller has gone away before it began does not run.
    ///
    /// # Errors
    /// The job's; [`StoreError::Busy`] when the queue is full; [`StoreError::Full`] and others of the commit.
    pub async fn write<R: Send + 'static, E: From<StoreError> + Send + 'static>(
        &self,
        context: TxContext,
        job: impl FnMut(&Tx) -> Result<R, E> + Send + 'static,
    ) -> Result<R, E> {
        let (answer, waiting) = oneshot::channel();
        self.inner.writer.send(Box::new(Write::new(context, job, answer)))?;
        waiting.await.unwrap_or_else(|_| Err(lost()))
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
        if self.inner.writer.is_here() {
            return Err(E::from(StoreError::Internal("a write job waits for another write job".to_owned())));
        }
        // Not the channel of `write`: that one refuses to block inside a runtime, where start-up may well be.
        let (answer, waiting) = std::sync::mpsc::sync_channel(1);
        self.inner.writer.send(Box::new(Write::new(context, job, answer)))?;
        waiting.recv().unwrap_or_else(|_| Err(lost()))
    }

    /// Copies the database as of now to `to`, which must not exist, on the calling thread. Reads and writes go on.
    ///
    /// # Errors
    /// [`StoreError::Open`] if the copy cannot be written; it is worth nothing then.
    pub fn copy(&self, to: &Path) -> Result<(), StoreError> {
        sqlite::copy(&self.inner.options, to)
    }

    /// How the database is.
    #[must_use]
    pub fn health(&self) -> StoreHealth {
        let Inner { options, engine_version, writer, .. } = &*self.inner;
        StoreHealth {
            engine_version: engine_version.clone(),
            durable: options.synchronous_full,
            writable: writer.is_writable(),
            bytes: sqlite::file_bytes(&options.file),
        }
    }

    /// Finishes waiting writes, optimises, closes. Later calls answer [`StoreError::Busy`].
    pub fn close(&self) {
        self.inner.readers.close();
        self.inner.writer.close();
    }
}

/// What a plan that runs on its own needs around it.
fn snapshot(plan: &Guarded) -> Snapshot {
    match plan.plan() {
        GuardedPlan::Read(read) if !read.count && read.root.children.is_empty() => Snapshot::Statement,
        _ => Snapshot::Transaction,
    }
}

/// The thread that should have answered is gone, or the job panicked.
fn lost<E: From<StoreError>>() -> E {
    E::from(StoreError::Internal("the job ended without an answer".to_owned()))
}
