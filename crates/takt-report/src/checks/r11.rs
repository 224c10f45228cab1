//! R11: whether changes of prices, rights and order states can be traced to a name.
//!
//! Changes made by an action stand in its story with the account that called it. A change that a policy lets
//! somebody write straight into a table stands in no story, so such a field makes the answer "in part".

use super::{Check, answer, plain, unseen};
use crate::{
    access,
    evidence::Evidence,
    looks,
    report::{Answer, Ask, Effort, EvidenceClass, State},
    text::{Text, both},
};

pub(super) const CHECK: Check = Check {
    id: "R11",
    weight: 2,
    cap: false,
    threshold: Text {
        de: "grün: alle; gelb: ein Teil; rot: keine",
        en: "green: all; yellow: in part; red: none",
    },
    meaning: Text { de: "Nur so lässt sich belegen, wer es war.", en: "Only this proves who it was." },
    ask: Ask::Agency,
    question: Text {
        de: "Wann werden auch Änderungen von Hand mit Namen festgehalten?",
        en: "When will changes by hand be kept with a name, too?",
    },
    advice: Text {
        de: "Änderungen von Hand als Vorgang mit Namen bauen lassen",
        en: "Have changes by hand built as named processes",
    },
    effort: Effort::Medium,
    class: EvidenceClass::Measured,
    probe,
};

fn probe(evidence: &Evidence) -> Answer {
    let wanted = |f: &_| looks::money(f) || looks::stock(f) || looks::role(f) || looks::state(f);
    let watched: usize =
        access::tables(&evidence.project).map(|t| t.fields.iter().filter(|f| wanted(f)).count()).sum();
    if watched == 0 {
        return answer(
            State::NotApplicable,
            "0",
            both("Es gibt keine Preise, Rechte oder Zustände.", "There are no prices, rights or states."),
        );
    }
    let title = Text {
        de: "Ob Änderungen nachlesbar sind, ist noch nicht bekannt.",
        en: "Whether changes can be traced is not yet known.",
    };
    let actions = match &evidence.parts {
        Ok(parts) => parts.actions.len(),
        Err(why) => return unseen(title, why),
    };
    let direct = access::changeable_directly(&evidence.project, wanted);
    let (state, de, en) = match (direct.len(), actions) {
        (0, _) => (State::Green, "ja", "yes"),
        (n, a) if n < watched || a > 0 => (State::Yellow, "zum Teil", "in part"),
        _ => (State::Red, "nein", "no"),
    };
    answer(
        state,
        en,
        both(
            format!("Änderungen an Preisen und Rechten sind mit Namen nachlesbar: {de}."),
            format!("Changes to prices and rights can be traced to a name: {en}."),
        ),
    )
    .valued(de, en)
    .because(both(
        format!("Was die {actions} Vorgänge ändern, steht mit Konto und Regel in ihren Geschichten."),
        format!("What the {actions} processes change stands in their stories, with account and rule."),
    ))
    .because(both(
        format!("Auch ohne Vorgang änderbar: {} von {watched} Feldern. Davon hält noch kein Protokoll den Namen fest.", direct.len()),
        format!("Also changeable without a process: {} of {watched} fields. No log keeps the name for these yet.", direct.len()),
    ))
    .because_all(direct.iter().map(|o| plain(format!("{} – \"{}\"", o.name(), o.policy.name))))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use expect_test::expect;

    use crate::checks::tests::{check, orders_with};
    use crate::evidence::Parts;

    #[test]
    fn every_state() {
        const STAFF: &str = "[[policies]]\nname = \"staff ships\"\nto = [\"staff\"]\nallow = [\"update\"]\nfields = [\"status\"]\nusing = \"true\"\n";
        check(
            "R11",
            &[
                ("only through actions", |_| {}),
                ("staff also by hand", |e| e.project = orders_with(STAFF)),
                ("only by hand", |e| {
                    e.project = orders_with(&STAFF.replace("fields = [\"status\"]\n", ""));
                    e.parts = Ok(Parts::default());
                }),
            ],
            expect![[r#"
                only through actions: Green [yes]
                    Änderungen an Preisen und Rechten sind mit Namen nachlesbar: ja.
                    Changes to prices and rights can be traced to a name: yes.
                      - What the 1 processes change stands in their stories, with account and rule.
                      - Also changeable without a process: 0 of 2 fields. No log keeps the name for these yet.
                staff also by hand: Yellow [in part]
                    Änderungen an Preisen und Rechten sind mit Namen nachlesbar: zum Teil.
                    Changes to prices and rights can be traced to a name: in part.
                      - What the 1 processes change stands in their stories, with account and rule.
                      - Also changeable without a process: 1 of 2 fields. No log keeps the name for these yet.
                      - orders.status – "staff ships"
                only by hand: Red [no]
                    Änderungen an Preisen und Rechten sind mit Namen nachlesbar: nein.
                    Changes to prices and rights can be traced to a name: no.
                      - What the 0 processes change stands in their stories, with account and rule.
                      - Also changeable without a process: 2 of 2 fields. No log keeps the name for these yet.
                      - orders.status – "staff ships"
                      - orders.total – "staff ships"
            "#]],
        );
    }
}
