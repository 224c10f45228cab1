//! Where backups are kept: repositories in restic's format, a heavy library (`rustic_core`) behind a few functions.
//!
//! [`Repository`] writes snapshots of files, lists them, gives them back and forgets them; [`verify_files`] finds
//! damage without any key. Not here: what belongs into a backup, and when one is made (`takt-backup`).
//!
//! The library's weak places, and what stands against them (docs/adr/0018):
//! it leaves out files that it cannot read and calls the snapshot whole, so every snapshot is compared with what was
//! to be in it; its restore panics on damage, so files are taken out one after the other; and whatever panics
//! elsewhere is caught and becomes an error.

mod archive;
mod check;
mod error;
mod folder;
mod repository;
mod restore;

pub use archive::Item;
pub use check::verify_files;
pub use error::RepositoryError;
pub use folder::write_whole;
pub use repository::{Key, KeyHolder, Made, Repository, Snapshot};
pub use restore::Restored;
