//! What looking at a copy of a database gives.

use std::path::Path;

use crate::{StoreError, sqlite};

/// How a copy is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thoroughness {
    /// Its pages fit together.
    Quick,
    /// Its pages and indexes fit together, and every reference leads somewhere.
    Whole,
}

/// A database file, looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Examined {
    /// What is wrong with it; if anything is, nothing else was looked at.
    pub faults: Vec<String>,
    /// References that lead nowhere; always 0 for a quick look.
    pub broken_links: u64,
    /// Every table, by name.
    pub tables: Vec<CountedTable>,
}

/// A table in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountedTable {
    /// Its name.
    pub name: String,
    /// Its rows.
    pub rows: u64,
    /// The greatest value of the field that was asked for: microseconds since 1970 UTC.
    pub newest: Option<i64>,
}

/// Looks at a database file that nobody has open. `newest` names, for some tables, the field that dates their rows.
/// Nothing is written, not even beside the file.
///
/// # Errors
/// [`StoreError::Open`] if it is no database; see [`StoreError`].
pub fn examine(file: &Path, how: Thoroughness, newest: &[(String, String)]) -> Result<Examined, StoreError> {
    sqlite::examine(file, how, newest)
}
