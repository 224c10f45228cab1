//! M10: how long the return after a total loss takes, against what is agreed.

use super::{Check, answer, proven_drill, unseen};
use crate::{
    evidence::Evidence,
    format,
    report::{Answer, Ask, Effort, EvidenceClass, State},
    text::{Text, both},
};

pub(super) const CHECK: Check = Check {
    id: "M10",
    weight: 5,
    cap: false,
    threshold: Text {
        de: "grün: wie vereinbart; gelb: höchstens doppelt so lange; rot: länger, nie gemessen oder nichts vereinbart",
        en: "green: as agreed; yellow: at most twice as long; red: longer, never measured, or nothing agreed",
    },
    meaning: Text { de: "So lange bleibt der Laden zu.", en: "That long the shop stays closed." },
    ask: Ask::Owner,
    question: Text {
        de: "Wie lange darf der Laden nach einem Totalausfall geschlossen bleiben?",
        en: "How long may the shop stay closed after a total loss?",
    },
    advice: Text { de: "Zeit bis zur Rückkehr vereinbaren", en: "Agree on the time to return" },
    effort: Effort::Small,
    class: EvidenceClass::Measured,
    probe,
};

fn probe(evidence: &Evidence) -> Answer {
    let title = Text {
        de: "Wie lange die Rückkehr nach einem Totalausfall dauert, ist noch nicht bekannt.",
        en: "How long the return after a total loss takes is not yet known.",
    };
    let facts = match &evidence.backups {
        Ok(facts) => facts,
        Err(why) => return unseen(title, why),
    };
    let Some(drill) = proven_drill(facts, evidence.at, 366) else {
        let never = both(
            "Wie lange die Rückkehr nach einem Totalausfall dauert, wurde nie gemessen.",
            "How long the return after a total loss takes was never measured.",
        );
        return answer(State::Red, "", never);
    };
    let took = i64::try_from(drill.milliseconds).unwrap_or(i64::MAX).saturating_mul(1000);
    let time = |language: &str| format::took(took, language);
    let (state, agreed_de, agreed_en) = match facts.return_within {
        None => (State::Red, "nichts".to_owned(), "nothing".to_owned()),
        Some(within) => {
            let most = i64::try_from(within.as_micros()).unwrap_or(i64::MAX);
            let state = match took {
                _ if took <= most => State::Green,
                _ if took <= most.saturating_mul(2) => State::Yellow,
                _ => State::Red,
            };
            (state, agreed(most, "Stunden", "de"), agreed(most, "hours", "en"))
        }
    };
    answer(
        state,
        "",
        both(
            format!("Die Daten wären in {} zurück; vereinbart ist: {agreed_de}.", time("de")),
            format!("The data would be back in {}; agreed: {agreed_en}.", time("en")),
        ),
    )
    .valued(&time("de"), &time("en"))
    .because(both(
        "Gemessen beim letzten Zurückspielen zur Probe; eine neue Maschine zu beschaffen kommt hinzu.",
        "Measured in the last trial restore; getting a new machine comes on top.",
    ))
}

/// Hours, as people agree on them; shorter times as they are measured.
fn agreed(micros: i64, hours: &str, language: &str) -> String {
    const HOUR: i64 = 3_600_000_000;
    if micros >= 2 * HOUR && micros % HOUR == 0 {
        return format!("{} {hours}", micros / HOUR);
    }
    format::took(micros, language)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use expect_test::expect;

    use crate::checks::tests::{backups, check, nobody_looked};
    use std::time::Duration;

    #[test]
    fn every_state() {
        check(
            "M10",
            &[
                ("within", |_| {}),
                ("nearly", |e| backups(e).return_within = Some(Duration::from_secs(10))),
                ("too long", |e| backups(e).return_within = Some(Duration::from_secs(5))),
                ("nothing agreed", |e| backups(e).return_within = None),
                ("failed", |e| backups(e).last_drill.as_mut().unwrap().fault = Some("a row less".into())),
                ("never", |e| backups(e).last_drill = None),
                ("unseen", |e| e.backups = nobody_looked()),
            ],
            expect![[r#"
                within: Green [18.00 s]
                    Die Daten wären in 18,00 s zurück; vereinbart ist: 240 min 0 s.
                    The data would be back in 18.00 s; agreed: 240 min 0 s.
                      - Measured in the last trial restore; getting a new machine comes on top.
                nearly: Green [18.00 s]
                    Die Daten wären in 18,00 s zurück; vereinbart ist: 30,00 s.
                    The data would be back in 18.00 s; agreed: 30.00 s.
                      - Measured in the last trial restore; getting a new machine comes on top.
                too long: Red [18.00 s]
                    Die Daten wären in 18,00 s zurück; vereinbart ist: 5,00 s.
                    The data would be back in 18.00 s; agreed: 5.00 s.
                      - Measured in the last trial restore; getting a new machine comes on top.
                nothing agreed: Red [18.00 s]
                    Die Daten wären in 18,00 s zurück; vereinbart ist: nichts.
                    The data would be back in 18.00 s; agreed: nothing.
                      - Measured in the last trial restore; getting a new machine comes on top.
                failed: Red []
                    Wie lange die Rückkehr nach einem Totalausfall dauert, wurde nie gemessen.
                    How long the return after a total loss takes was never measured.
                never: Red []
                    Wie lange die Rückkehr nach einem Totalausfall dauert, wurde nie gemessen.
                    How long the return after a total loss takes was never measured.
                unseen: Unknown []
                    Wie lange die Rückkehr nach einem Totalausfall dauert, ist noch nicht bekannt.
                    How long the return after a total loss takes is not yet known.
                      - Technical reason: canceling statement due to statement timeout
            "#]],
        );
    }
}
