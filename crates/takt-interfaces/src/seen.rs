//! What was really seen of a connection, for its documentation and for the report: measured, not promised.
//! Only as far back as deliveries are kept (`logic.deliveries` of the settings).

use takt_engine::EngineTx;
use takt_model::Protocol;
use takt_plan::Direction;

use crate::{
    DeliveryState, FUNCTIONS, Interfaces, InterfacesError,
    rows::{attempts, deliveries, received},
};

/// Microseconds of 30 days.
const MONTH: i64 = 30 * 86_400 * 1_000_000;
/// Deliveries whose attempts are looked at for the usual duration.
const SAMPLE: u64 = 1_000;
/// Deliveries of one look into the attempts.
const BATCH: usize = 250;

/// What was seen of a connection. Moments are microseconds since 1970 UTC.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Seen {
    /// When something arrived first.
    pub first_ok_at: Option<i64>,
    /// When something arrived last.
    pub last_ok_at: Option<i64>,
    /// What arrived in the last 30 days.
    pub arrived_in_30_days: u64,
    /// When the oldest delivery was dispatched that waits for a person.
    pub oldest_stopped_at: Option<i64>,
    /// When the oldest delivery that waits was dispatched.
    pub oldest_waiting_at: Option<i64>,
    /// Of messages that come in: what follows from them.
    pub messages: Option<Messages>,
    /// The median of the last attempts that arrived, at most the newest 1,000: microseconds.
    pub median_took: Option<i64>,
}

/// What follows from the messages that came in over a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Messages {
    /// Functions that have not handled one yet.
    pub waiting: u64,
    /// Functions that could not handle one; a person decides.
    pub stopped: u64,
}

impl Interfaces {
    /// What was seen of a connection.
    ///
    /// # Errors
    /// The engine's.
    pub fn seen(&self, connection: &str) -> Result<Seen, InterfacesError> {
        let project = self.house.engine.project();
        let comes_in =
            project.connection(connection).is_some_and(|c| c.connect.protocol == Protocol::WebhookIn);
        self.house.engine.look_up(|tx| {
            if comes_in {
                return incoming(tx, connection);
            }
            let first = deliveries::arrived_at(tx, connection, Direction::Ascending)?;
            Ok(Seen {
                first_ok_at: first,
                last_ok_at: deliveries::arrived_at(tx, connection, Direction::Descending)?,
                arrived_in_30_days: deliveries::arrived_since(tx, connection, tx.now() - MONTH)?,
                oldest_stopped_at: earlier(
                    deliveries::oldest(tx, connection, DeliveryState::Dead)?,
                    deliveries::oldest(tx, connection, DeliveryState::Asking)?,
                ),
                oldest_waiting_at: deliveries::oldest(tx, connection, DeliveryState::Waiting)?,
                messages: None,
                median_took: median(durations(tx, connection)?),
            })
        })
    }
}

/// Of what others send: nothing goes there, so what came is counted, and what became of it here.
fn incoming(tx: &EngineTx, connection: &str) -> Result<Seen, InterfacesError> {
    let count = |state| {
        let wanted = deliveries::Wanted {
            connection: Some(FUNCTIONS.to_owned()),
            messages_of: Some(connection.to_owned()),
            state: Some(state),
            ..deliveries::Wanted::default()
        };
        deliveries::count(tx, &wanted)
    };
    let stopped = count(DeliveryState::Dead)? + count(DeliveryState::Asking)?;
    Ok(Seen {
        first_ok_at: received::came_at(tx, connection, Direction::Ascending)?,
        last_ok_at: received::came_at(tx, connection, Direction::Descending)?,
        arrived_in_30_days: received::came_since(tx, connection, tx.now() - MONTH)?,
        messages: Some(Messages { waiting: count(DeliveryState::Waiting)?, stopped }),
        ..Seen::default()
    })
}

fn earlier(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    [one, other].into_iter().flatten().min()
}

fn durations(tx: &EngineTx, connection: &str) -> Result<Vec<i64>, InterfacesError> {
    let newest = deliveries::newest_arrived(tx, connection, SAMPLE)?;
    let mut all = Vec::with_capacity(newest.len());
    for batch in newest.chunks(BATCH) {
        all.extend(attempts::durations(tx, batch)?);
    }
    Ok(all)
}

/// The middle one; of two in the middle the larger, which promises less.
fn median(mut all: Vec<i64>) -> Option<i64> {
    all.sort_unstable();
    all.get(all.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_is_the_middle_one() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![9]), Some(9));
        assert_eq!(median(vec![30, 10, 20]), Some(20));
        assert_eq!(median(vec![1, 100]), Some(100));
    }
}
