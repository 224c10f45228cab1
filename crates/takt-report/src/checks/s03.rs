//! S03: whether messages to other systems lie about: how long the oldest one waits, and what was given up.

use super::{Check, answer, unseen};
use crate::{
    evidence::{ConnectionFact, Evidence},
    history::DAY,
    report::{Answer, Ask, Effort, EvidenceClass, State},
    text::{Text, both, plural},
};

/// Microseconds of an hour.
const HOUR: i64 = DAY / 24;

pub(super) const CHECK: Check = Check {
    id: "S03",
    weight: 3,
    cap: false,
    threshold: Text {
        de: "grün: die älteste wartet unter 1 Stunde, keine ist liegen geblieben; gelb: unter 1 Tag; rot: länger",
        en: "green: the oldest waits less than 1 hour, none was given up; yellow: less than 1 day; red: longer",
    },
    meaning: Text { de: "Hier beginnt Datenverlust.", en: "This is where loss of data begins." },
    ask: Ask::Agency,
    question: Text {
        de: "Warum kamen diese Nachrichten nicht an, und wann werden sie noch einmal gesendet?",
        en: "Why did these messages not arrive, and when are they sent again?",
    },
    advice: Text {
        de: "Liegen gebliebene Nachrichten noch einmal senden lassen",
        en: "Have messages that were given up sent again",
    },
    effort: Effort::Small,
    class: EvidenceClass::Measured,
    probe,
};

fn probe(evidence: &Evidence) -> Answer {
    let title = Text {
        de: "Ob Nachrichten liegen geblieben sind, ist noch nicht bekannt.",
        en: "Whether messages were left lying is not yet known.",
    };
    let connections = match &evidence.connections {
        Ok(all) if all.is_empty() => return nobody(),
        Ok(all) => all,
        Err(why) => return unseen(title, why),
    };
    let stuck: u64 = connections.iter().map(|c| c.dead + c.asking).sum();
    let oldest = connections.iter().filter_map(ConnectionFact::oldest_at).min();
    let age = oldest.map_or(0, |at| evidence.at - at);
    let state = match stuck {
        _ if age >= DAY => State::Red,
        0 if age < HOUR => State::Green,
        _ => State::Yellow,
    };
    let value = |language| format!("{} / {stuck}", span(age, language));
    answer(state, "", sentence(oldest.map(|_| age), stuck)).valued(&value("de"), &value("en")).because_all(
        connections.iter().map(|c| {
            let (waiting, stuck) = (c.waiting, c.dead + c.asking);
            both(
                format!("{}: {waiting} warten, {stuck} liegen fest.", c.called("de")),
                format!("{}: {waiting} waiting, {stuck} stuck.", c.called("en")),
            )
        }),
    )
}

fn nobody() -> Answer {
    answer(
        State::NotApplicable,
        "",
        both("Ihr System ist mit keinem anderen verbunden.", "Your system is connected to no other."),
    )
}

fn sentence(age: Option<i64>, stuck: u64) -> takt_model::Words {
    let Some(age) = age else {
        return both("Keine Nachricht wartet, keine liegt fest.", "No message waits, none is stuck.");
    };
    let (de, en) = (span(age, "de"), span(age, "en"));
    let (lie, are) = (plural(stuck, "liegt", "liegen"), plural(stuck, "is", "are"));
    both(
        format!("Die älteste nicht übergebene Nachricht wartet {de}; {stuck} {lie} fest."),
        format!("The oldest undelivered message has waited {en}; {stuck} {are} stuck."),
    )
}

/// Whole days, hours or minutes, as people say them.
fn span(micros: i64, language: &str) -> String {
    let unit = |n: i64, de: [&str; 2], en: [&str; 2]| {
        let [one, more] = if language == "de" { de } else { en };
        format!("{n} {}", plural(n.unsigned_abs(), one, more))
    };
    match micros {
        m if m >= DAY => unit(m / DAY, ["Tag", "Tage"], ["day", "days"]),
        m if m >= HOUR => unit(m / HOUR, ["Stunde", "Stunden"], ["hour", "hours"]),
        m => unit(m / (HOUR / 60), ["Minute", "Minuten"], ["minute", "minutes"]),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use expect_test::expect;

    use super::{DAY, HOUR};
    use crate::checks::tests::{NOW, check, nobody_looked};

    #[test]
    fn every_state() {
        check(
            "S03",
            &[
                ("nothing waits", |_| {}),
                ("one has just come up", |e| {
                    let c = &mut e.connections.as_mut().unwrap()[0];
                    (c.waiting, c.oldest_waiting_at) = (1, Some(NOW - HOUR / 2));
                }),
                ("given up today", |e| {
                    let c = &mut e.connections.as_mut().unwrap()[0];
                    (c.dead, c.oldest_dead_at) = (2, Some(NOW - 3 * HOUR));
                }),
                ("given up long ago", |e| {
                    let c = &mut e.connections.as_mut().unwrap()[0];
                    (c.dead, c.oldest_dead_at) = (1, Some(NOW - 3 * DAY));
                }),
                ("no connections", |e| e.connections = Ok(Vec::new())),
                ("unseen", |e| e.connections = nobody_looked()),
            ],
            expect![[r#"
                nothing waits: Green [0 minutes / 0]
                    Keine Nachricht wartet, keine liegt fest.
                    No message waits, none is stuck.
                      - ERP: 0 waiting, 0 stuck.
                one has just come up: Green [30 minutes / 0]
                    Die älteste nicht übergebene Nachricht wartet 30 Minuten; 0 liegen fest.
                    The oldest undelivered message has waited 30 minutes; 0 are stuck.
                      - ERP: 1 waiting, 0 stuck.
                given up today: Yellow [3 hours / 2]
                    Die älteste nicht übergebene Nachricht wartet 3 Stunden; 2 liegen fest.
                    The oldest undelivered message has waited 3 hours; 2 are stuck.
                      - ERP: 0 waiting, 2 stuck.
                given up long ago: Red [3 days / 1]
                    Die älteste nicht übergebene Nachricht wartet 3 Tage; 1 liegt fest.
                    The oldest undelivered message has waited 3 days; 1 is stuck.
                      - ERP: 0 waiting, 1 stuck.
                no connections: NotApplicable []
                    Ihr System ist mit keinem anderen verbunden.
                    Your system is connected to no other.
                unseen: Unknown []
                    Ob Nachrichten liegen geblieben sind, ist noch nicht bekannt.
                    Whether messages were left lying is not yet known.
                      - Technical reason: canceling statement due to statement timeout
            "#]],
        );
    }
}
