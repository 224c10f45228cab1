//! Signed tokens: compact JWS with ES256 (ECDSA over P-256 with SHA-256, RFC 7515 and 7518), on ring.
//!
//! We are the only ones who sign tokens for us, so the header is not parsed but compared: a token must begin
//! with exactly the header that we write. `alg: none`, HS256 with the public key, a foreign `kid`, `jku`, `jwk`
//! and `crit` are therefore not cases that could be forgotten. Not here: claims (`token.rs`).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, UnparsedPublicKey,
    },
};
use serde_json::json;
use zeroize::Zeroizing;

use crate::{AuthError, random};

/// Tokens carry metadata of accounts; longer ones are refused unread.
const MAX_BYTES: usize = 32 * 1024;

/// A key that signs access tokens.
pub(crate) struct SigningKey {
    pair: EcdsaKeyPair,
    kid: String,
    /// The first segment of each token that this key signs.
    header: String,
    x: String,
    y: String,
}

impl SigningKey {
    /// A new key as PKCS#8, for [`SigningKey::read`].
    pub(crate) fn generate() -> Result<Zeroizing<Vec<u8>>, AuthError> {
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
            .map_err(|_| AuthError::Internal("no signing key could be made".to_owned()))?;
        Ok(Zeroizing::new(document.as_ref().to_vec()))
    }

    /// Reads what [`SigningKey::generate`] made.
    pub(crate) fn read(pkcs8: &[u8]) -> Result<Self, AuthError> {
        let unreadable = || AuthError::Start("the stored signing key cannot be read".to_owned());
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8, &SystemRandom::new())
            .map_err(|_| unreadable())?;
        // Uncompressed point: 04, x, y.
        let point = pair.public_key().as_ref();
        let coordinate = |range| point.get(range).map(|c| URL_SAFE_NO_PAD.encode(c));
        let (x, y) = coordinate(1..33).zip(coordinate(33..65)).ok_or_else(unreadable)?;
        let kid = thumbprint(&x, &y);
        let header = json!({ "alg": "ES256", "kid": kid, "typ": "JWT" }).to_string();
        let header = URL_SAFE_NO_PAD.encode(header);
        Ok(Self { pair, kid, header, x, y })
    }

    /// Signs claims, given as JSON text.
    pub(crate) fn sign(&self, claims: &[u8]) -> Result<String, AuthError> {
        let mut token = format!("{}.{}", self.header, URL_SAFE_NO_PAD.encode(claims));
        let signature = self
            .pair
            .sign(&SystemRandom::new(), token.as_bytes())
            .map_err(|_| AuthError::Internal("signing failed".to_owned()))?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }

    /// The claims of a token that this key signed, as JSON text; nothing is read before the signature holds.
    pub(crate) fn verify(&self, token: &str) -> Option<Vec<u8>> {
        if token.len() > MAX_BYTES {
            return None;
        }
        let (message, signature) = token.rsplit_once('.')?;
        let claims = message.strip_prefix(self.header.as_str())?.strip_prefix('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, self.pair.public_key().as_ref())
            .verify(message.as_bytes(), &signature)
            .ok()?;
        URL_SAFE_NO_PAD.decode(claims).ok()
    }

    /// The public half, for the JWKS.
    pub(crate) fn jwk(&self) -> serde_json::Value {
        json!({
            "kty": "EC", "crv": "P-256", "x": self.x, "y": self.y,
            "kid": self.kid, "alg": "ES256", "use": "sig", "key_ops": ["verify"], "ext": true,
        })
    }
}

/// RFC 7638: the name of a key follows from the key.
fn thumbprint(x: &str, y: &str) -> String {
    let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    URL_SAFE_NO_PAD.encode(random::sha256(canonical.as_bytes()))
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

    use super::*;

    pub(crate) fn key() -> SigningKey {
        SigningKey::read(&SigningKey::generate().unwrap()).unwrap()
    }

    fn segment(text: &str) -> String {
        URL_SAFE_NO_PAD.encode(text)
    }

    fn hs256(secret: &[u8], message: &str) -> String {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret);
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(ring::hmac::sign(&key, message.as_bytes())))
    }

    #[test]
    fn what_was_signed_is_read_again() {
        let key = key();
        let token = key.sign(br#"{"sub":"x"}"#).unwrap();
        assert_eq!(key.verify(&token).unwrap(), br#"{"sub":"x"}"#);
        assert_eq!(token.split('.').count(), 3);
    }

    #[test]
    fn attacks_on_the_signature_are_refused() {
        let (ours, foreign) = (key(), key());
        let claims = r#"{"sub":"x"}"#;
        let good = ours.sign(claims.as_bytes()).unwrap();
        let (message, signature) = good.rsplit_once('.').unwrap();
        let signed_by_us = |header: String| {
            let message = format!("{}.{}", segment(&header), segment(claims));
            let signature = ours.pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
            format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
        };
        let kid = &ours.kid;
        let none = format!("{}.{}", segment(r#"{"alg":"none","typ":"JWT"}"#), segment(claims));
        let point = ours.pair.public_key().as_ref();
        let hs_header = segment(&format!(r#"{{"alg":"HS256","kid":"{kid}","typ":"JWT"}}"#));
        let der = ring::signature::EcdsaKeyPair::sign(&ours.pair, &SystemRandom::new(), b"x").unwrap();
        let cases = [
            ("empty", String::new()),
            ("no token", "hello".to_owned()),
            ("two segments", message.to_owned()),
            ("four segments", format!("{good}.x")),
            ("alg none", format!("{none}.")),
            ("alg none with our signature", format!("{none}.{signature}")),
            ("alg None", format!("{}.{}.", segment(r#"{"alg":"None"}"#), segment(claims))),
            ("HS256 with the public key", hs256(point, &format!("{hs_header}.{}", segment(claims)))),
            ("HS256 with the key's x", hs256(ours.x.as_bytes(), &format!("{hs_header}.{}", segment(claims)))),
            ("our header, HMAC signature", hs256(point, message)),
            ("foreign key", foreign.sign(claims.as_bytes()).unwrap()),
            ("foreign key, our header", {
                let signature = foreign.pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
                format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
            }),
            (
                "kid as path",
                signed_by_us(r#"{"alg":"ES256","kid":"../../etc/passwd","typ":"JWT"}"#.to_owned()),
            ),
            ("no kid", signed_by_us(r#"{"alg":"ES256","typ":"JWT"}"#.to_owned())),
            ("jku", signed_by_us(format!(r#"{{"alg":"ES256","kid":"{kid}","jku":"https://evil.test"}}"#))),
            ("own jwk", signed_by_us(format!(r#"{{"alg":"ES256","kid":"{kid}","jwk":{{"kty":"EC"}}}}"#))),
            ("crit", signed_by_us(format!(r#"{{"alg":"ES256","kid":"{kid}","crit":["exp"]}}"#))),
            ("other claims", good.replace(&segment(claims), &segment(r#"{"sub":"y"}"#))),
            ("no signature", format!("{message}.")),
            ("zero signature", format!("{message}.{}", URL_SAFE_NO_PAD.encode([0; 64]))),
            ("signature of something else", format!("{message}.{}", URL_SAFE_NO_PAD.encode(der))),
            ("padding", format!("{good}=")),
            ("blank", format!("{good} ")),
            ("too long", format!("{good}{}", "A".repeat(MAX_BYTES))),
        ];
        for (attack, token) in cases {
            assert_eq!(ours.verify(&token), None, "{attack}");
        }
    }

    #[test]
    fn each_changed_character_is_noticed() {
        let key = key();
        let token = key.sign(br#"{"sub":"x"}"#).unwrap();
        for at in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(key.verify(&changed), None, "character {at}");
        }
    }

    #[test]
    fn the_jwks_shows_only_the_public_half() {
        let jwk = key().jwk();
        assert_eq!(jwk["kty"], "EC");
        assert_eq!(jwk["alg"], "ES256");
        assert_eq!(jwk["x"].as_str().unwrap().len(), 43);
        assert!(jwk.get("d").is_none());
    }
}
