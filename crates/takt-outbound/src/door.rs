//! The door: one HTTP client with its rules.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use reqwest::{
    Client, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect,
};
use tokio::time::Instant;

use crate::{
    Answered, ConnectStep, Dependency, LastOutcome, OutboundError, Request, Response, address::is_private,
    dependencies::Dependencies, tls,
};

/// The rules of the door.
#[derive(Debug, Clone)]
pub struct OutboundOptions {
    /// No call takes longer, whatever it asks for.
    pub timeout: Duration,
    /// Bytes of an answer.
    pub max_response: usize,
    /// Whether private, loopback and link-local addresses may be reached.
    pub allow_private: bool,
    /// Names itself so.
    pub user_agent: String,
}

impl Default for OutboundOptions {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            max_response: 10 * 1024 * 1024,
            allow_private: false,
            user_agent: concat!("takt/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// The only door to the outside. Cheap to clone.
#[derive(Clone)]
pub struct Outbound {
    inner: Arc<Inner>,
}

struct Inner {
    options: OutboundOptions,
    /// Reaches public addresses only, unless the door's options say otherwise.
    client: Result<Client, String>,
    /// Reaches every address; for requests that say so.
    private_client: Result<Client, String>,
    seen: Dependencies,
}

/// For looking up a name that is about to be kept.
const JUDGING: Duration = Duration::from_secs(3);
/// Bytes of a body that is too large which are kept.
const BEGINNING: usize = 16 * 1024;
/// Greatest number of redirects that a request may ask for.
const MOST_REDIRECTS: usize = 10;

impl Outbound {
    /// Builds the door. Nothing is connected yet; a client that cannot be built is told at the first call.
    #[must_use]
    pub fn new(options: OutboundOptions) -> Self {
        let client = build_client(&options, options.allow_private);
        let private_client = build_client(&options, true);
        let seen = Dependencies::default();
        Self { inner: Arc::new(Inner { options, client, private_client, seen }) }
    }

    /// Sends `request` for `purpose` and reads the whole answer.
    ///
    /// # Errors
    /// See [`OutboundError`]. An answer with an error status is an answer.
    pub async fn send(&self, purpose: &str, request: Request) -> Result<Response, OutboundError> {
        self.ask(purpose, request).await?.whole()
    }

    /// As [`Outbound::send`], for whoever needs the answer's status above all: a body that breaks off, takes too long or
    /// is too large is told beside what came of the answer.
    ///
    /// # Errors
    /// See [`OutboundError`]: no head of an answer came.
    pub async fn ask(&self, purpose: &str, request: Request) -> Result<Answered, OutboundError> {
        let url = parse(&request.url)?;
        let host = host_of(&url);
        let result = self.checked(url, &host, request).await;
        let trouble = match &result {
            Ok(answered) => answered.unread.as_ref(),
            Err(error) => Some(error),
        };
        let last = match (&result, trouble) {
            (Ok(answered), None) => LastOutcome::Answered(answered.response.status),
            (_, Some(error)) => {
                tracing::warn!(host, purpose, %error, "a call to the outside failed");
                LastOutcome::Failed(error.to_string())
            }
            (Err(error), None) => LastOutcome::Failed(error.to_string()),
        };
        self.inner.seen.record(&host, purpose, last);
        result
    }

    /// Every host that was called since start, by host and purpose.
    #[must_use]
    pub fn dependencies(&self) -> Vec<Dependency> {
        self.inner.seen.list()
    }

    /// Judges an address before it is kept: whether it could be called, and whether it leads into the own network.
    /// The name is looked up now; a name that nobody knows yet passes. What is really connected is judged again at
    /// each call: names move.
    ///
    /// # Errors
    /// [`OutboundError::Invalid`] or [`OutboundError::PrivateAddress`].
    pub async fn judge(&self, url: &str, allow_private: bool) -> Result<(), OutboundError> {
        let url = parse(url)?;
        if allow_private || self.inner.options.allow_private {
            return Ok(());
        }
        let private = || OutboundError::PrivateAddress { host: host_of(&url) };
        if let Some(address) = literal_address(&url) {
            return if is_private(address) { Err(private()) } else { Ok(()) };
        }
        let Some(name) = url.host_str() else { return Ok(()) };
        let looked = tokio::time::timeout(JUDGING, tokio::net::lookup_host((name, 0))).await;
        let Ok(Ok(mut found)) = looked else { return Ok(()) };
        if found.any(|a| is_private(a.ip())) { Err(private()) } else { Ok(()) }
    }

    pub(crate) fn options(&self) -> &OutboundOptions {
        &self.inner.options
    }

    pub(crate) fn record(&self, host: &str, purpose: &str, last: LastOutcome) {
        self.inner.seen.record(host, purpose, last);
    }

    async fn checked(&self, url: Url, host: &str, request: Request) -> Result<Answered, OutboundError> {
        let limit = self.inner.options.timeout;
        let after = request.timeout.map_or(limit, |t| t.min(limit));
        let patience = Patience { host: host.to_owned(), after, until: Instant::now() + after };
        self.follow(url, request, &patience).await
    }

    /// Sends, and follows as many redirects as the request allows. By hand, so that each hop is checked and
    /// credentials never travel to another host.
    async fn follow(
        &self,
        mut url: Url,
        mut request: Request,
        patience: &Patience,
    ) -> Result<Answered, OutboundError> {
        let mut left = request.redirects.min(MOST_REDIRECTS);
        loop {
            let answered = self.once(&url, &request, patience).await?;
            let response = &answered.response;
            let next = match redirect_target(response, &url) {
                Some(next) if left > 0 => parse(&next)?,
                _ => return Ok(answered),
            };
            left -= 1;
            if next.origin() != url.origin() {
                request.headers.remove(http::header::AUTHORIZATION);
                request.headers.remove(http::header::COOKIE);
            }
            // As browsers do: 307 and 308 repeat the request, the others become a GET.
            if !matches!(response.status, 307 | 308) && request.method != http::Method::HEAD {
                request.method = http::Method::GET;
                request.body = Bytes::new();
                request.headers.remove(http::header::CONTENT_TYPE);
            }
            url = next;
        }
    }

    async fn once(
        &self,
        url: &Url,
        request: &Request,
        patience: &Patience,
    ) -> Result<Answered, OutboundError> {
        let host = host_of(url);
        let options = &self.inner.options;
        let allow_private = options.allow_private || request.allow_private;
        let client = if allow_private { &self.inner.private_client } else { &self.inner.client };
        let client = client.as_ref().map_err(|e| OutboundError::Invalid(e.clone()))?;
        if !allow_private && literal_address(url).is_some_and(is_private) {
            return Err(OutboundError::PrivateAddress { host });
        }
        let sending = client
            .request(request.method.clone(), url.clone())
            .headers(request.headers.clone())
            .body(request.body.clone())
            .send();
        let sent = patience.wait(sending).await?.map_err(|e| connect_error(&host, &e))?;
        // The address that is really connected decides; this also covers what the resolver did not see.
        let connected = sent.remote_addr().map(|a| a.ip());
        if !allow_private && connected.is_none_or(is_private) {
            return Err(OutboundError::PrivateAddress { host });
        }
        let status = sent.status().as_u16();
        let headers = sent.headers().clone();
        let mut body = BytesMut::new();
        let reading = patience.wait(read(sent, &host, options.max_response, &mut body)).await;
        let unread = reading.and_then(|read| read).err();
        if matches!(unread, Some(OutboundError::TooLarge { .. })) {
            body.truncate(BEGINNING);
        }
        let response = Response { status, url: url.to_string(), headers, body: body.freeze() };
        Ok(Answered { response, unread })
    }
}

/// How long a call may take, over all its hops.
struct Patience {
    host: String,
    after: Duration,
    until: Instant,
}

impl Patience {
    async fn wait<T>(&self, what: impl Future<Output = T>) -> Result<T, OutboundError> {
        let over = |_| OutboundError::Timeout { host: self.host.clone(), after: self.after };
        tokio::time::timeout_at(self.until, what).await.map_err(over)
    }
}

/// Reads into `body`, so that what came before a fault is there.
async fn read(
    mut sent: reqwest::Response,
    host: &str,
    limit: usize,
    body: &mut BytesMut,
) -> Result<(), OutboundError> {
    let too_large = || OutboundError::TooLarge { host: host.to_owned(), limit };
    if sent.content_length().is_some_and(|n| n > limit as u64) {
        return Err(too_large());
    }
    let broken = |e: reqwest::Error| OutboundError::Broken { host: host.to_owned(), reason: innermost(&e) };
    while let Some(chunk) = sent.chunk().await.map_err(broken)? {
        if body.len() + chunk.len() > limit {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(())
}

fn build_client(options: &OutboundOptions, allow_private: bool) -> Result<Client, String> {
    let tls = tls::config().map_err(|e| e.to_string())?;
    Client::builder()
        .tls_backend_preconfigured(tls)
        .dns_resolver(Arc::new(PublicOnly { allow_private }))
        .redirect(redirect::Policy::none())
        .no_proxy() // a proxy from the environment would make every check of addresses worthless
        .connect_timeout(options.timeout.min(Duration::from_secs(10)))
        .pool_max_idle_per_host(8)
        .referer(false)
        .user_agent(options.user_agent.clone())
        .build()
        .map_err(|e| innermost(&e))
}

/// Resolves names and leaves out private addresses, so that no connection to them is even begun.
struct PublicOnly {
    allow_private: bool,
}

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_private = self.allow_private;
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let looked = tokio::net::lookup_host((host.as_str(), 0)).await;
            let found: Vec<SocketAddr> = looked.map_err(NameUnknown)?.collect();
            let allowed: Vec<SocketAddr> =
                found.iter().copied().filter(|a| allow_private || !is_private(a.ip())).collect();
            if allowed.is_empty() && !found.is_empty() {
                return Err(Box::new(NameIsPrivate) as Box<dyn std::error::Error + Send + Sync>);
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the name points to a private network")]
struct NameIsPrivate;

/// The words of the resolver, and that it was the resolver.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct NameUnknown(io::Error);

fn connect_error(host: &str, error: &reqwest::Error) -> OutboundError {
    let host = host.to_owned();
    let mut step = ConnectStep::Route;
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(e) = cause {
        if e.is::<NameIsPrivate>() {
            return OutboundError::PrivateAddress { host };
        }
        step = step_of(e).unwrap_or(step);
        cause = e.source();
    }
    if error.is_builder() {
        return OutboundError::Invalid(innermost(error));
    }
    let reason = innermost(error);
    if error.is_connect() {
        OutboundError::Connect { host, step, reason }
    } else {
        OutboundError::Lost { host, reason }
    }
}

/// The step that an error in the chain of causes tells of.
fn step_of(cause: &(dyn std::error::Error + 'static)) -> Option<ConnectStep> {
    if cause.is::<NameUnknown>() {
        return Some(ConnectStep::Name);
    }
    if cause.is::<rustls::Error>() {
        return Some(ConnectStep::Tls);
    }
    let error = cause.downcast_ref::<io::Error>()?;
    if error.kind() == io::ErrorKind::ConnectionRefused {
        return Some(ConnectStep::Refused);
    }
    // An error that is wrapped in one of the system's is not among its causes, and may be wrapped more than once.
    let mut inner: Option<&(dyn std::error::Error + 'static)> = error.get_ref().map(|e| e as _);
    while let Some(wrapped) = inner {
        if let Some(step) = step_of(wrapped) {
            return Some(step);
        }
        inner = wrapped.source();
    }
    None
}

/// The last cause: the words of the network. The outer ones repeat the URL, whose query may hold a secret.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    if std::error::Error::source(error).is_none() {
        return error.to_string().split(" for url").next().unwrap_or_default().to_owned();
    }
    cause.to_string()
}

fn parse(text: &str) -> Result<Url, OutboundError> {
    let url = Url::parse(text).map_err(|e| OutboundError::Invalid(format!("bad URL: {e}")))?;
    match url.scheme() {
        "http" | "https" if url.has_host() => Ok(url),
        other => Err(OutboundError::Invalid(format!("the scheme `{other}` is not http or https"))),
    }
}

/// The host that a call to `address` is counted under ([`Outbound::dependencies`]): of `https://erp.example:8443/rest`
/// it is `erp.example:8443`, and `mail.example:587` is one already.
#[must_use]
pub fn host_of_address(address: &str) -> Option<String> {
    let host = if address.contains("://") {
        host_of(&Url::parse(address).ok()?)
    } else {
        address.rsplit('@').next().unwrap_or_default().to_owned()
    };
    (!host.is_empty()).then_some(host)
}

fn host_of(url: &Url) -> String {
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => String::new(),
    }
}

fn literal_address(url: &Url) -> Option<IpAddr> {
    url.host_str()?.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

fn redirect_target(response: &Response, from: &Url) -> Option<String> {
    if !matches!(response.status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = response.headers.get(http::header::LOCATION)?.to_str().ok()?;
    Some(from.join(location).ok()?.to_string())
}
