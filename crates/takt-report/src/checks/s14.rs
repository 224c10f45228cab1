//! S14: the map of the parts, in the words of the glossary: backend, mediator, interface.

use super::{Check, answer, plain, unseen};
use crate::{
    evidence::Evidence,
    report::{Answer, Ask, Effort, EvidenceClass, State},
    text::{Text, both, plural},
};

pub(super) const CHECK: Check = Check {
    id: "S14",
    weight: 1,
    cap: false,
    threshold: Text {
        de: "grün: alle Teile eingeordnet; gelb: mindestens 80 %; rot: weniger",
        en: "green: all parts classed; yellow: at least 80 %; red: fewer",
    },
    meaning: Text {
        de: "So meinen alle mit denselben Worten dasselbe.",
        en: "So that the same words mean the same to all.",
    },
    ask: Ask::Agency,
    question: Text {
        de: "Was ist dieses Teil: Backend, Vermittler oder Schnittstelle?",
        en: "What is this part: backend, mediator or interface?",
    },
    advice: Text { de: "Alle Teile einordnen lassen", en: "Have all parts classed" },
    effort: Effort::Small,
    class: EvidenceClass::Measured,
    probe,
};

fn probe(evidence: &Evidence) -> Answer {
    let title = Text {
        de: "Die Karte der Teile ist noch nicht bekannt.",
        en: "The map of the parts is not yet known.",
    };
    let (parts, partners) = match (&evidence.parts, &evidence.partners) {
        (Ok(parts), Ok(partners)) => (parts, partners),
        (Err(why), _) | (_, Err(why)) => return unseen(title, why),
    };
    // A partner that was called and stands in no file is a part that nobody classed.
    let mut strangers: Vec<&str> = partners
        .iter()
        .map(|p| p.host.as_str())
        .filter(|h| !parts.declared_hosts.iter().any(|d| d == h))
        .collect();
    strangers.dedup();
    let (mediators, interfaces) = (parts.flows.len() as u64, parts.interfaces.len() as u64);
    let classed = 1 + parts.flows.len() + parts.interfaces.len();
    let state = match strangers.len() {
        0 => State::Green,
        n if n * 4 <= classed => State::Yellow,
        _ => State::Red,
    };
    answer(
        state,
        format!("1/{mediators}/{interfaces}"),
        both(
            format!(
                "Ihre Karte: 1 Backend, {mediators} Vermittler, {interfaces} {}.",
                plural(interfaces, "Schnittstelle", "Schnittstellen")
            ),
            format!(
                "Your map: 1 backend, {mediators} {}, {interfaces} {}.",
                plural(mediators, "mediator", "mediators"),
                plural(interfaces, "interface", "interfaces"),
            ),
        ),
    )
    .because(both(
        format!("Vorgänge im Backend: {}", parts.actions.len()),
        format!("Processes in the backend: {}", parts.actions.len()),
    ))
    .because_all(parts.flows.iter().chain(&parts.interfaces).cloned().map(plain))
    .because_all(
        strangers.into_iter().map(|h| both(format!("Nicht eingeordnet: {h}"), format!("Not classed: {h}"))),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use expect_test::expect;

    use crate::checks::tests::{check, stranger};

    #[test]
    fn every_state() {
        check(
            "S14",
            &[
                ("backend alone", |_| {}),
                ("with a connection", |e| e.parts.as_mut().unwrap().interfaces.push("erp.toml".into())),
                ("a stranger", |e| e.partners = Ok(vec![stranger()])),
            ],
            expect![[r#"
                backend alone: Green [1/0/0]
                    Ihre Karte: 1 Backend, 0 Vermittler, 0 Schnittstellen.
                    Your map: 1 backend, 0 mediators, 0 interfaces.
                      - Processes in the backend: 1
                with a connection: Green [1/0/1]
                    Ihre Karte: 1 Backend, 0 Vermittler, 1 Schnittstelle.
                    Your map: 1 backend, 0 mediators, 1 interface.
                      - Processes in the backend: 1
                      - erp.toml
                a stranger: Red [1/0/0]
                    Ihre Karte: 1 Backend, 0 Vermittler, 0 Schnittstellen.
                    Your map: 1 backend, 0 mediators, 0 interfaces.
                      - Processes in the backend: 1
                      - Not classed: api.example.org
            "#]],
        );
    }
}
