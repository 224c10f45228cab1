//! Forgetting rows by age, a batch at a time, so that nobody else's write waits long.
//! Lives here: how. Not here: what is kept for how long (the settings), and who asks (the rooms' tasks).

use std::time::Duration;

use takt_model::{CompareOp, Expr, Principal, Value};
use takt_plan::Direction;

use crate::{EngineError, EngineTx};

/// Rows that one transaction forgets.
const AT_ONCE: u64 = 1_000;

/// Forgets the oldest rows of `table` whose `at` is longer ago than `keep`, at most 1,000; says how many. The table has
/// `id` and `at`.
pub(crate) fn older_than(
    tx: &EngineTx,
    table: &str,
    keep: Duration,
    why: &'static str,
) -> Result<u64, EngineError> {
    let who = Principal::system(why);
    let keep = i64::try_from(keep.as_micros()).unwrap_or(i64::MAX);
    let on = tx.on(table)?;
    let old = on.compare("at", CompareOp::Lt, Value::Timestamp(tx.now().saturating_sub(keep)))?;
    let oldest = [("at", Direction::Ascending)];
    let (found, _) = tx.rows(&who, on.read(&["id"], Some(old), &oldest, Some(AT_ONCE))?)?;
    let ids: Vec<Expr> = found.rows.into_iter().flatten().map(Expr::Literal).collect();
    if ids.is_empty() {
        return Ok(0);
    }
    let count = ids.len() as u64;
    let id = Expr::Column { scope: 0, table: on.table.id, field: on.field("id")? };
    tx.rows(&who, on.delete(Expr::In(Box::new(id), ids)))?;
    Ok(count)
}
