//! Mail through the door: one message, one SMTP server, one honest answer.
//!
//! Lives here: the server's description and the call; `mail/address.rs` and `mail/message.rs` say what a mail is,
//! `mail/dialogue.rs` speaks SMTP, `mail/error.rs` says what a failure means.
//! Invariant: after a failure it is known whether the server may have accepted the mail; only
//! [`MailError::Unknown`] says that it may.
//! Not here: templates, retries, and who gets a mail (that is for the rooms above).

mod address;
mod connect;
mod dialogue;
mod error;
mod message;
mod reply;

use std::time::Duration;

pub use address::{MailAddress, MessageId};
pub use error::{MailClass, MailError, MailStage};
pub use message::{Mail, Submission, Unsubscribe};

use crate::{LastOutcome, Outbound, Secret};
use dialogue::Dialogue;

/// How the connection to the server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailSecurity {
    /// TLS from the first byte; port 465.
    Tls,
    /// Begins in the clear and must become TLS before anything is said; port 587. A server that does not offer it
    /// gets no mail.
    StartTls,
    /// In the clear, to an address of the own machine or network only.
    None,
    /// In the clear, even through the internet. Never with a password.
    NoneInPublic,
}

/// The server that takes our mails.
#[derive(Debug, Clone)]
pub struct MailServer {
    /// Name or address. The certificate must be made out to it.
    pub host: String,
    /// 465, 587 or 25.
    pub port: u16,
    /// Protection of the connection.
    pub security: MailSecurity,
    /// Who we are there; servers of the own network often do not ask.
    pub credentials: Option<MailCredentials>,
    /// The name by which we greet: our own host name.
    pub helo: String,
    /// For the whole call; never longer than the door's own.
    pub timeout: Duration,
    /// Certificates (DER) of authorities that are trusted besides the public ones: the firm's own.
    pub roots: Vec<Vec<u8>>,
    /// Whether a server of the own machine or network is meant, whatever the door allows otherwise.
    pub allow_private: bool,
}

/// An account on a mail server.
#[derive(Debug, Clone)]
pub struct MailCredentials {
    /// Often a mail address.
    pub user: String,
    /// Its password.
    pub password: Secret,
}

/// The server has accepted the mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailAnswer {
    /// 250.
    pub code: u16,
    /// "2.0.0 Ok: queued as 4F2B": the name of the mail in the server's own log.
    pub text: String,
}

impl Outbound {
    /// Hands `mail` to `server` for `purpose`. One message to all recipients, or to none.
    ///
    /// # Errors
    /// See [`MailError`]; [`MailError::class`] says whether another attempt makes sense.
    pub async fn send_mail(
        &self,
        purpose: &str,
        server: &MailServer,
        mail: Mail,
    ) -> Result<MailAnswer, MailError> {
        let host = format!("{}:{}", server.host, server.port);
        let result = self.talk(server, &host, &mail).await;
        let last = match &result {
            Ok(answer) => LastOutcome::Answered(answer.code),
            Err(error) => LastOutcome::Failed(error.to_string()),
        };
        if let Err(error) = &result {
            tracing::warn!(host, purpose, %error, "a mail was not accepted");
        }
        self.record(&host, purpose, last);
        result
    }

    async fn talk(&self, server: &MailServer, host: &str, mail: &Mail) -> Result<MailAnswer, MailError> {
        let message = message::build(mail)?;
        let options = self.options();
        let after = server.timeout.min(options.timeout);
        let mut dialogue = Dialogue::new(server, host, options.allow_private || server.allow_private);
        let spoken = tokio::time::timeout(after, dialogue.hand_over(&message)).await;
        // Outside the timeout: a server that is slow to say goodbye does not undo what it has accepted.
        dialogue.goodbye().await;
        spoken.unwrap_or_else(|_| Err(dialogue.timed_out(after)))
    }
}
