//! Operands and their types. A literal has no type of its own until it meets a field: `'pending'` beside an enum
//! is a value of that enum, and a wrong one is found here, not by a customer.

use super::{ExprProblem, Parsed};
use crate::expr::{arithmetic, common};
use crate::read::did_you_mean_or_list;
use crate::{ArithmeticOp, Decimal, Expr, FieldType, Value};

/// A part of an expression.
#[derive(Debug, Clone)]
pub(super) enum Operand {
    /// Its type is known.
    Known(Expr, FieldType),
    /// `'...'`
    Text(String),
    /// `12.5`, with its sign
    Number(String),
    /// `null`
    Null,
}

impl Operand {
    /// The expression with the type a literal has by itself.
    pub(super) fn settle(self) -> Parsed<(Expr, FieldType)> {
        match self {
            Self::Known(expr, kind) => Ok((expr, kind)),
            Self::Text(text) => Ok((Expr::Literal(Value::Text(text)), FieldType::Text)),
            Self::Number(text) => number(&text),
            Self::Null => Err(ExprProblem::new("`null` has no type here")),
        }
    }

    /// The expression as something that is compared with `kind`; `other` is what stands on the other side.
    pub(super) fn read_as(self, kind: &FieldType, other: &str) -> Parsed<Expr> {
        match self {
            Self::Null => Ok(Expr::Literal(Value::Null)),
            Self::Text(text) => literal(&text, kind),
            Self::Number(text) => number_as(&text, kind, other),
            Self::Known(expr, own) if common(&own, kind).is_some() => Ok(expr),
            Self::Known(_, own) => Err(ExprProblem::new(format!(
                "{} cannot be compared with `{other}`, which is {}",
                own.name(),
                kind.name()
            ))),
        }
    }

    /// True or false: what `and`, `not` and a policy as a whole want.
    pub(super) fn condition(self, text: &str) -> Parsed<Expr> {
        let kind = match self {
            // "All" and "none" have one form only.
            Self::Known(Expr::Literal(Value::Boolean(true)), _) => return Ok(Expr::yes()),
            Self::Known(Expr::Literal(Value::Boolean(false)), _) => return Ok(Expr::no()),
            Self::Known(expr, FieldType::Boolean) => return Ok(expr),
            Self::Known(_, kind) => kind.name(),
            Self::Text(_) => "a text".to_owned(),
            Self::Number(_) => "a number".to_owned(),
            Self::Null => "null".to_owned(),
        };
        Err(ExprProblem::new(format!("`{text}` is {kind}, but true or false is needed here")))
    }
}

/// Both sides of a comparison, and the type in which they meet.
pub(super) fn pair(left: (Operand, &str), right: (Operand, &str)) -> Parsed<(Expr, Expr, FieldType)> {
    let ((left, left_text), (right, right_text)) = (left, right);
    match (left, right) {
        (Operand::Known(left, ours), Operand::Known(right, theirs)) => {
            let Some(kind) = common(&ours, &theirs) else {
                return Err(ExprProblem::new(format!(
                    "`{left_text}` is {} and cannot be compared with `{right_text}`, which is {}",
                    ours.name(),
                    theirs.name()
                )));
            };
            if left == right && matches!(left, Expr::Column { .. }) {
                let help = "name the row of each side: `orders.id = o.id`".to_owned();
                let message = format!("both sides are the same field `{left_text}`");
                return Err(ExprProblem::new(message).help(help));
            }
            Ok((left, right, kind))
        }
        (Operand::Known(left, kind), right) => Ok((left, right.read_as(&kind, left_text)?, kind)),
        (left, Operand::Known(right, kind)) => Ok((left.read_as(&kind, right_text)?, right, kind)),
        (Operand::Null, right) => settled_beside_null(right).map(|(e, k)| (Expr::Literal(Value::Null), e, k)),
        (left, Operand::Null) => settled_beside_null(left).map(|(e, k)| (e, Expr::Literal(Value::Null), k)),
        (left, right) => {
            let (left, ours) = left.settle()?;
            let (right, theirs) = right.settle()?;
            let kind = common(&ours, &theirs).ok_or_else(|| {
                ExprProblem::new(format!("`{left_text}` cannot be compared with `{right_text}`"))
            })?;
            Ok((left, right, kind))
        }
    }
}

fn settled_beside_null(operand: Operand) -> Parsed<(Expr, FieldType)> {
    match operand {
        Operand::Null => Ok((Expr::Literal(Value::Null), FieldType::Text)),
        other => other.settle(),
    }
}

/// `left op right` on numbers.
pub(super) fn calculate(op: ArithmeticOp, left: (Operand, &str), right: (Operand, &str)) -> Parsed<Operand> {
    let kind_of = |operand: &Operand| match operand {
        Operand::Known(_, kind) => Some(kind.clone()),
        _ => None,
    };
    let (left_kind, right_kind) = (kind_of(&left.0), kind_of(&right.0));
    let (left, ours) = summand(left, right_kind.as_ref())?;
    let (right, theirs) = summand(right, left_kind.as_ref())?;
    let kind = arithmetic(op, &ours, &theirs).ok_or_else(|| {
        ExprProblem::new(format!(
            "{} and {} cannot be calculated with each other",
            ours.name(),
            theirs.name()
        ))
    })?;
    Ok(Operand::Known(Expr::Arithmetic(op, Box::new(left), Box::new(right)), kind))
}

/// A number beside `other`: a literal takes the family of its neighbour.
fn summand((operand, text): (Operand, &str), other: Option<&FieldType>) -> Parsed<(Expr, FieldType)> {
    let settled = match (operand, other) {
        (Operand::Number(number), Some(FieldType::Double)) => {
            (number_as(&number, &FieldType::Double, text)?, FieldType::Double)
        }
        (Operand::Number(number), Some(FieldType::Decimal { .. })) => {
            let value =
                FieldType::Decimal { precision: 18, scale: 18 }.parse_text(&number).map_err(value_problem)?;
            decimal_literal(value)?
        }
        (Operand::Null, _) => return Err(ExprProblem::new("`null` cannot be calculated with")),
        (operand, _) => operand.settle()?,
    };
    match settled.1 {
        FieldType::Integer | FieldType::Bigint | FieldType::Decimal { .. } | FieldType::Double => Ok(settled),
        other => Err(ExprProblem::new(format!("`{text}` is {}, not a number", other.name()))),
    }
}

fn decimal_literal(value: Value) -> Parsed<(Expr, FieldType)> {
    let Value::Decimal(number) = value else { return Err(ExprProblem::new("no number")) };
    let scale = u8::try_from(number.scale())
        .ok()
        .filter(|scale| *scale <= 18)
        .ok_or_else(|| ExprProblem::new(format!("`{number}` has more than 18 digits after the point")))?;
    Ok((Expr::Literal(value), FieldType::Decimal { precision: 18, scale }))
}

/// A number by itself: whole if it has no point, else a decimal.
fn number(text: &str) -> Parsed<(Expr, FieldType)> {
    if let Ok(whole) = text.parse::<i64>() {
        let kind = if i32::try_from(whole).is_ok() { FieldType::Integer } else { FieldType::Bigint };
        return Ok((Expr::Literal(Value::Integer(whole)), kind));
    }
    let value = FieldType::Decimal { precision: 18, scale: 18 }.parse_text(text).map_err(value_problem)?;
    decimal_literal(value)
}

/// A number beside a field of `kind`.
fn number_as(text: &str, kind: &FieldType, other: &str) -> Parsed<Expr> {
    match kind {
        FieldType::Integer | FieldType::Bigint => match number(text)? {
            (literal @ Expr::Literal(Value::Integer(_)), _) => Ok(literal),
            (Expr::Literal(Value::Decimal(number)), _) if number.is_integer() => {
                let whole = i64::try_from(number.mantissa() / 10_i128.pow(number.scale()));
                whole
                    .map(|n| Expr::Literal(Value::Integer(n)))
                    .map_err(|_| ExprProblem::new(format!("`{text}` is out of range for {}", kind.name())))
            }
            _ => Err(ExprProblem::new(format!("`{other}` holds whole numbers and never equals `{text}`"))),
        },
        FieldType::Decimal { .. } | FieldType::Double => literal(text, kind),
        _ => {
            let message =
                format!("`{other}` is {} and cannot be compared with the number {text}", kind.name());
            let help =
                (*kind == FieldType::Text).then(|| format!("a text stands in single quotes: '{text}'"));
            Err(ExprProblem::new(message).help(help))
        }
    }
}

/// A literal's text read as `kind`.
pub(super) fn literal(text: &str, kind: &FieldType) -> Parsed<Expr> {
    let value = kind.parse_text(text).map_err(|error| {
        let problem = value_problem(error);
        match kind {
            FieldType::Enum { values, .. } => {
                problem.help(did_you_mean_or_list(text, values.iter().map(String::as_str)))
            }
            _ => problem,
        }
    })?;
    Ok(Expr::Literal(match (value, kind) {
        (Value::Decimal(number), FieldType::Decimal { scale, .. }) => {
            Value::Decimal(at_scale(number, *scale))
        }
        (value, _) => value,
    }))
}

/// The same number with the field's scale, if that changes nothing: `0` beside `decimal(12,2)` is `0.00`.
fn at_scale(number: Decimal, scale: u8) -> Decimal {
    let mut scaled = number;
    scaled.rescale(u32::from(scale));
    if scaled == number && scaled.scale() == u32::from(scale) { scaled } else { number }
}

pub(super) fn value_problem(error: crate::ValueError) -> ExprProblem {
    ExprProblem::new(error.message)
}
