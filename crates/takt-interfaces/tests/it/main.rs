//! Deliveries over real HTTP on loopback, with a database that forgets nothing and a clock that the test moves.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod deliveries;
mod house;
mod lanes;
mod people;
mod receiver;
