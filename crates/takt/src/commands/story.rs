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
  takt story 0199b1c2-...                  the one that the header Takt-Story names
  takt story B-2026-00012                  the one that wrote this order (of the newest 10,000)
  takt story --last --depth 0              in one sentence
  takt story 0199d4e5-...                  of a delivery: its attempts, and what it waits for
  takt story B-2026-00012 --reason \"question about the delivery address\" --by Ada
                                           with personal values; written to the audit")]
pub(crate) struct Story {
    /// Id of a story, a delivery or a delayed job, or the number of an order that was written.
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
    /// How much to tell: 0 one sentence, 1 the steps, 2 with changed fields and rules, 3 with technical details.
    #[arg(long, value_name = "0-3", default_value_t = 3, value_parser = clap::value_parser!(u8).range(0..=3))]
    depth: u8,
    /// Show personal values, for this reason: a few words. Who looks, and why, is written to the audit.
    #[arg(long, value_name = "WHY")]
    reason: Option<String>,
}

impl Story {
    pub(crate) fn run(self, common: &Common) -> Exit {
        let format = common.format();
        let language = Language::code(self.lang).to_owned();
        let name = common.name();
        if self.reason.is_some() && matches!(name.as_str(), "" | "root") {
            // Whoever looks at personal values is a person.
            return format.fail(match language.as_str() {
                "de" => "Bitte sagen Sie, wer nachsieht: --by NAME.",
                _ => "Say who looks: --by NAME.",
            });
        }
        let request = match self.id {
            Some(id) => AdminRequest::Story { id, language, depth: self.depth },
            None => AdminRequest::StoryLast { function: self.function, language, depth: self.depth },
        };
        match common.ask_as(self.reason, request) {
            Ok(answer) => {
                format.show(text(&answer, "text"), &answer);
                Exit::Done
            }
            Err(why) => format.fail(why),
        }
    }
}
