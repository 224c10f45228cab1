//! `takt.deliveries`: each event on its way to each connection that wants it. Beneath: `newest.rs`, pages for people.

mod newest;

use takt_engine::{EngineError, EngineTx};
use takt_model::{CompareOp, Expr, Uuid, Value};
use takt_plan::{Assignment, Direction, On, Plan, Update};

use super::{insert_all, is_null, one_of, rows, text_or_null, write};
use crate::{Cause, Outcome};

pub(crate) use newest::newest;

const TABLE: &str = "takt.deliveries";

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryState {
    /// An attempt is due, running, or will be.
    Waiting,
    /// It arrived.
    Delivered,
    /// A dead letter: given up, a person decides.
    Dead,
    /// Nobody knows whether it arrived: a person decides.
    Asking,
    /// A person said that it shall not leave.
    Cancelled,
}

impl DeliveryState {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Waiting, Self::Delivered, Self::Dead, Self::Asking, Self::Cancelled];

    /// As it is stored.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
            Self::Asking => "asking",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state called `name`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.name() == name)
    }

    /// Whether a person may decide about it.
    #[must_use]
    pub fn is_stopped(self) -> bool {
        matches!(self, Self::Dead | Self::Asking)
    }

    fn value(self) -> Value {
        Value::Text(self.name().to_owned())
    }
}

/// An event on its way to a connection. Moments are microseconds since 1970 UTC.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Delivery {
    /// Id; never changes, so receivers tell repeats by it.
    pub id: Uuid,
    /// The event.
    pub event: Uuid,
    /// The event's name.
    pub name: String,
    /// Where it goes.
    pub connection: String,
    /// As what.
    pub operation: String,
    /// The ordering key.
    pub lane: Option<String>,
    /// Where it stands.
    pub state: DeliveryState,
    /// Attempts so far.
    pub attempts: i64,
    /// When the next attempt is due.
    pub next_at: i64,
    /// When it was dispatched.
    pub created_at: i64,
    /// When the first attempt since then, or since the last replay, began.
    pub first_at: Option<i64>,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// How the last attempt ended.
    pub outcome: Option<Outcome>,
    /// What went wrong last.
    pub error: Option<String>,
    /// Why, where we know it ourselves.
    pub cause: Option<Cause>,
    /// The story that caused it.
    pub story: Option<Uuid>,
    /// What a person wrote in the place of the payload, as JSON text.
    #[serde(skip)]
    pub body: Option<String>,
    /// Results of finished steps, as JSON text.
    #[serde(skip)]
    pub journal: Option<String>,
    /// Whether an attempt runs (or ran when the process died).
    pub claimed: bool,
    /// Whether it counts in its lane.
    #[serde(skip)]
    pub in_lane: bool,
}

const FIELDS: [&str; 20] = [
    "id",
    "event",
    "name",
    "connection",
    "operation",
    "lane",
    "state",
    "attempts",
    "next_at",
    "created_at",
    "first_at",
    "ended_at",
    "outcome",
    "error",
    "cause",
    "story",
    "body",
    "journal",
    "claimed",
    "in_lane",
];

fn read(tx: &EngineTx, plan: Plan) -> Result<Vec<Delivery>, EngineError> {
    let delivery = |mut row: super::Row| {
        Some(Delivery {
            id: row.uuid()?,
            event: row.uuid()?,
            name: row.text()?,
            connection: row.text()?,
            operation: row.text()?,
            lane: row.text(),
            state: DeliveryState::named(&row.text()?)?,
            attempts: row.integer()?,
            next_at: row.integer()?,
            created_at: row.integer()?,
            first_at: row.integer(),
            ended_at: row.integer(),
            outcome: row.text().and_then(|name| Outcome::named(&name)),
            error: row.text(),
            cause: row.text().and_then(|name| Cause::named(&name)),
            story: row.uuid(),
            body: row.text(),
            journal: row.text(),
            claimed: row.flag(),
            in_lane: row.flag(),
        })
    };
    Ok(rows(tx, "deliveries: read", plan)?.into_iter().filter_map(delivery).collect())
}

/// A delivery that is to be.
#[derive(Debug, Clone)]
pub(crate) struct New<'e> {
    pub(crate) event: &'e super::events::Event,
    pub(crate) connection: &'e str,
    pub(crate) operation: &'e str,
    pub(crate) lane: Option<String>,
}

/// Writes new deliveries, in their order.
pub(crate) fn insert(tx: &EngineTx, new: &[New<'_>]) -> Result<(), EngineError> {
    let names = [
        "id",
        "event",
        "name",
        "connection",
        "operation",
        "lane",
        "state",
        "attempts",
        "next_at",
        "created_at",
        "story",
        "claimed",
        "in_lane",
    ];
    let row = |n: &New<'_>| {
        vec![
            Value::Uuid(tx.new_uuid()),
            Value::Uuid(n.event.id),
            Value::Text(n.event.name.clone()),
            Value::Text(n.connection.to_owned()),
            Value::Text(n.operation.to_owned()),
            text_or_null(n.lane.as_deref()),
            DeliveryState::Waiting.value(),
            Value::Integer(0),
            Value::Timestamp(tx.now()),
            Value::Timestamp(tx.now()),
            n.event.story.map_or(Value::Null, Value::Uuid),
            Value::Boolean(false),
            Value::Boolean(n.lane.is_some()),
        ]
    };
    let plan = insert_all(tx.on(TABLE)?, &names, new.iter().map(row).collect())?;
    write(tx, "deliveries: dispatch", plan).map(drop)
}

/// Due deliveries of a connection that stand in no lane, the longest waiting first.
pub(crate) fn due(
    tx: &EngineTx,
    connection: &str,
    now: i64,
    most: u64,
) -> Result<Vec<Delivery>, EngineError> {
    let on = tx.on(TABLE)?;
    let filter = waiting(on, connection)?
        .and(on.compare("next_at", CompareOp::Le, Value::Timestamp(now))?)
        .and(is_null(on, "lane")?);
    let order = [("next_at", Direction::Ascending), ("id", Direction::Ascending)];
    read(tx, on.read(&FIELDS, Some(filter), &order, Some(most))?)
}

/// Waiting deliveries of a connection that stand in no lane, those first whose next try is furthest.
pub(crate) fn latest(tx: &EngineTx, connection: &str, most: u64) -> Result<Vec<Delivery>, EngineError> {
    let on = tx.on(TABLE)?;
    let filter = waiting(on, connection)?.and(is_null(on, "lane")?);
    read(tx, on.read(&FIELDS, Some(filter), &[("next_at", Direction::Descending)], Some(most))?)
}

/// The head of a lane.
pub(crate) fn head(tx: &EngineTx, connection: &str, lane: &str) -> Result<Option<Delivery>, EngineError> {
    let on = tx.on(TABLE)?;
    let filter = waiting(on, connection)?.and(on.eq("lane", Value::Text(lane.to_owned()))?);
    Ok(read(tx, on.read(&FIELDS, Some(filter), &[("id", Direction::Ascending)], Some(1))?)?.pop())
}

/// All deliveries of an event.
pub(crate) fn of_event(tx: &EngineTx, event: Uuid) -> Result<Vec<Delivery>, EngineError> {
    let on = tx.on(TABLE)?;
    read(
        tx,
        on.read(&FIELDS, Some(on.eq("event", Value::Uuid(event))?), &[("id", Direction::Ascending)], None)?,
    )
}

/// Deliveries of a connection whose attempt never ended.
pub(crate) fn claimed(tx: &EngineTx, connection: &str) -> Result<Vec<Delivery>, EngineError> {
    let on = tx.on(TABLE)?;
    let filter = waiting(on, connection)?.and(on.eq("claimed", Value::Boolean(true))?);
    read(tx, on.read(&FIELDS, Some(filter), &[("id", Direction::Ascending)], None)?)
}

/// Far enough ahead that nothing is tried meanwhile: what waits for a person who has stopped a connection.
const FAR: i64 = 100 * 365 * 86_400 * 1_000_000;

/// Is not tried before [`let_go`].
pub(crate) fn hold(tx: &EngineTx, ids: impl Iterator<Item = Uuid>) -> Result<(), EngineError> {
    let on = tx.on(TABLE)?;
    let these = one_of(on, "id", ids.map(Value::Uuid))?;
    let far = tx.now().saturating_add(FAR);
    write(tx, "deliveries: hold", on.update(these, vec![("next_at", Value::Timestamp(far))])?).map(drop)
}

/// What was held of a connection's messages is due, in the order in which they came.
pub(crate) fn let_go(tx: &EngineTx, receiver: &str, messages_of: &str) -> Result<(), EngineError> {
    let on = tx.on(TABLE)?;
    let held = tx.now().saturating_add(FAR / 2);
    let these = waiting(on, receiver)?
        .and(is_null(on, "lane")?)
        .and(on.compare("next_at", CompareOp::Ge, Value::Timestamp(held))?)
        .and(messages(on, messages_of)?);
    let plan = on.update(these, vec![("next_at", Value::Timestamp(tx.now()))])?;
    write(tx, "deliveries: let go", plan).map(drop)
}

/// Deliveries of the messages of a connection: their events are named `payment` or `payment.<type>`.
fn messages(on: On<'_>, connection: &str) -> Result<Expr, EngineError> {
    let name = |op, text: String| on.compare("name", op, Value::Text(text));
    // `/` follows `.` in the order of characters.
    let typed =
        name(CompareOp::Ge, format!("{connection}."))?.and(name(CompareOp::Lt, format!("{connection}/"))?);
    Ok(Expr::Or(vec![on.eq("name", Value::Text(connection.to_owned()))?, typed]))
}

/// Whether a question has not ended yet.
pub(crate) fn is_asked(tx: &EngineTx, connection: &str, operation: &str) -> Result<bool, EngineError> {
    let on = tx.on(TABLE)?;
    // Questions stand in no lane: said, so that a million deliveries in lanes are not looked through.
    let filter = waiting(on, connection)?
        .and(is_null(on, "lane")?)
        .and(on.eq("operation", Value::Text(operation.to_owned()))?);
    Ok(!rows(tx, "deliveries: look", on.read(&["id"], Some(filter), &[], Some(1))?)?.is_empty())
}

fn waiting(on: On<'_>, connection: &str) -> Result<Expr, EngineError> {
    Ok(on
        .eq("connection", Value::Text(connection.to_owned()))?
        .and(on.eq("state", DeliveryState::Waiting.value())?))
}

/// Attempts begin: counts them and keeps others away until `lease`.
pub(crate) fn claim(tx: &EngineTx, ids: impl Iterator<Item = Uuid>, lease: i64) -> Result<(), EngineError> {
    let on = tx.on(TABLE)?;
    let plan = Plan::Update(Update {
        table: on.table.id,
        filter: Some(one_of(on, "id", ids.map(Value::Uuid))?),
        all: false,
        set: vec![
            (on.field("attempts")?, Assignment::Add(Value::Integer(1))),
            (on.field("next_at")?, Assignment::Value(Value::Timestamp(lease))),
            (on.field("claimed")?, Assignment::Value(Value::Boolean(true))),
        ],
        returning: None,
        max_affected: None,
    });
    write(tx, "deliveries: claim", plan).map(drop)
}

/// The first attempts begin now.
pub(crate) fn begun(tx: &EngineTx, ids: impl Iterator<Item = Uuid>) -> Result<(), EngineError> {
    let on = tx.on(TABLE)?;
    let these = one_of(on, "id", ids.map(Value::Uuid))?;
    let plan = on.update(these, vec![("first_at", Value::Timestamp(tx.now()))])?;
    write(tx, "deliveries: first attempt", plan).map(drop)
}

/// One delivery.
pub(crate) fn get(tx: &EngineTx, id: Uuid) -> Result<Option<Delivery>, EngineError> {
    let on = tx.on(TABLE)?;
    Ok(read(tx, on.read(&FIELDS, Some(on.eq("id", Value::Uuid(id))?), &[], Some(1))?)?.pop())
}

/// Changes one delivery.
pub(crate) fn set(tx: &EngineTx, id: Uuid, values: Vec<(&str, Value)>) -> Result<(), EngineError> {
    let on = tx.on(TABLE)?;
    write(tx, "deliveries: change", on.update(on.eq("id", Value::Uuid(id))?, values)?).map(drop)
}

/// Which deliveries somebody wants to see; all of these hold.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    pub(crate) connection: Option<String>,
    /// About messages of this connection.
    pub(crate) messages_of: Option<String>,
    pub(crate) state: Option<DeliveryState>,
    pub(crate) lane: Option<String>,
    pub(crate) story: Option<Uuid>,
    /// Dispatched at or after.
    pub(crate) since: Option<i64>,
    /// Dispatched before.
    pub(crate) until: Option<i64>,
    /// Older than this one, for the next page.
    pub(crate) before: Option<Uuid>,
}

impl Wanted {
    fn filter(&self, on: On<'_>) -> Result<Option<Expr>, EngineError> {
        let mut all = Vec::new();
        if let Some(connection) = &self.connection {
            all.push(on.eq("connection", Value::Text(connection.clone()))?);
        }
        if let Some(sender) = &self.messages_of {
            all.push(messages(on, sender)?);
        }
        if let Some(state) = self.state {
            all.push(on.eq("state", state.value())?);
        }
        if let Some(lane) = &self.lane {
            all.push(on.eq("lane", Value::Text(lane.clone()))?);
        }
        if let Some(story) = self.story {
            all.push(on.eq("story", Value::Uuid(story))?);
        }
        if let Some(since) = self.since {
            all.push(on.compare("created_at", CompareOp::Ge, Value::Timestamp(since))?);
        }
        if let Some(until) = self.until {
            all.push(on.compare("created_at", CompareOp::Lt, Value::Timestamp(until))?);
        }
        if let Some(before) = self.before {
            all.push(on.compare("id", CompareOp::Lt, Value::Uuid(before))?);
        }
        Ok((!all.is_empty()).then_some(Expr::And(all)))
    }
}

/// Newest first, or in the order of dispatch.
pub(crate) fn list(
    tx: &EngineTx,
    wanted: &Wanted,
    direction: Direction,
    most: u64,
) -> Result<Vec<Delivery>, EngineError> {
    let on = tx.on(TABLE)?;
    read(tx, on.read(&FIELDS, wanted.filter(on)?, &[("id", direction)], Some(most))?)
}

/// How many fit.
pub(crate) fn count(tx: &EngineTx, wanted: &Wanted) -> Result<u64, EngineError> {
    let on = tx.on(TABLE)?;
    let plan = on.count(wanted.filter(on)?);
    let (_, outcome) = tx.rows(&takt_model::Principal::system("deliveries: count"), plan)?;
    Ok(outcome.count.unwrap_or_default())
}

/// Which of these events have a delivery that has not ended.
pub(crate) fn unfinished_among(tx: &EngineTx, events: &[Uuid]) -> Result<Vec<Uuid>, EngineError> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let on = tx.on(TABLE)?;
    let open = [DeliveryState::Waiting, DeliveryState::Dead, DeliveryState::Asking];
    let filter = one_of(on, "event", events.iter().map(|e| Value::Uuid(*e)))?.and(one_of(
        on,
        "state",
        open.into_iter().map(DeliveryState::value),
    )?);
    let plan = on.read(&["event"], Some(filter), &[], None)?;
    Ok(rows(tx, "deliveries: unfinished", plan)?.into_iter().filter_map(|mut r| r.uuid()).collect())
}

/// When the first or last delivery to a connection arrived, of those that are kept.
pub(crate) fn arrived_at(
    tx: &EngineTx,
    connection: &str,
    direction: Direction,
) -> Result<Option<i64>, EngineError> {
    let on = tx.on(TABLE)?;
    let plan = on.read(&["ended_at"], Some(arrived(on, connection)?), &[("ended_at", direction)], Some(1))?;
    Ok(rows(tx, "deliveries: arrived", plan)?.pop().and_then(|mut r| r.integer()))
}

/// How many deliveries to a connection arrived at or after `since`.
pub(crate) fn arrived_since(tx: &EngineTx, connection: &str, since: i64) -> Result<u64, EngineError> {
    let on = tx.on(TABLE)?;
    let filter =
        arrived(on, connection)?.and(on.compare("ended_at", CompareOp::Ge, Value::Timestamp(since))?);
    let (_, outcome) =
        tx.rows(&takt_model::Principal::system("deliveries: arrived since"), on.count(Some(filter)))?;
    Ok(outcome.count.unwrap_or_default())
}

/// The newest deliveries to a connection that arrived.
pub(crate) fn newest_arrived(tx: &EngineTx, connection: &str, most: u64) -> Result<Vec<Uuid>, EngineError> {
    let on = tx.on(TABLE)?;
    let order = [("id", Direction::Descending)];
    let plan = on.read(&["id"], Some(arrived(on, connection)?), &order, Some(most))?;
    Ok(rows(tx, "deliveries: newest arrived", plan)?.into_iter().filter_map(|mut r| r.uuid()).collect())
}

fn arrived(on: On<'_>, connection: &str) -> Result<Expr, EngineError> {
    Ok(on
        .eq("connection", Value::Text(connection.to_owned()))?
        .and(on.eq("state", DeliveryState::Delivered.value())?))
}

/// When the oldest delivery to a connection in a state was dispatched.
pub(crate) fn oldest(
    tx: &EngineTx,
    connection: &str,
    state: DeliveryState,
) -> Result<Option<i64>, EngineError> {
    let on = tx.on(TABLE)?;
    let filter = on.eq("connection", Value::Text(connection.to_owned()))?.and(on.eq("state", state.value())?);
    let plan = on.read(&["created_at"], Some(filter), &[("id", Direction::Ascending)], Some(1))?;
    Ok(rows(tx, "deliveries: oldest", plan)?.pop().and_then(|mut r| r.integer()))
}
