//! Writes: URL and body to plan.

use expect_test::expect;

use crate::{check, refused};

#[test]
fn can_insert_one_and_many() {
    check(
        "POST /products\n\n{\"id\":1,\"name\":\"Sencha\",\"price\":12.90,\"active\":null}",
        &expect![[r#"
        insert products (id, name, price, active)
          row 1, 'Sencha', 12.90, null
    "#]],
    );
    check(
        "POST /products\n\n[{\"id\":1,\"name\":\"a\"},{\"name\":\"b\",\"id\":\"2\"}]",
        &expect![[r#"
        insert products (id, name)
          row 1, 'a'
          row 2, 'b'
    "#]],
    );
    check(
        "POST /products\n\n{}",
        &expect![[r#"
        insert products ()
          row
    "#]],
    );
    check(
        "POST /products\n\n[]",
        &expect![[r#"
        insert products ()
    "#]],
    );
    check(
        "POST /orders\n\n{\"id\":9007199254740993,\"meta\":{\"b\":1,\"a\":[null]}}",
        &expect![[r#"
        insert orders (id, meta)
          row 9007199254740993, json {"b":1,"a":[null]}
    "#]],
    );
}

#[test]
fn columns_choose_what_is_written() {
    let body = "[{\"id\":1,\"x\":9},{\"id\":2,\"name\":\"b\"}]";
    check(
        &format!("POST /products?columns=id,name\n\n{body}"),
        &expect![[r#"
        insert products (id, name)
          row 1, -
          row 2, 'b'
    "#]],
    );
    check(
        &format!("POST /products?columns=id,name\nPrefer: missing=default\n\n{body}"),
        &expect![[r#"
        insert products (id, name)
          row 1, -
          row 2, 'b'
          missing default
    "#]],
    );
    check(
        "PATCH /products?id=eq.1&columns=name,active\n\n{\"name\":\"a\"}",
        &expect![[r#"
        update products
          set name = 'a'
          set active = null
          where id = 1
    "#]],
    );
    check(
        "PATCH /products?id=eq.1&columns=name,active\nPrefer: missing=default\n\n{\"name\":\"a\"}",
        &expect![[r#"
            update products
              set name = 'a'
              set active = true
              where id = 1
        "#]],
    );
}

#[test]
fn can_ask_for_the_written_rows() {
    check(
        "POST /products?select=id,categories(name)\nPrefer: return=representation\n\n{\"id\":1}",
        &expect![[r#"
            insert products (id)
              row 1
              returning
                show id, categories()
                embed categories: categories to one, category_id = id
                  show name
        "#]],
    );
    check(
        "POST /products\nPrefer: return=headers-only\n\n{\"name\":\"a\"}",
        &expect![[r#"
        insert products (name)
          row 'a'
          returning
            show id
    "#]],
    );
    check(
        "POST /products?select=name\nPrefer: return=minimal\n\n{\"name\":\"a\"}",
        &expect![[r#"
        insert products (name)
          row 'a'
    "#]],
    );
    check(
        "PATCH /orders?id=eq.1&select=id,order_items(quantity)&order_items.quantity=gt.1&order=id.desc\n\
         Prefer: return=representation\n\n{\"note\":null}",
        &expect![[r#"
            update orders
              set note = null
              where id = 1
              returning
                show id, order_items()
                order id desc
                embed order_items: order_items to many, id = order_id
                  show quantity
                  where quantity > 1
        "#]],
    );
}

#[test]
fn can_upsert() {
    check(
        "POST /products\nPrefer: resolution=merge-duplicates\n\n{\"id\":1}",
        &expect![[r#"
        insert products (id)
          row 1
          on conflict (id) merge
    "#]],
    );
    check(
        "POST /orders?on_conflict=number\nPrefer: resolution=ignore-duplicates\n\n{\"id\":1,\"number\":\"B-1\"}",
        &expect![[r#"
            insert orders (id, number)
              row 1, 'B-1'
              on conflict (number) ignore
        "#]],
    );
    check(
        "POST /order_items?on_conflict=product_id,order_id\nPrefer: resolution=merge-duplicates\n\n\
         {\"order_id\":1,\"product_id\":2}",
        &expect![[r#"
            insert order_items (order_id, product_id)
              row 1, 2
              on conflict (order_id, product_id) merge
        "#]],
    );
    // Without a resolution the parameter says nothing.
    check(
        "POST /orders?on_conflict=number\n\n{\"id\":1}",
        &expect![[r#"
        insert orders (id)
          row 1
    "#]],
    );
}

#[test]
fn can_change_rows() {
    check(
        "PATCH /orders?id=eq.1&status=eq.pending\n\n{\"status\":\"paid\",\"total\":\"12.905\"}",
        &expect![[r#"
            update orders
              set status = 'paid'
              set total = 12.905
              where (id = 1 and status = 'pending')
        "#]],
    );
    check(
        "PATCH /orders?or=(id.eq.1,id.eq.2)\n\n[{\"note\":\"x\"}]",
        &expect![[r#"
        update orders
          set note = 'x'
          where (id = 1 or id = 2)
    "#]],
    );
    check(
        "PATCH /orders?id=eq.1\nPrefer: handling=strict, max-affected=2\n\n{\"note\":\"x\"}",
        &expect![[r#"
            update orders
              set note = 'x'
              where id = 1
              at most 2
        "#]],
    );
    check(
        "PATCH /orders?id=eq.1\nPrefer: max-affected=2\n\n{\"note\":\"x\"}",
        &expect![[r#"
        update orders
          set note = 'x'
          where id = 1
    "#]],
    );
}

#[test]
fn nothing_to_set_changes_nothing() {
    check(
        "PATCH /orders?id=eq.1\n\n{}",
        &expect![[r#"
        update orders
          where false
    "#]],
    );
    check(
        "PATCH /orders?id=eq.1\n\n[]",
        &expect![[r#"
        update orders
          where false
    "#]],
    );
}

#[test]
fn can_remove_rows() {
    check(
        "DELETE /orders?id=in.(1,2)\nPrefer: return=representation",
        &expect![[r#"
        delete orders
          where id in (1, 2)
          returning
            show *
    "#]],
    );
    check(
        "DELETE /orders?select=id,order_items()&order_items=is.null",
        &expect![[r#"
        delete orders
          where not exists(order_items1: order_items1.order_id = id)
    "#]],
    );
}

#[test]
fn a_missing_filter_is_left_to_the_guard() {
    check(
        "PATCH /orders\n\n{\"note\":null}",
        &expect![[r#"
        update orders
          set note = null
    "#]],
    );
    check(
        "DELETE /orders",
        &expect![[r#"
        delete orders
    "#]],
    );
}

#[test]
fn bodies_that_are_refused() {
    let expected = expect![[r#"
        POST /products
          400 {"code":"PGRST102","details":null,"hint":null,"message":"Empty or invalid json"}
        POST /products |  | {"id":
          400 {"code":"PGRST102","details":null,"hint":null,"message":"Empty or invalid json"}
        POST /products |  | [{"id":1},{"name":"b"}]
          400 {"code":"PGRST102","details":null,"hint":null,"message":"All object keys must match"}
        POST /products |  | [{"id":1},2]
          400 {"code":"PGRST102","details":null,"hint":null,"message":"All object keys must match"}
        POST /products |  | {"idd":1}
          400 {"code":"PGRST204","details":null,"hint":null,"message":"Could not find the 'idd' column of 'products' in the schema cache"}
        POST /products?columns=id,idd |  | {"id":1}
          400 {"code":"PGRST204","details":null,"hint":null,"message":"Could not find the 'idd' column of 'products' in the schema cache"}
        POST /products |  | {"id":"abc"}
          400 {"code":"22P02","details":null,"hint":null,"message":"invalid input syntax for type integer: \"abc\""}
        POST /products |  | {"id":99999999999}
          400 {"code":"22003","details":null,"hint":null,"message":"value \"99999999999\" is out of range for type integer"}
        POST /products |  | {"name":"a\u0000b"}
          400 {"code":"22P05","details":null,"hint":null,"message":"unsupported Unicode escape sequence"}
        POST /orders |  | {"status":"gone"}
          400 {"code":"22P02","details":null,"hint":null,"message":"invalid input value for enum orders_status: \"gone\""}
        POST /orders |  | {"due":"2026-02-30"}
          400 {"code":"22008","details":null,"hint":null,"message":"date/time field value out of range: \"2026-02-30\""}
        POST /products | Content-Type: text/csv |  | id | 1
          400 {"code":"PGRST127","details":null,"hint":null,"message":"Feature not implemented: bodies of type text/csv"}
        POST /products | Content-Type: image/png |  | x
          400 {"code":"PGRST102","details":null,"hint":null,"message":"Content-Type not acceptable: image/png"}
        POST /products?on_conflict=name | Prefer: resolution=merge-duplicates |  | {"id":1}
          400 {"code":"42P10","details":null,"hint":null,"message":"there is no unique or exclusion constraint matching the ON CONFLICT specification"}
        POST /products?on_conflict=nme | Prefer: resolution=merge-duplicates |  | {"id":1}
          400 {"code":"42703","details":null,"hint":null,"message":"column products.nme does not exist"}
        POST /products?select=id,categories!inner(name) | Prefer: return=representation |  | {"id":1}
          400 {"code":"PGRST127","details":null,"hint":null,"message":"Feature not implemented: !inner on the returned rows of a write"}
        PATCH /products?id=eq.1 |  | [{"name":"a"},{"name":"b"}]
          400 {"code":"PGRST127","details":null,"hint":null,"message":"Feature not implemented: PATCH with several objects"}
        PATCH /orders?id=eq.1&columns=created_at | Prefer: missing=default |  | {"note":"x"}
          400 {"code":"PGRST127","details":null,"hint":null,"message":"Feature not implemented: missing=default in PATCH for the computed default of 'created_at'"}
        POST /products?select=nme |  | {"id":1}
          400 {"code":"42703","details":null,"hint":null,"message":"column products.nme does not exist"}
    "#]];
    let refusals = [
        "POST /products",
        "POST /products\n\n{\"id\":",
        "POST /products\n\n[{\"id\":1},{\"name\":\"b\"}]",
        "POST /products\n\n[{\"id\":1},2]",
        "POST /products\n\n{\"idd\":1}",
        "POST /products?columns=id,idd\n\n{\"id\":1}",
        "POST /products\n\n{\"id\":\"abc\"}",
        "POST /products\n\n{\"id\":99999999999}",
        "POST /products\n\n{\"name\":\"a\\u0000b\"}",
        "POST /orders\n\n{\"status\":\"gone\"}",
        "POST /orders\n\n{\"due\":\"2026-02-30\"}",
        "POST /products\nContent-Type: text/csv\n\nid\n1",
        "POST /products\nContent-Type: image/png\n\nx",
        "POST /products?on_conflict=name\nPrefer: resolution=merge-duplicates\n\n{\"id\":1}",
        "POST /products?on_conflict=nme\nPrefer: resolution=merge-duplicates\n\n{\"id\":1}",
        "POST /products?select=id,categories!inner(name)\nPrefer: return=representation\n\n{\"id\":1}",
        "PATCH /products?id=eq.1\n\n[{\"name\":\"a\"},{\"name\":\"b\"}]",
        "PATCH /orders?id=eq.1&columns=created_at\nPrefer: missing=default\n\n{\"note\":\"x\"}",
        "POST /products?select=nme\n\n{\"id\":1}",
    ]
    .map(|text| format!("{}\n  {}\n", text.replace('\n', " | "), refused(text)));
    expected.assert_eq(&refusals.concat());
}
