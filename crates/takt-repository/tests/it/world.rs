//! What the tests share: files to back up, a key, a repository.

use std::{
    fs,
    path::{Path, PathBuf},
};

use takt_repository::{Item, Key, Made, Repository};

/// 2026-11-27 02:30 UTC.
pub(crate) const NIGHT: i64 = 1_795_746_600_000_000;

pub(crate) struct World {
    dir: tempfile::TempDir,
}

impl World {
    /// Three files: one private and large enough for several pieces, one small, one empty.
    pub(crate) fn new() -> Self {
        let world = Self { dir: tempfile::tempdir().unwrap() };
        world.write("takt.db", &noise(7, 3_000_000));
        world.write("takt.toml", b"name = \"Tea\"\n");
        world.write("empty.css", b"");
        world
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: &[u8]) {
        let path = self.path(&format!("files/{name}"));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) fn items(&self) -> Vec<Item> {
        let item = |name: &str, from: &str, private| Item {
            name: name.into(),
            from: self.path(&format!("files/{from}")),
            private,
        };
        vec![
            item("takt.toml", "takt.toml", false),
            item("public/css/empty.css", "empty.css", false),
            item("data/takt.db", "takt.db", true),
        ]
    }

    pub(crate) fn repository(&self) -> PathBuf {
        self.path("repository")
    }

    pub(crate) fn made(&self) -> (Repository, Made) {
        let repository = Repository::make(&self.repository(), &key()).unwrap();
        let made = repository.back_up(self.items(), NIGHT).unwrap();
        (repository, made)
    }

    pub(crate) fn empty(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(&path).unwrap();
        path
    }

    /// Whether `folder` holds the three files as they are.
    pub(crate) fn assert_all_in(&self, folder: &Path) {
        for item in self.items() {
            let (there, here) = (fs::read(folder.join(&item.name)), fs::read(&item.from));
            assert!(there.unwrap() == here.unwrap(), "{}", item.name.display());
        }
    }
}

pub(crate) fn key() -> Key {
    Key::new("correct horse battery staple")
}

/// Bytes that compress badly, the same for the same seed.
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..length).map(|_| next()).collect()
}

/// All files of a repository.
pub(crate) fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files_in(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}
