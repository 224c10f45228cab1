//! What goes out and what comes back.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method};

use crate::OutboundError;

/// A request to another system.
#[derive(Debug, Clone)]
pub struct Request {
    /// Verb.
    pub method: Method,
    /// `https://` or `http://`.
    pub url: String,
    /// As sent.
    pub headers: HeaderMap,
    /// As sent.
    pub body: Bytes,
    /// Shorter than the door's own timeout, if wanted; never longer.
    pub timeout: Option<Duration>,
    /// How many redirects are followed; none by default. Each one passes the same checks.
    pub redirects: usize,
    /// Whether addresses of the own network may be reached by this request, whatever the door allows otherwise:
    /// an ERP on the next machine is one that a connection's file names.
    pub allow_private: bool,
}

impl Request {
    /// A request without headers and body.
    #[must_use]
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        Self {
            method,
            url: url.into(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            timeout: None,
            redirects: 0,
            allow_private: false,
        }
    }
}

/// An answer of which at least the head came.
#[derive(Debug, Clone)]
pub struct Answered {
    /// What came. Of a body that could not be read whole, its beginning.
    pub response: Response,
    /// Why the body could not be read whole; none if it was.
    pub unread: Option<OutboundError>,
}

impl Answered {
    /// The answer, if it came whole.
    ///
    /// # Errors
    /// Why it did not.
    pub fn whole(self) -> Result<Response, OutboundError> {
        match self.unread {
            None => Ok(self.response),
            Some(why) => Err(why),
        }
    }
}

/// An answer, complete.
#[derive(Debug, Clone)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// The address that answered, after redirects.
    pub url: String,
    /// As received.
    pub headers: HeaderMap,
    /// As received.
    pub body: Bytes,
}
