//! The data folder: made private, kept out of git, held by one process at a time, with a sign of life.
//! Lives here: the folder and its lock. Not here: the database in it.

use std::{
    fs::{self, File, TryLockError},
    io::{Read, Seek, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use crate::project_files::plain_reason;

/// For us alone. The folder is closed already; this holds for copies of the files elsewhere, too.
const PRIVATE: u32 = 0o600;
const LOCK: &str = "takt.lock";
const ALIVE: &str = "alive";
/// The database.
pub(crate) const DATABASE: &str = "takt.db";
/// The local door for commands.
pub(crate) const SOCKET: &str = "takt.sock";

/// Why the data folder cannot be used; each is a plain sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DataDirError {
    /// Another process holds it.
    #[error("Another takt (process {process}) serves the data folder {folder}.")]
    Held {
        /// Process id, or "unknown".
        process: String,
        /// The folder.
        folder: PathBuf,
    },
    /// Others than its owner can look into it.
    #[error(
        "The data folder {folder} holds keys and is open to others (mode {mode:03o}). `chmod 700 {folder}` closes it."
    )]
    Open {
        /// The folder.
        folder: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The machine refuses.
    #[error("The data folder cannot be used: {path}: {reason}.")]
    Unusable {
        /// Which path.
        path: PathBuf,
        /// The system's words.
        reason: String,
    },
}

fn unusable(path: &Path) -> impl Fn(std::io::Error) -> DataDirError + '_ {
    move |e| DataDirError::Unusable { path: path.to_owned(), reason: plain_reason(&e) }
}

/// The data folder, held by this process until this is dropped.
#[derive(Debug)]
pub(crate) struct DataDir {
    folder: PathBuf,
    _lock: File,
    last_alive: Option<i64>,
}

impl DataDir {
    /// Makes the folder if it is not there, and takes it.
    pub(crate) fn take(folder: &Path) -> Result<Self, DataDirError> {
        if !folder.exists() {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(unusable(folder))?;
        }
        refuse_if_open_to_others(folder)?;
        let lock = hold(folder)?;
        let ignore = folder.join(".gitignore");
        if !ignore.exists() {
            fs::write(&ignore, "# Everything here is made by takt and belongs to this machine.\n*\n")
                .map_err(unusable(&ignore))?;
        }
        let last_alive = fs::read_to_string(folder.join(ALIVE)).ok().and_then(|t| t.trim().parse().ok());
        Ok(Self { folder: folder.to_owned(), _lock: lock, last_alive })
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// When the process before this one last said that it lives: microseconds since 1970 UTC.
    pub(crate) fn last_alive(&self) -> Option<i64> {
        self.last_alive
    }

    /// Sees to it that nobody else reads the database. The store would make the file as open as the process' mask
    /// allows; its log beside it gets the mode of the file.
    pub(crate) fn close_database(&self) -> Result<(), DataDirError> {
        let path = self.folder.join(DATABASE);
        private(&path).map(drop).map_err(unusable(&path))
    }

    /// Says that this process lives. A sign that cannot be written is no reason to stop serving.
    pub(crate) fn say_alive(folder: &Path, now: i64) {
        let path = folder.join(ALIVE);
        let write = || -> std::io::Result<()> {
            let mut file = private(&path)?;
            file.set_len(0)?;
            writeln!(file, "{now}")
        };
        if let Err(error) = write() {
            tracing::warn!(path = %path.display(), %error, "the sign of life cannot be written");
        }
    }
}

/// Opens a file that is for us alone; makes it if it is not there.
fn private(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    let file = options.read(true).write(true).create(true).truncate(false).mode(PRIVATE).open(path)?;
    // One that was there before.
    if file.metadata()?.permissions().mode() & 0o777 != PRIVATE {
        file.set_permissions(fs::Permissions::from_mode(PRIVATE))?;
    }
    Ok(file)
}

fn refuse_if_open_to_others(folder: &Path) -> Result<(), DataDirError> {
    let meta = fs::metadata(folder).map_err(unusable(folder))?;
    if !meta.is_dir() {
        let reason = "it is not a folder".to_owned();
        return Err(DataDirError::Unusable { path: folder.to_owned(), reason });
    }
    let mode = meta.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    // A folder that somebody made by hand and that is still empty may be closed without asking.
    let is_empty = fs::read_dir(folder).map_err(unusable(folder))?.next().is_none();
    if is_empty && fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).is_ok() {
        return Ok(());
    }
    Err(DataDirError::Open { folder: folder.to_owned(), mode })
}

/// The lock is the system's, so it ends with the process however that ends; the number in the file is for people.
fn hold(folder: &Path) -> Result<File, DataDirError> {
    let path = folder.join(LOCK);
    let mut file = private(&path).map_err(unusable(&path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            // Unreadable is as good as unknown here: the refusal stands either way.
            let read = file.read_to_string(&mut text).is_ok();
            let process = text.trim();
            let known = read && !process.is_empty() && process.bytes().all(|b| b.is_ascii_digit());
            let process = if known { process.to_owned() } else { "unknown".to_owned() };
            return Err(DataDirError::Held { process, folder: folder.to_owned() });
        }
        Err(TryLockError::Error(e)) => return Err(unusable(&path)(e)),
    }
    let write = |file: &mut File| -> std::io::Result<()> {
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "{}", std::process::id())
    };
    write(&mut file).map_err(unusable(&path))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_new_folder_is_private_and_kept_out_of_git() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("a/data");
        let held = DataDir::take(&folder).unwrap();
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        assert!(fs::read_to_string(folder.join(".gitignore")).unwrap().ends_with("*\n"));
        assert_eq!(held.last_alive(), None);
    }

    #[test]
    fn a_second_taker_is_refused_and_told_who_holds_it() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("data");
        let first = DataDir::take(&folder).unwrap();
        let refused = DataDir::take(&folder).unwrap_err();
        assert_eq!(
            refused,
            DataDirError::Held { process: std::process::id().to_string(), folder: folder.clone() }
        );
        drop(first);
        assert!(DataDir::take(&folder).is_ok());
    }

    #[test]
    fn a_folder_with_keys_that_others_can_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("data");
        drop(DataDir::take(&folder).unwrap());
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(matches!(DataDir::take(&folder), Err(DataDirError::Open { mode: 0o755, .. })));
    }

    #[test]
    fn files_are_for_us_alone_new_ones_and_old_ones() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("data");
        let mode = |name: &str| fs::metadata(folder.join(name)).unwrap().permissions().mode() & 0o777;
        for round in ["new", "old"] {
            let held = DataDir::take(&folder).unwrap();
            held.close_database().unwrap();
            DataDir::say_alive(&folder, 1);
            for name in [LOCK, ALIVE, DATABASE] {
                assert_eq!(mode(name), 0o600, "{round} {name}");
                fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o644)).unwrap();
            }
        }
    }

    #[test]
    fn the_last_sign_of_life_is_found_again() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("data");
        drop(DataDir::take(&folder).unwrap());
        DataDir::say_alive(&folder, 1234);
        assert_eq!(DataDir::take(&folder).unwrap().last_alive(), Some(1234));
    }
}
