//! R14: secret keys that lie open in the front end.

use super::{Check, answer, plain, unknown, unseen};
use crate::{
    evidence::Evidence,
    format,
    report::{Answer, Ask, Effort, EvidenceClass, State},
    text::{Text, both, plural},
};

pub(super) const CHECK: Check = Check {
    id: "R14",
    weight: 3,
    cap: true,
    threshold: Text { de: "grün: keiner; rot: einer oder mehr", en: "green: none; red: one or more" },
    meaning: Text {
        de: "Mit so einem Schlüssel kann jeder in Ihrem Namen handeln.",
        en: "With such a key anyone may act as you.",
    },
    ask: Ask::Agency,
    question: Text {
        de: "Wie kam der Schlüssel in die Oberfläche, und wann ist er ausgetauscht?",
        en: "How did the key get into the front end, and when will it be replaced?",
    },
    advice: Text { de: "Offene Schlüssel heute austauschen lassen", en: "Have open keys replaced today" },
    effort: Effort::Small,
    class: EvidenceClass::Measured,
    probe,
};

fn probe(evidence: &Evidence) -> Answer {
    let title = Text {
        de: "Ob Schlüssel offen liegen, ist noch nicht bekannt.",
        en: "Whether keys lie open is not yet known.",
    };
    let front = match &evidence.front {
        Ok(front) => front,
        Err(why) => return unseen(title, why),
    };
    let n = front.secrets.len() as u64;
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
            format!(
                "{n} {} offen in der Oberfläche.",
                plural(n, "Zugangsschlüssel liegt", "Zugangsschlüssel liegen")
            ),
            format!("{n} access {} open in the front end.", plural(n, "key lies", "keys lie")),
        ),
    )
    .because(both(
        format!("Geprüft: {} Dateien im öffentlichen Ordner.", format::count(front.files, "de")),
        format!("Checked: {} files in the public folder.", format::count(front.files, "en")),
    ))
    .because_all(front.secrets.iter().map(|(path, kind)| plain(format!("{path}: {kind}"))))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use expect_test::expect;

    use crate::checks::tests::check;

    #[test]
    fn every_state() {
        check(
            "R14",
            &[
                ("none", |_| {}),
                ("one", |e| {
                    e.front.as_mut().unwrap().secrets.push(("js/app.js".into(), "private key".into()))
                }),
                ("not all looked at", |e| e.front.as_mut().unwrap().complete = false),
            ],
            expect![[r#"
                none: Green [0]
                    0 Zugangsschlüssel liegen offen in der Oberfläche.
                    0 access keys lie open in the front end.
                      - Checked: 93 files in the public folder.
                one: Red [1]
                    1 Zugangsschlüssel liegt offen in der Oberfläche.
                    1 access key lies open in the front end.
                      - Checked: 93 files in the public folder.
                      - js/app.js: private key
                not all looked at: Unknown []
                    Ob Schlüssel offen liegen, ist noch nicht bekannt.
                    Whether keys lie open is not yet known.
                      - The public folder has more files than were looked at.
            "#]],
        );
    }
}
