//! D10: money kept as floating point, dates kept as text.

use super::{Check, answer, plain};
use crate::{
    access,
    evidence::Evidence,
    looks,
    report::{Answer, Ask, Effort, EvidenceClass, State},
    text::{Text, both, plural},
};
use takt_model::FieldType;

pub(super) const CHECK: Check = Check {
    id: "D10",
    weight: 1,
    cap: false,
    threshold: Text {
        de: "grün: keines; gelb: 1 bis 3; rot: mehr",
        en: "green: none; yellow: 1 to 3; red: more",
    },
    meaning: Text {
        de: "Bei ungenauen Beträgen gehen Cents verloren.", en: "Imprecise amounts lose cents."
    },
    ask: Ask::Agency,
    question: Text {
        de: "Warum ist dieses Feld keine genaue Zahl oder kein echtes Datum?",
        en: "Why is this field not an exact number, or not a real date?",
    },
    advice: Text {
        de: "Beträge und Daten genau speichern lassen",
        en: "Have amounts and dates stored exactly",
    },
    effort: Effort::Medium,
    class: EvidenceClass::Measured,
    probe,
};

fn probe(evidence: &Evidence) -> Answer {
    let mut amounts = 0;
    let mut unfit = Vec::new();
    for table in access::tables(&evidence.project) {
        for field in &table.fields {
            amounts += u64::from(looks::money(field));
            let imprecise = looks::money(field) && field.kind == FieldType::Double;
            if imprecise || looks::date_as_text(field) {
                unfit.push(format!("{}.{} ({})", table.name, field.name, field.kind.sql_name()));
            }
        }
    }
    let n = unfit.len() as u64;
    let state = match n {
        0 => State::Green,
        1..=3 => State::Yellow,
        _ => State::Red,
    };
    answer(
        state,
        n.to_string(),
        both(
            format!(
                "{n} {} ungenau gespeichert.",
                plural(n, "Betrag oder Datum wird", "Beträge oder Daten werden")
            ),
            format!("{n} {} stored imprecisely.", plural(n, "amount or date is", "amounts or dates are")),
        ),
    )
    .because(both(
        format!("Geprüfte Felder mit Beträgen: {amounts}; dazu alle Textfelder."),
        format!("Fields with amounts that were checked: {amounts}; and all text fields."),
    ))
    .because_all(unfit.into_iter().map(plain))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use expect_test::expect;

    use crate::checks::tests::{check, project};
    use crate::evidence::Evidence;

    #[test]
    fn every_state() {
        fn fields(e: &mut Evidence, fields: &str) {
            let text = format!("[fields.id]\ntype = \"uuid\"\nprimary_key = true\n{fields}");
            e.project = project(&[("t", &text)]);
        }
        check(
            "D10",
            &[
                ("exact", |_| {}),
                ("floating money", |e| fields(e, "[fields.unit_price]\ntype = \"double\"\n")),
                ("floating weight is fine", |e| fields(e, "[fields.weight]\ntype = \"double\"\n")),
                ("four", |e| {
                    fields(
                        e,
                        "[fields.price]\ntype = \"double\"\n[fields.total]\ntype = \"double\"\n\
                         [fields.paid_at]\ntype = \"text\"\n[fields.due_date]\ntype = \"text\"\n",
                    );
                }),
            ],
            expect![[r#"
                exact: Green [0]
                    0 Beträge oder Daten werden ungenau gespeichert.
                    0 amounts or dates are stored imprecisely.
                      - Fields with amounts that were checked: 1; and all text fields.
                floating money: Yellow [1]
                    1 Betrag oder Datum wird ungenau gespeichert.
                    1 amount or date is stored imprecisely.
                      - Fields with amounts that were checked: 1; and all text fields.
                      - t.unit_price (double precision)
                floating weight is fine: Green [0]
                    0 Beträge oder Daten werden ungenau gespeichert.
                    0 amounts or dates are stored imprecisely.
                      - Fields with amounts that were checked: 0; and all text fields.
                four: Red [4]
                    4 Beträge oder Daten werden ungenau gespeichert.
                    4 amounts or dates are stored imprecisely.
                      - Fields with amounts that were checked: 2; and all text fields.
                      - t.price (double precision)
                      - t.total (double precision)
                      - t.paid_at (text)
                      - t.due_date (text)
            "#]],
        );
    }
}
