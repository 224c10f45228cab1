//! What is known around a story: what set it off, which release ran, what is usual, what follows.

use std::{collections::HashMap, fs};

use takt_engine::{EngineError, Story, StoryCause};
use takt_model::Uuid;
use takt_report::{Background, Because, Follows, Version, row_names};

use crate::{app::App, deliveries::words};

/// Comparisons go back this far; microseconds.
const MONTH: i64 = 28 * 24 * 3600 * 1_000_000;
/// Releases that are looked through for the one of a story.
const RELEASES: u64 = 200;
/// Bytes of a source in which steps are looked for.
const MOST_SOURCE: u64 = 1_000_000;

pub(super) async fn background(app: &App, story: &Story, language: &str) -> Result<Background, EngineError> {
    let (event, because) = cause(app, &story.cause, language)?;
    let (source, is_called) = match app.logic.load().function(&story.function) {
        Some(f) => (Some(f.source.clone()), f.kind == takt_logic::FunctionKind::Action),
        None => (None, false),
    };
    let (version, is_of_before) = version(app, story.at)?;
    Ok(Background {
        names: row_names(&app.engine, story, language).await,
        because,
        event,
        version,
        usual: app.engine.usual(&story.function, story.at.saturating_sub(MONTH))?,
        follows: follows(app, story)?,
        lines: source.as_ref().map(|s| lines(app, story, &s.file)).unwrap_or_default(),
        file: source.map(|s| format!("{}:{}", s.file, s.line)),
        statements: story.statements(&app.project()),
        is_of_before,
        request: is_called.then(|| format!("POST /rest/v1/rpc/{}", story.function)),
    })
}

/// The event and the story behind what set it off.
fn cause(
    app: &App,
    cause: &StoryCause,
    language: &str,
) -> Result<(Option<String>, Option<Because>), EngineError> {
    match cause {
        StoryCause::Message { id, .. } => {
            let Ok(id) = Uuid::parse_str(id) else { return Ok((None, None)) };
            let Some(origin) = app.engine.event_origin(id)? else { return Ok((None, None)) };
            let because = match origin.story {
                Some(story) => because(app, story, language)?,
                None => None,
            };
            Ok((Some(origin.name), because))
        }
        StoryCause::Later { asked_by: Some(story), .. } => match Uuid::parse_str(story) {
            Ok(story) => Ok((None, because(app, story, language)?)),
            Err(_) => Ok((None, None)),
        },
        StoryCause::Call | StoryCause::Schedule { .. } | StoryCause::Delay | StoryCause::Later { .. } => {
            Ok((None, None))
        }
    }
}

/// What people call the story or the delivery with this id; none if it is not kept any more.
pub(super) fn because(app: &App, id: Uuid, language: &str) -> Result<Option<Because>, EngineError> {
    let id_text = id.to_string();
    if let Some(story) = app.engine.story(id)? {
        let title = story.label.get(language).unwrap_or(&story.function).to_owned();
        return Ok(Some(Because { id: id_text, title }));
    }
    let Ok(detail) = app.interfaces.delivery(id) else { return Ok(None) };
    let to = words::begun(&words::receiver(&words::Names::of(app), &detail.delivery, language));
    Ok(Some(Because { id: id_text, title: format!("{} ({})", to, detail.delivery.operation) }))
}

/// The release of a moment, and whether another project is served by now. One that is not known may be another.
fn version(app: &App, at: i64) -> Result<(Option<Version>, bool), EngineError> {
    let releases = app.engine.releases(RELEASES)?;
    let newest = releases.first().map(|r| (r.project.clone(), r.binary.clone()));
    let release = releases.into_iter().find(|r| r.at <= at);
    let is_of_before = release.as_ref().map(|r| (r.project.clone(), r.binary.clone())) != newest;
    let version = release.map(|r| {
        let name = r.commit.as_deref().unwrap_or(&r.project);
        Version { name: name.chars().take(12).collect(), since: r.at }
    });
    Ok((version, is_of_before))
}

fn follows(app: &App, story: &Story) -> Result<Option<Follows>, EngineError> {
    match &story.cause {
        StoryCause::Later { id, .. } => {
            let Ok(id) = Uuid::parse_str(id) else { return Ok(None) };
            let job = app.engine.later_job(id)?;
            Ok(job.map(|job| match job.state.as_str() {
                "waiting" => Follows::Again(job.due_at),
                "done" => Follows::Done,
                "cancelled" => Follows::Cancelled,
                _ => Follows::GivenUp,
            }))
        }
        StoryCause::Schedule { .. } => {
            let logic = app.logic.load();
            let now = app.engine.now();
            let job = logic.jobs().into_iter().find(|j| j.function == story.function);
            Ok(job.and_then(|j| j.schedule.next_after(now)).map(Follows::Scheduled))
        }
        StoryCause::Call | StoryCause::Message { .. } | StoryCause::Delay => Ok(None),
    }
}

/// Where the steps stand in the function's file of today: the one line that has their label. A label that stands there
/// twice, or not any more, is left out.
fn lines(app: &App, story: &Story, file: &str) -> HashMap<usize, String> {
    let path = app.project_dir.join(file);
    let is_small = fs::metadata(&path).is_ok_and(|m| m.len() <= MOST_SOURCE);
    let Some(text) = is_small.then(|| fs::read_to_string(&path).ok()).flatten() else {
        return HashMap::new();
    };
    let place = |step: &takt_engine::StoryStep| {
        let has_label =
            |line: &str| step.label.0.values().any(|label| line.contains(&format!("\"{label}\"")));
        let mut found = text.lines().enumerate().filter(|(_, line)| has_label(line)).map(|(at, _)| at + 1);
        match (found.next(), found.next()) {
            (Some(line), None) => Some(format!("{file}:{line}")),
            _ => None,
        }
    };
    story.steps.iter().enumerate().filter_map(|(at, step)| Some((at + 1, place(step)?))).collect()
}
