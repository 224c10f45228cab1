//! Damage: every file of a repository is named by the SHA-256 of what it holds, so any changed bit shows without a
//! key; the one file that is not, `config`, is authenticated when the repository is opened.

use std::path::Path;

use ring::digest::{SHA256, digest};
use rustic_core::{ALL_FILE_TYPES, CheckOptions, FileType, Id, ReadBackend};

use crate::{
    Repository, RepositoryError,
    error::{contained, first_line},
    folder::Folder,
};

/// Reads every file of the repository in `folder` and compares it with its name. Needs no key; what is missing as a
/// whole, only [`Repository::check`] can tell. Answers how many bytes were read.
///
/// # Errors
/// [`RepositoryError::Damaged`] naming the first file that is not what it was; [`RepositoryError::Missing`].
pub fn verify_files(folder: &Path) -> Result<u64, RepositoryError> {
    let files = Folder::new(folder);
    if !files.is_made() {
        return Err(RepositoryError::Missing(folder.display().to_string()));
    }
    let mut bytes = 0;
    for kind in ALL_FILE_TYPES {
        for (id, _) in files.files(kind).map_err(|e| RepositoryError::io(folder, &e))? {
            bytes += verify(&files, kind, &id)?;
        }
    }
    Ok(bytes)
}

fn verify(files: &Folder, kind: FileType, id: &Id) -> Result<u64, RepositoryError> {
    let content = files.read_full(kind, id)?;
    let found: String = digest(&SHA256, &content).as_ref().iter().map(|b| format!("{b:02x}")).collect();
    let name = id.to_hex();
    if found == *name {
        return Ok(content.len() as u64);
    }
    let short = name.get(..8).unwrap_or_default();
    Err(RepositoryError::Damaged(format!("{}/{short} is not what was written there", kind.dirname())))
}

impl Repository {
    /// Everything that can be known: every file is what was written, every snapshot's tree can be read, and every
    /// piece that a tree names is in an index and in a file of the right size. Answers the bytes read.
    ///
    /// # Errors
    /// [`RepositoryError::Damaged`] with the first thing that is wrong.
    pub fn check(&self) -> Result<u64, RepositoryError> {
        let bytes = verify_files(self.folder())?;
        contained(|| {
            let found = self.another()?.check(CheckOptions::default()).map_err(damaged)?;
            match found.is_ok() {
                Ok(()) => Ok(bytes),
                Err(_) => {
                    let what = found.0.first().map(|(_, error)| error.to_string()).unwrap_or_default();
                    Err(RepositoryError::Damaged(first_line(&what)))
                }
            }
        })
    }
}

/// What cannot be read once the key fits is damage.
#[expect(clippy::boxed_local, reason = "so the library hands it over")]
pub(crate) fn damaged(error: Box<rustic_core::RusticError>) -> RepositoryError {
    RepositoryError::Damaged(first_line(&error.display_log()))
}
