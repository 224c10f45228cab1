//! `order`: `created_at.desc.nullslast,id`.

use crate::{RestError, limits, scan::Scanner};

/// A sort key by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OrderTerm {
    pub(crate) column: String,
    pub(crate) descending: bool,
    pub(crate) nulls_first: bool,
}

/// Reads `order`.
pub(crate) fn parse(text: &str) -> Result<Vec<OrderTerm>, RestError> {
    let mut scan = Scanner::new(text, "order");
    let mut terms = vec![term(&mut scan)?];
    while scan.eat(",") {
        terms.push(term(&mut scan)?);
        if terms.len() > limits::COLUMNS {
            return Err(limits::exceeded("columns in order", limits::COLUMNS));
        }
    }
    scan.end("\",\" or end of input")?;
    Ok(terms)
}

fn term(scan: &mut Scanner<'_>) -> Result<OrderTerm, RestError> {
    let column = scan.name()?.text;
    match scan.peek() {
        Some('(') => {
            return Err(RestError::not_built(format_args!("order by a column of an embed ({column}(...))")));
        }
        Some('-') => return Err(RestError::not_built(format_args!("JSON paths in order ({column}->)"))),
        _ => {}
    }
    let descending = scan.eat(".desc");
    if !descending {
        scan.eat(".asc");
    }
    // PostgreSQL's defaults: nulls are greater than every value.
    let nulls_first = if scan.eat(".nullsfirst") {
        true
    } else if scan.eat(".nullslast") {
        false
    } else {
        descending
    };
    scan.blanks();
    if !matches!(scan.peek(), None | Some(',')) {
        return Err(scan.expected("\"asc\", \"desc\", \"nullsfirst\" or \"nullslast\""));
    }
    Ok(OrderTerm { column, descending, nulls_first })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn directions_and_nulls_default_as_in_postgresql() {
        let cases = [
            ("a", false, false),
            ("a.asc", false, false),
            ("a.desc", true, true),
            ("a.nullsfirst", false, true),
            ("a.asc.nullsfirst", false, true),
            ("a.desc.nullslast", true, false),
        ];
        for (text, descending, nulls_first) in cases {
            let expected = OrderTerm { column: "a".to_owned(), descending, nulls_first };
            assert_eq!(parse(text).unwrap(), [expected], "{text}");
        }
    }
}
