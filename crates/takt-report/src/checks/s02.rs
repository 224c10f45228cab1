//! S02: whether what this system sold or was paid stands in the other systems too, as the last comparisons found.

use super::{Check, answer, unseen};
use crate::{
    evidence::{ConnectionFact, Evidence, ReconciledFact},
    history::DAY,
    report::{Answer, Ask, Effort, EvidenceClass, State},
    text::{Text, both, plural},
};

pub(super) const CHECK: Check = Check {
    id: "S02",
    weight: 5,
    cap: false,
    threshold: Text {
        de: "grün: jeder Abgleich gelang im letzten Tag und nichts fehlt; gelb: höchstens 1 von 1.000 fehlt oder ein Abgleich steht aus; rot: mehr fehlt oder länger als 3 Tage ohne Abgleich",
        en: "green: each comparison succeeded within a day and nothing is missing; yellow: at most 1 in 1,000 is missing, or a comparison is due; red: more is missing, or no comparison for more than 3 days",
    },
    meaning: Text {
        de: "Verkauft und nie übergeben, oder bezahlt und nie bemerkt: Das fällt sonst erst dem Kunden auf.",
        en: "Sold and never handed over, or paid and never noticed: otherwise the customer is the first to see it.",
    },
    ask: Ask::Agency,
    question: Text {
        de: "Warum fehlen diese Vorgänge auf der anderen Seite, und wann sind sie nachgeholt?",
        en: "Why are these missing on the other side, and when will they have been made up for?",
    },
    advice: Text { de: "Fehlende Vorgänge nachholen lassen", en: "Have what is missing made up for" },
    effort: Effort::Small,
    class: EvidenceClass::Measured,
    probe,
};

fn probe(evidence: &Evidence) -> Answer {
    let title = Text {
        de: "Ob auf der anderen Seite etwas fehlt, ist noch nicht bekannt.",
        en: "Whether anything is missing on the other side is not yet known.",
    };
    let connections = match &evidence.connections {
        Ok(all) => all,
        Err(why) => return unseen(title, why),
    };
    let compared: Vec<(&ConnectionFact, &ReconciledFact)> =
        connections.iter().filter_map(|c| Some((c, c.reconciled.as_ref()?))).collect();
    if compared.is_empty() {
        let nothing = both(
            "Kein anderes System wird abgeglichen, oder der Abgleich ist nicht eingerichtet.",
            "No other system is compared with, or the comparison is not set up.",
        );
        return answer(State::NotApplicable, "", nothing);
    }
    let missing: u64 = compared.iter().map(|(_, r)| r.open).sum();
    let expected: u64 = compared.iter().map(|(_, r)| r.expected).sum();
    let state = compared.iter().map(|(_, r)| light(r, evidence.at)).max_by_key(|s| rank(*s));
    let value = format!("{missing} / {expected}");
    answer(state.unwrap_or(State::Unknown), "", sentence(&compared, missing, expected))
        .valued(&value, &value)
        .because_all(compared.iter().map(|(c, r)| because(c, r)))
}

/// A day, and the hour that one night may be longer, and time to ask: a comparison of every night is on time.
const FRESH: i64 = DAY + DAY / 12;

fn light(fact: &ReconciledFact, now: i64) -> State {
    let Some(at) = fact.compared_at else { return State::Unknown };
    let age = now - at;
    match fact.open {
        _ if age > 3 * DAY => State::Red,
        n if n > 0 && n * 1000 > fact.expected => State::Red,
        0 if age <= FRESH && !fact.last_failed => State::Green,
        _ => State::Yellow,
    }
}

fn rank(state: State) -> u8 {
    match state {
        State::Red => 3,
        State::Yellow => 2,
        State::Unknown => 1,
        State::Green | State::NotApplicable | State::TooYoung => 0,
    }
}

fn sentence(
    compared: &[(&ConnectionFact, &ReconciledFact)],
    missing: u64,
    expected: u64,
) -> takt_model::Words {
    if compared.iter().all(|(_, r)| r.compared_at.is_none()) {
        return both("Noch kein Abgleich ist gelungen.", "No comparison has succeeded yet.");
    }
    let (lack, are) = (plural(missing, "stimmt", "stimmen"), plural(missing, "does", "do"));
    both(
        format!(
            "{missing} von {expected} abgeglichenen Vorgängen {lack} mit anderen Systemen nicht überein."
        ),
        format!("{missing} of {expected} things compared {are} not agree with other systems."),
    )
}

fn because(connection: &ConnectionFact, fact: &ReconciledFact) -> takt_model::Words {
    let (open, expected) = (fact.open, fact.expected);
    let failed = |de: bool| match (fact.last_failed, de) {
        (true, true) => " Der letzte Abgleich ist gescheitert.",
        (true, false) => " The last comparison failed.",
        (false, _) => "",
    };
    both(
        format!("{}: {open} von {expected} stimmen nicht überein.{}", connection.called("de"), failed(true)),
        format!("{}: {open} of {expected} do not agree.{}", connection.called("en"), failed(false)),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use expect_test::expect;

    use crate::{
        checks::tests::{NOW, check, nobody_looked},
        evidence::{Evidence, ReconciledFact},
        history::DAY,
    };

    fn fact(e: &mut Evidence) -> &mut ReconciledFact {
        e.connections.as_mut().unwrap()[0].reconciled.as_mut().unwrap()
    }

    #[test]
    fn every_state() {
        check(
            "S02",
            &[
                ("in order", |_| {}),
                ("one of very many is missing", |e| (fact(e).expected, fact(e).open) = (2_000, 1)),
                ("one of few is missing", |e| fact(e).open = 1),
                ("the last one failed", |e| fact(e).last_failed = true),
                ("not compared for days", |e| fact(e).compared_at = Some(NOW - 4 * DAY)),
                ("never yet", |e| {
                    *fact(e) = ReconciledFact { last_failed: true, ..ReconciledFact::default() }
                }),
                ("not set up", |e| e.connections.as_mut().unwrap()[0].reconciled = None),
                ("unseen", |e| e.connections = nobody_looked()),
            ],
            expect![[r#"
                in order: Green [0 / 200]
                    0 von 200 abgeglichenen Vorgängen stimmen mit anderen Systemen nicht überein.
                    0 of 200 things compared do not agree with other systems.
                      - ERP: 0 of 200 do not agree.
                one of very many is missing: Yellow [1 / 2000]
                    1 von 2000 abgeglichenen Vorgängen stimmt mit anderen Systemen nicht überein.
                    1 of 2000 things compared does not agree with other systems.
                      - ERP: 1 of 2000 do not agree.
                one of few is missing: Red [1 / 200]
                    1 von 200 abgeglichenen Vorgängen stimmt mit anderen Systemen nicht überein.
                    1 of 200 things compared does not agree with other systems.
                      - ERP: 1 of 200 do not agree.
                the last one failed: Yellow [0 / 200]
                    0 von 200 abgeglichenen Vorgängen stimmen mit anderen Systemen nicht überein.
                    0 of 200 things compared do not agree with other systems.
                      - ERP: 0 of 200 do not agree. The last comparison failed.
                not compared for days: Red [0 / 200]
                    0 von 200 abgeglichenen Vorgängen stimmen mit anderen Systemen nicht überein.
                    0 of 200 things compared do not agree with other systems.
                      - ERP: 0 of 200 do not agree.
                never yet: Unknown [0 / 0]
                    Noch kein Abgleich ist gelungen.
                    No comparison has succeeded yet.
                      - ERP: 0 of 0 do not agree. The last comparison failed.
                not set up: NotApplicable []
                    Kein anderes System wird abgeglichen, oder der Abgleich ist nicht eingerichtet.
                    No other system is compared with, or the comparison is not set up.
                unseen: Unknown []
                    Ob auf der anderen Seite etwas fehlt, ist noch nicht bekannt.
                    Whether anything is missing on the other side is not yet known.
                      - Technical reason: canceling statement due to statement timeout
            "#]],
        );
    }
}
