//! A copy of the database as of one moment, made while writes go on, and what a copy is worth.
//! Lives here: both, because both are SQL. Not here: where the copy goes (`takt-backup`).
//!
//! The copy is made page by page (SQLite's online backup) inside one read transaction: it shows the last commit before
//! it began, blocks nobody, and keeps every page where it was, so that a deduplicating backup finds it again. While it
//! runs, the log cannot be taken up into the database and grows.

use std::{fs::File, os::unix::fs::OpenOptionsExt, path::Path};

use rusqlite::{
    Connection, OpenFlags,
    backup::{Backup, StepResult},
    limits::Limit,
};

use super::{
    error::{driver, opening},
    ident::Ident,
    open::{connect, examiner},
};
use crate::{CountedTable, Examined, StoreError, StoreOptions, Thoroughness};

/// Pages between two looks at whether others want the processor.
const PAGES_AT_ONCE: i32 = 256;
/// Faults that are listed; more say nothing new.
const MOST_FAULTS: usize = 10;
/// Tables of a database that anybody could have written.
const MOST_TABLES: usize = 10_000;

/// Copies the database to `to`, which must not exist.
pub(crate) fn copy(options: &StoreOptions, to: &Path) -> Result<(), StoreError> {
    let failed = |what: &str, e: &dyn std::fmt::Display| {
        StoreError::Open(format!("the copy {} cannot be {what}: {e}", to.display()))
    };
    File::options().write(true).create_new(true).mode(0o600).open(to).map_err(|e| failed("made", &e))?;
    let from = connect(options)?;
    let mut into = Connection::open(to).map_err(|e| opening(&e, to))?;
    // Whoever wants the copy to be durable sees to that when it is whole.
    into.pragma_update(None, "synchronous", "OFF").map_err(driver)?;
    // The snapshot is held over all steps; otherwise each write of somebody else would begin the copy anew.
    from.execute_batch("BEGIN").map_err(driver)?;
    from.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).map_err(driver)?;
    {
        let backup = Backup::new(&from, &mut into).map_err(driver)?;
        loop {
            match backup.step(PAGES_AT_ONCE).map_err(|e| failed("written", &e))? {
                StepResult::Done => break,
                StepResult::More => std::thread::yield_now(),
                _ => return Err(StoreError::Busy),
            }
        }
    }
    from.execute_batch("COMMIT").map_err(driver)?;
    into.close().map_err(|(_, e)| failed("closed", &e))
}

/// Reads a database file that nobody has open: whether it is sound, and what is in it. Nothing is written, not even
/// beside it. The file may come from anywhere.
pub(crate) fn examine(
    file: &Path,
    how: Thoroughness,
    newest: &[(String, String)],
) -> Result<Examined, StoreError> {
    let conn = examiner(file)?;
    conn.set_limit(Limit::SQLITE_LIMIT_LENGTH, 1 << 28).map_err(driver)?;
    let check = match how {
        Thoroughness::Quick => "quick_check",
        Thoroughness::Whole => "integrity_check",
    };
    let faults = texts(&conn, &format!("PRAGMA {check}({MOST_FAULTS})"))?;
    let faults: Vec<String> = faults.into_iter().filter(|line| line != "ok").collect();
    if !faults.is_empty() {
        return Ok(Examined { faults, broken_links: 0, tables: Vec::new() });
    }
    let broken_links = match how {
        Thoroughness::Quick => 0,
        Thoroughness::Whole => broken_links(&conn)?,
    };
    let names = texts(
        &conn,
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
    )?;
    let tables = names.into_iter().take(MOST_TABLES).map(|name| {
        let field = newest.iter().find(|(table, _)| *table == name).map(|(_, field)| field.as_str());
        counted(&conn, name, field)
    });
    Ok(Examined { faults, broken_links, tables: tables.collect::<Result<_, _>>()? })
}

fn texts(conn: &Connection, statement: &str) -> Result<Vec<String>, StoreError> {
    let mut statement = conn.prepare(statement).map_err(driver)?;
    let rows = statement.query_map([], |row| row.get(0)).map_err(driver)?;
    rows.collect::<Result<_, _>>().map_err(driver)
}

fn broken_links(conn: &Connection) -> Result<u64, StoreError> {
    let mut statement = conn.prepare("PRAGMA foreign_key_check").map_err(driver)?;
    let mut rows = statement.query([]).map_err(driver)?;
    let mut broken = 0;
    while rows.next().map_err(driver)?.is_some() {
        broken += 1;
    }
    Ok(broken)
}

fn counted(conn: &Connection, name: String, newest: Option<&str>) -> Result<CountedTable, StoreError> {
    let mut statement = "SELECT count(*), ".to_owned();
    match newest {
        Some(field) => {
            statement.push_str("max(");
            Ident(field).push_to(&mut statement);
            statement.push(')');
        }
        None => statement.push_str("NULL"),
    }
    statement.push_str(" FROM ");
    Ident(&name).push_to(&mut statement);
    let (rows, newest): (i64, Option<i64>) =
        conn.query_row(&statement, [], |row| Ok((row.get(0)?, row.get(1)?))).map_err(driver)?;
    Ok(CountedTable { name, rows: u64::try_from(rows).unwrap_or_default(), newest })
}

/// Flags of a connection that cannot write.
pub(super) const READ_ONLY: OpenFlags =
    OpenFlags::SQLITE_OPEN_READ_ONLY.union(OpenFlags::SQLITE_OPEN_URI).union(OpenFlags::SQLITE_OPEN_NO_MUTEX);
