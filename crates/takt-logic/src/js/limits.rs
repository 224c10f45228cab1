//! How much a call may use: time, statements. Memory and stack are the script engine's own limits.
//!
//! Actions are limited in CPU time of their own thread, so that a busy machine does not fail innocent checkouts;
//! the time that the database takes is not theirs. `http` functions are limited in elapsed time.
//! A thread has never used more CPU time than has gone by, and what has gone by is cheap to ask: the thread's own
//! clock, a system call, is asked only when more than the limit has gone by.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use rustix::time::{ClockId, clock_gettime};

/// What ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    Time,
    Statements,
}

/// Which time counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Measure {
    Cpu,
    Elapsed,
}

/// The budget of the running call. Asked by the script engine every few thousand steps.
pub(crate) struct Budget {
    measure: Measure,
    limit: Cell<Duration>,
    /// By the clock of the measure.
    begun: Cell<Duration>,
    /// By the clock on the wall.
    from: Cell<Instant>,
    /// Time spent in host calls since then.
    elsewhere: Cell<Duration>,
    hit: Cell<Option<Limit>>,
}

impl Budget {
    pub(crate) fn new(measure: Measure) -> Self {
        Self {
            measure,
            limit: Cell::new(Duration::MAX),
            begun: Cell::default(),
            from: Cell::new(Instant::now()),
            elsewhere: Cell::default(),
            hit: Cell::default(),
        }
    }

    /// A new call begins.
    pub(crate) fn begin(&self, limit: Duration) {
        self.limit.set(limit);
        self.from.set(Instant::now());
        self.begun.set(self.clock());
        self.elsewhere.set(Duration::ZERO);
        self.hit.set(None);
    }

    /// Whether the call must end now; once true, always true.
    pub(crate) fn is_spent(&self) -> bool {
        if self.hit.get().is_some() {
            return true;
        }
        if self.from.get().elapsed().saturating_sub(self.elsewhere.get()) <= self.limit.get() {
            return false;
        }
        if self.used() > self.limit.get() {
            self.hit.set(Some(Limit::Time));
        }
        self.hit.get().is_some()
    }

    fn used(&self) -> Duration {
        self.clock().saturating_sub(self.begun.get()).saturating_sub(self.elsewhere.get())
    }

    /// What ran out, if something did.
    pub(crate) fn hit(&self) -> Option<Limit> {
        self.hit.get()
    }

    pub(crate) fn run_out(&self, limit: Limit) {
        self.hit.set(Some(limit));
    }

    /// What is left of the time.
    pub(crate) fn left(&self) -> Duration {
        self.limit.get().saturating_sub(self.used())
    }

    /// Runs `work` on the host's account.
    pub(crate) fn elsewhere<R>(&self, work: impl FnOnce() -> R) -> R {
        if self.measure == Measure::Elapsed {
            return work();
        }
        let from = Instant::now();
        let result = work();
        self.elsewhere.set(self.elsewhere.get() + from.elapsed());
        result
    }

    fn clock(&self) -> Duration {
        let id = match self.measure {
            Measure::Cpu => ClockId::ThreadCPUTime,
            Measure::Elapsed => ClockId::Monotonic,
        };
        let time = clock_gettime(id);
        let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
        let nanos = u32::try_from(time.tv_nsec).unwrap_or_default();
        Duration::new(seconds, nanos)
    }
}
