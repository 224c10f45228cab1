//! One field of a table: its keys, in an order that later ones can lean on.

use toml::de::DeValue;

use super::default;
use super::document::{Section, Spotted, text_list};
use super::fieldtype;
use super::names::{self, NameOf};
use super::problems::{Problems, did_you_mean_or_list};
use super::table::{Draft, Expression, Place, Reference, Setting, push_index};
use crate::{Field, FieldId, FieldType, OnDelete, Transitions, Words};

/// Reads the field and adds it to the draft, even when parts of it are wrong: others may refer to it.
pub(crate) fn read(
    name: &str,
    section: &Section<'_>,
    setting: Setting<'_>,
    draft: &mut Draft,
    problems: &mut Problems,
) {
    let source = section.source().clone();
    names::check(NameOf::Field, name, &source, problems);
    let id = FieldId(u16::try_from(draft.table.fields.len()).unwrap_or(u16::MAX));
    let kind = kind(name, section, draft, problems);
    if kind.is_none() {
        draft.doubtful.push(name.to_owned());
    }
    let primary = section.flag("primary_key", problems).is_some_and(|p| p.value);
    let required = section.flag("required", problems);
    let unique = section.flag("unique", problems).is_some_and(|u| u.value);
    let max = max(kind.as_ref(), section, problems);
    let default = default::read(kind.as_ref(), max, section, problems);
    let has_default = section.value("default").is_some();
    if primary && let Some(Spotted { value: false, source }) = &required {
        problems.error(source, "a primary key is always required", None);
    }
    let field = Field {
        id,
        name: name.to_owned(),
        label: section.words("label", setting.languages, problems),
        about: section.words("about", setting.languages, problems),
        required: primary || required.map_or(has_default, |r| r.value),
        default,
        check: None,
        max,
        transitions: transitions(kind.as_ref(), section, problems),
        value_labels: value_labels(kind.as_ref(), section, setting.languages, problems),
        personal: non_empty("personal", section, problems),
        was: section.text("was", problems).map(|was| was.value),
        kind: kind.unwrap_or(FieldType::Text),
        source,
    };
    reference(&field, section, draft, problems);
    if let Some(text) = section.text("check", problems) {
        draft.expressions.push(Expression { place: Place::FieldCheck(id), text });
    }
    draft.table.fields.push(field);
    if primary {
        draft.table.primary_key.push(id);
    }
    if unique {
        push_index(draft, vec![id], true);
    }
}

fn kind(name: &str, section: &Section<'_>, draft: &Draft, problems: &mut Problems) -> Option<FieldType> {
    let written = section.text("type", problems);
    let values = section.texts("values", problems);
    let Some(written) = written else {
        if section.value("type").is_none() {
            problems.error(section.source(), format!("field `{name}` has no type"), None);
        }
        return None;
    };
    let enum_name = names::constraint(&draft.table.name, name, "enum");
    let enum_name = enum_name.strip_suffix("_enum").unwrap_or(&enum_name).to_owned();
    let listed = values.as_ref().map(|v| v.value.clone()).unwrap_or_default();
    let kind = fieldtype::parse(&written.value, || FieldType::Enum { name: enum_name, values: listed });
    let kind = kind.map_err(|(message, help)| problems.error(&written.source, message, help)).ok()?;
    match (&kind, values) {
        (FieldType::Enum { .. }, Some(values)) => check_values(&values, problems),
        (FieldType::Enum { .. }, None) if section.value("values").is_none() => {
            let help = "write `values = [\"...\", \"...\"]`".to_owned();
            problems.error(&written.source, "an enum needs its values", help);
        }
        (_, Some(values)) => {
            problems.error(&values.source, format!("`values` is for enums, not for {}", written.value), None);
        }
        _ => {}
    }
    Some(kind)
}

fn check_values(values: &Spotted<Vec<String>>, problems: &mut Problems) {
    if values.value.is_empty() {
        problems.error(&values.source, "an enum needs at least one value", None);
    }
    for (at, value) in values.value.iter().enumerate() {
        if values.value.get(..at).is_some_and(|earlier| earlier.contains(value)) {
            problems.error(&values.source, format!("value `{value}` is named twice"), None);
        } else if value.is_empty() || value.len() > 63 || value.contains('\0') {
            problems.error(
                &values.source,
                format!("`{value}` is no possible value"),
                "a value has 1 to 63 bytes".to_owned(),
            );
        }
    }
}

fn max(kind: Option<&FieldType>, section: &Section<'_>, problems: &mut Problems) -> Option<u32> {
    let max = section.size("max", problems)?;
    match kind {
        Some(FieldType::Text | FieldType::Bytes) | None => Some(max.value),
        Some(other) => {
            let help = "for others, write a `check`".to_owned();
            problems.error(
                &max.source,
                format!("`max` is for text and bytes, not for {}", other.name()),
                help,
            );
            None
        }
    }
}

fn transitions(
    kind: Option<&FieldType>,
    section: &Section<'_>,
    problems: &mut Problems,
) -> Option<Transitions> {
    section.value("transitions")?;
    let section = section.section("transitions", problems)?;
    let values = match kind {
        Some(FieldType::Enum { values, .. }) => values,
        Some(other) => {
            let message = format!("`transitions` is for enums, not for {}", other.name());
            problems.error(section.source(), message, None);
            return None;
        }
        None => return None,
    };
    let mut list = Vec::new();
    for (from, source, node) in section.entries() {
        let next = next_values(node.get_ref());
        if next.is_none() {
            problems.error(&source, format!("what may follow `{from}` must be a list of values"), None);
        }
        let next = next.unwrap_or_default();
        for value in std::iter::once(from).chain(next.iter().map(String::as_str)) {
            if !values.is_empty() && !values.iter().any(|v| v == value) {
                let help = did_you_mean_or_list(value, values.iter().map(String::as_str));
                problems.error(&source, format!("transition with the unknown value `{value}`"), help);
            }
        }
        list.push((from.to_owned(), next));
    }
    Some(Transitions(list))
}

/// `labels = { pending = { de = "offen", en = "open" } }`: words for values, of enums and of texts that are like them.
fn value_labels(
    kind: Option<&FieldType>,
    section: &Section<'_>,
    languages: &[String],
    problems: &mut Problems,
) -> Vec<(String, Words)> {
    let Some(section) = section.section("labels", problems) else { return Vec::new() };
    let values = match kind {
        Some(FieldType::Enum { values, .. }) => Some(values),
        Some(FieldType::Text) => None,
        Some(other) => {
            let message = format!("`labels` is for values of enums and texts, not for {}", other.name());
            problems.error(section.source(), message, None);
            return Vec::new();
        }
        None => return Vec::new(),
    };
    let mut labels = Vec::new();
    for (value, source, node) in section.entries() {
        if let Some(values) = values.filter(|all| !all.iter().any(|v| v == value)) {
            let help = did_you_mean_or_list(value, values.iter().map(String::as_str));
            problems.error(&source, format!("label for the unknown value `{value}`"), help);
        }
        let words = section.words_of(value, Spotted { value: node.get_ref(), source }, languages, problems);
        labels.push((value.to_owned(), words));
    }
    labels
}

/// A single value may stand without brackets.
fn next_values(value: &DeValue<'_>) -> Option<Vec<String>> {
    value.as_str().map(|one| vec![one.to_owned()]).or_else(|| text_list(value))
}

fn non_empty(key: &'static str, section: &Section<'_>, problems: &mut Problems) -> Option<String> {
    let text = section.text(key, problems)?;
    if text.value.trim().is_empty() {
        problems.error(&text.source, format!("`{key}` is empty"), None);
        return None;
    }
    Some(text.value)
}

fn reference(field: &Field, section: &Section<'_>, draft: &mut Draft, problems: &mut Problems) {
    let target = section.text("references", problems);
    let on_delete = on_delete(section, problems);
    let Some(target) = target else {
        if let Some(on_delete) = on_delete {
            problems.error(&on_delete.source, "`on_delete` without `references`", None);
        }
        return;
    };
    if let Some(Spotted { value: OnDelete::SetNull, source }) = &on_delete
        && field.required
    {
        let help = "write `required = false`, or `on_delete = \"restrict\"` or \"cascade\"".to_owned();
        problems.error(source, format!("field `{}` is required and cannot become null", field.name), help);
    }
    let on_delete = on_delete.map_or(OnDelete::Restrict, |o| o.value);
    draft.references.push(Reference { field: field.id, target, on_delete });
}

fn on_delete(section: &Section<'_>, problems: &mut Problems) -> Option<Spotted<OnDelete>> {
    let written = section.text("on_delete", problems)?;
    let value = match written.value.replace('_', " ").as_str() {
        "restrict" => OnDelete::Restrict,
        "cascade" => OnDelete::Cascade,
        "set null" => OnDelete::SetNull,
        other => {
            let help = did_you_mean_or_list(other, ["restrict", "cascade", "set null"]);
            problems.error(&written.source, format!("unknown `on_delete` value `{other}`"), help);
            return None;
        }
    };
    Some(Spotted { value, source: written.source })
}
