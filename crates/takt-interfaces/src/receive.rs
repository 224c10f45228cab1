//! Messages that others send: checked, stored as an event named `<connection>.<type>`, answered; what follows are
//! deliveries to the consumers of that event, with their attempts, dead letters and replay like any other.
//!
//! Invariants: nothing is answered with success before it is on disk; a repeat is told by its id and has no effect; a
//! message whose effect fails stays due, it is never "seen"; one that breaks its contract is kept and parked.

use http::{HeaderMap, HeaderName};
use serde_json::Value as Json;
use takt_engine::{EngineError, EngineTx};
use takt_model::{Connection, ConnectionAuth, OperationKind, Project, Protocol, Receive};

use crate::{
    Direction, Interfaces, Judged,
    contract::{Place, Whose},
    interfaces::House,
    payload,
    rows::{drifts, received},
    sign::{self, Encoding, Scheme},
};

/// Characters of a message's id.
const LONGEST_ID: usize = 255;

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// It is on disk and will be handled.
    Stored,
    /// It was taken before.
    Repeated,
    /// Nobody wants messages of its type.
    Unwanted,
}

/// Why a message is not taken. The sender learns no more than this.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ReceiveError {
    /// Nothing comes in there.
    #[error("there is no such connection")]
    UnknownConnection,
    /// It does not prove where it comes from, or is too old.
    #[error("the signature does not fit")]
    Signature,
    /// It cannot be read.
    #[error("{0}")]
    Unreadable(&'static str),
    /// The secrets of the connection are not set: ours to mend, so the sender may come back.
    #[error("this connection is not ready yet")]
    NotReady,
    /// The engine's.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl From<takt_engine::StoreError> for ReceiveError {
    fn from(error: takt_engine::StoreError) -> Self {
        Self::Engine(error.into())
    }
}

/// A message that is believed.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    connection: String,
    pub(crate) id: String,
    /// A second name under which it counts as taken, where the first one is not signed.
    also: Option<String>,
    kind: Option<String>,
    body: String,
    /// The operation that wants it, and how it differs from its contract.
    operation: String,
    judged: Judged,
}

/// A message that should have come and was told otherwise: as though it had, not judged yet. None if nobody wants such messages.
pub(crate) fn as_though_it_came(connection: &Connection, body: &Json) -> Option<Message> {
    let (operation, receive, kind) = wanted(connection, body)?;
    let text = body.to_string();
    let id = id_in(receive, body).unwrap_or_else(|| digest(text.as_bytes()));
    let has_nul = id.contains('\0') || kind.as_ref().is_some_and(|k| k.contains('\0'));
    let is_fit = !id.is_empty() && id.len() <= LONGEST_ID && !has_nul;
    is_fit.then(|| Message {
        connection: connection.id.clone(),
        id,
        also: None,
        kind,
        body: text,
        operation: operation.to_owned(),
        judged: Judged::default(),
    })
}

impl Message {
    /// Judges it by its contract, as it is when a message comes.
    pub(crate) fn judge(&mut self, house: &House, project: &Project) {
        let body: Json = serde_json::from_str(&self.body).unwrap_or_default();
        self.judged = judge(house, project, &self.connection, &self.operation, &body);
    }
}

fn judge(house: &House, project: &Project, connection: &str, operation: &str, body: &Json) -> Judged {
    let place = Place { connection, operation, step: "" };
    let mut judged = house.judge(project, place, Direction::Request, Whose::Theirs, body);
    judged.make_storable();
    judged
}

fn id_in(receive: &Receive, body: &Json) -> Option<String> {
    receive.id.as_deref().and_then(|path| payload::at(body, path)).and_then(payload::text)
}

impl Interfaces {
    /// Takes a message for `connection`; `body` as it came, byte for byte.
    ///
    /// # Errors
    /// See [`ReceiveError`]; nothing is stored then.
    pub async fn receive(
        &self,
        connection: &str,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Received, ReceiveError> {
        let project = self.house.engine.project();
        let found = project.connection(connection).filter(|c| c.connect.protocol == Protocol::WebhookIn);
        let found = found.ok_or(ReceiveError::UnknownConnection)?;
        let signed_id = self.believed(found, headers, body)?;
        let text = std::str::from_utf8(body).map_err(|_| ReceiveError::Unreadable("the body is no text"))?;
        let json: Json =
            serde_json::from_str(text).map_err(|_| ReceiveError::Unreadable("the body is no JSON"))?;
        let Some((operation, receive, kind)) = wanted(found, &json) else { return Ok(Received::Unwanted) };
        // Without an id the content itself tells repeats. It does so too where the id is in a header that nobody signs:
        // who has overheard a message could send it again under another id.
        let also = (signed_id.is_some() && is_id_unsigned(found)).then(|| format!("body:{}", digest(body)));
        let id = signed_id.or_else(|| id_in(receive, &json)).unwrap_or_else(|| digest(body));
        if id.is_empty() || id.len() > LONGEST_ID {
            return Err(ReceiveError::Unreadable("the message's id is too long"));
        }
        if id.contains('\0') || kind.as_ref().is_some_and(|k| k.contains('\0')) {
            return Err(ReceiveError::Unreadable("the message's id or type has a NUL"));
        }
        let judged = judge(&self.house, &project, &found.id, operation, &json);
        let (connection, operation) = (found.id.clone(), operation.to_owned());
        let message = Message { connection, id, also, kind, body: text.to_owned(), operation, judged };
        Ok(self.house.engine.transact(move |tx| store(tx, &message)).await?)
    }

    /// The sender's name of the message, if its scheme has one.
    fn believed(
        &self,
        connection: &Connection,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Option<String>, ReceiveError> {
        let auth = &connection.connect.auth;
        let values: Vec<_> =
            auth.secrets().into_iter().filter_map(|n| self.house.secrets.secret(n)).collect();
        let Some(scheme) = scheme(auth).filter(|_| !values.is_empty()) else {
            tracing::error!(connection = connection.id, "the secret of a connection is not set");
            return Err(ReceiveError::NotReady);
        };
        let now = self.house.engine.now() / 1_000_000;
        let verified = sign::verify(&scheme, &values, headers, body, now, connection.connect.tolerance);
        let verified = verified.map_err(|refusal| {
            tracing::warn!(
                connection = connection.id,
                reason = refusal.reason(),
                "a message was not believed"
            );
            ReceiveError::Signature
        })?;
        Ok(verified.message_id)
    }
}

/// How the sender proves itself; nothing for what only we send.
fn scheme(auth: &ConnectionAuth) -> Option<Scheme> {
    Some(match auth {
        ConnectionAuth::StandardWebhooks { .. } => Scheme::Standard,
        ConnectionAuth::Stripe { .. } => Scheme::Stripe,
        ConnectionAuth::GitHub { .. } => Scheme::GitHub,
        ConnectionAuth::Hmac { header, prefix, base64, .. } => Scheme::Hmac {
            header: HeaderName::from_bytes(header.as_bytes()).ok()?,
            encoding: if *base64 { Encoding::Base64 } else { Encoding::Hex },
            prefix: prefix.clone(),
        },
        ConnectionAuth::Basic { user, .. } => Scheme::Basic { user: user.clone() },
        // Keys in headers and tokens prove us to others, not others to us.
        ConnectionAuth::None | ConnectionAuth::ApiKey { .. } | ConnectionAuth::OAuth2 { .. } => return None,
    })
}

/// The operation that wants the message, and the message's type.
fn wanted<'c>(connection: &'c Connection, json: &Json) -> Option<(&'c str, &'c Receive, Option<String>)> {
    connection.operations.iter().find_map(|operation| {
        let OperationKind::Receive(receive) = &operation.kind else { return None };
        let kind = payload::at(json, receive.kind.as_deref().unwrap_or("type")).and_then(payload::text);
        let is_wanted =
            receive.accept.is_empty() || kind.as_ref().is_some_and(|k| receive.accept.iter().any(|a| a == k));
        is_wanted.then_some((operation.name.as_str(), receive, kind))
    })
}

/// Whether the sender's name of a message stands where the signature does not reach.
fn is_id_unsigned(connection: &Connection) -> bool {
    matches!(connection.connect.auth, ConnectionAuth::GitHub { .. })
}

/// Takes it, unless it was taken before.
pub(crate) fn store(tx: &EngineTx, message: &Message) -> Result<Received, EngineError> {
    for name in [Some(&message.id), message.also.as_ref()].into_iter().flatten() {
        if received::taken_at(tx, &message.connection, name)?.is_some() {
            return Ok(Received::Repeated);
        }
    }
    let name = match &message.kind {
        Some(kind) => format!("{}.{kind}", message.connection),
        None => message.connection.clone(),
    };
    tx.emit(&name, Some(&message.id), &message.body)?;
    for name in [Some(&message.id), message.also.as_ref()].into_iter().flatten() {
        received::insert(tx, &message.connection, name, message.kind.as_deref())?;
    }
    // It is kept whatever it looks like; its consumers meet it parked if it breaks the contract.
    drifts::note(tx, &message.connection, &message.operation, &message.judged)?;
    Ok(Received::Stored)
}

/// Names what has no name.
pub(crate) fn digest(body: &[u8]) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.encode(ring::digest::digest(&ring::digest::SHA256, body))
}
