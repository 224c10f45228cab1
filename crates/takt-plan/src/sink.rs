//! How rows travel from a store to whoever wants them: pushed, typed, borrowed.

use std::sync::Arc;

use takt_model::{Value, ValueRef};

use crate::{GuardedChild, OutputColumn};

/// Whether an embed is one row or a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmbedShape {
    /// An object, or null.
    One,
    /// A list.
    Many,
}

/// Takes rows as a store reads them. Calls come well nested: `row_begin`, for each output either `value` or
/// `embed_begin` .. rows .. `embed_end`, then `row_end`.
pub trait RowSink {
    /// A row begins; of the root or of the innermost open embed.
    fn row_begin(&mut self);
    /// A value of the row.
    fn value(&mut self, column: &OutputColumn, value: ValueRef<'_>);
    /// An embed begins.
    fn embed_begin(&mut self, child: &GuardedChild, shape: EmbedShape);
    /// An embed ends; with [`EmbedShape::One`] and no row between, it is null.
    fn embed_end(&mut self, shape: EmbedShape);
    /// The row ends.
    fn row_end(&mut self);
    /// Bytes that the rows so far take in memory, so that a store can stop an answer that grows too large;
    /// 0 for sinks whose owner sees to it.
    fn bytes(&self) -> usize {
        0
    }
}

/// Rows kept in memory, without embeds; for the product's own work and for logic.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rows {
    /// Names of the columns.
    pub columns: Vec<Arc<str>>,
    /// One entry per row, one value per column.
    pub rows: Vec<Vec<Value>>,
}

impl Rows {
    /// The value of `column` in row `row`.
    #[must_use]
    pub fn value(&self, row: usize, column: &str) -> Option<&Value> {
        let at = self.columns.iter().position(|c| **c == *column)?;
        self.rows.get(row)?.get(at)
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// A sink that keeps rows; embeds are ignored.
#[derive(Debug, Default)]
pub struct Buffered {
    rows: Rows,
    current: Vec<Value>,
    depth: usize,
}

impl Buffered {
    /// What came.
    #[must_use]
    pub fn into_rows(self) -> Rows {
        self.rows
    }
}

impl RowSink for Buffered {
    fn row_begin(&mut self) {
        if self.depth == 0 {
            self.current = Vec::with_capacity(self.rows.columns.len());
        }
    }

    fn value(&mut self, column: &OutputColumn, value: ValueRef<'_>) {
        if self.depth == 0 {
            if self.rows.rows.is_empty() {
                self.rows.columns.push(Arc::clone(&column.name));
            }
            self.current.push(value.to_owned());
        }
    }

    fn embed_begin(&mut self, _: &GuardedChild, _: EmbedShape) {
        self.depth += 1;
    }

    fn embed_end(&mut self, _: EmbedShape) {
        self.depth -= 1;
    }

    fn row_end(&mut self) {
        if self.depth == 0 {
            self.rows.rows.push(std::mem::take(&mut self.current));
        }
    }
}
