//! Why a call to the outside did not bring an answer.

use std::time::Duration;

/// Errors of the door. The texts name host and reason, never a query string, header or body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutboundError {
    /// The request cannot be sent as it stands: bad URL, other scheme than http(s), bad header.
    #[error("the request cannot be sent: {0}")]
    Invalid(String),
    /// The address belongs to the own machine or network and is not allowed by a setting.
    #[error("{host} is an address of a private network; allow it in the settings if it is meant")]
    PrivateAddress {
        /// Host as asked for.
        host: String,
    },
    /// No answer in time.
    #[error("{host} did not answer within {} ms", after.as_millis())]
    Timeout {
        /// Host as asked for.
        host: String,
        /// How long was waited.
        after: Duration,
    },
    /// No connection: name unknown, refused, certificate not trusted.
    #[error("no connection to {host}: {reason}")]
    Connect {
        /// Host as asked for.
        host: String,
        /// Which step failed.
        step: ConnectStep,
        /// In the words of the network.
        reason: String,
    },
    /// The connection was there, but broke before an answer: whether the request was handled is not known.
    #[error("{host} closed the connection without an answer: {reason}")]
    Lost {
        /// Host as asked for.
        host: String,
        /// In the words of the network.
        reason: String,
    },
    /// The answer is longer than allowed.
    #[error("the answer of {host} is longer than {limit} bytes")]
    TooLarge {
        /// Host as asked for.
        host: String,
        /// Bytes.
        limit: usize,
    },
    /// The connection broke during the answer.
    #[error("the answer of {host} broke off: {reason}")]
    Broken {
        /// Host as asked for.
        host: String,
        /// In the words of the network.
        reason: String,
    },
}

/// The step at which a connection failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectStep {
    /// The name leads nowhere.
    Name,
    /// The machine is there, and nobody listens at the port.
    Refused,
    /// The certificate is not trusted, or the two sides share no way of encryption.
    Tls,
    /// Anything else: no route, no answer.
    Route,
}

impl OutboundError {
    /// Whether the request may have been handled although no answer came.
    #[must_use]
    pub fn may_have_arrived(&self) -> bool {
        match self {
            Self::Invalid(_) | Self::PrivateAddress { .. } | Self::Connect { .. } => false,
            Self::Timeout { .. } | Self::Lost { .. } | Self::TooLarge { .. } | Self::Broken { .. } => true,
        }
    }
}
