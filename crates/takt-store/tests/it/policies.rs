//! Policies on writes: what held before, what holds after, and what nobody may learn from a refusal.

use takt_model::{Principal, Value};
use takt_plan::{Assignment, ConflictAction, Insert, Plan, guard};

use crate::{
    fixture::*,
    writes::{order, shop, telling},
};

#[test]
fn policies_decide_on_the_row_as_it_is_finally_stored() {
    let shop = shop();
    let orders = shop.on("orders");
    let denied = r#"42501 new row violates row-level security policy for table "orders""#;
    let insert = |row: &[(&str, Value)]| Plan::Insert(orders.insert(&[row]));
    assert_eq!(shop.refusal(&customer(2), insert(&[("customer_id", id(1))])), denied);
    assert_eq!(shop.refusal(&customer(2), insert(&[("status", text("paid"))])), denied);
    shop.run(&customer(2), insert(&[("id", id(102))])).unwrap();
    // One forbidden row refuses the whole bulk.
    let bulk = orders.insert(&[&[("id", id(103))], &[("id", id(104)), ("customer_id", id(1))]]);
    assert_eq!(shop.refusal(&customer(2), Plan::Insert(bulk)), denied);
    assert_eq!(order(&shop, 103), "[]");

    let annotate =
        |filter: &str| Plan::Update(orders.update(filter, vec![("note", Assignment::Value(text("hi")))]));
    let (_, outcome) = shop.run(&customer(2), annotate("")).unwrap();
    assert_eq!(outcome.affected, 1, "only the own order");
    assert_eq!(order(&shop, 101), r#"[{"number":"B-2026-00001","status":"pending","note":null}]"#);
    shop.put(Plan::Update(orders.update("", vec![("status", Assignment::Value(text("paid")))])));
    let (_, outcome) = shop.run(&customer(2), annotate("")).unwrap();
    assert_eq!(outcome.affected, 0, "paid orders are closed");
}

#[test]
fn one_policy_must_hold_before_and_after() {
    let shop = shop();
    let products = shop.on("products");
    let price =
        |value: &str| Plan::Update(products.update("", vec![("price", Assignment::Value(money(value)))]));
    shop.run(&staff(), price("1000")).unwrap();
    assert_eq!(
        shop.refusal(&staff(), price("1000.01")),
        r#"42501 new row violates row-level security policy for table "products""#
    );
    // With stock left only the first policy's `using` holds, and it does not cover `active`.
    let retire =
        || Plan::Update(products.update("", vec![("active", Assignment::Value(Value::Boolean(false)))]));
    assert_eq!(shop.run(&staff(), retire()).unwrap().1.affected, 0);
    shop.put(Plan::Update(products.update("", vec![("stock", Assignment::Value(Value::Integer(0)))])));
    assert_eq!(shop.run(&staff(), retire()).unwrap().1.affected, 1);
}

#[test]
fn keys_tell_nothing_to_whoever_may_not_store_the_row() {
    let shop = shop();
    let insert = |key: u128, owner: u128| {
        Plan::Insert(shop.on("orders").insert(&[&[("id", id(key)), ("customer_id", id(owner))]]))
    };
    let denied = r#"42501 new row violates row-level security policy for table "orders""#;
    assert_eq!(shop.refusal(&customer(2), insert(101, 1)), denied);
    assert_eq!(shop.refusal(&customer(2), insert(999, 1)), denied);
    assert!(shop.refusal(&customer(2), insert(101, 2)).starts_with("23505"));
    let item = |order: u128| {
        Plan::Insert(shop.on("order_items").insert(&[&[
            ("order_id", id(order)),
            ("position", Value::Integer(2)),
            ("product_id", id(404)),
            ("quantity", Value::Integer(1)),
        ]]))
    };
    let denied = r#"42501 new row violates row-level security policy for table "order_items""#;
    assert_eq!(shop.refusal(&customer(2), item(101)), denied, "somebody else's order");
    assert_eq!(shop.refusal(&customer(2), item(999)), denied, "no order at all");
    assert!(shop.refusal(&customer(1), item(101)).starts_with("23503"));
}

#[test]
fn a_written_row_that_the_caller_may_not_see_refuses_the_whole() {
    let shop = shop();
    shop.put(Plan::Update(
        shop.on("products").update("", vec![("stock", Assignment::Value(Value::Integer(0)))]),
    ));
    // Staff may insert what is not active; shown fields decide which select policy applies.
    let hidden = |who: &Principal| {
        let insert = shop.on("products").insert(&[&[
            ("id", id(8)),
            ("sku", text("T-8")),
            ("name", text("x")),
            ("price", money("1")),
            ("active", Value::Boolean(false)),
        ]]);
        shop.run(who, telling(&shop, "products", "id", insert))
    };
    assert_eq!(hidden(&staff()).unwrap().1.inserted, 1);
    let labels = shop.on("labels");
    let insert = labels.insert(&[&[("id", Value::Integer(1)), ("text", text("a"))]]);
    let filtered = Insert { returning: Some(labels.node("id", "text = 'b'", "")), ..insert };
    assert_eq!(
        shop.refusal(&Principal::service(), Plan::Insert(filtered)),
        r#"42501 new row violates row-level security policy for table "labels""#
    );
    assert_eq!(shop.json(&Principal::service(), labels.read("id", "", "")), "[]");
}

#[test]
fn an_upsert_cannot_touch_what_the_caller_may_not_change() {
    let shop = shop();
    let orders = shop.on("orders");
    let upsert = |note: &str| {
        let row = [("id", id(101)), ("note", text(note))];
        Plan::Insert(orders.upsert(&["id"], ConflictAction::Merge, &[&row]))
    };
    let denied = r#"42501 new row violates row-level security policy (USING expression) for table "orders""#;
    assert_eq!(shop.refusal(&customer(2), upsert("mine now")), denied);
    shop.run(&customer(1), upsert("mine")).unwrap();
    shop.put(Plan::Update(orders.update("", vec![("status", Assignment::Value(text("paid")))])));
    assert_eq!(shop.refusal(&customer(1), upsert("late")), denied);
    assert_eq!(order(&shop, 101), r#"[{"number":"B-2026-00001","status":"paid","note":"mine"}]"#);
}

#[test]
fn deletions_obey_policies_with_sub_queries() {
    let shop = shop();
    shop.put(Plan::Insert(shop.on("orders").insert(&[&[("id", id(102)), ("customer_id", id(1))]])));
    let (_, outcome) = shop.run(&customer(1), Plan::Delete(shop.on("orders").delete(""))).unwrap();
    assert_eq!(outcome.affected, 1, "the order with an item stays");
    assert_eq!(order(&shop, 102), "[]");
    let denied = guard(Plan::Delete(shop.on("orders").delete("")), &shop.project, &Principal::anon());
    assert!(denied.is_err());
}

#[test]
fn a_policy_may_look_at_other_rows_of_its_own_table() {
    let seats = r#"
label = { en = "Seats" }
[fields.id]
type = "integer"
primary_key = true
[fields.place]
type = "text"
required = true
[fields.guest_id]
type = "uuid"
default = "auth.uid()"
[[policies]]
name = "guests see all seats"
to = ["authenticated"]
allow = ["select"]
using = "true"
[[policies]]
name = "one seat for each guest, side by side with nobody at the same place"
to = ["authenticated"]
allow = ["insert", "update"]
using = "guest_id = auth.uid()"
check = "guest_id = auth.uid() and not exists (select 1 from seats s where s.place = seats.place and s.id <> seats.id)"
"#;
    let mut shop = Shop::new();
    shop.project = with_file("schema/seats.toml", seats);
    migrate(&shop.store, &shop.project).unwrap();
    let seats = shop.on("seats");
    let take = |n: i64, place: &str| {
        Plan::Insert(seats.insert(&[&[("id", Value::Integer(n)), ("place", text(place))]]))
    };
    let denied = r#"42501 new row violates row-level security policy for table "seats""#;
    shop.run(&customer(1), take(1, "window")).unwrap();
    assert_eq!(shop.refusal(&customer(2), take(2, "window")), denied);
    shop.run(&customer(2), take(2, "aisle")).unwrap();
    let move_to =
        |place: &str| Plan::Update(seats.update("", vec![("place", Assignment::Value(text(place)))]));
    assert_eq!(shop.refusal(&customer(2), move_to("window")), denied);
    assert_eq!(shop.run(&customer(2), move_to("door")).unwrap().1.affected, 1);
    assert_eq!(
        shop.json(&customer(1), seats.read("id place", "", "")),
        r#"[{"id":1,"place":"window"},{"id":2,"place":"door"}]"#
    );
}
