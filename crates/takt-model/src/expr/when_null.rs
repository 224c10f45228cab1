//! What a condition can become when one field of its row is null: for references that are set to null by a delete
//! elsewhere, where no check is asked again.
//!
//! Every other value is unknown, so the answer is a set of outcomes. It may hold more than can happen, never less.

use super::{CompareOp, Expr, ScalarFunction};
use crate::{FieldId, Table, Value};

/// Whether the condition could be false for a row that satisfied it until `field` became null. Conjuncts that do not
/// read the field stay as they were.
pub(crate) fn breaks(condition: &Expr, table: &Table, field: FieldId) -> bool {
    match condition {
        Expr::And(list) => list.iter().any(|part| breaks(part, table, field)),
        part => part.fields_at(0).contains(&field) && Row { table, field }.outcomes(part).no,
    }
}

/// The row, as far as it is known.
struct Row<'r> {
    table: &'r Table,
    field: FieldId,
}

/// What is known of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    Null,
    Present,
    Nothing,
}

/// What a condition can come out as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Outcomes {
    yes: bool,
    no: bool,
    null: bool,
}

impl Outcomes {
    const YES: Self = Self { yes: true, no: false, null: false };
    const NO: Self = Self { yes: false, no: true, null: false };
    const NULL: Self = Self { yes: false, no: false, null: true };
    const YES_OR_NO: Self = Self { yes: true, no: true, null: false };
    const ANY: Self = Self { yes: true, no: true, null: true };

    /// Of a comparison, or of anything else that is null if and only if one of its values is.
    fn of(values: impl IntoIterator<Item = Known>) -> Self {
        values.into_iter().fold(Self::YES_OR_NO, |so_far, value| match value {
            Known::Present => so_far,
            Known::Null => Self::NULL,
            Known::Nothing if so_far == Self::NULL => Self::NULL,
            Known::Nothing => Self::ANY,
        })
    }

    fn not(self) -> Self {
        Self { yes: self.no, no: self.yes, ..self }
    }

    fn and(self, other: Self) -> Self {
        let not_false = |o: Self| o.yes || o.null;
        Self {
            yes: self.yes && other.yes,
            no: self.no || other.no,
            null: (self.null && not_false(other)) || (other.null && not_false(self)),
        }
    }

    fn or(self, other: Self) -> Self {
        self.not().and(other.not()).not()
    }
}

impl Row<'_> {
    fn outcomes(&self, condition: &Expr) -> Outcomes {
        match condition {
            Expr::And(list) => list.iter().map(|e| self.outcomes(e)).fold(Outcomes::YES, Outcomes::and),
            Expr::Or(list) => list.iter().map(|e| self.outcomes(e)).fold(Outcomes::NO, Outcomes::or),
            Expr::Not(e) => self.outcomes(e).not(),
            Expr::IsNull(e) => match self.known(e) {
                Known::Null => Outcomes::YES,
                Known::Present => Outcomes::NO,
                Known::Nothing => Outcomes::YES_OR_NO,
            },
            Expr::IsBoolean(e, wanted) => is_boolean(self.outcomes(e), *wanted),
            Expr::Compare(op, left, right) => self.compared(*op, left, right),
            Expr::In(e, list) => list
                .iter()
                .map(|item| Outcomes::of([self.known(e), self.known(item)]))
                .fold(Outcomes::NO, Outcomes::or),
            Expr::Like { expr, pattern, .. } => Outcomes::of([self.known(expr), self.known(pattern)]),
            Expr::Literal(Value::Boolean(true)) => Outcomes::YES,
            Expr::Literal(Value::Boolean(false)) => Outcomes::NO,
            Expr::HasRole(_) | Expr::Exists(_) => Outcomes::YES_OR_NO,
            Expr::InQuery(..) => Outcomes::ANY,
            Expr::Literal(_)
            | Expr::Parameter { .. }
            | Expr::Column { .. }
            | Expr::AuthUid
            | Expr::AuthRole
            | Expr::AuthJwt(_)
            | Expr::Arithmetic(..)
            | Expr::Function(..) => Outcomes::of([self.known(condition)]),
        }
    }

    fn compared(&self, op: CompareOp, left: &Expr, right: &Expr) -> Outcomes {
        let values = [self.known(left), self.known(right)];
        let distinct = match values {
            [Known::Null, Known::Null] => Outcomes::NO,
            [Known::Null, Known::Present] | [Known::Present, Known::Null] => Outcomes::YES,
            _ => Outcomes::YES_OR_NO,
        };
        match op {
            CompareOp::Distinct => distinct,
            CompareOp::NotDistinct => distinct.not(),
            CompareOp::Eq | CompareOp::Ne | CompareOp::Lt | CompareOp::Le | CompareOp::Gt | CompareOp::Ge => {
                Outcomes::of(values)
            }
        }
    }

    fn known(&self, value: &Expr) -> Known {
        match value {
            Expr::Literal(Value::Null) => Known::Null,
            Expr::Literal(_) | Expr::AuthRole | Expr::HasRole(_) => Known::Present,
            Expr::Column { scope: 0, field, .. } if *field == self.field => Known::Null,
            Expr::Column { scope: 0, field, .. } if self.table.get(*field).required => Known::Present,
            Expr::Parameter { .. } | Expr::Column { .. } | Expr::AuthUid | Expr::AuthJwt(_) => Known::Nothing,
            Expr::Arithmetic(_, left, right) => self.strict([left.as_ref(), right.as_ref()]),
            Expr::Function(ScalarFunction::Now, _) => Known::Present,
            Expr::Function(ScalarFunction::Coalesce, arguments) => self.first_present(arguments),
            Expr::Function(
                ScalarFunction::Lower
                | ScalarFunction::Upper
                | ScalarFunction::Length
                | ScalarFunction::Trim
                | ScalarFunction::Abs,
                arguments,
            ) => self.strict(arguments),
            Expr::And(_)
            | Expr::Or(_)
            | Expr::Not(_)
            | Expr::Compare(..)
            | Expr::IsNull(_)
            | Expr::IsBoolean(..)
            | Expr::In(..)
            | Expr::Like { .. }
            | Expr::Exists(_)
            | Expr::InQuery(..) => match self.outcomes(value) {
                Outcomes::NULL => Known::Null,
                Outcomes { null: false, .. } => Known::Present,
                Outcomes { .. } => Known::Nothing,
            },
        }
    }

    /// Null if one of them is.
    fn strict<'e>(&self, values: impl IntoIterator<Item = &'e Expr>) -> Known {
        values.into_iter().map(|value| self.known(value)).fold(Known::Present, |so_far, value| {
            match (so_far, value) {
                (Known::Null, _) | (_, Known::Null) => Known::Null,
                (Known::Nothing, _) | (_, Known::Nothing) => Known::Nothing,
                (Known::Present, Known::Present) => Known::Present,
            }
        })
    }

    fn first_present(&self, values: &[Expr]) -> Known {
        values.iter().map(|value| self.known(value)).fold(Known::Null, |so_far, value| match so_far {
            Known::Null => value,
            Known::Present => Known::Present,
            Known::Nothing if value == Known::Present => Known::Present,
            Known::Nothing => Known::Nothing,
        })
    }
}

fn is_boolean(outcomes: Outcomes, wanted: bool) -> Outcomes {
    let (so, otherwise) = if wanted { (outcomes.yes, outcomes.no) } else { (outcomes.no, outcomes.yes) };
    Outcomes { yes: so, no: otherwise || outcomes.null, null: false }
}
