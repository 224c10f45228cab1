//! Evaluates checks of inputs, off the writer, without a database. Three-valued as in SQL: only a check that is
//! *false* refuses.

use takt_model::{ArithmeticOp, CompareOp, Decimal, Expr, ScalarFunction, Value};

/// Whether an expression speaks of nothing but the values beside it.
pub(crate) fn is_pure(expr: &Expr) -> bool {
    let mut pure = true;
    expr.walk(&mut |e| {
        pure &= !matches!(
            e,
            Expr::Parameter { .. }
                | Expr::AuthUid
                | Expr::AuthRole
                | Expr::AuthJwt(_)
                | Expr::HasRole(_)
                | Expr::Exists(_)
                | Expr::InQuery(..)
                | Expr::Function(ScalarFunction::Now, _)
        );
    });
    pure
}

/// Whether the check lets the values (by position of their field) through.
pub(crate) fn holds(expr: &Expr, values: &[&Value]) -> bool {
    !matches!(evaluate(expr, values), Value::Boolean(false))
}

fn evaluate(expr: &Expr, values: &[&Value]) -> Value {
    let truth = |e: &Expr| match evaluate(e, values) {
        Value::Boolean(b) => Some(b),
        _ => None,
    };
    let told = |b: Option<bool>| b.map_or(Value::Null, Value::Boolean);
    match expr {
        Expr::Literal(value) => value.clone(),
        Expr::Column { field, .. } => values.get(usize::from(field.0)).map_or(Value::Null, |v| (*v).clone()),
        Expr::And(list) => told(all(list.iter().map(truth))),
        Expr::Or(list) => told(all(list.iter().map(|e| truth(e).map(|b| !b))).map(|b| !b)),
        Expr::Not(e) => told(truth(e).map(|b| !b)),
        Expr::Compare(op, l, r) => told(compare(*op, &evaluate(l, values), &evaluate(r, values))),
        Expr::IsNull(e) => Value::Boolean(evaluate(e, values).is_null()),
        Expr::IsBoolean(e, wanted) => Value::Boolean(truth(e) == Some(*wanted)),
        Expr::In(e, list) => {
            let value = evaluate(e, values);
            let differs = |other: &Expr| compare(CompareOp::Eq, &value, &evaluate(other, values)).map(|b| !b);
            told(all(list.iter().map(differs)).map(|b| !b))
        }
        Expr::Like { expr, pattern, fold_case } => {
            match (evaluate(expr, values), evaluate(pattern, values)) {
                (Value::Text(text), Value::Text(pattern)) => {
                    let fold = |t: String| if *fold_case { t.to_lowercase() } else { t };
                    Value::Boolean(like(&fold(text), &fold(pattern)))
                }
                _ => Value::Null,
            }
        }
        Expr::Arithmetic(op, l, r) => arithmetic(*op, &evaluate(l, values), &evaluate(r, values)),
        Expr::Function(function, arguments) => {
            call(*function, arguments.iter().map(|e| evaluate(e, values)).collect())
        }
        // Refused when the check was read; only requests have parameters.
        Expr::Parameter { .. }
        | Expr::AuthUid
        | Expr::AuthRole
        | Expr::AuthJwt(_)
        | Expr::HasRole(_)
        | Expr::Exists(_)
        | Expr::InQuery(..) => Value::Null,
    }
}

/// SQL's `and`: false wins over unknown, unknown over true.
fn all(list: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut known = true;
    for item in list {
        match item {
            Some(false) => return Some(false),
            Some(true) => {}
            None => known = false,
        }
    }
    known.then_some(true)
}

fn compare(op: CompareOp, l: &Value, r: &Value) -> Option<bool> {
    use std::cmp::Ordering::{Equal, Greater, Less};
    match op {
        CompareOp::Distinct => return Some(!same(l, r)),
        CompareOp::NotDistinct => return Some(same(l, r)),
        _ => {}
    }
    let order = order(l, r)?;
    Some(match op {
        CompareOp::Eq | CompareOp::NotDistinct => order == Equal,
        CompareOp::Ne | CompareOp::Distinct => order != Equal,
        CompareOp::Lt => order == Less,
        CompareOp::Le => order != Greater,
        CompareOp::Gt => order == Greater,
        CompareOp::Ge => order != Less,
    })
}

fn same(l: &Value, r: &Value) -> bool {
    (l.is_null() && r.is_null()) || order(l, r) == Some(std::cmp::Ordering::Equal)
}

fn order(l: &Value, r: &Value) -> Option<std::cmp::Ordering> {
    match (l, r) {
        (Value::Null, _) | (_, Value::Null) => None,
        (Value::Text(a), Value::Text(b)) => Some(a.as_bytes().cmp(b.as_bytes())),
        (Value::Boolean(a), Value::Boolean(b)) => Some(a.cmp(b)),
        (Value::Date(a), Value::Date(b)) => Some(a.cmp(b)),
        (Value::Time(a), Value::Time(b)) => Some(a.cmp(b)),
        (Value::Timestamp(a), Value::Timestamp(b)) => Some(a.cmp(b)),
        (Value::Uuid(a), Value::Uuid(b)) => Some(a.cmp(b)),
        (Value::Bytes(a), Value::Bytes(b)) => Some(a.cmp(b)),
        (Value::Double(_), _) | (_, Value::Double(_)) => double(l)?.partial_cmp(&double(r)?),
        _ => Some(decimal(l)?.cmp(&decimal(r)?)),
    }
}

fn decimal(value: &Value) -> Option<Decimal> {
    match value {
        Value::Integer(v) => Some(Decimal::from(*v)),
        Value::Decimal(v) => Some(*v),
        _ => None,
    }
}

fn double(value: &Value) -> Option<f64> {
    match value {
        Value::Double(v) => Some(*v),
        Value::Integer(v) => Some(*v as f64),
        Value::Decimal(v) => v.to_string().parse().ok(),
        _ => None,
    }
}

fn arithmetic(op: ArithmeticOp, l: &Value, r: &Value) -> Value {
    if let (Value::Double(_), _) | (_, Value::Double(_)) = (l, r) {
        let (Some(a), Some(b)) = (double(l), double(r)) else { return Value::Null };
        return Value::Double(match op {
            ArithmeticOp::Add => a + b,
            ArithmeticOp::Subtract => a - b,
            ArithmeticOp::Multiply => a * b,
        });
    }
    let (Some(a), Some(b)) = (decimal(l), decimal(r)) else { return Value::Null };
    let result = match op {
        ArithmeticOp::Add => a.checked_add(b),
        ArithmeticOp::Subtract => a.checked_sub(b),
        ArithmeticOp::Multiply => a.checked_mul(b),
    };
    result.map_or(Value::Null, Value::Decimal)
}

fn call(function: ScalarFunction, arguments: Vec<Value>) -> Value {
    if function == ScalarFunction::Coalesce {
        return arguments.into_iter().find(|v| !v.is_null()).unwrap_or(Value::Null);
    }
    match (function, arguments.into_iter().next()) {
        (ScalarFunction::Lower, Some(Value::Text(t))) => Value::Text(t.to_lowercase()),
        (ScalarFunction::Upper, Some(Value::Text(t))) => Value::Text(t.to_uppercase()),
        (ScalarFunction::Length, Some(Value::Text(t))) => {
            Value::Integer(i64::try_from(t.chars().count()).unwrap_or(i64::MAX))
        }
        (ScalarFunction::Trim, Some(Value::Text(t))) => Value::Text(t.trim_matches(' ').to_owned()),
        (ScalarFunction::Abs, Some(Value::Integer(v))) => v.checked_abs().map_or(Value::Null, Value::Integer),
        (ScalarFunction::Abs, Some(Value::Decimal(v))) => Value::Decimal(v.abs()),
        (ScalarFunction::Abs, Some(Value::Double(v))) => Value::Double(v.abs()),
        _ => Value::Null,
    }
}

/// SQL's `like`: `%` any run, `_` one character, `\` takes the next one as it is.
fn like(text: &str, pattern: &str) -> bool {
    enum Part {
        Any,
        One,
        Exactly(char),
    }
    let mut parts = Vec::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        parts.push(match c {
            '%' => Part::Any,
            '_' => Part::One,
            '\\' => Part::Exactly(chars.next().unwrap_or('\\')),
            c => Part::Exactly(c),
        });
    }
    let text: Vec<char> = text.chars().collect();
    // Remembers the last `%` and goes back there: at most text times pattern steps.
    let (mut t, mut p, mut back) = (0, 0, None);
    while t < text.len() {
        match parts.get(p) {
            Some(Part::Any) => {
                back = Some((p, t));
                p += 1;
            }
            Some(Part::One) => (t, p) = (t + 1, p + 1),
            Some(Part::Exactly(c)) if *c == text[t] => (t, p) = (t + 1, p + 1),
            _ => match back {
                Some((any, from)) => {
                    back = Some((any, from + 1));
                    (t, p) = (from + 1, any + 1);
                }
                None => return false,
            },
        }
    }
    parts[p..].iter().all(|part| matches!(part, Part::Any))
}

#[cfg(test)]
mod tests {
    use super::like;

    #[test]
    fn like_is_sqls() {
        for (text, pattern, fits) in [
            ("abc", "abc", true),
            ("abc", "a%", true),
            ("abc", "%c", true),
            ("abc", "a_c", true),
            ("abc", "a_", false),
            ("", "%", true),
            ("", "_", false),
            ("a%c", "a\\%c", true),
            ("abc", "a\\%c", false),
            ("aaaaab", "%a%a%b", true),
            ("aaaaaa", "%a%a%b", false),
        ] {
            assert_eq!(like(text, pattern), fits, "{text} like {pattern}");
        }
    }
}
