//! `takt new`: writes a project folder.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use serde_json::json;

use super::Common;
use crate::out::Exit;

/// Write a new project folder.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  takt new guestbook                     one table, one action, one page
  takt new tea-house --template shop     a whole shop, to change and to learn from")]
pub(crate) struct New {
    /// Folder to make; its last part is the project's name.
    #[arg(value_name = "NAME")]
    folder: PathBuf,
    /// What to begin with.
    #[arg(long, value_enum, default_value_t = Template::Empty)]
    template: Template,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Template {
    /// One table, one action, one page.
    Empty,
    /// A shop for tea and teaware in German and English.
    Shop,
}

type File = (&'static str, &'static [u8]);

/// Made by `build.rs` from `examples/shop`.
const SHOP: &[File] = include!(concat!(env!("OUT_DIR"), "/shop.rs"));

const EMPTY: &[File] = &[
    ("takt.toml", include_bytes!("../../templates/empty/takt.toml")),
    ("README.md", include_bytes!("../../templates/empty/README.md")),
    ("schema/messages.toml", include_bytes!("../../templates/empty/schema/messages.toml")),
    ("logic/leave_message.ts", include_bytes!("../../templates/empty/logic/leave_message.ts")),
    ("public/index.html", include_bytes!("../../templates/empty/public/index.html")),
    ("public/app.js", include_bytes!("../../templates/empty/public/app.js")),
    ("public/icon.svg", include_bytes!("../../templates/empty/public/icon.svg")),
    ("public/app.css", include_bytes!("../../templates/empty/public/app.css")),
];

/// Stands in the empty template where the project's name goes.
const NAME: &str = "@NAME@";

const GITIGNORE: File = (".gitignore", b"/data/\n/data-backups/\n");

impl New {
    pub(crate) fn run(self, common: &Common) -> Exit {
        let format = common.format();
        match self.write() {
            Ok(files) => {
                let folder = self.folder.display();
                let text =
                    format!("{folder} is ready ({files} files). Serve it with:\n\n  takt serve {folder}");
                format.show(text, &json!({ "project": self.folder, "files": files }));
                Exit::Done
            }
            Err(why) => format.fail(why),
        }
    }

    fn write(&self) -> Result<usize, String> {
        let folder = &self.folder;
        let cannot = |e: io::Error| format!("{} cannot be written: {e}.", folder.display());
        let name = folder.file_name().and_then(|n| n.to_str()).ok_or("A project needs a name.")?;
        let is_plain = !name.contains(['"', '\\', '<', '&']) && !name.chars().any(char::is_control);
        if !is_plain {
            return Err(format!(
                "{name:?} is no name for a project: quotes and the like have a meaning in its files."
            ));
        }
        if folder.exists() && !is_empty(folder).map_err(cannot)? {
            return Err(format!("{} exists and is not empty; nothing was written.", folder.display()));
        }
        let files = match self.template {
            Template::Empty => EMPTY,
            Template::Shop => SHOP,
        };
        for (path, bytes) in files.iter().chain([&GITIGNORE]) {
            write(&folder.join(path), bytes, name).map_err(cannot)?;
        }
        Ok(files.len() + 1)
    }
}

fn is_empty(folder: &Path) -> io::Result<bool> {
    Ok(fs::read_dir(folder)?.next().is_none())
}

fn write(path: &Path, bytes: &[u8], name: &str) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    match std::str::from_utf8(bytes) {
        Ok(text) if text.contains(NAME) => fs::write(path, text.replace(NAME, name)),
        Ok(_) | Err(_) => fs::write(path, bytes),
    }
}
