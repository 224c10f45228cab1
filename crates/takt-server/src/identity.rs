//! Who is calling: API key, access token, address.
//! Lives here: which header counts for what, and when a key is refused. Not here: whether a token is genuine
//! (`takt-auth`), nor what the caller may do (the policies).
//!
//! Every call carries a key in `apikey` (header; the publishable one also in the query, for links). `Authorization: Bearer` is an access token,
//! or again a key (`sb_...`). Without a token the key alone decides: publishable is a visitor, secret is the service.

use std::net::{IpAddr, SocketAddr};

use ::http::{HeaderMap, Uri, header};
use takt_auth::{Auth, Client, KeyKind, TokenError};
use takt_model::{Principal, Rights};

use crate::app::App;

/// Why nobody is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IdentityError {
    /// No key, and the settings do not take that for a visitor.
    NoKey,
    /// A key that is none of ours.
    WrongKey,
    /// The secret key, sent by a browser: whoever opens its tools could read it.
    SecretFromBrowser,
    /// The secret key, sent in the query: addresses stand in histories and in logs of proxies.
    SecretInQuery,
    /// A token with a bad signature or of a wrong form.
    InvalidToken,
    /// A token that was good once.
    ExpiredToken,
}

/// What a call says about its caller, before it is believed.
struct Claims<'a> {
    key: Option<&'a str>,
    /// Counts only where no header has one.
    key_in_query: Option<&'a str>,
    token: Option<&'a str>,
}

/// Who calls; the result of all headers together.
pub(crate) fn identify(app: &App, headers: &HeaderMap, uri: &Uri) -> Result<Principal, IdentityError> {
    let claims = claims(headers, uri);
    let kind = key_kind(app, &claims, headers)?;
    match (claims.token, kind) {
        (Some(token), _) => verify(&app.auth, token),
        (None, Some(KeyKind::Secret)) => Ok(Principal::service()),
        (None, Some(KeyKind::Publishable) | None) => Ok(Principal::anon()),
    }
}

/// As [`identify`], for doors that need a key but look at the token themselves.
pub(crate) fn check_key(app: &App, headers: &HeaderMap, uri: &Uri) -> Result<(), IdentityError> {
    key_kind(app, &claims(headers, uri), headers).map(|_| ())
}

fn key_kind(app: &App, claims: &Claims<'_>, headers: &HeaderMap) -> Result<Option<KeyKind>, IdentityError> {
    // Whatever the headers say: somebody has put it where it does not belong, and shall notice.
    if claims.key_in_query.is_some_and(|key| matches!(app.auth.key(key), Some(KeyKind::Secret))) {
        return Err(IdentityError::SecretInQuery);
    }
    let Some(key) = claims.key else {
        let without = app.project().settings.server.anonymous_without_key;
        return if without { Ok(None) } else { Err(IdentityError::NoKey) };
    };
    let kind = app.auth.key(key).ok_or(IdentityError::WrongKey)?;
    match kind {
        KeyKind::Secret if is_browser(headers) => Err(IdentityError::SecretFromBrowser),
        KeyKind::Secret | KeyKind::Publishable => Ok(Some(kind)),
    }
}

fn verify(auth: &Auth, token: &str) -> Result<Principal, IdentityError> {
    auth.verify_token(token).map_err(|e| match e {
        TokenError::Invalid => IdentityError::InvalidToken,
        TokenError::Expired => IdentityError::ExpiredToken,
    })
}

fn claims<'a>(headers: &'a HeaderMap, uri: &'a Uri) -> Claims<'a> {
    let bearer = bearer(headers);
    let is_key = |b: &&str| b.starts_with("sb_");
    let in_headers = headers.get("apikey").and_then(|v| v.to_str().ok()).or_else(|| bearer.filter(is_key));
    let in_query = uri.query().and_then(key_in_query);
    Claims { key: in_headers.or(in_query), key_in_query: in_query, token: bearer.filter(|b| !is_key(b)) }
}

/// Whether the headers carry the secret key. Cheap for everybody who has none.
pub(crate) fn has_secret_key(app: &App, headers: &HeaderMap) -> bool {
    let key = headers.get("apikey").and_then(|v| v.to_str().ok()).or_else(|| bearer(headers));
    key.is_some_and(|key| key.starts_with("sb_secret_") && matches!(app.auth.key(key), Some(KeyKind::Secret)))
}

/// Whether the address is one of a proxy that the settings trust.
pub(crate) fn is_trusted(address: IpAddr, trusted: &[String]) -> bool {
    trusted.iter().any(|network| is_inside(address, network))
}

/// The text behind `Authorization: Bearer`.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

fn key_in_query(query: &str) -> Option<&str> {
    query.split('&').find_map(|pair| pair.strip_prefix("apikey="))
}

/// Browsers name the page that asks. `Sec-Fetch-Mode` proves nothing: Node's fetch sends it too.
fn is_browser(headers: &HeaderMap) -> bool {
    headers.contains_key(header::ORIGIN) || headers.contains_key("sec-fetch-site")
}

/// Where a call comes from, looking through the proxies that the settings trust.
pub(crate) fn address(app: &App, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let peer = peer.to_canonical();
    let Some(forwarded) = forwarded(headers) else { return peer };
    behind_proxies(peer, &forwarded, &app.project().settings.server.trusted_proxies)
}

/// All lines of `X-Forwarded-For` as one: a proxy may append to the caller's line or add its own below.
fn forwarded(headers: &HeaderMap) -> Option<String> {
    // A line that is no text becomes an entry that is no address: what stands left of it is not believed.
    let lines = headers.get_all("x-forwarded-for").iter().map(|line| line.to_str().unwrap_or("?"));
    let lines: Vec<&str> = lines.collect();
    (!lines.is_empty()).then(|| lines.join(","))
}

/// Each proxy appends whom it saw; the first one from the right that we do not trust is the caller.
fn behind_proxies(peer: IpAddr, forwarded: &str, trusted: &[String]) -> IpAddr {
    let mut caller = peer;
    for hop in forwarded.rsplit(',') {
        if !is_trusted(caller, trusted) {
            break;
        }
        match hop_address(hop.trim()) {
            Some(address) => caller = address.to_canonical(),
            None => break,
        }
    }
    caller
}

/// Some proxies append the port: `1.2.3.4:5678`, `[2001:db8::1]:5678`.
fn hop_address(hop: &str) -> Option<IpAddr> {
    let in_brackets = || hop.strip_prefix('[')?.strip_suffix(']')?.parse().ok().map(IpAddr::V6);
    let with_port = || hop.parse::<SocketAddr>().ok().map(|address| address.ip());
    hop.parse().ok().or_else(with_port).or_else(in_brackets)
}

/// Whether an address is the one named, or of the network named: `10.0.0.1`, `10.0.0.0/8`, `fd00::/8`.
fn is_inside(address: IpAddr, network: &str) -> bool {
    let (base, bits) = match network.split_once('/') {
        Some((base, bits)) => (base, bits.parse::<u32>().ok()),
        None => (network, Some(u32::MAX)),
    };
    let (Ok(base), Some(bits)) = (base.trim().parse::<IpAddr>(), bits) else { return false };
    let differs_within =
        |difference: u128, width: u32| difference.checked_shr(width - bits.min(width)).unwrap_or(0) != 0;
    match (address, base.to_canonical()) {
        (IpAddr::V4(a), IpAddr::V4(b)) => !differs_within(u128::from(a.to_bits() ^ b.to_bits()), 32),
        (IpAddr::V6(a), IpAddr::V6(b)) => !differs_within(a.to_bits() ^ b.to_bits(), 128),
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
    }
}

/// Address and program, for sessions and rate limits.
pub(crate) fn client(app: &App, peer: IpAddr, headers: &HeaderMap) -> Client {
    let user_agent = headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let user_agent = user_agent.chars().take(400).collect();
    Client { address: address(app, peer, headers), user_agent }
}

/// The caller's role as the log names it.
pub(crate) fn role(who: &Principal) -> &'static str {
    match who.rights {
        Rights::Anon => "anon",
        Rights::Authenticated => "authenticated",
        Rights::Service => "service_role",
        Rights::System { .. } => "system",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use ::http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(k, v)| (k.parse::<::http::HeaderName>().unwrap(), HeaderValue::from_static(v)))
            .collect()
    }

    #[test]
    fn key_and_token_are_found_where_clients_put_them() {
        let cases = [
            (&[][..], "/", (None, None)),
            (&[("apikey", "sb_a")], "/", (Some("sb_a"), None)),
            (&[("apikey", "sb_a"), ("authorization", "Bearer sb_a")], "/", (Some("sb_a"), None)),
            (&[("authorization", "Bearer sb_secret_x")], "/", (Some("sb_secret_x"), None)),
            (&[("apikey", "sb_a"), ("authorization", "bearer ey.t")], "/", (Some("sb_a"), Some("ey.t"))),
            (&[("authorization", "Bearer ey.t")], "/", (None, Some("ey.t"))),
            (&[("authorization", "Basic abc")], "/", (None, None)),
            (&[("authorization", "Bearer ")], "/", (None, None)),
            (&[], "/rest/v1/t?a=eq.1&apikey=sb_q", (Some("sb_q"), None)),
            (&[("apikey", "sb_a")], "/t?apikey=sb_q", (Some("sb_a"), None)),
        ];
        for (pairs, uri, expected) in cases {
            let headers = headers(pairs);
            let uri: Uri = uri.parse().unwrap();
            let got = claims(&headers, &uri);
            assert_eq!((got.key, got.token), expected, "{pairs:?} {uri}");
        }
    }

    #[test]
    fn a_browser_is_known_by_headers_that_scripts_cannot_leave_out() {
        assert!(is_browser(&headers(&[("origin", "https://shop.example")])));
        assert!(is_browser(&headers(&[("sec-fetch-site", "cross-site")])));
        assert!(!is_browser(&headers(&[("sec-fetch-mode", "cors"), ("user-agent", "Mozilla/5.0")])));
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let proxies = ["10.0.0.1".to_owned(), "10.0.0.2/32".to_owned()];
        for (peer, forwarded, caller) in [
            ("203.0.113.9", "1.2.3.4", "203.0.113.9"),
            ("10.0.0.1", "1.2.3.4", "1.2.3.4"),
            ("10.0.0.1", "6.6.6.6, 1.2.3.4", "1.2.3.4"),
            ("10.0.0.1", "1.2.3.4, 10.0.0.2", "1.2.3.4"),
            ("10.0.0.1", "nonsense", "10.0.0.1"),
            ("10.0.0.1", "1.2.3.4, nonsense", "10.0.0.1"),
            ("10.0.0.1", "1.2.3.4:5678", "1.2.3.4"),
            ("10.0.0.1", "1.2.3.4:5678, 10.0.0.2:80", "1.2.3.4"),
            ("10.0.0.1", "2001:db8::1", "2001:db8::1"),
            ("10.0.0.1", "[2001:db8::1]", "2001:db8::1"),
            ("10.0.0.1", "[2001:db8::1]:5678", "2001:db8::1"),
            ("10.0.0.1", "[::ffff:1.2.3.4]:5678", "1.2.3.4"),
            ("10.0.0.1", "1.2.3.4:99999", "10.0.0.1"),
        ] {
            assert_eq!(behind_proxies(ip(peer), forwarded, &proxies), ip(caller), "{forwarded}");
        }
    }

    #[test]
    fn every_line_of_the_forwarding_header_counts() {
        let mut lines = HeaderMap::new();
        assert_eq!(forwarded(&lines), None);
        // What the caller made up comes first; what the proxies saw comes below.
        for line in [&b"6.6.6.6"[..], b"1.2.3.4", b"10.0.0.2, 10.0.0.3"] {
            lines.append("x-forwarded-for", HeaderValue::from_bytes(line).unwrap());
        }
        assert_eq!(forwarded(&lines).as_deref(), Some("6.6.6.6,1.2.3.4,10.0.0.2, 10.0.0.3"));
        let proxies = ["10.0.0.0/8".to_owned()];
        let peer = "10.0.0.1".parse().unwrap();
        let caller =
            |lines: &HeaderMap| behind_proxies(peer, &forwarded(lines).unwrap(), &proxies).to_string();
        assert_eq!(caller(&lines), "1.2.3.4");
        lines.append("x-forwarded-for", HeaderValue::from_bytes(b"\xff").unwrap());
        assert_eq!(caller(&lines), "10.0.0.1");
    }

    #[test]
    fn networks_are_written_with_their_length() {
        for (address, network, inside) in [
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.4", "10.1.2.3", false),
            ("10.1.2.4", "10.0.0.0/8", true),
            ("11.1.2.4", "10.0.0.0/8", false),
            ("11.1.2.4", "0.0.0.0/0", true),
            ("fd00::1", "fd00::/8", true),
            ("fe00::1", "fd00::/8", false),
            ("::1", "::/0", true),
            ("10.1.2.3", "::/0", false),
            ("10.1.2.3", "10.0.0.0/x", false),
            ("10.1.2.3", "nonsense", false),
        ] {
            assert_eq!(is_inside(address.parse().unwrap(), network), inside, "{address} in {network}");
        }
    }
}
