//! One change is one transaction: guard, hooks, outbox row, commit, announcement, and the story that later
//! tells it in plain words.
//!
//! Everybody above the store comes through here: [`Engine::run`] for one plan, [`Engine::transact`] for several,
//! [`Engine::act`] for a business action with its story, events and idempotency.

mod action;
mod clock;
mod engine;
mod error;
mod history;
mod hooks;
mod jobs;
mod once;
mod story;

pub use action::{Action, ActionAnswer, ActionError, ActionTx, Idempotency};
pub use clock::{Clock, SystemClock};
pub use engine::{Engine, EngineOptions, EngineTx, PreparedRead, Verdict};
pub use error::EngineError;
pub use history::{Release, RequestMinute};
pub use hooks::Hooks;
pub use jobs::LaterJob;
pub use once::Once;
pub use story::{Story, StoryCause, StoryChange, StoryField, StoryResult, StoryStep};
pub use takt_store::{Change, Outcome, RefusedTransition, Store, StoreError, StoreHealth, StoreOptions};

use takt_model::SystemTables;

/// The engine's own tables: stories, outbox, inbox, jobs, idempotency keys, releases, request minutes.
pub const TABLES: SystemTables =
    SystemTables { file: "takt-engine/src/tables.toml", text: include_str!("tables.toml") };
