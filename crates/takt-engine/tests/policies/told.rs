//! What comes back: rows as trees, refusals, what a write did. The same shapes from the engine and from the reference.

use std::collections::BTreeSet;

use takt_engine::{EngineError, Outcome, StoreError};
use takt_model::{Value, ValueRef};
use takt_plan::{EmbedShape, GuardedChild, OutputColumn, PlanError, RowSink};

use crate::world::{Data, Row};

/// A row as it is told: names and what stands under them.
pub(crate) type Tree = Vec<(String, Cell)>;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    Value(Value),
    One(Option<Tree>),
    Many(Vec<Tree>),
}

/// Why something was refused; PostgreSQL's codes where there is one. Tables and fields by name, messages left aside.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Refusal {
    Denied(String),
    UnknownField(String),
    FieldDenied(String),
    NoFilter,
    Code(String),
}

impl Refusal {
    pub(crate) fn code(code: &str) -> Self {
        Self::Code(code.to_owned())
    }

    /// What an error of the engine says; anything but a refusal is a defect.
    pub(crate) fn of(error: &EngineError) -> Result<Self, String> {
        match error {
            EngineError::Plan(PlanError::Denied { table }) => Ok(Self::Denied(table.clone())),
            EngineError::Plan(PlanError::UnknownField { table, .. }) => Ok(Self::UnknownField(table.clone())),
            EngineError::Plan(PlanError::FieldDenied { table, .. }) => Ok(Self::FieldDenied(table.clone())),
            EngineError::Plan(PlanError::NoFilter { .. }) => Ok(Self::NoFilter),
            EngineError::Store(StoreError::Refused { code, .. }) => Ok(Self::code(code)),
            EngineError::Store(StoreError::Transition(_)) => Ok(Self::code("23514")),
            other => Err(format!("no refusal but a failure: {other:?}")),
        }
    }
}

/// What a plan did.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Done {
    pub(crate) rows: Vec<Tree>,
    /// Rows pushed, rows written, of these new ones.
    pub(crate) returned: u64,
    pub(crate) affected: u64,
    pub(crate) inserted: u64,
    pub(crate) count: Option<u64>,
    /// The tables afterwards, rows by primary key; `None` for reads.
    pub(crate) after: Option<Data>,
}

impl Done {
    pub(crate) fn of(rows: Vec<Tree>, outcome: &Outcome) -> Self {
        let Outcome { returned, affected, inserted, count, .. } = *outcome;
        Self { rows, returned, affected, inserted, count, after: None }
    }
}

/// What the reference expects: one of some refusals, or success, or (where nothing settles which) either.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Expected {
    pub(crate) refusals: BTreeSet<Refusal>,
    pub(crate) done: Option<Done>,
}

impl Expected {
    pub(crate) fn refused(refusals: BTreeSet<Refusal>) -> Self {
        Self { refusals, done: None }
    }

    pub(crate) fn code(code: &str) -> Self {
        Self::refused(BTreeSet::from([Refusal::code(code)]))
    }

    pub(crate) fn done(done: Done) -> Self {
        Self { refusals: BTreeSet::new(), done: Some(done) }
    }

    /// Where `found` is something else; `before` are the tables as they were.
    pub(crate) fn difference(&self, found: &Result<Done, Refusal>, before: &Data) -> Option<String> {
        let fits = match found {
            Ok(done) => self.done.as_ref() == Some(done),
            Err(refusal) => self.refusals.contains(refusal),
        };
        if fits {
            return None;
        }
        let expected = self.done.as_ref().map(|done| done.text(before));
        let found = found.as_ref().map(|done| done.text(before));
        let found = found.unwrap_or_else(|refusal| format!("{refusal:?}"));
        Some(format!(
            "expected: {:?}\n{}\nfound:\n{found}",
            self.refusals,
            expected.unwrap_or_else(|| "  nothing else".to_owned())
        ))
    }
}

impl Done {
    fn text(&self, before: &Data) -> String {
        let Self { rows, returned, affected, inserted, count, after } = self;
        let mut out =
            format!("  returned {returned}, affected {affected}, inserted {inserted}, count {count:?}\n");
        rows.iter().for_each(|row| out.push_str(&format!("  {}\n", tree_text(row))));
        for (table, (now, was)) in after.iter().flat_map(|data| data.0.iter().zip(&before.0)).enumerate() {
            if now != was {
                out.push_str(&format!("  table {table} afterwards:\n"));
                now.iter().for_each(|row| out.push_str(&format!("    {}\n", row_text(row))));
            }
        }
        out
    }
}

/// A row on one line.
pub(crate) fn row_text(row: &Row) -> String {
    let text = |v: &Value| if v.is_null() { "null".to_owned() } else { v.as_ref().to_text() };
    row.iter().map(text).collect::<Vec<_>>().join(" | ")
}

fn tree_text(tree: &Tree) -> String {
    let cell = |cell: &Cell| match cell {
        Cell::Value(value) => row_text(&vec![value.clone()]),
        Cell::One(row) => row.as_ref().map_or_else(|| "null".to_owned(), tree_text),
        Cell::Many(rows) => format!("[{}]", rows.iter().map(tree_text).collect::<Vec<_>>().join(", ")),
    };
    let cells: Vec<String> = tree.iter().map(|(name, c)| format!("{name}: {}", cell(c))).collect();
    format!("{{{}}}", cells.join(", "))
}

/// A sink that keeps the trees and sees to it that the calls are well nested.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trees {
    rows: Vec<Tree>,
    /// Open rows and embeds, outermost first.
    open: Vec<Open>,
}

#[derive(Debug, Clone)]
enum Open {
    Row(Tree),
    Embed(String, Vec<Tree>),
}

impl Trees {
    pub(crate) fn into_rows(self) -> Vec<Tree> {
        assert!(self.open.is_empty(), "a row or an embed was left open");
        self.rows
    }

    fn row(&mut self) -> &mut Tree {
        match self.open.last_mut() {
            Some(Open::Row(row)) => row,
            other => panic!("a value outside of a row: {other:?}"),
        }
    }
}

impl RowSink for Trees {
    fn row_begin(&mut self) {
        assert!(!matches!(self.open.last(), Some(Open::Row(_))), "a row inside a row");
        self.open.push(Open::Row(Tree::new()));
    }

    fn value(&mut self, column: &OutputColumn, value: ValueRef<'_>) {
        let value = Cell::Value(value.to_owned());
        self.row().push((column.name.to_string(), value));
    }

    fn embed_begin(&mut self, child: &GuardedChild, _: EmbedShape) {
        self.row();
        self.open.push(Open::Embed(child.name.clone(), Vec::new()));
    }

    fn embed_end(&mut self, shape: EmbedShape) {
        let Some(Open::Embed(name, mut rows)) = self.open.pop() else { panic!("no embed to end") };
        let cell = match shape {
            EmbedShape::Many => Cell::Many(rows),
            EmbedShape::One => {
                assert!(rows.len() < 2, "one row at most");
                Cell::One(rows.pop())
            }
        };
        self.row().push((name, cell));
    }

    fn row_end(&mut self) {
        let Some(Open::Row(row)) = self.open.pop() else { panic!("no row to end") };
        match self.open.last_mut() {
            None => self.rows.push(row),
            Some(Open::Embed(_, rows)) => rows.push(row),
            Some(Open::Row(_)) => panic!("a row inside a row"),
        }
    }
}
