//! R10: whether every run of a business process can be read step by step.

use super::{Check, answer, unknown, unless_young, unseen};
use crate::{
    evidence::Evidence,
    format,
    report::{Answer, Ask, Effort, EvidenceClass, State},
    text::{Text, both},
};
use takt_engine::{Story, StoryResult};

/// Days of the window.
const DAYS: i64 = 28;

pub(super) const CHECK: Check = Check {
    id: "R10",
    weight: 2,
    cap: false,
    threshold: Text {
        de: "in 28 Tagen; grün: 99 von 100; gelb: 90; rot: weniger",
        en: "over 28 days; green: 99 of 100; yellow: 90; red: fewer",
    },
    meaning: Text {
        de: "Im Streitfall zählt, was man nachlesen kann.",
        en: "In a dispute it counts what can be read.",
    },
    ask: Ask::Agency,
    question: Text {
        de: "Welche Schritte haben noch keinen Namen? Bitte benennen.",
        en: "Which steps have no name yet? Please name them.",
    },
    advice: Text { de: "Schritte der Vorgänge benennen lassen", en: "Have the steps of processes named" },
    effort: Effort::Small,
    class: EvidenceClass::Measured,
    probe,
};

fn probe(evidence: &Evidence) -> Answer {
    let title = Text {
        de: "Ob sich Vorgänge nachlesen lassen, ist noch nicht bekannt.",
        en: "Whether processes can be read is not yet known.",
    };
    let stories = match &evidence.stories {
        Ok(stories) if stories.is_empty() => {
            return unless_young(
                evidence,
                DAYS,
                unknown(title, Text { de: "Noch ist kein Vorgang gelaufen.", en: "No process has run yet." }),
            );
        }
        Ok(stories) => stories,
        Err(why) => return unseen(title, why),
    };
    let all = stories.len();
    let readable = stories.iter().filter(|s| is_readable(s)).count();
    let state = match () {
        () if readable * 100 >= all * 99 => State::Green,
        () if readable * 100 >= all * 90 => State::Yellow,
        () => State::Red,
    };
    let percent = readable * 100 / all;
    let given = answer(
        state,
        format!("{percent} %"),
        both(
            format!("{percent} % der Vorgänge lassen sich Schritt für Schritt nachlesen."),
            format!("{percent} % of processes can be read step by step."),
        ),
    )
    .because(both(
        format!(
            "Gelesene Geschichten: {}. Jede wird in einem Zug mit dem Vorgang gespeichert.",
            format::count(all as u64, "de")
        ),
        format!(
            "Stories read: {}. Each is stored in one go with its process.",
            format::count(all as u64, "en")
        ),
    ));
    unless_young(evidence, DAYS, given)
}

/// A story that changed something names its process, its steps and the rule of each change.
fn is_readable(story: &Story) -> bool {
    let changes = || story.changes.iter().chain(story.steps.iter().flat_map(|s| &s.changes));
    let stands = !story.label.is_empty() && story.steps.iter().all(|s| !s.label.is_empty());
    let told = story.result != StoryResult::Success || !story.steps.is_empty() || changes().next().is_none();
    stands && told && changes().all(|c| !c.rule.is_empty())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use expect_test::expect;
    use takt_model::Words;

    use crate::checks::tests::{check, young};

    #[test]
    fn every_state() {
        check(
            "R10",
            &[
                ("all", |_| {}),
                ("a step without a name", |e| {
                    e.stories.as_mut().unwrap()[0].steps[0].label = Words::default()
                }),
                ("young", young),
                ("none ran", |e| e.stories = Ok(Vec::new())),
            ],
            expect![[r#"
                all: Green [100 %]
                    100 % der Vorgänge lassen sich Schritt für Schritt nachlesen.
                    100 % of processes can be read step by step.
                      - Stories read: 1. Each is stored in one go with its process.
                a step without a name: Red [0 %]
                    0 % der Vorgänge lassen sich Schritt für Schritt nachlesen.
                    0 % of processes can be read step by step.
                      - Stories read: 1. Each is stored in one go with its process.
                young: TooYoung [100 %]
                    100 % der Vorgänge lassen sich Schritt für Schritt nachlesen.
                    100 % of processes can be read step by step.
                      - Stories read: 1. Each is stored in one go with its process.
                      - Observed for 3 of 28 days; no verdict before that.
                none ran: Unknown []
                    Ob sich Vorgänge nachlesen lassen, ist noch nicht bekannt.
                    Whether processes can be read is not yet known.
                      - No process has run yet.
            "#]],
        );
    }
}
