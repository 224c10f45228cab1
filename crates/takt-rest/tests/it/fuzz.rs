//! Nothing that comes over the wire makes the reader panic, and what is read makes a plan or a refusal; the plan of its
//! shape, with its values, is the same.

use proptest::{prelude::*, sample::select};
use takt_model::{Expr, Principal, Value};
use takt_plan::Plan;
use takt_rest::{Method, RestParts, Shape, parse};

use crate::PROJECT;

const QUERIES: [&str; 9] = [
    "id=gte.1&id=lt.9&note=neq.tea&status=eq.paid&apikey=x&order=id.desc&limit=2",
    "select=id,buyer:customers!inner(name),items:order_items(quantity,products(*))&items.quantity=gt.1",
    "or=(id.eq.1,and(note.like(any).{a*,\"b\"},not.or(total.lt.5,note.is.null)))&order=id.desc.nullslast",
    "id=in.(1,2,\"3\")&note=not.ilike.*tea*&limit=10&offset=2",
    "select=\"id\",note,order_items()&order_items=is.null&status=gte.paid",
    "columns=id,name&on_conflict=id&select=*",
    "select=meta->a->>b,total::text,total.sum(),count(),...customers(name)",
    "meta->>a=eq.1&note=fts(german).x&id=eq(all).{1,NULL}&items.order=id",
    "created_at=lt.2026-01-01T00:00:00Z&customer_id=eq.0198c0de-0000-7000-8000-000000000000&photo=eq.\\xde",
];

const BODIES: [&str; 5] =
    ["{\"id\":1,\"note\":null}", "[{\"id\":1},{\"id\":\"2\"}]", "[]", "{\"meta\":{\"a\":[1.5e3]}}", "[[]]"];

/// Reads and plans; all that counts is that it comes back.
fn run(method: Method, query: &str, header: &str, body: &[u8]) {
    for table in ["orders", "products"] {
        let mut parts = RestParts::new(method, table, query);
        parts.body = body;
        parts.prefer = Some(header);
        parts.range = Some(header);
        if let Ok(request) = parse(&parts) {
            let _ = request.plan(&PROJECT, &takt_model::Principal::anon());
        }
        assert_shape(&RestParts { prefer: None, range: None, ..parts });
        parts.prefer = Some("return=representation, resolution=merge-duplicates, missing=default");
        parts.range = None;
        parts.accept = Some(header);
        let _ = parse(&parts);
        parts.accept = None;
        if let Ok(request) = parse(&parts)
            && let Err(error) = request.plan(&PROJECT, &takt_model::Principal::anon())
        {
            assert!((300..=416).contains(&error.status), "{error:?}");
            assert!(!error.message.is_empty());
        }
    }
}

/// A request is planned as its shape is, or refused both ways.
fn assert_shape(parts: &RestParts<'_>) {
    let who = Principal::anon();
    let Some(shape) = Shape::of(parts, &PROJECT, &who) else { return };
    let planned = parse(parts).and_then(|request| request.plan(&PROJECT, &who)).ok();
    let shaped = shape.request(parts).and_then(|request| request.plan(&PROJECT, &who)).ok();
    let values = shape.into_values();
    assert_eq!(shaped.map(|plan| with_values(plan, &values)), planned, "{}", parts.query);
}

fn with_values(mut plan: Plan, values: &[Value]) -> Plan {
    if let Plan::Read(read) = &mut plan
        && let Some(filter) = &mut read.root.filter
    {
        filter.walk_mut(&mut |e| {
            if let Expr::Parameter { number, .. } = e {
                *e = Expr::Literal(values[*number].clone());
            }
        });
    }
    plan
}

fn methods() -> impl Strategy<Value = Method> {
    select(vec![Method::Get, Method::Head, Method::Post, Method::Patch, Method::Put, Method::Delete])
}

fn mutated(text: &str, cuts: &[(usize, String)]) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for (at, insert) in cuts {
        let at = at % (chars.len() + 1);
        let end = (at + insert.len() % 3).min(chars.len());
        chars.splice(at..end, insert.chars());
    }
    chars.into_iter().collect()
}

proptest! {
    #[test]
    fn arbitrary_input(method in methods(), query in "\\PC*", header in "\\PC*", body: Vec<u8>) {
        run(method, &query, &header, &body);
    }

    #[test]
    fn valid_queries_with_a_slip(
        method in methods(),
        query in select(QUERIES.to_vec()),
        body in select(BODIES.to_vec()),
        cuts in proptest::collection::vec((any::<usize>(), "[-a-c.,:;!*(){}<>\"\\\\%&=0-9 äß\u{0}]{0,3}"), 0..4),
    ) {
        run(method, &mutated(query, &cuts), "0-9", mutated(body, &cuts).as_bytes());
    }
}
