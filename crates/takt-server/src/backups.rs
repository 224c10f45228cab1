//! Backups of the served project: what commands ask about them, and where they are kept.
//! Lives here: requests and settings. Not here: the work off the request threads (`work.rs`), when it is due
//! (`timetable.rs`), its sentences (`words.rs`), what the report needs (`facts.rs`), restoring (`restore.rs`).

pub(crate) mod facts;
mod restore;
mod timetable;
mod words;
mod work;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use takt_backup::{BackupError, Instance, Keep, Repository, new_owner_key, owner_key};
use takt_model::{Problem, Project, Settings, Severity, Source};

use crate::{admin::AdminError, app::App, deliveries::words::say, people::Look};

pub use restore::{RestoreRequest, restore, snapshots_of};
pub(crate) use timetable::keep_time;
pub(crate) use work::Backups;
use work::Task;

/// What a command asks.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case")]
pub enum BackupRequest {
    /// Makes a backup now.
    Run {
        /// Whether the answer comes when it is done; otherwise it is the number of the work, to be asked for by
        /// [`BackupRequest::Result`].
        wait: bool,
        /// `de` or `en`.
        language: String,
    },
    /// Restores one as a trial, now.
    Drill {
        /// The beginning of its id; the newest if nothing is said.
        snapshot: Option<String>,
        /// The owner's key, to be tried instead of the instance's.
        key: Option<String>,
        /// As in [`BackupRequest::Run`].
        wait: bool,
        /// `de` or `en`.
        language: String,
    },
    /// What became of a work.
    Result {
        /// Its number.
        work: u64,
    },
    /// The backups in the repository, newest first.
    Snapshots {
        /// `de` or `en`.
        language: String,
    },
    /// Gives the owner a key of their own; an earlier one no longer opens the repository.
    OwnerKey {
        /// `de` or `en`.
        language: String,
    },
}

/// The key is nobody's business.
impl std::fmt::Debug for BackupRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Run { .. } => "Run",
            Self::Drill { .. } => "Drill",
            Self::Result { .. } => "Result",
            Self::Snapshots { .. } => "Snapshots",
            Self::OwnerKey { .. } => "OwnerKey",
        })
    }
}

impl From<BackupError> for AdminError {
    fn from(error: BackupError) -> Self {
        Self(crate::admin::sentence(&error.to_string()))
    }
}

/// Where the repository is: as the settings say, seen from the project folder, else beside the data folder.
pub(crate) fn repository_folder(settings: &Settings, project_dir: &Path, data_dir: &Path) -> PathBuf {
    let said = settings.backup.repository.trim();
    if !said.is_empty() {
        return project_dir.join(said);
    }
    let name = data_dir.file_name().unwrap_or_default().to_string_lossy();
    data_dir.with_file_name(format!("{name}-backups"))
}

/// What is backed up, and where to.
pub(crate) fn instance(app: &App) -> Instance {
    Instance {
        engine: app.engine.clone(),
        project_dir: app.project_dir.clone(),
        data_dir: app.data_dir.clone(),
        repository: repository_folder(&app.project().settings, &app.project_dir, &app.data_dir),
    }
}

pub(crate) fn keep(project: &Project) -> Keep {
    let said = &project.settings.backup;
    Keep {
        hourly: said.keep_hourly,
        daily: said.keep_daily,
        weekly: said.keep_weekly,
        monthly: said.keep_monthly,
    }
}

/// What is wrong with the schedules and the folder, for the check of the project.
pub(crate) fn check(project: &Project, project_dir: &Path) -> Vec<Problem> {
    let settings = &project.settings;
    let problem = |message: String, help: &str| Problem {
        source: Source { file: "takt.toml".to_owned(), line: 1 },
        column: None,
        severity: Severity::Error,
        message,
        help: Some(help.to_owned()),
    };
    let mut problems = Vec::new();
    for (key, text) in [("schedule", &settings.backup.schedule), ("drill", &settings.backup.drill)] {
        if !text.trim().is_empty()
            && let Err(why) = takt_model::Schedule::read(text, "UTC")
        {
            let message = format!("`backup.{key}` is no schedule: {why}");
            problems.push(problem(message, "write minute, hour, day, month, weekday: \"30 2 * * *\""));
        }
    }
    let public = project_dir.join("public");
    if project_dir.join(settings.backup.repository.trim()).starts_with(&public) {
        let message = "the repository of backups lies in `public/`, which everybody can read".to_owned();
        problems.push(problem(message, "name a folder elsewhere in `backup.repository`"));
    }
    problems
}

/// Does what a command asks.
pub(crate) async fn execute(app: &App, look: &Look, request: BackupRequest) -> Result<Json, AdminError> {
    match request {
        BackupRequest::Run { wait, language } => {
            let task = Task::BackUp { instance: instance(app), keep: keep(&app.project()) };
            work(app, task, wait, language).await
        }
        BackupRequest::Drill { snapshot, key, wait, language } => {
            let key = key.map(|typed| owner_key(&typed));
            let layers = app.layers.clone();
            work(app, Task::Drill { instance: instance(app), snapshot, key, layers }, wait, language).await
        }
        BackupRequest::Result { work } => app.backups.result(work),
        BackupRequest::Snapshots { language } => {
            let instance = instance(app);
            let zone = app.project().settings.time_zone.clone();
            off_thread(move || listed(&instance.repository()?, &language, &zone)).await
        }
        BackupRequest::OwnerKey { language } => {
            let instance = instance(app);
            let noted = app.engine.note_deed(look.deed("backup.owner_key", "backup".to_owned())).await;
            noted.map_err(|error| AdminError(crate::admin::sentence(&error.to_string())))?;
            off_thread(move || {
                let key = new_owner_key(&instance.repository_or_new()?)?;
                let text = words::owner_key(key.reveal(), &instance.repository, &language);
                Ok(json!({ "key": key.reveal(), "text": text }))
            })
            .await
        }
    }
}

async fn work(app: &App, task: Task, wait: bool, language: String) -> Result<Json, AdminError> {
    let zone = app.project().settings.time_zone.clone();
    let number = app.backups.start(task, &language, &zone).map_err(|busy| {
        let (english, german) = busy.words();
        AdminError(say(&language, english, german).to_owned())
    })?;
    if !wait {
        return Ok(json!({ "work": number }));
    }
    loop {
        let result = app.backups.result(number)?;
        if result["running"] != true {
            return Ok(result);
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

async fn off_thread(
    job: impl FnOnce() -> Result<Json, BackupError> + Send + 'static,
) -> Result<Json, AdminError> {
    match tokio::task::spawn_blocking(job).await {
        Ok(done) => Ok(done?),
        Err(_) => Err(AdminError("The repository could not be read.".to_owned())),
    }
}

/// The backups of a repository, for programs and for people.
fn listed(repository: &Repository, language: &str, zone: &str) -> Result<Json, BackupError> {
    let all = repository.snapshots()?;
    let one = |s: &takt_backup::Snapshot| {
        json!({
            "id": s.id, "at": takt_model::ValueRef::Timestamp(s.at).to_text(), "host": s.host,
            "bytes": s.bytes, "files": s.files, "added_bytes": s.added,
        })
    };
    let text = words::snapshots(&all, repository.folder(), language, zone);
    Ok(json!({ "snapshots": all.iter().map(one).collect::<Vec<_>>(), "text": text }))
}
