//! The project's own rules against a real engine on a database of their own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod api;
mod calls;
mod consumers;
mod decimal;
mod escapes;
mod hooks;
mod house;
mod input;
mod jobs;
mod limits;
mod load;
mod mappings;
mod sandbox;
mod shop;
mod transitions;
mod types;
mod web;
