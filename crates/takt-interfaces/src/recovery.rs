//! What leaves next over a connection, and in which order after an outage.
//!
//! Usually each delivery has its own time. An outage is nobody's own fault: when it is over, what waited for its next try
//! is due at once, in the order in which it came up, before whatever came up later. While the breaker is open, the one
//! call that tries is the oldest that was not at fault itself.

use takt_engine::{EngineError, EngineTx};
use takt_model::Value;

use crate::{
    Cause, Delivery, Outcome, connectors,
    rows::{connections, deliveries, lanes},
};

/// Deliveries that are looked through for the oldest, and lanes. While the breaker is open only one call at a time
/// tries, so no more than a few wait for another try.
const MOST: u64 = 500;
/// Lanes that are looked at even if fewer may leave: several open in the same moment.
const ALIKE: u64 = 32;

/// What is due, in turns from outside and from inside lanes, so that a crowd of one kind does not keep the other away.
pub(crate) fn due(tx: &EngineTx, connection: &str, most: usize) -> Result<Vec<Delivery>, EngineError> {
    let now = tx.now();
    let mut free = deliveries::due(tx, connection, now, most as u64)?.into_iter();
    let mut heads = Vec::new();
    for lane in lanes::due(tx, connection, now, (most as u64).max(ALIKE))? {
        match deliveries::head(tx, connection, &lane)? {
            Some(head) if head.next_at <= now => heads.push(head),
            // Somebody decided about another delivery of the lane; its head has its own time.
            Some(head) => lanes::wait(tx, connection, &lane, head.next_at)?,
            None => lanes::leave(tx, connection, &lane)?,
        }
    }
    // Lanes that opened in the same moment: the one whose head came up first.
    heads.sort_by_key(|head| (head.next_at, head.id));
    let (mut heads, mut found) = (heads.into_iter(), Vec::new());
    while found.len() < most {
        let (one, other) = (heads.next(), free.next());
        if one.is_none() && other.is_none() {
            break;
        }
        found.extend(one.into_iter().chain(other));
    }
    found.truncate(most);
    Ok(found)
}

/// As [`due`], for our own functions: what came in over a connection that a person has stopped is kept for later.
pub(crate) fn due_here(tx: &EngineTx, functions: &str, most: usize) -> Result<Vec<Delivery>, EngineError> {
    let mut known: Vec<(String, bool)> = Vec::new();
    loop {
        let mut found = due(tx, functions, most.max(ALIKE as usize))?;
        let mut held = Vec::new();
        for delivery in &found {
            let sender =
                connectors::received(tx.project(), &delivery.name).map(|(sender, _)| sender.id.clone());
            let Some(sender) = sender else { continue };
            let is_stopped = match known.iter().find(|(id, _)| *id == sender) {
                Some((_, is_stopped)) => *is_stopped,
                None => {
                    let is_stopped = connections::status(tx, &sender)?.paused;
                    known.push((sender, is_stopped));
                    is_stopped
                }
            };
            // An attempt that was lost is settled first.
            if is_stopped && !delivery.claimed {
                held.push(delivery.id);
            }
        }
        found.retain(|d| !held.contains(&d.id));
        if !held.is_empty() {
            deliveries::hold(tx, held.iter().copied())?;
        }
        if held.is_empty() || found.len() >= most {
            found.truncate(most);
            return Ok(found);
        }
    }
}

/// Whose waiting an end of an outage ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whom {
    /// Those that found nobody there.
    Absent,
    /// All that wait for another try.
    All,
}

/// The outage is over: what waits for another try is due, ordered by when it came up. Who was asked for patience keeps
/// to it, and where nobody knows whether the last try arrived its own pause must be over: it may still be at work there.
pub(crate) fn hurry(tx: &EngineTx, connection: &str, whom: Whom) -> Result<(), EngineError> {
    let now = tx.now();
    for delivery in tried(tx, connection)? {
        let cause = delivery.cause;
        let is_meant = match whom {
            Whom::Absent => cause.is_some_and(Cause::is_absence),
            Whom::All => cause != Some(Cause::Patience) && delivery.outcome != Some(Outcome::Unknown),
        };
        if (is_meant || delivery.next_at <= now) && delivery.next_at != delivery.created_at {
            let at = delivery.created_at;
            deliveries::set(tx, delivery.id, vec![("next_at", Value::Timestamp(at))])?;
            if let Some(lane) = &delivery.lane {
                lanes::wait(tx, connection, lane, at)?;
            }
        }
    }
    Ok(())
}

/// What tries whether the other side is there again: the oldest of what is due and of what found nobody there before.
/// One that met another fault waits for its own time, so that it cannot keep the others away.
pub(crate) fn next_try(tx: &EngineTx, connection: &str) -> Result<Option<Delivery>, EngineError> {
    let mut found = due(tx, connection, MOST as usize)?;
    let absent = tried(tx, connection)?.into_iter();
    found.extend(absent.filter(|d| d.cause.is_some_and(Cause::is_absence)));
    Ok(found.into_iter().min_by_key(|d| d.id))
}

/// Whether there is something for [`next_try`]; changes nothing.
pub(crate) fn has_try(tx: &EngineTx, connection: &str) -> Result<bool, EngineError> {
    let now = tx.now();
    let is_due = !deliveries::due(tx, connection, now, 1)?.is_empty()
        || !lanes::due(tx, connection, now, 1)?.is_empty();
    let is_absent = |d: &Delivery| d.cause.is_some_and(Cause::is_absence);
    Ok(is_due || tried(tx, connection)?.iter().any(is_absent))
}

/// What was tried before and waits for another try, due or not: outside of lanes, and at the heads of lanes.
fn tried(tx: &EngineTx, connection: &str) -> Result<Vec<Delivery>, EngineError> {
    let now = tx.now();
    let mut found = deliveries::due(tx, connection, now, MOST)?;
    found.extend(deliveries::latest(tx, connection, MOST)?);
    let mut waiting = lanes::due(tx, connection, now, MOST)?;
    waiting.extend(lanes::latest(tx, connection, MOST)?);
    waiting.sort();
    waiting.dedup();
    for lane in waiting {
        found.extend(deliveries::head(tx, connection, &lane)?);
    }
    found.retain(|d| d.attempts > 0 && !d.claimed);
    Ok(found)
}
