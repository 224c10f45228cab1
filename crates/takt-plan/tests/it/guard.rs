//! The rules of the guard, one table of requests.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::sync::Arc;

use expect_test::{Expect, expect};
use takt_model::{Expr, Principal, Project, Value};
use takt_plan::{
    Assignment, Child, Delete, Insert, Join, Link, Missing, NullsOrder, OrderBy, Output, Plan, Update,
    Window, guard,
};

use crate::fixture::{account, guarded, node, project};

fn check(who: &Principal, plan: impl FnOnce(&Arc<Project>) -> Plan, expected: Expect) {
    let project = project();
    expected.assert_eq(&guarded(&project, who, plan(&project)));
}

/// `orders` with `items` embedded.
fn with_items(project: &Project, join: Join) -> Plan {
    let mut root = node(project, "orders", &["status"]);
    let (orders, items) = (project.table("orders").unwrap(), project.table("items").unwrap());
    root.outputs.push(Output::Child(0));
    root.children.push(Child {
        name: "items".to_owned(),
        link: Link::ToMany {
            local: orders.field("id").unwrap().id,
            foreign: items.field("order_id").unwrap().id,
        },
        join,
        node: node(project, "items", &["quantity"]),
    });
    Plan::read(root)
}

fn update(project: &Project, field: &str, filter: Option<(&str, Value)>) -> Plan {
    let table = project.table("orders").unwrap();
    let filter = filter.map(|(name, value)| Expr::eq(table.id, table.field(name).unwrap().id, value));
    Plan::Update(Update {
        table: table.id,
        filter,
        all: false,
        set: vec![(table.field(field).unwrap().id, Assignment::Value(Value::Null))],
        returning: None,
        max_affected: None,
    })
}

#[test]
fn a_table_without_a_policy_is_closed_to_everybody_but_the_service() {
    for who in [Principal::anon(), account(&[]), account(&["staff"])] {
        check(
            &who,
            |p| Plan::read(node(p, "secrets", &["*"])),
            expect![[r#"
            refused: permission denied for table secrets
        "#]],
        );
    }
    check(
        &Principal::service(),
        |p| Plan::read(node(p, "secrets", &["*"])),
        expect![[r#"
        secrets [id word] where true
    "#]],
    );
}

#[test]
fn a_customer_reads_own_rows_and_the_fields_of_the_policy() {
    check(
        &account(&[]),
        |p| Plan::read(node(p, "orders", &["*"])),
        expect![[r#"
        orders [id customer_id status total] where customer_id = auth.uid()
    "#]],
    );
}

#[test]
fn a_hidden_field_does_not_exist_however_it_is_touched() {
    let touch: [fn(&Arc<Project>) -> Plan; 3] = [
        |p| Plan::read(node(p, "orders", &["note"])),
        |p| {
            let orders = p.table("orders").unwrap();
            let note = orders.field("note").unwrap().id;
            Plan::read(node(p, "orders", &["id"]).filtered(Expr::eq(
                orders.id,
                note,
                Value::Text("x".to_owned()),
            )))
        },
        |p| {
            let mut root = node(p, "orders", &["id"]);
            let field = p.table("orders").unwrap().field("note").unwrap().id;
            root.order.push(OrderBy { field, descending: false, nulls: NullsOrder::Last });
            Plan::read(root)
        },
    ];
    for plan in touch {
        check(
            &account(&[]),
            plan,
            expect![[r#"
            refused: column orders.note does not exist
        "#]],
        );
    }
}

#[test]
fn star_is_what_the_policies_have_in_common_and_a_named_field_picks_those_that_cover_it() {
    check(
        &account(&["staff"]),
        |p| Plan::read(node(p, "orders", &["*"])),
        expect![[r#"
        orders [id customer_id status total] where true
    "#]],
    );
    check(
        &account(&["staff"]),
        |p| Plan::read(node(p, "orders", &["note"])),
        expect![[r#"
        orders [note] where true
    "#]],
    );
}

#[test]
fn an_embed_has_the_policies_of_its_table_and_their_sub_queries_those_of_theirs() {
    check(
        &account(&[]),
        |p| with_items(p, Join::Left),
        expect![[r#"
        orders [status items] where customer_id = auth.uid()
          items [quantity] where exists (select 1 from orders where orders.id = items.order_id and orders.customer_id = auth.uid())
    "#]],
    );
}

#[test]
fn inner_and_anti_embeds_ask_only_for_visible_rows() {
    check(
        &account(&[]),
        |p| with_items(p, Join::Inner),
        expect![[r#"
        orders [status items] where customer_id = auth.uid() and exists (select 1 from items where items.order_id = orders.id and exists (select 1 from orders where orders.id = items.order_id and orders.customer_id = auth.uid()))
          items [quantity] where exists (select 1 from orders where orders.id = items.order_id and orders.customer_id = auth.uid())
    "#]],
    );
    check(
        &account(&[]),
        |p| with_items(p, Join::Anti),
        expect![[r#"
        orders [status] where customer_id = auth.uid() and not exists (select 1 from items where items.order_id = orders.id and exists (select 1 from orders where orders.id = items.order_id and orders.customer_id = auth.uid()))
    "#]],
    );
}

#[test]
fn an_update_needs_a_policy_that_covers_every_written_field() {
    let pending = || Some(("status", Value::Text("pending".to_owned())));
    check(
        &account(&["staff"]),
        |p| update(p, "status", pending()),
        expect![[r#"
        update orders where status = 'pending'
          by 'staff ship' using status = 'pending' check status = 'shipped'
    "#]],
    );
    check(
        &account(&["staff"]),
        |p| update(p, "total", pending()),
        expect![[r#"
        refused: permission denied for column total of table orders
    "#]],
    );
    check(
        &account(&[]),
        |p| update(p, "status", pending()),
        expect![[r#"
        refused: permission denied for table orders
    "#]],
    );
}

#[test]
fn the_filter_of_a_write_is_a_read() {
    // Staff may read `note`; the policy for customers that they have too does not show it.
    check(
        &account(&["staff"]),
        |p| update(p, "status", Some(("note", Value::Text("x".to_owned())))),
        expect![[r#"
            update orders where note = 'x'
              by 'staff ship' using status = 'pending' check status = 'shipped'
        "#]],
    );
}

#[test]
fn a_write_without_a_filter_is_refused_for_everybody() {
    for who in [account(&["staff"]), Principal::service(), Principal::system("test")] {
        check(
            &who,
            |p| update(p, "status", None),
            expect![[r#"
            refused: UPDATE requires a WHERE clause
        "#]],
        );
    }
    let delete = |p: &Arc<Project>| {
        let table = p.table("orders").unwrap().id;
        Plan::Delete(Delete { table, filter: None, all: false, returning: None, max_affected: None })
    };
    check(
        &Principal::service(),
        delete,
        expect![[r#"
        refused: DELETE requires a WHERE clause
    "#]],
    );
}

#[test]
fn an_insert_without_a_policy_is_refused() {
    let insert = |p: &Arc<Project>| {
        let table = p.table("orders").unwrap().id;
        Plan::Insert(Insert {
            table,
            fields: Vec::new(),
            rows: vec![Vec::new()],
            missing: Missing::Default,
            conflict: None,
            returning: None,
        })
    };
    check(
        &account(&["staff"]),
        insert,
        expect![[r#"
        refused: permission denied for table orders
    "#]],
    );
}

#[test]
fn rows_are_capped_for_everybody_but_the_product_itself() {
    let project = project();
    let limit = |who: &Principal, window: Window| {
        let mut root = node(&project, "orders", &["id"]);
        root.window = window;
        let guarded = guard(Plan::read(root), &project, who).unwrap();
        let takt_plan::GuardedPlan::Read(read) = guarded.plan() else { panic!("a read") };
        read.root.window.limit
    };
    assert_eq!(limit(&Principal::service(), Window::default()), Some(1000));
    assert_eq!(limit(&Principal::system("test"), Window::default()), None);
    assert_eq!(limit(&Principal::service(), Window { limit: Some(5), offset: 0 }), Some(5));
}
