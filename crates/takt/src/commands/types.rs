//! `takt types`: writes the declarations that an editor needs for `logic/`.

use std::{fs, path::PathBuf};

use clap::Args;
use serde_json::json;
use takt_server::types;

use super::{Common, layers};
use crate::out::Exit;

const FILE: &str = "logic/takt.d.ts";

/// Write logic/takt.d.ts: what functions are given, with the tables of schema/, for editors.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  takt types                    the current folder
  takt types examples/shop
  then: export default async function ({ db }: Takt.Context, input) { ... }

Write it anew after changing schema/. It changes nothing that is served.")]
pub(crate) struct Types {
    /// The project folder.
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

impl Types {
    pub(crate) fn run(self, common: Common) -> Exit {
        let common = common.with_folder(self.folder);
        let format = common.format();
        let text = match types(&common.project, &layers(Vec::new())) {
            Ok(text) => text,
            Err(error) => return format.fail(error),
        };
        let path = common.project.join(FILE);
        let written = fs::create_dir_all(common.project.join("logic")).and_then(|()| fs::write(&path, text));
        if let Err(error) = written {
            return format.fail(format!("{} cannot be written: {error}.", path.display()));
        }
        format.show(format!("{} is written.", path.display()), &json!({ "file": path }));
        Exit::Done
    }
}
