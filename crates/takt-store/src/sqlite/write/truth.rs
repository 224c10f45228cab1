//! Conditions that the values of a row decide alone, judged here instead of in SQL: a RETURNING clause makes SQLite open
//! a table of its own for each statement, which costs more than storing the row.
//!
//! Only what cannot be read in two ways: whole numbers and decimals beside constants, and `= auth.uid()`. The property
//! test of the writes compares both ways.

use std::cmp::Ordering;

use rust_decimal::Decimal;
use takt_model::{CompareOp, Expr, Field, FieldType, Principal, Table, Value};

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

fn exact(value: &Value) -> Option<Decimal> {
    match value {
        Value::Integer(v) => Some(Decimal::from(*v)),
        Value::Decimal(d) => Some(*d),
        _ => None,
    }
}

fn ordered(op: CompareOp, order: Ordering) -> bool {
    match op {
        CompareOp::Eq | CompareOp::NotDistinct => order.is_eq(),
        CompareOp::Ne | CompareOp::Distinct => order.is_ne(),
        CompareOp::Lt => order.is_lt(),
        CompareOp::Le => order.is_le(),
        CompareOp::Gt => order.is_gt(),
        CompareOp::Ge => order.is_ge(),
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
