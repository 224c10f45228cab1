//! A connection to another system: one file in `interfaces/`, readable aloud.
//! Lives here: what a connection is. Not here: how its file is read (`read/connection.rs`), what is done with it
//! (`takt-interfaces`).

use std::time::Duration;

use crate::{ApiVersion, Contract, HealthProbe, PlausibleRule, Reconcile, Source, Words, settings::duration};

/// A connection: `interfaces/<id>.toml`.
#[derive(Debug, Clone, PartialEq)]
pub struct Connection {
    /// Name of the file without its ending.
    pub id: String,
    /// What it is for, in plain words.
    pub purpose: Words,
    /// Who is on the other side.
    pub partner: Partner,
    /// Who answers for it on our side.
    pub owner: String,
    /// Which system decides about which fields: `("erp", ["stock"])`.
    pub leads: Vec<(String, Vec<String>)>,
    /// What stands still when it is down, and what people do meanwhile.
    pub outage: Outage,
    /// Personal data that crosses it. Personal fields that are not named here do not leave.
    pub data: Vec<DataFlow>,
    /// Limits that protect both sides.
    pub guard: Guard,
    /// How the other side is reached.
    pub connect: Connect,
    /// Whether it is stopped until a person lets it go on; for connections that are not set up yet.
    pub paused: bool,
    /// What is done over it.
    pub operations: Vec<Operation>,
    /// What is compared with the other side.
    pub reconcile: Option<Reconcile>,
    /// How it is asked whether it is well.
    pub health: Option<HealthProbe>,
    /// Who said it: a file, or a program.
    pub origin: ConnectionOrigin,
    /// Where it stands.
    pub source: Source,
}

/// Who said a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ConnectionOrigin {
    /// `interfaces/<id>.toml`.
    #[default]
    File,
    /// A subscription that a program or a person made while the server ran; it is not part of the project's files.
    Subscription {
        /// Whether events are delivered to it.
        enabled: bool,
    },
}

impl Connection {
    /// Names of all secrets that it needs.
    #[must_use]
    pub fn secrets(&self) -> Vec<&str> {
        let asked = self.reconcile.as_ref().and_then(|r| r.connect.as_ref());
        let mut all = self.connect.auth.secrets();
        all.extend(asked.into_iter().flat_map(|c| c.auth.secrets()));
        all
    }

    /// Whether new events are delivered over it. What waits already is another question (`paused`).
    #[must_use]
    pub fn takes_events(&self) -> bool {
        self.origin != ConnectionOrigin::Subscription { enabled: false }
    }
}

/// The other side.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Partner {
    /// System and firm: "Tryton 8.2 (own server)".
    pub name: String,
    /// The same by language, where the file says it so; empty for subscriptions.
    pub names: Words,
    /// Whom to call when it does not work.
    pub contact: Option<String>,
    /// The data processing agreement ("AVV"), or why none is needed.
    pub agreement: Option<String>,
    /// ISO 3166 code of the country where the data goes.
    pub country: Option<String>,
}

/// What an outage means.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outage {
    /// What stands still and what people do meanwhile.
    pub words: Words,
    /// How long the business can bear it, as written: "8h".
    pub max: Option<String>,
}

impl Outage {
    /// How long the business can bear it.
    #[must_use]
    pub fn bearable(&self) -> Option<Duration> {
        self.max.as_deref().and_then(duration)
    }
}

/// Personal data that crosses a connection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DataFlow {
    /// Names of fields.
    pub fields: Vec<String>,
    /// What for.
    pub purpose: Option<String>,
    /// Legal basis.
    pub basis: Option<String>,
    /// How long the other side keeps it, as written.
    pub keep: Option<String>,
    /// Where it goes.
    pub country: Option<String>,
}

/// Limits of a connection.
#[derive(Debug, Clone, PartialEq)]
pub struct Guard {
    /// Of one call.
    pub timeout: Duration,
    /// Calls that may begin per second; 0 for any number.
    pub per_second: u32,
    /// Calls at the same time.
    pub concurrency: u32,
    /// When nobody calls for a while.
    pub breaker: Breaker,
}

impl Default for Guard {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(20), per_second: 0, concurrency: 8, breaker: Breaker::default() }
    }
}

/// A circuit breaker: after `failures` among the last `of` calls nothing is sent for `pause`, then one call tries;
/// each failed try doubles the pause, up to `pause_max`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breaker {
    /// Failed or unknown calls that open it.
    pub failures: u32,
    /// Calls that are looked at.
    pub of: u32,
    /// The first pause.
    pub pause: Duration,
    /// The longest pause.
    pub pause_max: Duration,
}

impl Default for Breaker {
    fn default() -> Self {
        Self { failures: 5, of: 10, pause: Duration::from_secs(30), pause_max: Duration::from_secs(600) }
    }
}

/// The language of the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP with JSON.
    Rest,
    /// JSON-RPC 2.0 over HTTP.
    JsonRpc,
    /// Standard Webhooks, sent by us.
    WebhookOut,
    /// Webhooks that others send to `/hooks/v1/<id>`.
    WebhookIn,
    /// Mail.
    Smtp,
}

/// How the other side is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connect {
    /// The language.
    pub protocol: Protocol,
    /// `https://erp.example/rest` without a slash at the end, `mail.example:587`, or empty for webhooks that come in.
    pub address: String,
    /// Who we are there.
    pub auth: ConnectionAuth,
    /// Headers of every call.
    pub headers: Vec<(String, String)>,
    /// Whether addresses of the own network may be reached; said by the file, because it is a risk.
    pub allow_private: bool,
    /// SMTP: who writes, `Blatt & Kanne <post@shop.example>`.
    pub from: Option<String>,
    /// SMTP: how the line is protected.
    pub security: MailSecurity,
    /// Webhooks that come in: how far the sender's clock may be off.
    pub tolerance: Duration,
    /// Which version of the other side's interface it was made for.
    pub api: Option<ApiVersion>,
    /// Where the address stands; where the connection does if there is none.
    pub source: Source,
}

impl Connect {
    /// The address for people and logs. A query may hold a key of the other side, and what stands before an `@` a
    /// password, so both are left out.
    #[must_use]
    pub fn shown_address(&self) -> String {
        let (before, query) = match self.address.split_once('?') {
            Some((before, _)) => (before, "?…"),
            None => (self.address.as_str(), ""),
        };
        let (scheme, rest) = before.split_once("://").map_or(("", before), |(s, r)| (s, r));
        let joint = if scheme.is_empty() { "" } else { "://" };
        let end = rest.find('/').unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        format!("{scheme}{joint}{host}{path}{query}")
    }
}

/// How a line to a mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MailSecurity {
    /// The line begins plain and must become TLS before anything is said.
    #[default]
    StartTls,
    /// TLS from the first byte.
    Tls,
    /// None; for servers on this machine.
    None,
}

/// Who we are on the other side, or how it proves itself to us. Secrets are names; `takt secrets` and the environment
/// have their values.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ConnectionAuth {
    /// Nothing is asked.
    #[default]
    None,
    /// A key in a header.
    ApiKey {
        /// `Authorization`
        header: String,
        /// `bearer `
        prefix: String,
        /// Name of the secret.
        secret: String,
    },
    /// HTTP basic, or the user of a mail server.
    Basic {
        /// The user.
        user: String,
        /// Name of the secret.
        secret: String,
    },
    /// Standard Webhooks: several secrets while they are rotated, the newest first.
    StandardWebhooks {
        /// Names of the secrets.
        secrets: Vec<String>,
    },
    /// `Stripe-Signature`.
    Stripe {
        /// Names of the secrets.
        secrets: Vec<String>,
    },
    /// `X-Hub-Signature-256`.
    GitHub {
        /// Names of the secrets.
        secrets: Vec<String>,
    },
    /// HMAC-SHA256 over the body in a header.
    Hmac {
        /// The header.
        header: String,
        /// What stands before the signature: `sha256=`.
        prefix: String,
        /// Whether it is base64 (else hex).
        base64: bool,
        /// Names of the secrets.
        secrets: Vec<String>,
    },
    /// OAuth 2 client credentials (RFC 6749, 4.4).
    OAuth2 {
        /// Where tokens are made.
        token_url: String,
        /// Who we are.
        client_id: String,
        /// Name of the secret.
        secret: String,
        /// What we ask for.
        scope: Option<String>,
    },
}

impl ConnectionAuth {
    /// Names of the secrets that it needs.
    #[must_use]
    pub fn secrets(&self) -> Vec<&str> {
        match self {
            Self::None => Vec::new(),
            Self::ApiKey { secret, .. } | Self::Basic { secret, .. } | Self::OAuth2 { secret, .. } => {
                vec![secret]
            }
            Self::StandardWebhooks { secrets }
            | Self::Stripe { secrets }
            | Self::GitHub { secrets }
            | Self::Hmac { secrets, .. } => secrets.iter().map(String::as_str).collect(),
        }
    }
}

/// One thing that is done over a connection.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// Its name, unique within the connection.
    pub name: String,
    /// What is done.
    pub kind: OperationKind,
    /// What its messages must look like.
    pub contract: Option<Contract>,
    /// Where it stands.
    pub source: Source,
}

/// What an operation does.
#[derive(Debug, Clone, PartialEq)]
pub enum OperationKind {
    /// Each event goes out.
    Deliver(Box<Deliver>),
    /// Each message that comes in is handled.
    Receive(Receive),
    /// The other side is asked again and again.
    Poll(Poll),
}

/// Events that go out.
#[derive(Debug, Clone, PartialEq)]
pub struct Deliver {
    /// Names of events; `order.*` for all that begin so.
    pub on: Vec<String>,
    /// Where the ordering key stands in the event, `order.id`: events of one key go one after the other.
    pub lane: Option<String>,
    /// `POST /orders`; nothing for webhooks and mail.
    pub request: Option<HttpRequest>,
    /// Which function makes the body of the event: `logic/erp.ts` and `toSale`.
    pub map: Option<ExportRef>,
    /// Which function delivers the event in several calls: `logic/erp.ts` and `sendOrder`.
    pub run: Option<ExportRef>,
    /// The name of the mail template.
    pub mail: Option<MailOut>,
    /// What is done where nobody knows whether it arrived.
    pub on_unknown: OnUnknown,
    /// Which function looks there whether it arrived: `logic/erp.ts` and `isThere`.
    pub look_up: Option<ExportRef>,
    /// The header that carries the delivery's id, so that the other side can tell repeats.
    pub idempotency_header: Option<String>,
    /// When to try again, and when to give up.
    pub retry: Retry,
    /// Statuses that count as done: 409 for "is there already".
    pub ok_also: Vec<u16>,
}

impl Deliver {
    /// As webhooks are delivered of which nothing is said: the event itself, by the schedule of Standard Webhooks.
    #[must_use]
    pub fn webhook(on: Vec<String>) -> Self {
        Self {
            on,
            lane: None,
            request: None,
            map: None,
            run: None,
            mail: None,
            on_unknown: OnUnknown::Resend,
            look_up: None,
            idempotency_header: None,
            retry: Retry::webhook(),
            ok_also: Vec::new(),
        }
    }
}

/// Whether an event is meant by `order.placed`, `order.*` or `*`.
#[must_use]
pub fn event_fits(pattern: &str, event: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => event.starts_with(beginning),
        None => pattern == event,
    }
}

/// A mail that an event causes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailOut {
    /// Name of the template in `mails/`.
    pub template: String,
    /// Where the address stands in the event: `order.email`.
    pub to: String,
    /// Where the language stands in the event: `order.language`.
    pub language: Option<String>,
}

/// A request by method and path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// `POST`
    pub method: String,
    /// Behind the connection's address; `$order.number` stands for a value of the event.
    pub path: String,
}

/// A function of the project's logic by file and name: `logic/erp.ts#toSale`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportRef {
    /// `logic/erp.ts`
    pub file: String,
    /// `toSale`
    pub export: String,
}

/// What is done with an attempt that may or may not have arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnUnknown {
    /// Sent again with the same id; the other side tells repeats by it.
    #[default]
    Resend,
    /// A function looks there first: what arrived is done, what did not is sent again, and where that cannot be told
    /// a person decides.
    LookUp,
    /// A person decides.
    Ask,
}

/// When to try again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// The pauses between attempts; the last one repeats.
    pub schedule: Vec<Duration>,
    /// How long after the first attempt there is a last one.
    pub give_up: Duration,
    /// What becomes of the lane of a dead letter.
    pub on_dead: OnDead,
}

/// What becomes of the later deliveries in the lane of a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnDead {
    /// They wait until somebody decides about the dead letter.
    #[default]
    BlockLane,
    /// They go on.
    Skip,
}

impl Retry {
    /// For receivers of webhooks, after Standard Webhooks: patient for three days and three and a half hours, which is
    /// how long its own schedule lasts.
    #[must_use]
    pub fn webhook() -> Self {
        const HOUR: u64 = 3600;
        let give_up = Duration::from_secs(75 * HOUR + 35 * 60);
        Self { give_up, ..Self::of([5, 30, 300, 1800, 2 * HOUR, 5 * HOUR, 10 * HOUR]) }
    }

    /// For interfaces of business systems: quick at first.
    #[must_use]
    pub fn api() -> Self {
        Self::of([2, 10, 60, 300, 1800, 3600])
    }

    /// For mail, after RFC 5321, 4.5.4.1.
    #[must_use]
    pub fn mail() -> Self {
        Self::of([60, 300, 1800, 3600])
    }

    fn of<const N: usize>(seconds: [u64; N]) -> Self {
        let schedule = seconds.into_iter().map(Duration::from_secs).collect();
        Self { schedule, give_up: Duration::from_secs(3 * 86_400), on_dead: OnDead::default() }
    }
}

/// Questions on a schedule: what the function brings becomes an event `<connection>.<operation>`, which consumers in
/// `logic/` handle.
#[derive(Debug, Clone, PartialEq)]
pub struct Poll {
    /// How often.
    pub every: Duration,
    /// Which function asks: `logic/erp.ts` and `stock`.
    pub run: ExportRef,
    /// What must hold of what it brings, or nothing is done with it.
    pub plausible: Vec<PlausibleRule>,
}

/// Messages that come in: each becomes an event `<connection>.<type>`, which consumers in `logic/` handle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receive {
    /// Types of messages that are handled; empty for all. Others are answered with success and not kept.
    pub accept: Vec<String>,
    /// Where the message says what it is about, as people call it: `data.object.metadata.order`.
    pub number: Option<String>,
    /// Where the message's id stands in its body, if no header says it: `id`.
    pub id: Option<String>,
    /// Where the message's type stands in its body: `type`.
    pub kind: Option<String>,
    /// How long handled messages are kept, so that late repeats are told.
    pub keep: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_end_in_a_star() {
        for (pattern, event, fitting) in [
            ("order.placed", "order.placed", true),
            ("order.placed", "order.placed.again", false),
            ("order.*", "order.placed", true),
            ("order.*", "orders", false),
            ("*", "anything", true),
        ] {
            assert_eq!(event_fits(pattern, event), fitting, "{pattern} {event}");
        }
    }
}
