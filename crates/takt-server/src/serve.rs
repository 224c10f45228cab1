//! What every request passes on its way in and out, in one function: request id, time limit, a net for panics,
//! cross-origin rules, security headers, compression, the log line and the count.
//!
//! One function by hand instead of a stack of layers: it is on the path of every read, and the order is visible.

use std::{
    convert::Infallible,
    net::IpAddr,
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use ::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use axum::{
    Router,
    body::{Body, Bytes},
};
use futures_util::FutureExt;
use http_body::Body as _;
use hyper::body::Incoming;
use takt_auth::tries::{Key, network};
use tower::ServiceExt;

use crate::{
    answered::Answered,
    app::App,
    body::RequestBody,
    budget::Share,
    compress, headers, identity,
    routes::{self, Answer, Call, Surface},
    wire_error::{WireError, internal, wire},
};

/// All that connections share.
pub(crate) struct Serving {
    pub(crate) app: Arc<App>,
    studio: Router,
    /// First part of the request ids of this process.
    process: String,
    requests: AtomicU64,
}

/// Address of the caller behind trusted proxies, for handlers of the console (a request extension).
#[derive(Debug, Clone, Copy)]
pub(crate) struct CallerAddress(pub(crate) IpAddr);

impl Serving {
    pub(crate) fn new(app: Arc<App>) -> Self {
        let studio = Router::new().nest("/studio", crate::studio::router()).with_state(Arc::clone(&app));
        let process = uuid::Uuid::new_v4().simple().to_string();
        let process = process.get(..8).unwrap_or_default().to_owned();
        Self { app, studio, process, requests: AtomicU64::new(0) }
    }

    /// Answers one request. Never fails: whatever happens inside becomes an answer.
    pub(crate) async fn answer(
        self: Arc<Self>,
        peer: IpAddr,
        request: Request<Incoming>,
    ) -> Result<Response<Answered>, Infallible> {
        let started = Instant::now();
        let (parts, incoming) = request.into_parts();
        let (method, uri) = (parts.method.clone(), parts.uri.clone());
        let surface = Surface::of(uri.path());
        let id = headers::given_request_id(&parts.headers).unwrap_or_else(|| self.next_id());

        let wishes = Wishes::of(&self.app, surface, &parts.headers);
        let (answer, place) = match self.admitted(surface, peer, &parts) {
            Ok(admitted) => {
                (self.handled(surface, peer, parts, incoming, admitted.from).await, admitted.place)
            }
            Err(error) => (refused(error), None),
        };
        let mut response = self.finished(surface, &method, wishes, answer.response).await;

        let took = started.elapsed();
        let status = response.status().as_u16();
        self.app.counters.count(status, took);
        log_line(&method, uri.path(), status, took, &response, answer.role, &id);
        response.headers_mut().insert(headers::REQUEST_ID, id);
        Ok(response.map(|body| Answered::new(body, place)))
    }

    /// Whether anybody looks at the request at all.
    fn admitted(
        &self,
        surface: Surface,
        peer: IpAddr,
        parts: &::http::request::Parts,
    ) -> Result<Admitted, WireError> {
        if !names_its_host(parts) {
            return Err(wire(400, "TAKT017", "A request names its host, once."));
        }
        if self.app.dev && !host_is_ours(&self.app, parts) {
            return Err(wire(421, "TAKT013", "In --dev only this machine's own names are answered."));
        }
        let from = network(identity::address(&self.app, peer, &parts.headers));
        // Probes are answered whatever happens; pages ask for many files at once, which ask no database.
        let is_counted = !matches!(surface, Surface::Operation | Surface::Page);
        let limits = &self.app.project().settings.limits;
        let place = if is_counted {
            self.app.admission.request(&self.app, limits, from, &parts.headers)?
        } else {
            None
        };
        Ok(Admitted { from, place })
    }

    /// The handler's answer, or ours where the handler is late, panics, or must not be asked.
    async fn handled(
        self: &Arc<Self>,
        surface: Surface,
        peer: IpAddr,
        parts: ::http::request::Parts,
        incoming: Incoming,
        from: Key,
    ) -> Answer {
        if surface.is_shared() && headers::is_preflight(&parts.method, &parts.headers) {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NO_CONTENT;
            *response.headers_mut() = headers::preflight(&self.app, &parts.headers);
            return Answer { response, role: "-" };
        }
        let limits = &self.app.project().settings.limits;
        let (time, is_read) = (limits.request_time, is_read(&parts.method));
        let share = || self.app.admission.body(limits, from);
        let body = RequestBody::new(incoming, limits.body_bytes, time, share);
        let call = Call { app: Arc::clone(&self.app), peer, parts, body };

        // The body has its own time, so the whole may take it twice.
        within(time * 2, is_read, routes::answer(self, surface, call)).await.unwrap_or_else(refused)
    }

    /// Headers and compression, whatever answered.
    async fn finished(
        &self,
        surface: Surface,
        method: &Method,
        wishes: Wishes,
        mut response: Response<Body>,
    ) -> Response<Body> {
        headers::secure(&self.app, surface, response.headers_mut());
        if surface.is_shared() {
            headers::share(wishes.origin, response.headers_mut());
        }
        // Answers of the account door and pages of the console hold tokens: compressed beside texts of the caller they
        // could be guessed (BREACH).
        if method != Method::HEAD && !matches!(surface, Surface::Auth | Surface::Studio) {
            response = compress::answer(wishes.encodings, response).await;
        }
        response
    }

    /// Hands a request to the console.
    pub(crate) async fn studio(&self, call: Call) -> Result<Response<Body>, WireError> {
        let address = identity::address(&self.app, call.peer, &call.parts.headers);
        let body = call.body.read().await?;
        let mut request = Request::from_parts(call.parts, Body::from(body));
        if request.uri().path() == "/studio/" {
            *request.uri_mut() = ::http::Uri::from_static("/studio");
        }
        request.extensions_mut().insert(CallerAddress(address));
        Ok(self.studio.clone().oneshot(request).await.unwrap_or_else(|never| match never {}))
    }

    fn next_id(&self) -> HeaderValue {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let mut id = Vec::with_capacity(self.process.len() + 17);
        id.extend_from_slice(self.process.as_bytes());
        id.push(b'-');
        push_hex(number, &mut id);
        HeaderValue::from_maybe_shared(Bytes::from(id)).unwrap_or(HeaderValue::from_static("unknown"))
    }
}

/// What is known of a request that may be handled.
struct Admitted {
    from: Key,
    /// Held until the answer has been sent.
    place: Option<Share>,
}

fn refused(error: WireError) -> Answer {
    Answer { response: error.into_response(), role: "nobody" }
}

/// HTTP/1.1 demands one `Host` (RFC 9112, 3.2); where two stand, a proxy in front may have believed the other.
/// HTTP/2 names the host elsewhere.
fn names_its_host(parts: &::http::request::Parts) -> bool {
    let mut hosts = parts.headers.get_all(::http::header::HOST).iter();
    let is_needed = parts.version == ::http::Version::HTTP_11;
    (hosts.next().is_some() || !is_needed) && hosts.next().is_none()
}

/// `{number:x}` without the machinery of formats: it is written for every request.
fn push_hex(number: u64, to: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = (u64::BITS - number.leading_zeros()).div_ceil(4).max(1);
    let digit = |place: u32| DIGITS[(number >> (place * 4) & 0xf) as usize];
    to.extend((0..digits).rev().map(digit));
}

/// What the caller's headers ask of the answer; taken before the handler gets them.
struct Wishes {
    origin: Option<HeaderValue>,
    encodings: Option<HeaderValue>,
}

impl Wishes {
    fn of(app: &App, surface: Surface, request: &HeaderMap) -> Self {
        let origin = if surface.is_shared() { headers::allowed_origin(app, request) } else { None };
        Self { origin, encodings: request.get(::http::header::ACCEPT_ENCODING).cloned() }
    }
}

fn is_read(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// What `handler` answers, unless it panics or takes longer than `time`. A panic ends the request, not the process.
/// Not an `async fn`: that would keep the handler's state twice.
fn within<T>(
    time: Duration,
    is_read: bool,
    handler: impl Future<Output = T>,
) -> impl Future<Output = Result<T, WireError>> {
    tokio::time::timeout(time, AssertUnwindSafe(handler).catch_unwind()).map(move |ended| match ended {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(panic)) => Err(internal(&panic_text(panic.as_ref()))),
        Err(_) => Err(too_slow(is_read)),
    })
}

/// A read may simply be tried again; of a write nobody knows whether it happened after all.
fn too_slow(is_read: bool) -> WireError {
    if is_read {
        wire(503, "TAKT010", "The answer took too long.").retry_after(1)
    } else {
        wire(504, "TAKT010", "The answer took too long; whether it was done is not known.")
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("panic: {}", text.unwrap_or_default())
}

/// With `--dev` another site could reach us through a name that it points to this machine (DNS rebinding).
/// Addresses written as numbers, `localhost`, and the name in the settings are safe from that.
fn host_is_ours(app: &App, parts: &::http::request::Parts) -> bool {
    let host = parts.headers.get(::http::header::HOST).and_then(|h| h.to_str().ok());
    let Some(host) = host.or_else(|| parts.uri.authority().map(::http::uri::Authority::as_str)) else {
        return true;
    };
    let name = if host.starts_with('[') { host.split(']').next() } else { host.split(':').next() };
    let name = name.unwrap_or_default().trim_start_matches('[');
    let ours = app.base_url.split("://").nth(1).unwrap_or_default();
    name.parse::<IpAddr>().is_ok()
        || name == "localhost"
        || name.ends_with(".localhost")
        || ours.split(':').next() == Some(name)
}

fn log_line(
    method: &Method,
    path: &str,
    status: u16,
    took: Duration,
    response: &Response<Body>,
    role: &str,
    id: &HeaderValue,
) {
    let milliseconds = took.as_micros() as f64 / 1000.0;
    let bytes = response.body().size_hint().exact().unwrap_or(0);
    let request = id.to_str().unwrap_or_default();
    tracing::info!(
        method = method.as_str(),
        path,
        status,
        ms = milliseconds,
        bytes,
        role,
        request,
        "request"
    );
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic, reason = "tests")]
    use super::*;

    #[tokio::test]
    async fn a_handler_that_panics_or_hangs_becomes_an_error() {
        let time = Duration::from_millis(20);
        assert_eq!(within(time, true, async { 7 }).await, Ok(7));
        let panicked = within(time, true, async { panic!("inner secret") }).await;
        let told =
            panicked.map_err(|e: WireError| (e.status, String::from_utf8_lossy(&e.to_json()).into_owned()));
        let Err((500, body)) = told else { panic!("{told:?}") };
        assert!(!body.contains("inner secret"), "{body}");
        for (is_read, status, retry) in [(true, 503, Some(1)), (false, 504, None)] {
            let hung = within(time, is_read, std::future::pending::<()>()).await;
            assert_eq!(hung.map_err(|e| (e.status, e.retry_after)), Err((status, retry)));
        }
    }

    #[test]
    fn request_ids_count_in_hex() {
        for number in [0, 1, 0xf, 0x10, 0xabc, 0x1000, u64::MAX] {
            let mut text = Vec::new();
            push_hex(number, &mut text);
            assert_eq!(String::from_utf8_lossy(&text), format!("{number:x}"));
        }
    }

    #[test]
    fn the_state_of_a_request_is_small() {
        fn size<A, B, C, F: Future>(_: impl Fn(A, B, C) -> F) -> usize {
            size_of::<F>()
        }
        // It is moved and kept for every request and every idle connection; large handlers go on the heap.
        let bytes = size(Serving::answer);
        assert!(bytes < 6 * 1024, "{bytes} bytes");
    }
}
