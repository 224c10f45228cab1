//! Backups and drills off the request threads: one at a time, on a thread of its own that gives way to all others.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::Arc,
};

use parking_lot::Mutex;
use serde_json::{Value as Json, json};
use takt_backup::{BackupError, Instance, Keep, Key, Repository, back_up, drill};
use takt_model::SettingsLayer;

use super::words;
use crate::{
    admin::AdminError,
    start::{StartOptions, open},
};

/// Results that are remembered for whoever asked for them.
const REMEMBERED: usize = 16;

/// What is to be done.
pub(crate) enum Task {
    /// A backup.
    BackUp {
        /// Of what.
        instance: Instance,
        /// What is kept.
        keep: Keep,
    },
    /// A trial restore.
    Drill {
        /// Of what.
        instance: Instance,
        /// The beginning of its id; the newest if none.
        snapshot: Option<String>,
        /// The owner's key, instead of the instance's.
        key: Option<Key>,
        /// Settings above `takt.toml`, for opening the copy as a start does.
        layers: Vec<SettingsLayer>,
    },
}

/// Why nothing was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Busy {
    /// Something is under way.
    Running,
    /// The system gives no thread.
    NoThread,
}

impl Busy {
    /// English and German.
    pub(crate) fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Running => (
                "A backup or a trial restore is under way; try again when it is done.",
                "Eine Sicherung oder Probe läuft gerade; versuchen Sie es danach noch einmal.",
            ),
            Self::NoThread => (
                "The machine is too busy for a backup now.",
                "Die Maschine hat gerade zu viel zu tun für eine Sicherung.",
            ),
        }
    }
}

/// What is under way, and what became of the last ones.
#[derive(Clone, Default)]
pub(crate) struct Backups(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    next: u64,
    running: Option<u64>,
    ended: VecDeque<(u64, Result<Json, String>)>,
}

impl Backups {
    /// Begins a work and gives its number.
    pub(crate) fn start(&self, task: Task, language: &str, zone: &str) -> Result<u64, Busy> {
        let mut state = self.0.lock();
        if state.running.is_some() {
            return Err(Busy::Running);
        }
        state.next += 1;
        let number = state.next;
        state.running = Some(number);
        let (this, language, zone) = (self.clone(), language.to_owned(), zone.to_owned());
        let thread = std::thread::Builder::new().name("takt-backup".to_owned()).spawn(move || {
            takt_backup::give_way();
            let run = AssertUnwindSafe(|| run(&task, &language, &zone));
            let ended = catch_unwind(run)
                .unwrap_or_else(|_| Err("The backup ended in a fault of the program.".to_owned()));
            if let Err(error) = &ended {
                tracing::error!(error, "a backup or a trial restore failed");
            }
            this.end(number, ended);
        });
        if let Err(error) = thread {
            tracing::error!(%error, "no thread for a backup");
            state.running = None;
            return Err(Busy::NoThread);
        }
        Ok(number)
    }

    fn end(&self, number: u64, ended: Result<Json, String>) {
        let mut state = self.0.lock();
        state.running = None;
        state.ended.push_back((number, ended));
        if state.ended.len() > REMEMBERED {
            state.ended.pop_front();
        }
    }

    /// Whether something is under way.
    pub(crate) fn is_running(&self) -> bool {
        self.0.lock().running.is_some()
    }

    /// What became of a work; `{"running": true}` while it is under way.
    pub(crate) fn result(&self, number: u64) -> Result<Json, AdminError> {
        let state = self.0.lock();
        if state.running == Some(number) {
            return Ok(json!({ "running": true }));
        }
        match state.ended.iter().find(|(ended, _)| *ended == number) {
            Some((_, Ok(done))) => Ok(done.clone()),
            Some((_, Err(why))) => Err(AdminError(why.clone())),
            None => Err(AdminError("There is no such backup or trial restore.".to_owned())),
        }
    }
}

fn run(task: &Task, language: &str, zone: &str) -> Result<Json, String> {
    match task {
        Task::BackUp { instance, keep } => {
            let made = back_up(instance, *keep).map_err(|e| e.to_string())?;
            tracing::info!(
                snapshot = made.snapshot.id,
                rows = made.row.rows,
                milliseconds = made.row.milliseconds,
                "backed up"
            );
            let text = words::made(&made, &instance.repository, language);
            Ok(json!({ "backup": made.row, "forgotten": made.forgotten, "text": text }))
        }
        Task::Drill { instance, snapshot, key, layers } => {
            let repository = match key {
                Some(key) => Repository::open(&instance.repository, key).map_err(BackupError::from),
                None => instance.repository(),
            };
            let opens = |folder: &Path| opened(folder, layers);
            let drilled =
                drill(instance, repository, snapshot.as_deref(), &opens).map_err(|e| e.to_string())?;
            match &drilled.row.fault {
                None => tracing::info!(milliseconds = drilled.row.milliseconds, "trial restore passed"),
                Some(fault) => tracing::error!(fault, "trial restore failed"),
            }
            let text = words::drilled(&drilled, language, zone);
            Ok(json!({ "drill": drilled.row, "bytes_checked": drilled.bytes_checked, "text": text }))
        }
    }
}

/// Opens a restored folder as a start does: project, database, accounts and keys. Nothing is served, nothing is sent.
fn opened(folder: &Path, layers: &[SettingsLayer]) -> Result<(), String> {
    let options = StartOptions {
        project_dir: folder.to_owned(),
        data_dir: Some(folder.join("data")),
        layers: layers.to_vec(),
        dev: false,
    };
    open(&options).map(crate::start::Opened::close).map_err(|e| e.to_string())
}
