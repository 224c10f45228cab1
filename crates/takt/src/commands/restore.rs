//! `takt restore`: gives a backup back.

use std::path::PathBuf;

use clap::{ArgGroup, Args};
use takt_server::RestoreRequest;

use super::{Common, Language, backup::KeyArgs, text};
use crate::out::Exit;

/// Give a backup back: into an empty folder, or over the data of a project that nobody serves.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("place").required(true).args(["to", "overwrite_data"])))]
#[command(after_help = "\
Examples:
  takt restore --to /srv/shop                      the newest, as a whole project folder that can be served
  takt restore 1a2b3c4d --to /tmp/look             a certain one
  takt restore --repository /mnt/backup --key-file key.txt --to /srv/shop     on a new machine
  takt restore --overwrite-data --project shop     put database and keys back; what is there now is kept

Everything is restored beside its place and compared with what was backed up first. A copy that is served sends what
was still to be sent when the backup was made: see the guide before serving one beside the original.")]
pub(crate) struct Restore {
    /// The beginning of a backup's id, as `takt snapshots` lists it; the newest if nothing is said.
    snapshot: Option<String>,
    /// An empty or new folder.
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
    /// Put database and keys over those of the project. Nobody may serve it. Its other files stay as they are.
    #[arg(long)]
    overwrite_data: bool,
    /// The repository's folder; the project's if nothing is said.
    #[arg(long, value_name = "DIR")]
    repository: Option<PathBuf>,
    #[command(flatten)]
    key: KeyArgs,
    /// The language to tell it in.
    #[arg(long, value_name = "LANG")]
    lang: Option<Language>,
}

impl Restore {
    pub(crate) fn run(self, common: &Common) -> Exit {
        let format = common.format();
        let key = match self.key.read() {
            Ok(key) => key,
            Err(why) => return format.fail(why),
        };
        let request = RestoreRequest {
            project: common.start_options(Vec::new()),
            repository: self.repository,
            key,
            snapshot: self.snapshot,
            to: self.to,
            language: Language::code(self.lang).to_owned(),
        };
        match takt_server::restore(&request) {
            Ok(answer) => {
                format.show(text(&answer, "text"), &answer);
                Exit::Done
            }
            Err(why) => format.fail(why),
        }
    }
}
