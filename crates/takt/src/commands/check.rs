//! `takt check`: says what is wrong with a project.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use takt_server::{CheckReport, check};

use super::{Common, layers};
use crate::out::{Exit, Format, print};

/// Read a project and report every problem with file and line; nothing is changed.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  takt check                    the current folder
  takt check examples/shop
  takt check --json             {\"problems\": [...], \"errors\": 0, \"warnings\": 0, ...}

Exit codes: 0 nothing found, 1 the folder cannot be read, 3 problems found.")]
pub(crate) struct Check {
    /// The project folder.
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

impl Check {
    pub(crate) fn run(self, common: Common) -> Exit {
        let common = common.with_folder(self.folder);
        let format = common.format();
        let report = match check(&common.project, &layers(Vec::new())) {
            Ok(report) => report,
            Err(error) => return format.fail(error),
        };
        match format {
            Format::Text => print(for_people(&report)),
            Format::Json => print(json!({
                "problems": report.problems,
                "errors": report.errors(),
                "warnings": report.warnings(),
                "tables": report.tables,
                "functions": report.functions,
            })),
        }
        if report.problems.is_empty() { Exit::Done } else { Exit::Findings }
    }
}

fn for_people(report: &CheckReport) -> String {
    let (tables, functions) = (count(report.tables, "table"), count(report.functions, "function"));
    let found = match (report.errors(), report.warnings()) {
        (0, 0) => "no problems".to_owned(),
        (0, warnings) => count(warnings, "warning"),
        (errors, 0) => count(errors, "error"),
        (errors, warnings) => format!("{}, {}", count(errors, "error"), count(warnings, "warning")),
    };
    format!("{report}{tables}, {functions}: {found}.")
}

fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}
