//! `"20ms"` and `"10MB"`: durations and sizes as people write them.

use std::time::Duration;

/// A number directly followed by a unit; blanks between them are allowed.
fn split(text: &str) -> Option<(u64, &str)> {
    let text = text.trim();
    let end = text.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    Some((number.parse().ok()?, unit.trim()))
}

pub(crate) fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = split(text)?;
    let seconds = |each: u64| number.checked_mul(each).map(Duration::from_secs);
    match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" => seconds(1),
        "m" | "min" => seconds(60),
        "h" => seconds(3600),
        "d" => seconds(86_400),
        _ => None,
    }
}

/// The shortest text that reads back as the same duration.
pub(super) fn duration_text(duration: Duration) -> String {
    let millis = duration.as_millis();
    let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s")];
    let fits = units.iter().find(|(size, _)| millis > 0 && millis.is_multiple_of(*size));
    match fits {
        Some((size, unit)) => format!("{}{unit}", millis / size),
        None => format!("{millis}ms"),
    }
}

/// Bytes. Without a unit the number is bytes; `kB` are thousands, `KiB` are 1024.
pub(super) fn bytes(text: &str) -> Option<u64> {
    let (number, unit) = split(text)?;
    let each: u64 = match unit {
        "" | "B" => 1,
        "kB" | "KB" | "k" => 1_000,
        "MB" | "M" => 1_000_000,
        "GB" | "G" => 1_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    number.checked_mul(each)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_one_unit() {
        for (text, millis) in [
            ("20ms", Some(20)),
            ("5s", Some(5000)),
            ("15m", Some(900_000)),
            ("2 h", Some(7_200_000)),
            ("1d", Some(86_400_000)),
        ] {
            assert_eq!(duration(text).map(|d| d.as_millis()), millis, "{text}");
        }
        for text in
            ["5", "", "s", "-5s", "1.5s", "5 weeks", "1h30m", "99999999999999999999s", "999999999999999999d"]
        {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn sizes_are_thousands_unless_they_say_1024() {
        for (text, size) in
            [("0", 0), ("64kB", 64_000), ("10MB", 10_000_000), ("1 GB", 1_000_000_000), ("64KiB", 65_536)]
        {
            assert_eq!(bytes(text), Some(size), "{text}");
        }
        for text in ["", "MB", "10TB", "-1", "1.5MB", "99999999999GB"] {
            assert_eq!(bytes(text), None, "{text}");
        }
    }
}
