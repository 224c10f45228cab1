//! The one writer: gathers waiting jobs into a group with one durable commit. Each job can be undone alone: by a
//! savepoint of its own, or, as long as hardly any job fails, by rolling the group back and running it again with
//! savepoints (`care.rs`).
//!
//! Invariant: a job is answered with success only after the commit that holds its writes. If SQLite rolls the whole
//! transaction back, the job that it happened to is refused and the others run again.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use super::{
    care::Care,
    error::driver,
    open::{Db, Statistics},
    session::{Access, Session, Undoing},
};
use crate::{StoreError, Tx, TxContext, queue::Queue};

/// Most jobs in one group.
const GROUP: usize = 512;
/// Most work in one group, so that the first job of it does not wait long for its answer.
const GROUP_TIME: Duration = Duration::from_millis(5);

/// Bytes of the writer's stack, most of it address space only: functions of the project run here, and the rows that
/// they write may set off others, nine deep, each with half a megabyte of its own and the statements beneath it.
const STACK: usize = 16 * 1024 * 1024;
/// Nothing to write for so long is a moment to bring the log into the database, from where reading is cheaper.
const QUIET: Duration = Duration::from_millis(250);

/// After so many changed rows the writer looks whether SQLite's statistics are still true, then each time that the
/// number of changes has doubled.
const STATISTICS_AFTER: u64 = 2_000;

/// A write as the writer sees it. It may run more than once; the last run counts.
pub(crate) trait WriteJob: Send {
    /// Time and chance.
    fn context(&self) -> TxContext;
    /// Whether anybody still waits for the answer.
    fn is_wanted(&self) -> bool;
    /// Runs; `Err` undoes its savepoint. The answer is kept until [`WriteJob::answer`].
    fn run(&mut self, tx: &Tx) -> Result<(), Undo>;
    /// Sends the kept answer.
    fn answer(self: Box<Self>);
    /// Sends an error instead.
    fn refuse(self: Box<Self>, error: StoreError);
}

/// The job wants its writes undone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Undo;

type Job = Box<dyn WriteJob>;

/// The writer's thread and the way to it.
pub(crate) struct Writer {
    queue: Arc<Queue<Job>>,
    writable: Arc<AtomicBool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the thread.
    pub(crate) fn start(db: Db, capacity: usize, statistics: Statistics) -> Result<Self, StoreError> {
        let queue = Arc::new(Queue::new(capacity));
        let writable = Arc::new(AtomicBool::new(true));
        let (jobs, flag) = (Arc::clone(&queue), Arc::clone(&writable));
        let thread = std::thread::Builder::new()
            .name("takt-writer".to_owned())
            .stack_size(STACK)
            .spawn(move || {
                // If the thread ever ends, nobody may go on waiting in the queue.
                let _guard = Abandon(Arc::clone(&jobs));
                serve(db, &jobs, &flag, &statistics);
            })
            .map_err(|e| StoreError::Open(format!("the writer's thread cannot be started: {e}")))?;
        Ok(Self { queue, writable, thread: Mutex::new(Some(thread)) })
    }

    /// Puts a job into the queue.
    pub(crate) fn send(&self, job: Job) -> Result<(), StoreError> {
        self.queue.push(job).map_err(|_| StoreError::Busy)
    }

    /// Whether the calling thread is the writer's: it must not wait for itself.
    pub(crate) fn is_here(&self) -> bool {
        let thread = self.thread.lock();
        thread.as_ref().is_some_and(|t| t.thread().id() == std::thread::current().id())
    }

    /// Whether the last commit succeeded.
    pub(crate) fn is_writable(&self) -> bool {
        self.writable.load(Ordering::Relaxed)
    }

    /// Finishes what waits and ends the thread.
    pub(crate) fn close(&self) {
        self.queue.close();
        let thread = self.thread.lock().take();
        // A job may hold the last handle of the store; a thread cannot wait for itself.
        if let Some(thread) = thread.filter(|t| t.thread().id() != std::thread::current().id()) {
            let _ = thread.join();
        }
    }
}

struct Abandon(Arc<Queue<Job>>);

impl Drop for Abandon {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

fn serve(db: Db, queue: &Queue<Job>, writable: &AtomicBool, statistics: &Statistics) {
    let mut writer = Group { db: Some(db), writable, last_id: 0, care: Care::default() };
    writer.refresh_statistics(statistics);
    let mut refresh_at = writer.changes() + STATISTICS_AFTER;
    let mut next = queue.pop();
    while let Some(first) = next.take() {
        let began = Instant::now();
        let mut head = Some(first);
        let mut taken = 0;
        writer.run(&mut || {
            if taken >= GROUP || (taken > 0 && began.elapsed() >= GROUP_TIME) {
                return None;
            }
            taken += 1;
            head.take().or_else(|| queue.try_pop())
        });
        let changes = writer.changes();
        if changes >= refresh_at {
            refresh_at = changes * 2;
            writer.refresh_statistics(statistics);
        }
        next = queue.pop_or(QUIET, || writer.checkpoint());
    }
    if let Some(db) = writer.db {
        let _ = db.conn.execute_batch("PRAGMA optimize");
    }
}

/// What became of one job in the running transaction.
enum Ran {
    /// It is in, or its savepoint was undone.
    Done,
    /// The whole transaction is gone.
    Fell(StoreError),
    /// It failed where nothing can be undone in part: the whole transaction must go, and all run again with savepoints.
    GaveUp,
}

struct Group<'w> {
    /// Lent to each job's session.
    db: Option<Db>,
    writable: &'w AtomicBool,
    /// The newest v7 id that a job made.
    last_id: u128,
    care: Care,
}

impl Group<'_> {
    /// Rows changed on this connection so far.
    fn changes(&self) -> u64 {
        self.db.as_ref().map_or(0, |db| db.conn.total_changes())
    }

    /// Copies the log into the database, as far as no reader is in the way. If it fails, the next commit will tell.
    fn checkpoint(&self) {
        if let Some(db) = &self.db {
            let _ = db.conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        }
    }

    /// Without statistics SQLite takes every index for selective and sorts whole tables. `optimize` looks at all
    /// tables (0x10000) and analyses those that grew or shrank tenfold, by a sample (0x10): milliseconds.
    fn refresh_statistics(&self, statistics: &Statistics) {
        let Some(db) = &self.db else { return };
        match db.conn.execute_batch("PRAGMA optimize=0x10012") {
            Ok(()) => statistics.renew(),
            Err(error) => tracing::warn!(%error, "the statistics of the database could not be refreshed"),
        }
    }

    /// Runs jobs in one transaction as long as `source` has some, commits, and answers.
    fn run(&mut self, source: &mut dyn FnMut() -> Option<Job>) {
        let undoing = self.care.undoing();
        let done = self.run_all(source, undoing);
        if !done.is_empty() {
            self.care.went_well(done.len());
            self.commit(done);
        }
    }

    /// Runs jobs in one transaction; those that are in it and wait for its commit.
    fn run_all(&mut self, source: &mut dyn FnMut() -> Option<Job>, mut undoing: Undoing) -> Vec<Job> {
        let mut done: Vec<Job> = Vec::new();
        while let Some(mut job) = source() {
            if !job.is_wanted() {
                continue;
            }
            if done.is_empty()
                && let Err(error) = self.begin()
            {
                job.refuse(error);
                continue;
            }
            match self.run_job(job.as_mut(), undoing) {
                Ran::Done => done.push(job),
                Ran::GaveUp => {
                    self.roll_back();
                    self.care.gave_up();
                    undoing = Undoing::InPart;
                    let mut again = std::mem::take(&mut done).into_iter().chain([job]);
                    done = self.run_all(&mut || again.next(), undoing);
                }
                Ran::Fell(error) => {
                    self.report(&error);
                    self.roll_back();
                    // Those before it lost their writes with it: they run again, in their order.
                    self.run_again(std::mem::take(&mut done));
                    job.refuse(error);
                }
            }
        }
        done
    }

    fn run_again(&mut self, jobs: Vec<Job>) {
        let mut jobs = jobs.into_iter();
        let done = self.run_all(&mut || jobs.next(), Undoing::InPart);
        if !done.is_empty() {
            self.commit(done);
        }
    }

    fn begin(&mut self) -> Result<(), StoreError> {
        self.execute("BEGIN IMMEDIATE").inspect_err(|e| self.report(e))
    }

    fn roll_back(&mut self) {
        if self.db.as_ref().is_some_and(|db| !db.conn.is_autocommit()) {
            let _ = self.execute("ROLLBACK");
        }
    }

    fn execute(&self, text: &str) -> Result<(), StoreError> {
        let Some(db) = &self.db else {
            return Err(StoreError::Internal("the writer has lost its connection".to_owned()));
        };
        let done = db.conn.prepare_cached(text).and_then(|mut s| s.raw_execute());
        done.map(|_| ()).map_err(driver)
    }

    fn report(&self, error: &StoreError) {
        if matches!(error, StoreError::Full | StoreError::Internal(_)) {
            self.writable.store(false, Ordering::Relaxed);
            tracing::error!(%error, "the database does not accept writes");
        }
    }

    fn run_job(&mut self, job: &mut dyn WriteJob, undoing: Undoing) -> Ran {
        let Some(db) = self.db.take() else {
            return Ran::Fell(StoreError::Internal("the writer has lost its connection".to_owned()));
        };
        let session = Rc::new(Session::new(db, Access::Write, undoing, job.context(), self.last_id));
        let tx = Tx::of(&session);
        let ran = session.savepoint(|| match catch_unwind(AssertUnwindSafe(|| job.run(&tx))) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(Undo)) => Err(Stop::Undo),
            Err(_) => Err(Stop::Panic),
        });
        drop(tx);
        self.last_id = session.last_id();
        self.db = session.end();
        if session.has_given_up() {
            return Ran::GaveUp;
        }
        if let Some(error) = session.fall() {
            return Ran::Fell(error);
        }
        match ran {
            Ok(()) | Err(Stop::Undo | Stop::Panic) => Ran::Done,
            Err(Stop::Store(error)) => Ran::Fell(error),
        }
    }

    fn commit(&mut self, mut done: Vec<Job>) {
        match self.execute("COMMIT") {
            Ok(()) => {
                self.writable.store(true, Ordering::Relaxed);
                done.into_iter().for_each(WriteJob::answer);
            }
            Err(error) => {
                self.report(&error);
                self.roll_back();
                if done.len() == 1 {
                    done.into_iter().for_each(|job| job.refuse(error.clone()));
                } else {
                    // Nobody is acknowledged; halves find out whom the commit failed for.
                    let second = done.split_off(done.len() / 2);
                    self.run_again(done);
                    self.run_again(second);
                }
            }
        }
    }
}

/// Why a job's savepoint is undone.
enum Stop {
    Undo,
    Panic,
    Store(StoreError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
