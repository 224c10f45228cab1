//! What shall happen to the data, said without any database's language.
//!
//! [`Plan`] is what somebody wants; [`guard()`] weaves the row policies in and gives a [`Guarded`], the only
//! thing that a store accepts; rows travel from the store to the reply through a [`RowSink`].
//! Pure: no runtime, no clock, no file, no socket.

mod build;
mod error;
mod guard;
mod guarded;
mod migration;
mod plan;
mod sink;

pub use build::{Direction, On};
pub use error::PlanError;
pub use guard::guard;
pub use guarded::{
    Guarded, GuardedChild, GuardedDelete, GuardedInsert, GuardedNode, GuardedPlan, GuardedRead,
    GuardedUpdate, OutputColumn, OutputItem, WriteRule,
};
pub use migration::{
    Migration, Refused, Step, StoredColumn, StoredForeignKey, StoredIndex, StoredSchema, StoredTable,
};
pub use plan::{
    Assignment, Child, Conflict, ConflictAction, Delete, Insert, Join, Link, Missing, Node, NullsOrder,
    OrderBy, Output, Plan, Read, Update, Window,
};
pub use sink::{Buffered, EmbedShape, RowSink, Rows};
