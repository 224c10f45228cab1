//! One table of a schema file. What needs other tables (references, expressions) is left as a note in the
//! [`Draft`] and done in `link.rs`.

use super::document::{Section, Spotted};
use super::names::{self, NameOf};
use super::problems::{Problems, did_you_mean, did_you_mean_or_list};
use super::{field, policy};
use crate::{Exposure, FieldId, Index, OnDelete, Privacy, Table, TableId};

/// PostgreSQL's limit; SQLite's and MariaDB's are near it.
const MOST_FIELDS: usize = 1600;

/// What reading a table needs to know about the project.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting<'s> {
    pub(crate) languages: &'s [String],
    pub(crate) roles: &'s [String],
    pub(crate) exposure: Exposure,
}

/// A table before it knows its neighbours.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) table: Table,
    pub(crate) references: Vec<Reference>,
    pub(crate) expressions: Vec<Expression>,
    /// Fields that were described wrongly; what follows from that is not reported again.
    pub(crate) doubtful: Vec<String>,
}

/// A `references = "..."` to resolve.
#[derive(Debug)]
pub(crate) struct Reference {
    pub(crate) field: FieldId,
    pub(crate) target: Spotted<String>,
    pub(crate) on_delete: OnDelete,
}

/// An expression to read.
#[derive(Debug)]
pub(crate) struct Expression {
    pub(crate) place: Place,
    pub(crate) text: Spotted<String>,
}

/// Where an expression belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// `check` of a field.
    FieldCheck(FieldId),
    /// `using` of a policy, by its position.
    Using(usize),
    /// `check` of a policy, by its position.
    PolicyCheck(usize),
}

pub(crate) fn read(
    name: &str,
    section: &Section<'_>,
    setting: Setting<'_>,
    problems: &mut Problems,
) -> Draft {
    let source = section.source().clone();
    if setting.exposure == Exposure::Public {
        names::check(NameOf::Table, name, &source, problems);
    }
    let table = Table {
        id: TableId(0),
        name: name.to_owned(),
        label: section.words("label", setting.languages, problems),
        about: section.words("about", setting.languages, problems),
        owner: section.text("owner", problems).map(|owner| owner.value),
        fields: Vec::new(),
        primary_key: Vec::new(),
        indexes: Vec::new(),
        foreign_keys: Vec::new(),
        policies: Vec::new(),
        privacy: None,
        exposure: setting.exposure,
        source,
    };
    let mut draft = Draft { table, references: Vec::new(), expressions: Vec::new(), doubtful: Vec::new() };
    if draft.table.label.is_empty() && setting.exposure == Exposure::Public {
        let help = "say what people call it: `label = { en = \"...\", de = \"...\" }`".to_owned();
        problems.warning(section.source(), format!("table `{name}` has no label"), help);
    }
    fields(section, setting, &mut draft, problems);
    indexes(section, &mut draft, problems);
    policy::read(section, setting, &mut draft, problems);
    draft.table.privacy = privacy(section, problems);
    section.finish(problems);
    draft
}

fn fields(section: &Section<'_>, setting: Setting<'_>, draft: &mut Draft, problems: &mut Problems) {
    let table_source = section.source().clone();
    let Some(list) = section.section("fields", problems) else {
        problems.error(&table_source, format!("table `{}` has no fields", draft.table.name), None);
        return;
    };
    for (name, source, node) in list.entries() {
        if draft.table.fields.iter().any(|f| f.name.eq_ignore_ascii_case(name)) {
            problems.error(&source, format!("the name of field `{name}` is taken"), None);
            continue;
        }
        if draft.table.fields.len() >= MOST_FIELDS {
            problems.error(&source, format!("a table has at most {MOST_FIELDS} fields"), None);
            break;
        }
        let Some(section) = list.child(format!("field `{name}`"), &source, node, problems) else { continue };
        field::read(name, &section, setting, draft, problems);
        section.finish(problems);
    }
    if draft.table.fields.is_empty() {
        problems.error(&table_source, format!("table `{}` has no fields", draft.table.name), None);
    } else if draft.table.primary_key.is_empty() && draft.doubtful.is_empty() {
        let help = "write `primary_key = true` at the field that names a row, usually `id`".to_owned();
        problems.error(&table_source, format!("table `{}` has no primary key", draft.table.name), help);
    }
}

fn indexes(section: &Section<'_>, draft: &mut Draft, problems: &mut Problems) {
    for index in section.sections("indexes", problems) {
        let unique = index.flag("unique", problems).is_some_and(|u| u.value);
        let named = index.texts("fields", problems);
        index.finish(problems);
        let Some(named) = named else {
            problems.error(index.source(), "an index needs its `fields`", None);
            continue;
        };
        let found = field_ids(&named, draft, problems);
        let Some(fields) = found.filter(|f| !f.is_empty()) else {
            if named.value.is_empty() {
                problems.error(&named.source, "an index needs its `fields`", None);
            }
            continue;
        };
        if draft.table.indexes.iter().any(|i| i.fields == fields && (i.unique || !unique)) {
            problems.warning(
                index.source(),
                format!("there is an index over ({}) already", named.value.join(", ")),
                None,
            );
            continue;
        }
        push_index(draft, fields, unique);
    }
}

/// The fields of a list; `None` if one is unknown or named twice, which is reported.
pub(crate) fn field_ids(
    names: &Spotted<Vec<String>>,
    draft: &Draft,
    problems: &mut Problems,
) -> Option<Vec<FieldId>> {
    let mut ids = Vec::new();
    let mut good = true;
    for name in &names.value {
        match draft.table.field(name) {
            Some(field) if ids.contains(&field.id) => {
                problems.error(&names.source, format!("field `{name}` is named twice"), None);
                good = false;
            }
            Some(field) => ids.push(field.id),
            None => {
                good = false;
                if !draft.doubtful.contains(name) {
                    let known = draft.table.fields.iter().map(|f| f.name.as_str());
                    let message = format!("table `{}` has no field `{name}`", draft.table.name);
                    problems.error(&names.source, message, did_you_mean_or_list(name, known));
                }
            }
        }
    }
    good.then_some(ids)
}

/// Adds an index under PostgreSQL's default name; `link.rs` makes the names distinct.
pub(crate) fn push_index(draft: &mut Draft, fields: Vec<FieldId>, unique: bool) {
    let columns: Vec<&str> = fields.iter().map(|id| draft.table.get(*id).name.as_str()).collect();
    let wanted = names::constraint(&draft.table.name, &columns.join("_"), if unique { "key" } else { "idx" });
    draft.table.indexes.push(Index { name: wanted, fields, unique });
}

fn privacy(section: &Section<'_>, problems: &mut Problems) -> Option<Privacy> {
    let section = section.section("privacy", problems)?;
    let purpose = section.text("purpose", problems).map(|p| p.value);
    let keep = section.text("keep", problems);
    section.finish(problems);
    if let Some(keep) = &keep {
        check_period(keep, problems);
    }
    Some(Privacy { purpose, keep: keep.map(|k| k.value) })
}

/// `10 years`, or in words: "until the account is deleted". A number with a wrong unit is a slip.
fn check_period(keep: &Spotted<String>, problems: &mut Problems) {
    const UNITS: [&str; 10] =
        ["hour", "hours", "day", "days", "week", "weeks", "month", "months", "year", "years"];
    let words: Vec<&str> = keep.value.split_whitespace().collect();
    let number = words.first().is_some_and(|first| first.bytes().all(|b| b.is_ascii_digit()));
    let slip = match words.as_slice() {
        [] => true,
        [_] => number,
        [_, unit] => number && !UNITS.contains(unit),
        _ => false,
    };
    if slip {
        let help = did_you_mean(words.get(1).unwrap_or(&""), UNITS)
            .unwrap_or_else(|| "write a number and a unit, or words: `10 years`".to_owned());
        problems.error(&keep.source, format!("`{}` is no period", keep.value), help);
    }
}
