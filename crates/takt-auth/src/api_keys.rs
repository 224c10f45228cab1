//! The two keys of a project: publishable (role `anon`) and secret (role `service_role`).

use std::fmt;

use subtle::ConstantTimeEq;

/// What a key opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// `sb_publishable_...`: may stand in a web page; policies apply.
    Publishable,
    /// `sb_secret_...`: for servers; policies do not apply.
    Secret,
}

/// The keys as text, for `takt keys`.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKeys {
    /// `sb_publishable_...`
    pub publishable: String,
    /// `sb_secret_...`
    pub secret: String,
}

impl ApiKeys {
    /// Which key this is; the time it takes does not tell how much of it was right.
    pub(crate) fn kind_of(&self, key: &str) -> Option<KeyKind> {
        let is = |ours: &str| bool::from(ours.as_bytes().ct_eq(key.as_bytes()));
        // Both are compared, whatever the first says.
        let (publishable, secret) = (is(&self.publishable), is(&self.secret));
        match (publishable, secret) {
            (true, _) => Some(KeyKind::Publishable),
            (_, true) => Some(KeyKind::Secret),
            _ => None,
        }
    }
}

impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKeys { publishable: ***, secret: *** }")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

    use super::*;

    #[test]
    fn only_whole_keys_open() {
        let keys = ApiKeys { publishable: "sb_publishable_abc".into(), secret: "sb_secret_xyz".into() };
        let cases = [
            ("sb_publishable_abc", Some(KeyKind::Publishable)),
            ("sb_secret_xyz", Some(KeyKind::Secret)),
            ("", None),
            ("sb_secret_xy", None),
            ("sb_secret_xyz ", None),
            ("sb_secret_xyzz", None),
            ("SB_SECRET_XYZ", None),
        ];
        for (text, expected) in cases {
            assert_eq!(keys.kind_of(text), expected, "{text:?}");
        }
        assert!(!format!("{keys:?}").contains("xyz"));
    }
}
