//! Sign-up. Accounts are confirmed at once as long as there is no mail; therefore a taken address can be told
//! from a free one here, and only here. Tries are limited per address.

use std::{fmt, sync::Arc};

use serde_json::Value;

use super::{
    credentials::{check_size, metadata},
    session::{Client, Session, begin},
};
use crate::{
    Auth, AuthError, email, password,
    rows::users::{self, User},
    shapes,
};

/// What somebody signs up with. `Debug` shows no password.
#[derive(Clone, Default, PartialEq)]
pub struct SignUp {
    /// As typed.
    pub email: String,
    /// As typed.
    pub password: String,
    /// What they say about themselves: an object, or null.
    pub data: Value,
}

impl fmt::Debug for SignUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignUp(***)")
    }
}

impl Auth {
    /// Makes an account and signs it in.
    ///
    /// # Errors
    /// `signup_disabled`, `anonymous_provider_disabled`, `validation_failed`, `weak_password`,
    /// `user_already_exists`, `over_request_rate_limit`.
    pub async fn sign_up(&self, sign_up: SignUp, client: &Client) -> Result<Session, AuthError> {
        let SignUp { email: address, password: new, data } = sign_up;
        let settings = self.settings();
        if !settings.sign_up {
            return Err(AuthError::SignupDisabled);
        }
        if address.is_empty() {
            return Err(AuthError::AnonymousDisabled);
        }
        if new.is_empty() {
            let message = "Signup requires a valid password".to_owned();
            return Err(AuthError::ValidationFailed(message));
        }
        let address = email::normal_form(&address)?;
        password::check_strength(&new, settings.password_min_length)?;
        let data = metadata(data)?;
        self.inner.limits.address(&settings, client.address, self.now())?;
        // Before the hash: a taken address must not cost more than a look-up.
        if self.look_up("auth: sign up", |db| users::find_by_email(db, &address))?.is_some() {
            return Err(AuthError::UserAlreadyExists);
        }
        let hash = self.hash_new_password(new).await?;
        let (inner, life) = (Arc::clone(&self.inner), self.token_life());
        let user_agent = client.user_agent.clone();
        let granted = self.transact("auth: sign up", move |db| {
            let mut user = User::new(db, address.clone(), Some(hash.clone()));
            user.last_sign_in_at = Some(db.now());
            shapes::merge(&mut user.user_metadata, &data);
            check_size(&user.user_metadata)?;
            users::insert(db, &user)?;
            begin(db, &inner.secrets, user, &user_agent, life)
        });
        // Two sign-ups at the same moment: the database decides.
        let granted = granted.await.map_err(|e| match e {
            AuthError::EmailExists => AuthError::UserAlreadyExists,
            other => other,
        })?;
        self.tell(granted, life)
    }
}
