//! From the schema that a database has to the schema that the project wants.
//! Additive steps are made at start; everything else is refused with its name and awaits `takt apply`.

use takt_model::{Project, TableId};

/// What a database holds, as its store reads it back from its own record of the schema.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoredSchema {
    /// By name.
    pub tables: Vec<StoredTable>,
}

/// A table as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredTable {
    /// Name.
    pub name: String,
    /// In storage order.
    pub columns: Vec<StoredColumn>,
    /// Names of the primary key's columns, in order.
    pub primary_key: Vec<String>,
    /// Ordinary and unique indexes that we made.
    pub indexes: Vec<StoredIndex>,
    /// References.
    pub foreign_keys: Vec<StoredForeignKey>,
}

/// A column as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredColumn {
    /// Name.
    pub name: String,
    /// Canonical name of the type: `text`, `decimal(12,2)`, `enum` (values are ours to check).
    pub kind: String,
    /// Not null.
    pub required: bool,
}

/// An index as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredIndex {
    /// Name.
    pub name: String,
    /// Columns in order.
    pub columns: Vec<String>,
    /// Unique or not.
    pub unique: bool,
}

/// A reference as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredForeignKey {
    /// Column.
    pub column: String,
    /// Table it points to.
    pub target: String,
    /// Column there.
    pub target_column: String,
    /// `restrict`, `cascade`, `set null`.
    pub on_delete: String,
}

/// An additive step; a store knows how to make it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A table with its indexes.
    CreateTable(TableId),
    /// A field that is nullable or has a constant default.
    AddField(TableId, takt_model::FieldId),
    /// An index, by its position in the table.
    CreateIndex(TableId, usize),
    /// An index that the project no longer has; holds no data.
    DropIndex(String),
}

/// A difference that is not made at start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// "table `orders`: field `note` is gone from the project but holds a column in the database"
    pub what: String,
    /// "remove a field" and the like: the step's name.
    pub step: &'static str,
}

/// The way from one to the other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Migration {
    /// Made at start, in this order.
    pub steps: Vec<Step>,
    /// Not made at start; if there is one, nothing is.
    pub refused: Vec<Refused>,
}

impl Migration {
    /// What must happen so that a database with `stored` fits `project`.
    #[must_use]
    pub fn between(stored: &StoredSchema, project: &Project) -> Self {
        let _ = (stored, project);
        todo!("helper: store")
    }
}
