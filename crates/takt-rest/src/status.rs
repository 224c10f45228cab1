//! Which HTTP status an error code has (`design/wire.md` section 2, 7 to 23), in one table.

use takt_model::{Principal, Rights};

/// The status of a SQLSTATE or PGRST code. A refused right is 403, or 401 for a visitor, who may sign in.
#[must_use]
pub fn status_of(code: &str, who: &Principal) -> u16 {
    if let Some(status) = code.strip_prefix("PT").and_then(raised_status) {
        return status;
    }
    if let Some(number) = code.strip_prefix("PGRST") {
        return dialect_status(number);
    }
    match code {
        "42501" if who.rights == Rights::Anon => 401,
        "42501" => 403,
        "23503" | "23505" => 409,
        "25006" => 405,
        "42883" | "42P01" => 404,
        "42P17" => 500,
        "57P01" => 503,
        "P0001" => 400,
        _ => match code.get(..2).unwrap_or_default() {
            "08" | "53" => 503,
            "28" | "0L" | "0P" => 403,
            "40" | "57" | "XX" | "P0" => 500,
            _ => 400,
        },
    }
}

/// `PT402`: the project's own functions choose their status.
fn raised_status(digits: &str) -> Option<u16> {
    let status: u16 = digits.parse().ok()?;
    (digits.len() == 3 && (200..600).contains(&status)).then_some(status)
}

fn dialect_status(number: &str) -> u16 {
    match number {
        "000" | "001" | "002" => 503,
        "003" => 504,
        "101" | "105" | "117" => 405,
        "103" => 416,
        "106" | "107" | "116" => 406,
        "125" | "202" | "205" => 404,
        "201" | "203" => 300,
        "300" => 500,
        "301" | "302" | "303" => 401,
        _ => 400,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_the_status_of_the_contract() {
        let cases = [
            ("08006", 503),
            ("53300", 503),
            ("57P01", 503),
            ("25006", 405),
            ("28000", 403),
            ("0LP01", 403),
            ("0P000", 403),
            ("42883", 404),
            ("42P01", 404),
            ("42P17", 500),
            ("40001", 500),
            ("57014", 500),
            ("XX000", 500),
            ("P0000", 500),
            ("P0001", 400),
            ("PT402", 402),
            ("PT999", 400),
            ("22P02", 400),
            ("23505", 409),
            ("23503", 409),
            ("23502", 400),
            ("23514", 400),
            ("42703", 400),
            ("21000", 400),
            ("PGRST100", 400),
            ("PGRST102", 400),
            ("PGRST103", 416),
            ("PGRST106", 406),
            ("PGRST107", 406),
            ("PGRST116", 406),
            ("PGRST117", 405),
            ("PGRST127", 400),
            ("PGRST200", 400),
            ("PGRST201", 300),
            ("PGRST202", 404),
            ("PGRST204", 400),
            ("PGRST205", 404),
            ("PGRST301", 401),
            ("PGRST303", 401),
            ("", 400),
        ];
        for (code, status) in cases {
            assert_eq!(status_of(code, &Principal::service()), status, "{code}");
        }
    }

    #[test]
    fn a_refused_right_depends_on_who_asks() {
        assert_eq!(status_of("42501", &Principal::anon()), 401);
        assert_eq!(status_of("42501", &Principal::service()), 403);
    }
}
