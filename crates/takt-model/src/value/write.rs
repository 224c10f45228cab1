//! The forms of values on the wire: `2024-01-02T01:04:05.12+00:00`, `12.90`, `"\\xdead"`.
//! This is the hot path of every answer: digits and escapes are written by hand, nothing is allocated.

use std::io::Write as _;

use rust_decimal::Decimal;

use super::{ValueRef, moment};

pub(super) fn json(value: ValueRef<'_>, out: &mut Vec<u8>) {
    match value {
        ValueRef::Null => out.extend_from_slice(b"null"),
        ValueRef::Text(v) => json_string(v, out),
        ValueRef::Json(v) => out.extend_from_slice(v.as_bytes()),
        ValueRef::Bytes(v) => {
            out.extend_from_slice(b"\"\\\\x");
            hex(v, out);
            out.push(b'"');
        }
        ValueRef::Double(v) if !v.is_finite() => quoted(value, out),
        ValueRef::Date(_) | ValueRef::Time(_) | ValueRef::Timestamp(_) | ValueRef::Uuid(_) => {
            quoted(value, out)
        }
        ValueRef::Boolean(_) | ValueRef::Integer(_) | ValueRef::Double(_) | ValueRef::Decimal(_) => {
            text(value, out)
        }
    }
}

/// For forms that never need escaping.
fn quoted(value: ValueRef<'_>, out: &mut Vec<u8>) {
    out.push(b'"');
    text(value, out);
    out.push(b'"');
}

pub(super) fn text(value: ValueRef<'_>, out: &mut Vec<u8>) {
    match value {
        ValueRef::Null => {}
        ValueRef::Boolean(v) => out.extend_from_slice(if v { b"true" } else { b"false" }),
        ValueRef::Integer(v) => integer(v, out),
        ValueRef::Double(v) => double(v, out),
        ValueRef::Decimal(v) => decimal(v, out),
        ValueRef::Text(v) | ValueRef::Json(v) => out.extend_from_slice(v.as_bytes()),
        ValueRef::Date(v) => moment::write_date(v, out),
        ValueRef::Time(v) => moment::write_time(v, out),
        ValueRef::Timestamp(v) => moment::write_timestamp(v, out),
        ValueRef::Uuid(v) => {
            let mut buffer = [0; uuid::fmt::Hyphenated::LENGTH];
            out.extend_from_slice(v.hyphenated().encode_lower(&mut buffer).as_bytes());
        }
        ValueRef::Bytes(v) => {
            out.extend_from_slice(b"\\x");
            hex(v, out);
        }
    }
}

/// How each byte is written inside a JSON string: 0 as it is, `u` as `\u00xx`, else a backslash and this letter.
const ESCAPE: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = b'u';
        byte += 1;
    }
    table[0x08] = b'b';
    table[b'\t' as usize] = b't';
    table[b'\n' as usize] = b'n';
    table[0x0c] = b'f';
    table[b'\r' as usize] = b'r';
    table[b'"' as usize] = b'"';
    table[b'\\' as usize] = b'\\';
    table
};

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Copies in runs between the bytes that must be escaped; most texts are one run.
pub(super) fn json_string(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    let mut run = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        let escape = ESCAPE[usize::from(byte)];
        if escape == 0 {
            continue;
        }
        out.extend_from_slice(&bytes[run..at]);
        run = at + 1;
        if escape == b'u' {
            out.extend_from_slice(b"\\u00");
            hex(&[byte], out);
        } else {
            out.extend_from_slice(&[b'\\', escape]);
        }
    }
    out.extend_from_slice(&bytes[run..]);
    out.push(b'"');
}

fn hex(bytes: &[u8], out: &mut Vec<u8>) {
    out.reserve(bytes.len() * 2);
    for byte in bytes {
        out.extend_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
    }
}

/// The digits of `number`, right-aligned in `buffer`, at least `width` of them.
fn digits(mut number: u64, width: usize, buffer: &mut [u8; 20]) -> &[u8] {
    let mut at = buffer.len();
    while at > 0 && (number > 0 || buffer.len() - at < width.max(1)) {
        at -= 1;
        buffer[at] = b'0' + (number % 10) as u8;
        number /= 10;
    }
    &buffer[at..]
}

/// `number` with at least `width` digits.
pub(super) fn padded(number: u64, width: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(digits(number, width, &mut [0; 20]));
}

fn integer(number: i64, out: &mut Vec<u8>) {
    if number < 0 {
        out.push(b'-');
    }
    padded(number.unsigned_abs(), 1, out);
}

/// All digits of the scale, as PostgreSQL writes `numeric(p,s)`: `1.10`.
fn decimal(number: Decimal, out: &mut Vec<u8>) {
    let scale = number.scale() as usize;
    // Fields have at most 18 digits; a longer literal takes the slow road.
    let (Ok(mantissa), true) = (u64::try_from(number.mantissa().unsigned_abs()), scale < 19) else {
        // Writing into a vector cannot fail.
        let _ = write!(out, "{number}");
        return;
    };
    if number.is_sign_negative() && mantissa != 0 {
        out.push(b'-');
    }
    let mut buffer = [0; 20];
    let all = digits(mantissa, scale + 1, &mut buffer);
    let (whole, fraction) = all.split_at(all.len() - scale);
    out.extend_from_slice(whole);
    if !fraction.is_empty() {
        out.push(b'.');
        out.extend_from_slice(fraction);
    }
}

/// The shortest form that reads back as the same number, with PostgreSQL's spelling: `0.1`, `1e+20`, `NaN`.
fn double(number: f64, out: &mut Vec<u8>) {
    if number.is_nan() {
        return out.extend_from_slice(b"NaN");
    }
    if number.is_infinite() {
        return out.extend_from_slice(if number > 0.0 { b"Infinity" } else { b"-Infinity" });
    }
    let size = number.abs();
    // Writing into a vector cannot fail.
    if size == 0.0 || (1e-4..1e15).contains(&size) {
        let _ = write!(out, "{number}");
        return;
    }
    let start = out.len();
    let _ = write!(out, "{number:e}");
    let Some(e) = out[start..].iter().position(|b| *b == b'e').map(|e| start + e + 1) else { return };
    let negative = out.get(e) == Some(&b'-');
    if negative {
        out.remove(e);
    }
    out.insert(e, if negative { b'-' } else { b'+' });
    if out.len() - e == 2 {
        out.insert(e + 1, b'0');
    }
}
