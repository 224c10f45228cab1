//! R08: whether passwords are kept only as modern check values.

use super::{Check, answer, unknown, unseen};
use crate::{
    evidence::Evidence,
    format,
    report::{Answer, Ask, Effort, EvidenceClass, State},
    text::{Text, both},
};

pub(super) const CHECK: Check = Check {
    id: "R08",
    weight: 3,
    cap: false,
    threshold: Text {
        de: "grün: alle; gelb: mindestens 90 %; rot: weniger",
        en: "green: all; yellow: at least 90 %; red: fewer",
    },
    meaning: Text { de: "So bleibt ein Datenleck harmlos.", en: "This keeps a leak harmless." },
    ask: Ask::Agency,
    question: Text {
        de: "Welche Konten haben noch ein altes Verfahren, und wann wird umgestellt?",
        en: "Which accounts still use an old method, and when will that change?",
    },
    advice: Text { de: "Alte Passwörter umstellen lassen", en: "Have old passwords converted" },
    effort: Effort::Small,
    class: EvidenceClass::Measured,
    probe,
};

fn probe(evidence: &Evidence) -> Answer {
    let title = Text {
        de: "Wie Passwörter gespeichert sind, ist noch nicht bekannt.",
        en: "How passwords are kept is not yet known.",
    };
    let passwords = match &evidence.passwords {
        Ok(passwords) if passwords.total == 0 => {
            return unknown(
                title,
                Text {
                    de: "Es gibt noch kein Konto mit Passwort.",
                    en: "There is no account with a password yet.",
                },
            );
        }
        Ok(passwords) => passwords,
        Err(why) => return unseen(title, why),
    };
    let (good, all) = (passwords.argon2id, passwords.total);
    let state = match () {
        () if good == all => State::Green,
        () if good * 10 >= all * 9 => State::Yellow,
        () => State::Red,
    };
    // Rounded down: 999 of 1,000 is not "100 %".
    let percent = good * 100 / all;
    answer(
        state,
        format!("{percent} %"),
        both(
            format!("{percent} % der Passwörter sind nur als Prüfwert gespeichert."),
            format!("{percent} % of passwords are kept only as check values."),
        ),
    )
    .because(both(
        format!(
            "{} von {} Passwörtern: Argon2id mit mindestens 19 MiB.",
            format::count(good, "de"),
            format::count(all, "de")
        ),
        format!(
            "{} of {} passwords: Argon2id with at least 19 MiB.",
            format::count(good, "en"),
            format::count(all, "en")
        ),
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use expect_test::expect;

    use crate::checks::tests::{check, nobody_looked};
    use crate::evidence::{Evidence, Passwords};

    #[test]
    fn every_state() {
        fn kept(e: &mut Evidence, total: u64, argon2id: u64) {
            e.passwords = Ok(Passwords { total, argon2id });
        }
        check(
            "R08",
            &[
                ("all", |_| {}),
                ("nearly all", |e| kept(e, 1000, 999)),
                ("few", |e| kept(e, 10, 8)),
                ("none yet", |e| kept(e, 0, 0)),
                ("unseen", |e| e.passwords = nobody_looked()),
            ],
            expect![[r#"
                all: Green [100 %]
                    100 % der Passwörter sind nur als Prüfwert gespeichert.
                    100 % of passwords are kept only as check values.
                      - 2,000 of 2,000 passwords: Argon2id with at least 19 MiB.
                nearly all: Yellow [99 %]
                    99 % der Passwörter sind nur als Prüfwert gespeichert.
                    99 % of passwords are kept only as check values.
                      - 999 of 1,000 passwords: Argon2id with at least 19 MiB.
                few: Red [80 %]
                    80 % der Passwörter sind nur als Prüfwert gespeichert.
                    80 % of passwords are kept only as check values.
                      - 8 of 10 passwords: Argon2id with at least 19 MiB.
                none yet: Unknown []
                    Wie Passwörter gespeichert sind, ist noch nicht bekannt.
                    How passwords are kept is not yet known.
                      - There is no account with a password yet.
                unseen: Unknown []
                    Wie Passwörter gespeichert sind, ist noch nicht bekannt.
                    How passwords are kept is not yet known.
                      - Technical reason: canceling statement due to statement timeout
            "#]],
        );
    }
}
