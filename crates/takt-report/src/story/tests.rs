//! Stories in both languages, told and not told.

#![allow(clippy::unwrap_used, reason = "tests")]

mod depths;
mod failures;
mod fixture;
mod later;
mod words;
