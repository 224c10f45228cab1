//! D14: fields that look personal but carry no flag.

use super::{Check, answer, unseen};
use crate::{
    evidence::{Evidence, SuspectReason},
    report::{Answer, Ask, Effort, EvidenceClass, State},
    text::{Text, both, plural},
};

pub(super) const CHECK: Check = Check {
    id: "D14",
    weight: 2,
    cap: false,
    threshold: Text {
        de: "grün: keines; gelb: 1 bis 3; rot: mehr",
        en: "green: none; yellow: 1 to 3; red: more",
    },
    meaning: Text {
        de: "Was nicht markiert ist, fehlt in Auskunft und Löschung.",
        en: "What is not marked is missing when people ask for or erase their data.",
    },
    ask: Ask::DataProtection,
    question: Text {
        de: "Sind diese Felder persönliche Daten? Dann gehört die Markierung `personal` daran.",
        en: "Are these fields personal data? Then they need the mark `personal`.",
    },
    advice: Text { de: "Persönliche Felder markieren lassen", en: "Have personal fields marked" },
    effort: Effort::Small,
    class: EvidenceClass::Measured,
    probe,
};

fn probe(evidence: &Evidence) -> Answer {
    let suspects = match &evidence.suspects {
        Ok(suspects) => suspects,
        Err(why) => {
            let title = Text {
                de: "Ob persönliche Felder unmarkiert sind, ist noch nicht bekannt.",
                en: "Whether personal fields are unmarked is not yet known.",
            };
            return unseen(title, why);
        }
    };
    let n = suspects.len() as u64;
    let state = match n {
        0 => State::Green,
        1..=3 => State::Yellow,
        _ => State::Red,
    };
    answer(
        state,
        n.to_string(),
        both(
            format!(
                "{n} {} nach persönlichen Daten aus, {} aber nicht markiert.",
                plural(n, "Feld sieht", "Felder sehen"),
                plural(n, "ist", "sind"),
            ),
            format!(
                "{n} {} personal but {} not marked.",
                plural(n, "field looks", "fields look"),
                plural(n, "is", "are")
            ),
        ),
    )
    .because(both(
        "Geprüft: alle Feldnamen und bis zu 200 Werte je Liste.",
        "Checked: all field names and up to 200 values in each list.",
    ))
    .because_all(suspects.iter().map(|s| match s.reason {
        SuspectReason::Name => both(
            format!("{}.{}: heißt wie {}", s.table, s.field, kind_de(&s.kind)),
            format!("{}.{}: named like {}", s.table, s.field, kind_en(&s.kind)),
        ),
        SuspectReason::Values { hits, of } => both(
            format!("{}.{}: {hits} von {of} Werten sehen aus wie {}", s.table, s.field, kind_de(&s.kind)),
            format!("{}.{}: {hits} of {of} values look like {}", s.table, s.field, kind_en(&s.kind)),
        ),
    }))
}

fn kind_de(kind: &str) -> &str {
    match kind {
        "contact" => "ein Kontakt",
        "name" => "ein Name",
        "address" => "eine Anschrift",
        "birth" => "ein Geburtstag",
        "bank" => "eine Bankverbindung",
        _ => "eine vertrauliche Angabe",
    }
}

fn kind_en(kind: &str) -> &str {
    match kind {
        "contact" => "a contact",
        "name" => "a name",
        "address" => "an address",
        "birth" => "a birthday",
        "bank" => "a bank account",
        _ => "a confidential detail",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use expect_test::expect;

    use crate::checks::tests::{check, nobody_looked};
    use crate::evidence::{Suspect, SuspectReason};

    #[test]
    fn every_state() {
        fn suspect(field: &str, reason: SuspectReason) -> Suspect {
            Suspect { table: "guests".into(), field: field.into(), kind: "contact".into(), reason }
        }
        check(
            "D14",
            &[
                ("none", |_| {}),
                ("two", |e| {
                    e.suspects = Ok(vec![
                        suspect("phone", SuspectReason::Name),
                        suspect("note", SuspectReason::Values { hits: 60, of: 200 }),
                    ]);
                }),
                ("four", |e| e.suspects = Ok(vec![suspect("phone", SuspectReason::Name); 4])),
                ("unseen", |e| e.suspects = nobody_looked()),
            ],
            expect![[r#"
                none: Green [0]
                    0 Felder sehen nach persönlichen Daten aus, sind aber nicht markiert.
                    0 fields look personal but are not marked.
                      - Checked: all field names and up to 200 values in each list.
                two: Yellow [2]
                    2 Felder sehen nach persönlichen Daten aus, sind aber nicht markiert.
                    2 fields look personal but are not marked.
                      - Checked: all field names and up to 200 values in each list.
                      - guests.phone: named like a contact
                      - guests.note: 60 of 200 values look like a contact
                four: Red [4]
                    4 Felder sehen nach persönlichen Daten aus, sind aber nicht markiert.
                    4 fields look personal but are not marked.
                      - Checked: all field names and up to 200 values in each list.
                      - guests.phone: named like a contact
                      - guests.phone: named like a contact
                      - guests.phone: named like a contact
                      - guests.phone: named like a contact
                unseen: Unknown []
                    Ob persönliche Felder unmarkiert sind, ist noch nicht bekannt.
                    Whether personal fields are unmarked is not yet known.
                      - Technical reason: canceling statement due to statement timeout
            "#]],
        );
    }
}
