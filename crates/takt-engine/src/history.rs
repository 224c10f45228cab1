//! History from the first day: releases and request outcomes, which no later report could make up.

use takt_model::{CompareOp, Principal, Value};
use takt_plan::{Direction, On};

use crate::{Engine, EngineError, EngineTx};

const RELEASES: &str = "takt.releases";
const MINUTES: &str = "takt.request_minutes";

/// One start with a changed project, schema, binary or setting.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Release {
    /// Microseconds since 1970 UTC.
    pub at: i64,
    /// Fingerprint of all project files.
    pub project: String,
    /// Fingerprint of the schema.
    pub schema: String,
    /// Version and fingerprint of the binary.
    pub binary: String,
    /// Fingerprint of the settings.
    pub settings: String,
    /// Commit of the folder, if it is a git checkout.
    pub commit: Option<String>,
    /// Seconds between the last sign of life and this start.
    pub not_serving_seconds: Option<i64>,
    /// Whether the state is one that was served before the previous one (a roll-back).
    pub came_back: bool,
}

/// Request outcomes of one minute.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestMinute {
    /// Minutes since 1970 UTC.
    pub minute: i64,
    /// Answered below 500.
    pub succeeded: u64,
    /// Answered 500 and above.
    pub failed: u64,
    /// How many took up to 1, 2, 4, ... 2^14 milliseconds, and longer (16 buckets).
    pub latency: [u64; 16],
}

const RELEASE_FIELDS: [&str; 8] =
    ["at", "project", "schema", "binary", "settings", "commit", "not_serving_seconds", "came_back"];

impl Release {
    /// Whether the same project, schema, binary and settings were served.
    #[must_use]
    pub fn is_same_state(&self, other: &Self) -> bool {
        (&self.project, &self.schema, &self.binary, &self.settings)
            == (&other.project, &other.schema, &other.binary, &other.settings)
    }

    fn from_row(row: Vec<Value>) -> Option<Self> {
        let mut row = row.into_iter();
        let text = |v: Option<Value>| match v? {
            Value::Text(t) => Some(t),
            _ => None,
        };
        let Some(Value::Timestamp(at)) = row.next() else { return None };
        Some(Self {
            at,
            project: text(row.next())?,
            schema: text(row.next())?,
            binary: text(row.next())?,
            settings: text(row.next())?,
            commit: text(row.next()),
            not_serving_seconds: match row.next() {
                Some(Value::Integer(seconds)) => Some(seconds),
                _ => None,
            },
            came_back: row.next() == Some(Value::Boolean(true)),
        })
    }
}

impl RequestMinute {
    fn add(&mut self, other: &Self) {
        self.succeeded += other.succeeded;
        self.failed += other.failed;
        for (mine, theirs) in self.latency.iter_mut().zip(other.latency) {
            *mine += theirs;
        }
    }

    fn from_row(row: &[Value]) -> Option<Self> {
        let [Value::Integer(minute), Value::Integer(succeeded), Value::Integer(failed), Value::Json(latency)] =
            row
        else {
            return None;
        };
        Some(Self {
            minute: *minute,
            succeeded: u64::try_from(*succeeded).ok()?,
            failed: u64::try_from(*failed).ok()?,
            latency: serde_json::from_str(latency).ok()?,
        })
    }

    fn values(&self) -> Vec<(&'static str, Value)> {
        let number = |n: u64| Value::Integer(i64::try_from(n).unwrap_or(i64::MAX));
        vec![
            ("succeeded", number(self.succeeded)),
            ("failed", number(self.failed)),
            ("latency", Value::Json(serde_json::json!(self.latency).to_string())),
        ]
    }
}

impl Engine {
    /// Writes a release record if something changed since the last one; returns it then.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub fn record_start(&self, release: Release) -> Result<Option<Release>, EngineError> {
        self.transact_blocking(move |tx| {
            let before = releases(tx, 1000)?;
            if before.first().is_some_and(|last| last.is_same_state(&release)) {
                return Ok(None);
            }
            let mut release = release.clone();
            release.came_back = before.iter().skip(1).any(|r| r.is_same_state(&release));
            let plan = tx.on(RELEASES)?.insert(vec![
                ("at", Value::Timestamp(release.at)),
                ("project", Value::Text(release.project.clone())),
                ("schema", Value::Text(release.schema.clone())),
                ("binary", Value::Text(release.binary.clone())),
                ("settings", Value::Text(release.settings.clone())),
                ("commit", release.commit.clone().map_or(Value::Null, Value::Text)),
                ("not_serving_seconds", release.not_serving_seconds.map_or(Value::Null, Value::Integer)),
                ("came_back", Value::Boolean(release.came_back)),
            ])?;
            tx.rows(&Principal::system("history: record release"), plan)?;
            Ok(Some(release))
        })
    }

    /// All releases, newest first.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub fn releases(&self, limit: u64) -> Result<Vec<Release>, EngineError> {
        self.look_up(|tx| releases(tx, limit))
    }

    /// Adds counts to their minutes, and deletes answers whose idempotency keys have expired and jobs that
    /// were done long ago.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub async fn record_minutes(&self, minutes: Vec<RequestMinute>) -> Result<(), EngineError> {
        self.transact(move |tx| {
            let who = Principal::system("history: count requests");
            let on = tx.on(MINUTES)?;
            for counted in &minutes {
                let this = on.eq("minute", Value::Integer(counted.minute))?;
                let before = minutes_where(tx, on, Some(this.clone()))?.pop();
                let plan = match before {
                    Some(mut sum) => {
                        sum.add(counted);
                        on.update(this, sum.values())?
                    }
                    None => {
                        let mut values = counted.values();
                        values.push(("minute", Value::Integer(counted.minute)));
                        on.insert(values)?
                    }
                };
                tx.rows(&who, plan)?;
            }
            // Once a minute is a good time to forget what need not be kept.
            crate::action::forget_expired_answers(tx)?;
            crate::jobs::forget_done_jobs(tx)
        })
        .await
    }

    /// The recorded minutes since `minute`, oldest first.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub fn minutes_since(&self, minute: i64) -> Result<Vec<RequestMinute>, EngineError> {
        self.look_up(|tx| {
            let on = tx.on(MINUTES)?;
            let since = on.compare("minute", CompareOp::Ge, Value::Integer(minute))?;
            minutes_where(tx, on, Some(since))
        })
    }
}

fn releases(tx: &EngineTx, limit: u64) -> Result<Vec<Release>, EngineError> {
    let newest = [("at", Direction::Descending), ("id", Direction::Descending)];
    let plan = tx.on(RELEASES)?.read(&RELEASE_FIELDS, None, &newest, Some(limit))?;
    let (rows, _) = tx.rows(&Principal::system("history: read releases"), plan)?;
    Ok(rows.rows.into_iter().filter_map(Release::from_row).collect())
}

fn minutes_where(
    tx: &EngineTx,
    on: On<'_>,
    filter: Option<takt_model::Expr>,
) -> Result<Vec<RequestMinute>, EngineError> {
    let order = [("minute", Direction::Ascending)];
    let plan = on.read(&["minute", "succeeded", "failed", "latency"], filter, &order, None)?;
    let (rows, _) = tx.rows(&Principal::system("history: read minutes"), plan)?;
    Ok(rows.rows.iter().filter_map(|row| RequestMinute::from_row(row)).collect())
}
