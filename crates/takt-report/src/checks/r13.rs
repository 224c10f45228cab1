//! R13: how often something breaks off without an explanation.

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
    id: "R13",
    weight: 2,
    cap: false,
    threshold: Text {
        de: "in 28 Tagen, ab 200 Zugriffen; grün: unter 10 von 10.000; gelb: unter 100; rot: mehr",
        en: "over 28 days, from 200 requests; green: under 10 in 10,000; yellow: under 100; red: more",
    },
    meaning: Text { de: "Ein früher Riss.", en: "An early crack." },
    ask: Ask::Agency,
    question: Text {
        de: "Was sind die drei häufigsten unerklärten Fehler?",
        en: "What are the three most frequent unexplained errors?",
    },
    advice: Text { de: "Unerklärte Fehler aufklären lassen", en: "Have unexplained errors explained" },
    effort: Effort::Medium,
    class: EvidenceClass::Measured,
    probe,
};

fn probe(evidence: &Evidence) -> Answer {
    let title = Text {
        de: "Wie oft etwas unerklärt abbricht, ist noch nicht bekannt.",
        en: "How often something fails without explanation is not yet known.",
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
    // Rounded up: one failure is never "0 of 10,000".
    let rate = (all.failed * 10_000).div_ceil(all.total());
    let state = match rate {
        _ if all.total() < SAMPLES => State::Unknown,
        0..10 => State::Green,
        10..100 => State::Yellow,
        _ => State::Red,
    };
    let given = answer(
        state,
        rate.to_string(),
        both(
            format!("{} von 10.000 Zugriffen brechen unerklärt ab.", format::count(rate, "de")),
            format!("{} of 10,000 requests fail without explanation.", format::count(rate, "en")),
        ),
    )
    .because(both(
        format!("{} von {} Zugriffen.", format::count(all.failed, "de"), format::count(all.total(), "de")),
        format!("{} of {} requests.", format::count(all.failed, "en"), format::count(all.total(), "en")),
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
        fn failed(e: &mut Evidence, failed: u64) {
            e.minutes =
                Ok(vec![RequestMinute { minute: 1, succeeded: 10_000 - failed, failed, latency: [0; 16] }]);
        }
        check(
            "R13",
            &[("few", |_| {}), ("some", |e| failed(e, 50)), ("many", |e| failed(e, 500)), ("young", young)],
            expect![[r#"
                few: Green [2]
                    2 von 10.000 Zugriffen brechen unerklärt ab.
                    2 of 10,000 requests fail without explanation.
                      - 2 of 10,000 requests.
                some: Yellow [50]
                    50 von 10.000 Zugriffen brechen unerklärt ab.
                    50 of 10,000 requests fail without explanation.
                      - 50 of 10,000 requests.
                many: Red [500]
                    500 von 10.000 Zugriffen brechen unerklärt ab.
                    500 of 10,000 requests fail without explanation.
                      - 500 of 10,000 requests.
                young: TooYoung [2]
                    2 von 10.000 Zugriffen brechen unerklärt ab.
                    2 of 10,000 requests fail without explanation.
                      - 2 of 10,000 requests.
                      - Observed for 3 of 28 days; no verdict before that.
            "#]],
        );
    }
}
