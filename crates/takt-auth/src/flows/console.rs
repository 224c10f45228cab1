//! The console's own sessions: a cookie with a random token, stored as a hash, good for twelve hours after its
//! last use. The first owner is made with the one-time code of a fresh instance.

use std::fmt;

use serde_json::json;
use takt_model::{Principal, User as Caller};

use super::session::Client;
use crate::{
    Account, Auth, AuthError, StudioRole, email, random,
    rows::{
        Db, console_sessions,
        users::{self, User},
    },
};

const HOUR: i64 = 3600 * 1_000_000;
const IDLE: i64 = 12 * HOUR;
/// However much it is used.
const LONGEST: i64 = 30 * 24 * HOUR;
/// The end is moved on at most so often, because each move is a write.
const STRIDE: i64 = HOUR / 2;

/// A session of the console. `Debug` shows no token.
#[derive(Clone, PartialEq)]
pub struct ConsoleSession {
    /// For the cookie.
    pub token: String,
    /// Whose it is.
    pub account: Account,
}

impl fmt::Debug for ConsoleSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConsoleSession").field("account", &self.account.id).finish_non_exhaustive()
    }
}

/// Who is signed in to the console.
#[derive(Debug, Clone, PartialEq)]
pub struct ConsoleAccount {
    /// With the rights of the account: policies apply to the console's data pages too.
    pub principal: Principal,
    /// Address.
    pub email: String,
    /// What the account may do in the console besides its roles.
    pub studio_role: Option<StudioRole>,
}

impl Auth {
    /// The one-time code while there is no owner: `ABCD-EFGH-JKMN`. For the terminal only.
    #[must_use]
    pub fn setup_code(&self) -> Option<String> {
        // What cannot be read is not taken for "no owner".
        let has_owner = self.look_up("auth: look for an owner", users::has_owner).unwrap_or(true);
        if has_owner { None } else { Some(self.inner.setup.text()) }
    }

    /// Makes the first account and signs it in to the console.
    ///
    /// # Errors
    /// `setup_closed`, `setup_code_wrong`, `over_request_rate_limit`, `validation_failed`, `weak_password`,
    /// `email_exists`.
    pub async fn owner_create(
        &self,
        code: &str,
        address: &str,
        password: &str,
        client: &Client,
    ) -> Result<ConsoleSession, AuthError> {
        if self.look_up("auth: look for an owner", users::has_owner)? {
            return Err(AuthError::SetupClosed);
        }
        self.inner.setup.check(code, client.address, self.now())?;
        let address = email::normal_form(address)?;
        let hash = self.hash_new_password(password.to_owned()).await?;
        let rights = json!({
            "roles": self.inner.engine.project().settings.roles,
            "studio_role": StudioRole::Owner.as_str(),
        });
        let token = random::token()?;
        let kept = token.clone();
        let account = self
            .transact("auth: make the owner", move |db| {
                // Two at once with the same code: one of them is the first.
                if users::has_owner(db)? {
                    return Err(AuthError::SetupClosed);
                }
                let mut user = User::new(db, address.clone(), Some(hash.clone()));
                user.last_sign_in_at = Some(db.now());
                if let Some(rights) = rights.as_object() {
                    crate::shapes::merge(&mut user.app_metadata, rights);
                }
                users::insert(db, &user)?;
                console_sessions::insert(db, user.id, &kept, db.now() + IDLE)?;
                Ok(Account::of(&user))
            })
            .await?;
        Ok(ConsoleSession { token, account })
    }

    /// Signs in to the console: only accounts with a role of the project or of the console.
    ///
    /// # Errors
    /// As [`Auth::sign_in_password`], and `insufficient_role` (said only to who knows the password).
    pub async fn console_sign_in(
        &self,
        email: &str,
        password: &str,
        client: &Client,
    ) -> Result<ConsoleSession, AuthError> {
        let found = self.check_credentials(email, password, client.address).await?;
        let token = random::token()?;
        let kept = token.clone();
        let account = self
            .transact("auth: sign in to the console", move |db| {
                let user = users::find(db, found.id)?.filter(|u| u.password_hash == found.password_hash);
                let mut user = user.ok_or(AuthError::InvalidCredentials)?;
                let account = usable(&user, db.now())?;
                user.last_sign_in_at = Some(db.now());
                users::update(db, &user)?;
                console_sessions::insert(db, user.id, &kept, db.now() + IDLE)?;
                Ok(account)
            })
            .await?;
        self.tidy_if_due().await;
        Ok(ConsoleSession { token, account })
    }

    /// Who is signed in with this token. A use moves the session's end on; inside a runtime that is written in the
    /// background.
    ///
    /// # Errors
    /// `session_not_found` (401), `insufficient_role`, `user_banned`.
    pub fn console_verify(&self, token: &str) -> Result<ConsoleAccount, AuthError> {
        let now = self.now();
        let (session, user) = self.look_up("auth: check console session", |db| {
            let session = console_sessions::find(db, token)?.filter(|s| s.expires_at > now);
            let session = session.ok_or(AuthError::ConsoleSessionEnded)?;
            let user = users::find(db, session.user_id)?.ok_or(AuthError::ConsoleSessionEnded)?;
            usable(&user, now)?;
            Ok((session, user))
        })?;
        let end = (now + IDLE).min(session.created_at + LONGEST);
        if end - session.expires_at >= STRIDE {
            self.move_on(session.id, end);
        }
        Ok(ConsoleAccount { principal: principal(&user), studio_role: user.studio_role(), email: user.email })
    }

    /// Ends a session of the console. Ending what has ended already is no error.
    ///
    /// # Errors
    /// The engine's.
    pub async fn console_sign_out(&self, token: &str) -> Result<(), AuthError> {
        let token = token.to_owned();
        self.transact("auth: sign out of the console", move |db| console_sessions::remove(db, &token)).await
    }

    /// Without waiting: a page must not wait for the writer. Lost, it costs the person half an hour.
    fn move_on(&self, session: takt_model::Uuid, end: i64) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let auth = self.clone();
        runtime.spawn(async move {
            let moved = auth.transact("auth: extend console session", move |db: &Db<'_>| {
                console_sessions::extend(db, session, end)
            });
            if let Err(error) = moved.await {
                tracing::warn!(%error, "a console session could not be extended");
            }
        });
    }
}

/// The account, if it may use the console now.
fn usable(user: &User, now: i64) -> Result<Account, AuthError> {
    if user.is_banned(now) {
        return Err(AuthError::UserBanned);
    }
    let account = Account::of(user);
    if account.roles.is_empty() && account.studio_role.is_none() {
        return Err(AuthError::ConsoleDenied);
    }
    Ok(account)
}

/// With the claims that policies may ask for; no session, because there is no access token.
fn principal(user: &User) -> Principal {
    Principal::user(Caller {
        id: user.id,
        email: Some(user.email.clone()),
        roles: user.roles(),
        session_id: None,
        claims: json!({
            "sub": user.id.to_string(),
            "aud": "authenticated",
            "role": "authenticated",
            "email": user.email,
            "app_metadata": user.app_metadata,
            "user_metadata": user.user_metadata,
        }),
    })
}
