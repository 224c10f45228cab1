//! The master key: everything secret in the database is sealed under it. It lives outside the database, in the
//! environment or in one file of mode 0600.

use std::{
    fmt,
    fs::{File, OpenOptions},
    io::{Read, Write},
    path::Path,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use zeroize::Zeroizing;

use crate::{AuthError, random};

const VARIABLE: &str = "TAKT_MASTER_KEY";
const FILE: &str = "master.key";
const NONCE_BYTES: usize = 12;

/// 32 secret bytes.
pub struct MasterKey(Zeroizing<[u8; 32]>);

impl MasterKey {
    /// From `TAKT_MASTER_KEY` (32 bytes in base64 or hex), else from `master.key` in the data folder, which is
    /// made with mode 0600 if it does not exist.
    ///
    /// # Errors
    /// [`AuthError::Start`] with one plain sentence: the text is no key, others may read the file, it cannot be
    /// read or written.
    pub fn load_or_create(data_dir: &Path) -> Result<Self, AuthError> {
        Self::load_from(variable().as_ref().map(|v| v.as_str()), data_dir)
    }

    /// As [`MasterKey::load_or_create`] for a database that exists: a key that is missing is not made anew.
    ///
    /// # Errors
    /// As [`MasterKey::load_or_create`], and if there is neither variable nor file; nothing is written then.
    pub fn load(data_dir: &Path) -> Result<Self, AuthError> {
        let path = data_dir.join(FILE);
        let variable = variable();
        let text = variable.as_ref().map(|v| v.as_str()).unwrap_or_default();
        if text.trim().is_empty() && matches!(path.try_exists(), Ok(false)) {
            return Err(AuthError::Start(format!(
                "The master key {} is missing, and the database beside it is sealed under it: put the file back, or set {VARIABLE}; nothing was written.",
                path.display()
            )));
        }
        Self::load_from(Some(text), data_dir)
    }

    /// As [`MasterKey::load_or_create`] with the variable's text as an argument.
    ///
    /// # Errors
    /// As [`MasterKey::load_or_create`].
    pub fn load_from(variable: Option<&str>, data_dir: &Path) -> Result<Self, AuthError> {
        if let Some(text) = variable.filter(|t| !t.trim().is_empty()) {
            return Self::parse(text).ok_or_else(|| {
                AuthError::Start(format!(
                    "{VARIABLE} is not a master key: 32 bytes in base64 or hex are needed"
                ))
            });
        }
        let path = data_dir.join(FILE);
        match File::open(&path) {
            Ok(file) => Self::read(file, &path),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Self::create(&path),
            Err(error) => Err(sentence("cannot be read", &path, &error)),
        }
    }

    fn read(mut file: File, path: &Path) -> Result<Self, AuthError> {
        refuse_wide_mode(&file, path)?;
        let mut text = Zeroizing::new(String::new());
        file.read_to_string(&mut text).map_err(|e| sentence("cannot be read", path, &e))?;
        Self::parse(&text).ok_or_else(|| {
            AuthError::Start(format!(
                "{} does not hold a master key: 32 bytes in base64 or hex are needed",
                path.display()
            ))
        })
    }

    fn create(path: &Path) -> Result<Self, AuthError> {
        let key = Self(Zeroizing::new(random::bytes()?));
        let text = Zeroizing::new(format!("{}\n", STANDARD.encode(*key.0)));
        write_private(path, text.as_bytes()).map_err(|e| sentence("cannot be written", path, &e))?;
        Ok(key)
    }

    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let bytes = if text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
            Zeroizing::new(from_hex(text)?)
        } else {
            // Both alphabets, with and without padding: people copy keys from many tools.
            let plain = text.trim_end_matches('=').replace('-', "+").replace('_', "/");
            Zeroizing::new(base64::engine::general_purpose::STANDARD_NO_PAD.decode(plain).ok()?)
        };
        let bytes: [u8; 32] = bytes.as_slice().try_into().ok()?;
        Some(Self(Zeroizing::new(bytes)))
    }

    /// Encrypts `secret`; `name` is bound to it, so that sealed values cannot be exchanged for each other.
    pub(crate) fn seal(&self, name: &str, secret: &[u8]) -> Result<Vec<u8>, AuthError> {
        let nonce = random::bytes::<NONCE_BYTES>()?;
        let mut sealed = secret.to_vec();
        self.cipher()?
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(name.as_bytes()),
                &mut sealed,
            )
            .map_err(|_| AuthError::Internal("sealing failed".to_owned()))?;
        let mut out = nonce.to_vec();
        out.append(&mut sealed);
        Ok(out)
    }

    /// Decrypts what [`MasterKey::seal`] made; `None` if it is damaged, of another name or of another key.
    pub(crate) fn open(&self, name: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, body) = sealed.split_at_checked(NONCE_BYTES)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut body = Zeroizing::new(body.to_vec());
        let length =
            self.cipher().ok()?.open_in_place(nonce, Aad::from(name.as_bytes()), &mut body).ok()?.len();
        body.truncate(length);
        Some(body)
    }

    fn cipher(&self) -> Result<LessSafeKey, AuthError> {
        UnboundKey::new(&CHACHA20_POLY1305, &*self.0)
            .map(LessSafeKey::new)
            .map_err(|_| AuthError::Internal("the master key has the wrong length".to_owned()))
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(***)")
    }
}

fn variable() -> Option<Zeroizing<String>> {
    std::env::var(VARIABLE).ok().map(Zeroizing::new)
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    text.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

fn sentence(what: &str, path: &Path, error: &std::io::Error) -> AuthError {
    AuthError::Start(format!("the master key {} {what}: {error}", path.display()))
}

#[cfg(unix)]
fn refuse_wide_mode(file: &File, path: &Path) -> Result<(), AuthError> {
    use std::os::unix::fs::PermissionsExt;
    let mode =
        file.metadata().map_err(|e| sentence("cannot be read", path, &e))?.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(AuthError::Start(format!(
        "{path} can be read by others (mode {mode:04o}); run `chmod 600 {path}` and start again",
        path = path.display()
    )))
}

#[cfg(not(unix))]
fn refuse_wide_mode(_: &File, _: &Path) -> Result<(), AuthError> {
    Ok(())
}

/// Written beside and renamed: a crash leaves a whole key or none, never an empty file that stops every start.
fn write_private(path: &Path, text: &[u8]) -> std::io::Result<()> {
    let beside = path.with_extension("key.new");
    match std::fs::remove_file(&beside) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside)?;
    file.write_all(text)?;
    file.sync_all()?;
    std::fs::rename(&beside, path)?;
    // The name must be on disk before anything is sealed under the key.
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

    use super::MasterKey;

    #[test]
    fn a_key_is_made_once_and_found_again() {
        let dir = tempfile::tempdir().unwrap();
        let first = MasterKey::load_from(None, dir.path()).unwrap();
        let second = MasterKey::load_from(None, dir.path()).unwrap();
        assert_eq!(*first.0, *second.0);
        assert_eq!(format!("{first:?}"), "MasterKey(***)");
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_private_and_a_wider_mode_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        MasterKey::load_from(None, dir.path()).unwrap();
        let path = dir.path().join("master.key");
        let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        for wide in [0o644, 0o640, 0o604, 0o660] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(wide)).unwrap();
            let refused = MasterKey::load_from(None, dir.path()).unwrap_err().to_string();
            assert!(refused.contains("can be read by others"), "{refused}");
            assert!(refused.contains("chmod 600"), "{refused}");
        }
    }

    #[test]
    fn the_variable_wins_and_is_checked() {
        let dir = tempfile::tempdir().unwrap();
        let hex = "00ff".repeat(16);
        let base64 = "AP8A/wD/AP8A/wD/AP8A/wD/AP8A/wD/AP8A/wD/AP8=";
        let from = |text: &str| MasterKey::load_from(Some(text), dir.path());
        assert_eq!(*from(&hex).unwrap().0, *from(base64).unwrap().0);
        assert_eq!(*from(&hex).unwrap().0, *from(&base64.replace('/', "_")).unwrap().0);
        assert!(!dir.path().join("master.key").exists());
        for wrong in ["secret", "00", &"ab".repeat(31), &"zz".repeat(32)] {
            let refused = from(wrong).unwrap_err().to_string();
            assert!(refused.contains("TAKT_MASTER_KEY is not a master key"), "{refused}");
            assert!(!refused.contains(wrong));
        }
    }

    #[test]
    fn a_sealed_value_opens_only_with_its_key_and_name_and_unchanged() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let key = MasterKey::load_from(None, one.path()).unwrap();
        let foreign = MasterKey::load_from(None, other.path()).unwrap();
        let sealed = key.seal("secret_key", b"sb_secret_x").unwrap();
        assert_eq!(key.open("secret_key", &sealed).unwrap().as_slice(), b"sb_secret_x");
        assert!(key.open("publishable_key", &sealed).is_none());
        assert!(foreign.open("secret_key", &sealed).is_none());
        assert!(key.open("secret_key", &sealed[..5]).is_none());
        for at in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[at] ^= 1;
            assert!(key.open("secret_key", &damaged).is_none(), "byte {at}");
        }
        assert_ne!(sealed, key.seal("secret_key", b"sb_secret_x").unwrap());
    }
}
