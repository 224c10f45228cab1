//! V12: how many accounts may do more than a customer, and which of them nobody uses.

use super::{Check, answer, unknown, unless_young, unseen};
use crate::{
    evidence::Evidence,
    report::{Answer, Ask, Effort, EvidenceClass, State},
    text::{Text, both, plural},
};

/// Days of the window.
const DAYS: i64 = 90;

pub(super) const CHECK: Check = Check {
    id: "V12",
    weight: 3,
    cap: false,
    threshold: Text {
        de: "seit 90 Tagen unbenutzt; grün: keines; gelb: 1 bis 2; rot: mehr",
        en: "unused for 90 days; green: none; yellow: 1 to 2; red: more",
    },
    meaning: Text { de: "Alte Schlüssel in fremden Händen.", en: "Old keys in strange hands." },
    ask: Ask::Agency,
    question: Text {
        de: "Wer braucht dieses Konto noch? Sonst bitte entfernen.",
        en: "Who still needs this account? Otherwise please remove it.",
    },
    advice: Text {
        de: "Unbenutzte Verwalterkonten entfernen lassen",
        en: "Have unused administrator accounts removed",
    },
    effort: Effort::Small,
    class: EvidenceClass::Measured,
    probe,
};

fn probe(evidence: &Evidence) -> Answer {
    let title = Text {
        de: "Wer Verwalterrechte hat, ist noch nicht bekannt.",
        en: "Who has administrator rights is not yet known.",
    };
    let accounts = match &evidence.accounts {
        Ok(accounts) => accounts,
        Err(why) => return unseen(title, why),
    };
    let Some(unused) = accounts.unused else {
        return unknown(
            title,
            Text {
                de: "Niemand hält fest, wann Konten zuletzt benutzt wurden.",
                en: "Nobody notes when accounts were last used.",
            },
        );
    };
    let n = accounts.administrators;
    let state = match unused {
        0 => State::Green,
        1 | 2 => State::Yellow,
        _ => State::Red,
    };
    let given = answer(
        state,
        format!("{n}/{unused}"),
        both(
            format!(
                "{n} {} Verwalterrechte, {unused} davon seit 90 Tagen ungenutzt.",
                plural(n, "Konto hat", "Konten haben")
            ),
            format!(
                "{n} {} administrator rights, {unused} of them unused for 90 days.",
                plural(n, "account has", "accounts have")
            ),
        ),
    );
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
            "V12",
            &[
                ("all in use", |_| {}),
                ("one unused", |e| e.accounts.as_mut().unwrap().unused = Some(1)),
                ("three unused", |e| e.accounts.as_mut().unwrap().unused = Some(3)),
                ("nobody notes", |e| e.accounts.as_mut().unwrap().unused = None),
                ("young", young),
            ],
            expect![[r#"
                all in use: Green [6/0]
                    6 Konten haben Verwalterrechte, 0 davon seit 90 Tagen ungenutzt.
                    6 accounts have administrator rights, 0 of them unused for 90 days.
                one unused: Yellow [6/1]
                    6 Konten haben Verwalterrechte, 1 davon seit 90 Tagen ungenutzt.
                    6 accounts have administrator rights, 1 of them unused for 90 days.
                three unused: Red [6/3]
                    6 Konten haben Verwalterrechte, 3 davon seit 90 Tagen ungenutzt.
                    6 accounts have administrator rights, 3 of them unused for 90 days.
                nobody notes: Unknown []
                    Wer Verwalterrechte hat, ist noch nicht bekannt.
                    Who has administrator rights is not yet known.
                      - Nobody notes when accounts were last used.
                young: TooYoung [6/0]
                    6 Konten haben Verwalterrechte, 0 davon seit 90 Tagen ungenutzt.
                    6 accounts have administrator rights, 0 of them unused for 90 days.
                      - Observed for 3 of 90 days; no verdict before that.
            "#]],
        );
    }
}
