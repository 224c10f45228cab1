//! A place for what is only looked at: in the data folder, for us alone, gone afterwards. What a process that was
//! killed left there is removed by the next.

use std::{
    fs,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use crate::BackupError;

const NAME: &str = "scratch";
/// What must stay free for the running database.
const RESERVE: u64 = 64 * 1024 * 1024;

/// The folder; removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// Makes it, empty, if there is room for `bytes`. Whoever asks holds the data folder, and one thing at a time uses
    /// it.
    pub(crate) fn new(data_dir: &Path, bytes: u64) -> Result<Self, BackupError> {
        let path = data_dir.join(NAME);
        if path.exists() {
            fs::remove_dir_all(&path).map_err(|e| BackupError::io(&path, &e))?;
        }
        room_for(data_dir, bytes)?;
        fs::DirBuilder::new().mode(0o700).create(&path).map_err(|e| BackupError::io(&path, &e))?;
        Ok(Self { path })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "a scratch folder was not removed");
        }
    }
}

/// Refuses what would fill the disk: a full one stops the shop.
pub(crate) fn room_for(folder: &Path, bytes: u64) -> Result<(), BackupError> {
    let Ok(system) = rustix::fs::statvfs(folder) else { return Ok(()) };
    let free = system.f_bavail.saturating_mul(system.f_frsize);
    let needed = bytes.saturating_add(RESERVE);
    if free < needed {
        return Err(BackupError::NoRoom { path: folder.display().to_string(), free, needed });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn it_begins_empty_ends_gone_and_never_fills_the_disk() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("scratch/left over")).unwrap();
        let scratch = Scratch::new(dir.path(), 0).unwrap();
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0);
        let path = scratch.path().to_owned();
        drop(scratch);
        assert!(!path.exists());
        assert!(matches!(Scratch::new(dir.path(), u64::MAX / 2), Err(BackupError::NoRoom { .. })));
    }
}
