//! `takt restore`: gives a backup back, also on a machine that has nothing but the repository and a key.

use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};
use takt_backup::{Key, Repository, RestoredBackup, instance_key, owner_key, restore_into, restore_over};
use takt_model::Project;

use super::{listed, repository_folder, words};
use crate::{
    admin::{AdminError, sentence},
    check::SYSTEM_TABLES,
    data_dir::DataDir,
    deliveries::words::say,
    project_files::read_project,
    start::StartOptions,
};

/// What is to be restored, and where to.
pub struct RestoreRequest {
    /// The project that the repository and the key belong to, if there is one.
    pub project: StartOptions,
    /// The repository; the project's if nothing is said.
    pub repository: Option<PathBuf>,
    /// The key as typed; the instance's own if nothing is said.
    pub key: Option<String>,
    /// The beginning of the backup's id; the newest if nothing is said.
    pub snapshot: Option<String>,
    /// An empty or new folder; none to put it over the project's data.
    pub to: Option<PathBuf>,
    /// `de` or `en`.
    pub language: String,
}

/// Gives a backup back.
///
/// # Errors
/// A plain sentence; nothing live was touched then.
pub fn restore(request: &RestoreRequest) -> Result<Json, AdminError> {
    let RestoreRequest { project, repository, key, snapshot, to, language } = request;
    let data_dir = project.data_dir();
    // Before anything is read: nobody may serve what is to be replaced.
    let held = match to {
        Some(_) => None,
        None if !data_dir.is_dir() => {
            let why = say(
                language,
                "There is no data folder to put it over; name a folder with --to.",
                "Es gibt keinen Datenordner, über den es gelegt werden könnte; nennen Sie mit --to einen Ordner.",
            );
            return Err(AdminError(why.to_owned()));
        }
        None => Some(DataDir::take(&data_dir).map_err(|e| AdminError(sentence(&e.to_string())))?),
    };
    let (repository, zone) = opened(project, repository.as_deref(), key.as_deref())?;
    let restored = match (to, &held) {
        (Some(to), _) => restore_into(&repository, snapshot.as_deref(), to)?,
        (None, Some(held)) => restore_over(&repository, snapshot.as_deref(), held.folder(), now())?,
        (None, None) => return Err(AdminError("There is no place to restore to.".to_owned())),
    };
    let text = words::restored(&restored, language, &zone);
    let RestoredBackup { snapshot, manifest, place, before } = restored;
    Ok(json!({
        "snapshot": snapshot.id,
        "at": takt_model::ValueRef::Timestamp(snapshot.at).to_text(),
        "rows": manifest.rows(),
        "place": place,
        "before": before,
        "text": text,
    }))
}

/// The backups of a repository, without a project or a server.
///
/// # Errors
/// A plain sentence.
pub fn snapshots_of(
    project: &StartOptions,
    repository: &Path,
    key: Option<&str>,
    language: &str,
) -> Result<Json, AdminError> {
    let (repository, zone) = opened(project, Some(repository), key)?;
    Ok(listed(&repository, language, &zone)?)
}

/// The repository, and the time zone of the project if there is one.
fn opened(
    options: &StartOptions,
    repository: Option<&Path>,
    typed: Option<&str>,
) -> Result<(Repository, String), AdminError> {
    let data_dir = options.data_dir();
    let settings = read_project(&options.project_dir)
        .map(|(files, _)| Project::parse_with(&files, &SYSTEM_TABLES, &options.layers).0.settings);
    let zone = settings.as_ref().map_or_else(|_| "UTC".to_owned(), |s| s.time_zone.clone());
    let folder = match (repository, settings) {
        (Some(folder), _) => folder.to_owned(),
        (None, Ok(settings)) => repository_folder(&settings, &options.project_dir, &data_dir),
        (None, Err(error)) => return Err(AdminError(sentence(&error.to_string()))),
    };
    Ok((Repository::open(&folder, &key(&data_dir, typed)?).map_err(takt_backup::BackupError::from)?, zone))
}

fn key(data_dir: &Path, typed: Option<&str>) -> Result<Key, AdminError> {
    match typed {
        Some(typed) => Ok(owner_key(typed)),
        // Only one that is there: a new one would open nothing.
        None if data_dir.join("backup.key").is_file() => Ok(instance_key(data_dir)?),
        None => Err(AdminError(
            "There is no key here: give the owner's with --key-file or in TAKT_OWNER_KEY.".to_owned(),
        )),
    }
}

fn now() -> i64 {
    takt_engine::Clock::now(&takt_engine::SystemClock)
}
