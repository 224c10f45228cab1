//! What became of a story at others: deliveries that point to it, told in plain words. Pure.
//! Lives here: the sentences. Not here: where a delivery stands; whoever knows that (`takt-server`) fills [`Later`].

use serde::Serialize;

use super::{Beside, StoryText};
use crate::{format, report::State, text::pick};

/// A delivery that a story caused. Moments are microseconds since 1970 UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Later {
    /// Id of the delivery.
    pub id: String,
    /// Name of the connection, for links.
    pub connection: String,
    /// Who gets it, as people call it: "ERP (own server)".
    pub to: String,
    /// Where it stands.
    pub went: Went,
    /// How often it was tried.
    pub attempts: u64,
    /// What went wrong last, in the language of the story; empty if nothing did.
    pub why: String,
    /// What stands still without it, in the language of the story: the connection's own words; may be empty.
    pub means: String,
}

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Went {
    /// It arrived then.
    Arrived(Option<i64>),
    /// It will be tried then; without a moment, as soon as it may.
    Waits(Option<i64>),
    /// An attempt is running.
    Running,
    /// A person has stopped the connection.
    Held,
    /// It did not arrive and a person must decide.
    Stopped,
    /// Nobody knows whether it arrived and a person must decide.
    Unclear,
    /// It arrived; what follows from the answer waits for a person, because it is not as agreed.
    Parked,
    /// A person said that it shall not leave.
    Cancelled(Option<i64>),
}

/// A later delivery in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LaterText {
    /// Id of the delivery.
    pub id: String,
    /// Name of the connection.
    pub connection: String,
    /// The light of it.
    pub state: State,
    /// "An ERP: angekommen am 23.11.2026, 09:14:09 Uhr (UTC)."
    pub sentence: String,
    /// Whether a person may try it again now.
    pub may_repeat: bool,
    /// Whether nobody knows whether it arrived, and a person may say so.
    pub may_confirm: bool,
}

impl LaterText {
    /// What a person may do about it, as commands; empty if nothing.
    pub(super) fn doors(&self, language: &str) -> String {
        let (id, word) = (&self.id, |de, en| pick(language, de, en));
        let again = format!("[{}: takt deliveries replay {id}]", word("Jetzt erneut", "Try again"));
        let arrived = format!("[{}: takt deliveries arrived {id}]", word("Es ist angekommen", "It arrived"));
        match (self.may_repeat, self.may_confirm) {
            (false, _) => String::new(),
            (true, false) => again,
            (true, true) => format!("{arrived}  {again}"),
        }
    }

    pub(super) fn mark(&self) -> char {
        mark(self.state)
    }
}

/// The sign of a light, on a terminal.
pub(super) fn mark(state: State) -> char {
    match state {
        State::Green => '✓',
        State::Red => '✗',
        State::Yellow | State::Unknown | State::TooYoung => '…',
        State::NotApplicable => '–',
    }
}

impl StoryText {
    /// The story with what else happened later about the same thing.
    #[must_use]
    pub fn beside(mut self, besides: Vec<Beside>) -> Self {
        self.besides = besides;
        self
    }

    /// The story with what became of it at others.
    #[must_use]
    pub fn and_then(mut self, later: &[Later]) -> Self {
        self.later = later.iter().map(|l| l.told(&self.language, &self.zone)).collect();
        self.open = open(later, &self.language);
        self.at_risk = at_risk(later, &self.language);
        let open = in_brief(later, &self.language);
        self.headline = if open.is_empty() {
            self.plain_headline.clone()
        } else {
            format!("{}, {open}", self.plain_headline)
        };
        self
    }
}

impl Went {
    pub(super) fn state(self) -> State {
        match self {
            Self::Arrived(_) => State::Green,
            Self::Waits(_) | Self::Running | Self::Held => State::Yellow,
            Self::Stopped | Self::Unclear | Self::Parked => State::Red,
            Self::Cancelled(_) => State::NotApplicable,
        }
    }
}

impl Later {
    pub(super) fn told(&self, language: &str, zone: &str) -> LaterText {
        LaterText {
            id: self.id.clone(),
            connection: self.connection.clone(),
            state: self.went.state(),
            sentence: if language == "de" { self.german(zone) } else { self.english(zone) },
            may_repeat: matches!(self.went, Went::Stopped | Went::Unclear | Went::Waits(Some(_))),
            may_confirm: self.went == Went::Unclear,
        }
    }

    fn german(&self, zone: &str) -> String {
        let (to, n, why) = (&self.to, self.attempts, self.because());
        let on = |at: Option<i64>| on(at, "de", zone);
        match self.went {
            Went::Arrived(at) if n > 1 => format!("An {to}: angekommen{} nach {n} Versuchen.", on(at)),
            Went::Arrived(at) => format!("An {to}: angekommen{}.", on(at)),
            Went::Waits(None) if n == 0 => {
                format!("An {to}: wartet und geht hinaus, sobald es an der Reihe ist.")
            }
            Went::Waits(Some(next)) if n == 0 && !why.is_empty() => {
                let next = format::moment_in(next, "de", zone);
                format!(
                    "An {to}: wartet, denn {}; nächster Versuch: {next}. Es geht nichts verloren.",
                    self.why
                )
            }
            Went::Waits(Some(_)) if n == 0 => format!("An {to}: wartet."),
            Went::Waits(next) => {
                let times = if n == 1 { "einmal versucht".to_owned() } else { format!("{n}-mal versucht") };
                let next = next
                    .map_or_else(|| "so bald wie möglich".to_owned(), |at| format::moment_in(at, "de", zone));
                format!("An {to}: {times}, noch nicht angekommen{why}; nächster Versuch: {next}.")
            }
            Went::Running => format!("An {to}: ist gerade unterwegs."),
            Went::Held => {
                format!("An {to}: wartet, weil die Verbindung angehalten ist. Es geht nichts verloren.")
            }
            Went::Stopped => {
                let tries = if n == 1 { "1 Versuch".to_owned() } else { format!("{n} Versuchen") };
                format!("An {to}: nicht angekommen nach {tries}{why}. Ein Mensch muss entscheiden.")
            }
            Went::Unclear => format!(
                "An {to}: gesendet, aber niemand weiß, ob es angekommen ist. Ein Mensch muss entscheiden."
            ),
            Went::Parked => format!(
                "An {to}: angekommen, aber die Antwort ist nicht so, wie es vereinbart ist. Was daraus folgt, wartet; ein Mensch muss entscheiden."
            ),
            Went::Cancelled(at) => format!("An {to}: von einem Menschen abgebrochen{}.", on(at)),
        }
    }

    fn english(&self, zone: &str) -> String {
        let (to, n, why) = (&self.to, self.attempts, self.because());
        let on = |at: Option<i64>| on(at, "en", zone);
        match self.went {
            Went::Arrived(at) if n > 1 => format!("To {to}: arrived{} after {n} tries.", on(at)),
            Went::Arrived(at) => format!("To {to}: arrived{}.", on(at)),
            Went::Waits(None) if n == 0 => format!("To {to}: waiting; it leaves as soon as it is its turn."),
            Went::Waits(Some(next)) if n == 0 && !why.is_empty() => {
                let next = format::moment_in(next, "en", zone);
                format!("To {to}: waiting, because {}; next try: {next}. Nothing is lost.", self.why)
            }
            Went::Waits(Some(_)) if n == 0 => format!("To {to}: waiting."),
            Went::Waits(next) => {
                let times = if n == 1 { "tried once".to_owned() } else { format!("tried {n} times") };
                let next = next
                    .map_or_else(|| "as soon as possible".to_owned(), |at| format::moment_in(at, "en", zone));
                format!("To {to}: {times}, has not arrived yet{why}; next try: {next}.")
            }
            Went::Running => format!("To {to}: is under way just now."),
            Went::Held => format!("To {to}: waiting because the connection is paused. Nothing is lost."),
            Went::Stopped => {
                let tries = if n == 1 { "1 try".to_owned() } else { format!("{n} tries") };
                format!("To {to}: did not arrive after {tries}{why}. A person must decide.")
            }
            Went::Unclear => {
                format!("To {to}: sent, but nobody knows whether it arrived. A person must decide.")
            }
            Went::Parked => format!(
                "To {to}: arrived, but the answer is not as agreed. What follows from it waits; a person must decide."
            ),
            Went::Cancelled(at) => format!("To {to}: cancelled by a person{}.", on(at)),
        }
    }

    /// Why it is not there yet, in one sentence; nothing if it simply is its turn soon.
    fn held_up(&self, language: &str) -> Option<String> {
        let to = &self.to;
        let why = match self.went {
            Went::Held => pick(language, "die Verbindung ist angehalten", "the connection is paused"),
            Went::Waits(_) | Went::Running if !self.why.is_empty() => self.why.trim_end_matches('.'),
            _ => return None,
        };
        Some(match language {
            "de" => format!("Die Übergabe an {to} steht noch aus, denn {why}; es geht nichts verloren."),
            _ => format!("The delivery to {to} has not arrived yet, because {why}; nothing is lost."),
        })
    }

    fn because(&self) -> String {
        if self.why.is_empty() { String::new() } else { format!(": {}", self.why) }
    }
}

/// " am 23.11.2026, 09:14:09 Uhr (UTC)", if the moment is known.
pub(super) fn on(at: Option<i64>, language: &str, zone: &str) -> String {
    let word = pick(language, "am", "on");
    at.map_or_else(String::new, |at| format!(" {word} {}", format::moment_in(at, language, zone)))
}

/// Behind the outcome in the headline: "eine Übergabe steht aus".
fn in_brief(later: &[Later], language: &str) -> String {
    let count = |state| later.iter().filter(|l| l.went.state() == state).count();
    match (count(State::Red), count(State::Yellow), language) {
        (0, 0, _) => String::new(),
        (0, 1, "de") => "eine Übergabe steht aus".to_owned(),
        (0, n, "de") => format!("{n} Übergaben stehen aus"),
        (0, 1, _) => "one delivery is outstanding".to_owned(),
        (0, n, _) => format!("{n} deliveries are outstanding"),
        (1, _, "de") => "eine Übergabe braucht eine Entscheidung".to_owned(),
        (n, _, "de") => format!("{n} Übergaben brauchen eine Entscheidung"),
        (1, _, _) => "one delivery needs a decision".to_owned(),
        (n, _, _) => format!("{n} deliveries need a decision"),
    }
}

/// What is at risk while something has not arrived, and what is missing: nothing that is stored, ever.
pub(super) fn at_risk(later: &[Later], language: &str) -> String {
    let missing: Vec<&Later> = later
        .iter()
        .filter(|l| l.went != Went::Parked && matches!(l.went.state(), State::Red | State::Yellow))
        .collect();
    if missing.is_empty() {
        return String::new();
    }
    let unique = |all: Vec<String>| {
        let mut seen: Vec<String> = Vec::new();
        all.into_iter().for_each(|one| {
            if !one.is_empty() && !seen.contains(&one) {
                seen.push(one)
            }
        });
        seen
    };
    let to = unique(missing.iter().map(|l| l.to.clone()).collect());
    let to = crate::text::listing(&to, language, 4);
    let means = unique(missing.iter().map(|l| l.means.clone()).collect()).join(" ");
    let said = match language {
        "de" => format!("Gefährdet ist: nichts Gespeichertes. Es fehlt: die Übergabe an {to}. {means}"),
        _ => format!("At risk: nothing that is stored. Missing: the delivery to {to}. {means}"),
    };
    said.trim_end().to_owned()
}

/// For the top of the story, each in one sentence: what has stopped, then what is held up and why, then what is simply
/// under way; always with the name of who waits for it.
fn open(later: &[Later], language: &str) -> String {
    let (mut stopped, mut held, mut under_way) = (Vec::new(), Vec::new(), Vec::new());
    for one in later {
        match one.went.state() {
            State::Red => stopped.push(one.to.clone()),
            State::Yellow => match one.held_up(language) {
                Some(sentence) if !held.contains(&sentence) => held.push(sentence),
                Some(_) => {}
                None => under_way.push(one.to.clone()),
            },
            State::Green | State::Unknown | State::TooYoung | State::NotApplicable => {}
        }
    }
    let to = |names: &[String]| crate::text::listing(names, language, 4);
    let first = match (stopped.len(), language) {
        (0, _) => String::new(),
        (1, "de") => {
            format!("Die Übergabe an {} ist stehen geblieben und braucht eine Entscheidung.", to(&stopped))
        }
        (n, "de") => format!(
            "{n} Übergaben sind stehen geblieben und brauchen eine Entscheidung: an {}.",
            to(&stopped)
        ),
        (1, _) => format!("The delivery to {} has stopped and needs a decision.", to(&stopped)),
        (n, _) => format!("{n} deliveries have stopped and need a decision: to {}.", to(&stopped)),
    };
    let last = match (under_way.len(), language) {
        (0, _) => String::new(),
        (1, "de") => format!("Die Übergabe an {} steht noch aus.", to(&under_way)),
        (n, "de") => format!("{n} Übergaben stehen noch aus: an {}.", to(&under_way)),
        (1, _) => format!("The delivery to {} is still under way.", to(&under_way)),
        (n, _) => format!("{n} deliveries are still under way: to {}.", to(&under_way)),
    };
    let all = std::iter::once(first).chain(held).chain(std::iter::once(last));
    all.filter(|s| !s.is_empty()).collect::<Vec<_>>().join(" ")
}
