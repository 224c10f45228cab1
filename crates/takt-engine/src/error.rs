//! What the engine can refuse.

use takt_model::Words;
use takt_plan::PlanError;
use takt_store::StoreError;

/// Errors of the engine; each floor below keeps its own words.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EngineError {
    /// The guard refused the plan.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The store refused or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The reply's verdict inside the transaction: not exactly one row (PGRST116).
    #[error("Cannot coerce the result to a single JSON object")]
    NotSingular {
        /// How many rows there were.
        rows: u64,
    },
    /// The same idempotency key came with another body: 422.
    #[error("the Idempotency-Key was used before with another request body")]
    IdempotencyMismatch,
    /// A hook refused the write: undone, told to the caller as an action's refusal is.
    #[error("{}", message.get("en").unwrap_or("a hook refused the write"))]
    Rejected {
        /// 400 to 499.
        status: u16,
        /// Told to the caller, per language.
        message: Words,
        /// Further JSON for the caller, or `null`.
        details_json: String,
    },
    /// A hook failed: the write is undone.
    #[error("{message}")]
    Hook {
        /// As in [`crate::ActionError::Failed`].
        code: &'static str,
        /// For the log and the developer.
        message: String,
        /// `logic/stock.ts:12:9`
        position: Option<String>,
    },
    /// The database does not fit the project and the way is not additive.
    #[error("{0}")]
    Schema(String),
    /// The database belongs to a newer Takt or is damaged in our own tables.
    #[error("internal error: {0}")]
    Internal(String),
}
