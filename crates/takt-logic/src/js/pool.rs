//! Contexts kept by the thread that runs actions, to be used again.
//!
//! A context serves the next call only if it is sealed and its last call ended in an orderly way; it is replaced
//! after a number of calls all the same, so that what the seal does not know of cannot grow old.

use std::{cell::RefCell, collections::HashMap};

use super::context::Prepared;

/// Calls that one context serves.
const CALLS_MAX: u32 = 10_000;
/// Contexts kept by one thread.
const CONTEXTS_MAX: usize = 64;

#[derive(Default)]
struct Pool {
    /// Which [`crate::Logic`] they belong to; a reload makes a new one.
    generation: u64,
    /// By position of the function.
    contexts: HashMap<usize, Prepared>,
}

thread_local! {
    static POOL: RefCell<Pool> = RefCell::default();
}

/// A context for the function, if one is waiting.
pub(crate) fn take(generation: u64, function: usize) -> Option<Prepared> {
    POOL.with_borrow_mut(
        |pool| {
            if pool.generation == generation { pool.contexts.remove(&function) } else { None }
        },
    )
}

/// Keeps a context after an orderly call, if it may serve another.
pub(crate) fn put(generation: u64, function: usize, mut prepared: Prepared) {
    prepared.calls += 1;
    if !prepared.is_sealed || prepared.calls >= CALLS_MAX {
        return;
    }
    // Dropped outside of the borrow: dropping a context runs code of the script engine.
    let old = POOL.with_borrow_mut(|pool| {
        if pool.generation > generation {
            return Pool { generation, contexts: HashMap::from([(function, prepared)]) };
        }
        let mut old = Pool::default();
        if pool.generation < generation || pool.contexts.len() >= CONTEXTS_MAX {
            old = std::mem::take(pool);
            pool.generation = generation;
        }
        old.contexts.extend(pool.contexts.insert(function, prepared).map(|p| (usize::MAX, p)));
        old
    });
    drop(old);
}
