//! A delivery with everything that is known of it, ready to be told.

use takt_engine::{AuditEntry, AuditFilter};
use takt_interfaces::{
    Attempt, Delivery, DeliveryDetail, DeliveryFilter, FUNCTIONS, InterfacesError, Outcome,
};
use takt_model::{OperationKind, Uuid};
use takt_report::{AttemptFact, DeliveryFacts, DeliveryText, State, act_word, format, tell_delivery};

use super::around;
use super::secrets;
use crate::{
    app::App,
    deliveries::{about, later, words},
};

/// People's decisions that are told.
const DECISIONS: u64 = 50;
/// What came of an answer, that is told.
const AFTER: u64 = 50;

/// What is known of a delivery, as programs get it.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct Parcel {
    #[serde(flatten)]
    pub(crate) detail: DeliveryDetail,
    /// What people call what it is about.
    pub(crate) number: Option<String>,
}

/// A delivery as it is told in `language`; with `revealed`, with the personal values of its content.
pub(crate) fn parcel(
    app: &App,
    id: Uuid,
    language: &str,
    revealed: bool,
) -> Result<(Parcel, DeliveryText), InterfacesError> {
    let mut detail = app.interfaces.delivery(id)?;
    let number = app.interfaces.numbers(std::slice::from_ref(&detail.delivery))?.remove(&id);
    if revealed {
        detail.payload = serde_json::from_str(&app.interfaces.content(id)?).unwrap_or_default();
        secrets::mask(&app.project(), &mut detail.payload);
    }
    let names = words::Names::of(app);
    let d = &detail.delivery;
    let because = match d.story {
        Some(story) => around::because(app, story, language)?,
        None => None,
    };
    let after = DeliveryFilter { story: Some(id), ..DeliveryFilter::default() };
    let mut after = app.interfaces.deliveries(&after, AFTER)?;
    after.reverse();
    let mut here = later::of(app, std::slice::from_ref(d), language)?;
    let subject = match &number {
        None if is_question(app, d) => d.operation.clone(),
        number => words::begun(&words::subject(&names, d, number.as_deref(), language)),
    };
    let content = if detail.payload.is_null() { String::new() } else { detail.payload.to_string() };
    let decided = AuditFilter { subject: Some(format!("delivery {id}")), ..AuditFilter::default() };
    let mut decided = app.engine.audit(&decided, DECISIONS)?;
    decided.reverse();
    let zone = names.project.settings.time_zone.clone();
    let Some(stands) = here.pop() else { return Err(InterfacesError::UnknownDelivery(id)) };
    let facts = DeliveryFacts {
        subject,
        sentence: words::sentence(&names, d, number.as_deref(), language),
        later: stands,
        is_question: is_question(app, d),
        was_answered: d.outcome == Some(Outcome::Ok),
        created_at: d.created_at,
        attempts: detail.tries.iter().map(|a| attempt(a, d, language)).collect(),
        because,
        rule: rule(app, d, language),
        hides: !revealed && content.contains("•••"),
        content,
        edited: detail.edited,
        decisions: decided.iter().filter_map(|e| decision(e, language, &zone)).collect(),
        after: later::of(app, &after, language)?,
        technical: technical(&detail, language),
    };
    let told = tell_delivery(&facts, language, &zone);
    Ok((Parcel { detail, number }, told))
}

fn is_question(app: &App, d: &Delivery) -> bool {
    let project = app.project();
    let operation = project.connection(&d.connection);
    let operation = operation.and_then(|c| c.operations.iter().find(|o| o.name == d.operation));
    operation.is_some_and(|o| matches!(o.kind, OperationKind::Poll(_)))
}

fn attempt(a: &Attempt, d: &Delivery, language: &str) -> AttemptFact {
    let runs = a.outcome == Outcome::Unknown && a.took.is_none() && d.claimed && a.number == d.attempts;
    let (outcome, state) = match a.outcome {
        _ if runs => (words::say(language, "under way", "unterwegs"), State::Yellow),
        Outcome::Ok => (words::outcome_word(a.outcome, language), State::Green),
        Outcome::Unknown => (words::outcome_word(a.outcome, language), State::Yellow),
        Outcome::Refused | Outcome::Failed => (words::outcome_word(a.outcome, language), State::Red),
    };
    AttemptFact {
        number: a.number,
        at: a.at,
        took: a.took,
        outcome: outcome.to_owned(),
        state,
        status: a.status,
        why: match a.outcome {
            Outcome::Ok => String::new(),
            // The process ended meanwhile, or it runs.
            Outcome::Unknown if a.took.is_none() && a.cause.is_none() => String::new(),
            outcome => words::reason(outcome, a.cause, a.error.as_deref().unwrap_or_default(), language),
        },
        error: a.error.clone(),
        request: a.request.clone(),
        response: a.response.clone(),
    }
}

/// Which rule wanted it, and where that is written down; empty if it is gone.
fn rule(app: &App, d: &Delivery, language: &str) -> String {
    let project = app.project();
    if d.connection == FUNCTIONS {
        let file = app.logic.load().function(&d.operation).map(|f| f.source.file.clone());
        let file = file.unwrap_or_else(|| d.operation.clone());
        return match language {
            "de" => format!("Warum: {file} wartet auf „{}“.", d.name),
            _ => format!("Why: {file} waits for \"{}\".", d.name),
        };
    }
    // Of what is gone nobody can say why it wanted this.
    let Some(connection) = project.connection(&d.connection) else { return String::new() };
    let Some(operation) = connection.operations.iter().find(|o| o.name == d.operation) else {
        return String::new();
    };
    let (source, says) = (about::source(connection, language), about::operation(operation, language));
    match language {
        "de" => format!("Warum: {source}, „{}“: {says}.", d.operation),
        _ => format!("Why: {source}, \"{}\": {says}.", d.operation),
    }
}

/// A decision about it, as a sentence; looks are none.
fn decision(entry: &AuditEntry, language: &str, zone: &str) -> Option<String> {
    if entry.act.ends_with(".look") || entry.act.ends_with(".reveal") {
        return None;
    }
    let when = format::moment_in(entry.at, language, zone);
    Some(format!("{when}: {} – {}", entry.name, act_word(&entry.act, language)))
}

fn technical(detail: &DeliveryDetail, language: &str) -> Vec<(String, String)> {
    let d = &detail.delivery;
    let line = |en: &str, de: &str, text: String| (words::say(language, en, de).to_owned(), text);
    let mut lines = vec![
        line("Delivery", "Zustellung", d.id.to_string()),
        line("Event", "Ereignis", format!("{} {}", d.name, d.event)),
        line("Operation", "Vorgang", format!("{}.{}", d.connection, d.operation)),
    ];
    if let Some(lane) = &d.lane {
        lines.push(line("Lane", "Spur", lane.clone()));
    }
    if let Some(story) = d.story {
        lines.push(line("Story", "Geschichte", story.to_string()));
    }
    // Our own functions tell a story of their own.
    let own = detail.tries.iter().rev().find_map(|a| a.response.as_deref()?.strip_prefix("story "));
    if let (FUNCTIONS, Some(own)) = (d.connection.as_str(), own) {
        lines.push(line("Its story", "Ihre Geschichte", own.to_owned()));
    }
    lines
}
