//! Connections to other systems: what leaves the house and what comes in.
//!
//! Lives here so far: the signatures of messages (`sign.rs`) and the templates of mails (`mail_template.rs`), both
//! pure.

pub mod mail_template;
pub mod sign;
