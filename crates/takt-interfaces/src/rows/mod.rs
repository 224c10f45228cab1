//! The tables of deliveries as rows: the only place that names their fields. All of it runs as the system, inside
//! somebody's transaction.

pub(crate) mod attempts;
pub(crate) mod connections;
pub(crate) mod deliveries;
pub(crate) mod differences;
pub(crate) mod drifts;
pub(crate) mod events;
pub(crate) mod lanes;
pub(crate) mod received;
pub(crate) mod reconciliations;
pub(crate) mod subscriptions;

pub use attempts::Attempt;
pub use deliveries::{Delivery, DeliveryState};
pub use differences::{Action, Difference, Kind, Reason};
pub use reconciliations::{Reconciliation, ReconciliationState};

use takt_engine::{EngineError, EngineTx};
use takt_model::{Expr, Principal, Value};
use takt_plan::{Insert, Missing, On, Plan};

/// A row's values in the order in which they were asked for.
pub(crate) struct Row(std::vec::IntoIter<Value>);

impl Row {
    fn next(&mut self) -> Value {
        self.0.next().unwrap_or(Value::Null)
    }

    fn uuid(&mut self) -> Option<takt_model::Uuid> {
        match self.next() {
            Value::Uuid(v) => Some(v),
            _ => None,
        }
    }

    fn text(&mut self) -> Option<String> {
        match self.next() {
            Value::Text(v) | Value::Json(v) => Some(v),
            _ => None,
        }
    }

    fn integer(&mut self) -> Option<i64> {
        match self.next() {
            Value::Integer(v) | Value::Timestamp(v) => Some(v),
            _ => None,
        }
    }

    fn bytes(&mut self) -> Option<Vec<u8>> {
        match self.next() {
            Value::Bytes(v) => Some(v),
            _ => None,
        }
    }

    fn flag(&mut self) -> bool {
        matches!(self.next(), Value::Boolean(true))
    }
}

/// Runs a plan as the system and gives its rows.
fn rows(tx: &EngineTx, why: &'static str, plan: Plan) -> Result<Vec<Row>, EngineError> {
    let (rows, _) = tx.rows(&Principal::system(why), plan)?;
    Ok(rows.rows.into_iter().map(|row| Row(row.into_iter())).collect())
}

/// Runs a write as the system and says how many rows it touched.
fn write(tx: &EngineTx, why: &'static str, plan: Plan) -> Result<u64, EngineError> {
    Ok(tx.rows(&Principal::system(why), plan)?.1.affected)
}

/// Several new rows in one plan.
fn insert_all(on: On<'_>, names: &[&str], rows: Vec<Vec<Value>>) -> Result<Plan, EngineError> {
    let fields = names.iter().map(|name| on.field(name)).collect::<Result<_, _>>()?;
    let rows = rows.into_iter().map(|row| row.into_iter().map(Some).collect()).collect();
    Ok(Plan::Insert(Insert {
        table: on.table.id,
        fields,
        rows,
        missing: Missing::Default,
        conflict: None,
        returning: None,
    }))
}

/// `field in (values)`
fn one_of(on: On<'_>, field: &str, values: impl Iterator<Item = Value>) -> Result<Expr, EngineError> {
    let column = Expr::Column { scope: 0, table: on.table.id, field: on.field(field)? };
    Ok(Expr::In(Box::new(column), values.map(Expr::Literal).collect()))
}

/// `field is null`
fn is_null(on: On<'_>, field: &str) -> Result<Expr, EngineError> {
    Ok(Expr::IsNull(Box::new(Expr::Column { scope: 0, table: on.table.id, field: on.field(field)? })))
}

fn text_or_null(text: Option<&str>) -> Value {
    text.map_or(Value::Null, |t| Value::Text(t.to_owned()))
}
