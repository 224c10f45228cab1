//! A repository: made, opened with a key, written to, listed, thinned out.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustic_core::{
    BackupOptions, ConfigOptions, Credentials, KeyOptions, OpenStatus, PruneOptions, Repository as Rustic,
    RepositoryBackends, RepositoryOptions, SnapshotOptions,
    jiff::{Timestamp, tz::TimeZone},
    repofile::{KeyFile, KeyId, SnapshotFile},
};

use zeroize::Zeroizing;

use crate::{
    Item, RepositoryError,
    archive::{Source, Trouble},
    check::damaged,
    error::contained,
    folder::Folder,
    restore::nodes,
};

/// Marks our snapshots; others in the same repository are left alone.
const LABEL: &str = "takt";
/// Marks one that has not been compared with what was to be in it.
const UNPROVEN: &str = "takt-unproven";
/// A file of packed data: restic's own default. The library's is twice that, and is held in memory.
const PACK_SIZE: &str = "16MiB";

/// A text that opens a repository; not printed, and wiped from memory when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(Zeroizing<String>);

impl Key {
    /// From its text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself, to be shown once or written to its file.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(***)")
    }
}

/// Whose a key is; stands readable in the repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyHolder {
    /// The instance that makes the backups.
    Instance,
    /// The owner, outside of the machine.
    Owner,
}

impl KeyHolder {
    fn name(self) -> &'static str {
        match self {
            Self::Instance => "takt-instance",
            Self::Owner => "takt-owner",
        }
    }
}

/// An opened repository. It holds no lock: whoever uses it sees to it that nobody else thins it out meanwhile.
pub struct Repository {
    folder: PathBuf,
    opened: Rustic<OpenStatus>,
    used: Option<KeyId>,
}

impl fmt::Debug for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Repository({})", self.folder.display())
    }
}

/// A backup in a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// 64 hexadecimal digits.
    pub id: String,
    /// When it was made: microseconds since 1970 UTC.
    pub at: i64,
    /// Of which machine.
    pub host: String,
    /// Bytes of its files.
    pub bytes: u64,
    /// Files in it.
    pub files: u64,
    /// Bytes that it added to the repository, packed.
    pub added: u64,
}

/// A backup that was just made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// It.
    pub snapshot: Snapshot,
    /// Files that were the same as in the backup before, so that they were not read.
    pub unchanged: u64,
}

fn backends(folder: &Path) -> RepositoryBackends {
    RepositoryBackends::new(Arc::new(Folder::new(folder)), None)
}

fn bare(folder: &Path) -> Result<Rustic<()>, RepositoryError> {
    // No cache: it would stand in the home folder of whoever runs us, and hide damage of what it remembers.
    Ok(Rustic::new(&RepositoryOptions::default().no_cache(true), &backends(folder))?)
}

impl Repository {
    /// Whether there is a repository in `folder`.
    #[must_use]
    pub fn is_there(folder: &Path) -> bool {
        Folder::new(folder).is_made()
    }

    /// Makes a repository that `key` opens. `folder` may exist if it is empty or holds none.
    ///
    /// # Errors
    /// See [`RepositoryError`].
    pub fn make(folder: &Path, key: &Key) -> Result<Self, RepositoryError> {
        if Self::is_there(folder) {
            return Err(RepositoryError::Exists(folder.display().to_string()));
        }
        contained(|| {
            let mut config = ConfigOptions::default();
            config.set_datapack_size = PACK_SIZE.parse().ok();
            let opened = bare(folder)?.init(
                &Credentials::password(key.reveal()),
                &key_options(KeyHolder::Instance),
                &config,
            )?;
            let used = *opened.key_id();
            Ok(Self { folder: folder.to_owned(), opened, used })
        })
    }

    /// Opens the repository in `folder`.
    ///
    /// # Errors
    /// [`RepositoryError::Missing`], [`RepositoryError::WrongKey`], [`RepositoryError::Damaged`].
    pub fn open(folder: &Path, key: &Key) -> Result<Self, RepositoryError> {
        if !Self::is_there(folder) {
            return Err(RepositoryError::Missing(folder.display().to_string()));
        }
        contained(|| {
            let opened = bare(folder)?.open(&Credentials::password(key.reveal())).map_err(|error| {
                if error.is_incorrect_password() { RepositoryError::WrongKey } else { damaged(error) }
            })?;
            let used = *opened.key_id();
            Ok(Self { folder: folder.to_owned(), opened, used })
        })
    }

    /// Where it is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Another handle of the library, to be given an index of what is in the repository.
    pub(crate) fn another(&self) -> Result<Rustic<OpenStatus>, RepositoryError> {
        bare(&self.folder)?.open(&Credentials::Masterkey(self.opened.key())).map_err(damaged)
    }

    /// Writes a snapshot of `items`, dated `at` (microseconds since 1970 UTC), and reads back what is in it. It counts
    /// as a backup only after that.
    ///
    /// # Errors
    /// [`RepositoryError::Incomplete`] if a file could not be read or changed meanwhile: no backup is listed then.
    pub fn back_up(&self, items: Vec<Item>, at: i64) -> Result<Made, RepositoryError> {
        contained(|| {
            self.tidy()?;
            let trouble = Trouble::default();
            let source = Source::of(items, &trouble)?;
            let wanted: BTreeMap<PathBuf, u64> =
                source.files().map(|(p, size)| (p.to_owned(), size)).collect();
            let indexed = self.another()?.to_indexed_ids().map_err(damaged)?;
            let mut options = BackupOptions::default().no_scan(true);
            options.parent_opts.group_by = "host,paths".parse().ok();
            let mut written = indexed.archive(&options, &source, new_snapshot(at)?, &[PathBuf::from("/")])?;
            let fault = match trouble.first() {
                Some(what) => Some(what),
                None => self.what_is_missing(&written, &wanted)?,
            };
            let unproven = written.id;
            if fault.is_none() {
                LABEL.clone_into(&mut written.label);
                self.opened.save_snapshots(vec![written.clone()])?;
            }
            self.opened.delete_snapshots(&[unproven])?;
            match fault {
                Some(what) => Err(RepositoryError::Incomplete(what)),
                None => self.made(&written),
            }
        })
    }

    /// Finds the snapshot that was just saved: its name is known only to the library.
    fn made(&self, written: &SnapshotFile) -> Result<Made, RepositoryError> {
        let all = self.opened.get_all_snapshots().map_err(damaged)?;
        let same = |s: &&SnapshotFile| s.label == LABEL && s.tree == written.tree && s.time == written.time;
        let Some(saved) = all.iter().find(same) else {
            return Err(RepositoryError::Damaged("the backup is not in the list of backups".to_owned()));
        };
        let unchanged = written.summary.as_ref().map_or(0, |s| s.files_unmodified);
        Ok(Made { snapshot: told(saved), unchanged })
    }

    /// Removes what a process that was killed has left behind.
    fn tidy(&self) -> Result<(), RepositoryError> {
        Folder::new(&self.folder).tidy().map_err(|e| RepositoryError::io(&self.folder, &e))?;
        let all = self.opened.get_all_snapshots().map_err(damaged)?;
        let left: Vec<_> = all.iter().filter(|s| s.label == UNPROVEN).map(|s| s.id).collect();
        if left.is_empty() { Ok(()) } else { Ok(self.opened.delete_snapshots(&left)?) }
    }

    /// Compares a snapshot with what was to be in it: names, sizes, and whether every piece is in the index.
    fn what_is_missing(
        &self,
        written: &SnapshotFile,
        wanted: &BTreeMap<PathBuf, u64>,
    ) -> Result<Option<String>, RepositoryError> {
        let indexed = self.another()?.to_indexed().map_err(damaged)?;
        let mut left = wanted.clone();
        for (path, node) in nodes(&indexed, written)?.into_iter().filter(|(_, node)| node.is_file()) {
            let mut bytes = 0;
            for piece in node.content.iter().flatten() {
                bytes += u64::from(indexed.get_index_entry(piece).map_err(damaged)?.data_length());
            }
            let path = Path::new("/").join(path);
            if left.remove(&path) != Some(bytes) {
                return Ok(Some(format!("{} was not written as it is", path.display())));
            }
        }
        Ok(left.keys().next().map(|path| format!("{} is missing", path.display())))
    }

    /// All backups of ours, newest first.
    ///
    /// # Errors
    /// See [`RepositoryError`].
    pub fn snapshots(&self) -> Result<Vec<Snapshot>, RepositoryError> {
        contained(|| {
            let all = self.opened.get_all_snapshots().map_err(damaged)?;
            let mut ours: Vec<Snapshot> = all.iter().filter(|s| s.label == LABEL).map(told).collect();
            ours.sort_by(|a, b| (b.at, &b.id).cmp(&(a.at, &a.id)));
            Ok(ours)
        })
    }

    /// Forgets backups, and gives back the space of what only they needed: marked now, deleted by a later call at the
    /// earliest a day after, so that whoever reads meanwhile finds it.
    ///
    /// # Errors
    /// See [`RepositoryError`].
    pub fn forget(&self, ids: &[String]) -> Result<(), RepositoryError> {
        contained(|| {
            let files = self.opened.get_snapshots(ids).map_err(damaged)?;
            let ids: Vec<_> = files.iter().map(|file| file.id).collect();
            self.opened.delete_snapshots(&ids)?;
            let options = PruneOptions::default();
            let plan = self.opened.prune_plan(&options)?;
            Ok(self.opened.prune(&options, plan)?)
        })
    }

    /// Lets another key open it too.
    ///
    /// # Errors
    /// See [`RepositoryError`].
    pub fn add_key(&self, key: &Key, holder: KeyHolder) -> Result<(), RepositoryError> {
        contained(|| {
            self.opened.add_key(key.reveal(), &key_options(holder))?;
            Ok(())
        })
    }

    /// As [`Repository::add_key`], and takes earlier keys of the same holder back. The new one comes first, so that there
    /// is no moment without any.
    ///
    /// # Errors
    /// See [`RepositoryError`].
    pub fn replace_key(&self, key: &Key, holder: KeyHolder) -> Result<(), RepositoryError> {
        contained(|| {
            let before = self.key_files()?;
            self.opened.add_key(key.reveal(), &key_options(holder))?;
            for (id, file) in before {
                if file.username.as_deref() == Some(holder.name()) && Some(id) != self.used {
                    self.opened.delete_key(&id)?;
                }
            }
            Ok(())
        })
    }

    /// Whether `holder` has a key to it.
    ///
    /// # Errors
    /// See [`RepositoryError`].
    pub fn has_key_of(&self, holder: KeyHolder) -> Result<bool, RepositoryError> {
        let files = contained(|| self.key_files())?;
        Ok(files.iter().any(|(_, file)| file.username.as_deref() == Some(holder.name())))
    }

    /// Whether the key that opened it is one of `holder`.
    ///
    /// # Errors
    /// See [`RepositoryError`].
    pub fn is_opened_by(&self, holder: KeyHolder) -> Result<bool, RepositoryError> {
        let files = contained(|| self.key_files())?;
        let used = files.iter().find(|(id, _)| Some(*id) == self.used);
        Ok(used.is_some_and(|(_, file)| file.username.as_deref() == Some(holder.name())))
    }

    fn key_files(&self) -> Result<Vec<(KeyId, KeyFile)>, RepositoryError> {
        let ids: Vec<KeyId> = self.opened.list::<KeyId>()?.collect();
        ids.into_iter().map(|id| Ok((id, self.opened.get_file::<KeyFile>(&id).map_err(damaged)?))).collect()
    }
}

fn key_options(holder: KeyHolder) -> KeyOptions {
    KeyOptions::default().username(holder.name().to_owned()).with_created(true)
}

fn new_snapshot(at: i64) -> Result<SnapshotFile, RepositoryError> {
    let time = Timestamp::from_microsecond(at)
        .map_err(|_| RepositoryError::Failed("the clock is wrong".to_owned()))?
        .to_zoned(TimeZone::UTC);
    let options = SnapshotOptions::default()
        .label(UNPROVEN.to_owned())
        .time(time)
        // The command line may hold what is nobody's business.
        .command("takt backup".to_owned());
    Ok(SnapshotFile::from_options(&options)?)
}

fn told(file: &SnapshotFile) -> Snapshot {
    let summary = file.summary.as_ref();
    Snapshot {
        id: file.id.to_hex().to_string(),
        at: file.time.timestamp().as_microsecond(),
        host: file.hostname.clone(),
        bytes: summary.map_or(0, |s| s.total_bytes_processed),
        files: summary.map_or(0, |s| s.total_files_processed),
        added: summary.map_or(0, |s| s.data_added_packed),
    }
}
