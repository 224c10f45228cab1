//! The query string: parameters, percent-decoded, and what their keys mean.

use crate::{RestError, limits, scan::Scanner};

/// The gateway's own parameter, never a column.
pub(crate) const GATEWAY_KEY: &str = "apikey=";

/// What a key asks for. `path` names embeds from the root down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Key {
    Select,
    Columns,
    OnConflict,
    Order { path: Vec<String> },
    Limit { path: Vec<String> },
    Offset { path: Vec<String> },
    Logic { path: Vec<String>, any: bool, negated: bool },
    Filter { path: Vec<String>, column: String },
}

/// The parameters of a query string in order, decoded.
pub(crate) fn parameters(query: &str) -> Result<Vec<(String, String)>, RestError> {
    if query.len() > limits::QUERY_BYTES {
        let error = limits::exceeded("bytes of the query string", limits::QUERY_BYTES);
        return Err(error.status(414));
    }
    pairs(query)
        .map(|p| {
            let (key, value) = p.split_once('=').unwrap_or((p, ""));
            Ok((decode(key)?, decode(value)?))
        })
        .collect()
}

/// The parameters as they were sent.
pub(crate) fn pairs(query: &str) -> impl Iterator<Item = &str> {
    query.split('&').filter(|p| !p.is_empty())
}

/// Whether a text says something else than it is.
pub(crate) fn is_encoded(text: &str) -> bool {
    text.bytes().any(|b| matches!(b, b'+' | b'%'))
}

/// Percent-decodes; `+` is a blank. A `%` without two hex digits stands for itself, as in browsers.
fn decode(text: &str) -> Result<String, RestError> {
    if !is_encoded(text) {
        return Ok(text.to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        rest = after;
        match (byte, after) {
            (b'+', _) => bytes.push(b' '),
            (b'%', [high, low, beyond @ ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    bytes.push(high << 4 | low);
                    rest = beyond;
                }
                _ => bytes.push(b'%'),
            },
            (other, _) => bytes.push(*other),
        }
    }
    String::from_utf8(bytes)
        .map_err(|_| RestError::new("PGRST100", "the query string is not valid UTF-8 after decoding"))
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|d| u8::try_from(d).ok())
}

/// Keys that are no columns, even where a table has a column of that name.
const WORDS: [&str; 8] = ["select", "columns", "on_conflict", "and", "or", "order", "limit", "offset"];

/// Whether a key as it was sent is the name of a column of the root and nothing else.
pub(crate) fn is_plain_column(text: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    text.bytes().all(is_plain) && !WORDS.contains(&text)
}

/// Reads `key`.
pub(crate) fn key(text: &str) -> Result<Key, RestError> {
    match text {
        "select" => return Ok(Key::Select),
        "columns" => return Ok(Key::Columns),
        "on_conflict" => return Ok(Key::OnConflict),
        _ => {}
    }
    let mut names = path(text)?;
    let Some(last) = names.pop() else {
        return Err(Scanner::new(text, "tree path").expected(crate::scan::FIELD_NAME));
    };
    let logic = last.is_word("and") || last.is_word("or");
    let negated = logic && names.last().is_some_and(|n| n.is_word("not"));
    if negated {
        names.pop();
    }
    let path = names.into_iter().map(|n| n.text).collect();
    Ok(if logic {
        Key::Logic { path, any: last.text == "or", negated }
    } else if last.is_word("order") {
        Key::Order { path }
    } else if last.is_word("limit") {
        Key::Limit { path }
    } else if last.is_word("offset") {
        Key::Offset { path }
    } else {
        Key::Filter { path, column: last.text }
    })
}

fn path(text: &str) -> Result<Vec<crate::scan::Name>, RestError> {
    let mut scan = Scanner::new(text, "tree path");
    let mut names = vec![scan.name()?];
    while scan.eat(".") {
        names.push(scan.name()?);
    }
    if scan.rest().starts_with("->") {
        return Err(RestError::not_built(format_args!("JSON paths in filters ({text})")));
    }
    if scan.rest().starts_with("::") {
        return Err(RestError::not_built(format_args!("casts in filters ({text})")));
    }
    scan.end("\".\" or end of input")?;
    Ok(names)
}

/// Names separated by commas: `columns`, `on_conflict`.
pub(crate) fn names(text: &str, what: &'static str) -> Result<Vec<String>, RestError> {
    let mut scan = Scanner::new(text, what);
    let mut found = vec![scan.name()?.text];
    while scan.eat(",") {
        found.push(scan.name()?.text);
    }
    scan.end("\",\" or end of input")?;
    Ok(found)
}
