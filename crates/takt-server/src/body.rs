//! Request bodies: read whole, never more than the limit, never slower than the time for it, and all together never
//! more than their budget (`admission.rs`).

use std::time::Duration;

use ::http::{HeaderMap, header};
use axum::body::Bytes;
use http_body::Body as _;
use http_body_util::BodyExt;
use hyper::body::Incoming;

use crate::{
    admission::BodyShare,
    wire_error::{WireError, wire},
};

/// Room that a body gets at first.
const FIRST: usize = 16 * 1024;

/// A body that has not been read yet. Reads have none, and what every request carries shall be small.
#[derive(Debug)]
pub(crate) struct RequestBody(Option<Box<Coming>>);

#[derive(Debug)]
struct Coming {
    incoming: Incoming,
    limit: usize,
    time: Duration,
    share: BodyShare,
}

impl RequestBody {
    pub(crate) fn new(
        incoming: Incoming,
        limit: usize,
        time: Duration,
        share: impl FnOnce() -> BodyShare,
    ) -> Self {
        let is_there = !incoming.is_end_stream();
        Self(is_there.then(|| Box::new(Coming { incoming, limit, time, share: share() })))
    }

    /// All of it; its part of the budget is given back with the last piece of it. A body that says beforehand that it
    /// is too large is not read at all.
    pub(crate) async fn read(self) -> Result<Bytes, WireError> {
        let Some(coming) = self.0 else { return Ok(Bytes::new()) };
        if coming.incoming.size_hint().lower() > coming.limit as u64 {
            return Err(too_large(coming.limit));
        }
        let time = coming.time;
        match tokio::time::timeout(time, Box::pin(coming.gathered())).await {
            Ok(read) => read,
            Err(_) => Err(wire(408, "TAKT009", "The request body came too slowly.")),
        }
    }
}

impl Coming {
    async fn gathered(self) -> Result<Bytes, WireError> {
        let Self { mut incoming, limit, time: _, share } = self;
        let said = incoming.size_hint().upper().and_then(|upper| usize::try_from(upper).ok());
        let most = said.unwrap_or(limit).min(limit);
        let mut body = Paid { bytes: Vec::new(), share };
        while let Some(frame) = incoming.frame().await {
            let frame = frame.map_err(|_| wire(400, "PGRST102", "The request body ended early."))?;
            // Trailers say nothing to us.
            let Ok(data) = frame.into_data() else { continue };
            if body.bytes.len() + data.len() > limit {
                return Err(too_large(limit));
            }
            body.append(&data, most)?;
        }
        Ok(Bytes::from_owner(body))
    }
}

/// Bytes with their part of the budget. They are copied together: a body in pieces of one byte each would otherwise
/// take many times its size.
struct Paid {
    bytes: Vec<u8>,
    share: BodyShare,
}

impl Paid {
    fn append(&mut self, data: &[u8], most: usize) -> Result<(), WireError> {
        let (room, length) = (self.bytes.capacity(), self.bytes.len() + data.len());
        if length > room {
            // Twice as much each time, so that few bytes are moved, but not more than can come.
            let wanted = (room * 2).max(FIRST).min(most).max(length);
            self.share.grow(wanted - room)?;
            self.bytes.reserve_exact(wanted - self.bytes.len());
        }
        self.bytes.extend_from_slice(data);
        Ok(())
    }
}

impl AsRef<[u8]> for Paid {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

fn too_large(limit: usize) -> WireError {
    wire(413, "TAKT008", format!("The request body is larger than {limit} bytes."))
}

/// A header as text, if it is there and readable.
pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
