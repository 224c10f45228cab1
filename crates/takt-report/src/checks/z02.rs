//! Z02: how often something new was released.

use super::{Check, answer, is_young, unless_young, unseen};
use crate::{
    evidence::Evidence,
    history::DAY,
    report::{Answer, Ask, Effort, EvidenceClass, State},
    text::{Text, both, plural},
};

/// Days of the window.
const DAYS: i64 = 90;

pub(super) const CHECK: Check = Check {
    id: "Z02",
    weight: 1,
    cap: false,
    threshold: Text { de: "in 90 Tagen; grün: mindestens eine", en: "over 90 days; green: at least one" },
    meaning: Text {
        de: "Ein ruhiger Rhythmus ist sicherer als große Sprünge.",
        en: "A steady rhythm is safer than great leaps.",
    },
    ask: Ask::Agency,
    question: Text {
        de: "Liegt etwas Fertiges bereit, das noch nicht läuft?",
        en: "Is anything finished that does not run yet?",
    },
    advice: Text { de: "Nach wartenden Änderungen fragen", en: "Ask about waiting changes" },
    effort: Effort::Small,
    class: EvidenceClass::Measured,
    probe,
};

fn probe(evidence: &Evidence) -> Answer {
    let title = Text {
        de: "Wie oft veröffentlicht wird, ist noch nicht bekannt.",
        en: "How often something is released is not yet known.",
    };
    let releases = match &evidence.releases {
        Ok(releases) => releases,
        Err(why) => return unseen(title, why),
    };
    let n = releases.iter().filter(|r| evidence.at - r.at <= DAYS * DAY).count() as u64;
    // Whether something waits cannot be seen from here, so none is no finding.
    let state = if n > 0 { State::Green } else { State::Unknown };
    let (de, en) =
        if is_young(evidence, DAYS) { ("bisher", "so far") } else { ("in drei Monaten", "in three months") };
    let given = answer(
        state,
        n.to_string(),
        both(
            format!("{n} {} {de}.", plural(n, "Veröffentlichung", "Veröffentlichungen")),
            format!("{n} {} {en}.", plural(n, "release", "releases")),
        ),
    )
    .because(both(
        "Gezählt: Starts mit geändertem Projekt, Programm oder Einstellungen.",
        "Counted: starts with a changed project, program or settings.",
    ));
    unless_young(evidence, DAYS, given)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use expect_test::expect;

    use crate::checks::tests::{check, young};

    #[test]
    fn every_state() {
        check(
            "Z02",
            &[
                ("one", |_| {}),
                ("none lately", |e| {
                    e.releases.as_mut().unwrap().remove(0);
                }),
                ("young", young),
            ],
            expect![[r#"
                one: Green [1]
                    1 Veröffentlichung in drei Monaten.
                    1 release in three months.
                      - Counted: starts with a changed project, program or settings.
                none lately: Unknown [0]
                    0 Veröffentlichungen in drei Monaten.
                    0 releases in three months.
                      - Counted: starts with a changed project, program or settings.
                young: TooYoung [1]
                    1 Veröffentlichung bisher.
                    1 release so far.
                      - Counted: starts with a changed project, program or settings.
                      - Observed for 3 of 90 days; no verdict before that.
            "#]],
        );
    }
}
