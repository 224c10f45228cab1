//! The only door to the outside: every call names its purpose, has a timeout, and is listed.
//!
//! What a call may reach is decided on the address that is *connected to*, not on the name that was asked for:
//! a name that points into the own network is refused like the address itself.
//! Not here: what is sent (that is for the rooms above), and object storage (it comes later).

mod address;
mod dependencies;
mod door;
mod error;
mod mail;
mod request;
mod secret;
mod tls;

pub use address::{is_private, names_own_network};
pub use dependencies::{Dependency, LastOutcome};
pub use door::{Outbound, OutboundOptions, host_of_address};
pub use error::{ConnectStep, OutboundError};
pub use mail::{
    Mail, MailAddress, MailAnswer, MailClass, MailCredentials, MailError, MailSecurity, MailServer,
    MailStage, MessageId, Submission, Unsubscribe,
};
pub use request::{Answered, Request, Response};
pub use secret::Secret;
