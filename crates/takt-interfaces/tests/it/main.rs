//! Deliveries over real HTTP on loopback, with a database that forgets nothing and a clock that the test moves; and
//! the parts of this room together with the example shop and with what others make of them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod contracts;
mod deliveries;
mod guards;
mod health;
mod house;
mod lanes;
mod look_up;
mod misbehaving;
mod pages;
mod people;
mod receive;
mod receiver;
mod reconcile;
mod recovery;
mod rpc;
mod shop_mails;
mod signatures;
mod subscriptions;
