//! Giving a backup back for good. Everything is restored beside its place and compared with the manifest first; only
//! what is right is put in place, and what stood there is kept.

use std::{
    fs::{self, File},
    io::ErrorKind,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use takt_repository::{Repository, Snapshot};

use crate::{
    BackupError,
    content::{DATA, DATABASE, MASTER_KEY},
    key,
    manifest::{Manifest, compare},
    scratch::room_for,
};

/// Stands in a data folder while a backup takes the place of what was there. Whoever finds it must not serve.
pub const INTERRUPTED: &str = "restore.unfinished";
/// Files of a database that belong to the file itself.
const BESIDE: [&str; 2] = ["takt.db-wal", "takt.db-shm"];

/// A backup that was given back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoredBackup {
    /// Which.
    pub snapshot: Snapshot,
    /// What is in it.
    pub manifest: Manifest,
    /// Where it is now.
    pub place: PathBuf,
    /// Where what stood there before is now.
    pub before: Option<PathBuf>,
}

/// Restores the newest backup, or the one whose id begins with `wanted`, into `folder`, which is empty or not there:
/// the whole project folder with its data folder, ready to be served.
///
/// # Errors
/// See [`BackupError`]; then `folder` is as it was.
pub fn restore_into(
    repository: &Repository,
    wanted: Option<&str>,
    folder: &Path,
) -> Result<RestoredBackup, BackupError> {
    let is_empty = match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == ErrorKind::NotFound => true,
        Err(error) => return Err(BackupError::io(folder, &error)),
    };
    if !is_empty {
        return Err(BackupError::NotEmpty(folder.display().to_string()));
    }
    let snapshot = chosen(repository, wanted)?;
    let beside = Beside::new(folder, &snapshot)?;
    repository.restore(&snapshot, beside.path())?;
    let (manifest, _) = compare(beside.path())?;
    if folder.exists() {
        fs::remove_dir(folder).map_err(|e| BackupError::io(folder, &e))?;
    }
    fs::rename(beside.path(), folder).map_err(|e| BackupError::io(folder, &e))?;
    sync(folder.parent())?;
    Ok(RestoredBackup { snapshot, manifest, place: folder.to_owned(), before: None })
}

/// Puts the database and the keys of a backup into a data folder that nobody serves (whoever calls holds it). What is
/// there now is kept in a folder `before-restore-...` in it. The project's files stay as they are. A repository that is
/// damaged anywhere is refused, also where this backup does not need it.
///
/// # Errors
/// See [`BackupError`]. Until the backup has been compared nothing is touched; if the machine stops after that,
/// [`INTERRUPTED`] stands in the folder, and restoring again mends it.
pub fn restore_over(
    repository: &Repository,
    wanted: Option<&str>,
    data_dir: &Path,
    now: i64,
) -> Result<RestoredBackup, BackupError> {
    repository.check()?;
    let snapshot = chosen(repository, wanted)?;
    let beside = Beside::new(data_dir, &snapshot)?;
    repository.restore(&snapshot, beside.path())?;
    let (manifest, _) = compare(beside.path())?;
    let before = data_dir.join(format!("before-restore-{}", now / 1_000_000));
    let told = |e: std::io::Error| BackupError::io(data_dir, &e);
    let marker = data_dir.join(INTERRUPTED);
    let again = marker.exists();
    if !again {
        keep_what_is_there(data_dir, &before)?;
        File::create(&marker).and_then(|file| file.sync_all()).map_err(told)?;
        sync(Some(data_dir))?;
    }
    // A log that belongs to the old file would be taken up into the new one.
    for name in BESIDE {
        remove(&data_dir.join(name))?;
    }
    sync(Some(data_dir))?;
    for name in [DATABASE, MASTER_KEY, key::FILE] {
        let from = beside.path().join(DATA).join(name);
        if from.exists() {
            fs::rename(&from, data_dir.join(name)).map_err(told)?;
        }
    }
    sync(Some(data_dir))?;
    remove(&marker)?;
    sync(Some(data_dir))?;
    Ok(RestoredBackup {
        snapshot,
        manifest,
        place: data_dir.to_owned(),
        before: Some(before).filter(|before| before.exists()),
    })
}

/// The same files under another name: nothing is copied, and nothing is gone when the others take their places.
fn keep_what_is_there(data_dir: &Path, before: &Path) -> Result<(), BackupError> {
    fs::DirBuilder::new().mode(0o700).create(before).map_err(|e| BackupError::io(before, &e))?;
    for name in [DATABASE, BESIDE[0], MASTER_KEY, key::FILE] {
        match fs::hard_link(data_dir.join(name), before.join(name)) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(BackupError::io(&data_dir.join(name), &error)),
        }
    }
    sync(Some(before))
}

/// The newest backup, or the one whose id begins with `wanted`.
pub(crate) fn chosen(repository: &Repository, wanted: Option<&str>) -> Result<Snapshot, BackupError> {
    let all = repository.snapshots()?;
    let Some(wanted) = wanted else {
        let none = || BackupError::None(repository.folder().display().to_string());
        return all.into_iter().next().ok_or_else(none);
    };
    let mut fitting = all.into_iter().filter(|s| !wanted.is_empty() && s.id.starts_with(wanted));
    match (fitting.next(), fitting.next()) {
        (Some(one), None) => Ok(one),
        _ => Err(BackupError::Unknown(wanted.to_owned())),
    }
}

/// A folder on the same disk as the one that it will replace; gone unless it was renamed.
struct Beside(PathBuf);

impl Beside {
    fn new(folder: &Path, snapshot: &Snapshot) -> Result<Self, BackupError> {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let parent = match folder.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        fs::create_dir_all(&parent).map_err(|e| BackupError::io(&parent, &e))?;
        room_for(&parent, snapshot.bytes)?;
        let path = parent.join(format!(".{name}.restoring-{}", std::process::id()));
        let this = Self(path);
        this.remove();
        fs::DirBuilder::new().mode(0o700).create(&this.0).map_err(|e| BackupError::io(&this.0, &e))?;
        Ok(this)
    }

    fn path(&self) -> &Path {
        &self.0
    }

    fn remove(&self) {
        match fs::remove_dir_all(&self.0) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                tracing::warn!(path = %self.0.display(), %error, "a half restored folder was not removed");
            }
        }
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        self.remove();
    }
}

fn remove(path: &Path) -> Result<(), BackupError> {
    match fs::remove_file(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(BackupError::io(path, &error)),
    }
}

/// Names are on disk.
fn sync(folder: Option<&Path>) -> Result<(), BackupError> {
    let folder = folder.filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|f| f.sync_all()).map_err(|e| BackupError::io(folder, &e))
}
