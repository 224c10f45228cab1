//! `[[policies]]`: who may do what to which rows and fields. The expressions are read in `link.rs`.

use super::document::{Section, Spotted};
use super::problems::{Problems, did_you_mean_or_list};
use super::table::{Draft, Expression, Place, Setting, field_ids};
use crate::{Expr, Policy, Verb};

const VERBS: [(&str, Verb); 4] =
    [("select", Verb::Select), ("insert", Verb::Insert), ("update", Verb::Update), ("delete", Verb::Delete)];

pub(crate) fn read(section: &Section<'_>, setting: Setting<'_>, draft: &mut Draft, problems: &mut Problems) {
    for policy in section.sections("policies", problems) {
        one(&policy, setting, draft, problems);
        policy.finish(problems);
    }
}

fn one(section: &Section<'_>, setting: Setting<'_>, draft: &mut Draft, problems: &mut Problems) {
    let name = name(section, draft, problems);
    let to = roles(section, setting, problems);
    let allow = verbs(section, problems);
    let fields = section.texts("fields", problems);
    let using = section.text("using", problems);
    let check = section.text("check", problems);
    // With unknown verbs, what fits them is anybody's guess; they were reported.
    if let Some(allow) = &allow {
        check_using(section, allow, using.as_ref(), problems);
        check_the_rest(allow, fields.as_ref(), check.as_ref(), problems);
    }
    // What is written but cannot be read narrows to nothing; it is reported anyway.
    let fields = match fields {
        Some(named) => Some(field_ids(&named, draft, problems).unwrap_or_default()),
        None => section.value("fields").map(|_| Vec::new()),
    };
    let at = draft.table.policies.len();
    let mut note = |place, text: &Option<Spotted<String>>| {
        if let Some(text) = text {
            draft.expressions.push(Expression { place, text: text.clone() });
        }
    };
    note(Place::Using(at), &using);
    note(Place::PolicyCheck(at), &check);
    draft.table.policies.push(Policy {
        name,
        to,
        fields,
        // "All rows" must be written; until `link.rs` has read what is there, or when nothing is, it is none.
        using: (allow.as_deref() != Some(&[Verb::Insert])).then(Expr::no),
        check: section.value("check").map(|_| Expr::no()),
        allow: allow.unwrap_or_default(),
        using_text: using.map(|u| u.value),
        check_text: check.map(|c| c.value),
        source: section.source().clone(),
    });
}

fn name(section: &Section<'_>, draft: &Draft, problems: &mut Problems) -> String {
    match section.text("name", problems) {
        Some(name) if name.value.trim().is_empty() => {
            problems.error(&name.source, "a policy needs a name", None);
            name.value
        }
        Some(name) => {
            if draft.table.policies.iter().any(|p| p.name == name.value) {
                problems.error(&name.source, format!("there is a policy \"{}\" already", name.value), None);
            }
            name.value
        }
        None => {
            if section.value("name").is_none() {
                let help = "say what it is for: `name = \"customers read their own orders\"`".to_owned();
                problems.error(section.source(), "a policy needs a name", help);
            }
            String::new()
        }
    }
}

fn roles(section: &Section<'_>, setting: Setting<'_>, problems: &mut Problems) -> Vec<String> {
    let Some(to) = section.texts("to", problems) else {
        if section.value("to").is_none() {
            problems.error(section.source(), "a policy needs `to`: for which roles it is", None);
        }
        return Vec::new();
    };
    if to.value.is_empty() {
        problems.error(&to.source, "`to` names no role", None);
    }
    let known = || ["anon", "authenticated"].into_iter().chain(setting.roles.iter().map(String::as_str));
    for role in &to.value {
        if role == "service_role" {
            problems.error(&to.source, "`service_role` needs no policy: none applies to it", None);
        } else if !known().any(|k| k == role) {
            let names: Vec<&str> = known().collect();
            let help = match did_you_mean_or_list(role, names) {
                Some(help) if help.starts_with("known") => {
                    Some(format!("{help}; the project's own stand in takt.toml: `roles = [\"{role}\"]`"))
                }
                other => other,
            };
            problems.error(&to.source, format!("unknown role `{role}`"), help);
        }
    }
    to.value
}

fn verbs(section: &Section<'_>, problems: &mut Problems) -> Option<Vec<Verb>> {
    let Some(written) = section.texts("allow", problems) else {
        if section.value("allow").is_none() {
            let help = "write `allow = [\"select\"]`".to_owned();
            problems.error(section.source(), "a policy needs `allow`: what may be done", help);
        }
        return None;
    };
    let mut verbs = Vec::new();
    let mut good = !written.value.is_empty();
    if written.value.is_empty() {
        problems.error(&written.source, "`allow` names no verb", None);
    }
    for name in &written.value {
        match VERBS.iter().find(|(known, _)| known == name) {
            Some((_, verb)) if !verbs.contains(verb) => verbs.push(*verb),
            Some(_) => problems.error(&written.source, format!("verb `{name}` is named twice"), None),
            None => {
                good = false;
                let help = did_you_mean_or_list(name, VERBS.map(|(known, _)| known));
                problems.error(&written.source, format!("unknown verb `{name}`"), help);
            }
        }
    }
    good.then_some(verbs)
}

fn check_using(
    section: &Section<'_>,
    allow: &[Verb],
    using: Option<&Spotted<String>>,
    problems: &mut Problems,
) {
    let existing = allow.iter().any(|v| matches!(v, Verb::Select | Verb::Update | Verb::Delete));
    match using {
        None if existing && section.value("using").is_none() => {
            let help = "for all rows write `using = \"true\"`".to_owned();
            problems.error(section.source(), "this policy does not say which rows: `using` is missing", help);
        }
        Some(using) if !existing => {
            let help = "for new rows write `check`".to_owned();
            problems.error(
                &using.source,
                "`using` is about existing rows; this policy allows insert only",
                help,
            );
        }
        _ => {}
    }
}

fn check_the_rest(
    allow: &[Verb],
    fields: Option<&Spotted<Vec<String>>>,
    check: Option<&Spotted<String>>,
    problems: &mut Problems,
) {
    if let Some(check) = check
        && !allow.iter().any(|v| matches!(v, Verb::Insert | Verb::Update))
    {
        let help = "for existing rows write `using`".to_owned();
        let message = "`check` is about new rows; this policy allows no insert or update";
        problems.error(&check.source, message, help);
    }
    if let Some(fields) = fields
        && allow == [Verb::Delete]
    {
        problems.error(&fields.source, "`fields` cannot apply: a row is deleted as a whole", None);
    }
}
