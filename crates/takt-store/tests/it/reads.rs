//! Reads: values, embeds, windows, counts, and what policies leave of them.

use expect_test::{Expect, expect};
use takt_model::{Expr, Principal, Value};
use takt_plan::{Join, Link, Plan};

use crate::fixture::*;

/// Three products in two categories, labels, and two orders of two customers.
fn shop() -> Shop {
    let shop = Shop::new();
    shop.put(Plan::Insert(shop.on("categories").insert(&[
        &[("id", Value::Integer(1)), ("name", text("Tea"))],
        &[("id", Value::Integer(2)), ("name", text("Green tea")), ("parent_id", Value::Integer(1))],
    ])));
    shop.put(Plan::Insert(shop.on("products").insert(&[
        &[
            ("id", id(1)),
            ("sku", text("T-1")),
            ("name", text("Sencha")),
            ("price", money("12.90")),
            ("stock", Value::Integer(7)),
            ("sold", Value::Integer(i64::MAX)),
            ("weight", Value::Double(0.1)),
            ("rate", money("0.1900")),
            ("details", Value::Json(r#"{"b":1,"a":[1.10]}"#.to_owned())),
            ("photo", Value::Bytes(vec![0xde, 0xad])),
            ("since", Value::Date(jiff::civil::date(2026, 11, 23))),
            ("opens", Value::Time(jiff::civil::time(9, 5, 0, 500_000_000))),
            ("category_id", Value::Integer(2)),
        ],
        &[("id", id(2)), ("sku", text("T-2")), ("name", text("Äpfeltee")), ("price", money("4"))],
        &[
            ("id", id(3)),
            ("sku", text("T-3")),
            ("name", text("Secret")),
            ("price", money("1")),
            ("active", Value::Boolean(false)),
            ("category_id", Value::Integer(1)),
        ],
    ])));
    shop.put(Plan::Insert(shop.on("labels").insert(&[
        &[("id", Value::Integer(1)), ("text", text("organic"))],
        &[("id", Value::Integer(2)), ("text", text("new"))],
    ])));
    shop.put(Plan::Insert(shop.on("product_labels").insert(&[
        &[("product_id", id(1)), ("label_id", Value::Integer(1))],
        &[("product_id", id(1)), ("label_id", Value::Integer(2)), ("hidden", Value::Boolean(true))],
        &[("product_id", id(2)), ("label_id", Value::Integer(2))],
    ])));
    for n in [1, 2] {
        shop.put(Plan::Insert(shop.on("orders").insert(&[&[
            ("id", id(100 + n)),
            ("customer_id", id(n)),
            ("total", money("12.90")),
        ]])));
        shop.put(Plan::Insert(shop.on("order_items").insert(&[
            &[
                ("order_id", id(100 + n)),
                ("position", Value::Integer(1)),
                ("product_id", id(1)),
                ("quantity", Value::Integer(1)),
            ],
            &[
                ("order_id", id(100 + n)),
                ("position", Value::Integer(2)),
                ("product_id", id(3)),
                ("quantity", Value::Integer(2)),
            ],
        ])));
    }
    shop
}

fn check(shop: &Shop, who: &Principal, plan: Plan, expected: Expect) {
    expected.assert_eq(&shop.json(who, plan));
}

#[test]
fn every_type_keeps_its_value() {
    let shop = shop();
    let all = shop.on("products").read("*", "sku = 'T-1'", "");
    check(
        &shop,
        &Principal::service(),
        all,
        expect![[
            r#"[{"id":"00000000-0000-0000-0000-000000000001","sku":"T-1","name":"Sencha","price":12.90,"stock":7,"sold":9223372036854775807,"weight":0.1,"rate":0.1900,"active":true,"details":{"b":1,"a":[1.10]},"photo":"\\xdead","since":"2026-11-23","opens":"09:05:00.5","category_id":2}]"#
        ]],
    );
}

#[test]
fn policies_choose_rows_and_fields() {
    let shop = shop();
    let products = shop.on("products");
    check(
        &shop,
        &Principal::anon(),
        products.read("name", "", "name"),
        expect![[r#"[{"name":"Sencha"},{"name":"Äpfeltee"}]"#]],
    );
    check(
        &shop,
        &staff(),
        products.read("name", "", "name"),
        expect![[r#"[{"name":"Secret"},{"name":"Sencha"},{"name":"Äpfeltee"}]"#]],
    );
    check(
        &shop,
        &customer(1),
        shop.on("orders").read("number customer_id", "", ""),
        expect![[r#"[{"number":"B-2026-00001","customer_id":"00000000-0000-0000-0000-000000000001"}]"#]],
    );
    let rows: serde_json::Value =
        serde_json::from_str(&shop.json(&Principal::anon(), products.read("*", "sku = 'T-1'", ""))).unwrap();
    let shown: Vec<&String> = rows[0].as_object().unwrap().keys().collect();
    expect![[r#"
        [
            "id",
            "sku",
            "name",
            "price",
            "rate",
            "active",
            "since",
            "category_id",
        ]
    "#]]
    .assert_debug_eq(&shown);
}

#[test]
fn embeds_nest_and_each_keeps_its_own_policies() {
    let shop = shop();
    let (products, items, orders) = (shop.on("products"), shop.on("order_items"), shop.on("orders"));
    let (labels, junction) = (shop.on("labels"), shop.on("product_labels"));
    let categories = shop.on("categories");
    let product = embed(
        embed(
            products.node("name", "", ""),
            labels.child(
                "labels",
                Link::Through {
                    junction: junction.table.id,
                    local: products.field("id"),
                    to_parent: junction.field("product_id"),
                    to_child: junction.field("label_id"),
                    foreign: labels.field("id"),
                },
                labels.node("text", "", ""),
            ),
        ),
        categories.child(
            "category",
            Link::ToOne { local: products.field("category_id"), foreign: categories.field("id") },
            categories.node("name", "", ""),
        ),
    );
    let item = embed(
        items.node("quantity", "", "position desc"),
        products.child(
            "product",
            Link::ToOne { local: items.field("product_id"), foreign: products.field("id") },
            product,
        ),
    );
    let order = || {
        embed(
            orders.node("total", "", ""),
            items.child(
                "items",
                Link::ToMany { local: orders.field("id"), foreign: items.field("order_id") },
                item.clone(),
            ),
        )
    };
    check(
        &shop,
        &customer(1),
        Plan::read(order()),
        expect![[
            r#"[{"total":12.90,"items":[{"quantity":2,"product":null},{"quantity":1,"product":{"name":"Sencha","labels":[{"text":"organic"}],"category":{"name":"Green tea"}}}]}]"#
        ]],
    );
    check(
        &shop,
        &Principal::service(),
        Plan::read(window(order(), 1, 1)),
        expect![[
            r#"[{"total":12.90,"items":[{"quantity":2,"product":{"name":"Secret","labels":[],"category":{"name":"Tea"}}},{"quantity":1,"product":{"name":"Sencha","labels":[{"text":"organic"},{"text":"new"}],"category":{"name":"Green tea"}}}]}]"#
        ]],
    );
    let mut limited = order();
    limited.children[0].node = window(limited.children[0].node.clone(), 1, 0);
    check(
        &shop,
        &customer(2),
        Plan::read(limited),
        expect![[r#"[{"total":12.90,"items":[{"quantity":2,"product":null}]}]"#]],
    );
}

#[test]
fn inner_embeds_drop_parents_and_left_ones_do_not() {
    let shop = shop();
    let (products, categories) = (shop.on("products"), shop.on("categories"));
    let read = |join| {
        let link = Link::ToOne { local: products.field("category_id"), foreign: categories.field("id") };
        let mut child = categories.child("category", link, categories.node("name", "name like 'Green%'", ""));
        child.join = join;
        Plan::read(embed(products.node("name", "", "name"), child))
    };
    let service = Principal::service();
    check(
        &shop,
        &service,
        read(Join::Left),
        expect![[
            r#"[{"name":"Secret","category":null},{"name":"Sencha","category":{"name":"Green tea"}},{"name":"Äpfeltee","category":null}]"#
        ]],
    );
    check(
        &shop,
        &service,
        read(Join::Inner),
        expect![[r#"[{"name":"Sencha","category":{"name":"Green tea"}}]"#]],
    );
    check(&shop, &service, read(Join::Anti), expect![[r#"[{"name":"Secret"},{"name":"Äpfeltee"}]"#]]);
}

#[test]
fn counts_are_of_all_visible_rows_whatever_the_window() {
    let shop = shop();
    let products = shop.on("products");
    let cases = [(2, 0, 2, 3), (10, 0, 3, 3), (2, 2, 1, 3), (2, 9, 0, 3), (0, 0, 0, 3)];
    for (limit, offset, returned, count) in cases {
        let plan = counted(window(products.node("id", "", ""), limit, offset));
        let (_, outcome) = shop.run(&Principal::service(), plan).unwrap();
        assert_eq!(
            (outcome.returned, outcome.count),
            (returned, Some(count)),
            "limit {limit} offset {offset}"
        );
    }
    let (_, outcome) = shop.run(&Principal::anon(), counted(products.node("id", "", ""))).unwrap();
    assert_eq!(outcome.count, Some(2));
}

#[test]
fn nulls_stand_where_the_request_wants_them() {
    let shop = shop();
    let products = shop.on("products");
    let service = Principal::service();
    check(
        &shop,
        &service,
        products.read("sku", "", "category_id, sku"),
        expect![[r#"[{"sku":"T-3"},{"sku":"T-1"},{"sku":"T-2"}]"#]],
    );
    check(
        &shop,
        &service,
        products.read("sku", "", "category_id nullsfirst, sku"),
        expect![[r#"[{"sku":"T-2"},{"sku":"T-3"},{"sku":"T-1"}]"#]],
    );
    check(
        &shop,
        &service,
        products.read("sku", "", "category_id desc, sku"),
        expect![[r#"[{"sku":"T-2"},{"sku":"T-1"},{"sku":"T-3"}]"#]],
    );
    check(
        &shop,
        &service,
        products.read("sku", "", "category_id desc nullslast, sku"),
        expect![[r#"[{"sku":"T-1"},{"sku":"T-3"},{"sku":"T-2"}]"#]],
    );
}

#[test]
fn filters_mean_what_postgresql_means() {
    let shop = shop();
    let products = shop.on("products");
    let cases = [
        ("name ilike 'ä%'", "T-2"),
        ("name like 'ä%'", ""),
        ("lower(name) = 'äpfeltee'", "T-2"),
        ("length(name) = 8", "T-2"),
        ("price = 12.9", "T-1"),
        ("price = 12.899", ""),
        ("price > 3.999", "T-1 T-2"),
        ("price >= 4.0001", "T-1"),
        ("price < 4.0001", "T-2 T-3"),
        ("price in (4.00, 1.0, 7.123)", "T-2 T-3"),
        ("not (price in (4.001))", "T-1 T-2 T-3"),
        ("rate = 0.19", "T-1"),
        ("rate < price", "T-1"),
        ("price * 2 = 8", "T-2"),
        ("price * rate > 2.45", "T-1"),
        ("price + rate = 13.09", "T-1"),
        ("stock < price", "T-1 T-2 T-3"),
        ("weight = 0.1", "T-1"),
        ("sold = 9223372036854775807", "T-1"),
        ("category_id is null", "T-2"),
        ("category_id <> 1", "T-1"),
        ("category_id is distinct from 1", "T-1 T-2"),
        ("not (category_id = 1)", "T-1"),
        ("category_id in (select id from categories where parent_id is null)", "T-3"),
        ("exists (select 1 from categories c where c.id = category_id and c.name like 'Gr%')", "T-1"),
        ("since = '2026-11-23'", "T-1"),
        ("since < '2026-11-24'", "T-1"),
        ("id = '00000000-0000-0000-0000-000000000002'", "T-2"),
        ("active", "T-1 T-2"),
        ("active is false", "T-3"),
        ("coalesce(category_id, 0) = 0", "T-2"),
        ("abs(0 - stock) = 7", "T-1"),
    ];
    for (filter, expected) in cases {
        let rows = shop.json(&Principal::service(), products.read("sku", filter, "sku"));
        let rows: Vec<serde_json::Value> = serde_json::from_str(&rows).unwrap();
        let found: Vec<&str> = rows.iter().filter_map(|r| r["sku"].as_str()).collect();
        assert_eq!(found.join(" "), expected, "{filter}");
    }
}

#[test]
fn who_asks_is_part_of_the_filter() {
    let shop = shop();
    let orders = shop.on("orders");
    let cases = [
        ("customer_id = auth.uid()", 1),
        ("auth.role() = 'authenticated'", 1),
        ("auth.role() = 'anon'", 0),
        ("auth.has_role('staff')", 0),
        ("auth.jwt() ->> 'sub' = '00000000-0000-0000-0000-000000000001'", 1),
        ("auth.jwt() -> 'app_metadata' ->> 'plan' = 'gold'", 1),
        ("auth.jwt() ->> 'nothing' is null", 1),
        ("created_at <= now()", 1),
        ("created_at < now()", 0),
    ];
    for (filter, expected) in cases {
        let (_, outcome) = shop.run(&customer(1), orders.read("id", filter, "")).unwrap();
        assert_eq!(outcome.returned, expected, "{filter}");
    }
}

#[test]
fn arithmetic_out_of_range_is_refused_not_rounded() {
    let shop = shop();
    let products = shop.on("products");
    let refusal = shop.refusal(&Principal::service(), products.read("id", "sold + 1 > 0", ""));
    assert_eq!(refusal, "22003 bigint out of range");
}

#[test]
fn a_read_that_takes_too_long_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(folder.path());
    options.read_time = std::time::Duration::from_millis(1);
    let shop = Shop::with(folder, takt_store::Store::open(options).unwrap());
    let rows: Vec<Vec<(&str, Value)>> =
        (0..400).map(|n| vec![("id", Value::Integer(n)), ("name", text("x"))]).collect();
    let rows: Vec<&[(&str, Value)]> = rows.iter().map(Vec::as_slice).collect();
    shop.put(Plan::Insert(shop.on("categories").insert(&rows)));
    let slow = "exists (select 1 from categories a where a.name <> categories.name or exists \
                (select 1 from categories b where b.name <> a.name or a.name <> categories.name))";
    let stopped = shop.run(&Principal::service(), shop.on("categories").read("id", slow, ""));
    assert_eq!(stopped.unwrap_err(), takt_store::StoreError::Timeout);
    // The connection goes on.
    let quick = shop.run(&Principal::service(), shop.on("categories").read("id", "id = 1", ""));
    assert_eq!(quick.unwrap().1.returned, 1);
}

#[test]
fn a_reader_cannot_write() {
    let shop = shop();
    let plan = guarded(&shop.project, &Principal::service(), Plan::Delete(shop.on("labels").delete("")));
    let refused = shop.store.read_here(context(0), |tx| tx.rows(&plan)).unwrap_err();
    assert_eq!(refused.to_string(), "cannot execute DELETE in a read-only transaction");
}

#[test]
fn requests_beyond_sqlites_limits_are_refused_in_words() {
    let shop = shop();
    let labels = shop.on("labels");
    let id = |n: i64| Expr::eq(labels.table.id, labels.field("id"), Value::Integer(n));
    let column = Expr::Column { scope: 0, table: labels.table.id, field: labels.field("id") };
    let list = (0..40_000).map(|n| Expr::Literal(Value::Integer(n))).collect();
    let cases = [
        (Expr::In(Box::new(column), list), "54000 one request can have at most 32766 values"),
        (Expr::Or((0..2_000).map(id).collect()), "54001 the condition is nested too deeply"),
    ];
    for (filter, expected) in cases {
        let plan = Plan::read(labels.node("id", "", "").filtered(filter));
        assert_eq!(shop.refusal(&Principal::service(), plan), expected);
    }
}

#[test]
fn an_enum_is_ordered_as_its_values_are_declared() {
    let shop = shop();
    for (n, status) in [(11, "shipped"), (12, "cancelled"), (13, "paid")] {
        shop.put(Plan::Insert(shop.on("orders").insert(&[&[
            ("id", id(n)),
            ("customer_id", id(9)),
            ("status", text(status)),
            ("total", money("1.00")),
        ]])));
    }
    // By text `cancelled` would come first.
    check(
        &shop,
        &customer(9),
        shop.on("orders").read("status", "", "status"),
        expect![[r#"[{"status":"paid"},{"status":"shipped"},{"status":"cancelled"}]"#]],
    );
}
