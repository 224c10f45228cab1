//! Address and password: the one place that decides whether they belong together, for every door.
//! Order: what costs nothing is refused first, then the limits, then the hash. An unknown account costs the same
//! work and gets the same answer as a wrong password.

use std::net::IpAddr;

use serde_json::{Map, Value};

use crate::{
    Auth, AuthError, email, password,
    rows::users::{self, User},
};

/// Metadata travels in every access token and so in every request.
const MAX_METADATA_BYTES: usize = 4096;

impl Auth {
    /// The account of `address` if `given` is its password.
    pub(super) async fn check_credentials(
        &self,
        address: &str,
        given: &str,
        from: IpAddr,
    ) -> Result<User, AuthError> {
        password::check_form(given)?;
        // What is no address belongs to no account; it is not told apart.
        let address = email::normal_form(address).unwrap_or_default();
        let (settings, now) = (self.settings(), self.now());
        self.inner.limits.address(&settings, from, now)?;
        let tried = self.inner.limits.account(&settings, &address, Some(from), now)?;
        let user = self.look_up("auth: sign in", |db| users::find_by_email(db, &address))?;
        let stored = user.as_ref().and_then(|u| u.password_hash.clone());
        let fits = self.inner.hasher.verify(given.to_owned(), stored).await;
        match (user, fits) {
            (Some(user), Ok(true)) => {
                self.inner.limits.succeeded(&tried);
                if user.is_banned(now) { Err(AuthError::UserBanned) } else { Ok(user) }
            }
            (_, Err(busy)) => {
                // Nothing was tried: the queue was full.
                self.inner.limits.take_back(&tried);
                Err(busy)
            }
            _ => Err(AuthError::InvalidCredentials),
        }
    }

    /// The stored form of a new password that meets the rules.
    pub(super) async fn hash_new_password(&self, new: String) -> Result<String, AuthError> {
        password::check_strength(&new, self.settings().password_min_length)?;
        self.inner.hasher.hash(new).await
    }
}

/// Metadata as sent: an object of bearable size.
pub(super) fn metadata(sent: Value) -> Result<Map<String, Value>, AuthError> {
    let refused = |why: &str| Err(AuthError::ValidationFailed(why.to_owned()));
    match sent {
        Value::Null => Ok(Map::new()),
        Value::Object(map) => Ok(map),
        _ => refused("Metadata must be a JSON object"),
    }
}

/// Whether metadata, as it would be stored, is bearable.
pub(super) fn check_size(metadata: &Value) -> Result<(), AuthError> {
    if metadata.to_string().len() <= MAX_METADATA_BYTES {
        return Ok(());
    }
    let message = format!("Metadata cannot be longer than {MAX_METADATA_BYTES} bytes");
    Err(AuthError::ValidationFailed(message))
}
