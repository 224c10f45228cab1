//! The data dialect of the wire (PostgREST's): URL, headers and body to a plan, rows to a reply.
//!
//! ```text
//! RestParts -> parse -> Request -> plan -> takt_plan::Plan        (down)
//! rows -> JsonSink -> Request::reply -> Reply                      (up)
//! ```
//! Reads that differ only in values are one [`Shape`], whose plan can be kept.
//! Pure: no runtime, no clock, no file, no socket. What is not built yet is refused with PGRST127 and its name;
//! nothing of a request is silently ignored that would change its result.

mod body;
mod error;
mod filter;
mod limits;
mod media;
mod order;
mod parts;
mod plan;
mod prefer;
mod query;
mod range;
mod reply;
mod request;
mod rpc;
mod scan;
mod select;
mod shape;
mod sink;
mod status;

pub use error::RestError;
pub use parts::{Method, RestParts};
pub use reply::{Reply, RestOutcome};
pub use request::{Request, parse};
pub use rpc::{rpc_check, rpc_input, rpc_reply};
pub use shape::Shape;
pub use sink::JsonSink;
pub use status::status_of;

#[cfg(test)]
mod roundtrip;
