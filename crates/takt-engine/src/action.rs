//! A business action: one transaction with its story, its events and its idempotency key.

use takt_model::{Principal, Words};
use takt_plan::{Plan, Rows};
use takt_store::Outcome;

use crate::{Engine, EngineError, EngineTx};

/// An action that is to run.
#[derive(Debug, Clone)]
pub struct Action {
    /// Name of the function: `checkout`.
    pub function: String,
    /// What people call it.
    pub label: Words,
    /// Who called.
    pub caller: Principal,
    /// With whose rights its plans run: the caller's, or elevated (`runs_as = "service"`).
    pub rights: Principal,
    /// The input as canonical JSON text, for the idempotency key's comparison.
    pub input_json: String,
    /// From the header, if sent.
    pub idempotency: Option<Idempotency>,
}

/// An `Idempotency-Key`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    /// As sent; 1 to 255 visible characters.
    pub key: String,
}

/// How an action ended, as it is answered (and, with a key, kept and answered again).
#[derive(Debug, Clone, PartialEq)]
pub struct ActionAnswer {
    /// HTTP status: 200, 204 for nothing, or the status of `reject`.
    pub status: u16,
    /// JSON text of the result, or of the refusal: `{"message": {"de": .., "en": ..}, "details": ..}`.
    pub body: String,
    /// Whether the action refused by `reject`.
    pub refused: bool,
    /// Whether this is an answer kept from an earlier call.
    pub replayed: bool,
    /// Id of the story.
    pub story: takt_model::Uuid,
}

/// Why an action did not succeed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ActionError {
    /// `reject(status, words)`: rolled back, told to the caller, kept under the idempotency key.
    #[error("refused with {status}")]
    Reject {
        /// 400 to 499.
        status: u16,
        /// Told to the caller, per language.
        message: Words,
        /// Further JSON for the caller, or `null`.
        details_json: String,
    },
    /// The function threw, ran out of time or memory: rolled back, told as an error without inner detail.
    #[error("{message}")]
    Failed {
        /// `57014` time, `53200` memory, `54001` recursion, `P0001` thrown.
        code: &'static str,
        /// For the log and the developer.
        message: String,
        /// `logic/checkout.ts:12:9`
        position: Option<String>,
    },
    /// A plan was refused and the function did not catch it.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl From<takt_store::StoreError> for ActionError {
    fn from(error: takt_store::StoreError) -> Self {
        Self::Engine(error.into())
    }
}

/// The transaction of an action: an [`EngineTx`] that writes down what happens for the story.
/// A cheap handle (`Clone`), bound to its thread, dead after the action.
#[derive(Clone)]
pub struct ActionTx {
    _todo: std::rc::Rc<EngineTx>,
}

impl ActionTx {
    /// Guards (with the action's rights) and runs a plan; written rows enter the story.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub fn rows(&self, plan: Plan) -> Result<(Rows, Outcome), EngineError> {
        let _ = plan;
        todo!("engine")
    }

    /// The transaction beneath.
    #[must_use]
    pub fn inner(&self) -> &EngineTx {
        todo!("engine")
    }

    /// A step begins; steps may nest. Returns its number for [`ActionTx::step_end`].
    pub fn step_begin(&self, label: Words) -> usize {
        let _ = label;
        todo!("engine")
    }

    /// A step ends.
    pub fn step_end(&self, step: usize, succeeded: bool) {
        let _ = (step, succeeded);
        todo!("engine")
    }

    /// An event that leaves if and only if the action commits.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub fn emit(&self, name: &str, key: Option<&str>, payload_json: &str) -> Result<(), EngineError> {
        let _ = (name, key, payload_json);
        todo!("engine")
    }

    /// How many plans ran so far (for the limit on statements).
    #[must_use]
    pub fn statements(&self) -> u32 {
        todo!("engine")
    }
}

impl Engine {
    /// Runs `job` as one action: its plans, events, story and kept answer commit together or not at all.
    /// A refusal rolls back everything but the story and the kept answer. `job` returns the result as JSON text
    /// (empty for nothing) and may run more than once.
    ///
    /// # Errors
    /// [`ActionError::Failed`] and [`ActionError::Engine`]; a refusal is an `Ok` with `refused`.
    pub async fn act(
        &self,
        action: Action,
        job: impl FnMut(&ActionTx) -> Result<String, ActionError> + Send + 'static,
    ) -> Result<ActionAnswer, ActionError> {
        let _ = (action, job);
        todo!("engine")
    }
}
