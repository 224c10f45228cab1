//! Signatures of messages between systems: made for those we send, checked on those we get. Pure.
//!
//! Invariants: every secret and every signature is tried, compared in constant time; whoever is refused learns
//! nothing about why; nothing that a stranger sends leads to a panic.
//! Not here: remembering message ids (a signature says who wrote a message, not that it is new).

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{AUTHORIZATION, InvalidHeaderValue},
};
use ring::{digest, hmac};
use subtle::{Choice, ConstantTimeEq};
use takt_outbound::Secret;

const WEBHOOK_ID: HeaderName = HeaderName::from_static("webhook-id");
const WEBHOOK_TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const WEBHOOK_SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");
const STRIPE_SIGNATURE: HeaderName = HeaderName::from_static("stripe-signature");
const GITHUB_SIGNATURE: HeaderName = HeaderName::from_static("x-hub-signature-256");
const GITHUB_DELIVERY: HeaderName = HeaderName::from_static("x-github-delivery");

/// Signatures of one message that are looked at; nobody rotates that many secrets at once.
const MOST_SIGNATURES: usize = 32;
/// Bytes of a message id.
const MOST_ID: usize = 256;
/// Bytes of a Standard Webhooks secret; the specification says 24 to 64, some senders have shorter ones.
const LEAST_STANDARD_SECRET: usize = 16;

/// How a sender proves who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scheme {
    /// Standard Webhooks 1.0; secrets are `whsec_` and base64.
    Standard,
    /// `Stripe-Signature: t=..,v1=..`; secrets are texts as Stripe shows them.
    Stripe,
    /// `X-Hub-Signature-256: sha256=..`. It signs the body alone: an old message stays valid.
    GitHub,
    /// HMAC-SHA256 of the body in one header: an old message stays valid.
    Hmac {
        /// Where it stands.
        header: HeaderName,
        /// How it is written.
        encoding: Encoding,
        /// What stands before it, `sha256=`; empty for nothing.
        prefix: String,
    },
    /// `Authorization: Basic ..`; the secrets are passwords. It proves nothing about the body.
    Basic {
        /// The user's name.
        user: String,
    },
}

/// How bytes are written as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Two digits a byte, small or capital.
    Hex,
    /// The standard alphabet with padding.
    Base64,
}

/// A message whose sender knows one of the secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The sender's name of the message, the same for every attempt. Signed by [`Scheme::Standard`] only; GitHub's
    /// stands in a header that nobody signs.
    pub message_id: Option<String>,
}

/// The message is not from whom it says. The text is for everybody; [`Refusal::reason`] is for the owner's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the request is not signed as agreed")]
pub struct Refusal(Reason);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reason {
    Secret,
    Header,
    Time,
    Signature,
}

impl Refusal {
    /// Why, for the owner's log. Never for the answer: it would tell a stranger how far he came.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self.0 {
            Reason::Secret => "there is no usable secret for this connection",
            Reason::Header => "a header of the signature is missing, doubled or not readable",
            Reason::Time => "the message is too old, or from the future: compare the clocks",
            Reason::Signature => "no signature fits any of the secrets",
        }
    }
}

/// A message of ours cannot be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The connection has no secret.
    #[error("there is no secret to sign with")]
    NoSecret,
    /// A secret is not `whsec_` and base64 of at least 16 bytes.
    #[error("secret {0} is not `whsec_` followed by base64 of at least {LEAST_STANDARD_SECRET} bytes")]
    BadSecret(
        /// Which one, from 1.
        usize,
    ),
    /// The id has a dot or a character that does not fit in a header.
    #[error("the message id cannot be signed")]
    BadId,
}

/// Signs by Standard Webhooks 1.0, with every secret: while a secret is being exchanged, the new and the old.
///
/// # Errors
/// [`SignError`] if a secret or the id is unfit.
pub fn sign_standard(
    secrets: &[Secret],
    message_id: &str,
    timestamp_seconds: i64,
    body: &[u8],
) -> Result<[(HeaderName, HeaderValue); 3], SignError> {
    // A dot would move the border between id and time.
    if !is_id(message_id) || message_id.contains('.') {
        return Err(SignError::BadId);
    }
    if secrets.is_empty() {
        return Err(SignError::NoSecret);
    }
    let time = timestamp_seconds.to_string();
    let mut signatures = Vec::with_capacity(secrets.len());
    for (index, secret) in secrets.iter().enumerate() {
        let key = standard_key(secret).ok_or(SignError::BadSecret(index + 1))?;
        let tag = tag(&key, &[message_id.as_bytes(), b".", time.as_bytes(), b".", body]);
        signatures.push(format!("v1,{}", STANDARD.encode(tag)));
    }
    let value = |text: &str| text.parse().map_err(|_: InvalidHeaderValue| SignError::BadId);
    Ok([
        (WEBHOOK_ID, value(message_id)?),
        (WEBHOOK_TIMESTAMP, value(&time)?),
        (WEBHOOK_SIGNATURE, value(&signatures.join(" "))?),
    ])
}

/// Checks who wrote a message. `body` is the raw one, as it came; `tolerance` holds in both directions, for those
/// schemes that sign a time.
///
/// # Errors
/// [`Refusal`], which tells the outside nothing.
pub fn verify(
    scheme: &Scheme,
    secrets: &[Secret],
    headers: &HeaderMap,
    body: &[u8],
    now_seconds: i64,
    tolerance: Duration,
) -> Result<Verified, Refusal> {
    match scheme {
        Scheme::Standard => standard(secrets, headers, body, now_seconds, tolerance),
        Scheme::Stripe => stripe(secrets, headers, body, now_seconds, tolerance),
        Scheme::GitHub => github(secrets, headers, body),
        Scheme::Hmac { header, encoding, prefix } => plain(secrets, headers, body, header, *encoding, prefix),
        Scheme::Basic { user } => basic(secrets, headers, user),
    }
}

fn standard(
    secrets: &[Secret],
    headers: &HeaderMap,
    body: &[u8],
    now: i64,
    tolerance: Duration,
) -> Result<Verified, Refusal> {
    let id = only(headers, &WEBHOOK_ID).filter(|id| is_id(id)).ok_or(Refusal(Reason::Header))?;
    let time = only(headers, &WEBHOOK_TIMESTAMP).ok_or(Refusal(Reason::Header))?;
    let all = only(headers, &WEBHOOK_SIGNATURE).ok_or(Refusal(Reason::Header))?;
    in_time(time, now, tolerance)?;
    let signatures: Vec<Vec<u8>> = all
        .split_ascii_whitespace()
        .filter_map(|one| one.strip_prefix("v1,"))
        .take(MOST_SIGNATURES)
        .filter_map(|text| Encoding::Base64.read(text))
        .collect();
    let signed: [&[u8]; 5] = [id.as_bytes(), b".", time.as_bytes(), b".", body];
    any(secrets.iter().filter_map(standard_key), &signed, &signatures)?;
    Ok(Verified { message_id: Some(id.to_owned()) })
}

fn stripe(
    secrets: &[Secret],
    headers: &HeaderMap,
    body: &[u8],
    now: i64,
    tolerance: Duration,
) -> Result<Verified, Refusal> {
    let all = only(headers, &STRIPE_SIGNATURE).ok_or(Refusal(Reason::Header))?;
    let fields: Vec<(&str, &str)> = all.split(',').filter_map(|f| f.trim().split_once('=')).collect();
    let mut times = fields.iter().filter(|(key, _)| *key == "t");
    let (Some((_, time)), None) = (times.next(), times.next()) else {
        return Err(Refusal(Reason::Header));
    };
    in_time(time, now, tolerance)?;
    let signatures: Vec<Vec<u8>> = fields
        .iter()
        .filter(|(key, _)| *key == "v1")
        .take(MOST_SIGNATURES)
        .filter_map(|(_, text)| Encoding::Hex.read(text))
        .collect();
    any(secrets.iter().filter_map(text_key), &[time.as_bytes(), b".", body], &signatures)?;
    Ok(Verified { message_id: None })
}

fn github(secrets: &[Secret], headers: &HeaderMap, body: &[u8]) -> Result<Verified, Refusal> {
    plain(secrets, headers, body, &GITHUB_SIGNATURE, Encoding::Hex, "sha256=")?;
    let id = only(headers, &GITHUB_DELIVERY).filter(|id| is_id(id));
    Ok(Verified { message_id: id.map(str::to_owned) })
}

fn plain(
    secrets: &[Secret],
    headers: &HeaderMap,
    body: &[u8],
    header: &HeaderName,
    encoding: Encoding,
    prefix: &str,
) -> Result<Verified, Refusal> {
    let text = only(headers, header).ok_or(Refusal(Reason::Header))?;
    let signature =
        text.strip_prefix(prefix).and_then(|t| encoding.read(t)).ok_or(Refusal(Reason::Header))?;
    any(secrets.iter().filter_map(text_key), &[body], &[signature])?;
    Ok(Verified { message_id: None })
}

/// Compares hashes, so that not even the length of the password is told by the time.
fn basic(secrets: &[Secret], headers: &HeaderMap, user: &str) -> Result<Verified, Refusal> {
    let text = only(headers, &AUTHORIZATION).ok_or(Refusal(Reason::Header))?;
    let (word, rest) = text.split_once(' ').ok_or(Refusal(Reason::Header))?;
    if !word.eq_ignore_ascii_case("basic") {
        return Err(Refusal(Reason::Header));
    }
    let said = Encoding::Base64.read(rest.trim()).ok_or(Refusal(Reason::Header))?;
    let said = digest::digest(&digest::SHA256, &said);
    let mut usable = false;
    let mut fits = Choice::from(0);
    for secret in secrets.iter().filter(|s| !s.expose().is_empty()) {
        usable = true;
        let mut wanted = digest::Context::new(&digest::SHA256);
        for part in [user, ":", secret.expose()] {
            wanted.update(part.as_bytes());
        }
        fits |= said.as_ref().ct_eq(wanted.finish().as_ref());
    }
    judged(usable, fits)?;
    Ok(Verified { message_id: None })
}

/// Whether any signature was made with any key. One hash a key, however many signatures there are.
fn any(
    keys: impl Iterator<Item = hmac::Key>,
    signed: &[&[u8]],
    signatures: &[Vec<u8>],
) -> Result<(), Refusal> {
    let mut usable = false;
    let mut fits = Choice::from(0);
    for key in keys {
        usable = true;
        let right = tag(&key, signed);
        for signature in signatures {
            // Other lengths are unequal, as they should be.
            fits |= right.as_ref().ct_eq(signature);
        }
    }
    judged(usable, fits)
}

fn judged(usable: bool, fits: Choice) -> Result<(), Refusal> {
    match (usable, bool::from(fits)) {
        (false, _) => Err(Refusal(Reason::Secret)),
        (true, false) => Err(Refusal(Reason::Signature)),
        (true, true) => Ok(()),
    }
}

fn tag(key: &hmac::Key, parts: &[&[u8]]) -> hmac::Tag {
    let mut context = hmac::Context::with_key(key);
    for part in parts {
        context.update(part);
    }
    context.sign()
}

fn standard_key(secret: &Secret) -> Option<hmac::Key> {
    let text = secret.expose();
    let bytes = STANDARD.decode(text.strip_prefix("whsec_").unwrap_or(text)).ok()?;
    (bytes.len() >= LEAST_STANDARD_SECRET).then(|| hmac::Key::new(hmac::HMAC_SHA256, &bytes))
}

/// An empty secret is none: everybody knows it.
fn text_key(secret: &Secret) -> Option<hmac::Key> {
    let text = secret.expose();
    (!text.is_empty()).then(|| hmac::Key::new(hmac::HMAC_SHA256, text.as_bytes()))
}

/// The header's text, if it stands there once. Two of them would leave it open which one was checked.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut all = headers.get_all(name).iter();
    let (Some(value), None) = (all.next(), all.next()) else { return None };
    value.to_str().ok()
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= MOST_ID && text.bytes().all(|b| b.is_ascii_graphic())
}

fn in_time(text: &str, now: i64, tolerance: Duration) -> Result<(), Refusal> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Refusal(Reason::Header));
    }
    let time: i64 = text.parse().map_err(|_| Refusal(Reason::Header))?;
    if time.abs_diff(now) > tolerance.as_secs() {
        return Err(Refusal(Reason::Time));
    }
    Ok(())
}

impl Encoding {
    fn read(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Base64 => STANDARD.decode(text).ok(),
            Self::Hex => hex(text.as_bytes()),
        }
    }
}

fn hex(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let (pairs, rest) = text.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(digit(*high)? * 16 + digit(*low)?)).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

    use std::time::Duration;

    use http::{HeaderMap, HeaderName};
    use takt_outbound::Secret;

    use super::{Encoding, Refusal, Scheme, SignError, Verified, hex, sign_standard, verify};

    /// The example of the specification's reference libraries.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const OTHER: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const TIME: i64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn secrets(texts: &[&str]) -> Vec<Secret> {
        texts.iter().map(|t| Secret::new(*t)).collect()
    }

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        headers
    }

    fn check(
        scheme: &Scheme,
        keys: &[&str],
        pairs: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Verified, Refusal> {
        verify(scheme, &secrets(keys), &headers(pairs), body, TIME, Duration::from_secs(300))
    }

    fn standard(keys: &[&str], signature: &str) -> Result<Verified, Refusal> {
        let time = TIME.to_string();
        let pairs = [("webhook-id", ID), ("webhook-timestamp", &*time), ("webhook-signature", signature)];
        check(&Scheme::Standard, keys, &pairs, BODY)
    }

    #[test]
    fn the_known_vector_of_standard_webhooks() {
        let signed = sign_standard(&secrets(&[SECRET]), ID, TIME, BODY).unwrap();
        let pairs: Vec<(&str, &str)> =
            signed.iter().map(|(n, v)| (n.as_str(), v.to_str().unwrap())).collect();
        assert_eq!(
            pairs,
            [("webhook-id", ID), ("webhook-timestamp", "1614265330"), ("webhook-signature", SIGNATURE)]
        );
        assert_eq!(standard(&[SECRET], SIGNATURE).unwrap().message_id.as_deref(), Some(ID));
    }

    #[test]
    fn while_a_secret_is_exchanged_both_are_good() {
        let signed = sign_standard(&secrets(&[OTHER, SECRET]), ID, TIME, BODY).unwrap();
        let both = signed[2].1.to_str().unwrap();
        assert!(both.ends_with(SIGNATURE) && both.split(' ').count() == 2, "{both}");
        for keys in [&[SECRET][..], &[OTHER], &[OTHER, SECRET], &["whsec_!", SECRET]] {
            assert!(standard(keys, both).is_ok(), "{keys:?}");
        }
    }

    #[test]
    fn what_cannot_be_signed() {
        let sign = |keys: &[&str], id| sign_standard(&secrets(keys), id, TIME, BODY).unwrap_err();
        assert_eq!(sign(&[], ID), SignError::NoSecret);
        for bad in ["", "whsec_", "whsec_AAAA", "whsec_not base64", "plain text"] {
            assert_eq!(sign(&[SECRET, bad], ID), SignError::BadSecret(2), "{bad}");
        }
        for bad in ["", "a.b", "a b", "a\r\nx: y", "\u{fc}"] {
            assert_eq!(sign(&[SECRET], bad), SignError::BadId, "{bad:?}");
        }
    }

    #[test]
    fn signatures_that_are_empty_short_long_or_last_in_the_list() {
        let short = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1A==";
        let long = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OEA";
        let bare = SIGNATURE.trim_start_matches("v1,");
        for bad in [
            "",
            " ",
            "v1,",
            "v1",
            ",",
            "v1,=",
            short,
            long,
            bare,
            &format!("v1a,{bare}"),
            &format!("v2,{bare}"),
        ] {
            assert!(standard(&[SECRET], bad).is_err(), "{bad:?}");
        }
        for good in [
            format!("{short} {long} v1, {SIGNATURE}"),
            format!("{SIGNATURE} v1,AAAA"),
            format!("v1a,xyz  {SIGNATURE} "),
            format!("{}{SIGNATURE}", "v1,AAAA ".repeat(31)),
        ] {
            assert!(standard(&[SECRET], &good).is_ok(), "{good}");
        }
        assert!(
            standard(&[SECRET], &format!("{}{SIGNATURE}", "v1,AAAA ".repeat(32))).is_err(),
            "a long list ends"
        );
        for keys in [&[][..], &[""], &["whsec_"], &[OTHER], &["whsec_AAAA"]] {
            assert!(standard(keys, SIGNATURE).is_err(), "{keys:?}");
        }
    }

    #[test]
    fn every_signed_part_counts() {
        let time = TIME.to_string();
        let right = [("webhook-id", ID), ("webhook-timestamp", &*time), ("webhook-signature", SIGNATURE)];
        assert!(check(&Scheme::Standard, &[SECRET], &right, BODY).is_ok());
        assert!(check(&Scheme::Standard, &[SECRET], &right, b"{}").is_err());
        for (name, other) in [
            ("webhook-id", "msg_other"),
            ("webhook-id", ""),
            ("webhook-timestamp", "1614265331"),
            ("webhook-timestamp", "01614265330"),
            ("webhook-timestamp", "+1614265330"),
            ("webhook-timestamp", "1614265330.0"),
            ("webhook-timestamp", ""),
            ("webhook-timestamp", "99999999999999999999"),
        ] {
            let changed = right.map(|(n, v)| if n == name { (n, other) } else { (n, v) });
            assert!(check(&Scheme::Standard, &[SECRET], &changed, BODY).is_err(), "{name}: {other}");
        }
        for gone in 0..3 {
            let mut less = right.to_vec();
            let twice = less.remove(gone);
            assert!(check(&Scheme::Standard, &[SECRET], &less, BODY).is_err(), "without {}", twice.0);
            let more = [&right[..], &[twice]].concat();
            assert!(check(&Scheme::Standard, &[SECRET], &more, BODY).is_err(), "doubled {}", twice.0);
        }
    }

    #[test]
    fn the_time_window_is_open_in_both_directions() {
        let time = TIME.to_string();
        let pairs = [("webhook-id", ID), ("webhook-timestamp", &*time), ("webhook-signature", SIGNATURE)];
        let at = |now| {
            verify(
                &Scheme::Standard,
                &secrets(&[SECRET]),
                &headers(&pairs),
                BODY,
                now,
                Duration::from_secs(300),
            )
        };
        for (away, good) in
            [(-360, false), (-301, false), (-300, true), (0, true), (300, true), (301, false), (360, false)]
        {
            assert_eq!(at(TIME + away).is_ok(), good, "{away} s");
        }
        assert!(at(i64::MIN).is_err() && at(i64::MAX).is_err());
    }

    #[test]
    fn stripe_signs_time_and_body() {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"whsec_pay");
        let tag = ring::hmac::sign(&key, &[format!("{TIME}.").as_bytes(), BODY].concat());
        let v1: String = tag.as_ref().iter().map(|b| format!("{b:02x}")).collect();
        let stripe =
            |keys: &[&str], text: &str| check(&Scheme::Stripe, keys, &[("stripe-signature", text)], BODY);
        for good in [
            format!("t={TIME},v1={v1}"),
            format!("t={TIME},v1={},v1={v1},v0=00", "0".repeat(64)),
            format!("v1={v1}, t={TIME}"),
        ] {
            assert_eq!(stripe(&["old", "whsec_pay"], &good), Ok(Verified { message_id: None }), "{good}");
        }
        for bad in [
            String::new(),
            "t=,v1=".to_owned(),
            format!("t={TIME}"),
            format!("v1={v1}"),
            format!("t={TIME},v1="),
            format!("t={TIME},v1={}", &v1[..62]),
            format!("t={TIME},v1={}", &v1[..63]),
            format!("t={TIME},v1={v1}00"),
            format!("t={TIME},v0={v1}"),
            format!("t={TIME},t={},v1={v1}", TIME + 1),
            format!("t={},v1={v1}", TIME - 301),
            format!("t={},v1={v1}", TIME + 1),
        ] {
            assert!(stripe(&["whsec_pay"], &bad).is_err(), "{bad}");
        }
        assert!(stripe(&["", "other"], &format!("t={TIME},v1={v1}")).is_err());
    }

    #[test]
    fn the_known_vector_of_github() {
        let secret = "It's a Secret to Everybody";
        let hash = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        let github = |signature: &str, id: &[(&str, &str)]| {
            let pairs = [&[("x-hub-signature-256", signature)][..], id].concat();
            check(&Scheme::GitHub, &[secret], &pairs, b"Hello, World!")
        };
        let signature = format!("sha256={hash}");
        let named = github(&signature, &[("x-github-delivery", "72d3162e-cc78")]).unwrap();
        assert_eq!(named.message_id.as_deref(), Some("72d3162e-cc78"));
        assert_eq!(github(&signature, &[]).unwrap().message_id, None);
        for bad in ["", "sha256=", hash, &format!("sha1={hash}"), &signature[..70], &format!("{signature}00")]
        {
            assert!(github(bad, &[]).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_plain_hmac_in_a_header_of_choice() {
        let tag = ring::hmac::sign(&ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"key"), BODY);
        let base64 = base64::Engine::encode(&super::STANDARD, tag);
        let scheme = |prefix: &str, encoding| Scheme::Hmac {
            header: HeaderName::from_static("x-signature"),
            encoding,
            prefix: prefix.to_owned(),
        };
        let shop = scheme("", Encoding::Base64);
        assert!(check(&shop, &["old", "key"], &[("x-signature", &base64)], BODY).is_ok());
        assert!(check(&shop, &["key"], &[("x-signature", &base64)], b"").is_err());
        assert!(check(&shop, &["key"], &[("x-signature", "")], BODY).is_err());
        assert!(check(&shop, &["key"], &[], BODY).is_err());
        assert!(check(&scheme("", Encoding::Hex), &["key"], &[("x-signature", &base64)], BODY).is_err());
        let prefixed = scheme("mac ", Encoding::Base64);
        assert!(check(&prefixed, &["key"], &[("x-signature", &format!("mac {base64}"))], BODY).is_ok());
        assert!(check(&prefixed, &["key"], &[("x-signature", &base64)], BODY).is_err());
        let empty = ring::hmac::sign(&ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b""), BODY);
        let forged = base64::Engine::encode(&super::STANDARD, empty);
        assert!(check(&shop, &[""], &[("x-signature", &forged)], BODY).is_err(), "an empty secret is none");
    }

    #[test]
    fn basic_wants_user_and_password() {
        let scheme = Scheme::Basic { user: "shop".to_owned() };
        let basic = |keys: &[&str], text: &str| check(&scheme, keys, &[("authorization", text)], BODY);
        assert!(basic(&["old", "hunter2"], "Basic c2hvcDpodW50ZXIy").is_ok());
        assert!(basic(&["hunter2"], "basic c2hvcDpodW50ZXIy").is_ok());
        for bad in
            ["", "Basic", "Basic ", "Basic !", "Bearer c2hvcDpodW50ZXIy", "Basic c2hvcDo=", "Basic c2hvcA=="]
        {
            assert!(basic(&["hunter2"], bad).is_err(), "{bad}");
        }
        assert!(basic(&[""], "Basic c2hvcDo=").is_err(), "an empty password is none");
        assert!(basic(&["hunter3"], "Basic c2hvcDpodW50ZXIy").is_err());
    }

    #[test]
    fn a_refusal_tells_the_outside_nothing() {
        let late = verify(
            &Scheme::Standard,
            &secrets(&[SECRET]),
            &headers(&[("webhook-id", ID), ("webhook-timestamp", "1"), ("webhook-signature", SIGNATURE)]),
            BODY,
            TIME,
            Duration::from_secs(300),
        );
        let (late, wrong) = (late.unwrap_err(), standard(&[OTHER], SIGNATURE).unwrap_err());
        assert_eq!(late.to_string(), wrong.to_string());
        assert_ne!(late.reason(), wrong.reason());
    }

    #[test]
    fn hex_is_read_whole_or_not() {
        assert_eq!(hex(b"00fFa1"), Some(vec![0, 255, 161]));
        for bad in ["0", "0g", "+1", " 1", "\u{fc}"] {
            assert_eq!(hex(bad.as_bytes()), None, "{bad}");
        }
    }
}
