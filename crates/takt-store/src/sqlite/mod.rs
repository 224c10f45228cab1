//! The embedded store: SQLite, opened for durability, one writer that gathers commits, many readers.
//! Lives here: everything that knows SQL. Not here: what may be read or written (that arrives as a guarded plan).

mod care;
mod copy;
mod error;
mod functions;
mod ident;
mod like;
mod lower;
mod number;
mod open;
mod read;
mod readers;
mod schema;
mod session;
mod types;
mod write;
mod writer;

pub(crate) use copy::{copy, examine};
pub(crate) use lower::Env;
pub(crate) use open::{Opened, Statistics, file_bytes, open};
pub(crate) use readers::{ReadJob, Readers, Snapshot};
pub(crate) use schema::{migrate, stored_schema};
pub(crate) use session::{Access, Session};
pub(crate) use writer::{Undo, WriteJob, Writer};

pub(crate) use read::{Lowered, run as run_read, run_lowered};
pub(crate) use write::{counter_next, run as run_write, statement, undoes_itself};
