//! Every setting, in one typed struct. `takt.default.toml` beside the manifest documents each of them
//! and is itself the default: a test compares the two.

mod layers;
mod read;
mod take;
mod units;

use std::time::Duration;

use crate::Words;

pub(crate) use read::read;
pub(crate) use units::duration;

/// The text of `takt.default.toml`: the defaults, with a line about each setting.
const DEFAULTS: &str = include_str!("../takt.default.toml");

/// Reads a duration as people write it: `20ms`, `15m`, `2h`, `3d`.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    units::duration(text)
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Where a value came from, for `takt settings`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// `takt.default.toml`
    Default,
    /// `takt.toml`
    Project,
    /// `TAKT_...`
    Environment,
    /// `--...`
    Flag,
}

/// A layer of settings above the project's file: `("server.listen", "0.0.0.0:80")`.
#[derive(Debug, Clone)]
pub struct SettingsLayer {
    /// Environment or flags.
    pub origin: Origin,
    /// Dotted key and text of the value.
    pub values: Vec<(String, String)>,
}

impl SettingsLayer {
    /// The settings among the variables of the environment: `TAKT_LIMITS_MAX_ROWS` is `limits.max_rows`.
    /// Other `TAKT_...` variables (`TAKT_MASTER_KEY`) are none, but a slip in the name of a setting is kept,
    /// so that it is reported.
    #[must_use]
    pub fn from_environment(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut unheard = crate::read::Problems::default();
        let known = layers::defaults(DEFAULTS, &mut unheard);
        let mut values: Vec<(String, String)> = variables
            .into_iter()
            .filter_map(|(name, value)| {
                let name = name.strip_prefix("TAKT_")?.to_ascii_lowercase();
                if let Some(key) = known.keys().find(|key| key.replace('.', "_") == name) {
                    return Some((key.clone(), value));
                }
                let (table, key) = name.split_once('_')?;
                ["server", "limits", "auth", "logic", "webhooks", "backup"]
                    .contains(&table)
                    .then(|| (format!("{table}.{key}"), value))
            })
            .collect();
        values.sort();
        Self { origin: Origin::Environment, values }
    }
}

/// All settings of a project.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// What people call the project.
    pub name: String,
    /// The languages of the project; the first is its default. At least one.
    pub languages: Vec<String>,
    /// ISO 4217.
    pub currency: String,
    /// IANA name of the zone in which dates are told to people: `Europe/Berlin`.
    pub time_zone: String,
    /// The project's own roles besides `anon` and `authenticated`.
    pub roles: Vec<String>,
    /// What people call each role.
    pub role_labels: Vec<(String, Words)>,
    /// `[owner]`: who answers for the project, as written: name, email, address ...
    pub owner: Vec<(String, String)>,
    /// `[server]`
    pub server: ServerSettings,
    /// `[limits]`
    pub limits: LimitSettings,
    /// `[auth]`
    pub auth: AuthSettings,
    /// `[logic]`
    pub logic: LogicSettings,
    /// `[webhooks]`
    pub webhooks: WebhookSettings,
    /// `[backup]`
    pub backup: BackupSettings,
    /// Each dotted key, its value as text (secrets as `***`) and where it came from.
    pub origins: Vec<(String, String, Origin)>,
}

impl Settings {
    /// What holds when nobody says anything.
    #[must_use]
    pub fn defaults() -> Self {
        read(None, &[], &mut crate::read::Problems::default())
    }

    /// The default file: every setting, its default, and what it is for.
    #[must_use]
    pub fn default_file() -> &'static str {
        DEFAULTS
    }
}

/// `[server]`
#[derive(Debug, Clone, Default)]
pub struct ServerSettings {
    /// Address and port: `127.0.0.1:8000`.
    pub listen: String,
    /// The address people use, without a slash at the end; empty means derived from `listen`.
    pub public_url: String,
    /// Whether a request without a key counts as role `anon` (`true`) or is refused.
    pub anonymous_without_key: bool,
    /// Origins that browsers may call from; `["*"]` for all.
    pub cors_origins: Vec<String>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<String>,
    /// `text` or `json`; `None` (written `auto`) for text on a terminal and JSON elsewhere.
    pub log_format: Option<LogFormat>,
    /// How long in-flight requests may take after SIGTERM.
    pub shutdown: Duration,
}

/// `[limits]`
#[derive(Debug, Clone, Default)]
pub struct LimitSettings {
    /// Bytes of a request body.
    pub body_bytes: usize,
    /// Bytes of all request bodies together.
    pub bodies_bytes: usize,
    /// Bytes of all headers together.
    pub header_bytes: usize,
    /// For receiving the headers.
    pub header_time: Duration,
    /// For a whole request; ten times as long for its answer to be sent.
    pub request_time: Duration,
    /// For one read in the database.
    pub read_time: Duration,
    /// Rows of one answer.
    pub max_rows: u64,
    /// Writes waiting for the writer.
    pub write_queue: usize,
    /// Requests of one address at the same time; 0 for no limit.
    pub requests_per_address: usize,
    /// Calls of functions by visitors from one address in 15 minutes; 0 for no limit.
    pub visitor_calls: u32,
    /// Nodes of one request (root and embeds).
    pub embeds: usize,
    /// Bytes that the database file may grow to; 0 for no limit.
    pub database_bytes: u64,
}

/// `[auth]`
#[derive(Debug, Clone, Default)]
pub struct AuthSettings {
    /// Whether people may sign up by themselves.
    pub sign_up: bool,
    /// Characters of a password at least.
    pub password_min_length: usize,
    /// Life of an access token.
    pub access_token: Duration,
    /// An old refresh token is accepted for this long after its use.
    pub refresh_reuse: Duration,
    /// Life of a session without use.
    pub session_idle: Duration,
    /// Failed sign-ins for one account in 15 minutes.
    pub attempts_per_account: u32,
    /// Sign-ins and sign-ups from one address in 15 minutes.
    pub attempts_per_address: u32,
    /// Sign-ins waiting for the hashing thread.
    pub hash_queue: usize,
}

/// `[logic]`
#[derive(Debug, Clone, Default)]
pub struct LogicSettings {
    /// CPU time of an action.
    pub action_time: Duration,
    /// Time of an `http` function.
    pub http_time: Duration,
    /// Bytes of memory of one call.
    pub memory_bytes: usize,
    /// Statements of one call.
    pub statements: u32,
    /// How long an answer is kept under its `Idempotency-Key`.
    pub idempotency: Duration,
    /// How long events and their finished deliveries are kept.
    pub deliveries: Duration,
    /// How long a story is kept.
    pub stories: Duration,
    /// How long the personal values of a story are kept.
    pub story_personal: Duration,
    /// How long the audit is kept.
    pub audit: Duration,
}

/// `[webhooks]`: subscriptions that are made while the server runs.
#[derive(Debug, Clone, Default)]
pub struct WebhookSettings {
    /// Whether they may lead to plain `http` and into the own network.
    pub allow_private: bool,
    /// How many there may be.
    pub subscriptions: u64,
    /// How long the old secret signs besides the new one.
    pub overlap: Duration,
}

/// `[backup]`
#[derive(Debug, Clone, Default)]
pub struct BackupSettings {
    /// Folder of the repository; empty for the one beside the data folder.
    pub repository: String,
    /// When a backup is made: a cron expression, or empty.
    pub schedule: String,
    /// When the newest one is tried: a cron expression, or empty.
    pub drill: String,
    /// Hours of which a backup is kept.
    pub keep_hourly: u32,
    /// Days of which a backup is kept.
    pub keep_daily: u32,
    /// Weeks of which a backup is kept.
    pub keep_weekly: u32,
    /// Months of which a backup is kept.
    pub keep_monthly: u32,
    /// Within which time the system must be back; zero if nothing is agreed.
    pub return_within: Duration,
}
