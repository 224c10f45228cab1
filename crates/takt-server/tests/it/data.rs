//! `/rest/v1`: keys, tokens, rows, errors, and the headers around them.

use expect_test::expect;
use takt_server::StartOptions;

use crate::support::{Running, options, project, write};

#[test]
fn a_visitor_reads_what_policies_show() {
    let server = Running::start();
    let answer = server.get("/rest/v1/colours?select=name&order=id&limit=2");
    expect![[r#"
        200
        content-type: application/json; charset=utf-8
        content-range: 0-1/*
        x-content-type-options: nosniff
        content-security-policy: default-src 'none'; frame-ancestors 'none'
        [{"name":"red"},{"name":"green, dark"}]"#]]
    .assert_eq(&answer.shown(&[
        "content-type",
        "content-range",
        "x-content-type-options",
        "content-security-policy",
    ]));
    assert!(answer.header("x-request-id").is_some());
    let closed = server.get("/rest/v1/notes");
    assert_eq!((closed.status, closed.json()["code"].as_str()), (401, Some("42501")), "closed by default");
}

#[test]
fn accounts_see_and_write_only_their_own_rows_and_the_secret_key_sees_all() {
    let server = Running::start();
    let (anna, ben) = (server.token("anna@example.com"), server.token("ben@example.com"));
    let prefer = [("prefer", "return=representation"), ("content-type", "application/json")];
    for token in [&anna, &ben] {
        let answer =
            server.ask_as(token, "POST", "/rest/v1/notes?select=text", &prefer, r#"{"text":"mine"}"#);
        assert_eq!((answer.status, answer.text().as_str()), (201, r#"[{"text":"mine"}]"#));
    }
    let own = server.ask_as(&anna, "GET", "/rest/v1/notes?select=text", &[], "");
    assert_eq!(own.text(), r#"[{"text":"mine"}]"#);
    let removed = server.ask_as(&anna, "DELETE", "/rest/v1/notes?text=eq.mine", &prefer, "");
    assert_eq!(removed.json().as_array().unwrap().len(), 1);

    let all = server.raw("GET", "/rest/v1/notes?select=text", &[("apikey", &server.secret)], b"");
    assert_eq!(all.text(), r#"[{"text":"mine"}]"#, "the other one's note is still there");
}

#[test]
fn a_refused_write_asks_visitors_to_sign_in_and_tells_accounts_no() {
    let server = Running::start();
    let anna = server.token("anna@example.com");
    let json = [("content-type", "application/json")];
    let foreign = r#"{"text":"x","owner":"00000000-0000-0000-0000-000000000001"}"#;
    let shown = ["proxy-status", "www-authenticate"];

    let visitor = server.ask("POST", "/rest/v1/notes", &json, foreign);
    assert_eq!((visitor.status, visitor.json()["code"].as_str()), (401, Some("42501")), "{}", visitor.text());
    assert_eq!(visitor.header("www-authenticate").as_deref(), Some("Bearer"));

    expect![[r#"
        403
        proxy-status: PostgREST; error=42501
        {"code":"42501","details":null,"hint":null,"message":"new row violates row-level security policy for table \"notes\""}"#]]
    .assert_eq(&server.ask_as(&anna, "POST", "/rest/v1/notes", &json, foreign).shown(&shown));
}

#[test]
fn errors_have_the_shape_of_the_dialect() {
    let server = Running::start();
    let single = [("accept", "application/vnd.pgrst.object+json")];
    let cases = [
        server.get("/rest/v1/nothing"),
        server.get("/rest/v1/colours?nothing=eq.1"),
        server.get("/rest/v1/colours?id=eq.x"),
        server.ask("GET", "/rest/v1/colours", &single, ""),
        server.ask("DELETE", "/rest/v1/notes", &[], ""),
        server.get("/rest/v1/a/b"),
        server.ask("TRACE", "/rest/v1/colours", &[], ""),
    ];
    let texts: Vec<_> = cases.iter().map(|a| a.shown(&["proxy-status"])).collect();
    expect![[r#"
        404
        proxy-status: PostgREST; error=PGRST205
        {"code":"PGRST205","details":null,"hint":null,"message":"Could not find the table 'public.nothing' in the schema cache"}
        400
        proxy-status: PostgREST; error=42703
        {"code":"42703","details":null,"hint":null,"message":"column colours.nothing does not exist"}
        400
        proxy-status: PostgREST; error=22P02
        {"code":"22P02","details":null,"hint":null,"message":"invalid input syntax for type integer: \"x\""}
        406
        proxy-status: PostgREST; error=PGRST116
        {"code":"PGRST116","details":"The result contains 3 rows","hint":null,"message":"Cannot coerce the result to a single JSON object"}
        400
        proxy-status: PostgREST; error=21000
        {"code":"21000","details":null,"hint":null,"message":"DELETE requires a WHERE clause"}
        404
        proxy-status: PostgREST; error=PGRST125
        {"code":"PGRST125","details":null,"hint":null,"message":"Invalid path specified in request URL"}
        405
        proxy-status: PostgREST; error=PGRST117
        {"code":"PGRST117","details":null,"hint":null,"message":"Unsupported HTTP method: TRACE"}"#]]
    .assert_eq(&texts.join("\n"));
}

#[test]
fn keys_and_tokens_decide_who_is_there() {
    let server = Running::start();
    let table = "/rest/v1/colours?select=id&limit=1";
    let bearer = |token: &str| format!("Bearer {token}");
    let publishable = bearer(&server.publishable);
    let secret = server.secret.as_str();
    for (headers, status, code) in [
        (vec![], 200, None),
        (vec![("apikey", "sb_publishable_wrong")], 401, Some("TAKT002")),
        (vec![("authorization", publishable.as_str())], 200, None),
        (vec![("apikey", secret)], 200, None),
        (vec![("apikey", secret), ("sec-fetch-mode", "cors")], 200, None),
        (vec![("apikey", secret), ("origin", "https://shop.example")], 401, Some("TAKT007")),
        (vec![("apikey", secret), ("sec-fetch-site", "same-origin")], 401, Some("TAKT007")),
        (vec![("authorization", "Bearer not.a.token")], 401, Some("PGRST301")),
        (
            vec![("authorization", "Bearer eyJhbGciOiJub25lIn0.eyJyb2xlIjoic2VydmljZV9yb2xlIn0.")],
            401,
            Some("PGRST301"),
        ),
    ] {
        let answer = server.raw("GET", table, &headers, b"");
        let got = if answer.status == 200 { None } else { answer.json()["code"].as_str().map(str::to_owned) };
        assert_eq!((answer.status, got.as_deref()), (status, code), "{headers:?}");
    }
    // Addresses are kept in histories and logs, so only the publishable key may stand in one.
    let with_key = |key: &str| server.raw("GET", &format!("{table}&apikey={key}"), &[], b"");
    assert_eq!(with_key(&server.publishable).status, 200);
    let refused = with_key(secret);
    assert_eq!((refused.status, refused.json()["code"].as_str()), (401, Some("TAKT007")));
    let beside = server.get(&format!("{table}&apikey={secret}"));
    assert_eq!(
        (beside.status, beside.json()["code"].as_str()),
        (401, Some("TAKT007")),
        "a right key beside it"
    );
    let at_the_door = format!("/auth/v1/admin/users?apikey={secret}");
    assert_eq!(server.raw("GET", &at_the_door, &[], b"").status, 401);
    let strict = Running::with(&[("server.anonymous_without_key", "false")]);
    let answer = strict.raw("GET", table, &[], b"");
    assert_eq!((answer.status, answer.json()["code"].as_str()), (401, Some("TAKT001")));
    assert_eq!(strict.get(table).status, 200);
}

#[test]
fn other_origins_may_call_and_read_the_headers_that_clients_need() {
    let server = Running::start();
    let asked = [
        ("origin", "https://shop.example"),
        ("access-control-request-method", "PATCH"),
        ("access-control-request-headers", "apikey, x-client-info, x-own"),
    ];
    let preflight = server.raw("OPTIONS", "/rest/v1/colours", &asked, b"");
    expect![[r#"
        204
        access-control-allow-origin: *
        access-control-allow-methods: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS
        access-control-allow-headers: apikey, x-client-info, x-own
        access-control-max-age: 86400
    "#]]
    .assert_eq(&preflight.shown(&[
        "access-control-allow-origin",
        "access-control-allow-methods",
        "access-control-allow-headers",
        "access-control-max-age",
        "access-control-allow-credentials",
    ]));
    // Errors too, or a browser shows "network error" instead of them.
    let answer = server.ask("GET", "/rest/v1/nothing", &[("origin", "https://shop.example")], "");
    assert_eq!(answer.header("access-control-allow-origin").as_deref(), Some("*"));
    assert!(answer.header("access-control-expose-headers").unwrap().contains("Content-Range"));

    let named = Running::with(&[("server.cors_origins", "https://shop.example")]);
    let from = |origin| named.ask("GET", "/rest/v1/colours", &[("origin", origin)], "");
    let allowed = from("https://shop.example");
    assert_eq!(allowed.header("access-control-allow-origin").as_deref(), Some("https://shop.example"));
    assert!(allowed.header("vary").unwrap().contains("Origin"));
    assert_eq!(from("https://evil.example").header("access-control-allow-origin"), None);
}

#[test]
fn an_http_function_that_gives_nothing_fit_is_told_to_its_developer() {
    let plain = "export const kind = \"http\", access = [\"anon\"];\nexport default () => ({ ok: true });\n";
    for dev in [true, false] {
        let dir = project();
        write(dir.path(), "logic/plain.ts", plain);
        let options = StartOptions { dev, ..options(dir.path(), &[]) };
        let answer = Running::serve(dir, &options).get("/functions/v1/plain");
        assert_eq!(answer.status, 500);
        let told = answer.text().contains("an http function gives a Response, or { status, headers, body }");
        assert_eq!(told, dev, "{}", answer.text());
    }
}

#[test]
fn with_dev_an_answer_explains_which_policies_chose_its_rows() {
    let server = Running::dev();
    let answer = server.get("/rest/v1/notes");
    expect!["notes: no rows, because no policy lets anon select"]
        .assert_eq(&answer.header("takt-explain").unwrap_or_default());
    let anna = server.token("anna@example.com");
    let answer = server.ask_as(&anna, "GET", "/rest/v1/notes", &[], "");
    expect![[
        r#"notes: rows that authenticated may see by "people handle their own notes" (owner = auth.uid())"#
    ]]
    .assert_eq(&answer.header("takt-explain").unwrap_or_default());
    assert_eq!(Running::start().get("/rest/v1/notes").header("takt-explain"), None);
}

#[test]
fn large_answers_are_compressed_as_the_caller_likes_it() {
    let server = Running::start();
    let rows: Vec<_> = (10..200).map(|n| format!(r#"{{"id":{n},"name":"colour number {n}"}}"#)).collect();
    let json = [("apikey", server.secret.as_str()), ("content-type", "application/json")];
    let written = server.raw("POST", "/rest/v1/colours", &json, format!("[{}]", rows.join(",")).as_bytes());
    assert_eq!(written.status, 201, "{}", written.text());
    let plain = server.get("/rest/v1/colours");
    for (accept, encoding) in [("gzip", Some("gzip")), ("gzip, br, zstd", Some("zstd")), ("identity", None)] {
        let answer = server.ask("GET", "/rest/v1/colours", &[("accept-encoding", accept)], "");
        assert_eq!(answer.header("content-encoding").as_deref(), encoding);
        assert_eq!(answer.body.len() < plain.body.len(), encoding.is_some());
        assert!(answer.header("vary").unwrap().contains("Accept-Encoding"));
    }
    let small = server.ask("GET", "/rest/v1/colours?limit=1", &[("accept-encoding", "gzip")], "");
    assert_eq!(small.header("content-encoding"), None);
}
