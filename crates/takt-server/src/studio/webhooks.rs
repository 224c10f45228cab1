//! Webhook subscriptions for people: made with a form, exchanged in their secret, tested, removed. Owner and developer
//! act. A secret stands on exactly one page: the answer to the form that made it.

use std::sync::Arc;

use ::http::StatusCode;
use axum::{
    body::Body,
    extract::{Path, State as AppState},
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use serde_json::{Value as Json, json};
use takt_interfaces::{ConnectionSource, ConnectionStatus, InterfacesError, Off, Subscription, Verdict};
use takt_model::{Connection, Protocol};
use takt_outbound::Secret;
use takt_report::format;

use super::{
    connection,
    language::Language,
    page::{self, Here},
    refusal,
    session::{Fields, Member, MemberPost},
};
use crate::{app::App, deliveries::verdicts};

const NEW: &str = "/studio/webhooks/new";

/// The way to a new subscription.
pub(super) fn invitation(member: &Member) -> Markup {
    html! {
        @if member.may_operate() {
            p { a.button href=(NEW) { (member.t("Neuen Empfänger anlegen", "Add a receiver")) } }
        }
    }
}

/// `/studio/webhooks/new`
pub(super) async fn form(member: Member) -> Response<Body> {
    if !member.may_operate() {
        return page::not_found(&member.visitor);
    }
    form_page(&member, StatusCode::OK, &Fields::default(), &html! {})
}

/// One field of the form.
struct Input {
    name: &'static str,
    label: (&'static str, &'static str),
    hint: (&'static str, &'static str),
    required: bool,
}

const INPUTS: [Input; 8] = [
    Input {
        name: "url",
        label: ("Adresse des Empfängers", "Address of the receiver"),
        hint: ("Beginnt mit https://", "Begins with https://"),
        required: true,
    },
    Input {
        name: "events",
        label: ("Ereignisse", "Events"),
        hint: (
            "Zum Beispiel order.placed, mehrere mit Komma; order.* meint alle, die so beginnen.",
            "For example order.placed, several with commas; order.* means all that begin so.",
        ),
        required: true,
    },
    Input {
        name: "purpose",
        label: ("Wozu", "What it is for"),
        hint: ("In einfachen Worten.", "In plain words."),
        required: true,
    },
    Input {
        name: "partner",
        label: ("Empfänger", "Receiver"),
        hint: ("Firma oder System.", "Firm or system."),
        required: true,
    },
    Input {
        name: "contact",
        label: ("Ansprechpartner dort", "Contact there"),
        hint: ("Wen man anruft, wenn es nicht geht.", "Whom to call when it does not work."),
        required: false,
    },
    Input {
        name: "owner",
        label: ("Wer hier dafür einsteht", "Who answers for it here"),
        hint: ("Eine Abteilung oder ein Name.", "A department or a name."),
        required: true,
    },
    Input {
        name: "outage",
        label: ("Wenn er ausfällt", "If it is down"),
        hint: (
            "Was dann stillsteht und was man solange tut.",
            "What stands still then, and what people do meanwhile.",
        ),
        required: true,
    },
    Input {
        name: "lane",
        label: ("Nacheinander je", "In order of"),
        hint: (
            "Wenn die Reihenfolge zählt: wo der Schlüssel im Ereignis steht, zum Beispiel order.id.",
            "If the order matters: where the key stands in the event, such as order.id.",
        ),
        required: false,
    },
];

const DATA_INPUTS: [Input; 4] = [
    Input {
        name: "data_fields",
        label: ("Persönliche Felder", "Personal fields"),
        hint: (
            "Leer: keine gehen hinaus. Sonst mit Komma, zum Beispiel email, ship_name.",
            "Empty: none leave. Otherwise with commas, such as email, ship_name.",
        ),
        required: false,
    },
    Input { name: "data_purpose", label: ("Zweck", "Purpose"), hint: ("", ""), required: false },
    Input {
        name: "data_basis",
        label: ("Rechtsgrundlage", "Legal basis"),
        hint: ("Zum Beispiel Art. 6 (1) b DSGVO", "For example Art. 6 (1) b GDPR"),
        required: false,
    },
    Input {
        name: "data_country",
        label: ("Land", "Country"),
        hint: ("Zum Beispiel DE", "For example DE"),
        required: false,
    },
];

fn form_page(member: &Member, status: StatusCode, fields: &Fields, message: &Markup) -> Response<Body> {
    let title = member.t("Neuen Empfänger anlegen", "Add a receiver").to_owned();
    let body = html! {
        p { a href="/studio/deliveries" { (member.t("← Zustellungen", "← Deliveries")) } }
        h1 { (title) }
        p.lead { (member.t(
            "Ein Empfänger bekommt unterschriebene Meldungen über Ereignisse. Was hier steht, liest auch, wer für das Projekt einsteht.",
            "A receiver gets signed messages about events. What stands here is also read by who answers for the project.",
        )) }
        (message)
        form method="post" action=(NEW) {
            (page::token(&member.visitor))
            @for input in &INPUTS { (shown(member, input, fields)) }
            h2 { (member.t("Persönliche Daten", "Personal data")) }
            p { (member.t(
                "Persönliche Felder gehen nur hinaus, wenn sie hier mit Zweck, Rechtsgrundlage und Land genannt sind.",
                "Personal fields leave only if they are named here with purpose, legal basis and country.",
            )) }
            @for input in &DATA_INPUTS { (shown(member, input, fields)) }
            div.actions {
                button.primary type="submit" { (member.t("Anlegen", "Add")) }
                a.button href="/studio/deliveries" { (member.t("Doch nicht", "Rather not")) }
            }
        }
    };
    page::show_with(member, status, Here::Deliveries, &title, &body)
}

fn shown(member: &Member, input: &Input, fields: &Fields) -> Markup {
    let hint_id = format!("{}-hint", input.name);
    let hint = member.t(input.hint.0, input.hint.1);
    html! {
        label for=(input.name) { (member.t(input.label.0, input.label.1)) }
        @if !hint.is_empty() { p.hint id=(hint_id) { (hint) } }
        input id=(input.name) name=(input.name) value=(fields.get(input.name)) required[input.required] spellcheck="false" aria-describedby=[(!hint.is_empty()).then_some(hint_id.as_str())];
    }
}

/// `POST /studio/webhooks/new`
pub(super) async fn create(AppState(app): AppState<Arc<App>>, post: MemberPost) -> Response<Body> {
    let (member, fields) = (post.member, post.fields);
    if !member.may_operate() {
        return page::not_found(&member.visitor);
    }
    match member.interfaces().subscribe(said(&app, &member, &fields)).await {
        Ok((made, secret)) => secret_page(&member, &made, &secret),
        // What was typed is not lost.
        Err(error) => {
            let words = refusal::interfaces(&error, member.visitor.language);
            form_page(&member, StatusCode::UNPROCESSABLE_ENTITY, &fields, &page::problem(&words))
        }
    }
}

/// The form as the API would say it.
fn said(app: &App, member: &Member, fields: &Fields) -> Json {
    let language = member.visitor.language.code();
    let speaks = app.project().settings.languages.iter().any(|l| l == language);
    let words = |name: &str| match fields.get(name).trim() {
        "" => Json::Null,
        text if speaks => json!({ language: text }),
        text => json!(text),
    };
    let list = |name: &str| -> Vec<String> {
        let parts = fields.get(name).split([',', ' ', '\n']).map(str::trim);
        parts.filter(|p| !p.is_empty()).map(str::to_owned).collect()
    };
    let data: Vec<&str> = DATA_INPUTS.iter().map(|i| fields.get(i.name).trim()).collect();
    let flows = if data.iter().all(|text| text.is_empty()) {
        json!([])
    } else {
        let [_, purpose, basis, country] = data.as_slice() else { return Json::Null };
        json!([{ "fields": list("data_fields"), "purpose": purpose, "basis": basis, "country": country }])
    };
    json!({
        "url": fields.get("url"),
        "events": list("events"),
        "purpose": words("purpose"),
        "partner": { "name": fields.get("partner"), "contact": fields.get("contact") },
        "owner": fields.get("owner"),
        "outage": words("outage"),
        "lane": fields.get("lane"),
        "data": flows,
    })
}

/// The only page on which a secret stands.
fn secret_page(member: &Member, subscription: &Subscription, secret: &Secret) -> Response<Body> {
    let title = member.t("Das neue Geheimnis", "The new secret").to_owned();
    let body = html! {
        h1 { (title) }
        p.lead { (member.t(
            "Damit prüft der Empfänger, dass eine Meldung wirklich von hier kommt. Es steht nur jetzt hier und lässt sich später nicht mehr zeigen.",
            "With it the receiver checks that a message really comes from here. It stands here only now and cannot be shown later.",
        )) }
        pre.content #secret tabindex="0" { (secret.expose()) }
        p { (member.t(
            "Geben Sie es auf einem sicheren Weg an den Empfänger weiter (Standard Webhooks).",
            "Hand it to the receiver on a safe way (Standard Webhooks).",
        )) }
        @if let Some(until) = subscription.both_sign_until {
            p { (member.t("Das bisherige Geheimnis gilt daneben noch bis", "The secret before it holds besides until")) " " (page::moment(until, member.visitor.language)) "." }
        }
        div.actions { a.button.primary href={ "/studio/deliveries/" (subscription.id) } { (member.t("Weiter zur Verbindung", "On to the connection")) } }
    };
    page::show_with(member, StatusCode::OK, Here::Deliveries, &title, &body)
}

/// What a page of a connection shows besides, if it is a webhook that goes out.
pub(super) fn tools(app: &App, member: &Member, status: &ConnectionStatus) -> Markup {
    let project = app.project();
    let is_webhook = |c: &&Connection| c.connect.protocol == Protocol::WebhookOut;
    if project.connection(&status.id).filter(is_webhook).is_none() || !member.may_operate() {
        return html! {};
    }
    let at = format!("/studio/deliveries/{}", status.id);
    html! {
        form.actions method="post" action={ (at) "/test" } {
            (page::token(&member.visitor))
            button type="submit" { (member.t("Empfänger testen", "Test the receiver")) }
            p.hint { (member.t(
                "Sendet sofort eine unterschriebene Meldung „takt.test“.",
                "Sends a signed message “takt.test” at once.",
            )) }
        }
        @if status.source == ConnectionSource::Subscription {
            form.actions method="post" action={ (at) "/rotate" } {
                (page::token(&member.visitor))
                button type="submit" { (member.t("Geheimnis tauschen", "Exchange the secret")) }
                a.button.danger href={ (at) "/remove" } { (member.t("Entfernen …", "Remove …")) }
                p.hint { (exchange_hint(app, member)) }
            }
        }
    }
}

fn exchange_hint(app: &App, member: &Member) -> String {
    let overlap = app.project().settings.webhooks.overlap;
    let span = crate::deliveries::words::span(overlap, member.visitor.language.code());
    match member.visitor.language {
        Language::German => format!("Das alte Geheimnis gilt neben dem neuen noch {span}."),
        Language::English => format!("The old secret holds besides the new one for {span}."),
    }
}

/// That a subscription is off, and why.
pub(super) fn off(app: &App, member: &Member, id: &str) -> Markup {
    let language = member.visitor.language;
    let Some((at, why)) = app.interfaces.subscription(id).ok().and_then(|s| s.off) else { return html! {} };
    let says = match why {
        Off::Gone => member.t(
            "Abgeschaltet: Der Empfänger hat mit 410 geantwortet, er will keine Meldungen mehr. Seit",
            "Switched off: the receiver answered 410, it wants no more messages. Since",
        ),
        Off::Said => member.t("Abgeschaltet. Seit", "Switched off. Since"),
    };
    html! { div.message.note { p { (says) " " (page::moment(at, language)) "." } } }
}

/// `POST /studio/deliveries/{connection}/test`
pub(super) async fn test(
    AppState(app): AppState<Arc<App>>,
    Path(id): Path<String>,
    post: MemberPost,
) -> Response<Body> {
    let member = post.member;
    if !member.may_operate() {
        return page::not_found(&member.visitor);
    }
    let probe = match member.interfaces().probe(&id).await {
        Ok(probe) => probe,
        Err(error) => return refused(&member, &error),
    };
    let says = verdicts::sentence(&probe, member.visitor.language.code());
    let class = if probe.verdict == Verdict::Arrived { "message good" } else { "message bad" };
    let message = html! {
        div class=(class) role="status" {
            p { (says) }
            @if let Some(answer) = &probe.answer { p.soft { (member.t("Antwort:", "Answer:")) " " code { (answer) } } }
        }
    };
    connection::shown(&app, &member, &id, StatusCode::OK, &message)
}

/// `POST /studio/deliveries/{connection}/rotate`
pub(super) async fn rotate(Path(id): Path<String>, post: MemberPost) -> Response<Body> {
    let member = post.member;
    if !member.may_operate() {
        return page::not_found(&member.visitor);
    }
    match member.interfaces().exchange_secret(&id, None).await {
        Ok((changed, secret)) => secret_page(&member, &changed, &secret),
        Err(error) => refused(&member, &error),
    }
}

/// `/studio/deliveries/{connection}/remove`: what that means, before anything happens.
pub(super) async fn remove_form(
    AppState(app): AppState<Arc<App>>,
    member: Member,
    Path(id): Path<String>,
) -> Response<Body> {
    let found = app.interfaces.subscription(&id).ok().filter(|_| member.may_operate());
    let status = app.interfaces.connections().ok().and_then(|all| all.into_iter().find(|c| c.id == id));
    let (Some(subscription), Some(status)) = (found, status) else {
        return page::not_found(&member.visitor);
    };
    let n = status.waiting + status.dead + status.asking;
    let count = format::count(n, member.visitor.language.code());
    let says = match member.visitor.language {
        Language::German => format!(
            "{count} Meldungen, die noch warten oder auf eine Entscheidung warten, werden abgebrochen. Was gesendet wurde, bleibt im Protokoll."
        ),
        Language::English => format!(
            "{count} messages that wait, or wait for a decision, are cancelled. What was sent stays in the log."
        ),
    };
    let title = member.t("Empfänger entfernen", "Remove the receiver").to_owned();
    let at = format!("/studio/deliveries/{id}");
    let body = html! {
        p { a href=(at) { "← " (subscription.terms.partner.name) } }
        h1 { (title) }
        p.lead { (says) }
        form.actions method="post" action={ (at) "/remove" } {
            (page::token(&member.visitor))
            button.danger type="submit" { (member.t("Jetzt entfernen", "Remove it now")) }
            a.button href=(at) { (member.t("Doch nicht", "Rather not")) }
        }
    };
    page::show(&member, Here::Deliveries, &title, &body)
}

/// `POST /studio/deliveries/{connection}/remove`
pub(super) async fn remove(Path(id): Path<String>, post: MemberPost) -> Response<Body> {
    let member = post.member;
    if !member.may_operate() {
        return page::not_found(&member.visitor);
    }
    match member.interfaces().unsubscribe(&id).await {
        Ok(cancelled) => Redirect::to(&format!("/studio/deliveries?removed={cancelled}")).into_response(),
        Err(error) => refused(&member, &error),
    }
}

/// What the list says after a removal.
pub(super) fn removed(member: &Member, cancelled: Option<u64>) -> Markup {
    let Some(n) = cancelled else { return html! {} };
    page::success(&match member.visitor.language {
        Language::German => {
            format!("Der Empfänger ist entfernt. {n} wartende Meldungen wurden abgebrochen.")
        }
        Language::English => format!("The receiver is removed. {n} messages that waited were cancelled."),
    })
}

fn refused(member: &Member, error: &InterfacesError) -> Response<Body> {
    match error {
        InterfacesError::UnknownSubscription(_) | InterfacesError::UnknownConnection(_) => {
            page::not_found(&member.visitor)
        }
        error => page::broken(&member.visitor, &refusal::interfaces(error, member.visitor.language)),
    }
}
