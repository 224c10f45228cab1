//! Our side of a comparison: the rows that count, and what our own deliveries say about what seems to be missing.

use std::{collections::HashMap, sync::Arc};

use serde_json::Value as Json;
use takt_engine::{EngineError, EngineTx};
use takt_model::{
    CompareOp, Connection, Expr, Field, OperationKind, Ours, Principal, Project, Table, Uuid, Value,
    event_fits,
};
use takt_plan::{Direction, On};

use super::compare::{MOST, Row};
use crate::{
    DeliveryState, payload,
    receive::{self, Message},
    rows::{deliveries, events, events::Event, received},
};

/// Keys of one question to the database.
const BATCH: usize = 200;
/// Deliveries of one row that are looked at.
const DELIVERIES: u64 = 20;
/// An event may be a little older than the row's own moment.
const EARLIER: i64 = 60_000_000;

/// Our side, as the project has it now.
#[derive(Clone, Copy)]
pub(super) struct Side<'p> {
    pub(super) table: &'p Table,
    pub(super) ours: &'p Ours,
}

impl<'p> Side<'p> {
    /// None if the project was exchanged since `project` for one with another schema: ids of tables and fields would not
    /// be the same. A subscription that comes or goes changes nothing about them.
    pub(super) fn of(tx: &EngineTx, project: &'p Arc<Project>, ours: &'p Ours) -> Option<Self> {
        let table = project.tables.iter().find(|t| t.id == ours.table)?;
        let is_same = Arc::ptr_eq(tx.project(), project)
            || tx.project().schema_fingerprint == project.schema_fingerprint;
        (is_same && table.primary_key.len() == 1).then_some(Self { table, ours })
    }

    pub(super) fn same(&self) -> Vec<&'p Field> {
        self.ours.same.iter().map(|f| self.table.get(*f)).collect()
    }

    /// Whether what both sides call a thing is personal.
    pub(super) fn is_key_personal(&self) -> bool {
        self.table.get(self.ours.key).personal.is_some()
    }

    /// The keys that they are asked about: of rows that they must know; where states must agree, of all, since a row that
    /// they need not know may stand there otherwise than here.
    pub(super) fn asked(
        &self,
        tx: &EngineTx,
        from: i64,
        expected: &[Row],
    ) -> Result<Vec<String>, EngineError> {
        if self.ours.states.is_empty() {
            return Ok(expected.iter().map(|row| row.key.clone()).collect());
        }
        let since = self.since(from)?;
        let all = self.read(tx, since, Some(MOST as u64 + 1), true)?;
        Ok(all.into_iter().map(|row| row.key).collect())
    }

    fn since(&self, from: i64) -> Result<Expr, EngineError> {
        let at = &self.table.get(self.ours.at).name;
        Ok(On { table: self.table }.compare(at, CompareOp::Ge, Value::Timestamp(from))?)
    }

    /// Rows that they must know, from `from` on.
    pub(super) fn expected(&self, tx: &EngineTx, from: i64) -> Result<Vec<Row>, EngineError> {
        let filter = self.ours.expected.clone().and(self.since(from)?);
        self.read(tx, filter, Some(MOST as u64 + 1), true)
    }

    /// The rows with these keys, by key.
    pub(super) fn by_keys(&self, tx: &EngineTx, keys: &[&str]) -> Result<HashMap<String, Row>, EngineError> {
        let key = self.table.get(self.ours.key);
        let mut found = HashMap::with_capacity(keys.len());
        for batch in keys.chunks(BATCH) {
            // What is no value of the field is no key of ours.
            let values =
                batch.iter().filter_map(|k| key.kind.parse_text(k).ok()).map(Expr::Literal).collect();
            let column = Expr::Column { scope: 0, table: self.table.id, field: key.id };
            let named = Expr::In(Box::new(column), values);
            for row in self.read(tx, named.clone(), None, false)? {
                found.insert(row.key.clone(), row);
            }
            for row in self.read(tx, named.clone().and(self.ours.holds.clone()), None, true)? {
                found.insert(row.key.clone(), row);
            }
            for state in &self.ours.states {
                for row in self.read(tx, named.clone().and(state.when.clone()), None, true)? {
                    if let Some(found) = found.get_mut(&row.key) {
                        found.states.push(state.name.clone());
                    }
                }
            }
        }
        Ok(found)
    }

    fn read(
        &self,
        tx: &EngineTx,
        filter: Expr,
        limit: Option<u64>,
        holds: bool,
    ) -> Result<Vec<Row>, EngineError> {
        let on = On { table: self.table };
        let mut fields = self.table.primary_key.clone();
        fields.extend([self.ours.key, self.ours.at]);
        fields.extend(&self.ours.same);
        let names: Vec<&str> = fields.iter().map(|f| self.table.get(*f).name.as_str()).collect();
        let order = [(self.table.get(self.ours.at).name.as_str(), Direction::Ascending)];
        let plan = on.read(&names, Some(filter), &order, limit)?;
        let (found, _) = tx.rows(&Principal::system("reconciliation: read our side"), plan)?;
        let row = |mut values: Vec<Value>| {
            let same = values.split_off(values.len().min(3));
            let [id, key, Value::Timestamp(at)] = values.as_slice() else { return None };
            if *key == Value::Null {
                return None;
            }
            Some(Row {
                id: id.as_ref().to_text(),
                key: key.as_ref().to_text(),
                at: *at,
                holds,
                same,
                states: Vec::new(),
            })
        };
        Ok(found.rows.into_iter().filter_map(row).collect())
    }
}

/// What our deliveries say about something that seems to be missing.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Standing {
    /// It is still being worked on: not missing.
    UnderWay,
    /// This delivery should have brought it, and can be put back.
    Delivery(Uuid),
    /// This event was never delivered by that operation.
    Event(Event),
    /// It can be handled as though it had come.
    Fresh,
    /// It came; what follows from it waits for a person.
    Stopped(Uuid),
    /// It came and was handled, and still we do not have it.
    WithoutEffect,
    /// There is nothing to send or to handle.
    Nothing,
}

/// Of a row that they do not know: what `operation` did about it. What ended after `since` may have arrived after they
/// were asked. `searches` are the searches through events that are left.
pub(super) fn of_row(
    tx: &EngineTx,
    connection: &Connection,
    operation: &str,
    (row, at): (&str, i64),
    since: i64,
    searches: &mut u32,
) -> Result<Standing, EngineError> {
    let Some(deliver) = connection.operations.iter().find_map(|o| match &o.kind {
        OperationKind::Deliver(deliver) if o.name == operation => Some(deliver),
        _ => None,
    }) else {
        return Ok(Standing::Nothing);
    };
    // By the lane: it has an index, and usually is the row's key.
    let wanted = deliveries::Wanted {
        connection: Some(connection.id.clone()),
        lane: Some(row.to_owned()),
        ..deliveries::Wanted::default()
    };
    let in_lane = deliveries::list(tx, &wanted, Direction::Descending, DELIVERIES)?;
    if let Some(delivery) = in_lane.into_iter().find(|d| d.operation == operation) {
        return Ok(stands(&delivery, since));
    }
    let Some(left) = searches.checked_sub(1) else { return Ok(Standing::Nothing) };
    *searches = left;
    for dispatched in [false, true] {
        let events = events::of_key(tx, row, at.saturating_sub(EARLIER), None, dispatched)?;
        let wanted = events.into_iter().rfind(|e| deliver.on.iter().any(|p| event_fits(p, &e.name)));
        let Some(event) = wanted else { continue };
        if !dispatched {
            return Ok(Standing::UnderWay);
        }
        let of_event = deliveries::of_event(tx, event.id)?;
        let made = of_event.iter().find(|d| d.connection == connection.id && d.operation == operation);
        return Ok(made.map_or(Standing::Event(event), |d| stands(d, since)));
    }
    Ok(Standing::Nothing)
}

fn stands(delivery: &crate::Delivery, since: i64) -> Standing {
    let has_just_ended = delivery.ended_at.is_some_and(|at| at >= since);
    match delivery.state {
        DeliveryState::Waiting => Standing::UnderWay,
        DeliveryState::Delivered if has_just_ended => Standing::UnderWay,
        DeliveryState::Delivered | DeliveryState::Dead | DeliveryState::Asking | DeliveryState::Cancelled => {
            Standing::Delivery(delivery.id)
        }
    }
}

/// Of something that they have and we do not: whether its message came, and what became of it.
pub(super) fn of_message(
    tx: &EngineTx,
    connection: &Connection,
    message: Option<&Json>,
) -> Result<(Standing, Option<Message>), EngineError> {
    let Some(message) = message.and_then(|body| receive::as_though_it_came(connection, body)) else {
        return Ok((Standing::Nothing, None));
    };
    let Some(taken_at) = received::taken_at(tx, &connection.id, &message.id)? else {
        return Ok((Standing::Fresh, Some(message)));
    };
    if !events::of_key(tx, &message.id, taken_at, Some(taken_at), false)?.is_empty() {
        return Ok((Standing::UnderWay, None));
    }
    let mut standing = Standing::WithoutEffect;
    for event in events::of_key(tx, &message.id, taken_at, Some(taken_at), true)? {
        for delivery in deliveries::of_event(tx, event.id)? {
            match delivery.state {
                DeliveryState::Waiting => return Ok((Standing::UnderWay, None)),
                DeliveryState::Dead | DeliveryState::Asking => standing = Standing::Stopped(delivery.id),
                DeliveryState::Delivered | DeliveryState::Cancelled => {}
            }
        }
    }
    Ok((standing, None))
}

/// The input of the function that asks them.
pub(super) fn question(from: i64, to: i64, keys: &[String]) -> String {
    // Whole seconds, from below and from above: every script reads them.
    let second = |micros: i64| {
        let text = Value::Timestamp(micros - micros.rem_euclid(1_000_000)).as_ref().to_text();
        format!("{}Z", text.get(..19).unwrap_or_default())
    };
    serde_json::json!({ "from": second(from), "to": second(to.saturating_add(999_999)), "keys": keys })
        .to_string()
}

/// What stands in the place of a key that is personal.
pub(super) fn shown_key(key: &str, is_personal: bool) -> String {
    if !is_personal {
        return payload::head(key, 200);
    }
    // Told apart from others, and not told.
    let name = receive::digest(key.as_bytes());
    format!("•••{}", name.get(..8).unwrap_or_default())
}
