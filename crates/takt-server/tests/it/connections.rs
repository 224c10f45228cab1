//! Limits and manners of connections.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use crate::support::{Answer, Running};

const JSON: (&str, &str) = ("content-type", "application/json");

#[test]
fn a_body_over_the_limit_is_refused_whether_it_says_its_size_or_not() {
    let server = Running::with(&[("limits.body", "10kB")]);
    let body = format!(r#"{{"text":"{}"}}"#, "x".repeat(20_000));
    let said = server.ask("POST", "/rest/v1/notes", &[JSON], &body);
    assert_eq!((said.status, said.json()["code"].as_str()), (413, Some("TAKT008")));

    let mut stream = TcpStream::connect(server.address).unwrap();
    let head =
        "POST /rest/v1/notes HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    for _ in 0..20 {
        if stream.write_all(format!("400\r\n{}\r\n", "x".repeat(1024)).as_bytes()).is_err() {
            break;
        }
    }
    assert_eq!(Answer::read(stream).status, 413);
}

#[test]
fn a_slow_body_is_given_up() {
    let server = Running::with(&[("limits.request_time", "300ms")]);
    let mut stream = TcpStream::connect(server.address).unwrap();
    let head = "POST /rest/v1/notes HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 100\r\n\r\n{";
    stream.write_all(head.as_bytes()).unwrap();
    let started = Instant::now();
    assert_eq!(Answer::read(stream).status, 408);
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn whoever_connects_and_is_silent_or_slow_is_let_go() {
    let server = Running::with(&[("limits.header_time", "300ms")]);
    for first in ["", "PRI * HTT", "GET / HTTP/1.1\r\nhost: x\r\n"] {
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream.write_all(first.as_bytes()).unwrap();
        let mut rest = Vec::new();
        let started = Instant::now();
        // Closed or reset; what matters is that it ends.
        let _ = stream.read_to_end(&mut rest);
        assert!(started.elapsed() < Duration::from_secs(5), "{first:?}");
    }
}

#[test]
fn headers_over_the_limit_are_refused() {
    let server = Running::with(&[("limits.header", "10kB")]);
    let long = "x".repeat(20_000);
    assert_eq!(server.raw("GET", "/", &[("x-long", &long)], b"").status, 431);
    assert_eq!(server.get("/").status, 200);
}

#[test]
fn requests_have_ids_that_a_proxy_may_give() {
    let server = Running::start();
    let given = server.ask("GET", "/", &[("x-request-id", "proxy-77")], "");
    assert_eq!(given.header("x-request-id").as_deref(), Some("proxy-77"));
    let insane = server.ask("GET", "/", &[("x-request-id", "<script>")], "");
    assert_ne!(insane.header("x-request-id").as_deref(), Some("<script>"));
    assert_ne!(insane.header("x-request-id"), server.get("/").header("x-request-id"), "each has its own");
}

#[test]
fn two_requests_may_share_a_connection_and_http2_needs_no_tls() {
    let server = Running::start();
    let mut stream = TcpStream::connect(server.address).unwrap();
    let one = "GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n";
    let two = "GET /health/ready HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    stream.write_all(format!("{one}{two}").as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert!(text.contains("live") && text.contains("ready"), "{text}");

    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    // The preface of HTTP/2 and an empty SETTINGS frame.
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").unwrap();
    let mut frame = [0; 9];
    stream.read_exact(&mut frame).unwrap();
    assert_eq!(frame[3], 4, "the server answers with its own SETTINGS");
}

#[test]
fn with_dev_a_name_that_somebody_points_here_is_refused() {
    let server = Running::dev();
    let ask = |host: &str| {
        let mut stream = TcpStream::connect(server.address).unwrap();
        let head = format!("GET /health/live HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        Answer::read(stream).status
    };
    for (host, status) in [
        ("localhost:8000", 200),
        ("127.0.0.1", 200),
        ("[::1]:8000", 200),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
    ] {
        assert_eq!(ask(host), status, "{host}");
    }
}

#[test]
fn a_request_names_its_host_once() {
    let server = Running::start();
    for (head, status) in [
        ("GET /health/live HTTP/1.1\r\n", 400),
        ("GET /health/live HTTP/1.1\r\nhost: a\r\nhost: b\r\n", 400),
        ("GET http://a/health/live HTTP/1.1\r\n", 400),
        ("GET /health/live HTTP/1.1\r\nhost: a\r\n", 200),
        ("GET /health/live HTTP/1.1\r\nhost:\r\n", 200),
        ("GET /health/live HTTP/1.0\r\n", 200),
    ] {
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.write_all(format!("{head}connection: close\r\n\r\n").as_bytes()).unwrap();
        assert_eq!(Answer::read(stream).status, status, "{head}");
    }
}

/// hyper takes the length away before we see it (RFC 9112, 6.3: the encoding counts) and closes after the answer:
/// what a proxy in front may take for a second request is never read as one.
#[test]
fn a_length_beside_an_encoding_smuggles_nothing() {
    let server = Running::start();
    let (length, encoding) = ("content-length: 5\r\n", "transfer-encoding: chunked\r\n");
    for both in [format!("{length}{encoding}"), format!("{encoding}{length}")] {
        let mut stream = TcpStream::connect(server.address).unwrap();
        let hidden = "GET /health/ready HTTP/1.1\r\nhost: x\r\n\r\n";
        let head = format!("POST /rest/v1/notes HTTP/1.1\r\nhost: x\r\n{both}\r\n0\r\n\r\n{hidden}");
        stream.write_all(head.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        assert_eq!(text.matches("HTTP/1.1 ").count(), 1, "{text}");
    }
}

#[test]
fn a_connection_that_asks_nothing_more_is_let_go() {
    let server = Running::with(&[("limits.header_time", "300ms")]);
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let started = Instant::now();
    assert_eq!(Answer::read(stream).status, 200);
    assert!(started.elapsed() < Duration::from_secs(5));
}
