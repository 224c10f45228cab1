//! A project as a whole, and how it is read.

use crate::{Connection, FieldId, Problem, ProjectFiles, Settings, SettingsLayer, Table, TableId};

/// The product's own tables, in the project's schema language: several tables in one text,
/// each under its name as a TOML key (`["auth.users"]`, `["auth.users".fields.id]`).
#[derive(Debug, Clone, Copy)]
pub struct SystemTables {
    /// Where it stands, for problems: `takt-auth/src/tables.toml`.
    pub file: &'static str,
    /// The text.
    pub text: &'static str,
}

/// What a project is.
#[derive(Debug, Clone, Default)]
pub struct Project {
    /// `takt.toml` over the defaults.
    pub settings: Settings,
    /// The product's own first, then the project's by name.
    pub tables: Vec<Table>,
    /// `interfaces/*.toml`, by name.
    pub connections: Vec<Connection>,
    /// SHA-free fingerprint of the schema (FNV-1a 64 over a canonical text of tables, hex): equal for equal schemas.
    pub schema_fingerprint: String,
}

/// A way from one table to another over a foreign key, as embeds and `order by` use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Relation {
    /// The table that has the foreign key.
    pub from: TableId,
    /// The position of the key in its [`Table::foreign_keys`].
    pub key: usize,
}

impl Project {
    /// Reads a project. All problems are reported, not only the first; with an error among them the
    /// project is incomplete and must not be served.
    #[must_use]
    pub fn parse(files: &ProjectFiles, system: &[SystemTables]) -> (Self, Vec<Problem>) {
        Self::parse_with(files, system, &[])
    }

    /// As [`Project::parse`], with layers of settings (environment, then flags) above `takt.toml`.
    #[must_use]
    pub fn parse_with(
        files: &ProjectFiles,
        system: &[SystemTables],
        layers: &[SettingsLayer],
    ) -> (Self, Vec<Problem>) {
        crate::read::project(files, system, layers)
    }

    /// The table named `name`, whatever its exposure.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|t| t.name == name)
    }

    /// The connection named `id`.
    #[must_use]
    pub fn connection(&self, id: &str) -> Option<&Connection> {
        self.connections.iter().find(|c| c.id == id)
    }

    /// The table at `id`.
    ///
    /// # Panics
    /// Never for an id of this project.
    #[must_use]
    pub fn get(&self, id: TableId) -> &Table {
        &self.tables[usize::from(id.0)]
    }

    /// All foreign keys between `a` and `b`, either way; a key of a table to itself appears once.
    pub fn relations(&self, a: TableId, b: TableId) -> impl Iterator<Item = Relation> + '_ {
        let keys = move |from: TableId, to: TableId| {
            self.get(from)
                .foreign_keys
                .iter()
                .enumerate()
                .filter(move |(_, k)| k.target == to)
                .map(move |(key, _)| Relation { from, key })
        };
        keys(a, b).chain(keys(b, a).filter(move |_| a != b))
    }

    /// Finds a field or says which table and name were meant; for the product's own plans.
    #[must_use]
    pub fn field_id(&self, table: &str, field: &str) -> Option<(TableId, FieldId)> {
        let t = self.table(table)?;
        Some((t.id, t.field(field)?.id))
    }
}
