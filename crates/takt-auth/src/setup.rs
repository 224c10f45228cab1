//! The one-time code of a fresh instance: whoever reads the terminal is the owner, not whoever finds the page
//! first. Made at each start, kept in memory only, dead after ten wrong tries.

use parking_lot::Mutex;
use subtle::ConstantTimeEq;

use crate::{AuthError, random};

/// No I, L, O, U, 0 and 1: nobody should have to guess what they read. 30 letters and digits.
const ALPHABET: &[u8; 30] = b"ABCDEFGHJKMNPQRSTVWXYZ23456789";
const LENGTH: usize = 12;
const MAX_TRIES: u32 = 10;

/// The code of this start.
pub(crate) struct SetupCode {
    /// Without groups.
    code: String,
    wrong: Mutex<u32>,
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
        Ok(Self { code, wrong: Mutex::new(0) })
    }

    /// For people: `ABCD-EFGH-JKMN`; nothing once it is dead.
    pub(crate) fn text(&self) -> Option<String> {
        if *self.wrong.lock() >= MAX_TRIES {
            return None;
        }
        let groups: Vec<&str> = (0..LENGTH).step_by(4).filter_map(|at| self.code.get(at..at + 4)).collect();
        Some(groups.join("-"))
    }

    /// Whether `tried` is the code; case, blanks and hyphens do not matter.
    pub(crate) fn check(&self, tried: &str) -> Result<(), AuthError> {
        let mut wrong = self.wrong.lock();
        if *wrong >= MAX_TRIES {
            return Err(AuthError::SetupClosed);
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
        *wrong += 1;
        Err(AuthError::SetupCodeWrong)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

    use super::*;

    #[test]
    fn the_code_is_readable_and_new_each_time() {
        let code = SetupCode::new().unwrap().text().unwrap();
        assert_eq!(code.len(), 14);
        assert!(code.split('-').all(|g| g.len() == 4));
        assert!(!code.contains(['I', 'L', 'O', 'U', '0', '1']));
        assert_ne!(code, SetupCode::new().unwrap().text().unwrap());
    }

    #[test]
    fn people_may_type_it_as_they_like() {
        let setup = SetupCode::new().unwrap();
        let code = setup.text().unwrap();
        for typed in [
            code.clone(),
            code.to_lowercase(),
            code.replace('-', " "),
            format!(" {} ", code.replace('-', "")),
        ] {
            assert_eq!(setup.check(&typed), Ok(()));
        }
    }

    #[test]
    fn after_ten_wrong_tries_even_the_right_code_is_refused() {
        let setup = SetupCode::new().unwrap();
        let code = setup.text().unwrap();
        for _ in 0..10 {
            assert_eq!(setup.check("AAAA-AAAA-AAAA"), Err(AuthError::SetupCodeWrong));
        }
        assert_eq!(setup.check(&code), Err(AuthError::SetupClosed));
        assert_eq!(setup.text(), None);
    }
}
