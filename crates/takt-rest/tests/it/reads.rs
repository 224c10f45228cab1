//! Reads: URL to plan.

use expect_test::expect;

use crate::{PROJECT, check, plan, print};

#[test]
fn can_read_everything_of_a_table() {
    check(
        "GET /orders",
        &expect![[r#"
        read orders
          show *
    "#]],
    );
    check(
        "HEAD /orders\nPrefer: count=exact",
        &expect![[r#"
        read and count orders
          show *
    "#]],
    );
    check(
        "GET /orders?select=*",
        &expect![[r#"
        read orders
          show *
    "#]],
    );
}

#[test]
fn can_select_columns() {
    check(
        "GET /orders?select=id,number",
        &expect![[r#"
        read orders
          show id, number
    "#]],
    );
    check(
        "GET /orders?select=nr:number,%20total%20,\"note\"",
        &expect![[r#"
        read orders
          show nr:number, total, note
    "#]],
    );
    check(
        "GET /orders?select=*,id,id",
        &expect![[r#"
        read orders
          show *, id, id
    "#]],
    );
    check(
        "GET /orders?select=",
        &expect![[r#"
        read orders
          show
    "#]],
    );
}

#[test]
fn can_compare() {
    for (filter, expected) in [
        ("id=eq.5", expect!["id = 5"]),
        ("id=neq.5", expect!["id <> 5"]),
        ("total=gt.12.905", expect!["total > 12.905"]),
        ("total=gte.10", expect!["total >= 10"]),
        ("created_at=lt.2026-01-02", expect!["created_at < 2026-01-02T00:00:00+00:00"]),
        ("due=lte.2026-01-02", expect!["due <= 2026-01-02"]),
        ("id=not.eq.5", expect!["not id = 5"]),
        ("note=eq.a,b(c)%20\"d\"", expect![[r#"note = 'a,b(c) "d"'"#]]),
        ("note=eq.", expect!["note = ''"]),
        ("note=eq.null", expect!["note = 'null'"]),
        ("id=in.(1,2,%203)", expect!["id in (1, 2, 3)"]),
        (
            "note=in.(a,\"b,c\",\"\",\"say%20\\\"hi\\\"\",x\"y)",
            expect![[r#"note in ('a', 'b,c', '', 'say "hi"', 'x"y')"#]],
        ),
        ("id=in.()", expect!["id in ()"]),
        ("id=not.in.(1)", expect!["not id in (1)"]),
        ("note=is.null", expect!["note is null"]),
        ("note=is.NULL", expect!["note is null"]),
        ("note=is.not_null", expect!["not note is null"]),
        ("note=not.is.null", expect!["not note is null"]),
        ("note=isdistinct.x", expect!["note is distinct from 'x'"]),
        ("note=like.a*b%25", expect!["note like 'a%b%'"]),
        ("note=ilike.*tea*", expect!["note ilike '%tea%'"]),
        ("note=not.like.a*", expect!["not note like 'a%'"]),
        ("id=eq(any).{1,2}", expect!["id in (1, 2)"]),
        ("id=neq(all).{1,2}", expect!["not id in (1, 2)"]),
        ("id=eq(any).{1,NULL}", expect!["(id = 1 or id = null)"]),
        ("id=gt(all).{1,NULL}", expect!["(id > 1 and id > null)"]),
        ("id=eq(any).{}", expect!["id in ()"]),
        ("note=like(any).{a*,\"b,c*\"}", expect!["(note like 'a%' or note like 'b,c%')"]),
        ("note=not.ilike(all).{*a*}", expect!["not note ilike '%a%'"]),
        ("status=eq.paid", expect!["status = 'paid'"]),
        ("photo=eq.\\xdead", expect![[r#"photo = \xdead"#]]),
    ] {
        check_filter("orders", filter, &expected);
    }
}

#[test]
fn can_compare_booleans() {
    for (filter, expected) in [
        ("active=eq.true", expect!["active = true"]),
        ("active=is.true", expect!["active is true"]),
        ("active=not.is.false", expect!["not active is false"]),
        ("active=is.unknown", expect!["active is null"]),
    ] {
        check_filter("products", filter, &expected);
    }
}

#[test]
fn enums_are_ordered_as_declared() {
    for (filter, expected) in [
        ("status=gt.paid", expect!["status in ('shipped', 'cancelled')"]),
        ("status=gte.paid", expect!["status in ('paid', 'shipped', 'cancelled')"]),
        ("status=lt.paid", expect!["status in ('pending')"]),
        ("status=lte.paid", expect!["status in ('pending', 'paid')"]),
        ("status=lt.pending", expect!["status <> status"]),
        ("status=not.gt.cancelled", expect!["not status <> status"]),
    ] {
        check_filter("orders", filter, &expected);
    }
}

#[test]
fn can_combine_conditions() {
    for (filter, expected) in [
        ("id=gt.1&id=lt.9", expect!["(id > 1 and id < 9)"]),
        ("or=(id.eq.1,note.is.null)", expect!["(id = 1 or note is null)"]),
        ("and=(id.gt.1,or(total.lt.5,total.gt.9))", expect!["(id > 1 and (total < 5 or total > 9))"]),
        ("not.or=(id.eq.1,id.eq.2)", expect!["not (id = 1 or id = 2)"]),
        ("not.and=(id.eq.1,not.or(id.eq.2,id.eq.3))", expect!["not (id = 1 and not (id = 2 or id = 3))"]),
        ("or=(%20id.not.eq.1%20,note.in.(a,\"b)\",c))", expect!["(not id = 1 or note in ('a', 'b)', 'c'))"]),
        (
            "or=(note.eq.\"a,b\",note.like(any).{x*,\"}y*\"},note.eq.say \"hi\")",
            expect![[r#"(note = 'a,b' or (note like 'x%' or note like '}y%') or note = 'say "hi"')"#]],
        ),
        ("or=(note.not.is.null)", expect!["not note is null"]),
        ("or=(\"note\".eq.and(x)", expect!["note = 'and(x'"]),
    ] {
        check_filter("orders", filter, &expected);
    }
}

#[test]
fn can_order_and_page() {
    check(
        "GET /orders?select=id&order=created_at.desc,number.nullsfirst,number,total.desc.nullslast&limit=10&offset=5",
        &expect![[r#"
            read orders
              show id
              order created_at desc
              order number nulls first
              order total desc nulls last
              limit 10
              offset 5
        "#]],
    );
    check(
        "GET /orders?select=id&limit=5000",
        &expect![[r#"
        read orders
          show id
          limit 1000
    "#]],
    );
    check(
        "GET /orders?select=id&limit=0",
        &expect![[r#"
        read orders
          show id
          limit 0
    "#]],
    );
    check(
        "GET /orders?select=id&limit=many&offset=",
        &expect![[r#"
        read orders
          show id
    "#]],
    );
    check(
        "GET /orders?select=id&limit=10\nRange: 5-7",
        &expect![[r#"
        read orders
          show id
          limit 3
          offset 5
    "#]],
    );
    check(
        "HEAD /orders?select=id\nRange: 5-7",
        &expect![[r#"
        read orders
          show id
    "#]],
    );
}

#[test]
fn can_embed_to_one() {
    check(
        "GET /orders?select=id,customers(name)",
        &expect![[r#"
        read orders
          show id, customers()
          embed customers: customers to one, customer_id = id
            show name
    "#]],
    );
    check(
        "GET /orders?select=id,buyer:customers(name)",
        &expect![[r#"
        read orders
          show id, buyer()
          embed buyer: customers to one, customer_id = id
            show name
    "#]],
    );
    check(
        "GET /orders?select=id,customer_id(name)",
        &expect![[r#"
        read orders
          show id, customer_id()
          embed customer_id: customers to one, customer_id = id
            show name
    "#]],
    );
    check(
        "GET /orders?select=id,orders_customer_id_fkey(name)",
        &expect![[r#"
        read orders
          show id, orders_customer_id_fkey()
          embed orders_customer_id_fkey: customers to one, customer_id = id
            show name
    "#]],
    );
}

#[test]
fn can_embed_to_many() {
    check(
        "GET /customers?select=name,orders(*)",
        &expect![[r#"
        read customers
          show name, orders()
          embed orders: orders to many, id = customer_id
            show *
    "#]],
    );
    check(
        "GET /orders?select=*,order_items(quantity,products(name))",
        &expect![[r#"
        read orders
          show *, order_items()
          embed order_items: order_items to many, id = order_id
            show quantity, products()
            embed products: products to one, product_id = id
              show name
    "#]],
    );
}

#[test]
fn can_embed_one_to_one_from_both_sides() {
    check(
        "GET /customers?select=name,profiles(bio)",
        &expect![[r#"
        read customers
          show name, profiles()
          embed profiles: profiles to one, id = customer_id
            show bio
    "#]],
    );
    check(
        "GET /profiles?select=bio,customers(name)",
        &expect![[r#"
        read profiles
          show bio, customers()
          embed customers: customers to one, customer_id = id
            show name
    "#]],
    );
}

#[test]
fn can_embed_through_a_junction() {
    check(
        "GET /orders?select=id,products(name)",
        &expect![[r#"
        read orders
          show id, products()
          embed products: products through order_items, id = order_id, product_id = id
            show name
    "#]],
    );
    check(
        "GET /products?select=name,orders!order_items(number)",
        &expect![[r#"
        read products
          show name, orders()
          embed orders: orders through order_items, id = product_id, order_id = id
            show number
    "#]],
    );
}

#[test]
fn can_embed_a_table_in_itself() {
    check(
        "GET /categories?select=name,children:categories(name)",
        &expect![[r#"
        read categories
          show name, children()
          embed children: categories to many, id = parent_id
            show name
    "#]],
    );
    check(
        "GET /categories?select=name,parent:parent_id(name)",
        &expect![[r#"
        read categories
          show name, parent()
          embed parent: categories to one, parent_id = id
            show name
    "#]],
    );
    check(
        "GET /categories?select=name,children:categories!parent_id(name)",
        &expect![[r#"
        read categories
          show name, children()
          embed children: categories to many, id = parent_id
            show name
    "#]],
    );
}

#[test]
fn hints_choose_between_relationships() {
    for (hint, local) in [
        ("billing_id", "billing_id"),
        ("shipping_id", "shipping_id"),
        ("orders_billing_id_fkey", "billing_id"),
        ("orders_shipping_id_fkey", "shipping_id"),
    ] {
        let printed = |text: &str| print::plan(&PROJECT, &plan(text).unwrap());
        let one = printed(&format!("GET /orders?select=id,addresses!{hint}(city)"));
        assert!(one.contains(&format!("addresses to one, {local} = id")), "{hint}: {one}");
        let many = printed(&format!("GET /addresses?select=city,orders!{hint}(id)"));
        assert!(many.contains(&format!("orders to many, id = {local}")), "{hint}: {many}");
    }
}

#[test]
fn can_filter_order_and_page_an_embed() {
    check(
        "GET /orders?select=id,items:order_items(quantity)&items.quantity=gt.1&order_items.price=lt.5\
         &items.order=quantity.desc&items.limit=3&items.offset=1&items.or=(quantity.eq.2,quantity.eq.4)",
        &expect![[r#"
            read orders
              show id, items()
              embed items: order_items to many, id = order_id
                show quantity
                where (quantity > 1 and price < 5 and (quantity = 2 or quantity = 4))
                order quantity desc
                limit 3
                offset 1
        "#]],
    );
    check(
        "GET /customers?select=name,orders(order_items(quantity))&orders.order_items.quantity=gt.1\
         &orders.order_items.not.and=(price.gt.1,price.lt.2)&orders.order_items.order=price",
        &expect![[r#"
            read customers
              show name, orders()
              embed orders: orders to many, id = customer_id
                show order_items()
                embed order_items: order_items to many, id = order_id
                  show quantity
                  where (quantity > 1 and not (price > 1 and price < 2))
                  order price
        "#]],
    );
}

#[test]
fn inner_embeds_filter_their_parents() {
    check(
        "GET /orders?select=id,customers!inner(name)&customers.name=eq.Kim",
        &expect![[r#"
        read orders
          show id, customers()
          inner customers: customers to one, customer_id = id
            show name
            where name = 'Kim'
    "#]],
    );
    check(
        "GET /orders?select=id,c:customers!orders_customer_id_fkey!left(name)",
        &expect![[r#"
        read orders
          show id, c()
          embed c: customers to one, customer_id = id
            show name
    "#]],
    );
    check(
        "GET /customers?select=name,orders!inner(id,order_items!inner())",
        &expect![[r#"
        read customers
          show name, orders()
          inner orders: orders to many, id = customer_id
            show id
            inner order_items: order_items to many, id = order_id
              show
    "#]],
    );
}

#[test]
fn can_ask_for_parents_with_and_without_rows() {
    check(
        "GET /orders?select=id,order_items()&order_items=is.null",
        &expect![[r#"
        read orders
          show id
          anti order_items: order_items to many, id = order_id
            show
    "#]],
    );
    check(
        "GET /orders?select=id,order_items()&order_items=not.is.null",
        &expect![[r#"
        read orders
          show id
          inner order_items: order_items to many, id = order_id
            show
    "#]],
    );
    check(
        "GET /orders?select=id,order_items(quantity)&order_items=is.null",
        &expect![[r#"
        read orders
          show id, order_items()
          embed order_items: order_items to many, id = order_id
            show quantity
          anti order_items: order_items to many, id = order_id
            show quantity
    "#]],
    );
    check(
        "GET /customers?select=name,orders(id,order_items())&orders.order_items=is.null",
        &expect![[r#"
        read customers
          show name, orders()
          embed orders: orders to many, id = customer_id
            show id
            anti order_items: order_items to many, id = order_id
              show
    "#]],
    );
}

#[test]
fn rows_of_embeds_may_stand_in_a_tree() {
    check_filter(
        "orders",
        "or=(order_items.not.is.null,products.is.null,total.gt.5)&order_items.quantity=gt.2",
        &expect![
            "(exists(order_items1: (order_items1.order_id = id and order_items1.quantity > 2)) or not exists(order_items1: (order_items1.order_id = id and exists(products2: products2.id = order_items1.product_id))) or total > 5)"
        ],
    );
}

#[test]
fn the_key_of_the_gateway_is_no_filter() {
    check_filter("orders", "apikey=sb_publishable_x&id=eq.1", &expect!["id = 1"]);
}

/// Only the condition of the root, with the embeds that some of the filters name.
fn check_filter(table: &str, filter: &str, expected: &expect_test::Expect) {
    let select = if filter.contains("order_items") { "id,order_items(),products()" } else { "id" };
    let text = format!("GET /{table}?select={select}&{filter}");
    let plan = match plan(&text) {
        Ok(plan) => plan,
        Err(error) => panic!("{filter}: {}", crate::refusal(&error)),
    };
    let printed = print::plan(&PROJECT, &plan);
    let line = printed.lines().find_map(|l| l.strip_prefix("  where ")).unwrap_or("everything");
    expected.assert_eq(line);
}
