//! Mappings: pure functions that turn one shape of data into another, for connections to other systems.
//! A file says `export const kind = "mapping"` and exports its functions by name. They have no database, no network,
//! no clock and no chance, so the same input gives the same output in every repeat. One that delivers an event in
//! several calls (`run` of a connection) may also talk to that connection, and to nothing else.

use std::sync::Arc;

use takt_model::{Source, Words};

use crate::{
    Logic, LogicError,
    js::mapping::{self, Errand},
};

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
        let errand = self.errand(path, export, input_json)?;
        let shared = Arc::clone(&self.shared);
        self.shared.workers.run(move || mapping::run(&shared, &errand)).await
    }

    /// As [`Logic::map`], for a function that talks to another system: its second argument has `call`, `step`,
    /// `refuse` and `CallError`. The conversation comes back with what its steps have kept, also after an error; nothing of it only if
    /// no worker could run.
    pub async fn converse<C: Converse + 'static>(
        &self,
        path: &str,
        export: &str,
        input_json: &str,
        conversation: C,
    ) -> (Result<String, LogicError>, Option<C>) {
        let errand = match self.errand(path, export, input_json) {
            Ok(errand) => errand,
            Err(error) => return (Err(error), Some(conversation)),
        };
        let shared = Arc::clone(&self.shared);
        let work = move || Ok(mapping::converse(&shared, &errand, conversation));
        self.shared.talkers.run(work).await.unwrap_or_else(|error| (Err(error), None))
    }

    fn errand(&self, path: &str, export: &str, input_json: &str) -> Result<Errand, LogicError> {
        let known = self.mapping(path).is_some_and(|m| m.exports.iter().any(|e| e == export));
        let errand =
            || Errand { path: path.to_owned(), export: export.to_owned(), input: input_json.to_owned() };
        known.then(errand).ok_or(LogicError::UnknownFunction)
    }
}

/// A talk with another system, as a delivering function leads it. Calls block their thread.
pub trait Converse: Send {
    /// Whether the other side speaks JSON-RPC: then a call is `{ method, params, headers, as }`, and its body the result.
    fn is_rpc(&self) -> bool {
        false
    }
    /// One call: `{ method, path, query, headers, body, accept, as }` as JSON text; gives `{ status, body }`.
    ///
    /// # Errors
    /// A sentence: no answer, or a status that is no success and not in `accept`.
    fn call(&mut self, request_json: &str) -> Result<String, String>;
    /// What a step of an earlier attempt gave, as JSON text.
    fn kept(&self, step: &str) -> Option<String>;
    /// Keeps what a step gave.
    fn keep(&mut self, step: &str, result_json: &str);
    /// The function says that trying again makes no sense.
    fn refuse(&mut self);
}
