//! The project's own rules: TypeScript in a sandbox, inside a transaction (actions) or outside (`http` functions).
//!
//! [`Logic::load`] reads every file of `logic/` once and tells all mistakes; [`Logic::call`] runs an action as one
//! transaction of the engine; [`Logic::http`] runs a function that may fetch and may call actions; [`Logic::hooks`] are
//! those that written rows set off; [`Logic::consume`] gives an event to a consumer; [`keep_time`] runs jobs.
//! Invariants: a function reaches data only through guarded plans; nothing of one call can be seen by the next;
//! a function that runs away is stopped and has written nothing.
//! Not here: how a transaction commits (engine), how an answer looks on the wire (server).

mod action;
mod calls;
mod check;
mod consumer;
mod emits;
mod error;
mod exports;
mod function;
mod hooks;
mod http_call;
mod input;
mod jobs;
mod load;
mod mapping;
mod modules;
mod near;
mod types;
mod validate;
mod workers;

mod js {
    //! Everything that touches the script engine.

    pub(crate) mod conditions;
    pub(crate) mod context;
    pub(crate) mod db;
    pub(crate) mod failure;
    pub(crate) mod given;
    pub(crate) mod host;
    pub(crate) mod json;
    pub(crate) mod later;
    pub(crate) mod limits;
    pub(crate) mod mapping;
    pub(crate) mod pool;
    pub(crate) mod rows;
    pub(crate) mod run;
    pub(crate) mod values;
    pub(crate) mod web;
}

pub use action::Call;
pub use consumer::{Consumer, Event};
pub use emits::Emitted;
pub use error::LogicError;
pub use function::{Function, FunctionKind, Trigger};
pub use http_call::{HttpAnswer, HttpCall};
pub use input::{Entry, Input, Scalar, Shape};
pub use jobs::{Job, Scheduler, keep_time};
pub use load::Logic;
pub use mapping::{Converse, Mapping};
