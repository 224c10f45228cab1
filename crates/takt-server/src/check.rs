//! Reads a project without serving it and reports everything that is wrong, for `takt check` and before a start.

use std::{path::Path, sync::Arc};

use takt_interfaces::{Contracts, MailTemplates};
use takt_logic::Logic;
use takt_model::{
    Exposure, Origin, Problem, Project, ProjectFiles, SettingsLayer, Severity, Source, SystemTables,
};
use takt_outbound::{Outbound, OutboundOptions};

use crate::{
    backups,
    project_files::{ReadError, read_project},
    seeds::{self, Batch},
};

mod connections;
mod events;
mod mails;

/// The product's own tables, in the order in which they may refer to each other.
pub(crate) const SYSTEM_TABLES: [SystemTables; 5] = [
    takt_engine::TABLES,
    takt_auth::TABLES,
    takt_interfaces::TABLES,
    takt_interfaces::SUBSCRIPTION_TABLES,
    takt_backup::TABLES,
];

/// What is wrong with a project, and what is in it.
#[derive(Debug, Clone, serde::Serialize)]
pub struct CheckReport {
    /// All problems, by file and line.
    pub problems: Vec<Problem>,
    /// Tables of the project.
    pub tables: usize,
    /// Functions of the project.
    pub functions: usize,
}

impl CheckReport {
    /// How many problems stop `serve`.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.problems.iter().filter(|p| p.severity == Severity::Error).count()
    }

    /// How many are only worth knowing.
    #[must_use]
    pub fn warnings(&self) -> usize {
        self.problems.len() - self.errors()
    }
}

impl std::fmt::Display for CheckReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for problem in &self.problems {
            writeln!(f, "{problem}")?;
        }
        Ok(())
    }
}

/// A project as read from its folder: complete if the report has no errors.
pub(crate) struct Loaded {
    pub(crate) files: ProjectFiles,
    pub(crate) project: Arc<Project>,
    pub(crate) logic: Logic,
    pub(crate) templates: MailTemplates,
    pub(crate) contracts: Contracts,
    pub(crate) seeds: Vec<Batch>,
    pub(crate) report: CheckReport,
}

impl Loaded {
    /// Tries the rows of the seeds as a new database would judge them; of a project with errors nothing can be tried.
    pub(crate) fn try_seeds(&mut self) {
        if self.report.errors() == 0 {
            self.report.problems.extend(seeds::try_rows(&self.project, &self.seeds));
        }
    }
}

/// Reads a project and its functions. The logic is loaded even if the schema has errors, so that all problems show.
pub(crate) fn load(
    project_dir: &Path,
    layers: &[SettingsLayer],
    outbound: &Outbound,
) -> Result<Loaded, ReadError> {
    let (files, unread) = read_project(project_dir)?;
    let (mut project, mut problems) = Project::parse_with(&files, &SYSTEM_TABLES, layers);
    problems.extend(unread);
    problems.extend(connections::take_addresses(&mut project, |name| std::env::var(name).ok()));
    let project = Arc::new(project);
    let (logic, logic_problems) = Logic::load(&files, &project, outbound.clone());
    problems.extend(logic_problems);
    let templates = mails::read(&files, &project.settings.time_zone);
    problems.extend(time_zone(&project));
    problems.extend(backups::check(&project, project_dir));
    problems.extend(mails::check(&templates, &project));
    problems.extend(connections::check(&project, &logic));
    problems.extend(events::check(&files, &project, &logic));
    let (contracts, contract_problems) = Contracts::read(&files, &project);
    problems.extend(contract_problems);
    let (seeds, seed_problems) = seeds::read(&project, project_dir);
    problems.extend(seed_problems);
    problems.sort_by(|a, b| (&a.source, a.severity, &a.message).cmp(&(&b.source, b.severity, &b.message)));
    problems.dedup();
    let tables = project.tables.iter().filter(|t| t.exposure == Exposure::Public).count();
    let report = CheckReport { problems, tables, functions: logic.functions().len() };
    Ok(Loaded { files, project, logic, templates, contracts, seeds, report })
}

/// The form of the name was read with the settings; whether there is such a zone, only the zones know.
fn time_zone(project: &Project) -> Option<Problem> {
    let zone = &project.settings.time_zone;
    if zone.is_empty() || takt_report::format::is_time_zone(zone) {
        return None;
    }
    Some(Problem {
        source: Source { file: "takt.toml".to_owned(), line: 1 },
        column: None,
        severity: Severity::Error,
        message: format!("there is no time zone `{zone}`"),
        help: Some("write `time_zone = \"Europe/Berlin\"`".to_owned()),
    })
}

/// Reads the project in `project_dir` and says what is wrong with it.
///
/// # Errors
/// If the folder cannot be read at all.
pub fn check(project_dir: &Path, layers: &[SettingsLayer]) -> Result<CheckReport, ReadError> {
    let mut loaded = load(project_dir, layers, &Outbound::new(OutboundOptions::default()))?;
    loaded.try_seeds();
    Ok(loaded.report)
}

/// Declarations of the project's tables and functions, for editors. A project with problems gets what could be read.
///
/// # Errors
/// If the folder cannot be read at all.
pub fn types(project_dir: &Path, layers: &[SettingsLayer]) -> Result<String, ReadError> {
    Ok(load(project_dir, layers, &Outbound::new(OutboundOptions::default()))?.logic.declarations())
}

/// The settings as they would hold, without serving: each key, its value, and where it came from.
///
/// # Errors
/// If the folder cannot be read at all.
pub fn settings(project_dir: &Path, layers: &[SettingsLayer]) -> Result<Vec<Setting>, ReadError> {
    let (files, _) = read_project(project_dir)?;
    let (project, _) = Project::parse_with(&files, &SYSTEM_TABLES, layers);
    Ok(Setting::all(&project))
}

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Setting {
    /// `limits.max_rows`
    pub key: String,
    /// As text; secrets are `***`.
    pub value: String,
    /// Where it came from.
    pub origin: Origin,
}

impl Setting {
    /// All settings of a project.
    pub(crate) fn all(project: &Project) -> Vec<Self> {
        let origins = project.settings.origins.iter();
        origins
            .map(|(key, value, origin)| Self { key: key.clone(), value: value.clone(), origin: *origin })
            .collect()
    }
}
