//! Our scalar functions, so that every store means the same by the same word.
//! Arithmetic is exact or refused; SQLite's own would silently turn into floating point.

use rusqlite::{
    Connection,
    functions::{Context, FunctionFlags},
    types::ValueRef,
};

use super::like::{Pattern, lower, upper};

/// How an error of ours travels through SQLite's message: `takt:<code>:<message>`.
pub(super) const ERROR_PREFIX: &str = "takt:";

/// Makes the functions known to a connection.
pub(super) fn register(conn: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    conn.create_scalar_function("takt_like", 2, flags, |c| like(c, false))?;
    conn.create_scalar_function("takt_ilike", 2, flags, |c| like(c, true))?;
    conn.create_scalar_function("takt_lower", 1, flags, |c| Ok(text(c, 0)?.map(lower)))?;
    conn.create_scalar_function("takt_upper", 1, flags, |c| Ok(text(c, 0)?.map(upper)))?;
    conn.create_scalar_function("takt_uuid_text", 1, flags, |c| Ok(uuid_text(c.get_raw(0))))?;
    conn.create_scalar_function("takt_add", 2, flags, |c| arithmetic(c, i64::checked_add))?;
    conn.create_scalar_function("takt_subtract", 2, flags, |c| arithmetic(c, i64::checked_sub))?;
    conn.create_scalar_function("takt_multiply", 2, flags, |c| arithmetic(c, i64::checked_mul))
}

fn failure(code: &str, message: &str) -> rusqlite::Error {
    rusqlite::Error::UserFunctionError(format!("{ERROR_PREFIX}{code}:{message}").into())
}

fn text<'c>(context: &'c Context<'_>, at: usize) -> rusqlite::Result<Option<&'c str>> {
    match context.get_raw(at) {
        ValueRef::Null => Ok(None),
        ValueRef::Text(bytes) => {
            std::str::from_utf8(bytes).map(Some).map_err(|e| rusqlite::Error::Utf8Error(at, e))
        }
        _ => Err(failure("42883", "function expects text")),
    }
}

/// `takt_like(text, pattern)`; a constant pattern is read once per statement.
fn like(context: &Context<'_>, fold_case: bool) -> rusqlite::Result<Option<bool>> {
    if context.get_raw(0) == ValueRef::Null || context.get_raw(1) == ValueRef::Null {
        return Ok(None);
    }
    let pattern = match context.get_aux::<Pattern>(1)? {
        Some(pattern) => pattern,
        None => {
            let read = Pattern::new(text(context, 1)?.unwrap_or_default(), fold_case)
                .map_err(|_| failure("22025", "LIKE pattern must not end with escape character"))?;
            context.set_aux(1, read)?
        }
    };
    Ok(text(context, 0)?.map(|t| pattern.fits(t)))
}

fn uuid_text(value: ValueRef<'_>) -> Option<String> {
    let ValueRef::Blob(bytes) = value else { return None };
    uuid::Uuid::from_slice(bytes).ok().map(|u| u.hyphenated().to_string())
}

fn arithmetic(context: &Context<'_>, operate: fn(i64, i64) -> Option<i64>) -> rusqlite::Result<Option<i64>> {
    match (context.get_raw(0), context.get_raw(1)) {
        (ValueRef::Null, _) | (_, ValueRef::Null) => Ok(None),
        (ValueRef::Integer(a), ValueRef::Integer(b)) => {
            operate(a, b).map(Some).ok_or_else(|| failure("22003", "bigint out of range"))
        }
        // A real can only come from a rescaling that left the whole numbers.
        _ => Err(failure("22003", "bigint out of range")),
    }
}
