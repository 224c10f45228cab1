//! V07: what is missing in the register of processing, as far as the project itself can say it.

use super::{Check, answer, unknown};
use crate::{
    access,
    evidence::Evidence,
    report::{Answer, Ask, Effort, EvidenceClass, State},
    text::{Text, both, plural},
};

pub(super) const CHECK: Check = Check {
    id: "V07",
    weight: 2,
    cap: false,
    threshold: Text {
        de: "grün: vollständig; gelb: Lücken; rot: keine Angabe",
        en: "green: complete; yellow: gaps; red: nothing stated",
    },
    meaning: Text { de: "Die Aufsicht darf danach fragen.", en: "The authority may ask for it." },
    ask: Ask::DataProtection,
    question: Text {
        de: "Zu welchem Zweck speichern wir diese Daten, und wie lange?",
        en: "For what purpose do we keep this data, and for how long?",
    },
    advice: Text {
        de: "Zweck und Frist für persönliche Listen festlegen",
        en: "Settle purpose and period for personal lists",
    },
    effort: Effort::Small,
    class: EvidenceClass::Stated,
    probe,
};

fn probe(evidence: &Evidence) -> Answer {
    let personal: Vec<_> =
        access::tables(&evidence.project).filter(|t| t.fields.iter().any(|f| f.personal.is_some())).collect();
    if personal.is_empty() {
        let title =
            Text { de: "Keine Liste ist als persönlich markiert.", en: "No list is marked as personal." };
        return unknown(
            title,
            Text {
                de: "Kein Feld trägt die Markierung `personal`.",
                en: "No field carries the mark `personal`.",
            },
        );
    }
    let mut missing = Vec::new();
    for table in &personal {
        let privacy = table.privacy.clone().unwrap_or_default();
        if privacy.purpose.is_none() {
            missing.push(both(
                format!("{}: Zweck fehlt", table.name),
                format!("{}: purpose is missing", table.name),
            ));
        }
        if privacy.keep.is_none() {
            missing.push(both(
                format!("{}: Frist fehlt", table.name),
                format!("{}: period is missing", table.name),
            ));
        }
    }
    let n = missing.len() as u64;
    let state = match missing.len() {
        0 => State::Green,
        n if n < 2 * personal.len() => State::Yellow,
        _ => State::Red,
    };
    answer(
        state,
        n.to_string(),
        both(
            format!(
                "Im Verzeichnis der Verarbeitungen {} {n} {}.",
                plural(n, "fehlt", "fehlen"),
                plural(n, "Angabe", "Angaben")
            ),
            format!("{n} {} missing in the processing register.", plural(n, "entry is", "entries are")),
        ),
    )
    .because(both(
        format!("{} Listen mit persönlichen Daten; je Zweck und Frist.", personal.len()),
        format!("{} lists with personal data; purpose and period for each.", personal.len()),
    ))
    .because_all(missing)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use expect_test::expect;

    use crate::checks::tests::{ORDERS, check, project};

    #[test]
    fn every_state() {
        check(
            "V07",
            &[
                ("complete", |_| {}),
                ("no period", |e| {
                    e.project = project(&[("orders", &ORDERS.replace("keep = \"10 years\"\n", ""))]);
                }),
                ("nothing stated", |e| {
                    let text = ORDERS.split("[privacy]").next().unwrap();
                    e.project = project(&[("orders", text)]);
                }),
                ("nothing personal", |e| {
                    e.project = project(&[("orders", &ORDERS.replace("personal = \"contact\"\n", ""))]);
                }),
            ],
            expect![[r#"
                complete: Green [0]
                    Im Verzeichnis der Verarbeitungen fehlen 0 Angaben.
                    0 entries are missing in the processing register.
                      - 1 lists with personal data; purpose and period for each.
                no period: Yellow [1]
                    Im Verzeichnis der Verarbeitungen fehlt 1 Angabe.
                    1 entry is missing in the processing register.
                      - 1 lists with personal data; purpose and period for each.
                      - orders: period is missing
                nothing stated: Red [2]
                    Im Verzeichnis der Verarbeitungen fehlen 2 Angaben.
                    2 entries are missing in the processing register.
                      - 1 lists with personal data; purpose and period for each.
                      - orders: purpose is missing
                      - orders: period is missing
                nothing personal: Unknown []
                    Keine Liste ist als persönlich markiert.
                    No list is marked as personal.
                      - No field carries the mark `personal`.
            "#]],
        );
    }
}
