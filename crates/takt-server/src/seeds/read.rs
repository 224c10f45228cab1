//! Reads `seeds/*.csv` of a project folder: rows with typed values, and everything that is wrong with them.
//! Lives here: files, cells, the order of tables. Not here: which tables and fields a header names wrongly
//! (`takt-model`, with the schema), rules that only a database judges (`trial.rs`).

use std::{fs, path::Path};

use takt_model::{Exposure, Field, Problem, Project, Severity, Source, Table, TableId, Value};

use super::{
    Batch, Row,
    csv::{Cell, Record, csv},
};
use crate::project_files::{NO_TEXT, as_text, is_hidden, plain_reason, sorted_entries};

/// Of one file so many problems are told, the others are counted: a wrong column would fill the screen.
const TOLD: usize = 100;

/// The rows of the seeds, in an order in which each finds what it points to, and what is wrong with them.
pub(crate) fn read(project: &Project, project_dir: &Path) -> (Vec<Batch>, Vec<Problem>) {
    let mut problems = Vec::new();
    let mut batches = Vec::new();
    // A folder that cannot be listed was told when the project was read.
    for path in sorted_entries(&project_dir.join("seeds")).unwrap_or_default() {
        if is_hidden(&path) || path.extension().is_none_or(|e| e != "csv") {
            continue;
        }
        let name = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        let mut file = SeedFile { name: format!("seeds/{name}.csv"), problems: Vec::new() };
        // An unknown table is told by the header.
        let table = project.table(&name).filter(|t| t.exposure == Exposure::Public);
        match (table, fs::read(&path).map(as_text)) {
            (None, _) => {}
            (Some(table), Ok((text, no_text))) => {
                if let Some(line) = no_text {
                    file.wrong(line, NO_TEXT);
                }
                batches.extend(file.batch(table, &text));
            }
            (_, Err(error)) => file.wrong(1, format!("it cannot be read: {}", plain_reason(&error))),
        }
        problems.extend(file.problems());
    }
    let order = foreign_key_order(project);
    batches.sort_by_key(|b| order.iter().position(|t| *t == b.table));
    (batches, problems)
}

/// What is wrong with a line of seeds.
pub(super) fn problem(file: &str, line: u32, message: impl Into<String>) -> Problem {
    Problem {
        source: Source { file: file.to_owned(), line },
        column: None,
        severity: Severity::Error,
        message: message.into(),
        help: None,
    }
}

/// The problems of one file, at most so many and a line that counts the others.
pub(super) fn shortened(mut problems: Vec<Problem>) -> Vec<Problem> {
    let more = problems.len().saturating_sub(TOLD);
    if let Some(first) = problems.get_mut(TOLD) {
        let rows = if more == 1 { "problem" } else { "problems" };
        first.message = format!("from here on {more} more {rows} in this file");
        problems.truncate(TOLD + 1);
    }
    problems
}

struct SeedFile {
    name: String,
    problems: Vec<Problem>,
}

impl SeedFile {
    fn wrong(&mut self, line: u32, message: impl Into<String>) {
        self.problems.push(problem(&self.name, line, message));
    }

    fn problems(self) -> Vec<Problem> {
        shortened(self.problems)
    }

    /// Nothing if a column is not known: the header's problem is told with the schema.
    fn batch(&mut self, table: &Table, text: &str) -> Option<Batch> {
        let (records, broken) = csv(text);
        let mut records = records.into_iter();
        let header = records.next();
        let columns: Vec<_> =
            header.iter().flat_map(|h| &h.cells).map(|cell| table.field(cell.text.trim())).collect();
        let rows: Vec<_> = records.filter_map(|record| self.row(&columns, &record)).collect();
        if let Some((line, reason)) = broken {
            self.wrong(line, reason);
        }
        let fields = columns.iter().map(|c| c.map(|f| f.id)).collect::<Option<Vec<_>>>()?;
        Some(Batch { file: self.name.clone(), table: table.id, fields, rows })
    }

    fn row(&mut self, columns: &[Option<&Field>], record: &Record) -> Option<Row> {
        if record.cells.len() != columns.len() {
            let values = if record.cells.len() == 1 { "value" } else { "values" };
            let fields = if columns.len() == 1 { "field" } else { "fields" };
            let reason = format!("{} {values} for {} {fields}", record.cells.len(), columns.len());
            self.wrong(record.line, reason);
            return None;
        }
        let mut values = Vec::with_capacity(columns.len());
        for (field, cell) in columns.iter().zip(&record.cells) {
            let Some(field) = field else { continue };
            match value(field, cell) {
                Ok(value) => values.push(value),
                Err(reason) => self.wrong(record.line, format!("{}: {reason}", field.name)),
            }
        }
        (values.len() == columns.len()).then_some(Row { line: record.line, values })
    }
}

/// A cell without quotes and empty says nothing, with quotes it is the empty text.
fn value(field: &Field, cell: &Cell) -> Result<Option<Value>, String> {
    if !cell.text.is_empty() || cell.quoted {
        return field.kind.parse_text(&cell.text).map(Some).map_err(|e| e.to_string());
    }
    if field.required && field.default.is_none() {
        return Err("the field is required and has no default, and nothing stands here".to_owned());
    }
    Ok(None)
}

/// Tables in an order in which every row finds what it points to; tables in a circle keep the project's order.
fn foreign_key_order(project: &Project) -> Vec<TableId> {
    let mut order: Vec<TableId> = Vec::with_capacity(project.tables.len());
    while order.len() < project.tables.len() {
        let waiting = || project.tables.iter().filter(|t| !order.contains(&t.id));
        let is_ready =
            |t: &&Table| t.foreign_keys.iter().all(|k| k.target == t.id || order.contains(&k.target));
        let Some(next) = waiting().find(is_ready).or_else(|| waiting().next()) else { break };
        let next = next.id;
        order.push(next);
    }
    order
}
