//! The door against a small server on this machine.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod mail;
mod smtp;

use std::{net::SocketAddr, time::Duration};

use http::Method;
use takt_outbound::{ConnectStep, LastOutcome, Outbound, OutboundError, OutboundOptions, Request};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// Answers every connection with what `answer` makes of the request's first line.
async fn server(answer: fn(&str) -> Option<String>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut buffer = vec![0; 4096];
                let n = stream.read(&mut buffer).await.unwrap();
                let line = String::from_utf8_lossy(&buffer[..n]).lines().next().unwrap_or("").to_owned();
                match answer(&line) {
                    Some(text) => stream.write_all(text.as_bytes()).await.unwrap(),
                    None => tokio::time::sleep(Duration::from_secs(60)).await,
                }
            });
        }
    });
    address
}

fn shop(line: &str) -> Option<String> {
    let plain = |body: &str| {
        Some(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len()))
    };
    match line.split(' ').nth(1)? {
        "/hello" => plain("hello"),
        "/long" => plain(&"x".repeat(2_000)),
        "/endless" => Some(format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}", "x".repeat(2_000))),
        "/away" => Some(
            "HTTP/1.1 302 Found\r\nlocation: /hello\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".into(),
        ),
        "/inside" => Some(
            "HTTP/1.1 302 Found\r\nlocation: ftp://x/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                .into(),
        ),
        _ => None,
    }
}

fn door(allow_private: bool) -> Outbound {
    Outbound::new(OutboundOptions {
        timeout: Duration::from_millis(400),
        max_response: 1_000,
        allow_private,
        ..OutboundOptions::default()
    })
}

fn get(address: SocketAddr, path: &str) -> Request {
    Request::new(Method::GET, format!("http://{address}{path}"))
}

#[tokio::test]
async fn an_answer_comes_back_and_the_host_is_listed_with_its_purpose() {
    let address = server(shop).await;
    let door = door(true);
    let answer = door.send("function status", get(address, "/hello")).await.unwrap();
    assert_eq!((answer.status, &answer.body[..]), (200, &b"hello"[..]));
    let listed = door.dependencies();
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (listed[0].host.clone(), listed[0].purpose.as_str()),
        (address.to_string(), "function status")
    );
    assert_eq!((listed[0].calls, listed[0].failures, &listed[0].last), (1, 0, &LastOutcome::Answered(200)));
}

#[tokio::test]
async fn the_own_network_is_closed_by_address_and_by_name() {
    let address = server(shop).await;
    let closed = door(false);
    for url in [
        format!("http://{address}/hello"),
        format!("http://localhost:{}/hello", address.port()),
        format!("http://[::ffff:127.0.0.1]:{}/hello", address.port()),
        format!("http://2130706433:{}/hello", address.port()),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
    ] {
        let result = closed.send("test", Request::new(Method::GET, url.clone())).await;
        assert!(matches!(result, Err(OutboundError::PrivateAddress { .. })), "{url}: {result:?}");
    }
}

/// In all the clothes that an address of the own network can wear.
const PRIVATE: [&str; 14] = [
    "http://127.0.0.1/",
    "http://127.1/",
    "http://0.0.0.0/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://017700000001/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[fd00::1]/",
    "http://[fe80::1]/",
    "http://100.64.0.1/",
    "http://10.0.0.7/",
    "http://localhost/",
];

#[tokio::test]
async fn an_address_is_judged_before_it_is_kept_and_again_when_it_is_called() {
    let closed = door(false);
    for url in PRIVATE {
        let judged = closed.judge(url, false).await;
        assert!(matches!(judged, Err(OutboundError::PrivateAddress { .. })), "kept: {url}: {judged:?}");
        let called = closed.send("test", Request::new(Method::GET, url)).await;
        assert!(matches!(called, Err(OutboundError::PrivateAddress { .. })), "called: {url}: {called:?}");
        assert_eq!(closed.judge(url, true).await, Ok(()), "allowed: {url}");
    }
    for url in ["https://1.1.1.1/", "https://nobody.invalid/hooks"] {
        assert_eq!(closed.judge(url, false).await, Ok(()), "{url}");
    }
    assert!(matches!(closed.judge("ftp://1.1.1.1/", true).await, Err(OutboundError::Invalid(_))));
}

#[tokio::test]
async fn a_failed_connection_says_at_which_step() {
    let open = door(true);
    let step = |result: Result<_, OutboundError>| match result {
        Err(OutboundError::Connect { step, .. }) => step,
        other => panic!("{:?}", other.map(|r: takt_outbound::Response| r.status)),
    };
    let unused = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    assert_eq!(step(open.send("test", get(unused, "/")).await), ConnectStep::Refused);
    let nobody = Request::new(Method::GET, "http://nobody.invalid/");
    assert_eq!(step(open.send("test", nobody).await), ConnectStep::Name);
    // A server that speaks no TLS.
    let plain = server(|_| Some("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n".to_owned())).await;
    let tls = Request::new(Method::GET, format!("https://{plain}/"));
    assert_eq!(step(open.send("test", tls).await), ConnectStep::Tls);
}

#[tokio::test]
async fn time_and_size_are_limited() {
    let address = server(shop).await;
    let door = door(true);
    let silent = door.send("test", get(address, "/silent")).await;
    assert!(matches!(silent, Err(OutboundError::Timeout { .. })), "{silent:?}");
    for path in ["/long", "/endless"] {
        let long = door.send("test", get(address, path)).await;
        assert!(matches!(long, Err(OutboundError::TooLarge { limit: 1_000, .. })), "{path}: {long:?}");
    }
    let listed = &door.dependencies()[0];
    assert_eq!((listed.calls, listed.failures), (3, 3));
}

#[tokio::test]
async fn redirects_are_followed_only_when_asked_for() {
    let address = server(shop).await;
    let door = door(true);
    assert_eq!(door.send("test", get(address, "/away")).await.unwrap().status, 302);
    let followed = Request { redirects: 1, ..get(address, "/away") };
    let answer = door.send("test", followed).await.unwrap();
    assert_eq!((answer.status, answer.url), (200, format!("http://{address}/hello")));
    let elsewhere = Request { redirects: 1, ..get(address, "/inside") };
    assert!(matches!(door.send("test", elsewhere).await, Err(OutboundError::Invalid(_))));
}

#[tokio::test]
async fn only_http_goes_out_and_nothing_secret_is_in_an_error() {
    let door = door(true);
    for url in ["file:///etc/passwd", "ftp://example.com/", "nonsense"] {
        let result = door.send("test", Request::new(Method::GET, url)).await;
        assert!(matches!(result, Err(OutboundError::Invalid(_))), "{url}: {result:?}");
    }
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = door.send("test", get(closed, "/?key=secret")).await.unwrap_err();
    assert!(matches!(error, OutboundError::Connect { .. }), "{error:?}");
    assert!(!error.to_string().contains("secret"), "{error}");
}
