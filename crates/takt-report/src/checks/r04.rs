//! R04: whether the customer's device could set a price, a stock or a right.

use super::{Check, answer, plain};
use crate::{
    access,
    evidence::Evidence,
    looks,
    report::{Answer, Ask, Effort, EvidenceClass, State},
    text::{Text, both},
};

pub(super) const CHECK: Check = Check {
    id: "R04",
    weight: 3,
    cap: false,
    threshold: Text {
        de: "grün: Kunden können keines dieser Felder schreiben; rot: mindestens eines",
        en: "green: customers can write none of these fields; red: at least one",
    },
    meaning: Text { de: "Sonst machen Käufer die Preise.", en: "Otherwise buyers set the prices." },
    ask: Ask::Agency,
    question: Text {
        de: "Warum darf das Gerät der Kundin dieses Feld schreiben?",
        en: "Why may the customer's device write this field?",
    },
    advice: Text {
        de: "Preise und Bestand nur vom Server setzen lassen",
        en: "Let only the server set prices and stock",
    },
    effort: Effort::Small,
    class: EvidenceClass::Measured,
    probe,
};

fn probe(evidence: &Evidence) -> Answer {
    let wanted = |f: &_| looks::money(f) || looks::stock(f) || looks::role(f);
    let guarded: usize =
        access::tables(&evidence.project).map(|t| t.fields.iter().filter(|f| wanted(f)).count()).sum();
    let open = access::writable_by_everybody(&evidence.project, wanted);
    let (state, de, en) =
        if open.is_empty() { (State::Green, "ja", "yes") } else { (State::Red, "nein", "no") };
    answer(
        state,
        en,
        both(
            format!("Preise und Bestand bestimmt nur der Server: {de}."),
            format!("Only the server decides prices and stock: {en}."),
        ),
    )
    .valued(de, en)
    .because(both(
        format!("Geprüft: {guarded} Felder für Preise, Bestand und Rechte in allen Zugriffsregeln."),
        format!("Checked: {guarded} fields for prices, stock and rights in all access rules."),
    ))
    .because_all(open.iter().map(|o| plain(o.evidence())))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use expect_test::expect;

    use crate::checks::tests::{check, orders_with};

    #[test]
    fn every_state() {
        check(
            "R04",
            &[
                ("server only", |_| {}),
                ("staff may", |e| {
                    e.project = orders_with(
                        "[[policies]]\nname = \"staff\"\nto = [\"staff\"]\nallow = [\"update\"]\nusing = \"true\"\n",
                    );
                }),
                ("customers may, by leaving out fields", |e| {
                    e.project = orders_with(
                        "[[policies]]\nname = \"own\"\nto = [\"authenticated\"]\nallow = [\"insert\"]\ncheck = \"true\"\n",
                    );
                }),
                ("customers may change other fields", |e| {
                    e.project = orders_with(
                        "[[policies]]\nname = \"own\"\nto = [\"authenticated\"]\nallow = [\"update\"]\nfields = [\"email\"]\nusing = \"true\"\n",
                    );
                }),
                ("one value is left to choose", |e| {
                    e.project = orders_with(
                        "[[policies]]\nname = \"own\"\nto = [\"authenticated\"]\nallow = [\"insert\"]\ncheck = \"total = 0\"\n",
                    );
                }),
            ],
            expect![[r#"
                server only: Green [yes]
                    Preise und Bestand bestimmt nur der Server: ja.
                    Only the server decides prices and stock: yes.
                      - Checked: 1 fields for prices, stock and rights in all access rules.
                staff may: Green [yes]
                    Preise und Bestand bestimmt nur der Server: ja.
                    Only the server decides prices and stock: yes.
                      - Checked: 1 fields for prices, stock and rights in all access rules.
                customers may, by leaving out fields: Red [no]
                    Preise und Bestand bestimmt nur der Server: nein.
                    Only the server decides prices and stock: no.
                      - Checked: 1 fields for prices, stock and rights in all access rules.
                      - orders.total – "own" (schema/orders.toml:28)
                customers may change other fields: Green [yes]
                    Preise und Bestand bestimmt nur der Server: ja.
                    Only the server decides prices and stock: yes.
                      - Checked: 1 fields for prices, stock and rights in all access rules.
                one value is left to choose: Green [yes]
                    Preise und Bestand bestimmt nur der Server: ja.
                    Only the server decides prices and stock: yes.
                      - Checked: 1 fields for prices, stock and rights in all access rules.
            "#]],
        );
    }
}
