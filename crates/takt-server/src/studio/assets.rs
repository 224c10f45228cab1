//! The console's own files, inside the binary.

use std::sync::LazyLock;

use ::http::{HeaderValue, StatusCode, header};
use axum::{
    body::Body,
    extract::Path,
    response::{IntoResponse, Response},
};

const CSS: &str = include_str!("assets/studio.css");
const JS: &str = include_str!("assets/studio.js");
const ICON: &str = include_str!("assets/icon.svg");

static VERSION: LazyLock<String> = LazyLock::new(|| {
    let digest = ring::digest::digest(&ring::digest::SHA256, [CSS, JS].concat().as_bytes());
    digest.as_ref().iter().take(6).map(|b| format!("{b:02x}")).collect()
});

/// Changes with the files, so that browsers may keep them for ever.
pub(super) fn version() -> &'static str {
    &VERSION
}

/// `/studio/assets/{name}`
pub(super) async fn file(Path(name): Path<String>) -> Response<Body> {
    let (kind, text) = match name.as_str() {
        "studio.css" => ("text/css; charset=utf-8", CSS),
        "studio.js" => ("text/javascript; charset=utf-8", JS),
        "icon.svg" => ("image/svg+xml", ICON),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    response
}
