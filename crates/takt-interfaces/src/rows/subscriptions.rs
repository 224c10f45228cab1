//! `takt.subscriptions`, and what of the other tables goes with a subscription.

use takt_engine::{EngineError, EngineTx};
use takt_model::{CompareOp, Value};
use takt_plan::{Direction, On};

use super::{one_of, rows, write};
use crate::DeliveryState;

const TABLE: &str = "takt.subscriptions";

/// A subscription as it is stored. Moments are microseconds since 1970 UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) id: String,
    /// JSON text.
    pub(crate) terms: String,
    pub(crate) enabled: bool,
    /// Since when and why it is off.
    pub(crate) off: Option<(i64, Off)>,
    /// Sealed.
    pub(crate) secret: Option<Vec<u8>>,
    /// Sealed; until when it signs too.
    pub(crate) before: Option<(Vec<u8>, i64)>,
    pub(crate) created_at: i64,
    pub(crate) changed_at: i64,
    pub(crate) removed: bool,
}

/// Why a subscription is off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Off {
    /// The receiver answered 410: nobody wants to hear from us any more.
    Gone,
    /// Somebody said so.
    Said,
}

impl Off {
    /// As it is stored.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Said => "said",
        }
    }
}

const FIELDS: [&str; 11] = [
    "id",
    "terms",
    "enabled",
    "off_at",
    "off_why",
    "secret",
    "secret_before",
    "both_until",
    "created_at",
    "changed_at",
    "removed_at",
];

/// All of them, also those that are being removed, oldest first.
pub(crate) fn all(tx: &EngineTx) -> Result<Vec<Stored>, EngineError> {
    let on = tx.on(TABLE)?;
    let order = [("created_at", Direction::Ascending), ("id", Direction::Ascending)];
    read(tx, on.read(&FIELDS, None, &order, None)?)
}

/// One that is not being removed.
pub(crate) fn get(tx: &EngineTx, id: &str) -> Result<Option<Stored>, EngineError> {
    let on = tx.on(TABLE)?;
    let plan = on.read(&FIELDS, Some(this(on, id)?), &[], Some(1))?;
    Ok(read(tx, plan)?.pop().filter(|s| !s.removed))
}

fn read(tx: &EngineTx, plan: takt_plan::Plan) -> Result<Vec<Stored>, EngineError> {
    let stored = |mut row: super::Row| {
        let (id, terms, enabled) = (row.text()?, row.text()?, row.flag());
        let (off_at, off_why) = (row.integer(), row.text());
        let why = if off_why.as_deref() == Some("gone") { Off::Gone } else { Off::Said };
        let (secret, before, until) = (row.bytes(), row.bytes(), row.integer());
        Some(Stored {
            id,
            terms,
            enabled,
            off: off_at.map(|at| (at, why)),
            secret,
            before: before.zip(until),
            created_at: row.integer()?,
            changed_at: row.integer()?,
            removed: row.integer().is_some(),
        })
    };
    Ok(rows(tx, "subscriptions: read", plan)?.into_iter().filter_map(stored).collect())
}

/// A new one.
pub(crate) fn insert(tx: &EngineTx, new: &Stored) -> Result<(), EngineError> {
    let mut values = changing(new);
    values.push(("id", Value::Text(new.id.clone())));
    values.push(("created_at", Value::Timestamp(new.created_at)));
    write(tx, "subscriptions: make", tx.on(TABLE)?.insert(values)?).map(drop)
}

/// Writes what may change.
pub(crate) fn keep(tx: &EngineTx, changed: &Stored) -> Result<(), EngineError> {
    let on = tx.on(TABLE)?;
    let plan = on.update(this(on, &changed.id)?, changing(changed))?;
    write(tx, "subscriptions: change", plan).map(drop)
}

fn changing(s: &Stored) -> Vec<(&'static str, Value)> {
    let bytes = |b: Option<&Vec<u8>>| b.map_or(Value::Null, |b| Value::Bytes(b.clone()));
    let moment = |at: Option<i64>| at.map_or(Value::Null, Value::Timestamp);
    vec![
        ("terms", Value::Json(s.terms.clone())),
        ("enabled", Value::Boolean(s.enabled)),
        ("off_at", moment(s.off.map(|(at, _)| at))),
        ("off_why", s.off.map_or(Value::Null, |(_, why)| Value::Text(why.name().to_owned()))),
        ("secret", bytes(s.secret.as_ref())),
        ("secret_before", bytes(s.before.as_ref().map(|(b, _)| b))),
        ("both_until", moment(s.before.as_ref().map(|(_, until)| *until))),
        ("changed_at", Value::Timestamp(s.changed_at)),
    ]
}

/// It is off from now on, because its receiver is gone.
pub(crate) fn gone(tx: &EngineTx, id: &str) -> Result<(), EngineError> {
    let on = tx.on(TABLE)?;
    let values = vec![
        ("enabled", Value::Boolean(false)),
        ("off_at", Value::Timestamp(tx.now())),
        ("off_why", Value::Text(Off::Gone.name().to_owned())),
    ];
    let still_on = this(on, id)?.and(on.eq("enabled", Value::Boolean(true))?);
    write(tx, "subscriptions: gone", on.update(still_on, values)?).map(drop)
}

/// Old secrets whose time is over go.
pub(crate) fn forget_old_secrets(tx: &EngineTx) -> Result<u64, EngineError> {
    let on = tx.on(TABLE)?;
    let over = on.compare("both_until", CompareOp::Le, Value::Timestamp(tx.now()))?;
    let values = vec![("secret_before", Value::Null), ("both_until", Value::Null)];
    write(tx, "subscriptions: forget old secrets", on.update(over, values)?)
}

/// Begins to remove one: nothing is sent to it any more, and its secrets are gone.
pub(crate) fn begin_removal(tx: &EngineTx, id: &str) -> Result<(), EngineError> {
    let on = tx.on(TABLE)?;
    let values = vec![
        ("enabled", Value::Boolean(false)),
        ("secret", Value::Null),
        ("secret_before", Value::Null),
        ("both_until", Value::Null),
        ("removed_at", Value::Timestamp(tx.now())),
    ];
    write(tx, "subscriptions: remove", on.update(this(on, id)?, values)?).map(drop)
}

/// Ends the removal, once nothing waits.
pub(crate) fn end_removal(tx: &EngineTx, id: &str) -> Result<(), EngineError> {
    for (table, field) in [("takt.lanes", "connection"), ("takt.connections", "id"), (TABLE, "id")] {
        let on = tx.on(table)?;
        let these = on.eq(field, Value::Text(id.to_owned()))?;
        write(tx, "subscriptions: removed", on.delete(these))?;
    }
    Ok(())
}

/// Cancels at most `most` deliveries to a connection that have not ended; gives how many.
pub(crate) fn cancel_open(tx: &EngineTx, connection: &str, most: u64) -> Result<u64, EngineError> {
    let on = tx.on("takt.deliveries")?;
    let open = [DeliveryState::Waiting, DeliveryState::Dead, DeliveryState::Asking];
    let open = open.into_iter().map(|s| Value::Text(s.name().to_owned()));
    let filter = on.eq("connection", Value::Text(connection.to_owned()))?.and(one_of(on, "state", open)?);
    let plan = on.read(&["id"], Some(filter), &[], Some(most))?;
    let found = rows(tx, "subscriptions: what waits", plan)?;
    let ids: Vec<_> = found.into_iter().filter_map(|mut r| r.uuid()).collect();
    if ids.is_empty() {
        return Ok(0);
    }
    let values = vec![
        ("state", Value::Text(DeliveryState::Cancelled.name().to_owned())),
        ("ended_at", Value::Timestamp(tx.now())),
        ("in_lane", Value::Boolean(false)),
        ("claimed", Value::Boolean(false)),
    ];
    let these = one_of(on, "id", ids.into_iter().map(Value::Uuid))?;
    write(tx, "subscriptions: cancel what waits", on.update(these, values)?)
}

fn this(on: On<'_>, id: &str) -> Result<takt_model::Expr, EngineError> {
    Ok(on.eq("id", Value::Text(id.to_owned()))?)
}
