//! The overview: six lights with what they stand on, three next steps, and what one should know.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State as AppState,
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use takt_model::Words;
use takt_report::{Block, CheckResult, NextStep, format};

use super::{
    Kept, deliveries,
    lights::{class, light, shape, word},
    page::{self, Here},
    session::{Member, Visitor},
    test_order,
};
use crate::app::App;

/// `/studio`
pub(super) async fn show(AppState(app): AppState<Arc<App>>, visitor: Visitor) -> Response<Body> {
    let Some(account) = visitor.account().cloned() else {
        let first = if app.auth.setup_code().is_some() { "/studio/setup" } else { "/studio/sign-in" };
        return Redirect::to(first).into_response();
    };
    let member = Member { visitor, account };
    if !member.sees_report() {
        return Redirect::to("/studio/orders").into_response();
    }
    let Some(kept) = member.visitor.studio.report(&app).await else {
        return page::broken(
            &member.visitor,
            member.t("Der Bericht konnte nicht erstellt werden.", "The report could not be made."),
        );
    };
    let title = member.t("Übersicht", "Overview").to_owned();
    page::show(&member, Here::Overview, &title, &body(&app, &member, &kept))
}

fn body(app: &App, member: &Member, kept: &Kept) -> Markup {
    let (report, language) = (&kept.report, member.visitor.language);
    let name = &kept.evidence.project.settings.name;
    let says = |words: &Words| words.get(language.code()).unwrap_or_default().to_owned();
    html! {
        div.head {
            div {
                p.over { (member.t("Zustand Ihres Backends", "State of your backend")) }
                h1 { (name) }
            }
            p.stand { (member.t("Stand ", "As of ")) (page::moment(report.at, language)) }
        }
        section.verdict.(class(report.total.state)) aria-labelledby="verdict" {
            (shape(report.total.state))
            div {
                h2 #verdict { (says(&report.total.word)) }
                p { (says(&report.total.reason)) }
            }
        }
        (deliveries::invitation(member, app))
        section aria-labelledby="lights" {
            h2 #lights { (member.t("Sechs Lichter", "Six lights")) }
            ul.cards { @for block in &report.blocks { li { (card(member, block)) } } }
        }
        div.columns {
            section aria-labelledby="steps" {
                h2 #steps { (member.t("Drei nächste Schritte", "Three next steps")) }
                ol.steps { @for step in &report.steps { li { (next_step(member, step)) } } }
            }
            div {
                section aria-labelledby="know" {
                    h2 #know { (member.t("Was Sie wissen sollten", "What you should know")) }
                    ul.notes { @for note in &report.notes { li { (says(note)) } } }
                }
                (numbers(member, kept))
                (test_order::invitation(member))
            }
        }
        section aria-labelledby="details" {
            h2 #details { (member.t("Worauf sich das stützt", "What this stands on")) }
            p.soft { (rule_set(member, kept)) }
            @for block in &report.blocks { (details(member, block)) }
        }
    }
}

fn card(member: &Member, block: &Block) -> Markup {
    let language = member.visitor.language;
    let says = |words: &Words| words.get(language.code()).unwrap_or_default().to_owned();
    html! {
        a.card.(class(block.state)) href={ "#block-" (block.id.letter()) } {
            div.card-head {
                (shape(block.state))
                h3 { (says(&block.title)) }
                span.word { span.sr { ": " } (word(block.state, language)) }
            }
            p { (says(&block.sentence)) }
            p.soft { (answered(member, block)) }
        }
    }
}

fn answered(member: &Member, block: &Block) -> String {
    match member.visitor.language {
        super::language::Language::German => {
            format!("{} von {} Prüfungen beantwortet", block.answered, block.planned)
        }
        super::language::Language::English => {
            format!("{} of {} checks answered", block.answered, block.planned)
        }
    }
}

fn next_step(member: &Member, step: &NextStep) -> Markup {
    let language = member.visitor.language.code();
    let question = step.question.get(language).unwrap_or_default();
    let ask = step.ask.word().words();
    html! {
        h3 { (step.title.get(language).unwrap_or_default()) }
        p.soft {
            (member.t("Wer: ", "Who: ")) (ask.get(language).unwrap_or_default())
            @if let Some(effort) = step.effort {
                " · " (member.t("Aufwand: ", "Effort: ")) (effort.word().words().get(language).unwrap_or_default())
            }
            " · " (step.id)
        }
        (question_to_copy(member, question, &format!("step-{}", step.id)))
    }
}

fn question_to_copy(member: &Member, question: &str, id: &str) -> Markup {
    html! {
        p.question {
            span #(id) { (member.t("„", "\"")) (question) (member.t("“", "\"")) }
            button.quiet.copy type="button" data-copy=(id) hidden
                data-done=(member.t("Kopiert", "Copied")) { (member.t("Frage kopieren", "Copy the question")) }
        }
    }
}

fn numbers(member: &Member, kept: &Kept) -> Markup {
    let language = member.visitor.language.code();
    let Ok(counts) = &kept.evidence.counts else { return html! {} };
    html! {
        section aria-labelledby="numbers" {
            h2 #numbers { (member.t("Was gespeichert ist", "What is stored")) }
            dl.numbers {
                @for count in counts {
                    @let label = kept.evidence.project.table(&count.table).and_then(|t| t.label.get(language)).unwrap_or(&count.table);
                    div { dt { (label) } dd { (format::count(count.rows, language)) } }
                }
            }
        }
    }
}

fn rule_set(member: &Member, kept: &Kept) -> String {
    let rules = &kept.report.rule_set;
    match member.visitor.language {
        super::language::Language::German => format!(
            "Regelwerk {}: {} Prüfungen gebaut, {} beantwortet, {} vorgesehen.",
            rules.version, rules.size, rules.answered, rules.planned
        ),
        super::language::Language::English => format!(
            "Rule set {}: {} checks built, {} answered, {} foreseen.",
            rules.version, rules.size, rules.answered, rules.planned
        ),
    }
}

fn details(member: &Member, block: &Block) -> Markup {
    let language = member.visitor.language;
    let code = language.code();
    let says = |words: &Words| words.get(code).unwrap_or_default().to_owned();
    html! {
        section.block #{ "block-" (block.id.letter()) } aria-labelledby={ "title-" (block.id.letter()) } {
            div.block-head {
                h3 #{ "title-" (block.id.letter()) } { (says(&block.title)) }
                (light(block.state, language))
            }
            p.soft { (says(&block.about)) " " (answered(member, block)) "." }
            @for result in &block.results { (check(member, result)) }
            @if !block.open.is_empty() {
                details.open-checks {
                    summary {
                        (light(takt_report::State::Unknown, language))
                        span.title { (block.open.len()) " " (member.t("weitere Fragen, die noch niemand misst", "more questions that nobody measures yet")) }
                    }
                    ul.plain { @for open in &block.open { li { span.id { (open.id) } " " (says(&open.name)) } } }
                }
            }
        }
    }
}

fn check(member: &Member, result: &CheckResult) -> Markup {
    let language = member.visitor.language;
    let code = language.code();
    let says = |words: &Words| words.get(code).unwrap_or_default().to_owned();
    let ask = result.ask.word().words();
    html! {
        details.check {
            summary { (light(result.state, language)) span.title { (says(&result.title)) } }
            dl {
                dt { (member.t("Was es bedeutet", "What it means")) } dd { (says(&result.meaning)) }
                dt { (member.t("Wen Sie fragen", "Whom to ask")) }
                dd { (says(&ask)) (question_to_copy(member, &says(&result.question), &format!("ask-{}", result.id))) }
                @if !result.value.is_empty() {
                    dt { (member.t("Wert", "Value")) } dd { (says(&result.value)) }
                }
                dt { (member.t("Schwelle", "Threshold")) } dd { (says(&result.threshold)) }
                dt { (member.t("Beleg", "Evidence")) }
                dd {
                    @if result.evidence.is_empty() { "–" }
                    @else { ul.plain { @for line in &result.evidence { li { (says(line)) } } } }
                }
                dt { (member.t("Gemessen", "Measured")) }
                dd {
                    (page::moment(result.at, language)) ", " (says(&result.class.word().words()))
                    " · " (result.id) ", " (member.t("Gewicht ", "weight ")) (result.weight)
                }
            }
        }
    }
}
