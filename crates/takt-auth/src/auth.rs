//! [`Auth`]: the parts of this room put together, and what every request asks of it. What people do (sign up,
//! sign in, ...) is in `flows/`.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use serde_json::{Value, json};
use takt_engine::{Engine, EngineTx};
use takt_model::{AuthSettings, Principal};

use crate::{
    ApiKeys, AuthError, KeyKind, MasterKey, TokenError,
    limits::Limits,
    password::Hasher,
    revocation::{NewRights, Revocation},
    rows::{Db, ended_sessions, users},
    secrets::Secrets,
    setup::SetupCode,
    token::{TokenCache, Verified},
};

/// Verified tokens that are remembered; mostly about 2 KB each.
const CACHED_TOKENS: usize = 4096;
/// At the least so far back changes of rights are loaded at start, whatever life tokens have now.
const A_DAY: i64 = 24 * 3600 * 1_000_000;

/// Who is there. Cheap to clone.
#[derive(Clone)]
pub struct Auth {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) engine: Engine,
    pub(crate) secrets: Secrets,
    /// Seals the secrets of connections.
    pub(crate) master: MasterKey,
    pub(crate) hasher: Hasher,
    pub(crate) limits: Limits,
    pub(crate) revocation: Revocation,
    pub(crate) setup: SetupCode,
    pub(crate) tidied_at: AtomicI64,
    tokens: TokenCache,
}

/// Why a token is refused, in more detail than the data dialect tells.
pub(crate) enum TokenFault {
    Invalid,
    Expired,
    SessionEnded,
}

impl Auth {
    /// Opens the secrets (makes them at first start), loads what is revoked, starts the hashing thread.
    /// Blocks; meant for start-up.
    ///
    /// # Errors
    /// [`AuthError::Start`] with a plain sentence, or the engine's.
    pub fn open(engine: Engine, key: MasterKey) -> Result<Self, AuthError> {
        let secrets = Secrets::load(&engine, &key)?;
        let settings = engine.project().settings.auth.clone();
        let inner = Inner {
            secrets,
            hasher: Hasher::start(settings.hash_queue)?,
            limits: Limits::new(),
            revocation: Revocation::default(),
            setup: SetupCode::new()?,
            tidied_at: AtomicI64::new(engine.now()),
            tokens: TokenCache::new(CACHED_TOKENS),
            master: key,
            engine,
        };
        let auth = Self { inner: Arc::new(inner) };
        auth.load_revocation()?;
        Ok(auth)
    }

    fn load_revocation(&self) -> Result<(), AuthError> {
        let since = self.inner.engine.now() - self.token_life_micros().max(A_DAY);
        let (ended, changed) = self.look_up("auth: load revocations", |db| {
            Ok((ended_sessions::list(db)?, users::changed_rights(db, since)?))
        })?;
        self.inner.revocation.end(ended);
        self.inner.revocation.change(changed.into_iter().filter_map(|user| {
            Some(NewRights { user: user.id, at: user.epoch_at?, app_metadata: user.app_metadata })
        }));
        Ok(())
    }

    /// Who sent this access token.
    ///
    /// # Errors
    /// [`TokenError::Expired`] if it was good once; [`TokenError::Invalid`] for everything else, also if its
    /// session has ended.
    pub fn verify_token(&self, token: &str) -> Result<Principal, TokenError> {
        self.check_token(token).map_err(|fault| match fault {
            TokenFault::Expired => TokenError::Expired,
            TokenFault::Invalid | TokenFault::SessionEnded => TokenError::Invalid,
        })
    }

    /// As [`Auth::verify_token`], with the errors of `/auth/v1`, where clients want to know that a session has
    /// ended.
    ///
    /// # Errors
    /// [`AuthError::BadJwt`], [`AuthError::SessionNotFound`].
    pub fn verify_bearer(&self, token: &str) -> Result<Principal, AuthError> {
        self.check_token(token).map_err(|fault| match fault {
            TokenFault::Invalid => TokenError::Invalid.into(),
            TokenFault::Expired => TokenError::Expired.into(),
            TokenFault::SessionEnded => AuthError::SessionNotFound,
        })
    }

    fn check_token(&self, token: &str) -> Result<Principal, TokenFault> {
        let inner = &self.inner;
        let verify = || Verified::read(&inner.secrets.signing, &self.issuer(), token);
        let verified = inner.tokens.get_or_verify(token, verify).ok_or(TokenFault::Invalid)?;
        let now = inner.engine.now().div_euclid(1_000_000);
        if verified.is_expired(now) {
            inner.tokens.forget(token);
            return Err(TokenFault::Expired);
        }
        if verified.is_early(now) {
            return Err(TokenFault::Invalid);
        }
        if inner.revocation.is_ended(verified.session) {
            return Err(TokenFault::SessionEnded);
        }
        Ok(match inner.revocation.rights_since(verified.user, verified.issued_at) {
            Some(app_metadata) => verified.with_rights(app_metadata),
            None => verified.principal.clone(),
        })
    }

    /// Which of the project's keys this is.
    #[must_use]
    pub fn key(&self, key: &str) -> Option<KeyKind> {
        self.inner.secrets.api_keys.kind_of(key)
    }

    /// The project's keys, for whoever may see them.
    #[must_use]
    pub fn keys(&self) -> ApiKeys {
        self.inner.secrets.api_keys.clone()
    }

    /// `/auth/v1/.well-known/jwks.json`
    #[must_use]
    pub fn jwks(&self) -> Value {
        json!({ "keys": [self.inner.secrets.signing.jwk()] })
    }

    /// `/auth/v1/settings`: what clients may expect.
    #[must_use]
    pub fn settings_json(&self) -> Value {
        json!({
            "external": { "anonymous_users": false, "email": true, "phone": false },
            "disable_signup": !self.settings().sign_up,
            "mailer_autoconfirm": true,
            "phone_autoconfirm": false,
            "sms_provider": "",
            "saml_enabled": false,
        })
    }

    /// The claim `iss`: the address of this dialect.
    pub(crate) fn issuer(&self) -> String {
        let server = &self.inner.engine.project().settings.server;
        if server.public_url.is_empty() {
            format!("http://{}/auth/v1", server.listen)
        } else {
            format!("{}/auth/v1", server.public_url.trim_end_matches('/'))
        }
    }

    /// The settings that are in force now.
    pub(crate) fn settings(&self) -> AuthSettings {
        self.inner.engine.project().settings.auth.clone()
    }

    /// Seconds.
    pub(crate) fn token_life(&self) -> i64 {
        i64::try_from(self.settings().access_token.as_secs()).unwrap_or(i64::MAX / 1_000_000)
    }

    fn token_life_micros(&self) -> i64 {
        self.token_life().saturating_mul(1_000_000)
    }

    /// Microseconds since 1970 UTC.
    pub(crate) fn now(&self) -> i64 {
        self.inner.engine.now()
    }

    /// Short reads by key, as the system.
    pub(crate) fn look_up<R>(
        &self,
        why: &'static str,
        job: impl FnOnce(&Db<'_>) -> Result<R, AuthError>,
    ) -> Result<R, AuthError> {
        self.inner.engine.look_up(|tx| job(&Db::new(tx, why)))
    }

    /// One write transaction, as the system. `job` may run more than once.
    pub(crate) async fn transact<R: Send + 'static>(
        &self,
        why: &'static str,
        mut job: impl FnMut(&Db<'_>) -> Result<R, AuthError> + Send + 'static,
    ) -> Result<R, AuthError> {
        self.inner.engine.transact(move |tx: &EngineTx| job(&Db::new(tx, why))).await
    }

    /// Whether an hour has passed since the tables were tidied; true for one caller only.
    pub(crate) fn is_tidying_due(&self) -> bool {
        let (now, last) = (self.now(), self.inner.tidied_at.load(Ordering::Relaxed));
        now - last >= A_DAY / 24
            && self.inner.tidied_at.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Forgets revocations that no token needs any more.
    pub(crate) fn forget_revocations(&self) {
        self.inner.revocation.forget(self.now(), self.token_life_micros().max(A_DAY));
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Auth(***)")
    }
}
