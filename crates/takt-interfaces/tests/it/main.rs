//! The interfaces' parts together with the example shop and with what others make of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod shop_mails;
mod signatures;
