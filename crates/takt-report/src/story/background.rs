//! What is known around a story: names of rows, where it came from, which release ran, how long this usually takes.
//! Lives here: those facts and their words. Not here: who looks them up (`takt-server`, which knows all rooms). Pure.

use std::collections::HashMap;

use serde::Serialize;
use takt_engine::{StoryCause, StoryResult, Usual};

use super::{RowNames, Teller};
use crate::{format, text::pick};

/// What is known around a story. What is not known stays empty and is not told.
#[derive(Debug, Clone, Default)]
pub struct Background {
    /// What its rows are called today.
    pub names: RowNames,
    /// What set it off.
    pub because: Option<Because>,
    /// Name of the event that set it off: `order.placed`.
    pub event: Option<String>,
    /// Which release of the rules ran.
    pub version: Option<Version>,
    /// How long the function usually takes.
    pub usual: Option<Usual>,
    /// What follows a failure.
    pub follows: Option<Follows>,
    /// Where steps stand in the sources, by number from 1: `logic/checkout.ts:31`.
    pub lines: HashMap<usize, String>,
    /// The file of the function.
    pub file: Option<String>,
    /// The statement that stores each written row, in the order of [`takt_engine::Story::all_changes`], as of today.
    pub statements: Vec<Option<String>>,
    /// Whether the project was exchanged since.
    pub is_of_before: bool,
    /// How the function is called from outside: `POST /rest/v1/rpc/checkout`; none if nobody can.
    pub request: Option<String>,
}

/// Another story, or a delivery, that set this one off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Because {
    /// Its id.
    pub id: String,
    /// What people call it: "Jetzt kaufen".
    pub title: String,
}

/// [`Because`] in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BecauseText {
    /// Id of the story or delivery, for links.
    pub id: String,
    /// "Auslöser: Jetzt kaufen"
    pub sentence: String,
}

impl Because {
    pub(super) fn told(&self, language: &str) -> BecauseText {
        let word = pick(language, "Auslöser", "Set off by");
        BecauseText { id: self.id.clone(), sentence: format!("{word}: {}", self.title) }
    }
}

/// A release of the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The commit, or the fingerprint of the files; shortened.
    pub name: String,
    /// Since when it was served: microseconds since 1970 UTC.
    pub since: i64,
}

/// What follows a failed job. Moments are microseconds since 1970 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follows {
    /// It is tried again then.
    Again(i64),
    /// It was done meanwhile.
    Done,
    /// It is not tried any more; a person decides.
    GivenUp,
    /// A person said that it shall not be done.
    Cancelled,
    /// The schedule says when it runs next.
    Scheduled(i64),
}

impl Teller<'_> {
    pub(super) fn version(&self) -> String {
        let Some(version) = &self.background.version else { return String::new() };
        let since = format::moment_in(version.since, self.language, self.zone);
        if self.is_german() {
            format!("Stand der Regeln: {}, in Betrieb seit {since}.", version.name)
        } else {
            format!("Version of the rules: {}, in service since {since}.", version.name)
        }
    }

    /// How it compares with the usual; only what succeeded is comparable.
    pub(super) fn compared(&self) -> String {
        let Some(usual) = self.background.usual.filter(|u| u.of >= 5) else { return String::new() };
        if self.story.result != StoryResult::Success {
            return String::new();
        }
        let took = format::took(usual.took, self.language);
        let n = format::count(usual.of, self.language);
        let verdict = if self.story.took > usual.took.saturating_mul(3) {
            self.pick("Diesmal dauerte es deutlich länger", "This time it took clearly longer")
        } else {
            self.pick("Diesmal war es wie üblich", "This time it was as usual")
        };
        if self.is_german() {
            format!("{verdict}: üblich sind {took} (Median der letzten {n} in 28 Tagen).")
        } else {
            format!("{verdict}: usual are {took} (median of the last {n} in 28 days).")
        }
    }

    /// What follows a refusal or failure by itself.
    pub(super) fn next(&self) -> String {
        let Some(follows) = self.background.follows else { return String::new() };
        if self.story.result == StoryResult::Success {
            return String::new();
        }
        let at = |at: i64| format::moment_in(at, self.language, self.zone);
        match follows {
            Follows::Again(when) if self.is_german() => {
                format!("Es wird von selbst noch einmal versucht: {}.", at(when))
            }
            Follows::Again(when) => format!("It is tried again by itself: {}.", at(when)),
            Follows::Done => {
                self.pick("Ein späterer Versuch ist gelungen.", "A later try succeeded.").to_owned()
            }
            Follows::GivenUp => self
                .pick(
                    "Es wird nicht mehr von selbst versucht. Ein Mensch muss entscheiden.",
                    "It is not tried again by itself. A person must decide.",
                )
                .to_owned(),
            Follows::Cancelled => {
                self.pick("Ein Mensch hat es abgebrochen.", "A person has cancelled it.").to_owned()
            }
            Follows::Scheduled(when) if self.is_german() => {
                format!("Der nächste planmäßige Lauf: {}.", at(when))
            }
            Follows::Scheduled(when) => format!("The next scheduled run: {}.", at(when)),
        }
    }

    /// For the technician: name and text, line by line.
    pub(super) fn technical(&self) -> Vec<(String, String)> {
        let story = self.story;
        let line = |de: &str, en: &str, text: String| (self.pick(de, en).to_owned(), text);
        let mut lines = vec![
            line("Funktion", "Function", story.function.clone()),
            line("Geschichte", "Story", story.id.clone()),
            line("Dauer", "Took", format::took(story.took, self.language)),
            line("Rollen des Aufrufers", "Caller's roles", story.caller_roles.join(", ")),
            line(
                "Rechte",
                "Rights",
                if story.elevated { "runs_as = \"service\"" } else { "caller" }.to_owned(),
            ),
        ];
        if let Some(file) = &self.background.file {
            lines.push(line("Quelle", "Source", file.clone()));
        }
        match &story.cause {
            StoryCause::Call | StoryCause::Delay => {}
            StoryCause::Message { source, id } => {
                lines.push(line("Nachricht", "Message", format!("{source} {id}")));
            }
            StoryCause::Schedule { .. } => lines.push(line("Auslöser", "Set off by", "schedule".to_owned())),
            StoryCause::Later { id, attempt, .. } => {
                lines.push(line("Aufgabe", "Job", format!("{id}, {attempt}")));
            }
        }
        match &story.result {
            StoryResult::Success => {}
            StoryResult::Refused { status, .. } => lines.push(("Status".to_owned(), status.to_string())),
            StoryResult::Failed { code, message, position } => {
                lines.push(("Code".to_owned(), code.clone()));
                lines.push(line("Meldung", "Message", message.clone()));
                lines.push(line("Stelle", "Place", position.clone().unwrap_or_else(|| "–".to_owned())));
            }
        }
        lines.extend(self.asked_for());
        lines.push((self.pick("SQL", "SQL").to_owned(), self.about_statements()));
        lines
    }

    /// The request, as far as it is known.
    fn asked_for(&self) -> Vec<(String, String)> {
        let Some(request) = self.background.request.as_ref().filter(|_| !self.story.cause.is_by_itself())
        else {
            return Vec::new();
        };
        let line = |de: &str, en: &str, text: String| (self.pick(de, en).to_owned(), text);
        let headers = self.pick("nicht aufbewahrt", "not kept").to_owned();
        vec![
            line("Anfrage", "Request", request.clone()),
            line("Kopfzeilen", "Headers", headers),
            line("Inhalt", "Body", self.body()),
        ]
    }

    fn body(&self) -> String {
        let story = self.story;
        match (&story.input, story.has_input, story.revealed) {
            (Some(input), _, true) => input.clone(),
            (_, true, false) => self.pick("verborgen", "hidden").to_owned(),
            (None, true, true) => self.pick("nicht mehr aufbewahrt", "not kept any more").to_owned(),
            (_, false, _) => self
                .pick(
                    "nicht aufbewahrt; das geschieht nur bei Aufrufen mit Idempotency-Key und bis 4.000 Bytes",
                    "not kept; only of calls with an Idempotency-Key and up to 4,000 bytes",
                )
                .to_owned(),
        }
    }

    /// What the statements at the steps are, and what they are not.
    fn about_statements(&self) -> String {
        if self.story.all_changes().next().is_none() {
            return self.pick("nichts wurde geschrieben", "nothing was written").to_owned();
        }
        let what = self.pick(
            "je Schritt die Anweisung, mit der eine solche Zeile geschrieben wird; ?1, ?2 … stehen für die Werte. Wonach vorher gesucht wurde, ist nicht aufbewahrt",
            "with each step, the statement that writes such a row; ?1, ?2 ... stand for the values. What was looked for before is not kept",
        );
        let when = if self.background.is_of_before {
            self.pick(
                "Nach dem heutigen Stand des Projekts, der seither ein anderer ist: Damals kann sie anders gelautet haben",
                "By the project of today, which is another one since: it may have been different then",
            )
        } else {
            self.pick("Nach dem Stand des Projekts von damals", "By the project of then")
        };
        format!("{what}. {when}.")
    }
}
