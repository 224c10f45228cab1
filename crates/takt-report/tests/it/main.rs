//! Evidence from a real instance: the shop of the repository, its accounts and functions, on a real database.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod collected;
mod told;
mod world;
