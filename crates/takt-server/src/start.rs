//! The place where the rooms are plugged together: from a project folder to a running server, and its orderly end.
//!
//! Order matters at a start: everything that can be refused without touching the database (a broken project, a used
//! port, a held data folder) is refused before it is opened.

use std::{
    future::Future,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use arc_swap::ArcSwap;
use takt_auth::{Auth, AuthError, MasterKey};
use takt_engine::{Engine, EngineError, EngineOptions, Release, Store, StoreOptions, SystemClock};
use takt_interfaces::{Consume, Interfaces, InterfacesOptions};
use takt_model::{Exposure, LogFormat, Principal, Project, SettingsLayer, Severity, Uuid};
use takt_outbound::{Outbound, OutboundOptions};
use tokio::{
    net::{TcpListener, UnixListener},
    signal::unix::{SignalKind, signal},
    sync::Notify,
};

use crate::{
    admin,
    admission::Admission,
    app::App,
    backups::{self, Backups},
    check::{self, CheckReport, Loaded},
    counters::Counters,
    data_dir::{DATABASE, DataDir, DataDirError},
    dev,
    http::{data::Shapes, static_files::StaticFiles},
    lent,
    listen::{self, ListenError},
    people::Looks,
    project_files::ReadError,
    release,
    seeds::{self, SeedError},
    serve::Serving,
};

const MINUTE: i64 = 60_000_000;
/// Transactions in a minute that delete old stories.
const FORGETTING: usize = 10;
/// In minutes.
const A_WEEK: i64 = 7 * 24 * 60;
/// What of `server.shutdown` is kept for the last writes and closing the database.
const TO_CLOSE: Duration = Duration::from_millis(500);
/// How often a process says that it lives.
const ALIVE_EVERY: Duration = Duration::from_secs(10);

const INTERRUPTED_RESTORE: &str =
    "Restoring a backup over this data folder was interrupted; `takt restore --overwrite-data` mends it.";

/// The door's own limit is the longest that a connection may ask for (`guard.timeout`).
fn door() -> OutboundOptions {
    OutboundOptions { timeout: Duration::from_secs(120), ..OutboundOptions::default() }
}

/// What is to be served, and how.
#[derive(Debug, Clone, Default)]
pub struct StartOptions {
    /// The project folder.
    pub project_dir: PathBuf,
    /// The data folder; `data` inside the project folder if nothing is said.
    pub data_dir: Option<PathBuf>,
    /// Settings from the environment and from flags.
    pub layers: Vec<SettingsLayer>,
    /// Reload on change, explain answers.
    pub dev: bool,
}

impl StartOptions {
    /// Where the data is.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.data_dir.clone().unwrap_or_else(|| self.project_dir.join("data"))
    }
}

/// Why a project is not served; each is a plain sentence (a broken project: the list of its problems).
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The project folder cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The project has errors.
    #[error("{0}The project has errors and is not served.")]
    Project(CheckReport),
    /// Flags or environment say what cannot be; the project itself is not to blame.
    #[error("{0}")]
    Settings(String),
    /// Nobody could reach us.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The data folder cannot be used.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The database cannot be opened, or does not fit the project.
    #[error("{0}")]
    Database(String),
    /// Accounts or keys cannot be opened.
    #[error("{0}")]
    Auth(AuthError),
    /// A row of the demonstration data breaks a rule of the schema.
    #[error(transparent)]
    Seeds(#[from] SeedError),
}

impl From<EngineError> for StartError {
    fn from(error: EngineError) -> Self {
        Self::Database(error.to_string())
    }
}

/// An opened project that nobody serves: for commands while no server runs.
pub struct Opened {
    app: Arc<App>,
    data: DataDir,
    files: takt_model::ProjectFiles,
}

impl Opened {
    /// The rooms.
    #[must_use]
    pub fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// Closes the database.
    pub fn close(self) {
        self.app.engine.close();
    }
}

/// Opens a project without serving it.
///
/// # Errors
/// See [`StartError`].
pub fn open(options: &StartOptions) -> Result<Opened, StartError> {
    let outbound = Outbound::new(door());
    let loaded = load(options, &outbound)?;
    let server = &loaded.project.settings.server;
    let base_url = base_url(&server.public_url, &server.listen);
    let data = DataDir::take(&options.data_dir())?;
    open_rooms(options, loaded, outbound, data, base_url)
}

/// Reads the project; nothing else is touched yet.
fn load(options: &StartOptions, outbound: &Outbound) -> Result<Loaded, StartError> {
    let mut loaded = check::load(&options.project_dir, &options.layers, outbound)?;
    if !options.data_dir().join(DATABASE).exists() {
        loaded.try_seeds();
    }
    if loaded.report.errors() > 0 {
        return Err(settings_alone(&loaded.report).unwrap_or(StartError::Project(loaded.report)));
    }
    Ok(loaded)
}

/// If flags and environment are all that is wrong: what is wrong with them, a sentence each.
fn settings_alone(report: &CheckReport) -> Option<StartError> {
    let mut sentences = Vec::new();
    for problem in report.problems.iter().filter(|p| p.severity == Severity::Error) {
        let whence = match problem.source.file.as_str() {
            "flags" => "flag",
            "environment" => "variable of the environment",
            _ => return None,
        };
        let help = problem.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
        sentences.push(format!("A {whence} is wrong: {}{help}.", problem.message));
    }
    Some(StartError::Settings(sentences.join("\n")))
}

/// Database, engine, accounts: from here on something may be written.
fn open_rooms(
    options: &StartOptions,
    loaded: Loaded,
    outbound: Outbound,
    data: DataDir,
    base_url: String,
) -> Result<Opened, StartError> {
    let Loaded { files, project, logic, templates, contracts, seeds: _, report: _ } = loaded;
    if data.folder().join(takt_backup::INTERRUPTED).exists() {
        return Err(StartError::Database(INTERRUPTED_RESTORE.to_owned()));
    }
    data.close_database()?;
    // A key that is lost is never replaced in silence: what the old one sealed could not be opened with a new one.
    let is_there = data.folder().join(DATABASE).metadata().is_ok_and(|database| database.len() > 0);
    let key =
        if is_there { MasterKey::load(data.folder()) } else { MasterKey::load_or_create(data.folder()) };
    let key = key.map_err(StartError::Auth)?;
    let store = Store::open(store_options(data.folder(), &project)).map_err(EngineError::from)?;
    let clock = Arc::new(SystemClock);
    let engine = Engine::open(EngineOptions { store, project: Arc::clone(&project), clock })?;
    if let Some(hooks) = logic.hooks() {
        engine.set_hooks(hooks);
    }
    let auth = Auth::open(engine.clone(), key).map_err(StartError::Auth)?;
    let interfaces = Interfaces::new(InterfacesOptions {
        engine: engine.clone(),
        outbound: outbound.clone(),
        secrets: Arc::new(lent::SecretsOf(auth.clone())),
        base_url: base_url.clone(),
        keep: project.settings.logic.deliveries,
    });
    interfaces.take_up_subscriptions()?;
    let app = App {
        started_at: engine.now(),
        engine,
        auth,
        interfaces,
        logic: ArcSwap::from_pointee(logic),
        outbound,
        statics: StaticFiles::new(options.project_dir.join("public")),
        admission: Admission::default(),
        backups: Backups::default(),
        shapes: Shapes::default(),
        looks: Looks::default(),
        counters: Counters::default(),
        project_dir: options.project_dir.clone(),
        data_dir: data.folder().to_owned(),
        layers: options.layers.clone(),
        base_url,
        dev: options.dev,
    };
    let app = Arc::new(app);
    app.interfaces.use_templates(templates);
    app.interfaces.use_contracts(contracts);
    let functions = Arc::new(lent::FunctionsOf(Arc::downgrade(&app)));
    app.interfaces.lend(Arc::clone(&functions) as Arc<dyn Consume>, functions);
    Ok(Opened { app, data, files })
}

fn store_options(data_dir: &Path, project: &Project) -> StoreOptions {
    let limits = &project.settings.limits;
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    StoreOptions {
        file: data_dir.join(DATABASE),
        readers: cores.clamp(2, 8),
        write_queue: limits.write_queue,
        read_time: limits.read_time,
        database_bytes: limits.database_bytes,
        vfs: "unix-excl".to_owned(),
        synchronous_full: true,
    }
}

/// The address that people use: the one in the settings, or the one that is listened at.
fn base_url(public_url: &str, listen: &str) -> String {
    if public_url.is_empty() {
        let reachable = match listen.parse::<SocketAddr>() {
            Ok(address) if address.ip().is_unspecified() => format!("127.0.0.1:{}", address.port()),
            Ok(_) | Err(_) => listen.to_owned(),
        };
        format!("http://{reachable}")
    } else {
        public_url.trim_end_matches('/').to_owned()
    }
}

/// What a start tells the person in front of it.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Summary {
    /// What people call the project.
    pub name: String,
    /// The address that people use.
    pub url: String,
    /// The address that is listened at.
    pub listen: SocketAddr,
    /// The project folder.
    pub project_dir: PathBuf,
    /// The data folder.
    pub data_dir: PathBuf,
    /// The project's tables.
    pub tables: Vec<String>,
    /// The project's functions.
    pub functions: Vec<String>,
    /// How many accounts there are.
    pub accounts: u64,
    /// Rows of demonstration data that this start wrote.
    pub seeded_rows: u64,
    /// Whether this start differs from the one before.
    pub release_recorded: bool,
    /// The code that makes the first owner, while there is none.
    pub setup_code: Option<String>,
    /// Things worth knowing about the project.
    pub warnings: Vec<String>,
    /// `--dev`
    pub dev: bool,
}

/// A server that listens; [`Server::run`] answers.
pub struct Server {
    serving: Arc<Serving>,
    listener: TcpListener,
    commands: Option<UnixListener>,
    /// With `--dev`: the files as they were read.
    seen: Option<dev::Seen>,
    data: DataDir,
    summary: Summary,
    grace: Duration,
}

impl Server {
    /// Opens everything and listens. Call it outside of asynchronous code; `runtime` is where the server will run.
    ///
    /// # Errors
    /// See [`StartError`]; nothing was written unless the database itself was opened.
    pub fn start(options: &StartOptions, runtime: &tokio::runtime::Handle) -> Result<Self, StartError> {
        let _context = runtime.enter();
        let outbound = Outbound::new(door());
        let seen = options.dev.then(|| dev::look(&options.project_dir));
        let mut loaded = load(options, &outbound)?;
        let warnings = loaded.report.problems.iter().map(ToString::to_string).collect();
        let server = loaded.project.settings.server.clone();
        let data = DataDir::take(&options.data_dir())?;
        let listener = listen::bind(&server.listen)?;
        let listen = listener
            .local_addr()
            .map_err(|e| StartError::Database(format!("The address is not known: {e}.")))?;
        let url = base_url(&server.public_url, &listen.to_string());

        let seeds = std::mem::take(&mut loaded.seeds);
        let opened = open_rooms(options, loaded, outbound, data, url)?;
        let seeded_rows = seeds::load(&opened.app.engine, seeds)?;
        let release_recorded = record_start(&opened)?.is_some();
        let Opened { app, data, files: _ } = opened;
        let page = runtime.block_on(app.auth.admin_users(&Principal::service(), 1, 1));
        let accounts = page.map_err(StartError::Auth)?.total;
        let summary =
            Summary { listen, seeded_rows, release_recorded, accounts, warnings, ..summary(&app, listen) };
        let serving = Arc::new(Serving::new(app));
        let commands = admin::listen(data.folder());
        Ok(Self { serving, listener, commands, seen, data, summary, grace: server.shutdown })
    }

    /// What to tell the person in front of it.
    #[must_use]
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// The rooms that are served.
    #[must_use]
    pub fn app(&self) -> &Arc<App> {
        &self.serving.app
    }

    /// Answers until SIGTERM or SIGINT; requests under way then end within `server.shutdown`, a second signal ends
    /// at once. Says whether every request could end.
    pub async fn run(self) -> bool {
        let first = Arc::new(Notify::new());
        let second = Arc::new(Notify::new());
        let signals = tokio::spawn(watch_signals(Arc::clone(&first), Arc::clone(&second)));
        let stop = async move { first.notified().await };
        let hurry = async move { second.notified().await };
        let clean = self.run_until(stop, hurry).await;
        signals.abort();
        clean
    }

    /// As [`Server::run`], until `stop` ends; `hurry` ends the wait for requests under way.
    pub async fn run_until(self, stop: impl Future<Output = ()>, hurry: impl Future<Output = ()>) -> bool {
        let Self { serving, listener, commands, seen, data, summary, grace } = self;
        tracing::info!(version = env!("CARGO_PKG_VERSION"), listen = %summary.listen, url = summary.url, "serving");
        let app = Arc::clone(&serving.app);
        let tasks = [
            Some(tokio::spawn(minutes(Arc::clone(&app)))),
            Some(tokio::spawn(alive(Arc::clone(&app)))),
            Some(tokio::spawn(app.interfaces.clone().run())),
            Some(tokio::spawn(jobs(Arc::clone(&app)))),
            Some(tokio::spawn(backups::keep_time(Arc::clone(&app)))),
            commands.map(|door| tokio::spawn(admin::answer_all(Arc::clone(&app), door))),
            seen.map(|seen| tokio::spawn(dev::watch(Arc::clone(&app), seen))),
        ];
        let clean = tokio::select! {
            clean = listen::serve(listener, Arc::clone(&serving), stop, grace.saturating_sub(TO_CLOSE)) => clean,
            () = hurry => false,
        };
        for task in tasks.into_iter().flatten() {
            task.abort();
        }
        admin::remove_socket(&app.data_dir);
        flush_counters(&app).await;
        DataDir::say_alive(&app.data_dir, app.engine.now());
        let closing = tokio::task::spawn_blocking(move || app.engine.close()).await;
        if closing.is_err() {
            tracing::error!("the database was not closed in order");
        }
        drop(data);
        tracing::info!(clean, "stopped");
        clean
    }
}

fn summary(app: &App, listen: SocketAddr) -> Summary {
    let project = app.project();
    let tables = project.tables.iter().filter(|t| t.exposure == Exposure::Public);
    Summary {
        name: project.settings.name.clone(),
        url: app.base_url.clone(),
        listen,
        project_dir: app.project_dir.clone(),
        data_dir: app.data_dir.clone(),
        tables: tables.map(|t| t.name.clone()).collect(),
        functions: app.logic.load().functions().iter().map(|f| f.name.clone()).collect(),
        accounts: 0,
        seeded_rows: 0,
        release_recorded: false,
        setup_code: app.auth.setup_code(),
        warnings: Vec::new(),
        dev: app.dev,
    }
}

/// Writes the release record if this start differs from the one before.
fn record_start(opened: &Opened) -> Result<Option<Release>, StartError> {
    let app = &opened.app;
    let now = app.engine.now();
    let last = match opened.data.last_alive() {
        Some(at) => Some(at),
        None => app.engine.minutes_since(now / MINUTE - A_WEEK)?.last().map(|m| (m.minute + 1) * MINUTE),
    };
    let last = last.map(|at| at.min(now));
    let project = app.project();
    let release = release::release(&app.project_dir, &opened.files, &project, now, last);
    DataDir::say_alive(&app.data_dir, now);
    Ok(app.engine.record_start(release)?)
}

async fn watch_signals(first: Arc<Notify>, second: Arc<Notify>) {
    let signals = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    let (Ok(mut terminate), Ok(mut interrupt)) = signals else {
        tracing::error!("signals cannot be received; only a kill ends this process");
        return;
    };
    for notify in [first, second] {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        notify.notify_one();
    }
}

/// Once a minute the counts go to the database, and what is too old goes from it.
async fn minutes(app: Arc<App>) {
    let mut values_from = Uuid::nil();
    loop {
        let rest = MINUTE - app.engine.now().rem_euclid(MINUTE);
        tokio::time::sleep(Duration::from_micros(rest.unsigned_abs())).await;
        let ended = app.engine.now() / MINUTE - 1;
        write_minute(&app, ended).await;
        forget_old_stories(&app).await;
        values_from = forget_old_looks(&app, values_from).await;
    }
}

/// Personal values of stories and rows of the audit that are too old. `from` is where the values were seen to; a new
/// process begins at the oldest.
async fn forget_old_looks(app: &App, mut from: Uuid) -> Uuid {
    for _ in 0..FORGETTING {
        match app.engine.forget_old_personal_values(from).await {
            Ok(Some(next)) => from = next,
            Ok(None) => break,
            Err(error) => {
                tracing::warn!(%error, "old personal values were not deleted");
                break;
            }
        }
    }
    for _ in 0..FORGETTING {
        match app.engine.forget_old_audit().await {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "old rows of the audit were not deleted");
                break;
            }
        }
    }
    from
}

/// In small transactions, so that nobody waits for long; what is left over has time until the next minute.
async fn forget_old_stories(app: &App) {
    for _ in 0..FORGETTING {
        match app.engine.forget_old_stories().await {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "old stories were not deleted");
                return;
            }
        }
    }
}

async fn flush_counters(app: &App) {
    write_minute(app, app.engine.now() / MINUTE).await;
}

async fn write_minute(app: &App, minute: i64) {
    let counts = app.counters.take(minute);
    if let Err(error) = app.engine.record_minutes(vec![counts]).await {
        tracing::warn!(%error, "the request counts of a minute were not written");
    }
}

/// The project's jobs, as their schedules and delays say.
async fn jobs(app: Arc<App>) {
    let engine = app.engine.clone();
    takt_logic::keep_time(move || app.logic.load_full(), engine).await;
}

async fn alive(app: Arc<App>) {
    loop {
        tokio::time::sleep(ALIVE_EVERY).await;
        DataDir::say_alive(&app.data_dir, app.engine.now());
    }
}

/// The log format of the settings: `auto` is text on a terminal and JSON elsewhere.
#[must_use]
pub fn log_format(setting: Option<LogFormat>) -> LogFormat {
    use std::io::IsTerminal as _;
    setting.unwrap_or(if std::io::stderr().is_terminal() { LogFormat::Text } else { LogFormat::Json })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_people_is_the_one_of_the_settings_or_one_that_can_be_reached() {
        for (public, listen, expected) in [
            ("https://shop.example/", "0.0.0.0:80", "https://shop.example"),
            ("", "127.0.0.1:8000", "http://127.0.0.1:8000"),
            ("", "0.0.0.0:8000", "http://127.0.0.1:8000"),
            ("", "[::]:8000", "http://127.0.0.1:8000"),
            ("", "[::1]:8000", "http://[::1]:8000"),
            ("", "localhost:8000", "http://localhost:8000"),
        ] {
            assert_eq!(base_url(public, listen), expected);
        }
    }
}
