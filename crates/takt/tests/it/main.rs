//! The command as people and scripts use it: real processes, their output and exit codes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod commands;
mod serving;
mod support;
