//! A connection whose other end does not read, or reads only crumbs, is closed: its answer waits in our memory
//! meanwhile.
//! Lives here: the wrapper around the socket. Reading has limits of its own (`listen.rs`, `body.rs`).

use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

/// A stream whose writes must make progress.
#[derive(Debug)]
pub(crate) struct Progressing<S> {
    stream: S,
    patience: Duration,
    least: usize,
    /// Since a write had to wait; made only then, because nearly none does.
    waiting: Option<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    end: Pin<Box<Sleep>>,
    written: usize,
}

impl<S> Progressing<S> {
    /// Fails a write when, once it had to wait, neither all that there is nor `least` bytes leave within `patience`.
    pub(crate) fn new(stream: S, patience: Duration, least: usize) -> Self {
        Self { stream, patience, least, waiting: None }
    }

    fn wrote(
        &mut self,
        written: Poll<io::Result<usize>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let Poll::Ready(Ok(bytes)) = written else { return self.watched(written, context) };
        self.waiting = self.waiting.take().filter(|waiting| waiting.written + bytes < self.least);
        if let Some(waiting) = &mut self.waiting {
            waiting.written += bytes;
        }
        written
    }

    fn watched<T>(&mut self, ended: Poll<io::Result<T>>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        if ended.is_ready() {
            self.waiting = None;
            return ended;
        }
        let patience = self.patience;
        let begun = || Waiting { end: Box::pin(sleep(patience)), written: 0 };
        let waiting = self.waiting.get_or_insert_with(begun);
        ready!(waiting.end.as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the other end does not read")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Progressing<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Progressing<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.wrote(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.wrote(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.watched(flushed, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    /// Whether 64 bytes get through to somebody who takes 8 of them every 60 ms.
    async fn is_patient(least: usize) -> bool {
        let (ours, mut theirs) = duplex(8);
        let mut ours = Progressing::new(ours, Duration::from_millis(200), least);
        let reader = tokio::spawn(async move {
            let mut some = [0; 8];
            while theirs.read(&mut some).await.is_ok_and(|read| read > 0) {
                sleep(Duration::from_millis(60)).await;
            }
        });
        let written = ours.write_all(&[0; 64]).await;
        drop(ours);
        reader.await.unwrap();
        written.is_ok()
    }

    #[tokio::test]
    async fn a_write_that_nobody_reads_fails_and_a_slow_reader_is_fine() {
        let (ours, theirs) = duplex(8);
        let mut ours = Progressing::new(ours, Duration::from_millis(200), 8);
        let stuck = ours.write_all(&[0; 64]).await.unwrap_err();
        assert_eq!(stuck.kind(), io::ErrorKind::TimedOut);
        drop(theirs);
        assert!(is_patient(8).await);
    }

    #[tokio::test]
    async fn a_write_that_is_read_in_crumbs_fails() {
        assert!(!is_patient(64).await);
    }

    #[tokio::test]
    async fn time_between_two_answers_does_not_count() {
        let (ours, mut theirs) = duplex(8);
        let mut ours = Progressing::new(ours, Duration::from_millis(100), 64);
        for _ in 0..2 {
            let mut all = [0; 12];
            let (written, read) = tokio::join!(ours.write_all(&[0; 12]), theirs.read_exact(&mut all));
            written.unwrap();
            read.unwrap();
            ours.flush().await.unwrap();
            sleep(Duration::from_millis(150)).await;
        }
    }
}
