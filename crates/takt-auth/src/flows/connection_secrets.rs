//! Secrets of connections (API keys, passwords, signing keys of partners): sealed in the database like our own, so
//! that every node has them; the environment comes first, for those who keep secrets elsewhere.

use takt_engine::EngineTx;
use zeroize::Zeroizing;

use crate::{
    Auth, AuthError,
    rows::{Db, secrets},
};

/// Keeps them apart from the product's own.
const PREFIX: &str = "connection:";
/// `TAKT_SECRET_ERP_KEY` is the secret `erp_key`.
const VARIABLE: &str = "TAKT_SECRET_";
/// Bytes of a secret; keys of certificates fit.
const LONGEST: usize = 16 * 1024;

impl Auth {
    /// Keeps the value of a secret; one of that name is replaced.
    ///
    /// # Errors
    /// [`AuthError::ValidationFailed`] for a name or value that cannot be one, or the engine's.
    pub async fn connection_secret_set(&self, name: &str, value: Zeroizing<String>) -> Result<(), AuthError> {
        connection_secret_check(name, &value)?;
        let name = format!("{PREFIX}{name}");
        let sealed = self.inner.master.seal(&name, value.as_bytes())?;
        self.inner
            .engine
            .transact(move |tx: &EngineTx| {
                let db = Db::new(tx, "auth: set a connection's secret");
                secrets::remove(&db, &name)?;
                secrets::insert(&db, &name, &sealed)
            })
            .await
    }

    /// Forgets a secret; whether there was one.
    ///
    /// # Errors
    /// The engine's.
    pub async fn connection_secret_remove(&self, name: &str) -> Result<bool, AuthError> {
        let name = format!("{PREFIX}{name}");
        let job =
            move |tx: &EngineTx| secrets::remove(&Db::new(tx, "auth: remove a connection's secret"), &name);
        self.inner.engine.transact(job).await
    }

    /// Names of the secrets that are kept; those of the environment are not among them.
    ///
    /// # Errors
    /// The engine's.
    pub fn connection_secret_names(&self) -> Result<Vec<String>, AuthError> {
        let names = self
            .inner
            .engine
            .look_up(|tx| secrets::names(&Db::new(tx, "auth: list connections' secrets"), PREFIX))?;
        Ok(names.into_iter().filter_map(|n| n.strip_prefix(PREFIX).map(str::to_owned)).collect())
    }

    /// The value of a secret: from the environment (`TAKT_SECRET_<NAME>`), else as it was set.
    #[must_use]
    pub fn connection_secret(&self, name: &str) -> Option<Zeroizing<String>> {
        let variable = format!("{VARIABLE}{}", name.to_ascii_uppercase());
        if let Ok(value) = std::env::var(variable) {
            return Some(Zeroizing::new(value));
        }
        let name = format!("{PREFIX}{name}");
        let look = |tx: &EngineTx| secrets::find(&Db::new(tx, "auth: open a connection's secret"), &name);
        let sealed = self
            .inner
            .engine
            .look_up(look)
            .inspect_err(|error| tracing::error!(%error, "a connection's secret could not be read"))
            .ok()??;
        let opened = self.inner.master.open(&name, &sealed)?;
        String::from_utf8(opened.to_vec()).ok().map(Zeroizing::new)
    }
}

/// Whether a secret may have this name and this value, before anything is said of it.
///
/// # Errors
/// [`AuthError::ValidationFailed`].
pub fn connection_secret_check(name: &str, value: &str) -> Result<(), AuthError> {
    let is_name = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    if name.is_empty() || name.len() > 63 || !name.bytes().all(is_name) {
        return Err(AuthError::ValidationFailed(
            "a secret's name has lower-case letters, digits and underscores, at most 63".to_owned(),
        ));
    }
    if value.is_empty() || value.len() > LONGEST {
        return Err(AuthError::ValidationFailed(format!("a secret has 1 to {LONGEST} bytes")));
    }
    Ok(())
}
