//! `takt serve`: from start to end.

use std::{
    fs,
    io::Write,
    net::{TcpListener, TcpStream},
    time::{Duration, Instant},
};

use crate::support::{Serving, ended, project, takt, text, write};

#[test]
fn a_new_project_is_served_answers_and_ends_in_order() {
    let (_dir, folder) = project();
    let server = Serving::start(&folder, &[]);
    assert!(server.ask("GET", "/", "").starts_with("HTTP/1.1 200"));
    let written =
        server.ask("POST", "/rest/v1/rpc/leave_message", r#"{"nickname":"Anna","message":"Hello"}"#);
    assert!(written.starts_with("HTTP/1.1 200"), "{written}");
    assert!(server.ask("GET", "/rest/v1/messages?select=nickname", "").ends_with(r#"[{"nickname":"Anna"}]"#));
    server.signal("TERM");
    let (code, output) = server.end();
    assert_eq!(code, Some(0));
    for word in ["book is being served.", "/studio", "1: messages", "1: leave_message", "takt keys --project"]
    {
        assert!(output.contains(word), "{word}: {output}");
    }
    let again = Serving::start(&folder, &[]);
    assert!(again.ask("GET", "/rest/v1/messages?select=nickname", "").ends_with(r#"[{"nickname":"Anna"}]"#));
}

#[test]
fn a_second_signal_ends_at_once() {
    let (_dir, folder) = project();
    let server = Serving::start(&folder, &[]);
    let mut slow = TcpStream::connect(&server.address).unwrap();
    slow.write_all(b"POST /rest/v1/rpc/leave_message HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{")
        .unwrap();
    std::thread::sleep(Duration::from_millis(200));
    let started = Instant::now();
    server.signal("INT");
    std::thread::sleep(Duration::from_millis(300));
    server.signal("INT");
    assert_eq!(server.end().0, Some(0));
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
}

#[test]
fn a_second_process_on_the_same_data_is_refused_and_told_who_has_it() {
    let (_dir, folder) = project();
    let server = Serving::start(&folder, &[]);
    let (code, _, error) = ended(&takt(&["serve", text(&folder), "--listen", "127.0.0.1:0"]));
    assert_eq!(code, 1);
    assert!(error.starts_with("Another takt (process ") && error.lines().count() == 1, "{error}");
    assert!(server.ask("GET", "/health/ready", "").starts_with("HTTP/1.1 200"));
}

#[test]
fn what_stops_a_start_is_one_plain_sentence_and_the_database_is_untouched() {
    let (dir, folder) = project();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let refused = |words: &[&str]| {
        let (code, output, error) = ended(&takt(&[&["serve"], words].concat()));
        assert_eq!((code, output.as_str()), (1, ""), "{error}");
        error
    };
    let error = refused(&[text(&folder), "--listen", &address]);
    assert!(error.starts_with("Port ") && error.contains("is in use"), "{error}");
    let error = refused(&[text(&dir.path().join("nowhere"))]);
    assert!(error.starts_with("The folder ") && error.contains("does not exist"), "{error}");
    let error = refused(&[text(dir.path())]);
    assert!(error.contains("has no takt.toml"), "{error}");

    write(&folder, "schema/messages.toml", "[fields.id]\ntype = \"txet\"\nprimary_key = true\n");
    let error = refused(&[text(&folder), "--listen", "127.0.0.1:0"]);
    assert!(error.contains("schema/messages.toml:2") && error.contains("did you mean"), "{error}");
    assert!(!folder.join("data/takt.db").exists());
}

#[test]
fn log_lines_are_structured_and_hold_no_secrets() {
    let (_dir, folder) = project();
    let log = folder.join("log");
    let mut process = std::process::Command::new(env!("CARGO_BIN_EXE_takt"))
        .args(["serve", text(&folder), "--listen", "127.0.0.1:0", "--log", "json"])
        .stdout(std::process::Stdio::piped())
        .stderr(fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufReader::new(process.stdout.take().unwrap());
    let mut greeting = String::new();
    while !greeting.contains("http://") {
        assert!(std::io::BufRead::read_line(&mut lines, &mut greeting).unwrap() > 0);
    }
    let address: String = greeting
        .split("http://")
        .nth(1)
        .unwrap()
        .chars()
        .take_while(|c| c.is_ascii_digit() || ".:".contains(*c))
        .collect();
    let mut stream = TcpStream::connect(&address).unwrap();
    let request = "GET /rest/v1/messages?nickname=eq.personal-value HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
                   authorization: Bearer secret-token\r\nx-request-id: proxy-77\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    std::io::copy(&mut stream, &mut std::io::sink()).unwrap();
    std::process::Command::new("kill").arg(process.id().to_string()).status().unwrap();
    process.wait().unwrap();

    let log = fs::read_to_string(log).unwrap();
    let line = log.lines().find(|l| l.contains("proxy-77")).unwrap_or_else(|| panic!("no line: {log}"));
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!(line["method"], "GET");
    assert_eq!(line["path"], "/rest/v1/messages");
    assert_eq!(line["status"], 401);
    assert!(line["ms"].is_number());
    assert!(!log.contains("secret-token") && !log.contains("personal-value"), "{log}");
}
