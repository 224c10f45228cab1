//! Conditions that the values of a row decide alone, judged here instead of in SQL: a RETURNING clause makes SQLite open
//! a table of its own for each statement, which costs more than storing the row.
//!
//! Only what cannot be read in two ways: whole numbers and decimals beside constants, and `= auth.uid()`. The test below
//! asks the database as well.

use takt_model::{CompareOp, Expr, Field, FieldType, Principal, Table, Value};

use crate::sqlite::number::{exact, ordered};

/// Whether [`of`] can judge the condition for rows of `table`.
pub(super) fn is_decidable(expr: &Expr, table: &Table) -> bool {
    match expr {
        Expr::And(all) | Expr::Or(all) => all.iter().all(|e| is_decidable(e, table)),
        Expr::Not(e) => is_decidable(e, table),
        Expr::IsNull(e) => own_field(e, table).is_some(),
        Expr::Compare(op, left, right) => {
            let Some(field) = own_field(left, table) else { return false };
            !matches!(op, CompareOp::Distinct | CompareOp::NotDistinct)
                && match &**right {
                    Expr::Literal(Value::Integer(_) | Value::Decimal(_)) => is_exact(&field.kind),
                    Expr::AuthUid => field.kind == FieldType::Uuid && *op == CompareOp::Eq,
                    _ => false,
                }
        }
        _ => false,
    }
}

fn own_field<'t>(expr: &Expr, table: &'t Table) -> Option<&'t Field> {
    match expr {
        Expr::Column { scope: 0, table: of, field } if *of == table.id => Some(table.get(*field)),
        _ => None,
    }
}

fn is_exact(kind: &FieldType) -> bool {
    matches!(kind, FieldType::Integer | FieldType::Bigint | FieldType::Decimal { .. })
}

/// The condition's truth for a row with these values, in the table's order; none for unknown, as in SQL.
pub(super) fn of(expr: &Expr, row: &[Value], principal: &Principal) -> Option<bool> {
    match expr {
        Expr::And(all) => every(all.iter().map(|e| of(e, row, principal))),
        Expr::Or(all) => every(all.iter().map(|e| of(e, row, principal).map(|t| !t))).map(|t| !t),
        Expr::Not(e) => of(e, row, principal).map(|t| !t),
        Expr::IsNull(e) => Some(value(e, row).is_none_or(Value::is_null)),
        Expr::Compare(op, left, right) => {
            let left = value(left, row)?;
            match &**right {
                Expr::AuthUid => match left {
                    Value::Uuid(id) => principal.uid().map(|uid| uid == *id),
                    _ => None,
                },
                Expr::Literal(right) => Some(ordered(*op, exact(left)?.cmp(&exact(right)?))),
                _ => None,
            }
        }
        _ => None,
    }
}

fn value<'r>(column: &Expr, row: &'r [Value]) -> Option<&'r Value> {
    match column {
        Expr::Column { field, .. } => row.get(usize::from(field.0)),
        _ => None,
    }
}

/// SQL's `and`: false wins over unknown, unknown over true.
fn every(all: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut known = true;
    for truth in all {
        match truth {
            Some(false) => return Some(false),
            Some(true) => {}
            None => known = false,
        }
    }
    known.then_some(true)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use takt_model::{Principal, Value};
    use takt_plan::{Buffered, Plan};

    use crate::{StoreError, TxContext, fixture::*};

    /// The row as it was captured when it was stored.
    fn stored(shop: &Shop, n: u128, customer: Value, total: Value) -> Vec<Value> {
        let row: &[(&str, Value)] = &[("id", id(n)), ("customer_id", customer), ("total", total)];
        let plan =
            guarded(&shop.project, &Principal::service(), Plan::Insert(shop.on("orders").insert(&[row])));
        let job = move |tx: &crate::Tx| -> Result<_, StoreError> { tx.run(&plan, &mut Buffered::default()) };
        let context = TxContext { capture: true, ..context(100 + u64::try_from(n).unwrap()) };
        shop.store.write_blocking(context, job).unwrap().changes.remove(0).after.unwrap()
    }

    #[test]
    fn the_database_says_the_same() {
        let shop = Shop::new();
        let totals = ["0", "0.01", "2.50", "2.51", "99999.99"];
        let rows: Vec<(u128, Vec<Value>)> = totals
            .into_iter()
            .zip(10_u128..)
            .map(|(total, n)| (n, stored(&shop, n, id(n % 2 + 1), money(total))))
            .collect();
        let mut judged = 0;
        for condition in [
            "total >= 0",
            "total > 2.5",
            "total >= 2.505",
            "total < 2.505",
            "total = 2.50",
            "total != 2.5",
            "total <= 0",
            "not (total > 2.5)",
            "total is null",
            "not (total is null)",
            "total > 1 and total < 3",
            "total < 1 or total > 3",
            "customer_id = auth.uid()",
            "not (customer_id = auth.uid())",
        ] {
            let orders = shop.on("orders");
            let expr = orders.expr(condition);
            assert!(super::is_decidable(&expr, orders.table), "{condition}");
            for who in [Principal::service(), customer(1), customer(2)] {
                // Who is bound by policies sees some rows only, whatever the condition.
                let visible = shop.run(&who, orders.read("id", "", "id")).unwrap().0;
                let fitting = shop.run(&who, orders.read("id", condition, "id")).unwrap().0;
                for (n, row) in rows.iter().filter(|(n, _)| visible.contains(&id(*n).as_ref().to_text())) {
                    let found = fitting.contains(&id(*n).as_ref().to_text());
                    assert_eq!(super::of(&expr, row, &who) == Some(true), found, "{condition} {n} {who:?}");
                    judged += 1;
                }
            }
        }
        assert!(judged > 100, "{judged}");
    }

    #[test]
    fn what_needs_the_database_or_could_be_read_in_two_ways_is_left_to_it() {
        let shop = Shop::new();
        let orders = shop.on("orders");
        for condition in [
            "status = 'pending'",
            "auth.has_role('staff')",
            "note like 'a%'",
            "total >= 0 and status = 'pending'",
            "exists (select 1 from order_items i where i.order_id = orders.id)",
        ] {
            assert!(!super::is_decidable(&orders.expr(condition), orders.table), "{condition}");
        }
    }
}
