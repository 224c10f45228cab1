//! Thin handlers, one file per surface: each decodes, asks one room, encodes.

pub(crate) mod auth;
pub(crate) mod data;
pub(crate) mod functions;
pub(crate) mod health;
pub(crate) mod hooks;
pub(crate) mod rpc;
pub(crate) mod static_files;
pub(crate) mod stories;
pub(crate) mod webhooks;
