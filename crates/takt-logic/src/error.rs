//! Why a call did not succeed, in the words of this room.

use takt_engine::{ActionError, EngineError};

/// Errors of a call. A refusal by `reject` is none of them: it is an answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LogicError {
    /// There is no such function (or it is a helper, or of the other kind).
    #[error("there is no such function")]
    UnknownFunction,
    /// The caller has none of the roles in `access`.
    #[error("the caller may not call this function")]
    Denied,
    /// The input does not fit the function's `input`: nothing ran.
    #[error("{message}")]
    BadInput {
        /// `22023` for unknown, missing and refused values; `22P02`, `22003`, ... for malformed ones.
        code: &'static str,
        /// In one sentence, with the path: `items[0].quantity`.
        message: String,
        /// A way out.
        details: Option<String>,
    },
    /// The function threw, ran out of time or memory: nothing was written.
    #[error("{message}")]
    Failed {
        /// `57014` time, `54000` statements, `53200` memory, `54001` recursion, `P0001` thrown.
        code: &'static str,
        /// For the log and the developer.
        message: String,
        /// `logic/checkout.ts:12:9`
        position: Option<String>,
    },
    /// Too many `http` functions wait.
    #[error("too many functions run; try again")]
    Busy,
    /// The engine refused or failed, and the function did not catch it.
    #[error(transparent)]
    Engine(EngineError),
}

impl From<ActionError> for LogicError {
    fn from(error: ActionError) -> Self {
        match error {
            // The engine answers refusals; one that comes through is told like a thrown error.
            ActionError::Reject { status, .. } => {
                Self::Failed { code: "P0001", message: format!("refused with {status}"), position: None }
            }
            ActionError::Failed { code, message, position } => Self::Failed { code, message, position },
            ActionError::Engine(error) => Self::Engine(error),
        }
    }
}
