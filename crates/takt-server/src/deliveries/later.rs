//! The deliveries that a story caused, as the report tells them: what is known here, put into its words there.

use takt_engine::Story;
use takt_interfaces::{Delivery, DeliveryFilter, DeliveryState, InterfacesError};
use takt_model::Uuid;
use takt_report::{Later, Went};

use crate::{app::App, deliveries::words};

/// Deliveries of one story that are told.
const MOST: u64 = 200;

/// The deliveries of a story, in the order of their dispatch.
pub(crate) fn of_story(app: &App, story: &Story) -> Result<Vec<Delivery>, InterfacesError> {
    let Ok(id) = Uuid::parse_str(&story.id) else { return Ok(Vec::new()) };
    let wanted = DeliveryFilter { story: Some(id), ..DeliveryFilter::default() };
    let mut found = app.interfaces.deliveries(&wanted, MOST)?;
    found.reverse();
    Ok(found)
}

/// As [`of_story`], ready to be told.
pub(crate) fn told_later(app: &App, story: &Story, language: &str) -> Result<Vec<Later>, InterfacesError> {
    let found = of_story(app, story)?;
    let paused = paused(app, &found)?;
    let project = app.project();
    let later = |d: &Delivery| Later {
        id: d.id.to_string(),
        connection: d.connection.clone(),
        to: words::receiver(&project, d, language),
        went: went(d, paused.contains(&d.connection), app.engine.now()),
        attempts: u64::try_from(d.attempts).unwrap_or_default(),
        why: if d.is_parked() { String::new() } else { words::why(d, language) },
    };
    Ok(found.iter().map(later).collect())
}

/// Connections that a person has stopped; looked up only if something waits for them.
fn paused(app: &App, deliveries: &[Delivery]) -> Result<Vec<String>, InterfacesError> {
    if deliveries.iter().all(|d| d.state != DeliveryState::Waiting) {
        return Ok(Vec::new());
    }
    Ok(app.interfaces.connections()?.into_iter().filter(|c| c.paused).map(|c| c.id).collect())
}

fn went(delivery: &Delivery, paused: bool, now: i64) -> Went {
    match delivery.state {
        DeliveryState::Delivered => Went::Arrived(delivery.ended_at),
        DeliveryState::Dead => Went::Stopped,
        DeliveryState::Asking if delivery.is_parked() => Went::Parked,
        DeliveryState::Asking => Went::Unclear,
        DeliveryState::Cancelled => Went::Cancelled(delivery.ended_at),
        DeliveryState::Waiting if delivery.claimed => Went::Running,
        DeliveryState::Waiting if paused => Went::Held,
        DeliveryState::Waiting => Went::Waits((delivery.next_at > now).then_some(delivery.next_at)),
    }
}
