//! Connections to other systems: what leaves the house and what comes in.
//!
//! Lives here so far: the signatures of messages (`sign.rs`), pure.

pub mod sign;
