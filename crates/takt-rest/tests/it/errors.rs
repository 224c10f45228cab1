//! Refusals: status and body as `design/wire.md` section 2 has them.

use expect_test::{Expect, expect};
use takt_model::Principal;
use takt_plan::PlanError;
use takt_rest::{Method, RestError};

use crate::{PROJECT, refusal, refused, request, staff};

fn check_all(requests: &[&str], expected: &Expect) {
    let text: String =
        requests.iter().map(|r| format!("{}\n  {}\n", r.replace('\n', " | "), refused(r))).collect();
    expected.assert_eq(&text);
}

#[test]
fn names_that_do_not_exist() {
    check_all(
        &[
            "GET /ordrs",
            "GET /auth.users",
            "GET /ledgr",
            "GET /x",
            "GET /orders?select=nme",
            "GET /orders?nme=eq.1",
            "GET /orders?or=(nme.eq.1,id.eq.2)",
            "GET /orders?order=nme",
            "GET /orders?select=id,customers(nme)",
            "GET /orders?select=id,customers(id)&customers.nme=eq.1",
            "GET /orders?customers.name=eq.1",
            "GET /orders?select=id,customers(id)&customers.x.name=eq.1",
            "GET /orders?customers.order=name",
            "GET /orders?select=id,customers(id)&customers=eq.1",
        ],
        &expect![[r#"
            GET /ordrs
              404 {"code":"PGRST205","details":null,"hint":"Perhaps you meant the table 'public.orders'","message":"Could not find the table 'public.ordrs' in the schema cache"}
            GET /auth.users
              404 {"code":"PGRST205","details":null,"hint":null,"message":"Could not find the table 'public.auth.users' in the schema cache"}
            GET /ledgr
              404 {"code":"PGRST205","details":null,"hint":null,"message":"Could not find the table 'public.ledgr' in the schema cache"}
            GET /x
              404 {"code":"PGRST205","details":null,"hint":null,"message":"Could not find the table 'public.x' in the schema cache"}
            GET /orders?select=nme
              400 {"code":"42703","details":null,"hint":null,"message":"column orders.nme does not exist"}
            GET /orders?nme=eq.1
              400 {"code":"42703","details":null,"hint":null,"message":"column orders.nme does not exist"}
            GET /orders?or=(nme.eq.1,id.eq.2)
              400 {"code":"42703","details":null,"hint":null,"message":"column orders.nme does not exist"}
            GET /orders?order=nme
              400 {"code":"42703","details":null,"hint":null,"message":"column orders.nme does not exist"}
            GET /orders?select=id,customers(nme)
              400 {"code":"42703","details":null,"hint":null,"message":"column customers.nme does not exist"}
            GET /orders?select=id,customers(id)&customers.nme=eq.1
              400 {"code":"42703","details":null,"hint":null,"message":"column customers.nme does not exist"}
            GET /orders?customers.name=eq.1
              400 {"code":"PGRST108","details":null,"hint":"Verify that 'customers' is included in the 'select' query parameter.","message":"'customers' is not an embedded resource in this request"}
            GET /orders?select=id,customers(id)&customers.x.name=eq.1
              400 {"code":"PGRST108","details":null,"hint":"Verify that 'x' is included in the 'select' query parameter.","message":"'x' is not an embedded resource in this request"}
            GET /orders?customers.order=name
              400 {"code":"PGRST108","details":null,"hint":"Verify that 'customers' is included in the 'select' query parameter.","message":"'customers' is not an embedded resource in this request"}
            GET /orders?select=id,customers(id)&customers=eq.1
              400 {"code":"PGRST120","details":"Only is null or not is null filters are allowed on embedded resources","hint":null,"message":"Bad operator on the 'customers' embedded resource"}
        "#]],
    );
}

#[test]
fn relationships_that_are_none_or_several() {
    check_all(
        &[
            "GET /orders?select=customrs(name)",
            "GET /orders?select=categories(name)",
            "GET /orders?select=customers!shipping_id(name)",
            "GET /customers?select=users(id)",
            "GET /customers?select=auth.users(id)",
            "GET /customers?select=id(*)",
            "GET /orders?select=addresses(city)",
            "GET /addresses?select=orders(id)",
        ],
        &expect![[r#"
            GET /orders?select=customrs(name)
              400 {"code":"PGRST200","details":"Searched for a foreign key relationship between 'orders' and 'customrs' in the schema 'public', but no matches were found.","hint":"Perhaps you meant 'customers' instead of 'customrs'.","message":"Could not find a relationship between 'orders' and 'customrs' in the schema cache"}
            GET /orders?select=categories(name)
              400 {"code":"PGRST200","details":"Searched for a foreign key relationship between 'orders' and 'categories' in the schema 'public', but no matches were found.","hint":null,"message":"Could not find a relationship between 'orders' and 'categories' in the schema cache"}
            GET /orders?select=customers!shipping_id(name)
              400 {"code":"PGRST200","details":"Searched for a foreign key relationship between 'orders' and 'customers' using the hint 'shipping_id' in the schema 'public', but no matches were found.","hint":null,"message":"Could not find a relationship between 'orders' and 'customers' in the schema cache"}
            GET /customers?select=users(id)
              400 {"code":"PGRST200","details":"Searched for a foreign key relationship between 'customers' and 'users' in the schema 'public', but no matches were found.","hint":null,"message":"Could not find a relationship between 'customers' and 'users' in the schema cache"}
            GET /customers?select=auth.users(id)
              400 {"code":"PGRST100","details":"unexpected \".\" expecting \",\", \"(\", \"!\", \":\" or end of input","hint":null,"message":"\"failed to parse select parameter (auth.users(id))\" (line 1, column 5)"}
            GET /customers?select=id(*)
              400 {"code":"PGRST200","details":"Searched for a foreign key relationship between 'customers' and 'id' in the schema 'public', but no matches were found.","hint":null,"message":"Could not find a relationship between 'customers' and 'id' in the schema cache"}
            GET /orders?select=addresses(city)
              300 {"code":"PGRST201","details":[{"cardinality":"many-to-one","embedding":"orders with addresses","relationship":"orders_billing_id_fkey using orders(billing_id) and addresses(id)"},{"cardinality":"many-to-one","embedding":"orders with addresses","relationship":"orders_shipping_id_fkey using orders(shipping_id) and addresses(id)"}],"hint":"Try changing 'addresses' to one of the following: 'addresses!orders_billing_id_fkey', 'addresses!orders_shipping_id_fkey'. Find the desired relationship in the 'details' key.","message":"Could not embed because more than one relationship was found for 'orders' and 'addresses'"}
            GET /addresses?select=orders(id)
              300 {"code":"PGRST201","details":[{"cardinality":"one-to-many","embedding":"addresses with orders","relationship":"orders_billing_id_fkey using addresses(id) and orders(billing_id)"},{"cardinality":"one-to-many","embedding":"addresses with orders","relationship":"orders_shipping_id_fkey using addresses(id) and orders(shipping_id)"}],"hint":"Try changing 'orders' to one of the following: 'orders!orders_billing_id_fkey', 'orders!orders_shipping_id_fkey'. Find the desired relationship in the 'details' key.","message":"Could not embed because more than one relationship was found for 'addresses' and 'orders'"}
        "#]],
    );
}

#[test]
fn a_missing_table_hints_only_at_what_the_caller_may_know() {
    let ledger = |who: &Principal| refusal(&request("GET /ledgr").unwrap().plan(&PROJECT, who).unwrap_err());
    assert!(!ledger(&Principal::anon()).contains("ledger"));
    assert!(ledger(&staff()).contains("public.ledger"));
}

#[test]
fn texts_that_cannot_be_read_say_where() {
    check_all(
        &[
            "GET /orders?select=id,(name)",
            "GET /orders?select=id,customers(name",
            "GET /orders?select=id,customers!inner",
            "GET /orders?select=id name)",
            "GET /orders?select=id,,name",
            "GET /orders?select=\"id",
            "GET /orders?select=a:b:c",
            "GET /orders?select=customers!a!b!c(id)",
            "GET /orders?id=5",
            "GET /orders?id=not.5",
            "GET /orders?id=eq5",
            "GET /orders?id=eq(some).5",
            "GET /orders?id=in.5",
            "GET /orders?id=in.(5",
            "GET /orders?id=in.(5)x",
            "GET /orders?id=is.maybe",
            "GET /orders?id=EQ.5",
            "GET /orders?or=id.eq.5",
            "GET /orders?or=()",
            "GET /orders?or=(id.eq.5",
            "GET /orders?or=(id.eq.5))",
            "GET /orders?or=(id=eq.5)",
            "GET /orders?or=(note.eq.{a,b)",
            "GET /orders?order=id.up",
            "GET /orders?order=",
            "GET /orders?order=id.desc.nulls",
            "GET /orders?=eq.1",
            "GET /orders?id.=eq.1",
            "GET /orders?id=eq.%FF",
        ],
        &expect![[r#"
            GET /orders?select=id,(name)
              400 {"code":"PGRST100","details":"unexpected \"(\" expecting field name (* or [a..z0..9_$])","hint":null,"message":"\"failed to parse select parameter (id,(name))\" (line 1, column 4)"}
            GET /orders?select=id,customers(name
              400 {"code":"PGRST100","details":"unexpected end of input expecting \",\" or \")\"","hint":null,"message":"\"failed to parse select parameter (id,customers(name)\" (line 1, column 18)"}
            GET /orders?select=id,customers!inner
              400 {"code":"PGRST100","details":"unexpected end of input expecting \"(\"","hint":null,"message":"\"failed to parse select parameter (id,customers!inner)\" (line 1, column 19)"}
            GET /orders?select=id name)
              400 {"code":"PGRST100","details":"unexpected \")\" expecting \",\" or end of input","hint":null,"message":"\"failed to parse select parameter (id name))\" (line 1, column 8)"}
            GET /orders?select=id,,name
              400 {"code":"PGRST100","details":"unexpected \",\" expecting field name (* or [a..z0..9_$])","hint":null,"message":"\"failed to parse select parameter (id,,name)\" (line 1, column 4)"}
            GET /orders?select="id
              400 {"code":"PGRST100","details":"unexpected end of input expecting \"\\\"\"","hint":null,"message":"\"failed to parse select parameter (\"id)\" (line 1, column 4)"}
            GET /orders?select=a:b:c
              400 {"code":"PGRST100","details":"unexpected \":\" expecting \",\", \"(\", \"!\", \":\" or end of input","hint":null,"message":"\"failed to parse select parameter (a:b:c)\" (line 1, column 4)"}
            GET /orders?select=customers!a!b!c(id)
              400 {"code":"PGRST100","details":"unexpected \"!\" expecting at most one hint and one of \"inner\", \"left\"","hint":null,"message":"\"failed to parse select parameter (customers!a!b!c(id))\" (line 1, column 14)"}
            GET /orders?id=5
              400 {"code":"PGRST100","details":"unexpected \"5\" expecting \"not\" or operator (eq, gt, ...)","hint":null,"message":"\"failed to parse filter (5)\" (line 1, column 1)"}
            GET /orders?id=not.5
              400 {"code":"PGRST100","details":"unexpected \"5\" expecting operator (eq, gt, ...)","hint":null,"message":"\"failed to parse filter (not.5)\" (line 1, column 5)"}
            GET /orders?id=eq5
              400 {"code":"PGRST100","details":"unexpected \"5\" expecting \".\"","hint":null,"message":"\"failed to parse filter (eq5)\" (line 1, column 3)"}
            GET /orders?id=eq(some).5
              400 {"code":"PGRST100","details":"unexpected \"(\" expecting \"(any)\" or \"(all)\"","hint":null,"message":"\"failed to parse filter (eq(some).5)\" (line 1, column 3)"}
            GET /orders?id=in.5
              400 {"code":"PGRST100","details":"unexpected \"5\" expecting \"(\"","hint":null,"message":"\"failed to parse filter (in.5)\" (line 1, column 4)"}
            GET /orders?id=in.(5
              400 {"code":"PGRST100","details":"unexpected end of input expecting \",\" or \")\"","hint":null,"message":"\"failed to parse filter (in.(5)\" (line 1, column 6)"}
            GET /orders?id=in.(5)x
              400 {"code":"PGRST100","details":"unexpected \"x\" expecting end of input","hint":null,"message":"\"failed to parse filter (in.(5)x)\" (line 1, column 7)"}
            GET /orders?id=is.maybe
              400 {"code":"PGRST100","details":"unexpected \"m\" expecting null or trilean value (unknown, true, false)","hint":null,"message":"\"failed to parse filter (is.maybe)\" (line 1, column 4)"}
            GET /orders?id=EQ.5
              400 {"code":"PGRST100","details":"unexpected \"E\" expecting \"not\" or operator (eq, gt, ...)","hint":null,"message":"\"failed to parse filter (EQ.5)\" (line 1, column 1)"}
            GET /orders?or=id.eq.5
              400 {"code":"PGRST100","details":"unexpected \"i\" expecting \"(\"","hint":null,"message":"\"failed to parse logic tree (id.eq.5)\" (line 1, column 1)"}
            GET /orders?or=()
              400 {"code":"PGRST100","details":"unexpected \")\" expecting field name (* or [a..z0..9_$])","hint":null,"message":"\"failed to parse logic tree (())\" (line 1, column 2)"}
            GET /orders?or=(id.eq.5
              400 {"code":"PGRST100","details":"unexpected end of input expecting \",\" or \")\"","hint":null,"message":"\"failed to parse logic tree ((id.eq.5)\" (line 1, column 9)"}
            GET /orders?or=(id.eq.5))
              400 {"code":"PGRST100","details":"unexpected \")\" expecting end of input","hint":null,"message":"\"failed to parse logic tree ((id.eq.5)))\" (line 1, column 10)"}
            GET /orders?or=(id=eq.5)
              400 {"code":"PGRST100","details":"unexpected \"=\" expecting \".\"","hint":null,"message":"\"failed to parse logic tree ((id=eq.5))\" (line 1, column 4)"}
            GET /orders?or=(note.eq.{a,b)
              400 {"code":"PGRST100","details":"unexpected end of input expecting \"}\"","hint":null,"message":"\"failed to parse logic tree ((note.eq.{a,b))\" (line 1, column 15)"}
            GET /orders?order=id.up
              400 {"code":"PGRST100","details":"unexpected \".\" expecting \"asc\", \"desc\", \"nullsfirst\" or \"nullslast\"","hint":null,"message":"\"failed to parse order (id.up)\" (line 1, column 3)"}
            GET /orders?order=
              400 {"code":"PGRST100","details":"unexpected end of input expecting field name (* or [a..z0..9_$])","hint":null,"message":"\"failed to parse order ()\" (line 1, column 1)"}
            GET /orders?order=id.desc.nulls
              400 {"code":"PGRST100","details":"unexpected \".\" expecting \"asc\", \"desc\", \"nullsfirst\" or \"nullslast\"","hint":null,"message":"\"failed to parse order (id.desc.nulls)\" (line 1, column 8)"}
            GET /orders?=eq.1
              400 {"code":"PGRST100","details":"unexpected end of input expecting field name (* or [a..z0..9_$])","hint":null,"message":"\"failed to parse tree path ()\" (line 1, column 1)"}
            GET /orders?id.=eq.1
              400 {"code":"PGRST100","details":"unexpected end of input expecting field name (* or [a..z0..9_$])","hint":null,"message":"\"failed to parse tree path (id.)\" (line 1, column 4)"}
            GET /orders?id=eq.%FF
              400 {"code":"PGRST100","details":null,"hint":null,"message":"the query string is not valid UTF-8 after decoding"}
        "#]],
    );
}

#[test]
fn literals_are_read_by_the_type_of_their_column() {
    check_all(
        &[
            "GET /orders?id=eq.abc",
            "GET /orders?id=eq.1.5",
            "GET /products?id=eq.99999999999",
            "GET /orders?customer_id=eq.1",
            "GET /orders?total=gt.x",
            "GET /orders?due=eq.2026-02-30",
            "GET /orders?status=eq.gone",
            "GET /orders?status=in.(paid,gone)",
            "GET /orders?note=eq.a%00b",
            "GET /products?active=eq.maybe",
            "GET /orders?id=eq(any).1",
            "GET /orders?id=eq(any).{1,,2}",
            "GET /orders?id=eq(any).{{1},{2}}",
            "GET /orders?note=like.a%5C",
        ],
        &expect![[r#"
            GET /orders?id=eq.abc
              400 {"code":"22P02","details":null,"hint":null,"message":"invalid input syntax for type bigint: \"abc\""}
            GET /orders?id=eq.1.5
              400 {"code":"22P02","details":null,"hint":null,"message":"invalid input syntax for type bigint: \"1.5\""}
            GET /products?id=eq.99999999999
              400 {"code":"22003","details":null,"hint":null,"message":"value \"99999999999\" is out of range for type integer"}
            GET /orders?customer_id=eq.1
              400 {"code":"22P02","details":null,"hint":null,"message":"invalid input syntax for type uuid: \"1\""}
            GET /orders?total=gt.x
              400 {"code":"22P02","details":null,"hint":null,"message":"invalid input syntax for type numeric: \"x\""}
            GET /orders?due=eq.2026-02-30
              400 {"code":"22008","details":null,"hint":null,"message":"date/time field value out of range: \"2026-02-30\""}
            GET /orders?status=eq.gone
              400 {"code":"22P02","details":null,"hint":null,"message":"invalid input value for enum orders_status: \"gone\""}
            GET /orders?status=in.(paid,gone)
              400 {"code":"22P02","details":null,"hint":null,"message":"invalid input value for enum orders_status: \"gone\""}
            GET /orders?note=eq.a%00b
              400 {"code":"22P05","details":null,"hint":null,"message":"unsupported Unicode escape sequence"}
            GET /products?active=eq.maybe
              400 {"code":"22P02","details":null,"hint":null,"message":"invalid input syntax for type boolean: \"maybe\""}
            GET /orders?id=eq(any).1
              400 {"code":"22P02","details":null,"hint":null,"message":"malformed array literal: \"1\""}
            GET /orders?id=eq(any).{1,,2}
              400 {"code":"22P02","details":null,"hint":null,"message":"malformed array literal: \"{1,,2}\""}
            GET /orders?id=eq(any).{{1},{2}}
              400 {"code":"22P02","details":null,"hint":null,"message":"malformed array literal: \"{{1},{2}}\""}
            GET /orders?note=like.a%5C
              400 {"code":"22025","details":null,"hint":null,"message":"LIKE pattern must not end with escape character"}
        "#]],
    );
}

#[test]
fn operators_that_a_type_does_not_have() {
    check_all(
        &[
            "GET /orders?id=like.1*",
            "GET /orders?status=ilike.p*",
            "GET /orders?meta=eq.{}",
            "GET /orders?meta=in.(1)",
            "GET /orders?order=meta",
            "GET /orders?id=is.true",
            "GET /orders?note=is.unknown",
        ],
        &expect![[r#"
            GET /orders?id=like.1*
              404 {"code":"42883","details":null,"hint":"No operator matches the given name and argument types. You might need to add explicit type casts.","message":"operator does not exist: bigint ~~ unknown"}
            GET /orders?status=ilike.p*
              404 {"code":"42883","details":null,"hint":"No operator matches the given name and argument types. You might need to add explicit type casts.","message":"operator does not exist: orders_status ~~* unknown"}
            GET /orders?meta=eq.{}
              404 {"code":"42883","details":null,"hint":"No operator matches the given name and argument types. You might need to add explicit type casts.","message":"operator does not exist: json = unknown"}
            GET /orders?meta=in.(1)
              404 {"code":"42883","details":null,"hint":"No operator matches the given name and argument types. You might need to add explicit type casts.","message":"operator does not exist: json = unknown"}
            GET /orders?order=meta
              404 {"code":"42883","details":null,"hint":null,"message":"could not identify an ordering operator for type json"}
            GET /orders?id=is.true
              400 {"code":"42804","details":null,"hint":null,"message":"argument of IS TRUE must be type boolean, not type bigint"}
            GET /orders?note=is.unknown
              400 {"code":"42804","details":null,"hint":null,"message":"argument of IS UNKNOWN must be type boolean, not type text"}
        "#]],
    );
}

#[test]
fn what_is_not_built_is_named() {
    check_all(
        &[
            "PUT /orders?id=eq.1\n\n{\"id\":1}",
            "GET /orders?select=meta->a",
            "GET /orders?select=meta->>a",
            "GET /orders?select=total::text",
            "GET /orders?select=total.sum()",
            "GET /orders?select=count()",
            "GET /orders?select=count",
            "GET /orders?select=id,order_items(count)",
            "GET /orders?select=id,...customers(name)",
            "GET /orders?meta->>a=eq.1",
            "GET /orders?total::text=eq.1",
            "GET /orders?or=(meta->a.eq.1,id.eq.1)",
            "GET /orders?order=meta->a",
            "GET /orders?select=id,customers(name)&order=customers(name)",
            "GET /orders?select=id,customers(name)&customers.offset=1",
            "GET /orders?note=fts.tea",
            "GET /orders?note=wfts(german).tee",
            "GET /orders?note=match.^a",
            "GET /orders?note=imatch(any).{a}",
            "GET /orders?note=not.cs.{a}",
            "GET /orders?or=(note.ov.{a},id.eq.1)",
            "GET /orders?due=nxr.(1,2)",
            "GET /orders\nPrefer: tx=rollback",
            "GET /orders\nAccept: application/json;nulls=stripped",
        ],
        &expect![[r#"
            PUT /orders?id=eq.1 |  | {"id":1}
              400 {"code":"PGRST127","details":null,"hint":null,"message":"Feature not implemented: PUT"}
            GET /orders?select=meta->a
              400 {"code":"PGRST127","details":null,"hint":null,"message":"Feature not implemented: JSON paths in select (meta->)"}
            GET /orders?select=meta->>a
              400 {"code":"PGRST127","details":null,"hint":null,"message":"Feature not implemented: JSON paths in select (meta->)"}
            GET /orders?select=total::text
              400 {"code":"PGRST127","details":null,"hint":null,"message":"Feature not implemented: casts in select (total::)"}
            GET /orders?select=total.sum()
              400 {"code":"PGRST127","details":null,"hint":null,"message":"Feature not implemented: aggregates in select (total.sum())"}
            GET /orders?select=count()
              400 {"code":"PGRST127","details":null,"hint":null,"message":"Feature not implemented: aggregates in select (count())"}
            GET /orders?select=count
              400 {"code":"PGRST127","details":null,"hint":null,"message":"Feature not implemented: aggregates in select (count)"}
            GET /orders?select=id,order_items(count)
              400 {"code":"PGRST127","details":null,"hint":null,"message":"Feature not implemented: aggregates in select (count)"}
            GET /orders?select=id,...customers(name)
              400 {"code":"PGRST127","details":null,"hint":null,"message":"Feature not implemented: spread embeds (...) in select"}
            GET /orders?meta->>a=eq.1
              400 {"code":"PGRST127","details":null,"hint":null,"message":"Feature not implemented: JSON paths in filters (meta->>a)"}
            GET /orders?total::text=eq.1
              400 {"code":"PGRST127","details":null,"hint":null,"message":"Feature not implemented: casts in filters (total::text)"}
            GET /orders?or=(meta->a.eq.1,id.eq.1)
              400 {"code":"PGRST127","details":null,"hint":null,"message":"Feature not implemented: JSON paths in filters (meta->)"}
            GET /orders?order=meta->a
              400 {"code":"PGRST127","details":null,"hint":null,"message":"Feature not implemented: JSON paths in order (meta->)"}
            GET /orders?select=id,customers(name)&order=customers(name)
              400 {"code":"PGRST127","details":null,"hint":null,"message":"Feature not implemented: order by a column of an embed (customers(...))"}
            GET /orders?select=id,customers(name)&customers.offset=1
              400 {"code":"PGRST127","details":null,"hint":null,"message":"Feature not implemented: limit=0 and offset on the to-one embed 'customers'"}
            GET /orders?note=fts.tea
              400 {"code":"PGRST127","details":null,"hint":null,"message":"Feature not implemented: the operator 'fts'"}
            GET /orders?note=wfts(german).tee
              400 {"code":"PGRST127","details":null,"hint":null,"message":"Feature not implemented: the operator 'wfts'"}
            GET /orders?note=match.^a
              400 {"code":"PGRST127","details":null,"hint":null,"message":"Feature not implemented: the operator 'match'"}
            GET /orders?note=imatch(any).{a}
              400 {"code":"PGRST127","details":null,"hint":null,"message":"Feature not implemented: the operator 'imatch'"}
            GET /orders?note=not.cs.{a}
              400 {"code":"PGRST127","details":null,"hint":null,"message":"Feature not implemented: the operator 'cs'"}
            GET /orders?or=(note.ov.{a},id.eq.1)
              400 {"code":"PGRST127","details":null,"hint":null,"message":"Feature not implemented: the operator 'ov'"}
            GET /orders?due=nxr.(1,2)
              400 {"code":"PGRST127","details":null,"hint":null,"message":"Feature not implemented: the operator 'nxr'"}
            GET /orders | Prefer: tx=rollback
              400 {"code":"PGRST127","details":null,"hint":null,"message":"Feature not implemented: Prefer: tx=rollback"}
            GET /orders | Accept: application/json;nulls=stripped
              400 {"code":"PGRST127","details":null,"hint":null,"message":"Feature not implemented: nulls=stripped in Accept"}
        "#]],
    );
}

#[test]
fn headers_that_cannot_be_honoured() {
    check_all(
        &[
            "GET /orders\nAccept: text/html",
            "GET /orders\nAccept-Profile: other",
            "POST /orders\nContent-Profile: other\n\n{}",
            "GET /orders\nPrefer: handling=strict, count=some, return=minimal, max-affected=x",
            "GET /orders?limit=-1",
            "GET /orders?offset=-1",
            "GET /orders\nRange: 9-0",
        ],
        &expect![[r#"
            GET /orders | Accept: text/html
              406 {"code":"PGRST107","details":null,"hint":null,"message":"None of these media types are available: text/html"}
            GET /orders | Accept-Profile: other
              406 {"code":"PGRST106","details":null,"hint":"Only the following schemas are exposed: public","message":"Invalid schema: other"}
            POST /orders | Content-Profile: other |  | {}
              406 {"code":"PGRST106","details":null,"hint":"Only the following schemas are exposed: public","message":"Invalid schema: other"}
            GET /orders | Prefer: handling=strict, count=some, return=minimal, max-affected=x
              400 {"code":"PGRST122","details":"Invalid preferences: count=some, max-affected=x","hint":null,"message":"Invalid preferences given with handling=strict"}
            GET /orders?limit=-1
              416 {"code":"PGRST103","details":"Limit should be greater than or equal to zero.","hint":null,"message":"Requested range not satisfiable"}
            GET /orders?offset=-1
              416 {"code":"PGRST103","details":"Offset should be greater than or equal to zero.","hint":null,"message":"Requested range not satisfiable"}
            GET /orders | Range: 9-0
              416 {"code":"PGRST103","details":"The lower boundary must be lower than or equal to the upper boundary in the Range header.","hint":null,"message":"Requested range not satisfiable"}
        "#]],
    );
    assert_eq!(Method::named("TRACE").unwrap_err().code, "PGRST117");
}

#[test]
fn limits_hold() {
    let deep_logic = format!("GET /orders?or={}id.eq.1{}", "(and".repeat(9) + "(", ")".repeat(10));
    let deep_select = format!("GET /orders?select={}id{}", "customers(".repeat(7), ")".repeat(7));
    let long_list = format!("GET /orders?id=in.({})", vec!["1"; 1001].join(","));
    let long_array = format!("GET /orders?id=eq(any).{{{}}}", vec!["1"; 1001].join(","));
    let wild = format!("GET /orders?note=like.{}", "*a".repeat(9));
    let long = format!("GET /orders?note=eq.{}", "a".repeat(70_000));
    let many = format!("GET /orders?or=({})", vec!["id.eq.1"; 501].join(","));
    let many_patterns = format!("GET /orders?id=gt.1&note=like(any).{{{}}}", vec!["a"; 500].join(","));
    let with_null = format!("GET /orders?id=eq(any).{{NULL,{}}}", vec!["1"; 500].join(","));
    let refusals: String =
        [deep_logic, deep_select, long_list, long_array, wild, long, many, many_patterns, with_null]
            .iter()
            .map(|text| refused(text) + "\n")
            .collect();
    expect![[r#"
        400 {"code":"54000","details":null,"hint":null,"message":"and/or within each other: at most 8 are allowed"}
        400 {"code":"54000","details":null,"hint":null,"message":"embeds within each other: at most 6 are allowed"}
        400 {"code":"54000","details":null,"hint":null,"message":"values of a list: at most 1000 are allowed"}
        400 {"code":"54000","details":null,"hint":null,"message":"values of a list: at most 1000 are allowed"}
        400 {"code":"54000","details":null,"hint":null,"message":"wildcards of a pattern: at most 8 are allowed"}
        414 {"code":"54000","details":null,"hint":null,"message":"bytes of the query string: at most 65536 are allowed"}
        400 {"code":"54000","details":null,"hint":null,"message":"conditions of a request: at most 500 are allowed"}
        400 {"code":"54000","details":null,"hint":null,"message":"conditions of a request: at most 500 are allowed"}
        400 {"code":"54000","details":null,"hint":null,"message":"conditions of a request: at most 500 are allowed"}
    "#]].assert_eq(&refusals);
}

#[test]
fn what_just_fits_the_limits_is_read() {
    let deep_logic = format!("GET /orders?or={}id.eq.1{}", "(and".repeat(7) + "(", ")".repeat(8));
    let long_list = format!("GET /orders?id=in.({})", vec!["1"; 1000].join(","));
    let wild = format!("GET /orders?note=like.{}", "*a".repeat(8));
    let many = format!("GET /orders?id=eq(any).{{{}}}&id=gt.1", vec!["1"; 1000].join(","));
    for text in [deep_logic, long_list, wild, many] {
        crate::plan(&text).unwrap();
    }
}

#[test]
fn names_in_other_alphabets_have_columns_by_character() {
    expect![[r#"400 {"code":"PGRST100","details":"unexpected \"§\" expecting field name (* or [a..z0..9_$])","hint":null,"message":"\"failed to parse select parameter (größe,§)\" (line 1, column 7)"}"#]].assert_eq(&refused("GET /orders?select=größe,§"));
}

#[test]
fn refusals_of_the_guard_become_the_dialects() {
    let table = || "orders".to_owned();
    let errors = [
        PlanError::UnknownField { table: table(), field: "secret".to_owned() },
        PlanError::Denied { table: table() },
        PlanError::FieldDenied { table: table(), field: "total".to_owned() },
        PlanError::NoFilter { verb: "UPDATE" },
        PlanError::TooManyNodes { asked: 40, limit: 32 },
    ];
    let text: String = errors
        .iter()
        .flat_map(|e| [Principal::anon(), staff()].map(|who| refusal(&RestError::from_plan(e, &who)) + "\n"))
        .collect();
    expect![[r#"
        400 {"code":"42703","details":null,"hint":null,"message":"column orders.secret does not exist"}
        400 {"code":"42703","details":null,"hint":null,"message":"column orders.secret does not exist"}
        401 {"code":"42501","details":null,"hint":null,"message":"permission denied for table orders"}
        403 {"code":"42501","details":null,"hint":null,"message":"permission denied for table orders"}
        401 {"code":"42501","details":null,"hint":null,"message":"permission denied for column total of table orders"}
        403 {"code":"42501","details":null,"hint":null,"message":"permission denied for column total of table orders"}
        400 {"code":"21000","details":null,"hint":null,"message":"UPDATE requires a WHERE clause"}
        400 {"code":"21000","details":null,"hint":null,"message":"UPDATE requires a WHERE clause"}
        400 {"code":"54000","details":null,"hint":null,"message":"the request asks for 40 tables at once; at most 32 are allowed"}
        400 {"code":"54000","details":null,"hint":null,"message":"the request asks for 40 tables at once; at most 32 are allowed"}
    "#]].assert_eq(&text);
    // A hidden field is told like a missing one, to the letter.
    let hidden = PlanError::UnknownField { table: table(), field: "nme".to_owned() };
    let hidden = refusal(&RestError::from_plan(&hidden, &Principal::anon()));
    assert_eq!(hidden, refused("GET /orders?nme=eq.1"));
}
