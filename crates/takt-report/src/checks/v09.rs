//! V09: records that are older than they may be.

use super::{Check, answer, unknown, unseen};
use crate::{
    access,
    evidence::Evidence,
    format,
    report::{Answer, Ask, Effort, EvidenceClass, State},
    text::{Text, both, plural},
};

pub(super) const CHECK: Check = Check {
    id: "V09",
    weight: 2,
    cap: false,
    threshold: Text {
        de: "grün: keiner; gelb: bis 30 Tage darüber; rot: länger oder ohne Frist",
        en: "green: none; yellow: up to 30 days late; red: later, or no period",
    },
    meaning: Text {
        de: "Was gelöscht ist, muss niemand schützen.",
        en: "What is deleted needs no protection.",
    },
    ask: Ask::DataProtection,
    question: Text {
        de: "Welche alten Datensätze löschen wir, und wann?",
        en: "Which old records do we delete, and when?",
    },
    advice: Text {
        de: "Alte Datensätze löschen, fehlende Fristen festlegen",
        en: "Delete old records, settle missing periods",
    },
    effort: Effort::Small,
    class: EvidenceClass::Measured,
    probe,
};

fn probe(evidence: &Evidence) -> Answer {
    let title = Text {
        de: "Ob Datensätze älter sind als erlaubt, ist noch nicht bekannt.",
        en: "Whether records are older than allowed is not yet known.",
    };
    let overdue = match &evidence.overdue {
        Ok(overdue) => overdue,
        Err(why) => return unseen(title, why),
    };
    let personal: Vec<_> = access::tables(&evidence.project)
        .filter(|t| t.fields.iter().any(|f| f.personal.is_some()))
        .map(|t| t.name.as_str())
        .collect();
    if personal.is_empty() {
        return unknown(
            title,
            Text { de: "Keine Liste ist als persönlich markiert.", en: "No list is marked as personal." },
        );
    }
    let without: Vec<_> = personal.iter().filter(|name| !overdue.iter().any(|o| o.table == **name)).collect();
    let rows: u64 = overdue.iter().map(|o| o.rows).sum();
    let long_past: u64 = overdue.iter().map(|o| o.long_past).sum();
    let state = match (without.is_empty(), rows, long_past) {
        (true, 0, _) => State::Green,
        (true, _, 0) => State::Yellow,
        _ => State::Red,
    };
    answer(
        state,
        rows.to_string(),
        both(
            format!(
                "{} {} älter als erlaubt.",
                format::count(rows, "de"),
                plural(rows, "Datensatz ist", "Datensätze sind")
            ),
            format!(
                "{} {} older than allowed.",
                format::count(rows, "en"),
                plural(rows, "record is", "records are")
            ),
        ),
    )
    .because_all(overdue.iter().map(|o| {
        both(
            format!(
                "{}: Frist {}, gezählt ab {}: {} darüber",
                o.table,
                o.keep,
                o.field,
                format::count(o.rows, "de")
            ),
            format!(
                "{}: period {}, counted from {}: {} past it",
                o.table,
                o.keep,
                o.field,
                format::count(o.rows, "en")
            ),
        )
    }))
    .because_all(without.iter().map(|t| {
        both(
            format!("{t}: keine Frist, die sich prüfen lässt"),
            format!("{t}: no period that can be checked"),
        )
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use expect_test::expect;

    use crate::checks::tests::{check, nobody_looked};
    use crate::evidence::Evidence;

    #[test]
    fn every_state() {
        fn past(e: &mut Evidence, rows: u64, long_past: u64) {
            let fact = &mut e.overdue.as_mut().unwrap()[0];
            (fact.rows, fact.long_past) = (rows, long_past);
        }
        check(
            "V09",
            &[
                ("none", |_| {}),
                ("a little late", |e| past(e, 2, 0)),
                ("long past", |e| past(e, 2, 1)),
                ("no period", |e| e.overdue = Ok(Vec::new())),
                ("unseen", |e| e.overdue = nobody_looked()),
            ],
            expect![[r#"
                none: Green [0]
                    0 Datensätze sind älter als erlaubt.
                    0 records are older than allowed.
                      - orders: period 10 years, counted from created_at: 0 past it
                a little late: Yellow [2]
                    2 Datensätze sind älter als erlaubt.
                    2 records are older than allowed.
                      - orders: period 10 years, counted from created_at: 2 past it
                long past: Red [2]
                    2 Datensätze sind älter als erlaubt.
                    2 records are older than allowed.
                      - orders: period 10 years, counted from created_at: 2 past it
                no period: Red [0]
                    0 Datensätze sind älter als erlaubt.
                    0 records are older than allowed.
                      - orders: no period that can be checked
                unseen: Unknown []
                    Ob Datensätze älter sind als erlaubt, ist noch nicht bekannt.
                    Whether records are older than allowed is not yet known.
                      - Technical reason: canceling statement due to statement timeout
            "#]],
        );
    }
}
