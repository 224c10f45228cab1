//! `takt.lanes`: one row for each ordering key that has something waiting. A row is a lock on databases that several
//! nodes share, and it says in one look-up which heads are due.

use std::collections::BTreeMap;

use takt_engine::{EngineError, EngineTx};
use takt_model::{CompareOp, Value};
use takt_plan::{Assignment, Direction, Plan, Update};

use super::{insert_all, one_of, rows, write};

const TABLE: &str = "takt.lanes";

/// One delivery more in the lane.
pub(crate) fn join(tx: &EngineTx, connection: &str, lane: &str) -> Result<(), EngineError> {
    join_all(tx, connection, &BTreeMap::from([(lane.to_owned(), 1)]))
}

/// So many deliveries more in each lane; a few plans for all of them, because every purchase passes here.
pub(crate) fn join_all(
    tx: &EngineTx,
    connection: &str,
    more: &BTreeMap<String, i64>,
) -> Result<(), EngineError> {
    let on = tx.on(TABLE)?;
    let of = on.eq("connection", Value::Text(connection.to_owned()))?;
    let these = of.and(one_of(on, "lane", more.keys().map(|l| Value::Text(l.clone())))?);
    let open = rows(tx, "lanes: look", on.read(&["lane"], Some(these), &[], None)?)?;
    let open: Vec<String> = open.into_iter().filter_map(|mut r| r.text()).collect();
    for lane in &open {
        let plan = Plan::Update(Update {
            table: on.table.id,
            filter: Some(this(on, connection, lane)?),
            all: false,
            set: vec![(
                on.field("pending")?,
                Assignment::Add(Value::Integer(more.get(lane).copied().unwrap_or(1))),
            )],
            returning: None,
            max_affected: None,
        });
        write(tx, "lanes: join", plan)?;
    }
    let new = more.iter().filter(|(lane, _)| !open.contains(lane)).map(|(lane, count)| {
        vec![
            Value::Text(connection.to_owned()),
            Value::Text(lane.clone()),
            Value::Integer(*count),
            Value::Timestamp(tx.now()),
            Value::Boolean(false),
        ]
    });
    let new: Vec<_> = new.collect();
    if new.is_empty() {
        return Ok(());
    }
    let names = ["connection", "lane", "pending", "next_at", "blocked"];
    write(tx, "lanes: open", insert_all(on, &names, new)?).map(drop)
}

/// One delivery less; an empty lane goes.
pub(crate) fn leave(tx: &EngineTx, connection: &str, lane: &str) -> Result<(), EngineError> {
    let on = tx.on(TABLE)?;
    let last = this(on, connection, lane)?.and(on.compare("pending", CompareOp::Le, Value::Integer(1))?);
    if write(tx, "lanes: close", on.delete(last))? > 0 {
        return Ok(());
    }
    let plan = Plan::Update(Update {
        table: on.table.id,
        filter: Some(this(on, connection, lane)?),
        all: false,
        set: vec![
            (on.field("pending")?, Assignment::Subtract(Value::Integer(1))),
            (on.field("next_at")?, Assignment::Value(Value::Timestamp(tx.now()))),
        ],
        returning: None,
        max_affected: None,
    });
    write(tx, "lanes: leave", plan).map(drop)
}

/// Nothing leaves before `next_at`.
pub(crate) fn wait(tx: &EngineTx, connection: &str, lane: &str, next_at: i64) -> Result<(), EngineError> {
    set(tx, connection, lane, vec![("next_at", Value::Timestamp(next_at))])
}

/// Nothing leaves until a person decides, or it goes on.
pub(crate) fn block(tx: &EngineTx, connection: &str, lane: &str, blocked: bool) -> Result<(), EngineError> {
    let values = vec![("blocked", Value::Boolean(blocked)), ("next_at", Value::Timestamp(tx.now()))];
    set(tx, connection, lane, values)
}

fn set(tx: &EngineTx, connection: &str, lane: &str, values: Vec<(&str, Value)>) -> Result<(), EngineError> {
    let on = tx.on(TABLE)?;
    write(tx, "lanes: change", on.update(this(on, connection, lane)?, values)?).map(drop)
}

/// Lanes whose heads are due, the longest waiting first.
pub(crate) fn due(tx: &EngineTx, connection: &str, now: i64, most: u64) -> Result<Vec<String>, EngineError> {
    let on = tx.on(TABLE)?;
    let filter = on
        .eq("connection", Value::Text(connection.to_owned()))?
        .and(on.eq("blocked", Value::Boolean(false))?)
        .and(on.compare("next_at", CompareOp::Le, Value::Timestamp(now))?);
    let plan = on.read(&["lane"], Some(filter), &[("next_at", Direction::Ascending)], Some(most))?;
    Ok(rows(tx, "lanes: due", plan)?.into_iter().filter_map(|mut r| r.text()).collect())
}

/// Lanes that no decision is needed for, those first whose heads wait longest for their next try.
pub(crate) fn latest(tx: &EngineTx, connection: &str, most: u64) -> Result<Vec<String>, EngineError> {
    let on = tx.on(TABLE)?;
    let filter = on
        .eq("connection", Value::Text(connection.to_owned()))?
        .and(on.eq("blocked", Value::Boolean(false))?);
    let plan = on.read(&["lane"], Some(filter), &[("next_at", Direction::Descending)], Some(most))?;
    Ok(rows(tx, "lanes: latest", plan)?.into_iter().filter_map(|mut r| r.text()).collect())
}

fn this(on: takt_plan::On<'_>, connection: &str, lane: &str) -> Result<takt_model::Expr, EngineError> {
    let connection = on.eq("connection", Value::Text(connection.to_owned()))?;
    Ok(connection.and(on.eq("lane", Value::Text(lane.to_owned()))?))
}
