//! D02: rows that point to something that is gone.

use super::{Check, answer, unseen};
use crate::{
    evidence::Evidence,
    format,
    report::{Answer, Ask, Effort, EvidenceClass, State},
    text::{Text, both, plural},
};

pub(super) const CHECK: Check = Check {
    id: "D02",
    weight: 3,
    cap: false,
    threshold: Text {
        de: "grün: keiner; gelb: höchstens einer von 1.000; rot: mehr",
        en: "green: none; yellow: at most one in 1,000; red: more",
    },
    meaning: Text {
        de: "Eine Bestellung ohne Kundin kann niemand ausliefern.",
        en: "Nobody can deliver an order that has lost its customer.",
    },
    ask: Ask::Agency,
    question: Text {
        de: "Welche Datensätze verweisen ins Leere, und wie werden sie berichtigt?",
        en: "Which records point to something that is gone, and how will they be mended?",
    },
    advice: Text { de: "Verweise ins Leere berichtigen lassen", en: "Have the broken links mended" },
    effort: Effort::Medium,
    class: EvidenceClass::Measured,
    probe,
};

fn probe(evidence: &Evidence) -> Answer {
    let links = match &evidence.links {
        Ok(links) => links,
        Err(why) => {
            let title = Text {
                de: "Ob Datensätze ins Leere verweisen, ist noch nicht bekannt.",
                en: "Whether records point to something that is gone is not yet known.",
            };
            return unseen(title, why);
        }
    };
    let checked: u64 = links.iter().map(|l| l.checked).sum();
    let broken: u64 = links.iter().map(|l| l.broken).sum();
    let state = match broken {
        0 => State::Green,
        n if n.saturating_mul(1000) <= checked => State::Yellow,
        _ => State::Red,
    };
    let n = links.len() as u64;
    let kinds = |language: &str| match language {
        "de" => format!("{n} {}", plural(n, "Art von Verweis", "Arten von Verweisen")),
        _ => format!("{n} {}", plural(n, "kind of link", "kinds of links")),
    };
    answer(
        state,
        broken.to_string(),
        both(
            format!(
                "{} {} ins Leere.",
                format::count(broken, "de"),
                plural(broken, "Datensatz verweist", "Datensätze verweisen")
            ),
            format!(
                "{} {} to something that is gone.",
                format::count(broken, "en"),
                plural(broken, "record points", "records point")
            ),
        ),
    )
    .because(both(
        format!("Geprüft: {}, {} Datensätze.", kinds("de"), format::count(checked, "de")),
        format!("Checked: {}, {} records.", kinds("en"), format::count(checked, "en")),
    ))
    .because_all(links.iter().filter(|l| l.broken > 0).map(|l| {
        both(
            format!("{}.{} nach {}: {} ohne Ziel", l.table, l.field, l.target, format::count(l.broken, "de")),
            format!(
                "{}.{} to {}: {} without target",
                l.table,
                l.field,
                l.target,
                format::count(l.broken, "en")
            ),
        )
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use expect_test::expect;

    use crate::checks::tests::{check, nobody_looked};
    use crate::evidence::Evidence;

    #[test]
    fn every_state() {
        fn broken(e: &mut Evidence, n: u64) {
            e.links.as_mut().unwrap()[0].broken = n;
        }
        check(
            "D02",
            &[
                ("none", |_| {}),
                ("one", |e| broken(e, 1)),
                ("many", |e| broken(e, 91)),
                ("unseen", |e| e.links = nobody_looked()),
            ],
            expect![[r#"
                none: Green [0]
                    0 Datensätze verweisen ins Leere.
                    0 records point to something that is gone.
                      - Checked: 1 kind of link, 90,000 records.
                one: Yellow [1]
                    1 Datensatz verweist ins Leere.
                    1 record points to something that is gone.
                      - Checked: 1 kind of link, 90,000 records.
                      - order_items.order_id to orders: 1 without target
                many: Red [91]
                    91 Datensätze verweisen ins Leere.
                    91 records point to something that is gone.
                      - Checked: 1 kind of link, 90,000 records.
                      - order_items.order_id to orders: 91 without target
                unseen: Unknown []
                    Ob Datensätze ins Leere verweisen, ist noch nicht bekannt.
                    Whether records point to something that is gone is not yet known.
                      - Technical reason: canceling statement due to statement timeout
            "#]],
        );
    }
}
