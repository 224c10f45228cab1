//! Reads and writes as somebody wants them, before policies. All ids are of one [`takt_model::Project`].

use takt_model::{Expr, FieldId, TableId, Value};

/// What shall happen.
#[derive(Debug, Clone, PartialEq)]
pub enum Plan {
    /// Rows of a table with embedded rows.
    Read(Read),
    /// New rows, or new-or-changed rows.
    Insert(Insert),
    /// Changed rows.
    Update(Update),
    /// Removed rows.
    Delete(Delete),
}

/// A read.
#[derive(Debug, Clone, PartialEq)]
pub struct Read {
    /// The root and, beneath it, the embeds.
    pub root: Node,
    /// Whether all rows that fit are counted too, without window.
    pub count: bool,
}

/// One table of a read: which rows, which values, in which order.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Of which table.
    pub table: TableId,
    /// What a row shows, in order. Children stand here by their position in `children`.
    pub outputs: Vec<Output>,
    /// Which rows; scope 0 is this node's row.
    pub filter: Option<Expr>,
    /// In which order; ties and no order at all fall back to the primary key.
    pub order: Vec<OrderBy>,
    /// How many, from where; per parent row for embeds.
    pub window: Window,
    /// Embedded tables.
    pub children: Vec<Child>,
}

/// One thing a row shows.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// `*`: the fields that the caller's select policies have in common.
    All,
    /// A field under a name.
    Field {
        /// The key in the reply.
        name: String,
        /// Which field.
        field: FieldId,
    },
    /// The child at this position of [`Node::children`].
    Child(usize),
}

/// An embedded table.
#[derive(Debug, Clone, PartialEq)]
pub struct Child {
    /// The key in the reply.
    pub name: String,
    /// How its rows hang on the parent's row.
    pub link: Link,
    /// What a parent without child rows means.
    pub join: Join,
    /// Its rows.
    pub node: Node,
}

/// How child rows belong to a parent row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// `child.foreign = parent.local`, at most one row: shown as an object or null.
    ToOne {
        /// Field of the parent.
        local: FieldId,
        /// Field of the child.
        foreign: FieldId,
    },
    /// `child.foreign = parent.local`, any number of rows: shown as a list.
    ToMany {
        /// Field of the parent.
        local: FieldId,
        /// Field of the child.
        foreign: FieldId,
    },
    /// `junction.to_parent = parent.local and junction.to_child = child.foreign`: shown as a list.
    Through {
        /// The table between.
        junction: TableId,
        /// Field of the parent.
        local: FieldId,
        /// Field of the junction that points to the parent.
        to_parent: FieldId,
        /// Field of the junction that points to the child.
        to_child: FieldId,
        /// Field of the child.
        foreign: FieldId,
    },
}

/// What a parent without (visible, fitting) child rows means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    /// It is shown, with null or an empty list.
    Left,
    /// It is not shown (`!inner`, `rel=not.is.null`).
    Inner,
    /// Only such parents are shown (`rel=is.null`).
    Anti,
}

/// A sort key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderBy {
    /// Of this node's table.
    pub field: FieldId,
    /// Greatest first.
    pub descending: bool,
    /// Where nulls stand.
    pub nulls: NullsOrder,
}

/// Where nulls stand in an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NullsOrder {
    /// Before all values.
    First,
    /// After all values.
    Last,
}

/// How many rows, from where.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Window {
    /// At most so many; `None` means all (the guard puts `limits.max_rows` in its place at the root).
    pub limit: Option<u64>,
    /// So many are skipped.
    pub offset: u64,
}

/// New rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Insert {
    /// Into which table.
    pub table: TableId,
    /// The fields that are given, in the order of each row's values.
    pub fields: Vec<FieldId>,
    /// One entry per row, one value per field; `None` where this row says nothing.
    pub rows: Vec<Vec<Option<Value>>>,
    /// What `None` means.
    pub missing: Missing,
    /// What happens where such a row exists.
    pub conflict: Option<Conflict>,
    /// What is told of the written rows.
    pub returning: Option<Node>,
}

/// What a field that a row does not mention becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// Null (PostgREST without `missing=default`; only for fields that another row of the bulk mentions).
    Null,
    /// The field's default.
    Default,
}

/// Upsert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The unique key that decides whether a row exists.
    pub fields: Vec<FieldId>,
    /// What happens then.
    pub action: ConflictAction,
}

/// What happens to an existing row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConflictAction {
    /// It takes the given values.
    Merge,
    /// It stays.
    Ignore,
}

/// Changed rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    /// Of which table.
    pub table: TableId,
    /// Which rows; `None` is refused unless `all` is said.
    pub filter: Option<Expr>,
    /// Whether a missing filter means all rows.
    pub all: bool,
    /// New values.
    pub set: Vec<(FieldId, Assignment)>,
    /// What is told of the changed rows.
    pub returning: Option<Node>,
    /// More rows than this refuse the whole (PGRST124).
    pub max_affected: Option<u64>,
}

/// A new value of a field.
#[derive(Debug, Clone, PartialEq)]
pub enum Assignment {
    /// This value.
    Value(Value),
    /// The old one plus this.
    Add(Value),
    /// The old one minus this.
    Subtract(Value),
}

/// Removed rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Delete {
    /// Of which table.
    pub table: TableId,
    /// Which rows; `None` is refused unless `all` is said.
    pub filter: Option<Expr>,
    /// Whether a missing filter means all rows.
    pub all: bool,
    /// What is told of the removed rows, as they were.
    pub returning: Option<Node>,
    /// More rows than this refuse the whole (PGRST124).
    pub max_affected: Option<u64>,
}

impl Node {
    /// All rows and fields of a table.
    #[must_use]
    pub fn all(table: TableId) -> Self {
        Self {
            table,
            outputs: vec![Output::All],
            filter: None,
            order: Vec::new(),
            window: Window::default(),
            children: Vec::new(),
        }
    }

    /// Only the rows that fit.
    #[must_use]
    pub fn filtered(mut self, filter: Expr) -> Self {
        self.filter = Some(match self.filter.take() {
            Some(f) => f.and(filter),
            None => filter,
        });
        self
    }
}

impl Plan {
    /// A read of one table without counting.
    #[must_use]
    pub fn read(root: Node) -> Self {
        Self::Read(Read { root, count: false })
    }

    /// Whether this changes data.
    #[must_use]
    pub fn is_write(&self) -> bool {
        !matches!(self, Self::Read(_))
    }
}
