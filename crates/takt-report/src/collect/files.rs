//! Facts from the project folder: what lies in `public/`, and names of files.

use std::{fs, io::Read, path::Path};

use crate::evidence::{Fact, FrontFacts};

/// Files that are looked at; more make the answer incomplete.
const FILES: u64 = 5_000;
/// Bytes of a file that are searched for keys.
const BYTES: u64 = 2_000_000;

/// Names and endings that have no business in a public folder.
const CONFIDENTIAL_NAMES: [&str; 12] = [
    ".env",
    ".git",
    ".svn",
    ".hg",
    ".htpasswd",
    ".npmrc",
    "takt.toml",
    "master.key",
    "id_rsa",
    "id_ed25519",
    ".ds_store",
    "docker-compose.yml",
];
const CONFIDENTIAL_ENDINGS: [&str; 13] = [
    ".sql", ".sqlite", ".sqlite3", ".db", ".dump", ".bak", ".old", ".orig", ".pem", ".key", ".p12", ".swp",
    ".log",
];

/// Looks through the public folder. A folder that is not there has nothing to hide.
pub(super) fn front(public: &Path, secret_key: &str) -> Fact<FrontFacts> {
    let mut facts = FrontFacts { complete: true, ..FrontFacts::default() };
    if public.is_dir() {
        walk(public, public, secret_key, &mut facts)?;
    }
    Ok(facts)
}

fn walk(root: &Path, folder: &Path, secret_key: &str, facts: &mut FrontFacts) -> Fact<()> {
    let entries = fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut paths: Vec<_> = entries.filter_map(Result::ok).map(|e| e.path()).collect();
    paths.sort();
    for path in paths {
        let shown = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        let name = path.file_name().map(|n| n.to_string_lossy().to_lowercase()).unwrap_or_default();
        if is_confidential(&name) {
            facts.confidential.push(shown);
            continue;
        }
        // A link is followed by nobody here: it could lead out of the folder or in circles.
        let kind = fs::symlink_metadata(&path).map_err(|e| format!("{shown}: {e}"))?.file_type();
        if kind.is_dir() {
            walk(root, &path, secret_key, facts)?;
        } else if kind.is_file() {
            if facts.files >= FILES {
                facts.complete = false;
                return Ok(());
            }
            facts.files += 1;
            if let Some(kind) = secret_in(&path, secret_key)? {
                facts.secrets.push((shown, kind.to_owned()));
            }
        }
    }
    Ok(())
}

fn is_confidential(name: &str) -> bool {
    CONFIDENTIAL_NAMES.contains(&name)
        || name.starts_with(".env.")
        || name.ends_with('~')
        || CONFIDENTIAL_ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// The kind of key that a text file holds, if it holds one.
fn secret_in(path: &Path, secret_key: &str) -> Fact<Option<&'static str>> {
    const TEXTS: [&str; 12] =
        ["html", "htm", "js", "mjs", "ts", "css", "json", "map", "xml", "txt", "md", "svg"];
    let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    if !TEXTS.contains(&ending.as_str()) {
        return Ok(None);
    }
    let file = fs::File::open(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let mut bytes = Vec::new();
    file.take(BYTES).read_to_end(&mut bytes).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(kind_of_secret(&String::from_utf8_lossy(&bytes), secret_key))
}

fn kind_of_secret(text: &str, secret_key: &str) -> Option<&'static str> {
    if !secret_key.is_empty() && text.contains(secret_key) {
        return Some("secret key of this instance");
    }
    // A mark counts only with something key-like after it: documentation may name the prefix.
    let marks = [
        ("sb_secret_", 16, "secret key (sb_secret_)"),
        ("sk_live_", 16, "payment key (sk_live_)"),
        ("whsec_", 16, "webhook key (whsec_)"),
        ("ghp_", 30, "access token (ghp_)"),
        ("AKIA", 16, "cloud key (AKIA)"),
    ];
    for (mark, at_least, kind) in marks {
        let long = |rest: &str| {
            rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count() >= at_least
        };
        if text.match_indices(mark).any(|(at, _)| text.get(at + mark.len()..).is_some_and(long)) {
            return Some(kind);
        }
    }
    let private = text.match_indices("-----BEGIN ").any(|(at, _)| {
        text.get(at..).and_then(|t| t.lines().next()).is_some_and(|line| line.contains("PRIVATE KEY-----"))
    });
    private.then_some("private key")
}

/// Names of the files in a folder; none if there is no such folder.
pub(super) fn names(folder: &Path) -> Fact<Vec<String>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut names: Vec<String> = entries
        .filter_map(Result::ok)
        .filter(|e| e.path().is_file())
        .map(|e| e.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_and_prefixes_alone_are_not() {
        for (text, found) in [
            ("const key = 'sb_secret_aaaaaaaaaaaaaaaaaaaa';", true),
            ("Keys begin with sb_secret_.", false),
            ("const key = 'sb_publishable_aaaaaaaaaaaaaaaaaaaa';", false),
            ("-----BEGIN EC PRIVATE KEY-----", true),
            ("-----BEGIN PUBLIC KEY-----", false),
            ("mine-and-only-mine", true),
            ("", false),
        ] {
            assert_eq!(kind_of_secret(text, "mine-and-only-mine").is_some(), found, "{text}");
        }
        assert_eq!(kind_of_secret("anything", ""), None, "an empty key is in no file");
    }

    #[test]
    fn confidential_files_are_known_by_name() {
        for name in [".env", ".env.local", ".git", "shop.sql", "data.sqlite", "server.key", "index.html~"] {
            assert!(is_confidential(name), "{name}");
        }
        for name in ["index.html", "keyboard.js", "environment.js", "database.svg"] {
            assert!(!is_confidential(name), "{name}");
        }
    }
}
