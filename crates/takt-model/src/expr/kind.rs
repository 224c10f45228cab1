//! Which type an expression has. Used by the reader of expressions for its checks, and by whoever lowers them:
//! a decimal's scale decides how it is stored.

use super::{ArithmeticOp, Expr, ScalarFunction};
use crate::{FieldType, Project, Value};

impl Expr {
    /// The type of the value of this expression; `None` for a literal `null`.
    /// Whole numbers count as `bigint` once they are calculated with, decimals keep the scale they need.
    #[must_use]
    pub fn kind(&self, project: &Project) -> Option<FieldType> {
        match self {
            Self::Literal(value) => literal(value),
            Self::Column { table, field, .. } | Self::Parameter { table, field, .. } => {
                Some(project.get(*table).get(*field).kind.clone())
            }
            Self::AuthUid => Some(FieldType::Uuid),
            Self::AuthRole | Self::AuthJwt(_) => Some(FieldType::Text),
            Self::HasRole(_)
            | Self::And(_)
            | Self::Or(_)
            | Self::Not(_)
            | Self::Compare(..)
            | Self::IsNull(_)
            | Self::IsBoolean(..)
            | Self::In(..)
            | Self::Like { .. }
            | Self::Exists(_)
            | Self::InQuery(..) => Some(FieldType::Boolean),
            Self::Arithmetic(op, left, right) => match (left.kind(project), right.kind(project)) {
                (Some(left), Some(right)) => arithmetic(*op, &left, &right),
                _ => None,
            },
            Self::Function(function, arguments) => called(*function, arguments, project),
        }
    }
}

fn called(function: ScalarFunction, arguments: &[Expr], project: &Project) -> Option<FieldType> {
    match function {
        ScalarFunction::Lower | ScalarFunction::Upper | ScalarFunction::Trim => Some(FieldType::Text),
        ScalarFunction::Length => Some(FieldType::Integer),
        ScalarFunction::Now => Some(FieldType::Timestamp),
        ScalarFunction::Abs => arguments.first()?.kind(project),
        ScalarFunction::Coalesce => {
            arguments.iter().filter_map(|a| a.kind(project)).reduce(|a, b| common(&a, &b).unwrap_or(a))
        }
    }
}

fn literal(value: &Value) -> Option<FieldType> {
    Some(match value {
        Value::Null => return None,
        Value::Boolean(_) => FieldType::Boolean,
        Value::Integer(number) if i32::try_from(*number).is_ok() => FieldType::Integer,
        Value::Integer(_) => FieldType::Bigint,
        Value::Double(_) => FieldType::Double,
        Value::Decimal(number) => {
            FieldType::Decimal { precision: 18, scale: u8::try_from(number.scale()).unwrap_or(28) }
        }
        Value::Text(_) => FieldType::Text,
        Value::Date(_) => FieldType::Date,
        Value::Time(_) => FieldType::Time,
        Value::Timestamp(_) => FieldType::Timestamp,
        Value::Uuid(_) => FieldType::Uuid,
        Value::Json(_) => FieldType::Json,
        Value::Bytes(_) => FieldType::Bytes,
    })
}

/// The type of a calculation; `None` when the two cannot be calculated with.
pub(crate) fn arithmetic(op: ArithmeticOp, left: &FieldType, right: &FieldType) -> Option<FieldType> {
    let number = |kind: &FieldType| scale(kind).is_some() || *kind == FieldType::Double;
    if !number(left) || !number(right) {
        return None;
    }
    Some(match (op, common(left, right)?) {
        (ArithmeticOp::Multiply, FieldType::Decimal { .. }) => {
            FieldType::Decimal { precision: 18, scale: scale(left)?.saturating_add(scale(right)?) }
        }
        (_, FieldType::Decimal { scale, .. }) => FieldType::Decimal { precision: 18, scale },
        (_, FieldType::Integer) => FieldType::Bigint,
        (_, kind) => kind,
    })
}

/// Digits after the point of an exact number.
fn scale(kind: &FieldType) -> Option<u8> {
    match kind {
        FieldType::Integer | FieldType::Bigint => Some(0),
        FieldType::Decimal { scale, .. } => Some(*scale),
        _ => None,
    }
}

/// The type in which values of the two can be compared; `None` if there is none.
/// Doubles and decimals do not meet: one of them would lose its meaning.
pub(crate) fn common(left: &FieldType, right: &FieldType) -> Option<FieldType> {
    use FieldType as F;
    match (left, right) {
        (F::Text | F::Enum { .. }, F::Text | F::Enum { .. }) => {
            Some(if left == right { left.clone() } else { F::Text })
        }
        (F::Integer, F::Integer) => Some(F::Integer),
        (F::Integer | F::Bigint, F::Integer | F::Bigint) => Some(F::Bigint),
        (F::Double, F::Double | F::Integer | F::Bigint) | (F::Integer | F::Bigint, F::Double) => {
            Some(F::Double)
        }
        (F::Decimal { .. }, _) | (_, F::Decimal { .. }) => {
            Some(F::Decimal { precision: 18, scale: scale(left)?.max(scale(right)?) })
        }
        _ => (left == right).then(|| left.clone()),
    }
}
