//! Keys to the repository: the instance's, in a file of the data folder, and the owner's, which is shown once and kept
//! nowhere.

use std::{fs, io::ErrorKind, os::unix::fs::PermissionsExt, path::Path};

use ring::rand::{SecureRandom, SystemRandom};
use takt_repository::{Key, KeyHolder, Repository, write_whole};

use crate::BackupError;

/// The instance's key in the data folder.
pub(crate) const FILE: &str = "backup.key";
/// No I, L, O, U, 0 and 1: nobody should have to guess what they read from paper.
const ALPHABET: &[u8; 30] = b"ABCDEFGHJKMNPQRSTVWXYZ23456789";
/// 40 of 30 letters: 196 bits.
const LETTERS: usize = 40;
const GROUP: usize = 5;

/// The instance's key; made and written with mode 0600 if there is none.
///
/// # Errors
/// See [`BackupError`].
pub fn instance_key(data_dir: &Path) -> Result<Key, BackupError> {
    let path = data_dir.join(FILE);
    match fs::read_to_string(&path) {
        Ok(text) => read(&path, &text),
        Err(error) if error.kind() == ErrorKind::NotFound => make(&path),
        Err(error) => Err(BackupError::io(&path, &error)),
    }
}

fn read(path: &Path, text: &str) -> Result<Key, BackupError> {
    let meta = fs::metadata(path).map_err(|e| BackupError::io(path, &e))?;
    if meta.permissions().mode() & 0o077 != 0 {
        let reason = "others may read it; `chmod 600` closes it".to_owned();
        return Err(BackupError::Io { path: path.display().to_string(), reason });
    }
    let text = text.trim();
    if text.len() < 16 {
        return Err(BackupError::NotAKey(path.display().to_string()));
    }
    Ok(Key::new(text))
}

/// Written whole or not at all: half a key would lock everybody out.
fn make(path: &Path) -> Result<Key, BackupError> {
    let key = Key::new(letters()?);
    write_whole(path, [key.reveal().as_bytes(), b"\n"]).map_err(|e| BackupError::io(path, &e))?;
    Ok(key)
}

/// Gives the owner a key of their own and takes an earlier one back. It is told here and never again.
///
/// # Errors
/// See [`BackupError`].
pub fn new_owner_key(repository: &Repository) -> Result<Key, BackupError> {
    let key = Key::new(letters()?);
    repository.replace_key(&key, KeyHolder::Owner)?;
    Ok(key)
}

/// A key as people type it: case, blanks and missing hyphens do not matter.
#[must_use]
pub fn owner_key(typed: &str) -> Key {
    let letters: String =
        typed.chars().filter(|c| !c.is_whitespace() && *c != '-').map(|c| c.to_ascii_uppercase()).collect();
    let is_ours = letters.len() == LETTERS && letters.bytes().all(|b| ALPHABET.contains(&b));
    // Any other text may be a password that somebody gave the repository with another tool.
    if is_ours { Key::new(grouped(&letters)) } else { Key::new(typed.trim()) }
}

fn letters() -> Result<String, BackupError> {
    let mut letters = String::with_capacity(LETTERS);
    while letters.len() < LETTERS {
        let mut bytes = [0_u8; 16];
        SystemRandom::new()
            .fill(&mut bytes)
            .map_err(|_| BackupError::NotAKey("The system gives no random numbers; this".to_owned()))?;
        // Bytes above the greatest multiple of 30 are thrown away, so that each letter is equally likely.
        let fair = bytes.into_iter().filter(|b| *b < 240);
        letters.extend(fair.map(|b| char::from(ALPHABET[usize::from(b) % ALPHABET.len()])));
    }
    letters.truncate(LETTERS);
    Ok(grouped(&letters))
}

fn grouped(letters: &str) -> String {
    let groups: Vec<&str> =
        (0..letters.len()).step_by(GROUP).filter_map(|at| letters.get(at..at + GROUP)).collect();
    groups.join("-")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn the_instances_key_is_made_once_and_for_us_alone() {
        let dir = tempfile::tempdir().unwrap();
        let key = instance_key(dir.path()).unwrap();
        assert_eq!(instance_key(dir.path()).unwrap(), key);
        let path = dir.path().join(FILE);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(instance_key(dir.path()), Err(BackupError::Io { .. })));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "").unwrap();
        assert!(matches!(instance_key(dir.path()), Err(BackupError::NotAKey(_))));
    }

    #[test]
    fn an_owners_key_may_be_typed_as_people_do() {
        let key = letters().unwrap();
        assert_eq!(key.len(), 47);
        let plain = key.replace('-', "");
        for typed in [key.clone(), key.to_lowercase(), key.replace('-', " "), plain, format!(" {key}\n")] {
            assert_eq!(owner_key(&typed).reveal(), key);
        }
        assert_eq!(owner_key(" my own Password \n").reveal(), "my own Password");
    }
}
