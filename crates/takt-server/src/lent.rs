//! What one room lends to another that may not know it: secrets of `takt-auth` to `takt-interfaces`.

use takt_auth::Auth;
use takt_interfaces::Secrets;
use zeroize::Zeroizing;

/// The secrets of connections.
pub(crate) struct SecretsOf(pub(crate) Auth);

impl Secrets for SecretsOf {
    fn secret(&self, name: &str) -> Option<Zeroizing<String>> {
        self.0.connection_secret(name)
    }
}
