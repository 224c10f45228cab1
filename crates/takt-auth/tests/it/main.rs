//! Accounts over a real engine on a real database, with a clock that tests move.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod admin;
mod canary;
mod console;
mod demonstration;
mod limits;
mod password;
mod refresh;
mod revocation;
mod sign_in;
mod start;
mod world;
