//! The audit: who looked at what and decided what, when, from where and why. For owner and auditor; nobody changes it.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, Query, State as AppState},
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use serde::Deserialize;
use takt_engine::{ActorKind, AuditEntry, AuditFilter};
use takt_model::Uuid;
use takt_report::{act_word, subject_words};

use super::{
    page::{self, Here},
    refusal,
    session::Member,
};
use crate::app::App;

/// Rows of one page.
const PAGE: u64 = 100;
/// Acts about what goes to other systems and comes from them.
const DELIVERIES: [&str; 6] = ["delivery", "deliveries", "connection", "webhook", "drift", "reconcile"];

/// What the page is asked for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    /// `stories`, `deliveries`; `reveal`: only looks at personal values.
    only: Option<String>,
    before: Option<String>,
}

/// `/studio/audit`
pub(super) async fn list(
    AppState(app): AppState<Arc<App>>,
    member: Member,
    Query(asked): Query<Asked>,
) -> Response<Body> {
    if !member.may_audit() {
        return page::not_found(&member.visitor);
    }
    let acts: &[&str] = match asked.only.as_deref() {
        Some("stories") => &["story"],
        Some("reveal") => &["story.reveal", "delivery.reveal"],
        Some("deliveries") => &DELIVERIES,
        Some(_) | None => &[],
    };
    let acts = acts.iter().map(|act| (*act).to_owned()).collect();
    let before = asked.before.as_deref().and_then(|id| Uuid::parse_str(id).ok());
    let wanted = AuditFilter { acts, before, ..AuditFilter::default() };
    let rows = match app.engine.audit(&wanted, PAGE) {
        Ok(rows) => rows,
        Err(error) => {
            return page::broken(&member.visitor, &refusal::engine(&error, member.visitor.language));
        }
    };
    app.looks.note(&app.engine, &member.look(None), "audit.look", "audit".to_owned()).await;
    let title = member.t("Protokoll", "Audit").to_owned();
    let body = html! {
        h1 { (title) }
        p.lead { (member.t(
            "Wer was angesehen oder entschieden hat, wann, von wo und warum. Hier kommt nur hinzu; ändern kann es niemand.",
            "Who looked at what or decided what, when, from where and why. Rows are only added; nobody can change them.",
        )) }
        (choices(&member, asked.only.as_deref()))
        @if rows.is_empty() {
            p.empty { (member.t("Es ist nichts vermerkt.", "Nothing was written down.")) }
        } @else {
            (table(&member, &rows))
            @if rows.len() as u64 == PAGE && let Some(last) = rows.last() {
                p { a.button href={ "/studio/audit?before=" (last.id) @if let Some(only) = &asked.only { "&only=" (only) } } {
                    (member.t("Ältere", "Older"))
                } }
            }
        }
    };
    page::show(&member, Here::Audit, &title, &body)
}

fn choices(member: &Member, chosen: Option<&str>) -> Markup {
    let all = [
        (None, member.t("Alles", "Everything")),
        (Some("reveal"), member.t("Persönliche Werte", "Personal values")),
        (Some("stories"), member.t("Geschichten", "Stories")),
        (Some("deliveries"), member.t("Zustellungen", "Deliveries")),
    ];
    html! {
        nav.filter aria-label=(member.t("Nach Art", "By kind")) { ul { @for (only, label) in all {
            li { a href={ "/studio/audit" @if let Some(only) = only { "?only=" (only) } }
                aria-current=[(only == chosen).then_some("true")] { (label) } }
        } } }
    }
}

fn table(member: &Member, rows: &[AuditEntry]) -> Markup {
    let language = member.visitor.language;
    let heads = [
        member.t("Wann", "When"),
        member.t("Wer", "Who"),
        member.t("Was", "What"),
        member.t("Worum es ging", "About"),
        member.t("Grund", "Reason"),
    ];
    html! {
        div.scroll tabindex="0" role="region" aria-label=(member.t("Protokoll", "Audit")) {
            table.stack {
                thead { tr { @for head in heads { th scope="col" { (head) } } } }
                tbody { @for row in rows { tr {
                    td data-label=(heads[0]) { (page::moment(row.at, language)) }
                    td data-label=(heads[1]) { (row.name) " " span.soft { (from(member, row)) } }
                    td data-label=(heads[2]) { (act_word(&row.act, language.code())) }
                    td data-label=(heads[3]) { (about(&row.subject, language.code())) }
                    td data-label=(heads[4]) { @if let Some(reason) = &row.reason { (reason) } @else { "–" } }
                } } }
            }
        }
    }
}

fn from(member: &Member, row: &AuditEntry) -> String {
    match row.actor {
        ActorKind::Account | ActorKind::Key => row.place.clone(),
        ActorKind::Command => member.t("Befehl", "command").to_owned(),
    }
}

/// A link to the story or delivery, if it is about one.
fn about(subject: &str, language: &str) -> Markup {
    let words = subject_words(subject, language);
    match subject.split_once(' ') {
        Some(("story" | "delivery", id)) if Uuid::parse_str(id).is_ok() => {
            html! { a href={ "/studio/tales/" (id) } { (words) } }
        }
        _ => html! { (words) },
    }
}

/// `/studio/tales/{id}`: the page of the story or delivery with this id, or of the story that wrote this number.
pub(super) async fn tale(
    AppState(app): AppState<Arc<App>>,
    member: Member,
    Path(id): Path<String>,
) -> Response<Body> {
    if !member.sees_report() {
        return page::not_found(&member.visitor);
    }
    let Ok(id) = Uuid::parse_str(&id) else {
        return match app.engine.story_of_number(&id) {
            Ok(Some(story)) => Redirect::to(&format!("/studio/stories/{}", story.id)).into_response(),
            Ok(None) => page::not_found(&member.visitor),
            Err(error) => page::broken(&member.visitor, &refusal::engine(&error, member.visitor.language)),
        };
    };
    match app.engine.story(id) {
        Ok(Some(_)) => return Redirect::to(&format!("/studio/stories/{id}")).into_response(),
        Ok(None) => {}
        Err(error) => {
            return page::broken(&member.visitor, &refusal::engine(&error, member.visitor.language));
        }
    }
    match app.interfaces.delivery(id) {
        Ok(found) => {
            let connection = found.delivery.connection;
            Redirect::to(&format!("/studio/deliveries/{connection}/{id}")).into_response()
        }
        Err(_) => page::not_found(&member.visitor),
    }
}
