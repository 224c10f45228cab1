//! One delivery: all its attempts, its content with personal values hidden, and what a person may decide about it.
//! The whole content is shown only for a reason; that is written to the audit, as every decision is.

use std::sync::Arc;

use ::http::StatusCode;
use axum::{
    body::Body,
    extract::{Path, Query, State as AppState},
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use serde::Deserialize;
use takt_interfaces::{
    Attempt, Delivery, DeliveryDetail, DeliveryState, FUNCTIONS, InterfacesError, Outcome,
};
use takt_model::Uuid;
use takt_report::{DeliveryText, format};

use super::{
    deliveries::light,
    page::{self, Here},
    reason, refusal,
    session::{Member, MemberPost},
};
use crate::{
    app::App,
    deliveries::words::{self, connection_name, outcome_word, subject},
    tales::{self, secrets},
};

/// What a delivery's page may say besides.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Said {
    done: Option<String>,
}

/// `/studio/deliveries/{connection}/{id}`
pub(super) async fn one(
    AppState(app): AppState<Arc<App>>,
    member: Member,
    Path((_, id)): Path<(String, String)>,
    Query(said): Query<Said>,
) -> Response<Body> {
    let message = match said.done.as_deref() {
        Some("again") => page::success(words::waits_again(member.visitor.language.code())),
        Some("cancel") => page::success(words::decided(false, member.visitor.language.code())),
        Some("arrived") => page::success(words::decided(true, member.visitor.language.code())),
        _ => html! {},
    };
    shown(&app, &member, &id, None, StatusCode::OK, &message).await
}

async fn shown(
    app: &App,
    member: &Member,
    id: &str,
    reason: Option<String>,
    status: StatusCode,
    message: &Markup,
) -> Response<Body> {
    let language = member.visitor.language;
    let look = member.look(reason);
    let found = match Uuid::parse_str(id).ok().filter(|_| member.sees_report()) {
        Some(id) => tales::delivery(app, id, language.code(), &look).await,
        None => Ok(None),
    };
    let (tales::Parcel { detail, number }, told) = match found {
        Ok(Some(found)) => found,
        Ok(None) => return page::not_found(&member.visitor),
        Err(error) => return page::broken(&member.visitor, &refusal::interfaces(&error, language)),
    };
    let names = words::Names::of(app);
    let title = words::begun(&subject(&names, &detail.delivery, number.as_deref(), language.code()));
    let body = html! {
        p { a href="/studio/deliveries" { (member.t("← Zustellungen", "← Deliveries")) } }
        div.head { h1 { (title) } (light(member, detail.delivery.state)) }
        (message)
        p.lead { (told.summary) }
        @if !told.at_risk.is_empty() { div.message.note { p { (told.stands.sentence) } p { (told.at_risk) } } }
        (buttons(member, &detail.delivery))
        (facts(app, member, &detail.delivery))
        h2 { (member.t("Versuche", "Attempts")) }
        (attempts(member, &detail))
        @if !told.decisions.is_empty() {
            h2 { (member.t("Entscheidungen", "Decisions")) }
            ul { @for decision in &told.decisions { li { (decision) } } }
        }
        @if !told.later.is_empty() {
            h2 { (member.t("Was danach geschah", "What happened afterwards")) }
            ul { @for later in &told.later { li {
                a href={ "/studio/deliveries/" (later.connection) "/" (later.id) } { (later.sentence) }
            } } }
        }
        @if look.reason.is_some() { (reason::shown(member)) }
        (content(member, &detail, &told))
        @if !told.rule.is_empty() { p.soft { (told.rule) } }
    };
    page::show_with(member, status, Here::Deliveries, &title, &body)
}

fn address(delivery: &Delivery) -> String {
    format!("/studio/deliveries/{}/{}", delivery.connection, delivery.id)
}

fn buttons(member: &Member, delivery: &Delivery) -> Markup {
    let is_running = delivery.state == DeliveryState::Waiting && delivery.claimed;
    if !member.may_operate() || is_running {
        return html! {};
    }
    let is_open = delivery.state.is_stopped() || delivery.state == DeliveryState::Waiting;
    let had_arrived = (delivery.state == DeliveryState::Delivered).then(|| {
        member.t(
            "Das ist schon angekommen. Wirklich noch einmal senden?",
            "This has arrived already. Really send it again?",
        )
    });
    let (again, edit, arrived, cancel) = (
        if delivery.is_parked() {
            // Nothing is sent for it: the kept answer is judged anew.
            member.t("Noch einmal prüfen und weiter", "Check again and go on")
        } else {
            member.t("Noch einmal versuchen", "Try again")
        },
        member.t("Inhalt zeigen und ändern", "Show and change the content"),
        member.t("Ist angekommen", "It has arrived"),
        member.t("Nicht mehr senden", "Do not send any more"),
    );
    let sure = member.t("Diese Zustellung wirklich abbrechen?", "Really cancel this delivery?");
    html! {
        form.actions method="post" action=(address(delivery)) {
            (page::token(&member.visitor))
            button.primary type="submit" name="do" value="again" data-confirm=[had_arrived] { (again) }
            @if is_open { button type="submit" name="do" value="arrived" { (arrived) } }
            @if is_open { button.danger type="submit" name="do" value="cancel" data-confirm=(sure) { (cancel) } }
        }
        details.reveal {
            summary { (edit) " …" }
            form method="post" action={ (address(delivery)) "/content" } {
                (page::token(&member.visitor))
                (reason::field(member))
                button type="submit" { (edit) }
            }
        }
    }
}

fn facts(app: &App, member: &Member, d: &Delivery) -> Markup {
    let language = member.visitor.language;
    let project = app.project();
    html! {
        dl.facts.two {
            div { dt { (member.t("Verbindung", "Connection")) } dd {
                @if d.connection == FUNCTIONS || project.connection(&d.connection).is_some() {
                    a href={ "/studio/deliveries/" (d.connection) } { (connection_name(&project, &d.connection, language.code())) }
                } @else {
                    (d.connection) " (" (member.t("gibt es nicht mehr", "is gone")) ")"
                }
            } }
            div { dt { (member.t("Ereignis", "Event")) } dd { (d.name) " → " (d.operation) } }
            @if let Some(lane) = &d.lane { div { dt { (member.t("Reihenfolge", "Order")) } dd { (lane) } } }
            div { dt { (member.t("Entstanden", "Came up")) } dd { (page::moment(d.created_at, language)) } }
            @if d.state == DeliveryState::Waiting && !d.claimed {
                div { dt { (member.t("Nächster Versuch", "Next try")) } dd { (page::moment(d.next_at, language)) } }
            }
            @if let Some(at) = d.ended_at { div { dt { (member.t("Beendet", "Ended")) } dd { (page::moment(at, language)) } } }
            @if let Some(story) = d.story {
                div { dt { (member.t("Geschichte", "Story")) } dd {
                    a href={ "/studio/stories/" (story) } { (member.t("Wie es dazu kam", "How it came about")) }
                } }
            }
        }
    }
}

fn attempts(member: &Member, detail: &DeliveryDetail) -> Markup {
    let heads = [
        member.t("Versuch", "Try"),
        member.t("Wann", "When"),
        member.t("Ausgang", "Outcome"),
        member.t("Dauer", "Took"),
        member.t("Antwort", "Answer"),
        member.t("Für die Technik", "For the technician"),
    ];
    if detail.tries.is_empty() {
        return html! { p.empty { (member.t("Noch kein Versuch.", "Not tried yet.")) } };
    }
    html! {
        div.scroll tabindex="0" role="region" aria-label=(member.t("Versuche", "Attempts")) {
            table.stack {
                thead { tr { @for head in heads { th scope="col" { (head) } } } }
                tbody { @for a in &detail.tries { tr {
                    td data-label=(heads[0]) { (a.number) }
                    td data-label=(heads[1]) { (page::moment(a.at, member.visitor.language)) }
                    td data-label=(heads[2]) {
                        (outcome(member, &detail.delivery, a))
                        @if let Some(why) = why(member, a) { ": " (why) }
                    }
                    td data-label=(heads[3]) { @if let Some(took) = a.took { (format::took(took, member.visitor.language.code())) } @else { "–" } }
                    td data-label=(heads[4]) {
                        @if let Some(status) = a.status { (status) " " }
                        @if let Some(response) = &a.response { code { (response) } }
                        @if a.status.is_none() && a.response.is_none() { "–" }
                    }
                    td data-label=(heads[5]) {
                        @if let Some(request) = &a.request { code { (request) } " " }
                        @if let Some(body) = &a.body {
                            details { summary { (member.t("Was gesendet wurde", "What was sent")) } pre.content tabindex="0" { (body) } }
                        }
                        @if let Some(error) = &a.error { span.soft { (error) } }
                    }
                } } }
            }
        }
    }
}

fn outcome(member: &Member, delivery: &Delivery, attempt: &Attempt) -> &'static str {
    let code = member.visitor.language.code();
    let is_last = attempt.number == delivery.attempts;
    if attempt.outcome == Outcome::Unknown && attempt.took.is_none() && delivery.claimed && is_last {
        return words::say(code, "under way", "unterwegs");
    }
    outcome_word(attempt.outcome, code)
}

/// In plain words; the technical ones stand in the last column.
fn why(member: &Member, attempt: &Attempt) -> Option<String> {
    let error = attempt.error.as_deref().filter(|_| attempt.outcome != Outcome::Ok)?;
    Some(words::reason(attempt.outcome, attempt.cause, error, member.visitor.language.code()))
}

fn content(member: &Member, detail: &DeliveryDetail, told: &DeliveryText) -> Markup {
    let text = serde_json::to_string_pretty(&detail.payload).unwrap_or_default();
    html! {
        h2 { (member.t("Inhalt", "Content")) }
        @if detail.edited { p { (member.t("Von Hand geändert.", "Changed by hand.")) } }
        pre.content tabindex="0" { (text) }
        @if told.hides { p.soft { (member.t("Persönliche Werte sind hier verborgen.", "Personal values are hidden here.")) } }
        // Who may change the content sees it where it is changed.
        @if told.hides && member.may_reveal() && !member.may_operate() {
            (reason::form(member, &format!("{}/reveal", address(&detail.delivery))))
        }
    }
}

/// `POST /studio/deliveries/{connection}/{id}/reveal`: with personal values, for a reason.
pub(super) async fn reveal(
    AppState(app): AppState<Arc<App>>,
    Path((_, id)): Path<(String, String)>,
    post: MemberPost,
) -> Response<Body> {
    let member = post.member;
    if !member.may_reveal() {
        return page::not_found(&member.visitor);
    }
    match reason::typed(&member, &post.fields) {
        Ok(reason) => shown(&app, &member, &id, Some(reason), StatusCode::OK, &html! {}).await,
        Err(message) => shown(&app, &member, &id, None, StatusCode::UNPROCESSABLE_ENTITY, &message).await,
    }
}

/// `POST /studio/deliveries/{connection}/{id}`: again, arrived, cancel.
pub(super) async fn decide(
    AppState(app): AppState<Arc<App>>,
    Path((_, id)): Path<(String, String)>,
    post: MemberPost,
) -> Response<Body> {
    let (member, verb) = (post.member, post.fields.get("do").to_owned());
    let Some(delivery) = theirs(&app, &member, &id) else { return page::not_found(&member.visitor) };
    let done = match verb.as_str() {
        "again" => member.interfaces().replay(delivery.id, None).await,
        "arrived" => member.interfaces().decide(delivery.id, true).await,
        "cancel" => member.interfaces().decide(delivery.id, false).await,
        _ => return page::not_found(&member.visitor),
    };
    match done {
        Ok(()) => Redirect::to(&format!("{}?done={verb}", address(&delivery))).into_response(),
        Err(error) => refused(&app, &member, &id, &error).await,
    }
}

/// The delivery, for somebody who may decide about it.
fn theirs(app: &App, member: &Member, id: &str) -> Option<Delivery> {
    let id = Uuid::parse_str(id).ok().filter(|_| member.may_operate())?;
    app.interfaces.delivery(id).ok().map(|detail| detail.delivery)
}

async fn refused(app: &App, member: &Member, id: &str, error: &InterfacesError) -> Response<Body> {
    let words = refusal::interfaces(error, member.visitor.language);
    shown(app, member, id, None, StatusCode::CONFLICT, &page::problem(&words)).await
}

/// `POST /studio/deliveries/{connection}/{id}/content`: the whole content, to change it. A POST, because it is noted.
pub(super) async fn edit(
    AppState(app): AppState<Arc<App>>,
    Path((_, id)): Path<(String, String)>,
    post: MemberPost,
) -> Response<Body> {
    let member = post.member;
    let Some(delivery) = theirs(&app, &member, &id) else { return page::not_found(&member.visitor) };
    let reason = match reason::typed(&member, &post.fields) {
        Ok(reason) => reason,
        Err(message) => {
            return shown(&app, &member, &id, None, StatusCode::UNPROCESSABLE_ENTITY, &message).await;
        }
    };
    let content = match app.interfaces.content(delivery.id) {
        Ok(content) => content,
        Err(error) => return refused(&app, &member, &id, &error).await,
    };
    let parsed: Option<serde_json::Value> = serde_json::from_str(&content).ok();
    // Masked it could not be sent, and unmasked nobody may see it.
    if parsed.clone().is_some_and(|mut json| secrets::mask(&app.project(), &mut json)) {
        let words = member.t(
            "Dieser Inhalt enthält ein Geheimnis, das niemand zu sehen bekommt; er lässt sich deshalb hier nicht ändern. Unverändert noch einmal senden geht.",
            "This content holds a secret that nobody gets to see, so it cannot be changed here. It can be sent again as it is.",
        );
        return shown(&app, &member, &id, None, StatusCode::CONFLICT, &page::problem(words)).await;
    }
    let look = member.look(Some(reason)).deed("delivery.reveal", format!("delivery {}", delivery.id));
    if let Err(error) = app.engine.note_deed(look).await {
        return page::broken(&member.visitor, &refusal::engine(&error, member.visitor.language));
    }
    let pretty = parsed.and_then(|json| serde_json::to_string_pretty(&json).ok());
    form(&member, &delivery, &pretty.unwrap_or(content), StatusCode::OK, &html! {})
}

fn form(
    member: &Member,
    delivery: &Delivery,
    content: &str,
    status: StatusCode,
    message: &Markup,
) -> Response<Body> {
    let title = member.t("Inhalt ändern", "Change the content").to_owned();
    let rows = content.lines().count().clamp(6, 30);
    let body = html! {
        p { a href=(address(delivery)) { (member.t("← Zurück zur Zustellung", "← Back to the delivery")) } }
        h1 { (title) }
        (message)
        p { (member.t(
            "Was hier steht, wird von jetzt an an Stelle des ursprünglichen Inhalts gesendet. Das Ereignis selbst bleibt, wie es war.",
            "What stands here is sent from now on in the place of the original content. The event itself stays as it was.",
        )) }
        form method="post" action={ (address(delivery)) "/send" } {
            (page::token(&member.visitor))
            label for="content" { (member.t("Inhalt (JSON)", "Content (JSON)")) }
            textarea.code #content name="content" rows=(rows) spellcheck="false" required { (content) }
            div.actions {
                button.primary type="submit" { (member.t("So senden", "Send it like this")) }
                a.button href=(address(delivery)) { (member.t("Nichts ändern", "Change nothing")) }
            }
        }
    };
    page::show_with(member, status, Here::Deliveries, &title, &body)
}

/// `POST /studio/deliveries/{connection}/{id}/send`: with another content.
pub(super) async fn send(
    AppState(app): AppState<Arc<App>>,
    Path((_, id)): Path<(String, String)>,
    post: MemberPost,
) -> Response<Body> {
    let (member, content) = (post.member, post.fields.get("content").to_owned());
    let Some(delivery) = theirs(&app, &member, &id) else { return page::not_found(&member.visitor) };
    match member.interfaces().replay(delivery.id, Some(content.clone())).await {
        Ok(()) => Redirect::to(&format!("{}?done=again", address(&delivery))).into_response(),
        // What was typed is not lost.
        Err(error @ InterfacesError::Body(_)) => {
            let words = refusal::interfaces(&error, member.visitor.language);
            form(&member, &delivery, &content, StatusCode::UNPROCESSABLE_ENTITY, &page::problem(&words))
        }
        Err(error) => refused(&app, &member, &id, &error).await,
    }
}
