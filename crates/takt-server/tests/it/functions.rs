//! Business actions at `/rest/v1/rpc` and `/functions/v1`.

use expect_test::expect;

use crate::support::Running;

const JSON: (&str, &str) = ("content-type", "application/json");

#[test]
fn an_action_answers_with_its_result_and_the_id_of_its_story() {
    let server = Running::start();
    let token = server.token("anna@example.com");
    for path in ["/rest/v1/rpc/note", "/functions/v1/note"] {
        let answer = server.ask_as(&token, "POST", path, &[JSON], r#"{"text":"hello"}"#);
        assert_eq!((answer.status, answer.text().as_str()), (200, r#"{"text":"hello"}"#), "{path}");
        assert!(answer.header("takt-story").is_some_and(|s| s.len() == 36));
        assert_eq!(answer.header("idempotent-replayed"), None);
    }
    let notes = server.ask_as(&token, "GET", "/rest/v1/notes?select=text", &[], "");
    assert_eq!(notes.json().as_array().unwrap().len(), 2);
}

#[test]
fn a_refusal_speaks_the_callers_language() {
    let server = Running::start();
    let token = server.token("anna@example.com");
    let refused = |language| {
        let headers = [JSON, ("accept-language", language)];
        server.ask_as(&token, "POST", "/rest/v1/rpc/note", &headers, r#"{"text":"no"}"#)
    };
    expect![[r#"
        409
        proxy-status: PostgREST; error=REJECTED
        {"code":"REJECTED","details":{"why":7},"hint":null,"message":"Not that."}"#]]
    .assert_eq(&refused("en-GB, en;q=0.8").shown(&["proxy-status"]));
    assert_eq!(refused("de-AT").json()["message"], "Das nicht.");
    assert_eq!(refused("fr").json()["message"], "Das nicht.", "the project's own language");
}

#[test]
fn a_function_that_throws_tells_nothing_of_its_inside() {
    let server = Running::start();
    let token = server.token("anna@example.com");
    let answer = server.ask_as(&token, "POST", "/rest/v1/rpc/note", &[JSON], r#"{"text":"throw"}"#);
    assert_eq!(answer.status, 500);
    assert!(!answer.text().contains("inner secret"), "{}", answer.text());
    assert_eq!(server.get("/health/live").status, 200);
}

#[test]
fn what_cannot_be_called_says_why() {
    let server = Running::start();
    let token = server.token("anna@example.com");
    let path = "/rest/v1/rpc/note";
    let answers = [
        server.ask("POST", "/rest/v1/rpc/nothing", &[JSON], "{}"),
        server.ask("POST", path, &[JSON], r#"{"text":"x"}"#),
        server.ask_as(&token, "GET", "/rest/v1/rpc/note?text=x", &[], ""),
        server.ask_as(&token, "POST", path, &[JSON], "[1]"),
        server.ask_as(&token, "POST", path, &[JSON, ("idempotency-key", "")], r#"{"text":"x"}"#),
    ];
    let texts: Vec<_> = answers
        .iter()
        .map(|a| format!("{} {} {}", a.status, a.json()["code"], a.json()["message"]))
        .collect();
    expect![[r#"
        404 "PGRST202" "Could not find the function public.nothing in the schema cache"
        401 "42501" "permission denied for function note"
        405 "25006" "The function note may write and is called with POST."
        400 "PGRST102" "The body of a function call must be a JSON object"
        400 "TAKT006" "An Idempotency-Key has 1 to 255 visible ASCII characters.""#]]
    .assert_eq(&texts.join("\n"));
}

#[test]
fn a_repeated_call_under_one_key_happens_once() {
    let server = Running::start();
    let token = server.token("anna@example.com");
    let call = |body| {
        let headers = [JSON, ("idempotency-key", "order-77")];
        server.ask_as(&token, "POST", "/rest/v1/rpc/note", &headers, body)
    };
    let (first, again) = (call(r#"{"text":"once"}"#), call(r#"{ "text": "once" }"#));
    assert_eq!((first.text(), first.header("takt-story")), (again.text(), again.header("takt-story")));
    assert_eq!(first.header("idempotent-replayed"), None);
    assert_eq!(again.header("idempotent-replayed").as_deref(), Some("true"));
    let other = call(r#"{"text":"other"}"#);
    assert_eq!((other.status, other.json()["code"].as_str()), (422, Some("TAKT005")));
    let notes = server.ask_as(&token, "GET", "/rest/v1/notes", &[], "");
    assert_eq!(notes.json().as_array().unwrap().len(), 1);
}

#[test]
fn a_table_hook_speaks_for_every_writer_in_their_language() {
    let server = Running::start();
    let token = server.token("anna@example.com");
    let german = [JSON, ("accept-language", "de")];
    for path in ["/rest/v1/notes", "/rest/v1/rpc/note"] {
        let refused = server.ask_as(&token, "POST", path, &german, r#"{"text":"ruled out"}"#);
        expect![[r#"
            422
            proxy-status: PostgREST; error=REJECTED
            {"code":"REJECTED","details":null,"hint":null,"message":"Nicht nach unseren Regeln."}"#]]
        .assert_eq(&refused.shown(&["proxy-status"]));
    }
    let notes = server.ask_as(&token, "GET", "/rest/v1/notes?select=text", &[], "");
    assert_eq!(notes.text(), "[]");
    // Nobody calls a hook or a job.
    for function in ["note_rule", "copy"] {
        assert_eq!(
            server.ask_as(&token, "POST", &format!("/functions/v1/{function}"), &[JSON], "{}").status,
            404
        );
        assert_eq!(
            server.ask_as(&token, "POST", &format!("/rest/v1/rpc/{function}"), &[JSON], "{}").status,
            404
        );
    }
}

#[test]
fn a_running_server_does_delayed_jobs() {
    let server = Running::start();
    let token = server.token("anna@example.com");
    let written = server.ask_as(&token, "POST", "/rest/v1/notes", &[JSON], r#"{"text":"copy me"}"#);
    assert_eq!(written.status, 201);
    let copied = (0..100).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        let notes = server.ask_as(&token, "GET", "/rest/v1/notes?select=text&text=eq.copied", &[], "");
        notes.text() == r#"[{"text":"copied"}]"#
    });
    assert!(copied, "the job ran within ten seconds");
}
