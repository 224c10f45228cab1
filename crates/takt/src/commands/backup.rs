//! `takt backup`, `takt snapshots`, `takt drill`: make backups, list them, try them.

use std::{io::Read as _, path::PathBuf, time::Duration};

use clap::{Args, Subcommand};
use serde_json::Value as Json;
use takt_server::{AdminRequest, BackupRequest, ask, snapshots_of};

use super::{Common, Language, text};
use crate::out::{Exit, Format};

/// How often a running server is asked whether it is done.
const EVERY: Duration = Duration::from_millis(200);
/// The owner's key.
const VARIABLE: &str = "TAKT_OWNER_KEY";
/// No key is longer.
const MOST_BYTES: u64 = 4_096;

/// Make a backup now: rows, files, settings and keys, encrypted, while the server goes on.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  takt backup                  make one now
  takt backup owner-key        give the owner a key of their own; it is shown once
  takt snapshots               list them
  takt drill                   restore the newest as a trial and compare it
  takt restore --to DIR        give one back

Backups are kept in restic's format, at the place that `[backup] repository` names in takt.toml.")]
pub(crate) struct Backup {
    #[command(subcommand)]
    verb: Option<Verb>,
    /// The language to tell it in.
    #[arg(long, global = true, value_name = "LANG")]
    lang: Option<Language>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Give the owner a key to all backups. An earlier one no longer opens them.
    OwnerKey,
}

/// List the backups, newest first.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  takt snapshots
  takt snapshots --repository /mnt/backup --key-file key.txt     without a project")]
pub(crate) struct Snapshots {
    /// A repository's folder; the project's if nothing is said.
    #[arg(long, value_name = "DIR")]
    repository: Option<PathBuf>,
    #[command(flatten)]
    key: KeyArgs,
    /// The language to tell it in.
    #[arg(long, value_name = "LANG")]
    lang: Option<Language>,
}

/// Restore a backup as a trial, into a scratch place: compare it, open it, time it. Nothing live is touched.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  takt drill                       the newest
  takt drill 1a2b3c4d              a certain one, as `takt snapshots` lists it
  takt drill --key-file key.txt    with the owner's key, to see that it fits

Exit code 3 if the backup does not pass.")]
pub(crate) struct Drill {
    /// The beginning of a backup's id.
    snapshot: Option<String>,
    #[command(flatten)]
    key: KeyArgs,
    /// The language to tell it in.
    #[arg(long, value_name = "LANG")]
    lang: Option<Language>,
}

/// The owner's key; never a word of the command line, which others can see.
#[derive(Debug, Args)]
pub(super) struct KeyArgs {
    /// File with the owner's key, `-` for standard input; else TAKT_OWNER_KEY, else the machine's own key.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
}

impl KeyArgs {
    pub(super) fn read(&self) -> Result<Option<String>, String> {
        let Some(path) = &self.key_file else {
            return Ok(std::env::var(VARIABLE).ok().filter(|key| !key.trim().is_empty()));
        };
        let mut key = String::new();
        let read = if path.as_os_str() == "-" {
            std::io::stdin().take(MOST_BYTES).read_to_string(&mut key)
        } else {
            std::fs::File::open(path).and_then(|file| file.take(MOST_BYTES).read_to_string(&mut key))
        };
        read.map_err(|e| format!("The key cannot be read from {}: {e}.", path.display()))?;
        Ok(Some(key))
    }
}

impl Backup {
    pub(crate) fn run(self, common: &Common) -> Exit {
        let (format, language) = (common.format(), Language::code(self.lang).to_owned());
        let done = match self.verb {
            None => common.work(|wait| BackupRequest::Run { wait, language: language.clone() }),
            Some(Verb::OwnerKey) => {
                common.ask_as(None, AdminRequest::Backup(BackupRequest::OwnerKey { language }))
            }
        };
        shown(format, done)
    }
}

impl Snapshots {
    pub(crate) fn run(self, common: &Common) -> Exit {
        let (format, language) = (common.format(), Language::code(self.lang).to_owned());
        let done = match &self.repository {
            None => common.ask(AdminRequest::Backup(BackupRequest::Snapshots { language })),
            Some(folder) => self.key.read().and_then(|key| {
                let options = common.start_options(Vec::new());
                snapshots_of(&options, folder, key.as_deref(), &language).map_err(|e| e.to_string())
            }),
        };
        shown(format, done)
    }
}

impl Drill {
    pub(crate) fn run(self, common: &Common) -> Exit {
        let (format, language) = (common.format(), Language::code(self.lang).to_owned());
        let key = match self.key.read() {
            Ok(key) => key,
            Err(why) => return format.fail(why),
        };
        let done = common.work(|wait| BackupRequest::Drill {
            snapshot: self.snapshot.clone(),
            key: key.clone(),
            wait,
            language: language.clone(),
        });
        let failed = done.as_ref().is_ok_and(|d| !d["drill"]["fault"].is_null());
        match shown(format, done) {
            Exit::Done if failed => Exit::Findings,
            exit => exit,
        }
    }
}

fn shown(format: Format, done: Result<Json, String>) -> Exit {
    match done {
        Ok(answer) => {
            format.show(text(&answer, "text"), &answer);
            Exit::Done
        }
        Err(why) => format.fail(why),
    }
}

impl Common {
    /// Has something done that may take long: by the server that runs, which is asked until it is done, or here.
    fn work(&self, request: impl Fn(bool) -> BackupRequest) -> Result<Json, String> {
        let data_dir = self.start_options(Vec::new()).data_dir();
        let named = |request| AdminRequest::By {
            by: self.name(),
            reason: None,
            request: Box::new(AdminRequest::Backup(request)),
        };
        let Some(begun) = ask(&data_dir, &named(request(false))).map_err(|e| e.to_string())? else {
            return self.ask_as(None, AdminRequest::Backup(request(true)));
        };
        let work = begun["work"].as_u64().unwrap_or_default();
        loop {
            std::thread::sleep(EVERY);
            let asked = ask(&data_dir, &named(BackupRequest::Result { work })).map_err(|e| e.to_string())?;
            match asked {
                Some(answer) if answer["running"] == true => {}
                Some(answer) => return Ok(answer),
                None => return Err("The server ended before it was done.".to_owned()),
            }
        }
    }
}
