//! What the product depends on outside: each host with the purpose of its calls.

use std::collections::BTreeMap;

use parking_lot::Mutex;

/// How the last call to a host ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LastOutcome {
    /// An answer with this status.
    Answered(u16),
    /// No answer; the error's sentence.
    Failed(String),
}

/// A host that was called, for one purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// Name or address, with the port if it is not the scheme's own.
    pub host: String,
    /// "function order_status"
    pub purpose: String,
    /// Calls since start.
    pub calls: u64,
    /// Of these, calls without an answer or with a status of 500 and above.
    pub failures: u64,
    /// How the last one ended.
    pub last: LastOutcome,
}

/// Most entries kept: a function that calls made-up hosts must not fill the memory.
const MOST: usize = 1_000;

#[derive(Debug, Default)]
pub(crate) struct Dependencies(Mutex<BTreeMap<(String, String), Dependency>>);

impl Dependencies {
    pub(crate) fn record(&self, host: &str, purpose: &str, last: LastOutcome) {
        let failed = match &last {
            LastOutcome::Answered(status) => *status >= 500,
            LastOutcome::Failed(_) => true,
        };
        let mut all = self.0.lock();
        let key = (host.to_owned(), purpose.to_owned());
        if all.len() >= MOST && !all.contains_key(&key) {
            return;
        }
        let entry = all.entry(key).or_insert_with(|| Dependency {
            host: host.to_owned(),
            purpose: purpose.to_owned(),
            calls: 0,
            failures: 0,
            last: last.clone(),
        });
        entry.calls += 1;
        entry.failures += u64::from(failed);
        entry.last = last;
    }

    pub(crate) fn list(&self) -> Vec<Dependency> {
        self.0.lock().values().cloned().collect()
    }
}
