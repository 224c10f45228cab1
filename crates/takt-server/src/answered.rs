//! The body of an answer on its way out: handed over in pieces, and holding its request's place until the last.
//!
//! An answer that is handed over whole would lie in the connection's buffer, where nobody counts it, for as long as its
//! reader likes. A reader of HTTP/2 who opens no window waits above the socket, where `stall.rs` sees nothing; therefore
//! a large answer ends its connection when it is not gone in time.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::body::{Body, Bytes};
use http_body::{Body as _, Frame, SizeHint};
use tokio::{sync::Notify, task::AbortHandle};

use crate::budget::Share;

/// As large as what a connection buffers.
const PIECE: usize = 64 * 1024;

/// An answer's body.
#[derive(Debug)]
pub(crate) struct Answered {
    body: Body,
    /// What is left of the frame that came last.
    rest: Bytes,
    /// Given back when this is dropped.
    place: Option<Share>,
    deadline: Option<Deadline>,
}

/// Runs until it is dropped.
#[derive(Debug)]
struct Deadline(AbortHandle);

impl Drop for Deadline {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Answered {
    pub(crate) fn new(body: Body, place: Option<Share>) -> Self {
        Self { body, rest: Bytes::new(), place, deadline: None }
    }

    /// Tells `overdue` when this is still there after `time`. Small answers and those that nobody counts may stay.
    pub(crate) fn end_within(&mut self, time: Duration, overdue: &Arc<Notify>) {
        if self.place.is_none() || self.body.size_hint().lower() <= PIECE as u64 {
            return;
        }
        let overdue = Arc::clone(overdue);
        let watch = tokio::spawn(async move {
            tokio::time::sleep(time).await;
            overdue.notify_one();
        });
        self.deadline = Some(Deadline(watch.abort_handle()));
    }
}

impl http_body::Body for Answered {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                ended => return Poll::Ready(ended),
            }
        }
        let piece = self.rest.len().min(PIECE);
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(piece)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.rest.len() as u64;
        let left = self.body.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(left.lower().saturating_add(rest));
        if let Some(upper) = left.upper().and_then(|upper| upper.checked_add(rest)) {
            hint.set_upper(upper);
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn an_answer_is_handed_over_in_pieces_and_keeps_its_length() {
        let whole: Vec<u8> = (0..150_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        let mut answer = Answered::new(Body::from(whole.clone()), None);
        let (mut got, mut sizes) = (Vec::new(), Vec::new());
        while !answer.is_end_stream() {
            assert_eq!(answer.size_hint().exact(), Some((whole.len() - got.len()) as u64));
            let piece = answer.frame().await.unwrap().unwrap().into_data().unwrap();
            sizes.push(piece.len());
            got.extend_from_slice(&piece);
        }
        assert_eq!((got, sizes), (whole, vec![PIECE, PIECE, 150_000 - 2 * PIECE]));
        assert!(Answered::new(Body::empty(), None).is_end_stream());
    }
}
