//! Jobs: what the clock sets off, how the last runs ended, what waits and what has stopped.
//! Who has a role in the console may look; owner and developer may act.

use std::sync::Arc;

use ::http::StatusCode;
use axum::{
    body::Body,
    extract::{Path, Query, State as AppState},
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use serde::Deserialize;
use takt_engine::LaterJobChange;
use takt_model::Uuid;
use takt_report::State;

use super::{
    lights::{class, shape},
    page::{self, Here},
    refusal,
    session::{Member, MemberPost},
};
use crate::{
    app::App,
    jobs::{self, DelayedJob, JobFunction, Jobs},
};

/// What the page may say besides.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Said {
    done: Option<String>,
}

/// `/studio/jobs`
pub(super) async fn list(
    AppState(app): AppState<Arc<App>>,
    member: Member,
    Query(said): Query<Said>,
) -> Response<Body> {
    let message = match said.done.as_deref() {
        Some("run") => page::success(
            member.t("Die Aufgabe läuft in der nächsten Sekunde.", "The job runs within the next second."),
        ),
        Some("cancel") => {
            page::success(member.t("Die Aufgabe wird nicht erledigt.", "The job will not be done."))
        }
        Some(_) | None => html! {},
    };
    shown(&app, &member, StatusCode::OK, &message)
}

fn shown(app: &App, member: &Member, status: StatusCode, message: &Markup) -> Response<Body> {
    if !member.sees_report() {
        return page::not_found(&member.visitor);
    }
    let language = member.visitor.language;
    let jobs = match jobs::look(app, language.code()) {
        Ok(jobs) => jobs,
        Err(error) => return page::broken(&member.visitor, &refusal::engine(&error, language)),
    };
    let title = member.t("Aufgaben", "Jobs").to_owned();
    let body = html! {
        h1 { (title) }
        p.lead { (member.t(
            "Was nach Plan oder verzögert von selbst geschieht, und was davon auf eine Entscheidung wartet.",
            "What happens by itself, on schedule or later, and what of it waits for a decision.",
        )) }
        (message)
        (lists(member, &jobs))
    };
    page::show_with(member, status, Here::Jobs, &title, &body)
}

fn lists(member: &Member, jobs: &Jobs) -> Markup {
    html! {
        @if !jobs.stopped.is_empty() {
            h2 { (member.t("Stehen geblieben", "Stopped")) }
            p { (member.t("Das wird nicht mehr von selbst versucht. Bitte entscheiden Sie.", "This is not tried again by itself. Please decide.")) }
            (delayed(member, &jobs.stopped, State::Red))
        }
        h2 { (member.t("Nach Plan", "On schedule")) }
        @if jobs.functions.is_empty() {
            p.empty { (member.t("Dieses Projekt hat keine Aufgaben.", "This project has no jobs.")) }
        } @else {
            ul.rows { @for job in &jobs.functions { li { (function(member, job)) } } }
        }
        h2 { (member.t("Wartend", "Waiting")) }
        @if jobs.waiting.is_empty() {
            p.empty { (member.t("Keine Aufgabe wartet.", "No job is waiting.")) }
        } @else {
            (delayed(member, &jobs.waiting, State::Yellow))
        }
    }
}

fn function(member: &Member, job: &JobFunction) -> Markup {
    let language = member.visitor.language;
    let state = match job.last.as_ref().map(|l| l.result.as_str()) {
        Some("success") => State::Green,
        Some("refused") => State::Yellow,
        Some(_) => State::Red,
        None => State::NotApplicable,
    };
    html! {
        div.row {
            span.light.(class(state)) { (shape(state)) }
            span.main {
                strong { (job.label) }
                span.soft {
                    @if job.schedule.is_empty() { (member.t("auf Wunsch", "on request")) } @else { code { (job.schedule) } }
                    @if let Some(next) = job.next { " · " (member.t("nächstes Mal ", "next ")) (page::moment(next, language)) }
                }
                @if let Some(last) = &job.last {
                    span.soft {
                        (member.t("Zuletzt ", "Last ")) (page::moment(last.at, language)) ": "
                        (jobs::result_word(&last.result, language.code()))
                        @if !job.why.is_empty() { " – " (job.why) }
                        @if let Some(story) = last.story { " · " a href={ "/studio/stories/" (story) } { (member.t("Geschichte", "Story")) } }
                    }
                }
            }
        }
        @if member.may_operate() {
            form.actions method="post" action={ "/studio/jobs/run/" (job.function) } {
                (page::token(&member.visitor))
                button type="submit" { (member.t("Jetzt ausführen", "Run now")) }
            }
        }
    }
}

fn delayed(member: &Member, all: &[DelayedJob], state: State) -> Markup {
    let language = member.visitor.language;
    html! {
        ul.rows { @for job in all { li {
            div.row {
                span.light.(class(state)) { (shape(state)) }
                span.main {
                    strong { (job.label) }
                    span.soft {
                        (member.t("fällig ", "due ")) (page::moment(job.due_at, language))
                        " · " (member.t("Fehlversuche: ", "failed tries: ")) (job.attempts)
                        @if let Some(story) = job.story { " · " a href={ "/studio/stories/" (story) } { (member.t("Geschichte", "Story")) } }
                        @if let Some(story) = job.asked_by { " · " a href={ "/studio/stories/" (story) } { (member.t("Wie es dazu kam", "How it came about")) } }
                    }
                    @if !job.why.is_empty() { span { (job.why) } }
                }
            }
            @if member.may_operate() {
                form.actions method="post" action={ "/studio/jobs/" (job.id) } {
                    (page::token(&member.visitor))
                    button type="submit" name="do" value="retry" { (member.t("Jetzt erledigen", "Do it now")) }
                    button.danger type="submit" name="do" value="cancel"
                        data-confirm=(member.t("Diese Aufgabe wirklich abbrechen?", "Really cancel this job?")) {
                        (member.t("Nicht mehr erledigen", "Do not do it"))
                    }
                }
            }
        } } }
    }
}

/// `POST /studio/jobs/run/{function}`
pub(super) async fn run(
    AppState(app): AppState<Arc<App>>,
    Path(function): Path<String>,
    post: MemberPost,
) -> Response<Body> {
    let member = post.member;
    if !member.may_operate() {
        return page::not_found(&member.visitor);
    }
    match jobs::run(&app, &member.actor(), &function).await {
        Ok(Some(_)) => Redirect::to("/studio/jobs?done=run").into_response(),
        Ok(None) => page::not_found(&member.visitor),
        Err(error) => page::broken(&member.visitor, &refusal::engine(&error, member.visitor.language)),
    }
}

/// `POST /studio/jobs/{id}`: retry, cancel.
pub(super) async fn decide(
    AppState(app): AppState<Arc<App>>,
    Path(id): Path<String>,
    post: MemberPost,
) -> Response<Body> {
    let member = post.member;
    let (to, done) = match post.fields.get("do") {
        "cancel" => (LaterJobChange::Cancel, "cancel"),
        "retry" => (LaterJobChange::Now, "run"),
        _ => return page::not_found(&member.visitor),
    };
    let Some(id) = Uuid::parse_str(&id).ok().filter(|_| member.may_operate()) else {
        return page::not_found(&member.visitor);
    };
    match jobs::change(&app, &member.actor(), id, to).await {
        Ok(true) => Redirect::to(&format!("/studio/jobs?done={done}")).into_response(),
        Ok(false) => {
            let words = member.t(
                "Das geht nicht mehr: Die Aufgabe ist inzwischen erledigt oder abgebrochen.",
                "That is not possible any more: the job was done or cancelled meanwhile.",
            );
            shown(&app, &member, StatusCode::CONFLICT, &page::problem(words))
        }
        Err(error) => page::broken(&member.visitor, &refusal::engine(&error, member.visitor.language)),
    }
}
