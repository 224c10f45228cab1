//! Access tokens: their claims (`design/wire.md` section 2, 26), what is checked about them, and the cache that
//! makes the check of a known token cost about a microsecond. Not here: signatures (`jws.rs`).

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use takt_model::{Principal, User, Uuid};

use crate::{
    AuthError,
    jws::SigningKey,
    random,
    rows::{sessions::Session, users},
};

/// Clocks of several machines differ.
const SKEW_SECONDS: i64 = 30;
/// For so long after its expiry a token may still be believed.
pub(crate) const SKEW_MICROS: i64 = SKEW_SECONDS * 1_000_000;
const AUDIENCE: &str = "authenticated";
const ROLE: &str = "authenticated";

/// The claims of an access token, in this order. Reading is strict: a number as text, a fraction, a missing
/// claim or one that stands twice is refused.
#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: String,
    exp: i64,
    iat: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
    email: String,
    phone: String,
    app_metadata: serde_json::Value,
    user_metadata: serde_json::Value,
    role: String,
    aal: String,
    amr: Vec<Method>,
    session_id: String,
    is_anonymous: bool,
}

/// How somebody signed in, and when.
#[derive(Serialize, Deserialize)]
struct Method {
    method: String,
    timestamp: i64,
}

/// A new access token of `session`, good from `issued_at` for `life` (both seconds).
pub(crate) fn issue(
    key: &SigningKey,
    issuer: &str,
    user: &users::User,
    session: &Session,
    issued_at: i64,
    life: i64,
) -> Result<String, AuthError> {
    let claims = Claims {
        iss: issuer.to_owned(),
        sub: user.id.to_string(),
        aud: AUDIENCE.to_owned(),
        exp: issued_at + life,
        iat: issued_at,
        nbf: None,
        email: user.email.clone(),
        phone: String::new(),
        app_metadata: user.app_metadata.clone(),
        user_metadata: user.user_metadata.clone(),
        role: ROLE.to_owned(),
        aal: "aal1".to_owned(),
        amr: vec![Method {
            method: "password".to_owned(),
            timestamp: session.created_at.div_euclid(1_000_000),
        }],
        session_id: session.id.to_string(),
        is_anonymous: false,
    };
    let json = serde_json::to_vec(&claims)
        .map_err(|_| AuthError::Internal("claims cannot be written".to_owned()))?;
    key.sign(&json)
}

/// What a good signature and good claims say. Whether it is still true is asked each time
/// (expiry, [`crate::revocation`]).
pub(crate) struct Verified {
    pub(crate) principal: Principal,
    pub(crate) user: Uuid,
    pub(crate) session: Uuid,
    /// Seconds.
    pub(crate) issued_at: i64,
    /// Seconds.
    expires_at: i64,
}

impl Verified {
    /// Checks everything about a token that time does not change.
    pub(crate) fn read(key: &SigningKey, issuer: &str, token: &str) -> Option<Self> {
        let json = key.verify(token)?;
        let claims: Claims = serde_json::from_slice(&json).ok()?;
        let is_ours = claims.iss == issuer && claims.aud == AUDIENCE && claims.role == ROLE;
        if !is_ours || claims.nbf.is_some_and(|nbf| nbf > claims.exp) {
            return None;
        }
        let user = Uuid::try_parse(&claims.sub).ok()?;
        let session = Uuid::try_parse(&claims.session_id).ok()?;
        let principal = Principal::user(User {
            id: user,
            email: Some(claims.email).filter(|e| !e.is_empty()),
            roles: users::roles(&claims.app_metadata),
            session_id: Some(session),
            claims: serde_json::from_slice(&json).ok()?,
        });
        let issued_at = claims.nbf.map_or(claims.iat, |nbf| nbf.max(claims.iat));
        Some(Self { principal, user, session, issued_at, expires_at: claims.exp })
    }

    /// Whether it has run out at `now` (seconds).
    pub(crate) fn is_expired(&self, now: i64) -> bool {
        now >= self.expires_at.saturating_add(SKEW_SECONDS)
    }

    /// Whether it is from the future at `now` (seconds).
    pub(crate) fn is_early(&self, now: i64) -> bool {
        self.issued_at > now.saturating_add(SKEW_SECONDS)
    }

    /// The same caller with the rights that are true now.
    pub(crate) fn with_rights(&self, app_metadata: serde_json::Value) -> Principal {
        let Some(user) = &self.principal.user else { return self.principal.clone() };
        let mut user = User::clone(user);
        user.roles = users::roles(&app_metadata);
        if let Some(claims) = user.claims.as_object_mut() {
            claims.insert("app_metadata".to_owned(), app_metadata);
        }
        Principal::user(user)
    }
}

/// Verified tokens by their hash. Bounded: two halves of which the older one is dropped when the younger is
/// full; a token that is used moves to the younger one.
pub(crate) struct TokenCache {
    halves: Mutex<Halves>,
    half: usize,
}

#[derive(Default)]
struct Halves {
    young: HashMap<[u8; 32], Arc<Verified>>,
    old: HashMap<[u8; 32], Arc<Verified>>,
}

impl TokenCache {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { halves: Mutex::new(Halves::default()), half: (capacity / 2).max(1) }
    }

    /// The verified token, if known; else what `verify` finds out, kept.
    pub(crate) fn get_or_verify(
        &self,
        token: &str,
        verify: impl FnOnce() -> Option<Verified>,
    ) -> Option<Arc<Verified>> {
        let hash = random::sha256(token.as_bytes());
        if let Some(known) = self.known(&hash) {
            return Some(known);
        }
        // Not under the lock: a signature costs a hundred times a look-up. Refusals are not kept, so that
        // invented tokens cannot push good ones out.
        let verified = Arc::new(verify()?);
        self.keep(hash, Arc::clone(&verified));
        Some(verified)
    }

    pub(crate) fn forget(&self, token: &str) {
        let hash = random::sha256(token.as_bytes());
        let mut halves = self.halves.lock();
        halves.young.remove(&hash);
        halves.old.remove(&hash);
    }

    fn known(&self, hash: &[u8; 32]) -> Option<Arc<Verified>> {
        let mut halves = self.halves.lock();
        if let Some(found) = halves.young.get(hash) {
            return Some(Arc::clone(found));
        }
        let found = halves.old.remove(hash)?;
        self.put(&mut halves, *hash, Arc::clone(&found));
        Some(found)
    }

    fn keep(&self, hash: [u8; 32], verified: Arc<Verified>) {
        self.put(&mut self.halves.lock(), hash, verified);
    }

    fn put(&self, halves: &mut Halves, hash: [u8; 32], verified: Arc<Verified>) {
        if halves.young.len() >= self.half {
            halves.old = std::mem::take(&mut halves.young);
        }
        halves.young.insert(hash, verified);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

    use serde_json::{Value, json};

    use super::*;
    use crate::jws::tests::key;

    const ISSUER: &str = "https://shop.test/auth/v1";

    fn claims() -> Value {
        json!({
            "iss": ISSUER,
            "sub": "01890000-0000-7000-8000-000000000001",
            "aud": "authenticated",
            "exp": 5000,
            "iat": 1400,
            "email": "anna@shop.test",
            "phone": "",
            "app_metadata": { "provider": "email", "roles": ["staff"] },
            "user_metadata": {},
            "role": "authenticated",
            "aal": "aal1",
            "amr": [{ "method": "password", "timestamp": 1400 }],
            "session_id": "01890000-0000-7000-8000-000000000002",
            "is_anonymous": false,
        })
    }

    #[test]
    fn good_claims_make_a_principal() {
        let key = key();
        let token = key.sign(claims().to_string().as_bytes()).unwrap();
        let verified = Verified::read(&key, ISSUER, &token).unwrap();
        let user = verified.principal.user.clone().unwrap();
        assert_eq!(user.id.to_string(), "01890000-0000-7000-8000-000000000001");
        assert_eq!(user.roles, ["staff"]);
        assert_eq!(user.claims, claims());
        assert!(verified.principal.has_role("authenticated") && verified.principal.has_role("staff"));
    }

    /// Correctly signed, and still refused.
    #[test]
    fn bad_claims_are_refused() {
        let key = key();
        let with = |name: &str, value: Value| {
            let mut claims = claims();
            claims[name] = value;
            claims.to_string()
        };
        let without = |name: &str| {
            let mut claims = claims();
            claims.as_object_mut().unwrap().remove(name);
            claims.to_string()
        };
        let cases = [
            ("exp missing", without("exp")),
            ("exp as text", with("exp", json!("5000"))),
            ("exp with a fraction", with("exp", json!(5000.5))),
            ("exp null", with("exp", Value::Null)),
            ("exp beyond all numbers", claims().to_string().replace("5000", "99999999999999999999")),
            ("exp twice", claims().to_string().replacen('{', r#"{"exp":9999,"#, 1)),
            ("iat missing", without("iat")),
            ("nbf as text", with("nbf", json!("1"))),
            ("nbf after exp", with("nbf", json!(6000))),
            ("aud missing", without("aud")),
            ("wrong aud", with("aud", json!("anon"))),
            ("aud as list", with("aud", json!(["authenticated"]))),
            ("iss missing", without("iss")),
            ("wrong iss", with("iss", json!("https://evil.test/auth/v1"))),
            ("role service", with("role", json!("service_role"))),
            ("role missing", without("role")),
            ("sub no uuid", with("sub", json!("admin"))),
            ("sub missing", without("sub")),
            ("session missing", without("session_id")),
            (
                "an id token",
                json!({ "iss": ISSUER, "sub": "x", "aud": "authenticated", "exp": 5000, "nonce": "n" })
                    .to_string(),
            ),
            ("no object", "[]".to_owned()),
            ("no json", "x".to_owned()),
            ("empty", String::new()),
        ];
        for (attack, claims) in cases {
            let token = key.sign(claims.as_bytes()).unwrap();
            assert!(Verified::read(&key, ISSUER, &token).is_none(), "{attack}");
        }
    }

    #[test]
    fn built_in_roles_cannot_be_had_by_metadata() {
        let key = key();
        let mut claims = claims();
        claims["app_metadata"] = json!({ "roles": ["service_role", "anon", "authenticated", "staff", 7] });
        let token = key.sign(claims.to_string().as_bytes()).unwrap();
        let verified = Verified::read(&key, ISSUER, &token).unwrap();
        assert_eq!(verified.principal.user.clone().unwrap().roles, ["staff"]);
        assert!(!verified.principal.has_role("service_role"));
    }

    #[test]
    fn time_is_checked_with_thirty_seconds_of_grace() {
        let key = key();
        let token = key.sign(claims().to_string().as_bytes()).unwrap();
        let verified = Verified::read(&key, ISSUER, &token).unwrap();
        let cases = [(1369, true, false), (1370, false, false), (5029, false, false), (5030, false, true)];
        for (now, early, expired) in cases {
            assert_eq!((verified.is_early(now), verified.is_expired(now)), (early, expired), "{now}");
        }
        let mut later = claims();
        later["nbf"] = json!(3000);
        let token = key.sign(later.to_string().as_bytes()).unwrap();
        assert!(Verified::read(&key, ISSUER, &token).unwrap().is_early(2000), "nbf");
    }

    #[test]
    fn a_known_token_is_not_verified_again_and_the_cache_is_bounded() {
        let key = key();
        let cache = TokenCache::new(10);
        let token = key.sign(claims().to_string().as_bytes()).unwrap();
        let read = || Verified::read(&key, ISSUER, &token);
        assert!(cache.get_or_verify(&token, read).is_some());
        assert!(cache.get_or_verify(&token, || panic!("verified again")).is_some());
        for n in 0..100 {
            // One that is in use stays.
            cache.get_or_verify(&token, || panic!("pushed out after {n}"));
            cache.get_or_verify(&format!("other {n}"), read);
            let halves = cache.halves.lock();
            assert!(halves.young.len() + halves.old.len() <= 10);
        }
        assert!(cache.get_or_verify("invented", || None).is_none());
        cache.forget(&token);
        assert!(cache.get_or_verify(&token, || None).is_none());
    }
}
