//! Repositories as they are on disk: made, damaged, read by restic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod damage;
mod kept;
mod restic;
mod world;
