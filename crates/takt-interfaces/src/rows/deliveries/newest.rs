//! The newest deliveries of a connection or in a state, for people: fast among a million, without an index of its own.
//!
//! The indexes that claims and lanes need are not in the order of ids. Where few rows fit, they are found by one of those
//! and sorted; where very many fit, as those that arrived, some of them stand among the newest rows, so these are walked
//! through by the key. An index more would cost every checkout, which writes a row here for each connection.

use takt_engine::{EngineError, EngineTx};
use takt_model::{CompareOp, Uuid, Value};
use takt_plan::Direction;

use super::{Delivery, DeliveryState, FIELDS, TABLE, Wanted, list, read};
use crate::rows::{one_of, rows};

/// So many that fit are sorted before anybody notices.
const FEW: u64 = 5_000;
/// Rows of one stride through the newest.
const STRIDE: u64 = 2_000;
/// Rows that are walked through; if not enough of them fit, sorting all is no slower.
const FURTHEST: u64 = 100_000;

/// A page of what is wanted, newest first.
pub(crate) fn newest(tx: &EngineTx, wanted: &Wanted, most: u64) -> Result<Vec<Delivery>, EngineError> {
    if is_broad(wanted)
        && are_many(tx, wanted)?
        && let Some(page) = walk(tx, wanted, most)?
    {
        return Ok(page);
    }
    list(tx, wanted, Direction::Descending, most)
}

/// Whether only connection and state say which: lanes and stories have indexes that find few, and without either the
/// key alone is in order.
fn is_broad(wanted: &Wanted) -> bool {
    let Wanted { connection, state, lane, story, since, until, before: _, messages_of } = wanted;
    (connection.is_some() || state.is_some())
        && lane.is_none()
        && story.is_none()
        && messages_of.is_none()
        && since.is_none()
        && until.is_none()
}

fn are_many(tx: &EngineTx, wanted: &Wanted) -> Result<bool, EngineError> {
    let on = tx.on(TABLE)?;
    // A field that is in just the index which begins with what is asked for: it is taken, and no row is looked up.
    let field = if wanted.connection.is_some() { "next_at" } else { "ended_at" };
    let plan = on.read(&[field], wanted.filter(on)?, &[], Some(FEW))?;
    Ok(rows(tx, "deliveries: how many fit", plan)?.len() as u64 == FEW)
}

/// Walks back from the newest row, or from `before`; nothing if too few fit on the way.
fn walk(tx: &EngineTx, wanted: &Wanted, most: u64) -> Result<Option<Vec<Delivery>>, EngineError> {
    let on = tx.on(TABLE)?;
    let enough = usize::try_from(most).unwrap_or(usize::MAX);
    let (mut before, mut found) = (wanted.before, Vec::new());
    for _ in 0..FURTHEST / STRIDE {
        let older = before.map(|id| on.compare("id", CompareOp::Lt, Value::Uuid(id))).transpose()?;
        let order = [("id", Direction::Descending)];
        let plan = on.read(&["id", "connection", "state"], older, &order, Some(STRIDE))?;
        let stride = rows(tx, "deliveries: walk through the newest", plan)?;
        let is_end = (stride.len() as u64) < STRIDE;
        for mut row in stride {
            let (id, connection, state) = (row.uuid(), row.text(), row.text());
            before = id;
            if found.len() < enough && fits(wanted, connection.as_deref(), state.as_deref()) {
                found.extend(id);
            }
        }
        if found.len() == enough || is_end {
            return page(tx, found).map(Some);
        }
    }
    Ok(None)
}

fn fits(wanted: &Wanted, connection: Option<&str>, state: Option<&str>) -> bool {
    wanted.connection.as_deref().is_none_or(|wanted| connection == Some(wanted))
        && wanted.state.is_none_or(|wanted| state == Some(DeliveryState::name(wanted)))
}

fn page(tx: &EngineTx, ids: Vec<Uuid>) -> Result<Vec<Delivery>, EngineError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let on = tx.on(TABLE)?;
    let these = one_of(on, "id", ids.into_iter().map(Value::Uuid))?;
    read(tx, on.read(&FIELDS, Some(these), &[("id", Direction::Descending)], None)?)
}
