//! Kept plans: an answer is the same whether its plan was kept or made, and a plan is kept no longer than it is right.

use std::sync::Arc;

use takt_model::{Expr, Project};

use crate::support::{Running, options, project, write};

/// Fields of every type that a value can be cut out for, and of those for which it cannot.
const THINGS: &str = r#"
[fields.id]
type = "uuid"
primary_key = true
[fields.number]
type = "integer"
[fields.price]
type = "decimal(8,2)"
[fields.weight]
type = "double"
[fields.name]
type = "text"
[fields.state]
type = "enum"
values = ["new", "old"]
[fields.active]
type = "boolean"
[fields.day]
type = "date"
[fields.at]
type = "timestamp"
[fields.secret]
type = "text"
[fields.colour]
type = "integer"
references = "colours.id"
[[policies]]
name = "everyone sees active things"
to = ["anon", "authenticated"]
allow = ["select"]
using = "active"
fields = ["id", "number", "price", "weight", "name", "state", "active", "day", "at", "colour"]
"#;

const ROWS: &str = r#"id,number,price,weight,name,state,active,day,at,secret,colour
00000000-0000-0000-0000-000000000001,1,1.10,0.5,one,new,true,2026-01-01,2026-01-01T00:00:00Z,a,1
00000000-0000-0000-0000-000000000002,2,2.20,1.5,"a,b",old,true,2026-02-01,2026-02-01T00:00:00Z,b,2
00000000-0000-0000-0000-000000000003,3,3.30,2.5,three,old,false,2026-03-01,2026-03-01T00:00:00Z,c,3
"#;

fn start(dev: bool) -> Running {
    let dir = project();
    write(dir.path(), "schema/things.toml", THINGS);
    write(dir.path(), "seeds/things.csv", ROWS);
    let options = takt_server::StartOptions { dev, ..options(dir.path(), &[]) };
    Running::serve(dir, &options)
}

/// Each line of requests has one shape; what differs is values, good ones and bad ones.
const REQUESTS: &[&[&str]] = &[
    &[
        "id=eq.00000000-0000-0000-0000-000000000001",
        "id=eq.00000000-0000-0000-0000-000000000002",
        "id=eq.00000000-0000-0000-0000-000000000003",
        "id=eq.00000000000000000000000000000001",
        "id=eq.7",
        "id=eq.",
        "id=eq.null",
    ],
    &["number=gt.0&number=lt.3&order=number.desc", "number=gt.1&number=lt.2&order=number.desc"],
    &["number=eq.1", "number=eq.99999999999999999999", "number=eq.1.0", "number=eq.x", "number=eq.%31"],
    &["price=eq.1.1", "price=eq.1.10", "price=eq.1.101", "price=eq.99999999999", "price=eq.-1e400"],
    &["price=gte.1.1", "price=gte.1.101", "price=gte.1.099", "price=gte.-99999999999"],
    &["price=neq.1.1", "price=neq.1.101"],
    &["weight=lt.1.5", "weight=lt.NaN", "weight=lt.Infinity", "weight=lt.x"],
    &["name=eq.one", "name=eq.a,b", "name=eq.\"one\"", "name=eq.a%2Cb", "name=eq.o+e", "name=eq."],
    &["state=eq.new", "state=eq.old", "state=eq.lost"],
    &["state=gt.new", "state=gt.old"],
    &["active=eq.true", "active=eq.false", "active=eq.maybe"],
    &["day=gte.2026-01-15", "day=gte.2026-13-15", "at=lte.2026-01-15T00:00:00Z", "at=lte.never"],
    &["secret=eq.a", "secret=eq.b", "secret=gt.x&number=eq.x"],
    &["nothing=eq.1", "nothing=eq.2", "order=eq.number", "limit=eq.1"],
    &["select=*,colours(name)&number=eq.1", "select=*,colours(name)&number=eq.2"],
    &["select=name,colours!inner(name)&colours.id=eq.1&number=gte.0", "select=secret&number=eq.1"],
    &["select=number&number=lte.2&limit=1&offset=1", "select=number&number=lte.1&limit=1&offset=1"],
    &["id=eq.00000000-0000-0000-0000-000000000001&or=(number.eq.1,number.eq.2)", "id=in.(1)"],
];

const HEADERS: &[&[(&str, &str)]] = &[
    &[],
    &[("accept", "application/vnd.pgrst.object+json")],
    &[("prefer", "count=exact"), ("range", "0-0")],
    &[("accept", "text/csv")],
];

#[test]
fn answers_are_the_same_whether_a_plan_was_kept_or_made() {
    // With --dev every plan is made.
    let (keeping, making) = (start(false), start(true));
    let tokens = [keeping.token("anna@example.com"), making.token("anna@example.com")];
    let shown = ["content-type", "content-range", "preference-applied", "proxy-status"];
    let ask = |server: &Running, token: Option<&str>, query: &str, headers: &[(&str, &str)]| {
        let path = format!("/rest/v1/things?{query}");
        let answer = match token {
            Some("secret") => {
                let with_key: Vec<_> =
                    [("apikey", server.secret.as_str())].into_iter().chain(headers.iter().copied()).collect();
                server.raw("GET", &path, &with_key, b"")
            }
            Some(token) => server.ask_as(token, "GET", &path, headers, ""),
            None => server.ask("GET", &path, headers, ""),
        };
        answer.shown(&shown)
    };
    for query in REQUESTS.iter().flat_map(|shape| shape.iter()) {
        for headers in HEADERS {
            for who in [[None, None], [Some("secret"); 2], [Some(&*tokens[0]), Some(&*tokens[1])]] {
                let made = ask(&making, who[1], query, headers);
                for time in ["first", "second"] {
                    let kept = ask(&keeping, who[0], query, headers);
                    assert_eq!(kept, made, "{query} {headers:?} {time}");
                }
            }
        }
    }
}

#[test]
fn each_account_gets_its_own_rows_from_the_plan_that_it_shares() {
    let server = Running::start();
    let (anna, ben) = (server.token("anna@example.com"), server.token("ben@example.com"));
    let json = [("content-type", "application/json")];
    for (token, text) in [(&anna, "hers"), (&ben, "his")] {
        let body = format!(r#"{{"text":"{text}"}}"#);
        assert_eq!(server.ask_as(token, "POST", "/rest/v1/notes", &json, &body).status, 201);
    }
    let notes = |token: &str| server.ask_as(token, "GET", "/rest/v1/notes?select=text", &[], "").text();
    for _ in 0..2 {
        assert_eq!(notes(&anna), r#"[{"text":"hers"}]"#);
        assert_eq!(notes(&ben), r#"[{"text":"his"}]"#);
        assert_eq!(server.get("/rest/v1/notes?select=text").status, 401);
    }
}

#[test]
fn another_project_takes_effect_with_the_next_request() {
    let server = Running::start();
    let colours = || server.get("/rest/v1/colours?select=id&id=gte.2").text();
    assert_eq!(colours(), r#"[{"id":2},{"id":3}]"#);
    assert_eq!(colours(), r#"[{"id":2},{"id":3}]"#);

    let before = server.app.project();
    let mut closed = Project::clone(&before);
    let table = closed.tables.iter_mut().find(|t| t.name == "colours").unwrap();
    table.policies[0].using = Some(Expr::no());
    server.app.engine.replace_project(Arc::new(closed), None).unwrap();
    assert_eq!(colours(), "[]", "the policy is another one");

    let mut narrow = Project::clone(&before);
    narrow.settings.limits.max_rows = 1;
    server.app.engine.replace_project(Arc::new(narrow), None).unwrap();
    assert_eq!(colours(), r#"[{"id":2}]"#, "the limit is another one");
}
