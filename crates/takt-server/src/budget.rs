//! What all callers share and no address may have whole: bytes of bodies, requests in flight, connections.
//! Lives here: counting and giving back. Not here: what is counted, and how much of it there is (`admission.rs`).
//!
//! Every request passes here, so there are several tables, each with its own lock; a table that has grown is kept, so
//! that counting allocates nothing.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use parking_lot::Mutex;
use takt_auth::tries::Key;

const TABLES: usize = 16;

/// Something of which there is only so much.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    /// What each network has now; who has nothing is not listed.
    tables: [Mutex<HashMap<Key, usize>>; TABLES],
    taken: AtomicUsize,
}

/// How much may be taken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Most {
    pub(crate) together: usize,
    pub(crate) per_network: usize,
}

/// There is nothing left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exhausted {
    /// For anybody.
    Together,
    /// For this network, which has its part.
    Network,
}

/// What somebody has; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    budget: Arc<Budget>,
    network: Key,
    amount: usize,
}

impl Share {
    /// Nothing yet.
    pub(crate) fn of(budget: &Arc<Budget>, network: Key) -> Self {
        Self { budget: Arc::clone(budget), network, amount: 0 }
    }

    /// Takes `amount` more, or nothing at all.
    pub(crate) fn grow(&mut self, amount: usize, most: Most) -> Result<(), Exhausted> {
        self.budget.take(self.network, amount, most)?;
        self.amount += amount;
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        if self.amount > 0 {
            self.budget.give_back(self.network, self.amount);
        }
    }
}

impl Budget {
    fn table(&self, network: Key) -> &Mutex<HashMap<Key, usize>> {
        let mixed = network.iter().fold(0_u8, |mixed, byte| mixed.rotate_left(3) ^ byte);
        // In range by the remainder.
        &self.tables[usize::from(mixed) % TABLES]
    }

    fn take(&self, network: Key, amount: usize, most: Most) -> Result<(), Exhausted> {
        let fits = |has: usize, most: usize| has.checked_add(amount).filter(|sum| *sum <= most);
        let mut table = self.table(network).lock();
        let has = table.get(&network).copied().unwrap_or_default();
        let sum = fits(has, most.per_network).ok_or(Exhausted::Network)?;
        let together = |taken| fits(taken, most.together);
        self.taken
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, together)
            .map_err(|_| Exhausted::Together)?;
        table.insert(network, sum);
        Ok(())
    }

    fn give_back(&self, network: Key, amount: usize) {
        self.taken.fetch_sub(amount, Ordering::Relaxed);
        let mut table = self.table(network).lock();
        if let Entry::Occupied(mut has) = table.entry(network) {
            let left = has.get().saturating_sub(amount);
            if left == 0 {
                has.remove();
            } else {
                *has.get_mut() = left;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn nobody_takes_more_than_there_is_and_all_comes_back() {
        let budget = Arc::new(Budget::default());
        let most = Most { together: 10, per_network: 6 };
        let share = |n: u128| Share::of(&budget, n.to_be_bytes());
        let (mut one, mut again, mut other) = (share(1), share(1), share(2));
        one.grow(4, most).unwrap();
        again.grow(2, most).unwrap();
        assert_eq!(again.grow(1, most), Err(Exhausted::Network), "six are all for one network");
        other.grow(4, most).unwrap();
        assert_eq!(other.grow(1, most), Err(Exhausted::Together), "ten are all for everybody");
        drop(one);
        other.grow(1, most).unwrap();
        assert_eq!(other.grow(usize::MAX, most), Err(Exhausted::Network));
        drop((again, other));
        assert_eq!(budget.taken.load(Ordering::Relaxed), 0);
        assert!(budget.tables.iter().all(|table| table.lock().is_empty()));
    }

    #[test]
    fn threads_lose_nothing() {
        let budget = Arc::new(Budget::default());
        let most = Most { together: 50, per_network: 20 };
        std::thread::scope(|scope| {
            for thread in 0..8_u128 {
                let budget = &budget;
                scope.spawn(move || {
                    for n in 0..2_000 {
                        let mut share = Share::of(budget, ((thread + n) % 5).to_be_bytes());
                        let _ = share.grow(7, most);
                        assert!(budget.taken.load(Ordering::Relaxed) <= 50);
                    }
                });
            }
        });
        assert_eq!(budget.taken.load(Ordering::Relaxed), 0);
    }
}
