//! Backups of a real database in real repositories: made under writes, tried, given back.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod drills;
mod made;
mod restored;
mod world;
