//! Exact numbers on whole-number storage: a decimal of scale `s` is kept as the integer `value * 10^s`.
//! Lives here: scaling, rounding, comparing, and where a literal with more digits lies between two stored values.

use std::cmp::Ordering;

use rust_decimal::Decimal;
use takt_model::{CompareOp, Value};

/// Where a literal stands among the whole numbers of a scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OnScale {
    /// It is one of them.
    Exact(i64),
    /// It lies above this one and below the next.
    Between(i64),
    /// It is greater than all that can be stored.
    Above,
    /// It is less than all that can be stored.
    Below,
}

/// A value that is an exact number.
pub(super) fn exact(value: &Value) -> Option<Decimal> {
    match value {
        Value::Integer(v) => Some(Decimal::from(*v)),
        Value::Decimal(d) => Some(*d),
        _ => None,
    }
}

/// Whether two values that stand so to each other fit the operator.
pub(super) fn ordered(op: CompareOp, order: Ordering) -> bool {
    match op {
        CompareOp::Eq | CompareOp::NotDistinct => order.is_eq(),
        CompareOp::Ne | CompareOp::Distinct => order.is_ne(),
        CompareOp::Lt => order.is_lt(),
        CompareOp::Le => order.is_le(),
        CompareOp::Gt => order.is_gt(),
        CompareOp::Ge => order.is_ge(),
    }
}

/// `10^exponent`, if it fits.
pub(super) fn ten(exponent: u32) -> Option<i128> {
    10_i128.checked_pow(exponent)
}

/// Where `value` stands on `scale`; `None` for values that are no exact number.
pub(super) fn on_scale(value: &Value, scale: u8) -> Option<OnScale> {
    match value {
        Value::Integer(v) => Some(place(i128::from(*v), 0, scale)),
        Value::Decimal(d) => Some(place(d.mantissa(), d.scale(), scale)),
        _ => None,
    }
}

fn place(mantissa: i128, from: u32, to: u8) -> OnScale {
    let to = u32::from(to);
    if from <= to {
        let scaled = ten(to - from).and_then(|t| mantissa.checked_mul(t));
        return match scaled.map(i64::try_from) {
            Some(Ok(v)) => OnScale::Exact(v),
            _ if mantissa > 0 => OnScale::Above,
            _ => OnScale::Below,
        };
    }
    // A decimal has at most 28 digits after the point, so the divisor always fits.
    let Some(divisor) = ten(from - to) else { return OnScale::Exact(0) };
    let floor = mantissa.div_euclid(divisor);
    match (i64::try_from(floor), mantissa.rem_euclid(divisor)) {
        (Ok(v), 0) => OnScale::Exact(v),
        (Ok(v), _) => OnScale::Between(v),
        _ if floor > 0 => OnScale::Above,
        _ => OnScale::Below,
    }
}

/// `decimal * 10^scale`, rounded half away from zero as PostgreSQL's `numeric` does on assignment.
pub(super) fn rounded(decimal: Decimal, scale: u8) -> Option<i128> {
    let (mantissa, from, to) = (decimal.mantissa(), decimal.scale(), u32::from(scale));
    if from <= to {
        return mantissa.checked_mul(ten(to - from)?);
    }
    let divisor = ten(from - to)?;
    let (quotient, rest) = (mantissa / divisor, mantissa % divisor);
    let away = if rest.abs() * 2 >= divisor { mantissa.signum() } else { 0 };
    Some(quotient + away)
}

/// The nearest floating point number.
pub(super) fn nearest_double(decimal: Decimal) -> f64 {
    // Through text, because only the parser rounds correctly.
    decimal.to_string().parse().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn literals_are_placed_between_the_stored_values() {
        let cases = [
            ("1.10", 2, OnScale::Exact(110)),
            ("1.1", 2, OnScale::Exact(110)),
            ("9.999", 2, OnScale::Between(999)),
            ("-9.999", 2, OnScale::Between(-1000)),
            ("9.990", 2, OnScale::Exact(999)),
            ("0.0000000000000000000000000001", 2, OnScale::Between(0)),
            ("-0.0000000000000000000000000001", 2, OnScale::Between(-1)),
            ("99999999999999999999", 2, OnScale::Above),
            ("-99999999999999999999", 2, OnScale::Below),
            ("79228162514264337593543950335", 18, OnScale::Above),
        ];
        for (text, scale, expected) in cases {
            assert_eq!(on_scale(&Value::Decimal(decimal(text)), scale), Some(expected), "{text}");
        }
        assert_eq!(on_scale(&Value::Integer(i64::MAX), 0), Some(OnScale::Exact(i64::MAX)));
        assert_eq!(on_scale(&Value::Integer(i64::MIN), 2), Some(OnScale::Below));
        assert_eq!(on_scale(&Value::Text(String::new()), 2), None);
    }

    #[test]
    fn assignment_rounds_half_away_from_zero() {
        let cases = [("1.005", 101), ("1.004", 100), ("-1.005", -101), ("-1.004", -100), ("2", 200)];
        for (text, expected) in cases {
            assert_eq!(rounded(decimal(text), 2), Some(expected), "{text}");
        }
    }
}
