//! The statements by which writes store single rows: for those who run them, and told without running them, for whoever
//! reads later what was done.
//! Lives here: their text. Not here: how they run (`insert.rs`, `update.rs`, `delete.rs`), and what is judged with them
//! (`obligations.rs`). The tests below run each write and find just this text among the statements that have run.
//! Of writes that are told row by row, as those of actions are: the rows are found first, then each is stored by key.

use takt_model::{FieldId, Table};
use takt_plan::{GuardedPlan, WriteRule};

use super::{
    obligations::{Obligations, Values},
    update::where_key,
};
use crate::{
    StoreError,
    sqlite::lower::{Env, RowName, Sql},
};

/// A new row; its values are bound in the table's order.
pub(super) fn insert_row(sql: &mut Sql<'_>, table: &Table) {
    sql.push("INSERT INTO ");
    sql.ident(&table.name);
    sql.push(" (");
    for (at, field) in table.fields.iter().enumerate() {
        sql.push(if at == 0 { "" } else { ", " });
        sql.ident(&field.name);
    }
    sql.push(") VALUES (");
    for at in 1..=table.fields.len() {
        sql.push(if at == 1 { "" } else { ", " });
        sql.parameter(at);
    }
    sql.push(")");
}

/// These fields of the row with a key; the key is bound first, then the fields.
pub(super) fn update_row(sql: &mut Sql<'_>, table: &Table, fields: impl IntoIterator<Item = FieldId>) {
    sql.push("UPDATE ");
    sql.ident(&table.name);
    for (at, id) in fields.into_iter().enumerate() {
        sql.push(if at == 0 { " SET " } else { ", " });
        sql.ident(&table.get(id).name);
        sql.push(" = ");
        sql.parameter(table.primary_key.len() + at + 1);
    }
    sql.row = RowName::Own;
    where_key(sql, table);
}

/// The row with a key.
pub(super) fn delete_row(sql: &mut Sql<'_>, table: &Table) {
    sql.row = RowName::Own;
    sql.push("DELETE FROM ");
    sql.ident(&table.name);
    where_key(sql, table);
}

/// The text, with `?1`, `?2` ... in the place of values.
pub(crate) fn statement(env: Env<'_>, plan: &GuardedPlan) -> Result<String, StoreError> {
    match plan {
        GuardedPlan::Insert(insert) => {
            let table = env.table(insert.table);
            let mut sql = Sql::new(env, table.fields.len());
            insert_row(&mut sql, table);
            judged(sql, table, &insert.rules)
        }
        GuardedPlan::Update(update) => {
            let table = env.table(update.table);
            let mut sql = Sql::new(env, table.primary_key.len() + update.set.len());
            update_row(&mut sql, table, update.set.iter().map(|(field, _)| *field));
            judged(sql, table, &update.rules)
        }
        GuardedPlan::Delete(delete) => {
            let table = env.table(delete.table);
            let mut sql = Sql::new(env, table.primary_key.len());
            delete_row(&mut sql, table);
            Ok(sql.text)
        }
        _ => Err(StoreError::Internal("only writes store rows".to_owned())),
    }
}

fn judged<'a>(mut sql: Sql<'a>, table: &'a Table, rules: &'a [WriteRule]) -> Result<String, StoreError> {
    Obligations::push(&mut sql, table, rules, true, Values::Known)?;
    Ok(sql.text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use rusqlite::StatementStatus;
    use takt_model::{Principal, Value};
    use takt_plan::{Assignment, Buffered, Plan};

    use crate::{StoreError, TxContext, fixture::*, statement};

    /// The text, which must be that of a statement that this write has run: the connection's cache knows it by its text.
    fn told(shop: &Shop, who: &Principal, plan: Plan) -> String {
        let guarded = guarded(&shop.project, who, plan);
        let text = statement(&guarded).unwrap();
        let asked = text.clone();
        let job = move |tx: &crate::Tx| -> Result<i32, StoreError> {
            tx.run(&guarded, &mut Buffered::default())?;
            tx.session()
                .with(|db| Ok(db.conn.prepare_cached(&asked).unwrap().get_status(StatementStatus::Run)))
        };
        let context = TxContext { capture: true, ..context(7) };
        assert!(shop.store.write_blocking(context, job).unwrap() > 0, "nobody ran {text}");
        text
    }

    #[test]
    fn it_is_the_statement_that_runs() {
        let shop = Shop::new();
        let mut all = String::new();
        let mut tell = |who: &Principal, plan: Plan| {
            all.push_str(&told(&shop, who, plan));
            all.push('\n');
        };
        let orders = shop.on("orders");
        tell(&customer(1), Plan::Insert(orders.insert(&[&[("id", id(1)), ("note", text("ring twice"))]])));
        tell(&Principal::service(), Plan::Insert(orders.insert(&[&[("id", id(2)), ("total", money("3"))]])));
        let note = vec![("note", Assignment::Value(Value::Null))];
        tell(&customer(1), Plan::Update(orders.update("id = '00000000-0000-0000-0000-000000000001'", note)));
        let paid = vec![("status", Assignment::Value(text("paid"))), ("total", Assignment::Add(money("1")))];
        tell(&Principal::service(), Plan::Update(orders.update("true", paid)));
        tell(&Principal::service(), Plan::Delete(orders.delete("true")));
        expect_test::expect![[r#"
            INSERT INTO "orders" ("id", "number", "customer_id", "status", "total", "note", "created_at") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) RETURNING ((("orders"."customer_id" = ?8 AND "orders"."status" = ?9)) IS TRUE), (("orders"."total" >= ?10) IS NOT FALSE), "orders"."id", "orders"."number", "orders"."customer_id", "orders"."status", "orders"."total", "orders"."note", "orders"."created_at"
            INSERT INTO "orders" ("id", "number", "customer_id", "status", "total", "note", "created_at") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
            UPDATE "orders" SET "note" = ?2 WHERE "orders"."id" = ?1 RETURNING ((("orders"."customer_id" = ?3 AND "orders"."status" = ?4)) IS TRUE), (("orders"."total" >= ?5) IS NOT FALSE), "orders"."id", "orders"."number", "orders"."customer_id", "orders"."status", "orders"."total", "orders"."note", "orders"."created_at"
            UPDATE "orders" SET "status" = ?2, "total" = ?3 WHERE "orders"."id" = ?1
            DELETE FROM "orders" WHERE "orders"."id" = ?1
        "#]].assert_eq(&all);
    }

    #[test]
    fn a_read_stores_nothing() {
        let shop = Shop::new();
        let read = guarded(&shop.project, &Principal::service(), shop.on("orders").read("*", "", ""));
        assert!(matches!(statement(&read), Err(StoreError::Internal(_))));
    }
}
