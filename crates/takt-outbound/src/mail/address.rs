//! Addresses and message ids, checked when they are made: what is stored here fits on one header line and names
//! one mailbox, whatever was typed into a form.

use std::fmt;

use lettre::{Address, message::Mailbox};

use super::MailError;

/// One mailbox, perhaps with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailAddress {
    mailbox: Mailbox,
}

/// Octets before the `@` (RFC 5321, section 4.5.3.1.1).
const MOST_LOCAL: usize = 64;
/// Octets of the whole address.
const MOST_ADDRESS: usize = 254;
/// Characters of a name.
const MOST_NAME: usize = 200;

impl MailAddress {
    /// Reads `anna@example.com`. Quoted local parts, comments and address literals are refused: nobody has such
    /// an address, but they are what recipients are smuggled in. A domain with umlauts becomes its ASCII form; a
    /// local part must be ASCII, because most servers still know no other.
    ///
    /// # Errors
    /// [`MailError::Invalid`] if it is not one address.
    pub fn new(address: &str) -> Result<Self, MailError> {
        let (local, domain) = address.rsplit_once('@').ok_or_else(|| invalid("an address needs an `@`"))?;
        if !is_local(local) {
            return Err(invalid("the part of an address before the `@` has characters that are not allowed"));
        }
        let domain = idna::domain_to_ascii_strict(domain)
            .map_err(|_| invalid("the part of an address behind the `@` is no domain"))?;
        if !is_domain(&domain) || local.len() + 1 + domain.len() > MOST_ADDRESS {
            return Err(invalid("the part of an address behind the `@` is no domain"));
        }
        let email = Address::new(local, domain).map_err(|_| invalid("this is no mail address"))?;
        Ok(Self { mailbox: Mailbox::new(None, email) })
    }

    /// With the name of the person or firm; an empty one is left out.
    ///
    /// # Errors
    /// [`MailError::Invalid`] if the name has line breaks or other control characters, or is very long.
    pub fn named(self, name: &str) -> Result<Self, MailError> {
        let name = one_line("a name", name, MOST_NAME)?.trim();
        let name = (!name.is_empty()).then(|| name.to_owned());
        Ok(Self { mailbox: Mailbox::new(name, self.mailbox.email) })
    }

    /// `anna@example.com`, as it is said to the server.
    #[must_use]
    pub fn address(&self) -> &str {
        self.mailbox.email.as_ref()
    }

    pub(super) fn mailbox(&self) -> Mailbox {
        self.mailbox.clone()
    }
}

/// The name of a message, the same for every attempt to send it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageId(String);

impl MessageId {
    /// Reads `something@domain`, with or without angle brackets.
    ///
    /// # Errors
    /// [`MailError::Invalid`] if it does not have this form.
    pub fn new(id: &str) -> Result<Self, MailError> {
        let bare = id.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).unwrap_or(id);
        let ok = bare.split_once('@').is_some_and(|(left, right)| is_local(left) && is_domain(right));
        if !ok || bare.len() > MOST_ADDRESS {
            return Err(invalid("a message id has the form `something@domain`"));
        }
        Ok(Self(bare.to_owned()))
    }

    /// Without angle brackets.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>", self.0)
    }
}

/// `text`, if it has no control characters and is not too long.
pub(super) fn one_line<'a>(what: &str, text: &'a str, most: usize) -> Result<&'a str, MailError> {
    // The separators U+2028 and U+2029 are line breaks to some readers.
    if text.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')) {
        return Err(invalid(format!("{what} has a line break or another control character")));
    }
    if text.chars().count() > most {
        return Err(invalid(format!("{what} is longer than {most} characters")));
    }
    Ok(text)
}

pub(super) fn invalid(reason: impl Into<String>) -> MailError {
    MailError::Invalid(reason.into())
}

/// Words of ASCII joined by single dots (RFC 5322: dot-atom).
fn is_local(text: &str) -> bool {
    let atom = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b);
    text.len() <= MOST_LOCAL && text.split('.').all(|word| !word.is_empty() && word.bytes().all(atom))
}

fn is_domain(text: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    !text.is_empty() && text.split('.').all(label)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::{MailAddress, MessageId};

    #[test]
    fn one_mailbox_is_read() {
        for (typed, said) in [
            ("anna@example.com", "anna@example.com"),
            ("o'neil+shop/x@sub.example.com", "o'neil+shop/x@sub.example.com"),
            ("info@Müller.de", "info@xn--mller-kva.de"),
            ("root@localhost", "root@localhost"),
        ] {
            assert_eq!(MailAddress::new(typed).unwrap().address(), said);
        }
    }

    #[test]
    fn what_is_not_exactly_one_mailbox_is_refused() {
        let long = format!("{}@example.com", "a".repeat(65));
        for typed in [
            "",
            "anna",
            "@example.com",
            "anna@",
            "anna@example.com,bert@example.com",
            "anna@example.com, bert@example.com",
            "anna@example.com\r\nRCPT TO:<bert@example.com>",
            "anna@example.com\nBcc: bert@example.com",
            "anna\0@example.com",
            "\"anna@example.com bert\"@example.com",
            "<anna@example.com>",
            "anna@example.com>",
            "Anna <anna@example.com>",
            "anna@example.com (a comment)",
            "anna@@example.com",
            "bert@evil.example@example.com",
            "anna@[127.0.0.1]",
            "an na@example.com",
            ".anna@example.com",
            "an..na@example.com",
            "anna@example..com",
            "anna@-example.com",
            "anna@example.com.",
            "ännä@example.com",
            "anna\u{ff20}example.com",
            "anna@exa mple.com",
            "anna@example.com\u{2028}",
            long.as_str(),
        ] {
            assert!(MailAddress::new(typed).is_err(), "{typed:?}");
        }
    }

    #[test]
    fn a_name_stays_on_its_line() {
        let anna = || MailAddress::new("anna@example.com").unwrap();
        assert!(anna().named("Anna \"A\" Müller, GmbH").is_ok());
        assert_eq!(anna().named("  ").unwrap(), anna());
        for name in ["Anna\r\nBcc: bert@example.com", "Anna\n", "A\0", "A\u{2028}B", &"x".repeat(201)] {
            assert!(anna().named(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn a_message_id_has_two_sides() {
        assert_eq!(
            MessageId::new("<1.a@takt.example>").unwrap(),
            MessageId::new("1.a@takt.example").unwrap()
        );
        assert_eq!(MessageId::new("1@x").unwrap().to_string(), "<1@x>");
        for id in ["", "1", "@x", "1@", "1@x y", "1@x\r\nA: b", "<1@x", "1@x>"] {
            assert!(MessageId::new(id).is_err(), "{id:?}");
        }
    }
}
