//! The one-time code of a fresh instance: whoever reads the terminal is the owner, not whoever finds the page
//! first. Made at each start, kept in memory only, good until there is an owner.
//!
//! Wrong tries never kill it: a stranger could otherwise keep the owner out. It has 59 bits; after ten wrong tries each
//! address has one try in ten seconds, and nobody guesses it that way, from however many addresses.

use std::{collections::HashMap, net::IpAddr, time::Duration};

use parking_lot::Mutex;
use subtle::ConstantTimeEq;

use crate::{
    AuthError, random,
    tries::{self, network},
};

/// No I, L, O, U, 0 and 1: nobody should have to guess what they read. 30 letters and digits.
const ALPHABET: &[u8; 30] = b"ABCDEFGHJKMNPQRSTVWXYZ23456789";
const LENGTH: usize = 12;
/// Wrong tries of all together before anybody has to wait.
const FREE_TRIES: u32 = 10;
/// Between two tries of one address after that.
const WAIT: Duration = Duration::from_secs(10);
/// Addresses that are remembered.
const ADDRESSES: usize = 10_000;

/// The code of this start.
pub(crate) struct SetupCode {
    /// Without groups.
    code: String,
    tries: Mutex<Tries>,
}

#[derive(Default)]
struct Tries {
    wrong: u32,
    /// When an address tried wrongly; microseconds since 1970 UTC.
    last: HashMap<tries::Key, i64>,
}

impl SetupCode {
    pub(crate) fn new() -> Result<Self, AuthError> {
        let mut code = String::with_capacity(LENGTH);
        while code.len() < LENGTH {
            // Bytes above the greatest multiple of 30 are thrown away, so that each letter is equally likely.
            let fair = random::bytes::<16>()?.into_iter().filter(|b| *b < 240);
            code.extend(fair.map(|b| char::from(ALPHABET[usize::from(b) % ALPHABET.len()])));
        }
        code.truncate(LENGTH);
        Ok(Self { code, tries: Mutex::default() })
    }

    /// For people: `ABCD-EFGH-JKMN`.
    pub(crate) fn text(&self) -> String {
        let groups: Vec<&str> = (0..LENGTH).step_by(4).filter_map(|at| self.code.get(at..at + 4)).collect();
        groups.join("-")
    }

    /// Whether `tried` is the code; case, blanks and hyphens do not matter. Who has to wait is told so before anything
    /// is compared.
    pub(crate) fn check(&self, tried: &str, from: IpAddr, now: i64) -> Result<(), AuthError> {
        let mut tries = self.tries.lock();
        let from = network(from);
        if let Some(retry_after) = tries.wait(from, now) {
            return Err(AuthError::SetupCodeWait { retry_after });
        }
        let tried: String = tried
            .chars()
            .take(64)
            .filter(|c| !c.is_whitespace() && *c != '-')
            .map(|c| c.to_ascii_uppercase())
            .collect();
        if tried.as_bytes().ct_eq(self.code.as_bytes()).into() {
            return Ok(());
        }
        tries.failed(from, now);
        Err(AuthError::SetupCodeWrong)
    }
}

impl Tries {
    /// How long this address has to wait, in whole seconds as `Retry-After` has it.
    fn wait(&self, from: tries::Key, now: i64) -> Option<Duration> {
        if self.wrong < FREE_TRIES {
            return None;
        }
        // A clock that was set back must not lengthen the wait.
        let passed = u64::try_from(now - self.last.get(&from)?).unwrap_or_default();
        let left = WAIT.checked_sub(Duration::from_micros(passed)).filter(|left| !left.is_zero())?;
        Some(Duration::from_secs(left.as_secs() + u64::from(left.subsec_nanos() > 0)))
    }

    fn failed(&mut self, from: tries::Key, now: i64) {
        self.wrong = self.wrong.saturating_add(1);
        if self.last.len() >= ADDRESSES {
            // Forgetting somebody too early gives away a few tries; that is nothing beside 59 bits.
            self.last.clear();
        }
        self.last.insert(from, now);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

    use super::*;

    const SECOND: i64 = 1_000_000;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_code_is_readable_and_new_each_time() {
        let code = SetupCode::new().unwrap().text();
        assert_eq!(code.len(), 14);
        assert!(code.split('-').all(|g| g.len() == 4));
        assert!(!code.contains(['I', 'L', 'O', 'U', '0', '1']));
        assert_ne!(code, SetupCode::new().unwrap().text());
    }

    #[test]
    fn people_may_type_it_as_they_like() {
        let setup = SetupCode::new().unwrap();
        let code = setup.text();
        for typed in [
            code.clone(),
            code.to_lowercase(),
            code.replace('-', " "),
            format!(" {} ", code.replace('-', "")),
        ] {
            assert_eq!(setup.check(&typed, ip("203.0.113.7"), 0), Ok(()));
        }
    }

    #[test]
    fn after_ten_wrong_tries_an_address_has_one_in_ten_seconds() {
        let setup = SetupCode::new().unwrap();
        let (stranger, owner) = (ip("198.51.100.9"), ip("203.0.113.7"));
        let wrong = |from, at| setup.check("AAAA-AAAA-AAAA", from, at).unwrap_err();
        let wait = |s| AuthError::SetupCodeWait { retry_after: Duration::from_secs(s) };
        for _ in 0..10 {
            assert_eq!(wrong(stranger, 0), AuthError::SetupCodeWrong);
        }
        for (at, expected) in [
            (0, wait(10)),
            (SECOND / 2, wait(10)),
            (9 * SECOND, wait(1)),
            (10 * SECOND - 1, wait(1)),
            (10 * SECOND, AuthError::SetupCodeWrong),
            (10 * SECOND, wait(10)),
            (-SECOND, wait(10)),
        ] {
            assert_eq!(wrong(stranger, at), expected, "{at}");
        }
        // Who has to wait learns nothing, not even with the right code.
        assert_eq!(setup.check(&setup.text(), stranger, 11 * SECOND), Err(wait(9)));
        assert_eq!(setup.check(&setup.text(), owner, 11 * SECOND), Ok(()), "strangers block nobody");
    }

    #[test]
    fn memory_is_bounded() {
        let setup = SetupCode::new().unwrap();
        for n in 0..30_000_u32 {
            let from = IpAddr::from(std::net::Ipv4Addr::from(n));
            assert_eq!(setup.check("nonsense", from, 0), Err(AuthError::SetupCodeWrong));
        }
        assert!(setup.tries.lock().last.len() <= ADDRESSES);
    }
}
