//! The deliveries that a story caused, as the report tells them: what is known here, put into its words there.

use takt_engine::Story;
use takt_interfaces::{Cause, ConnectionStatus, Delivery, DeliveryFilter, DeliveryState, InterfacesError};
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
    of(app, &of_story(app, story)?, language)
}

/// These deliveries, ready to be told.
pub(crate) fn of(app: &App, found: &[Delivery], language: &str) -> Result<Vec<Later>, InterfacesError> {
    let still = still(app, found)?;
    let names = words::Names::of(app);
    let project = &names.project;
    let means = |d: &Delivery| project.connection(&d.connection).and_then(|c| c.outage.words.get(language));
    let later = |d: &Delivery| {
        let connection = still.iter().find(|c| c.id == d.connection);
        let rests_until = connection.and_then(|c| c.open_until);
        let is_untried = d.state == DeliveryState::Waiting && d.attempts == 0;
        Later {
            id: d.id.to_string(),
            connection: d.connection.clone(),
            to: words::receiver(&names, d, language),
            went: went(d, connection.is_some_and(|c| c.paused), rests_until, app.engine.now()),
            attempts: u64::try_from(d.attempts).unwrap_or_default(),
            // It was not even tried, because those before it did not get through.
            why: match rests_until {
                _ if d.is_parked() => String::new(),
                Some(_) if is_untried => words::at_rest(language).to_owned(),
                _ => words::why(d, language),
            },
            means: means(d).unwrap_or_default().to_owned(),
        }
    };
    Ok(found.iter().map(later).collect())
}

/// Connections that a person has stopped or that rest; looked up only if something waits for them.
fn still(app: &App, deliveries: &[Delivery]) -> Result<Vec<ConnectionStatus>, InterfacesError> {
    if deliveries.iter().all(|d| d.state != DeliveryState::Waiting) {
        return Ok(Vec::new());
    }
    let all = app.interfaces.connections()?;
    Ok(all.into_iter().filter(|c| c.paused || c.open_until.is_some()).collect())
}

fn went(delivery: &Delivery, paused: bool, rests_until: Option<i64>, now: i64) -> Went {
    let next_at = match rests_until {
        // It found nobody there, so it is what is tried when the rest is over.
        Some(until) if delivery.cause.is_some_and(Cause::is_absence) => until,
        until => delivery.next_at.max(until.unwrap_or_default()),
    };
    match delivery.state {
        DeliveryState::Delivered => Went::Arrived(delivery.ended_at),
        DeliveryState::Dead => Went::Stopped,
        DeliveryState::Asking if delivery.is_parked() => Went::Parked,
        DeliveryState::Asking => Went::Unclear,
        DeliveryState::Cancelled => Went::Cancelled(delivery.ended_at),
        DeliveryState::Waiting if delivery.claimed => Went::Running,
        DeliveryState::Waiting if paused => Went::Held,
        DeliveryState::Waiting => Went::Waits((next_at > now).then_some(next_at)),
    }
}
