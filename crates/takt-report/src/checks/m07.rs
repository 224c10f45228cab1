//! M07: whether something on the way of a purchase has no replacement.

use super::{Check, answer, proven_drill, unknown, unseen};
use crate::{
    evidence::Evidence,
    report::{Answer, Ask, Effort, EvidenceClass, State},
    text::{Text, both},
};

pub(super) const CHECK: Check = Check {
    id: "M07",
    weight: 2,
    cap: false,
    threshold: Text {
        de: "grün: 0; gelb: 1 mit erprobter Rückkehr in höchstens 4 Stunden; rot: sonst",
        en: "green: 0; yellow: 1 with a tried return within 4 hours; red: otherwise",
    },
    meaning: Text { de: "Fällt es aus, steht der Laden.", en: "When it fails, the shop stands still." },
    ask: Ask::Hoster,
    question: Text {
        de: "Was geschieht, wenn diese Maschine heute ausfällt, und wer stellt eine neue hin?",
        en: "What happens if this machine fails today, and who sets up a new one?",
    },
    advice: Text {
        de: "Rückkehr auf einer zweiten Maschine erproben",
        en: "Try the return on a second machine",
    },
    effort: Effort::Small,
    class: EvidenceClass::Measured,
    probe,
};

/// How long the return may take at the most.
const MOST_MILLIS: u64 = 4 * 3_600_000;

fn probe(evidence: &Evidence) -> Answer {
    let title = Text {
        de: "Wie viele Bauteile keinen Ersatz haben, ist noch nicht bekannt.",
        en: "How many parts have no replacement is not yet known.",
    };
    let (store, facts) = match (&evidence.store, &evidence.backups) {
        (Ok(store), Ok(facts)) => (store, facts),
        (Err(why), _) | (_, Err(why)) => return unseen(title, why),
    };
    if !store.embedded {
        let why = Text {
            de: "Ob die Datenbank Ersatz hat, sieht dieses Programm nicht.",
            en: "Whether the database has a replacement, this program cannot see.",
        };
        return unknown(title, why);
    }
    let proven = proven_drill(facts, evidence.at, 31).filter(|d| d.milliseconds <= MOST_MILLIS);
    let state = if proven.is_some() { State::Yellow } else { State::Red };
    let because = match proven {
        Some(_) => both(
            "Eine Maschine trägt alles; wie sie zurückkommt, ist erprobt.",
            "One machine carries everything; its return has been tried.",
        ),
        None => both(
            "Eine Maschine trägt alles, und ihre Rückkehr ist nicht erprobt.",
            "One machine carries everything, and its return has not been tried.",
        ),
    };
    answer(state, "1", both("1 Bauteil hat keinen Ersatz.", "1 part has no replacement.")).because(because)
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
            "M07",
            &[
                ("return tried", |_| {}),
                ("tried long ago", |e| backups(e).last_drill.as_mut().unwrap().at = NOW - 40 * DAY),
                ("never tried", |e| backups(e).last_drill = None),
                ("takes a day", |e| backups(e).last_drill.as_mut().unwrap().milliseconds = 86_400_000),
                ("elsewhere", |e| e.store.as_mut().unwrap().embedded = false),
                ("unseen", |e| e.backups = nobody_looked()),
            ],
            expect![[r#"
                return tried: Yellow [1]
                    1 Bauteil hat keinen Ersatz.
                    1 part has no replacement.
                      - One machine carries everything; its return has been tried.
                tried long ago: Red [1]
                    1 Bauteil hat keinen Ersatz.
                    1 part has no replacement.
                      - One machine carries everything, and its return has not been tried.
                never tried: Red [1]
                    1 Bauteil hat keinen Ersatz.
                    1 part has no replacement.
                      - One machine carries everything, and its return has not been tried.
                takes a day: Red [1]
                    1 Bauteil hat keinen Ersatz.
                    1 part has no replacement.
                      - One machine carries everything, and its return has not been tried.
                elsewhere: Unknown []
                    Wie viele Bauteile keinen Ersatz haben, ist noch nicht bekannt.
                    How many parts have no replacement is not yet known.
                      - Whether the database has a replacement, this program cannot see.
                unseen: Unknown []
                    Wie viele Bauteile keinen Ersatz haben, ist noch nicht bekannt.
                    How many parts have no replacement is not yet known.
                      - Technical reason: canceling statement due to statement timeout
            "#]],
        );
    }
}
