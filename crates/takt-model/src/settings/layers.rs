//! Layers of settings and their merging: defaults, then `takt.toml`, then environment, then flags.
//! A layer knows keys and values; what they mean is decided in `take.rs`.

use indexmap::IndexMap;
use toml::de::{DeTable, DeValue};

use super::{Origin, SettingsLayer};
use crate::Source;
use crate::read::{Document, Problems, Spotted, did_you_mean, kind_of, text_list, whole};

/// Tables whose keys the user chooses.
const OPEN: [&str; 2] = ["owner", "roles"];

/// A value before it is known what it should be.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Raw {
    Text(String),
    Whole(i64),
    Flag(bool),
    List(Vec<String>),
    /// Of the environment or a flag: whatever the key wants.
    Untyped(String),
    /// Nothing that a setting can be; what it is.
    Other(String),
}

/// A value with its place and origin.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) raw: Raw,
    pub(super) source: Source,
    pub(super) origin: Origin,
}

/// Dotted keys in the order of the default file.
pub(super) type Entries = IndexMap<String, Entry>;

/// The entries of the default file, which also says which keys there are.
pub(super) fn defaults(text: &str, problems: &mut Problems) -> Entries {
    let mut entries = Entries::new();
    let doc = Document::new("takt.default.toml", text);
    if let Some(table) = doc.parse(text, problems) {
        flatten(&doc, &table, "", Origin::Default, &mut |key, entry| {
            entries.insert(key, entry);
        });
    }
    entries
}

/// Lays `takt.toml` over the defaults.
pub(super) fn lay_file(text: &str, entries: &mut Entries, problems: &mut Problems) {
    let doc = Document::new("takt.toml", text);
    let Some(table) = doc.parse(text, problems) else { return };
    flatten(&doc, &table, "", Origin::Project, &mut |key, entry| {
        let open = OPEN.iter().any(|name| key.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')));
        if open || entries.contains_key(&key) {
            entries.insert(key, entry);
        } else if !is_empty_table(&key, &entry, entries) {
            unknown(&key, &entry.source, entries, problems);
        }
    });
}

/// Lays the environment or the flags over what is there.
pub(super) fn lay(layer: &SettingsLayer, entries: &mut Entries, problems: &mut Problems) {
    let file = match layer.origin {
        Origin::Environment => "environment",
        Origin::Flag => "flags",
        Origin::Project => "takt.toml",
        Origin::Default => "takt.default.toml",
    };
    let source = Source { file: file.to_owned(), line: 1 };
    for (key, text) in &layer.values {
        if entries.contains_key(key) {
            let raw = Raw::Untyped(text.clone());
            entries.insert(key.clone(), Entry { raw, source: source.clone(), origin: layer.origin });
        } else {
            unknown(key, &source, entries, problems);
        }
    }
}

/// `[server]` without anything in it is no mistake.
fn is_empty_table(key: &str, entry: &Entry, entries: &Entries) -> bool {
    let begins = |known: &String| known.strip_prefix(key).is_some_and(|rest| rest.starts_with('.'));
    entry.raw == Raw::Other("a table".to_owned()) && (OPEN.contains(&key) || entries.keys().any(begins))
}

fn unknown(key: &str, source: &Source, entries: &Entries, problems: &mut Problems) {
    let help = did_you_mean(key, entries.keys().map(String::as_str)).or_else(|| {
        // A right name in the wrong table.
        let name = key.rsplit('.').next().unwrap_or(key);
        let same = entries.keys().find(|known| known.rsplit('.').next() == Some(name));
        same.map(|known| format!("did you mean `{known}`?"))
    });
    problems.error(source, format!("unknown setting `{key}`"), help);
}

/// Tables become dotted keys; an empty table stands for itself, so that it can be judged.
fn flatten(
    doc: &Document<'_>,
    table: &DeTable<'_>,
    prefix: &str,
    origin: Origin,
    found: &mut dyn FnMut(String, Entry),
) {
    for (name, value) in table {
        let key = format!("{prefix}{}", name.get_ref());
        let entry = |raw| Entry { raw, source: doc.at(&name.span()), origin };
        match value.get_ref() {
            DeValue::Table(inner) if !inner.is_empty() => {
                flatten(doc, inner, &format!("{key}."), origin, found);
            }
            value => found(key, entry(raw(value))),
        }
    }
}

fn raw(value: &DeValue<'_>) -> Raw {
    match value {
        DeValue::String(text) => Raw::Text(text.to_string()),
        DeValue::Boolean(value) => Raw::Flag(*value),
        DeValue::Integer(_) => {
            whole(value).map_or_else(|| Raw::Other("a number that is too large".to_owned()), Raw::Whole)
        }
        DeValue::Array(_) => {
            text_list(value).map_or_else(|| Raw::Other("a list of other things".to_owned()), Raw::List)
        }
        other => Raw::Other(kind_of(other)),
    }
}

impl From<&Entry> for Spotted<String> {
    fn from(entry: &Entry) -> Self {
        let value = match &entry.raw {
            Raw::Text(text) | Raw::Untyped(text) => text.clone(),
            Raw::Whole(number) => number.to_string(),
            Raw::Flag(value) => value.to_string(),
            Raw::List(list) => list.join(", "),
            Raw::Other(what) => what.clone(),
        };
        Self { value, source: entry.source.clone() }
    }
}
