//! Demonstration data: `seeds/<table>.csv` into a database whose tables are all empty, in one transaction.
//! Lives here: reading CSV, the order of tables, the plans. Not here: what a value means (`takt-model`).

use std::{fs, path::Path};

use takt_engine::{Engine, EngineError, EngineTx};
use takt_model::{Exposure, FieldId, Principal, Project, Table, TableId, Value};
use takt_plan::{Insert, Missing, Node, Plan};

use crate::project_files::{plain_reason, sorted_entries};

/// Rows of one insert.
const ROWS_AT_ONCE: usize = 500;
const SYSTEM: &str = "seeds: load demonstration data";

/// Why seeds were not loaded; nothing was written then.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SeedError {
    /// A file cannot be read.
    #[error("{file} cannot be read: {reason}.")]
    Unreadable {
        /// `seeds/products.csv`
        file: String,
        /// The system's words.
        reason: String,
    },
    /// A cell or line is wrong.
    #[error("{file}:{line}: {reason}.")]
    Wrong {
        /// `seeds/products.csv`
        file: String,
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// A row breaks a rule of the schema.
    #[error("The seeds cannot be loaded: {0}.")]
    Refused(String),
}

impl From<EngineError> for SeedError {
    fn from(error: EngineError) -> Self {
        Self::Refused(error.to_string())
    }
}

/// Rows of one table, ready to be inserted.
struct Batch {
    table: TableId,
    fields: Vec<FieldId>,
    rows: Vec<Vec<Option<Value>>>,
}

/// Loads the seeds if the project's tables are all empty; says how many rows were written.
pub(crate) fn load(engine: &Engine, project_dir: &Path) -> Result<u64, SeedError> {
    let project = engine.project();
    let batches = read(&project, project_dir)?;
    if batches.is_empty() || !all_tables_empty(engine, &project)? {
        return Ok(0);
    }
    engine.transact_blocking(move |tx| write(tx, &batches))
}

fn all_tables_empty(engine: &Engine, project: &Project) -> Result<bool, SeedError> {
    let who = Principal::system(SYSTEM);
    engine.look_up(|tx| {
        for table in project.tables.iter().filter(|t| t.exposure == Exposure::Public) {
            let mut node = Node::all(table.id);
            node.window.limit = Some(1);
            if !tx.rows(&who, Plan::read(node))?.0.is_empty() {
                return Ok(false);
            }
        }
        Ok(true)
    })
}

fn write(tx: &EngineTx, batches: &[Batch]) -> Result<u64, SeedError> {
    let who = Principal::system(SYSTEM);
    let mut written = 0;
    for batch in batches {
        for rows in batch.rows.chunks(ROWS_AT_ONCE) {
            let insert = Insert {
                table: batch.table,
                fields: batch.fields.clone(),
                rows: rows.to_vec(),
                missing: Missing::Default,
                conflict: None,
                returning: None,
            };
            written += tx.rows(&who, Plan::Insert(insert))?.1.affected;
        }
    }
    Ok(written)
}

fn read(project: &Project, project_dir: &Path) -> Result<Vec<Batch>, SeedError> {
    let folder = project_dir.join("seeds");
    let entries = sorted_entries(&folder)
        .map_err(|e| SeedError::Unreadable { file: "seeds".to_owned(), reason: e.to_string() })?;
    let mut batches = Vec::new();
    for path in entries.iter().filter(|p| p.extension().is_some_and(|e| e == "csv")) {
        let name = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        let file = format!("seeds/{name}.csv");
        let text = fs::read_to_string(path)
            .map_err(|e| SeedError::Unreadable { file: file.clone(), reason: plain_reason(&e) })?;
        let table = project
            .table(&name)
            .filter(|t| t.exposure == Exposure::Public)
            .ok_or_else(|| wrong(&file, 1, format!("there is no table `{name}`")))?;
        batches.push(batch(table, &file, &text)?);
    }
    let order = foreign_key_order(project);
    batches.sort_by_key(|b| order.iter().position(|t| *t == b.table));
    Ok(batches)
}

fn wrong(file: &str, line: usize, reason: impl Into<String>) -> SeedError {
    SeedError::Wrong { file: file.to_owned(), line, reason: reason.into() }
}

fn batch(table: &Table, file: &str, text: &str) -> Result<Batch, SeedError> {
    let mut records = csv(text).map_err(|(line, reason)| wrong(file, line, reason))?.into_iter();
    let header = records.next().ok_or_else(|| wrong(file, 1, "the header line is missing"))?;
    let fields = header
        .cells
        .iter()
        .map(|cell| {
            table
                .field(cell.text.trim())
                .ok_or_else(|| wrong(file, 1, format!("`{}` has no field `{}`", table.name, cell.text)))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let mut rows = Vec::new();
    for record in records {
        if record.cells.len() != fields.len() {
            let reason = format!("{} values for {} fields", record.cells.len(), fields.len());
            return Err(wrong(file, record.line, reason));
        }
        let row = fields
            .iter()
            .zip(&record.cells)
            .map(|(field, cell)| {
                if cell.text.is_empty() && !cell.quoted {
                    return Ok(None);
                }
                let value = field.kind.parse_text(&cell.text);
                value.map(Some).map_err(|e| wrong(file, record.line, format!("{}: {e}", field.name)))
            })
            .collect::<Result<_, _>>()?;
        rows.push(row);
    }
    Ok(Batch { table: table.id, fields: fields.iter().map(|f| f.id).collect(), rows })
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

/// A line of a CSV file; quoted cells may hold further lines.
#[derive(Debug, PartialEq, Eq)]
struct Record {
    line: usize,
    cells: Vec<Cell>,
}

/// A cell; without quotes and empty it says nothing, with quotes it is the empty text.
#[derive(Debug, Default, PartialEq, Eq)]
struct Cell {
    text: String,
    quoted: bool,
}

/// Reads CSV as RFC 4180 has it; blank lines are skipped.
fn csv(text: &str) -> Result<Vec<Record>, (usize, &'static str)> {
    let mut chars = text.strip_prefix('\u{feff}').unwrap_or(text).chars().peekable();
    let mut records = Vec::new();
    let mut line = 1;
    while chars.peek().is_some() {
        let mut record = Record { line, cells: Vec::new() };
        loop {
            let cell = csv_cell(&mut chars, &mut line)?;
            record.cells.push(cell);
            match chars.next() {
                Some(',') => {}
                Some('\r') => {
                    chars.next_if_eq(&'\n');
                    line += 1;
                    break;
                }
                Some('\n') => {
                    line += 1;
                    break;
                }
                None => break,
                Some(_) => return Err((line, "there is something behind a closing quote")),
            }
            if record.cells.len() > 1_000 {
                return Err((line, "more than 1000 values in a line"));
            }
        }
        let is_blank = matches!(record.cells.as_slice(), [only] if only.text.is_empty() && !only.quoted);
        if !is_blank {
            records.push(record);
        }
    }
    Ok(records)
}

fn csv_cell(
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
    line: &mut usize,
) -> Result<Cell, (usize, &'static str)> {
    let mut cell = Cell::default();
    if chars.next_if_eq(&'"').is_none() {
        while let Some(c) = chars.next_if(|c| !matches!(c, ',' | '\n' | '\r')) {
            cell.text.push(c);
        }
        return Ok(cell);
    }
    cell.quoted = true;
    let opened = *line;
    loop {
        match chars.next() {
            Some('"') if chars.next_if_eq(&'"').is_some() => cell.text.push('"'),
            Some('"') => return Ok(cell),
            Some(c) => {
                *line += usize::from(c == '\n');
                cell.text.push(c);
            }
            None => return Err((opened, "a quote is opened and never closed")),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn cells(text: &str) -> Vec<Vec<String>> {
        let shown = |c: &Cell| if c.quoted { format!("'{}'", c.text) } else { c.text.clone() };
        csv(text).unwrap().iter().map(|r| r.cells.iter().map(shown).collect()).collect()
    }

    #[test]
    fn csv_is_read_as_rfc_4180_has_it() {
        for (text, expected) in [
            ("", vec![]),
            ("a,b", vec![vec!["a", "b"]]),
            ("a,b\r\n1,2\r\n", vec![vec!["a", "b"], vec!["1", "2"]]),
            ("\u{feff}a\n\n1\n", vec![vec!["a"], vec!["1"]]),
            ("a,,\"\"\n", vec![vec!["a", "", "''"]]),
            ("\"x, \"\"y\"\"\nz\",2", vec![vec!["'x, \"y\"\nz'", "2"]]),
        ] {
            assert_eq!(cells(text), expected, "{text:?}");
        }
    }

    #[test]
    fn broken_csv_is_told_with_its_line() {
        assert_eq!(csv("a\n\"b"), Err((2, "a quote is opened and never closed")));
        assert_eq!(csv("a\n\"b\"c"), Err((2, "there is something behind a closing quote")));
    }

    #[test]
    fn a_record_behind_a_cell_of_several_lines_knows_its_line() {
        let lines: Vec<_> = csv("h\n\"1\n2\"\n3").unwrap().iter().map(|r| r.line).collect();
        assert_eq!(lines, [1, 2, 4]);
    }
}
