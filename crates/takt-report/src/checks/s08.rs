//! S08: whether partners can be reached, measured by what the business can bear: nothing arrives for longer than the
//! file of the connection says although something wants to.

use super::{Check, answer, partners, unknown};
use crate::{
    evidence::{ConnectionFact, Evidence},
    format,
    report::{Answer, Ask, Effort, EvidenceClass, State},
    text::{Text, both, listing},
};

pub(super) const CHECK: Check = Check {
    id: "S08",
    weight: 2,
    cap: false,
    threshold: Text {
        de: "grün: alles kommt an; gelb: etwas wartet seit einem Fehler; rot: länger als erträglich",
        en: "green: everything arrives; yellow: something waits since a failure; red: longer than is bearable",
    },
    meaning: Text {
        de: "Fällt ein Partner aus, steht ein Teil Ihres Geschäfts.",
        en: "If a partner is down, a part of your business stands still.",
    },
    ask: Ask::Partner,
    question: Text {
        de: "Seit wann antwortet Ihr System nicht, und wann geht es wieder?",
        en: "Since when does your system not answer, and when will it be back?",
    },
    advice: Text { de: "Den Partner anrufen", en: "Call the partner" },
    effort: Effort::Small,
    class: EvidenceClass::Measured,
    probe,
};

fn probe(evidence: &Evidence) -> Answer {
    let title = Text {
        de: "Ob die Partner erreichbar sind, ist noch nicht bekannt.",
        en: "Whether the partners can be reached is not yet known.",
    };
    let partners = match partners(evidence, title) {
        Ok(partners) => partners,
        Err(answer) => return *answer,
    };
    if partners.iter().all(|c| c.last_ok_at.is_none() && c.oldest_at().is_none()) {
        let why = Text { de: "Noch wurde nichts übergeben.", en: "Nothing has been delivered yet." };
        return unknown(title, why);
    }
    let down: Vec<&ConnectionFact> = partners.iter().copied().filter(|c| c.is_down()).collect();
    let too_long: Vec<&ConnectionFact> =
        down.iter().copied().filter(|c| c.is_down_too_long(evidence.at)).collect();
    let (state, words) = match (down.as_slice(), too_long.as_slice()) {
        ([], _) => (State::Green, both("Alle Partner sind erreichbar.", "All partners can be reached.")),
        (some, []) => (State::Yellow, sentence(some, "", "")),
        (_, some) => (State::Red, sentence(some, " länger als erträglich", " for longer than is bearable")),
    };
    answer(state, format!("{}/{}", partners.len() - down.len(), partners.len()), words)
        .because_all(partners.into_iter().map(line))
}

fn sentence(down: &[&ConnectionFact], de: &str, en: &str) -> takt_model::Words {
    let names = |language| down.iter().map(|c| c.called(language).to_owned()).collect::<Vec<_>>();
    both(
        format!("Nicht erreichbar{de}: {}.", listing(&names("de"), "de", 3)),
        format!("Out of reach{en}: {}.", listing(&names("en"), "en", 3)),
    )
}

fn line(c: &ConnectionFact) -> takt_model::Words {
    let moment = |language: &str, never: &str| {
        c.last_ok_at.map_or_else(|| never.to_owned(), |at| format::moment_short(at, language))
    };
    let max = c.bearable.as_deref().unwrap_or("–");
    both(
        format!("{}: letzter Erfolg {}; erträglich: {max}.", c.called("de"), moment("de", "noch nie")),
        format!("{}: last success {}; bearable: {max}.", c.called("en"), moment("en", "never yet")),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use expect_test::expect;

    use crate::checks::tests::{NOW, check, nobody_looked};
    use crate::evidence::Evidence;
    use crate::history::DAY;

    #[test]
    fn every_state() {
        fn waiting(e: &mut Evidence, since: i64) {
            let c = &mut e.connections.as_mut().unwrap()[0];
            (c.waiting, c.oldest_waiting_at) = (3, Some(NOW - since));
            (c.last_ok_at, c.last_failed_at) = (Some(NOW - since - DAY), Some(NOW - 60_000_000));
        }
        check(
            "S08",
            &[
                ("all arrives", |_| {}),
                ("out of reach for an hour", |e| waiting(e, DAY / 24)),
                ("out of reach for a day", |e| waiting(e, DAY)),
                ("out of reach, and nobody said for how long that is bearable", |e| {
                    waiting(e, 9 * DAY);
                    e.connections.as_mut().unwrap()[0].bearable_micros = None;
                }),
                ("quiet, but fine", |e| e.connections.as_mut().unwrap()[0].last_ok_at = Some(NOW - 9 * DAY)),
                ("nothing yet", |e| e.connections.as_mut().unwrap()[0].last_ok_at = None),
                ("own functions only", |e| e.connections.as_mut().unwrap()[0].is_partner = false),
                ("no connections", |e| e.connections = Ok(Vec::new())),
                ("unseen", |e| e.connections = nobody_looked()),
            ],
            expect![[r#"
                all arrives: Green [1/1]
                    Alle Partner sind erreichbar.
                    All partners can be reached.
                      - ERP: last success 23 Nov 2026, 09:13; bearable: 8h.
                out of reach for an hour: Yellow [0/1]
                    Nicht erreichbar: ERP.
                    Out of reach: ERP.
                      - ERP: last success 22 Nov 2026, 08:14; bearable: 8h.
                out of reach for a day: Red [0/1]
                    Nicht erreichbar länger als erträglich: ERP.
                    Out of reach for longer than is bearable: ERP.
                      - ERP: last success 21 Nov 2026, 09:14; bearable: 8h.
                out of reach, and nobody said for how long that is bearable: Yellow [0/1]
                    Nicht erreichbar: ERP.
                    Out of reach: ERP.
                      - ERP: last success 13 Nov 2026, 09:14; bearable: 8h.
                quiet, but fine: Green [1/1]
                    Alle Partner sind erreichbar.
                    All partners can be reached.
                      - ERP: last success 14 Nov 2026, 09:14; bearable: 8h.
                nothing yet: Unknown []
                    Ob die Partner erreichbar sind, ist noch nicht bekannt.
                    Whether the partners can be reached is not yet known.
                      - Nothing has been delivered yet.
                own functions only: NotApplicable []
                    Ihr System ist mit keinem anderen verbunden.
                    Your system is connected to no other.
                no connections: NotApplicable []
                    Ihr System ist mit keinem anderen verbunden.
                    Your system is connected to no other.
                unseen: Unknown []
                    Ob die Partner erreichbar sind, ist noch nicht bekannt.
                    Whether the partners can be reached is not yet known.
                      - Technical reason: canceling statement due to statement timeout
            "#]],
        );
    }
}
