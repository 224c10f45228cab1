//! D03: lists that would take the same entry twice.

use super::{Check, answer, unseen};
use crate::{
    evidence::Evidence,
    format,
    report::{Answer, Ask, Effort, EvidenceClass, State},
    text::{Text, both, plural},
};

pub(super) const CHECK: Check = Check {
    id: "D03",
    weight: 2,
    cap: false,
    threshold: Text {
        de: "grün: keine; gelb: 1 bis 2; rot: 3 und mehr",
        en: "green: none; yellow: 1 to 2; red: 3 and more",
    },
    meaning: Text {
        de: "Doppelte Einträge werden zu doppelten Rechnungen.",
        en: "Duplicate entries turn into duplicate invoices.",
    },
    ask: Ask::Agency,
    question: Text {
        de: "Warum darf es diese Nummer oder Adresse zweimal geben?",
        en: "Why may this number or address exist twice?",
    },
    advice: Text { de: "Doppelte Einträge ausschließen lassen", en: "Have duplicates ruled out" },
    effort: Effort::Small,
    class: EvidenceClass::Measured,
    probe,
};

fn probe(evidence: &Evidence) -> Answer {
    let doubles = match &evidence.doubles {
        Ok(doubles) => doubles,
        Err(why) => {
            let title = Text {
                de: "Ob Listen doppelte Einträge zulassen, ist noch nicht bekannt.",
                en: "Whether lists allow duplicates is not yet known.",
            };
            return unseen(title, why);
        }
    };
    let mut tables: Vec<&str> = doubles.iter().map(|d| d.table.as_str()).collect();
    tables.dedup();
    let n = tables.len() as u64;
    let state = match n {
        0 => State::Green,
        1 | 2 => State::Yellow,
        _ => State::Red,
    };
    answer(
        state,
        n.to_string(),
        both(
            format!("{n} {} doppelte Einträge zu.", plural(n, "Liste lässt", "Listen lassen")),
            format!("{n} {} duplicate entries.", plural(n, "list allows", "lists allow")),
        ),
    )
    .because(both(
        "Geprüft: Hauptschlüssel jeder Liste und Felder, die wie eine Nummer oder Adresse heißen.",
        "Checked: the primary key of every list, and fields named like a number or address.",
    ))
    .because_all(doubles.iter().map(|d| {
        both(
            format!(
                "{}.{} ist nicht eindeutig; doppelt heute: {} von {}",
                d.table,
                d.field,
                format::count(d.doubles, "de"),
                format::count(d.checked, "de")
            ),
            format!(
                "{}.{} is not unique; duplicates today: {} of {}",
                d.table,
                d.field,
                format::count(d.doubles, "en"),
                format::count(d.checked, "en")
            ),
        )
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use expect_test::expect;

    use crate::checks::tests::{check, nobody_looked};
    use crate::evidence::DoubleFact;

    #[test]
    fn every_state() {
        fn list(table: &str) -> DoubleFact {
            DoubleFact { table: table.into(), field: "email".into(), checked: 1200, doubles: 3 }
        }
        check(
            "D03",
            &[
                ("none", |_| {}),
                ("one", |e| e.doubles = Ok(vec![list("a")])),
                ("three", |e| e.doubles = Ok(vec![list("a"), list("b"), list("c")])),
                ("unseen", |e| e.doubles = nobody_looked()),
            ],
            expect![[r#"
                none: Green [0]
                    0 Listen lassen doppelte Einträge zu.
                    0 lists allow duplicate entries.
                      - Checked: the primary key of every list, and fields named like a number or address.
                one: Yellow [1]
                    1 Liste lässt doppelte Einträge zu.
                    1 list allows duplicate entries.
                      - Checked: the primary key of every list, and fields named like a number or address.
                      - a.email is not unique; duplicates today: 3 of 1,200
                three: Red [3]
                    3 Listen lassen doppelte Einträge zu.
                    3 lists allow duplicate entries.
                      - Checked: the primary key of every list, and fields named like a number or address.
                      - a.email is not unique; duplicates today: 3 of 1,200
                      - b.email is not unique; duplicates today: 3 of 1,200
                      - c.email is not unique; duplicates today: 3 of 1,200
                unseen: Unknown []
                    Ob Listen doppelte Einträge zulassen, ist noch nicht bekannt.
                    Whether lists allow duplicates is not yet known.
                      - Technical reason: canceling statement due to statement timeout
            "#]],
        );
    }
}
