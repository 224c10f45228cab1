//! The checks: one file each, and the plain list that names them all.
//!
//! A check is a question with its probe (a pure function over [`Evidence`]), its thresholds and all its words in
//! German and English. To add one: write its file, name it in [`ALL`], raise [`VERSION`].

mod d01;
mod d02;
mod d03;
mod d08;
mod d10;
mod d13;
mod d14;
mod m06;
mod m07;
mod m08;
mod m09;
mod m10;
mod m11;
mod m12;
mod m19;
mod m20;
mod r04;
mod r05;
mod r07;
mod r08;
mod r10;
mod r11;
mod r13;
mod r14;
mod s01;
mod s02;
mod s03;
mod s07;
mod s08;
mod s14;
mod v07;
mod v09;
mod v12;
mod z02;
mod z06;

use takt_model::Words;

use crate::{
    evidence::{BackupDrillFact, BackupFacts, ConnectionFact, Evidence, Fact},
    history::{self, DAY},
    report::{Answer, Ask, Effort, EvidenceClass, State},
    text::{Text, both},
};

/// Changes with every new, removed or changed check.
pub const VERSION: &str = "2026.11.4";

/// A question, how it is answered, and its words.
#[derive(Debug)]
pub struct Check {
    /// `D02`; the letter is the block's.
    pub id: &'static str,
    /// 1, 2, 3 or 5.
    pub weight: u8,
    /// Whether red here makes the whole red.
    pub cap: bool,
    /// What is green, yellow and red.
    pub threshold: Text,
    /// What it means for the owner.
    pub meaning: Text,
    /// Whom to ask.
    pub ask: Ask,
    /// What to ask, to copy.
    pub question: Text,
    /// What to do, as an imperative.
    pub advice: Text,
    /// How much work that is.
    pub effort: Effort,
    /// How we know.
    pub class: EvidenceClass,
    /// Finds the answer.
    pub probe: fn(&Evidence) -> Answer,
}

/// All checks, in the order of the catalogue.
pub const ALL: &[&Check] = &[
    &d01::CHECK,
    &d02::CHECK,
    &d03::CHECK,
    &d08::CHECK,
    &d10::CHECK,
    &d13::CHECK,
    &d14::CHECK,
    &m06::CHECK,
    &m07::CHECK,
    &m08::CHECK,
    &m09::CHECK,
    &m10::CHECK,
    &m11::CHECK,
    &m12::CHECK,
    &m19::CHECK,
    &m20::CHECK,
    &r04::CHECK,
    &r05::CHECK,
    &r07::CHECK,
    &r08::CHECK,
    &r10::CHECK,
    &r11::CHECK,
    &r13::CHECK,
    &r14::CHECK,
    &s01::CHECK,
    &s02::CHECK,
    &s03::CHECK,
    &s07::CHECK,
    &s08::CHECK,
    &s14::CHECK,
    &z02::CHECK,
    &z06::CHECK,
    &v07::CHECK,
    &v09::CHECK,
    &v12::CHECK,
];

/// An answer with its sentence.
fn answer(state: State, value: impl Into<String>, title: Words) -> Answer {
    let value = value.into();
    let value = if value.is_empty() { Words::default() } else { plain(value) };
    Answer { state, title, value, evidence: Vec::new() }
}

/// Not known, and why.
fn unknown(title: Text, why: Text) -> Answer {
    answer(State::Unknown, "", title.words()).because(why.words())
}

/// The partners that the system is connected to; if there are none, or it could not be seen, the answer is that.
fn partners(evidence: &Evidence, title: Text) -> Result<Vec<&ConnectionFact>, Box<Answer>> {
    let all = evidence.connections.as_ref().map_err(|why| Box::new(unseen(title, why)))?;
    let partners: Vec<&ConnectionFact> = all.iter().filter(|c| c.is_partner).collect();
    if partners.is_empty() {
        let words =
            both("Ihr System ist mit keinem anderen verbunden.", "Your system is connected to no other.");
        return Err(Box::new(answer(State::NotApplicable, "", words)));
    }
    Ok(partners)
}

/// The newest trial restore, if it passed and is at most so many days ago.
fn proven_drill(facts: &BackupFacts, now: i64, days: i64) -> Option<&BackupDrillFact> {
    facts.last_drill.as_ref().filter(|d| d.fault.is_none() && (now - d.at) / DAY <= days)
}

/// Not known, because looking failed; the error is for the technician and reads as it came.
fn unseen(title: Text, error: &str) -> Answer {
    answer(State::Unknown, "", title.words()).because(failure(error))
}

fn failure(error: &str) -> Words {
    both(format!("Technischer Grund: {error}"), format!("Technical reason: {error}"))
}

/// Whether the window of history has not filled yet; then a sentence must not speak of the whole window.
fn is_young(evidence: &Evidence, days: i64) -> bool {
    history::days_watched(evidence).is_ok_and(|have| have < days)
}

/// Turns an answer into "too young" as long as the window of history has not filled.
/// A red answer that more history cannot mend is passed through by the caller instead.
fn unless_young(evidence: &Evidence, days: i64, mut given: Answer) -> Answer {
    let watched: Fact<i64> = history::days_watched(evidence);
    match watched {
        Ok(have) if have >= days => given,
        Ok(have) => {
            given.state = State::TooYoung;
            given.evidence.push(both(
                format!("Beobachtet seit {have} von {days} Tagen; vorher kein Urteil."),
                format!("Observed for {have} of {days} days; no verdict before that."),
            ));
            given
        }
        Err(why) => {
            given.state = State::Unknown;
            given.evidence.push(failure(&why));
            given
        }
    }
}

/// The line of a check whose samples are too few.
fn too_few(wanted: u64) -> Words {
    both(
        format!("Weniger als {wanted} Zugriffe sagen noch nichts."),
        format!("Fewer than {wanted} requests say nothing yet."),
    )
}

impl Answer {
    /// The value in words instead of a number.
    fn valued(mut self, de: &str, en: &str) -> Self {
        self.value = both(de, en);
        self
    }

    fn because(mut self, line: Words) -> Self {
        self.evidence.push(line);
        self
    }

    fn because_all(mut self, lines: impl IntoIterator<Item = Words>) -> Self {
        self.evidence.extend(lines);
        self
    }
}

/// A line that reads the same in every language: a name, a number.
fn plain(line: impl Into<String>) -> Words {
    let line = line.into();
    both(line.clone(), line)
}

#[cfg(test)]
pub(crate) mod tests;
