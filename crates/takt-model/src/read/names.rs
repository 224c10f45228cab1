//! Which names tables and fields may have, and the names of keys, indexes and checks as PostgreSQL makes them.

use super::problems::Problems;
use crate::Source;

/// PostgreSQL's limit for names, in bytes.
const LONGEST: usize = 63;

/// Words of the data door: `?order=...` cannot be a filter at the same time.
const RESERVED_FIELDS: &[&str] = &[
    "select",
    "order",
    "limit",
    "offset",
    "and",
    "or",
    "not",
    "columns",
    "on_conflict",
    "rowid",
    "oid",
    "_rowid_",
];

/// `/rest/v1/rpc/...` is for functions.
const RESERVED_TABLES: &[&str] = &["rpc"];

const RESERVED_PREFIXES: &[&str] = &["sqlite_", "pg_", "takt_"];

/// What a name is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameOf {
    Table,
    Field,
    Role,
}

/// Reports a name that may not be; `what` is "table name" or the like.
pub(crate) fn check(kind: NameOf, name: &str, source: &Source, problems: &mut Problems) {
    let (what, reserved): (_, &[&str]) = match kind {
        NameOf::Table => ("table name", RESERVED_TABLES),
        NameOf::Field => ("field name", RESERVED_FIELDS),
        NameOf::Role => ("role", &["anon", "authenticated", "service_role", "system"]),
    };
    if let Some(help) = malformed(name) {
        problems.error(source, format!("`{name}` is no possible {what}"), help.to_owned());
        return;
    }
    let folded = name.to_ascii_lowercase();
    let prefix = RESERVED_PREFIXES.iter().find(|p| kind == NameOf::Table && folded.starts_with(**p));
    if reserved.contains(&folded.as_str()) {
        problems.error(
            source,
            format!("`{name}` is reserved and no possible {what}"),
            format!("try `{name}_`"),
        );
    } else if let Some(prefix) = prefix {
        problems.error(source, format!("table names that begin with `{prefix}` are reserved"), None);
    }
}

fn malformed(name: &str) -> Option<&'static str> {
    let first = name.bytes().next();
    if !first.is_some_and(|b| b.is_ascii_alphabetic() || b == b'_') {
        Some("a name begins with a letter or `_`")
    } else if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        Some("a name consists of letters a to z, digits and `_`")
    } else if name.len() > LONGEST {
        Some("a name has at most 63 characters")
    } else {
        None
    }
}

/// `orders` + `customer_id` + `fkey`, shortened as PostgreSQL does: the longer part first.
pub(crate) fn constraint(table: &str, fields: &str, label: &str) -> String {
    let separators = if fields.is_empty() { 1 } else { 2 };
    let room = LONGEST.saturating_sub(label.len() + separators);
    let (mut first, mut second) = (table.len(), fields.len());
    while first + second > room {
        if first > second {
            first -= 1;
        } else {
            second -= 1;
        }
    }
    let first = cut(table, first);
    match cut(fields, second) {
        "" => format!("{first}_{label}"),
        second => format!("{first}_{second}_{label}"),
    }
}

fn cut(text: &str, length: usize) -> &str {
    let end = (0..=length.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    &text[..end]
}

/// `wanted`, or with the first free number behind it.
pub(crate) fn free(wanted: String, taken: &[String]) -> String {
    if !taken.contains(&wanted) {
        return wanted;
    }
    let numbered = |n: usize| {
        let suffix = n.to_string();
        format!("{}{suffix}", cut(&wanted, LONGEST.saturating_sub(suffix.len())))
    };
    (1..).map(numbered).find(|name| !taken.contains(name)).unwrap_or(wanted)
}
