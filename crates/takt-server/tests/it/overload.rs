//! One caller, or many, who want more than there is: everybody else is served all the same.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use crate::support::{Answer, Running, options, project, write};

/// Callers come from addresses that a proxy names.
const PROXY: (&str, &str) = ("server.trusted_proxies", "127.0.0.1");

const HELLO: &str = r#"
export const label = { en: "Hello", de: "Hallo" };
export const access = ["anon", "authenticated"];
export const input = {};
export default async function () { return { hello: true }; }
"#;

/// A request whose body stops after `sent` of `said` bytes.
fn slow_body(server: &Running, from: &str, path: &str, sent: usize, said: usize) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-forwarded-for: {from}\r\ncontent-length: {said}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    // Who is refused meanwhile may find the connection closed.
    let _ = stream.write_all(&vec![b'x'; sent]);
    stream
}

/// Such a request that the server holds: it has had time to be read, and nothing was answered.
fn held(server: &Running, from: &str, sent: usize, said: usize) -> TcpStream {
    let stream = slow_body(server, from, "/rest/v1/notes", sent, said);
    stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    assert!(stream.peek(&mut [0]).is_err(), "nothing is answered yet");
    stream
}

/// Asks again until it is answered so, because a server notices a closed connection a moment later.
fn soon(status: u16, ask: impl Fn() -> Answer) {
    let begun = Instant::now();
    loop {
        let answer = ask();
        if answer.status == status {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "{}", answer.shown(&[]));
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn bodies_in_flight_share_a_budget_of_which_no_address_has_all() {
    let server = Running::with(&[PROXY, ("limits.body", "200kB"), ("limits.bodies", "400kB")]);
    let whole =
        |from, path| Answer::read(slow_body(&server, from, path, 150_000, 150_000)).shown(&["retry-after"]);
    let one = held(&server, "203.0.113.1", 149_000, 150_000);
    let refused = whole("203.0.113.1", "/rest/v1/notes");
    assert!(refused.starts_with("429\nretry-after: 1\n") && refused.contains("TAKT014"), "{refused}");
    let other = held(&server, "203.0.113.2", 149_000, 150_000);
    for path in
        ["/rest/v1/notes", "/rest/v1/rpc/note", "/functions/v1/note", "/auth/v1/token", "/studio/login"]
    {
        let refused = whole("203.0.113.3", path);
        assert!(refused.starts_with("503\nretry-after: 1\n"), "{path}: {refused}");
    }
    assert_eq!(server.app.counters().failed, 5, "the part of one address is that address's own affair");
    assert_eq!(server.get("/rest/v1/colours").status, 200, "requests without a body are no part of it");
    drop((one, other));
    soon(400, || Answer::read(slow_body(&server, "203.0.113.3", "/rest/v1/notes", 150_000, 150_000)));
}

#[test]
fn a_handled_body_is_given_back() {
    let server = Running::with(&[("limits.body", "20kB"), ("limits.bodies", "20kB")]);
    for _ in 0..10 {
        assert_eq!(server.ask("POST", "/rest/v1/notes", &[], &"x".repeat(19_000)).status, 400);
    }
}

#[test]
fn visitors_may_call_functions_so_often_and_accounts_as_they_like() {
    let dir = project();
    write(dir.path(), "logic/hello.ts", HELLO);
    let options = options(dir.path(), &[PROXY, ("limits.visitor_calls", "3")]);
    let server = Running::serve(dir, &options);
    let visit = |from: &str, path: &str| {
        server.ask("POST", path, &[("x-forwarded-for", from), ("content-type", "application/json")], "{}")
    };
    let doors = ["/rest/v1/rpc/hello", "/functions/v1/hello"];
    for path in [doors[0], doors[1], doors[0]] {
        assert_eq!(visit("203.0.113.1", path).status, 200);
    }
    for path in doors {
        let refused = visit("203.0.113.1", path);
        assert_eq!((refused.status, refused.json()["code"].as_str()), (429, Some("TAKT015")));
        let wait: u32 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=900).contains(&wait), "{wait}");
        assert_eq!(visit("203.0.113.2", path).status, 200, "another address");
    }
    assert_eq!(server.get("/rest/v1/colours").status, 200, "reads are not counted");
    let token = server.token("anna@shop.test");
    for _ in 0..5 {
        assert_eq!(server.ask_as(&token, "POST", doors[0], &[], "{}").status, 200);
        let secret = [("apikey", server.secret.as_str()), ("content-type", "application/json")];
        assert_eq!(server.raw("POST", doors[0], &secret, b"{}").status, 200);
    }
}

#[test]
fn one_address_has_so_many_requests_at_the_same_time() {
    let server = Running::with(&[PROXY, ("limits.requests_per_address", "2")]);
    let ask = |from: &str, path: &str| server.ask("GET", path, &[("x-forwarded-for", from)], "");
    let held = [1, 2].map(|_| held(&server, "2001:db8:1:2::7", 10, 100));
    let refused = ask("2001:db8:1:2::8", "/rest/v1/colours");
    assert_eq!((refused.status, refused.json()["code"].as_str()), (429, Some("TAKT016")));
    assert_eq!(refused.header("retry-after").as_deref(), Some("1"));
    for (from, path) in
        [("203.0.113.2", "/rest/v1/colours"), ("2001:db8:1:2::8", "/health/live"), ("2001:db8:1:2::8", "/")]
    {
        assert_eq!(ask(from, path).status, 200, "{from} {path}");
    }
    let secret = [("apikey", server.secret.as_str()), ("x-forwarded-for", "2001:db8:1:2::8")];
    for _ in 0..3 {
        assert_eq!(server.raw("GET", "/rest/v1/colours", &secret, b"").status, 200, "the secret key");
    }
    drop(held);
    soon(200, || ask("2001:db8:1:2::8", "/rest/v1/colours"));
}

/// A server with `rows` pages of a megabyte each.
fn with_pages(rows: u32, settings: &[(&str, &str)]) -> Running {
    let dir = project();
    let pages = r#"
        [fields.id]
        type = "integer"
        primary_key = true
        [fields.text]
        type = "text"
        [[policies]]
        name = "everyone reads pages"
        to = ["anon"]
        allow = ["select"]
        using = "true"
    "#;
    write(dir.path(), "schema/pages.toml", pages);
    let options = options(dir.path(), settings);
    let server = Running::serve(dir, &options);
    let secret = [("apikey", server.secret.as_str()), ("content-type", "application/json")];
    for id in 0..rows {
        let row = format!(r#"{{"id":{id},"text":"{}"}}"#, "x".repeat(1_000_000));
        assert_eq!(server.raw("POST", "/rest/v1/pages", &secret, row.as_bytes()).status, 201);
    }
    server
}

#[test]
fn an_answer_that_waits_for_its_reader_keeps_its_place() {
    let server = with_pages(15, &[PROXY, ("limits.requests_per_address", "1")]);
    let mut idle = TcpStream::connect(server.address).unwrap();
    let head =
        "GET /rest/v1/pages HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-forwarded-for: 203.0.113.1\r\n\r\n";
    idle.write_all(head.as_bytes()).unwrap();
    // The first byte says that the handler is done.
    assert_eq!(idle.peek(&mut [0]).unwrap(), 1);
    let again = || server.ask("GET", "/rest/v1/colours", &[("x-forwarded-for", "203.0.113.1")], "");
    assert_eq!(again().status, 429);
    assert!(Answer::read(idle).body.len() > 15_000_000);
    soon(200, again);
}

/// HTTP/2 lets a reader say how much it wants; the socket is never full then, and nothing else would end this.
#[test]
fn a_reader_who_wants_nothing_of_its_answer_is_let_go() {
    let server = with_pages(1, &[("limits.request_time", "300ms"), ("limits.requests_per_address", "1")]);
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let path = b"/rest/v1/pages";
    // :method GET, :scheme http, :path, :authority, in the encoding without tables (RFC 7541, 6).
    let mut fields = vec![0x82, 0x86, 0x04, u8::try_from(path.len()).unwrap()];
    fields.extend_from_slice(path);
    fields.extend_from_slice(b"\x01\x01x");
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    // SETTINGS: a window of 0 for every stream. HEADERS: the whole request.
    bytes.extend_from_slice(b"\0\0\x06\x04\0\0\0\0\0\0\x04\0\0\0\0");
    bytes.extend_from_slice(&[0, 0, u8::try_from(fields.len()).unwrap(), 1, 5, 0, 0, 0, 1]);
    bytes.extend_from_slice(&fields);
    stream.write_all(&bytes).unwrap();
    let begun = Instant::now();
    let mut answer = Vec::new();
    // Closed or reset; what matters is that it ends, and not before its time.
    let _ = stream.read_to_end(&mut answer);
    assert!((2..15).contains(&begun.elapsed().as_secs()), "{:?} {answer:?}", begun.elapsed());
    soon(200, || server.get("/rest/v1/colours"));
}
