//! How much a request may ask of the reader, so that a cheap URL cannot cost much.
//! Not here: rows of an answer and tables of a request, which are settings (`limits.max_rows`, `limits.embeds`).

use crate::RestError;

/// Bytes of a query string.
pub(crate) const QUERY_BYTES: usize = 64 * 1024;
/// `and` / `or` within each other.
pub(crate) const LOGIC_DEPTH: usize = 8;
/// Embeds within each other.
pub(crate) const EMBED_DEPTH: usize = 6;
/// Columns and embeds of one `select` level, and keys of one `order`.
pub(crate) const COLUMNS: usize = 200;
/// Values of one `in` or `any` / `all` list.
pub(crate) const LIST_VALUES: usize = 1000;
/// Conditions of a whole request. Databases limit how deep a condition may nest (SQLite: 1000), and a long chain of
/// `and` counts as deep there.
pub(crate) const CONDITIONS: usize = 500;
/// `%` or `*` of one pattern.
pub(crate) const WILDCARDS: usize = 8;
/// Characters of a refused text that an error repeats.
pub(crate) const ECHO_CHARS: usize = 300;

/// PostgreSQL's class for "the program asks for too much" is 54.
pub(crate) fn exceeded(what: &str, limit: usize) -> RestError {
    RestError::new("54000", format!("{what}: at most {limit} are allowed"))
}
