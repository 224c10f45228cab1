//! Deliveries to other systems: how every connection is, what did not arrive where and why, and the list of all.
//! Who has a role in the console may look; owner and developer may act (`delivery.rs`, `connection.rs`).

use std::{collections::HashMap, sync::Arc};

use axum::{
    body::Body,
    extract::{Query, State as AppState},
    response::Response,
};
use maud::{Markup, html};
use serde::Deserialize;
use takt_interfaces::{ConnectionStatus, Delivery, DeliveryFilter, DeliveryState, InterfacesError};
use takt_model::{Project, Uuid};
use takt_report::{State, format};

use super::{
    connection,
    language::Language,
    lights::{class, shape},
    page::{self, Here},
    refusal,
    session::Member,
    webhooks,
};
use crate::{
    app::App,
    deliveries::words::{self, connection_name, connection_state, state_word},
};

/// Deliveries of one page.
const PAGE: u64 = 50;
/// Deliveries that wait for a person, above the list.
const STOPPED: u64 = 10;

/// What the list is asked for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    connection: Option<String>,
    state: Option<String>,
    before: Option<String>,
    /// Deliveries that went with a subscription that was removed.
    removed: Option<u64>,
}

/// Deliveries with what they are about.
struct Named {
    all: Vec<Delivery>,
    numbers: HashMap<Uuid, String>,
}

/// What the page shows.
struct Shown {
    connections: Vec<ConnectionStatus>,
    stopped: Named,
    list: Named,
}

/// `/studio/deliveries`
pub(super) async fn list(
    AppState(app): AppState<Arc<App>>,
    member: Member,
    Query(asked): Query<Asked>,
) -> Response<Body> {
    if !member.sees_report() {
        return page::not_found(&member.visitor);
    }
    let shown = match look(&app, &asked) {
        Ok(shown) => shown,
        Err(error) => {
            return page::broken(&member.visitor, &refusal::interfaces(&error, member.visitor.language));
        }
    };
    let names = words::Names::of(&app);
    let project = &names.project;
    let title = member.t("Zustellungen", "Deliveries").to_owned();
    let body = html! {
        h1 { (title) }
        p.lead { (member.t(
            "Was dieses Backend anderen Systemen mitteilt. Nichts geht verloren: Was nicht ankommt, wird wieder versucht oder wartet auf eine Entscheidung.",
            "What this backend tells other systems. Nothing is lost: what does not arrive is tried again or waits for a decision.",
        )) }
        (webhooks::removed(&member, asked.removed))
        (stopped(&member, &names, &shown.stopped))
        @if shown.connections.is_empty() {
            p.empty { (member.t(
                "Dieses Projekt ist mit keinem anderen System verbunden.",
                "This project is connected to no other system.",
            )) }
        } @else {
            h2 { (member.t("Verbindungen", "Connections")) }
            @for status in &shown.connections { (overview(&member, project, status)) }
        }
        (webhooks::invitation(&member))
        h2 #list { (member.t("Alle Zustellungen", "All deliveries")) }
        (filters(&member, project, &shown.connections, &asked))
        @if shown.list.all.is_empty() {
            p.empty { (member.t("Hier ist nichts.", "There is nothing here.")) }
        } @else {
            (rows(&member, &names, &shown.list))
            (older(&member, &asked, &shown.list.all))
        }
    };
    page::show(&member, Here::Deliveries, &title, &body)
}

fn look(app: &App, asked: &Asked) -> Result<Shown, InterfacesError> {
    let filter = DeliveryFilter {
        connection: asked.connection.clone(),
        state: asked.state.as_deref().and_then(DeliveryState::named),
        before: asked.before.as_deref().and_then(|id| Uuid::parse_str(id).ok()),
        ..DeliveryFilter::default()
    };
    let in_state = |state| DeliveryFilter { state: Some(state), ..DeliveryFilter::default() };
    let mut stopped = app.interfaces.deliveries(&in_state(DeliveryState::Dead), STOPPED)?;
    stopped.extend(app.interfaces.deliveries(&in_state(DeliveryState::Asking), STOPPED)?);
    Ok(Shown {
        connections: app.interfaces.connections()?,
        stopped: named(app, stopped)?,
        list: named(app, app.interfaces.deliveries(&filter, PAGE)?)?,
    })
}

fn named(app: &App, all: Vec<Delivery>) -> Result<Named, InterfacesError> {
    let numbers = app.interfaces.numbers(&all)?;
    Ok(Named { all, numbers })
}

/// How many deliveries wait for a person.
pub(super) fn needing_a_person(app: &App) -> Result<u64, InterfacesError> {
    let count =
        |state| app.interfaces.count(&DeliveryFilter { state: Some(state), ..DeliveryFilter::default() });
    Ok(count(DeliveryState::Dead)? + count(DeliveryState::Asking)?)
}

/// The line of the overview, if somebody must decide about something.
pub(super) fn invitation(member: &Member, app: &App) -> Markup {
    let n = match needing_a_person(app) {
        Ok(n) => n,
        Err(error) => {
            tracing::warn!(%error, "the overview could not count dead letters");
            return html! {};
        }
    };
    let says = match (n, member.visitor.language) {
        (0, _) => return html! {},
        (1, Language::German) => {
            "1 Zustellung ist nicht angekommen und braucht eine Entscheidung.".to_owned()
        }
        (n, Language::German) => {
            format!("{n} Zustellungen sind nicht angekommen und brauchen eine Entscheidung.")
        }
        (1, Language::English) => "1 delivery has not arrived and needs a decision.".to_owned(),
        (n, Language::English) => format!("{n} deliveries have not arrived and need a decision."),
    };
    html! {
        div.message.note {
            p { (says) " " a href="/studio/deliveries" { (member.t("Ansehen", "Look at them")) } }
        }
    }
}

fn stopped(member: &Member, names: &words::Names, stopped: &Named) -> Markup {
    html! {
        @if !stopped.all.is_empty() {
            section aria-labelledby="stopped" {
                h2 #stopped { (member.t("Braucht eine Entscheidung", "Needs a decision")) }
                (rows(member, names, stopped))
            }
        }
    }
}

fn overview(member: &Member, project: &Project, status: &ConnectionStatus) -> Markup {
    let language = member.visitor.language;
    let file = project.connection(&status.id);
    let says = |words: &takt_model::Words| words.get(language.code()).unwrap_or_default().to_owned();
    let moment = |at: Option<i64>| match at {
        Some(at) => page::moment(at, language),
        None => html! { (member.t("noch nie", "never yet")) },
    };
    html! {
        section.connection aria-labelledby={ "connection-" (status.id) } {
            div.head {
                h3 #{ "connection-" (status.id) } {
                    a href={ "/studio/deliveries/" (status.id) } { (connection_name(project, &status.id, language.code())) }
                }
                (state(member, status))
            }
            @if let Some(file) = file { p { (says(&file.purpose)) } }
            dl.facts.two {
                @if let Some(file) = file {
                    div { dt { (member.t("Wer hier dafür einsteht", "Who answers for it here")) } dd { (file.owner) } }
                    div { dt { (member.t("Wenn sie ausfällt", "If it is down")) } dd { (says(&file.outage.words)) } }
                }
                div { dt { (member.t("Wartend", "Waiting")) } dd { (format::count(status.waiting, language.code())) } }
                div { dt { (member.t("Unzustellbar", "Dead letters")) } dd { (format::count(status.dead, language.code())) } }
                div { dt { (member.t("Zu entscheiden", "To decide")) } dd { (format::count(status.asking, language.code())) } }
                div { dt { (member.t("Letzter Erfolg", "Last success")) } dd { (moment(status.last_ok_at)) } }
                div { dt { (member.t("Letzter Fehler", "Last failure")) } dd { (moment(status.last_failed_at)) } }
            }
            (connection::buttons(member, status))
        }
    }
}

/// The light of a connection with its word; while it rests, until when.
pub(super) fn state(member: &Member, status: &ConnectionStatus) -> Markup {
    let language = member.visitor.language;
    let light = match (status.paused, status.open_until) {
        (true, _) => State::NotApplicable,
        (false, Some(_)) => State::Red,
        (false, None) if words::is_unwell(status) => State::Yellow,
        (false, None) => State::Green,
    };
    html! {
        span.light.(class(light)) {
            (shape(light)) " "
            span.word {
                (connection_state(status, language.code()))
                @if let Some(until) = status.open_until.filter(|_| !status.paused) {
                    " " (member.t("bis", "until")) " " (page::moment(until, language))
                }
            }
        }
    }
}

/// The light of a delivery with its word.
pub(super) fn light(member: &Member, state: DeliveryState) -> Markup {
    let light = match state {
        DeliveryState::Waiting => State::TooYoung,
        DeliveryState::Delivered => State::Green,
        DeliveryState::Dead => State::Red,
        DeliveryState::Asking => State::Yellow,
        DeliveryState::Cancelled => State::NotApplicable,
    };
    let word = state_word(state, member.visitor.language.code());
    html! { span.light.(class(light)) { (shape(light)) " " span.word { (word) } } }
}

fn filters(member: &Member, project: &Project, connections: &[ConnectionStatus], asked: &Asked) -> Markup {
    let language = member.visitor.language.code();
    let (connection, state) = (asked.connection.as_deref(), asked.state.as_deref());
    let current = |is: bool| is.then_some("true");
    html! {
        @if connections.len() > 1 {
            nav.filter aria-label=(member.t("Nach Verbindung", "By connection")) { ul {
                li { a href=(address(None, state, None)) aria-current=[current(connection.is_none())] { (member.t("alle", "all")) } }
                @for c in connections {
                    li { a href=(address(Some(&c.id), state, None)) aria-current=[current(connection == Some(&c.id))] { (connection_name(project, &c.id, language)) } }
                }
            } }
        }
        nav.filter aria-label=(member.t("Nach Zustand", "By state")) { ul {
            li { a href=(address(connection, None, None)) aria-current=[current(state.is_none())] { (member.t("alle", "all")) } }
            @for s in DeliveryState::ALL {
                li { a href=(address(connection, Some(s.name()), None)) aria-current=[current(state == Some(s.name()))] { (state_word(s, language)) } }
            }
        } }
    }
}

fn address(connection: Option<&str>, state: Option<&str>, before: Option<Uuid>) -> String {
    // Only names of ours and of the project's files: what stands in a query is taken over only if it is one.
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let plain = |text: &&str| text.chars().all(is_name);
    let before = before.map(|id| id.to_string());
    let all = [("connection", connection), ("state", state), ("before", before.as_deref())];
    let said = all.iter().filter_map(|(k, v)| Some(format!("{k}={}", v.filter(plain)?)));
    let query = said.collect::<Vec<_>>().join("&");
    if query.is_empty() {
        "/studio/deliveries#list".to_owned()
    } else {
        format!("/studio/deliveries?{query}#list")
    }
}

fn rows(member: &Member, names: &words::Names, named: &Named) -> Markup {
    let language = member.visitor.language;
    html! {
        ul.rows { @for d in &named.all {
            @let number = named.numbers.get(&d.id).map(String::as_str);
            li { a.row href={ "/studio/deliveries/" (d.connection) "/" (d.id) } {
                (light(member, d.state))
                span.main { span { (words::sentence(names, d, number, language.code())) } }
                span.when { (page::moment(d.created_at, language)) }
            } }
        } }
    }
}

fn older(member: &Member, asked: &Asked, all: &[Delivery]) -> Markup {
    let next = all.last().filter(|_| all.len() as u64 == PAGE);
    html! {
        nav.pages aria-label=(member.t("Seiten", "Pages")) {
            @if asked.before.is_some() {
                a href=(address(asked.connection.as_deref(), asked.state.as_deref(), None)) { (member.t("← die neuesten", "← the newest")) }
            }
            @if let Some(last) = next {
                a href=(address(asked.connection.as_deref(), asked.state.as_deref(), Some(last.id))) rel="next" { (member.t("ältere →", "older →")) }
            }
        }
    }
}
