//! R05: personal data that everybody can read.

use super::{Check, answer, plain};
use crate::{
    access,
    evidence::Evidence,
    looks,
    report::{Answer, Ask, Effort, EvidenceClass, State},
    text::{Text, both, plural},
};

pub(super) const CHECK: Check = Check {
    id: "R05",
    weight: 5,
    cap: true,
    threshold: Text {
        de: "grün: keine; gelb: nur unmarkierte Felder, die persönlich aussehen; rot: persönliche",
        en: "green: none; yellow: only unmarked fields that look personal; red: personal ones",
    },
    meaning: Text {
        de: "Das wäre eine Datenpanne. Sie ist binnen 72 Stunden zu melden.",
        en: "That would be a data breach. It must be reported within 72 hours.",
    },
    ask: Ask::Agency,
    question: Text {
        de: "Warum darf jeder diese persönlichen Daten lesen? Bitte heute schließen.",
        en: "Why may everybody read this personal data? Please close it today.",
    },
    advice: Text {
        de: "Offene persönliche Daten heute schließen lassen",
        en: "Have open personal data closed today",
    },
    effort: Effort::Small,
    class: EvidenceClass::Measured,
    probe,
};

fn probe(evidence: &Evidence) -> Answer {
    let project = &evidence.project;
    let personal = access::tables(project).filter(|t| t.fields.iter().any(|f| f.personal.is_some())).count();
    let open = access::readable_by_everybody(project, |f| f.personal.is_some());
    let suspicious = access::readable_by_everybody(project, |f| {
        f.personal.is_none() && looks::personal_by_name(f).is_some()
    });
    let state = match (open.is_empty(), suspicious.is_empty()) {
        (false, _) => State::Red,
        (true, false) => State::Yellow,
        (true, true) => State::Green,
    };
    let mut tables: Vec<&str> = open.iter().chain(&suspicious).map(|o| o.table.name.as_str()).collect();
    tables.dedup();
    let n = tables.len() as u64;
    answer(
        state,
        n.to_string(),
        both(
            format!(
                "{n} {} mit persönlichen Daten {} für alle lesbar.",
                plural(n, "Liste", "Listen"),
                plural(n, "ist", "sind")
            ),
            format!("{n} {} of personal data can be read by everybody.", plural(n, "list", "lists")),
        ),
    )
    .because(both(
        format!(
            "Geprüfte Listen mit persönlichen Feldern: {personal}, für Besucher und für beliebige Konten."
        ),
        format!(
            "Lists with personal fields that were checked: {personal}, for visitors and for any account."
        ),
    ))
    .because_all(open.iter().chain(&suspicious).map(|o| plain(o.evidence())))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use expect_test::expect;

    use crate::checks::tests::{ORDERS, check, orders_with, project};

    #[test]
    fn the_project_that_takt_new_writes_is_closed() {
        check(
            "R05",
            &[("the guest book of the template", |e| {
                let schema = include_str!("../../../takt/templates/empty/schema/messages.toml");
                e.project = project(&[("messages", schema)]);
            })],
            expect![[r#"
                the guest book of the template: Green [0]
                    0 Listen mit persönlichen Daten sind für alle lesbar.
                    0 lists of personal data can be read by everybody.
                      - Lists with personal fields that were checked: 0, for visitors and for any account.
            "#]],
        );
    }

    #[test]
    fn every_state() {
        check(
            "R05",
            &[
                ("closed", |_| {}),
                ("open to visitors", |e| {
                    e.project = orders_with(
                        "[[policies]]\nname = \"all\"\nto = [\"anon\"]\nallow = [\"select\"]\nusing = \"status = 'shipped'\"\n",
                    );
                }),
                ("open to any account", |e| {
                    e.project = orders_with(
                        "[[policies]]\nname = \"all\"\nto = [\"authenticated\"]\nallow = [\"select\"]\nusing = \"auth.uid() is not null\"\n",
                    );
                }),
                ("open without the personal field", |e| {
                    e.project = orders_with(
                        "[[policies]]\nname = \"all\"\nto = [\"anon\"]\nallow = [\"select\"]\nfields = [\"number\", \"status\"]\nusing = \"true\"\n",
                    );
                }),
                ("open and unmarked", |e| {
                    let text = ORDERS.replace("personal = \"contact\"\n", "");
                    let policy = "[[policies]]\nname = \"all\"\nto = [\"anon\"]\nallow = [\"select\"]\nusing = \"true\"\n";
                    e.project = project(&[("orders", &format!("{text}{policy}"))]);
                }),
            ],
            expect![[r#"
                closed: Green [0]
                    0 Listen mit persönlichen Daten sind für alle lesbar.
                    0 lists of personal data can be read by everybody.
                      - Lists with personal fields that were checked: 1, for visitors and for any account.
                open to visitors: Red [1]
                    1 Liste mit persönlichen Daten ist für alle lesbar.
                    1 list of personal data can be read by everybody.
                      - Lists with personal fields that were checked: 1, for visitors and for any account.
                      - orders.email – "all" (schema/orders.toml:28)
                open to any account: Red [1]
                    1 Liste mit persönlichen Daten ist für alle lesbar.
                    1 list of personal data can be read by everybody.
                      - Lists with personal fields that were checked: 1, for visitors and for any account.
                      - orders.email – "all" (schema/orders.toml:28)
                open without the personal field: Green [0]
                    0 Listen mit persönlichen Daten sind für alle lesbar.
                    0 lists of personal data can be read by everybody.
                      - Lists with personal fields that were checked: 1, for visitors and for any account.
                open and unmarked: Yellow [1]
                    1 Liste mit persönlichen Daten ist für alle lesbar.
                    1 list of personal data can be read by everybody.
                      - Lists with personal fields that were checked: 0, for visitors and for any account.
                      - orders.email – "all" (schema/orders.toml:27)
            "#]],
        );
    }
}
