//! From the server's name to a connection whose address was checked, in the clear or under TLS.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::error::Fault;
use crate::{ConnectStep, address::is_private, tls};

/// A connection to the server.
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// Why there is no connection.
pub(super) enum NoConnection {
    /// All addresses of the name are private.
    Private,
    /// Which step failed, and why in the words of the network.
    Broken(ConnectStep, String),
}

/// Connects the first address that answers. Private ones are left out unless they are allowed, before and after.
pub(super) async fn connect(host: &str, port: u16, allow_private: bool) -> Result<TcpStream, NoConnection> {
    let unknown = |e: io::Error| NoConnection::Broken(ConnectStep::Name, e.to_string());
    let found: Vec<SocketAddr> = tokio::net::lookup_host((host, port)).await.map_err(unknown)?.collect();
    let allowed: Vec<SocketAddr> =
        found.iter().copied().filter(|a| allow_private || !is_private(a.ip())).collect();
    if allowed.is_empty() && !found.is_empty() {
        return Err(NoConnection::Private);
    }
    let mut last = NoConnection::Broken(ConnectStep::Name, "the name has no address".to_owned());
    for address in allowed {
        match TcpStream::connect(address).await {
            Ok(stream) => return checked(stream, allow_private),
            Err(error) => last = NoConnection::Broken(step(&error), error.to_string()),
        }
    }
    Err(last)
}

fn step(error: &io::Error) -> ConnectStep {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => ConnectStep::Refused,
        _ => ConnectStep::Route,
    }
}

/// The address that is really connected decides.
fn checked(stream: TcpStream, allow_private: bool) -> Result<TcpStream, NoConnection> {
    let peer = stream.peer_addr().map_err(|e| NoConnection::Broken(ConnectStep::Route, e.to_string()))?;
    if !allow_private && is_private(peer.ip()) {
        return Err(NoConnection::Private);
    }
    Ok(stream)
}

/// Makes `stream` a TLS connection to a server with a certificate for `host`.
pub(super) async fn encrypt(stream: TcpStream, host: &str, roots: &[Vec<u8>]) -> Result<Stream, Fault> {
    let config = tls::config_with(roots).map_err(Fault::broken)?;
    let name = ServerName::try_from(host.to_owned()).map_err(Fault::broken)?;
    let connected = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    Ok(Stream::Tls(Box::new(connected.map_err(Fault::broken)?)))
}

impl Stream {
    /// The address of the other side.
    pub(super) fn peer(&self) -> Option<IpAddr> {
        let tcp = match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => stream.get_ref().0,
        };
        tcp.peer_addr().ok().map(|a| a.ip())
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
