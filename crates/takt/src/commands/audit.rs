//! `takt audit`: who looked at what and decided what.

use clap::{Args, Subcommand};
use takt_server::AdminRequest;

use super::{Common, Language, text};
use crate::out::Exit;

/// See who looked at what and decided what, when, from where and why.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  takt audit list                                    the newest rows
  takt audit list --act story                        looks at stories
  takt audit list --act story.reveal,delivery.reveal  only looks at personal values, with their reasons
  takt audit list --about \"delivery 0199b1c2-...\"    everything about one delivery
  takt audit list --since 2026-11-26T00:00:00Z --limit 1000 --json

Rows are only added; they are forgotten after `logic.audit`.")]
pub(crate) struct AuditCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List rows, newest first.
    List {
        /// Of these acts, or of all that begin with one: story, delivery, connection, job, secret; several with commas.
        #[arg(long = "act", value_name = "ACTS", value_delimiter = ',')]
        acts: Vec<String>,
        /// About one thing: 'story ID', 'delivery ID', 'connection NAME'.
        #[arg(long, value_name = "THING")]
        about: Option<String>,
        /// At or after: 2026-11-26T09:00:00Z
        #[arg(long, value_name = "MOMENT")]
        since: Option<String>,
        /// At most so many, up to 1000.
        #[arg(long, default_value_t = 50)]
        limit: u64,
        /// The language to tell it in.
        #[arg(long, value_name = "LANG")]
        lang: Option<Language>,
    },
}

impl AuditCommand {
    pub(crate) fn run(self, common: &Common) -> Exit {
        let format = common.format();
        let Verb::List { acts, about, since, limit, lang } = self.verb;
        let language = Language::code(lang).to_owned();
        let request = AdminRequest::AuditList { acts, subject: about, since, limit, language };
        match common.ask_as(None, request) {
            Ok(answer) => {
                format.show(text(&answer, "text"), &answer["audit"]);
                Exit::Done
            }
            Err(why) => format.fail(why),
        }
    }
}
