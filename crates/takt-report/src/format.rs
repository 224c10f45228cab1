//! Numbers, money, days and moments as people of a language write them. Times say their zone.

use std::str::FromStr;

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};
use takt_model::{Decimal, Field, FieldType, Value};

use crate::looks;

/// A whole number with separators: `12.410` / `12,410`.
#[must_use]
pub fn integer(n: i128, language: &str) -> String {
    let separator = if language == "de" { '.' } else { ',' };
    let digits = n.unsigned_abs().to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if n < 0 {
        out.push('-');
    }
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(separator);
        }
        out.push(digit);
    }
    out
}

/// A count.
#[must_use]
pub fn count(n: u64, language: &str) -> String {
    integer(i128::from(n), language)
}

/// A number with so many places after the point: `99,93` / `99.93`.
#[must_use]
pub fn decimal_places(n: f64, places: usize, language: &str) -> String {
    let text = format!("{n:.places$}");
    if language == "de" { text.replace('.', ",") } else { text }
}

/// An exact number with its own places: `1.234,50` / `1,234.50`.
#[must_use]
pub fn decimal(n: Decimal, language: &str) -> String {
    let text = n.abs().to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let whole = whole.parse::<i128>().map_or_else(|_| whole.to_owned(), |w| integer(w, language));
    let sign = if n.is_sign_negative() && !n.is_zero() { "-" } else { "" };
    match (fraction.is_empty(), language) {
        (true, _) => format!("{sign}{whole}"),
        (false, "de") => format!("{sign}{whole},{fraction}"),
        (false, _) => format!("{sign}{whole}.{fraction}"),
    }
}

/// An amount of money: `39,90 €` / `€39.90`.
#[must_use]
pub fn money(n: Decimal, currency: &str, language: &str) -> String {
    let symbol = match currency {
        "EUR" => "€",
        "USD" => "$",
        "GBP" => "£",
        other => other,
    };
    let number = decimal(n, language);
    match (language, symbol.chars().count()) {
        ("de", _) => format!("{number}\u{a0}{symbol}"),
        (_, 1) => match number.strip_prefix('-') {
            Some(positive) => format!("-{symbol}{positive}"),
            None => format!("{symbol}{number}"),
        },
        _ => format!("{symbol}\u{a0}{number}"),
    }
}

/// A moment: `23.11.2026, 09:14:07 Uhr (UTC)` / `23 Nov 2026, 09:14:07 (UTC)`.
#[must_use]
pub fn moment(micros: i64, language: &str) -> String {
    let Ok(at) = Timestamp::from_microsecond(micros) else { return micros.to_string() };
    let at = TimeZone::UTC.to_datetime(at);
    let time = format!("{:02}:{:02}:{:02}", at.hour(), at.minute(), at.second());
    match language {
        "de" => format!("{}, {time} Uhr (UTC)", day(at.date(), language)),
        _ => format!("{}, {time} (UTC)", day(at.date(), language)),
    }
}

/// A moment in a time zone: `23.11.2026, 10:14:07 Uhr (MEZ)` / `23 Nov 2026, 10:14:07 (CET)`. A zone that nobody
/// knows is read as UTC.
#[must_use]
pub fn moment_in(micros: i64, language: &str, zone: &str) -> String {
    let Some((at, short)) = zoned(micros, zone) else { return moment(micros, language) };
    let time = format!("{:02}:{:02}:{:02}", at.hour(), at.minute(), at.second());
    let short = match (language, short.as_str()) {
        ("de", "CET") => "MEZ",
        ("de", "CEST") => "MESZ",
        (_, short) => short,
    };
    let hour = if language == "de" { " Uhr" } else { "" };
    format!("{}, {time}{hour} ({short})", day(at.date(), language))
}

/// The day of the week in a time zone, in short: `Mo` / `Mon`.
#[must_use]
pub fn weekday(micros: i64, language: &str, zone: &str) -> &'static str {
    const GERMAN: [&str; 7] = ["Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"];
    const ENGLISH: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let date = match (zoned(micros, zone), Timestamp::from_microsecond(micros)) {
        (Some((at, _)), _) => at.date(),
        (None, Ok(at)) => TimeZone::UTC.to_datetime(at).date(),
        (None, Err(_)) => return "",
    };
    let at = usize::try_from(date.weekday().to_monday_zero_offset()).unwrap_or_default();
    let names = if language == "de" { GERMAN } else { ENGLISH };
    names.get(at).copied().unwrap_or_default()
}

/// Whether there is such a time zone: `Europe/Berlin`.
#[must_use]
pub fn is_time_zone(name: &str) -> bool {
    TimeZone::get(name).is_ok()
}

/// The time of a zone and what the zone is called then: `CET`, `CEST`. None for UTC and for what is no zone.
fn zoned(micros: i64, zone: &str) -> Option<(DateTime, String)> {
    if zone.is_empty() || zone == "UTC" {
        return None;
    }
    let zone = TimeZone::get(zone).ok()?;
    let at = Timestamp::from_microsecond(micros).ok()?;
    let short = zone.to_offset_info(at).abbreviation().to_owned();
    Some((zone.to_datetime(at), short))
}

/// A moment without its seconds: `23.11.2026, 09:14 Uhr` / `23 Nov 2026, 09:14`.
#[must_use]
pub fn moment_short(micros: i64, language: &str) -> String {
    let Ok(at) = Timestamp::from_microsecond(micros) else { return micros.to_string() };
    let at = TimeZone::UTC.to_datetime(at);
    let suffix = if language == "de" { " Uhr" } else { "" };
    format!("{}, {:02}:{:02}{suffix}", day(at.date(), language), at.hour(), at.minute())
}

/// A calendar day: `23.11.2026` / `23 Nov 2026`.
#[must_use]
pub fn day(date: Date, language: &str) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = usize::try_from(date.month() - 1).unwrap_or_default();
    match language {
        "de" => format!("{:02}.{:02}.{}", date.day(), date.month(), date.year()),
        _ => format!("{} {} {}", date.day(), MONTHS.get(month).copied().unwrap_or("?"), date.year()),
    }
}

/// How long something took, from microseconds: `0,02 s` / `1 min 5 s`.
#[must_use]
pub fn took(micros: i64, language: &str) -> String {
    let seconds = micros as f64 / 1_000_000.0;
    if seconds >= 60.0 {
        let whole = micros / 1_000_000;
        return format!("{} min {} s", whole / 60, whole % 60);
    }
    let places = if seconds < 0.01 { 4 } else { 2 };
    format!("{} s", decimal_places(seconds, places, language))
}

/// The text form of a stored value, as a person reads it. `currency` is given for fields that hold money.
#[must_use]
pub fn value_text(text: &str, kind: &FieldType, currency: Option<&str>, language: &str) -> String {
    let read = || -> Option<String> {
        Some(match kind {
            FieldType::Boolean => match text {
                "true" | "t" => crate::text::pick(language, "ja", "yes").to_owned(),
                "false" | "f" => crate::text::pick(language, "nein", "no").to_owned(),
                _ => return None,
            },
            FieldType::Integer | FieldType::Bigint => integer(text.parse::<i64>().ok()?.into(), language),
            FieldType::Decimal { .. } => {
                let n = Decimal::from_str(text).ok()?;
                currency.map_or_else(|| decimal(n, language), |c| money(n, c, language))
            }
            FieldType::Double => text.replace('.', if language == "de" { "," } else { "." }),
            FieldType::Timestamp => moment(text.parse::<Timestamp>().ok()?.as_microsecond(), language),
            FieldType::Date => day(text.parse::<Date>().ok()?, language),
            FieldType::Uuid => short_id(text),
            FieldType::Text
            | FieldType::Enum { .. }
            | FieldType::Time
            | FieldType::Json
            | FieldType::Bytes => shortened(text, 160),
        })
    };
    read().unwrap_or_else(|| shortened(text, 160))
}

/// A typed value, as a person reads it; null is empty.
#[must_use]
pub fn value(value: &Value, kind: &FieldType, currency: Option<&str>, language: &str) -> String {
    match (value, currency) {
        (Value::Null, _) => String::new(),
        (Value::Decimal(n), Some(currency)) => money(*n, currency, language),
        (Value::Timestamp(micros), _) => moment_short(*micros, language),
        (other, _) => value_text(&other.as_ref().to_text(), kind, currency, language),
    }
}

/// Whether a field holds an amount of money, by its name and type.
#[must_use]
pub fn is_money(field: &Field) -> bool {
    looks::money(field)
}

/// An id that a person can still tell from another: its last eight characters.
#[must_use]
pub fn short_id(id: &str) -> String {
    let tail: Vec<char> = id.chars().rev().take(8).collect();
    if id.chars().count() <= 8 {
        id.to_owned()
    } else {
        format!("…{}", tail.iter().rev().collect::<String>())
    }
}

fn shortened(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(limit).collect();
    out.push('…');
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn numbers_money_and_moments_read_as_in_the_language() {
        assert_eq!(integer(12_410, "de"), "12.410");
        assert_eq!(integer(-1_000_000, "en"), "-1,000,000");
        let n = Decimal::from_str("1234.50").unwrap();
        assert_eq!(money(n, "EUR", "de"), "1.234,50\u{a0}€");
        assert_eq!(money(n, "EUR", "en"), "€1,234.50");
        assert_eq!(money(n, "CHF", "en"), "CHF\u{a0}1,234.50");
        assert_eq!(money(-n, "EUR", "en"), "-€1,234.50");
        assert_eq!(moment(1_795_425_247_000_000, "de"), "23.11.2026, 09:14:07 Uhr (UTC)");
        assert_eq!(moment(1_795_425_247_000_000, "en"), "23 Nov 2026, 09:14:07 (UTC)");
        assert_eq!(moment_in(1_795_425_247_000_000, "de", "Europe/Berlin"), "23.11.2026, 10:14:07 Uhr (MEZ)");
        assert_eq!(
            moment_in(1_784_000_000_000_000, "de", "Europe/Berlin"),
            "14.07.2026, 05:33:20 Uhr (MESZ)"
        );
        assert_eq!(moment_in(1_795_425_247_000_000, "en", "America/New_York"), "23 Nov 2026, 04:14:07 (EST)");
        assert_eq!(moment_in(1_795_425_247_000_000, "en", "UTC"), "23 Nov 2026, 09:14:07 (UTC)");
        assert_eq!(weekday(1_795_425_247_000_000, "de", "UTC"), "Mo");
        assert_eq!(weekday(1_795_475_247_000_000, "en", "Europe/Berlin"), "Tue");
        assert_eq!(took(20_000, "de"), "0,02 s");
        assert_eq!(took(65_000_000, "en"), "1 min 5 s");
    }

    #[test]
    fn stored_texts_become_readable() {
        let decimal = FieldType::Decimal { precision: 12, scale: 2 };
        assert_eq!(value_text("39.90", &decimal, Some("EUR"), "de"), "39,90\u{a0}€");
        assert_eq!(value_text("7.00", &decimal, None, "de"), "7,00");
        assert_eq!(value_text("true", &FieldType::Boolean, None, "de"), "ja");
        assert_eq!(
            value_text("2026-11-23T09:14:07.123456+00:00", &FieldType::Timestamp, None, "en"),
            "23 Nov 2026, 09:14:07 (UTC)"
        );
        assert_eq!(
            value_text("0199a000-0000-7000-8000-000000000001", &FieldType::Uuid, None, "de"),
            "…00000001"
        );
    }
}
