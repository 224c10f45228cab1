//! Values, typed: owned ([`Value`]) and borrowed from a driver's row ([`ValueRef`]).
//! Lives here: their text and JSON forms as `design/wire.md` 3.2 has them. Not here: how a store keeps them.

use jiff::civil::{Date, Time};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::FieldType;

/// An owned value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// SQL null.
    Null,
    /// boolean
    Boolean(bool),
    /// integer and bigint
    Integer(i64),
    /// double
    Double(f64),
    /// decimal; the scale of the field is applied when it is stored or written
    Decimal(Decimal),
    /// text and enum
    Text(String),
    /// date
    Date(Date),
    /// time
    Time(Time),
    /// timestamp: microseconds since 1970-01-01T00:00:00Z
    Timestamp(i64),
    /// uuid
    Uuid(Uuid),
    /// json, as valid JSON text
    Json(String),
    /// bytes
    Bytes(Vec<u8>),
}

/// A value borrowed from a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ValueRef<'a> {
    /// SQL null.
    Null,
    /// boolean
    Boolean(bool),
    /// integer and bigint
    Integer(i64),
    /// double
    Double(f64),
    /// decimal, already with the field's scale
    Decimal(Decimal),
    /// text and enum
    Text(&'a str),
    /// date
    Date(Date),
    /// time
    Time(Time),
    /// timestamp: microseconds since 1970-01-01T00:00:00Z
    Timestamp(i64),
    /// uuid
    Uuid(Uuid),
    /// json, as valid JSON text
    Json(&'a str),
    /// bytes
    Bytes(&'a [u8]),
}

/// Why a literal is no value of a type; codes and messages are PostgreSQL's (`design/wire.md` section 2, 22).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ValueError {
    /// SQLSTATE: `22P02`, `22003`, `22008`, `22P05`, `22001`.
    pub code: &'static str,
    /// PostgreSQL's words.
    pub message: String,
}

impl ValueRef<'_> {
    /// The owned value.
    #[must_use]
    pub fn to_owned(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Boolean(v) => Value::Boolean(v),
            Self::Integer(v) => Value::Integer(v),
            Self::Double(v) => Value::Double(v),
            Self::Decimal(v) => Value::Decimal(v),
            Self::Text(v) => Value::Text(v.to_owned()),
            Self::Date(v) => Value::Date(v),
            Self::Time(v) => Value::Time(v),
            Self::Timestamp(v) => Value::Timestamp(v),
            Self::Uuid(v) => Value::Uuid(v),
            Self::Json(v) => Value::Json(v.to_owned()),
            Self::Bytes(v) => Value::Bytes(v.to_vec()),
        }
    }

    /// Appends the JSON form of the wire.
    pub fn write_json(self, out: &mut Vec<u8>) {
        let _ = out;
        todo!("helper: model")
    }

    /// The plain text form (CSV, error details, stories): `12.90`, `2026-11-23`, `\xdead`; null is empty.
    #[must_use]
    pub fn to_text(self) -> String {
        todo!("helper: model")
    }
}

impl Value {
    /// Borrows the value.
    #[must_use]
    pub fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Self::Null => ValueRef::Null,
            Self::Boolean(v) => ValueRef::Boolean(*v),
            Self::Integer(v) => ValueRef::Integer(*v),
            Self::Double(v) => ValueRef::Double(*v),
            Self::Decimal(v) => ValueRef::Decimal(*v),
            Self::Text(v) => ValueRef::Text(v),
            Self::Date(v) => ValueRef::Date(*v),
            Self::Time(v) => ValueRef::Time(*v),
            Self::Timestamp(v) => ValueRef::Timestamp(*v),
            Self::Uuid(v) => ValueRef::Uuid(*v),
            Self::Json(v) => ValueRef::Json(v),
            Self::Bytes(v) => ValueRef::Bytes(v),
        }
    }

    /// Whether this is SQL null.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

impl FieldType {
    /// Reads a literal of the URL or of a CSV cell.
    ///
    /// # Errors
    /// `22P02` for a malformed literal, `22003` out of range, `22008` for an impossible date, `22P05` for NUL.
    pub fn parse_text(&self, text: &str) -> Result<Value, ValueError> {
        let _ = text;
        todo!("helper: model")
    }

    /// Reads a JSON value of a body. Numbers may come as strings; decimals never pass through floating point.
    ///
    /// # Errors
    /// As [`FieldType::parse_text`].
    pub fn parse_json(&self, json: &serde_json::Value) -> Result<Value, ValueError> {
        let _ = json;
        todo!("helper: model")
    }
}
