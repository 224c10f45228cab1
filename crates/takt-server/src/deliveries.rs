//! What commands ask about deliveries and the secrets of connections, and how it is told in words.

pub(crate) mod about;
pub(crate) mod drift;
pub(crate) mod facts;
pub(crate) mod later;
mod reasons;
pub(crate) mod reconciled;
pub(crate) mod verdicts;
pub(crate) mod words;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use takt_engine::Actor;
use takt_interfaces::{
    Attempt, ConnectionStatus, Delivery, DeliveryDetail, DeliveryFilter, DeliveryState, FUNCTIONS, Interfaces,
};
use takt_model::{Uuid, Value, did_you_mean};

use crate::{
    admin::{refusal::Refusal, sentence},
    app::App,
    deliveries::words::{connection_state, outcome_word, say, source_word, state_word},
    http::webhooks,
    people::Look,
};

/// What a command asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case")]
pub enum DeliveriesRequest {
    /// Deliveries, newest first.
    List {
        /// Which.
        wanted: Wanted,
        /// At most so many.
        limit: u64,
        /// `de` or `en`.
        language: String,
    },
    /// How every connection is.
    Connections {
        /// With everything that is known of each: what its file says and what was seen.
        about: bool,
        /// `de` or `en`.
        language: String,
    },
    /// How messages of other systems differ from what is agreed.
    Drift {
        /// Of one connection.
        connection: Option<String>,
        /// `de` or `en`.
        language: String,
    },
    /// A difference is right so.
    Accept {
        /// Its id.
        id: String,
        /// `de` or `en`.
        language: String,
    },
    /// One delivery with its attempts.
    Show {
        /// Its id.
        id: String,
        /// `de` or `en`.
        language: String,
    },
    /// Puts one delivery back, with another body if one is given.
    Replay {
        /// Its id.
        id: String,
        /// JSON text.
        body: Option<String>,
        /// `de` or `en`.
        language: String,
    },
    /// Puts all deliveries back that fit.
    ReplayAll {
        /// Which; if no state is said, dead letters.
        wanted: Wanted,
        /// In every state that is not waiting, what has arrived too.
        #[serde(default)]
        all: bool,
        /// Only counts them.
        dry_run: bool,
        /// `de` or `en`.
        language: String,
    },
    /// A delivery shall not leave any more, or has arrived.
    Decide {
        /// Its id.
        id: String,
        /// Whether it has arrived.
        arrived: bool,
        /// `de` or `en`.
        language: String,
    },
    /// Compares with the other side now.
    Reconcile {
        /// With whom; with everybody if nothing is said.
        connection: Option<String>,
        /// Only looks.
        dry_run: bool,
        /// Sends or handles what is missing.
        replay: bool,
        /// `de` or `en`.
        language: String,
    },
    /// What does not agree about something is settled.
    Settle {
        /// With whom it does not agree.
        connection: String,
        /// What both sides call it: `B-2026-00012`.
        key: String,
        /// `de` or `en`.
        language: String,
    },
    /// Sends a signed test event to a webhook that goes out, and says what came of it.
    Test {
        /// Its name.
        connection: String,
        /// `de` or `en`.
        language: String,
    },
    /// Stops a connection, or lets it go on.
    Pause {
        /// Its name.
        connection: String,
        /// Whether it is to stop.
        paused: bool,
        /// `de` or `en`.
        language: String,
    },
}

impl DeliveriesRequest {
    /// The language of the answer.
    pub(crate) fn language(&self) -> &str {
        match self {
            Self::List { language, .. }
            | Self::Connections { language, .. }
            | Self::Drift { language, .. }
            | Self::Accept { language, .. }
            | Self::Show { language, .. }
            | Self::Replay { language, .. }
            | Self::ReplayAll { language, .. }
            | Self::Decide { language, .. }
            | Self::Reconcile { language, .. }
            | Self::Settle { language, .. }
            | Self::Test { language, .. }
            | Self::Pause { language, .. } => language,
        }
    }
}

/// Which deliveries a command means, in the words of the command line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// Of one connection.
    pub connection: Option<String>,
    /// In one state.
    pub state: Option<String>,
    /// Of one ordering key.
    pub lane: Option<String>,
    /// Caused by one story.
    pub story: Option<String>,
    /// Dispatched at or after: `2026-11-26T09:00:00Z`.
    pub since: Option<String>,
    /// Dispatched before.
    pub until: Option<String>,
}

impl Wanted {
    fn filter(&self) -> Result<DeliveryFilter, Refusal> {
        let moment = |text: &Option<String>| text.as_deref().map(moment).transpose();
        let state = |name: &String| {
            let names: Vec<_> = DeliveryState::ALL.iter().map(|s| s.name()).collect();
            let names = names.join(", ");
            let unknown = || {
                Refusal::words(
                    format!("There is no state `{name}`; there are: {names}."),
                    format!("Einen Zustand `{name}` gibt es nicht; es gibt: {names}."),
                )
            };
            DeliveryState::named(name).ok_or_else(unknown)
        };
        Ok(DeliveryFilter {
            connection: self.connection.clone(),
            state: self.state.as_ref().map(state).transpose()?,
            lane: self.lane.clone(),
            story: self.story.as_deref().map(id).transpose()?,
            since: moment(&self.since)?,
            until: moment(&self.until)?,
            before: None,
        })
    }
}

pub(crate) fn moment(text: &str) -> Result<i64, Refusal> {
    match takt_model::FieldType::Timestamp.parse_text(text) {
        Ok(Value::Timestamp(at)) => Ok(at),
        _ => Err(Refusal::words(
            format!("`{text}` is no moment; write 2026-11-26T09:00:00Z."),
            format!("`{text}` ist kein Zeitpunkt; er heißt etwa 2026-11-26T09:00:00Z."),
        )),
    }
}

pub(crate) fn id(text: &str) -> Result<Uuid, Refusal> {
    let none =
        || Refusal::words(format!("`{text}` is no id."), format!("`{text}` ist keine gültige Kennung."));
    Uuid::parse_str(text).map_err(|_| none())
}

/// Does what a command asks, for somebody; `text` of the answer is for people.
pub(crate) async fn execute(app: &App, by: &Actor, request: DeliveriesRequest) -> Result<Json, Refusal> {
    let room = &app.interfaces.acting_for(by.clone());
    Ok(match request {
        DeliveriesRequest::List { wanted, limit, language } => {
            let filter = wanted.filter()?;
            is_known(app, room, &filter)?;
            let found = room.deliveries(&filter, limit)?;
            let text = if found.is_empty() {
                say(&language, "There are no such deliveries.", "Es gibt keine solchen Zustellungen.")
                    .to_owned()
            } else {
                found.iter().map(|d| line(d, &language)).collect::<Vec<_>>().join("\n")
            };
            json!({ "deliveries": found, "text": text })
        }
        DeliveriesRequest::Connections { about: true, language } => {
            let all = about::all(app, &language)?;
            let text = all.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n\n");
            json!({ "connections": all, "text": text })
        }
        DeliveriesRequest::Connections { about: false, language } => {
            let all = room.connections()?;
            let text = all.iter().map(|c| connection_line(c, &language)).collect::<Vec<_>>().join("\n");
            json!({ "connections": all, "text": text })
        }
        DeliveriesRequest::Drift { connection, language } => {
            let all = drift::all(app, connection.as_deref())?;
            let project = app.project();
            let text = if all.is_empty() {
                let german = "Alle Nachrichten anderer Systeme sind wie vereinbart.";
                say(&language, "All messages of other systems are as agreed.", german).to_owned()
            } else {
                all.iter().map(|d| drift::told(&project, d, &language)).collect::<Vec<_>>().join("\n")
            };
            json!({ "changes": all, "text": text })
        }
        DeliveriesRequest::Accept { id: text, language } => {
            let gone_on = room.accept(id(&text)?).await?;
            let text = match (gone_on, language.as_str()) {
                (1, "de") => "Als richtig vermerkt; eine wartende Zustellung geht weiter.".to_owned(),
                (n, "de") => format!("Als richtig vermerkt; {n} wartende Zustellungen gehen weiter."),
                (1, _) => "It is accepted; one parked delivery goes on.".to_owned(),
                (n, _) => format!("It is accepted; {n} parked deliveries go on."),
            };
            json!({ "deliveries": gone_on, "text": text })
        }
        DeliveriesRequest::Show { id: text, language } => {
            let detail = room.delivery(id(&text)?)?;
            let look = Look { by: by.clone(), reason: None };
            let subject = format!("delivery {}", detail.delivery.id);
            app.looks.note(&app.engine, &look, "delivery.look", subject).await;
            let text = told(&detail, &language);
            json!({ "delivery": detail, "text": text })
        }
        DeliveriesRequest::Replay { id: text, body, language } => {
            room.replay(id(&text)?, body).await?;
            json!({ "text": words::waits_again(&language) })
        }
        DeliveriesRequest::ReplayAll { wanted, all, dry_run, language } => {
            let mut filter = wanted.filter()?;
            is_known(app, room, &filter)?;
            if filter.state.is_none() && !all {
                filter.state = Some(DeliveryState::Dead);
            }
            let replayed = room.replay_all(&filter, dry_run).await?;
            let (deliveries, delivered) = (replayed.deliveries, replayed.delivered);
            let text = words::put_back(&replayed, &language);
            json!({ "deliveries": deliveries, "delivered": delivered, "dry_run": dry_run, "text": text })
        }
        DeliveriesRequest::Decide { id: text, arrived, language } => {
            room.decide(id(&text)?, arrived).await?;
            json!({ "text": words::decided(arrived, &language) })
        }
        DeliveriesRequest::Reconcile { connection, dry_run, replay, language } => {
            let wish = takt_interfaces::Wish { dry_run, replay };
            reconciled::compare(app, room, connection, wish, &language).await?
        }
        DeliveriesRequest::Settle { connection, key, language } => {
            reconciled::settle(room, &connection, &key, &language).await?
        }
        DeliveriesRequest::Test { connection, language } => {
            let probe = room.probe(&connection).await?;
            let mut told = webhooks::probed(&probe);
            let answer = probe.answer.as_ref().map(|a| format!("\n  {a}")).unwrap_or_default();
            told["text"] = format!("{}{answer}", verdicts::sentence(&probe, &language)).into();
            told
        }
        DeliveriesRequest::Pause { connection, paused, language } => {
            room.pause(&connection, paused).await?;
            json!({ "text": words::paused(&connection, paused, &language) })
        }
    })
}

/// A name that nobody has is a slip, and "nothing found" would hide it. What a connection left behind that is gone can
/// still be looked at.
fn is_known(app: &App, room: &Interfaces, filter: &DeliveryFilter) -> Result<(), Refusal> {
    let Some(name) = &filter.connection else { return Ok(()) };
    let project = app.project();
    let known = || project.connections.iter().map(|c| c.id.as_str()).chain([FUNCTIONS]);
    let of_it = DeliveryFilter { connection: Some(name.clone()), ..DeliveryFilter::default() };
    if known().any(|id| id == name) || room.count(&of_it)? > 0 {
        return Ok(());
    }
    let near = did_you_mean(name, known()).map(|near| format!(": {near}")).unwrap_or_default();
    let english = sentence(&format!("There is no connection `{name}`{near}"));
    Err(Refusal::words(english, format!("Es gibt keine Verbindung „{name}“.")))
}

fn time(at: i64) -> String {
    takt_model::ValueRef::Timestamp(at).to_text().get(..19).unwrap_or_default().replace('T', " ")
}

fn line(d: &Delivery, language: &str) -> String {
    let to = format!("{} -> {}.{}", d.name, d.connection, d.operation);
    let error = if d.state == DeliveryState::Delivered { String::new() } else { words::why(d, language) };
    let state = state_word(d.state, language);
    format!("{}  {}  {state:<12}  {to:<44} {:>2}x  {error}", d.id, time(d.created_at), d.attempts)
}

fn connection_line(c: &ConnectionStatus, language: &str) -> String {
    let state = match c.open_until.filter(|_| !c.paused) {
        Some(until) => format!("{} {}", say(language, "resting until", "ruht bis"), time(until)),
        None => connection_state(c, language).to_owned(),
    };
    let (waiting, dead, asking) = (c.waiting, c.dead, c.asking);
    let counts = match language {
        "de" => format!("{waiting} warten, {dead} unzustellbar, {asking} offen zu entscheiden"),
        _ => format!("{waiting} waiting, {dead} dead letters, {asking} to decide"),
    };
    format!("{:<20} {:<13} {state:<32} {counts}", c.id, source_word(c.source, language))
}

fn told(detail: &DeliveryDetail, language: &str) -> String {
    let d = &detail.delivery;
    let mut text = line(d, language);
    if let Some(lane) = &d.lane {
        text.push_str(&format!("\n{}: {lane}", say(language, "Lane", "Spur")));
    }
    for attempt in &detail.tries {
        text.push_str(&format!("\n  {}", attempt_line(attempt, language)));
        for (name, said) in [
            (say(language, "sent", "gesendet"), &attempt.body),
            (say(language, "answer", "Antwort"), &attempt.response),
        ] {
            if let Some(said) = said {
                text.push_str(&format!("\n      {name}: {said}"));
            }
        }
    }
    let what = match (detail.edited, language) {
        (true, "de") => "Inhalt (von Hand geändert)",
        (true, _) => "Content (changed by hand)",
        (false, "de") => "Inhalt",
        (false, _) => "Content",
    };
    text.push_str(&format!("\n{what}: {}", detail.payload));
    text
}

fn attempt_line(a: &Attempt, language: &str) -> String {
    let took = a.took.map_or_else(String::new, |t| format!(" ({} ms)", t / 1000));
    let status = a.status.map_or_else(String::new, |s| format!(" {s}"));
    let why = a
        .error
        .as_deref()
        .map_or_else(String::new, |e| format!(" - {} [{e}]", words::reason(a.outcome, a.cause, e, language)));
    let request = a.request.as_deref().unwrap_or_default();
    format!("{} {}: {}{status}{took} {request}{why}", time(a.at), a.number, outcome_word(a.outcome, language))
}
