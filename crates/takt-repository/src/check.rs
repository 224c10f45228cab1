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
            // The library gives its kinds of findings and their gravity no public names.
            let is_grave = |level: &dyn std::fmt::Debug, what: &str| {
                format!("{level:?}") == "Error" && !is_leaving(what)
            };
            let told = found.0.iter().map(|(level, error)| (level, error.to_string()));
            match told.filter(|(level, what)| is_grave(level, what)).map(|(_, what)| what).next() {
                None => Ok(bytes),
                Some(what) => Err(RepositoryError::Damaged(first_line(&what))),
            }
        })
    }
}

/// What cannot be read once the key fits is damage.
#[expect(clippy::boxed_local, reason = "the library's errors come in boxes, and this is handed to `map_err`")]
pub(crate) fn damaged(error: Box<rustic_core::RusticError>) -> RepositoryError {
    RepositoryError::Damaged(first_line(&error.display_log()))
}

/// Whether a finding is about a file that no backup needs any more and that only waits to be deleted. After a process
/// was killed in the middle of that, the index may know less about such a file than there is in it, or name one that is
/// gone already.
fn is_leaving(what: &str) -> bool {
    what.starts_with("pack ")
        && (what.contains(" marked to delete: true") || what.contains(" marked to-delete: true"))
}

#[cfg(test)]
mod tests {
    use super::is_leaving;

    #[test]
    fn only_what_waits_to_be_deleted_is_no_damage() {
        for (what, expected) in [
            ("pack 299ec78b marked to delete: true: size computed by index: 36, actual size: 444894.", true),
            (
                "pack 299ec78b marked to-delete: true is referenced by the index with size 36 but not present!",
                true,
            ),
            (
                "pack 299ec78b marked to delete: false: size computed by index: 36, actual size: 444894.",
                false,
            ),
            ("file \"pack 1 marked to delete: true\" blob 1 is missing in index", false),
        ] {
            assert_eq!(is_leaving(what), expected, "{what}");
        }
    }
}
