//! How long this instance has been watching itself. A check that needs a window of history is too young before.

use takt_engine::RequestMinute;

use crate::evidence::{Evidence, Fact};

/// Microseconds of a day.
pub(crate) const DAY: i64 = 86_400_000_000;

/// Whole days since the first recorded start.
pub(crate) fn days_watched(evidence: &Evidence) -> Fact<i64> {
    let releases = evidence.releases.as_ref().map_err(Clone::clone)?;
    let first = releases.iter().map(|r| r.at).min().ok_or("no start was recorded yet")?;
    Ok((evidence.at - first).max(0) / DAY)
}

/// Request outcomes of the window, added up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Requests {
    pub(crate) succeeded: u64,
    pub(crate) failed: u64,
    pub(crate) latency: [u64; 16],
}

impl Requests {
    pub(crate) fn total(&self) -> u64 {
        self.succeeded + self.failed
    }

    /// The upper bound in milliseconds of the bucket below which `share` of all requests lie.
    /// None beyond the last bounded bucket.
    pub(crate) fn percentile_ms(&self, share: f64) -> Option<u64> {
        let total: u64 = self.latency.iter().sum();
        let wanted = (total as f64 * share).ceil() as u64;
        let mut seen = 0;
        for (bucket, n) in self.latency.iter().enumerate().take(15) {
            seen += n;
            if seen >= wanted {
                return Some(1 << bucket);
            }
        }
        None
    }
}

/// Adds minutes up.
pub(crate) fn sum(minutes: &[RequestMinute]) -> Requests {
    minutes.iter().fold(Requests::default(), |mut all, minute| {
        all.succeeded += minute.succeeded;
        all.failed += minute.failed;
        all.latency.iter_mut().zip(minute.latency).for_each(|(a, b)| *a += b);
        all
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_come_from_the_histogram() {
        let mut latency = [0; 16];
        latency[0] = 50; // up to 1 ms
        latency[3] = 30; // up to 8 ms
        latency[15] = 20; // longer than all
        let all = sum(&[RequestMinute { minute: 1, succeeded: 100, failed: 0, latency }]);
        assert_eq!(all.percentile_ms(0.5), Some(1));
        assert_eq!(all.percentile_ms(0.75), Some(8));
        assert_eq!(all.percentile_ms(0.95), None);
    }
}
