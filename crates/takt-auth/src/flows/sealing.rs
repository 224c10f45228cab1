//! Sealing for the rooms beside us: what they keep in tables of their own is encrypted under the same master key.

use zeroize::Zeroizing;

use crate::{Auth, AuthError};

/// Keeps them apart from the product's own secrets and those of connections.
const PREFIX: &str = "sealed:";

impl Auth {
    /// Encrypts a value under `name`, which is bound to it: under another name it cannot be opened.
    ///
    /// # Errors
    /// [`AuthError::Internal`] if the system gives no random numbers.
    pub fn seal(&self, name: &str, value: &[u8]) -> Result<Vec<u8>, AuthError> {
        self.inner.master.seal(&format!("{PREFIX}{name}"), value)
    }

    /// Decrypts what [`Auth::seal`] made under this name and this master key.
    #[must_use]
    pub fn open_sealed(&self, name: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        self.inner.master.open(&format!("{PREFIX}{name}"), sealed)
    }
}
