//! What was backed up and tried, in the product's own tables.

use takt_engine::{Engine, EngineError, EngineTx};
use takt_model::{CompareOp, Principal, Value};
use takt_plan::{Direction, Rows};

use crate::{Nearness, TableRows};

const BACKUPS: &str = "takt.backups";
const DRILLS: &str = "takt.drills";
/// Longer than any report looks back.
const KEPT: i64 = 800 * 86_400 * 1_000_000;
const BACKUP_FIELDS: [&str; 10] = [
    "at",
    "milliseconds",
    "fault",
    "snapshot",
    "files",
    "bytes",
    "added",
    "rows",
    "nearness",
    "owner_has_key",
];
const DRILL_FIELDS: [&str; 7] = ["at", "milliseconds", "fault", "snapshot", "backup_at", "key", "tables"];

/// A backup that was made, or was not.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct BackupRow {
    /// Microseconds since 1970 UTC.
    pub at: i64,
    /// How long it took.
    pub milliseconds: u64,
    /// Why it was not made.
    pub fault: Option<String>,
    /// Its id.
    pub snapshot: Option<String>,
    /// Files in it.
    pub files: u64,
    /// Bytes in them.
    pub bytes: u64,
    /// Bytes that it added to the repository.
    pub added: u64,
    /// Rows of all tables.
    pub rows: u64,
    /// Where the repository was.
    pub nearness: Nearness,
    /// Whether the owner had a key of their own then.
    pub owner_has_key: bool,
}

impl BackupRow {
    pub(crate) fn failed(at: i64, milliseconds: u64, fault: String) -> Self {
        Self {
            at,
            milliseconds,
            fault: Some(fault),
            snapshot: None,
            files: 0,
            bytes: 0,
            added: 0,
            rows: 0,
            nearness: Nearness::Unknown,
            owner_has_key: false,
        }
    }
}

/// A drill.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct DrillRow {
    /// Microseconds since 1970 UTC.
    pub at: i64,
    /// From the empty folder to a database that opens.
    pub milliseconds: u64,
    /// What was wrong.
    pub fault: Option<String>,
    /// Which backup.
    pub snapshot: Option<String>,
    /// When that was made.
    pub backup_at: Option<i64>,
    /// Whether the owner's key opened it.
    pub by_owner: bool,
    /// What was in it; as it should be, or there is a fault.
    pub tables: Vec<TableRows>,
}

/// The history of backups.
pub struct History<'a> {
    engine: &'a Engine,
}

impl<'a> History<'a> {
    /// Of an instance.
    #[must_use]
    pub fn of(engine: &'a Engine) -> Self {
        Self { engine }
    }

    /// Writes down a backup, and forgets what is longer ago than anybody asks.
    pub(crate) fn note_backup(&self, row: BackupRow) -> Result<(), EngineError> {
        self.note(BACKUPS, "backup: write down", move || {
            let made = row.fault.is_none();
            let when_made = |value: Value| if made { value } else { Value::Null };
            vec![
                ("at", Value::Timestamp(row.at)),
                ("milliseconds", whole(row.milliseconds)),
                ("fault", text(row.fault.as_deref())),
                ("snapshot", text(row.snapshot.as_deref())),
                ("files", when_made(whole(row.files))),
                ("bytes", when_made(whole(row.bytes))),
                ("added", when_made(whole(row.added))),
                ("rows", when_made(whole(row.rows))),
                ("nearness", when_made(Value::Text(row.nearness.name().to_owned()))),
                ("owner_has_key", when_made(Value::Boolean(row.owner_has_key))),
            ]
        })
    }

    /// Writes down a drill.
    pub(crate) fn note_drill(&self, row: DrillRow) -> Result<(), EngineError> {
        self.note(DRILLS, "drill: write down", move || {
            let key = if row.by_owner { "owner" } else { "instance" };
            let tables = serde_json::to_string(&row.tables).unwrap_or_else(|_| "[]".to_owned());
            vec![
                ("at", Value::Timestamp(row.at)),
                ("milliseconds", whole(row.milliseconds)),
                ("fault", text(row.fault.as_deref())),
                ("snapshot", text(row.snapshot.as_deref())),
                ("backup_at", row.backup_at.map_or(Value::Null, Value::Timestamp)),
                ("key", Value::Text(key.to_owned())),
                ("tables", Value::Json(tables)),
            ]
        })
    }

    fn note(
        &self,
        table: &'static str,
        why: &'static str,
        values: impl Fn() -> Vec<(&'static str, Value)> + Send + 'static,
    ) -> Result<(), EngineError> {
        self.engine.transact_blocking(move |tx| {
            let (who, on) = (Principal::system(why), tx.on(table)?);
            tx.rows(&who, on.insert(values())?)?;
            let old = on.compare("at", CompareOp::Lt, Value::Timestamp(tx.now() - KEPT))?;
            tx.rows(&who, on.delete(old)).map(|_| ())
        })
    }

    /// The newest backups, those that failed too, newest first.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub fn backups(&self, limit: u64) -> Result<Vec<BackupRow>, EngineError> {
        let rows = self.read(BACKUPS, &BACKUP_FIELDS, limit)?;
        Ok(rows.rows.into_iter().filter_map(backup).collect())
    }

    /// The newest drills, newest first.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub fn drills(&self, limit: u64) -> Result<Vec<DrillRow>, EngineError> {
        let rows = self.read(DRILLS, &DRILL_FIELDS, limit)?;
        Ok(rows.rows.into_iter().filter_map(drill).collect())
    }

    fn read(&self, table: &str, fields: &[&str], limit: u64) -> Result<Rows, EngineError> {
        self.engine.look_up(|tx: &EngineTx| {
            let newest = [("at", Direction::Descending), ("id", Direction::Descending)];
            let plan = tx.on(table)?.read(fields, None, &newest, Some(limit))?;
            Ok(tx.rows(&Principal::system("backup: read history"), plan)?.0)
        })
    }
}

fn whole(number: u64) -> Value {
    Value::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}

fn text(text: Option<&str>) -> Value {
    text.map_or(Value::Null, |t| Value::Text(t.to_owned()))
}

fn number_of(value: Option<Value>) -> u64 {
    match value {
        Some(Value::Integer(n)) => u64::try_from(n).unwrap_or_default(),
        _ => 0,
    }
}

fn text_of(value: Option<Value>) -> Option<String> {
    match value {
        Some(Value::Text(text) | Value::Json(text)) => Some(text),
        _ => None,
    }
}

fn moment_of(value: Option<Value>) -> Option<i64> {
    match value {
        Some(Value::Timestamp(at)) => Some(at),
        _ => None,
    }
}

fn backup(row: Vec<Value>) -> Option<BackupRow> {
    let mut row = row.into_iter();
    Some(BackupRow {
        at: moment_of(row.next())?,
        milliseconds: number_of(row.next()),
        fault: text_of(row.next()),
        snapshot: text_of(row.next()),
        files: number_of(row.next()),
        bytes: number_of(row.next()),
        added: number_of(row.next()),
        rows: number_of(row.next()),
        nearness: text_of(row.next()).map_or(Nearness::Unknown, |name| Nearness::from_name(&name)),
        owner_has_key: row.next() == Some(Value::Boolean(true)),
    })
}

fn drill(row: Vec<Value>) -> Option<DrillRow> {
    let mut row = row.into_iter();
    Some(DrillRow {
        at: moment_of(row.next())?,
        milliseconds: number_of(row.next()),
        fault: text_of(row.next()),
        snapshot: text_of(row.next()),
        backup_at: moment_of(row.next()),
        by_owner: text_of(row.next()).as_deref() == Some("owner"),
        tables: text_of(row.next()).and_then(|t| serde_json::from_str(&t).ok()).unwrap_or_default(),
    })
}
