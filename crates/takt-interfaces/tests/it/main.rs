//! The interfaces' parts together with the example shop.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod shop_mails;
