//! The drill: a backup is given back into a scratch place, compared, opened, timed, and the place removed.

use std::{path::Path, time::Instant};

use takt_repository::{KeyHolder, Repository, Snapshot};

use crate::{
    BackupError, DrillRow, History, Instance,
    manifest::{TableRows, compare},
    restore::chosen,
    scratch::Scratch,
};

/// Opens a restored project folder as a start does, without serving it; says in a sentence why it cannot.
pub type Opens<'a> = &'a (dyn Fn(&Path) -> Result<(), String> + Sync);

/// How a drill ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Drilled {
    /// What the history has of it.
    pub row: DrillRow,
    /// Bytes of the repository that were read and compared with their names.
    pub bytes_checked: u64,
}

/// Tries a backup: the newest, or the one whose id begins with `wanted`. First every file of the repository is compared
/// with its name, then the backup is restored, compared with its manifest, and opened. Takes as long as it takes, on
/// the calling thread.
///
/// # Errors
/// Only if the history cannot be written; what is wrong with the backup is in [`DrillRow::fault`].
pub fn drill(
    instance: &Instance,
    repository: Result<Repository, BackupError>,
    wanted: Option<&str>,
    opens: Opens<'_>,
) -> Result<Drilled, BackupError> {
    let at = instance.engine.now();
    let mut row = DrillRow { at, ..DrillRow::default() };
    let tried = repository.and_then(|repository| attempt(instance, &repository, wanted, opens, &mut row));
    let bytes_checked = match tried {
        Ok(bytes) => bytes,
        Err(error) => {
            row.fault = Some(error.to_string());
            0
        }
    };
    History::of(&instance.engine).note_drill(row.clone())?;
    Ok(Drilled { row, bytes_checked })
}

fn attempt(
    instance: &Instance,
    repository: &Repository,
    wanted: Option<&str>,
    opens: Opens<'_>,
    row: &mut DrillRow,
) -> Result<u64, BackupError> {
    row.by_owner = repository.is_opened_by(KeyHolder::Owner)?;
    let bytes = repository.check()?;
    let snapshot = chosen(repository, wanted)?;
    row.snapshot = Some(snapshot.id.clone());
    row.backup_at = Some(snapshot.at);
    let began = Instant::now();
    let tables = restored(instance, repository, &snapshot, opens);
    row.milliseconds = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    row.tables = tables?;
    Ok(bytes)
}

fn restored(
    instance: &Instance,
    repository: &Repository,
    snapshot: &Snapshot,
    opens: Opens<'_>,
) -> Result<Vec<TableRows>, BackupError> {
    let scratch = Scratch::new(&instance.data_dir, snapshot.bytes)?;
    repository.restore(snapshot, scratch.path())?;
    let (_, tables) = compare(scratch.path())?;
    opens(scratch.path()).map_err(BackupError::Differs)?;
    Ok(tables)
}
