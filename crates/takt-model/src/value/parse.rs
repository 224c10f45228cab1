//! Literals to values: of URLs, CSV cells and JSON bodies, with PostgreSQL's messages and codes.
//! Numbers with a point never pass through floating point.

use rust_decimal::{Decimal, RoundingStrategy};
use uuid::Uuid;

use super::moment::{self, Fault};
use super::{Value, ValueError};
use crate::FieldType;

impl FieldType {
    /// Reads a literal of the URL or of a CSV cell. A decimal stays exactly as written (see [`FieldType::coerce`]).
    ///
    /// # Errors
    /// `22P02` for a malformed literal (dates and times: `22007`), `22003` out of range, `22008` for an impossible
    /// date, `22P05` for NUL.
    pub fn parse_text(&self, text: &str) -> Result<Value, ValueError> {
        if text.contains('\0') {
            return Err(nul());
        }
        match self {
            Self::Text => Ok(Value::Text(text.to_owned())),
            Self::Enum { .. } => self.enum_value(text.to_owned()),
            Self::Integer => self.whole(text, i64::from(i32::MIN)..=i64::from(i32::MAX)),
            Self::Bigint => self.whole(text, i64::MIN..=i64::MAX),
            Self::Decimal { .. } => decimal(text.trim()).map(Value::Decimal).map_err(|fault| match fault {
                DecimalFault::Syntax => self.invalid(text),
                DecimalFault::Range => error("22003", "value overflows numeric format".to_owned()),
            }),
            Self::Double => self.double(text),
            Self::Boolean => boolean(text.trim()).map(Value::Boolean).ok_or_else(|| self.invalid(text)),
            Self::Date => moment::parse_date(text).map(Value::Date).map_err(|f| self.moment(f, text)),
            Self::Time => moment::parse_time(text).map(Value::Time).map_err(|f| self.moment(f, text)),
            Self::Timestamp => {
                moment::parse_timestamp(text).map(Value::Timestamp).map_err(|f| self.moment(f, text))
            }
            Self::Uuid => uuid(text.trim()).map(Value::Uuid).ok_or_else(|| self.invalid(text)),
            Self::Json => json(text),
            Self::Bytes => bytes(text).map(Value::Bytes),
        }
    }

    /// Reads a JSON value of a body. Numbers may come as strings; decimals never pass through floating point.
    /// As PostgreSQL does, anything but null is taken as its text, except for `json`, which keeps the value.
    ///
    /// # Errors
    /// As [`FieldType::parse_text`].
    pub fn parse_json(&self, json: &serde_json::Value) -> Result<Value, ValueError> {
        use serde_json::Value as Json;
        match (self, json) {
            (_, Json::Null) => Ok(Value::Null),
            (Self::Json, _) if has_nul(json) => Err(nul()),
            (Self::Json, _) => Ok(Value::Json(json.to_string())),
            (_, Json::String(text)) => self.parse_text(text),
            (Self::Boolean, Json::Bool(value)) => Ok(Value::Boolean(*value)),
            (_, Json::Number(number)) => self.parse_text(number.as_str()),
            (_, other) => self.parse_text(&other.to_string()),
        }
    }

    /// Makes `value` fit a field of this type for storing: decimals are rounded half away from zero to the
    /// field's scale, whole numbers are checked against its range, texts are read as literals.
    ///
    /// # Errors
    /// `22003` when it does not fit, `42804` when it is of another type, else as [`FieldType::parse_text`].
    pub fn coerce(&self, value: Value) -> Result<Value, ValueError> {
        match (self, value) {
            (_, Value::Null) => Ok(Value::Null),
            (Self::Text, value @ Value::Text(_)) if has_nul_text(&value) => Err(nul()),
            (Self::Text, value @ Value::Text(_))
            | (Self::Bigint, value @ Value::Integer(_))
            | (Self::Double, value @ Value::Double(_))
            | (Self::Boolean, value @ Value::Boolean(_))
            | (Self::Date, value @ Value::Date(_))
            | (Self::Time, value @ Value::Time(_))
            | (Self::Timestamp, value @ Value::Timestamp(_))
            | (Self::Uuid, value @ Value::Uuid(_))
            | (Self::Json, value @ Value::Json(_))
            | (Self::Bytes, value @ Value::Bytes(_)) => Ok(value),
            (Self::Enum { .. }, Value::Text(text)) => self.enum_value(text),
            (Self::Integer, Value::Integer(number)) => match i32::try_from(number) {
                Ok(_) => Ok(Value::Integer(number)),
                Err(_) => Err(error("22003", "integer out of range".to_owned())),
            },
            (Self::Decimal { precision, scale }, Value::Decimal(number)) => {
                fit_decimal(number, *precision, *scale).map(Value::Decimal)
            }
            (Self::Decimal { precision, scale }, Value::Integer(number)) => {
                fit_decimal(Decimal::from(number), *precision, *scale).map(Value::Decimal)
            }
            #[expect(clippy::cast_precision_loss, reason = "as in PostgreSQL, the nearest double is stored")]
            (Self::Double, Value::Integer(number)) => Ok(Value::Double(number as f64)),
            (_, Value::Text(text)) => self.parse_text(&text).and_then(|value| self.coerce(value)),
            (_, other) => Err(error(
                "42804",
                format!("a value of type {} does not fit type {}", other.type_name(), self.sql_name()),
            )),
        }
    }

    fn whole(&self, text: &str, range: std::ops::RangeInclusive<i64>) -> Result<Value, ValueError> {
        let trimmed = text.trim();
        let digits = trimmed.strip_prefix(['-', '+']).unwrap_or(trimmed);
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(self.invalid(text));
        }
        match trimmed.parse::<i64>() {
            Ok(number) if range.contains(&number) => Ok(Value::Integer(number)),
            _ => {
                Err(error("22003", format!("value \"{text}\" is out of range for type {}", self.sql_name())))
            }
        }
    }

    fn double(&self, text: &str) -> Result<Value, ValueError> {
        let trimmed = text.trim();
        let number: f64 = trimmed.parse().map_err(|_| self.invalid(text))?;
        let said_infinite = trimmed.bytes().any(|b| b.eq_ignore_ascii_case(&b'n'));
        let mantissa = trimmed.split(['e', 'E']).next().unwrap_or_default();
        let underflow = number == 0.0 && mantissa.bytes().any(|b| (b'1'..=b'9').contains(&b));
        if underflow || (number.is_infinite() && !said_infinite) {
            return Err(error("22003", format!("\"{trimmed}\" is out of range for type double precision")));
        }
        Ok(Value::Double(number))
    }

    fn enum_value(&self, text: String) -> Result<Value, ValueError> {
        match self {
            Self::Enum { values, .. } if values.contains(&text) => Ok(Value::Text(text)),
            _ => Err(error("22P02", format!("invalid input value for enum {}: \"{text}\"", self.sql_name()))),
        }
    }

    fn invalid(&self, text: &str) -> ValueError {
        error("22P02", format!("invalid input syntax for type {}: \"{text}\"", self.sql_name()))
    }

    fn moment(&self, fault: Fault, text: &str) -> ValueError {
        match fault {
            Fault::Syntax => ValueError { code: "22007", ..self.invalid(text) },
            Fault::Range => error("22008", format!("date/time field value out of range: \"{text}\"")),
            Fault::Zone => error("22009", format!("time zone displacement out of range: \"{text}\"")),
        }
    }
}

impl Value {
    fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "boolean",
            Self::Integer(_) => "bigint",
            Self::Double(_) => "double precision",
            Self::Decimal(_) => "numeric",
            Self::Text(_) => "text",
            Self::Date(_) => "date",
            Self::Time(_) => "time",
            Self::Timestamp(_) => "timestamp with time zone",
            Self::Uuid(_) => "uuid",
            Self::Json(_) => "json",
            Self::Bytes(_) => "bytea",
        }
    }
}

fn error(code: &'static str, message: String) -> ValueError {
    ValueError { code, message }
}

fn nul() -> ValueError {
    error("22P05", "unsupported Unicode escape sequence".to_owned())
}

fn has_nul_text(value: &Value) -> bool {
    matches!(value, Value::Text(text) if text.contains('\0'))
}

fn has_nul(json: &serde_json::Value) -> bool {
    use serde_json::Value as Json;
    match json {
        Json::String(text) => text.contains('\0'),
        Json::Array(list) => list.iter().any(has_nul),
        Json::Object(map) => map.iter().any(|(key, value)| key.contains('\0') || has_nul(value)),
        Json::Null | Json::Bool(_) | Json::Number(_) => false,
    }
}

/// PostgreSQL takes every beginning of these words that is no beginning of another.
fn boolean(text: &str) -> Option<bool> {
    let text = text.to_ascii_lowercase();
    let starts = |word: &str, least: usize| text.len() >= least && word.starts_with(&text);
    match text.as_str() {
        "1" => Some(true),
        "0" => Some(false),
        _ if starts("true", 1) || starts("yes", 1) || starts("on", 2) => Some(true),
        _ if starts("false", 1) || starts("no", 1) || starts("off", 2) => Some(false),
        _ => None,
    }
}

/// Upper and lower case, with or without hyphens or braces; no `urn:`.
fn uuid(text: &str) -> Option<Uuid> {
    if text.starts_with("urn") { None } else { Uuid::try_parse(text).ok() }
}

/// The text is kept as written, as PostgreSQL's `json` does.
fn json(text: &str) -> Result<Value, ValueError> {
    let trimmed = text.trim();
    let invalid = |_| error("22P02", "invalid input syntax for type json".to_owned());
    if trimmed.contains("\\u0000") {
        let parsed: serde_json::Value = serde_json::from_str(trimmed).map_err(invalid)?;
        if has_nul(&parsed) {
            return Err(nul());
        }
    }
    serde_json::from_str::<serde::de::IgnoredAny>(trimmed).map_err(invalid)?;
    Ok(Value::Json(trimmed.to_owned()))
}

/// `\xdead` or PostgreSQL's older form, where `\\` is a backslash and `\001` a byte in octal digits.
fn bytes(text: &str) -> Result<Vec<u8>, ValueError> {
    if let Some(hex) = text.strip_prefix("\\x").or_else(|| text.strip_prefix("\\X")) {
        return hex_bytes(hex);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        match rest {
            [b'\\', after @ ..] => {
                out.push(b'\\');
                rest = after;
            }
            [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..] => {
                out.push((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'));
                rest = after;
            }
            _ => return Err(error("22P02", "invalid input syntax for type bytea".to_owned())),
        }
    }
    Ok(out)
}

fn hex_bytes(hex: &str) -> Result<Vec<u8>, ValueError> {
    let mut out = Vec::with_capacity(hex.len() / 2);
    let mut half = None;
    for c in hex.chars().filter(|c| !c.is_ascii_whitespace()) {
        let digit = c
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
            .ok_or_else(|| error("22023", format!("invalid hexadecimal digit: \"{c}\"")))?;
        half = match half {
            None => Some(digit),
            Some(high) => {
                out.push(high * 16 + digit);
                None
            }
        };
    }
    match half {
        None => Ok(out),
        Some(_) => Err(error("22023", "invalid hexadecimal data: odd number of digits".to_owned())),
    }
}

/// Why a text is no exact number.
enum DecimalFault {
    Syntax,
    Range,
}

/// Exactly the number that is written, or a fault: a rounded literal in a filter would find wrong rows.
fn decimal(text: &str) -> Result<Decimal, DecimalFault> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (number, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, exponent.parse::<i32>().map_err(|_| DecimalFault::Syntax)?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let is_number = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) || whole.len() + fraction.len() == 0 {
        return Err(DecimalFault::Syntax);
    }
    let mut digits = format!("{whole}{fraction}");
    let mut scale = i64::try_from(fraction.len()).map_err(|_| DecimalFault::Range)? - i64::from(exponent);
    while scale > 28 && digits.len() > 1 && digits.ends_with('0') {
        digits.pop();
        scale -= 1;
    }
    let significant = digits.trim_start_matches('0');
    if significant.is_empty() {
        return Decimal::try_from_i128_with_scale(0, scale.clamp(0, 28) as u32)
            .map_err(|_| DecimalFault::Range);
    }
    let zeros = usize::try_from(-scale).unwrap_or(0);
    if significant.len().saturating_add(zeros) > 30 {
        return Err(DecimalFault::Range);
    }
    let digits = format!("{significant}{:0<zeros$}", "");
    let mantissa: i128 = digits.parse().map_err(|_| DecimalFault::Range)?;
    let scale = u32::try_from(scale.max(0)).map_err(|_| DecimalFault::Range)?;
    Decimal::try_from_i128_with_scale(if negative { -mantissa } else { mantissa }, scale)
        .map_err(|_| DecimalFault::Range)
}

fn fit_decimal(number: Decimal, precision: u8, scale: u8) -> Result<Decimal, ValueError> {
    let overflow = || error("22003", "numeric field overflow".to_owned());
    let rounded = number.round_dp_with_strategy(u32::from(scale), RoundingStrategy::MidpointAwayFromZero);
    // The scaled mantissa counts the digits; it is computed here because `rescale` gives up silently.
    let missing = u32::from(scale).saturating_sub(rounded.scale());
    let mantissa =
        10_i128.checked_pow(missing).and_then(|f| rounded.mantissa().checked_mul(f)).ok_or_else(overflow)?;
    if mantissa.unsigned_abs() >= 10_u128.pow(u32::from(precision).min(38)) {
        return Err(overflow());
    }
    Decimal::try_from_i128_with_scale(mantissa, u32::from(scale)).map_err(|_| overflow())
}
