//! What goes to and comes from other systems: deliveries of events, retries, dead letters, replay,
//! and comparing both sides (`reconcile.rs`).
//!
//! The way of an event: `emit` writes it to the outbox in the transaction that causes it; `dispatch.rs` makes a
//! delivery of it for each connection and consumer that wants it; a `Pump` for each connection claims what is due,
//! writes down the attempt, sends, and writes down how it ended (`outcome.rs` says what follows).
//!
//! Promises: what was committed is delivered at least once, with an id that never changes; within a lane one after
//! the other; an attempt is written before its first byte leaves, so that a crash shows as "unknown", never as "never
//! tried"; a dead receiver costs the others nothing. Not here: what an interface is (`takt-model`), signatures' keys.

mod breaker;
mod connectors;
mod contract;
mod desk;
mod dispatch;
mod drift_desk;
mod error;
mod health;
mod interfaces;
mod mail_template;
mod masks;
mod outcome;
mod payload;
mod probe;
mod pump;
mod receive;
mod reconcile;
mod recovery;
mod related;
mod rows;
mod seen;
pub mod sign;
mod subscriptions;

pub use connectors::{Boxed, Consume, Consumed, MakeBody, Secrets, Talk, readable_sender};
pub use contract::{Contracts, Direction, Drift, DriftKind, Judged};
pub use desk::{DeliveryDetail, DeliveryFilter, Replayed};
pub use error::{InterfacesError, NotCompared};
pub use interfaces::{ConnectionSource, ConnectionStatus, Interfaces, InterfacesOptions};
pub use mail_template::{MailTemplates, Rendered, TemplateError};
pub use outcome::{Cause, Ended, Outcome, of_status, retry_after};
pub use probe::{Probe, Verdict};
pub use receive::{ReceiveError, Received};
pub use reconcile::{Reconciled, Wish};
pub use related::Related;
pub use rows::{
    Action as DifferenceAction, Attempt, Delivery, DeliveryState, Difference, Kind as DifferenceKind,
    Reason as DifferenceReason, Reconciliation, ReconciliationState, connections::Health, subscriptions::Off,
};
pub use seen::{Messages, Seen};
pub use subscriptions::{Complaint, Fault, Subscription, Terms};

use takt_model::SystemTables;

/// The connection under which consumers of events in `logic/` stand.
pub const FUNCTIONS: &str = "functions";

/// The tables of deliveries, attempts, lanes and connections.
pub const TABLES: SystemTables =
    SystemTables { file: "takt-interfaces/src/tables.toml", text: include_str!("tables.toml") };

/// The table of webhook subscriptions.
pub const SUBSCRIPTION_TABLES: SystemTables =
    SystemTables { file: "takt-interfaces/src/subscriptions.toml", text: include_str!("subscriptions.toml") };
