//! Who looks at a page: language, session, and the proof that a form came from our own page.
//!
//! A POST passes only if its `Origin` is ours and its form token fits: the token is an HMAC over the form cookie
//! and the session, under a key of this process, so that neither another site nor an old page can make one.

use std::{collections::BTreeMap, sync::Arc};

use ::http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts};
use axum::{
    Form,
    body::Body,
    extract::{FromRequest, FromRequestParts, Request},
    response::{IntoResponse, Redirect, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::hmac;
use takt_auth::{Client, ConsoleAccount, StudioRole};
use takt_engine::Actor;
use takt_interfaces::Interfaces;
use takt_model::Principal;

use super::{Studio, language::Language, page};
use crate::{
    app::App,
    people::{self, Look},
    serve::CallerAddress,
};

const SESSION: &str = "takt_studio";
const FORM: &str = "takt_studio_form";
pub(super) const LANGUAGE: &str = "takt_studio_language";
/// Name of the form token among the fields.
pub(super) const TOKEN_FIELD: &str = "form_token";

/// Whoever asks for a page.
pub(super) struct Visitor {
    pub(super) app: Arc<App>,
    pub(super) studio: Arc<Studio>,
    pub(super) language: Language,
    pub(super) client: Client,
    /// The page that was asked for, with its query; for the way back.
    pub(super) path: String,
    session: Option<(String, ConsoleAccount)>,
    form_cookie: String,
    is_new_form_cookie: bool,
}

/// Whoever is signed in.
pub(super) struct Member {
    pub(super) visitor: Visitor,
    pub(super) account: ConsoleAccount,
}

/// A form that came from our own page, from whoever.
pub(super) struct Post {
    pub(super) visitor: Visitor,
    pub(super) fields: Fields,
}

/// A form that came from our own page, from somebody who is signed in.
pub(super) struct MemberPost {
    pub(super) member: Member,
    pub(super) fields: Fields,
}

/// The fields of a form; of a repeated name the last.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields(pub(super) BTreeMap<String, String>);

impl Fields {
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.get(name).map(String::as_str).unwrap_or_default()
    }
}

impl Visitor {
    /// The account, if somebody is signed in.
    pub(super) fn account(&self) -> Option<&ConsoleAccount> {
        self.session.as_ref().map(|(_, account)| account)
    }

    /// The token of the session, for signing out.
    pub(super) fn session_token(&self) -> Option<&str> {
        self.session.as_ref().map(|(token, _)| token.as_str())
    }

    /// Shorthand for texts.
    pub(super) fn t<'a>(&self, de: &'a str, en: &'a str) -> &'a str {
        self.language.t(de, en)
    }

    /// The token that forms of this page carry.
    pub(super) fn form_token(&self) -> String {
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.studio.form_key, self.bound().as_bytes()).as_ref())
    }

    fn bound(&self) -> String {
        format!("{}\n{}", self.form_cookie, self.session_token().unwrap_or_default())
    }

    fn is_own_token(&self, token: &str) -> bool {
        URL_SAFE_NO_PAD
            .decode(token)
            .is_ok_and(|tag| hmac::verify(&self.studio.form_key, self.bound().as_bytes(), &tag).is_ok())
    }

    /// The form cookie, if this answer is the first.
    pub(super) fn new_form_cookie(&self) -> Option<HeaderValue> {
        self.is_new_form_cookie.then(|| cookie(&self.app, FORM, &self.form_cookie, None)).flatten()
    }
}

impl Member {
    pub(super) fn t<'a>(&self, de: &'a str, en: &'a str) -> &'a str {
        self.visitor.t(de, en)
    }

    /// With whose rights plans run.
    pub(super) fn principal(&self) -> &Principal {
        &self.account.principal
    }

    /// Whether this account may decide about deliveries and connections; the others of the console only look.
    pub(super) fn may_operate(&self) -> bool {
        matches!(self.account.studio_role, Some(StudioRole::Owner | StudioRole::Developer))
    }

    /// Whether personal values may be shown to this account, for a reason.
    pub(super) fn may_reveal(&self) -> bool {
        self.account.studio_role.is_some_and(people::may_reveal)
    }

    /// Whether this account may read the audit.
    pub(super) fn may_audit(&self) -> bool {
        self.account.studio_role.is_some_and(people::may_audit)
    }

    /// Who it is, for the audit.
    pub(super) fn actor(&self) -> Actor {
        people::account(self.principal(), &self.account.email, self.visitor.client.address)
    }

    /// A look of this account; with a reason at personal values too.
    pub(super) fn look(&self, reason: Option<String>) -> Look {
        Look { by: self.actor(), reason }
    }

    /// The room of deliveries for this account: its decisions are written to the audit with what they do.
    pub(super) fn interfaces(&self) -> Interfaces {
        self.visitor.app.interfaces.acting_for(self.actor())
    }

    /// Writes to the audit, and to the log, who did what; never what they saw. For deeds that are done already: what
    /// can be written in the transaction that does it, should be.
    pub(super) fn note(&self, act: &str, to: &str) {
        let account = self.principal().uid().map(|id| id.to_string()).unwrap_or_default();
        tracing::info!(target: "takt::audit", account, act, to, "somebody acted in the console");
        let deed = self.look(None).deed(act, to.to_owned());
        let engine = self.visitor.app.engine.clone();
        tokio::spawn(async move {
            if let Err(error) = engine.note_deed(deed).await {
                tracing::error!(%error, "a deed was not written to the audit");
            }
        });
    }

    /// Whether the report and the stories are for this account, not only the tables of its roles.
    pub(super) fn sees_report(&self) -> bool {
        self.account.studio_role.is_some()
    }
}

/// The header that keeps a session; without one, that ends it.
pub(super) fn session_cookie(app: &App, token: Option<&str>) -> Option<HeaderValue> {
    match token {
        Some(token) => cookie(app, SESSION, token, None),
        None => cookie(app, SESSION, "", Some(0)),
    }
}

/// A cookie of the console.
pub(super) fn cookie(app: &App, name: &str, value: &str, max_age: Option<u32>) -> Option<HeaderValue> {
    let secure = if app.is_https() { "; Secure" } else { "" };
    let age = max_age.map(|s| format!("; Max-Age={s}")).unwrap_or_default();
    HeaderValue::from_str(&format!("{name}={value}; Path=/studio; HttpOnly; SameSite=Strict{age}{secure}"))
        .ok()
}

impl FromRequestParts<Arc<App>> for Visitor {
    type Rejection = Response<Body>;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Self::Rejection> {
        let Some(studio) = parts.extensions.get::<Arc<Studio>>().cloned() else {
            return Err(StatusCode::INTERNAL_SERVER_ERROR.into_response());
        };
        let headers = &parts.headers;
        let language = cookie_of(headers, LANGUAGE)
            .and_then(Language::parse)
            .unwrap_or_else(|| Language::of_browser(headers));
        let session = cookie_of(headers, SESSION).and_then(|token| {
            let account = app.auth.console_verify(token).ok()?;
            Some((token.to_owned(), account))
        });
        let given = cookie_of(headers, FORM).filter(|c| c.len() == 32);
        let path = parts.uri.path_and_query().map_or("/", |p| p.as_str());
        Ok(Self {
            app: Arc::clone(app),
            studio,
            language,
            client: client(parts),
            path: format!("/studio{}", if path == "/" { "" } else { path }),
            session,
            form_cookie: given.map_or_else(|| uuid::Uuid::new_v4().simple().to_string(), str::to_owned),
            is_new_form_cookie: given.is_none(),
        })
    }
}

fn client(parts: &Parts) -> Client {
    let unknown = std::net::IpAddr::from([0, 0, 0, 0]);
    let address = parts.extensions.get::<CallerAddress>().map_or(unknown, |a| a.0);
    let user_agent = parts.headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    Client { address, user_agent: user_agent.chars().take(400).collect() }
}

fn cookie_of<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

impl FromRequestParts<Arc<App>> for Member {
    type Rejection = Response<Body>;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Self::Rejection> {
        member(Visitor::from_request_parts(parts, app).await?)
    }
}

#[expect(clippy::result_large_err, reason = "the error is the answer, made once for a request")]
fn member(visitor: Visitor) -> Result<Member, Response<Body>> {
    match visitor.account().cloned() {
        Some(account) => Ok(Member { visitor, account }),
        None => Err(Redirect::to("/studio/sign-in").into_response()),
    }
}

impl FromRequest<Arc<App>> for Post {
    type Rejection = Response<Body>;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Self::Rejection> {
        let (mut parts, body) = request.into_parts();
        let visitor = Visitor::from_request_parts(&mut parts, app).await?;
        let is_ours = is_own_origin(app, &parts);
        let form = Form::<Vec<(String, String)>>::from_request(Request::from_parts(parts, body), app).await;
        let Ok(Form(pairs)) = form else {
            return Err(StatusCode::UNPROCESSABLE_ENTITY.into_response());
        };
        let fields = Fields(pairs.into_iter().collect());
        if !is_ours || !visitor.is_own_token(fields.get(TOKEN_FIELD)) {
            return Err(page::stale_form(&visitor));
        }
        Ok(Self { visitor, fields })
    }
}

impl FromRequest<Arc<App>> for MemberPost {
    type Rejection = Response<Body>;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Self::Rejection> {
        let post = Post::from_request(request, app).await?;
        Ok(Self { member: member(post.visitor)?, fields: post.fields })
    }
}

/// Browsers say where a form was sent from; whoever says another place than ours is refused.
fn is_own_origin(app: &App, parts: &Parts) -> bool {
    let text = |name: header::HeaderName| parts.headers.get(name).and_then(|v| v.to_str().ok());
    let site = parts.headers.get("sec-fetch-site").and_then(|v| v.to_str().ok());
    if site.is_some_and(|s| s != "same-origin") {
        return false;
    }
    let Some(origin) = text(header::ORIGIN) else { return true };
    let host = text(header::HOST).or_else(|| parts.uri.authority().map(|a| a.as_str())).unwrap_or_default();
    let origin_host = origin.split_once("://").map_or("", |(_, host)| host);
    origin == app.base_url || (!host.is_empty() && origin_host.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_found_by_their_whole_name() {
        let headers = HeaderMap::from_iter([(
            header::COOKIE,
            HeaderValue::from_static("takt_studio_form=f; takt_studio=s; other=x"),
        )]);
        assert_eq!(cookie_of(&headers, SESSION), Some("s"));
        assert_eq!(cookie_of(&headers, FORM), Some("f"));
        assert_eq!(cookie_of(&headers, LANGUAGE), None);
    }
}
