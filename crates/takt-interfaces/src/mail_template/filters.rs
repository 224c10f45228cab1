//! What a template can do with a value. Amounts and dates are formatted from their text, by the language of the mail.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Output, State, Value, escape_formatter,
    filters::{capitalize, default, first, join, last, length, lower, replace, trim, upper},
    tests::{is_defined, is_eq, is_in, is_none, is_undefined},
    value::ValueKind,
};

/// The name under which a template finds its own language.
pub(super) const LANGUAGE: &str = "lang";

/// The name under which filters find the project's time zone; no field of an event is called like this.
pub(super) const TIME_ZONE: &str = "__time_zone";

/// Keeps an amount and its currency on one line.
const NO_BREAK: char = '\u{a0}';

const GERMAN_MONTHS: [&str; 12] = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
];
const ENGLISH_MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// The names of all filters.
pub(super) const FILTERS: [&str; 12] = [
    "capitalize",
    "date",
    "default",
    "first",
    "join",
    "last",
    "length",
    "lower",
    "money",
    "replace",
    "trim",
    "upper",
];
/// The names of all tests.
pub(super) const TESTS: [&str; 5] = ["defined", "eq", "in", "none", "undefined"];

pub(super) fn add(environment: &mut Environment<'static>) {
    environment.add_filter("money", money);
    environment.add_filter("date", date);
    environment.add_filter("capitalize", capitalize);
    environment.add_filter("default", default);
    environment.add_filter("first", first);
    environment.add_filter("join", join);
    environment.add_filter("last", last);
    environment.add_filter("length", length);
    environment.add_filter("lower", lower);
    environment.add_filter("replace", replace);
    environment.add_filter("trim", trim);
    environment.add_filter("upper", upper);
    environment.add_test("defined", is_defined);
    environment.add_test("undefined", is_undefined);
    environment.add_test("none", is_none);
    environment.add_test("eq", is_eq);
    environment.add_test("in", is_in);
    environment.set_formatter(write);
}

/// A field that is empty in the database prints nothing. A number with a fraction can only come from arithmetic in
/// the template, and is refused: it would not be exact.
fn write(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    match value.kind() {
        ValueKind::None => Ok(()),
        ValueKind::Number if !value.is_integer() => Err(inexact()),
        ValueKind::String if matches!(state.auto_escape(), AutoEscape::Html) && !value.is_safe() => {
            Ok(out.write_str(&escaped(value.as_str().unwrap_or_default()))?)
        }
        _ => escape_formatter(out, state, value),
    }
}

/// As the library does it, but without the slash: some mail programs and scanners do not understand an address like
/// `https:&#x2f;&#x2f;`.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

fn inexact() -> Error {
    Error::new(
        ErrorKind::InvalidOperation,
        "a calculated fraction is not exact; calculate in the logic instead",
    )
}

/// `{{ total | money }}`, `{{ total | money("CHF") }}`
fn money(state: &State<'_, '_>, amount: &Value, currency: Option<&str>) -> Result<String, Error> {
    if matches!(amount.kind(), ValueKind::Number) && !amount.is_integer() {
        return Err(inexact());
    }
    let text = text(amount)?;
    let amount = Amount::read(&text)
        .ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "`money` needs an amount like 12.90"))?;
    Ok(amount.shown(currency.unwrap_or("EUR"), Style::of(state)))
}

/// `{{ created_at | date }}`: the day in the project's time zone, "26. November 2026".
fn date(state: &State<'_, '_>, moment: &Value) -> Result<String, Error> {
    let text = text(moment)?;
    let day = day(&text, &zone(state)).ok_or_else(|| {
        Error::new(ErrorKind::InvalidOperation, "`date` needs a date or a time like 2026-11-26")
    })?;
    let month = usize::from(day.month().unsigned_abs()) - 1;
    Ok(match Style::of(state) {
        Style::English => format!("{} {} {}", day.day(), ENGLISH_MONTHS[month], day.year()),
        Style::German => format!("{}. {} {}", day.day(), GERMAN_MONTHS[month], day.year()),
        Style::Other => day.to_string(),
    })
}

/// The project's time zone; `takt check` has said so if there is no such zone.
fn zone(state: &State<'_, '_>) -> TimeZone {
    let name = state.lookup(TIME_ZONE).map(|z| z.to_string()).unwrap_or_default();
    TimeZone::get(&name).unwrap_or(TimeZone::UTC)
}

fn day(text: &str, zone: &TimeZone) -> Option<Date> {
    match text.parse::<Timestamp>() {
        Ok(moment) => Some(zone.to_datetime(moment).date()),
        Err(_) => text.parse().ok(),
    }
}

fn text(value: &Value) -> Result<String, Error> {
    if value.is_undefined() {
        return Err(ErrorKind::UndefinedError.into());
    }
    Ok(value.to_string())
}

/// How a language writes amounts and dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    German,
    English,
    /// Amounts as in German, which most of Europe shares; dates as numbers.
    Other,
}

impl Style {
    fn of(state: &State<'_, '_>) -> Self {
        let language = state.lookup(LANGUAGE).map(|l| l.to_string()).unwrap_or_default();
        match language.split(['-', '_']).next() {
            Some("de") => Self::German,
            Some("en") => Self::English,
            _ => Self::Other,
        }
    }
}

/// An amount as text: exact, however long.
#[derive(Debug, PartialEq, Eq)]
struct Amount<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
}

impl<'a> Amount<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let (negative, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, fraction) = rest.split_once('.').unwrap_or((rest, ""));
        let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(fraction) || rest.ends_with('.') {
            return None;
        }
        let whole = whole.trim_start_matches('0');
        let fraction = fraction.trim_end_matches('0');
        let negative = negative && !(whole.is_empty() && fraction.is_empty());
        Some(Self { negative, whole: if whole.is_empty() { "0" } else { whole }, fraction })
    }

    /// At least two decimals, and as many as there are: nothing is rounded away.
    fn shown(&self, currency: &str, style: Style) -> String {
        let (group, point) = if style == Style::English { (',', '.') } else { ('.', ',') };
        let sign = if self.negative { "-" } else { "" };
        let number = format!("{}{point}{:0<2}", grouped(self.whole, group), self.fraction);
        let symbol = match currency {
            "EUR" => "€",
            "GBP" => "£",
            "USD" => "$",
            other => other,
        };
        match style {
            Style::English if symbol == currency => format!("{symbol}{NO_BREAK}{sign}{number}"),
            Style::English => format!("{sign}{symbol}{number}"),
            Style::German | Style::Other => format!("{sign}{number}{NO_BREAK}{symbol}"),
        }
    }
}

/// "1234567" -> "1.234.567"
fn grouped(digits: &str, separator: char) -> String {
    let mut out = String::with_capacity(digits.len() * 4 / 3 + 1);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(separator);
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::{Amount, Style, TimeZone, day};

    #[test]
    fn amounts_are_written_as_people_write_them() {
        for (amount, german, english) in [
            ("12.90", "12,90\u{a0}€", "€12.90"),
            ("12.9", "12,90\u{a0}€", "€12.90"),
            ("0", "0,00\u{a0}€", "€0.00"),
            ("-0.00", "0,00\u{a0}€", "€0.00"),
            ("-1234.5", "-1.234,50\u{a0}€", "-€1,234.50"),
            ("007", "7,00\u{a0}€", "€7.00"),
            ("0.125", "0,125\u{a0}€", "€0.125"),
            ("1000000", "1.000.000,00\u{a0}€", "€1,000,000.00"),
            ("9007199254740993.01", "9.007.199.254.740.993,01\u{a0}€", "€9,007,199,254,740,993.01"),
        ] {
            let read = Amount::read(amount).unwrap();
            assert_eq!(read.shown("EUR", Style::German), german);
            assert_eq!(read.shown("EUR", Style::English), english);
        }
        let read = Amount::read("5").unwrap();
        assert_eq!(read.shown("CHF", Style::German), "5,00\u{a0}CHF");
        assert_eq!(read.shown("CHF", Style::English), "CHF\u{a0}5.00");
        for no in ["", "-", ".5", "5.", "1,5", "1e3", "--1", "+1", " 1", "1.2.3", "NaN", "\u{661}"] {
            assert_eq!(Amount::read(no), None, "{no:?}");
        }
    }

    #[test]
    fn days_are_found_in_dates_and_times() {
        for text in [
            "2026-11-26",
            "2026-11-26T21:08:38.123456Z",
            "2026-11-26 23:59:59+00:00",
            "2026-11-27T00:30:00+01:00",
        ] {
            assert_eq!(day(text, &TimeZone::UTC).unwrap().to_string(), "2026-11-26", "{text}");
        }
        for no in ["", "26.11.2026", "2026-13-01", "soon"] {
            assert_eq!(day(no, &TimeZone::UTC), None, "{no:?}");
        }
    }
}
