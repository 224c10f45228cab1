//! Opening: the settings that make SQLite durable, fast and strict (`design/crates.md`, section 4).

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

use super::{error::opening, functions, schema};
use crate::{StoreError, StoreOptions};

/// Older ones can corrupt a write-ahead log (fixed in 3.51.3).
const OLDEST_SQLITE: i32 = 3_051_003;
/// Statements by shape; a project has a few hundred shapes.
const STATEMENTS: usize = 512;
/// How much of the file may be mapped for reading.
const MAPPED_BYTES: i64 = 256 << 20;
/// Pages of the log after which the writer copies them into the database even under load, where the same pages are
/// written again and again: the longer the log, the fewer copies. Quiet moments do it at once (`writer.rs`).
const CHECKPOINT_PAGES: i64 = 4_000;
/// What a log file keeps after a checkpoint.
const LOG_BYTES: i64 = 64 << 20;
/// Instructions between two looks at the clock.
const OPS_PER_LOOK: i32 = 4_000;

/// Counts how often the writer has gathered statistics. A connection reads them when it opens and then never again,
/// so readers whose number is old are opened anew.
#[derive(Debug, Clone, Default)]
pub(crate) struct Statistics(Arc<AtomicU64>);

impl Statistics {
    /// They were gathered anew.
    pub(crate) fn renew(&self) {
        self.0.fetch_add(1, Ordering::Release);
    }

    fn number(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

/// A connection of ours.
pub(crate) struct Db {
    pub(crate) conn: Connection,
    deadline: Option<Arc<Deadline>>,
    statistics: u64,
}

/// What opening a database gives.
pub(crate) struct Opened {
    pub(crate) writer: Db,
    pub(crate) engine_version: String,
}

/// Opens (or creates) the database for its writer; takes the lock that keeps other processes out.
pub(crate) fn open(options: &StoreOptions) -> Result<Opened, StoreError> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        return Err(StoreError::Open(format!(
            "SQLite {} is too old: versions before 3.51.3 can damage the database",
            rusqlite::version()
        )));
    }
    let mut conn = connect(options)?;
    let mode = prepare_writer(&conn, options).map_err(|e| opening(&e, &options.file))?;
    if mode != "wal" {
        return Err(StoreError::Open(format!(
            "the database {} cannot use a write-ahead log (it stays in mode {mode})",
            options.file.display()
        )));
    }
    schema::ensure_record(&mut conn, &options.file)?;
    Ok(Opened {
        writer: Db { conn, deadline: None, statistics: 0 },
        engine_version: rusqlite::version().to_owned(),
    })
}

impl Db {
    /// Opens a connection for reads.
    pub(crate) fn reader(options: &StoreOptions, statistics: &Statistics) -> Result<Self, StoreError> {
        let statistics = statistics.number();
        let mut conn = connect(options)?;
        let deadline = Arc::new(Deadline::new(options.read_time));
        let watched = Arc::clone(&deadline);
        let prepared = common(&conn)
            .and_then(|()| conn.pragma_update(None, "query_only", true))
            .and_then(|()| conn.progress_handler(OPS_PER_LOOK, Some(move || watched.has_passed())));
        prepared.map_err(|e| opening(&e, &options.file))?;
        Ok(Self { conn, deadline: Some(deadline), statistics })
    }

    /// Whether this connection plans by the newest statistics.
    pub(crate) fn knows(&self, statistics: &Statistics) -> bool {
        self.statistics == statistics.number()
    }

    /// The time for one read begins.
    pub(crate) fn start_clock(&self) {
        if let Some(deadline) = &self.deadline {
            deadline.restart();
        }
    }
}

/// Opens a file that nobody else has open, to look at it: no lock, no log, nothing written beside it. What is not in the
/// file itself (a log that was never taken up) is not seen.
pub(super) fn examiner(file: &Path) -> Result<Connection, StoreError> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'_' | b'.');
    let path = std::os::unix::ffi::OsStrExt::as_bytes(file.as_os_str());
    let path: String = path
        .iter()
        .map(|b| if plain(*b) { char::from(*b).to_string() } else { format!("%{b:02X}") })
        .collect();
    let conn = Connection::open_with_flags(format!("file:{path}?immutable=1"), super::copy::READ_ONLY)
        .map_err(|e| opening(&e, file))?;
    common(&conn).map_err(|e| opening(&e, file))?;
    Ok(conn)
}

pub(super) fn connect(options: &StoreOptions) -> Result<Connection, StoreError> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags_and_vfs(&options.file, flags, options.vfs.as_str())
        .map_err(|e| opening(&e, &options.file))
}

/// Answers the journal mode that the file has now.
fn prepare_writer(conn: &Connection, options: &StoreOptions) -> rusqlite::Result<String> {
    // Whoever has the lock keeps it for as long as he lives: waiting would not help.
    conn.busy_timeout(Duration::ZERO)?;
    // A new file begins with a rollback journal. EXTRA syncs the folder when that journal is removed: if its name came
    // back after a power cut, it would undo all that the log holds. The name of the database is safe then, too.
    conn.pragma_update(None, "synchronous", "EXTRA")?;
    let mode = conn.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    // The first read takes the lock.
    conn.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    common(conn)?;
    conn.pragma_update(None, "synchronous", if options.synchronous_full { "FULL" } else { "NORMAL" })?;
    conn.pragma_update(None, "foreign_keys", true)?;
    conn.pragma_update_and_check(None, "wal_autocheckpoint", CHECKPOINT_PAGES, |_| Ok(()))?;
    conn.pragma_update_and_check(None, "journal_size_limit", LOG_BYTES, |_| Ok(()))?;
    if options.database_bytes > 0 {
        let page: i64 = conn.query_row("PRAGMA page_size", [], |r| r.get(0))?;
        let pages = i64::try_from(options.database_bytes).unwrap_or(i64::MAX) / page.max(1);
        conn.pragma_update_and_check(None, "max_page_count", pages.max(1), |_| Ok(()))?;
    }
    Ok(mode)
}

fn common(conn: &Connection) -> rusqlite::Result<()> {
    conn.busy_timeout(Duration::from_secs(2))?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    // A misspelt name is an error, never a text.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
    conn.pragma_update_and_check(None, "mmap_size", MAPPED_BYTES, |_| Ok(()))?;
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    functions::register(conn)
}

/// Bytes of the database file.
pub(crate) fn file_bytes(file: &Path) -> u64 {
    std::fs::metadata(file).map_or(0, |m| m.len())
}

/// When the running read must end.
struct Deadline {
    time: Duration,
    base: Instant,
    /// Nanoseconds after `base`.
    at: AtomicU64,
}

impl Deadline {
    fn new(time: Duration) -> Self {
        Self { time, base: Instant::now(), at: AtomicU64::new(u64::MAX) }
    }

    fn restart(&self) {
        let at = self.base.elapsed().saturating_add(self.time).as_nanos();
        self.at.store(u64::try_from(at).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn has_passed(&self) -> bool {
        self.base.elapsed().as_nanos() > u128::from(self.at.load(Ordering::Relaxed))
    }
}
