//! S01: whether the system talks only to those whom the project declares.

use super::{Check, answer, unless_young, unseen};
use crate::{
    evidence::Evidence,
    report::{Answer, Ask, Effort, EvidenceClass, State},
    text::{Text, both},
};

/// Days of the window.
const DAYS: i64 = 28;

pub(super) const CHECK: Check = Check {
    id: "S01",
    weight: 3,
    cap: false,
    threshold: Text {
        de: "in 28 Tagen; grün: gleich; gelb: angemeldet, aber nie gesehen; rot: nicht angemeldet",
        en: "over 28 days; green: equal; yellow: declared but never seen; red: undeclared",
    },
    meaning: Text {
        de: "Sonst fließen Daten ab, ohne dass es jemand weiß.",
        en: "Otherwise data leaves unseen.",
    },
    ask: Ask::Agency,
    question: Text {
        de: "Wer ist das, und welche Daten gehen dorthin?",
        en: "Who is that, and which data goes there?",
    },
    advice: Text {
        de: "Unbekannte Verbindungen anmelden oder abstellen lassen",
        en: "Have unknown connections declared or stopped",
    },
    effort: Effort::Small,
    class: EvidenceClass::Measured,
    probe,
};

fn probe(evidence: &Evidence) -> Answer {
    let title = Text {
        de: "Mit wem das System spricht, ist noch nicht bekannt.",
        en: "Whom the system talks to is not yet known.",
    };
    let (partners, parts) = match (&evidence.partners, &evidence.parts) {
        (Ok(partners), Ok(parts)) => (partners, parts),
        (Err(why), _) | (_, Err(why)) => return unseen(title, why),
    };
    let is_declared = |host: &str| parts.declared_hosts.iter().any(|d| d == host);
    let mut hosts: Vec<&str> = partners.iter().map(|p| p.host.as_str()).collect();
    hosts.sort_unstable();
    hosts.dedup();
    let undeclared = hosts.iter().filter(|h| !is_declared(h)).count();
    let unseen = parts.declared_hosts.iter().filter(|d| !hosts.contains(&d.as_str())).count();
    let state = match (undeclared, unseen) {
        (0, 0) => State::Green,
        (0, _) => State::Yellow,
        _ => State::Red,
    };
    let given = answer(
        state,
        format!("{}/{undeclared}", hosts.len()),
        both(
            format!(
                "Ihr System spricht mit {} anderen; {undeclared} davon sind nicht angemeldet.",
                hosts.len()
            ),
            format!("Your system talks to {} others; {undeclared} of them are undeclared.", hosts.len()),
        ),
    )
    .because(both(
        "Gezählt seit dem letzten Start des Programms; jeder Aufruf geht durch eine Tür.",
        "Counted since the program last started; every call goes through one door.",
    ))
    .because_all(partners.iter().map(|p| {
        let (de, en) = if is_declared(&p.host) {
            ("angemeldet", "declared")
        } else {
            ("nicht angemeldet", "undeclared")
        };
        both(
            format!("{}: {} ({}-mal, {de})", p.host, p.purpose, p.calls),
            format!("{}: {} ({} times, {en})", p.host, p.purpose, p.calls),
        )
    }));
    // An undeclared call is a finding on the first day; silence proves something only after a while.
    if state == State::Red { given } else { unless_young(evidence, DAYS, given) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use expect_test::expect;

    use crate::checks::tests::{check, stranger, young};

    #[test]
    fn every_state() {
        check(
            "S01",
            &[
                ("none", |_| {}),
                ("undeclared", |e| e.partners = Ok(vec![stranger()])),
                ("declared", |e| {
                    e.partners = Ok(vec![stranger()]);
                    e.parts.as_mut().unwrap().declared_hosts.push("api.example.org".into());
                }),
                ("declared, never seen", |e| {
                    e.parts.as_mut().unwrap().declared_hosts.push("api.example.org".into());
                }),
                ("young and silent", young),
                ("young and undeclared", |e| {
                    young(e);
                    e.partners = Ok(vec![stranger()]);
                }),
            ],
            expect![[r#"
                none: Green [0/0]
                    Ihr System spricht mit 0 anderen; 0 davon sind nicht angemeldet.
                    Your system talks to 0 others; 0 of them are undeclared.
                      - Counted since the program last started; every call goes through one door.
                undeclared: Red [1/1]
                    Ihr System spricht mit 1 anderen; 1 davon sind nicht angemeldet.
                    Your system talks to 1 others; 1 of them are undeclared.
                      - Counted since the program last started; every call goes through one door.
                      - api.example.org: function rates (3 times, undeclared)
                declared: Green [1/0]
                    Ihr System spricht mit 1 anderen; 0 davon sind nicht angemeldet.
                    Your system talks to 1 others; 0 of them are undeclared.
                      - Counted since the program last started; every call goes through one door.
                      - api.example.org: function rates (3 times, declared)
                declared, never seen: Yellow [0/0]
                    Ihr System spricht mit 0 anderen; 0 davon sind nicht angemeldet.
                    Your system talks to 0 others; 0 of them are undeclared.
                      - Counted since the program last started; every call goes through one door.
                young and silent: TooYoung [0/0]
                    Ihr System spricht mit 0 anderen; 0 davon sind nicht angemeldet.
                    Your system talks to 0 others; 0 of them are undeclared.
                      - Counted since the program last started; every call goes through one door.
                      - Observed for 3 of 28 days; no verdict before that.
                young and undeclared: Red [1/1]
                    Ihr System spricht mit 1 anderen; 1 davon sind nicht angemeldet.
                    Your system talks to 1 others; 1 of them are undeclared.
                      - Counted since the program last started; every call goes through one door.
                      - api.example.org: function rates (3 times, undeclared)
            "#]],
        );
    }
}
