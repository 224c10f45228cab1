//! M12: whether the owner's own key opens the backup, tried.

use super::{Check, answer, unseen};
use crate::{
    evidence::Evidence,
    format,
    history::DAY,
    report::{Answer, Ask, Effort, EvidenceClass, State},
    text::{Text, both},
};

pub(super) const CHECK: Check = Check {
    id: "M12",
    weight: 3,
    cap: false,
    threshold: Text {
        de: "grün: in den letzten 12 Monaten erprobt; gelb: vorhanden; rot: keiner",
        en: "green: tried within 12 months; yellow: there is one; red: none",
    },
    meaning: Text {
        de: "Sonst gehören die Daten dem, der den Schlüssel hat.",
        en: "Otherwise the data belongs to whoever has the key.",
    },
    ask: Ask::Owner,
    question: Text {
        de: "Geben Sie mir bitte meinen eigenen Schlüssel zur Sicherung.",
        en: "Please give me my own key to the backup.",
    },
    advice: Text {
        de: "Eigenen Schlüssel geben lassen und einmal erproben",
        en: "Get your own key and try it once",
    },
    effort: Effort::Small,
    class: EvidenceClass::Measured,
    probe,
};

/// A key that was tried so many days ago is still believed.
const DAYS: i64 = 366;

fn probe(evidence: &Evidence) -> Answer {
    let title = Text {
        de: "Ob Ihr eigener Schlüssel die Sicherung öffnet, ist noch nicht bekannt.",
        en: "Whether your own key opens the backup is not yet known.",
    };
    let facts = match &evidence.backups {
        Ok(facts) => facts,
        Err(why) => return unseen(title, why),
    };
    if !facts.owner_has_key {
        let none = both(
            "Sie haben keinen eigenen Schlüssel zur Sicherung.",
            "You have no key of your own to the backup.",
        );
        return answer(State::Red, "", none);
    }
    match facts.owner_key_tried_at.filter(|at| (evidence.at - at) / DAY <= DAYS) {
        Some(at) => {
            let (de, en) = (format::moment_short(at, "de"), format::moment_short(at, "en"));
            let tried = both(
                format!("Ihr eigener Schlüssel öffnet die Sicherung, erprobt am {de}."),
                format!("Your own key opens the backup, tried on {en}."),
            );
            answer(State::Green, "", tried).valued(&de, &en)
        }
        None => answer(
            State::Yellow,
            "",
            both(
                "Ihr eigener Schlüssel zur Sicherung wurde im letzten Jahr nicht erprobt.",
                "Your own key to the backup was not tried within the last year.",
            ),
        ),
    }
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
            "M12",
            &[
                ("tried", |_| {}),
                ("tried long ago", |e| backups(e).owner_key_tried_at = Some(NOW - 400 * DAY)),
                ("never tried", |e| backups(e).owner_key_tried_at = None),
                ("none", |e| backups(e).owner_has_key = false),
                ("unseen", |e| e.backups = nobody_looked()),
            ],
            expect![[r#"
                tried: Green [24 Sep 2026, 09:14]
                    Ihr eigener Schlüssel öffnet die Sicherung, erprobt am 24.09.2026, 09:14 Uhr.
                    Your own key opens the backup, tried on 24 Sep 2026, 09:14.
                tried long ago: Yellow []
                    Ihr eigener Schlüssel zur Sicherung wurde im letzten Jahr nicht erprobt.
                    Your own key to the backup was not tried within the last year.
                never tried: Yellow []
                    Ihr eigener Schlüssel zur Sicherung wurde im letzten Jahr nicht erprobt.
                    Your own key to the backup was not tried within the last year.
                none: Red []
                    Sie haben keinen eigenen Schlüssel zur Sicherung.
                    You have no key of your own to the backup.
                unseen: Unknown []
                    Ob Ihr eigener Schlüssel die Sicherung öffnet, ist noch nicht bekannt.
                    Whether your own key opens the backup is not yet known.
                      - Technical reason: canceling statement due to statement timeout
            "#]],
        );
    }
}
