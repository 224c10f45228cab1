//! How the backups are, as the report's checks need it; the report does not look at them itself.

use std::time::Duration;

use takt_backup::{BackupRow, DrillRow, History, Nearness, TableRows};
use takt_engine::EngineError;
use takt_report::{BackupDrillFact, BackupFacts, BackupPlace, Fact};

use crate::app::App;

/// Backups and drills that are looked through.
const MOST: u64 = 1_000;

/// What the history says.
pub(crate) fn backups(app: &App) -> Fact<BackupFacts> {
    look(app).map_err(|error| error.to_string())
}

fn look(app: &App) -> Result<BackupFacts, EngineError> {
    let history = History::of(&app.engine);
    let settings = &app.project().settings.backup;
    Ok(facts(&history.backups(MOST)?, &history.drills(MOST)?, settings.return_within))
}

fn facts(backups: &[BackupRow], drills: &[DrillRow], agreed: Duration) -> BackupFacts {
    let made = backups.iter().find(|b| b.fault.is_none());
    let key_tried = drills.iter().find(|d| d.by_owner && d.fault.is_none());
    BackupFacts {
        last_at: made.map(|b| b.at),
        rows: made.map_or(0, |b| b.rows),
        bytes: made.map_or(0, |b| b.bytes),
        last_fault: backups.first().and_then(|b| b.fault.clone()),
        place: made.map(|b| match b.nearness {
            Nearness::SameDisk => BackupPlace::SameDisk,
            Nearness::OtherDisk => BackupPlace::OtherDisk,
            Nearness::Network => BackupPlace::Network,
            Nearness::Unknown => BackupPlace::Unknown,
        }),
        owner_has_key: made.is_some_and(|b| b.owner_has_key),
        owner_key_tried_at: key_tried.map(|d| d.at),
        last_drill: drills.first().map(drill),
        return_within: (!agreed.is_zero()).then_some(agreed),
    }
}

fn drill(row: &DrillRow) -> BackupDrillFact {
    // The table that people count by: the orders, else the largest.
    let projects = || row.tables.iter().filter(|t| t.is_projects);
    let counted: Option<&TableRows> =
        projects().find(|t| t.name == "orders").or_else(|| projects().max_by_key(|t| t.rows));
    BackupDrillFact {
        at: row.at,
        backup_at: row.backup_at,
        fault: row.fault.clone(),
        milliseconds: row.milliseconds,
        table: counted.map(|t| t.name.clone()),
        rows: counted.map_or(0, |t| t.rows),
        newest_at: counted.and_then(|t| t.newest),
    }
}
