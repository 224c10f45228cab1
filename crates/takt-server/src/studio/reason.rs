//! Personal values for a reason: the form that asks for it, and what is said when it is none.

use maud::{Markup, html};

use super::{
    page,
    session::{Fields, Member},
};
use crate::people;

/// The form: why, and a button. What follows is written to the audit, and the form says so.
pub(super) fn form(member: &Member, action: &str) -> Markup {
    html! {
        details.reveal {
            summary { (member.t("Persönliche Werte zeigen …", "Show personal values …")) }
            form method="post" action=(action) {
                (page::token(&member.visitor))
                (field(member))
                button type="submit" { (member.t("Zeigen", "Show them")) }
            }
        }
    }
}

/// The field alone, for forms that do more.
pub(super) fn field(member: &Member) -> Markup {
    html! {
        label for="reason" { (member.t("Grund", "Reason")) }
        p.hint #reason-hint { (member.t(
            "In ein paar Worten, etwa „Rückfrage der Kundin zur Lieferung“. Wer was warum angesehen hat, steht danach im Protokoll.",
            "In a few words, such as \"customer asks about delivery\". Who looked at what and why then stands in the audit.",
        )) }
        input #reason name="reason" required minlength=(people::SHORTEST_REASON) maxlength="500" autocomplete="off" aria-describedby="reason-hint";
    }
}

/// The reason of a form, or what is wrong with it.
pub(super) fn typed(member: &Member, fields: &Fields) -> Result<String, Markup> {
    people::reason(fields.get("reason")).map_err(|no| {
        let (de, en) = no.words();
        page::problem(member.t(de, en))
    })
}

/// Said where personal values are shown.
pub(super) fn shown(member: &Member) -> Markup {
    html! { div.message.note { p { (member.t(
        "Persönliche Werte sind sichtbar. Das ist mit Ihrem Grund im Protokoll vermerkt.",
        "Personal values are visible. That is written to the audit with your reason.",
    )) } } }
}
