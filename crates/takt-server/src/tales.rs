//! Stories and deliveries as they are told: looked at by somebody, with everything that the rooms know around them.
//! Lives here: finding what an id or a number names, writing the look down, gathering the background. Not here: the
//! words (`takt-report`).

mod around;
mod beside;
mod parcel;
pub(crate) mod secrets;

use takt_engine::Story;
use takt_interfaces::InterfacesError;
use takt_model::Uuid;
use takt_report::{DeliveryText, Depth, StoryText, tell_story_with};

pub(crate) use parcel::{Parcel, parcel};

use crate::{app::App, deliveries::later, people::Look};

/// What an id or a number names.
pub(crate) enum Tale {
    /// Something that a function did.
    Story(Box<(Story, StoryText)>),
    /// Something on its way to another system, or asked of one.
    Delivery(Box<(Parcel, DeliveryText)>),
}

impl Tale {
    /// For a terminal.
    pub(crate) fn text(&self, depth: u8) -> String {
        let depth = Depth::of(depth);
        let text = match self {
            Self::Story(told) => told.1.to_depth(depth),
            Self::Delivery(told) => told.1.to_depth(depth),
        };
        text.trim_end().to_owned()
    }
}

/// Finds what `name` names (the id of a story, a delivery or a delayed job, or the number of something that was
/// written), writes the look down and tells it.
pub(crate) async fn named(
    app: &App,
    name: &str,
    language: &str,
    look: &Look,
) -> Result<Option<Tale>, InterfacesError> {
    let story = match Uuid::parse_str(name) {
        Ok(id) => match app.engine.story(id)? {
            Some(story) => Some(story),
            None => match app.engine.later_job(id)?.and_then(|job| job.story) {
                Some(story) => app.engine.story(story)?,
                None => {
                    return Ok(delivery(app, id, language, look).await?.map(|d| Tale::Delivery(Box::new(d))));
                }
            },
        },
        Err(_) => app.engine.story_of_number(name)?,
    };
    let Some(story) = story else { return Ok(None) };
    Ok(Some(Tale::Story(Box::new(told(app, story, language, look).await?))))
}

/// A story that was found, told to who looks.
pub(crate) async fn told(
    app: &App,
    story: Story,
    language: &str,
    look: &Look,
) -> Result<(Story, StoryText), InterfacesError> {
    let subject = format!("story {}", story.id);
    let revealed = match (&look.reason, Uuid::parse_str(&story.id)) {
        (Some(_), Ok(id)) => app.engine.reveal_story(id, look.deed("story.reveal", subject)).await?,
        (None, _) | (_, Err(_)) => {
            app.looks.note(&app.engine, look, "story.look", subject).await;
            None
        }
    };
    let story = revealed.unwrap_or(story);
    let background = around::background(app, &story, language).await?;
    let later = later::told_later(app, &story, language)?;
    let text = tell_story_with(&story, &app.project(), language, &background).and_then(&later);
    let text = text.beside(beside::of(app, &story, language)?);
    Ok((story, text))
}

/// A delivery, told to who looks; none if there is no such.
pub(crate) async fn delivery(
    app: &App,
    id: Uuid,
    language: &str,
    look: &Look,
) -> Result<Option<(Parcel, DeliveryText)>, InterfacesError> {
    let subject = format!("delivery {id}");
    match app.interfaces.delivery(id) {
        Ok(_) => {}
        Err(InterfacesError::UnknownDelivery(_)) => return Ok(None),
        Err(error) => return Err(error),
    }
    if look.reason.is_some() {
        app.engine.note_deed(look.deed("delivery.reveal", subject)).await?;
    } else {
        app.looks.note(&app.engine, look, "delivery.look", subject).await;
    }
    parcel(app, id, language, look.reason.is_some()).map(Some)
}
