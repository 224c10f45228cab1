//! M09: whether the last backup was restored as a trial, and all was there.

use super::{Check, answer, unseen};
use crate::{
    evidence::Evidence,
    format,
    history::DAY,
    report::{Answer, Ask, Effort, EvidenceClass, State},
    text::{Text, both},
};

pub(super) const CHECK: Check = Check {
    id: "M09",
    weight: 5,
    cap: true,
    threshold: Text {
        de: "grün: bestanden, höchstens 7 Tage her; gelb: höchstens 31; rot: älter, gescheitert oder nie",
        en: "green: passed at most 7 days ago; yellow: at most 31; red: older, failed or never",
    },
    meaning: Text {
        de: "Eine ungeprüfte Sicherung ist eine Hoffnung.", en: "An untested backup is a hope."
    },
    ask: Ask::Agency,
    question: Text {
        de: "Spielen Sie die Sicherung heute zur Probe zurück: Was fehlt?",
        en: "Restore the backup as a trial today: what is missing?",
    },
    advice: Text {
        de: "Sicherung zur Probe zurückspielen lassen",
        en: "Have the backup restored as a trial",
    },
    effort: Effort::Small,
    class: EvidenceClass::Measured,
    probe,
};

fn probe(evidence: &Evidence) -> Answer {
    let title = Text {
        de: "Ob sich die Sicherung zurückspielen lässt, ist noch nicht bekannt.",
        en: "Whether the backup can be restored is not yet known.",
    };
    let facts = match &evidence.backups {
        Ok(facts) => facts,
        Err(why) => return unseen(title, why),
    };
    let Some(drill) = &facts.last_drill else {
        let never = both(
            "Die Sicherung wurde noch nie zur Probe zurückgespielt.",
            "The backup has never been restored as a trial.",
        );
        return answer(State::Red, "", never);
    };
    let (de, en) = (format::moment_short(drill.at, "de"), format::moment_short(drill.at, "en"));
    if let Some(fault) = &drill.fault {
        let failed = both(
            format!("Die Probe am {de} ist gescheitert: Die Sicherung taugt so nicht."),
            format!("The trial on {en} failed: the backup is no good as it is."),
        );
        return answer(State::Red, "", failed)
            .because(both(format!("Technischer Grund: {fault}"), format!("Technical reason: {fault}")));
    }
    let state = match (evidence.at - drill.at) / DAY {
        ..=7 => State::Green,
        8..=31 => State::Yellow,
        _ => State::Red,
    };
    let label = |language: &str| {
        let name = drill.table.as_deref().unwrap_or_default();
        let table = evidence.project.table(name);
        table.and_then(|t| t.label.get(language)).unwrap_or(name).to_owned()
    };
    let rows = |language: &str| format::count(drill.rows, language);
    let newest = drill.newest_at.map(|at| {
        both(
            format!("Der neueste Eintrag darin ist vom {}.", format::moment_short(at, "de")),
            format!("The newest entry in it is of {}.", format::moment_short(at, "en")),
        )
    });
    answer(
        state,
        "",
        both(
            format!("Zuletzt zur Probe zurückgespielt am {de}: {0} von {0} {1} da.", rows("de"), label("de")),
            format!("Last trial restore {en}: {0} of {0} {1} present.", rows("en"), label("en")),
        ),
    )
    .valued(&de, &en)
    .because(both(
        "Geöffnet, auf Schäden geprüft, jede Liste gezählt und verglichen.",
        "Opened, checked for damage, every list counted and compared.",
    ))
    .because_all(newest)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use expect_test::expect;

    use crate::checks::tests::{NOW, backups, check, nobody_looked};
    use crate::history::DAY;

    #[test]
    fn every_state() {
        check(
            "M09",
            &[
                ("last night", |_| {}),
                ("two weeks ago", |e| backups(e).last_drill.as_mut().unwrap().at = NOW - 14 * DAY),
                ("two months ago", |e| backups(e).last_drill.as_mut().unwrap().at = NOW - 60 * DAY),
                ("failed", |e| backups(e).last_drill.as_mut().unwrap().fault = Some("a row less".into())),
                ("never", |e| backups(e).last_drill = None),
                ("unseen", |e| e.backups = nobody_looked()),
            ],
            expect![[r#"
                last night: Green [23 Nov 2026, 04:26]
                    Zuletzt zur Probe zurückgespielt am 23.11.2026, 04:26 Uhr: 41.208 von 41.208 Bestellungen da.
                    Last trial restore 23 Nov 2026, 04:26: 41,208 of 41,208 Orders present.
                      - Opened, checked for damage, every list counted and compared.
                      - The newest entry in it is of 23 Nov 2026, 03:13.
                two weeks ago: Yellow [9 Nov 2026, 09:14]
                    Zuletzt zur Probe zurückgespielt am 09.11.2026, 09:14 Uhr: 41.208 von 41.208 Bestellungen da.
                    Last trial restore 9 Nov 2026, 09:14: 41,208 of 41,208 Orders present.
                      - Opened, checked for damage, every list counted and compared.
                      - The newest entry in it is of 23 Nov 2026, 03:13.
                two months ago: Red [24 Sep 2026, 09:14]
                    Zuletzt zur Probe zurückgespielt am 24.09.2026, 09:14 Uhr: 41.208 von 41.208 Bestellungen da.
                    Last trial restore 24 Sep 2026, 09:14: 41,208 of 41,208 Orders present.
                      - Opened, checked for damage, every list counted and compared.
                      - The newest entry in it is of 23 Nov 2026, 03:13.
                failed: Red []
                    Die Probe am 23.11.2026, 04:26 Uhr ist gescheitert: Die Sicherung taugt so nicht.
                    The trial on 23 Nov 2026, 04:26 failed: the backup is no good as it is.
                      - Technical reason: a row less
                never: Red []
                    Die Sicherung wurde noch nie zur Probe zurückgespielt.
                    The backup has never been restored as a trial.
                unseen: Unknown []
                    Ob sich die Sicherung zurückspielen lässt, ist noch nicht bekannt.
                    Whether the backup can be restored is not yet known.
                      - Technical reason: canceling statement due to statement timeout
            "#]],
        );
    }
}
