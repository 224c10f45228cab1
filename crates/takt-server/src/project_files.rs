//! Reads the text files of a project folder, with limits, into [`ProjectFiles`].
//! Lives here: which files count, how many, how large. Not here: what stands in them (`takt-model`).

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use takt_model::{Problem, ProjectFiles, Severity, Source};

/// A project with more text files than this is a mistake (a `node_modules` inside `logic/`, for example).
const MOST_FILES: usize = 4_000;
/// No text file of a project is larger.
const MOST_BYTES_OF_ONE: u64 = 1024 * 1024;
/// All text files together.
const MOST_BYTES: u64 = 32 * 1024 * 1024;
/// Folders inside folders.
const MOST_DEPTH: usize = 12;

/// Why a project folder could not be read; each is a plain sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// There is no such folder.
    #[error("The folder {0} does not exist.")]
    NoFolder(PathBuf),
    /// It is a file.
    #[error("{0} is not a folder.")]
    NotAFolder(PathBuf),
    /// No `takt.toml` in it.
    #[error("{0} has no takt.toml, so it is no project folder. `takt new NAME` makes one.")]
    NoProject(PathBuf),
    /// The machine refuses.
    #[error("{path} cannot be read: {reason}.")]
    Unreadable {
        /// Which file or folder.
        path: PathBuf,
        /// The system's words.
        reason: String,
    },
    /// More files, or more bytes, than a project may have.
    #[error("{0} holds too many files for a project (more than {MOST_FILES} files or {MOST_BYTES} bytes).")]
    TooMany(PathBuf),
}

impl ReadError {
    fn io(path: &Path, error: &std::io::Error) -> Self {
        Self::Unreadable { path: path.to_owned(), reason: plain_reason(error) }
    }
}

/// A system error in a few plain words.
pub(crate) fn plain_reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        std::io::ErrorKind::NotFound => "it does not exist".to_owned(),
        std::io::ErrorKind::AddrInUse => "the address is in use".to_owned(),
        std::io::ErrorKind::StorageFull => "the disk is full".to_owned(),
        std::io::ErrorKind::ReadOnlyFilesystem => "the disk is read-only".to_owned(),
        _ => error.to_string(),
    }
}

/// The folders of a project with the endings that count there, and whether their folders are read too.
const FOLDERS: [(&str, &[&str], Depth); 6] = [
    ("schema", &["toml"], Depth::Flat),
    ("logic", &["ts", "js"], Depth::Deep),
    ("flows", &["ts", "js"], Depth::Deep),
    ("interfaces", &["toml"], Depth::Flat),
    ("contracts", &["json"], Depth::Deep),
    ("mails", &["html", "txt", "toml"], Depth::Flat),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Depth {
    Flat,
    Deep,
}

/// Reads the project in `folder`, and tells which of its files are no text, too large, or cannot be read: the others are
/// read nevertheless, so that all problems show together.
///
/// # Errors
/// See [`ReadError`]; what stands in the files is not judged here.
pub fn read_project(folder: &Path) -> Result<(ProjectFiles, Vec<Problem>), ReadError> {
    match fs::metadata(folder) {
        Ok(meta) if meta.is_dir() => {}
        Ok(_) => return Err(ReadError::NotAFolder(folder.to_owned())),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            return Err(ReadError::NoFolder(folder.to_owned()));
        }
        Err(e) => return Err(ReadError::io(folder, &e)),
    }
    let mut reader = Reader { folder, files: BTreeMap::new(), bytes: 0, problems: Vec::new() };
    let settings = folder.join("takt.toml");
    if !settings.exists() {
        return Err(ReadError::NoProject(folder.to_owned()));
    }
    reader.whole(&settings)?;
    for (name, endings, depth) in FOLDERS {
        reader.folder(&folder.join(name), endings, depth, 0)?;
    }
    reader.seeds(&folder.join("seeds"))?;
    Ok((ProjectFiles(reader.files), reader.problems))
}

struct Reader<'a> {
    folder: &'a Path,
    files: BTreeMap<String, String>,
    bytes: u64,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn folder(&mut self, path: &Path, endings: &[&str], depth: Depth, level: usize) -> Result<(), ReadError> {
        for entry in sorted_entries(path)? {
            if is_hidden(&entry) {
                continue;
            }
            // `metadata` of the entry itself: a linked folder could lead in circles and is left alone.
            let kind = fs::symlink_metadata(&entry).map_err(|e| ReadError::io(&entry, &e))?;
            if kind.is_dir() {
                if depth == Depth::Deep && level < MOST_DEPTH {
                    self.folder(&entry, endings, depth, level + 1)?;
                }
            } else if has_ending(&entry, endings) {
                self.whole(&entry)?;
            }
        }
        Ok(())
    }

    fn whole(&mut self, path: &Path) -> Result<(), ReadError> {
        let read = fs::metadata(path).and_then(|meta| {
            if meta.len() > MOST_BYTES_OF_ONE { Ok(Err(meta.len())) } else { fs::read(path).map(Ok) }
        });
        match read {
            Ok(Ok(bytes)) => return self.keep(path, bytes),
            Ok(Err(bytes)) => {
                let message =
                    format!("it has {bytes} bytes; a file of a project may have {MOST_BYTES_OF_ONE}");
                self.wrong(path, 1, message);
            }
            Err(error) => self.wrong(path, 1, format!("it cannot be read: {}", plain_reason(&error))),
        }
        Ok(())
    }

    fn wrong(&mut self, path: &Path, line: u32, message: String) {
        let source = Source { file: inside(self.folder, path), line };
        self.problems.push(Problem { source, column: None, severity: Severity::Error, message, help: None });
    }

    /// Of seeds only the header line is part of the project; the rows are read in `seeds/read.rs`.
    fn seeds(&mut self, path: &Path) -> Result<(), ReadError> {
        for entry in sorted_entries(path)? {
            if is_hidden(&entry) || !has_ending(&entry, &["csv"]) {
                continue;
            }
            let mut line = Vec::new();
            let read = fs::File::open(&entry)
                .and_then(|file| BufReader::new(file.take(64 * 1024)).read_until(b'\n', &mut line));
            match read {
                Ok(_) => self.keep(&entry, line)?,
                Err(error) => self.wrong(&entry, 1, format!("it cannot be read: {}", plain_reason(&error))),
            }
        }
        Ok(())
    }

    fn keep(&mut self, path: &Path, bytes: Vec<u8>) -> Result<(), ReadError> {
        self.bytes += bytes.len() as u64;
        if self.files.len() >= MOST_FILES || self.bytes > MOST_BYTES {
            return Err(ReadError::TooMany(self.folder.to_owned()));
        }
        let (text, no_text) = as_text(bytes);
        if let Some(line) = no_text {
            self.wrong(path, line, NO_TEXT.to_owned());
        }
        self.files.insert(inside(self.folder, path), text);
        Ok(())
    }
}

/// What is said of a line that is no text.
pub(crate) const NO_TEXT: &str = "this line is not UTF-8 text";

/// The text of a file, and the first line (from 1) that is none; what cannot be read there is replaced.
pub(crate) fn as_text(bytes: Vec<u8>) -> (String, Option<u32>) {
    String::from_utf8(bytes).map_or_else(
        |error| {
            let good = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
            let line = 1 + good.iter().filter(|b| **b == b'\n').count();
            let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
            (text, Some(u32::try_from(line).unwrap_or(u32::MAX)))
        },
        |text| (text, None),
    )
}

/// The path inside the project, with `/`.
pub(crate) fn inside(folder: &Path, path: &Path) -> String {
    let relative = path.strip_prefix(folder).unwrap_or(path);
    let parts: Vec<_> = relative.components().map(|c| c.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}

/// What a folder holds, by name; nothing if it does not exist.
pub(crate) fn sorted_entries(folder: &Path) -> Result<Vec<PathBuf>, ReadError> {
    let listing = match fs::read_dir(folder) {
        Ok(listing) => listing,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(ReadError::io(folder, &e)),
    };
    let mut entries = Vec::new();
    for entry in listing {
        entries.push(entry.map_err(|e| ReadError::io(folder, &e))?.path());
        if entries.len() > MOST_FILES {
            return Err(ReadError::TooMany(folder.to_owned()));
        }
    }
    entries.sort();
    Ok(entries)
}

pub(crate) fn is_hidden(path: &Path) -> bool {
    path.file_name().is_none_or(|n| n.to_string_lossy().starts_with('.'))
}

fn has_ending(path: &Path, endings: &[&str]) -> bool {
    path.extension().is_some_and(|e| endings.iter().any(|x| e == *x))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (path, bytes) in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        dir
    }

    #[test]
    fn only_files_of_a_project_are_read_and_of_seeds_only_the_header() {
        let dir = folder(&[
            ("takt.toml", b"name = 'x'"),
            ("schema/a.toml", b"a"),
            ("schema/deeper/b.toml", b"not read"),
            ("schema/.hidden.toml", b"not read"),
            ("schema/readme.md", b"not read"),
            ("contracts/erp/sale.json", b"{}"),
            ("logic/one.ts", b"1"),
            ("logic/parts/two.js", b"2"),
            ("seeds/a.csv", b"id,name\n1,x\n"),
            ("public/index.html", b"not read"),
            ("data/takt.db", b"\xff\xfe not read"),
        ]);
        let (files, problems) = read_project(dir.path()).unwrap();
        assert!(problems.is_empty());
        let got: Vec<_> = files.0.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(
            got,
            [
                ("contracts/erp/sale.json", "{}"),
                ("logic/one.ts", "1"),
                ("logic/parts/two.js", "2"),
                ("schema/a.toml", "a"),
                ("seeds/a.csv", "id,name\n"),
                ("takt.toml", "name = 'x'"),
            ]
        );
    }

    #[test]
    fn what_cannot_be_read_is_said_in_one_plain_sentence() {
        let dir = folder(&[("file", b""), ("q/readme", b"")]);
        let error = |path: &str| {
            let text = read_project(&dir.path().join(path)).unwrap_err().to_string();
            text.replace(&dir.path().display().to_string(), "DIR")
        };
        assert_eq!(error("none"), "The folder DIR/none does not exist.");
        assert_eq!(error("file"), "DIR/file is not a folder.");
        assert_eq!(
            error("q"),
            "DIR/q has no takt.toml, so it is no project folder. `takt new NAME` makes one."
        );
    }

    #[test]
    fn a_file_that_is_no_text_or_too_large_is_told_beside_the_others() {
        let dir = folder(&[
            ("takt.toml", b""),
            ("logic/big.js", &vec![b'x'; 1024 * 1024 + 1]),
            ("schema/a.toml", b"one\ntwo \xff\nthree"),
            ("schema/b.toml", b"b"),
        ]);
        let (files, problems) = read_project(dir.path()).unwrap();
        let told: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "schema/a.toml:2: error: this line is not UTF-8 text",
                "logic/big.js:1: error: it has 1048577 bytes; a file of a project may have 1048576",
            ]
        );
        assert!(files.0.contains_key("schema/b.toml") && !files.0.contains_key("logic/big.js"));
    }
}
