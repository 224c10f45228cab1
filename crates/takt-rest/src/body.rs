//! Bodies: an object or an array of objects with the same keys.

use serde_json::{Map, Value};

use crate::RestError;

/// The rows of a body, as they were sent.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Payload {
    /// The keys of every object, in the order of the first; the names of `columns=` if that is given.
    pub(crate) keys: Vec<String>,
    pub(crate) rows: Vec<Map<String, Value>>,
}

impl Payload {
    /// Reads a body. With `columns` the keys may differ between the objects, and others are ignored.
    pub(crate) fn parse(body: &[u8], columns: Option<&[String]>) -> Result<Self, RestError> {
        let json: Value =
            serde_json::from_slice(body).map_err(|_| RestError::body("Empty or invalid json"))?;
        let rows = match json {
            Value::Object(row) => vec![row],
            Value::Array(items) => items.into_iter().map(object).collect::<Result<_, _>>()?,
            // PostgREST takes any other JSON value as an empty list.
            _ => Vec::new(),
        };
        let keys = match columns {
            Some(columns) => distinct(columns),
            None => common_keys(&rows)?,
        };
        Ok(Self { keys, rows })
    }
}

fn object(item: Value) -> Result<Map<String, Value>, RestError> {
    match item {
        Value::Object(row) => Ok(row),
        _ => Err(keys_differ()),
    }
}

fn common_keys(rows: &[Map<String, Value>]) -> Result<Vec<String>, RestError> {
    let Some((first, others)) = rows.split_first() else { return Ok(Vec::new()) };
    let same =
        |row: &Map<String, Value>| row.len() == first.len() && first.keys().all(|k| row.contains_key(k));
    if !others.iter().all(same) {
        return Err(keys_differ());
    }
    Ok(first.keys().cloned().collect())
}

fn distinct(columns: &[String]) -> Vec<String> {
    let mut keys: Vec<String> = Vec::with_capacity(columns.len());
    for column in columns {
        if !keys.contains(column) {
            keys.push(column.clone());
        }
    }
    keys
}

fn keys_differ() -> RestError {
    RestError::body("All object keys must match")
}
