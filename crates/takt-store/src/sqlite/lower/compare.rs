//! Comparisons: exact between numbers of different scales, and with literals that have more digits than the column.

use takt_model::{CompareOp, Expr, Value};

use super::{Sql, expr::Kind};
use crate::{
    StoreError,
    sqlite::{
        number::{OnScale, exact, on_scale, ordered},
        types::Bind,
    },
};

/// What a comparison with a number that no stored value can equal comes down to.
enum Reduced {
    /// Compare with this whole number instead.
    With(CompareOp, i64),
    /// The same for every value, null for null.
    Always(bool),
    /// The same for every value, nulls included (`is distinct from`).
    Even(bool),
}

impl<'a> Sql<'a> {
    /// `l op r`
    pub(super) fn compare(
        &mut self,
        op: CompareOp,
        left: &'a Expr,
        right: &'a Expr,
    ) -> Result<(), StoreError> {
        match (left, right) {
            (Expr::Literal(l), Expr::Literal(r)) => {
                if l.is_null() || r.is_null() {
                    self.push(match op {
                        CompareOp::Distinct if l.is_null() != r.is_null() => "1",
                        CompareOp::NotDistinct if l.is_null() == r.is_null() => "1",
                        CompareOp::Distinct | CompareOp::NotDistinct => "0",
                        _ => "NULL",
                    });
                    return Ok(());
                }
                if let (Some(l), Some(r)) = (exact(l), exact(r)) {
                    self.push(if ordered(op, l.cmp(&r)) { "1" } else { "0" });
                    return Ok(());
                }
            }
            (e, Expr::Literal(v)) => return self.compare_literal(op, e, v),
            (Expr::Literal(v), e) => return self.compare_literal(mirrored(op), e, v),
            _ => {}
        }
        let both = self.kind(left).unify(self.kind(right));
        self.as_kind(left, both)?;
        self.push(operator(op));
        self.as_kind(right, both)
    }

    fn compare_literal(&mut self, op: CompareOp, expr: &'a Expr, value: &'a Value) -> Result<(), StoreError> {
        let kind = self.kind(expr);
        if let Kind::Number(scale) = kind
            && let Some(place) = on_scale(value, scale)
        {
            return self.compare_number(op, expr, place);
        }
        if matches!(value, Value::Double(v) if v.is_nan()) {
            // NaN is greater than all that can be stored.
            return self.reduced(expr, beyond(op, true));
        }
        let both = kind.unify(Kind::of_value(value));
        self.as_kind(expr, both)?;
        self.push(operator(op));
        self.literal(value, both)
    }

    fn compare_number(&mut self, op: CompareOp, expr: &'a Expr, place: OnScale) -> Result<(), StoreError> {
        let reduced = match place {
            OnScale::Exact(v) => Reduced::With(op, v),
            OnScale::Between(floor) => match op {
                CompareOp::Lt | CompareOp::Le => Reduced::With(CompareOp::Le, floor),
                CompareOp::Gt | CompareOp::Ge => Reduced::With(CompareOp::Gt, floor),
                CompareOp::Eq => Reduced::Always(false),
                CompareOp::Ne => Reduced::Always(true),
                CompareOp::Distinct => Reduced::Even(true),
                CompareOp::NotDistinct => Reduced::Even(false),
            },
            OnScale::Above => beyond(op, true),
            OnScale::Below => beyond(op, false),
        };
        self.reduced(expr, reduced)
    }

    fn reduced(&mut self, expr: &'a Expr, reduced: Reduced) -> Result<(), StoreError> {
        match reduced {
            Reduced::With(op, value) => {
                self.scalar(expr)?;
                self.push(operator(op));
                self.bind(Bind::Integer(value));
            }
            Reduced::Always(true) => {
                self.push("(");
                self.scalar(expr)?;
                self.push(" IS NOT NULL OR NULL)");
            }
            Reduced::Always(false) => {
                self.push("(");
                self.scalar(expr)?;
                self.push(" IS NULL AND NULL)");
            }
            Reduced::Even(known) => self.push(if known { "1" } else { "0" }),
        }
        Ok(())
    }

    /// `e in (a, b)`
    pub(super) fn in_list(&mut self, expr: &'a Expr, list: &'a [Expr]) -> Result<(), StoreError> {
        let mut values = Vec::with_capacity(list.len());
        for e in list {
            match e {
                Expr::Literal(v) => values.push(v),
                _ => return self.in_expressions(expr, list),
            }
        }
        if values.is_empty() {
            self.push("0");
            return Ok(());
        }
        if matches!(expr, Expr::Literal(_)) {
            return self.in_expressions(expr, list);
        }
        match self.kind(expr) {
            Kind::Number(scale) if values.iter().all(|v| on_scale(v, scale).is_some() || v.is_null()) => {
                self.in_numbers(expr, scale, &values)
            }
            Kind::Number(_) | Kind::Double => self.in_expressions(expr, list),
            kind => {
                let both = values.iter().fold(kind, |k, v| k.unify(Kind::of_value(v)));
                self.as_kind(expr, both)?;
                self.push(" IN (");
                for (at, value) in values.iter().enumerate() {
                    if at > 0 {
                        self.push(", ");
                    }
                    self.literal(value, both)?;
                }
                self.push(")");
                Ok(())
            }
        }
    }

    /// Values that the column cannot have are left out; if none is left the answer is false (null for null).
    fn in_numbers(&mut self, expr: &'a Expr, scale: u8, values: &[&'a Value]) -> Result<(), StoreError> {
        let possible = |v: &Value| v.is_null() || matches!(on_scale(v, scale), Some(OnScale::Exact(_)));
        let kept: Vec<&'a Value> = values.iter().copied().filter(|v| possible(v)).collect();
        if kept.is_empty() {
            return self.reduced(expr, Reduced::Always(false));
        }
        self.scalar(expr)?;
        self.push(" IN (");
        for (at, value) in kept.into_iter().enumerate() {
            if at > 0 {
                self.push(", ");
            }
            self.literal(value, Kind::Number(scale))?;
        }
        self.push(")");
        Ok(())
    }

    fn in_expressions(&mut self, expr: &'a Expr, list: &'a [Expr]) -> Result<(), StoreError> {
        self.push("(");
        for (at, e) in list.iter().enumerate() {
            if at > 0 {
                self.push(" OR ");
            }
            self.compare(CompareOp::Eq, expr, e)?;
        }
        self.push(")");
        Ok(())
    }
}

/// Comparison with something above (or below) every stored value.
fn beyond(op: CompareOp, above: bool) -> Reduced {
    match op {
        CompareOp::Eq => Reduced::Always(false),
        CompareOp::Ne => Reduced::Always(true),
        CompareOp::Lt | CompareOp::Le => Reduced::Always(above),
        CompareOp::Gt | CompareOp::Ge => Reduced::Always(!above),
        CompareOp::Distinct => Reduced::Even(true),
        CompareOp::NotDistinct => Reduced::Even(false),
    }
}

fn operator(op: CompareOp) -> &'static str {
    match op {
        CompareOp::Eq => " = ",
        CompareOp::Ne => " <> ",
        CompareOp::Lt => " < ",
        CompareOp::Le => " <= ",
        CompareOp::Gt => " > ",
        CompareOp::Ge => " >= ",
        CompareOp::Distinct => " IS NOT ",
        CompareOp::NotDistinct => " IS ",
    }
}

fn mirrored(op: CompareOp) -> CompareOp {
    match op {
        CompareOp::Lt => CompareOp::Gt,
        CompareOp::Le => CompareOp::Ge,
        CompareOp::Gt => CompareOp::Lt,
        CompareOp::Ge => CompareOp::Le,
        same => same,
    }
}
