//! What a field takes: types, lengths, ranges, rounding, transitions of enums. Refusals are SQLSTATE codes.

use takt_model::{Decimal, Value};

use crate::world::{FieldSpec, Kind, STATUS, exact};

/// The value as the field stores it.
pub(crate) fn stored(field: &FieldSpec, value: &Value) -> Result<Value, &'static str> {
    match (field.kind, value) {
        (_, Value::Null) if field.required => Err("23502"),
        (_, Value::Null) => Ok(Value::Null),
        (Kind::Text, Value::Text(text)) if field.max.is_some_and(|max| text.chars().count() > max) => {
            Err("22001")
        }
        (Kind::Enum, Value::Text(text)) if !STATUS.contains(&text.as_str()) => Err("22P02"),
        (Kind::Integer, Value::Integer(n)) if i32::try_from(*n).is_err() => Err("22003"),
        (Kind::Integer, Value::Decimal(d)) => {
            let whole = rounded(*d, 0);
            i64::try_from(whole.mantissa())
                .ok()
                .filter(|n| i32::try_from(*n).is_ok())
                .map(Value::Integer)
                .ok_or("22003")
        }
        (Kind::Decimal(precision, scale), number @ (Value::Decimal(_) | Value::Integer(_))) => {
            let number = rounded(exact(number).unwrap(), scale);
            let limit = Decimal::from(10_i64.pow(precision - scale));
            if number.abs() < limit { Ok(Value::Decimal(number)) } else { Err("22003") }
        }
        (_, value) => Ok(value.clone()),
    }
}

/// Half away from zero, as PostgreSQL's `numeric`.
fn rounded(number: Decimal, scale: u32) -> Decimal {
    let ten = Decimal::from(10_i64.pow(scale));
    let half = Decimal::new(5, 1);
    let shifted = number.abs() * ten + half;
    let whole = shifted.trunc() / ten;
    if number < Decimal::ZERO { -whole } else { whole }
}

/// The old value plus or minus another.
pub(crate) fn moved(old: &Value, by: &Value, minus: bool) -> Value {
    match (exact(old), exact(by)) {
        (Some(old), Some(by)) => Value::Decimal(if minus { old - by } else { old + by }),
        _ => Value::Null,
    }
}

/// Whether an enum may change so; staying is always allowed, and from null everything.
pub(crate) fn transition_fits(field: &FieldSpec, old: &Value, new: &Value) -> Result<(), &'static str> {
    let (Some(transitions), Value::Text(from)) = (&field.transitions, old) else { return Ok(()) };
    let Value::Text(to) = new else { return Err("23514") };
    let allowed = transitions.iter().any(|(f, next)| f == from && next.contains(&to.as_str()));
    if from == to || allowed { Ok(()) } else { Err("23514") }
}
