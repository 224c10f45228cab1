//! R07: how administrators sign in.

use super::{Check, answer, unknown, unseen};
use crate::{
    evidence::Evidence,
    report::{Answer, Ask, Effort, EvidenceClass, State},
    text::{Text, both},
};

pub(super) const CHECK: Check = Check {
    id: "R07",
    weight: 3,
    cap: false,
    threshold: Text {
        de: "grün: Sitzungsende, Sperre und zweiter Faktor; gelb: ohne zweiten Faktor; rot: weniger",
        en: "green: session end, lock-out and second factor; yellow: no second factor; red: less",
    },
    meaning: Text {
        de: "Ohne zweiten Faktor genügt ein gestohlenes Passwort.",
        en: "Without a second factor a stolen password is enough.",
    },
    ask: Ask::Owner,
    question: Text {
        de: "Wann gibt es den zweiten Faktor, und wie stark sind unsere Passwörter bis dahin?",
        en: "When will there be a second factor, and how strong are our passwords until then?",
    },
    advice: Text {
        de: "Lange, einmalige Passwörter für Verwalter festlegen",
        en: "Insist on long, unique passwords for administrators",
    },
    effort: Effort::Small,
    class: EvidenceClass::Measured,
    probe,
};

fn probe(evidence: &Evidence) -> Answer {
    let title = Text {
        de: "Wie sich Verwalter anmelden, ist noch nicht bekannt.",
        en: "How administrators sign in is not yet known.",
    };
    let accounts = match &evidence.accounts {
        Ok(accounts) if accounts.administrators == 0 => {
            return unknown(
                title,
                Text {
                    de: "Es gibt noch kein Verwalterkonto.",
                    en: "There is no administrator account yet.",
                },
            );
        }
        Ok(accounts) => accounts,
        Err(why) => return unseen(title, why),
    };
    let (with, all) = (accounts.with_second_factor, accounts.administrators);
    let state = match (accounts.sessions_end && accounts.lock_out, with == all) {
        (true, true) => State::Green,
        (true, false) => State::Yellow,
        (false, _) => State::Red,
    };
    let line = |on: bool, de: &str, en: &str| {
        both(
            format!("{de}: {}", if on { "ja" } else { "nein" }),
            format!("{en}: {}", if on { "yes" } else { "no" }),
        )
    };
    answer(
        state,
        format!("{with}/{all}"),
        both(
            format!("Verwalter brauchen Passwort und zweiten Faktor: {with} von {all}."),
            format!("Administrators need password and second factor: {with} of {all}."),
        ),
    )
    .because(line(accounts.sessions_end, "Sitzungen enden von selbst", "Sessions end by themselves"))
    .because(line(
        accounts.lock_out,
        "Zu viele falsche Passwörter sperren das Konto eine Weile",
        "Too many wrong passwords lock the account for a while",
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use expect_test::expect;

    use crate::checks::tests::check;
    use crate::evidence::Accounts;

    #[test]
    fn every_state() {
        check(
            "R07",
            &[
                ("all", |_| {}),
                ("no second factor", |e| e.accounts.as_mut().unwrap().with_second_factor = 0),
                ("no lock-out", |e| e.accounts.as_mut().unwrap().lock_out = false),
                ("nobody yet", |e| e.accounts = Ok(Accounts::default())),
            ],
            expect![[r#"
                all: Green [6/6]
                    Verwalter brauchen Passwort und zweiten Faktor: 6 von 6.
                    Administrators need password and second factor: 6 of 6.
                      - Sessions end by themselves: yes
                      - Too many wrong passwords lock the account for a while: yes
                no second factor: Yellow [0/6]
                    Verwalter brauchen Passwort und zweiten Faktor: 0 von 6.
                    Administrators need password and second factor: 0 of 6.
                      - Sessions end by themselves: yes
                      - Too many wrong passwords lock the account for a while: yes
                no lock-out: Red [6/6]
                    Verwalter brauchen Passwort und zweiten Faktor: 6 von 6.
                    Administrators need password and second factor: 6 of 6.
                      - Sessions end by themselves: yes
                      - Too many wrong passwords lock the account for a while: no
                nobody yet: Unknown []
                    Wie sich Verwalter anmelden, ist noch nicht bekannt.
                    How administrators sign in is not yet known.
                      - There is no administrator account yet.
            "#]],
        );
    }
}
