//! The other side: a small HTTP server that answers as the test says and keeps what it was asked.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// How it answers one request.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// Status, further header lines, body.
    Status(u16, &'static str, &'static str),
    /// Reads all and closes the connection.
    Close,
    /// These bytes and nothing more; the connection stays open.
    Bytes(Vec<u8>),
    /// These bytes, and then the connection is reset.
    Reset(&'static [u8]),
    /// Fine, after this long.
    Late(Duration),
    /// This body, after this long.
    Slow(Duration, &'static str),
    /// One byte of a fine answer every so often.
    Drip(Duration),
    /// The beginning of an answer, and then this for ever.
    Endless(&'static [u8], &'static [u8]),
}

impl Answer {
    pub(crate) fn ok() -> Self {
        Self::Status(200, "", "{}")
    }

    pub(crate) fn status(status: u16) -> Self {
        Self::Status(status, "", "no")
    }
}

/// What it was asked.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) line: String,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// A running receiver.
#[derive(Clone)]
pub(crate) struct Receiver {
    pub(crate) address: String,
    script: Arc<Mutex<VecDeque<Answer>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let receiver = Self::away().await;
        receiver.come().await;
        receiver
    }

    /// Nobody listens at its address until it comes.
    pub(crate) async fn away() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        Self { address, script: Arc::default(), asked: Arc::default() }
    }

    pub(crate) async fn come(&self) {
        let listener = TcpListener::bind(&self.address).await.unwrap();
        let inner = self.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(inner.clone().serve(stream));
            }
        });
    }

    /// The next answers; after them everything is fine.
    pub(crate) fn will(&self, answers: impl IntoIterator<Item = Answer>) {
        self.script.lock().unwrap().extend(answers);
    }

    /// From now on everything is fine.
    pub(crate) fn heal(&self) {
        self.script.lock().unwrap().clear();
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    async fn serve(self, mut stream: TcpStream) {
        let mut buffer = Vec::new();
        while let Some(asked) = read(&mut stream, &mut buffer).await {
            self.asked.lock().unwrap().push(asked);
            let answer = self.script.lock().unwrap().pop_front().unwrap_or_else(Answer::ok);
            if say(&mut stream, answer).await.is_err() {
                return;
            }
        }
    }
}

/// An error ends the connection.
async fn say(stream: &mut TcpStream, answer: Answer) -> std::io::Result<()> {
    const FINE: &[u8] = b"HTTP/1.1 200 X\r\ncontent-length: 2\r\n\r\n{}";
    let closed = || Err(std::io::ErrorKind::ConnectionAborted.into());
    match answer {
        Answer::Status(status, headers, body) => {
            let length = body.len();
            let text = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n{headers}\r\n{body}");
            stream.write_all(text.as_bytes()).await
        }
        Answer::Close => closed(),
        Answer::Bytes(bytes) => stream.write_all(&bytes).await,
        Answer::Reset(bytes) => {
            stream.write_all(bytes).await?;
            // So that the bytes are read before the reset throws them away.
            tokio::time::sleep(Duration::from_millis(50)).await;
            stream.set_zero_linger()?;
            closed()
        }
        Answer::Late(after) => {
            tokio::time::sleep(after).await;
            stream.write_all(FINE).await
        }
        Answer::Slow(after, body) => {
            tokio::time::sleep(after).await;
            let text = format!("HTTP/1.1 200 X\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            stream.write_all(text.as_bytes()).await
        }
        Answer::Drip(pause) => {
            for byte in FINE {
                stream.write_all(&[*byte]).await?;
                tokio::time::sleep(pause).await;
            }
            Ok(())
        }
        Answer::Endless(beginning, piece) => {
            stream.write_all(beginning).await?;
            loop {
                stream.write_all(piece).await?;
            }
        }
    }
}

async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Asked> {
    loop {
        let text = String::from_utf8_lossy(buffer).into_owned();
        if let Some((head, rest)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|l| l.to_ascii_lowercase().strip_prefix("content-length:").map(str::to_owned))
                .map_or(0, |n| n.trim().parse().unwrap());
            if rest.len() >= length {
                let (line, head) = head.split_once("\r\n").unwrap_or((head, ""));
                let asked =
                    Asked { line: line.to_owned(), head: head.to_owned(), body: rest[..length].to_owned() };
                buffer.drain(..text.len() - (rest.len() - length));
                return Some(asked);
            }
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
}
