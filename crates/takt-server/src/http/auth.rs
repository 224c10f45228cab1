//! `/auth/v1`: GoTrue's dialect. Each handler reads a body, asks `takt-auth`, writes its answer.
//! Lives here: headers, tokens from headers, statuses. Not here: bodies and errors of the dialect (`takt_auth::wire`).

use std::sync::Arc;

use ::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, Uri, header};
use axum::body::{Body, Bytes};
use serde_json::{Value as Json, json};
use takt_auth::{
    AuthError, Client, SignOutScope,
    wire::{self, ErrorFormat, Grant},
};
use takt_model::Principal;

use crate::{
    app::App,
    identity::{self, IdentityError},
    routes::Call,
    wire_error::{self, WireError},
};

const API_VERSION: HeaderName = HeaderName::from_static("x-supabase-api-version");
const ERROR_CODE: HeaderName = HeaderName::from_static("x-sb-error-code");

/// A request with its body read.
pub(crate) struct AuthCall {
    app: Arc<App>,
    headers: HeaderMap,
    uri: Uri,
    client: Client,
    body: Bytes,
}

/// What a handler answers.
pub(crate) type Done = Result<Reply, AuthError>;

/// A body with what belongs to it.
#[derive(Debug, Default)]
pub(crate) struct Reply {
    body: Option<Json>,
    headers: Vec<(HeaderName, String)>,
}

impl From<Json> for Reply {
    fn from(body: Json) -> Self {
        Self { body: Some(body), headers: Vec::new() }
    }
}

impl AuthCall {
    /// Reads the body.
    pub(crate) async fn read(call: Call) -> Result<Self, WireError> {
        let Call { app, peer, parts, body } = call;
        let body = body.read().await?;
        let client = identity::client(&app, peer, &parts.headers);
        Ok(Self { app, headers: parts.headers, uri: parts.uri, client, body })
    }

    /// `GET /health`
    pub(crate) fn health(&self) -> Done {
        let about =
            json!({ "name": "Takt", "version": env!("CARGO_PKG_VERSION"), "description": "Accounts" });
        Ok(about.into())
    }

    /// `GET /settings`
    pub(crate) fn settings(&self) -> Done {
        Ok(self.app.auth.settings_json().into())
    }

    /// `GET /.well-known/jwks.json`
    pub(crate) fn jwks(&self) -> Done {
        Ok(self.app.auth.jwks().into())
    }

    /// `POST /signup`
    pub(crate) async fn sign_up(self) -> Done {
        let session = self.app.auth.sign_up(wire::sign_up(&self.body)?, &self.client).await?;
        Ok(session.to_json().into())
    }

    /// `POST /token?grant_type=`
    pub(crate) async fn token(self) -> Done {
        let grant_type = self.parameter("grant_type");
        let session = match wire::grant(grant_type, &self.body)? {
            Grant::Password { email, password } => {
                self.app.auth.sign_in_password(&email, &password, &self.client).await?
            }
            Grant::RefreshToken(token) => self.app.auth.refresh(&token, &self.client).await?,
        };
        Ok(session.to_json().into())
    }

    /// `GET /user`
    pub(crate) async fn user(self) -> Done {
        Ok(self.app.auth.user(&self.account()?).await?.into())
    }

    /// `PUT /user`
    pub(crate) async fn user_update(self) -> Done {
        let who = self.account()?;
        Ok(self.app.auth.user_update(&who, wire::user_update(&self.body)?).await?.into())
    }

    /// `POST /logout?scope=`
    pub(crate) async fn sign_out(self) -> Done {
        let who = self.account()?;
        let scope = SignOutScope::parse(self.parameter("scope"))?;
        self.app.auth.sign_out(&who, scope).await?;
        Ok(Reply::default())
    }

    /// `GET /admin/users`
    pub(crate) async fn admin_list(self) -> Done {
        let (page, per_page) = wire::page(self.parameter("page"), self.parameter("per_page"));
        let users = self.app.auth.admin_users(&self.anybody()?, page, per_page).await?;
        let link = users.link("/admin/users");
        let headers =
            vec![(HeaderName::from_static("x-total-count"), users.total.to_string()), (header::LINK, link)];
        Ok(Reply { body: Some(users.to_json()), headers })
    }

    /// `POST /admin/users`
    pub(crate) async fn admin_create(self) -> Done {
        let who = self.anybody()?;
        Ok(self.app.auth.admin_user_create(&who, wire::admin_user(&self.body)?).await?.into())
    }

    /// `GET /admin/users/{id}`
    pub(crate) async fn admin_get(self, id: &str) -> Done {
        Ok(self.app.auth.admin_user(&self.anybody()?, id).await?.into())
    }

    /// `PUT /admin/users/{id}`
    pub(crate) async fn admin_update(self, id: &str) -> Done {
        let who = self.anybody()?;
        Ok(self.app.auth.admin_user_update(&who, id, wire::admin_user(&self.body)?).await?.into())
    }

    /// `DELETE /admin/users/{id}`
    pub(crate) async fn admin_delete(self, id: &str) -> Done {
        Ok(self.app.auth.admin_user_delete(&self.anybody()?, id).await?.into())
    }

    /// The account of the access token; here a key is no identity.
    fn account(&self) -> Result<Principal, AuthError> {
        let token = identity::bearer(&self.headers).filter(|t| !t.starts_with("sb_"));
        self.app.auth.verify_bearer(token.ok_or(AuthError::NoAuthorization)?)
    }

    /// Account or service, by token or key; what they may do is decided by the room.
    fn anybody(&self) -> Result<Principal, AuthError> {
        identity::identify(&self.app, &self.headers, &self.uri).map_err(|e| match e {
            IdentityError::NoKey
            | IdentityError::WrongKey
            | IdentityError::SecretFromBrowser
            | IdentityError::SecretInQuery => AuthError::NoAuthorization,
            IdentityError::InvalidToken => takt_auth::TokenError::Invalid.into(),
            IdentityError::ExpiredToken => takt_auth::TokenError::Expired.into(),
        })
    }

    /// A parameter of the query; those of this dialect are plain words and numbers.
    fn parameter(&self, name: &str) -> Option<&str> {
        let pairs = self.uri.query().unwrap_or_default().split('&');
        pairs.filter_map(|p| p.split_once('=')).find(|(k, _)| *k == name).map(|(_, v)| v)
    }
}

/// The answer in the version of the dialect that the caller speaks.
pub(crate) fn response(done: Done, version: Option<HeaderValue>) -> Response<Body> {
    let mut response = match done {
        Ok(reply) => success(reply),
        Err(error) => refusal(&error, format(version.as_ref())),
    };
    finish(&mut response, version);
    response
}

fn success(reply: Reply) -> Response<Body> {
    let Some(body) = reply.body else {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        return response;
    };
    let mut response = Response::new(Body::from(body.to_string()));
    for (name, value) in reply.headers {
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn refusal(error: &AuthError, format: ErrorFormat) -> Response<Body> {
    if error.is_ours() {
        tracing::error!(%error, "an account could not be served");
    }
    let body = wire::error_json(error, format);
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() =
        StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(ERROR_CODE, HeaderValue::from_static(error.code()));
    if let Some(after) = error.retry_after() {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(after.as_secs().max(1)));
    }
    response
}

/// An error of the server itself (key, size, time) in this dialect's shape.
pub(crate) fn server_error(error: &WireError, version: Option<HeaderValue>) -> Response<Body> {
    let body = match format(version.as_ref()) {
        ErrorFormat::Version20240101 => {
            json!({ "code": error.code, "message": error.message, "hint": error.hint })
        }
        ErrorFormat::Old => {
            json!({ "code": error.status, "error_code": error.code, "msg": error.message, "hint": error.hint })
        }
    };
    let mut response = Response::new(Body::from(body.to_string()));
    error.mark(&mut response);
    if let Ok(code) = HeaderValue::from_str(&error.code) {
        response.headers_mut().insert(ERROR_CODE, code);
    }
    finish(&mut response, version);
    response
}

/// Nobody is let in.
pub(crate) fn no_entry(error: IdentityError, version: Option<HeaderValue>) -> Response<Body> {
    server_error(&wire_error::identity_error(error), version)
}

/// The version that the caller names.
pub(crate) fn version(headers: &HeaderMap) -> Option<HeaderValue> {
    headers.get(API_VERSION).filter(|v| v.len() <= 32).cloned()
}

fn format(version: Option<&HeaderValue>) -> ErrorFormat {
    ErrorFormat::of(version.and_then(|v| v.to_str().ok()))
}

/// Answers about accounts are for the caller only, and are kept nowhere.
fn finish(response: &mut Response<Body>, version: Option<HeaderValue>) {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(version) = version {
        headers.insert(API_VERSION, version);
    }
}
