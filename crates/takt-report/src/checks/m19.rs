//! M19: how long people wait for the first answer.

use super::{Check, answer, too_few, unknown, unless_young, unseen};
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
    id: "M19",
    weight: 2,
    cap: false,
    threshold: Text {
        de: "drei von vier Aufrufen, in 28 Tagen; grün: bis 0,8 s; gelb: bis 1,8 s; rot: länger",
        en: "three of four calls, over 28 days; green: up to 0.8 s; yellow: up to 1.8 s; red: longer",
    },
    meaning: Text { de: "Wer warten muss, geht.", en: "Visitors who wait leave." },
    ask: Ask::Agency,
    question: Text {
        de: "Welche drei Aufrufe sind am langsamsten, und warum?",
        en: "Which three calls are slowest, and why?",
    },
    advice: Text { de: "Die langsamsten Aufrufe beschleunigen lassen", en: "Have the slowest calls sped up" },
    effort: Effort::Medium,
    class: EvidenceClass::Measured,
    probe,
};

fn probe(evidence: &Evidence) -> Answer {
    let title = Text {
        de: "Wie schnell geantwortet wird, ist noch nicht bekannt.",
        en: "How quickly answers come is not yet known.",
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
    // Buckets are powers of two, so the bound is rounded up: never better than the truth.
    let bound = all.percentile_ms(0.75);
    let state = match bound {
        _ if all.total() < SAMPLES => State::Unknown,
        Some(ms) if ms <= 800 => State::Green,
        Some(ms) if ms <= 1800 => State::Yellow,
        _ => State::Red,
    };
    let seconds = bound.unwrap_or(1 << 14) as f64 / 1000.0;
    let places = if seconds < 0.1 { 3 } else { 1 };
    let (de, en) =
        (format::decimal_places(seconds, places, "de"), format::decimal_places(seconds, places, "en"));
    let title = if bound.is_some() {
        both(
            format!("Drei von vier Aufrufen beginnen nach höchstens {de} Sekunden."),
            format!("Three of four calls start within {en} seconds."),
        )
    } else {
        both(
            format!("Mehr als jeder vierte Aufruf dauert länger als {de} Sekunden."),
            format!("More than one call in four takes longer than {en} seconds."),
        )
    };
    let given = answer(state, format!("{seconds} s"), title).because(both(
        format!("Gemessen am Server, {} Zugriffe.", format::count(all.total(), "de")),
        format!("Measured at the server, {} requests.", format::count(all.total(), "en")),
    ));
    let given = if all.total() < SAMPLES { given.because(too_few(SAMPLES)) } else { given };
    unless_young(evidence, DAYS, given)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use expect_test::expect;
    use takt_engine::RequestMinute;

    use crate::checks::tests::{check, young};
    use crate::evidence::Evidence;

    #[test]
    fn every_state() {
        fn bucket(e: &mut Evidence, at: usize) {
            let mut latency = [0; 16];
            latency[at] = 1000;
            e.minutes = Ok(vec![RequestMinute { minute: 1, succeeded: 1000, failed: 0, latency }]);
        }
        check(
            "M19",
            &[
                ("quick", |_| {}),
                ("fair", |e| bucket(e, 10)),
                ("slow", |e| bucket(e, 11)),
                ("beyond measure", |e| bucket(e, 15)),
                ("young", young),
            ],
            expect![[r#"
                quick: Green [0.008 s]
                    Drei von vier Aufrufen beginnen nach höchstens 0,008 Sekunden.
                    Three of four calls start within 0.008 seconds.
                      - Measured at the server, 10,000 requests.
                fair: Yellow [1.024 s]
                    Drei von vier Aufrufen beginnen nach höchstens 1,0 Sekunden.
                    Three of four calls start within 1.0 seconds.
                      - Measured at the server, 1,000 requests.
                slow: Red [2.048 s]
                    Drei von vier Aufrufen beginnen nach höchstens 2,0 Sekunden.
                    Three of four calls start within 2.0 seconds.
                      - Measured at the server, 1,000 requests.
                beyond measure: Red [16.384 s]
                    Mehr als jeder vierte Aufruf dauert länger als 16,4 Sekunden.
                    More than one call in four takes longer than 16.4 seconds.
                      - Measured at the server, 1,000 requests.
                young: TooYoung [0.008 s]
                    Drei von vier Aufrufen beginnen nach höchstens 0,008 Sekunden.
                    Three of four calls start within 0.008 seconds.
                      - Measured at the server, 10,000 requests.
                      - Observed for 3 of 28 days; no verdict before that.
            "#]],
        );
    }
}
