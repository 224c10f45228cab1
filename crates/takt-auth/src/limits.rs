//! How often somebody may try: per account against guessing, per address against everything.
//!
//! Every try is kept with its moment for 15 minutes (a sliding window, so that "10 in 15 minutes" is never 20),
//! in a table of bounded size. Time comes from the engine's clock.
//!
//! A guesser must not be able to lock out the owner: an address from which an account was signed in to before
//! has a count of its own for that account, and is not stopped by what others try.

use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    time::Duration,
};

use parking_lot::Mutex;
use takt_model::AuthSettings;

use crate::{AuthError, random};

const WINDOW: Duration = Duration::from_secs(15 * 60);
const ACCOUNTS: usize = 50_000;
const ADDRESSES: usize = 50_000;
const KNOWN: usize = 50_000;

/// A short hash of what is counted: no address and no name is kept.
pub(crate) type Key = [u8; 16];

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
        self.addresses.count(network(address), settings.attempts_per_address, now)
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
        self.accounts.count(counted, settings.attempts_per_account, now)?;
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

/// Moments of tries, per key.
struct Tries {
    by_key: Mutex<HashMap<Key, VecDeque<i64>>>,
    capacity: usize,
}

impl Tries {
    fn new(capacity: usize) -> Self {
        Self { by_key: Mutex::new(HashMap::new()), capacity }
    }

    /// Counts one try, or says when the next is allowed. A limit of 0 is none.
    fn count(&self, key: Key, limit: u32, now: i64) -> Result<(), AuthError> {
        let limit = limit as usize;
        if limit == 0 {
            return Ok(());
        }
        let window = i64::try_from(WINDOW.as_micros()).unwrap_or(i64::MAX);
        let mut by_key = self.by_key.lock();
        if by_key.len() >= self.capacity && !by_key.contains_key(&key) {
            by_key.retain(|_, tries| tries.back().is_some_and(|last| *last > now - window));
            if by_key.len() >= self.capacity {
                drop_oldest(&mut by_key, |tries| tries.back().copied().unwrap_or_default());
            }
        }
        let tries = by_key.entry(key).or_default();
        while tries.front().is_some_and(|first| *first <= now - window) {
            tries.pop_front();
        }
        if tries.len() < limit {
            tries.push_back(now);
            return Ok(());
        }
        let oldest = tries.get(tries.len() - limit).copied().unwrap_or(now);
        let wait = u64::try_from(oldest + window - now).unwrap_or_default();
        // Rounded up to whole seconds, as Retry-After has it.
        let retry_after = Duration::from_secs(Duration::from_micros(wait).as_secs() + 1).min(WINDOW);
        Err(AuthError::OverRequestRateLimit { retry_after })
    }

    fn take_back(&self, key: Key, at: i64) {
        let mut by_key = self.by_key.lock();
        let Some(tries) = by_key.get_mut(&key) else { return };
        if let Some(position) = tries.iter().rposition(|t| *t == at) {
            tries.remove(position);
        }
        if tries.is_empty() {
            by_key.remove(&key);
        }
    }
}

/// Makes room: the tenth that was quiet for longest goes.
fn drop_oldest<V>(map: &mut HashMap<Key, V>, moment: impl Fn(&V) -> i64) {
    let mut moments: Vec<i64> = map.values().map(&moment).collect();
    let tenth = moments.len() / 10;
    if moments.is_empty() {
        return;
    }
    let (_, border, _) = moments.select_nth_unstable(tenth);
    let border = *border;
    let mut left = tenth + 1;
    map.retain(|_, value| {
        let goes = left > 0 && moment(value) <= border;
        left -= usize::from(goes);
        !goes
    });
}

/// What counts as one address: the address itself, or the /64 that every IPv6 user has for themselves.
pub(crate) fn network(address: IpAddr) -> Key {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => {
            let mut octets = v6.octets();
            octets[8..].fill(0);
            octets
        }
    }
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

    #[test]
    fn an_ipv6_network_is_one_address() {
        let cases = [
            ("203.0.113.7", "203.0.113.7", true),
            ("203.0.113.7", "203.0.113.8", false),
            ("::ffff:203.0.113.7", "203.0.113.7", true),
            ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true),
            ("2001:db8:1:2::1", "2001:db8:1:3::1", false),
        ];
        for (one, other, same) in cases {
            assert_eq!(network(ip(one)) == network(ip(other)), same, "{one} {other}");
        }
    }

    #[test]
    fn memory_is_bounded() {
        let tries = Tries::new(100);
        for n in 0..10_000_u32 {
            let _ = tries.count(key(&[&n.to_be_bytes()]), 3, i64::from(n));
            assert!(tries.by_key.lock().len() <= 100);
        }
        // Those who tried last are still counted.
        let last = key(&[&9_999_u32.to_be_bytes()]);
        assert_eq!(tries.by_key.lock().get(&last).map(VecDeque::len), Some(1));
    }

    #[test]
    fn no_limit_is_no_limit() {
        let tries = Tries::new(10);
        assert!((0..1000).all(|n| tries.count(Key::default(), 0, n).is_ok()));
    }
}
