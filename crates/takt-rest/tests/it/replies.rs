//! Answers: rows pushed by a store become status, headers and body.

use std::sync::Arc;

use expect_test::{Expect, expect};
use takt_model::{Principal, Value};
use takt_plan::{EmbedShape, GuardedNode, GuardedPlan, Link, OutputItem, RowSink, guard};
use takt_rest::{JsonSink, Reply, Request, RestOutcome};

use crate::{PROJECT, refusal, request};

/// What a row holds, in the order of the outputs.
enum Cell {
    Value(Value),
    Rows(Vec<Vec<Cell>>),
}

use Cell::{Rows, Value as V};

fn int(number: i64) -> Cell {
    V(Value::Integer(number))
}

fn text(text: &str) -> Cell {
    V(Value::Text(text.to_owned()))
}

/// A store that knows its rows.
fn push(node: &GuardedNode, rows: &[Vec<Cell>], sink: &mut JsonSink) {
    for row in rows {
        sink.row_begin();
        assert_eq!(row.len(), node.outputs.len());
        for (output, cell) in node.outputs.iter().zip(row) {
            match (output, cell) {
                (OutputItem::Column(column), V(value)) => sink.value(column, value.as_ref()),
                (OutputItem::Child(at), Rows(rows)) => {
                    let child = &node.children[*at];
                    let shape = match child.link {
                        Link::ToOne { .. } => EmbedShape::One,
                        _ => EmbedShape::Many,
                    };
                    sink.embed_begin(child, shape);
                    push(&child.node, rows, sink);
                    sink.embed_end(shape);
                }
                _ => panic!("the row does not fit the plan"),
            }
        }
        sink.row_end();
    }
}

fn filled(request: &Request, rows: &[Vec<Cell>]) -> JsonSink {
    let plan = request.plan(&PROJECT, &takt_model::Principal::anon()).unwrap();
    let guarded = guard(plan, &Arc::new(PROJECT.clone()), &Principal::service()).unwrap();
    let node = match guarded.plan() {
        GuardedPlan::Read(read) => Some(&read.root),
        GuardedPlan::Insert(insert) => insert.returning.as_ref(),
        GuardedPlan::Update(update) => update.returning.as_ref(),
        GuardedPlan::Delete(delete) => delete.returning.as_ref(),
        _ => None,
    };
    // The engine keeps the empty sink, to begin anew if the transaction must be run again.
    let mut sink = request.sink().clone();
    if let Some(node) = node {
        push(node, rows, &mut sink);
    }
    sink
}

fn print(reply: &Reply) -> String {
    let headers: String = reply.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    let body = String::from_utf8(reply.body.clone()).unwrap();
    format!("{}\n{headers}{body}\n", reply.status)
}

fn check(text: &str, rows: &[Vec<Cell>], outcome: RestOutcome, expected: &Expect) {
    let request = request(text).unwrap();
    let sink = filled(&request, rows);
    let printed = match request.reply(sink, &outcome) {
        Ok(reply) => print(&reply),
        Err(error) => refusal(&error) + "\n",
    };
    expected.assert_eq(&printed);
}

fn read(returned: u64, count: Option<u64>) -> RestOutcome {
    RestOutcome { returned, count, ..RestOutcome::default() }
}

fn written(affected: u64, inserted: u64) -> RestOutcome {
    RestOutcome { returned: affected, affected, inserted, count: None }
}

#[test]
fn lists() {
    let rows = [vec![int(1), text("a \"b\"\n")], vec![int(2), V(Value::Null)]];
    check(
        "GET /orders?select=id,note",
        &rows,
        read(2, None),
        &expect![[r#"
        200
        Content-Type: application/json; charset=utf-8
        Content-Range: 0-1/*
        [{"id":1,"note":"a \"b\"\n"},{"id":2,"note":null}]
    "#]],
    );
    check(
        "GET /orders?select=id,note&offset=3\nPrefer: count=exact",
        &rows,
        read(2, Some(5)),
        &expect![[r#"
            206
            Content-Type: application/json; charset=utf-8
            Content-Range: 3-4/5
            Preference-Applied: count=exact
            [{"id":1,"note":"a \"b\"\n"},{"id":2,"note":null}]
        "#]],
    );
    check(
        "GET /orders?select=id,note\nPrefer: count=planned",
        &rows,
        read(2, Some(2)),
        &expect![[r#"
        200
        Content-Type: application/json; charset=utf-8
        Content-Range: 0-1/2
        Preference-Applied: count=exact
        [{"id":1,"note":"a \"b\"\n"},{"id":2,"note":null}]
    "#]],
    );
    check(
        "HEAD /orders?select=id,note\nPrefer: count=exact",
        &rows,
        read(2, Some(5)),
        &expect![[r#"
        206
        Content-Type: application/json; charset=utf-8
        Content-Range: 0-1/5
        Preference-Applied: count=exact

    "#]],
    );
    check(
        "GET /orders?select=id,note",
        &[],
        read(0, None),
        &expect![[r#"
        200
        Content-Type: application/json; charset=utf-8
        Content-Range: */*
        []
    "#]],
    );
    check(
        "GET /orders?select=id,note\nPrefer: count=exact",
        &[],
        read(0, Some(0)),
        &expect![[r#"
        200
        Content-Type: application/json; charset=utf-8
        Content-Range: */0
        Preference-Applied: count=exact
        []
    "#]],
    );
    check(
        "GET /orders?select=",
        &[vec![], vec![]],
        read(2, None),
        &expect![[r#"
        200
        Content-Type: application/json; charset=utf-8
        Content-Range: 0-1/*
        [{},{}]
    "#]],
    );
    check(
        "GET /orders?select=id,note\nRange: 3-4",
        &rows,
        read(2, None),
        &expect![[r#"
        200
        Content-Type: application/json; charset=utf-8
        Content-Range: 3-4/*
        [{"id":1,"note":"a \"b\"\n"},{"id":2,"note":null}]
    "#]],
    );
}

#[test]
fn beyond_the_end() {
    let url = "GET /orders?select=id&offset=6";
    check(
        url,
        &[],
        read(0, None),
        &expect![[r#"
        200
        Content-Type: application/json; charset=utf-8
        Content-Range: */*
        []
    "#]],
    );
    check(
        &format!("{url}\nPrefer: count=exact"),
        &[],
        read(0, Some(5)),
        &expect![[r#"
        416 {"code":"PGRST103","details":"An offset of 6 was requested, but there are only 5 rows.","hint":null,"message":"Requested range not satisfiable"}
    "#]],
    );
    check(
        &format!("{url}\nPrefer: count=exact"),
        &[],
        read(0, Some(6)),
        &expect![[r#"
        206
        Content-Type: application/json; charset=utf-8
        Content-Range: */6
        Preference-Applied: count=exact
        []
    "#]],
    );
}

#[test]
fn embeds() {
    let rows = [
        vec![
            int(1),
            Rows(vec![vec![text("Kim")]]),
            Rows(vec![vec![int(2), Rows(vec![])], vec![int(3), Rows(vec![vec![text("Tea")]])]]),
        ],
        vec![int(2), Rows(vec![]), Rows(vec![])],
    ];
    let url = "GET /orders?select=id,customers(name),order_items(quantity,products(name))";
    check(
        url,
        &rows,
        read(2, None),
        &expect![[r#"
        200
        Content-Type: application/json; charset=utf-8
        Content-Range: 0-1/*
        [{"id":1,"customers":{"name":"Kim"},"order_items":[{"quantity":2,"products":null},{"quantity":3,"products":{"name":"Tea"}}]},{"id":2,"customers":null,"order_items":[]}]
    "#]],
    );
    check(
        &format!("{url}\nAccept: text/csv"),
        &rows,
        read(2, None),
        &expect![[r#"
        200
        Content-Type: text/csv; charset=utf-8
        Content-Range: 0-1/*
        id,customers,order_items
        1,"{""name"":""Kim""}","[{""quantity"":2,""products"":null},{""quantity"":3,""products"":{""name"":""Tea""}}]"
        2,,[]
    "#]],
    );
}

#[test]
fn every_type_has_its_form() {
    let photo = Value::Bytes(vec![0xde, 0xad]);
    let rows = [vec![
        V(Value::Decimal("12.90".parse().unwrap())),
        V(Value::Json("{\"a\":[1,{}]}".to_owned())),
        V(photo),
        V(Value::Timestamp(1_767_225_600_120_000)),
        text("paid"),
    ]];
    check(
        "GET /orders?select=total,meta,photo,created_at,status",
        &rows,
        read(1, None),
        &expect![[r#"
        200
        Content-Type: application/json; charset=utf-8
        Content-Range: 0-0/*
        [{"total":12.90,"meta":{"a":[1,{}]},"photo":"\\xdead","created_at":"2026-01-01T00:00:00.12+00:00","status":"paid"}]
    "#]],
    );
}

#[test]
fn single_objects() {
    let url = "GET /orders?select=id\nAccept: application/vnd.pgrst.object+json";
    check(
        url,
        &[vec![int(1)]],
        read(1, None),
        &expect![[r#"
        200
        Content-Type: application/vnd.pgrst.object+json; charset=utf-8
        Content-Range: 0-0/*
        {"id":1}
    "#]],
    );
    check(
        url,
        &[],
        read(0, None),
        &expect![[r#"
        406 {"code":"PGRST116","details":"The result contains 0 rows","hint":null,"message":"Cannot coerce the result to a single JSON object"}
    "#]],
    );
    check(
        url,
        &[vec![int(1)], vec![int(2)]],
        read(2, None),
        &expect![[r#"
        406 {"code":"PGRST116","details":"The result contains 2 rows","hint":null,"message":"Cannot coerce the result to a single JSON object"}
    "#]],
    );
    // A write that tells nothing is still held to one row.
    let patch = "PATCH /orders?id=gt.1\nAccept: application/vnd.pgrst.object+json\n\n{\"note\":\"x\"}";
    check(
        patch,
        &[],
        RestOutcome { affected: 2, ..RestOutcome::default() },
        &expect![[r#"
        406 {"code":"PGRST116","details":"The result contains 2 rows","hint":null,"message":"Cannot coerce the result to a single JSON object"}
    "#]],
    );
}

#[test]
fn inserts() {
    check(
        "POST /orders\n\n{\"id\":1}",
        &[],
        written(1, 1),
        &expect![[r#"
        201
        Content-Range: */*

    "#]],
    );
    check(
        "POST /orders?select=id\nPrefer: return=representation, count=exact\n\n{\"id\":1}",
        &[vec![int(1)]],
        written(1, 1),
        &expect![[r#"
            201
            Content-Range: */1
            Preference-Applied: return=representation, count=exact
            Content-Type: application/json; charset=utf-8
            [{"id":1}]
        "#]],
    );
    check(
        "POST /orders?select=id\nPrefer: return=representation\nAccept: application/vnd.pgrst.object+json\n\n{\"id\":1}",
        &[vec![int(1)]],
        written(1, 1),
        &expect![[r#"
            201
            Content-Range: */*
            Preference-Applied: return=representation
            Content-Type: application/vnd.pgrst.object+json; charset=utf-8
            {"id":1}
        "#]],
    );
    check(
        "POST /orders?select=id\nPrefer: return=representation\n\n[]",
        &[],
        written(0, 0),
        &expect![[r#"
        201
        Content-Range: */*
        Preference-Applied: return=representation
        Content-Type: application/json; charset=utf-8
        []
    "#]],
    );
}

#[test]
fn locations() {
    let headers_only = "\nPrefer: return=headers-only\n\n";
    check(
        &format!("POST /orders{headers_only}{{\"note\":\"x\"}}"),
        &[vec![int(5)]],
        written(1, 1),
        &expect![[r#"
            201
            Location: /orders?id=eq.5
            Content-Range: */*
            Preference-Applied: return=headers-only

        "#]],
    );
    check(
        &format!("POST /order_items{headers_only}{{\"quantity\":1}}"),
        &[vec![int(5), int(7)]],
        written(1, 1),
        &expect![[r#"
            201
            Location: /order_items?order_id=eq.5&product_id=eq.7
            Content-Range: */*
            Preference-Applied: return=headers-only

        "#]],
    );
    check(
        &format!("POST /orders{headers_only}[{{\"note\":\"x\"}},{{\"note\":\"y\"}}]"),
        &[vec![int(5)], vec![int(6)]],
        written(2, 2),
        &expect![[r#"
            201
            Content-Range: */*
            Preference-Applied: return=headers-only

        "#]],
    );
}

#[test]
fn upserts() {
    let url =
        "POST /orders?select=id\nPrefer: resolution=merge-duplicates,return=representation\n\n{\"id\":1}";
    check(
        url,
        &[vec![int(1)]],
        written(1, 0),
        &expect![[r#"
        200
        Content-Range: */*
        Preference-Applied: resolution=merge-duplicates, return=representation
        Content-Type: application/json; charset=utf-8
        [{"id":1}]
    "#]],
    );
    check(
        url,
        &[vec![int(1)]],
        written(1, 1),
        &expect![[r#"
        201
        Content-Range: */*
        Preference-Applied: resolution=merge-duplicates, return=representation
        Content-Type: application/json; charset=utf-8
        [{"id":1}]
    "#]],
    );
    let url =
        "POST /orders?select=id\nPrefer: resolution=ignore-duplicates,return=representation\n\n{\"id\":1}";
    check(
        url,
        &[],
        written(0, 0),
        &expect![[r#"
        201
        Content-Range: */*
        Preference-Applied: resolution=ignore-duplicates, return=representation
        Content-Type: application/json; charset=utf-8
        []
    "#]],
    );
}

#[test]
fn changes() {
    let body = "\n\n{\"note\":\"x\"}";
    check(
        &format!("PATCH /orders?id=eq.1{body}"),
        &[],
        written(2, 0),
        &expect![[r#"
        204
        Content-Range: 0-1/*

    "#]],
    );
    check(
        &format!("PATCH /orders?id=eq.1&select=id\nPrefer: return=representation,count=exact{body}"),
        &[vec![int(1)], vec![int(2)]],
        written(2, 0),
        &expect![[r#"
            200
            Content-Range: 0-1/2
            Preference-Applied: return=representation, count=exact
            Content-Type: application/json; charset=utf-8
            [{"id":1},{"id":2}]
        "#]],
    );
    check(
        &format!("PATCH /orders?id=eq.1&select=id\nPrefer: return=representation{body}"),
        &[],
        written(0, 0),
        &expect![[r#"
            200
            Content-Range: */*
            Preference-Applied: return=representation
            Content-Type: application/json; charset=utf-8
            []
        "#]],
    );
}

#[test]
fn removals() {
    check(
        "DELETE /orders?id=eq.1",
        &[],
        written(1, 0),
        &expect![[r#"
        204
        Content-Range: */*

    "#]],
    );
    check(
        "DELETE /orders?id=eq.1&select=id\n\
         Prefer: return=representation,count=exact,handling=strict,max-affected=5,tx=commit",
        &[vec![int(1)]],
        written(1, 0),
        &expect![[r#"
            200
            Content-Range: */1
            Preference-Applied: return=representation, count=exact, tx=commit, handling=strict, max-affected=5
            Content-Type: application/json; charset=utf-8
            [{"id":1}]
        "#]],
    );
}

#[test]
fn csv_is_made_for_spreadsheets() {
    let rows = [
        vec![int(-1), text("a,\"b\"")],
        vec![int(2), text("=1+1")],
        vec![int(3), text("")],
        vec![int(4), V(Value::Null)],
    ];
    check(
        "GET /orders?select=id,n:note\nAccept: text/csv",
        &rows,
        read(4, None),
        &expect![[r#"
        200
        Content-Type: text/csv; charset=utf-8
        Content-Range: 0-3/*
        id,n
        -1,"a,""b"""
        2,'=1+1
        3,""
        4,
    "#]],
    );
    check(
        "GET /orders?select=id\nAccept: text/csv",
        &[],
        read(0, None),
        &expect![[r#"
        200
        Content-Type: text/csv; charset=utf-8
        Content-Range: */*

    "#]],
    );
}
