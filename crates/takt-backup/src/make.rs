//! Making a backup while writes go on.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use takt_engine::{Engine, Thoroughness, examine};
use takt_model::Project;
use takt_repository::{Item, KeyHolder, Made, Repository, RepositoryError, Snapshot};

use crate::{
    BackupError, BackupRow, History, Keep,
    content::{DATA, DATABASE, MANIFEST, MASTER_KEY, bytes_of, items},
    instance_key,
    manifest::{Manifest, dated_by, hash_of},
    nearness,
    scratch::Scratch,
    to_forget,
};

/// A deployment in the middle changes files while they are read; then it is begun anew.
const TRIES: u32 = 3;

/// What is backed up, and where to.
#[derive(Clone)]
pub struct Instance {
    /// The data.
    pub engine: Engine,
    /// The project's files.
    pub project_dir: PathBuf,
    /// The keys; the scratch place is made in it.
    pub data_dir: PathBuf,
    /// The repository's folder.
    pub repository: PathBuf,
}

impl Instance {
    /// The project that is served now.
    pub(crate) fn project(&self) -> Arc<Project> {
        self.engine.project()
    }

    /// Opens the repository with the instance's own key.
    ///
    /// # Errors
    /// See [`BackupError`].
    pub fn repository(&self) -> Result<Repository, BackupError> {
        Ok(Repository::open(&self.repository, &instance_key(&self.data_dir)?)?)
    }

    /// As [`Instance::repository`]; makes it if there is none.
    ///
    /// # Errors
    /// See [`BackupError`].
    pub fn repository_or_new(&self) -> Result<Repository, BackupError> {
        let key = instance_key(&self.data_dir)?;
        match Repository::open(&self.repository, &key) {
            Err(RepositoryError::Missing(_)) => Ok(Repository::make(&self.repository, &key)?),
            opened => Ok(opened?),
        }
    }
}

/// A backup that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupMade {
    /// It.
    pub snapshot: Snapshot,
    /// What is in it.
    pub manifest: Manifest,
    /// Older ones that were forgotten.
    pub forgotten: u64,
    /// What the history has of it.
    pub row: BackupRow,
}

/// Makes a backup, forgets those that need not be kept, and writes down what became of it. Takes as long as it takes,
/// on the calling thread; writes go on. One at a time for each data folder.
///
/// # Errors
/// See [`BackupError`]; that it failed is in the history, and no older backup is forgotten.
pub fn back_up(instance: &Instance, keep: Keep) -> Result<BackupMade, BackupError> {
    let (began, at) = (Instant::now(), instance.engine.now());
    let made = make(instance, at, keep);
    let milliseconds = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let row = match &made {
        Ok((made, manifest, _, owner_has_key)) => BackupRow {
            at,
            milliseconds,
            fault: None,
            snapshot: Some(made.snapshot.id.clone()),
            files: made.snapshot.files,
            bytes: made.snapshot.bytes,
            added: made.snapshot.added,
            rows: manifest.rows(),
            nearness: nearness(&instance.data_dir, &instance.repository),
            owner_has_key: *owner_has_key,
        },
        Err(error) => BackupRow::failed(at, milliseconds, error.to_string()),
    };
    History::of(&instance.engine).note_backup(row.clone())?;
    let (Made { snapshot, .. }, manifest, forgotten, _) = made?;
    Ok(BackupMade { snapshot, manifest, forgotten, row })
}

fn make(instance: &Instance, at: i64, keep: Keep) -> Result<(Made, Manifest, u64, bool), BackupError> {
    let repository = instance.repository_or_new()?;
    // The log is part of the copy; it is bounded, the scratch place's reserve covers it.
    let scratch = Scratch::new(&instance.data_dir, instance.engine.health().bytes)?;
    let copy = scratch.path().join(DATABASE);
    instance.engine.copy_database(&copy)?;
    let project = instance.project();
    let seen = examine(&copy, Thoroughness::Quick, &dated_by(&project))?;
    if let Some(fault) = seen.faults.into_iter().next() {
        return Err(BackupError::DatabaseDamaged(fault));
    }
    let seen = takt_engine::Examined { faults: Vec::new(), ..seen };
    let manifest = Manifest::of(&project, at, hash_of(&copy)?, seen);
    let mut tries = 0;
    let (made, manifest) = loop {
        tries += 1;
        match write(instance, &repository, scratch.path(), &manifest) {
            Err(BackupError::Repository(RepositoryError::Incomplete(what))) if tries < TRIES => {
                tracing::warn!(what, "the backup is begun anew");
            }
            done => break done?,
        }
    };
    let all: Vec<(String, i64)> = repository.snapshots()?.into_iter().map(|s| (s.id, s.at)).collect();
    let gone = to_forget(&all, keep, &project.settings.time_zone);
    if !gone.is_empty() {
        repository.forget(&gone)?;
    }
    let owner_has_key = repository.has_key_of(KeyHolder::Owner)?;
    Ok((made, manifest, gone.len() as u64, owner_has_key))
}

/// Writes a snapshot of the copy in `scratch` and of everything beside it.
fn write(
    instance: &Instance,
    repository: &Repository,
    scratch: &Path,
    manifest: &Manifest,
) -> Result<(Made, Manifest), BackupError> {
    let mut items = items(&instance.project_dir, &instance.data_dir)?;
    let master_key = Path::new(DATA).join(MASTER_KEY);
    let manifest = Manifest {
        files: items.len() as u64,
        file_bytes: bytes_of(&items),
        master_key: items.iter().any(|item| item.name == master_key),
        ..manifest.clone()
    };
    let path = scratch.join("backup.json");
    let text = serde_json::to_vec_pretty(&manifest)
        .map_err(|e| BackupError::Io { path: path.display().to_string(), reason: e.to_string() })?;
    fs::write(&path, text).map_err(|e| BackupError::io(&path, &e))?;
    let database = Path::new(DATA).join(DATABASE);
    items.push(Item { name: database, from: scratch.join(DATABASE), private: true });
    items.push(Item { name: MANIFEST.into(), from: path, private: true });
    Ok((repository.back_up(items, manifest.at)?, manifest))
}
