//! Plans and the SQL that they become: one statement per table, every value bound.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use expect_test::{Expect, expect};
use takt_model::{Expr, Principal, Value};
use takt_plan::{GuardedNode, GuardedPlan, Join, Link, Plan};

use super::{Anchor, Env, NodeSql, count, node};
use crate::fixture::*;

/// The statements of a read with their values; children stand beneath their parents.
fn check(who: &Principal, plan: impl FnOnce(&std::sync::Arc<takt_model::Project>) -> Plan, expected: Expect) {
    let project = project();
    let guarded = guarded(&project, who, plan(&project));
    let env = Env { project: &project, principal: guarded.principal(), now: NOW, values: &[] };
    let GuardedPlan::Read(read) = guarded.plan() else { panic!("not a read") };
    let mut told = String::new();
    tell(env, &read.root, Anchor::Root, 0, &mut told);
    if read.count {
        let sql = count(env, &read.root).unwrap();
        told.push_str(&format!("{}\n{}", sql.text, binds(&env, &sql.slots)));
    }
    expected.assert_eq(&told);
}

fn tell<'a>(env: Env<'a>, from: &'a GuardedNode, anchor: Anchor<'a>, depth: usize, told: &mut String) {
    let NodeSql { text, slots, .. } = node(env, from, anchor).unwrap();
    let indent = "  ".repeat(depth);
    told.push_str(&format!("{indent}{text}\n"));
    told.push_str(&binds(&env, &slots).lines().map(|l| format!("{indent}{l}\n")).collect::<String>());
    for child in &from.children {
        tell(env, &child.node, Anchor::Parent(child), depth + 1, told);
    }
}

fn binds(env: &Env<'_>, slots: &[super::Slot<'_>]) -> String {
    let told = |(at, slot): (usize, &super::Slot<'_>)| {
        format!("  ?{} {:?}\n", at + 1, slot.filled(env).unwrap().as_ref())
    };
    slots.iter().enumerate().map(told).collect()
}

#[test]
fn a_read_by_key_is_one_look_up() {
    check(
        &Principal::service(),
        |p| on(p, "products").read("id name price", "id = '00000000-0000-0000-0000-000000000007'", ""),
        expect![[r#"
            SELECT t0."id", t0."name", t0."price" FROM "products" AS t0 WHERE t0."id" = ?1 ORDER BY t0."id" LIMIT ?2
              ?1 Uuid(00000000-0000-0000-0000-000000000007)
              ?2 Integer(1000)
        "#]],
    );
}

#[test]
fn policies_stand_beside_the_filter_and_roles_are_folded() {
    check(
        &Principal::anon(),
        |p| on(p, "products").read("name", "price < 10 or sku = 'a'", "price desc, name"),
        expect![[r#"
            SELECT t0."name" FROM "products" AS t0 WHERE ((t0."price" < ?1 OR t0."sku" = ?2) AND likely(t0."active" = 1)) ORDER BY t0."price" DESC, t0."name", t0."id" LIMIT ?3
              ?1 Integer(1000)
              ?2 Text("a")
              ?3 Integer(1000)
        "#]],
    );
    check(
        &staff(),
        |p| on(p, "products").read("name", "auth.has_role('staff') or sku = 'a'", ""),
        expect![[r#"
        SELECT t0."name" FROM "products" AS t0 ORDER BY t0."id" LIMIT ?1
          ?1 Integer(1000)
    "#]],
    );
    check(
        &customer(1),
        |p| on(p, "products").read("name", "auth.has_role('staff') or sku = 'a'", ""),
        expect![[r#"
            SELECT t0."name" FROM "products" AS t0 WHERE ((t0."sku" = ?1) AND likely(t0."active" = 1)) ORDER BY t0."id" LIMIT ?2
              ?1 Text("a")
              ?2 Integer(1000)
        "#]],
    );
}

#[test]
fn sub_queries_have_rows_of_their_own() {
    check(
        &customer(7),
        |p| on(p, "order_items").read("quantity", "", ""),
        expect![[r#"
        SELECT t0."quantity" FROM "order_items" AS t0 WHERE EXISTS (SELECT 1 FROM "orders" AS t1 WHERE (t1."id" = t0."order_id" AND t1."customer_id" = ?1 AND t1."customer_id" = ?1)) ORDER BY t0."order_id", t0."position" LIMIT ?2
          ?1 Uuid(00000000-0000-0000-0000-000000000007)
          ?2 Integer(1000)
    "#]],
    );
    check(
        &Principal::service(),
        |p| {
            on(p, "categories").read(
                "name",
                "id in (select parent_id from categories c where c.name <> categories.name)",
                "",
            )
        },
        expect![[r#"
            SELECT t0."name" FROM "categories" AS t0 WHERE t0."id" IN (SELECT t1."parent_id" FROM "categories" AS t1 WHERE t1."name" <> t0."name") ORDER BY t0."id" LIMIT ?1
              ?1 Integer(1000)
        "#]],
    );
}

#[test]
fn numbers_of_different_scales_are_compared_exactly() {
    check(
        &Principal::service(),
        |p| {
            on(p, "products").read(
                "id",
                "price > 9.999 and price <> 1.001 and price in (1, 2.5, 3.333) and rate < price and stock * 2 = rate and weight > 2",
                "",
            )
        },
        expect![[r#"
            SELECT t0."id" FROM "products" AS t0 WHERE (t0."price" > ?1 AND (t0."price" IS NOT NULL OR NULL) AND t0."price" IN (?2, ?3) AND t0."rate" < (t0."price" * 100) AND (takt_multiply(t0."stock", ?4) * 10000) = t0."rate" AND t0."weight" > ?5) ORDER BY t0."id" LIMIT ?6
              ?1 Integer(999)
              ?2 Integer(100)
              ?3 Integer(250)
              ?4 Integer(2)
              ?5 Real(2.0)
              ?6 Integer(1000)
        "#]],
    );
}

#[test]
fn text_is_matched_by_our_own_functions() {
    check(
        &Principal::service(),
        |p| {
            on(p, "products").read(
                "id",
                "name ilike 'a%' and lower(trim(sku)) like '_b' and length(name) > 3",
                "",
            )
        },
        expect![[r#"
            SELECT t0."id" FROM "products" AS t0 WHERE (takt_ilike(t0."name", ?1) AND takt_like(takt_lower(trim(t0."sku")), ?2) AND length(t0."name") > ?3) ORDER BY t0."id" LIMIT ?4
              ?1 Text("a%")
              ?2 Text("_b")
              ?3 Integer(3)
              ?4 Integer(1000)
        "#]],
    );
}

#[test]
fn children_hang_on_their_parents_key() {
    let plan = |p: &std::sync::Arc<takt_model::Project>| {
        let (orders, items, products) = (on(p, "orders"), on(p, "order_items"), on(p, "products"));
        let (labels, junction) = (on(p, "labels"), on(p, "product_labels"));
        let through = Link::Through {
            junction: junction.table.id,
            local: products.field("id"),
            to_parent: junction.field("product_id"),
            to_child: junction.field("label_id"),
            foreign: labels.field("id"),
        };
        let product = embed(
            products.node("name", "", ""),
            labels.child("labels", through, labels.node("text", "text <> 'x'", "")),
        );
        let to_product = Link::ToOne { local: items.field("product_id"), foreign: products.field("id") };
        let item = embed(
            window(items.node("quantity", "", "position"), 5, 1),
            products.child("product", to_product, product),
        );
        let to_items = Link::ToMany { local: orders.field("id"), foreign: items.field("order_id") };
        let mut child = items.child("items", to_items, item);
        child.join = Join::Inner;
        counted(window(embed(orders.node("total", "", "created_at desc"), child), 20, 0))
    };
    check(
        &Principal::service(),
        plan,
        expect![[r#"
        SELECT t0."total", t0."id" FROM "orders" AS t0 WHERE EXISTS (SELECT 1 FROM "order_items" AS t1 WHERE t1."order_id" = t0."id") ORDER BY t0."created_at" DESC, t0."id" LIMIT ?1
          ?1 Integer(20)
          SELECT t0."quantity", t0."product_id" FROM "order_items" AS t0 WHERE t0."order_id" = ?1 ORDER BY t0."position", t0."order_id" LIMIT ?2 OFFSET ?3
            ?1 Null
            ?2 Integer(5)
            ?3 Integer(1)
            SELECT t0."name", t0."id" FROM "products" AS t0 WHERE t0."id" = ?1 LIMIT 1
              ?1 Null
              SELECT t0."text" FROM "product_labels" AS j0 JOIN "labels" AS t0 ON t0."id" = j0."label_id" WHERE j0."product_id" = ?1 AND t0."text" <> ?2 ORDER BY t0."id" LIMIT ?3
                ?1 Null
                ?2 Text("x")
                ?3 Integer(1000)
        SELECT count(*) FROM "orders" AS t0 WHERE EXISTS (SELECT 1 FROM "order_items" AS t1 WHERE t1."order_id" = t0."id")
    "#]],
    );
    check(
        &customer(7),
        plan,
        expect![[r#"
            SELECT t0."total", t0."id" FROM "orders" AS t0 WHERE (t0."customer_id" = ?1 AND EXISTS (SELECT 1 FROM "order_items" AS t1 WHERE (t1."order_id" = t0."id" AND EXISTS (SELECT 1 FROM "orders" AS t2 WHERE (t2."id" = t1."order_id" AND t2."customer_id" = ?1 AND t2."customer_id" = ?1))))) ORDER BY t0."created_at" DESC, t0."id" LIMIT ?2
              ?1 Uuid(00000000-0000-0000-0000-000000000007)
              ?2 Integer(20)
              SELECT t0."quantity", t0."product_id" FROM "order_items" AS t0 WHERE t0."order_id" = ?1 AND EXISTS (SELECT 1 FROM "orders" AS t1 WHERE (t1."id" = t0."order_id" AND t1."customer_id" = ?2 AND t1."customer_id" = ?2)) ORDER BY t0."position", t0."order_id" LIMIT ?3 OFFSET ?4
                ?1 Null
                ?2 Uuid(00000000-0000-0000-0000-000000000007)
                ?3 Integer(5)
                ?4 Integer(1)
                SELECT t0."name", t0."id" FROM "products" AS t0 WHERE t0."id" = ?1 AND likely(t0."active" = 1) LIMIT 1
                  ?1 Null
                  SELECT t0."text" FROM "product_labels" AS j0 JOIN "labels" AS t0 ON t0."id" = j0."label_id" WHERE j0."product_id" = ?1 AND NOT (likely(j0."hidden" = 1)) AND t0."text" <> ?2 ORDER BY t0."id" LIMIT ?3
                    ?1 Null
                    ?2 Text("x")
                    ?3 Integer(1000)
            SELECT count(*) FROM "orders" AS t0 WHERE (t0."customer_id" = ?1 AND EXISTS (SELECT 1 FROM "order_items" AS t1 WHERE (t1."order_id" = t0."id" AND EXISTS (SELECT 1 FROM "orders" AS t2 WHERE (t2."id" = t1."order_id" AND t2."customer_id" = ?1 AND t2."customer_id" = ?1)))))
              ?1 Uuid(00000000-0000-0000-0000-000000000007)
        "#]],
    );
}

#[test]
fn nothing_that_a_request_says_becomes_text_of_a_statement() {
    let hostile = "x' OR 1=1 --\"; DROP TABLE orders";
    let plan = |p: &std::sync::Arc<takt_model::Project>| {
        let orders = on(p, "orders");
        let node = orders.node("id", "", "");
        let note = |e: Value| Expr::eq(orders.table.id, orders.field("note"), e);
        Plan::read(node.filtered(note(text(hostile))))
    };
    let project = project();
    let guarded = guarded(&project, &Principal::service(), plan(&project));
    let GuardedPlan::Read(read) = guarded.plan() else { panic!("not a read") };
    let env = Env { project: &project, principal: guarded.principal(), now: NOW, values: &[] };
    let sql = node(env, &read.root, Anchor::Root).unwrap();
    assert!(!sql.text.contains("DROP"));
    assert!(format!("{:?}", sql.slots).contains("DROP"));
}
