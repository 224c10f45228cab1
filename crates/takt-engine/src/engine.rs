//! The engine: a store, a project, a clock.

use std::sync::Arc;

use takt_model::{Principal, Project};
use takt_plan::{Plan, RowSink, Rows};
use takt_store::{Outcome, Store, StoreHealth, Tx};

use crate::{Clock, EngineError};

/// What an engine is made of.
pub struct EngineOptions {
    /// An open store.
    pub store: Store,
    /// A project without errors, read with all system tables.
    pub project: Arc<Project>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

/// A verdict on rows and outcome before the commit; an error rolls back.
pub type Verdict<S> = fn(&S, &Outcome) -> Result<(), EngineError>;

/// Runs plans. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    _todo: Arc<()>,
}

/// A transaction of several plans, as seen by the rooms above.
pub struct EngineTx {
    pub(crate) tx: Tx,
    pub(crate) project: Arc<Project>,
}

impl Engine {
    /// Makes the database fit the project (additive steps only) and starts.
    ///
    /// # Errors
    /// [`EngineError::Schema`] naming every step that awaits `takt apply`; nothing is changed then.
    pub fn open(options: EngineOptions) -> Result<Self, EngineError> {
        let _ = options;
        todo!("engine")
    }

    /// The project that is served now.
    #[must_use]
    pub fn project(&self) -> Arc<Project> {
        todo!("engine")
    }

    /// Serves another project from now on (reload); migrates as [`Engine::open`].
    ///
    /// # Errors
    /// As [`Engine::open`]; the old project goes on then.
    pub fn replace_project(&self, project: Arc<Project>) -> Result<(), EngineError> {
        let _ = project;
        todo!("engine")
    }

    /// Microseconds since 1970 UTC, from the engine's clock.
    #[must_use]
    pub fn now(&self) -> i64 {
        todo!("engine")
    }

    /// Guards and runs one plan in one transaction of its own and pushes its rows into `sink`.
    ///
    /// # Errors
    /// See [`EngineError`]; nothing is written then.
    pub async fn run<S: RowSink + Clone + Send + 'static>(
        &self,
        who: &Principal,
        plan: Plan,
        sink: S,
        verdict: Verdict<S>,
    ) -> Result<(S, Outcome), EngineError> {
        let _ = (who, plan, sink, verdict);
        todo!("engine")
    }

    /// Runs several plans in one write transaction. `job` may run more than once and must have no effect
    /// besides the transaction.
    ///
    /// # Errors
    /// The job's, or the engine's.
    pub async fn transact<R, E>(
        &self,
        job: impl FnMut(&EngineTx) -> Result<R, E> + Send + 'static,
    ) -> Result<R, E>
    where
        R: Send + 'static,
        E: From<EngineError> + Send + 'static,
    {
        let _ = job;
        todo!("engine")
    }

    /// As [`Engine::transact`], blocking; for start-up and commands.
    ///
    /// # Errors
    /// The job's, or the engine's.
    pub fn transact_blocking<R, E>(
        &self,
        job: impl FnMut(&EngineTx) -> Result<R, E> + Send + 'static,
    ) -> Result<R, E>
    where
        R: Send + 'static,
        E: From<EngineError> + Send + 'static,
    {
        let _ = job;
        todo!("engine")
    }

    /// Runs reads on one snapshot, on the calling thread; for short look-ups by key.
    ///
    /// # Errors
    /// The job's, or the engine's.
    pub fn look_up<R, E: From<EngineError>>(
        &self,
        job: impl FnOnce(&EngineTx) -> Result<R, E>,
    ) -> Result<R, E> {
        let _ = job;
        todo!("engine")
    }

    /// How the store is.
    #[must_use]
    pub fn health(&self) -> StoreHealth {
        todo!("engine")
    }

    /// Finishes waiting writes and closes the store.
    pub fn close(&self) {
        todo!("engine")
    }
}

impl EngineTx {
    /// Guards and runs a plan; rows go to `sink`. A failed write leaves the transaction as it was before.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub fn run(
        &self,
        who: &Principal,
        plan: Plan,
        sink: &mut dyn RowSink,
    ) -> Result<Outcome, EngineError> {
        let guarded = takt_plan::guard(plan, &self.project, who)?;
        Ok(self.tx.run(&guarded, sink)?)
    }

    /// As [`EngineTx::run`], keeping the rows.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub fn rows(&self, who: &Principal, plan: Plan) -> Result<(Rows, Outcome), EngineError> {
        let guarded = takt_plan::guard(plan, &self.project, who)?;
        Ok(self.tx.rows(&guarded)?)
    }

    /// The project that this transaction sees.
    #[must_use]
    pub fn project(&self) -> &Arc<Project> {
        &self.project
    }

    /// The moment of the transaction: microseconds since 1970 UTC.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.tx.context().now
    }

    /// A new random v7 UUID of this transaction.
    #[must_use]
    pub fn new_uuid(&self) -> takt_model::Uuid {
        self.tx.new_uuid()
    }

    /// Writes an outbox row: leaves if and only if this transaction commits.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub fn emit(&self, name: &str, key: Option<&str>, payload_json: &str) -> Result<(), EngineError> {
        let _ = (name, key, payload_json);
        todo!("engine")
    }
}
