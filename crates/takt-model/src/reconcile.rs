//! What is compared with the other side of a connection: `[reconcile]` of its file.
//! Lives here: what a comparison is. Not here: how it is read (`read/connection/reconcile.rs`), how it is done
//! (`takt-interfaces`).

use std::time::Duration;

use crate::{Connect, ExportRef, Expr, FieldId, Schedule, Source, TableId, Words};

/// What both sides should agree about, how often that is looked at, and what is done about what is missing.
#[derive(Debug, Clone, PartialEq)]
pub struct Reconcile {
    /// How often, or when.
    pub rhythm: Rhythm,
    /// How far back each look goes; longer than the longest pause, so that nothing falls between two.
    pub window: Duration,
    /// What is younger is still on its way and not missing.
    pub grace: Duration,
    /// Which function asks what they have: `logic/payment.ts` and `payments`.
    pub theirs: ExportRef,
    /// What we have.
    pub ours: Ours,
    /// What is done about what they have and we do not.
    pub missing_here: MissingHere,
    /// What is done about what we have and they do not.
    pub missing_there: MissingThere,
    /// How they are reached, where the connection itself only receives.
    pub connect: Option<Connect>,
    /// Where it stands.
    pub source: Source,
}

/// When both sides are compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rhythm {
    /// So long after the last one: `every = "1h"`.
    Every(Duration),
    /// As jobs are due: `schedule = "30 3 * * *"`, `time_zone = "Europe/Berlin"`.
    Schedule(Schedule),
}

impl Rhythm {
    /// When the next one is due after one that began at `moment`; both are microseconds since 1970 UTC. Of a schedule
    /// that never comes again, the end of time.
    #[must_use]
    pub fn next_after(&self, moment: i64) -> i64 {
        match self {
            Self::Every(pause) => moment.saturating_add(micros(*pause)),
            Self::Schedule(schedule) => schedule.next_after(moment).unwrap_or(i64::MAX),
        }
    }

    /// The longest pause between two.
    #[must_use]
    pub fn longest_pause(&self) -> Duration {
        match self {
            Self::Every(pause) => *pause,
            Self::Schedule(schedule) => schedule
                .longest_pause()
                .and_then(|pause| u64::try_from(pause).ok())
                .map_or(Duration::MAX, Duration::from_micros),
        }
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// Our side of a comparison: rows of one table.
#[derive(Debug, Clone, PartialEq)]
pub struct Ours {
    /// The table.
    pub table: TableId,
    /// The field whose value they know too: the number of an order.
    pub key: FieldId,
    /// When a row came up.
    pub at: FieldId,
    /// Rows that have on our side what they report; all if nothing is said.
    pub holds: Expr,
    /// The same as it was written.
    pub holds_text: Option<String>,
    /// Rows that they must know.
    pub expected: Expr,
    /// The same as it was written.
    pub expected_text: Option<String>,
    /// Fields whose values must agree.
    pub same: Vec<FieldId>,
    /// What must be so on both sides or on neither: an order that is cancelled here is cancelled there.
    pub states: Vec<SharedState>,
}

/// Something that is so or not, which both sides say in words of their own.
#[derive(Debug, Clone, PartialEq)]
pub struct SharedState {
    /// The name under which they tell it, `true` or `false`: `cancelled`.
    pub name: String,
    /// What people call it.
    pub label: Words,
    /// Rows of ours that are so.
    pub when: Expr,
    /// The same as it was written.
    pub when_text: String,
}

/// What is done about what they have and we do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MissingHere {
    /// The message that did not come is handled as though it had.
    Receive,
    /// As [`Self::Receive`], once a person says so.
    Offer,
    /// It is told.
    #[default]
    Report,
}

/// What is done about what we have and they do not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum MissingThere {
    /// This operation delivers it again.
    Send(String),
    /// As [`Self::Send`], once a person says so.
    Offer(String),
    /// It is told.
    #[default]
    Report,
}

impl MissingThere {
    /// The operation that delivers it again.
    #[must_use]
    pub fn operation(&self) -> Option<&str> {
        match self {
            Self::Send(operation) | Self::Offer(operation) => Some(operation),
            Self::Report => None,
        }
    }
}
