//! The header lines of `seeds/*.csv`: each must name a table and its fields.

use super::problems::{Problems, did_you_mean, did_you_mean_or_list};
use crate::{Exposure, ProjectFiles, Source, Table};

/// `doubtful` tables could not be read; their seeds are not judged.
pub(crate) fn check(files: &ProjectFiles, tables: &[Table], doubtful: &[String], problems: &mut Problems) {
    for (path, text) in files.under("seeds", "csv") {
        let name = super::stem(path);
        if doubtful.iter().any(|d| d == name) {
            continue;
        }
        let source = Source { file: path.to_owned(), line: 1 };
        let public = || tables.iter().filter(|t| t.exposure == Exposure::Public);
        match public().find(|t| t.name == name) {
            Some(table) => header(table, text, &source, problems),
            None => {
                let help = did_you_mean(name, public().map(|t| t.name.as_str()));
                problems.error(&source, format!("these seeds are for the unknown table `{name}`"), help);
            }
        }
    }
}

fn header(table: &Table, text: &str, source: &Source, problems: &mut Problems) {
    let columns = first_record(text);
    for (at, column) in columns.iter().enumerate() {
        if table.field(column).is_none() {
            let help = did_you_mean_or_list(column, table.fields.iter().map(|f| f.name.as_str()));
            problems.error(source, format!("table `{}` has no field `{column}`", table.name), help);
        } else if columns.get(..at).is_some_and(|earlier| earlier.contains(column)) {
            problems.error(source, format!("column `{column}` is named twice"), None);
        }
    }
    for field in table.fields.iter().filter(|f| f.required && f.default.is_none()) {
        if !columns.contains(&field.name) {
            let message =
                format!("column `{}` is missing: the field is required and has no default", field.name);
            problems.error(source, message, None);
        }
    }
}

/// The names of the first line; they may stand in double quotes.
fn first_record(text: &str) -> Vec<String> {
    let line = text.strip_prefix('\u{feff}').unwrap_or(text).lines().next().unwrap_or_default();
    line.split(',')
        .map(|name| {
            let name = name.trim();
            let inner = name.strip_prefix('"').and_then(|n| n.strip_suffix('"'));
            inner.map_or_else(|| name.to_owned(), |inner| inner.replace("\"\"", "\""))
        })
        .collect()
}
