//! Z06: how long updates kept the system from serving.

use super::{Check, answer, is_young, unless_young, unseen};
use crate::{
    evidence::Evidence,
    format,
    history::DAY,
    report::{Answer, Ask, Effort, EvidenceClass, State},
    text::{Text, both, plural},
};

/// Days of the window.
const DAYS: i64 = 90;

pub(super) const CHECK: Check = Check {
    id: "Z06",
    weight: 3,
    cap: false,
    threshold: Text {
        de: "in 90 Tagen; grün: unter einer Minute; gelb: bis 15 Minuten; rot: länger",
        en: "over 90 days; green: under a minute; yellow: up to 15 minutes; red: longer",
    },
    meaning: Text {
        de: "Updates, die zu Ausfällen führen, sind ein Warnzeichen.",
        en: "Updates that lead to outages are a warning sign.",
    },
    ask: Ask::Agency,
    question: Text {
        de: "Warum stand das System beim Update, und wie geht es ohne?",
        en: "Why did the system stand still during the update, and how can that be avoided?",
    },
    advice: Text { de: "Updates ohne Ausfall einrichten lassen", en: "Have updates set up without outage" },
    effort: Effort::Medium,
    class: EvidenceClass::Measured,
    probe,
};

fn probe(evidence: &Evidence) -> Answer {
    let title = Text {
        de: "Wie lange Updates das System anhielten, ist noch nicht bekannt.",
        en: "How long updates stopped the system is not yet known.",
    };
    let releases = match &evidence.releases {
        Ok(releases) => releases,
        Err(why) => return unseen(title, why),
    };
    let recent = releases.iter().filter(|r| evidence.at - r.at <= DAYS * DAY);
    let seconds: i64 = recent.filter_map(|r| r.not_serving_seconds).map(|s| s.max(0)).sum();
    let minutes = u64::try_from(seconds / 60).unwrap_or_default();
    let state = match minutes {
        0 => State::Green,
        1..=15 => State::Yellow,
        _ => State::Red,
    };
    let (de, en) =
        if is_young(evidence, DAYS) { ("bisher", "so far") } else { ("in drei Monaten", "in three months") };
    let given = answer(
        state,
        minutes.to_string(),
        both(
            format!(
                "Updates haben {de} {} {} Ausfall verursacht.",
                format::count(minutes, "de"),
                plural(minutes, "Minute", "Minuten")
            ),
            format!(
                "Updates caused {} {} of outage {en}.",
                format::count(minutes, "en"),
                plural(minutes, "minute", "minutes")
            ),
        ),
    )
    .because(both(
        format!(
            "Zwischen letztem Lebenszeichen und nächstem Start lagen zusammen {} Sekunden.",
            format::integer(seconds.into(), "de")
        ),
        format!(
            "Between the last sign of life and the next start lay {} seconds in all.",
            format::integer(seconds.into(), "en")
        ),
    ));
    unless_young(evidence, DAYS, given)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use expect_test::expect;

    use crate::checks::tests::{check, young};
    use crate::evidence::Evidence;

    #[test]
    fn every_state() {
        fn stood(e: &mut Evidence, seconds: i64) {
            e.releases.as_mut().unwrap()[0].not_serving_seconds = Some(seconds);
        }
        check(
            "Z06",
            &[("none", |_| {}), ("some", |e| stood(e, 600)), ("long", |e| stood(e, 7200)), ("young", young)],
            expect![[r#"
                none: Green [0]
                    Updates haben in drei Monaten 0 Minuten Ausfall verursacht.
                    Updates caused 0 minutes of outage in three months.
                      - Between the last sign of life and the next start lay 4 seconds in all.
                some: Yellow [10]
                    Updates haben in drei Monaten 10 Minuten Ausfall verursacht.
                    Updates caused 10 minutes of outage in three months.
                      - Between the last sign of life and the next start lay 600 seconds in all.
                long: Red [120]
                    Updates haben in drei Monaten 120 Minuten Ausfall verursacht.
                    Updates caused 120 minutes of outage in three months.
                      - Between the last sign of life and the next start lay 7,200 seconds in all.
                young: TooYoung [0]
                    Updates haben bisher 0 Minuten Ausfall verursacht.
                    Updates caused 0 minutes of outage so far.
                      - Between the last sign of life and the next start lay 0 seconds in all.
                      - Observed for 3 of 90 days; no verdict before that.
            "#]],
        );
    }
}
