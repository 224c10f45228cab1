//! When a backup and a drill are due by themselves. What was done is asked of the database, so a restart changes
//! nothing; of what was missed while nobody served, one is made up for.

use std::{sync::Arc, time::Duration};

use takt_backup::History;
use takt_engine::EngineError;
use takt_model::Schedule;

use super::{instance, keep, work::Task};
use crate::app::App;

/// How often the clock is looked at.
const EVERY: Duration = Duration::from_secs(10);
/// A start has other things to do first.
const AFTER_START: i64 = 60 * SECOND;
/// When a backup that failed is tried again.
const AGAIN: i64 = 3_600 * SECOND;
const SECOND: i64 = 1_000_000;

/// What was done last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Done {
    /// The last try.
    tried_at: Option<i64>,
    /// Whether it failed.
    failed: bool,
}

/// Whether something is due.
fn is_due(schedule: &str, time_zone: &str, done: Done, now: i64) -> bool {
    // A schedule that says nothing was reported when the project was read.
    let Ok(schedule) = Schedule::read(schedule, time_zone) else { return false };
    match done.tried_at {
        None => true,
        Some(at) if done.failed && now - at >= AGAIN => true,
        Some(at) => schedule.latest(at, now).is_some(),
    }
}

/// Looks at the clock for as long as the task lives.
pub(crate) async fn keep_time(app: Arc<App>) {
    if app.dev {
        return;
    }
    loop {
        tokio::time::sleep(EVERY).await;
        if app.engine.now() - app.started_at < AFTER_START || app.backups.is_running() {
            continue;
        }
        if let Err(error) = begin_what_is_due(&app) {
            tracing::warn!(%error, "whether a backup is due could not be found out");
        }
    }
}

fn begin_what_is_due(app: &App) -> Result<(), EngineError> {
    let project = app.project();
    let (settings, zone) = (&project.settings.backup, project.settings.time_zone.as_str());
    let history = History::of(&app.engine);
    let now = app.engine.now();
    let backups = history.backups(1)?;
    let last = backups.first();
    let backup = Done { tried_at: last.map(|b| b.at), failed: last.is_some_and(|b| b.fault.is_some()) };
    if is_due(&settings.schedule, zone, backup, now) {
        let _busy =
            app.backups.start(Task::BackUp { instance: instance(app), keep: keep(&project) }, "en", zone);
        return Ok(());
    }
    let drills = history.drills(1)?;
    let last = drills.first();
    let drill = Done { tried_at: last.map(|d| d.at), failed: last.is_some_and(|d| d.fault.is_some()) };
    // Before there is a backup a drill could only fail.
    if backup.tried_at.is_some() && is_due(&settings.drill, zone, drill, now) {
        let task =
            Task::Drill { instance: instance(app), snapshot: None, key: None, layers: app.layers.clone() };
        let _busy = app.backups.start(task, "en", zone);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn what_was_never_done_is_due_and_what_was_missed_is_made_up_once() {
        let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_microsecond();
        let done = |text: &str, failed: bool| Done { tried_at: Some(at(text)), failed };
        for (schedule, before, now, expected) in [
            ("30 2 * * *", Done::default(), "2026-11-27T12:00:00Z", true),
            ("", Done::default(), "2026-11-27T12:00:00Z", false),
            ("no schedule", Done::default(), "2026-11-27T12:00:00Z", false),
            ("30 2 * * *", done("2026-11-27T01:30:10Z", false), "2026-11-27T12:00:00Z", false),
            ("30 2 * * *", done("2026-11-27T01:30:10Z", false), "2026-11-28T01:29:00Z", false),
            // 02:30 in Berlin.
            ("30 2 * * *", done("2026-11-27T01:30:10Z", false), "2026-11-28T01:30:00Z", true),
            // A week off.
            ("30 2 * * *", done("2026-11-20T01:30:10Z", false), "2026-11-27T12:00:00Z", true),
            ("30 2 * * *", done("2026-11-27T01:30:10Z", true), "2026-11-27T02:00:00Z", false),
            ("30 2 * * *", done("2026-11-27T01:30:10Z", true), "2026-11-27T02:30:10Z", true),
        ] {
            assert_eq!(
                is_due(schedule, "Europe/Berlin", before, at(now)),
                expected,
                "{schedule} {before:?} {now}"
            );
        }
    }
}
