//! Refresh: an old token for a new one (`design/wire.md` section 2, 29).
//!
//! Each session has one active token; using it makes its child the active one. A used token that comes back is
//! forgiven, and answered with the token that is active now, if it is the parent of the active one (the answer got
//! lost) or was used a moment ago (several tabs refresh at once). Otherwise somebody has a copy: the session ends.
//! All of it is one transaction, so parallel refreshes come one after the other.

use std::sync::Arc;

use super::session::{Client, Granted, Session};
use crate::{
    Auth, AuthError,
    revocation::Ended,
    rows::{
        Db,
        refresh_tokens::{self, RefreshToken},
        sessions, users,
    },
    secrets::Secrets,
};

/// Settings and keys of one refresh.
struct Rules<'a> {
    secrets: &'a Secrets,
    /// Microseconds.
    reuse: i64,
    /// Microseconds; 0 for no end.
    idle: i64,
    /// Of an access token, seconds.
    life: i64,
}

/// A refusal may end the session, and that must be committed: it is no error of the transaction.
enum Refreshed {
    Granted(Box<Granted>),
    Refused(AuthError, Vec<Ended>),
}

impl Auth {
    /// A new access token for the session of `refresh_token`.
    ///
    /// # Errors
    /// `refresh_token_not_found`, `refresh_token_already_used`, `session_expired`, `user_banned`.
    pub async fn refresh(&self, refresh_token: &str, client: &Client) -> Result<Session, AuthError> {
        let (inner, settings, life) = (Arc::clone(&self.inner), self.settings(), self.token_life());
        let micros = |d: std::time::Duration| i64::try_from(d.as_micros()).unwrap_or(i64::MAX / 4);
        let (reuse, idle) = (micros(settings.refresh_reuse), micros(settings.session_idle));
        let (token, user_agent) = (refresh_token.to_owned(), client.user_agent.clone());
        let refreshed = self
            .transact("auth: refresh session", move |db| {
                let rules = Rules { secrets: &inner.secrets, reuse, idle, life };
                exchange(db, &token, &user_agent, &rules)
            })
            .await?;
        match refreshed {
            Refreshed::Granted(granted) => {
                self.tidy_if_due().await;
                self.tell(*granted, life)
            }
            Refreshed::Refused(error, ended) => {
                self.inner.revocation.end(ended);
                Err(error)
            }
        }
    }
}

fn exchange(db: &Db<'_>, token: &str, user_agent: &str, rules: &Rules<'_>) -> Result<Refreshed, AuthError> {
    let not_found = || Ok(Refreshed::Refused(AuthError::RefreshTokenNotFound, Vec::new()));
    let Some(sent) = refresh_tokens::find(db, token)? else { return not_found() };
    let Some(mut session) = sessions::find(db, sent.session_id)? else { return not_found() };
    let Some(user) = users::find(db, session.user_id)? else { return not_found() };
    let end = |session: &sessions::Session, error| {
        let ended = sessions::end(db, std::slice::from_ref(session))?;
        Ok(Refreshed::Refused(error, ended))
    };
    if user.is_banned(db.now()) {
        return end(&session, AuthError::UserBanned);
    }
    if rules.idle > 0 && session.refreshed_at.saturating_add(rules.idle) <= db.now() {
        return end(&session, AuthError::SessionExpired);
    }
    let Some(active) = next_active(db, &sent, rules)? else {
        tracing::warn!(session = %session.id, "a used refresh token came back: session ended");
        return end(&session, AuthError::RefreshTokenAlreadyUsed);
    };
    let issued_at = db.now().div_euclid(1_000_000);
    session.refreshed_at = db.now();
    user_agent.clone_into(&mut session.user_agent);
    session.token_until = session.token_until.max((issued_at + rules.life).saturating_mul(1_000_000));
    sessions::touch(db, &session)?;
    let refresh_token = rules.secrets.refresh_token(active);
    Ok(Refreshed::Granted(Box::new(Granted { user, session, refresh_token, issued_at })))
}

/// The id of the token that is active after `sent` was shown; none if `sent` must not be in anybody's hands.
fn next_active(
    db: &Db<'_>,
    sent: &RefreshToken,
    rules: &Rules<'_>,
) -> Result<Option<takt_model::Uuid>, AuthError> {
    let Some(used_at) = sent.used_at else {
        let child = db.new_id();
        refresh_tokens::set_used(db, sent.id)?;
        let text = rules.secrets.refresh_token(child);
        refresh_tokens::insert(db, child, sent.session_id, &text, Some(sent.id))?;
        return Ok(Some(child));
    };
    let Some(active) = refresh_tokens::active(db, sent.session_id)? else { return Ok(None) };
    let is_forgiven = active.parent == Some(sent.id) || db.now() - used_at <= rules.reuse;
    Ok(is_forgiven.then_some(active.id))
}
