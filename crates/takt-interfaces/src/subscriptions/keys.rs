//! The secrets that sign for subscriptions: made here, kept sealed, opened once and held for as long as the process
//! runs. Whoever makes or exchanges one gets it once, as a value; nothing else gives it out.

use std::collections::HashMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use parking_lot::{Mutex, RwLock};
use ring::rand::{SecureRandom, SystemRandom};
use takt_outbound::Secret;
use zeroize::Zeroizing;

use crate::InterfacesError;

/// Bytes of a secret; Standard Webhooks asks for 24 to 64.
const SECRET_BYTES: usize = 32;
/// Characters behind `hook-`: 60 bits.
const ID_LETTERS: usize = 12;
/// Begins the name of every subscription. No file's name has a hyphen.
const PREFIX: &str = "hook-";

/// What signs for one subscription.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    pub(crate) now: Secret,
    /// The one before, and until when it signs too: microseconds since 1970 UTC.
    pub(crate) before: Option<(Secret, i64)>,
}

/// The keys of all subscriptions, and what keeps changes of subscriptions apart.
#[derive(Debug, Default)]
pub(crate) struct Held {
    keys: RwLock<HashMap<String, Keys>>,
    /// One at a time reads the rows and makes connections of them, so that an older reading never wins.
    pub(crate) reading: Mutex<()>,
    /// Held by a round of dispatch from its routes to its commit, and against all of them by a change: an event that
    /// commits after a change is dispatched after it.
    pub(crate) dispatching: tokio::sync::RwLock<()>,
}

impl Held {
    pub(crate) fn replace(&self, keys: HashMap<String, Keys>) {
        *self.keys.write() = keys;
    }

    /// What signs at `now` for the subscription called `name`; the newest first.
    pub(crate) fn signing(&self, name: &str, now: i64) -> Option<Vec<Secret>> {
        let keys = self.keys.read();
        let keys = keys.get(name)?;
        let before = keys.before.as_ref().filter(|(_, until)| *until > now).map(|(secret, _)| secret.clone());
        Some(std::iter::once(keys.now.clone()).chain(before).collect())
    }

    /// Whether a secret is held whose time is over.
    pub(crate) fn has_old(&self, now: i64) -> bool {
        self.keys.read().values().any(|k| k.before.as_ref().is_some_and(|(_, until)| *until <= now))
    }
}

/// Whether a name is a subscription's.
pub(crate) fn is_subscription(name: &str) -> bool {
    name.starts_with(PREFIX)
}

/// A new secret, as Standard Webhooks writes it.
pub(crate) fn new_secret() -> Result<Secret, InterfacesError> {
    let bytes = random::<SECRET_BYTES>()?;
    Ok(Secret::new(format!("whsec_{}", STANDARD.encode(*bytes))))
}

/// A new name.
pub(crate) fn new_id() -> Result<String, InterfacesError> {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let bytes = random::<ID_LETTERS>()?;
    let letters = bytes.iter().map(|b| char::from(LETTERS[usize::from(b % 32)]));
    Ok(std::iter::once(PREFIX.to_owned()).chain(letters.map(String::from)).collect())
}

fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, InterfacesError> {
    let mut bytes = Zeroizing::new([0; N]);
    SystemRandom::new().fill(&mut *bytes).map_err(|_| InterfacesError::NoChance)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn the_old_secret_signs_until_its_time_is_over() {
        let held = Held::default();
        let before = Some((Secret::new("old"), 100));
        held.replace(HashMap::from([("hook-a".to_owned(), Keys { now: Secret::new("new"), before })]));
        let signing = |now| {
            let all = held.signing("hook-a", now).unwrap();
            all.iter().map(|s| s.expose().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(signing(99), ["new", "old"]);
        assert_eq!(signing(100), ["new"]);
        assert!(!held.has_old(99) && held.has_old(100));
        assert!(held.signing("hook-b", 0).is_none());
    }

    #[test]
    fn names_and_secrets_are_new_each_time_and_of_the_right_form() {
        let (one, other) = (new_secret().unwrap(), new_secret().unwrap());
        assert_ne!(one.expose(), other.expose());
        let bytes = STANDARD.decode(one.expose().strip_prefix("whsec_").unwrap()).unwrap();
        assert_eq!(bytes.len(), SECRET_BYTES);
        let id = new_id().unwrap();
        assert!(is_subscription(&id) && id.len() == PREFIX.len() + ID_LETTERS, "{id}");
        assert_ne!(id, new_id().unwrap());
    }
}
