//! Reads what the instance knows about itself. The only part of the report that reads anything.
//!
//! Data is read through plans on behalf of the product itself, bounded in rows and (by the store) in time; files
//! are read bounded in number and size. What fails becomes an unknown fact with its reason, never a good one.
//! Runs off the request threads: the scans may take a while and the folders are read blocking.

mod data;
mod files;
mod names;

use std::path::Path;

use takt_auth::{Account, Auth};
use takt_engine::{Engine, Story};
use takt_logic::{FunctionKind, Logic};
use takt_model::{Connect, Connection, ConnectionAuth, Principal, Project};
use takt_outbound::{Outbound, host_of_address};

use crate::{
    evidence::{
        Accounts, BackupFacts, ConnectionFact, Dependency, Evidence, Fact, Parts, Passwords, StoreFacts,
    },
    history::DAY,
};

pub use names::row_names;

/// On whose behalf the report reads.
pub(crate) const WHO: &str = "report: collect evidence";
/// Days of request history that checks look at.
const HISTORY_DAYS: i64 = 28;
/// Stories that are looked at.
const STORIES: u64 = 200;
/// Recorded starts that are looked at.
const RELEASES: u64 = 1000;
/// Accounts that are looked at.
const ACCOUNTS: u64 = 10_000;
/// An account that nobody signed in to for so many days is unused.
const UNUSED_DAYS: i64 = 90;

/// The rooms and folders that are looked at.
pub struct Rooms<'a> {
    /// Data and history.
    pub engine: &'a Engine,
    /// Accounts and keys.
    pub auth: &'a Auth,
    /// The project's functions.
    pub logic: &'a Logic,
    /// Calls to the outside.
    pub outbound: &'a Outbound,
    /// How the connections are; the report may not look at deliveries itself.
    pub connections: Fact<Vec<ConnectionFact>>,
    /// How the backups are; the report does not look at them itself.
    pub backups: Fact<BackupFacts>,
    /// The project folder.
    pub project_dir: &'a Path,
    /// The data folder.
    pub data_dir: &'a Path,
}

/// Collects the facts of this moment.
pub async fn collect(rooms: &Rooms<'_>) -> Evidence {
    let engine = rooms.engine;
    let project = engine.project();
    let at = engine.now();
    let first_minute = (at - HISTORY_DAYS * DAY) / 60_000_000;
    Evidence {
        at,
        counts: data::counts(engine, &project).await,
        links: data::links(engine, &project).await,
        doubles: data::doubles(engine, &project).await,
        suspects: data::suspects(engine, &project).await,
        overdue: data::overdue(engine, &project, at).await,
        store: Ok(store(rooms)),
        passwords: passwords(rooms.auth).await,
        accounts: accounts(rooms.auth, &project, at).await,
        releases: engine.releases(RELEASES).map_err(|e| e.to_string()),
        minutes: engine.minutes_since(first_minute).map_err(|e| e.to_string()),
        stories: engine.stories(STORIES).map_err(|e| e.to_string()),
        partners: Ok(partners(rooms.outbound)),
        connections: rooms.connections.clone(),
        backups: rooms.backups.clone(),
        parts: parts(rooms, &project),
        front: files::front(&rooms.project_dir.join("public"), &rooms.auth.keys().secret),
        project,
    }
}

/// The principal of all reads of the report.
pub(crate) fn who() -> Principal {
    Principal::system(WHO)
}

fn store(rooms: &Rooms<'_>) -> StoreFacts {
    let health = rooms.engine.health();
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    StoreFacts {
        engine: format!("SQLite {}", health.engine_version),
        // The only store so far; the others will say so themselves.
        embedded: true,
        durable: health.durable,
        writable: health.writable,
        bytes: health.bytes,
        inside_public: real(rooms.data_dir).starts_with(real(&rooms.project_dir.join("public"))),
    }
}

async fn passwords(auth: &Auth) -> Fact<Passwords> {
    let found = auth.password_evidence().await.map_err(|e| e.to_string())?;
    Ok(Passwords { total: found.total, argon2id: found.argon2id })
}

async fn accounts(auth: &Auth, project: &Project, at: i64) -> Fact<Accounts> {
    let all = auth.accounts(ACCOUNTS).await.map_err(|e| e.to_string())?;
    let administrators: Vec<_> =
        all.iter().filter(|a| !a.roles.is_empty() || a.studio_role.is_some()).collect();
    let is_unused = |a: &&&Account| at - a.last_sign_in_at.unwrap_or(a.created_at) > UNUSED_DAYS * DAY;
    let settings = &project.settings.auth;
    Ok(Accounts {
        administrators: administrators.len() as u64,
        // There is no second factor to have yet.
        with_second_factor: 0,
        unused: Some(administrators.iter().filter(is_unused).count() as u64),
        sessions_end: !settings.session_idle.is_zero(),
        lock_out: settings.attempts_per_account > 0,
    })
}

fn partners(outbound: &Outbound) -> Vec<Dependency> {
    outbound
        .dependencies()
        .into_iter()
        .map(|d| Dependency { host: d.host, purpose: d.purpose, calls: d.calls })
        .collect()
}

fn parts(rooms: &Rooms<'_>, project: &Project) -> Fact<Parts> {
    let actions = rooms.logic.functions().iter().filter(|f| f.kind == FunctionKind::Action);
    Ok(Parts {
        actions: actions.map(|f| f.name.clone()).collect(),
        flows: files::names(&rooms.project_dir.join("flows"))?,
        interfaces: files::names(&rooms.project_dir.join("interfaces"))?,
        declared_hosts: declared_hosts(&project.connections),
    })
}

/// The hosts of all connections as calls to them are counted: those of files and of subscriptions, where the
/// environment sends them, where tokens are made and where the other side is asked for a comparison.
fn declared_hosts(connections: &[Connection]) -> Vec<String> {
    let connects = |c: &'_ Connection| {
        let asked = c.reconcile.as_ref().and_then(|r| r.connect.clone());
        std::iter::once(c.connect.clone()).chain(asked)
    };
    let addresses = |connect: Connect| {
        let token = match connect.auth {
            ConnectionAuth::OAuth2 { token_url, .. } => Some(token_url),
            _ => None,
        };
        std::iter::once(connect.address).chain(token)
    };
    let all = connections.iter().flat_map(connects).flat_map(addresses);
    let mut hosts: Vec<String> = all.filter_map(|address| host_of_address(&address)).collect();
    hosts.sort();
    hosts.dedup();
    hosts
}

/// The tables and keys of all rows that a story wrote, each once.
pub(crate) fn rows_of(story: &Story) -> Vec<(String, String)> {
    let steps = story.steps.iter().flat_map(|s| &s.changes);
    let mut rows: Vec<(String, String)> = Vec::new();
    for change in steps.chain(&story.changes) {
        let row = (change.table.clone(), change.key.clone());
        if !rows.contains(&row) {
            rows.push(row);
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use takt_model::{Project, ProjectFiles};

    use super::declared_hosts;

    #[test]
    fn declared_hosts_are_named_as_calls_to_them_are_counted() {
        const HEAD: &str = "purpose = \"x\"\npartner = { name = \"x\" }\nowner = \"x\"\noutage = { en = \"x\" }\ndata = []\n";
        let file = |connect: &str| format!("{HEAD}[connect]\n{connect}");
        let rest = file(
            "protocol = \"rest\"\nbase = \"https://ERP.example:8443/api\" # once http://old.example\n\
             auth = { kind = \"oauth2-cc\", token_url = \"https://id.example/t\", client_id = \"a\", secret = \"b\" }",
        );
        let mail = file("protocol = \"smtp\"\nbase = \"mail.example:587\"\nfrom = \"a@b.example\"");
        let usual = file("protocol = \"webhook-out\"\nbase = \"https://in.example:443/hook\"");
        let takt = "name = \"Test\"\nlanguages = [\"en\"]\n";
        let files = ProjectFiles::from([
            ("takt.toml", takt),
            ("interfaces/erp.toml", rest.as_str()),
            ("interfaces/mail.toml", mail.as_str()),
            ("interfaces/usual.toml", usual.as_str()),
        ]);
        let (project, _) = Project::parse(&files, &[]);
        let hosts = declared_hosts(&project.connections);
        assert_eq!(hosts, ["erp.example:8443", "id.example", "in.example", "mail.example:587"]);
    }
}
