//! One file per command. Lives here: the list of them, and what they share: folders, settings, the way to a
//! project whether a server runs or not.

mod account;
mod audit;
mod backup;
mod check;
mod deliveries;
mod jobs;
mod keys;
mod new;
mod restore;
mod secrets;
mod serve;
mod settings;
mod story;
mod types;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use serde_json::Value as Json;
use takt_model::{Origin, SettingsLayer};
use takt_server::{AdminRequest, StartOptions, ask, execute, open};

use crate::out::{Exit, Format};

/// The whole backend of a website, shop or app in one binary, which explains itself to the people who answer for it.
#[derive(Debug, Parser)]
#[command(name = "takt", version, disable_help_subcommand = true)]
#[command(after_help = "\
Examples:
  takt new tea-house --template shop    make a project
  takt serve tea-house                  serve it
  takt check tea-house                  say what is wrong with it
  takt keys --project tea-house         show its address and keys

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 something was found.")]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    Check(check::Check),
    New(new::New),
    Keys(keys::Keys),
    Account(account::AccountCommand),
    Story(story::Story),
    Deliveries(deliveries::DeliveriesCommand),
    Jobs(jobs::JobsCommand),
    Audit(audit::AuditCommand),
    Backup(backup::Backup),
    Snapshots(backup::Snapshots),
    Drill(backup::Drill),
    Restore(restore::Restore),
    Secrets(secrets::SecretsCommand),
    Settings(settings::Settings),
    Types(types::Types),
}

/// What every command takes.
#[derive(Debug, Clone, Args)]
pub(crate) struct Common {
    /// The project folder.
    #[arg(long, global = true, value_name = "DIR", default_value = ".")]
    project: PathBuf,
    /// The data folder; `data` inside the project folder if nothing is said.
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Print JSON for programs instead of text for people.
    #[arg(long, global = true)]
    json: bool,
    /// Who acts, for the audit; your login name if nothing is said.
    #[arg(long, global = true, value_name = "NAME")]
    by: Option<String>,
}

impl Cli {
    pub(crate) fn run(self) -> Exit {
        let Self { command, common } = self;
        match command {
            Command::Serve(command) => command.run(common),
            Command::Check(command) => command.run(common),
            Command::New(command) => command.run(&common),
            Command::Keys(command) => command.run(&common),
            Command::Account(command) => command.run(&common),
            Command::Story(command) => command.run(&common),
            Command::Deliveries(command) => command.run(&common),
            Command::Jobs(command) => command.run(&common),
            Command::Audit(command) => command.run(&common),
            Command::Backup(command) => command.run(&common),
            Command::Snapshots(command) => command.run(&common),
            Command::Drill(command) => command.run(&common),
            Command::Restore(command) => command.run(&common),
            Command::Secrets(command) => command.run(&common),
            Command::Settings(command) => command.run(&common),
            Command::Types(command) => command.run(common),
        }
    }
}

impl Common {
    pub(crate) fn format(&self) -> Format {
        if self.json { Format::Json } else { Format::Text }
    }

    /// `serve DIR` and `check DIR` take the folder as a word too.
    fn with_folder(mut self, folder: Option<PathBuf>) -> Self {
        if let Some(folder) = folder {
            self.project = folder;
        }
        self
    }

    fn start_options(&self, flags: Vec<(String, String)>) -> StartOptions {
        StartOptions {
            project_dir: self.project.clone(),
            data_dir: self.data_dir.clone(),
            layers: layers(flags),
            dev: false,
        }
    }

    /// Who acts: the name given, else the login name.
    fn name(&self) -> String {
        let login = || {
            let names = ["SUDO_USER", "LOGNAME", "USER"];
            names.iter().find_map(|name| std::env::var(name).ok().filter(|v| !v.trim().is_empty()))
        };
        self.by.clone().filter(|name| !name.trim().is_empty()).or_else(login).unwrap_or_default()
    }

    /// As [`Common::ask`], under the name of who acts.
    fn ask_as(&self, reason: Option<String>, request: AdminRequest) -> Result<Json, String> {
        self.ask(AdminRequest::By { by: self.name(), reason, request: Box::new(request) })
    }

    /// Asks the server that serves the project; if none does, opens the project for this one question.
    fn ask(&self, request: AdminRequest) -> Result<Json, String> {
        let options = self.start_options(Vec::new());
        if let Some(answer) = ask(&options.data_dir(), &request).map_err(|e| e.to_string())? {
            return Ok(answer);
        }
        let opened = open(&options).map_err(|e| e.to_string())?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let answer = match runtime {
            Ok(runtime) => runtime.block_on(execute(opened.app(), request)).map_err(|e| e.to_string()),
            Err(error) => Err(format!("The command cannot run: {error}.")),
        };
        opened.close();
        answer
    }
}

/// Settings above `takt.toml`: the environment, then flags.
fn layers(flags: Vec<(String, String)>) -> Vec<SettingsLayer> {
    let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    let environment = SettingsLayer::from_environment(std::env::vars_os().filter_map(text));
    vec![environment, SettingsLayer { origin: Origin::Flag, values: flags }]
}

/// A text of a JSON answer; nothing if it is not there.
fn text<'a>(json: &'a Json, key: &str) -> &'a str {
    json[key].as_str().unwrap_or_default()
}

/// `de` if the terminal speaks German, else `en`.
fn terminal_language() -> &'static str {
    let said = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    if said.is_some_and(|s| s.starts_with("de")) { "de" } else { "en" }
}

/// The language of texts for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Language {
    /// Deutsch
    De,
    /// English
    En,
}

impl Language {
    fn code(chosen: Option<Self>) -> &'static str {
        match chosen {
            Some(Self::De) => "de",
            Some(Self::En) => "en",
            None => terminal_language(),
        }
    }
}
