//! What belongs into a backup: the database's copy, the keys, and the project folder, so that what comes back can be
//! served as it is: `takt.toml`, `schema/...`, `data/takt.db`, `data/master.key`.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use takt_repository::Item;

use crate::{BackupError, key};

/// The folders of a project.
const FOLDERS: [&str; 8] =
    ["schema", "logic", "flows", "interfaces", "contracts", "mails", "public", "seeds"];
/// Files of the data folder besides the database.
const KEYS: [&str; 2] = [MASTER_KEY, key::FILE];
/// The key under which secrets in the database are sealed.
pub(crate) const MASTER_KEY: &str = "master.key";
/// The data folder's name in a backup, wherever it is on the machine.
pub(crate) const DATA: &str = "data";
/// The database.
pub(crate) const DATABASE: &str = "takt.db";
/// What was written with the backup.
pub(crate) const MANIFEST: &str = "data/backup.json";
/// A project with more files than this is a mistake.
const MOST_FILES: usize = 200_000;
const MOST_DEPTH: usize = 64;

/// The project's files and the keys; with the database's copy and the manifest they are a backup.
pub(crate) fn items(project_dir: &Path, data_dir: &Path) -> Result<Vec<Item>, BackupError> {
    let mut items = Vec::new();
    for entry in listing(project_dir)? {
        let path = entry.path();
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        if !hidden && fs::metadata(&path).is_ok_and(|meta| meta.is_file()) {
            items.push(Item { name: entry.file_name().into(), from: path, private: false });
        }
    }
    for name in FOLDERS {
        below(&project_dir.join(name), Path::new(name), 0, &mut items)?;
    }
    for name in KEYS {
        let from = data_dir.join(name);
        if from.is_file() {
            items.push(Item { name: Path::new(DATA).join(name), from, private: true });
        }
    }
    Ok(items)
}

/// All files of a folder. Folders that are links are left alone: they lead elsewhere, or in circles.
fn below(folder: &Path, name: &Path, depth: usize, items: &mut Vec<Item>) -> Result<(), BackupError> {
    for entry in listing(folder)? {
        let (path, name) = (entry.path(), name.join(entry.file_name()));
        let kind = entry.file_type().map_err(|e| BackupError::io(&path, &e))?;
        if kind.is_dir() && depth < MOST_DEPTH {
            below(&path, &name, depth + 1, items)?;
        } else if fs::metadata(&path).is_ok_and(|meta| meta.is_file()) {
            items.push(Item { name, from: path, private: false });
        } else {
            tracing::warn!(path = %path.display(), "not backed up: neither a file nor a folder of the project");
        }
        if items.len() > MOST_FILES {
            let reason = format!("more than {MOST_FILES} files are no project");
            return Err(BackupError::Io { path: folder.display().to_string(), reason });
        }
    }
    Ok(())
}

/// By name; nothing if it does not exist.
fn listing(folder: &Path) -> Result<Vec<fs::DirEntry>, BackupError> {
    let told = |e: io::Error| BackupError::io(folder, &e);
    let mut entries: Vec<fs::DirEntry> = match fs::read_dir(folder) {
        Ok(entries) => entries.collect::<Result<_, _>>().map_err(told)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(told(error)),
    };
    entries.sort_by_key(fs::DirEntry::file_name);
    Ok(entries)
}

/// Bytes of all of them.
pub(crate) fn bytes_of(items: &[Item]) -> u64 {
    items.iter().filter_map(|item| fs::metadata(&item.from).ok()).map(|meta| meta.len()).sum()
}

/// Where an item of a backup stands below the folder it was restored into.
pub(crate) fn in_data(folder: &Path, name: &str) -> PathBuf {
    folder.join(DATA).join(name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_project_and_its_keys_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        for name in [
            "takt.toml",
            "README.md",
            ".env",
            ".git/config",
            "schema/orders.toml",
            "public/.well-known/security.txt",
            "public/css/shop.css",
            "node_modules/x/y.js",
            "data/takt.db",
            "data/takt.db-wal",
            "data/master.key",
            "data/backup.key",
            "data-backups/config",
            "seeds/products.csv",
        ] {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        }
        std::os::unix::fs::symlink("/etc", dir.path().join("public/elsewhere")).unwrap();
        let mut names: Vec<_> = items(dir.path(), &dir.path().join("data"))
            .unwrap()
            .into_iter()
            .map(|item| (item.name.display().to_string(), item.private))
            .collect();
        names.sort();
        assert_eq!(
            names,
            [
                ("README.md", false),
                ("data/backup.key", true),
                ("data/master.key", true),
                ("public/.well-known/security.txt", false),
                ("public/css/shop.css", false),
                ("schema/orders.toml", false),
                ("seeds/products.csv", false),
                ("takt.toml", false),
            ]
            .map(|(name, private)| (name.to_owned(), private))
        );
    }
}
