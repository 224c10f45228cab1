//! Coming in and going out: the owner's account, signing in and out, the language, who am I.

use std::sync::Arc;

use ::http::{StatusCode, header};
use axum::{
    body::Body,
    extract::State as AppState,
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use takt_auth::{AuthError, ConsoleSession};

use super::{
    page::{self, Here},
    refusal,
    session::{self, Member, MemberPost, Post, Visitor},
};
use crate::app::App;

/// `GET /studio/setup`
pub(super) async fn setup_form(AppState(app): AppState<Arc<App>>, visitor: Visitor) -> Response<Body> {
    if app.auth.setup_code().is_none() {
        return Redirect::to("/studio/sign-in").into_response();
    }
    setup_page(&visitor, StatusCode::OK, None, "")
}

/// `POST /studio/setup`
pub(super) async fn setup(AppState(app): AppState<Arc<App>>, post: Post) -> Response<Body> {
    let (visitor, fields) = (post.visitor, post.fields);
    let email = fields.get("email").trim();
    let (code, password) = (fields.get("code"), fields.get("password"));
    match app.auth.owner_create(code, email, password, &visitor.client).await {
        Ok(session) => {
            visitor.studio.forget_report().await;
            enter(&app, &session)
        }
        Err(error) => setup_page(&visitor, status(&error), Some(&error), email),
    }
}

fn setup_page(
    visitor: &Visitor,
    status: StatusCode,
    error: Option<&AuthError>,
    email: &str,
) -> Response<Body> {
    let least = visitor.app.project().settings.auth.password_min_length;
    let body = html! {
        div.narrow {
            h1 { (visitor.t("Willkommen", "Welcome")) }
            p.lead { (visitor.t(
                "Hier entsteht das Konto der Inhaberin oder des Inhabers. Es sieht alles und darf alles.",
                "Here the owner's account is made. It sees everything and may do everything.",
            )) }
            @if let Some(error) = error { (page::problem(&refusal::auth(error, visitor.language))) }
            form method="post" action="/studio/setup" {
                (page::token(visitor))
                label for="code" { (visitor.t("Einmalcode", "One-time code")) }
                p.hint #code-hint { (visitor.t(
                    "Er steht im Fenster, in dem Takt gestartet wurde.",
                    "It stands in the window in which Takt was started.",
                )) }
                input #code name="code" required autocomplete="one-time-code" autocapitalize="characters" spellcheck="false" aria-describedby="code-hint" autofocus;
                (email_field(visitor, email))
                label for="password" { (visitor.t("Neues Passwort", "New password")) }
                p.hint #password-hint { (visitor.t("Mindestens ", "At least ")) (least) (visitor.t(" Zeichen. Ein langer Satz ist gut.", " characters. A long sentence is good.")) }
                input #password type="password" name="password" required minlength=(least) autocomplete="new-password" aria-describedby="password-hint";
                button.primary type="submit" { (visitor.t("Konto anlegen", "Make the account")) }
            }
        }
    };
    page::outside(visitor, status, visitor.t("Konto anlegen", "Make the account"), &body)
}

fn email_field(visitor: &Visitor, email: &str) -> Markup {
    html! {
        label for="email" { (visitor.t("E-Mail-Adresse", "Email address")) }
        input #email type="email" name="email" required autocomplete="username" value=(email);
    }
}

/// `GET /studio/sign-in`
pub(super) async fn sign_in_form(AppState(app): AppState<Arc<App>>, visitor: Visitor) -> Response<Body> {
    if visitor.account().is_some() {
        return Redirect::to("/studio").into_response();
    }
    if app.auth.setup_code().is_some() {
        return Redirect::to("/studio/setup").into_response();
    }
    sign_in_page(&visitor, StatusCode::OK, None, "")
}

/// `POST /studio/sign-in`
pub(super) async fn sign_in(AppState(app): AppState<Arc<App>>, post: Post) -> Response<Body> {
    let (visitor, fields) = (post.visitor, post.fields);
    let email = fields.get("email").trim();
    match app.auth.console_sign_in(email, fields.get("password"), &visitor.client).await {
        Ok(session) => enter(&app, &session),
        Err(error) => sign_in_page(&visitor, status(&error), Some(&error), email),
    }
}

fn sign_in_page(
    visitor: &Visitor,
    status: StatusCode,
    error: Option<&AuthError>,
    email: &str,
) -> Response<Body> {
    let body = html! {
        div.narrow {
            h1 { (visitor.t("Anmelden", "Sign in")) }
            @if let Some(error) = error { (page::problem(&refusal::auth(error, visitor.language))) }
            form method="post" action="/studio/sign-in" {
                (page::token(visitor))
                (email_field(visitor, email))
                label for="password" { (visitor.t("Passwort", "Password")) }
                input #password type="password" name="password" required autocomplete="current-password";
                button.primary type="submit" { (visitor.t("Anmelden", "Sign in")) }
            }
        }
    };
    page::outside(visitor, status, visitor.t("Anmelden", "Sign in"), &body)
}

/// The session begins: its cookie, and off to the first page.
fn enter(app: &App, session: &ConsoleSession) -> Response<Body> {
    let mut response = Redirect::to("/studio").into_response();
    if let Some(cookie) = session::session_cookie(app, Some(&session.token)) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// `POST /studio/sign-out`
pub(super) async fn sign_out(AppState(app): AppState<Arc<App>>, post: MemberPost) -> Response<Body> {
    let visitor = &post.member.visitor;
    if let Some(token) = visitor.session_token()
        && let Err(error) = app.auth.console_sign_out(token).await
    {
        return page::broken(visitor, &refusal::auth(&error, visitor.language));
    }
    let mut response = Redirect::to("/studio/sign-in").into_response();
    if let Some(cookie) = session::session_cookie(&app, None) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// `POST /studio/language`
pub(super) async fn language(AppState(app): AppState<Arc<App>>, post: Post) -> Response<Body> {
    const ONE_YEAR: u32 = 31_536_000;
    // Only ways inside the console: a link must not lead somebody elsewhere.
    let wanted = post.fields.get("back");
    let is_inside = wanted == "/studio" || wanted.starts_with("/studio/") || wanted.starts_with("/studio?");
    let mut response = Redirect::to(if is_inside { wanted } else { "/studio" }).into_response();
    if let Some(language) = super::language::Language::parse(post.fields.get("to"))
        && let Some(cookie) = session::cookie(&app, session::LANGUAGE, language.code(), Some(ONE_YEAR))
    {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// `GET /studio/account`
pub(super) async fn account(member: Member) -> Response<Body> {
    let title = member.t("Konto", "Account").to_owned();
    let project = member.visitor.app.project();
    let label = |role: &String| {
        let labels = &project.settings.role_labels;
        let found = labels.iter().find(|(name, _)| name == role);
        found.and_then(|(_, words)| words.get(member.visitor.language.code())).unwrap_or(role).to_owned()
    };
    let roles: Vec<String> =
        member.principal().user.as_ref().map(|u| u.roles.iter().map(label).collect()).unwrap_or_default();
    let roles = roles.join(", ");
    let studio_role = member.account.studio_role.map(|r| r.as_str()).unwrap_or("–");
    let body = html! {
        div.narrow {
            h1 { (title) }
            dl.facts {
                div { dt { (member.t("Angemeldet als", "Signed in as")) } dd { (member.account.email) } }
                div { dt { (member.t("Rolle in der Konsole", "Role in the console")) } dd { (studio_role) } }
                div { dt { (member.t("Rollen im Projekt", "Roles in the project")) } dd { @if roles.is_empty() { "–" } @else { (roles) } } }
            }
            form method="post" action="/studio/sign-out" {
                (page::token(&member.visitor))
                button type="submit" { (member.t("Abmelden", "Sign out")) }
            }
        }
    };
    page::show(&member, Here::Account, &title, &body)
}

fn status(error: &AuthError) -> StatusCode {
    StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST)
}
