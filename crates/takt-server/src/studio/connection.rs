//! The documentation of a connection, and what a person may do with it as a whole: pause it, let it go on, send
//! everything again that did not arrive.

use std::sync::Arc;

use ::http::StatusCode;
use axum::{
    body::Body,
    extract::{Path, Query, State as AppState},
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use serde::Deserialize;
use takt_interfaces::{ConnectionStatus, DeliveryFilter, DeliveryState, InterfacesError};

use super::{
    deliveries::state,
    drift,
    language::Language,
    page::{self, Here},
    reconciled, refusal,
    session::{Member, MemberPost},
    webhooks,
};
use crate::{
    app::App,
    deliveries::{
        about::{self, About},
        drift::heading,
    },
};

/// What the page of a connection may say besides.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Said {
    done: Option<String>,
    /// Deliveries that were put back.
    count: Option<u64>,
}

/// `/studio/deliveries/{connection}`
pub(super) async fn one(
    AppState(app): AppState<Arc<App>>,
    member: Member,
    Path(id): Path<String>,
    Query(said): Query<Said>,
) -> Response<Body> {
    shown(&app, &member, &id, StatusCode::OK, &done(&member, &said))
}

/// The page of a connection, with what has just happened to it.
pub(super) fn shown(
    app: &App,
    member: &Member,
    id: &str,
    status: StatusCode,
    message: &Markup,
) -> Response<Body> {
    if !member.sees_report() {
        return page::not_found(&member.visitor);
    }
    let (about, connection) = match look(app, member, id) {
        Ok(Some(found)) => found,
        Ok(None) => return page::not_found(&member.visitor),
        Err(error) => {
            return page::broken(&member.visitor, &refusal::interfaces(&error, member.visitor.language));
        }
    };
    let changes = match drift::part(app, member, id) {
        Ok(changes) => changes,
        Err(error) => {
            return page::broken(&member.visitor, &refusal::interfaces(&error, member.visitor.language));
        }
    };
    let reconciled = match reconciled::part(app, member, id) {
        Ok(part) => part,
        Err(error) => {
            return page::broken(&member.visitor, &refusal::interfaces(&error, member.visitor.language));
        }
    };
    let body = html! {
        p { a href="/studio/deliveries" { (member.t("← Zustellungen", "← Deliveries")) } }
        div.head { h1 { (about.name) } (state(member, &connection)) }
        (message)
        (webhooks::off(app, member, id))
        p.lead { (about.purpose) }
        (buttons(member, &connection))
        (webhooks::tools(app, member, &connection))
        (changes)
        (reconciled)
        // Differences stand above, with their samples.
        @for part in about.parts.iter().filter(|p| p.heading != heading(member.visitor.language.code())) {
            h2 { (part.heading) }
            dl.facts { @for (name, fact) in &part.facts { div { dt { (name) } dd { (fact) } } } }
        }
        p { a href={ "/studio/deliveries?connection=" (id) "#list" } { (member.t("Zustellungen dieser Verbindung →", "Deliveries of this connection →")) } }
    };
    page::show_with(member, status, Here::Deliveries, &about.name, &body)
}

fn look(app: &App, member: &Member, id: &str) -> Result<Option<(About, ConnectionStatus)>, InterfacesError> {
    let status = app.interfaces.connections()?.into_iter().find(|c| c.id == id);
    let about = about::one(app, id, member.visitor.language.code())?;
    Ok(about.zip(status))
}

fn done(member: &Member, said: &Said) -> Markup {
    let n = said.count.unwrap_or_default();
    match (said.done.as_deref(), member.visitor.language) {
        (Some("pause"), _) => page::success(member.t(
            "Angehalten. Was hinaus will, wartet; es geht nichts verloren.",
            "Paused. What wants to leave waits; nothing is lost.",
        )),
        (Some("resume"), _) => page::success(member.t("Es geht weiter.", "It goes on.")),
        (Some("accept"), Language::German) => {
            page::success(&format!("Als richtig vermerkt; {n} wartende gehen weiter."))
        }
        (Some("accept"), Language::English) => {
            page::success(&format!("Noted as right; {n} that waited go on."))
        }
        (Some("replay"), Language::German) => {
            page::success(&format!("{n} gehen noch einmal hinaus, in der Reihenfolge ihrer Entstehung."))
        }
        (Some("replay"), Language::English) => {
            page::success(&format!("{n} leave once more, in the order in which they came up."))
        }
        (Some("reconcile"), Language::German) if n > 0 => {
            page::success(&format!("Abgeglichen; {n} Fehlende nachgeholt."))
        }
        (Some("reconcile"), Language::English) if n > 0 => {
            page::success(&format!("Compared; {n} missing made up for."))
        }
        (Some("comparing"), _) => page::success(member.t(
            "Der Abgleich läuft noch; sein Ergebnis steht danach hier.",
            "The comparison is still running; its result will stand here.",
        )),
        (Some("settled"), _) => page::success(member.t("Gilt als erledigt.", "It counts as settled.")),
        (Some("reconcile"), _) => page::success(member.t("Abgeglichen.", "Compared.")),
        _ => html! {},
    }
}

/// Pause or go on, and the way to send dead letters again.
pub(super) fn buttons(member: &Member, status: &ConnectionStatus) -> Markup {
    if !member.may_operate() {
        return html! {};
    }
    let (verb, label) = if status.paused {
        ("resume", member.t("Weiter senden", "Let it go on"))
    } else {
        ("pause", member.t("Anhalten", "Pause"))
    };
    html! {
        form.actions method="post" action={ "/studio/deliveries/" (status.id) "/" (verb) } {
            (page::token(&member.visitor))
            button type="submit" { (label) }
            @if status.dead > 0 {
                a.button href={ "/studio/deliveries/" (status.id) "/replay" } { (member.t("Alle unzustellbaren noch einmal …", "Send all dead letters again …")) }
            }
        }
    }
}

/// `POST /studio/deliveries/{connection}/pause`
pub(super) async fn pause(Path(id): Path<String>, post: MemberPost) -> Response<Body> {
    set_paused(&post.member, &id, true).await
}

/// `POST /studio/deliveries/{connection}/resume`
pub(super) async fn resume(Path(id): Path<String>, post: MemberPost) -> Response<Body> {
    set_paused(&post.member, &id, false).await
}

async fn set_paused(member: &Member, id: &str, paused: bool) -> Response<Body> {
    if !member.may_operate() {
        return page::not_found(&member.visitor);
    }
    let verb = if paused { "pause" } else { "resume" };
    match member.interfaces().pause(id, paused).await {
        Ok(()) => Redirect::to(&format!("/studio/deliveries/{id}?done={verb}")).into_response(),
        Err(InterfacesError::UnknownConnection(_)) => page::not_found(&member.visitor),
        Err(error) => page::broken(&member.visitor, &refusal::interfaces(&error, member.visitor.language)),
    }
}

fn dead_letters(id: &str) -> DeliveryFilter {
    DeliveryFilter {
        connection: Some(id.to_owned()),
        state: Some(DeliveryState::Dead),
        ..DeliveryFilter::default()
    }
}

/// `/studio/deliveries/{connection}/replay`: how many it would be, before anything happens.
pub(super) async fn replay_form(
    AppState(app): AppState<Arc<App>>,
    member: Member,
    Path(id): Path<String>,
) -> Response<Body> {
    if !member.may_operate() {
        return page::not_found(&member.visitor);
    }
    let found = match look(&app, &member, &id) {
        Ok(Some((about, _))) => app.interfaces.replay_all(&dead_letters(&id), true).await.map(|r| (about, r)),
        Ok(None) => return page::not_found(&member.visitor),
        Err(error) => Err(error),
    };
    let (about, counted) = match found {
        Ok(found) => found,
        Err(error) => {
            return page::broken(&member.visitor, &refusal::interfaces(&error, member.visitor.language));
        }
    };
    let (title, n) = (about.name, counted.deliveries);
    let says = match (n, member.visitor.language) {
        (0, _) => member.t("Es gibt keine unzustellbaren.", "There are no dead letters.").to_owned(),
        (1, Language::German) => {
            "1 Zustellung würde noch einmal versucht. Noch ist nichts geschehen.".to_owned()
        }
        (n, Language::German) => {
            format!("{n} Zustellungen würden noch einmal versucht. Noch ist nichts geschehen.")
        }
        (1, Language::English) => "1 delivery would be tried again. Nothing has happened yet.".to_owned(),
        (n, Language::English) => format!("{n} deliveries would be tried again. Nothing has happened yet."),
    };
    let body = html! {
        p { a href={ "/studio/deliveries/" (id) } { "← " (title) } }
        h1 { (member.t("Alle unzustellbaren noch einmal senden", "Send all dead letters again")) }
        p.lead { (says) }
        @if n > 0 {
            form.actions method="post" action={ "/studio/deliveries/" (id) "/replay" } {
                (page::token(&member.visitor))
                button.primary type="submit" { (member.t("Jetzt senden", "Send them now")) }
                a.button href={ "/studio/deliveries/" (id) } { (member.t("Doch nicht", "Rather not")) }
            }
        }
    };
    page::show_with(&member, StatusCode::OK, Here::Deliveries, &title, &body)
}

/// `POST /studio/deliveries/{connection}/replay`
pub(super) async fn replay(
    AppState(app): AppState<Arc<App>>,
    Path(id): Path<String>,
    post: MemberPost,
) -> Response<Body> {
    let member = post.member;
    if !member.may_operate() {
        return page::not_found(&member.visitor);
    }
    match look(&app, &member, &id) {
        Ok(Some(_)) => {}
        Ok(None) | Err(_) => return page::not_found(&member.visitor),
    }
    match member.interfaces().replay_all(&dead_letters(&id), false).await {
        Ok(done) => {
            let n = done.deliveries;
            Redirect::to(&format!("/studio/deliveries/{id}?done=replay&count={n}")).into_response()
        }
        Err(error) => page::broken(&member.visitor, &refusal::interfaces(&error, member.visitor.language)),
    }
}
