//! One transaction: runs guarded plans, one after the other, on one snapshot.

use std::rc::Rc;

use takt_model::{Principal, Value};
use takt_plan::{Guarded, GuardedPlan, RowSink, Rows};

use crate::{
    PreparedRead, StoreError,
    sqlite::{self, Access, Env, Session},
};

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
    session: Rc<Session>,
}

impl Tx {
    pub(crate) fn of(session: &Rc<Session>) -> Self {
        Self { session: Rc::clone(session) }
    }

    pub(crate) fn session(&self) -> &Session {
        &self.session
    }

    /// Runs one plan and pushes its rows (or the returned rows of a write) into `sink`.
    ///
    /// A write inside a read transaction is `Refused 25006`. A failed write leaves the transaction as it was
    /// before this call (a savepoint, or SQLite's own undoing of a failed statement), so the caller may go on or give up. What reached the sink before an error
    /// is worth nothing.
    ///
    /// The store cannot be called with a plan that no guard has seen; this does not compile:
    /// ```compile_fail
    /// fn bypass(tx: &takt_store::Tx, plan: takt_plan::Plan) {
    ///     let _ = tx.run(&plan, &mut takt_plan::Buffered::default());
    /// }
    /// ```
    /// nor does making up what only the guard makes:
    /// ```compile_fail
    /// fn forge(guarded: &takt_plan::Guarded) -> takt_plan::Guarded {
    ///     let (plan, principal, project) =
    ///         (guarded.plan().clone(), takt_model::Principal::service(), guarded.project().clone());
    ///     takt_plan::Guarded { plan, principal, project }
    /// }
    /// ```
    /// while the same with a guarded plan does:
    /// ```
    /// fn allowed(tx: &takt_store::Tx, plan: &takt_plan::Guarded) {
    ///     let (_plan, _principal, _project) =
    ///         (plan.plan().clone(), takt_model::Principal::service(), plan.project().clone());
    ///     let _ = tx.run(plan, &mut takt_plan::Buffered::default());
    /// }
    /// ```
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn run(&self, plan: &Guarded, sink: &mut dyn RowSink) -> Result<Outcome, StoreError> {
        let session = &*self.session;
        let env = Env {
            project: plan.project(),
            principal: plan.principal(),
            now: session.context().now,
            values: &[],
        };
        let result = session.with(|db| match plan.plan() {
            GuardedPlan::Read(read) => {
                db.start_clock();
                sqlite::run_read(&db.conn, env, read, sink)
            }
            write if session.access() == Access::Read => Err(read_only(write)),
            write => {
                let mut run = || {
                    sqlite::run_write(&db.conn, session, env, write, sink).inspect_err(|e| session.note(e))
                };
                if sqlite::undoes_itself(session, env, write) { run() } else { session.savepoint(run) }
            }
        });
        result.inspect_err(|e| session.note(e))
    }

    /// Runs a prepared read for `who` with these values for its parameters. What a prepared read holds was guarded, and
    /// it runs for nobody whom the guard would have told otherwise.
    ///
    /// # Errors
    /// See [`StoreError`]; [`StoreError::Internal`] for somebody whom the plan does not serve.
    pub fn run_prepared(
        &self,
        prepared: &PreparedRead,
        who: &Principal,
        values: &[Value],
        sink: &mut dyn RowSink,
    ) -> Result<Outcome, StoreError> {
        let plan = prepared.plan();
        if !prepared.takes(values) {
            let asked = plan.asked(who, values).ok_or_else(|| not_served(who))?;
            return self.run(&asked, sink);
        }
        if !plan.serves(who) {
            return Err(not_served(who));
        }
        let GuardedPlan::Read(read) = plan.plan() else {
            return Err(StoreError::Internal("only reads are prepared".to_owned()));
        };
        let session = &*self.session;
        let env = Env { project: plan.project(), principal: who, now: session.context().now, values };
        let result = session.with(|db| {
            db.start_clock();
            sqlite::run_lowered(&db.conn, env, read, prepared.lowered(), sink)
        });
        result.inspect_err(|e| session.note(e))
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

    /// Runs `job` in a savepoint of its own: if it fails, what it wrote is undone and the transaction goes on.
    ///
    /// # Errors
    /// The job's, or the store's.
    pub fn nested<R, E: From<StoreError>>(&self, job: impl FnOnce(&Self) -> Result<R, E>) -> Result<R, E> {
        match self.session.access() {
            Access::Read => job(self),
            Access::Write => self.session.savepoint(|| job(self)),
        }
    }

    /// Time and chance of this transaction.
    #[must_use]
    pub fn context(&self) -> TxContext {
        self.session.context()
    }

    /// Switches [`TxContext::capture`] for the following plans.
    pub fn set_capture(&self, capture: bool) {
        self.session.set_capture(capture);
    }

    /// Whether the transaction can still be committed; false after SQLite rolled everything back by itself
    /// (FULL, IOERR, NOMEM, INTERRUPT), and when the job has ended.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.session.is_alive()
    }

    /// A new random v7 UUID of this transaction (time from `now`, chance from the seed).
    #[must_use]
    pub fn new_uuid(&self) -> uuid::Uuid {
        self.session.new_uuid()
    }

    /// The next number of a counter, without gaps: its row is part of this transaction.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn counter_next(&self, counter: &str) -> Result<i64, StoreError> {
        let session = &*self.session;
        if session.access() == Access::Read {
            return Err(refused_in_read("nextval()"));
        }
        session
            .with(|db| sqlite::counter_next(&db.conn, counter))
            .inspect_err(|e: &StoreError| session.note(e))
    }
}

fn not_served(who: &Principal) -> StoreError {
    StoreError::Internal(format!("a plan that was prepared for others, not for {:?}", who.rights))
}

fn read_only(plan: &GuardedPlan) -> StoreError {
    refused_in_read(match plan {
        GuardedPlan::Update(_) => "UPDATE",
        GuardedPlan::Delete(_) => "DELETE",
        _ => "INSERT",
    })
}

fn refused_in_read(what: &str) -> StoreError {
    StoreError::Refused {
        code: "25006",
        message: format!("cannot execute {what} in a read-only transaction"),
        details: None,
        hint: None,
    }
}
