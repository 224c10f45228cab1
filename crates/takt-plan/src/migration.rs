//! From the schema that a database has to the schema that the project wants.
//! Additive steps are made at start; everything else is refused with its name and awaits `takt apply`.

use takt_model::{DefaultValue, Field, FieldId, ForeignKey, OnDelete, Project, Table, TableId};

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

impl StoredSchema {
    /// What a database that fits `project` holds.
    #[must_use]
    pub fn of(project: &Project) -> Self {
        let mut tables: Vec<StoredTable> = project.tables.iter().map(|t| stored_table(project, t)).collect();
        tables.sort_by(|a, b| a.name.cmp(&b.name));
        Self { tables }
    }
}

fn stored_table(project: &Project, table: &Table) -> StoredTable {
    let name = |id: &FieldId| table.get(*id).name.clone();
    StoredTable {
        name: table.name.clone(),
        columns: table
            .fields
            .iter()
            .map(|f| StoredColumn { name: f.name.clone(), kind: f.kind.name(), required: f.required })
            .collect(),
        primary_key: table.primary_key.iter().map(name).collect(),
        indexes: table
            .indexes
            .iter()
            .map(|i| StoredIndex {
                name: i.name.clone(),
                columns: i.fields.iter().map(name).collect(),
                unique: i.unique,
            })
            .collect(),
        foreign_keys: table.foreign_keys.iter().map(|k| stored_key(project, table, k)).collect(),
    }
}

fn stored_key(project: &Project, table: &Table, key: &ForeignKey) -> StoredForeignKey {
    let target = project.get(key.target);
    StoredForeignKey {
        column: table.get(key.field).name.clone(),
        target: target.name.clone(),
        target_column: target.get(key.target_field).name.clone(),
        on_delete: match key.on_delete {
            OnDelete::Restrict => "restrict",
            OnDelete::Cascade => "cascade",
            OnDelete::SetNull => "set null",
        }
        .to_owned(),
    }
}

impl Migration {
    /// What must happen so that a database with `stored` fits `project`.
    #[must_use]
    pub fn between(stored: &StoredSchema, project: &Project) -> Self {
        let mut made = Self::default();
        for table in &project.tables {
            let wanted = stored_table(project, table);
            match stored.tables.iter().find(|t| t.name == table.name) {
                None => made.steps.push(Step::CreateTable(table.id)),
                Some(held) => made.table(held, &wanted, table),
            }
        }
        for gone in stored.tables.iter().filter(|t| project.table(&t.name).is_none()) {
            made.refuse(
                "remove a table",
                format!("table `{}` is gone from the project but exists in the database", gone.name),
            );
        }
        // Tables first, then fields; an index goes before its successor of the same name comes.
        made.steps.sort_by_key(|step| match step {
            Step::CreateTable(_) => 0,
            Step::AddField(..) => 1,
            Step::DropIndex(_) => 2,
            Step::CreateIndex(..) => 3,
        });
        made
    }

    /// Whether nothing has to be done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.refused.is_empty()
    }

    fn refuse(&mut self, step: &'static str, what: String) {
        self.refused.push(Refused { what: format!("{what}; {step}: awaits `takt apply`"), step });
    }

    fn table(&mut self, held: &StoredTable, wanted: &StoredTable, table: &Table) {
        if held.primary_key != wanted.primary_key {
            self.refuse(
                "change the primary key",
                format!(
                    "table `{}`: the primary key is ({}) in the database and ({}) in the project",
                    table.name,
                    held.primary_key.join(", "),
                    wanted.primary_key.join(", ")
                ),
            );
        }
        for field in &table.fields {
            match held.columns.iter().find(|c| c.name == field.name) {
                None => self.new_field(held, wanted, table, field),
                Some(column) => self.field(column, table, field),
            }
        }
        let renamed = |name: &str| {
            table
                .fields
                .iter()
                .any(|f| f.was.as_deref() == Some(name) && !held.columns.iter().any(|c| c.name == f.name))
        };
        for gone in held.columns.iter().filter(|c| table.field(&c.name).is_none() && !renamed(&c.name)) {
            self.refuse(
                "remove a field",
                format!(
                    "table `{}`: field `{}` is gone from the project but holds a column in the database",
                    table.name, gone.name
                ),
            );
        }
        self.references(held, wanted);
        self.indexes(held, wanted, table);
    }

    fn new_field(&mut self, held: &StoredTable, wanted: &StoredTable, table: &Table, field: &Field) {
        if let Some(was) = field.was.as_deref().filter(|was| held.columns.iter().any(|c| c.name == *was)) {
            self.refuse(
                "rename a field",
                format!("table `{}`: field `{was}` is called `{}` now", table.name, field.name),
            );
            return;
        }
        let constant = matches!(&field.default, Some(DefaultValue::Constant(v)) if !v.is_null());
        let refers = wanted.foreign_keys.iter().any(|k| k.column == field.name);
        if field.required && !constant {
            self.refuse(
                "add a required field",
                format!(
                    "table `{}`: field `{}` is new and required, but has no constant default for the rows that exist",
                    table.name, field.name
                ),
            );
        } else if refers && constant {
            self.refuse(
                "add a field with a reference and a default",
                format!(
                    "table `{}`: field `{}` is new, refers to a table and has a default",
                    table.name, field.name
                ),
            );
        } else {
            self.steps.push(Step::AddField(table.id, field.id));
        }
    }

    fn field(&mut self, column: &StoredColumn, table: &Table, field: &Field) {
        let kind = field.kind.name();
        if column.kind != kind {
            self.refuse(
                "change a type",
                format!(
                    "table `{}`: field `{}` is of type {} in the database and {kind} in the project",
                    table.name, field.name, column.kind
                ),
            );
        }
        match (column.required, field.required) {
            (true, false) => self.refuse(
                "allow empty values",
                format!(
                    "table `{}`: field `{}` may be empty in the project, but not in the database",
                    table.name, field.name
                ),
            ),
            (false, true) => self.refuse(
                "require a value",
                format!(
                    "table `{}`: field `{}` may be empty in the database, but not in the project",
                    table.name, field.name
                ),
            ),
            _ => {}
        }
    }

    /// References are part of a table; those of new fields come with the field.
    fn references(&mut self, held: &StoredTable, wanted: &StoredTable) {
        let exists = |column: &str| held.columns.iter().any(|c| c.name == column);
        for key in wanted.foreign_keys.iter().filter(|k| exists(&k.column) && !held.foreign_keys.contains(k))
        {
            let same = held.foreign_keys.iter().any(|k| k.column == key.column && k.target == key.target);
            let step = if same { "change a reference" } else { "add a reference" };
            self.refuse(
                step,
                format!(
                    "table `{}`: field `{}` refers to `{}.{}` ({}) in the project, but not so in the database",
                    wanted.name, key.column, key.target, key.target_column, key.on_delete
                ),
            );
        }
        let replaced = |column: &str| wanted.foreign_keys.iter().any(|k| k.column == column);
        let kept = |column: &str| wanted.columns.iter().any(|c| c.name == column);
        for key in held.foreign_keys.iter().filter(|k| kept(&k.column) && !replaced(&k.column)) {
            self.refuse(
                "remove a reference",
                format!(
                    "table `{}`: field `{}` refers to `{}` in the database, but not in the project",
                    wanted.name, key.column, key.target
                ),
            );
        }
    }

    fn indexes(&mut self, held: &StoredTable, wanted: &StoredTable, table: &Table) {
        for (at, index) in wanted.indexes.iter().enumerate() {
            if !held.indexes.contains(index) {
                self.steps.push(Step::CreateIndex(table.id, at));
            }
        }
        for index in held.indexes.iter().filter(|i| !wanted.indexes.contains(i)) {
            self.steps.push(Step::DropIndex(index.name.clone()));
        }
    }
}

#[cfg(test)]
mod tests;
