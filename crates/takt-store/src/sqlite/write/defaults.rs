//! What is stored when nothing is said, and running numbers without gaps.

use std::borrow::Cow;

use jiff::{Timestamp, civil::DateTime, tz::Offset};
use rusqlite::{Connection, OptionalExtension};
use takt_model::{DefaultValue, Field, NumberPart, NumberTemplate, Value};
use takt_plan::{GuardedInsert, Missing};

use super::Writing;
use crate::{StoreError, sqlite::error::driver};

/// A row as it grows: `None` where a running number is still to be drawn (only a row that is really stored may
/// draw one).
pub(super) type Filled<'p> = Vec<Option<Cow<'p, Value>>>;

/// The values of a new row in the table's order.
pub(super) fn fill<'p>(
    writing: &Writing<'_>,
    plan: &'p GuardedInsert,
    row: &'p [Option<Value>],
) -> Filled<'p> {
    let fields = &writing.table.fields;
    fields
        .iter()
        .map(|field| {
            let given = plan.fields.iter().position(|f| *f == field.id).and_then(|at| row.get(at));
            match (given, plan.missing) {
                (Some(Some(value)), _) => Some(Cow::Borrowed(value)),
                (Some(None), Missing::Null) => Some(Cow::Owned(Value::Null)),
                (Some(None), Missing::Default) | (None, _) => default(writing, field).map(Cow::Owned),
            }
        })
        .collect()
}

/// The default of a field; `None` if it is a running number.
fn default(writing: &Writing<'_>, field: &Field) -> Option<Value> {
    let session = writing.session;
    Some(match &field.default {
        None => Value::Null,
        Some(DefaultValue::Constant(value)) => value.clone(),
        Some(DefaultValue::UuidV7) => Value::Uuid(session.new_uuid()),
        Some(DefaultValue::UuidV4) => Value::Uuid(session.new_uuid_v4()),
        Some(DefaultValue::Now) => now(&field.kind, writing.env.now),
        Some(DefaultValue::AuthUid) => writing.env.principal.uid().map_or(Value::Null, Value::Uuid),
        Some(DefaultValue::NextNumber { .. }) => return None,
    })
}

/// `now()` as the field's type.
fn now(kind: &takt_model::FieldType, micros: i64) -> Value {
    match kind {
        takt_model::FieldType::Date => Value::Date(civil(micros).date()),
        takt_model::FieldType::Time => Value::Time(civil(micros).time()),
        _ => Value::Timestamp(micros),
    }
}

/// Date and time in UTC.
fn civil(micros: i64) -> DateTime {
    Offset::UTC.to_datetime(Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH))
}

/// Draws the running numbers of a row that is about to be stored; only those that `wanted` names.
pub(super) fn draw_numbers(
    writing: &Writing<'_>,
    row: &mut Filled<'_>,
    wanted: impl Fn(&Field) -> bool,
) -> Result<(), StoreError> {
    for (field, value) in writing.table.fields.iter().zip(row) {
        let Some(DefaultValue::NextNumber { counter, template }) = &field.default else { continue };
        if value.is_none() && wanted(field) {
            *value = Some(Cow::Owned(number(writing, field, counter, template)?));
        }
    }
    Ok(())
}

fn number(
    writing: &Writing<'_>,
    field: &Field,
    counter: &str,
    template: &NumberTemplate,
) -> Result<Value, StoreError> {
    let year = civil(writing.env.now).year();
    let yearly = template.0.iter().any(|p| matches!(p, NumberPart::Year));
    let drawn = if yearly {
        counter_next(writing.conn, &format!("{counter}/{year:04}"))?
    } else {
        counter_next(writing.conn, counter)?
    };
    if !matches!(field.kind, takt_model::FieldType::Text) {
        return Ok(Value::Integer(drawn));
    }
    let mut text = String::new();
    for part in &template.0 {
        match part {
            NumberPart::Text(t) => text.push_str(t),
            NumberPart::Year => text.push_str(&format!("{year:04}")),
            NumberPart::Counter { width } => text.push_str(&format!("{drawn:0width$}")),
        }
    }
    Ok(Value::Text(text))
}

/// The next number of a counter. Its row is part of the transaction: what is rolled back was never drawn. Nobody else
/// writes, so looking and then storing is as good as one statement, and cheaper than its RETURNING clause.
pub(crate) fn counter_next(conn: &Connection, counter: &str) -> Result<i64, StoreError> {
    let mut look = conn.prepare_cached("SELECT value FROM takt_counters WHERE name = ?1").map_err(driver)?;
    let last: Option<i64> = look.query_row([counter], |row| row.get(0)).optional().map_err(driver)?;
    let (text, drawn) = match last {
        Some(last) => ("UPDATE takt_counters SET value = ?2 WHERE name = ?1", last.saturating_add(1)),
        None => ("INSERT INTO takt_counters (name, value) VALUES (?1, ?2)", 1),
    };
    let mut store = conn.prepare_cached(text).map_err(driver)?;
    store.execute((counter, drawn)).map_err(driver)?;
    Ok(drawn)
}
