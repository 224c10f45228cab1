//! OAuth 2 client credentials (RFC 6749, section 4.4): a token is asked for once and kept until shortly before its end.

use http::{HeaderValue, Method, header};
use serde_json::Value as Json;
use takt_model::{Connection, ConnectionAuth};
use takt_outbound::{Request, Secret};

use super::http::{NotMade, secret};
use crate::{Cause, interfaces::House, payload};

/// A token is exchanged this long before its end: seconds.
const EARLY: i64 = 30;
/// How long a token holds that does not say so: seconds.
const UNSAID: i64 = 300;

/// A token and when it is exchanged: seconds since 1970 UTC.
#[derive(Clone)]
pub(crate) struct Token {
    text: Secret,
    until: i64,
}

/// Whose token it is. The connection alone would not do: a comparison asks another system under the same name, with
/// the terms of `[reconcile.connect]`, and a reload may exchange them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Holder {
    connection: String,
    token_url: String,
    client_id: String,
    scope: Option<String>,
}

impl Holder {
    /// None if the connection has no OAuth 2.
    fn of(connection: &Connection) -> Option<Self> {
        let ConnectionAuth::OAuth2 { token_url, client_id, scope, .. } = &connection.connect.auth else {
            return None;
        };
        Some(Self {
            connection: connection.id.clone(),
            token_url: token_url.clone(),
            client_id: client_id.clone(),
            scope: scope.clone(),
        })
    }
}

/// The token of a connection.
pub(super) async fn token(house: &House, connection: &Connection) -> Result<Secret, NotMade> {
    let now = house.engine.now() / 1_000_000;
    let Some(holder) = Holder::of(connection) else { return Err(without()) };
    let kept = house.tokens.lock().get(&holder).filter(|t| t.until > now).cloned();
    if let Some(token) = kept {
        return Ok(token.text);
    }
    let token = ask(house, connection, now).await?;
    house.tokens.lock().insert(holder, token.clone());
    Ok(token.text)
}

fn without() -> NotMade {
    "this connection has no OAuth 2".to_owned().into()
}

/// Whether the other side no longer takes our token; it is forgotten then.
pub(super) fn is_stale(house: &House, connection: &Connection, status: u16) -> bool {
    status == 401 && Holder::of(connection).is_some_and(|h| house.tokens.lock().remove(&h).is_some())
}

async fn ask(house: &House, connection: &Connection, now: i64) -> Result<Token, NotMade> {
    let ConnectionAuth::OAuth2 { token_url, client_id, secret: name, scope } = &connection.connect.auth
    else {
        return Err(without());
    };
    let mut form = String::from("grant_type=client_credentials");
    for (key, value) in [
        ("client_id", Some(client_id.as_str())),
        ("client_secret", Some(secret(house, name)?.expose())),
        ("scope", scope.as_deref()),
    ] {
        if let Some(value) = value {
            form.push_str(&format!("&{key}="));
            payload::percent_encode(&mut form, value);
        }
    }
    let mut request = Request::new(Method::POST, token_url.clone());
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
    request.headers.insert(header::CONTENT_TYPE, kind);
    request.headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    request.allow_private = connection.connect.allow_private;
    request.timeout = Some(connection.guard.timeout);
    request.body = form.into_bytes().into();
    let purpose = format!("{}: token", connection.id);
    let answer = house
        .outbound
        .send(&purpose, request)
        .await
        .map_err(|e| NotMade { cause: Cause::of_error(&e), ..NotMade::for_now(format!("no token: {e}")) })?;
    if answer.status != 200 {
        return Err(NotMade::for_now(format!("no token: answered {}", answer.status)));
    }
    let answer: Json =
        serde_json::from_slice(&answer.body).map_err(|_| NotMade::for_now("no token: no JSON"))?;
    let text = answer["access_token"].as_str().ok_or_else(|| NotMade::for_now("no token in the answer"))?;
    let life = answer["expires_in"].as_i64().unwrap_or(UNSAID);
    Ok(Token { text: Secret::new(text), until: now.saturating_add(life - EARLY) })
}
