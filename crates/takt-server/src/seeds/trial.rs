//! Tries the seeds in a database that is thrown away, so that rules which only a database judges (uniqueness, references,
//! checks) are told with file and line before there is a database. Seeds call no hooks, here as later.

use std::{
    env, fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use takt_engine::{Engine, EngineError, EngineOptions, EngineTx, Store, StoreOptions, SystemClock};
use takt_model::{Principal, Problem, Project, Uuid};

use super::{
    Batch, ROWS_AT_ONCE, Row, SYSTEM,
    read::{problem, shortened},
};

/// What the database would refuse, by file and line. Of a project without errors.
pub(crate) fn try_rows(project: &Arc<Project>, batches: &[Batch]) -> Vec<Problem> {
    if batches.iter().all(|b| b.rows.is_empty()) {
        return Vec::new();
    }
    let tried = Folder::make()
        .map_err(|error| error.to_string())
        .and_then(|folder| in_folder(&folder.0, project, batches).map_err(|e| e.to_string()));
    tried.unwrap_or_else(|reason| vec![problem("seeds", 1, format!("the rows cannot be tried: {reason}"))])
}

/// A folder for the time of the trial.
struct Folder(PathBuf);

impl Folder {
    fn make() -> std::io::Result<Self> {
        let path = env::temp_dir().join(format!("takt-seeds-{}", Uuid::new_v4()));
        fs::create_dir(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left of a trial harms nobody; the machine empties its folder for temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn in_folder(folder: &Path, project: &Arc<Project>, batches: &[Batch]) -> Result<Vec<Problem>, EngineError> {
    let limits = &project.settings.limits;
    let store = Store::open(StoreOptions {
        file: folder.join("seeds.db"),
        readers: 1,
        write_queue: limits.write_queue,
        read_time: limits.read_time,
        database_bytes: limits.database_bytes,
        vfs: "unix-excl".to_owned(),
        synchronous_full: false,
    })?;
    let engine =
        Engine::open(EngineOptions { store, project: Arc::clone(project), clock: Arc::new(SystemClock) })?;
    let batches = batches.to_vec();
    let problems = engine.transact_blocking(move |tx| Ok::<_, EngineError>(insert(tx, &batches)));
    engine.close();
    problems
}

fn insert(tx: &EngineTx, batches: &[Batch]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for batch in batches {
        let refused = batch.rows.chunks(ROWS_AT_ONCE).flat_map(|rows| insert_rows(tx, batch, rows)).collect();
        problems.extend(shortened(refused));
    }
    problems
}

/// The rows as they will be loaded; if they are refused, one by one, again and again as long as one more is taken: a row
/// may point to a later one of its own table.
fn insert_rows(tx: &EngineTx, batch: &Batch, rows: &[Row]) -> Vec<Problem> {
    let who = Principal::system(SYSTEM);
    if tx.rows(&who, batch.insert(rows)).is_ok() {
        return Vec::new();
    }
    let mut waiting: Vec<&Row> = rows.iter().collect();
    loop {
        let before = waiting.len();
        let mut problems = Vec::new();
        waiting.retain(|row| match tx.rows(&who, batch.insert(std::slice::from_ref(row))) {
            Ok(_) => false,
            Err(error) => {
                problems.push(problem(&batch.file, row.line, error.to_string()));
                true
            }
        });
        if waiting.is_empty() || waiting.len() == before {
            return problems;
        }
    }
}
