//! What written rows set off inside the writer's own transaction, like the triggers of a database.
//!
//! The trait lives here because writes happen here; the room that knows functions (`takt-logic`) implements it and
//! `takt-server` plugs it in ([`crate::Engine::set_hooks`]).
//! Invariants: a write and its hooks stand or fall together (one savepoint around both); the system's own plans and
//! its own tables set nothing off; a write that nobody waits for is not captured and costs what it did before.

use takt_model::{Exposure, Principal, Table, Verb};
use takt_plan::{ConflictAction, Guarded, GuardedPlan, RowSink};
use takt_store::{Change, Outcome, StoreError};

use crate::{ActionError, ActionTx, EngineError, EngineTx};

/// How deep writes of hooks may set off further hooks. The writer's stack is made for it (`takt-store`).
const DEPTH_MAX: u8 = 8;
/// Rows that hooks may be called for in one transaction: the writer serves everybody.
const CALLS_MAX: u32 = 10_000;

/// What waits for written rows.
pub trait Hooks: Send + Sync {
    /// Whether something waits for such rows. Asked for each write, so the answer must be quick.
    fn wants(&self, table: &Table, verb: Verb) -> bool;

    /// Runs everything that waits for this row, in order, on the thread and in the transaction of the writer.
    /// `who` is whose plan wrote it; `tx` has the same rights.
    ///
    /// # Errors
    /// The first refusal or failure; the write is undone then.
    fn run(&self, tx: &ActionTx, who: &Principal, change: &Change) -> Result<(), ActionError>;
}

/// How far the hooks of one transaction have gone; shared by all of its handles.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    depth: std::cell::Cell<u8>,
    calls: std::cell::Cell<u32>,
}

impl Progress {
    /// One level deeper for as long as `work` runs.
    fn deeper<R>(
        &self,
        table: &str,
        work: impl FnOnce() -> Result<R, EngineError>,
    ) -> Result<R, EngineError> {
        let depth = self.depth.get();
        if depth >= DEPTH_MAX {
            return Err(too_far(format!(
                "hooks have set off each other {DEPTH_MAX} times over; the last one wrote {table}"
            )));
        }
        self.depth.set(depth + 1);
        let result = work();
        self.depth.set(depth);
        result
    }

    fn call(&self, table: &str) -> Result<(), EngineError> {
        let calls = self.calls.get();
        if calls >= CALLS_MAX {
            return Err(too_far(format!(
                "one transaction calls hooks for at most {CALLS_MAX} rows; the last one was of {table}"
            )));
        }
        self.calls.set(calls + 1);
        Ok(())
    }
}

fn too_far(message: String) -> EngineError {
    EngineError::Hook { code: "54001", message, position: None }
}

/// Whether the plan writes rows that something waits for.
pub(crate) fn wanted(hooks: Option<&dyn Hooks>, guarded: &Guarded) -> bool {
    let Some(hooks) = hooks else { return false };
    let (table, verbs): (_, &[Verb]) = match guarded.plan() {
        GuardedPlan::Insert(insert) => {
            let merges = insert.conflict.as_ref().is_some_and(|c| c.action == ConflictAction::Merge);
            (insert.table, if merges { &[Verb::Insert, Verb::Update] } else { &[Verb::Insert] })
        }
        GuardedPlan::Update(update) => (update.table, &[Verb::Update]),
        GuardedPlan::Delete(delete) => (delete.table, &[Verb::Delete]),
        _ => return false,
    };
    let table = guarded.project().get(table);
    !guarded.principal().is_system()
        && table.exposure == Exposure::Public
        && verbs.iter().any(|verb| hooks.wants(table, *verb))
}

impl EngineTx {
    /// Runs a guarded plan and, if it writes, whatever waits for its rows.
    pub(crate) fn run_guarded(
        &self,
        guarded: &Guarded,
        sink: &mut dyn RowSink,
    ) -> Result<Outcome, EngineError> {
        if wanted(self.hooks(), guarded) {
            return ActionTx::without_story(self, guarded.principal()).run_guarded(guarded, sink);
        }
        Ok(self.tx.run(guarded, sink)?)
    }
}

impl ActionTx {
    /// As [`EngineTx::run_guarded`]; what is written enters the story, and so does what hooks write.
    pub(crate) fn run_guarded(
        &self,
        guarded: &Guarded,
        sink: &mut dyn RowSink,
    ) -> Result<Outcome, EngineError> {
        if !wanted(self.inner.hooks(), guarded) {
            let mut outcome = self.inner.tx.run(guarded, sink)?;
            let changes = std::mem::take(&mut outcome.changes);
            self.record(&changes);
            return Ok(outcome);
        }
        let mark = self.recorder.borrow().mark();
        let done = self.inner.tx.nested(|tx| {
            let captured = tx.context().capture;
            tx.set_capture(true);
            let ran = tx.run(guarded, sink);
            tx.set_capture(captured);
            let mut outcome = ran?;
            let changes = std::mem::take(&mut outcome.changes);
            self.record(&changes);
            changes.iter().try_for_each(|change| self.set_off(guarded, change))?;
            Ok(outcome)
        });
        if done.is_err() {
            // What was undone is not told.
            self.recorder.borrow_mut().back_to(&mark);
        }
        done
    }

    /// Runs what waits for one written row.
    fn set_off(&self, guarded: &Guarded, change: &Change) -> Result<(), EngineError> {
        let (Some(hooks), Some(table)) = (self.inner.hooks(), guarded.project().table(&change.table)) else {
            return Ok(());
        };
        if !hooks.wants(table, change.verb) {
            return Ok(());
        }
        self.progress.call(&change.table)?;
        let tx = self.acting_as(guarded.principal());
        self.progress
            .deeper(&change.table, || hooks.run(&tx, guarded.principal(), change).map_err(EngineError::from))
    }
}

/// A refusal or failure of a hook, as the writer of the row meets it.
impl From<ActionError> for EngineError {
    fn from(error: ActionError) -> Self {
        match error {
            ActionError::Reject { status, message, details_json } => {
                Self::Rejected { status, message, details_json }
            }
            ActionError::Failed { code, message, position } => Self::Hook { code, message, position },
            ActionError::Engine(error) => error,
        }
    }
}

/// An action whose write was refused by a hook is refused with the hook's words.
impl From<EngineError> for ActionError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Rejected { status, message, details_json } => {
                Self::Reject { status, message, details_json }
            }
            EngineError::Hook { code, message, position } => Self::Failed { code, message, position },
            error => Self::Engine(error),
        }
    }
}

impl From<StoreError> for ActionError {
    fn from(error: StoreError) -> Self {
        Self::Engine(error.into())
    }
}
