//! A repository in a local folder, as restic lays it out. Ours, because what counts here is what a power cut leaves:
//! a file appears under its name only when all of it is on disk, and the name is on disk before the write is done.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use bytes::Bytes;
use rustic_core::{
    ALL_FILE_TYPES, BytesList, ErrorKind, FileType, Id, ReadBackend, RusticError, RusticResult, WriteBackend,
};

/// What a file is called until it is whole; no id looks like this.
const UNFINISHED: &str = ".unfinished";

/// The folder.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    path: PathBuf,
}

impl Folder {
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Whether a repository has been made here.
    pub(crate) fn is_made(&self) -> bool {
        self.path.join("config").is_file()
    }

    /// Where a file of the repository stands.
    pub(crate) fn path_of(&self, kind: FileType, id: &Id) -> PathBuf {
        let name = id.to_hex();
        match kind {
            FileType::Config => self.path.join("config"),
            FileType::Pack => self.path.join("data").join(name.get(..2).unwrap_or_default()).join(&*name),
            _ => self.path.join(kind.dirname()).join(&*name),
        }
    }

    /// All files of one kind with their sizes. What is not called like one (a file that was not finished) is none.
    pub(crate) fn files(&self, kind: FileType) -> io::Result<Vec<(Id, u64)>> {
        if kind == FileType::Config {
            return Ok(match fs::metadata(self.path.join("config")) {
                Ok(meta) => vec![(Id::default(), meta.len())],
                Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
                Err(error) => return Err(error),
            });
        }
        let mut found = Vec::new();
        let folder = self.path.join(kind.dirname());
        if kind == FileType::Pack {
            for entry in listing(&folder)? {
                if entry.file_type()?.is_dir() {
                    files_in(&entry.path(), &mut found)?;
                }
            }
        } else {
            files_in(&folder, &mut found)?;
        }
        Ok(found)
    }

    /// Removes what an earlier process did not finish. Only whoever holds the repository may ask for it.
    pub(crate) fn tidy(&self) -> io::Result<()> {
        for kind in ALL_FILE_TYPES {
            let folder = self.path.join(kind.dirname());
            for entry in listing(&folder)? {
                if kind == FileType::Pack && entry.file_type()?.is_dir() {
                    for inner in listing(&entry.path())? {
                        remove_unfinished(&inner)?;
                    }
                } else {
                    remove_unfinished(&entry)?;
                }
            }
        }
        Ok(())
    }

    fn write_whole(&self, path: &Path, content: BytesList) -> io::Result<()> {
        make_folder(path.parent().unwrap_or(&self.path))?;
        write_whole(path, content.slice().iter().map(AsRef::as_ref))
    }
}

/// Writes a file that only its owner may read, whole and on disk, or not at all.
///
/// # Errors
/// The system's; nothing of it is left then.
pub fn write_whole<'p>(path: &Path, parts: impl IntoIterator<Item = &'p [u8]>) -> io::Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(UNFINISHED);
    let unfinished = PathBuf::from(unfinished);
    let written = File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&unfinished)
        .and_then(|mut file| {
            parts.into_iter().try_for_each(|part| file.write_all(part))?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&unfinished, path))
        .and_then(|()| File::open(folder)?.sync_all());
    if written.is_err() {
        let _gone = fs::remove_file(&unfinished);
    }
    written
}

fn remove_unfinished(entry: &fs::DirEntry) -> io::Result<()> {
    if entry.file_name().to_string_lossy().ends_with(UNFINISHED) {
        fs::remove_file(entry.path())
    } else {
        Ok(())
    }
}

fn listing(folder: &Path) -> io::Result<Vec<fs::DirEntry>> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn files_in(folder: &Path, found: &mut Vec<(Id, u64)>) -> io::Result<()> {
    for entry in listing(folder)? {
        if let Ok(id) = entry.file_name().to_string_lossy().parse::<Id>()
            && entry.file_type()?.is_file()
        {
            found.push((id, entry.metadata()?.len()));
        }
    }
    Ok(())
}

/// Makes a folder for us alone, and sees to it that its name is on disk.
fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    match folder.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => Ok(()),
    }
}

fn refused(path: &Path, error: io::Error) -> Box<RusticError> {
    let guidance = format!("{}: {error}", path.display());
    RusticError::with_source(ErrorKind::Backend, guidance, error)
}

impl ReadBackend for Folder {
    fn location(&self) -> String {
        self.path.display().to_string()
    }

    fn list_with_size(&self, kind: FileType) -> RusticResult<Vec<(Id, u32)>> {
        let files = self.files(kind).map_err(|e| refused(&self.path, e))?;
        // No file of a repository is larger than four gigabytes; one that is will not be what its name says.
        Ok(files.into_iter().map(|(id, size)| (id, u32::try_from(size).unwrap_or(u32::MAX))).collect())
    }

    fn read_full(&self, kind: FileType, id: &Id) -> RusticResult<Bytes> {
        let path = self.path_of(kind, id);
        fs::read(&path).map(Bytes::from).map_err(|e| refused(&path, e))
    }

    fn read_partial(
        &self,
        kind: FileType,
        id: &Id,
        _cacheable: bool,
        offset: u32,
        length: u32,
    ) -> RusticResult<Bytes> {
        let path = self.path_of(kind, id);
        let read = || -> io::Result<Vec<u8>> {
            let mut file = File::open(&path)?;
            let size = file.metadata()?.len();
            // Before the memory is taken: an index that is wrong must not cost four gigabytes.
            if u64::from(offset) + u64::from(length) > size {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file is too short"));
            }
            file.seek(SeekFrom::Start(offset.into()))?;
            let mut part = Vec::new();
            file.take(length.into()).read_to_end(&mut part)?;
            if part.len() as u64 == u64::from(length) {
                Ok(part)
            } else {
                Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file is too short"))
            }
        };
        read().map(Bytes::from).map_err(|e| refused(&path, e))
    }

    fn warmup_path(&self, kind: FileType, id: &Id) -> String {
        self.path_of(kind, id).display().to_string()
    }
}

impl WriteBackend for Folder {
    fn create(&self) -> RusticResult<()> {
        let make = || -> io::Result<()> {
            make_folder(&self.path)?;
            // Nobody should commit a repository that lies beside a project.
            fs::write(self.path.join(".gitignore"), "# A backup, made by takt.\n*\n")?;
            // `locks` is for restic, which expects the folder.
            for name in ["keys", "snapshots", "index", "data", "locks"] {
                make_folder(&self.path.join(name))?;
            }
            Ok(())
        };
        make().map_err(|e| refused(&self.path, e))
    }

    fn write_bytes(&self, kind: FileType, id: &Id, _cacheable: bool, content: BytesList) -> RusticResult<()> {
        let path = self.path_of(kind, id);
        self.write_whole(&path, content).map_err(|e| refused(&path, e))
    }

    fn remove(&self, kind: FileType, id: &Id, _cacheable: bool) -> RusticResult<()> {
        let path = self.path_of(kind, id);
        fs::remove_file(&path).map_err(|e| refused(&path, e))
    }
}
