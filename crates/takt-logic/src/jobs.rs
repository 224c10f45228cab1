//! Jobs: functions that the clock sets off, by a schedule or after a delay, as actions of their own.
//! Lives here: the task that looks at the clock, and how one job runs. Not here: when a schedule is due
//! (`takt_model::Schedule`), and what the database remembers (engine).
//!
//! Each due moment runs exactly once, and each delayed job has its effect once: what was done is noted in the
//! transaction that did it ([`Once`]), and this task only asks the database what is not noted yet. A crash at any
//! place therefore leaves either a finished job or one that is still due.

use std::{collections::HashMap, sync::Arc, time::Duration};

use serde_json::Value as Json;
use takt_engine::{ActionAnswer, Engine, EngineError, LaterJob, Once};
use takt_model::{Principal, Schedule};

use crate::{
    FunctionKind, Logic, LogicError, Trigger,
    action::{Effect, Work},
};

/// How often the clock is looked at.
const EVERY: Duration = Duration::from_secs(1);
/// Delayed jobs taken at once; the writer serves others in between.
const AT_ONCE: u64 = 100;

/// A job with a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Job<'a> {
    /// Name of the function.
    pub function: &'a str,
    /// When it is due.
    pub schedule: &'a Schedule,
}

impl Logic {
    /// All jobs with a schedule, by name.
    #[must_use]
    pub fn jobs(&self) -> Vec<Job<'_>> {
        self.functions()
            .iter()
            .filter_map(|f| match &f.trigger {
                Trigger::Schedule(schedule) => Some(Job { function: &f.name, schedule }),
                _ => None,
            })
            .collect()
    }

    /// Runs a scheduled job for one due moment, unless that has been done.
    async fn run_due(&self, engine: &Engine, job: Job<'_>, at: i64) -> Result<ActionAnswer, LogicError> {
        let position = self.shared.position(job.function, FunctionKind::Job);
        let position = position.ok_or(LogicError::UnknownFunction)?;
        let once = Once::Due { at, schedule: job.schedule.id() };
        let effect = Effect { once: Some(once), ..Effect::of(Principal::service()) };
        let given = self.shared.functions[position].input.validate(job.function, &Json::Null)?;
        self.run(engine, position, effect, Work::Input(given)).await
    }

    /// Runs a delayed job, unless that has been done.
    async fn run_later(&self, engine: &Engine, job: &LaterJob) -> Result<ActionAnswer, LogicError> {
        let once = Once::Later { id: job.id, attempt: job.attempts + 1, asked_by: job.asked_by };
        let effect = Effect { once: Some(once), ..Effect::of(Principal::service()) };
        let Some(at) = self.shared.position(&job.function, FunctionKind::Job) else {
            // It was there when the job was asked for. Noted as a failed attempt: the next release may bring it back.
            let message = format!("there is no job `{}`", job.function);
            return self.fail(engine, &job.function, effect, "42883", message).await;
        };
        let input = serde_json::from_str(&job.input).unwrap_or_default();
        match self.shared.functions[at].input.validate(&job.function, &input) {
            Ok(given) => self.run(engine, at, effect, Work::Input(given)).await,
            Err(LogicError::BadInput { code, message, .. }) => {
                self.fail(engine, &job.function, effect, code, message).await
            }
            Err(error) => Err(error),
        }
    }
}

/// Looks at the clock and runs what is due.
#[derive(Debug, Default)]
pub struct Scheduler {
    /// By function: what is known of its schedule.
    known: HashMap<String, Known>,
}

#[derive(Debug)]
struct Known {
    schedule: String,
    /// Up to where it has been seen to.
    until: i64,
    /// The next due moment after that.
    next: Option<i64>,
}

impl Scheduler {
    /// Runs everything that is due now, one after the other. Of the moments that a schedule missed while nobody
    /// served, only the latest is made up.
    pub async fn run_due(&mut self, logic: &Logic, engine: &Engine) {
        for job in logic.jobs() {
            match self.due(engine, job).await {
                Ok(Some(at)) => {
                    told(job.function, logic.run_due(engine, job, at).await);
                    // The database knows what became of it.
                    self.known.remove(job.function);
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(%error, job = job.function, "what is due could not be found out")
                }
            }
        }
        match engine.later_due(engine.now(), AT_ONCE) {
            Ok(due) => {
                for job in due {
                    told(&job.function, logic.run_later(engine, &job).await);
                }
            }
            Err(error) => tracing::warn!(%error, "delayed jobs could not be read"),
        }
    }

    async fn due(&mut self, engine: &Engine, job: Job<'_>) -> Result<Option<i64>, EngineError> {
        let id = job.schedule.id();
        if self.known.get(job.function).is_none_or(|known| known.schedule != id) {
            let until = engine.job_seen_until(job.function, &id).await?;
            let next = job.schedule.next_after(until);
            self.known.insert(job.function.to_owned(), Known { schedule: id, until, next });
        }
        let now = engine.now();
        Ok(match self.known.get(job.function) {
            Some(Known { until, next: Some(next), .. }) if *next <= now => job.schedule.latest(*until, now),
            _ => None,
        })
    }
}

fn told(function: &str, ended: Result<ActionAnswer, LogicError>) {
    match ended {
        Ok(answer) if answer.refused => {
            tracing::warn!(function, story = %answer.story, "the job was refused by its own rules");
        }
        Ok(answer) => tracing::info!(function, story = %answer.story, "the job is done"),
        Err(LogicError::Failed { code, message, position }) => {
            let error = message.as_str();
            tracing::error!(function, code, error, position = position.as_deref(), "the job failed");
        }
        Err(error) => tracing::error!(function, %error, "the job failed"),
    }
}

/// Runs what is due for as long as the task lives. `logic` gives the functions that are served now.
pub async fn keep_time(logic: impl Fn() -> Arc<Logic>, engine: Engine) {
    let mut scheduler = Scheduler::default();
    loop {
        scheduler.run_due(&logic(), &engine).await;
        tokio::time::sleep(EVERY).await;
    }
}
