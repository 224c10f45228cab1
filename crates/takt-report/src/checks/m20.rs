//! M20: files in the public folder that nobody outside should get.

use super::{Check, answer, plain, unknown, unseen};
use crate::{
    evidence::Evidence,
    format,
    report::{Answer, Ask, Effort, EvidenceClass, State},
    text::{Text, both, plural},
};

pub(super) const CHECK: Check = Check {
    id: "M20",
    weight: 3,
    cap: true,
    threshold: Text { de: "grün: keine; rot: eine oder mehr", en: "green: none; red: one or more" },
    meaning: Text {
        de: "Solche Dateien sind Schlüssel für Einbrecher.",
        en: "Such files are keys for burglars.",
    },
    ask: Ask::Agency,
    question: Text {
        de: "Warum liegen diese Dateien im öffentlichen Ordner? Bitte heute entfernen.",
        en: "Why do these files lie in the public folder? Please remove them today.",
    },
    advice: Text {
        de: "Vertrauliche Dateien aus dem Netz nehmen lassen",
        en: "Have confidential files taken off the web",
    },
    effort: Effort::Small,
    class: EvidenceClass::Measured,
    probe,
};

fn probe(evidence: &Evidence) -> Answer {
    let title = Text {
        de: "Ob vertrauliche Dateien abrufbar sind, ist noch nicht bekannt.",
        en: "Whether confidential files can be fetched is not yet known.",
    };
    let front = match &evidence.front {
        Ok(front) => front,
        Err(why) => return unseen(title, why),
    };
    let n = front.confidential.len() as u64;
    if n == 0 && !front.complete {
        return unknown(
            title,
            Text {
                de: "Der öffentliche Ordner hat mehr Dateien, als geprüft wurden.",
                en: "The public folder has more files than were looked at.",
            },
        );
    }
    answer(
        if n == 0 { State::Green } else { State::Red },
        n.to_string(),
        both(
            format!("{n} vertrauliche {} von außen abrufbar.", plural(n, "Datei ist", "Dateien sind")),
            format!("{n} confidential {} can be fetched from outside.", plural(n, "file", "files")),
        ),
    )
    .because(both(
        format!("Geprüft: {} Dateien im öffentlichen Ordner.", format::count(front.files, "de")),
        format!("Checked: {} files in the public folder.", format::count(front.files, "en")),
    ))
    .because_all(front.confidential.iter().map(plain))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use expect_test::expect;

    use crate::checks::tests::{check, nobody_looked};

    #[test]
    fn every_state() {
        check(
            "M20",
            &[
                ("none", |_| {}),
                ("one", |e| e.front.as_mut().unwrap().confidential.push("backup/shop.sql".into())),
                ("not all looked at", |e| e.front.as_mut().unwrap().complete = false),
                ("unseen", |e| e.front = nobody_looked()),
            ],
            expect![[r#"
                none: Green [0]
                    0 vertrauliche Dateien sind von außen abrufbar.
                    0 confidential files can be fetched from outside.
                      - Checked: 93 files in the public folder.
                one: Red [1]
                    1 vertrauliche Datei ist von außen abrufbar.
                    1 confidential file can be fetched from outside.
                      - Checked: 93 files in the public folder.
                      - backup/shop.sql
                not all looked at: Unknown []
                    Ob vertrauliche Dateien abrufbar sind, ist noch nicht bekannt.
                    Whether confidential files can be fetched is not yet known.
                      - The public folder has more files than were looked at.
                unseen: Unknown []
                    Ob vertrauliche Dateien abrufbar sind, ist noch nicht bekannt.
                    Whether confidential files can be fetched is not yet known.
                      - Technical reason: canceling statement due to statement timeout
            "#]],
        );
    }
}
