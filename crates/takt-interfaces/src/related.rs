//! What happened later about the same thing: the events with the key of those that a story caused, the stories and
//! deliveries of these, and messages of other systems that say they are about it.

use takt_engine::{EngineError, EngineTx};
use takt_model::Uuid;
use takt_plan::Direction;

use crate::{
    Delivery, DeliveryState, FUNCTIONS, Interfaces, InterfacesError,
    desk::said_number,
    rows::{deliveries, events},
};

/// Deliveries of the story itself, and messages, that are looked through.
const MOST: u64 = 200;
/// How long after the story it is looked: half a year, in microseconds.
const LATEST: i64 = 183 * 86_400 * 1_000_000;

/// Something that happened later about the same thing.
#[derive(Debug, Clone, PartialEq)]
pub struct Related {
    /// When: microseconds since 1970 UTC.
    pub at: i64,
    /// The event that told of it.
    pub event: String,
    /// The story that caused it.
    pub story: Option<Uuid>,
    /// Who got it, or should have.
    pub deliveries: Vec<Delivery>,
}

impl Interfaces {
    /// What happened later about the thing of this story, the oldest first; `number` is what people call that thing.
    /// Messages of others are among it while what follows from them waits or has stopped; after that they have a story.
    ///
    /// # Errors
    /// The engine's.
    pub fn related(&self, story: Uuid, number: Option<&str>) -> Result<Vec<Related>, InterfacesError> {
        Ok(self.house.engine.look_up(|tx| -> Result<_, EngineError> {
            let wanted = deliveries::Wanted { story: Some(story), ..deliveries::Wanted::default() };
            let own = deliveries::list(tx, &wanted, Direction::Ascending, MOST)?;
            let own = events::by_ids(tx, own.iter().map(|d| d.event))?;
            let mut keys: Vec<(String, i64)> = Vec::new();
            for event in &own {
                let Some(key) = &event.key else { continue };
                if !keys.iter().any(|(known, _)| known == key) {
                    keys.push((key.clone(), event.at));
                }
            }
            let mut found = Vec::new();
            for (key, from) in keys {
                for event in events::of_key(tx, &key, from, Some(from.saturating_add(LATEST)), true)? {
                    if event.story != Some(story) {
                        let deliveries = deliveries::of_event(tx, event.id)?;
                        found.push(Related {
                            at: event.at,
                            event: event.name,
                            story: event.story,
                            deliveries,
                        });
                    }
                }
            }
            if let Some(number) = number {
                found.extend(messages_about(tx, number)?);
            }
            found.sort_by_key(|r| r.at);
            Ok(found)
        })?)
    }
}

/// Messages of others about `number` that nothing followed from yet.
fn messages_about(tx: &EngineTx, number: &str) -> Result<Vec<Related>, EngineError> {
    let mut found = Vec::new();
    for state in [DeliveryState::Dead, DeliveryState::Asking, DeliveryState::Waiting] {
        let wanted = deliveries::Wanted {
            connection: Some(FUNCTIONS.to_owned()),
            state: Some(state),
            ..deliveries::Wanted::default()
        };
        let some = deliveries::list(tx, &wanted, Direction::Descending, MOST)?;
        let events = events::by_ids(tx, some.iter().map(|d| d.event))?;
        for delivery in some {
            let Some(event) = events.iter().find(|e| e.id == delivery.event) else { continue };
            let payload = serde_json::from_str(&event.payload).unwrap_or_default();
            if said_number(tx.project(), &event.name, &payload).as_deref() == Some(number) {
                let (at, event) = (event.at, event.name.clone());
                found.push(Related { at, event, story: None, deliveries: vec![delivery] });
            }
        }
    }
    Ok(found)
}
