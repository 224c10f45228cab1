//! `takt deliveries`: what is on its way to other systems, and what people decide about it.

use clap::{Args, Subcommand};
use serde_json::Value as Json;
use takt_server::{AdminRequest, DeliveriesRequest, Wanted};

use super::{Common, Language, text};
use crate::out::Exit;

/// See what is on its way to other systems; replay, change, cancel, pause.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  takt deliveries list                               the newest ones
  takt deliveries list --state dead                  dead letters: given up, a person decides
  takt deliveries show 0199b1c2-...                  one with all its attempts
  takt deliveries replay 0199b1c2-...                try it again now
  takt deliveries replay 0199b1c2-... --body fixed.json
  takt deliveries replay --connection erp --dry-run  how many dead letters would leave again
  takt deliveries replay --connection erp --since 2026-11-26T09:00:00Z        those since then
  takt deliveries replay --connection erp --since 2026-11-26T09:00:00Z --all  what has arrived too: it arrives twice
  takt deliveries arrived 0199b1c2-...               it did arrive; nobody knew
  takt deliveries cancel 0199b1c2-...                it shall not leave any more
  takt deliveries pause erp                          nothing leaves to it; nothing is lost
  takt deliveries resume erp
  takt deliveries reconcile                          compare with everybody: what is missing on which side
  takt deliveries reconcile erp --dry-run            only look
  takt deliveries reconcile erp --replay             send or handle what is missing
  takt deliveries reconcile payment --settled B-2026-00012    a person has seen to it
  takt deliveries test partner_hook                  does the receiver take a signed test event?
  takt deliveries connections                        how every connection is, and where it is written down
  takt deliveries connections --about                what each is for, and what was really seen of it
  takt deliveries drift                              what partners send that is not as agreed
  takt deliveries drift accept 0199b1c2-...          it is right so; what waits because of it goes on
  takt deliveries pause erp --lang de                the answer in German; else as the terminal

Exit codes of `reconcile`: 0 both sides agree, 1 they could not be asked, 3 something is open.
Exit codes of `drift`: 0 nothing waits for a decision, 3 something does.
Exit codes of `test`: 0 the receiver took it, 1 it did not.")]
pub(crate) struct DeliveriesCommand {
    #[command(subcommand)]
    verb: Verb,
    /// Language of the answer; as the terminal if nothing is said.
    #[arg(long, global = true, value_enum, value_name = "LANG")]
    lang: Option<Language>,
}

/// As `--state` has them.
const STATES: [&str; 5] = ["waiting", "delivered", "dead", "asking", "cancelled"];

/// A moment as the server reads it; what is none is a mistake of the call.
fn moment(text: &str) -> Result<String, String> {
    match takt_model::FieldType::Timestamp.parse_text(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("write 2026-11-26T09:00:00Z".to_owned()),
    }
}

#[derive(Debug, Args)]
struct Which {
    /// Of one connection (`functions` for consumers of events).
    #[arg(long, value_name = "NAME")]
    connection: Option<String>,
    /// In one state: waiting, delivered, dead, asking, cancelled.
    #[arg(long, value_name = "STATE", value_parser = STATES)]
    state: Option<String>,
    /// Of one ordering key.
    #[arg(long, value_name = "KEY")]
    lane: Option<String>,
    /// Caused by one story.
    #[arg(long, value_name = "ID")]
    story: Option<String>,
    /// Dispatched at or after: 2026-11-26T09:00:00Z
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    since: Option<String>,
    /// Dispatched before.
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    until: Option<String>,
}

impl From<Which> for Wanted {
    fn from(which: Which) -> Self {
        let Which { connection, state, lane, story, since, until } = which;
        Self { connection, state, lane, story, since, until }
    }
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List deliveries, newest first.
    List {
        #[command(flatten)]
        which: Which,
        /// At most so many, up to 200.
        #[arg(long, default_value_t = 50)]
        limit: u64,
    },
    /// Show one with all its attempts; personal values are masked.
    Show {
        /// Id of the delivery.
        id: String,
    },
    /// Try again: one, or all that fit, in the order of their dispatch. Without `--state`, dead letters are meant.
    Replay {
        /// Id of the delivery.
        #[arg(required_unless_present_any = ["connection", "state", "lane", "story", "since", "until"])]
        id: Option<String>,
        /// Send the JSON of this file in the place of the event's content.
        #[arg(long, value_name = "FILE", requires = "id")]
        body: Option<std::path::PathBuf>,
        #[command(flatten)]
        which: Which,
        /// All that fit and are not waiting, what has arrived too: it arrives once more.
        #[arg(long, conflicts_with_all = ["state", "id"])]
        all: bool,
        /// Only say how many it would be, and how many of them have arrived already.
        #[arg(long)]
        dry_run: bool,
    },
    /// Say that one shall not leave any more.
    Cancel {
        /// Id of the delivery.
        id: String,
    },
    /// Say that one has arrived of which nobody knew.
    Arrived {
        /// Id of the delivery.
        id: String,
    },
    /// Stop a connection; deliveries wait.
    Pause {
        /// Name of the connection.
        connection: String,
    },
    /// Let a connection go on.
    Resume {
        /// Name of the connection.
        connection: String,
    },
    /// Compare both sides now and say what is missing on which.
    Reconcile {
        /// Name of the connection; all that declare it if nothing is said.
        connection: Option<String>,
        /// Only look: nothing is written, sent or handled.
        #[arg(long, conflicts_with = "replay")]
        dry_run: bool,
        /// Send what is missing there, handle what is missing here.
        #[arg(long)]
        replay: bool,
        /// Compare nothing, and say that what does not agree about this is settled.
        #[arg(long, value_name = "KEY", requires = "connection", conflicts_with_all = ["dry_run", "replay"])]
        settled: Option<String>,
    },
    /// Say how messages of other systems differ from what is agreed, with both samples.
    Drift {
        /// Of one connection.
        #[arg(long, value_name = "NAME")]
        connection: Option<String>,
        #[command(subcommand)]
        verb: Option<DriftVerb>,
    },
    /// Send a signed test event to a webhook that goes out, and say what came of it: exit code 0 if the receiver took
    /// it, 1 if not.
    Test {
        /// Name of the connection or the subscription.
        connection: String,
    },
    /// Say how every connection is, those of files and subscriptions.
    Connections {
        /// Tell everything: purpose, partner, personal data, operations, what was seen.
        #[arg(long)]
        about: bool,
    },
}

#[derive(Debug, Subcommand)]
enum DriftVerb {
    /// List them; the same as without a verb.
    List,
    /// Say that one is right so; what waits because of it goes on.
    Accept {
        /// Id of the change.
        id: String,
    },
}

impl DeliveriesCommand {
    pub(crate) fn run(self, common: &Common) -> Exit {
        let format = common.format();
        let request = match self.verb.request(Language::code(self.lang).to_owned()) {
            Ok(request) => AdminRequest::Deliveries(request),
            Err(why) => return format.fail(why),
        };
        match common.ask_as(None, request) {
            Ok(answer) => {
                format.show(text(&answer, "text"), &answer);
                exit_of(&answer)
            }
            Err(why) => format.fail(why),
        }
    }
}

/// A change at a partner that waits for a decision is a finding. A comparison that was not one has failed; one that found what is not made up for says so. A test that did not arrive
/// has failed.
fn exit_of(answer: &Json) -> Exit {
    if answer.get("verdict").is_some_and(|verdict| verdict != "arrived") {
        return Exit::Failed;
    }
    if answer["changes"].as_array().is_some_and(|all| all.iter().any(|c| c["open"] == true)) {
        return Exit::Findings;
    }
    let compared = || answer["reconciliations"].as_array().into_iter().flatten();
    let state = |c: &Json| c["state"].as_str().unwrap_or_default().to_owned();
    if compared().any(|c| matches!(state(c).as_str(), "failed" | "implausible")) {
        return Exit::Failed;
    }
    // Nothing was done about it, or it was seen again afterwards and nobody said that it is settled.
    let is_open = |d: &Json| {
        d["action"] != "settled" && d["acted_at"].as_i64().is_none_or(|at| d["last_at"].as_i64() > Some(at))
    };
    let differs = |c: &Json| c["differences"].as_array().is_some_and(|all| all.iter().any(is_open));
    if compared().any(differs) { Exit::Findings } else { Exit::Done }
}

impl Verb {
    fn request(self, language: String) -> Result<DeliveriesRequest, String> {
        let is_german = language == "de";
        Ok(match self {
            Self::List { which, limit } => DeliveriesRequest::List { wanted: which.into(), limit, language },
            Self::Show { id } => DeliveriesRequest::Show { id, language },
            Self::Replay { id: Some(_), dry_run: true, .. } => {
                let why = if is_german {
                    "--dry-run zählt, wie viele es wären; eine einzelne zeigt `takt deliveries show`."
                } else {
                    "--dry-run counts what several would be; for one, see `takt deliveries show`."
                };
                return Err(why.to_owned());
            }
            Self::Replay { id: Some(id), body, .. } => {
                let read = |path: std::path::PathBuf| {
                    let cannot = if is_german { "ist nicht lesbar" } else { "cannot be read" };
                    std::fs::read_to_string(&path).map_err(|e| format!("{} {cannot}: {e}.", path.display()))
                };
                DeliveriesRequest::Replay { id, body: body.map(read).transpose()?, language }
            }
            Self::Replay { id: None, which, all, dry_run, .. } => {
                DeliveriesRequest::ReplayAll { wanted: which.into(), all, dry_run, language }
            }
            Self::Cancel { id } => DeliveriesRequest::Decide { id, arrived: false, language },
            Self::Arrived { id } => DeliveriesRequest::Decide { id, arrived: true, language },
            Self::Pause { connection } => DeliveriesRequest::Pause { connection, paused: true, language },
            Self::Resume { connection } => DeliveriesRequest::Pause { connection, paused: false, language },
            Self::Reconcile { connection: Some(connection), settled: Some(key), .. } => {
                DeliveriesRequest::Settle { connection, key, language }
            }
            Self::Reconcile { connection, dry_run, replay, .. } => {
                DeliveriesRequest::Reconcile { connection, dry_run, replay, language }
            }
            Self::Drift { verb: Some(DriftVerb::Accept { id }), .. } => {
                DeliveriesRequest::Accept { id, language }
            }
            Self::Drift { connection, verb: Some(DriftVerb::List) | None } => {
                DeliveriesRequest::Drift { connection, language }
            }
            Self::Test { connection } => DeliveriesRequest::Test { connection, language },
            Self::Connections { about } => DeliveriesRequest::Connections { about, language },
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_exit_code_says_whether_the_receiver_took_it() {
        for (answer, exit) in [
            (json!({ "verdict": "arrived", "status": 200, "text": "It arrived." }), Exit::Done),
            (json!({ "verdict": "status", "status": 500, "text": "500" }), Exit::Failed),
            (json!({ "verdict": "gone", "status": 410, "text": "410" }), Exit::Failed),
            (json!({ "verdict": "refused", "status": null, "text": "Nobody listens." }), Exit::Failed),
            (json!({ "text": "`erp` is paused." }), Exit::Done),
            (json!({ "changes": [{ "open": false }, { "open": true }], "text": "" }), Exit::Findings),
            (json!({ "changes": [{ "open": false }], "text": "" }), Exit::Done),
            (json!({ "reconciliations": [{ "state": "failed" }] }), Exit::Failed),
            (json!({ "reconciliations": [{ "state": "agreed", "differences": [] }] }), Exit::Done),
        ] {
            assert_eq!(exit_of(&answer), exit, "{answer}");
        }
    }
}
