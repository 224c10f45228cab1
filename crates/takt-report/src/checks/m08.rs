//! M08: how old the last complete backup is.

use super::{Check, answer, unseen};
use crate::{
    evidence::Evidence,
    format,
    history::DAY,
    report::{Answer, Ask, Effort, EvidenceClass, State},
    text::{Text, both},
};

pub(super) const CHECK: Check = Check {
    id: "M08",
    weight: 5,
    cap: true,
    threshold: Text {
        de: "grün: höchstens einen Tag alt; gelb: höchstens zwei, oder der letzte Versuch ist gescheitert; rot: älter oder keine",
        en: "green: at most a day old; yellow: at most two, or the last try failed; red: older, or none",
    },
    meaning: Text {
        de: "So viel Arbeit ist verloren, wenn die Maschine stirbt.",
        en: "That much work is lost when the machine dies.",
    },
    ask: Ask::Agency,
    question: Text {
        de: "Warum gibt es keine neuere Sicherung, und wer merkt das von selbst?",
        en: "Why is there no newer backup, and who notices that without being asked?",
    },
    advice: Text { de: "Sicherung jede Nacht einrichten lassen", en: "Have a backup made every night" },
    effort: Effort::Small,
    class: EvidenceClass::Measured,
    probe,
};

/// A day, and an hour for making it.
const GREEN_HOURS: i64 = 25;
const HOUR: i64 = DAY / 24;

fn probe(evidence: &Evidence) -> Answer {
    let title = Text {
        de: "Wie alt die letzte Sicherung ist, ist noch nicht bekannt.",
        en: "How old the last backup is, is not yet known.",
    };
    let facts = match &evidence.backups {
        Ok(facts) => facts,
        Err(why) => return unseen(title, why),
    };
    let fault = facts.last_fault.as_ref().map(|why| {
        both(
            format!("Der letzte Versuch ist gescheitert. Technischer Grund: {why}"),
            format!("The last try failed. Technical reason: {why}"),
        )
    });
    let Some(at) = facts.last_at else {
        let none = both("Es gibt noch keine Sicherung.", "There is no backup yet.");
        return answer(State::Red, "", none).because_all(fault);
    };
    let hours = (evidence.at - at).max(0) / HOUR;
    let state = match hours {
        ..GREEN_HOURS if fault.is_none() => State::Green,
        ..50 => State::Yellow,
        _ => State::Red,
    };
    let (unit_de, unit_en, number) = match hours {
        1 => ("Stunde", "hour", 1),
        ..48 => ("Stunden", "hours", hours),
        _ => ("Tage", "days", hours / 24),
    };
    answer(
        state,
        "",
        both(
            format!("Die letzte vollständige Sicherung ist {number} {unit_de} alt."),
            format!("The last complete backup is {number} {unit_en} old."),
        ),
    )
    .valued(&format!("{number} {unit_de}"), &format!("{number} {unit_en}"))
    .because(both(
        format!(
            "{} Zeilen aus der Datenbank, dazu alle Dateien und Schlüssel.",
            format::count(facts.rows, "de")
        ),
        format!("{} rows of the database, with all files and keys.", format::count(facts.rows, "en")),
    ))
    .because_all(fault)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use expect_test::expect;

    use crate::checks::tests::{NOW, backups, check, nobody_looked};
    use crate::history::DAY;

    #[test]
    fn every_state() {
        check(
            "M08",
            &[
                ("last night", |_| {}),
                ("an hour ago", |e| backups(e).last_at = Some(NOW - DAY / 24)),
                ("last night, then a failure", |e| backups(e).last_fault = Some("the disk is full".into())),
                ("the night before", |e| backups(e).last_at = Some(NOW - 30 * DAY / 24)),
                ("last week", |e| backups(e).last_at = Some(NOW - 7 * DAY)),
                ("never", |e| *backups(e) = crate::evidence::BackupFacts::default()),
                ("unseen", |e| e.backups = nobody_looked()),
            ],
            expect![[r#"
                last night: Green [6 hours]
                    Die letzte vollständige Sicherung ist 6 Stunden alt.
                    The last complete backup is 6 hours old.
                      - 412,080 rows of the database, with all files and keys.
                an hour ago: Green [1 hour]
                    Die letzte vollständige Sicherung ist 1 Stunde alt.
                    The last complete backup is 1 hour old.
                      - 412,080 rows of the database, with all files and keys.
                last night, then a failure: Yellow [6 hours]
                    Die letzte vollständige Sicherung ist 6 Stunden alt.
                    The last complete backup is 6 hours old.
                      - 412,080 rows of the database, with all files and keys.
                      - The last try failed. Technical reason: the disk is full
                the night before: Yellow [30 hours]
                    Die letzte vollständige Sicherung ist 30 Stunden alt.
                    The last complete backup is 30 hours old.
                      - 412,080 rows of the database, with all files and keys.
                last week: Red [7 days]
                    Die letzte vollständige Sicherung ist 7 Tage alt.
                    The last complete backup is 7 days old.
                      - 412,080 rows of the database, with all files and keys.
                never: Red []
                    Es gibt noch keine Sicherung.
                    There is no backup yet.
                unseen: Unknown []
                    Wie alt die letzte Sicherung ist, ist noch nicht bekannt.
                    How old the last backup is, is not yet known.
                      - Technical reason: canceling statement due to statement timeout
            "#]],
        );
    }
}
