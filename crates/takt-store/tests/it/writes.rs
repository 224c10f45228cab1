//! Writes: defaults, values, constraints, policies, upserts, and what is told of them.

use expect_test::expect;
use takt_model::{Principal, Value, Verb};
use takt_plan::{Assignment, ConflictAction, Delete, Insert, Missing, Plan, Update};
use takt_store::{Change, StoreError, Tx, TxContext};

use crate::fixture::*;

/// A product with stock 5 and the id that ends in 1, an order (101) of customer 1 with an item.
pub(crate) fn shop() -> Shop {
    let shop = Shop::new();
    shop.put(Plan::Insert(shop.on("products").insert(&[&[
        ("id", id(1)),
        ("sku", text("T-1")),
        ("name", text("Sencha")),
        ("price", money("12.90")),
        ("stock", Value::Integer(5)),
    ]])));
    shop.put(Plan::Insert(shop.on("orders").insert(&[&[("id", id(101)), ("customer_id", id(1))]])));
    shop.put(Plan::Insert(shop.on("order_items").insert(&[&[
        ("order_id", id(101)),
        ("position", Value::Integer(1)),
        ("product_id", id(1)),
        ("quantity", Value::Integer(1)),
    ]])));
    shop
}

pub(crate) fn order(shop: &Shop, n: u128) -> String {
    let plan = shop.on("orders").read("number status note", &format!("id = '{}'", uuid(n)), "");
    shop.json(&Principal::service(), plan)
}

fn uuid(n: u128) -> String {
    takt_model::Uuid::from_u128(n).to_string()
}

pub(crate) fn telling(shop: &Shop, table: &str, fields: &str, insert: Insert) -> Plan {
    Plan::Insert(Insert { returning: Some(shop.on(table).node(fields, "", "")), ..insert })
}

#[test]
fn defaults_are_filled_by_us() {
    let shop = Shop::new();
    let insert = shop.on("orders").insert(&[&[("note", text("a"))], &[("note", text("b"))]]);
    let plan = telling(&shop, "orders", "number customer_id status total note created_at", insert);
    let (rows, outcome) = shop.run(&customer(7), plan).unwrap();
    expect![[r#"[{"number":"B-2026-00001","customer_id":"00000000-0000-0000-0000-000000000007","status":"pending","total":0.00,"note":"a","created_at":"2026-11-23T09:14:07.123456+00:00"},{"number":"B-2026-00002","customer_id":"00000000-0000-0000-0000-000000000007","status":"pending","total":0.00,"note":"b","created_at":"2026-11-23T09:14:07.123456+00:00"}]"#]]
    .assert_eq(&rows);
    assert_eq!((outcome.returned, outcome.affected, outcome.inserted), (2, 2, 2));
}

#[test]
fn running_numbers_have_no_gaps_and_begin_anew_each_year() {
    let shop = Shop::new();
    let service = Principal::service();
    let number = |context: TxContext| {
        let plan = telling(&shop, "orders", "number", shop.on("orders").insert(&[&[("note", text("x"))]]));
        shop.run_in(context, &service, plan).unwrap().0
    };
    assert_eq!(number(context(1)), r#"[{"number":"B-2026-00001"}]"#);
    let failing = shop.on("orders").insert(&[&[("total", money("-1"))]]);
    shop.run(&service, Plan::Insert(failing)).unwrap_err();
    assert_eq!(number(context(2)), r#"[{"number":"B-2026-00002"}]"#);
    let next_year = TxContext { now: NOW + 366 * 24 * 3_600 * 1_000_000, ..context(3) };
    assert_eq!(number(next_year), r#"[{"number":"B-2027-00001"}]"#);
}

#[test]
fn missing_values_become_null_or_the_default() {
    let shop = Shop::new();
    let rows: &[&[(&str, Value)]] = &[
        &[
            ("id", id(1)),
            ("sku", text("a")),
            ("name", text("a")),
            ("price", money("1")),
            ("rate", money("0.1")),
        ],
        &[
            ("id", id(2)),
            ("sku", text("b")),
            ("name", text("b")),
            ("price", money("1")),
            ("stock", Value::Integer(2)),
        ],
    ];
    let with_null = Insert { missing: Missing::Null, ..shop.on("products").insert(rows) };
    assert_eq!(
        shop.refusal(&Principal::service(), Plan::Insert(with_null)),
        r#"23502 null value in column "stock" of relation "products" violates not-null constraint"#
    );
    let plan = telling(&shop, "products", "stock rate", shop.on("products").insert(rows));
    let (told, _) = shop.run(&Principal::service(), plan).unwrap();
    assert_eq!(told, r#"[{"stock":0,"rate":0.1000},{"stock":2,"rate":null}]"#);
}

#[test]
fn values_that_do_not_fit_are_refused_in_postgresqls_words() {
    let shop = shop();
    let product = |field: &'static str, value: Value| -> Plan {
        let mut row = vec![("id", id(9)), ("sku", text("T-9")), ("name", text("x")), ("price", money("1"))];
        row.retain(|(name, _)| *name != field);
        row.push((field, value));
        Plan::Insert(shop.on("products").insert(&[&row]))
    };
    let order =
        |field: &'static str, value: Value| Plan::Insert(shop.on("orders").insert(&[&[(field, value)]]));
    let item = |order: u128, product: u128, quantity: i64| {
        Plan::Insert(shop.on("order_items").insert(&[&[
            ("order_id", id(order)),
            ("position", Value::Integer(1)),
            ("product_id", id(product)),
            ("quantity", Value::Integer(quantity)),
        ]]))
    };
    let cases = [
        (
            product("name", Value::Null),
            r#"23502 null value in column "name" of relation "products" violates not-null constraint"#,
        ),
        (product("sku", text("1234567890123")), "22001 value too long for type character varying(12)"),
        (product("photo", Value::Bytes(vec![0; 9])), "22001 value too long for type bytea(8)"),
        (
            product("price", money("-0.01")),
            r#"23514 new row for relation "products" violates check constraint "products_price_check""#,
        ),
        (
            product("price", money("99999999999")),
            "22003 numeric field overflow [A field with precision 12, scale 2 must round to an absolute value less than 10^10.]",
        ),
        (product("stock", Value::Integer(3_000_000_000)), "22003 integer out of range"),
        (
            product("weight", Value::Double(f64::NAN)),
            r#"22P02 invalid input syntax for type double precision: "NaN""#,
        ),
        (
            product("name", Value::Integer(1)),
            r#"42804 column "name" is of type text but expression is of type bigint"#,
        ),
        (
            product("id", id(1)),
            r#"23505 duplicate key value violates unique constraint "products_pkey" [Key (id)=(00000000-0000-0000-0000-000000000001) already exists.]"#,
        ),
        (
            product("sku", text("T-1")),
            r#"23505 duplicate key value violates unique constraint "products_sku_key" [Key (sku)=(T-1) already exists.]"#,
        ),
        (
            product("category_id", Value::Integer(5)),
            r#"23503 insert or update on table "products" violates foreign key constraint "products_category_id_fkey" [Key (category_id)=(5) is not present in table "categories".]"#,
        ),
        (order("status", text("lost")), r#"22P02 invalid input value for enum orders_status: "lost""#),
        (
            item(101, 1, 1),
            r#"23505 duplicate key value violates unique constraint "order_items_pkey" [Key (order_id, position)=(00000000-0000-0000-0000-000000000065, 1) already exists.]"#,
        ),
        (
            item(999, 1, 1),
            r#"23503 insert or update on table "order_items" violates foreign key constraint "order_items_order_id_fkey" [Key (order_id)=(00000000-0000-0000-0000-0000000003e7) is not present in table "orders".]"#,
        ),
        (
            item(102, 1, 0),
            r#"23514 new row for relation "order_items" violates check constraint "order_items_quantity_check""#,
        ),
        (
            Plan::Delete(shop.on("products").delete("")),
            r#"23503 update or delete on table "products" violates foreign key constraint "order_items_product_id_fkey" on table "order_items" [Key (id)=(00000000-0000-0000-0000-000000000001) is still referenced from table "order_items".]"#,
        ),
    ];
    for (plan, expected) in cases {
        assert_eq!(shop.refusal(&Principal::service(), plan), expected);
    }
    // Length is counted in characters.
    shop.put(product("sku", text("ääääääääääää")));
}

#[test]
fn prices_are_rounded_as_money_is() {
    let shop = shop();
    let set = |value: &str| {
        let update = shop.on("products").update("", vec![("price", Assignment::Value(money(value)))]);
        shop.put(Plan::Update(update));
        shop.json(&Principal::service(), shop.on("products").read("price", "", ""))
    };
    assert_eq!(set("1.005"), r#"[{"price":1.01}]"#);
    assert_eq!(set("1.0049"), r#"[{"price":1.00}]"#);
}

#[test]
fn adding_and_subtracting_is_exact_and_checked() {
    let shop = shop();
    let products = shop.on("products");
    let moved = |filter: &str, set| Plan::Update(products.update(filter, set));
    let service = Principal::service();
    let (_, taken) = shop
        .run(&service, moved("stock >= 3", vec![("stock", Assignment::Subtract(Value::Integer(3)))]))
        .unwrap();
    assert_eq!(taken.affected, 1);
    let (_, sold_out) = shop
        .run(&service, moved("stock >= 3", vec![("stock", Assignment::Subtract(Value::Integer(3)))]))
        .unwrap();
    assert_eq!(sold_out.affected, 0);
    shop.put(moved(
        "",
        vec![("price", Assignment::Add(money("0.10"))), ("sold", Assignment::Add(Value::Integer(1)))],
    ));
    assert_eq!(
        shop.json(&service, products.read("price stock sold", "", "")),
        r#"[{"price":13.00,"stock":2,"sold":null}]"#
    );
    assert_eq!(
        shop.refusal(&service, moved("", vec![("stock", Assignment::Subtract(Value::Integer(3)))])),
        r#"23514 new row for relation "products" violates check constraint "products_stock_check""#
    );
    assert_eq!(
        shop.refusal(
            &service,
            moved("", vec![("stock", Assignment::Add(Value::Integer(i64::from(i32::MAX))))])
        ),
        "22003 integer out of range"
    );
    assert_eq!(
        shop.refusal(&service, moved("", vec![("name", Assignment::Add(text("x")))])),
        "42883 operator does not exist: text + text"
    );
}

#[test]
fn an_enum_moves_only_along_its_transitions() {
    let shop = shop();
    let to = |status: &str| {
        Plan::Update(shop.on("orders").update("", vec![("status", Assignment::Value(text(status)))]))
    };
    let service = Principal::service();
    assert_eq!(
        shop.refusal(&service, to("shipped")),
        r#"23514 orders.status may not change from "pending" to "shipped" [Violates "orders_status_transition".]"#
    );
    shop.put(to("pending"));
    shop.put(to("paid"));
    shop.put(to("shipped"));
    let StoreError::Transition(refused) = shop.run(&service, to("paid")).unwrap_err() else {
        panic!("not refused")
    };
    assert_eq!(refused.hint(), r#""shipped" is final."#);
    let merged = shop.on("orders").upsert(
        &["id"],
        ConflictAction::Merge,
        &[&[("id", id(101)), ("status", text("pending"))]],
    );
    assert!(shop.refusal(&service, Plan::Insert(merged)).starts_with("23514 orders.status may not change"));
}

#[test]
fn returned_rows_are_read_again_with_embeds() {
    let shop = shop();
    let (orders, items) = (shop.on("orders"), shop.on("order_items"));
    let node = || {
        let link = takt_plan::Link::ToMany { local: orders.field("id"), foreign: items.field("order_id") };
        embed(orders.node("note", "", ""), items.child("items", link, items.node("quantity", "", "")))
    };
    let set = vec![("note", Assignment::Value(text("x")))];
    let update = Update { returning: Some(node()), ..orders.update("", set) };
    assert_eq!(shop.json(&customer(1), Plan::Update(update)), r#"[{"note":"x","items":[{"quantity":1}]}]"#);
    let delete = Delete { returning: Some(node()), ..orders.delete("") };
    let (told, outcome) = shop.run(&Principal::service(), Plan::Delete(delete)).unwrap();
    assert_eq!((told.as_str(), outcome.affected), (r#"[{"note":"x","items":[{"quantity":1}]}]"#, 1));
    assert_eq!(shop.json(&Principal::service(), items.read("quantity", "", "")), "[]", "items went with it");
}

#[test]
fn returned_rows_keep_the_requests_order_and_window() {
    let shop = Shop::new();
    let labels = shop.on("labels");
    let row = |n: i64, t: &str| vec![("id", Value::Integer(n)), ("text", text(t))];
    let rows = [row(3, "a"), row(1, "b"), row(2, "c")];
    let rows: Vec<&[(&str, Value)]> = rows.iter().map(Vec::as_slice).collect();
    let plan = telling(&shop, "labels", "id", labels.insert(&rows));
    assert_eq!(shop.run(&Principal::service(), plan).unwrap().0, r#"[{"id":3},{"id":1},{"id":2}]"#);
    let update = |node| Update {
        returning: Some(node),
        ..labels.update("", vec![("text", Assignment::Value(text("z")))])
    };
    let by_key = Plan::Update(update(labels.node("id", "", "")));
    assert_eq!(shop.json(&Principal::service(), by_key), r#"[{"id":1},{"id":2},{"id":3}]"#);
    let page = Plan::Update(update(window(labels.node("id", "", "id desc"), 1, 1)));
    let (rows, outcome) = shop.run(&Principal::service(), page).unwrap();
    assert_eq!((rows.as_str(), outcome.returned, outcome.affected), (r#"[{"id":2}]"#, 1, 3));
}

#[test]
fn more_rows_than_allowed_refuse_the_whole() {
    let shop = Shop::new();
    let labels = shop.on("labels");
    let row = |n: i64| vec![("id", Value::Integer(n)), ("text", text("a"))];
    let rows = [row(1), row(2), row(3)];
    let rows: Vec<&[(&str, Value)]> = rows.iter().map(Vec::as_slice).collect();
    shop.put(Plan::Insert(labels.insert(&rows)));
    let refused =
        "PGRST124 Query result exceeds max-affected preference constraint [The query affects 3 rows]";
    let delete = Delete { max_affected: Some(2), ..labels.delete("") };
    assert_eq!(shop.refusal(&Principal::service(), Plan::Delete(delete)), refused);
    let set = vec![("text", Assignment::Value(text("b")))];
    let update = Update { max_affected: Some(2), ..labels.update("", set) };
    assert_eq!(shop.refusal(&Principal::service(), Plan::Update(update)), refused);
    let delete = Delete { max_affected: Some(3), ..labels.delete("") };
    assert_eq!(shop.run(&Principal::service(), Plan::Delete(delete)).unwrap().1.affected, 3);
}

#[test]
fn upserts_merge_or_ignore_by_the_named_key() {
    let shop = shop();
    let products = shop.on("products");
    let row = |sku: &str, name: &str| vec![("sku", text(sku)), ("name", text(name)), ("price", money("1"))];
    let rows = [row("T-1", "Gyokuro"), row("T-2", "Oolong")];
    let rows: Vec<&[(&str, Value)]> = rows.iter().map(Vec::as_slice).collect();
    let service = Principal::service();
    let merge =
        telling(&shop, "products", "sku name stock", products.upsert(&["sku"], ConflictAction::Merge, &rows));
    let (told, outcome) = shop.run(&service, merge).unwrap();
    assert_eq!(told, r#"[{"sku":"T-1","name":"Gyokuro","stock":5},{"sku":"T-2","name":"Oolong","stock":0}]"#);
    assert_eq!((outcome.affected, outcome.inserted), (2, 1));
    let rows = [row("T-2", "other"), row("T-3", "Matcha")];
    let rows: Vec<&[(&str, Value)]> = rows.iter().map(Vec::as_slice).collect();
    let ignore =
        telling(&shop, "products", "sku name", products.upsert(&["sku"], ConflictAction::Ignore, &rows));
    let (told, outcome) = shop.run(&service, ignore).unwrap();
    assert_eq!(told, r#"[{"sku":"T-3","name":"Matcha"}]"#);
    assert_eq!((outcome.affected, outcome.inserted), (1, 1));
    let twice = [row("T-4", "a"), row("T-4", "b")];
    let twice: Vec<&[(&str, Value)]> = twice.iter().map(Vec::as_slice).collect();
    let twice = Plan::Insert(products.upsert(&["sku"], ConflictAction::Merge, &twice));
    assert_eq!(
        shop.refusal(&service, twice),
        "21000 ON CONFLICT DO UPDATE command cannot affect row a second time"
    );
    let other_key = products.upsert(
        &["sku"],
        ConflictAction::Merge,
        &[&[("id", id(1)), ("sku", text("T-9")), ("name", text("x")), ("price", money("1"))]],
    );
    assert!(shop.refusal(&service, Plan::Insert(other_key)).contains("products_pkey"));
}

#[test]
fn changes_are_captured_with_the_rule_that_let_them_through() {
    let shop = Shop::new();
    let capture = TxContext { capture: true, ..context(5) };
    let labels = shop.on("labels");
    let changes = |who: &Principal, plan: Plan| shop.run_in(capture, who, plan).unwrap().1.changes;
    let row = |t: &str| Some(vec![Value::Integer(1), text(t)]);
    let insert = labels.insert(&[&[("id", Value::Integer(1)), ("text", text("a"))]]);
    let change = |verb, before, after| Change {
        table: "labels".to_owned(),
        verb,
        before,
        after,
        rule: "service".to_owned(),
    };
    let service = Principal::service();
    assert_eq!(changes(&service, Plan::Insert(insert)), [change(Verb::Insert, None, row("a"))]);
    let update = labels.update("", vec![("text", Assignment::Value(text("b")))]);
    assert_eq!(changes(&service, Plan::Update(update)), [change(Verb::Update, row("a"), row("b"))]);
    assert_eq!(changes(&service, Plan::Delete(labels.delete(""))), [change(Verb::Delete, row("b"), None)]);
    let order = changes(&customer(1), Plan::Insert(shop.on("orders").insert(&[&[("note", text("x"))]])));
    assert_eq!(order[0].rule, "customers order for themselves");
}

#[test]
fn a_failed_plan_leaves_the_transaction_as_it_was() {
    let shop = Shop::new();
    let service = Principal::service();
    let plan = |rows: &[&[(&str, Value)]]| {
        guarded(&shop.project, &service, Plan::Insert(shop.on("labels").insert(rows)))
    };
    let row = |n| [("id", Value::Integer(n)), ("text", text("a"))];
    let (good, half, last) = (plan(&[&row(1)]), plan(&[&row(2), &row(1)]), plan(&[&row(3)]));
    let job = move |tx: &Tx| {
        tx.rows(&good)?;
        assert!(tx.rows(&half).is_err());
        assert!(tx.is_alive());
        tx.rows(&last)?;
        Ok::<_, StoreError>(())
    };
    shop.store.write_blocking(context(0), job).unwrap();
    assert_eq!(shop.json(&service, shop.on("labels").read("id", "", "")), r#"[{"id":1},{"id":3}]"#);
}

#[test]
fn a_nested_job_that_fails_is_undone_and_the_rest_is_kept() {
    let shop = Shop::new();
    let service = Principal::service();
    let plan = |n: i64| {
        let row = [("id", Value::Integer(n)), ("text", text("a"))];
        guarded(&shop.project, &service, Plan::Insert(shop.on("labels").insert(&[&row])))
    };
    let plans = [plan(1), plan(2), plan(3)];
    let job = move |tx: &Tx| {
        tx.rows(&plans[0])?;
        let refused: Result<(), StoreError> = tx.nested(|tx| {
            tx.rows(&plans[1])?;
            tx.counter_next("x")?;
            Err(StoreError::Internal("refused".to_owned()))
        });
        assert!(refused.is_err());
        assert_eq!(tx.counter_next("x"), Ok(1));
        tx.rows(&plans[2]).map(|_| ())
    };
    shop.store.write_blocking(context(0), job).unwrap();
    assert_eq!(shop.json(&service, shop.on("labels").read("id", "", "")), r#"[{"id":1},{"id":3}]"#);
}

#[test]
fn a_handle_is_dead_when_its_job_has_ended() {
    let shop = Shop::new();
    let plan = guarded(&shop.project, &Principal::service(), shop.on("labels").read("id", "", ""));
    let leaked = shop.store.read_here(context(0), |tx| Ok::<_, StoreError>(tx.clone())).unwrap();
    assert!(!leaked.is_alive());
    assert_eq!(leaked.rows(&plan).unwrap_err(), StoreError::Internal("the transaction has ended".to_owned()));
}

#[test]
fn an_empty_update_changes_nothing() {
    let shop = shop();
    let update = shop.on("orders").update("", Vec::new());
    assert_eq!(shop.run(&Principal::service(), Plan::Update(update)).unwrap().1.affected, 0);
}

#[test]
fn a_row_may_refer_to_itself_and_keys_may_change() {
    let shop = Shop::new();
    let categories = shop.on("categories");
    let row = |n: i64, parent: i64| {
        vec![("id", Value::Integer(n)), ("name", text("x")), ("parent_id", Value::Integer(parent))]
    };
    shop.put(Plan::Insert(categories.insert(&[&row(1, 1)])));
    shop.put(Plan::Insert(categories.insert(&[&row(2, 1)])));
    let key = |filter: &str, n: i64| {
        let set = vec![("id", Assignment::Value(Value::Integer(n)))];
        Plan::Update(Update {
            returning: Some(categories.node("id", "", "")),
            ..categories.update(filter, set)
        })
    };
    let service = Principal::service();
    assert_eq!(shop.run(&service, key("id = 2", 3)).unwrap().0, r#"[{"id":3}]"#);
    assert!(shop.refusal(&service, key("id = 3", 1)).starts_with("23505"));
    assert_eq!(
        shop.refusal(&service, key("id = 1", 9)),
        r#"23503 update or delete on table "categories" violates foreign key constraint "categories_parent_id_fkey" on table "categories" [Key (id)=(1) is still referenced from table "categories".]"#
    );
    shop.put(Plan::Delete(categories.delete("id = 1")));
    assert_eq!(
        shop.json(&service, categories.read("id parent_id", "", "")),
        r#"[{"id":3,"parent_id":null}]"#
    );
}
