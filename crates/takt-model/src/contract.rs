//! What the messages of an operation must look like: names of JSON Schemas in `contracts/`, and what follows when an
//! answer does not fulfil its own.
//! Lives here: what is declared. Not here: how it is read (`read/connection/contract.rs`), how messages are judged
//! (`takt-interfaces`), and rules about figures (`plausible.rs`).

use crate::Source;

/// The contract of an operation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Contract {
    /// What we send, or, of messages that come in, what others send.
    pub request: Option<SchemaRef>,
    /// What is answered.
    pub response: Option<SchemaRef>,
    /// Calls of a function that makes several, by the name of the call or of the step in which it is made.
    pub steps: Vec<StepContract>,
    /// What is done when the other side has changed so that it no longer fulfils the contract.
    pub on_drift: OnDrift,
}

/// The contract of one call of a function that makes several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepContract {
    /// Name of the call (`as`), or of the step around it.
    pub name: String,
    /// What we send.
    pub request: Option<SchemaRef>,
    /// What is answered.
    pub response: Option<SchemaRef>,
    /// Where it stands.
    pub source: Source,
}

/// A JSON Schema (draft 2020-12) of the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaRef {
    /// `contracts/erp/sale.request.json`
    pub file: String,
    /// Where it is named.
    pub source: Source,
}

/// What is done about an answer, or a message that came in, that breaks its contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnDrift {
    /// Nothing is written; the delivery is parked and its lane stops until the contract is corrected or a person accepts.
    #[default]
    StopLane,
    /// It is noted and shown; work goes on with what came.
    Note,
}

impl Contract {
    /// Every schema that it names.
    pub fn schemas(&self) -> impl Iterator<Item = &SchemaRef> {
        let steps = self.steps.iter().flat_map(|s| [&s.request, &s.response]);
        [&self.request, &self.response].into_iter().chain(steps).flatten()
    }
}
