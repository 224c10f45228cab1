//! Values as SQLite keeps them: one place that knows the storage of each field type, both ways.
//!
//! uuid: 16 bytes. timestamp: microseconds. date and time: text that sorts. decimal: whole number scaled by its
//! scale. boolean: 0 or 1. json, text, enum: text. bytes: blob. double: real.

use std::borrow::Cow;

use jiff::civil::{Date, Time};
use rusqlite::{
    ToSql,
    types::{ToSqlOutput, ValueRef as Raw},
};
use rust_decimal::Decimal;
use takt_model::{Field, FieldType, Table, Value, ValueRef};
use uuid::Uuid;

use super::{
    error::{refused, refused_with},
    number::{nearest_double, rounded, ten},
};
use crate::StoreError;

/// A value on its way into a statement, or kept from a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Bind<'a> {
    Null,
    Integer(i64),
    Real(f64),
    Text(Cow<'a, str>),
    Blob(Cow<'a, [u8]>),
    Uuid(Uuid),
}

impl ToSql for Bind<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => Raw::Null,
            Self::Integer(v) => Raw::Integer(*v),
            Self::Real(v) => Raw::Real(*v),
            Self::Text(v) => Raw::Text(v.as_bytes()),
            Self::Blob(v) => Raw::Blob(v),
            Self::Uuid(v) => Raw::Blob(v.as_bytes()),
        }))
    }
}

impl Bind<'_> {
    /// A value of a row, kept beyond it.
    pub(super) fn keep(raw: Raw<'_>) -> Bind<'static> {
        match raw {
            Raw::Null => Bind::Null,
            Raw::Integer(v) => Bind::Integer(v),
            Raw::Real(v) => Bind::Real(v),
            Raw::Text(v) => Bind::Text(Cow::Owned(String::from_utf8_lossy(v).into_owned())),
            Raw::Blob(v) => match Uuid::from_slice(v) {
                Ok(uuid) => Bind::Uuid(uuid),
                Err(_) => Bind::Blob(Cow::Owned(v.to_vec())),
            },
        }
    }

    /// The same value, owned.
    pub(super) fn into_owned(self) -> Bind<'static> {
        match self {
            Self::Null => Bind::Null,
            Self::Integer(v) => Bind::Integer(v),
            Self::Real(v) => Bind::Real(v),
            Self::Text(v) => Bind::Text(Cow::Owned(v.into_owned())),
            Self::Blob(v) => Bind::Blob(Cow::Owned(v.into_owned())),
            Self::Uuid(v) => Bind::Uuid(v),
        }
    }

    /// The same value as a driver's row would show it.
    pub(super) fn as_raw(&self) -> Raw<'_> {
        match self {
            Self::Null => Raw::Null,
            Self::Integer(v) => Raw::Integer(*v),
            Self::Real(v) => Raw::Real(*v),
            Self::Text(v) => Raw::Text(v.as_bytes()),
            Self::Blob(v) => Raw::Blob(v),
            Self::Uuid(v) => Raw::Blob(v.as_bytes()),
        }
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

/// The column type of a STRICT table.
pub(super) fn column_type(kind: &FieldType) -> &'static str {
    match kind {
        FieldType::Integer
        | FieldType::Bigint
        | FieldType::Decimal { .. }
        | FieldType::Boolean
        | FieldType::Timestamp => "INTEGER",
        FieldType::Double => "REAL",
        FieldType::Uuid | FieldType::Bytes => "BLOB",
        FieldType::Text | FieldType::Date | FieldType::Time | FieldType::Json | FieldType::Enum { .. } => {
            "TEXT"
        }
    }
}

/// Reads a value of a row.
pub(super) fn decode<'r>(kind: &FieldType, raw: Raw<'r>) -> Result<ValueRef<'r>, StoreError> {
    Ok(match (kind, raw) {
        (_, Raw::Null) => ValueRef::Null,
        (FieldType::Integer | FieldType::Bigint, Raw::Integer(v)) => ValueRef::Integer(v),
        (FieldType::Decimal { scale, .. }, Raw::Integer(v)) => {
            ValueRef::Decimal(Decimal::new(v, u32::from(*scale)))
        }
        (FieldType::Boolean, Raw::Integer(v)) => ValueRef::Boolean(v != 0),
        (FieldType::Timestamp, Raw::Integer(v)) => ValueRef::Timestamp(v),
        (FieldType::Double, Raw::Real(v)) => ValueRef::Double(v),
        (FieldType::Uuid, Raw::Blob(v)) => ValueRef::Uuid(Uuid::from_slice(v).map_err(|_| damaged(kind))?),
        (FieldType::Bytes, Raw::Blob(v)) => ValueRef::Bytes(v),
        (FieldType::Text | FieldType::Enum { .. }, Raw::Text(v)) => ValueRef::Text(utf8(kind, v)?),
        (FieldType::Json, Raw::Text(v)) => ValueRef::Json(utf8(kind, v)?),
        (FieldType::Date, Raw::Text(v)) => ValueRef::Date(utf8(kind, v)?.parse().map_err(|_| damaged(kind))?),
        (FieldType::Time, Raw::Text(v)) => ValueRef::Time(utf8(kind, v)?.parse().map_err(|_| damaged(kind))?),
        _ => return Err(damaged(kind)),
    })
}

fn utf8<'r>(kind: &FieldType, bytes: &'r [u8]) -> Result<&'r str, StoreError> {
    std::str::from_utf8(bytes).map_err(|_| damaged(kind))
}

fn damaged(kind: &FieldType) -> StoreError {
    StoreError::Internal(format!("a stored value is no {}", kind.sql_name()))
}

/// Brings a value of a write into storage, or says in PostgreSQL's words why it does not fit the field.
pub(super) fn encode<'v>(table: &Table, field: &Field, value: &'v Value) -> Result<Bind<'v>, StoreError> {
    match (&field.kind, value) {
        (_, Value::Null) if field.required => Err(refused(
            "23502",
            format!(
                "null value in column \"{}\" of relation \"{}\" violates not-null constraint",
                field.name, table.name
            ),
        )),
        (_, Value::Null) => Ok(Bind::Null),
        (FieldType::Text, Value::Text(text)) => {
            text_fits(field, text)?;
            Ok(Bind::Text(Cow::Borrowed(text)))
        }
        (FieldType::Enum { name, values }, Value::Text(text)) => {
            if !values.contains(text) {
                return Err(refused("22P02", format!("invalid input value for enum {name}: \"{text}\"")));
            }
            Ok(Bind::Text(Cow::Borrowed(text)))
        }
        (FieldType::Integer | FieldType::Bigint, Value::Integer(v)) => whole(&field.kind, i128::from(*v)),
        (FieldType::Integer | FieldType::Bigint, Value::Decimal(d)) => {
            whole(&field.kind, rounded(*d, 0).unwrap_or(i128::MAX))
        }
        (FieldType::Decimal { precision, scale }, Value::Decimal(d)) => decimal(*precision, *scale, *d),
        (FieldType::Decimal { precision, scale }, Value::Integer(v)) => {
            decimal(*precision, *scale, Decimal::from(*v))
        }
        (FieldType::Double, Value::Double(v)) => double(*v),
        #[expect(clippy::cast_precision_loss, reason = "assignment to double rounds, as in PostgreSQL")]
        (FieldType::Double, Value::Integer(v)) => Ok(Bind::Real(*v as f64)),
        (FieldType::Double, Value::Decimal(d)) => Ok(Bind::Real(nearest_double(*d))),
        (FieldType::Boolean, Value::Boolean(v)) => Ok(Bind::Integer(i64::from(*v))),
        (FieldType::Date, Value::Date(v)) => Ok(Bind::Text(Cow::Owned(date_text(*v)))),
        (FieldType::Time, Value::Time(v)) => Ok(Bind::Text(Cow::Owned(time_text(*v)))),
        (FieldType::Timestamp, Value::Timestamp(v)) => Ok(Bind::Integer(*v)),
        (FieldType::Uuid, Value::Uuid(v)) => Ok(Bind::Uuid(*v)),
        (FieldType::Json, Value::Json(v)) => Ok(Bind::Text(Cow::Borrowed(v))),
        (FieldType::Bytes, Value::Bytes(v)) => {
            if field.max.is_some_and(|max| v.len() > max as usize) {
                return Err(too_long("bytea", field.max));
            }
            Ok(Bind::Blob(Cow::Borrowed(v)))
        }
        (kind, other) => Err(refused(
            "42804",
            format!(
                "column \"{}\" is of type {} but expression is of type {}",
                field.name,
                kind.sql_name(),
                value_type(other)
            ),
        )),
    }
}

fn text_fits(field: &Field, text: &str) -> Result<(), StoreError> {
    if text.contains('\0') {
        return Err(refused("22P05", "unsupported Unicode escape sequence"));
    }
    match field.max {
        // Bytes are never fewer than characters, so the short look is enough for most.
        Some(max) if text.len() > max as usize && text.chars().count() > max as usize => {
            Err(too_long("character varying", field.max))
        }
        _ => Ok(()),
    }
}

fn too_long(kind: &str, max: Option<u32>) -> StoreError {
    refused("22001", format!("value too long for type {kind}({})", max.unwrap_or_default()))
}

fn whole(kind: &FieldType, value: i128) -> Result<Bind<'static>, StoreError> {
    let fits = match kind {
        FieldType::Integer => i32::try_from(value).ok().map(i64::from),
        _ => i64::try_from(value).ok(),
    };
    fits.map(Bind::Integer).ok_or_else(|| refused("22003", format!("{} out of range", kind.sql_name())))
}

fn decimal(precision: u8, scale: u8, value: Decimal) -> Result<Bind<'static>, StoreError> {
    let limit = ten(u32::from(precision)).unwrap_or(i128::MAX);
    rounded(value, scale)
        .filter(|v| v.abs() < limit)
        .and_then(|v| i64::try_from(v).ok())
        .map(Bind::Integer)
        .ok_or_else(|| {
            refused_with(
                "22003",
                "numeric field overflow",
                format!(
                    "A field with precision {precision}, scale {scale} must round to an absolute value less than 10^{}.",
                    precision.saturating_sub(scale)
                ),
            )
        })
}

/// SQLite keeps NaN as null, so it is refused instead of lost.
fn double(value: f64) -> Result<Bind<'static>, StoreError> {
    if value.is_nan() {
        return Err(refused("22P02", "invalid input syntax for type double precision: \"NaN\""));
    }
    Ok(Bind::Real(value))
}

/// `2026-11-23`
pub(super) fn date_text(date: Date) -> String {
    date.to_string()
}

/// `09:14:07.5`: microseconds, zeros at the end trimmed, so that equal times are equal texts.
pub(super) fn time_text(time: Time) -> String {
    let mut text = format!("{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second());
    let micros = time.subsec_nanosecond() / 1_000;
    if micros > 0 {
        let fraction = format!("{micros:06}");
        text.push('.');
        text.push_str(fraction.trim_end_matches('0'));
    }
    text
}

/// PostgreSQL's name for what a value is.
pub(super) fn value_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "unknown",
        Value::Boolean(_) => "boolean",
        Value::Integer(_) => "bigint",
        Value::Double(_) => "double precision",
        Value::Decimal(_) => "numeric",
        Value::Text(_) => "text",
        Value::Date(_) => "date",
        Value::Time(_) => "time",
        Value::Timestamp(_) => "timestamp with time zone",
        Value::Uuid(_) => "uuid",
        Value::Json(_) => "json",
        Value::Bytes(_) => "bytea",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_so_that_they_sort() {
        let at = |h, m, s, n| time_text(Time::constant(h, m, s, n));
        assert_eq!(at(9, 14, 7, 0), "09:14:07");
        assert_eq!(at(9, 14, 7, 500_000_000), "09:14:07.5");
        assert_eq!(at(9, 14, 7, 120_000), "09:14:07.00012");
        assert!(at(9, 14, 7, 0) < at(9, 14, 7, 1_000));
        assert!(at(9, 14, 7, 250_000_000) < at(9, 14, 7, 500_000_000));
    }
}
