//! Request outcomes, counted without locks; once a minute they go to the database (`start.rs` drives that).
//! Lives here: the counters. Not here: when they are written, and how they are judged.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use takt_engine::RequestMinute;

/// How many latency buckets there are: up to 1, 2, 4, ... 2^14 ms, and longer.
const BUCKETS: usize = 16;

/// Counts of one period.
#[derive(Debug, Default)]
struct Tally {
    succeeded: AtomicU64,
    failed: AtomicU64,
    latency: [AtomicU64; BUCKETS],
}

/// Outcomes of all requests: since the last flush, and since the process began.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pending: Tally,
    flushed: Tally,
}

/// Sums since the process began.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct CounterSnapshot {
    /// Answered, and be it with a refusal: below 500, or 501 for what is not built.
    pub succeeded: u64,
    /// Failed by the server: 500 and above, but 501.
    pub failed: u64,
    /// How many took up to 1, 2, 4, ... 2^14 milliseconds, and longer.
    pub latency: [u64; BUCKETS],
}

impl Counters {
    /// Counts one answered request.
    pub(crate) fn count(&self, status: u16, took: Duration) {
        // 501 tells the caller that there is nothing at this address yet: whoever looks for it is answered, nothing failed.
        let outcome =
            if status < 500 || status == 501 { &self.pending.succeeded } else { &self.pending.failed };
        outcome.fetch_add(1, Ordering::Relaxed);
        if let Some(bucket) = self.pending.latency.get(bucket(took)) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Takes what was counted since the last call, as the outcomes of `minute`.
    /// A minute without requests is told too: it shows that the process was there.
    pub(crate) fn take(&self, minute: i64) -> RequestMinute {
        let move_on = |pending: &AtomicU64, flushed: &AtomicU64| {
            let n = pending.swap(0, Ordering::Relaxed);
            flushed.fetch_add(n, Ordering::Relaxed);
            n
        };
        let mut latency = [0; BUCKETS];
        for ((to, pending), flushed) in
            latency.iter_mut().zip(&self.pending.latency).zip(&self.flushed.latency)
        {
            *to = move_on(pending, flushed);
        }
        RequestMinute {
            minute,
            succeeded: move_on(&self.pending.succeeded, &self.flushed.succeeded),
            failed: move_on(&self.pending.failed, &self.flushed.failed),
            latency,
        }
    }

    /// Sums since the process began, flushed or not.
    #[must_use]
    pub(crate) fn since_start(&self) -> CounterSnapshot {
        let sum = |a: &AtomicU64, b: &AtomicU64| a.load(Ordering::Relaxed) + b.load(Ordering::Relaxed);
        let mut latency = [0; BUCKETS];
        for ((to, a), b) in latency.iter_mut().zip(&self.pending.latency).zip(&self.flushed.latency) {
            *to = sum(a, b);
        }
        CounterSnapshot {
            succeeded: sum(&self.pending.succeeded, &self.flushed.succeeded),
            failed: sum(&self.pending.failed, &self.flushed.failed),
            latency,
        }
    }
}

/// The bucket of a duration: the smallest power of two of milliseconds that it fits under.
fn bucket(took: Duration) -> usize {
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    let millis = micros.div_ceil(1000).max(1);
    let power = millis.next_power_of_two().trailing_zeros() as usize;
    power.min(BUCKETS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_falls_into_the_smallest_power_of_two_that_holds_it() {
        for (micros, expected) in [
            (0, 0),
            (999, 0),
            (1_000, 0),
            (1_001, 1),
            (2_000, 1),
            (2_001, 2),
            (16_384_000, 14),
            (16_384_001, 15),
            (9_000_000_000, 15),
        ] {
            assert_eq!(bucket(Duration::from_micros(micros)), expected, "{micros} us");
        }
    }

    #[test]
    fn what_is_not_built_and_what_the_caller_does_too_often_is_no_failure_of_the_server() {
        let counters = Counters::default();
        for status in [200, 304, 404, 429, 501] {
            counters.count(status, Duration::ZERO);
        }
        for status in [500, 502, 503, 504] {
            counters.count(status, Duration::ZERO);
        }
        let sum = counters.since_start();
        assert_eq!((sum.succeeded, sum.failed), (5, 4));
    }

    #[test]
    fn taking_moves_counts_out_of_the_minute_but_not_out_of_the_sum() {
        let counters = Counters::default();
        counters.count(200, Duration::from_millis(1));
        counters.count(404, Duration::from_millis(3));
        counters.count(500, Duration::from_millis(1));
        let minute = counters.take(7);
        assert_eq!((minute.minute, minute.succeeded, minute.failed), (7, 2, 1));
        assert_eq!(minute.latency.iter().sum::<u64>(), 3);
        assert_eq!(counters.take(8).succeeded, 0);
        let sum = counters.since_start();
        assert_eq!((sum.succeeded, sum.failed), (2, 1));
    }
}
