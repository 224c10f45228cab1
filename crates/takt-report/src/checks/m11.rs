//! M11: whether a copy lies at another place.

use super::{Check, answer, unknown, unseen};
use crate::{
    evidence::{BackupPlace, Evidence},
    report::{Answer, Ask, Effort, EvidenceClass, State},
    text::{Text, both},
};

pub(super) const CHECK: Check = Check {
    id: "M11",
    weight: 3,
    cap: false,
    threshold: Text {
        de: "grün: anderer Ort, anderes Konto, nicht löschbar; gelb: andere Maschine; rot: dieselbe Maschine oder keine",
        en: "green: another place, another account, not deletable; yellow: another machine; red: the same machine, or none",
    },
    meaning: Text {
        de: "Feuer oder Erpressung nimmt sonst beides.",
        en: "Otherwise fire or blackmail takes both.",
    },
    ask: Ask::Hoster,
    question: Text {
        de: "Wo liegt die zweite Kopie, unter wessen Konto, und wer kann sie löschen?",
        en: "Where is the second copy, under whose account, and who can delete it?",
    },
    advice: Text {
        de: "Sicherung an einen anderen Ort legen lassen",
        en: "Have the backup kept at another place",
    },
    effort: Effort::Small,
    class: EvidenceClass::Measured,
    probe,
};

fn probe(evidence: &Evidence) -> Answer {
    let title = Text {
        de: "Ob eine Kopie an einem anderen Ort liegt, ist noch nicht bekannt.",
        en: "Whether a copy lies elsewhere is not yet known.",
    };
    let facts = match &evidence.backups {
        Ok(facts) => facts,
        Err(why) => return unseen(title, why),
    };
    let (state, sentence) = match facts.place {
        None => (State::Red, both("Es gibt keine Kopie.", "There is no copy.")),
        Some(BackupPlace::SameDisk) => (
            State::Red,
            both(
                "Die Kopie liegt auf derselben Platte wie die Daten.",
                "The copy is on the same disk as the data.",
            ),
        ),
        Some(BackupPlace::OtherDisk) => (
            State::Red,
            both(
                "Die Kopie liegt auf einer anderen Platte derselben Maschine.",
                "The copy is on another disk of the same machine.",
            ),
        ),
        Some(BackupPlace::Network) => (
            State::Yellow,
            both("Die Kopie liegt auf einer anderen Maschine.", "The copy is on another machine."),
        ),
        Some(BackupPlace::Unknown) => {
            let why = Text {
                de: "Dem Ordner der Sicherungen ist nicht anzusehen, wo er liegt.",
                en: "The folder of the backups does not show where it is.",
            };
            return unknown(title, why);
        }
    };
    let given = answer(state, "", sentence);
    if state == State::Yellow {
        return given.because(both(
            "Ob sie dort unter einem anderen Konto und nicht löschbar liegt, sieht dieses Programm nicht.",
            "Whether it is under another account there and cannot be deleted, this program cannot see.",
        ));
    }
    given
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use expect_test::expect;

    use crate::checks::tests::{backups, check, nobody_looked};
    use crate::evidence::BackupPlace;

    #[test]
    fn every_state() {
        check(
            "M11",
            &[
                ("another machine", |_| {}),
                ("another disk", |e| backups(e).place = Some(BackupPlace::OtherDisk)),
                ("same disk", |e| backups(e).place = Some(BackupPlace::SameDisk)),
                ("none", |e| backups(e).place = None),
                ("who knows", |e| backups(e).place = Some(BackupPlace::Unknown)),
                ("unseen", |e| e.backups = nobody_looked()),
            ],
            expect![[r#"
                another machine: Yellow []
                    Die Kopie liegt auf einer anderen Maschine.
                    The copy is on another machine.
                      - Whether it is under another account there and cannot be deleted, this program cannot see.
                another disk: Red []
                    Die Kopie liegt auf einer anderen Platte derselben Maschine.
                    The copy is on another disk of the same machine.
                same disk: Red []
                    Die Kopie liegt auf derselben Platte wie die Daten.
                    The copy is on the same disk as the data.
                none: Red []
                    Es gibt keine Kopie.
                    There is no copy.
                who knows: Unknown []
                    Ob eine Kopie an einem anderen Ort liegt, ist noch nicht bekannt.
                    Whether a copy lies elsewhere is not yet known.
                      - The folder of the backups does not show where it is.
                unseen: Unknown []
                    Ob eine Kopie an einem anderen Ort liegt, ist noch nicht bekannt.
                    Whether a copy lies elsewhere is not yet known.
                      - Technical reason: canceling statement due to statement timeout
            "#]],
        );
    }
}
