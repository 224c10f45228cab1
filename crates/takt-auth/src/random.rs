//! Chance for secrets: always the operating system's generator, never a seed. (What need not be secret, such as
//! ids, comes from the transaction, where tests can fix it.)

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::rand::{SecureRandom, SystemRandom};

use crate::AuthError;

/// Random bytes.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], AuthError> {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| AuthError::Internal("the system gives no random numbers".to_owned()))?;
    Ok(bytes)
}

/// 32 random bytes as text: base64url, 43 characters.
pub(crate) fn token() -> Result<String, AuthError> {
    Ok(URL_SAFE_NO_PAD.encode(bytes::<32>()?))
}

/// SHA-256.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    let mut out = [0; 32];
    out.copy_from_slice(digest.as_ref());
    out
}
