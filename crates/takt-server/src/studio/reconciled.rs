//! The last comparison with a connection on its page: how it ended, what differs since when, and the way to compare
//! again or to have what is missing sent or handled.

use std::sync::Arc;

use ::http::StatusCode;
use axum::{
    body::Body,
    extract::{Path, State as AppState},
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use takt_interfaces::{Difference, InterfacesError, ReconciliationState, Wish};

use super::{
    connection, page, refusal,
    session::{Member, MemberPost},
};
use crate::{
    app::App,
    deliveries::reconciled::{PATIENCE, is_offered, sentence, summary, with_patience},
};

/// Differences of one page.
const MOST_SHOWN: usize = 100;
/// What is in order again is shown for so long: microseconds of two days.
const SHOWN_AFTERWARDS: i64 = 2 * 86_400 * 1_000_000;

/// The part of the connection's page; nothing if it compares nothing.
pub(super) fn part(app: &App, member: &Member, id: &str) -> Result<Markup, InterfacesError> {
    let project = app.project();
    if project.connection(id).is_none_or(|c| c.reconcile.is_none()) {
        return Ok(html! {});
    }
    let language = member.visitor.language.code();
    let last = app.interfaces.reconciliations(id, 1)?.pop();
    let all = app.interfaces.differences(id, app.engine.now() - SHOWN_AFTERWARDS)?;
    let (open, gone): (Vec<_>, Vec<_>) = all.into_iter().partition(|d| d.gone_at.is_none());
    let can_mend = open.iter().any(|d| d.is_open() && is_offered(&project, d));
    Ok(html! {
        h2 #reconciled { (member.t("Abgleich", "Comparison")) }
        p .problem[last.as_ref().is_some_and(|l| is_trouble(l.state))] {
            @match &last {
                Some(run) => (summary(&project, run, language)),
                None => (member.t("Noch nie abgeglichen.", "Never compared yet.")),
            }
        }
        (list(&project, member, id, &open))
        @if open.len() > MOST_SHOWN {
            p.soft { "… " (open.len() - MOST_SHOWN) " " (member.t("weitere", "more")) }
        }
        (buttons(member, id, can_mend))
        @if !gone.is_empty() {
            details {
                summary { (member.t("Inzwischen in Ordnung", "In order by now")) " (" (gone.len()) ")" }
                (list(&project, member, id, &gone))
            }
        }
    })
}

fn is_trouble(state: ReconciliationState) -> bool {
    matches!(state, ReconciliationState::Failed | ReconciliationState::Implausible)
}

fn list(project: &takt_model::Project, member: &Member, id: &str, all: &[Difference]) -> Markup {
    let language = member.visitor.language.code();
    html! {
        @if !all.is_empty() {
            ul.differences {
                @for d in all.iter().take(MOST_SHOWN) {
                    li {
                        (sentence(project, d, language))
                        @if let Some(delivery) = d.delivery {
                            " " a href={ "/studio/deliveries/" (id) "/" (delivery) } { (member.t("Zustellung →", "Delivery →")) }
                        }
                        @if d.is_open() && member.may_operate() {
                            form method="post" action={ "/studio/deliveries/" (id) "/settled" } {
                                (page::token(&member.visitor))
                                input type="hidden" name="key" value=(d.key);
                                button type="submit" { (member.t("Erledigt", "Settled")) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn buttons(member: &Member, id: &str, can_mend: bool) -> Markup {
    if !member.may_operate() {
        return html! {};
    }
    html! {
        form.actions method="post" action={ "/studio/deliveries/" (id) "/reconcile" } {
            (page::token(&member.visitor))
            button type="submit" name="replay" value="no" { (member.t("Jetzt abgleichen", "Compare now")) }
            @if can_mend {
                button type="submit" name="replay" value="yes" {
                    (member.t("Abgleichen und Fehlendes nachholen", "Compare and make up for what is missing"))
                }
            }
        }
    }
}

/// `POST /studio/deliveries/{connection}/settled`
pub(super) async fn settle(Path(id): Path<String>, post: MemberPost) -> Response<Body> {
    let member = post.member;
    if !member.may_operate() {
        return page::not_found(&member.visitor);
    }
    let key = post.fields.get("key");
    match member.interfaces().settle_difference(&id, key).await {
        Ok(0) => page::not_found(&member.visitor),
        Ok(_) => {
            member.visitor.studio.forget_report().await;
            Redirect::to(&format!("/studio/deliveries/{id}?done=settled#reconciled")).into_response()
        }
        Err(error) => page::broken(&member.visitor, &refusal::interfaces(&error, member.visitor.language)),
    }
}

/// `POST /studio/deliveries/{connection}/reconcile`
pub(super) async fn compare(
    AppState(app): AppState<Arc<App>>,
    Path(id): Path<String>,
    post: MemberPost,
) -> Response<Body> {
    let member = post.member;
    if !member.may_operate() {
        return page::not_found(&member.visitor);
    }
    let replay = post.fields.get("replay") == "yes";
    let (room, studio, of) = (member.interfaces(), Arc::clone(&member.visitor.studio), id.clone());
    let work = async move {
        let done = room.reconcile(&of, Wish { dry_run: false, replay }).await;
        studio.forget_report().await;
        done
    };
    match with_patience(PATIENCE, work).await {
        Some(Ok(done)) => {
            let n = done.run.replayed;
            Redirect::to(&format!("/studio/deliveries/{id}?done=reconcile&count={n}#reconciled"))
                .into_response()
        }
        None => Redirect::to(&format!("/studio/deliveries/{id}?done=comparing#reconciled")).into_response(),
        Some(Err(InterfacesError::UnknownConnection(_))) => page::not_found(&member.visitor),
        Some(Err(error @ InterfacesError::NotCompared(_))) => {
            let words = refusal::interfaces(&error, member.visitor.language);
            connection::shown(&app, &member, &id, StatusCode::CONFLICT, &page::problem(&words))
        }
        Some(Err(error)) => {
            page::broken(&member.visitor, &refusal::interfaces(&error, member.visitor.language))
        }
    }
}
