//! The project's jobs as people see them: when each runs next, how the last run ended, what waits and what has failed;
//! and what they decide about them.
//! Lives here: the facts and their words, once for the console and the terminal. Not here: running jobs (`takt-logic`).

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use takt_engine::{Actor, Deed, EngineError, JobRun, LaterJob, LaterJobChange, StoryResult};
use takt_logic::Trigger;
use takt_model::Uuid;
use takt_report::format;

use crate::{
    admin::refusal::Refusal,
    app::App,
    deliveries::{self, words::say},
};

/// Delayed jobs of one list.
const MOST: u64 = 200;
/// A command may also be given while no server runs; then the job is noted and nothing does it yet.
const DUE: &str = "noted; a running server does it within a second, else it is done after the next start.";
const DUE_GERMAN: &str = "vorgemerkt; ein laufender Server erledigt es innerhalb einer Sekunde, sonst geschieht es nach dem nächsten Start.";

/// What a command asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case")]
pub enum JobsRequest {
    /// All scheduled jobs, and delayed ones that wait or have stopped.
    List {
        /// `de` or `en`.
        language: String,
    },
    /// Runs a job now.
    Run {
        /// Name of the function.
        function: String,
        /// `de` or `en`.
        language: String,
    },
    /// A delayed job shall not be done.
    Cancel {
        /// Its id.
        id: String,
        /// `de` or `en`.
        language: String,
    },
    /// A delayed job shall be done now.
    Retry {
        /// Its id.
        id: String,
        /// `de` or `en`.
        language: String,
    },
}

impl JobsRequest {
    /// The language of the answer.
    pub(crate) fn language(&self) -> &str {
        match self {
            Self::List { language }
            | Self::Run { language, .. }
            | Self::Cancel { language, .. }
            | Self::Retry { language, .. } => language,
        }
    }
}

/// All jobs.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Jobs {
    /// Those of the project, by name.
    pub(crate) functions: Vec<JobFunction>,
    /// Delayed ones that were refused or have failed for good, the longest due first.
    pub(crate) stopped: Vec<DelayedJob>,
    /// Delayed ones that wait, the next due first.
    pub(crate) waiting: Vec<DelayedJob>,
}

/// A job of the project.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct JobFunction {
    pub(crate) function: String,
    pub(crate) label: String,
    /// `0 6 * * * (Europe/Berlin)`; empty for jobs that are only asked for.
    pub(crate) schedule: String,
    /// Microseconds since 1970 UTC.
    pub(crate) next: Option<i64>,
    pub(crate) last: Option<JobRun>,
    /// What went wrong in the last run; empty if nothing did.
    pub(crate) why: String,
}

/// A delayed job.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct DelayedJob {
    pub(crate) id: Uuid,
    pub(crate) function: String,
    pub(crate) label: String,
    pub(crate) due_at: i64,
    pub(crate) attempts: i64,
    pub(crate) state: String,
    pub(crate) story: Option<Uuid>,
    pub(crate) asked_by: Option<Uuid>,
    /// What went wrong last; empty if nothing did.
    pub(crate) why: String,
}

/// How it is about the jobs.
pub(crate) fn look(app: &App, language: &str) -> Result<Jobs, EngineError> {
    let logic = app.logic.load();
    let now = app.engine.now();
    let mut functions = Vec::new();
    for f in logic.functions() {
        let schedule = match &f.trigger {
            Trigger::Schedule(schedule) => Some(schedule),
            _ if f.kind == takt_logic::FunctionKind::Job => None,
            _ => continue,
        };
        let last = match schedule {
            Some(_) => app.engine.last_run(&f.name)?,
            None => None,
        };
        functions.push(JobFunction {
            function: f.name.clone(),
            label: label(app, &f.name, language),
            schedule: schedule.map(|s| format!("{} ({})", s.text, s.time_zone)).unwrap_or_default(),
            next: schedule.and_then(|s| s.next_after(now)),
            why: why(app, last.as_ref().and_then(|l| l.story), language)?,
            last,
        });
    }
    let all_in = |states: &[&str]| -> Result<Vec<DelayedJob>, EngineError> {
        let mut all = Vec::new();
        for state in states {
            for job in app.engine.later_jobs_in(state, MOST)? {
                all.push(delayed(app, job, language)?);
            }
        }
        Ok(all)
    };
    Ok(Jobs { functions, stopped: all_in(&["failed", "refused"])?, waiting: all_in(&["waiting"])? })
}

fn label(app: &App, function: &str, language: &str) -> String {
    let logic = app.logic.load();
    let label = logic.function(function).and_then(|f| f.label.get(language)).map(str::to_owned);
    label.unwrap_or_else(|| function.to_owned())
}

fn delayed(app: &App, job: LaterJob, language: &str) -> Result<DelayedJob, EngineError> {
    let has_run = job.attempts > 0 || job.state == "refused";
    Ok(DelayedJob {
        id: job.id,
        label: label(app, &job.function, language),
        why: why(app, job.story.filter(|_| has_run), language)?,
        function: job.function,
        due_at: job.due_at,
        attempts: job.attempts,
        state: job.state,
        story: job.story,
        asked_by: job.asked_by,
    })
}

/// What its story says went wrong, in plain words.
fn why(app: &App, story: Option<Uuid>, language: &str) -> Result<String, EngineError> {
    let Some(story) = story else { return Ok(String::new()) };
    Ok(match app.engine.story(story)?.map(|s| s.result) {
        None | Some(StoryResult::Success) => String::new(),
        Some(StoryResult::Refused { message, .. }) => {
            let said = message.get(language).unwrap_or_default();
            format!("{}: {said}", say(language, "the rules said no", "die Regeln sagten nein"))
        }
        Some(StoryResult::Failed { code, message, .. }) => {
            let plain = match code.as_str() {
                "57014" => say(language, "it took too long", "es dauerte zu lange"),
                "53200" => say(language, "it needed too much memory", "es brauchte zu viel Speicher"),
                "42883" => {
                    say(language, "this job does not exist any more", "diese Aufgabe gibt es nicht mehr")
                }
                _ => say(language, "a fault in the program", "ein Fehler im Programm"),
            };
            format!("{plain} ({message})")
        }
    })
}

/// Runs a job now, for somebody.
pub(crate) async fn run(app: &App, by: &Actor, function: &str) -> Result<Option<Uuid>, EngineError> {
    let is_job = app.logic.load().function(function).is_some_and(|f| f.kind == takt_logic::FunctionKind::Job);
    if !is_job {
        return Ok(None);
    }
    app.engine.job_now(function, deed(by, "job.run", format!("job {function}"))).await.map(Some)
}

/// Decides about a delayed job, for somebody; says whether that was possible.
pub(crate) async fn change(app: &App, by: &Actor, id: Uuid, to: LaterJobChange) -> Result<bool, EngineError> {
    let act = match to {
        LaterJobChange::Cancel => "job.cancel",
        LaterJobChange::Now => "job.retry",
    };
    app.engine.job_change(id, to, deed(by, act, format!("job {id}"))).await
}

fn deed(by: &Actor, act: &str, subject: String) -> Deed {
    Deed { by: by.clone(), act: act.to_owned(), subject, reason: None }
}

/// Does what a command asks, for somebody; `text` of the answer is for people.
pub(crate) async fn execute(app: &App, by: &Actor, request: JobsRequest) -> Result<Json, Refusal> {
    Ok(match request {
        JobsRequest::List { language } => {
            let jobs = look(app, &language)?;
            let project = app.project();
            json!({ "text": told(&jobs, &language, &project.settings.time_zone), "jobs": jobs })
        }
        JobsRequest::Run { function, language } => match run(app, by, &function).await? {
            Some(id) => {
                let text = match language.as_str() {
                    "de" => format!("`{function}`: {DUE_GERMAN} `takt story {id}` sagt, wie es ausging."),
                    _ => format!("`{function}`: {DUE} `takt story {id}` tells how it went."),
                };
                json!({ "id": id, "text": text })
            }
            None => {
                return Err(Refusal::Told(match language.as_str() {
                    "de" => format!("Es gibt keine Aufgabe `{function}`."),
                    _ => format!("There is no job `{function}`."),
                }));
            }
        },
        JobsRequest::Cancel { id, language } => {
            decided(change(app, by, deliveries::id(&id)?, LaterJobChange::Cancel).await?, &id, &language)?;
            json!({ "text": say(&language, "It will not be done.", "Das wird nicht ausgeführt.") })
        }
        JobsRequest::Retry { id, language } => {
            decided(change(app, by, deliveries::id(&id)?, LaterJobChange::Now).await?, &id, &language)?;
            json!({ "text": format!("{} {}", say(&language, "It is", "Es ist"), say(&language, DUE, DUE_GERMAN)) })
        }
    })
}

fn decided(done: bool, id: &str, language: &str) -> Result<(), Refusal> {
    if done {
        return Ok(());
    }
    Err(Refusal::Told(match language {
        "de" => format!("Es gibt keine aufgeschobene Aufgabe {id}, von der sich das sagen ließe."),
        _ => format!("There is no delayed job {id} that this could be said of."),
    }))
}

fn told(jobs: &Jobs, language: &str, zone: &str) -> String {
    let moment = |at: i64| format::moment_in(at, language, zone);
    let mut lines = Vec::new();
    for job in &jobs.functions {
        let next = job.next.map(|at| format!("  {} {}", say(language, "next:", "nächstes Mal:"), moment(at)));
        let schedule =
            if job.schedule.is_empty() { say(language, "on request", "auf Wunsch") } else { &job.schedule };
        lines.push(format!("{} ({})  {schedule}{}", job.label, job.function, next.unwrap_or_default()));
        if let Some(last) = &job.last {
            let mut line = format!(
                "    {} {}: {}",
                say(language, "last:", "zuletzt:"),
                moment(last.at),
                result_word(&last.result, language)
            );
            if !job.why.is_empty() {
                line.push_str(&format!(" – {}", job.why));
            }
            lines.push(line);
        }
    }
    if jobs.functions.is_empty() {
        lines.push(say(language, "The project has no jobs.", "Das Projekt hat keine Aufgaben.").to_owned());
    }
    let mut part = |heading: &str, all: &[DelayedJob]| {
        if all.is_empty() {
            return;
        }
        lines.push(format!("\n{heading}:"));
        for job in all {
            let why = if job.why.is_empty() { String::new() } else { format!(" – {}", job.why) };
            let tries = job.attempts;
            lines.push(format!("  {}  {}  {}  {tries}x{why}", job.id, moment(job.due_at), job.label));
        }
    };
    part(
        say(language, "Stopped; a person decides", "Stehen geblieben; ein Mensch entscheidet"),
        &jobs.stopped,
    );
    part(say(language, "Waiting", "Wartend"), &jobs.waiting);
    lines.join("\n")
}

/// What people call the end of a run.
pub(crate) fn result_word<'a>(result: &'a str, language: &str) -> &'a str {
    match result {
        "success" => say(language, "succeeded", "gelungen"),
        "refused" => say(language, "refused", "abgelehnt"),
        "failed" => say(language, "failed", "fehlgeschlagen"),
        other => other,
    }
}
