//! The secrets of a project: made at first start, kept sealed in `auth.secrets`, opened once at each start.

use ring::hmac;
use takt_engine::Engine;
use takt_model::Uuid;
use zeroize::Zeroizing;

use crate::{
    ApiKeys, AuthError, MasterKey,
    jws::SigningKey,
    random,
    rows::{Db, secrets},
};

const SIGNING: &str = "signing_key";
const REFRESH: &str = "refresh_key";
const PUBLISHABLE: &str = "publishable_key";
const SECRET: &str = "secret_key";

/// Opened secrets.
pub(crate) struct Secrets {
    pub(crate) signing: SigningKey,
    pub(crate) api_keys: ApiKeys,
    refresh: hmac::Key,
}

impl Secrets {
    /// Opens them, making those that do not exist.
    pub(crate) fn load(engine: &Engine, master: &MasterKey) -> Result<Self, AuthError> {
        let pkcs8 = load(engine, master, SIGNING, SigningKey::generate)?;
        let refresh = load(engine, master, REFRESH, || Ok(Zeroizing::new(random::bytes::<32>()?.to_vec())))?;
        let key = |name, prefix: &'static str| -> Result<String, AuthError> {
            let make = || Ok(Zeroizing::new(format!("{prefix}{}", random::token()?).into_bytes()));
            String::from_utf8(load(engine, master, name, make)?.to_vec())
                .map_err(|_| AuthError::Internal(format!("the stored {name} is no text")))
        };
        Ok(Self {
            signing: SigningKey::read(&pkcs8)?,
            api_keys: ApiKeys {
                publishable: key(PUBLISHABLE, "sb_publishable_")?,
                secret: key(SECRET, "sb_secret_")?,
            },
            refresh: hmac::Key::new(hmac::HMAC_SHA256, &refresh),
        })
    }

    /// The refresh token with this id. Only its hash is stored; that it follows from its id under our key lets
    /// us tell the active token to the second of two tabs that refresh at once (`design/wire.md` section 2, 29).
    pub(crate) fn refresh_token(&self, id: Uuid) -> String {
        use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.refresh, id.as_bytes()))
    }
}

fn load(
    engine: &Engine,
    master: &MasterKey,
    name: &'static str,
    make: impl FnOnce() -> Result<Zeroizing<Vec<u8>>, AuthError>,
) -> Result<Zeroizing<Vec<u8>>, AuthError> {
    let stored = engine.look_up(|tx| secrets::find(&Db::new(tx, "auth: open secrets"), name))?;
    if let Some(sealed) = stored {
        return master.open(name, &sealed).ok_or_else(|| {
            AuthError::Start(
                "the master key does not fit this database: TAKT_MASTER_KEY or data/master.key must be the \
                 one that the database was made with"
                    .to_owned(),
            )
        });
    }
    let secret = make()?;
    let sealed = master.seal(name, &secret)?;
    engine.transact_blocking(move |tx| secrets::insert(&Db::new(tx, "auth: make secrets"), name, &sealed))?;
    Ok(secret)
}
