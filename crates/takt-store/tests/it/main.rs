//! What the store promises, on real files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod copies;
mod fixture;
mod groups;
mod migrate;
mod policies;
mod power_cut;
mod property;
mod reads;
mod writes;
