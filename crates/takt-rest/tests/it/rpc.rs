//! Calls of functions: input and answers.

use expect_test::{Expect, expect};
use takt_rest::{Method, rpc_check, rpc_input, rpc_reply};

use crate::refusal;

fn check_input(calls: &[(Method, &str, &str)], expected: &Expect) {
    let text: String = calls
        .iter()
        .map(|(method, query, body)| {
            let input = match rpc_input(*method, query, body.as_bytes()) {
                Ok(input) => input.to_string(),
                Err(error) => refusal(&error),
            };
            format!("{}\n  {input}\n", format!("{} ?{query} {body}", method.name()).trim_end())
        })
        .collect();
    expected.assert_eq(&text);
}

#[test]
fn inputs() {
    check_input(
        &[
            (Method::Post, "", "{\"a\":1.10,\"b\":[null]}"),
            (Method::Post, "", ""),
            (Method::Post, "apikey=x", " "),
            (Method::Post, "", "[1]"),
            (Method::Post, "", "{"),
            (Method::Post, "select=id", "{}"),
            (Method::Post, "id=eq.1", "{}"),
            (Method::Get, "a=1&b=x%20y&c={1,2}", ""),
            (Method::Head, "", ""),
            (Method::Get, "a=1&select=id", ""),
            (Method::Get, "rel.limit=1", ""),
            (Method::Patch, "", "{}"),
        ],
        &expect![[r#"
            POST ? {"a":1.10,"b":[null]}
              {"a":1.10,"b":[null]}
            POST ?
              {}
            POST ?apikey=x
              {}
            POST ? [1]
              400 {"code":"PGRST102","details":null,"hint":null,"message":"The body of a function call must be a JSON object"}
            POST ? {
              400 {"code":"PGRST102","details":null,"hint":null,"message":"Empty or invalid json"}
            POST ?select=id {}
              400 {"code":"PGRST127","details":null,"hint":null,"message":"Feature not implemented: selecting, filtering or ordering the result of a function (select=)"}
            POST ?id=eq.1 {}
              400 {"code":"PGRST127","details":null,"hint":null,"message":"Feature not implemented: selecting, filtering or ordering the result of a function (id=)"}
            GET ?a=1&b=x%20y&c={1,2}
              {"a":"1","b":"x y","c":"{1,2}"}
            HEAD ?
              {}
            GET ?a=1&select=id
              400 {"code":"PGRST127","details":null,"hint":null,"message":"Feature not implemented: selecting, filtering or ordering the result of a function (select=)"}
            GET ?rel.limit=1
              400 {"code":"PGRST127","details":null,"hint":null,"message":"Feature not implemented: selecting, filtering or ordering the result of a function (rel.limit=)"}
            PATCH ? {}
              405 {"code":"PGRST101","details":null,"hint":null,"message":"Cannot use the PATCH method on RPC"}
        "#]],
    );
}

#[test]
fn what_cannot_be_honoured_is_refused_before_the_function_runs() {
    let text: String = [
        (Some("text/html"), None),
        (Some("text/csv"), None),
        (None, Some("tx=rollback")),
        (None, Some("handling=strict, max-affected=1")),
        (None, Some("handling=strict, wishes=3")),
    ]
    .iter()
    .map(|(accept, prefer)| refusal(&rpc_check(*accept, *prefer).unwrap_err()) + "\n")
    .collect();
    expect![[r#"
        406 {"code":"PGRST107","details":null,"hint":null,"message":"None of these media types are available: text/html"}
        400 {"code":"PGRST127","details":null,"hint":null,"message":"Feature not implemented: text/csv for the result of a function"}
        400 {"code":"PGRST127","details":null,"hint":null,"message":"Feature not implemented: Prefer: tx=rollback"}
        400 {"code":"PGRST127","details":null,"hint":null,"message":"Feature not implemented: max-affected for a function"}
        400 {"code":"PGRST122","details":"Invalid preferences: wishes=3","hint":null,"message":"Invalid preferences given with handling=strict"}
    "#]].assert_eq(&text);
    assert_eq!(rpc_check(None, Some("max-affected=1, count=exact")), Ok(()));
}

#[test]
fn answers() {
    let single = Some("application/vnd.pgrst.object+json");
    let cases = [
        ("5", None, None, false),
        ("\"a\"", None, None, false),
        ("null", None, None, false),
        ("", None, None, false),
        ("{\"a\":1}", None, Some("count=exact"), false),
        ("[{\"a\":1},{\"a\":[2,3]}]", None, None, false),
        ("[{\"a\":1},{\"a\":2}]", None, Some("count=exact"), true),
        ("[]", None, None, false),
        ("{\"a\":1}", single, None, false),
        ("[{\"a\":1}]", single, None, false),
        ("[]", single, None, false),
        ("[1,2]", single, None, false),
        ("[1,", None, None, false),
    ];
    let text: String = cases
        .iter()
        .map(|(json, accept, prefer, head)| match rpc_reply(json, *accept, *prefer, *head) {
            Ok(reply) => {
                let body = String::from_utf8(reply.body).unwrap();
                format!("{json:?} -> {} {:?} {body:?}\n", reply.status, reply.headers)
            }
            Err(error) => format!("{json:?} -> {}\n", refusal(&error)),
        })
        .collect();
    expect![[r#"
        "5" -> 200 [("Content-Type", "application/json; charset=utf-8"), ("Content-Range", "0-0/*")] "5"
        "\"a\"" -> 200 [("Content-Type", "application/json; charset=utf-8"), ("Content-Range", "0-0/*")] "\"a\""
        "null" -> 200 [("Content-Type", "application/json; charset=utf-8"), ("Content-Range", "0-0/*")] "null"
        "" -> 204 [] ""
        "{\"a\":1}" -> 200 [("Content-Type", "application/json; charset=utf-8"), ("Content-Range", "0-0/1"), ("Preference-Applied", "count=exact")] "{\"a\":1}"
        "[{\"a\":1},{\"a\":[2,3]}]" -> 200 [("Content-Type", "application/json; charset=utf-8"), ("Content-Range", "0-1/*")] "[{\"a\":1},{\"a\":[2,3]}]"
        "[{\"a\":1},{\"a\":2}]" -> 200 [("Content-Type", "application/json; charset=utf-8"), ("Content-Range", "0-1/2"), ("Preference-Applied", "count=exact")] ""
        "[]" -> 200 [("Content-Type", "application/json; charset=utf-8"), ("Content-Range", "*/*")] "[]"
        "{\"a\":1}" -> 200 [("Content-Type", "application/vnd.pgrst.object+json; charset=utf-8"), ("Content-Range", "0-0/*")] "{\"a\":1}"
        "[{\"a\":1}]" -> 200 [("Content-Type", "application/vnd.pgrst.object+json; charset=utf-8"), ("Content-Range", "0-0/*")] "{\"a\":1}"
        "[]" -> 406 {"code":"PGRST116","details":"The result contains 0 rows","hint":null,"message":"Cannot coerce the result to a single JSON object"}
        "[1,2]" -> 406 {"code":"PGRST116","details":"The result contains 2 rows","hint":null,"message":"Cannot coerce the result to a single JSON object"}
        "[1," -> 500 {"code":"XX000","details":null,"hint":null,"message":"the function's result is not valid JSON"}
    "#]].assert_eq(&text);
}
