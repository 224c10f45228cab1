//! The facts that a report stands on, collected once. Plain data: a test can write one by hand.
//! Lives here: what was seen. Not here: how it is read (`collect`), what it means (`checks`).

use std::{sync::Arc, time::Duration};

use takt_engine::{Release, RequestMinute, Story};
use takt_model::{Project, Words};

/// A fact, or in one sentence for the technician why it could not be seen.
pub type Fact<T> = Result<T, String>;

/// All facts of one moment.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// When they were collected: microseconds since 1970 UTC.
    pub at: i64,
    /// The project that is served.
    pub project: Arc<Project>,
    /// How many rows each of the project's tables has.
    pub counts: Fact<Vec<TableCount>>,
    /// What a scan of every reference found.
    pub links: Fact<Vec<LinkFact>>,
    /// What a scan for duplicates in key-like fields found.
    pub doubles: Fact<Vec<DoubleFact>>,
    /// Fields that look personal and carry no flag.
    pub suspects: Fact<Vec<Suspect>>,
    /// Rows that are older than their table's `keep`.
    pub overdue: Fact<Vec<OverdueFact>>,
    /// How the database is.
    pub store: Fact<StoreFacts>,
    /// How passwords are kept.
    pub passwords: Fact<Passwords>,
    /// Who may do more than a customer.
    pub accounts: Fact<Accounts>,
    /// Recorded starts, newest first.
    pub releases: Fact<Vec<Release>>,
    /// Request outcomes of the last 28 days, oldest first.
    pub minutes: Fact<Vec<RequestMinute>>,
    /// The newest stories.
    pub stories: Fact<Vec<Story>>,
    /// Other systems that were called.
    pub partners: Fact<Vec<Dependency>>,
    /// How the connections to other systems are.
    pub connections: Fact<Vec<ConnectionFact>>,
    /// How the backups are.
    pub backups: Fact<BackupFacts>,
    /// What the project folder holds besides tables.
    pub parts: Fact<Parts>,
    /// What lies in the public folder.
    pub front: Fact<FrontFacts>,
}

/// Rows of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableCount {
    /// Table name.
    pub table: String,
    /// Rows.
    pub rows: u64,
}

/// What a scan of one reference found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkFact {
    /// Table that points.
    pub table: String,
    /// Field that points.
    pub field: String,
    /// Where to.
    pub target: String,
    /// Rows that point somewhere.
    pub checked: u64,
    /// Of these, rows whose target is gone.
    pub broken: u64,
}

/// What a scan for duplicates found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoubleFact {
    /// Table name.
    pub table: String,
    /// Field that looks like a key and is not unique.
    pub field: String,
    /// Values looked at.
    pub checked: u64,
    /// Values that stood there before.
    pub doubles: u64,
}

/// Rows older than their period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverdueFact {
    /// Table name.
    pub table: String,
    /// The period as written: `3 years`.
    pub keep: String,
    /// The field that tells the age.
    pub field: String,
    /// Rows past the period.
    pub rows: u64,
    /// Of these, rows past it by more than 30 days.
    pub long_past: u64,
}

/// A field that looks personal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspect {
    /// Table name.
    pub table: String,
    /// Field name.
    pub field: String,
    /// Kind of personal data: `contact`, `name`, ...
    pub kind: String,
    /// What gave it away.
    pub reason: SuspectReason,
}

/// What gave a personal field away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SuspectReason {
    /// Its name.
    Name,
    /// So many of so many sampled values.
    Values {
        /// Values that look personal.
        hits: u64,
        /// Values sampled.
        of: u64,
    },
}

/// The database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreFacts {
    /// `SQLite 3.54.1`
    pub engine: String,
    /// Whether it runs inside this process, without a port of its own.
    pub embedded: bool,
    /// Whether acknowledged writes survive a power cut.
    pub durable: bool,
    /// Whether writes are accepted.
    pub writable: bool,
    /// Bytes of the database.
    pub bytes: u64,
    /// Whether the data folder lies inside the public folder.
    pub inside_public: bool,
}

/// Stored passwords.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passwords {
    /// Accounts with a password.
    pub total: u64,
    /// Of these, kept as argon2id with at least 19 MiB.
    pub argon2id: u64,
}

/// Accounts with more rights than a customer, and how one signs in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accounts {
    /// Accounts with a studio or project role.
    pub administrators: u64,
    /// Of these, with a second factor.
    pub with_second_factor: u64,
    /// Of these, not seen for 90 days; `None` if nobody notes it.
    pub unused: Option<u64>,
    /// Whether a session ends by itself without use.
    pub sessions_end: bool,
    /// Whether wrong passwords lock an account for a while.
    pub lock_out: bool,
}

/// Another system that was called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// Host name.
    pub host: String,
    /// What for.
    pub purpose: String,
    /// How often since the process started.
    pub calls: u64,
}

/// How a connection to another system is; filled by whoever knows its deliveries. Moments are microseconds since
/// 1970 UTC.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConnectionFact {
    /// What people call it.
    pub name: Words,
    /// Whether another system is on the other side; own functions get deliveries too.
    pub is_partner: bool,
    /// Whether a person has stopped it.
    pub is_paused: bool,
    /// How long the business can bear an outage, as written: `8h`.
    pub bearable: Option<String>,
    /// The same in microseconds.
    pub bearable_micros: Option<i64>,
    /// When it answered as it should for the last time: to a message, or to the question whether it is well.
    pub last_ok_at: Option<i64>,
    /// When a message passed last, in either direction; only then is anything held against a contract.
    pub last_message_at: Option<i64>,
    /// When something failed last.
    pub last_failed_at: Option<i64>,
    /// Deliveries that wait.
    pub waiting: u64,
    /// When the oldest of them came up.
    pub oldest_waiting_at: Option<i64>,
    /// Dead letters.
    pub dead: u64,
    /// Deliveries of which nobody knows whether they arrived.
    pub asking: u64,
    /// When the oldest dead letter or question came up.
    pub oldest_dead_at: Option<i64>,
    /// Since when it does not answer the question whether it is well as it should.
    pub unwell_since: Option<i64>,
    /// What comparing both sides gave; none if that is not declared or not set up.
    pub reconciled: Option<ReconciledFact>,
    /// Operations of which it is agreed what their messages look like.
    pub contracts: u64,
    /// How messages differed from that.
    pub drifts: Vec<DriftFact>,
}

/// What comparing with another system gave. Moments are microseconds since 1970 UTC.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReconciledFact {
    /// When both sides were really compared last.
    pub compared_at: Option<i64>,
    /// Whether the newest try failed, or its answer was not believed.
    pub last_failed: bool,
    /// What was expected there.
    pub expected: u64,
    /// What does not agree and was not made up for.
    pub open: u64,
}

/// How messages of a partner differ from what is agreed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DriftFact {
    /// In one sentence.
    pub what: Words,
    /// Whether it breaks the contract and waits for a decision.
    pub open: bool,
    /// When it was seen first.
    pub first_seen: i64,
    /// When it was seen last.
    pub last_seen: i64,
}

impl ConnectionFact {
    /// What people of a language call it.
    #[must_use]
    pub fn called(&self, language: &str) -> &str {
        self.name.get(language).unwrap_or_default()
    }

    /// When the oldest thing came up that has not arrived.
    #[must_use]
    pub fn oldest_at(&self) -> Option<i64> {
        [self.oldest_waiting_at, self.oldest_dead_at].into_iter().flatten().min()
    }

    /// Whether something waits and the last attempt failed, or it says itself that it is not well.
    #[must_use]
    pub fn is_down(&self) -> bool {
        self.unwell_since.is_some()
            || (self.oldest_waiting_at.is_some() && self.last_failed_at > self.last_ok_at)
    }

    /// Whether it has been down for longer than the business can bear. Counted from what waits, not from the last
    /// success: silence before that was no outage.
    #[must_use]
    pub fn is_down_too_long(&self, now: i64) -> bool {
        let waits_since = self.oldest_waiting_at.map(|at| at.max(self.last_ok_at.unwrap_or(at)));
        let since = [waits_since, self.unwell_since].into_iter().flatten().min().map(|at| now - at);
        self.is_down() && self.bearable_micros.zip(since).is_some_and(|(most, since)| since > most)
    }
}

/// How the backups are; filled by whoever makes them. Moments are microseconds since 1970 UTC.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BackupFacts {
    /// When the last complete one was made.
    pub last_at: Option<i64>,
    /// Rows in it.
    pub rows: u64,
    /// Bytes of its files.
    pub bytes: u64,
    /// Why the newest try failed, if it did.
    pub last_fault: Option<String>,
    /// Where it is kept.
    pub place: Option<BackupPlace>,
    /// Whether the owner has a key of their own.
    pub owner_has_key: bool,
    /// When that key last opened one in a trial.
    pub owner_key_tried_at: Option<i64>,
    /// The newest trial restore.
    pub last_drill: Option<BackupDrillFact>,
    /// Within which time the system must be back, if that is agreed.
    pub return_within: Option<Duration>,
}

/// Where backups are kept, seen from the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackupPlace {
    /// On the same disk.
    SameDisk,
    /// On another disk of the same machine.
    OtherDisk,
    /// On another machine.
    Network,
    /// It cannot be told.
    Unknown,
}

/// A trial restore.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BackupDrillFact {
    /// When.
    pub at: i64,
    /// When the backup was made that was tried.
    pub backup_at: Option<i64>,
    /// What was wrong; none if all was there.
    pub fault: Option<String>,
    /// From the empty folder to a database that opens.
    pub milliseconds: u64,
    /// The table that people count by.
    pub table: Option<String>,
    /// Its rows, as many as should be there.
    pub rows: u64,
    /// Its newest row.
    pub newest_at: Option<i64>,
}

/// Parts of the project folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parts {
    /// Labels or names of functions that are one transaction.
    pub actions: Vec<String>,
    /// Files in `flows/`: mediators.
    pub flows: Vec<String>,
    /// Files in `interfaces/`: declared connections, by name.
    pub interfaces: Vec<String>,
    /// Hosts that the declared connections name.
    pub declared_hosts: Vec<String>,
}

/// The public folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FrontFacts {
    /// Files looked at.
    pub files: u64,
    /// Whether everything was looked at.
    pub complete: bool,
    /// Files that must not lie there, by path.
    pub confidential: Vec<String>,
    /// Access keys found in files: path and kind of key, never the key.
    pub secrets: Vec<(String, String)>,
}
