//! Why a mail was not accepted, and whether another attempt makes sense.

use std::{fmt, time::Duration};

use crate::ConnectStep;

/// Errors of [`crate::Outbound::send_mail`]. The texts name server, stage and code; what the server wrote often
/// repeats an address, so it stands in a field of its own and not in the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// The mail cannot be sent as it stands.
    #[error("the mail cannot be sent: {0}")]
    Invalid(String),
    /// The server's address belongs to the own machine or network and is not allowed by a setting.
    #[error("{host} is an address of a private network; allow it in the settings if it is meant")]
    PrivateAddress {
        /// Host as asked for, with port.
        host: String,
    },
    /// No connection: name unknown, refused, no way there.
    #[error("no connection to {host}: {reason}")]
    NoConnection {
        /// Host as asked for, with port.
        host: String,
        /// Which step failed.
        step: ConnectStep,
        /// In the words of the network.
        reason: String,
    },
    /// The server does not want this mail: another attempt would end the same way.
    #[error("{host} refused {stage} ({code})")]
    Refused {
        /// Host as asked for, with port.
        host: String,
        /// What it refused.
        stage: MailStage,
        /// 5xx.
        code: u16,
        /// The server's words.
        answer: String,
    },
    /// The mail was not accepted; another attempt may succeed.
    #[error("{host} did not accept the mail at {stage}: {reason}")]
    Failed {
        /// Host as asked for, with port.
        host: String,
        /// How far it came.
        stage: MailStage,
        /// In our words or those of the network.
        reason: String,
        /// The server's words, if it said any.
        answer: Option<String>,
    },
    /// The whole mail was handed over, but the answer did not come: the server may have accepted it. Another
    /// attempt may be a second copy (with the same Message-ID).
    #[error("{host} may have accepted the mail: {reason}")]
    Unknown {
        /// Host as asked for, with port.
        host: String,
        /// Why there is no answer.
        reason: String,
    },
}

/// What a failed mail means for the next attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailClass {
    /// Never again as it stands.
    Refused,
    /// Nothing was accepted: again later.
    Failed,
    /// It may have been accepted.
    Unknown,
}

impl MailError {
    /// What it means for the next attempt.
    #[must_use]
    pub fn class(&self) -> MailClass {
        match self {
            Self::Invalid(_) | Self::Refused { .. } => MailClass::Refused,
            Self::PrivateAddress { .. } | Self::NoConnection { .. } | Self::Failed { .. } => {
                MailClass::Failed
            }
            Self::Unknown { .. } => MailClass::Unknown,
        }
    }
}

/// How far a dialogue came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MailStage {
    /// Finding and connecting the server.
    Connect,
    /// The greetings of both sides.
    Greeting,
    /// Agreeing on TLS.
    Tls,
    /// User and password.
    SignIn,
    /// Whom the mail is from.
    Sender,
    /// Whom the mail goes to; counted from 1.
    Recipient(usize),
    /// Handing over the text, until just before its end.
    Content,
    /// The end of the text was sent: from here on the server may have accepted it.
    Answer,
}

impl fmt::Display for MailStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect => f.write_str("the connection"),
            Self::Greeting => f.write_str("the greeting"),
            Self::Tls => f.write_str("the encryption"),
            Self::SignIn => f.write_str("the sign-in"),
            Self::Sender => f.write_str("the sender"),
            Self::Recipient(n) => write!(f, "recipient {n}"),
            Self::Content | Self::Answer => f.write_str("the message"),
        }
    }
}

/// What went wrong inside a dialogue, before it is judged by the stage it happened in.
#[derive(Debug)]
pub(super) enum Fault {
    /// An error answer of the server.
    Code { code: u16, text: String },
    /// The network, or words that are no SMTP.
    Broken(String),
}

impl Fault {
    pub(super) fn broken(reason: impl fmt::Display) -> Self {
        Self::Broken(reason.to_string())
    }

    /// A 5xx before the sender is named refuses *us* (a wrong password, a blocked address), not this mail: once
    /// the settings are right, the waiting mails shall go. So it counts as failed.
    pub(super) fn judged(self, host: &str, stage: MailStage) -> MailError {
        let host = host.to_owned();
        match self {
            Self::Code { code, text } if code >= 500 && stage >= MailStage::Sender => {
                MailError::Refused { host, stage, code, answer: text }
            }
            Self::Code { code, text } => {
                MailError::Failed { host, stage, reason: format!("answer {code}"), answer: Some(text) }
            }
            Self::Broken(reason) if stage == MailStage::Answer => MailError::Unknown { host, reason },
            Self::Broken(reason) => MailError::Failed { host, stage, reason, answer: None },
        }
    }

    pub(super) fn late(after: Duration) -> Self {
        Self::Broken(format!("no answer within {} ms", after.as_millis()))
    }
}
