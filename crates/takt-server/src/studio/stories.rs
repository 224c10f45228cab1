//! Stories: what happened when somebody clicked "Buy now", in plain words with drill-down.

use std::sync::Arc;

use ::http::StatusCode;
use axum::{
    body::Body,
    extract::{Path, Query, State as AppState},
    response::Response,
};
use maud::{Markup, html};
use serde::Deserialize;
use takt_engine::Story;
use takt_model::Uuid;
use takt_report::{ChangeText, LaterText, StepText, StoryText, tell_story};

use super::{
    lights::{class, shape},
    page::{self, Here},
    reason, refusal,
    session::{Member, MemberPost},
    test_order,
};
use crate::{app::App, tales};

/// Stories on the page.
const NEWEST: u64 = 50;

/// `/studio/stories`
pub(super) async fn list(AppState(app): AppState<Arc<App>>, member: Member) -> Response<Body> {
    if !member.sees_report() {
        return page::not_found(&member.visitor);
    }
    let stories = match app.engine.stories(NEWEST) {
        Ok(stories) => stories,
        Err(error) => {
            return page::broken(&member.visitor, &refusal::engine(&error, member.visitor.language));
        }
    };
    let title = member.t("Geschichten", "Stories").to_owned();
    let body = html! {
        h1 { (title) }
        p.lead { (member.t(
            "Jeder Vorgang schreibt seine eigene Geschichte: was geschah, was sich änderte und welche Regel es erlaubte.",
            "Every process writes its own story: what happened, what changed, and which rule allowed it.",
        )) }
        (test_order::invitation(&member))
        @if stories.is_empty() {
            p.empty { (member.t("Noch ist nichts geschehen.", "Nothing has happened yet.")) }
        } @else {
            ul.rows { @for story in &stories { li { (line(&member, &app, story)) } } }
        }
    };
    page::show(&member, Here::Stories, &title, &body)
}

fn line(member: &Member, app: &App, story: &Story) -> Markup {
    let told = tell_story(story, &app.project(), member.visitor.language.code());
    html! {
        a.row href={ "/studio/stories/" (story.id) } {
            span.light.(class(told.state)) { (shape(told.state)) " " span.word { (told.outcome) } }
            span.main { strong { (told.title) } span.soft { (told.who) } }
            span.when { (page::moment(story.at, member.visitor.language)) }
        }
    }
}

/// What a link to a story may say besides.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    /// The order of a test order that was just placed.
    order: Option<String>,
    /// `cancelled` after a test order was taken back.
    done: Option<String>,
}

/// `/studio/stories/{id}`
pub(super) async fn one(
    AppState(app): AppState<Arc<App>>,
    member: Member,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Response<Body> {
    let message = html! {
        @if let Some(order) = &asked.order { (test_order::placed(&member, order)) }
        @if asked.done.as_deref() == Some("cancelled") {
            (page::success(member.t(
                "Die Testbestellung ist storniert. Der Bestand ist wieder wie vorher.",
                "The test order is cancelled. The stock is as it was before.",
            )))
        }
    };
    shown(&app, &member, &id, None, StatusCode::OK, &message).await
}

/// `POST /studio/stories/{id}`: with personal values, for a reason. A POST, because it is written down.
pub(super) async fn reveal(
    AppState(app): AppState<Arc<App>>,
    Path(id): Path<String>,
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

async fn shown(
    app: &App,
    member: &Member,
    id: &str,
    reason: Option<String>,
    status: StatusCode,
    message: &Markup,
) -> Response<Body> {
    let language = member.visitor.language;
    let found = Uuid::parse_str(id).ok().filter(|_| member.sees_report()).map(|id| app.engine.story(id));
    let story = match found {
        Some(Ok(Some(story))) => story,
        Some(Err(error)) => return page::broken(&member.visitor, &refusal::engine(&error, language)),
        Some(Ok(None)) | None => return page::not_found(&member.visitor),
    };
    let look = member.look(reason);
    let (story, told) = match tales::told(app, story, language.code(), &look).await {
        Ok(told) => told,
        Err(error) => return page::broken(&member.visitor, &refusal::interfaces(&error, language)),
    };
    let body = html! {
        (message)
        (whole(member, &story, &told))
        p { a href="/studio/stories" { (member.t("← Alle Geschichten", "← All stories")) } }
    };
    page::show_with(member, status, Here::Stories, &told.title, &body)
}

fn whole(member: &Member, story: &Story, told: &StoryText) -> Markup {
    html! {
        article.story {
            p.over { (page::moment(story.at, member.visitor.language)) }
            h1 { (told.title) }
            p.lead { span.light.(class(told.state)) { (shape(told.state)) " " span.word { (told.outcome) } } }
            p.lead { (told.summary) }
            @if story.revealed { (reason::shown(member)) }
            @if !told.open.is_empty() {
                div.message.note { p { (told.open) } @if !told.at_risk.is_empty() { p { (told.at_risk) } } }
            }
            dl.facts {
                div { dt { (member.t("Wer", "Who")) } dd { (told.who) } }
                div { dt { (member.t("Mit welchen Rechten", "With which rights")) } dd { (told.rights) } }
                @if let Some(because) = &told.because {
                    div { dt { (member.t("Wie es dazu kam", "How it came about")) } dd {
                        a href={ "/studio/tales/" (because.id) } { (because.sentence) }
                    } }
                }
            }
            h2 { (member.t("Schritt für Schritt", "Step by step")) }
            ol.story-steps { @for s in &told.steps { li.{ "depth-" (s.depth.min(3)) } { (step(member, told, s)) } } }
            @if !told.left_out.is_empty() { p.soft { (told.left_out) } }
            dl.facts {
                div { dt { (member.t("Meldungen nach außen", "Announcements")) } dd { (told.events) } }
                div { dt { (member.t("Ende", "End")) } dd { (told.end) @if !told.next.is_empty() { " " (told.next) } } }
                @if !told.version.is_empty() { div { dt { (member.t("Regeln", "Rules")) } dd { (told.version) } } }
                @if !told.compared.is_empty() { div { dt { (member.t("Dauer", "Duration")) } dd { (told.compared) } } }
            }
            (afterwards(member, told))
            (besides(member, told))
            @if told.hides && member.may_reveal() {
                (reason::form(member, &format!("/studio/stories/{}", story.id)))
            }
            details.technical {
                summary { (member.t("Für die Technik", "For the technician")) }
                dl {
                    @for (name, value) in &told.technical { dt { (name) } dd { code { (value) } } }
                    @for step in told.steps.iter().filter(|s| !s.source.is_empty() || !s.statements.is_empty()) {
                        dt { (step.title) }
                        @if !step.source.is_empty() { dd { code { (step.source) } } }
                        @for statement in &step.statements { dd { code { (statement) } } }
                    }
                }
            }
        }
    }
}

/// What became of it at others.
fn afterwards(member: &Member, told: &StoryText) -> Markup {
    html! {
        @if !told.later.is_empty() {
            h2 { (member.t("Was danach geschah", "What happened afterwards")) }
            ul.rows { @for later in &told.later {
                li {
                    a.row.later href=(address(later)) {
                        span.light.(class(later.state)) { (shape(later.state)) }
                        span.main { (later.sentence) }
                    }
                    @if later.may_repeat && member.may_operate() { (again(member, later)) }
                }
            } }
        }
    }
}

/// What else happened about the same thing: the payment, the parcel, its mails.
fn besides(member: &Member, told: &StoryText) -> Markup {
    html! {
        @if !told.besides.is_empty() {
            h2 { (member.t("Was sonst noch dazu geschah", "What else happened about it")) }
            ul.rows { @for beside in &told.besides {
                li { a.row.later href={ "/studio/tales/" (beside.id) } {
                    span.light.(class(beside.state)) { (shape(beside.state)) }
                    span.main { (beside.sentence) }
                } }
            } }
        }
    }
}

fn address(later: &LaterText) -> String {
    format!("/studio/deliveries/{}/{}", later.connection, later.id)
}

/// [It has arrived] [Try again] [Why?]
fn again(member: &Member, later: &LaterText) -> Markup {
    html! {
        form.actions method="post" action=(address(later)) {
            (page::token(&member.visitor))
            @if later.may_confirm {
                button type="submit" name="do" value="arrived" { (member.t("Ist angekommen", "It has arrived")) }
            }
            button type="submit" name="do" value="again" { (member.t("Jetzt erneut", "Try again")) }
            a.button href=(address(later)) { (member.t("Warum?", "Why?")) }
        }
    }
}

fn step(member: &Member, told: &StoryText, step: &StepText) -> Markup {
    let (mark, said) = if step.succeeded {
        ("✓", member.t("gelungen", "done"))
    } else {
        ("✗", member.t("nicht gelungen", "not done"))
    };
    html! {
        h3 {
            span.mark.bad[!step.succeeded] aria-hidden="true" { (mark) } (step.title) span.sr { " – " (said) }
            @if !step.took.is_empty() { " " span.soft { (step.took) } }
        }
        @for note in &step.notes { p { (note) } }
        @if step.changes.is_empty() {
            p.soft {
                @if told.state == takt_report::State::Green {
                    (member.t("Hier wurde nur geprüft, nichts geschrieben.", "This only looked; it wrote nothing."))
                } @else {
                    (member.t("Von diesem Schritt blieb nichts geschrieben.", "Nothing that this step wrote has stayed."))
                }
            }
        }
        @for c in &step.changes { (change(member, c)) }
    }
}

fn change(member: &Member, change: &ChangeText) -> Markup {
    html! {
        details.change {
            summary { span.title { (change.sentence) } }
            p { (change.rule) }
            @if !change.fields.is_empty() {
                div.scroll tabindex="0" role="region" aria-label=(change.sentence) {
                    table {
                        thead { tr {
                            th scope="col" { (member.t("Feld", "Field")) }
                            th scope="col" { (member.t("Vorher", "Before")) }
                            th scope="col" { (member.t("Nachher", "After")) }
                        } }
                        tbody { @for field in &change.fields {
                            tr {
                                th scope="row" { (field.label) }
                                td.soft[field.hidden] { @if field.before.is_empty() { "–" } @else { (field.before) } }
                                td.soft[field.hidden] { @if field.after.is_empty() { "–" } @else { (field.after) } }
                            }
                        } }
                    }
                }
                @if change.fields.iter().any(|f| f.hidden) {
                    p.soft { (member.t("Persönliche Werte werden hier nicht gezeigt.", "Personal values are not shown here.")) }
                }
            }
            p.soft { code { (change.technical) } }
        }
    }
}
