//! D13: whether the database itself can be reached from outside.

use super::{Check, answer, plain, unknown, unseen};
use crate::{
    evidence::Evidence,
    report::{Answer, Ask, Effort, EvidenceClass, State},
    text::{Text, both},
};

pub(super) const CHECK: Check = Check {
    id: "D13",
    weight: 3,
    cap: true,
    threshold: Text {
        de: "grün: nicht erreichbar; rot: erreichbar oder ohne Passwort",
        en: "green: not reachable; red: reachable or without a password",
    },
    meaning: Text {
        de: "Eine offene Datenbank ist eine offene Tür.",
        en: "An open database is an open door.",
    },
    ask: Ask::Hoster,
    question: Text {
        de: "Wer kann die Datenbank von außen erreichen, und warum?",
        en: "Who can reach the database from outside, and why?",
    },
    advice: Text { de: "Die Datenbank heute abschotten lassen", en: "Have the database closed off today" },
    effort: Effort::Small,
    class: EvidenceClass::Measured,
    probe,
};

fn probe(evidence: &Evidence) -> Answer {
    let title = Text {
        de: "Ob die Datenbank von außen erreichbar ist, ist noch nicht bekannt.",
        en: "Whether the database can be reached from outside is not yet known.",
    };
    let store = match &evidence.store {
        Ok(store) if store.embedded => store,
        Ok(_) => {
            return unknown(
                title,
                Text {
                    de: "Die Datenbank läuft für sich. Ihr Netz wurde nicht geprüft.",
                    en: "The database runs by itself. Its network was not looked at.",
                },
            );
        }
        Err(why) => return unseen(title, why),
    };
    let (state, de, en) =
        if store.inside_public { (State::Red, "ja", "yes") } else { (State::Green, "nein", "no") };
    let place = if store.inside_public {
        both(
            "Der Datenordner liegt im öffentlichen Ordner der Website.",
            "The data folder lies inside the website's public folder.",
        )
    } else {
        both(
            "Die Datenbank läuft im Programm selbst. Sie hat keinen Zugang aus dem Netz.",
            "The database runs inside the program itself. It has no door to the network.",
        )
    };
    answer(
        state,
        en,
        both(
            format!("Die Datenbank ist aus dem Internet erreichbar: {de}."),
            format!("The database can be reached from the internet: {en}."),
        ),
    )
    .valued(de, en)
    .because(plain(&store.engine))
    .because(place)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use expect_test::expect;

    use crate::checks::tests::check;

    #[test]
    fn every_state() {
        check(
            "D13",
            &[
                ("inside the program", |_| {}),
                ("in the public folder", |e| e.store.as_mut().unwrap().inside_public = true),
                ("a server of its own", |e| e.store.as_mut().unwrap().embedded = false),
            ],
            expect![[r#"
                inside the program: Green [no]
                    Die Datenbank ist aus dem Internet erreichbar: nein.
                    The database can be reached from the internet: no.
                      - SQLite 3.54.1
                      - The database runs inside the program itself. It has no door to the network.
                in the public folder: Red [yes]
                    Die Datenbank ist aus dem Internet erreichbar: ja.
                    The database can be reached from the internet: yes.
                      - SQLite 3.54.1
                      - The data folder lies inside the website's public folder.
                a server of its own: Unknown []
                    Ob die Datenbank von außen erreichbar ist, ist noch nicht bekannt.
                    Whether the database can be reached from outside is not yet known.
                      - The database runs by itself. Its network was not looked at.
            "#]],
        );
    }
}
