//! Giving a snapshot back, file by file and with every error told: the library's own restore ends in panics when a
//! piece is damaged.

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Component, Path, PathBuf},
    time::{Duration, UNIX_EPOCH},
};

use rustic_core::{
    IndexedFullStatus, LsOptions, Repository as Rustic,
    repofile::{Node, NodeType, SnapshotFile},
};

use crate::{RepositoryError, Snapshot, check::damaged, error::contained, repository::Repository};

/// What was given back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Restored {
    /// Files.
    pub files: u64,
    /// Bytes in them.
    pub bytes: u64,
}

impl Repository {
    /// Writes a snapshot's files into `into`, which must be an empty folder. Every piece is authenticated before it is
    /// written; after an error the folder holds what was written until then, and is worth nothing.
    ///
    /// # Errors
    /// See [`RepositoryError`].
    pub fn restore(&self, snapshot: &Snapshot, into: &Path) -> Result<Restored, RepositoryError> {
        contained(|| {
            let indexed = self.another()?.to_indexed().map_err(damaged)?;
            let file = snapshot_file(&indexed, snapshot)?;
            let mut restored = Restored::default();
            let mut folders = Vec::new();
            for (path, node) in nodes(&indexed, &file)? {
                let target = into.join(&path);
                match node.node_type {
                    NodeType::Dir => {
                        make_folder(&target)?;
                        folders.push((target, node));
                    }
                    NodeType::File => {
                        restored.bytes += write_file(&indexed, &node, &target)?;
                        restored.files += 1;
                    }
                    // We write none; whoever did wants them back by another tool.
                    _ => tracing::warn!(path = %path.display(), "neither file nor folder: not restored"),
                }
            }
            // Inner folders first; a folder that may not be written to is closed only when all is in it.
            for (target, node) in folders.iter().rev() {
                set_mode(target, node, 0o755)?;
            }
            Ok(restored)
        })
    }
}

pub(crate) fn snapshot_file(
    repository: &Rustic<IndexedFullStatus>,
    snapshot: &Snapshot,
) -> Result<SnapshotFile, RepositoryError> {
    let found = repository.get_snapshots(std::slice::from_ref(&snapshot.id)).map_err(damaged)?;
    found.into_iter().next().ok_or_else(|| RepositoryError::UnknownSnapshot(snapshot.id.clone()))
}

/// All files and folders of a snapshot, folders before what is in them. A name that leads out of the folder is damage.
pub(crate) fn nodes(
    repository: &Rustic<IndexedFullStatus>,
    snapshot: &SnapshotFile,
) -> Result<Vec<(PathBuf, Node)>, RepositoryError> {
    let root = repository.node_from_snapshot_and_path(snapshot, "").map_err(damaged)?;
    let mut all = Vec::new();
    for entry in repository.ls(&root, &LsOptions::default()).map_err(damaged)? {
        let (path, node) = entry.map_err(damaged)?;
        if path.components().any(|c| !matches!(c, Component::Normal(_))) {
            let what = format!("the name {} leads elsewhere", path.display());
            return Err(RepositoryError::Damaged(what));
        }
        all.push((path, node));
    }
    Ok(all)
}

fn make_folder(path: &Path) -> Result<(), RepositoryError> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|e| RepositoryError::io(path, &e))
}

fn write_file(
    repository: &Rustic<IndexedFullStatus>,
    node: &Node,
    target: &Path,
) -> Result<u64, RepositoryError> {
    let told = |e: std::io::Error| RepositoryError::io(target, &e);
    let file = File::options().write(true).create_new(true).mode(0o600).open(target).map_err(told)?;
    let mut writer = BufWriter::with_capacity(1 << 20, file);
    repository.dump(node, &mut writer).map_err(damaged)?;
    writer.flush().map_err(told)?;
    let file = writer.into_inner().map_err(|e| told(e.into_error()))?;
    let bytes = file.metadata().map_err(told)?.len();
    if bytes != node.meta.size {
        let what = format!("{} has {bytes} bytes instead of {}", target.display(), node.meta.size);
        return Err(RepositoryError::Damaged(what));
    }
    let mtime = node.meta.mtime.and_then(|t| u64::try_from(t.as_microsecond()).ok());
    if let Some(at) = mtime.and_then(|t| UNIX_EPOCH.checked_add(Duration::from_micros(t))) {
        file.set_modified(at).map_err(told)?;
    }
    set_mode(target, node, 0o644)?;
    file.sync_all().map_err(told)?;
    Ok(bytes)
}

fn set_mode(path: &Path, node: &Node, otherwise: u32) -> Result<(), RepositoryError> {
    // The owner can always reach what was restored.
    let mode = node.meta.mode.unwrap_or(otherwise) & 0o777 | if node.is_dir() { 0o700 } else { 0o400 };
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(|e| RepositoryError::io(path, &e))
}
