//! `takt keys`: shows address and API keys of a project.

use clap::Args;
use takt_server::AdminRequest;

use super::{Common, text};
use crate::out::Exit;

/// Show the address and the API keys of a project; they are made at the first start.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  takt keys --project examples/shop
  takt keys --json              {\"url\": ..., \"publishable_key\": ..., \"secret_key\": ...}

The publishable key may stand in web pages. The secret key sees everything and belongs on servers only.")]
pub(crate) struct Keys {}

impl Keys {
    pub(crate) fn run(self, common: &Common) -> Exit {
        let format = common.format();
        match common.ask(AdminRequest::Keys) {
            Ok(keys) => {
                let lines = format!(
                    "Address          {}\nPublishable key  {}\nSecret key       {}",
                    text(&keys, "url"),
                    text(&keys, "publishable_key"),
                    text(&keys, "secret_key"),
                );
                format.show(lines, &keys);
                Exit::Done
            }
            Err(why) => format.fail(why),
        }
    }
}
