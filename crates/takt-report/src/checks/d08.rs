//! D08: whether a confirmed order survives a power cut.

use super::{Check, answer, plain, unseen};
use crate::{
    evidence::Evidence,
    report::{Answer, Ask, Effort, EvidenceClass, State},
    text::{Text, both},
};

pub(super) const CHECK: Check = Check {
    id: "D08",
    weight: 5,
    cap: true,
    threshold: Text {
        de: "grün: jede Bestätigung wartet auf die Festplatte; rot: nicht",
        en: "green: every confirmation waits for the disk; red: it does not",
    },
    meaning: Text {
        de: "Sonst hat die Kundin die Bestätigung und Sie haben keine Bestellung.",
        en: "Otherwise the customer has a confirmation and you have no order.",
    },
    ask: Ask::Agency,
    question: Text {
        de: "Warum wartet die Datenbank nicht auf die Festplatte, bevor sie bestätigt?",
        en: "Why does the database not wait for the disk before it confirms?",
    },
    advice: Text { de: "Sicheres Schreiben einschalten lassen", en: "Have safe writing switched on" },
    effort: Effort::Small,
    class: EvidenceClass::Measured,
    probe,
};

fn probe(evidence: &Evidence) -> Answer {
    let store = match &evidence.store {
        Ok(store) => store,
        Err(why) => {
            let title = Text {
                de: "Ob Bestellungen einen Stromausfall überstehen, ist noch nicht bekannt.",
                en: "Whether orders survive a power cut is not yet known.",
            };
            return unseen(title, why);
        }
    };
    let (state, de, en) =
        if store.durable { (State::Green, "ja", "yes") } else { (State::Red, "nein", "no") };
    answer(
        state,
        en,
        both(
            format!("Bestätigte Bestellungen überstehen einen Stromausfall: {de}."),
            format!("Confirmed orders survive a power cut: {en}."),
        ),
    )
    .valued(de, en)
    .because(plain(&store.engine))
    .because(both(
        format!("Bestätigt wird erst nach dem Schreiben auf die Festplatte: {de}."),
        format!("Confirmation waits until the disk has written: {en}."),
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use expect_test::expect;

    use crate::checks::tests::{check, nobody_looked};

    #[test]
    fn every_state() {
        check(
            "D08",
            &[
                ("durable", |_| {}),
                ("not durable", |e| e.store.as_mut().unwrap().durable = false),
                ("unseen", |e| e.store = nobody_looked()),
            ],
            expect![[r#"
                durable: Green [yes]
                    Bestätigte Bestellungen überstehen einen Stromausfall: ja.
                    Confirmed orders survive a power cut: yes.
                      - SQLite 3.54.1
                      - Confirmation waits until the disk has written: yes.
                not durable: Red [no]
                    Bestätigte Bestellungen überstehen einen Stromausfall: nein.
                    Confirmed orders survive a power cut: no.
                      - SQLite 3.54.1
                      - Confirmation waits until the disk has written: no.
                unseen: Unknown []
                    Ob Bestellungen einen Stromausfall überstehen, ist noch nicht bekannt.
                    Whether orders survive a power cut is not yet known.
                      - Technical reason: canceling statement due to statement timeout
            "#]],
        );
    }
}
