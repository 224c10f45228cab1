//! The project's own rules against a real engine on a database of their own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod api;
mod decimal;
mod hooks;
mod house;
mod input;
mod limits;
mod load;
mod sandbox;
mod shop;
mod web;
