//! Tidying: what nobody needs any more is removed, once an hour.

use crate::{
    Auth, AuthError,
    rows::{console_sessions, ended_sessions, refresh_tokens, sessions},
};

/// A used refresh token is kept so long, so that its return is noticed.
const KEEP_USED_TOKENS: i64 = 30 * 24 * 3600 * 1_000_000;

impl Auth {
    /// Removes sessions that nobody used, used refresh tokens of last month, expired console sessions, and
    /// revocations that no token needs. Called by the flows once an hour; may be called at any time.
    ///
    /// # Errors
    /// The engine's.
    pub async fn tidy(&self) -> Result<(), AuthError> {
        let idle = i64::try_from(self.settings().session_idle.as_micros()).unwrap_or(i64::MAX / 4);
        self.transact("auth: tidy", move |db| {
            if idle > 0 {
                sessions::remove_idle(db, db.now().saturating_sub(idle))?;
            }
            refresh_tokens::remove_old(db, db.now() - KEEP_USED_TOKENS)?;
            ended_sessions::remove_old(db)?;
            console_sessions::remove_expired(db).map(drop)
        })
        .await?;
        self.forget_revocations();
        Ok(())
    }

    /// As [`Auth::tidy`] if an hour has passed; a failure is logged and harms nobody.
    pub(super) async fn tidy_if_due(&self) {
        if self.is_tidying_due()
            && let Err(error) = self.tidy().await
        {
            tracing::warn!(%error, "old sessions could not be removed");
        }
    }
}
