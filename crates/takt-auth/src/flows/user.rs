//! The caller's own account: read and changed by the person it belongs to.

use std::fmt;

use serde_json::Value;
use takt_model::{Principal, Uuid};

use super::{
    credentials::{check_size, metadata},
    sign_out::end_sessions,
};
use crate::{
    Auth, AuthError, email,
    rows::{
        Db, console_sessions, sessions,
        users::{self, User},
    },
    shapes,
};

/// A session this young may change password and address by itself; an older one needs the current password,
/// because it may be an unlocked screen or a stolen token.
const RECENT: i64 = 24 * 3600 * 1_000_000;

/// What is to change. `Debug` shows no password.
#[derive(Clone, Default, PartialEq)]
pub struct UserUpdate {
    /// A new address; taken at once as long as there is no mail.
    pub email: Option<String>,
    /// A new password.
    pub password: Option<String>,
    /// Laid over `user_metadata`, key by key; null removes a key.
    pub data: Option<Value>,
    /// The password that is to be replaced; needed if the session is older than a day.
    pub current_password: Option<String>,
}

impl fmt::Debug for UserUpdate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserUpdate(***)")
    }
}

/// A checked change, ready for the transaction.
#[derive(Clone)]
struct Change {
    user: Uuid,
    session: Uuid,
    email: Option<String>,
    /// The hash of the new password, and the one that it replaces.
    password: Option<(String, Option<String>)>,
    data: serde_json::Map<String, Value>,
}

impl Auth {
    /// The caller's account.
    ///
    /// # Errors
    /// `no_authorization`, `session_not_found`, `user_not_found`.
    pub async fn user(&self, who: &Principal) -> Result<Value, AuthError> {
        let (id, session) = caller(who)?;
        let (user, _) = self.look_up("auth: read account", |db| current(db, id, session))?;
        Ok(shapes::user(&user))
    }

    /// Changes the caller's account. A new password or address ends all its other sessions.
    ///
    /// # Errors
    /// `validation_failed`, `weak_password`, `same_password`, `email_exists`, `invalid_credentials` (wrong current
    /// password), `reauthentication_needed`, and those of [`Auth::user`].
    pub async fn user_update(&self, who: &Principal, update: UserUpdate) -> Result<Value, AuthError> {
        let (id, session) = caller(who)?;
        let (user, since) = self.look_up("auth: read account", |db| {
            current(db, id, session).map(|(user, session)| (user, session.created_at))
        })?;
        let UserUpdate { email: address, password, data, current_password } = update;
        let address = address.filter(|a| !a.is_empty()).map(|a| email::normal_form(&a)).transpose()?;
        let address = address.filter(|a| *a != user.email);
        let data = metadata(data.unwrap_or_default())?;
        let confirmed = self.confirm(&user, current_password).await?;
        if (address.is_some() || password.is_some()) && !confirmed && self.now() - since > RECENT {
            return Err(AuthError::ReauthenticationNeeded);
        }
        let password = match password {
            Some(new) => Some((self.changed_password(&user, new).await?, user.password_hash)),
            None => None,
        };
        self.apply(Change { user: id, session, email: address, password, data }).await
    }

    /// Whether the current password was given, and right.
    async fn confirm(&self, user: &User, given: Option<String>) -> Result<bool, AuthError> {
        let Some(given) = given else { return Ok(false) };
        crate::password::check_form(&given)?;
        let account = user.id.to_string();
        let tried = self.inner.limits.account(&self.settings(), &account, None, self.now())?;
        if !self.inner.hasher.verify(given, user.password_hash.clone()).await? {
            return Err(AuthError::InvalidCredentials);
        }
        self.inner.limits.take_back(&tried);
        Ok(true)
    }

    async fn changed_password(&self, user: &User, new: String) -> Result<String, AuthError> {
        crate::password::check_strength(&new, self.settings().password_min_length)?;
        // Counted, because it tells whether a guess is the password.
        let account = user.id.to_string();
        let tried = self.inner.limits.account(&self.settings(), &account, None, self.now())?;
        if self.inner.hasher.verify(new.clone(), user.password_hash.clone()).await? {
            return Err(AuthError::SamePassword);
        }
        self.inner.limits.take_back(&tried);
        self.hash_new_password(new).await
    }

    async fn apply(&self, change: Change) -> Result<Value, AuthError> {
        let (user, ended) = self
            .transact("auth: change account", move |db| {
                let change = change.clone();
                let (mut user, _) = current(db, change.user, change.session)?;
                let is_credential = change.email.is_some() || change.password.is_some();
                if let Some((new, replaced)) = change.password {
                    // Somebody else changed it meanwhile: what was checked is not true any more.
                    if user.password_hash != replaced {
                        return Err(AuthError::InvalidCredentials);
                    }
                    user.set_password(new, db.now());
                }
                if let Some(address) = change.email {
                    user.email = address;
                    user.email_confirmed_at = Some(db.now());
                }
                shapes::merge(&mut user.user_metadata, &change.data);
                check_size(&user.user_metadata)?;
                user.updated_at = db.now();
                users::update(db, &user)?;
                let ended = if is_credential {
                    console_sessions::remove_of_user(db, user.id)?;
                    end_sessions(db, user.id, |session| session != change.session)?
                } else {
                    Vec::new()
                };
                Ok((user, ended))
            })
            .await?;
        self.inner.revocation.end(ended);
        Ok(shapes::user(&user))
    }
}

/// Account and session of a caller with an access token.
fn caller(who: &Principal) -> Result<(Uuid, Uuid), AuthError> {
    let user = who.user.as_ref().ok_or(AuthError::NoAuthorization)?;
    Ok((user.id, user.session_id.ok_or(AuthError::NoAuthorization)?))
}

/// The account and its session as they are now.
fn current(db: &Db<'_>, user: Uuid, session: Uuid) -> Result<(User, sessions::Session), AuthError> {
    let found = sessions::find(db, session)?.filter(|s| s.user_id == user);
    let session = found.ok_or(AuthError::SessionNotFound)?;
    let user = users::find(db, user)?.ok_or(AuthError::UserNotFound)?;
    Ok((user, session))
}
