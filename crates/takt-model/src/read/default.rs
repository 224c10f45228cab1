//! What a field holds when nothing is said: a TOML constant, or one of a few functions.

use toml::de::DeValue;

use super::document::{Section, kind_of};
use super::fieldtype::Refusal;
use super::problems::{Problems, did_you_mean};
use crate::table::NumberPart;
use crate::{DefaultValue, FieldType, NumberTemplate, Value};

/// Functions, and the type each of them fits.
const FUNCTIONS: [&str; 5] = ["uuid_v7()", "uuid_v4()", "now()", "auth.uid()", "next_number(...)"];

pub(crate) fn read(
    kind: Option<&FieldType>,
    max: Option<u32>,
    section: &Section<'_>,
    problems: &mut Problems,
) -> Option<DefaultValue> {
    let written = section.value("default")?;
    // Without a type there is nothing to compare the default with; the type was reported.
    let kind = kind?;
    let read = function(kind, written.value).unwrap_or_else(|| constant(kind, max, written.value));
    read.map_err(|(message, help)| problems.error(&written.source, message, help)).ok()
}

/// `None` when the value is no call of a function.
fn function(kind: &FieldType, value: &DeValue<'_>) -> Option<Result<DefaultValue, Refusal>> {
    let text = value.as_str()?.trim();
    let (name, arguments) = text.strip_suffix(')')?.split_once('(')?;
    let is_name =
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'.');
    if !is_name {
        return None;
    }
    let (made, fits) = match (name, arguments.trim()) {
        ("uuid_v7", "") => (Ok(DefaultValue::UuidV7), FieldType::Uuid),
        ("uuid_v4", "") => (Ok(DefaultValue::UuidV4), FieldType::Uuid),
        ("now", "") => (Ok(DefaultValue::Now), FieldType::Timestamp),
        ("auth.uid", "") => (Ok(DefaultValue::AuthUid), FieldType::Uuid),
        ("next_number", _) => (next_number(arguments), FieldType::Text),
        ("uuid_v7" | "uuid_v4" | "now" | "auth.uid", _) => {
            return Some(Err((format!("`{name}()` takes no arguments"), None)));
        }
        _ => return unknown_function(kind, name),
    };
    if *kind == fits {
        return Some(made);
    }
    let message = format!("default `{name}()` makes a {}, but the field is {}", fits.name(), kind.name());
    Some(Err((message, None)))
}

/// In a text field, an unknown call is a text like any other, unless it looks like a slip.
fn unknown_function(kind: &FieldType, name: &str) -> Option<Result<DefaultValue, Refusal>> {
    let elsewhere = match name {
        "gen_random_uuid" | "uuid_generate_v4" | "uuid" => Some("uuid_v7()"),
        "current_timestamp" | "datetime" => Some("now()"),
        "nextval" | "autoincrement" => Some("next_number(...)"),
        _ => None,
    };
    let known = FUNCTIONS.map(|f| f.split('(').next().unwrap_or(f));
    let help = match elsewhere {
        Some(ours) => Some(format!("did you mean `{ours}`?")),
        None => did_you_mean(name, known).map(|help| help.replace("`?", "(...)`?")),
    };
    if *kind == FieldType::Text && help.is_none() {
        return None;
    }
    let help = help.unwrap_or_else(|| format!("known are `{}`", FUNCTIONS.join("`, `")));
    Some(Err((format!("unknown default function `{name}`"), Some(help))))
}

/// `'orders', 'B-{year}-{n:05}'`
fn next_number(arguments: &str) -> Result<DefaultValue, Refusal> {
    let help = || Some("write `next_number('orders', 'B-{year}-{n:05}')`".to_owned());
    let texts: Vec<&str> = arguments.split('\'').collect();
    let &[before, counter, between, template, after] = texts.as_slice() else {
        return Err(("`next_number` takes the name of a counter and a template".to_owned(), help()));
    };
    if !before.trim().is_empty() || between.trim() != "," || !after.trim().is_empty() || counter.is_empty() {
        return Err(("`next_number` takes the name of a counter and a template".to_owned(), help()));
    }
    let parts = template_parts(template).map_err(|message| (message, help()))?;
    Ok(DefaultValue::NextNumber { counter: counter.to_owned(), template: NumberTemplate(parts) })
}

fn template_parts(template: &str) -> Result<Vec<NumberPart>, String> {
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some((text, after)) = rest.split_once('{') {
        let Some((inner, after)) = after.split_once('}') else {
            return Err(format!("`{{` without `}}` in the template `{template}`"));
        };
        if !text.is_empty() {
            parts.push(NumberPart::Text(text.to_owned()));
        }
        parts.push(placeholder(inner)?);
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(NumberPart::Text(rest.to_owned()));
    }
    match parts.iter().filter(|p| matches!(p, NumberPart::Counter { .. })).count() {
        1 => Ok(parts),
        0 => Err(format!("the template `{template}` has no counter `{{n}}`")),
        _ => Err(format!("the template `{template}` has more than one counter")),
    }
}

fn placeholder(inner: &str) -> Result<NumberPart, String> {
    match inner {
        "year" => return Ok(NumberPart::Year),
        "n" => return Ok(NumberPart::Counter { width: 0 }),
        _ => {}
    }
    let width = inner.strip_prefix("n:0").and_then(|width| width.parse::<usize>().ok());
    match width {
        Some(width) if (1..=18).contains(&width) => Ok(NumberPart::Counter { width }),
        _ => Err(format!("unknown placeholder `{{{inner}}}`")),
    }
}

fn constant(kind: &FieldType, max: Option<u32>, value: &DeValue<'_>) -> Result<DefaultValue, Refusal> {
    let misfit = |reason: String| (format!("the default does not fit type {}: {reason}", kind.name()), None);
    let text = match (kind, value) {
        (FieldType::Json, DeValue::String(text)) => text.to_string(),
        (FieldType::Json, other) => to_json(other).ok_or_else(|| misfit("no JSON".to_owned()))?.to_string(),
        (FieldType::Boolean, DeValue::Boolean(value)) => value.to_string(),
        (FieldType::Integer | FieldType::Bigint | FieldType::Double | FieldType::Decimal { .. }, number) => {
            number_text(number).ok_or_else(|| misfit(format!("it is {}", kind_of(value))))?
        }
        (FieldType::Date | FieldType::Time | FieldType::Timestamp, DeValue::Datetime(moment)) => {
            moment.to_string()
        }
        (FieldType::Boolean, _) => return Err(misfit(format!("it is {}", kind_of(value)))),
        (_, DeValue::String(text)) => text.to_string(),
        _ => return Err(misfit(format!("it is {}", kind_of(value)))),
    };
    let read = kind.parse_text(&text).and_then(|value| exact(kind, value)).map_err(|e| {
        let (message, _) = misfit(e.message);
        let help = match kind {
            FieldType::Enum { values, .. } => did_you_mean(&text, values.iter().map(String::as_str)),
            _ => None,
        };
        (message, help)
    })?;
    let length = match &read {
        Value::Text(text) => text.chars().count(),
        Value::Bytes(bytes) => bytes.len(),
        _ => 0,
    };
    if max.is_some_and(|max| length > usize::try_from(max).unwrap_or(usize::MAX)) {
        return Err(misfit("it is longer than `max`".to_owned()));
    }
    Ok(DefaultValue::Constant(read))
}

/// A default is never rounded behind the writer's back.
fn exact(kind: &FieldType, value: Value) -> Result<Value, crate::ValueError> {
    let stored = kind.coerce(value.clone())?;
    match (&value, &stored) {
        (Value::Decimal(written), Value::Decimal(kept)) if written != kept => Err(crate::ValueError {
            code: "22003",
            message: format!("{written} has too many digits after the point"),
        }),
        _ => Ok(stored),
    }
}

/// A number as text; a TOML float is never turned into a double on its way to a decimal.
fn number_text(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).ok().map(|number| number.to_string())
        }
        DeValue::Float(number) => Some(number.as_str().to_owned()),
        DeValue::String(text) => Some(text.to_string()),
        _ => None,
    }
}

fn to_json(value: &DeValue<'_>) -> Option<serde_json::Value> {
    use serde_json::Value as Json;
    Some(match value {
        DeValue::String(text) => Json::String(text.to_string()),
        DeValue::Boolean(value) => Json::Bool(*value),
        DeValue::Integer(_) | DeValue::Float(_) => serde_json::from_str(&number_text(value)?).ok()?,
        DeValue::Datetime(moment) => Json::String(moment.to_string()),
        DeValue::Array(list) => {
            Json::Array(list.iter().map(|v| to_json(v.get_ref())).collect::<Option<_>>()?)
        }
        DeValue::Table(table) => Json::Object(
            table
                .iter()
                .map(|(key, value)| Some((key.get_ref().to_string(), to_json(value.get_ref())?)))
                .collect::<Option<_>>()?,
        ),
    })
}
