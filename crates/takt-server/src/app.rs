//! The application: all rooms of one served project, shared by every request as `Arc<App>`.
//! Lives here: what a handler may reach. Not here: how it is opened (`start.rs`) or asked (`http/`).

use std::{path::PathBuf, sync::Arc};

use arc_swap::ArcSwap;
use takt_auth::Auth;
use takt_engine::{Engine, EngineError, Release};
use takt_interfaces::Interfaces;
use takt_logic::Logic;
use takt_model::{Project, SettingsLayer};
use takt_outbound::Outbound;

use crate::admission::Admission;
use crate::backups::Backups;
use crate::counters::{CounterSnapshot, Counters};
use crate::http::{data::Shapes, static_files::StaticFiles};
use crate::people::Looks;

/// A served project with everything that answers for it.
pub struct App {
    /// Data.
    pub engine: Engine,
    /// Accounts and keys.
    pub auth: Auth,
    /// The project's functions; replaced as a whole on reload.
    pub logic: ArcSwap<Logic>,
    /// What goes to and comes from other systems.
    pub interfaces: Interfaces,
    /// The only door to the outside.
    pub outbound: Outbound,
    /// The front end.
    pub(crate) statics: StaticFiles,
    /// What callers have of what all share.
    pub(crate) admission: Admission,
    /// The backup or trial restore that is under way.
    pub(crate) backups: Backups,
    /// Plans of reads that were asked before.
    pub(crate) shapes: Shapes,
    /// Who has just looked at what.
    pub(crate) looks: Looks,
    /// Request outcomes since the last flush.
    pub(crate) counters: Counters,
    /// Where the project's files are.
    pub project_dir: PathBuf,
    /// Where the database, the keys and the socket are.
    pub data_dir: PathBuf,
    /// Settings above `takt.toml`: environment and flags.
    pub layers: Vec<SettingsLayer>,
    /// The address that people use, without a slash at the end: `http://127.0.0.1:8000`.
    pub base_url: String,
    /// Whether this is `--dev`: reload on change, `takt-explain` headers.
    pub dev: bool,
    /// When this process began to serve: microseconds since 1970 UTC.
    pub started_at: i64,
}

impl App {
    /// The project that is served now.
    #[must_use]
    pub fn project(&self) -> Arc<Project> {
        self.engine.project()
    }

    /// Whether people reach us by https; decides about `Secure` cookies and HSTS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.base_url.starts_with("https://")
    }

    /// Request outcomes since the process began, for the console.
    #[must_use]
    pub fn counters(&self) -> CounterSnapshot {
        self.counters.since_start()
    }

    /// What was started when, newest first.
    ///
    /// # Errors
    /// The engine's.
    pub fn releases(&self, limit: u64) -> Result<Vec<Release>, EngineError> {
        self.engine.releases(limit)
    }
}
