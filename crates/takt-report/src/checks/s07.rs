//! S07: whether what partners send still is what was agreed: changes that break the contract, harmless ones, none.

use super::{Check, answer, partners, unknown};
use crate::{
    evidence::{ConnectionFact, DriftFact, Evidence},
    format,
    history::DAY,
    report::{Answer, Ask, Effort, EvidenceClass, State},
    text::{Text, both, plural},
};

/// Harmless changes that are not seen any more are forgotten after so long.
const MONTH: i64 = 30 * DAY;

pub(super) const CHECK: Check = Check {
    id: "S07",
    weight: 3,
    cap: false,
    threshold: Text {
        de: "grün: alles wie vereinbart; gelb: harmlose Änderungen in den letzten 30 Tagen; rot: eine Änderung bricht den Vertrag",
        en: "green: everything as agreed; yellow: harmless changes in the last 30 days; red: a change breaks the contract",
    },
    meaning: Text {
        de: "Ändert ein Partner sein Format, arbeitet die Verbindung morgen falsch oder gar nicht.",
        en: "If a partner changes its format, the connection works wrongly tomorrow, or not at all.",
    },
    ask: Ask::Agency,
    question: Text {
        de: "Was hat der Partner geändert, und wann ist unsere Seite angepasst?",
        en: "What did the partner change, and when is our side adapted?",
    },
    advice: Text {
        de: "Den Vertrag der Verbindung mit dem Partner abgleichen",
        en: "Settle the contract of the connection with the partner",
    },
    effort: Effort::Medium,
    class: EvidenceClass::Measured,
    probe,
};

fn probe(evidence: &Evidence) -> Answer {
    let title = Text {
        de: "Ob die Partner ihr Format geändert haben, ist nicht bekannt.",
        en: "Whether partners have changed their formats is not known.",
    };
    let partners = match partners(evidence, title) {
        Ok(partners) => partners,
        Err(answer) => return *answer,
    };
    if partners.iter().all(|c| c.contracts == 0) {
        return unknown(
            title,
            Text {
                de: "Mit keinem Partner ist vereinbart, wie Nachrichten aussehen.",
                en: "With no partner it is agreed what messages look like.",
            },
        );
    }
    let recent = |d: &&(&ConnectionFact, &DriftFact)| d.1.open || evidence.at - d.1.last_seen <= MONTH;
    let all: Vec<_> = partners.iter().flat_map(|c| c.drifts.iter().map(move |d| (*c, d))).collect();
    let seen: Vec<_> = all.iter().filter(recent).collect();
    let open: Vec<_> = seen.iter().filter(|(_, d)| d.open).collect();
    let is_judged = |c: &&&ConnectionFact| c.last_message_at.is_some() || !c.drifts.is_empty();
    let with_contract = partners.iter().filter(|c| c.contracts > 0);
    let (all_agreed, judged) = (with_contract.clone().count(), with_contract.filter(is_judged).count());
    let agreed: u64 = partners.iter().map(|c| c.contracts).sum();
    let (state, words) = match (open.as_slice(), seen.as_slice()) {
        ([(partner, drift), ..], _) => (State::Red, changed(partner, drift)),
        ([], _) if judged == 0 => {
            let why = Text {
                de: "Noch kam keine Nachricht, die sich an dem Vereinbarten messen ließe.",
                en: "No message has come yet that could be held against what is agreed.",
            };
            return unknown(title, why);
        }
        ([], []) if judged < all_agreed => (State::Unknown, partly(judged, all_agreed)),
        ([], []) => (
            State::Green,
            both("Was die Partner senden, ist wie vereinbart.", "What partners send is as agreed."),
        ),
        ([], some) => (State::Yellow, harmless(some.len() as u64)),
    };
    let lines = seen.iter().map(|(_, drift)| drift.what.clone());
    answer(state, format!("{} / {agreed}", seen.len()), words).because_all(lines.take(10))
}

fn partly(judged: usize, all: usize) -> takt_model::Words {
    let rest = all - judged;
    both(
        format!("Bei {judged} von {all} Partnern ist alles wie vereinbart; von {rest} kam noch nichts."),
        format!("With {judged} of {all} partners all is as agreed; nothing has come from {rest} yet."),
    )
}

fn changed(partner: &ConnectionFact, drift: &DriftFact) -> takt_model::Words {
    let day = |language| format::moment_short(drift.first_seen, language);
    both(
        format!("{} sendet seit {} etwas anderes als vereinbart.", partner.called("de"), day("de")),
        format!("{} has sent something else than agreed since {}.", partner.called("en"), day("en")),
    )
}

fn harmless(n: u64) -> takt_model::Words {
    let (one, more) = ("harmlose Änderung", "harmlose Änderungen");
    both(
        format!("{n} {} bei den Partnern in den letzten 30 Tagen.", plural(n, one, more)),
        format!("{n} {} at partners in the last 30 days.", plural(n, "harmless change", "harmless changes")),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use expect_test::expect;

    use super::{ConnectionFact, DAY, DriftFact};
    use crate::checks::tests::{NOW, check, nobody_looked};
    use crate::{evidence::Evidence, text::both};

    #[test]
    fn every_state() {
        fn drift(e: &mut Evidence, open: bool, ago: i64) {
            let c = &mut e.connections.as_mut().unwrap()[0];
            c.drifts.push(DriftFact {
                what: both("„number“ fehlt.", "\"number\" is missing."),
                open,
                first_seen: NOW - ago,
                last_seen: NOW - ago,
            });
        }
        check(
            "S07",
            &[
                ("as agreed", |_| {}),
                ("harmless", |e| drift(e, false, DAY)),
                ("harmless and long ago", |e| drift(e, false, 40 * DAY)),
                ("breaking", |e| {
                    drift(e, false, DAY);
                    drift(e, true, 40 * DAY);
                }),
                ("nothing agreed", |e| e.connections.as_mut().unwrap()[0].contracts = 0),
                ("nothing judged yet", |e| e.connections.as_mut().unwrap()[0].last_message_at = None),
                ("one of two not judged yet", |e| {
                    let all = e.connections.as_mut().unwrap();
                    all.push(ConnectionFact { last_message_at: None, ..all[0].clone() });
                }),
                ("one of two without a contract", |e| {
                    let all = e.connections.as_mut().unwrap();
                    all.push(ConnectionFact { last_message_at: None, contracts: 0, ..all[0].clone() });
                }),
                ("own functions only", |e| e.connections.as_mut().unwrap()[0].is_partner = false),
                ("unseen", |e| e.connections = nobody_looked()),
            ],
            expect![[r#"
                as agreed: Green [0 / 2]
                    Was die Partner senden, ist wie vereinbart.
                    What partners send is as agreed.
                harmless: Yellow [1 / 2]
                    1 harmlose Änderung bei den Partnern in den letzten 30 Tagen.
                    1 harmless change at partners in the last 30 days.
                      - "number" is missing.
                harmless and long ago: Green [0 / 2]
                    Was die Partner senden, ist wie vereinbart.
                    What partners send is as agreed.
                breaking: Red [2 / 2]
                    ERP sendet seit 14.10.2026, 09:14 Uhr etwas anderes als vereinbart.
                    ERP has sent something else than agreed since 14 Oct 2026, 09:14.
                      - "number" is missing.
                      - "number" is missing.
                nothing agreed: Unknown []
                    Ob die Partner ihr Format geändert haben, ist nicht bekannt.
                    Whether partners have changed their formats is not known.
                      - With no partner it is agreed what messages look like.
                nothing judged yet: Unknown []
                    Ob die Partner ihr Format geändert haben, ist nicht bekannt.
                    Whether partners have changed their formats is not known.
                      - No message has come yet that could be held against what is agreed.
                one of two not judged yet: Unknown [0 / 4]
                    Bei 1 von 2 Partnern ist alles wie vereinbart; von 1 kam noch nichts.
                    With 1 of 2 partners all is as agreed; nothing has come from 1 yet.
                one of two without a contract: Green [0 / 2]
                    Was die Partner senden, ist wie vereinbart.
                    What partners send is as agreed.
                own functions only: NotApplicable []
                    Ihr System ist mit keinem anderen verbunden.
                    Your system is connected to no other.
                unseen: Unknown []
                    Ob die Partner ihr Format geändert haben, ist nicht bekannt.
                    Whether partners have changed their formats is not known.
                      - Technical reason: canceling statement due to statement timeout
            "#]],
        );
    }
}
