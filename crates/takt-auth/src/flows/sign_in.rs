//! Sign-in by password.

use std::sync::Arc;

use super::session::{Client, Session, begin};
use crate::{Auth, AuthError, rows::users};

impl Auth {
    /// Begins a session of the account that address and password belong to.
    ///
    /// # Errors
    /// `invalid_credentials` without saying why, `user_banned`, `over_request_rate_limit`, `validation_failed`
    /// for what cannot be a password.
    pub async fn sign_in_password(
        &self,
        email: &str,
        password: &str,
        client: &Client,
    ) -> Result<Session, AuthError> {
        let found = self.check_credentials(email, password, client.address).await?;
        let (inner, life) = (Arc::clone(&self.inner), self.token_life());
        let user_agent = client.user_agent.clone();
        let granted = self
            .transact("auth: sign in", move |db| {
                // The account may have changed while its password was hashed.
                let user = users::find(db, found.id)?.filter(|u| u.password_hash == found.password_hash);
                let mut user = user.ok_or(AuthError::InvalidCredentials)?;
                if user.is_banned(db.now()) {
                    return Err(AuthError::UserBanned);
                }
                user.last_sign_in_at = Some(db.now());
                users::update(db, &user)?;
                begin(db, &inner.secrets, user, &user_agent, life)
            })
            .await?;
        self.tidy_if_due().await;
        self.tell(granted, life)
    }
}
