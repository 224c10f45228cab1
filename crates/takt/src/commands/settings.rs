//! `takt settings`: prints each setting, its value, and where it came from.

use clap::Args;
use takt_server::settings;

use super::{Common, layers};
use crate::out::Exit;

/// Print each setting with its value and where it came from: default, project, environment or flag.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  takt settings --project examples/shop
  TAKT_LIMITS_MAX_ROWS=50 takt settings --json")]
pub(crate) struct Settings {}

impl Settings {
    pub(crate) fn run(self, common: &Common) -> Exit {
        let format = common.format();
        let settings = match settings(&common.project, &layers(Vec::new())) {
            Ok(settings) => settings,
            Err(error) => return format.fail(error),
        };
        let lines: Vec<_> = settings
            .iter()
            .map(|s| format!("{:<30} {:<30} {}", s.key, s.value, format!("{:?}", s.origin).to_lowercase()))
            .collect();
        format.show(lines.join("\n"), &serde_json::json!(settings));
        Exit::Done
    }
}
