//! The front end: files of `public/`, with types, validators, ranges, cache rules and compressed variants.
//! Lives here: from request to answer. Not here: how files are kept (`kept.rs` beside).
//!
//! Never served: hidden files (but `/.well-known/`), anything outside `public/` however the path or a link is written.

mod kept;
mod range;

use std::io::SeekFrom;

use ::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use axum::body::{Body, Bytes};
use tokio::io::{AsyncReadExt, AsyncSeekExt};

pub(crate) use self::kept::{StaticFiles, percent_decoded};
use self::{
    kept::{Content, Found, KeptFile},
    range::Range,
};
use crate::{
    compress::{self, Encoding},
    routes::Call,
};

const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");
const FIVE_MINUTES: HeaderValue = HeaderValue::from_static("public, max-age=300, must-revalidate");
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// How much of a large file is in memory at once.
const CHUNK: usize = 64 * 1024;

/// Answers a request for a file.
pub(crate) async fn file(call: Call) -> Response<Body> {
    let (method, uri, headers) = (&call.parts.method, &call.parts.uri, &call.parts.headers);
    if !matches!(*method, Method::GET | Method::HEAD) {
        let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "Only GET and HEAD are answered here.\n");
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    match call.app.statics.find(uri.path()).await {
        Found::File(file) => {
            let is_versioned = uri.query().is_some_and(|q| q.split('&').any(|p| p.starts_with("v=")));
            let cache = cache_rule(&file, is_versioned, call.app.dev);
            let answer = Wanted { method, headers, cache }.answer(&file).await;
            answer.unwrap_or_else(|error| unreadable(uri.path(), &error))
        }
        Found::Folder => redirect_to_folder(uri.path()),
        Found::Nothing => not_found(&call).await,
    }
}

/// The project's own page for what is not there, if it has one.
async fn not_found(call: &Call) -> Response<Body> {
    let page = match call.app.statics.find("/404.html").await {
        Found::File(file) => {
            let headers = HeaderMap::new();
            Wanted { method: &call.parts.method, headers: &headers, cache: NO_CACHE }.answer(&file).await.ok()
        }
        Found::Folder | Found::Nothing => None,
    };
    let mut response = page.unwrap_or_else(|| plain(StatusCode::NOT_FOUND, "Not found.\n"));
    *response.status_mut() = StatusCode::NOT_FOUND;
    for name in [header::ETAG, header::LAST_MODIFIED, header::ACCEPT_RANGES] {
        response.headers_mut().remove(name);
    }
    response
}

fn unreadable(path: &str, error: &std::io::Error) -> Response<Body> {
    tracing::error!(path, %error, "a file of the front end could not be read");
    plain(StatusCode::INTERNAL_SERVER_ERROR, "This file could not be read.\n")
}

fn redirect_to_folder(path: &str) -> Response<Body> {
    let mut response = plain(StatusCode::PERMANENT_REDIRECT, "");
    match HeaderValue::from_str(&format!("{path}/")) {
        Ok(location) => response.headers_mut().insert(header::LOCATION, location),
        Err(_) => return plain(StatusCode::NOT_FOUND, "Not found.\n"),
    };
    response
}

fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response.headers_mut().insert(header::CACHE_CONTROL, NO_CACHE);
    response
}

fn cache_rule(file: &KeptFile, is_versioned: bool, dev: bool) -> HeaderValue {
    if dev || file.is_page {
        NO_CACHE
    } else if is_versioned || file.has_hash_in_name {
        FOR_EVER
    } else {
        FIVE_MINUTES
    }
}

/// What the caller wants of a file.
struct Wanted<'a> {
    method: &'a Method,
    headers: &'a HeaderMap,
    cache: HeaderValue,
}

impl Wanted<'_> {
    async fn answer(&self, file: &KeptFile) -> std::io::Result<Response<Body>> {
        let range = self.range(file);
        // Parts are counted in the bytes of the file itself, so they are never parts of a compressed variant.
        let (encoding, variant) = if range == Range::Whole { self.variant(file) } else { (None, None) };
        let etag = file.etag(encoding);
        let mut response = Response::new(Body::empty());
        let headers = response.headers_mut();
        headers.insert(header::ETAG, etag.clone());
        headers.insert(header::LAST_MODIFIED, file.last_modified.clone());
        headers.insert(header::CACHE_CONTROL, self.cache.clone());
        if file.has_variants() {
            headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        }
        if self.has_it_already(&etag, file) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return Ok(response);
        }
        headers.insert(header::CONTENT_TYPE, file.content_type.clone());
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        if let Some(encoding) = encoding {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding.name()));
        }
        let (first, length) = match range {
            Range::Whole => (0, variant.as_ref().map_or(file.length, |v| v.len() as u64)),
            Range::Part { first, last } => {
                *response.status_mut() = StatusCode::PARTIAL_CONTENT;
                content_range(&mut response, &format!("bytes {first}-{last}/{}", file.length));
                (first, last - first + 1)
            }
            Range::Impossible => {
                *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
                content_range(&mut response, &format!("bytes */{}", file.length));
                (0, 0)
            }
        };
        response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        if self.method != Method::HEAD && length > 0 {
            *response.body_mut() = match variant {
                Some(bytes) => Body::from(bytes),
                None => part(file, first, length).await?,
            };
        }
        Ok(response)
    }

    fn variant(&self, file: &KeptFile) -> (Option<Encoding>, Option<Bytes>) {
        let encoding = compress::best(self.headers.get(header::ACCEPT_ENCODING), &file.encodings());
        (encoding, encoding.and_then(|e| file.variant(e)))
    }

    fn range(&self, file: &KeptFile) -> Range {
        let Some(wanted) = self.headers.get(header::RANGE).and_then(|v| v.to_str().ok()) else {
            return Range::Whole;
        };
        // `If-Range`: the part only if the file is still the one of which the caller has the rest.
        match self.headers.get(header::IF_RANGE) {
            Some(is) if *is != file.etag(None) && *is != file.last_modified => Range::Whole,
            Some(_) | None => Range::parse(wanted, file.length),
        }
    }

    fn has_it_already(&self, etag: &HeaderValue, file: &KeptFile) -> bool {
        match self.headers.get(header::IF_NONE_MATCH) {
            Some(known) => {
                let known = known.to_str().unwrap_or_default();
                let etag = etag.to_str().unwrap_or_default();
                known.split(',').map(|k| k.trim().trim_start_matches("W/")).any(|k| k == "*" || k == etag)
            }
            None => self.headers.get(header::IF_MODIFIED_SINCE) == Some(&file.last_modified),
        }
    }
}

fn content_range(response: &mut Response<Body>, text: &str) {
    if let Ok(value) = HeaderValue::from_str(text) {
        response.headers_mut().insert(header::CONTENT_RANGE, value);
    }
}

/// Bytes of a file: from memory, or read from the disk while they are sent.
async fn part(file: &KeptFile, first: u64, length: u64) -> std::io::Result<Body> {
    match &file.content {
        Content::Memory { plain, .. } => {
            let from = usize::try_from(first).unwrap_or(usize::MAX);
            let to = from.saturating_add(usize::try_from(length).unwrap_or(usize::MAX));
            let inside = from <= to && to <= plain.len();
            Ok(Body::from(if inside { plain.slice(from..to) } else { Bytes::new() }))
        }
        Content::Disk(path) => {
            let mut opened = tokio::fs::File::open(path).await?;
            opened.seek(SeekFrom::Start(first)).await?;
            let chunks = futures_util::stream::try_unfold(opened.take(length), |mut rest| async move {
                let mut chunk = Vec::with_capacity(CHUNK);
                let n = (&mut rest).take(CHUNK as u64).read_to_end(&mut chunk).await?;
                Ok::<_, std::io::Error>((n > 0).then(|| (Bytes::from(chunk), rest)))
            });
            Ok(Body::from_stream(chunks))
        }
    }
}
