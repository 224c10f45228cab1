//! Wire in, wire out: routes, handlers, wire shapes, the one error table, the console's files; and the place
//! where the rooms are plugged together ([`Server::start`]).
//!
//! `routes.rs` shows the whole API on a page; `serve.rs` is what every request passes on its way in and out.

mod admin;
mod admission;
mod answered;
mod app;
mod backups;
mod body;
mod budget;
mod check;
mod compress;
mod counters;
mod data_dir;
mod deliveries;
mod dev;
mod headers;
mod http;
mod identity;
mod jobs;
mod lent;
mod listen;
mod log;
mod people;
mod project_files;
mod release;
mod routes;
mod seeds;
mod serve;
mod stall;
mod start;
mod studio;
mod tales;
mod wire_error;

pub use admin::{AdminError, AdminReply, AdminRequest, ask, execute};
pub use app::App;
pub use backups::{BackupRequest, RestoreRequest, restore, snapshots_of};
pub use check::{CheckReport, Setting, check, settings, types};
pub use counters::CounterSnapshot;
pub use data_dir::DataDirError;
pub use deliveries::{DeliveriesRequest, Wanted};
pub use jobs::JobsRequest;
pub use listen::ListenError;
pub use log::{LogGuard, log_to_stderr};
pub use project_files::{ReadError, read_project};
pub use seeds::SeedError;
pub use start::{Opened, Server, StartError, StartOptions, Summary, log_format, open};
