//! `type = "decimal(12,2)"` to a [`FieldType`].

use super::problems::did_you_mean;
use crate::FieldType;

/// Names as they are written in schema files.
const NAMES: &[&str] = &[
    "text",
    "integer",
    "bigint",
    "decimal",
    "double",
    "boolean",
    "date",
    "time",
    "timestamp",
    "uuid",
    "json",
    "bytes",
    "enum",
];

/// What people call our types elsewhere.
const ELSEWHERE: &[(&str, &str)] = &[
    ("string", "text"),
    ("str", "text"),
    ("varchar", "text"),
    ("char", "text"),
    ("citext", "text"),
    ("int", "integer"),
    ("int4", "integer"),
    ("int2", "integer"),
    ("smallint", "integer"),
    ("serial", "integer"),
    ("number", "decimal(12,2)"),
    ("numeric", "decimal(12,2)"),
    ("money", "decimal(12,2)"),
    ("int8", "bigint"),
    ("long", "bigint"),
    ("bigserial", "bigint"),
    ("float", "double"),
    ("real", "double"),
    ("float8", "double"),
    ("bool", "boolean"),
    ("datetime", "timestamp"),
    ("timestamptz", "timestamp"),
    ("jsonb", "json"),
    ("object", "json"),
    ("bytea", "bytes"),
    ("blob", "bytes"),
    ("guid", "uuid"),
    ("select", "enum"),
];

/// What is wrong, and what would be right.
pub(crate) type Refusal = (String, Option<String>);

/// Reads the text of `type`. An enum's values are its field's affair: `enum_of` makes it.
pub(crate) fn parse(text: &str, enum_of: impl FnOnce() -> FieldType) -> Result<FieldType, Refusal> {
    Ok(match text.trim() {
        "text" => FieldType::Text,
        "integer" => FieldType::Integer,
        "bigint" => FieldType::Bigint,
        "double" => FieldType::Double,
        "boolean" => FieldType::Boolean,
        "date" => FieldType::Date,
        "time" => FieldType::Time,
        "timestamp" => FieldType::Timestamp,
        "uuid" => FieldType::Uuid,
        "json" => FieldType::Json,
        "bytes" => FieldType::Bytes,
        "enum" => enum_of(),
        other => match other.strip_prefix("decimal") {
            Some(arguments) if arguments.is_empty() || arguments.trim_start().starts_with('(') => {
                decimal(arguments)?
            }
            _ => return Err(unknown(other)),
        },
    })
}

fn decimal(arguments: &str) -> Result<FieldType, Refusal> {
    let inner = arguments.trim().strip_prefix('(').and_then(|a| a.strip_suffix(')'));
    let parts = inner.and_then(|i| i.split_once(',')).and_then(|(precision, scale)| {
        Some((precision.trim().parse::<u32>().ok()?, scale.trim().parse::<u32>().ok()?))
    });
    let Some((precision, scale)) = parts else {
        let help = "write `decimal(12,2)` for 12 digits, 2 of them after the point".to_owned();
        return Err(("a decimal needs its digits".to_owned(), Some(help)));
    };
    match (u8::try_from(precision), u8::try_from(scale)) {
        (Ok(precision @ 1..=18), Ok(scale)) if scale <= precision => {
            Ok(FieldType::Decimal { precision, scale })
        }
        (Ok(1..=18), _) => {
            Err((format!("a decimal cannot have {scale} of {precision} digits after the point"), None))
        }
        _ => Err((format!("a decimal has 1 to 18 digits, not {precision}"), None)),
    }
}

fn unknown(text: &str) -> Refusal {
    let message = format!("unknown type `{text}`");
    if text.ends_with("[]") || text.starts_with("array") {
        return (message, Some("arrays are not there yet; use `json` or a table of their own".to_owned()));
    }
    let name = text.split('(').next().unwrap_or(text).trim().to_lowercase();
    let elsewhere = ELSEWHERE.iter().find(|(theirs, _)| *theirs == name);
    let help = match elsewhere {
        Some((_, ours)) => Some(format!("did you mean `{ours}`?")),
        None => did_you_mean(&name, NAMES.iter().copied())
            .map(|help| help.replace("`decimal`", "`decimal(12,2)`"))
            .or_else(|| Some(format!("known are `{}`", NAMES.join("`, `")))),
    };
    (message, help)
}
