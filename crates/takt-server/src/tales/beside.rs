//! What else happened later about the thing that a story made: the payment that came in, the parcel, its mails.

use std::collections::HashSet;

use takt_engine::{Story, StoryResult};
use takt_interfaces::{Delivery, DeliveryState, FUNCTIONS, InterfacesError};
use takt_model::Uuid;
use takt_report::{Beside, State, format};

use crate::{
    app::App,
    deliveries::{later, words},
};

pub(super) fn of(app: &App, story: &Story, language: &str) -> Result<Vec<Beside>, InterfacesError> {
    let Ok(id) = Uuid::parse_str(&story.id) else { return Ok(Vec::new()) };
    let number = app.interfaces.numbers(&later::of_story(app, story)?)?.into_values().next();
    let related = app.interfaces.related(id, number.as_deref())?;
    if related.is_empty() {
        return Ok(Vec::new());
    }
    let (names, mut told) = (words::Names::of(app), Vec::new());
    let mut seen = HashSet::from([id]);
    let zone = &names.project.settings.time_zone;
    let all: Vec<Delivery> = related.iter().flat_map(|r| r.deliveries.clone()).collect();
    let numbers = app.interfaces.numbers(&all)?;
    for one in related {
        let when = format::moment_in(one.at, language, zone);
        if let Some(other) = one.story.filter(|other| seen.insert(*other))
            && let Some(other) = app.engine.story(other)?
        {
            told.push(of_story(&other, &when, language));
        }
        for delivery in one.deliveries {
            // A function of ours that has handled it tells a story of its own.
            let is_told = delivery.connection == FUNCTIONS && delivery.state == DeliveryState::Delivered;
            if !is_told && seen.insert(delivery.id) {
                let number = numbers.get(&delivery.id).map(String::as_str);
                let sentence = words::sentence(&names, &delivery, number, language);
                told.push(Beside {
                    id: delivery.id.to_string(),
                    sentence: format!("{when}: {} – {sentence}", delivery.name),
                    state: state(delivery.state),
                });
            }
        }
    }
    Ok(told)
}

fn of_story(story: &Story, when: &str, language: &str) -> Beside {
    let (word, state) = match story.result {
        StoryResult::Success => (words::say(language, "done", "gelungen"), State::Green),
        StoryResult::Refused { .. } => (words::say(language, "refused", "abgelehnt"), State::Yellow),
        StoryResult::Failed { .. } => (words::say(language, "failed", "fehlgeschlagen"), State::Red),
    };
    let label = story.label.get(language).unwrap_or(&story.function);
    Beside { id: story.id.clone(), sentence: format!("{when}: {label} – {word}."), state }
}

fn state(delivery: DeliveryState) -> State {
    match delivery {
        DeliveryState::Delivered => State::Green,
        DeliveryState::Waiting => State::Yellow,
        DeliveryState::Dead | DeliveryState::Asking => State::Red,
        DeliveryState::Cancelled => State::NotApplicable,
    }
}
