//! Which rows by number: `limit`, `offset`, the `Range` header, and `Content-Range` in the answer.

use crate::RestError;

/// Reads `limit` or `offset`. What is no whole number is ignored, as in PostgREST; what is too large to count is
/// the largest number.
pub(crate) fn whole(text: &str, word: &str) -> Result<Option<u64>, RestError> {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(None);
    }
    let most = i64::MAX.unsigned_abs();
    let number = digits.parse().unwrap_or(most).min(most);
    if negative && number > 0 {
        let details = format!("{word} should be greater than or equal to zero.");
        return Err(RestError::new("PGRST103", "Requested range not satisfiable").details(details));
    }
    Ok(Some(number))
}

/// Narrows a window by the `Range` header: `0-9`, `5-`. Anything else is another unit and ignored.
pub(crate) fn narrow(
    limit: &mut Option<u64>,
    offset: &mut Option<u64>,
    header: &str,
) -> Result<(), RestError> {
    let header = header.trim();
    let header = header.strip_prefix("items=").unwrap_or(header);
    let Some((low, high)) = header.split_once('-') else { return Ok(()) };
    let Ok(low) = low.parse::<u64>() else { return Ok(()) };
    let high = match high {
        "" => None,
        text => match text.parse::<u64>() {
            Ok(high) => Some(high),
            Err(_) => return Ok(()),
        },
    };
    if high.is_some_and(|h| low > h) {
        return Err(RestError::new("PGRST103", "Requested range not satisfiable").details(
            "The lower boundary must be lower than or equal to the upper boundary in the Range header.",
        ));
    }
    let start = offset.unwrap_or(0).max(low).min(i64::MAX.unsigned_abs());
    // Both ends exclusive from here on.
    let ends = [limit.map(|l| offset.unwrap_or(0).saturating_add(l)), high.map(|h| h.saturating_add(1))];
    *limit = ends.into_iter().flatten().min().map(|end| end.saturating_sub(start));
    *offset = Some(start);
    Ok(())
}

/// `Content-Range` and the status of a read (`design/wire.md` section 2, 1 and 2).
pub(crate) fn read_range(offset: u64, rows: u64, total: Option<u64>) -> Result<(u16, String), RestError> {
    let status = match total {
        Some(total) if offset > total => {
            let details = format!("An offset of {offset} was requested, but there are only {total} rows.");
            return Err(RestError::new("PGRST103", "Requested range not satisfiable").details(details));
        }
        Some(total) if rows < total => 206,
        _ => 200,
    };
    Ok((status, content_range(offset, rows, total)))
}

/// `0-4/*`, `0-4/5`, `*/*`, `*/0`
pub(crate) fn content_range(offset: u64, rows: u64, total: Option<u64>) -> String {
    let total_text = total.map_or_else(|| "*".to_owned(), |t| t.to_string());
    match rows.checked_sub(1) {
        Some(more) if total != Some(0) => format!("{offset}-{}/{total_text}", offset.saturating_add(more)),
        _ => format!("*/{total_text}"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn the_header_and_the_parameters_meet() {
        let cases = [
            (None, None, "0-9", Some(10), 0),
            (None, None, "5-", None, 5),
            (Some(3), None, "0-9", Some(3), 0),
            (Some(3), Some(8), "0-9", Some(2), 8),
            (Some(3), Some(8), "2-", Some(3), 8),
            (Some(3), None, "2-", Some(1), 2),
            (Some(3), None, "7-9", Some(0), 7),
            (Some(3), None, "items=1-1", Some(1), 1),
        ];
        for (mut limit, mut offset, header, new_limit, new_offset) in cases {
            narrow(&mut limit, &mut offset, header).unwrap();
            assert_eq!((limit, offset.unwrap_or(0)), (new_limit, new_offset), "{header}");
        }
    }

    #[test]
    fn other_units_are_ignored() {
        for header in ["bytes=0-9", "x", "-5", "1-x", ""] {
            let (mut limit, mut offset) = (Some(7), None);
            narrow(&mut limit, &mut offset, header).unwrap();
            assert_eq!((limit, offset), (Some(7), None), "{header}");
        }
    }

    #[test]
    fn numbers_that_are_none_are_ignored() {
        let most = i64::MAX.unsigned_abs();
        for (text, expected) in [
            ("10", Some(10)),
            ("0", Some(0)),
            ("-0", Some(0)),
            ("a", None),
            ("", None),
            ("1.5", None),
            ("99999999999999999999999", Some(most)),
        ] {
            assert_eq!(whole(text, "Limit").unwrap(), expected, "{text}");
        }
        assert_eq!(whole("-1", "Limit").unwrap_err().status, 416);
    }
}
