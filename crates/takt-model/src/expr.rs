//! The one expression tree: policies, checks and the filters of requests are all of this shape.
//!
//! Written by people in PostgreSQL's syntax (read in `expr_parse.rs`), built by `takt-rest` from filters,
//! lowered to SQL only in `takt-store`. Three-valued logic as in SQL.

mod display;
mod kind;
pub(crate) mod when_null;

pub use display::ExprText;
pub(crate) use kind::{arithmetic, common};

use crate::{FieldId, TableId, Value};

/// An expression over a row. `scope` says whose row a column belongs to: 0 is the row itself,
/// each [`SubQuery`] adds its own table at its `scope` (absolute, 1 and up).
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// A constant; always bound, never written into SQL.
    Literal(Value),
    /// A constant that is only said when the plan runs: a value of the type of this field. Requests of one shape share
    /// a plan in this way; policies and checks have none.
    Parameter {
        /// Its place among the values.
        number: usize,
        /// Which table the field is of.
        table: TableId,
        /// Whose type the value has.
        field: FieldId,
    },
    /// A field of the row at `scope`.
    Column {
        /// Whose row.
        scope: u8,
        /// Which table that row is of.
        table: TableId,
        /// Which field.
        field: FieldId,
    },
    /// `auth.uid()`: uuid or null.
    AuthUid,
    /// `auth.role()`: text.
    AuthRole,
    /// `auth.jwt() -> 'a' ->> 'b'`: text of a claim, or null.
    AuthJwt(Vec<String>),
    /// `auth.has_role('staff')`: boolean.
    HasRole(String),
    /// All hold; empty means true.
    And(Vec<Expr>),
    /// One holds; empty means false.
    Or(Vec<Expr>),
    /// `not e`
    Not(Box<Expr>),
    /// `l op r`
    Compare(CompareOp, Box<Expr>, Box<Expr>),
    /// `e is null`
    IsNull(Box<Expr>),
    /// `e is true` / `e is false`: never null.
    IsBoolean(Box<Expr>, bool),
    /// `e in (a, b)`; empty means false.
    In(Box<Expr>, Vec<Expr>),
    /// `e like pattern` with `%`, `_` and `\`; case-sensitive unless `fold_case`.
    Like {
        /// Text searched.
        expr: Box<Expr>,
        /// Pattern.
        pattern: Box<Expr>,
        /// `ilike`
        fold_case: bool,
    },
    /// `l op r` on numbers.
    Arithmetic(ArithmeticOp, Box<Expr>, Box<Expr>),
    /// A scalar function of the documented set.
    Function(ScalarFunction, Vec<Expr>),
    /// `exists (select ... from t where ...)`
    Exists(Box<SubQuery>),
    /// `e in (select field from t where ...)`
    InQuery(Box<Expr>, Box<SubQuery>),
}

/// A sub-query over one table.
#[derive(Debug, Clone, PartialEq)]
pub struct SubQuery {
    /// Over which table.
    pub table: TableId,
    /// The scope of its row: one more than the scope it stands in.
    pub scope: u8,
    /// Which rows; `None` means all.
    pub filter: Option<Expr>,
    /// What is compared, for [`Expr::InQuery`].
    pub output: Option<FieldId>,
}

/// Comparison operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompareOp {
    /// `=`
    Eq,
    /// `<>`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `is distinct from`
    Distinct,
    /// `is not distinct from`
    NotDistinct,
}

/// Arithmetic operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArithmeticOp {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
}

/// The scalar functions of policies and checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScalarFunction {
    /// `lower(text)`
    Lower,
    /// `upper(text)`
    Upper,
    /// `length(text)`: characters.
    Length,
    /// `trim(text)`: blanks at both ends.
    Trim,
    /// `abs(number)`
    Abs,
    /// `coalesce(a, b, ...)`
    Coalesce,
    /// `now()`: the moment of the transaction, from our clock.
    Now,
}

impl Expr {
    /// `true`
    #[must_use]
    pub fn yes() -> Self {
        Self::And(Vec::new())
    }

    /// `false`
    #[must_use]
    pub fn no() -> Self {
        Self::Or(Vec::new())
    }

    /// `column = value` on the row itself.
    #[must_use]
    pub fn eq(table: TableId, field: FieldId, value: Value) -> Self {
        Self::Compare(
            CompareOp::Eq,
            Box::new(Self::Column { scope: 0, table, field }),
            Box::new(Self::Literal(value)),
        )
    }

    /// Both hold; flattens and drops `true`.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::And(mut a), Self::And(b)) => {
                a.extend(b);
                Self::And(a)
            }
            (Self::And(mut a), e) => {
                if a.is_empty() {
                    return e;
                }
                a.push(e);
                Self::And(a)
            }
            (e, Self::And(b)) if b.is_empty() => e,
            (e, Self::And(b)) => {
                let mut all = vec![e];
                all.extend(b);
                Self::And(all)
            }
            (a, b) => Self::And(vec![a, b]),
        }
    }

    /// The same expression standing `by` scopes deeper.
    #[must_use]
    pub fn rescoped(mut self, by: u8) -> Self {
        self.walk_mut(&mut |e| match e {
            Self::Column { scope, .. } => *scope += by,
            Self::Exists(q) | Self::InQuery(_, q) => q.scope += by,
            _ => {}
        });
        self
    }

    /// Visits every expression of the tree, sub-queries' filters included, parents first.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        visit(self);
        match self {
            Self::Literal(_)
            | Self::Parameter { .. }
            | Self::Column { .. }
            | Self::AuthUid
            | Self::AuthRole
            | Self::AuthJwt(_)
            | Self::HasRole(_) => {}
            Self::And(list) | Self::Or(list) | Self::Function(_, list) => {
                list.iter().for_each(|e| e.walk(visit));
            }
            Self::Not(e) | Self::IsNull(e) | Self::IsBoolean(e, _) => e.walk(visit),
            Self::Compare(_, l, r) | Self::Arithmetic(_, l, r) => {
                l.walk(visit);
                r.walk(visit);
            }
            Self::In(e, list) => {
                e.walk(visit);
                list.iter().for_each(|e| e.walk(visit));
            }
            Self::Like { expr, pattern, .. } => {
                expr.walk(visit);
                pattern.walk(visit);
            }
            Self::Exists(q) => {
                if let Some(f) = &q.filter {
                    f.walk(visit);
                }
            }
            Self::InQuery(e, q) => {
                e.walk(visit);
                if let Some(f) = &q.filter {
                    f.walk(visit);
                }
            }
        }
    }

    /// As [`Expr::walk`], for changing.
    pub fn walk_mut(&mut self, visit: &mut dyn FnMut(&mut Expr)) {
        visit(self);
        match self {
            Self::Literal(_)
            | Self::Parameter { .. }
            | Self::Column { .. }
            | Self::AuthUid
            | Self::AuthRole
            | Self::AuthJwt(_)
            | Self::HasRole(_) => {}
            Self::And(list) | Self::Or(list) | Self::Function(_, list) => {
                list.iter_mut().for_each(|e| e.walk_mut(visit));
            }
            Self::Not(e) | Self::IsNull(e) | Self::IsBoolean(e, _) => e.walk_mut(visit),
            Self::Compare(_, l, r) | Self::Arithmetic(_, l, r) => {
                l.walk_mut(visit);
                r.walk_mut(visit);
            }
            Self::In(e, list) => {
                e.walk_mut(visit);
                list.iter_mut().for_each(|e| e.walk_mut(visit));
            }
            Self::Like { expr, pattern, .. } => {
                expr.walk_mut(visit);
                pattern.walk_mut(visit);
            }
            Self::Exists(q) => {
                if let Some(f) = &mut q.filter {
                    f.walk_mut(visit);
                }
            }
            Self::InQuery(e, q) => {
                e.walk_mut(visit);
                if let Some(f) = &mut q.filter {
                    f.walk_mut(visit);
                }
            }
        }
    }

    /// The fields of the row at `scope` that this expression reads.
    #[must_use]
    pub fn fields_at(&self, at: u8) -> Vec<FieldId> {
        let mut found = Vec::new();
        self.walk(&mut |e| {
            if let Self::Column { scope, field, .. } = e
                && *scope == at
                && !found.contains(field)
            {
                found.push(*field);
            }
        });
        found
    }
}
