//! Addresses: one written form for each, so that unique means unique.
//! Look-alikes (ü and u, full-width letters) stay different addresses: merging them would let one person take
//! over another's account.

use crate::AuthError;

/// RFC 5321: 64 for the part before the @, 255 behind it, and the @.
const MAX_BYTES: usize = 320;

/// The form in which an address is stored and looked up: trimmed and lower-cased.
///
/// # Errors
/// [`AuthError::ValidationFailed`] for what is no address.
pub(crate) fn normal_form(text: &str) -> Result<String, AuthError> {
    let email = text.trim().to_lowercase();
    if is_address(&email) {
        Ok(email)
    } else {
        Err(AuthError::ValidationFailed("Unable to validate email address: invalid format".to_owned()))
    }
}

fn is_address(email: &str) -> bool {
    let Some((local, domain)) = email.split_once('@') else { return false };
    let sane = |c: char| !c.is_control() && !c.is_whitespace() && !is_invisible(c);
    email.len() <= MAX_BYTES
        && email.chars().all(sane)
        && !local.is_empty()
        && local.len() <= 64
        && !domain.contains('@')
        && !email.contains(['<', '>', '"', ',', ';', ':', '\\', '(', ')', '[', ']'])
        && domain
            .split('.')
            .all(|label| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-'))
}

/// Characters that people cannot see and that mail headers could misread: zero-width, direction marks, BOM.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{00AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

    use super::normal_form;

    #[test]
    fn addresses_have_one_form() {
        let cases = [
            ("anna@shop.test", Some("anna@shop.test")),
            ("  Anna.Weber@Shop.TEST \n", Some("anna.weber@shop.test")),
            ("müller@shop.test", Some("müller@shop.test")),
            ("MÜLLER@shop.test", Some("müller@shop.test")),
            ("a+tag@shop.test", Some("a+tag@shop.test")),
            ("root@localhost", Some("root@localhost")),
            ("", None),
            ("anna", None),
            ("@shop.test", None),
            ("anna@", None),
            ("anna@shop@test", None),
            ("anna@shop..test", None),
            ("anna@-shop.test", None),
            ("anna@shop.test\r\nBcc: eve@x.test", None),
            ("anna@shop.test,eve@x.test", None),
            ("Anna <anna@shop.test>", None),
            ("an na@shop.test", None),
            ("anna\u{0}@shop.test", None),
            ("anna\u{202E}@shop.test", None),
        ];
        for (text, expected) in cases {
            assert_eq!(normal_form(text).ok().as_deref(), expected, "{text:?}");
        }
        assert!(normal_form(&format!("{}@shop.test", "a".repeat(65))).is_err());
        assert!(normal_form(&format!("a@{}.test", "b".repeat(320))).is_err());
    }

    #[test]
    fn look_alikes_stay_apart() {
        // Full-width letters and the Kelvin sign would be folded by NFKC; a different ü is another code point.
        let plain = normal_form("anna@shop.test").unwrap();
        let wide = normal_form("\u{FF41}nna@shop.test").unwrap();
        assert_ne!(plain, wide);
        let composed = normal_form("m\u{FC}ller@shop.test").unwrap();
        let decomposed = normal_form("mu\u{308}ller@shop.test").unwrap();
        assert_ne!(composed, decomposed);
    }
}
