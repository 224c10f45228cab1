//! Sign-out: sessions end, and their access tokens are refused from this moment on.

use takt_model::{Principal, Uuid};

use crate::{
    Auth, AuthError,
    revocation::Ended,
    rows::{Db, sessions},
};

/// Which sessions of an account end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SignOutScope {
    /// All.
    #[default]
    Global,
    /// This one.
    Local,
    /// All but this one.
    Others,
}

impl SignOutScope {
    /// Reads the parameter `scope`.
    ///
    /// # Errors
    /// `validation_failed` for an unknown one.
    pub fn parse(scope: Option<&str>) -> Result<Self, AuthError> {
        match scope {
            None | Some("" | "global") => Ok(Self::Global),
            Some("local") => Ok(Self::Local),
            Some("others") => Ok(Self::Others),
            Some(_) => {
                let message = "Unsupported logout scope: global, local or others".to_owned();
                Err(AuthError::ValidationFailed(message))
            }
        }
    }
}

impl Auth {
    /// Ends sessions of the caller's account. Ending what has ended already is no error.
    ///
    /// # Errors
    /// `no_authorization` without an account.
    pub async fn sign_out(&self, who: &Principal, scope: SignOutScope) -> Result<(), AuthError> {
        let user = who.user.as_ref().ok_or(AuthError::NoAuthorization)?;
        let (id, current) = (user.id, user.session_id);
        let ended = self
            .transact("auth: sign out", move |db| {
                end_sessions(db, id, |session| match scope {
                    SignOutScope::Global => true,
                    SignOutScope::Local => current == Some(session),
                    SignOutScope::Others => current != Some(session),
                })
            })
            .await?;
        self.inner.revocation.end(ended);
        Ok(())
    }
}

/// Ends those sessions of an account that `which` names; the caller tells the revocation after the commit.
pub(super) fn end_sessions(
    db: &Db<'_>,
    user: Uuid,
    which: impl Fn(Uuid) -> bool,
) -> Result<Vec<Ended>, AuthError> {
    let all = sessions::of_user(db, user)?;
    let ending: Vec<_> = all.into_iter().filter(|s| which(s.id)).collect();
    sessions::end(db, &ending)
}
