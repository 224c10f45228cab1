//! What a backup should hold, written with it and compared whenever it is given back.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};
use takt_engine::{Examined, Thoroughness, examine};
use takt_model::{DefaultValue, Exposure, FieldType, Project};

use crate::{
    BackupError,
    content::{DATA, DATABASE, MANIFEST, in_data},
};

/// Of the manifest.
const VERSION: u32 = 1;
/// A manifest has some lines for each table.
const MOST_BYTES: u64 = 8 * 1024 * 1024;

/// What a backup should hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Of its form.
    pub version: u32,
    /// Version of the program that made it.
    pub takt: String,
    /// What people call the project.
    pub project: String,
    /// The moment of the database's copy: microseconds since 1970 UTC.
    pub at: i64,
    /// SHA-256 of the database file.
    pub database: String,
    /// Files beside the database and this manifest.
    pub files: u64,
    /// Bytes in them.
    pub file_bytes: u64,
    /// Whether the master key is in the backup; otherwise it came from the environment and has to be given there.
    pub master_key: bool,
    /// Every table of the database.
    pub tables: Vec<TableRows>,
}

/// A table as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableRows {
    /// Its name.
    pub name: String,
    /// Whether it is the project's, not one of the product's own.
    pub is_projects: bool,
    /// Its rows.
    pub rows: u64,
    /// The field that dates its rows, if it has one.
    pub dated_by: Option<String>,
    /// The newest: microseconds since 1970 UTC.
    pub newest: Option<i64>,
}

/// Which field dates the rows of each table: the first that is `now()` when nothing is said.
pub(crate) fn dated_by(project: &Project) -> Vec<(String, String)> {
    let field = |table: &takt_model::Table| {
        let is_date =
            |f: &&takt_model::Field| f.kind == FieldType::Timestamp && f.default == Some(DefaultValue::Now);
        table.fields.iter().find(is_date).map(|f| (table.name.clone(), f.name.clone()))
    };
    project.tables.iter().filter_map(field).collect()
}

impl Manifest {
    /// Of a copy that was looked at.
    pub(crate) fn of(project: &Project, at: i64, database: String, seen: Examined) -> Self {
        let dated = dated_by(project);
        let is_projects =
            |name: &str| project.tables.iter().any(|t| t.name == name && t.exposure == Exposure::Public);
        let tables = seen.tables.into_iter().map(|table| TableRows {
            is_projects: is_projects(&table.name),
            dated_by: dated.iter().find(|(name, _)| *name == table.name).map(|(_, field)| field.clone()),
            rows: table.rows,
            newest: table.newest,
            name: table.name,
        });
        Self {
            version: VERSION,
            takt: env!("CARGO_PKG_VERSION").to_owned(),
            project: project.settings.name.clone(),
            at,
            database,
            files: 0,
            file_bytes: 0,
            master_key: false,
            tables: tables.collect(),
        }
    }

    pub(crate) fn read(text: &[u8]) -> Result<Self, BackupError> {
        let manifest: Self = serde_json::from_slice(text)
            .map_err(|_| BackupError::Differs(format!("{MANIFEST} is not what Takt writes")))?;
        if manifest.version > VERSION {
            let what = format!("it was made by a later release ({}); use that one", manifest.takt);
            return Err(BackupError::Differs(what));
        }
        Ok(manifest)
    }

    /// Rows of all tables.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|t| t.rows).sum()
    }
}

/// Compares what was restored into `folder` with the manifest in it, and the database with both.
pub(crate) fn compare(folder: &Path) -> Result<(Manifest, Vec<TableRows>), BackupError> {
    let path = folder.join(MANIFEST);
    let mut text = Vec::new();
    File::open(&path)
        .and_then(|file| file.take(MOST_BYTES).read_to_end(&mut text))
        .map_err(|e| BackupError::io(&path, &e))?;
    let manifest = Manifest::read(&text)?;
    let database = in_data(folder, DATABASE);
    if hash_of(&database)? != manifest.database {
        return Err(BackupError::Differs("the database is not the one that was backed up".to_owned()));
    }
    let (files, bytes) = count(folder, folder)?;
    if (files, bytes) != (manifest.files, manifest.file_bytes) {
        return Err(BackupError::Differs(format!(
            "{files} files with {bytes} bytes instead of {} with {}",
            manifest.files, manifest.file_bytes
        )));
    }
    let dated: Vec<(String, String)> =
        manifest.tables.iter().filter_map(|t| Some((t.name.clone(), t.dated_by.clone()?))).collect();
    let seen = examine(&database, Thoroughness::Whole, &dated)?;
    if let Some(fault) = seen.faults.first() {
        return Err(BackupError::Differs(format!("the database is damaged: {fault}")));
    }
    let found: Vec<TableRows> = manifest
        .tables
        .iter()
        .map(|wanted| {
            let table = seen.tables.iter().find(|t| t.name == wanted.name);
            let (rows, newest) = table.map_or((0, None), |t| (t.rows, t.newest));
            TableRows { rows, newest, ..wanted.clone() }
        })
        .collect();
    if let Some((wanted, found)) = manifest.tables.iter().zip(&found).find(|(w, f)| w != f) {
        let what = format!("{} has {} rows instead of {}", wanted.name, found.rows, wanted.rows);
        return Err(BackupError::Differs(what));
    }
    if seen.broken_links > 0 {
        let what = format!("{} rows of the database point nowhere", seen.broken_links);
        return Err(BackupError::Differs(what));
    }
    Ok((manifest, found))
}

/// Files and bytes of a restored backup besides the database and the manifest.
fn count(root: &Path, folder: &Path) -> Result<(u64, u64), BackupError> {
    let told = |e: io::Error| BackupError::io(folder, &e);
    let (mut files, mut bytes) = (0, 0);
    for entry in std::fs::read_dir(folder).map_err(told)? {
        let path = entry.map_err(told)?.path();
        let meta = std::fs::symlink_metadata(&path).map_err(told)?;
        if meta.is_dir() {
            let below = count(root, &path)?;
            (files, bytes) = (files + below.0, bytes + below.1);
        } else if path != root.join(MANIFEST) && path != root.join(DATA).join(DATABASE) {
            (files, bytes) = (files + 1, bytes + meta.len());
        }
    }
    Ok((files, bytes))
}

/// SHA-256 of a file, in hexadecimal digits.
pub(crate) fn hash_of(path: &Path) -> Result<String, BackupError> {
    let told = |e: io::Error| BackupError::io(path, &e);
    let mut file = File::open(path).map_err(told)?;
    let (mut hash, mut part) = (Context::new(&SHA256), vec![0; 1 << 20]);
    loop {
        match file.read(&mut part).map_err(told)? {
            0 => break,
            bytes => hash.update(part.get(..bytes).unwrap_or_default()),
        }
    }
    Ok(hash.finish().as_ref().iter().map(|b| format!("{b:02x}")).collect())
}
