//! One transaction: runs guarded plans, one after the other, on one snapshot.

use takt_model::Value;
use takt_plan::{Guarded, RowSink, Rows};

use crate::StoreError;

/// What a transaction needs from outside: time and chance are arguments.
#[derive(Debug, Clone, Copy)]
pub struct TxContext {
    /// The moment of the transaction: microseconds since 1970 UTC; `now()`.
    pub now: i64,
    /// Seed of everything random in it (ids).
    pub seed: u64,
    /// Whether [`Outcome::changes`] is filled (stories want it; it costs a copy of each row).
    pub capture: bool,
}

/// What a plan did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// Rows pushed into the sink at the root.
    pub returned: u64,
    /// Rows written.
    pub affected: u64,
    /// Of these, rows that did not exist before.
    pub inserted: u64,
    /// All fitting rows, if the plan counts.
    pub count: Option<u64>,
    /// What was written, if [`TxContext::capture`].
    pub changes: Vec<Change>,
}

/// One written row.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Table name.
    pub table: String,
    /// Insert, update or delete.
    pub verb: takt_model::Verb,
    /// All fields before, in the table's order; `None` for inserts.
    pub before: Option<Vec<Value>>,
    /// All fields after, in the table's order; `None` for deletes.
    pub after: Option<Vec<Value>>,
    /// The policy that let it through (see [`takt_plan::WriteRule::policy`]).
    pub rule: String,
}

/// A running transaction. Cheap to clone on its own thread (it is a handle); it is dead when the job that got it ends.
/// Not `Send`: it stays on the writer's or reader's thread.
#[derive(Clone)]
pub struct Tx {
    _todo: std::rc::Rc<()>,
}

impl Tx {
    /// Runs one plan and pushes its rows (or the returned rows of a write) into `sink`.
    ///
    /// A write inside a read transaction is `Refused 25006`. A failed write leaves the transaction as it was
    /// before this call (a savepoint), so the caller may go on or give up.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn run(&self, plan: &Guarded, sink: &mut dyn RowSink) -> Result<Outcome, StoreError> {
        let _ = (plan, sink);
        todo!("helper: store")
    }

    /// As [`Tx::run`], keeping the rows.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn rows(&self, plan: &Guarded) -> Result<(Rows, Outcome), StoreError> {
        let mut sink = takt_plan::Buffered::default();
        let outcome = self.run(plan, &mut sink)?;
        Ok((sink.into_rows(), outcome))
    }

    /// Runs `job` in a savepoint: its writes are rolled back if it fails.
    ///
    /// # Errors
    /// The job's, or the store's.
    pub fn nested<R, E: From<StoreError>>(&self, job: impl FnOnce(&Tx) -> Result<R, E>) -> Result<R, E> {
        let _ = job;
        todo!("helper: store")
    }

    /// Time and chance of this transaction.
    #[must_use]
    pub fn context(&self) -> TxContext {
        todo!("helper: store")
    }

    /// Switches [`TxContext::capture`] for the following plans.
    pub fn set_capture(&self, capture: bool) {
        let _ = capture;
        todo!("helper: store")
    }

    /// Whether the transaction can still be committed; false after SQLite rolled everything back by itself
    /// (FULL, IOERR, NOMEM, INTERRUPT).
    #[must_use]
    pub fn is_alive(&self) -> bool {
        todo!("helper: store")
    }

    /// A new random v7 UUID of this transaction (time from `now`, chance from the seed).
    #[must_use]
    pub fn new_uuid(&self) -> uuid::Uuid {
        todo!("helper: store")
    }
}
