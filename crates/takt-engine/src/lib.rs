//! One change is one transaction: guard, hooks, outbox row, commit, announcement, and the story that later
//! tells it in plain words.
//!
//! Everybody above the store comes through here: [`Engine::run`] for one plan, [`Engine::transact`] for several,
//! [`Engine::act`] for a business action with its story, events and idempotency.

mod action;
mod audit;
mod clock;
mod engine;
mod error;
mod forget;
mod history;
mod hooks;
mod jobs;
mod once;
mod story;

pub use action::{Action, ActionAnswer, ActionError, ActionTx, Idempotency};
pub use audit::{Actor, ActorKind, AuditEntry, AuditFilter, Deed};
pub use clock::{Clock, SystemClock};
pub use engine::{Engine, EngineOptions, EngineTx, Listeners, PreparedRead, Verdict};
pub use error::EngineError;
pub use history::{Release, RequestMinute};
pub use hooks::Hooks;
pub use jobs::{JobRun, LaterJob, LaterJobChange};
pub use once::Once;
pub use story::{
    EventOrigin, HiddenValues, Story, StoryCause, StoryChange, StoryField, StoryResult, StoryStep, Usual,
};
pub use takt_store::{
    Change, CountedTable, Examined, Outcome, RefusedTransition, Store, StoreError, StoreHealth, StoreOptions,
    Thoroughness, examine,
};

use takt_model::SystemTables;

/// The engine's own tables: stories, outbox, inbox, jobs, audit, idempotency keys, releases, request minutes.
pub const TABLES: SystemTables =
    SystemTables { file: "takt-engine/src/tables.toml", text: include_str!("tables.toml") };
