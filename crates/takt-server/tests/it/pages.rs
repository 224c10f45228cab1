//! The front end and the addresses for operators.

use expect_test::expect;

use crate::support::{Running, write};

#[test]
fn pages_have_their_types_policies_and_cache_rules() {
    let server = Running::start();
    let shown =
        ["content-type", "cache-control", "content-security-policy", "referrer-policy", "x-frame-options"];
    expect![[r#"
        200
        content-type: text/html; charset=utf-8
        cache-control: no-cache
        content-security-policy: default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'
        referrer-policy: strict-origin-when-cross-origin
        x-frame-options: SAMEORIGIN
        <!doctype html><title>Notes</title>"#]]
    .assert_eq(&server.get("/").shown(&shown));
    for (path, rule) in [
        ("/app.css", "public, max-age=300, must-revalidate"),
        ("/app.css?v=3", "public, max-age=31536000, immutable"),
        ("/app.4f2a77c1.js", "public, max-age=31536000, immutable"),
        ("/deep/", "no-cache"),
    ] {
        assert_eq!(server.get(path).header("cache-control").as_deref(), Some(rule), "{path}");
    }
    let deep = server.get("/deep");
    assert_eq!((deep.status, deep.header("location").as_deref()), (308, Some("/deep/")));
}

#[test]
fn nothing_but_the_front_end_is_served() {
    let server = Running::start();
    for path in [
        "/.secret",
        "/.git/HEAD",
        "/takt.toml",
        "/logic/note.ts",
        "/data/takt.db",
        "/../takt.toml",
        "/%2e%2e/takt.toml",
        "/deep/..%2f..%2ftakt.toml",
        "/schema/notes.toml",
    ] {
        let answer = server.get(path);
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.text(), "<!doctype html><title>Nothing here</title>", "{path}");
    }
    assert_eq!(server.ask("POST", "/", &[], "x").status, 405);
}

#[test]
fn the_one_hidden_folder_for_everybody_is_served_and_no_other() {
    let server = Running::start();
    let dir = server.dir.as_ref().unwrap().path();
    write(dir, "public/.well-known/security.txt", "Contact: mailto:security@example.org\n");
    write(dir, "public/.well-known/.secret", "hidden");
    write(dir, "public/deep/.well-known/a.txt", "hidden");
    let told = server.get("/.well-known/security.txt");
    assert_eq!((told.status, told.text().as_str()), (200, "Contact: mailto:security@example.org\n"));
    for path in ["/.well-known", "/.well-known/", "/.well-known/.secret", "/deep/.well-known/a.txt"] {
        assert_eq!(server.get(path).status, 404, "{path}");
    }
}

#[test]
fn a_file_that_the_caller_has_is_not_sent_again() {
    let server = Running::start();
    let whole = server.get("/app.css");
    let etag = whole.header("etag").unwrap();
    let again = server.ask("GET", "/app.css", &[("if-none-match", &etag)], "");
    assert_eq!((again.status, again.body.len(), again.header("etag")), (304, 0, Some(etag.clone())));
    let small = server.ask("GET", "/app.css", &[("accept-encoding", "br")], "");
    assert_eq!(small.header("content-encoding").as_deref(), Some("br"));
    assert_ne!(small.header("etag"), Some(etag), "another variant is another entity");
    let head = server.ask("HEAD", "/app.css", &[], "");
    assert_eq!(head.header("content-length"), Some(whole.body.len().to_string()));
    assert!(head.body.is_empty());
}

#[test]
fn parts_of_files_are_sent_from_memory_and_from_the_disk() {
    let server = Running::start();
    let large: String = (0..200_000).map(|n| format!("{n:07}\n")).collect();
    write(server.dir.as_ref().unwrap().path(), "public/large.csv", &large);
    for (path, whole) in [("/app.css", server.get("/app.css").text()), ("/large.csv", large.clone())] {
        let answer = server.ask("GET", path, &[("range", "bytes=5-14"), ("accept-encoding", "gzip")], "");
        assert_eq!((answer.status, answer.text().as_str()), (206, &whole[5..15]), "{path}");
        assert_eq!(answer.header("content-range"), Some(format!("bytes 5-14/{}", whole.len())));
        let beyond = server.ask("GET", path, &[("range", "bytes=99999999-")], "");
        assert_eq!(
            (beyond.status, beyond.header("content-range")),
            (416, Some(format!("bytes */{}", whole.len())))
        );
        let changed = server.ask("GET", path, &[("range", "bytes=5-14"), ("if-range", "\"other\"")], "");
        assert_eq!((changed.status, changed.body.len()), (200, whole.len()));
    }
    assert_eq!(server.get("/large.csv").text(), large);
}

#[test]
fn operators_learn_whether_it_lives_and_takes_writes() {
    let server = Running::start();
    expect![[r#"
        200
        cache-control: no-store
        {"status":"live"}"#]]
    .assert_eq(&server.raw("GET", "/health/live", &[], b"").shown(&["cache-control"]));
    assert_eq!(server.raw("GET", "/health/ready", &[], b"").text(), r#"{"status":"ready"}"#);
    assert_eq!(server.raw("GET", "/health/else", &[], b"").status, 404);
    assert_eq!(server.raw("POST", "/health/live", &[], b"x").status, 405);
}

#[test]
fn dialects_that_are_not_there_yet_say_so() {
    let server = Running::start();
    for path in ["/storage/v1/bucket", "/realtime/v1/websocket", "/openapi.json"] {
        let answer = server.get(path);
        assert_eq!((answer.status, answer.json()["code"].as_str()), (501, Some("TAKT012")), "{path}");
    }
}

#[test]
fn the_console_is_there_with_a_policy_of_its_own() {
    let server = Running::start();
    for path in ["/studio", "/studio/"] {
        let answer = server.get(path);
        assert!(answer.status < 400, "{path}: {}", answer.status);
        assert!(answer.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
}
