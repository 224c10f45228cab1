//! How a store is opened.

use std::{path::PathBuf, time::Duration};

/// Options of [`crate::Store::open`].
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// The database file; its folder exists.
    pub file: PathBuf,
    /// Connections for reads.
    pub readers: usize,
    /// Writes that may wait.
    pub write_queue: usize,
    /// A read that takes longer is stopped.
    pub read_time: Duration,
    /// Bytes that the file may grow to; 0 for no limit.
    pub database_bytes: u64,
    /// SQLite VFS; `unix-excl` unless a test brings its own.
    pub vfs: String,
    /// `FULL`, always, except in the benchmark and the test that shows why (`NORMAL`).
    pub synchronous_full: bool,
}
