//! Plans to rows: drivers, dialects, and the only SQL in the house.
//!
//! [`Store::read`] gives a snapshot, [`Store::write`] a transaction of its own inside the writer's commit group.
//! [`Tx::run`] accepts only [`takt_plan::Guarded`] plans.

mod error;
mod jobs;
mod options;
mod queue;
mod sqlite;
mod store;
mod tx;

pub use error::StoreError;
pub use options::StoreOptions;
pub use store::{Store, StoreHealth};
pub use tx::{Change, Outcome, Tx, TxContext};
