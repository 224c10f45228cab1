//! `takt jobs`: what the clock sets off, what waits, what has failed.

use clap::{Args, Subcommand};
use takt_server::{AdminRequest, JobsRequest};

use super::{Common, Language, text};
use crate::out::Exit;

/// See the project's jobs: when they run, how they ended, what waits; run, cancel, retry.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  takt jobs list                     next and last runs, delayed jobs that wait or have stopped
  takt jobs run stock_report         run it now
  takt jobs cancel 0199b1c2-...      a delayed job shall not be done
  takt jobs retry 0199b1c2-...       a delayed job that has stopped (or waits) shall be done now

`run` and `retry` need a running server: it does the work within a second.")]
pub(crate) struct JobsCommand {
    #[command(subcommand)]
    verb: Verb,
    /// Language of the answer; as the terminal if nothing is said.
    #[arg(long, global = true, value_enum, value_name = "LANG")]
    lang: Option<Language>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List jobs.
    List,
    /// Run a job now.
    Run {
        /// Name of the function.
        function: String,
    },
    /// Say that a delayed job shall not be done.
    Cancel {
        /// Id of the delayed job.
        id: String,
    },
    /// Do a delayed job now, also one that was refused, has failed or was cancelled.
    Retry {
        /// Id of the delayed job.
        id: String,
    },
}

impl JobsCommand {
    pub(crate) fn run(self, common: &Common) -> Exit {
        let format = common.format();
        let language = Language::code(self.lang).to_owned();
        let request = match self.verb {
            Verb::List => JobsRequest::List { language },
            Verb::Run { function } => JobsRequest::Run { function, language },
            Verb::Cancel { id } => JobsRequest::Cancel { id, language },
            Verb::Retry { id } => JobsRequest::Retry { id, language },
        };
        match common.ask_as(None, AdminRequest::Jobs(request)) {
            Ok(answer) => {
                format.show(text(&answer, "text"), &answer);
                Exit::Done
            }
            Err(why) => format.fail(why),
        }
    }
}
