//! M06: how many of all requests were answered without a fault of ours.

use super::{Check, answer, is_young, too_few, unknown, unless_young, unseen};
use crate::{
    evidence::Evidence,
    format, history,
    report::{Answer, Ask, Effort, EvidenceClass, State},
    text::{Text, both},
};

/// Days of the window.
const DAYS: i64 = 28;
/// Fewer requests say nothing.
const SAMPLES: u64 = 200;

pub(super) const CHECK: Check = Check {
    id: "M06",
    weight: 5,
    cap: false,
    threshold: Text {
        de: "in 28 Tagen, ab 200 Zugriffen; grün: 99,5 von 100; gelb: 99,1; rot: weniger",
        en: "over 28 days, from 200 requests; green: 99.5 of 100; yellow: 99.1; red: fewer",
    },
    meaning: Text { de: "Jeder Fehlschlag kann ein Verkauf sein.", en: "Each miss may be a sale." },
    ask: Ask::Agency,
    question: Text {
        de: "Was sind die drei häufigsten Ursachen der Fehler?",
        en: "What are the three most frequent causes of failure?",
    },
    advice: Text { de: "Ursachen der Fehler beheben lassen", en: "Have the causes of failure mended" },
    effort: Effort::Medium,
    class: EvidenceClass::Measured,
    probe,
};

fn probe(evidence: &Evidence) -> Answer {
    let title = Text {
        de: "Wie viele Zugriffe gelingen, ist noch nicht bekannt.",
        en: "How many requests succeed is not yet known.",
    };
    let all = match &evidence.minutes {
        Ok(minutes) => history::sum(minutes),
        Err(why) => return unseen(title, why),
    };
    if all.total() == 0 {
        return unless_young(
            evidence,
            DAYS,
            unknown(
                title,
                Text { de: "Noch wurde kein Zugriff gezählt.", en: "No request was counted yet." },
            ),
        );
    }
    let share = all.succeeded as f64 * 100.0 / all.total() as f64;
    let state = match () {
        () if all.total() < SAMPLES => State::Unknown,
        () if share >= 99.5 => State::Green,
        () if share >= 99.1 => State::Yellow,
        () => State::Red,
    };
    let (de, en) =
        if is_young(evidence, DAYS) { ("Bisher", "So far") } else { ("In vier Wochen", "In four weeks") };
    let given = answer(
        state,
        format!("{share:.2} %"),
        both(
            format!("{de} gelangen {} von 100 Zugriffen.", format::decimal_places(share, 2, "de")),
            format!("{en} {} of 100 requests succeeded.", format::decimal_places(share, 2, "en")),
        ),
    )
    .because(both(
        format!(
            "{} Zugriffe, davon {} mit einem Fehler des Servers.",
            format::count(all.total(), "de"),
            format::count(all.failed, "de")
        ),
        format!(
            "{} requests, {} of them with a fault of the server.",
            format::count(all.total(), "en"),
            format::count(all.failed, "en")
        ),
    ));
    let given = if all.total() < SAMPLES { given.because(too_few(SAMPLES)) } else { given };
    unless_young(evidence, DAYS, given)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use expect_test::expect;
    use takt_engine::RequestMinute;

    use crate::checks::tests::{check, nobody_looked, young};
    use crate::evidence::Evidence;

    #[test]
    fn every_state() {
        fn outcome(e: &mut Evidence, succeeded: u64, failed: u64) {
            let minute = RequestMinute { minute: 1, succeeded, failed, latency: [0; 16] };
            e.minutes = Ok(vec![minute]);
        }
        check(
            "M06",
            &[
                ("good", |_| {}),
                ("fair", |e| outcome(e, 9_920, 80)),
                ("bad", |e| outcome(e, 9_900, 100)),
                ("too few", |e| outcome(e, 50, 0)),
                ("young", young),
                ("young and nothing counted", |e| {
                    young(e);
                    e.minutes = Ok(Vec::new());
                }),
                ("unseen", |e| e.minutes = nobody_looked()),
            ],
            expect![[r#"
                good: Green [99.98 %]
                    In vier Wochen gelangen 99,98 von 100 Zugriffen.
                    In four weeks 99.98 of 100 requests succeeded.
                      - 10,000 requests, 2 of them with a fault of the server.
                fair: Yellow [99.20 %]
                    In vier Wochen gelangen 99,20 von 100 Zugriffen.
                    In four weeks 99.20 of 100 requests succeeded.
                      - 10,000 requests, 80 of them with a fault of the server.
                bad: Red [99.00 %]
                    In vier Wochen gelangen 99,00 von 100 Zugriffen.
                    In four weeks 99.00 of 100 requests succeeded.
                      - 10,000 requests, 100 of them with a fault of the server.
                too few: Unknown [100.00 %]
                    In vier Wochen gelangen 100,00 von 100 Zugriffen.
                    In four weeks 100.00 of 100 requests succeeded.
                      - 50 requests, 0 of them with a fault of the server.
                      - Fewer than 200 requests say nothing yet.
                young: TooYoung [99.98 %]
                    Bisher gelangen 99,98 von 100 Zugriffen.
                    So far 99.98 of 100 requests succeeded.
                      - 10,000 requests, 2 of them with a fault of the server.
                      - Observed for 3 of 28 days; no verdict before that.
                young and nothing counted: TooYoung []
                    Wie viele Zugriffe gelingen, ist noch nicht bekannt.
                    How many requests succeed is not yet known.
                      - No request was counted yet.
                      - Observed for 3 of 28 days; no verdict before that.
                unseen: Unknown []
                    Wie viele Zugriffe gelingen, ist noch nicht bekannt.
                    How many requests succeed is not yet known.
                      - Technical reason: canceling statement due to statement timeout
            "#]],
        );
    }
}
