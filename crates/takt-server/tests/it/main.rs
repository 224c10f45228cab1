//! The server over real sockets: one small project, asked as clients ask.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod accounts;
mod backups;
mod check;
mod commands;
mod connections;
mod data;
mod deliveries;
mod functions;
mod lifecycle;
mod overload;
mod pages;
mod shapes;
mod studio;
mod support;
mod tales;
mod webhooks;
