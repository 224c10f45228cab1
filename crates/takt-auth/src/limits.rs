//! How often somebody may try: per account against guessing, per address against everything.
//! Lives here: what is counted under which name. Not here: counting (`tries.rs`). Time comes from the engine's clock.
//!
//! A guesser must not be able to lock out the owner: an address from which an account was signed in to before
//! has a count of its own for that account, and is not stopped by what others try.

use std::{collections::HashMap, net::IpAddr, time::Duration};

use parking_lot::Mutex;
use takt_model::AuthSettings;

use crate::{
    AuthError, random,
    tries::{Key, Tries, drop_oldest, network},
};

const ACCOUNTS: usize = 50_000;
const ADDRESSES: usize = 50_000;
const KNOWN: usize = 50_000;

/// All limits of accounts.
pub(crate) struct Limits {
    accounts: Tries,
    addresses: Tries,
    /// Account and address that belong together since this moment.
    known: Mutex<HashMap<Key, i64>>,
}

/// One try to sign in, so that a success can be taken back: only failures count against an account.
pub(crate) struct Try {
    account: Key,
    pair: Key,
    at: i64,
}

impl Limits {
    pub(crate) fn new() -> Self {
        Self {
            accounts: Tries::new(ACCOUNTS),
            addresses: Tries::new(ADDRESSES),
            known: Mutex::new(HashMap::new()),
        }
    }

    /// Counts a sign-in or sign-up of an address.
    pub(crate) fn address(
        &self,
        settings: &AuthSettings,
        address: IpAddr,
        now: i64,
    ) -> Result<(), AuthError> {
        self.addresses.count(network(address), settings.attempts_per_address, now).map_err(too_often)
    }

    /// Counts a try at the password of `account` (an address or an id) from `address`.
    pub(crate) fn account(
        &self,
        settings: &AuthSettings,
        account: &str,
        address: Option<IpAddr>,
        now: i64,
    ) -> Result<Try, AuthError> {
        let whole = key(&[b"account", account.as_bytes()]);
        let pair = match address {
            Some(address) => key(&[b"pair", account.as_bytes(), &network(address)]),
            None => whole,
        };
        let is_known = self.known.lock().contains_key(&pair);
        let counted = if is_known { pair } else { whole };
        self.accounts.count(counted, settings.attempts_per_account, now).map_err(too_often)?;
        Ok(Try { account: counted, pair, at: now })
    }

    /// The try did not happen after all, or told nothing.
    pub(crate) fn take_back(&self, tried: &Try) {
        self.accounts.take_back(tried.account, tried.at);
    }

    /// The password was right: it was no failed try, and the address is known from now on.
    pub(crate) fn succeeded(&self, done: &Try) {
        self.take_back(done);
        let mut known = self.known.lock();
        if known.len() >= KNOWN && !known.contains_key(&done.pair) {
            drop_oldest(&mut known, |at| *at);
        }
        known.insert(done.pair, done.at);
    }
}

fn too_often(retry_after: Duration) -> AuthError {
    AuthError::OverRequestRateLimit { retry_after }
}

fn key(parts: &[&[u8]]) -> Key {
    let digest = random::sha256(&parts.join(&0));
    let mut key = Key::default();
    key.copy_from_slice(&digest[..16]);
    key
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

    use super::*;

    const SECOND: i64 = 1_000_000;

    fn settings() -> AuthSettings {
        AuthSettings { attempts_per_account: 10, attempts_per_address: 30, ..AuthSettings::default() }
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn ten_failures_per_account_in_any_quarter_of_an_hour() {
        let (limits, settings) = (Limits::new(), settings());
        // One every minute from another address each: the window slides.
        let mut tried = Vec::new();
        for minute in 0..60_i64 {
            let address = ip(&format!("198.51.100.{minute}"));
            if limits.account(&settings, "anna@shop.test", Some(address), minute * 60 * SECOND).is_ok() {
                tried.push(minute);
            }
        }
        for window in tried.windows(11) {
            assert!(window[10] - window[0] >= 15, "{window:?}");
        }
        assert_eq!(tried.iter().filter(|m| **m < 15).count(), 10);
        assert_eq!(tried.len(), 40);
    }

    #[test]
    fn retry_after_is_true() {
        let (limits, settings) = (Limits::new(), settings());
        for second in 0..10 {
            limits.account(&settings, "a", None, second * SECOND).unwrap();
        }
        let refused = limits.account(&settings, "a", None, 100 * SECOND).err().unwrap();
        let wait = i64::try_from(refused.retry_after().unwrap().as_secs()).unwrap();
        assert_eq!(wait, 801);
        assert!(limits.account(&settings, "a", None, (100 + wait) * SECOND).is_ok());
        assert!(limits.account(&settings, "b", None, 100 * SECOND).is_ok(), "another account");
    }

    #[test]
    fn the_owner_is_not_locked_out_by_a_guesser() {
        let (limits, settings) = (Limits::new(), settings());
        let (owner, guesser) = (ip("203.0.113.7"), ip("198.51.100.9"));
        let done = limits.account(&settings, "anna", Some(owner), 0).unwrap();
        limits.succeeded(&done);
        for _ in 0..10 {
            limits.account(&settings, "anna", Some(guesser), SECOND).unwrap();
        }
        assert!(limits.account(&settings, "anna", Some(guesser), SECOND).is_err());
        assert!(limits.account(&settings, "anna", Some(owner), SECOND).is_ok());
    }

    #[test]
    fn successes_do_not_count() {
        let (limits, settings) = (Limits::new(), settings());
        for n in 0..100 {
            let done = limits.account(&settings, "anna", None, n).unwrap();
            limits.succeeded(&done);
        }
    }
}
