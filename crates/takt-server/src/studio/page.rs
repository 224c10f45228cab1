//! The frame of every page: head, navigation, language switch, messages; and the pages for when nothing fits.

use ::http::{HeaderValue, StatusCode, header};
use axum::{
    body::Body,
    response::{Html, IntoResponse, Response},
};
use maud::{DOCTYPE, Markup, html};
use takt_report::format;

use super::{
    assets,
    language::Language,
    orders, products,
    session::{Member, TOKEN_FIELD, Visitor},
};

/// Where in the navigation a page stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Here {
    Outside,
    Overview,
    Stories,
    Deliveries,
    Jobs,
    Audit,
    Orders,
    Products,
    Account,
}

/// A page of somebody who is signed in.
pub(super) fn show(member: &Member, here: Here, title: &str, body: &Markup) -> Response<Body> {
    respond(&member.visitor, StatusCode::OK, frame(&member.visitor, Some(member), here, title, body))
}

/// As [`show`], with a status.
pub(super) fn show_with(
    member: &Member,
    status: StatusCode,
    here: Here,
    title: &str,
    body: &Markup,
) -> Response<Body> {
    respond(&member.visitor, status, frame(&member.visitor, Some(member), here, title, body))
}

/// A page before the sign-in.
pub(super) fn outside(visitor: &Visitor, status: StatusCode, title: &str, body: &Markup) -> Response<Body> {
    respond(visitor, status, frame(visitor, None, Here::Outside, title, body))
}

fn respond(visitor: &Visitor, status: StatusCode, markup: Markup) -> Response<Body> {
    let mut response = (status, Html(markup.into_string())).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::VARY, HeaderValue::from_static("Cookie, Accept-Language"));
    if let Some(cookie) = visitor.new_form_cookie() {
        headers.append(header::SET_COOKIE, cookie);
    }
    response
}

fn frame(visitor: &Visitor, member: Option<&Member>, here: Here, title: &str, body: &Markup) -> Markup {
    let project = visitor.app.project();
    let name = &project.settings.name;
    html! {
        (DOCTYPE)
        html lang=(visitor.language.code()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                title { (title) " · " (name) }
                link rel="icon" href="/studio/assets/icon.svg" type="image/svg+xml";
                link rel="stylesheet" href={ "/studio/assets/studio.css?v=" (assets::version()) };
                script src={ "/studio/assets/studio.js?v=" (assets::version()) } defer {}
            }
            body {
                a.skip href="#content" { (visitor.t("Zum Inhalt springen", "Skip to content")) }
                header.top {
                    div.wide {
                        a.brand href="/studio" { span.beat aria-hidden="true" { } span { (name) } }
                        @if let Some(member) = member { (navigation(member, here)) }
                        (switch(visitor))
                    }
                }
                main #content .wide tabindex="-1" { (body) }
                footer.wide {
                    p { (visitor.t(
                        "Takt erklärt dieses Backend denen, die dafür einstehen.",
                        "Takt explains this backend to the people who answer for it.",
                    )) }
                }
            }
        }
    }
}

fn navigation(member: &Member, here: Here) -> Markup {
    let mut links: Vec<(Here, &str, &str)> = Vec::new();
    if member.sees_report() {
        links.push((Here::Overview, "/studio", member.t("Übersicht", "Overview")));
        links.push((Here::Stories, "/studio/stories", member.t("Geschichten", "Stories")));
        links.push((Here::Deliveries, "/studio/deliveries", member.t("Zustellungen", "Deliveries")));
        links.push((Here::Jobs, "/studio/jobs", member.t("Aufgaben", "Jobs")));
    }
    if member.may_audit() {
        links.push((Here::Audit, "/studio/audit", member.t("Protokoll", "Audit")));
    }
    let project = member.visitor.app.project();
    let orders = orders::table(&project, member.principal()).map(|t| t.label.clone());
    let products = products::table(&project, member.principal()).map(|t| t.label.clone());
    let language = member.visitor.language.code();
    if let Some(label) = &orders {
        links.push((Here::Orders, "/studio/orders", label.get(language).unwrap_or("orders")));
    }
    if let Some(label) = &products {
        links.push((Here::Products, "/studio/products", label.get(language).unwrap_or("products")));
    }
    links.push((Here::Account, "/studio/account", member.t("Konto", "Account")));
    html! {
        nav aria-label=(member.t("Hauptbereiche", "Main sections")) {
            ul {
                @for (place, href, label) in links {
                    li { a href=(href) aria-current=[(place == here).then_some("page")] { (label) } }
                }
            }
        }
    }
}

fn switch(visitor: &Visitor) -> Markup {
    let other = match visitor.language {
        Language::German => ("en", "English"),
        Language::English => ("de", "Deutsch"),
    };
    html! {
        form.switch method="post" action="/studio/language" {
            (token(visitor))
            input type="hidden" name="back" value=(visitor.path);
            button.quiet type="submit" name="to" value=(other.0) lang=(other.0) { (other.1) }
        }
    }
}

/// A moment. Without a script it is UTC and says so; with one it is the reader's own time.
pub(super) fn moment(micros: i64, language: Language) -> Markup {
    let exact = jiff::Timestamp::from_microsecond(micros).map(|t| t.to_string()).unwrap_or_default();
    html! { time datetime=(exact) { (format::moment_short(micros, language.code())) " (UTC)" } }
}

/// The hidden field that every form carries.
pub(super) fn token(visitor: &Visitor) -> Markup {
    html! { input type="hidden" name=(TOKEN_FIELD) value=(visitor.form_token()); }
}

/// How many entries a list has, where all are shown.
pub(super) fn total(n: u64, language: Language) -> Markup {
    let word = if n == 1 { language.t("Eintrag", "entry") } else { language.t("Einträge", "entries") };
    html! { p.pages.soft { (format::count(n, language.code())) " " (word) } }
}

/// A message that a screen reader tells at once.
pub(super) fn problem(text: &str) -> Markup {
    html! { div.message.bad role="alert" { p { (text) } } }
}

/// A message of success.
pub(super) fn success(text: &str) -> Markup {
    html! { div.message.good role="status" { p { (text) } } }
}

/// A form that is too old or came from elsewhere.
pub(super) fn stale_form(visitor: &Visitor) -> Response<Body> {
    let body = html! {
        h1 { (visitor.t("Diese Seite ist zu alt", "This page is too old")) }
        p { (visitor.t(
            "Aus Sicherheitsgründen wurde nichts geändert. Bitte laden Sie die Seite neu und versuchen Sie es noch einmal.",
            "For safety nothing was changed. Please load the page again and try once more.",
        )) }
        p { a.button href="/studio" { (visitor.t("Zur Übersicht", "To the overview")) } }
    };
    outside(visitor, StatusCode::FORBIDDEN, visitor.t("Zu alt", "Too old"), &body)
}

/// Nothing is at this address.
pub(super) async fn nowhere(visitor: Visitor) -> Response<Body> {
    not_found(&visitor)
}

/// Nothing fits.
pub(super) fn not_found(visitor: &Visitor) -> Response<Body> {
    let body = html! {
        h1 { (visitor.t("Hier ist nichts", "There is nothing here")) }
        p { (visitor.t("Diese Seite gibt es nicht, oder Sie dürfen sie nicht sehen.", "This page does not exist, or you may not see it.")) }
        p { a.button href="/studio" { (visitor.t("Zur Übersicht", "To the overview")) } }
    };
    outside(visitor, StatusCode::NOT_FOUND, visitor.t("Nicht gefunden", "Not found"), &body)
}

/// Something failed inside.
pub(super) fn broken(visitor: &Visitor, text: &str) -> Response<Body> {
    let body = html! {
        h1 { (visitor.t("Das hat nicht geklappt", "That did not work")) }
        (problem(text))
        p { a.button href="/studio" { (visitor.t("Zur Übersicht", "To the overview")) } }
    };
    outside(visitor, StatusCode::SERVICE_UNAVAILABLE, visitor.t("Fehler", "Error"), &body)
}
