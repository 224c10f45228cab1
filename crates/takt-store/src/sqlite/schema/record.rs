//! The canonical description of a stored schema as JSON text, and back.

use serde_json::{Value, json};
use takt_plan::{StoredColumn, StoredForeignKey, StoredIndex, StoredSchema, StoredTable};

use crate::StoreError;

/// The text that is kept.
pub(super) fn write(schema: &StoredSchema) -> String {
    let tables: Vec<Value> = schema.tables.iter().map(table).collect();
    json!({ "tables": tables }).to_string()
}

fn table(table: &StoredTable) -> Value {
    let columns: Vec<Value> = table
        .columns
        .iter()
        .map(|c| json!({ "name": c.name, "kind": c.kind, "required": c.required }))
        .collect();
    let indexes: Vec<Value> = table
        .indexes
        .iter()
        .map(|i| json!({ "name": i.name, "columns": i.columns, "unique": i.unique }))
        .collect();
    let keys: Vec<Value> = table
        .foreign_keys
        .iter()
        .map(|k| {
            json!({
                "column": k.column, "target": k.target,
                "target_column": k.target_column, "on_delete": k.on_delete,
            })
        })
        .collect();
    json!({
        "name": table.name, "columns": columns, "primary_key": table.primary_key,
        "indexes": indexes, "foreign_keys": keys,
    })
}

/// Reads a kept text.
pub(super) fn read(text: &str) -> Result<StoredSchema, StoreError> {
    let damaged = || StoreError::Open("the database's record of its schema is damaged".to_owned());
    let value: Value = serde_json::from_str(text).map_err(|_| damaged())?;
    schema(&value).ok_or_else(damaged)
}

fn schema(value: &Value) -> Option<StoredSchema> {
    Some(StoredSchema { tables: list(value, "tables", read_table)? })
}

fn read_table(value: &Value) -> Option<StoredTable> {
    Some(StoredTable {
        name: text(value, "name")?,
        columns: list(value, "columns", |c| {
            Some(StoredColumn {
                name: text(c, "name")?,
                kind: text(c, "kind")?,
                required: flag(c, "required")?,
            })
        })?,
        primary_key: list(value, "primary_key", |n| n.as_str().map(str::to_owned))?,
        indexes: list(value, "indexes", |i| {
            Some(StoredIndex {
                name: text(i, "name")?,
                columns: list(i, "columns", |n| n.as_str().map(str::to_owned))?,
                unique: flag(i, "unique")?,
            })
        })?,
        foreign_keys: list(value, "foreign_keys", |k| {
            Some(StoredForeignKey {
                column: text(k, "column")?,
                target: text(k, "target")?,
                target_column: text(k, "target_column")?,
                on_delete: text(k, "on_delete")?,
            })
        })?,
    })
}

fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key)?.as_str().map(str::to_owned)
}

fn flag(value: &Value, key: &str) -> Option<bool> {
    value.get(key)?.as_bool()
}

fn list<T>(value: &Value, key: &str, read: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
    value.get(key)?.as_array()?.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_schema_survives_its_text() {
        let schema = StoredSchema {
            tables: vec![StoredTable {
                name: "orders".to_owned(),
                columns: vec![StoredColumn {
                    name: "id".to_owned(),
                    kind: "decimal(12,2)".to_owned(),
                    required: true,
                }],
                primary_key: vec!["id".to_owned()],
                indexes: vec![StoredIndex {
                    name: "orders_number_key".to_owned(),
                    columns: vec!["number".to_owned()],
                    unique: true,
                }],
                foreign_keys: vec![StoredForeignKey {
                    column: "customer_id".to_owned(),
                    target: "auth.users".to_owned(),
                    target_column: "id".to_owned(),
                    on_delete: "restrict".to_owned(),
                }],
            }],
        };
        assert_eq!(read(&write(&schema)).unwrap(), schema);
    }

    #[test]
    fn a_damaged_text_is_said_not_guessed() {
        for text in ["", "{}", r#"{"tables":[{"name":1}]}"#] {
            assert!(matches!(read(text), Err(StoreError::Open(_))), "{text}");
        }
    }
}
