//! The network: the listening socket, connections with their limits, and the orderly end.
//! Lives here: everything about connections. Not here: requests (`serve.rs`).

use std::{
    future::Future,
    io,
    net::{SocketAddr, ToSocketAddrs},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::TryFutureExt;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
};
use takt_model::LimitSettings;
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{Notify, Semaphore},
};

use crate::{admission::MOST_CONNECTIONS, project_files::plain_reason, serve::Serving, stall::Progressing};

/// How long an answer may wait for somebody who does not read it.
const MOST_PATIENCE: Duration = Duration::from_secs(30);
/// What must leave in that time once an answer waits: about a kilobyte a second.
const LEAST_PROGRESS: usize = 32 * 1024;
/// A large answer has so many times the time for a request until it is sent.
const TIMES_TO_SEND: u32 = 10;
/// Connections that wait to be accepted.
const BACKLOG: u32 = 1_024;

/// Why nobody can reach us.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListenError {
    /// No address and port.
    #[error("`{0}` is no address to listen on; it looks like 127.0.0.1:8000.")]
    NotAnAddress(String),
    /// Somebody else listens there.
    #[error("Port {port} of {address} is in use by another program. `--listen` takes another address.", port = .0.port(), address = .0.ip())]
    InUse(SocketAddr),
    /// The system refuses.
    #[error("It is not possible to listen on {address}: {reason}.")]
    Refused {
        /// Where.
        address: SocketAddr,
        /// The system's words.
        reason: String,
    },
}

/// Takes the address; requests wait from now on. Needs a runtime's context.
pub(crate) fn bind(address: &str) -> Result<TcpListener, ListenError> {
    let not_an_address = || ListenError::NotAnAddress(address.to_owned());
    let mut candidates = address.to_socket_addrs().map_err(|_| not_an_address())?;
    let address = candidates.next().ok_or_else(not_an_address)?;
    open(address).map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => ListenError::InUse(address),
        _ => ListenError::Refused { address, reason: plain_reason(&error) },
    })
}

fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves until `stop` ends; then requests that are under way may end within `grace`.
/// Says whether all of them did.
pub(crate) async fn serve(
    listener: TcpListener,
    serving: Arc<Serving>,
    stop: impl Future<Output = ()>,
    grace: Duration,
) -> bool {
    let limits = serving.app.project().settings.limits.clone();
    let builder = Arc::new(protocol(&limits));
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut stop => break,
            accepted = accept(&listener, &places) => accepted,
        };
        let Some((stream, peer, place)) = accepted else { continue };
        // Nobody keeps the others out by connecting alone.
        let project = serving.app.project();
        let proxies = &project.settings.server.trusted_proxies;
        let Some(share) = serving.app.admission.connection(peer.ip(), proxies) else { continue };
        let (serving, builder) = (Arc::clone(&serving), Arc::clone(&builder));
        let watcher = graceful.watcher();
        let times = Times { first: limits.header_time, sending: limits.request_time * TIMES_TO_SEND };
        tokio::spawn(async move {
            connection(stream, peer, serving, &builder, watcher, times).await;
            drop((place, share));
        });
    }
    drop(listener);
    tokio::time::timeout(grace, graceful.shutdown()).await.is_ok()
}

type Place = tokio::sync::OwnedSemaphorePermit;

async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> Option<(TcpStream, SocketAddr, Place)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, peer, place)),
        Err(error) => {
            // A connection that broke before it was accepted is nobody's fault; without file handles waiting helps.
            if !matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            None
        }
    }
}

/// HTTP/1.1 and HTTP/2 without TLS on the same port, with limits against slow and greedy callers.
fn protocol(limits: &LimitSettings) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    // hyper refuses a buffer below 8 kB.
    let header_bytes = limits.header_bytes.max(8 * 1024);
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_time)
        .max_buf_size(header_bytes)
        .keep_alive(true);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(header_bytes).unwrap_or(u32::MAX))
        .max_concurrent_streams(128)
        .max_pending_accept_reset_streams(20)
        .max_local_error_reset_streams(20)
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(20));
    builder
}

/// How long a connection may take for what.
#[derive(Debug, Clone, Copy)]
struct Times {
    /// Until it asks for the first time.
    first: Duration,
    /// For a large answer.
    sending: Duration,
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    serving: Arc<Serving>,
    builder: &auto::Builder<TokioExecutor>,
    watcher: hyper_util::server::graceful::Watcher,
    times: Times,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY");
    }
    let asked = Arc::new(AtomicBool::new(false));
    let overdue = Arc::new(Notify::new());
    let (has_asked, is_overdue) = (Arc::clone(&asked), Arc::clone(&overdue));
    let service = hyper::service::service_fn(move |request| {
        has_asked.store(true, Ordering::Relaxed);
        let overdue = Arc::clone(&is_overdue);
        Arc::clone(&serving).answer(peer.ip(), request).map_ok(move |mut response| {
            response.body_mut().end_within(times.sending, &overdue);
            response
        })
    });
    let stream = Progressing::new(stream, MOST_PATIENCE, LEAST_PROGRESS);
    let conversation = builder.serve_connection(TokioIo::new(stream), service).into_owned();
    // Before the first bytes tell HTTP/1 from HTTP/2, no limit of hyper applies: somebody could connect and be silent.
    let silent = async {
        tokio::time::sleep(times.first).await;
        if asked.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        ended = watcher.watch(conversation) => if let Err(error) = ended {
            tracing::debug!(%error, %peer, "a connection ended early");
        },
        () = silent => {}
        () = overdue.notified() => tracing::debug!(%peer, "an answer was not read in time"),
    }
}
