//! Sessions: begun by a sign-in, carried on by refreshes, told in the shape that client libraries read.

use std::{fmt, net::IpAddr};

use serde_json::{Value, json};

use crate::{
    Auth, AuthError,
    rows::{Db, refresh_tokens, sessions, users::User},
    secrets::Secrets,
    shapes, token,
};

/// From where somebody comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// The address that counts: the peer's, or what a trusted proxy says.
    pub address: IpAddr,
    /// As sent; kept (cut) with the session so that people recognise it.
    pub user_agent: String,
}

/// A session as it is answered (`design/wire.md` section 2, 24). `Debug` shows no token.
#[derive(Clone, PartialEq)]
pub struct Session {
    /// The signed token for requests.
    pub access_token: String,
    /// The token for the next session answer.
    pub refresh_token: String,
    /// Seconds.
    pub expires_in: i64,
    /// Seconds since 1970 UTC.
    pub expires_at: i64,
    /// The account, as [`Auth::user`] tells it.
    pub user: Value,
}

impl Session {
    /// The body of the answer.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "access_token": self.access_token,
            "token_type": "bearer",
            "expires_in": self.expires_in,
            "expires_at": self.expires_at,
            "refresh_token": self.refresh_token,
            "user": self.user,
        })
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// What a transaction found or made: everything that a [`Session`] is told from.
pub(super) struct Granted {
    pub(super) user: User,
    pub(super) session: sessions::Session,
    pub(super) refresh_token: String,
    /// Seconds.
    pub(super) issued_at: i64,
}

/// Begins a session of `user` inside a transaction. `life` is that of an access token in seconds.
pub(super) fn begin(
    db: &Db<'_>,
    secrets: &Secrets,
    user: User,
    user_agent: &str,
    life: i64,
) -> Result<Granted, AuthError> {
    let (now, issued_at) = (db.now(), db.now().div_euclid(1_000_000));
    let session = sessions::Session {
        id: db.new_id(),
        user_id: user.id,
        created_at: now,
        refreshed_at: now,
        token_until: (issued_at + life).saturating_mul(1_000_000),
        user_agent: user_agent.to_owned(),
    };
    sessions::insert(db, &session)?;
    let token_id = db.new_id();
    let refresh_token = secrets.refresh_token(token_id);
    refresh_tokens::insert(db, token_id, session.id, &refresh_token, None)?;
    Ok(Granted { user, session, refresh_token, issued_at })
}

impl Auth {
    /// Signs what a transaction has granted; after its commit.
    pub(super) fn tell(&self, granted: Granted, life: i64) -> Result<Session, AuthError> {
        let Granted { user, session, refresh_token, issued_at } = granted;
        let key = &self.inner.secrets.signing;
        let access_token = token::issue(key, &self.issuer(), &user, &session, issued_at, life)?;
        Ok(Session {
            access_token,
            refresh_token,
            expires_in: life,
            expires_at: issued_at + life,
            user: shapes::user(&user),
        })
    }
}
