//! The local door for commands: a socket in the data folder, one JSON request and one JSON answer per line.
//! What a command asks is done by [`execute`], whether a server runs (through the socket) or not (directly).
//! Who may open the data folder may ask everything here; nobody else can reach it.

pub(crate) mod refusal;

use std::{
    fs,
    io::{self, BufRead, BufReader, Read, Write},
    os::{fd::AsRawFd, unix::fs::PermissionsExt, unix::net::UnixStream},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use ring::rand::SecureRandom;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use takt_auth::{Account, StudioRole, connection_secret_check};
use takt_engine::AuditFilter;
use takt_model::{Connection, ConnectionOrigin, did_you_mean};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt},
    net::UnixListener,
};

use zeroize::Zeroizing;

use self::refusal::Refusal;
use crate::{
    app::App,
    backups::{self, BackupRequest},
    check::Setting,
    data_dir::SOCKET,
    deliveries::{self, DeliveriesRequest},
    jobs::{self, JobsRequest},
    people::{self, Look, NoReason},
    tales::{self, Tale},
};

/// No request is larger, and no answer.
const MOST_BYTES: u64 = 16 * 1024 * 1024;
const PATIENCE: Duration = Duration::from_secs(60);
/// Rows of the audit in one answer.
const MOST_AUDIT: u64 = 1_000;

/// What a command asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum AdminRequest {
    /// Address and API keys.
    Keys,
    /// A new account.
    AccountAdd {
        /// Email address.
        email: String,
        /// Password; made up and told if none is given.
        password: Option<String>,
        /// The project's own roles.
        roles: Vec<String>,
    },
    /// The accounts, newest first.
    AccountList {
        /// At most so many.
        limit: u64,
    },
    /// Gives roles to an account and takes roles from it.
    AccountRole {
        /// Email address.
        email: String,
        /// Roles to give.
        add: Vec<String>,
        /// Roles to take.
        remove: Vec<String>,
    },
    /// The newest story, told in words.
    StoryLast {
        /// Only of this function.
        function: Option<String>,
        /// `de` or `en`.
        language: String,
        /// From 0, one sentence, to 3, everything.
        depth: u8,
    },
    /// One story, told in words.
    Story {
        /// Its id, or the number of something that it wrote: `B-2026-00012`.
        id: String,
        /// `de` or `en`.
        language: String,
        /// From 0, one sentence, to 3, everything.
        depth: u8,
    },
    /// Deliveries to other systems.
    Deliveries(DeliveriesRequest),
    /// The project's jobs.
    Jobs(JobsRequest),
    /// Backups.
    Backup(BackupRequest),
    /// Rows of the audit, newest first.
    AuditList {
        /// Of one of these acts, or of all that begin with one: `story`; empty means all.
        acts: Vec<String>,
        /// About one thing: `story 0199...`.
        subject: Option<String>,
        /// At or after: `2026-11-26T09:00:00Z`.
        since: Option<String>,
        /// At most so many.
        limit: u64,
        /// `de` or `en`.
        language: String,
    },
    /// Any of these, by somebody with a name: what they decide or look at is written to the audit under it.
    By {
        /// Who asks.
        by: String,
        /// Why personal values are to be shown; without one they are masked.
        reason: Option<String>,
        /// What.
        request: Box<AdminRequest>,
    },
    /// Keeps the value of a connection's secret.
    SecretSet {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },
    /// Forgets a connection's secret.
    SecretRemove {
        /// Its name.
        name: String,
    },
    /// Which secrets are kept, and which the connections need.
    SecretList,
    /// The settings as they hold.
    Settings,
    /// How the server is.
    Status,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdminReply {
    /// What was asked for.
    Done(Json),
    /// Why it was not done, in a plain sentence.
    Failed(String),
}

/// Why a command could not be done; a plain sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct AdminError(pub String);

impl AdminRequest {
    /// The language of its texts.
    fn language(&self) -> &str {
        match self {
            Self::StoryLast { language, .. }
            | Self::Story { language, .. }
            | Self::AuditList { language, .. } => language,
            Self::Deliveries(request) => request.language(),
            Self::Jobs(request) => request.language(),
            Self::By { request, .. } => request.language(),
            _ => "en",
        }
    }
}

pub(crate) fn sentence(text: &str) -> String {
    if text.ends_with(['.', '?', '!']) { text.to_owned() } else { format!("{text}.") }
}

/// Does what a command asks.
///
/// # Errors
/// A plain sentence.
pub async fn execute(app: &App, request: AdminRequest) -> Result<Json, AdminError> {
    let language = request.language().to_owned();
    execute_by(app, request).await.map_err(|refused| refused.told(&language))
}

async fn execute_by(app: &App, request: AdminRequest) -> Result<Json, Refusal> {
    let (look, request) = match request {
        AdminRequest::By { by, reason, request } => {
            let told = |no: NoReason| {
                let (de, en) = no.words();
                Refusal::words(en, de)
            };
            let reason = reason.map(|typed| people::reason(&typed).map_err(told)).transpose()?;
            (Look { by: people::command(&by), reason }, *request)
        }
        request => (Look { by: people::command(""), reason: None }, request),
    };
    execute_for(app, &look, request).await
}

async fn execute_for(app: &App, look: &Look, request: AdminRequest) -> Result<Json, Refusal> {
    match request {
        AdminRequest::Keys => {
            let keys = app.auth.keys();
            Ok(json!({ "url": app.base_url, "publishable_key": keys.publishable, "secret_key": keys.secret }))
        }
        AdminRequest::AccountAdd { email, password, roles } => {
            let made = account_add(app, &email, password, &roles).await?;
            note_account(app, look, "account.add", &made, &roles, &[]).await;
            Ok(made)
        }
        AdminRequest::AccountList { limit } => {
            Ok(app.auth.accounts(limit).await?.iter().map(Account::to_json).collect())
        }
        AdminRequest::AccountRole { email, add, remove } => {
            let changed = account_role(app, &email, &add, &remove).await?;
            if !add.is_empty() || !remove.is_empty() {
                note_account(app, look, "account.role", &changed, &add, &remove).await;
            }
            Ok(changed)
        }
        AdminRequest::StoryLast { function, language, depth } => {
            let story = app.engine.story_last(function.as_deref())?;
            let story = story
                .ok_or_else(|| Refusal::words("There is no story yet.", "Es gibt noch keine Geschichte."))?;
            let told = tales::told(app, story, &language, look).await?;
            Ok(tale(&Tale::Story(Box::new(told)), depth))
        }
        AdminRequest::Story { id, language, depth } => {
            let found = tales::named(app, &id, &language, look).await?;
            found.map(|found| tale(&found, depth)).ok_or_else(|| unknown_story(&id))
        }
        AdminRequest::Deliveries(request) => deliveries::execute(app, &look.by, request).await,
        AdminRequest::Jobs(request) => jobs::execute(app, &look.by, request).await,
        AdminRequest::Backup(request) => {
            backups::execute(app, look, request).await.map_err(|AdminError(why)| Refusal::Told(why))
        }
        AdminRequest::AuditList { acts, subject, since, limit, language } => {
            let since = since.as_deref().map(deliveries::moment).transpose()?;
            let wanted = AuditFilter { acts, subject, since, before: None };
            let rows = app.engine.audit(&wanted, limit.min(MOST_AUDIT))?;
            let project = app.project();
            let zone = project.settings.time_zone.as_str();
            let lines: Vec<_> = rows.iter().map(|r| takt_report::audit_line(r, &language, zone)).collect();
            let text = if lines.is_empty() {
                deliveries::words::say(&language, "Nothing was written down.", "Es ist nichts vermerkt.")
                    .to_owned()
            } else {
                lines.join("\n")
            };
            Ok(json!({ "audit": rows, "text": text }))
        }
        // A name inside a name: the outer one has asked.
        AdminRequest::By { request, .. } => Box::pin(execute_for(app, look, *request)).await,
        AdminRequest::SecretSet { name, value } => {
            // What is refused was not done, and the audit must not say so.
            connection_secret_check(&name, &value)?;
            app.engine.note_deed(look.deed("secret.set", format!("secret {name}"))).await?;
            app.auth.connection_secret_set(&name, Zeroizing::new(value)).await?;
            Ok(json!({ "name": name }))
        }
        AdminRequest::SecretRemove { name } => {
            let known = app.auth.connection_secret_names()?;
            if !known.contains(&name) {
                return Err(no_secret(&name, &known));
            }
            app.engine.note_deed(look.deed("secret.remove", format!("secret {name}"))).await?;
            app.auth.connection_secret_remove(&name).await?;
            Ok(json!({ "name": name }))
        }
        AdminRequest::SecretList => secret_list(app),
        AdminRequest::Settings => Ok(json!(Setting::all(&app.project()))),
        AdminRequest::Status => Ok(status(app)),
    }
}

fn no_secret(name: &str, known: &[String]) -> Refusal {
    let near = did_you_mean(name, known.iter().map(String::as_str));
    let near = near.map(|near| format!(" {}{}", near[..1].to_uppercase(), &near[1..])).unwrap_or_default();
    Refusal::Told(format!("There is no secret `{name}`.{near}"))
}

/// Writes down who made an account or changed its rights: `account 0199...: +staff`. It is done already.
async fn note_account(app: &App, look: &Look, act: &str, account: &Json, add: &[String], remove: &[String]) {
    let roles = add.iter().map(|r| format!("+{r}")).chain(remove.iter().map(|r| format!("-{r}")));
    let roles: Vec<String> = roles.collect();
    let id = account["id"].as_str().unwrap_or_default();
    let subject = format!("account {id}: {}", roles.join(" "));
    if let Err(error) = app.engine.note_deed(look.deed(act, subject.trim_end_matches(": ").to_owned())).await
    {
        tracing::error!(%error, "a change of an account was not written to the audit");
    }
}

async fn account_add(
    app: &App,
    email: &str,
    given: Option<String>,
    roles: &[String],
) -> Result<Json, Refusal> {
    let (own, console) = sorted_roles(app, roles)?;
    let made = if given.is_none() { Some(made_up_password()?) } else { None };
    let password = given.as_deref().or(made.as_deref()).unwrap_or_default();
    let mut account = app.auth.account_add(email, password, &own).await?;
    if console.is_some() {
        account = app.auth.account_studio_role_set(email, console).await?;
    }
    let mut account = account.to_json();
    if let Some(made) = made {
        account["password"] = made.into();
    }
    Ok(account)
}

/// 20 letters and digits that cannot be mistaken for each other: 100 bits.
fn made_up_password() -> Result<String, Refusal> {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bytes = [0; 20];
    ring::rand::SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| Refusal::Told("The system gives no random numbers.".to_owned()))?;
    Ok(bytes.iter().map(|b| char::from(LETTERS[usize::from(b % 32)])).collect())
}

/// Gives roles and takes them; those of the console are called `owner`, `developer`, `editor` and `auditor`, and an
/// account has at most one of them.
async fn account_role(app: &App, email: &str, add: &[String], remove: &[String]) -> Result<Json, Refusal> {
    let (own, console) = sorted_roles(app, add)?;
    let account = app.auth.account_find(email).await?;
    let mut account = account.ok_or_else(|| Refusal::Told(format!("There is no account {email}.")))?;
    let has = account.studio_role;
    let taken = has.filter(|role| remove.iter().any(|r| r == role.as_str()));
    if console != has && (console.is_some() || taken.is_some()) {
        account = app.auth.account_studio_role_set(email, console).await?;
    }
    let mut roles: Vec<String> = account.roles.iter().filter(|r| !remove.contains(r)).cloned().collect();
    for role in own {
        if !roles.contains(&role) {
            roles.push(role);
        }
    }
    if roles != account.roles {
        account = app.auth.account_roles_set(email, &roles).await?;
    }
    Ok(account.to_json())
}

/// The project's own roles, and the role in the console. A role that the project calls by a name of the console's is
/// the project's.
fn sorted_roles(app: &App, roles: &[String]) -> Result<(Vec<String>, Option<StudioRole>), Refusal> {
    let project = app.project();
    let known = &project.settings.roles;
    let (own, others): (Vec<String>, Vec<String>) = roles.iter().cloned().partition(|r| known.contains(r));
    let mut console = None;
    for role in &others {
        let Some(found) = StudioRole::parse(role) else { return Err(no_role(role, known)) };
        if console.is_some_and(|before| before != found) {
            return Err(Refusal::Told(
                "An account has one role in the console; name one of them.".to_owned(),
            ));
        }
        console = Some(found);
    }
    Ok((own, console))
}

fn no_role(role: &str, known: &[String]) -> Refusal {
    let console: Vec<_> = StudioRole::ALL.iter().map(|r| r.as_str()).collect();
    let console = console.join(", ");
    Refusal::Told(if known.is_empty() {
        format!(
            "There is no role `{role}`: takt.toml names no roles, and those of the console are: {console}."
        )
    } else {
        format!("There is no role `{role}`; there are: {}; in the console: {console}.", known.join(", "))
    })
}

/// Every secret that is kept or needed: by which connections, and whether it has a value. Never the value.
fn secret_list(app: &App) -> Result<Json, Refusal> {
    let project = app.project();
    let mut names = app.auth.connection_secret_names()?;
    // Subscriptions keep their own, and nobody sets those by hand.
    let connections = || project.connections.iter().filter(|c| c.origin == ConnectionOrigin::File);
    let needed = connections().flat_map(Connection::secrets);
    names.extend(needed.map(str::to_owned));
    names.sort();
    names.dedup();
    let one = |name: &String| {
        let uses = connections().filter(|c| c.secrets().contains(&name.as_str()));
        let uses: Vec<_> = uses.map(|c| c.id.clone()).collect();
        json!({ "name": name, "is_set": app.auth.connection_secret(name).is_some(), "connections": uses })
    };
    Ok(names.iter().map(one).collect())
}

fn unknown_story(name: &str) -> Refusal {
    Refusal::words(
        format!(
            "There is no story {name}; it is the id of a story, a delivery or a delayed job, or the number of something that one of the newest 10,000 wrote."
        ),
        format!(
            "Es gibt keine Geschichte {name}; gemeint ist die Kennung einer Geschichte, einer Zustellung oder einer aufgeschobenen Aufgabe oder die Nummer von etwas, das eine der neuesten 10.000 geschrieben hat."
        ),
    )
}

/// As commands get it: everything for programs, and the text for people.
fn tale(found: &Tale, depth: u8) -> Json {
    let text = found.text(depth);
    match found {
        Tale::Story(told) => {
            let (story, told) = (&told.0, &told.1);
            // Only in a story that was revealed for a reason.
            let input = story.input_json();
            json!({ "story": story, "input": input, "later": told.later, "told": told, "text": text })
        }
        Tale::Delivery(told) => json!({ "delivery": told.0, "told": told.1, "text": text }),
    }
}

fn status(app: &App) -> Json {
    let health = app.engine.health();
    json!({
        "url": app.base_url,
        "process": std::process::id(),
        "version": env!("CARGO_PKG_VERSION"),
        "started_at": takt_model::ValueRef::Timestamp(app.started_at).to_text(),
        "writable": health.writable,
        "durable": health.durable,
        "database_bytes": health.bytes,
        "requests": app.counters(),
    })
}

/// Opens the socket; commands wait from now on. Without it the server runs, but commands must wait until it ends.
pub(crate) fn listen(data_dir: &Path) -> Option<UnixListener> {
    open_socket(data_dir)
        .inspect_err(
            |error| tracing::warn!(%error, "commands cannot reach this server: no socket in the data folder"),
        )
        .ok()
}

/// Removes the socket at the end.
pub(crate) fn remove_socket(data_dir: &Path) {
    let removed = fs::remove_file(data_dir.join(SOCKET));
    if let Err(error) = removed
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(%error, "the socket in the data folder was not removed");
    }
}

fn open_socket(data_dir: &Path) -> io::Result<UnixListener> {
    // We hold the folder's lock: a socket that is there is left over from a process that died.
    remove_socket(data_dir);
    let (path, _folder) = short_path(data_dir)?;
    let listener = UnixListener::bind(&path)?;
    fs::set_permissions(data_dir.join(SOCKET), fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// The name of a socket may have 107 bytes; in a deep folder it is reached through an open handle of the folder.
fn short_path(data_dir: &Path) -> io::Result<(PathBuf, Option<fs::File>)> {
    let path = data_dir.join(SOCKET);
    if path.as_os_str().len() < 100 {
        return Ok((path, None));
    }
    let folder = fs::File::open(data_dir)?;
    Ok((format!("/proc/self/fd/{}/{SOCKET}", folder.as_raw_fd()).into(), Some(folder)))
}

/// Answers commands until the server ends.
pub(crate) async fn answer_all(app: Arc<App>, listener: UnixListener) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let app = Arc::clone(&app);
                tokio::spawn(async move {
                    if let Ok(Err(error)) = tokio::time::timeout(PATIENCE, answer_one(&app, stream)).await {
                        tracing::debug!(%error, "a command left early");
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a command could not be heard");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn answer_one(app: &App, stream: tokio::net::UnixStream) -> io::Result<()> {
    let (reading, mut writing) = stream.into_split();
    let mut line = String::new();
    tokio::io::BufReader::new(reading.take(MOST_BYTES)).read_line(&mut line).await?;
    let reply = match serde_json::from_str::<AdminRequest>(&line) {
        Ok(request) => match execute(app, request).await {
            Ok(done) => AdminReply::Done(done),
            Err(AdminError(why)) => AdminReply::Failed(why),
        },
        Err(_) => AdminReply::Failed(
            "The running server does not know this command; is it of another version?".to_owned(),
        ),
    };
    let mut text = serde_json::to_string(&reply)?;
    text.push('\n');
    writing.write_all(text.as_bytes()).await?;
    writing.shutdown().await
}

/// Asks the server that serves the data folder; `None` if none does.
///
/// # Errors
/// What the server says, or that it does not answer.
pub fn ask(data_dir: &Path, request: &AdminRequest) -> Result<Option<Json>, AdminError> {
    let Ok((path, _folder)) = short_path(data_dir) else { return Ok(None) };
    let Ok(stream) = UnixStream::connect(path) else { return Ok(None) };
    let silent = |e: io::Error| AdminError(format!("The running server does not answer: {e}."));
    let reply = converse(stream, request).map_err(silent)?;
    match reply {
        AdminReply::Done(done) => Ok(Some(done)),
        AdminReply::Failed(why) => Err(AdminError(why)),
    }
}

fn converse(mut stream: UnixStream, request: &AdminRequest) -> io::Result<AdminReply> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut text = serde_json::to_string(request)?;
    text.push('\n');
    stream.write_all(text.as_bytes())?;
    let mut line = String::new();
    BufReader::new(stream.take(MOST_BYTES)).read_line(&mut line)?;
    Ok(serde_json::from_str(&line)?)
}
