//! Mappings: pure functions that turn one shape of data into another, for connections to other systems.
//! A file says `export const kind = "mapping"` and exports its functions by name. They have no database, no network,
//! no clock and no chance, so the same input gives the same output in every repeat.

use std::sync::Arc;

use takt_model::{Source, Words};

use crate::{Logic, LogicError, js::mapping};

/// A file of mapping functions.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// What people call it; the file if nothing is said.
    pub label: Words,
    /// What it does.
    pub about: Words,
    /// Names of its functions.
    pub exports: Vec<String>,
    /// The file: `logic/erp.ts`.
    pub source: Source,
}

impl Logic {
    /// All files of mapping functions, by path.
    #[must_use]
    pub fn mappings(&self) -> &[Mapping] {
        &self.shared.mappings
    }

    /// The mapping file at `path`: `logic/erp.ts`.
    #[must_use]
    pub fn mapping(&self, path: &str) -> Option<&Mapping> {
        self.shared.mappings.iter().find(|m| m.source.file == path)
    }

    /// Calls the function `export` of the mapping file at `path` with JSON text; gives JSON text (`null` for nothing).
    /// It has the time and memory of an action, on a worker's thread.
    ///
    /// # Errors
    /// [`LogicError::UnknownFunction`], or what the function failed at.
    pub async fn map(&self, path: &str, export: &str, input_json: &str) -> Result<String, LogicError> {
        let known = self.mapping(path).is_some_and(|m| m.exports.iter().any(|e| e == export));
        if !known {
            return Err(LogicError::UnknownFunction);
        }
        let shared = Arc::clone(&self.shared);
        let (path, export, input) = (path.to_owned(), export.to_owned(), input_json.to_owned());
        self.shared.workers.run(move || mapping::run(&shared, &path, &export, &input)).await
    }
}
