//! What goes into a snapshot: files from anywhere under the names that they shall have in it.
//! The library leaves out what cannot be read and goes on; [`Trouble`] remembers it, and the snapshot is refused.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs::{self, File},
    io::{self, Read},
    os::unix::fs::MetadataExt,
    path::{Component, Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use rustic_core::{
    ErrorKind, ReadSource, ReadSourceEntry, ReadSourceOpen, RusticError, RusticResult,
    jiff::Timestamp,
    repofile::{Metadata, Node, NodeType},
};

use crate::RepositoryError;

/// Go's bit for a folder, in which restic writes modes.
const GO_FOLDER: u32 = 1 << 31;

/// A file to be backed up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Item {
    /// Its name in the snapshot, relative, without `..`: `data/takt.db`.
    pub name: PathBuf,
    /// Where it stands now.
    pub from: PathBuf,
    /// Whether it (and the folder that holds it) is for its owner alone, whatever its mode is now.
    pub private: bool,
}

/// What went wrong while files were read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trouble(Arc<Mutex<Vec<String>>>);

impl Trouble {
    fn note(&self, what: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }

    /// The first thing, if any.
    pub(crate) fn first(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).first().cloned()
    }
}

/// Files and their folders in the order in which trees are written.
#[derive(Debug)]
pub(crate) struct Source {
    entries: Vec<Entry>,
}

#[derive(Debug, Clone)]
struct Entry {
    path: PathBuf,
    node: Node,
    open: Option<Opening>,
}

impl Source {
    /// Looks at every file; they are read later.
    pub(crate) fn of(mut items: Vec<Item>, trouble: &Trouble) -> Result<Self, RepositoryError> {
        items.sort();
        let mut folders = BTreeSet::new();
        let mut entries = Vec::with_capacity(items.len());
        for item in &items {
            if item.name.components().any(|c| !matches!(c, Component::Normal(_))) {
                return Err(RepositoryError::Incomplete(format!("{} is no name", item.name.display())));
            }
            let meta = fs::metadata(&item.from).map_err(|e| RepositoryError::io(&item.from, &e))?;
            let parents = item.name.ancestors().skip(1).filter(|p| !p.as_os_str().is_empty());
            for folder in parents {
                if folders.insert(folder.to_owned()) {
                    entries.push(folder_entry(folder, &meta, item.private));
                }
            }
            entries.push(file_entry(item, &meta, trouble));
        }
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Self { entries })
    }

    /// Each file with its size.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&Path, u64)> {
        let files = self.entries.iter().filter(|e| e.node.is_file());
        files.map(|e| (e.path.as_path(), e.node.meta.size))
    }
}

fn folder_entry(folder: &Path, meta: &fs::Metadata, private: bool) -> Entry {
    let mode = if private { 0o700 } else { 0o755 };
    let metadata = Metadata { mode: Some(GO_FOLDER | mode), size: 0, ..metadata(meta) };
    Entry { path: at_root(folder), node: Node::new_node(name(folder), NodeType::Dir, metadata), open: None }
}

fn file_entry(item: &Item, meta: &fs::Metadata, trouble: &Trouble) -> Entry {
    let mode = if item.private { 0o600 } else { meta.mode() & 0o777 };
    let metadata = Metadata { mode: Some(mode), ..metadata(meta) };
    let open = Opening { from: item.from.clone(), size: meta.len(), trouble: trouble.clone() };
    Entry {
        path: at_root(&item.name),
        node: Node::new_node(name(&item.name), NodeType::File, metadata),
        open: Some(open),
    }
}

fn name(path: &Path) -> &OsStr {
    path.file_name().unwrap_or_default()
}

fn at_root(path: &Path) -> PathBuf {
    Path::new("/").join(path)
}

fn metadata(meta: &fs::Metadata) -> Metadata {
    let time = |seconds: i64, nanoseconds: i64| {
        Timestamp::new(seconds, i32::try_from(nanoseconds).unwrap_or_default()).ok()
    };
    Metadata {
        mtime: time(meta.mtime(), meta.mtime_nsec()),
        ctime: time(meta.ctime(), meta.ctime_nsec()),
        atime: time(meta.mtime(), meta.mtime_nsec()),
        uid: Some(meta.uid()),
        gid: Some(meta.gid()),
        inode: meta.ino(),
        device_id: 0,
        size: meta.len(),
        links: 1,
        ..Metadata::default()
    }
}

impl ReadSource for Source {
    type Open = Opening;
    type Iter = std::vec::IntoIter<RusticResult<ReadSourceEntry<Opening>>>;

    fn size(&self) -> RusticResult<Option<u64>> {
        Ok(Some(self.files().map(|(_, size)| size).sum()))
    }

    fn entries(&self) -> Self::Iter {
        let entry = |e: &Entry| {
            Ok(ReadSourceEntry { path: e.path.clone(), node: e.node.clone(), open: e.open.clone() })
        };
        self.entries.iter().map(entry).collect::<Vec<_>>().into_iter()
    }
}

/// A file that will be read.
#[derive(Debug, Clone)]
pub(crate) struct Opening {
    from: PathBuf,
    size: u64,
    trouble: Trouble,
}

impl ReadSourceOpen for Opening {
    type Reader = Watched;

    fn open(self) -> RusticResult<Watched> {
        let Self { from, size, trouble } = self;
        match File::open(&from) {
            Ok(file) => Ok(Watched { file, from, size, read: 0, trouble }),
            Err(error) => {
                trouble.note(format!("{} cannot be read: {error}", from.display()));
                Err(RusticError::with_source(ErrorKind::InputOutput, "a file cannot be opened", error))
            }
        }
    }
}

/// Reads a file and notices if it ends elsewhere than it should.
#[derive(Debug)]
pub(crate) struct Watched {
    file: File,
    from: PathBuf,
    size: u64,
    read: u64,
    trouble: Trouble,
}

impl Read for Watched {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.file.read(into) {
            Ok(0) => {
                if self.read != self.size && !into.is_empty() {
                    self.trouble.note(format!("{} changed while it was read", self.from.display()));
                }
                Ok(0)
            }
            Ok(bytes) => {
                self.read += bytes as u64;
                Ok(bytes)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => {
                self.trouble.note(format!("{} cannot be read: {error}", self.from.display()));
                Err(error)
            }
        }
    }
}
