//! The dialogue with an SMTP server, step by step, so that it is known at every moment what the server may have
//! accepted.
//!
//! Our own and not a library's for two reasons: a library that sends a whole mail in one call cannot say whether
//! the connection broke before or after the end of the text; and what was received in the clear must be dropped
//! before TLS begins, or somebody on the way can put answers into the encrypted part (CVE-2011-0411 and its many
//! sisters).

use std::{io, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use zeroize::Zeroizing;

use super::{
    MailAnswer, MailCredentials, MailError, MailSecurity, MailServer, MailStage,
    connect::{NoConnection, Stream, connect, encrypt},
    error::Fault,
    message::Built,
    reply::{Assembly, MOST_LINE, Reply},
};
use crate::address::is_private;

/// How long the last word may take.
const GOODBYE: Duration = Duration::from_millis(500);

/// One dialogue; it carries one message.
pub(super) struct Dialogue<'a> {
    server: &'a MailServer,
    host: &'a str,
    allow_private: bool,
    stage: MailStage,
    line: Option<Line>,
}

impl<'a> Dialogue<'a> {
    pub(super) fn new(server: &'a MailServer, host: &'a str, allow_private: bool) -> Self {
        Self { server, host, allow_private, stage: MailStage::Connect, line: None }
    }

    /// Connects and hands `message` over. May be dropped at any await: [`Self::timed_out`] then says what it means.
    pub(super) async fn hand_over(&mut self, message: &Built) -> Result<MailAnswer, MailError> {
        check(self.server)?;
        let stream = match connect(&self.server.host, self.server.port, self.allow_private).await {
            Ok(stream) => stream,
            Err(NoConnection::Private) => {
                return Err(MailError::PrivateAddress { host: self.host.to_owned() });
            }
            Err(NoConnection::Broken(step, reason)) => {
                return Err(MailError::NoConnection { host: self.host.to_owned(), step, reason });
            }
        };
        let spoken = self.speak(Stream::Plain(stream), message).await;
        spoken.map_err(|fault| self.judged(fault))
    }

    /// What it means that the dialogue was stopped where it stands.
    pub(super) fn timed_out(&self, after: Duration) -> MailError {
        self.judged(Fault::late(after))
    }

    /// Says QUIT and waits for nothing.
    pub(super) async fn goodbye(&mut self) {
        let Some(mut line) = self.line.take() else { return };
        let last = async {
            line.say("QUIT").await.ok();
            line.stream.shutdown().await.ok();
        };
        tokio::time::timeout(GOODBYE, last).await.ok();
    }

    fn judged(&self, fault: Fault) -> MailError {
        fault.judged(self.host, self.stage)
    }

    async fn speak(&mut self, stream: Stream, message: &Built) -> Result<MailAnswer, Fault> {
        let offers = self.open(stream).await?;
        let line = self.line.as_mut().ok_or_else(|| Fault::broken("no connection"))?;
        if let Some(credentials) = &self.server.credentials {
            self.stage = MailStage::SignIn;
            sign_in(line, credentials, &offers).await?;
        }
        self.stage = MailStage::Sender;
        let size = offers.offer("SIZE").map_or(String::new(), |_| format!(" SIZE={}", message.bytes.len()));
        line.ask(&format!("MAIL FROM:<{}>{size}", message.from), &[250]).await?;
        for (index, to) in message.to.iter().enumerate() {
            self.stage = MailStage::Recipient(index + 1);
            line.ask(&format!("RCPT TO:<{to}>"), &[250, 251, 252]).await?;
        }
        self.stage = MailStage::Content;
        line.ask("DATA", &[354]).await?;
        line.send(&stuffed(&message.bytes)).await?;
        // Before the end is written and not behind it: if writing fails, the end may have left all the same.
        self.stage = MailStage::Answer;
        line.send(b".\r\n").await?;
        let reply = line.hear().await?.wanted(&[250])?;
        Ok(MailAnswer { code: reply.code, text: reply.text() })
    }

    /// Greets, encrypts as the server's settings demand, and brings what the server offers.
    async fn open(&mut self, stream: Stream) -> Result<Reply, Fault> {
        let hello = format!("EHLO {}", self.server.helo);
        match self.server.security {
            MailSecurity::Tls => {
                self.stage = MailStage::Tls;
                let encrypted = self.encrypted(stream).await?;
                self.greet(encrypted, &hello).await
            }
            MailSecurity::StartTls => {
                let offers = self.greet(stream, &hello).await?;
                self.stage = MailStage::Tls;
                if offers.offer("STARTTLS").is_none() {
                    return Err(Fault::broken("the server offers no encryption, so nothing was sent"));
                }
                let mut line = self.line.take().ok_or_else(|| Fault::broken("no connection"))?;
                line.ask("STARTTLS", &[220]).await?;
                if !line.received.is_empty() {
                    return Err(Fault::broken("the server spoke before its encryption began"));
                }
                let encrypted = self.encrypted(line.stream).await?;
                self.stage = MailStage::Greeting;
                // What was offered in the clear is forgotten.
                self.line.insert(Line::new(encrypted)).ask(&hello, &[250]).await
            }
            MailSecurity::None => {
                if !stream.peer().is_some_and(is_private) {
                    return Err(Fault::broken("in the clear only to an address of the own network"));
                }
                self.greet(stream, &hello).await
            }
            MailSecurity::NoneInPublic => self.greet(stream, &hello).await,
        }
    }

    async fn greet(&mut self, stream: Stream, hello: &str) -> Result<Reply, Fault> {
        self.stage = MailStage::Greeting;
        let line = self.line.insert(Line::new(stream));
        line.hear().await?.wanted(&[220])?;
        line.ask(hello, &[250]).await
    }

    async fn encrypted(&self, stream: Stream) -> Result<Stream, Fault> {
        match stream {
            Stream::Plain(tcp) => encrypt(tcp, &self.server.host, &self.server.roots).await,
            Stream::Tls(_) => Err(Fault::broken("the connection is encrypted already")),
        }
    }
}

/// What the settings say must fit on a line of the dialogue.
fn check(server: &MailServer) -> Result<(), MailError> {
    let name = |b: u8| b.is_ascii_alphanumeric() || b"-.[]:".contains(&b);
    if server.helo.is_empty() || server.helo.len() > 255 || !server.helo.bytes().all(name) {
        return Err(MailError::Invalid("the name we greet with is no host name".to_owned()));
    }
    let Some(credentials) = &server.credentials else { return Ok(()) };
    if server.security == MailSecurity::NoneInPublic {
        return Err(MailError::Invalid(
            "a password never travels in the clear through the internet".to_owned(),
        ));
    }
    if credentials.user.contains('\0') || credentials.password.expose().contains('\0') {
        return Err(MailError::Invalid("user or password of the mail server has a NUL".to_owned()));
    }
    Ok(())
}

/// PLAIN, or LOGIN where the server knows nothing else.
async fn sign_in(line: &mut Line, credentials: &MailCredentials, offers: &Reply) -> Result<(), Fault> {
    let offered = offers.offer("AUTH").unwrap_or_default().to_ascii_uppercase();
    let knows = |name: &str| offered.split_ascii_whitespace().any(|word| word == name);
    let (user, password) = (&credentials.user, credentials.password.expose());
    if knows("PLAIN") {
        let both = Zeroizing::new(format!("\0{user}\0{password}"));
        let command = Zeroizing::new(format!("AUTH PLAIN {}", *encoded(&both)));
        line.ask(&command, &[235]).await?;
    } else if knows("LOGIN") {
        line.ask("AUTH LOGIN", &[334]).await?;
        line.ask(&encoded(user), &[334]).await?;
        line.ask(&encoded(password), &[235]).await?;
    } else {
        return Err(Fault::broken("the server offers no sign-in that we know (PLAIN, LOGIN)"));
    }
    Ok(())
}

fn encoded(text: &str) -> Zeroizing<String> {
    Zeroizing::new(STANDARD.encode(text))
}

/// A dot at the start of a line is doubled (RFC 5321, section 4.5.2); the text ends with a line's end.
fn stuffed(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + 64);
    for line in message.split_inclusive(|b| *b == b'\n') {
        if line.starts_with(b".") {
            out.push(b'.');
        }
        out.extend_from_slice(line);
    }
    if !out.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    out
}

/// A connection, read line by line.
struct Line {
    stream: Stream,
    received: Vec<u8>,
}

impl Line {
    fn new(stream: Stream) -> Self {
        Self { stream, received: Vec::new() }
    }

    /// Says `command` and hears an answer with one of `codes`.
    async fn ask(&mut self, command: &str, codes: &[u16]) -> Result<Reply, Fault> {
        self.say(command).await?;
        self.hear().await?.wanted(codes)
    }

    async fn say(&mut self, command: &str) -> Result<(), Fault> {
        self.send(Zeroizing::new(format!("{command}\r\n")).as_bytes()).await
    }

    async fn send(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.stream.write_all(bytes).await.map_err(Fault::broken)?;
        self.stream.flush().await.map_err(Fault::broken)
    }

    /// The next answer.
    async fn hear(&mut self) -> Result<Reply, Fault> {
        let mut assembly = Assembly::default();
        loop {
            let line = self.next().await?;
            if let Some(reply) = assembly.take(&line)? {
                return Ok(reply);
            }
        }
    }

    async fn next(&mut self) -> Result<Vec<u8>, Fault> {
        loop {
            if let Some(end) = self.received.iter().position(|b| *b == b'\n') {
                let mut line: Vec<u8> = self.received.drain(..=end).collect();
                line.truncate(line.trim_ascii_end().len());
                return Ok(line);
            }
            if self.received.len() > MOST_LINE {
                return Err(Fault::broken("the server's answer has no end"));
            }
            let read = self.stream.read_buf(&mut self.received).await.map_err(Fault::broken)?;
            if read == 0 {
                return Err(Fault::broken(io::Error::from(io::ErrorKind::UnexpectedEof)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::stuffed;

    #[test]
    fn a_dot_alone_never_ends_the_text_early() {
        for (text, sent) in [
            ("", "\r\n"),
            ("a", "a\r\n"),
            ("a\r\n", "a\r\n"),
            (".\r\n", "..\r\n"),
            ("a\r\n.\r\nb\r\n..c\r\n", "a\r\n..\r\nb\r\n...c\r\n"),
        ] {
            assert_eq!(stuffed(text.as_bytes()), sent.as_bytes(), "{text:?}");
        }
    }
}
