//! Values, typed: owned ([`Value`]) and borrowed from a driver's row ([`ValueRef`]).
//! Their text and JSON forms are written in `value/write.rs` and read in `value/parse.rs`; dates and times in
//! `value/moment.rs`. Not here: how a store keeps them.

mod moment;
mod parse;
mod write;

use jiff::civil::{Date, Time};
use rust_decimal::Decimal;
use uuid::Uuid;

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

/// Appends `text` as a JSON string with its quotes.
pub fn write_json_string(text: &str, out: &mut Vec<u8>) {
    write::json_string(text, out);
}

/// Why a literal is no value of a type; codes and messages are PostgreSQL's (`design/wire.md` section 2, 22).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ValueError {
    /// SQLSTATE: `22P02`, `22003`, `22007`, `22008`, `22009`, `22023`, `22P05`, `42804`.
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

    /// Appends the JSON form of the wire. Allocates nothing besides growing `out`.
    pub fn write_json(self, out: &mut Vec<u8>) {
        write::json(self, out);
    }

    /// The plain text form (CSV, error details, stories): `12.90`, `2026-11-23`, `\xdead`; null is empty.
    #[must_use]
    pub fn to_text(self) -> String {
        let mut out = Vec::with_capacity(24);
        write::text(self, &mut out);
        String::from_utf8(out).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned())
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
