//! What is served, in fingerprints: project files, schema, binary, settings, and the commit of the folder.
//! Lives here: how they are taken. Not here: whether something changed (`Engine::record_start`).

use std::{
    fs::{self, File},
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use ring::digest::{Context, SHA256};
use takt_engine::Release;
use takt_model::{Project, ProjectFiles};

use crate::project_files::{inside, is_hidden, sorted_entries};

/// Files up to this size are fingerprinted whole, larger ones by samples: a start must not wait for gigabytes.
const WHOLE: u64 = 1024 * 1024;
/// How many samples are taken of a large file, and how large each is.
const SAMPLES: u64 = 64;
const SAMPLE: usize = 4096;

/// Everything that tells one start from another, except the clock.
pub(crate) fn release(
    project_dir: &Path,
    files: &ProjectFiles,
    project: &Project,
    at: i64,
    last_sign_of_life: Option<i64>,
) -> Release {
    Release {
        at,
        project: project_fingerprint(project_dir, files),
        schema: project.schema_fingerprint.clone(),
        binary: binary_fingerprint(),
        settings: settings_fingerprint(project),
        commit: commit(project_dir),
        not_serving_seconds: last_sign_of_life.map(|then| (at - then).max(0) / 1_000_000),
        came_back: false,
    }
}

fn project_fingerprint(project_dir: &Path, files: &ProjectFiles) -> String {
    let mut hash = Context::new(&SHA256);
    for (path, text) in &files.0 {
        add(&mut hash, path.as_bytes());
        add(&mut hash, text.as_bytes());
    }
    for folder in ["public", "seeds"] {
        add_folder(&mut hash, project_dir, &project_dir.join(folder), 0);
    }
    short(hash)
}

/// Adds name and content of every file; what cannot be read counts as empty.
fn add_folder(hash: &mut Context, root: &Path, folder: &Path, depth: usize) {
    for entry in sorted_entries(folder).unwrap_or_default() {
        if is_hidden(&entry) {
            continue;
        }
        let Ok(meta) = fs::symlink_metadata(&entry) else { continue };
        if meta.is_dir() {
            if depth < 12 {
                add_folder(hash, root, &entry, depth + 1);
            }
        } else {
            add(hash, inside(root, &entry).as_bytes());
            add(hash, file_digest(&entry).unwrap_or_default().as_bytes());
        }
    }
}

fn settings_fingerprint(project: &Project) -> String {
    let mut hash = Context::new(&SHA256);
    for (key, value, _) in &project.settings.origins {
        add(&mut hash, key.as_bytes());
        add(&mut hash, value.as_bytes());
    }
    short(hash)
}

/// `0.1.0-4f2a...`
fn binary_fingerprint() -> String {
    let digest = std::env::current_exe().ok().and_then(|path| file_digest(&path).ok());
    let digest = digest.unwrap_or_else(|| "unknown".to_owned());
    format!("{}-{digest}", env!("CARGO_PKG_VERSION"))
}

fn file_digest(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut hash = Context::new(&SHA256);
    hash.update(&length.to_le_bytes());
    if length <= WHOLE {
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
        file.read_to_end(&mut bytes)?;
        hash.update(&bytes);
    } else {
        let mut sample = [0; SAMPLE];
        for i in 0..SAMPLES {
            file.seek(SeekFrom::Start((length - SAMPLE as u64) * i / (SAMPLES - 1)))?;
            file.read_exact(&mut sample)?;
            hash.update(&sample);
        }
    }
    Ok(short(hash))
}

/// Lengths stand before contents, so that no two lists of files look alike.
fn add(hash: &mut Context, bytes: &[u8]) {
    hash.update(&(bytes.len() as u64).to_le_bytes());
    hash.update(bytes);
}

fn short(hash: Context) -> String {
    hex(hash.finish().as_ref().get(..16).unwrap_or_default())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut out = String::with_capacity(bytes.len() * 2);
    for b in bytes {
        for nibble in [b >> 4, b & 15] {
            out.push(char::from(DIGITS[usize::from(nibble)]));
        }
    }
    out
}

/// The commit that the folder, or a folder above it, has checked out. Read from git's own files, so that git need
/// not be installed.
pub(crate) fn commit(folder: &Path) -> Option<String> {
    let folder = folder.canonicalize().ok()?;
    let git = folder.ancestors().map(|f| f.join(".git")).find(|g| g.exists())?;
    let git = if git.is_dir() { git } else { linked_git(&git)? };
    let head = fs::read_to_string(git.join("HEAD")).ok()?;
    match head.trim().strip_prefix("ref: ") {
        None => commit_id(head.trim()),
        Some(name) => reference(&git, name),
    }
}

/// `.git` of a worktree is a file that names the folder.
fn linked_git(file: &Path) -> Option<PathBuf> {
    let text = fs::read_to_string(file).ok()?;
    let path = text.trim().strip_prefix("gitdir: ")?;
    Some(file.parent()?.join(path))
}

fn reference(git: &Path, name: &str) -> Option<String> {
    let common = fs::read_to_string(git.join("commondir")).ok().map(|t| git.join(t.trim()));
    let folders = [Some(git.to_owned()), common];
    for folder in folders.iter().flatten() {
        if let Some(id) = fs::read_to_string(folder.join(name)).ok().and_then(|t| commit_id(t.trim())) {
            return Some(id);
        }
        let packed = fs::read_to_string(folder.join("packed-refs")).unwrap_or_default();
        let line = packed.lines().find_map(|l| l.strip_suffix(name)?.strip_suffix(' '));
        if let Some(id) = line.and_then(commit_id) {
            return Some(id);
        }
    }
    None
}

fn commit_id(text: &str) -> Option<String> {
    let is_id = matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit());
    is_id.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef01234567";

    fn write(dir: &Path, path: &str, text: &str) {
        let path = dir.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn the_commit_is_found_wherever_git_writes_it() {
        for files in [
            &[(".git/HEAD", ID)][..],
            &[(".git/HEAD", "ref: refs/heads/main\n"), (".git/refs/heads/main", ID)],
            &[
                (".git/HEAD", "ref: refs/heads/main\n"),
                (".git/packed-refs", &format!("# x\n{ID} refs/heads/main\n")),
            ],
            &[
                (".git", "gitdir: main.git/worktrees/w\n"),
                ("main.git/worktrees/w/HEAD", "ref: refs/heads/w\n"),
                ("main.git/worktrees/w/commondir", "../..\n"),
                ("main.git/refs/heads/w", ID),
            ],
        ] {
            let dir = tempfile::tempdir().unwrap();
            for (path, text) in files {
                write(dir.path(), path, text);
            }
            fs::create_dir_all(dir.path().join("examples/shop")).unwrap();
            assert_eq!(commit(&dir.path().join("examples/shop")).as_deref(), Some(ID), "{files:?}");
        }
    }

    #[test]
    fn a_folder_without_git_has_no_commit() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), ".git/HEAD", "ref: refs/heads/unborn\n");
        assert_eq!(commit(dir.path()), None);
    }

    #[test]
    fn a_fingerprint_changes_with_every_file_and_only_then() {
        let dir = tempfile::tempdir().unwrap();
        let files = ProjectFiles::from([("takt.toml", "name = 'x'")]);
        let print = |files: &ProjectFiles| project_fingerprint(dir.path(), files);
        let before = print(&files);
        assert_eq!(before, print(&files));
        write(dir.path(), "public/index.html", "<p>");
        let with_page = print(&files);
        assert_ne!(before, with_page);
        write(dir.path(), "public/index.html", "<b>");
        assert_ne!(with_page, print(&files));
        assert_ne!(print(&files), print(&ProjectFiles::from([("takt.toml", "name = 'y'")])));
    }

    #[test]
    fn a_large_file_is_told_by_samples() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("big");
        let mut bytes = vec![7_u8; 3 * 1024 * 1024];
        fs::write(&path, &bytes).unwrap();
        let before = file_digest(&path).unwrap();
        *bytes.last_mut().unwrap() = 8;
        fs::write(&path, &bytes).unwrap();
        assert_ne!(before, file_digest(&path).unwrap());
    }
}
