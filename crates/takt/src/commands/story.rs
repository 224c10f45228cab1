//! `takt story`: tells in plain words what an action did.

use clap::Args;
use takt_server::AdminRequest;

use super::{Common, Language, text};
use crate::out::Exit;

/// Tell in plain words what an action did: its steps, what changed, which rule allowed it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  takt story --last                        the newest one, in the language of the terminal
  takt story --last --function checkout --lang de
  takt story 0199b1c2-...                  the one that the header Takt-Story names")]
pub(crate) struct Story {
    /// Id of the story.
    #[arg(required_unless_present = "last", conflicts_with = "last")]
    id: Option<String>,
    /// The newest story.
    #[arg(long)]
    last: bool,
    /// Only stories of this function.
    #[arg(long, value_name = "NAME", requires = "last")]
    function: Option<String>,
    /// The language to tell it in.
    #[arg(long, value_name = "LANG")]
    lang: Option<Language>,
}

impl Story {
    pub(crate) fn run(self, common: &Common) -> Exit {
        let format = common.format();
        let language = Language::code(self.lang).to_owned();
        let request = match self.id {
            Some(id) => AdminRequest::Story { id, language },
            None => AdminRequest::StoryLast { function: self.function, language },
        };
        match common.ask(request) {
            Ok(answer) => {
                format.show(text(&answer, "text"), &answer);
                Exit::Done
            }
            Err(why) => format.fail(why),
        }
    }
}
