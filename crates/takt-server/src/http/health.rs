//! `/health/live` and `/health/ready`, for whoever watches the process.

use ::http::{HeaderValue, Response, StatusCode, header};
use axum::body::Body;

use crate::app::App;

/// The process answers.
pub(crate) fn live() -> Response<Body> {
    told(StatusCode::OK, r#"{"status":"live"}"#)
}

/// The database takes writes.
pub(crate) fn ready(app: &App) -> Response<Body> {
    if app.engine.health().writable {
        told(StatusCode::OK, r#"{"status":"ready"}"#)
    } else {
        told(
            StatusCode::SERVICE_UNAVAILABLE,
            r#"{"status":"not ready","reason":"the database takes no writes"}"#,
        )
    }
}

fn told(status: StatusCode, body: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
