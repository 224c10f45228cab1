//! D01: what is stored, in the words of the business.

use super::{Check, answer, unknown, unseen};
use crate::{
    access,
    evidence::Evidence,
    format,
    report::{Answer, Ask, Effort, EvidenceClass, State},
    text::{Text, both, listing},
};

pub(super) const CHECK: Check = Check {
    id: "D01",
    weight: 1,
    cap: false,
    threshold: Text {
        de: "grün: alle Listen haben einen Namen; gelb: mindestens 80 %; rot: weniger",
        en: "green: every list has a name; yellow: at least 80 %; red: fewer",
    },
    meaning: Text {
        de: "So viel ginge bei einem Verlust verloren.",
        en: "This much would be gone with a loss.",
    },
    ask: Ask::Agency,
    question: Text {
        de: "Bitte geben Sie jeder Liste einen Namen, den wir verstehen.",
        en: "Please give every list a name that we understand.",
    },
    advice: Text { de: "Allen Listen einen Namen geben lassen", en: "Have every list named" },
    effort: Effort::Small,
    class: EvidenceClass::Measured,
    probe,
};

fn probe(evidence: &Evidence) -> Answer {
    let title =
        Text { de: "Was gespeichert ist, ist noch nicht bekannt.", en: "What is stored is not yet known." };
    let counts = match &evidence.counts {
        Ok(counts) if !counts.is_empty() => counts,
        Ok(_) => {
            return unknown(
                title,
                Text { de: "Das Projekt hat noch keine Liste.", en: "The project has no list yet." },
            );
        }
        Err(why) => return unseen(title, why),
    };
    let tables: Vec<_> = access::tables(&evidence.project).collect();
    let nameless: Vec<_> = tables.iter().filter(|t| t.label.is_empty()).collect();
    let state = match nameless.len() {
        0 => State::Green,
        n if n * 5 <= tables.len() => State::Yellow,
        _ => State::Red,
    };
    let said = |language: &str| -> Vec<String> {
        let mut rows: Vec<_> = counts.iter().collect();
        rows.sort_by_key(|c| std::cmp::Reverse(c.rows));
        rows.iter()
            .map(|c| {
                let label = tables.iter().find(|t| t.name == c.table).and_then(|t| t.label.get(language));
                format!("{} {}", format::count(c.rows, language), label.unwrap_or(&c.table))
            })
            .collect()
    };
    answer(
        state,
        counts.iter().map(|c| c.rows).sum::<u64>().to_string(),
        both(
            format!("Gespeichert sind {}.", listing(&said("de"), "de", 4)),
            format!("Stored: {}.", listing(&said("en"), "en", 4)),
        ),
    )
    .because_all(said("de").into_iter().zip(said("en")).map(|(de, en)| both(de, en)))
    .because_all(
        nameless
            .iter()
            .map(|t| both(format!("Ohne Namen: {}", t.name), format!("Without a name: {}", t.name))),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use expect_test::expect;

    use crate::checks::tests::{check, nobody_looked, project};
    use crate::evidence::TableCount;

    #[test]
    fn every_state() {
        check(
            "D01",
            &[
                ("named", |_| {}),
                ("nameless", |e| {
                    e.project = project(&[("t", "[fields.id]\ntype = \"uuid\"\nprimary_key = true\n")]);
                    e.counts = Ok(vec![TableCount { table: "t".into(), rows: 1 }]);
                }),
                ("unseen", |e| e.counts = nobody_looked()),
            ],
            expect![[r#"
                named: Green [41208]
                    Gespeichert sind 41.208 Bestellungen.
                    Stored: 41,208 Orders.
                      - 41,208 Orders
                nameless: Red [1]
                    Gespeichert sind 1 t.
                    Stored: 1 t.
                      - 1 t
                      - Without a name: t
                unseen: Unknown []
                    Was gespeichert ist, ist noch nicht bekannt.
                    What is stored is not yet known.
                      - Technical reason: canceling statement due to statement timeout
            "#]],
        );
    }
}
