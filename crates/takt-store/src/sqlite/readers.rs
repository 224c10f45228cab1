//! Readers: connections that only read, each job on a snapshot of its own.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
    sync::Arc,
    thread::JoinHandle,
};

use parking_lot::Mutex;

use super::{
    error::driver,
    open::{Db, Statistics},
    session::{Access, Session, Undoing},
};
use crate::{StoreError, StoreOptions, Tx, TxContext, queue::Queue};

/// A read as a reader's thread sees it.
pub(crate) trait ReadJob: Send {
    /// Time and chance.
    fn context(&self) -> TxContext;
    /// Whether anybody still waits for the answer.
    fn is_wanted(&self) -> bool;
    /// Runs and answers.
    fn run(self: Box<Self>, tx: &Tx);
    /// Sends an error instead.
    fn refuse(self: Box<Self>, error: StoreError);
}

type Job = Box<dyn ReadJob>;

/// What makes all rows of a job rows of one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Snapshot {
    /// A transaction around the job.
    Transaction,
    /// Nothing around it: the job is one statement, which is a snapshot by itself.
    Statement,
}

/// Reads that may wait for each reader.
const WAITING: usize = 256;

/// The readers' threads, and connections for reads on the caller's own thread.
pub(crate) struct Readers {
    options: StoreOptions,
    statistics: Statistics,
    queue: Arc<Queue<Job>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    idle: Mutex<Idle>,
}

struct Idle {
    connections: Vec<Db>,
    closed: bool,
}

impl Readers {
    /// Opens the connections and starts the threads.
    pub(crate) fn start(options: &StoreOptions, statistics: &Statistics) -> Result<Self, StoreError> {
        let count = options.readers.max(1);
        let queue = Arc::new(Queue::new(WAITING * count));
        let mut threads = Vec::with_capacity(count);
        for number in 0..count {
            let (db, jobs) = (Db::reader(options, statistics)?, Arc::clone(&queue));
            let (options, statistics) = (options.clone(), statistics.clone());
            let thread = std::thread::Builder::new()
                .name(format!("takt-reader-{number}"))
                .spawn(move || serve(db, &jobs, &options, &statistics))
                .map_err(|e| StoreError::Open(format!("a reader's thread cannot be started: {e}")))?;
            threads.push(thread);
        }
        let idle = Idle { connections: vec![Db::reader(options, statistics)?], closed: false };
        let statistics = statistics.clone();
        Ok(Self {
            options: options.clone(),
            statistics,
            queue,
            threads: Mutex::new(threads),
            idle: Mutex::new(idle),
        })
    }

    /// Puts a job into the queue.
    pub(crate) fn send(&self, job: Job) -> Result<(), StoreError> {
        self.queue.push(job).map_err(|_| StoreError::Busy)
    }

    /// Runs `job` here and now.
    pub(crate) fn run_here<R, E: From<StoreError>>(
        &self,
        snapshot: Snapshot,
        context: TxContext,
        job: impl FnOnce(&Tx) -> Result<R, E>,
    ) -> Result<R, E> {
        let db = self.take()?;
        // If the job panics the connection goes with it; the next caller opens another.
        let (db, result) = on_snapshot(db, snapshot, context, job);
        if let Some(db) = db {
            self.put_back(db);
        }
        result
    }

    fn take(&self) -> Result<Db, StoreError> {
        let mut idle = self.idle.lock();
        if idle.closed {
            return Err(StoreError::Busy);
        }
        while let Some(db) = idle.connections.pop() {
            if db.knows(&self.statistics) {
                return Ok(db);
            }
        }
        drop(idle);
        Db::reader(&self.options, &self.statistics)
    }

    fn put_back(&self, db: Db) {
        let mut idle = self.idle.lock();
        if !idle.closed && idle.connections.len() < self.options.readers.max(1) * 2 {
            idle.connections.push(db);
        }
    }

    /// Finishes what waits and closes the connections.
    pub(crate) fn close(&self) {
        self.queue.close();
        let threads = std::mem::take(&mut *self.threads.lock());
        for thread in threads.into_iter().filter(|t| t.thread().id() != std::thread::current().id()) {
            let _ = thread.join();
        }
        let mut idle = self.idle.lock();
        idle.closed = true;
        idle.connections.clear();
    }
}

fn serve(db: Db, queue: &Queue<Job>, options: &StoreOptions, statistics: &Statistics) {
    let mut lent = Some(db);
    while let Some(job) = queue.pop() {
        if !job.is_wanted() {
            continue;
        }
        let kept = lent.take().filter(|db| db.knows(statistics));
        let db = match kept.map_or_else(|| Db::reader(options, statistics), Ok) {
            Ok(db) => db,
            Err(error) => {
                job.refuse(error);
                continue;
            }
        };
        let (back, _) = on_snapshot(db, Snapshot::Transaction, job.context(), |tx| {
            // The job answers by itself; after a panic its waiting end is dropped, which is an answer too.
            let _ = catch_unwind(AssertUnwindSafe(|| job.run(tx)));
            Ok::<(), StoreError>(())
        });
        lent = back;
    }
}

/// Runs `job`, between BEGIN and COMMIT if it needs them; gives the connection back.
fn on_snapshot<R, E: From<StoreError>>(
    db: Db,
    snapshot: Snapshot,
    context: TxContext,
    job: impl FnOnce(&Tx) -> Result<R, E>,
) -> (Option<Db>, Result<R, E>) {
    let is_around = snapshot == Snapshot::Transaction;
    if is_around && let Err(error) = step(&db, "BEGIN") {
        return (None, Err(E::from(error)));
    }
    let session = Rc::new(Session::new(db, Access::Read, Undoing::InPart, context, 0));
    let result = job(&Tx::of(&session));
    let closed = |db: &Db| !is_around || step(db, "COMMIT").or_else(|_| step(db, "ROLLBACK")).is_ok();
    (session.end().filter(closed), result)
}

fn step(db: &Db, text: &str) -> Result<(), StoreError> {
    db.conn.prepare_cached(text).and_then(|mut s| s.raw_execute()).map(|_| ()).map_err(driver)
}
