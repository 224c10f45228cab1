//! Headers that go on answers whatever answered: security, cross-origin rules, request id.

use ::http::{HeaderMap, HeaderName, HeaderValue, Method, header};

use crate::app::App;
use crate::routes::Surface;

/// Pages of the project: everything from the project itself, pictures also inline; nobody may frame them elsewhere.
const PAGE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; \
     font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; \
     frame-ancestors 'self'",
);
/// The console: nothing inline, nothing from elsewhere, no frames at all.
const STUDIO_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
     connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
);
/// Answers of the API are no pages.
const API_POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");

const EXPOSED: HeaderValue = HeaderValue::from_static(
    "Content-Range, Content-Location, Location, Preference-Applied, Proxy-Status, X-Total-Count, Link, \
     X-Supabase-Api-Version, X-Sb-Error-Code, X-Request-Id, Takt-Story, Takt-Explain, Idempotent-Replayed, Retry-After",
);
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
/// For a preflight that names no headers.
const USUAL_HEADERS: HeaderValue = HeaderValue::from_static(
    "authorization, apikey, content-type, x-client-info, x-supabase-api-version, prefer, range, accept-profile, \
     content-profile, idempotency-key",
);
const ONE_DAY: HeaderValue = HeaderValue::from_static("86400");

/// The header that names a request in answers and logs.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const COOP: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// Puts the security headers on an answer; what a handler has set itself stays.
pub(crate) fn secure(app: &App, surface: Surface, headers: &mut HeaderMap) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let (policy, referrer) = match surface {
        Surface::Page => (PAGE_POLICY, "strict-origin-when-cross-origin"),
        Surface::Studio => (STUDIO_POLICY, "same-origin"),
        Surface::Data
        | Surface::Auth
        | Surface::Functions
        | Surface::Operation
        | Surface::Takt
        | Surface::Hooks
        | Surface::Later => (API_POLICY, "no-referrer"),
    };
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(policy);
    headers.entry(header::REFERRER_POLICY).or_insert(HeaderValue::from_static(referrer));
    if surface.is_for_people() {
        headers.insert(COOP, HeaderValue::from_static("same-origin"));
        let frames = if surface == Surface::Studio { "DENY" } else { "SAMEORIGIN" };
        headers.entry(header::X_FRAME_OPTIONS).or_insert(HeaderValue::from_static(frames));
    }
    if app.is_https() {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
}

/// Which origin may read the answer, as the answer says it; none for origins that the settings do not name.
/// Credentials are never allowed: who acts is said by headers, not by cookies.
pub(crate) fn allowed_origin(app: &App, request: &HeaderMap) -> Option<HeaderValue> {
    let origin = request.get(header::ORIGIN)?;
    let project = app.project();
    let allowed = &project.settings.server.cors_origins;
    if allowed.iter().any(|o| o == "*") {
        return Some(HeaderValue::from_static("*"));
    }
    allowed.iter().any(|o| o.as_bytes() == origin.as_bytes()).then(|| origin.clone())
}

/// Puts the cross-origin headers on an answer of the API.
pub(crate) fn share(origin: Option<HeaderValue>, headers: &mut HeaderMap) {
    if let Some(origin) = origin {
        if origin != "*" {
            headers.append(header::VARY, HeaderValue::from_static("Origin"));
        }
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
}

/// Whether this is a browser asking before the real request.
pub(crate) fn is_preflight(method: &Method, request: &HeaderMap) -> bool {
    method == Method::OPTIONS && request.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// The answer to a preflight: the headers it asks for are reflected, because clients add their own.
pub(crate) fn preflight(app: &App, request: &HeaderMap) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(8);
    if let Some(origin) = allowed_origin(app, request) {
        share(Some(origin), &mut headers);
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        let asked = request.get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned().unwrap_or(USUAL_HEADERS);
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked);
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, ONE_DAY);
    }
    let vary = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";
    headers.insert(header::VARY, HeaderValue::from_static(vary));
    headers
}

/// The id that a proxy gave, if it is a sane one.
pub(crate) fn given_request_id(request: &HeaderMap) -> Option<HeaderValue> {
    let id = request.get(REQUEST_ID)?;
    let is_sane = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':');
    (!id.is_empty() && id.len() <= 128 && id.as_bytes().iter().all(is_sane)).then(|| id.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sane_request_ids_are_taken_over() {
        for (id, taken) in
            [("4f2a-77.x:1_B", true), ("", false), ("a b", false), ("<script>", false), ("\"quoted\"", false)]
        {
            let headers = HeaderMap::from_iter([(REQUEST_ID, HeaderValue::from_static(id))]);
            assert_eq!(given_request_id(&headers).is_some(), taken, "{id:?}");
        }
        let long = HeaderValue::from_str(&"a".repeat(129));
        let headers = HeaderMap::from_iter(long.map(|id| (REQUEST_ID, id)));
        assert_eq!(headers.len(), 1);
        assert!(given_request_id(&headers).is_none());
    }
}
