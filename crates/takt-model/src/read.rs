//! Reads the files of a project into a [`Project`], gathering every problem with file and line.
//!
//! Two passes: first each table for itself (`table.rs`, `field.rs`, `policy.rs`), then what needs all of them
//! (`link.rs`: references and expressions; `circle.rs`; `seeds.rs`), and the connections (`connection.rs`). A file that could not be read is remembered
//! by name, so that its neighbours are not blamed for it.

mod circle;
mod connection;
mod default;
mod document;
mod field;
mod fieldtype;
mod fingerprint;
mod link;
mod names;
mod policy;
mod problems;
mod seeds;
mod table;

pub(crate) use document::{Document, Section, Spotted, kind_of, text_list, whole};
pub(crate) use names::{NameOf, check as check_name};
pub use problems::did_you_mean;
pub(crate) use problems::{Problems, did_you_mean_or_list};

use crate::{Exposure, Problem, Project, ProjectFiles, Settings, SettingsLayer, Source, SystemTables};
use table::{Draft, Setting};

pub(crate) fn project(
    files: &ProjectFiles,
    system: &[SystemTables],
    layers: &[SettingsLayer],
) -> (Project, Vec<Problem>) {
    let mut problems = Problems::default();
    let settings = crate::settings::read(files.0.get("takt.toml").map(String::as_str), layers, &mut problems);
    let mut drafts = Drafts::default();
    for tables in system {
        drafts.read_system(tables, &settings, &mut problems);
    }
    drafts.read_schema(files, &settings, &mut problems);
    let mut project = link::project(settings, drafts.list, &drafts.doubtful, &mut problems);
    project.connections = connection::all(files, &project, &mut problems);
    circle::check(&project, &mut problems);
    seeds::check(files, &project.tables, &drafts.doubtful, &mut problems);
    (project, problems.into_sorted())
}

/// `schema/orders.toml` to `orders`.
pub(crate) fn stem(path: &str) -> &str {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.rsplit_once('.').map_or(file, |(stem, _)| stem)
}

/// The tables of all files, and the names of those that could not be read.
#[derive(Debug, Default)]
struct Drafts {
    list: Vec<Draft>,
    doubtful: Vec<String>,
}

impl Drafts {
    /// Several tables in one text, each under its name.
    fn read_system(&mut self, tables: &SystemTables, settings: &Settings, problems: &mut Problems) {
        let doc = Document::new(tables.file, tables.text);
        let Some(root) = doc.parse(tables.text, problems) else { return };
        let source = Source { file: tables.file.to_owned(), line: 1 };
        let root = Section::new(&doc, &root, tables.file.to_owned(), source);
        // The product's own texts may be in more languages than the project has.
        let languages = ["de".to_owned(), "en".to_owned()];
        let setting = Setting { languages: &languages, roles: &settings.roles, exposure: Exposure::System };
        for (name, source, node) in root.entries() {
            let Some(section) = root.child(format!("table `{name}`"), &source, node, problems) else {
                continue;
            };
            let draft = table::read(name, &section, setting, problems);
            self.push(draft, problems);
        }
    }

    /// One table for each file of `schema/`, in the order of their names.
    fn read_schema(&mut self, files: &ProjectFiles, settings: &Settings, problems: &mut Problems) {
        let mut paths: Vec<(&str, &str)> = files.under("schema", "toml").collect();
        paths.sort_by_key(|(path, _)| stem(path));
        let setting =
            Setting { languages: &settings.languages, roles: &settings.roles, exposure: Exposure::Public };
        for (path, text) in paths {
            let name = stem(path);
            let doc = Document::new(path, text);
            let Some(root) = doc.parse(text, problems) else {
                self.doubtful.push(name.to_owned());
                continue;
            };
            let source = Source { file: path.to_owned(), line: 1 };
            let section = Section::new(&doc, &root, format!("table `{name}`"), source);
            let draft = table::read(name, &section, setting, problems);
            self.push(draft, problems);
        }
    }

    /// Names differ in more than upper and lower case: databases do not tell those apart.
    fn push(&mut self, draft: Draft, problems: &mut Problems) {
        let name = &draft.table.name;
        match self.list.iter().find(|d| d.table.name.eq_ignore_ascii_case(name)) {
            Some(first) => {
                let message = format!("there is a table `{name}` already, in {}", first.table.source.file);
                problems.error(&draft.table.source, message, None);
            }
            None if self.list.len() >= usize::from(u16::MAX) => {
                problems.error(&draft.table.source, "too many tables", None);
            }
            None => self.list.push(draft),
        }
    }
}
