//! Answers: status, headers and body (`design/wire.md` section 2, 1 to 7).

use crate::{
    JsonSink, Method, Request, RestError,
    media::Media,
    prefer::{Honoured, Resolution},
    range,
    sink::percent_encode,
};

/// What a plan did, as the store tells it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RestOutcome {
    /// Rows pushed into the sink at the root.
    pub returned: u64,
    /// Rows written.
    pub affected: u64,
    /// Of these, rows that did not exist before.
    pub inserted: u64,
    /// All fitting rows, if the plan counted.
    pub count: Option<u64>,
}

impl RestOutcome {
    /// How many rows the request is about: read or written. A single object means exactly one.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.returned.max(self.affected)
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Headers of the dialect.
    pub headers: Vec<(&'static str, String)>,
    /// Body; empty for HEAD, 201 and 204 without rows.
    pub body: Vec<u8>,
}

impl Request {
    /// The answer, once the rows are in the sink and the transaction is committed.
    ///
    /// # Errors
    /// PGRST116 if a single object was asked for and there is none or more than one (the verdict inside the
    /// transaction has told so before, for writes); PGRST103 if a counted read begins beyond its end.
    pub fn reply(&self, sink: JsonSink, outcome: &RestOutcome) -> Result<Reply, RestError> {
        if self.singular() && outcome.rows() != 1 {
            return Err(RestError::not_singular(outcome.rows()));
        }
        match self.method {
            Method::Get | Method::Head => self.read_reply(sink, outcome),
            Method::Post => Ok(self.insert_reply(sink, outcome)),
            Method::Patch | Method::Put => Ok(self.change_reply(sink, outcome, outcome.affected)),
            // PostgREST counts no rows of a deletion before the slash.
            Method::Delete => Ok(self.change_reply(sink, outcome, 0)),
        }
    }

    fn read_reply(&self, sink: JsonSink, outcome: &RestOutcome) -> Result<Reply, RestError> {
        let offset = self.tree.offset.unwrap_or(0);
        let (status, range) = range::read_range(offset, outcome.returned, outcome.count)?;
        let mut reply = Reply::new(status);
        reply.content_type(self.media);
        reply.header("Content-Range", range);
        reply.applied(self, Honoured::default());
        reply.body = sink.into_body();
        Ok(reply)
    }

    fn insert_reply(&self, sink: JsonSink, outcome: &RestOutcome) -> Reply {
        let merged = self.resolution() == Some(Resolution::Merge) && outcome.inserted == 0;
        let mut reply = Reply::new(if merged { 200 } else { 201 });
        if let Some(query) = sink.location() {
            let mut path = b"/".to_vec();
            percent_encode(&mut path, &self.table);
            let path = String::from_utf8(path).unwrap_or_default();
            reply.header("Location", format!("{path}?{query}"));
        }
        reply.header("Content-Range", range::content_range(0, 0, self.counted(outcome.affected)));
        let honoured = Honoured { returns: true, resolution: true, missing: true, max_affected: false };
        reply.applied(self, honoured);
        reply.rows(self, sink);
        reply
    }

    fn change_reply(&self, sink: JsonSink, outcome: &RestOutcome, ranged: u64) -> Reply {
        let mut reply = Reply::new(if self.wants_rows() { 200 } else { 204 });
        let counted = self.counted(outcome.affected);
        reply.header("Content-Range", range::content_range(0, ranged, counted));
        let missing = self.method == Method::Patch;
        let honoured = Honoured { returns: true, resolution: false, missing, max_affected: true };
        reply.applied(self, honoured);
        reply.rows(self, sink);
        reply
    }

    /// The number after the slash, if it was asked for.
    fn counted(&self, rows: u64) -> Option<u64> {
        self.prefer.count.then_some(rows)
    }
}

impl Reply {
    pub(crate) fn new(status: u16) -> Self {
        Self { status, headers: Vec::with_capacity(4), body: Vec::new() }
    }

    pub(crate) fn header(&mut self, name: &'static str, value: impl Into<String>) {
        self.headers.push((name, value.into()));
    }

    pub(crate) fn content_type(&mut self, media: Media) {
        self.header("Content-Type", media.content_type());
    }

    fn applied(&mut self, request: &Request, honoured: Honoured) {
        if let Some(applied) = request.prefer.applied(honoured) {
            self.header("Preference-Applied", applied);
        }
    }

    fn rows(&mut self, request: &Request, sink: JsonSink) {
        if request.wants_rows() {
            self.content_type(request.media);
            self.body = sink.into_body();
        }
    }
}
