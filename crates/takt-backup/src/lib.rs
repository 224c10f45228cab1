//! Backups that are proven: what belongs into one, when an old one may go, and the drill that gives each back and
//! looks at it. Kept in restic's format (`takt-repository`); what was done is kept in tables of its own.
//!
//! [`back_up`] makes one while writes go on, [`drill()`] restores one into a scratch place and compares it with the
//! manifest that was written with it, [`restore_into`] and [`restore_over`] give one back, after the same comparison
//! and before anything live is touched. Not here: when (`takt-server`), and what an owner is told (`takt-report`).

mod content;
mod drill;
mod error;
mod give_way;
mod key;
mod make;
mod manifest;
mod place;
mod restore;
mod retention;
mod rows;
mod scratch;

pub use drill::{Drilled, Opens, drill};
pub use error::BackupError;
pub use give_way::give_way;
pub use key::{instance_key, new_owner_key, owner_key};
pub use make::{BackupMade, Instance, back_up};
pub use manifest::{Manifest, TableRows};
pub use place::{Nearness, nearness};
pub use restore::{INTERRUPTED, RestoredBackup, restore_into, restore_over};
pub use retention::{Keep, to_forget};
pub use rows::{BackupRow, DrillRow, History};
pub use takt_repository::{Key, KeyHolder, Repository, RepositoryError, Snapshot};

use takt_model::SystemTables;

/// The tables of what was backed up and tried.
pub const TABLES: SystemTables =
    SystemTables { file: "takt-backup/src/tables.toml", text: include_str!("tables.toml") };
