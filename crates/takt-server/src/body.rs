//! Request bodies: read whole, never more than the limit, never slower than the time for it.

use std::time::Duration;

use ::http::{HeaderMap, header};
use axum::body::Bytes;
use http_body::Body as _;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;

use crate::wire_error::{WireError, wire};

/// A body that has not been read yet.
#[derive(Debug)]
pub(crate) struct RequestBody {
    incoming: Incoming,
    limit: usize,
    time: Duration,
}

impl RequestBody {
    pub(crate) fn new(incoming: Incoming, limit: usize, time: Duration) -> Self {
        Self { incoming, limit, time }
    }

    /// All of it. A body that says beforehand that it is too large is not read at all.
    pub(crate) async fn read(self) -> Result<Bytes, WireError> {
        if self.incoming.is_end_stream() {
            return Ok(Bytes::new());
        }
        if self.incoming.size_hint().lower() > self.limit as u64 {
            return Err(too_large(self.limit));
        }
        let reading = Limited::new(self.incoming, self.limit).collect();
        match tokio::time::timeout(self.time, reading).await {
            Ok(Ok(collected)) => Ok(collected.to_bytes()),
            Ok(Err(e)) if e.is::<LengthLimitError>() => Err(too_large(self.limit)),
            Ok(Err(_)) => Err(wire(400, "PGRST102", "The request body ended early.")),
            Err(_) => Err(wire(408, "TAKT009", "The request body came too slowly.")),
        }
    }

    /// The body as a stream with the same limit, for handlers that read it by themselves.
    pub(crate) fn into_limited(self) -> axum::body::Body {
        axum::body::Body::new(Limited::new(self.incoming, self.limit))
    }
}

fn too_large(limit: usize) -> WireError {
    wire(413, "TAKT008", format!("The request body is larger than {limit} bytes."))
}

/// A header as text, if it is there and readable.
pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
