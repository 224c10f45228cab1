//! The text of tables and indexes. Constraints here are the database's: keys, references, not null.
//! Checks, enum values and lengths are enforced by us in every write and need no rebuild when they change.

use takt_model::{DefaultValue, Field, ForeignKey, Index, OnDelete, Project, Table};

use crate::sqlite::{
    ident::Ident,
    types::{Bind, column_type, encode},
};

/// `CREATE TABLE ... STRICT`
pub(super) fn create_table(project: &Project, table: &Table) -> String {
    let mut text = String::from("CREATE TABLE ");
    Ident(&table.name).push_to(&mut text);
    text.push_str(" (");
    for field in &table.fields {
        column(&mut text, field);
        text.push_str(", ");
    }
    text.push_str("PRIMARY KEY ");
    names(&mut text, table.primary_key.iter().map(|id| table.get(*id).name.as_str()));
    for reference in &table.foreign_keys {
        text.push_str(", FOREIGN KEY ");
        names(&mut text, std::iter::once(table.get(reference.field).name.as_str()));
        references(&mut text, project, reference);
    }
    text.push_str(") STRICT");
    text
}

fn column(text: &mut String, field: &Field) {
    Ident(&field.name).push_to(text);
    text.push(' ');
    text.push_str(column_type(&field.kind));
    if field.required {
        text.push_str(" NOT NULL");
    }
}

fn references(text: &mut String, project: &Project, reference: &ForeignKey) {
    let target = project.get(reference.target);
    text.push_str(" REFERENCES ");
    Ident(&target.name).push_to(text);
    text.push(' ');
    names(text, std::iter::once(target.get(reference.target_field).name.as_str()));
    text.push_str(match reference.on_delete {
        OnDelete::Restrict => " ON DELETE RESTRICT",
        OnDelete::Cascade => " ON DELETE CASCADE",
        OnDelete::SetNull => " ON DELETE SET NULL",
    });
}

fn names<'n>(text: &mut String, names: impl Iterator<Item = &'n str>) {
    text.push('(');
    for (at, name) in names.enumerate() {
        if at > 0 {
            text.push_str(", ");
        }
        Ident(name).push_to(text);
    }
    text.push(')');
}

/// `CREATE [UNIQUE] INDEX`
pub(super) fn create_index(table: &Table, index: &Index) -> String {
    let mut text = String::from(if index.unique { "CREATE UNIQUE INDEX " } else { "CREATE INDEX " });
    Ident(&index.name).push_to(&mut text);
    text.push_str(" ON ");
    Ident(&table.name).push_to(&mut text);
    text.push(' ');
    names(&mut text, index.fields.iter().map(|id| table.get(*id).name.as_str()));
    text
}

/// `ALTER TABLE ... ADD COLUMN`: rows that are there get the constant default, else null.
pub(super) fn add_field(project: &Project, table: &Table, field: &Field) -> String {
    let mut text = String::from("ALTER TABLE ");
    Ident(&table.name).push_to(&mut text);
    text.push_str(" ADD COLUMN ");
    column(&mut text, field);
    if let Some(DefaultValue::Constant(value)) = &field.default
        && let Ok(value) = encode(table, field, value)
    {
        text.push_str(" DEFAULT ");
        constant(&mut text, &value);
    }
    if let Some(reference) = table.foreign_keys.iter().find(|k| k.field == field.id) {
        references(&mut text, project, reference);
    }
    text
}

/// The one place where a value stands in SQL text: SQLite binds nothing in the description of a table.
fn constant(text: &mut String, value: &Bind<'_>) {
    match value {
        Bind::Null => text.push_str("NULL"),
        Bind::Integer(v) => text.push_str(&v.to_string()),
        Bind::Real(v) if v.is_infinite() => text.push_str(if *v > 0.0 { "9e999" } else { "-9e999" }),
        Bind::Real(v) => text.push_str(&format!("{v:?}")),
        Bind::Text(v) => {
            text.push('\'');
            text.push_str(&v.replace('\'', "''"));
            text.push('\'');
        }
        Bind::Blob(v) => blob(text, v),
        Bind::Uuid(v) => blob(text, v.as_bytes()),
    }
}

fn blob(text: &mut String, bytes: &[u8]) {
    text.push_str("X'");
    bytes.iter().for_each(|b| text.push_str(&format!("{b:02x}")));
    text.push('\'');
}

/// How many rows agree with another in all fields of an index (null agrees with nothing).
pub(super) fn count_doubles(table: &Table, index: &Index) -> String {
    let mut columns = String::new();
    let mut present = String::new();
    for (at, id) in index.fields.iter().enumerate() {
        if at > 0 {
            columns.push_str(", ");
            present.push_str(" AND ");
        }
        Ident(&table.get(*id).name).push_to(&mut columns);
        Ident(&table.get(*id).name).push_to(&mut present);
        present.push_str(" IS NOT NULL");
    }
    let mut from = String::new();
    Ident(&table.name).push_to(&mut from);
    format!(
        "SELECT coalesce(sum(n - 1), 0) FROM \
         (SELECT count(*) AS n FROM {from} WHERE {present} GROUP BY {columns} HAVING count(*) > 1)"
    )
}
