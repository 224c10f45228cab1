//! The story of one delivery (or of one question to another system): its attempts, what they wait for, what is missing.
//! Lives here: its sentences and its lines for a terminal. Not here: where it stands; whoever knows that
//! (`takt-server`) fills [`DeliveryFacts`]. Pure.

use std::fmt;

use serde::Serialize;

use super::{
    Depth,
    background::{Because, BecauseText},
    later::{Later, LaterText, Went, at_risk},
    terminal::{because, line, written},
};
use crate::{format, report::State, text::pick};

/// What is known of a delivery. Moments are microseconds since 1970 UTC; texts are in the language of the story.
#[derive(Debug, Clone)]
pub struct DeliveryFacts {
    /// What it is about: "Bestellung B-2026-00012".
    pub subject: String,
    /// The delivery in one sentence.
    pub sentence: String,
    /// Where it stands, as among those that a story caused.
    pub later: Later,
    /// Whether we asked the other side, instead of telling it something.
    pub is_question: bool,
    /// Whether the other side has answered. A question that was answered and has not arrived brought nothing: the
    /// answer breaks the contract or cannot be right.
    pub was_answered: bool,
    /// When it came up.
    pub created_at: i64,
    /// Its attempts, oldest first.
    pub attempts: Vec<AttemptFact>,
    /// The story that caused it.
    pub because: Option<Because>,
    /// Which rule wanted it: file, operation, event, pauses.
    pub rule: String,
    /// What is sent, as JSON text; personal values masked unless a reason was given.
    pub content: String,
    /// Whether a person wrote that.
    pub edited: bool,
    /// Whether personal values are hidden in it.
    pub hides: bool,
    /// What people decided about it, oldest first.
    pub decisions: Vec<String>,
    /// What came of its answer: deliveries to others and own functions.
    pub after: Vec<Later>,
    /// For the technician: name and text.
    pub technical: Vec<(String, String)>,
}

/// One attempt.
#[derive(Debug, Clone)]
pub struct AttemptFact {
    /// From 1.
    pub number: i64,
    /// When it began.
    pub at: i64,
    /// Microseconds; none while it runs, and for ever if the process died meanwhile.
    pub took: Option<i64>,
    /// "angekommen"
    pub outcome: String,
    /// The light of that.
    pub state: State,
    /// HTTP or SMTP status.
    pub status: Option<i64>,
    /// What went wrong, in the language of the story; empty if nothing did.
    pub why: String,
    /// What went wrong, in the words of the machine.
    pub error: Option<String>,
    /// What was asked.
    pub request: Option<String>,
    /// The first bytes of the answer.
    pub response: Option<String>,
}

/// A delivery in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeliveryText {
    /// "Bestellung B-2026-00012 an „ERP“ · Mo 23.11.2026, 09:14:07 Uhr (UTC) · STEHT AUS"
    pub headline: String,
    /// The whole in one sentence.
    pub summary: String,
    /// The light of it.
    pub state: State,
    /// How it stands, in a word.
    pub outcome: String,
    /// What set it off.
    pub because: Option<BecauseText>,
    /// Its attempts.
    pub attempts: Vec<AttemptText>,
    /// Where it stands and when it is tried next.
    pub stands: LaterText,
    /// What is at risk and what is missing; empty if it arrived.
    pub at_risk: String,
    /// What people decided.
    pub decisions: Vec<String>,
    /// Which rule wanted it.
    pub rule: String,
    /// What is sent.
    pub content: String,
    /// Whether personal values are hidden in it.
    pub hides: bool,
    /// What came of its answer.
    pub later: Vec<LaterText>,
    /// For the technician: name and text, line by line.
    pub technical: Vec<(String, String)>,
    language: String,
}

/// An attempt in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AttemptText {
    /// From 1.
    pub number: i64,
    /// The light of it.
    pub state: State,
    /// "1 · 23.11.2026, 09:14:09 Uhr (UTC): fehlgeschlagen (0,41 s)"
    pub sentence: String,
    /// What was asked and answered; empty if nothing is known.
    pub technical: String,
}

/// Tells the story of a delivery in `language` (`de`, else English), with moments in `zone`. Pure.
#[must_use]
pub fn tell_delivery(facts: &DeliveryFacts, language: &str, zone: &str) -> DeliveryText {
    let told = Telling { facts, language, zone };
    let (state, outcome) = told.outcome();
    let day = format::weekday(facts.created_at, language, zone);
    let when = format::moment_in(facts.created_at, language, zone);
    let (subject, to) = (&facts.subject, &facts.later.to);
    let headline = match (facts.is_question, language) {
        (true, "de") => format!("Frage an {to}: {subject}"),
        (true, _) => format!("Question to {to}: {subject}"),
        (false, "de") => format!("{subject} an {to}"),
        (false, _) => format!("{subject} to {to}"),
    };
    DeliveryText {
        headline: format!("{headline} · {day} {when} · {}", outcome.to_uppercase()),
        summary: told.summary(),
        state,
        outcome: outcome.to_owned(),
        because: facts.because.as_ref().map(|b| b.told(language)),
        attempts: facts.attempts.iter().map(|a| told.attempt(a)).collect(),
        stands: told.stands(),
        at_risk: if facts.is_question {
            String::new()
        } else {
            at_risk(std::slice::from_ref(&facts.later), language)
        },
        decisions: facts.decisions.clone(),
        rule: facts.rule.clone(),
        // A question carries nothing.
        content: if facts.content == "{}" { String::new() } else { facts.content.clone() },
        hides: facts.hides,
        later: facts.after.iter().map(|l| l.told(language, zone)).collect(),
        technical: facts.technical.clone(),
        language: language.to_owned(),
    }
}

struct Telling<'a> {
    facts: &'a DeliveryFacts,
    language: &'a str,
    zone: &'a str,
}

impl Telling<'_> {
    fn pick<'t>(&self, de: &'t str, en: &'t str) -> &'t str {
        pick(self.language, de, en)
    }

    fn outcome(&self) -> (State, &str) {
        let went = self.facts.later.went;
        // A question that was not answered is asked again on schedule: nobody needs to decide.
        if self.facts.is_question {
            return match went {
                Went::Arrived(_) => (State::Green, self.pick("beantwortet", "answered")),
                Went::Waits(_) | Went::Running | Went::Held => {
                    (State::Yellow, self.pick("steht aus", "outstanding"))
                }
                _ if self.facts.was_answered => (
                    State::Yellow,
                    self.pick("beantwortet, aber nicht übernommen", "answered, not taken over"),
                ),
                Went::Stopped | Went::Unclear | Went::Parked | Went::Cancelled(_) => {
                    (State::Yellow, self.pick("ohne Antwort", "without an answer"))
                }
            };
        }
        let word = match went {
            Went::Arrived(_) => self.pick("angekommen", "arrived"),
            Went::Waits(_) => self.pick("steht aus", "outstanding"),
            Went::Running => self.pick("unterwegs", "under way"),
            Went::Held => self.pick("angehalten", "paused"),
            Went::Stopped => self.pick("unzustellbar", "undeliverable"),
            Went::Unclear => self.pick("unklar", "unclear"),
            Went::Parked => self.pick("geparkt", "parked"),
            Went::Cancelled(_) => self.pick("abgebrochen", "cancelled"),
        };
        (went.state(), word)
    }

    fn summary(&self) -> String {
        if !self.facts.is_question {
            return self.facts.sentence.clone();
        }
        let to = &self.facts.later.to;
        match (self.facts.later.went, self.language) {
            (Went::Arrived(_), "de") => format!("{to} hat geantwortet."),
            (Went::Arrived(_), _) => format!("{to} has answered."),
            (Went::Waits(_) | Went::Running | Went::Held, "de") => format!("{to} wird gefragt."),
            (Went::Waits(_) | Went::Running | Went::Held, _) => format!("{to} is being asked."),
            (_, "de") if self.facts.was_answered => format!(
                "{to} hat geantwortet, aber nicht so, wie es vereinbart ist oder stimmen kann. Es wurde nichts übernommen."
            ),
            (_, _) if self.facts.was_answered => {
                format!(
                    "{to} has answered, but not as agreed or not in a way that can be right. Nothing was taken over."
                )
            }
            (Went::Stopped | Went::Unclear | Went::Parked | Went::Cancelled(_), "de") => {
                format!(
                    "{to} hat nicht geantwortet. Die nächste Frage geht nach Plan hinaus; es geht nichts verloren."
                )
            }
            (Went::Stopped | Went::Unclear | Went::Parked | Went::Cancelled(_), _) => {
                format!("{to} has not answered. The next question leaves on schedule; nothing is lost.")
            }
        }
    }

    /// Where it stands. A question without an answer was cancelled by nobody.
    fn stands(&self) -> LaterText {
        let stands = self.facts.later.told(self.language, self.zone);
        if !self.facts.is_question {
            return stands;
        }
        LaterText {
            sentence: self.summary(),
            state: self.outcome().0,
            may_repeat: false,
            may_confirm: false,
            ..stands
        }
    }

    fn attempt(&self, a: &AttemptFact) -> AttemptText {
        let when = format::moment_in(a.at, self.language, self.zone);
        let took = a.took.map_or_else(String::new, |t| format!(" ({})", format::took(t, self.language)));
        let status =
            a.status.map_or_else(String::new, |s| format!(", {} {s}", self.pick("Antwort", "answer")));
        // The words may have the status already.
        let status = if a.why.ends_with(')') && !status.is_empty() { String::new() } else { status };
        let why = if a.why.is_empty() { String::new() } else { format!(" – {}", a.why) };
        // What only repeats the status says nothing new.
        let error = a.error.as_deref().filter(|e| !e.starts_with("answered ") && !a.why.is_empty());
        let error = error.map(|e| format!("! {e}"));
        let asked = a.request.as_deref().map(|r| format!("→ {r}"));
        let answered = a.response.as_deref().filter(|r| !r.is_empty()).map(|r| format!("← {r}"));
        AttemptText {
            number: a.number,
            state: a.state,
            sentence: format!("{when}: {}{status}{why}{took}", a.outcome),
            technical: [asked, answered, error].into_iter().flatten().collect::<Vec<_>>().join("\n"),
        }
    }
}

impl fmt::Display for DeliveryText {
    /// The form for a terminal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, Depth::Fields)
    }
}

impl DeliveryText {
    /// The form for a terminal, as deep as asked.
    #[must_use]
    pub fn to_depth(&self, depth: Depth) -> String {
        written(|text| self.write(text, depth))
    }

    fn word<'t>(&self, de: &'t str, en: &'t str) -> &'t str {
        pick(&self.language, de, en)
    }

    fn write(&self, f: &mut impl fmt::Write, depth: Depth) -> fmt::Result {
        writeln!(f, "{}", self.headline)?;
        writeln!(f, "{}", self.summary)?;
        if depth == Depth::Sentence {
            return Ok(());
        }
        because(f, self.because.as_ref(), depth)?;
        if !self.attempts.is_empty() {
            writeln!(f, "\n{}:", self.word("Versuche", "Attempts"))?;
        }
        for attempt in &self.attempts {
            let mark = match attempt.state {
                State::Green => '✓',
                State::Red => '✗',
                _ => '…',
            };
            writeln!(f, "  {} {mark} {}", attempt.number, attempt.sentence)?;
            if depth == Depth::Technical {
                for technical in attempt.technical.lines() {
                    writeln!(f, "       {technical}")?;
                }
            }
        }
        if self.stands.sentence != self.summary {
            writeln!(f, "\n{} {}", self.stands.mark(), self.stands.sentence)?;
        }
        let doors = self.stands.doors(&self.language);
        if !doors.is_empty() {
            writeln!(f, "    {doors}")?;
        }
        line(f, &self.at_risk)?;
        for decision in &self.decisions {
            writeln!(f, "{decision}")?;
        }
        if !self.later.is_empty() {
            writeln!(f, "\n{}:", self.word("Was danach geschah", "What happened afterwards"))?;
            for later in &self.later {
                writeln!(f, "  {} {}", later.mark(), later.sentence)?;
            }
        }
        if depth >= Depth::Fields {
            writeln!(f)?;
            line(f, &self.rule)?;
            if !self.content.is_empty() {
                writeln!(f, "{}: {}", self.word("Inhalt", "Content"), self.content)?;
            }
            if self.hides {
                writeln!(f, "{}", self.word(
                    "Persönliche Werte sind verborgen; mit --reason \"…\" werden sie gezeigt, und das wird vermerkt.",
                    "Personal values are hidden; --reason \"…\" shows them, and that is written down.",
                ))?;
            }
        }
        if depth == Depth::Technical {
            writeln!(f, "\n{}:", self.word("Für die Technik", "For the developer"))?;
            for (name, text) in &self.technical {
                writeln!(f, "  {name}: {text}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
