//! What this room refuses.

use takt_engine::EngineError;
use takt_model::Uuid;

use crate::Complaint;

/// Errors of the room.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum InterfacesError {
    /// There is no such delivery.
    #[error("there is no delivery {0}")]
    UnknownDelivery(Uuid),
    /// There is no such connection.
    #[error("there is no connection `{0}`")]
    UnknownConnection(String),
    /// There is no such difference from a contract.
    #[error("there is no change {0}")]
    UnknownDrift(Uuid),
    /// What was asked does not fit the delivery's state.
    #[error("{0}")]
    NotNow(String),
    /// The body is no JSON.
    #[error("the new body is not JSON: {0}")]
    Body(String),
    /// Nothing was compared with the other side.
    #[error(transparent)]
    NotCompared(#[from] NotCompared),
    /// There is no such subscription.
    #[error("there is no webhook `{0}`")]
    UnknownSubscription(String),
    /// A subscription that cannot be kept as it is said: everything that is wrong with it.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Subscription(Vec<Complaint>),
    /// There are as many subscriptions as there may be.
    #[error("there are {0} webhooks already, and no more may be (`webhooks.subscriptions` of the settings)")]
    TooManySubscriptions(u64),
    /// Only webhooks that go out can be tested.
    #[error("`{0}` is no webhook that goes out; only those can be tested")]
    NoWebhook(String),
    /// The system gives no random numbers, or a secret cannot be sealed.
    #[error("no secret could be made")]
    NoChance,
    /// The engine's.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// Why nothing was compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotCompared {
    /// The connection's file does not say what to compare.
    #[error("the file of this connection has no `[reconcile]`")]
    Undeclared,
    /// A person has stopped the connection.
    #[error("this connection is paused")]
    Paused,
    /// It is not set up.
    #[error("the secret `{0}` is not set; `takt secrets set {0}` sets it")]
    Secret(String),
    /// One comparison at a time.
    #[error("a comparison is running; it will be there in a moment")]
    Busy,
}

impl From<takt_engine::StoreError> for InterfacesError {
    fn from(error: takt_engine::StoreError) -> Self {
        Self::Engine(error.into())
    }
}
