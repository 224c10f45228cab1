//! Plans to rows: drivers, dialects, and the only SQL in the house.
//!
//! [`Store::read`] gives a snapshot, [`Store::write`] a transaction of its own inside the writer's commit group.
//! [`Tx::run`] accepts only [`takt_plan::Guarded`] plans.

// The fixture of the integration tests speaks of this crate by its name.
#[cfg(test)]
extern crate self as takt_store;

#[cfg(test)]
#[allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "shared with the integration tests, which use all of it"
)]
#[path = "../tests/it/fixture/mod.rs"]
mod fixture;

mod error;
mod examined;
mod jobs;
mod options;
mod prepared;
mod queue;
mod sqlite;
mod statement;
mod store;
mod tx;

pub use error::{RefusedTransition, StoreError};
pub use examined::{CountedTable, Examined, Thoroughness, examine};
pub use options::StoreOptions;
pub use prepared::PreparedRead;
pub use statement::statement;
pub use store::{Store, StoreHealth};
pub use tx::{Change, Outcome, Tx, TxContext};
