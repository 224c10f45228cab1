//! A mail server that follows a script: it answers as it is told, and remembers what it was told.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use rustls::{
    ServerConfig,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

/// Made out to `localhost`, by itself (no authority), valid until the end of 2125; both as DER. Whoever finds the key
/// here can imitate these tests and nothing else.
const CERTIFICATE: &[u8] = include_bytes!("localhost.crt.der");
const KEY: &[u8] = include_bytes!("localhost.key.der");

/// Beginning of a command, and what is answered instead of "yes". `""` is the greeting, `"."` the end of the text.
pub(crate) type Script = &'static [(&'static str, Say)];

/// An answer.
#[derive(Clone, Copy)]
pub(crate) enum Say {
    /// Words, with `\r\n` inside if there are several lines.
    Text(&'static str),
    /// Closes the connection.
    Close,
    /// Nothing, for ever.
    Silence,
    /// One byte of an endless answer every 20 ms.
    Drip,
}

/// When TLS begins.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Begin {
    Clear,
    Encrypted,
}

pub(crate) struct Post {
    pub(crate) port: u16,
    /// The certificate it shows, made out to `localhost`.
    pub(crate) certificate: Vec<u8>,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Post {
    pub(crate) async fn open(begin: Begin, script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let acceptor = acceptor();
        let heard = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let talk = Talk { script, seen: Arc::clone(&heard) };
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let begun = begin == Begin::Clear;
                    let stream = if begun { talk.run(stream, Greet::Yes).await } else { Some(stream) };
                    let Some(stream) = stream else { return };
                    let Ok(encrypted) = acceptor.accept(stream).await else { return };
                    talk.run(encrypted, if begun { Greet::No } else { Greet::Yes }).await;
                });
            }
        });
        Self { port, certificate: CERTIFICATE.to_vec(), seen }
    }

    /// Everything it was told, line by line.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().clone()
    }

    /// The text of the message it was given.
    pub(crate) fn text(&self) -> String {
        let seen = self.seen();
        let start = seen.iter().position(|l| l == "DATA").map_or(seen.len(), |n| n + 1);
        seen[start..].iter().take_while(|l| *l != ".").map(|l| format!("{l}\r\n")).collect()
    }
}

fn acceptor() -> TlsAcceptor {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(KEY));
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![CERTIFICATE.into()], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

#[derive(PartialEq)]
enum Greet {
    Yes,
    No,
}

struct Talk {
    script: Script,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Talk {
    /// Talks until the end; gives the stream back when TLS is to begin.
    async fn run<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S, greet: Greet) -> Option<S> {
        let mut stream = BufReader::new(stream);
        if greet == Greet::Yes {
            self.answer(&mut stream, "").await?;
        }
        let mut in_text = false;
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.ok()? == 0 {
                return None;
            }
            let line = line.trim_end_matches("\r\n").to_owned();
            self.seen.lock().push(line.clone());
            if in_text && line != "." {
                continue;
            }
            let said = self.answer(&mut stream, &line).await?;
            in_text = said.starts_with("354");
            if line == "STARTTLS" && said.starts_with("220") {
                return Some(stream.into_inner());
            }
        }
    }

    async fn answer<S: AsyncWrite + Unpin>(&self, stream: &mut S, command: &str) -> Option<&'static str> {
        let scripted = self.script.iter().find(|(begin, _)| {
            if begin.is_empty() { command.is_empty() } else { command.starts_with(begin) }
        });
        match scripted.map_or(Say::Text(usual(command)), |(_, say)| *say) {
            Say::Text(text) => {
                stream.write_all(format!("{text}\r\n").as_bytes()).await.ok()?;
                stream.flush().await.ok()?;
                Some(text)
            }
            Say::Close => None,
            Say::Silence => {
                tokio::time::sleep(Duration::from_secs(60)).await;
                None
            }
            Say::Drip => loop {
                stream.write_all(b"2").await.ok()?;
                stream.flush().await.ok()?;
                tokio::time::sleep(Duration::from_millis(20)).await;
            },
        }
    }
}

fn usual(command: &str) -> &'static str {
    match command.split([' ', ':']).next().unwrap_or_default() {
        "" => "220 post.test ready",
        "EHLO" => "250-post.test\r\n250-SIZE 1000000\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN",
        "STARTTLS" => "220 go ahead",
        "AUTH" => "235 welcome",
        "DATA" => "354 end with a dot",
        "." => "250 2.0.0 Ok: queued as 4F2B",
        "QUIT" => "221 bye",
        _ => "250 ok",
    }
}
