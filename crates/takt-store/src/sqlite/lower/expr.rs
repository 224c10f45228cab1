//! Expressions to SQL. Three-valued logic is SQL's own; what is known while writing (roles, constants) is folded,
//! so that the planner sees `customer_id = ?1` and not `0 or customer_id = ?1`.

use std::borrow::Cow;

use takt_model::{ArithmeticOp, CompareOp, Expr, FieldType, ScalarFunction, SubQuery, Value};

use super::{Env, Slot, Sql};
use crate::{
    StoreError,
    sqlite::{
        error::refused,
        number::{OnScale, nearest_double, on_scale},
        types::{Bind, date_text, time_text},
    },
};

/// What an expression is in storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sqlite) enum Kind {
    /// A whole number that stands for an exact one of this scale.
    Number(u8),
    Double,
    Text,
    Boolean,
    Date,
    Time,
    Timestamp,
    Uuid,
    Json,
    Bytes,
    /// A literal null.
    Null,
}

impl Kind {
    pub(super) fn of_field(kind: &FieldType) -> Self {
        match kind {
            FieldType::Integer | FieldType::Bigint => Self::Number(0),
            FieldType::Decimal { scale, .. } => Self::Number(*scale),
            FieldType::Double => Self::Double,
            FieldType::Text | FieldType::Enum { .. } => Self::Text,
            FieldType::Boolean => Self::Boolean,
            FieldType::Date => Self::Date,
            FieldType::Time => Self::Time,
            FieldType::Timestamp => Self::Timestamp,
            FieldType::Uuid => Self::Uuid,
            FieldType::Json => Self::Json,
            FieldType::Bytes => Self::Bytes,
        }
    }

    pub(super) fn of_value(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Boolean(_) => Self::Boolean,
            Value::Integer(_) => Self::Number(0),
            Value::Double(_) => Self::Double,
            // A decimal has at most 28 digits after the point.
            Value::Decimal(d) => Self::Number(u8::try_from(d.normalize().scale()).unwrap_or(u8::MAX)),
            Value::Text(_) => Self::Text,
            Value::Date(_) => Self::Date,
            Value::Time(_) => Self::Time,
            Value::Timestamp(_) => Self::Timestamp,
            Value::Uuid(_) => Self::Uuid,
            Value::Json(_) => Self::Json,
            Value::Bytes(_) => Self::Bytes,
        }
    }

    /// The kind that both can be brought to without loss (but for floating point, which swallows exact numbers).
    pub(super) fn unify(self, other: Self) -> Self {
        match (self, other) {
            (Self::Null, k) | (k, Self::Null) => k,
            (Self::Number(a), Self::Number(b)) => Self::Number(a.max(b)),
            (Self::Number(_), Self::Double) | (Self::Double, Self::Number(_)) => Self::Double,
            (Self::Uuid, Self::Text) | (Self::Text, Self::Uuid) => Self::Text,
            (k, _) => k,
        }
    }
}

/// What an expression is known to be before any row is seen.
pub(in crate::sqlite) fn constant(env: &Env<'_>, expr: &Expr) -> Option<bool> {
    match expr {
        Expr::Literal(Value::Boolean(b)) => Some(*b),
        Expr::IsNull(e) => match &**e {
            Expr::Literal(value) => Some(value.is_null()),
            _ => None,
        },
        Expr::HasRole(role) => Some(env.principal.has_role(role)),
        Expr::And(list) => settled(env, list, false),
        Expr::Or(list) => settled(env, list, true),
        Expr::Not(e) => constant(env, e).map(|b| !b),
        Expr::IsBoolean(e, wanted) => constant(env, e).map(|b| b == *wanted),
        _ => None,
    }
}

/// One member equal to `decisive` settles the list; all others together settle it the other way.
fn settled(env: &Env<'_>, list: &[Expr], decisive: bool) -> Option<bool> {
    let mut open = false;
    for e in list {
        match constant(env, e) {
            Some(b) if b == decisive => return Some(decisive),
            Some(_) => {}
            None => open = true,
        }
    }
    (!open).then_some(!decisive)
}

/// A boolean field that must be true or false: `active`, `active = true`, `active is true`.
struct Flag<'e> {
    field: &'e Expr,
    wanted: bool,
    /// `IS` is never null.
    operator: &'static str,
}

fn flag<'e>(env: &Env<'_>, expr: &'e Expr) -> Option<Flag<'e>> {
    let is_field = |e: &Expr| match e {
        Expr::Column { table, field, .. } => env.table(*table).get(*field).kind == FieldType::Boolean,
        _ => false,
    };
    match expr {
        Expr::Column { .. } if is_field(expr) => Some(Flag { field: expr, wanted: true, operator: " = " }),
        Expr::Compare(CompareOp::Eq, left, right) => match &**right {
            Expr::Literal(Value::Boolean(wanted)) if is_field(left) => {
                Some(Flag { field: left, wanted: *wanted, operator: " = " })
            }
            _ => None,
        },
        Expr::IsBoolean(e, wanted) if is_field(e) => {
            Some(Flag { field: e, wanted: *wanted, operator: " IS " })
        }
        _ => None,
    }
}

impl<'a> Sql<'a> {
    /// Writes a boolean field so that an index on it can be used. Policies ask for rows that are "active", and most
    /// are: without `likely`, SQLite takes the index of such a field for selective and sorts half of the table.
    fn flag(&mut self, flag: &Flag<'a>) {
        let Expr::Column { scope, table, field } = flag.field else { return };
        self.push(if flag.wanted { "likely(" } else { "" });
        self.column(*scope, *table, *field);
        self.push(flag.operator);
        self.push(if flag.wanted { "1)" } else { "0" });
    }

    /// Writes a boolean expression as 0, 1 or null.
    pub(in crate::sqlite) fn predicate(&mut self, expr: &'a Expr) -> Result<(), StoreError> {
        if let Some(known) = constant(&self.env, expr) {
            self.push(if known { "1" } else { "0" });
            return Ok(());
        }
        if let Some(flag) = flag(&self.env, expr) {
            self.flag(&flag);
            return Ok(());
        }
        match expr {
            Expr::And(list) => self.joined(list, " AND ", true),
            Expr::Or(list) => self.joined(list, " OR ", false),
            Expr::Not(e) => {
                self.push("NOT (");
                self.predicate(e)?;
                self.push(")");
                Ok(())
            }
            Expr::Compare(op, left, right) => self.compare(*op, left, right),
            Expr::IsNull(e) => {
                self.scalar(e)?;
                self.push(" IS NULL");
                Ok(())
            }
            Expr::IsBoolean(e, wanted) => {
                self.push("(");
                self.predicate(e)?;
                self.push(if *wanted { ") IS TRUE" } else { ") IS FALSE" });
                Ok(())
            }
            Expr::In(e, list) => self.in_list(e, list),
            Expr::Like { expr, pattern, fold_case } => {
                self.push(if *fold_case { "takt_ilike(" } else { "takt_like(" });
                self.as_kind(expr, Kind::Text)?;
                self.push(", ");
                self.as_kind(pattern, Kind::Text)?;
                self.push(")");
                Ok(())
            }
            Expr::Exists(query) => {
                self.push("EXISTS (SELECT 1");
                self.sub_query(query)?;
                self.push(")");
                Ok(())
            }
            Expr::InQuery(e, query) => self.in_query(e, query),
            Expr::Literal(_)
            | Expr::Parameter { .. }
            | Expr::Column { .. }
            | Expr::AuthUid
            | Expr::AuthRole
            | Expr::AuthJwt(_)
            | Expr::HasRole(_)
            | Expr::Arithmetic(..)
            | Expr::Function(..) => self.scalar(expr),
        }
    }

    fn joined(&mut self, list: &'a [Expr], word: &str, neutral: bool) -> Result<(), StoreError> {
        let env = self.env;
        self.push("(");
        let open = list.iter().filter(|e| constant(&env, e) != Some(neutral));
        for (at, e) in open.enumerate() {
            if at > 0 {
                self.push(word);
            }
            self.predicate(e)?;
        }
        self.push(")");
        Ok(())
    }

    fn in_query(&mut self, expr: &'a Expr, query: &'a SubQuery) -> Result<(), StoreError> {
        let Some(output) = query.output else {
            return Err(StoreError::Internal("a sub-query of IN has no output".to_owned()));
        };
        let theirs = Kind::of_field(&self.env.table(query.table).get(output).kind);
        let both = self.kind(expr).unify(theirs);
        self.as_kind(expr, both)?;
        self.push(" IN (SELECT ");
        self.converted(theirs, both, |sql| {
            sql.column(query.scope, query.table, output);
            Ok(())
        })?;
        self.sub_query(query)?;
        self.push(")");
        Ok(())
    }

    /// ` FROM "t" AS t1 WHERE ...`
    fn sub_query(&mut self, query: &'a SubQuery) -> Result<(), StoreError> {
        self.push(" FROM ");
        let table = self.env.table(query.table);
        self.ident(&table.name);
        self.push(" AS ");
        self.scope_alias(query.scope);
        if let Some(filter) = &query.filter
            && constant(&self.env, filter) != Some(true)
        {
            self.push(" WHERE ");
            self.predicate(filter)?;
        }
        Ok(())
    }

    /// What `expr` is in storage.
    pub(super) fn kind(&self, expr: &Expr) -> Kind {
        match expr {
            Expr::Literal(value) => Kind::of_value(value),
            Expr::Column { table, field, .. } | Expr::Parameter { table, field, .. } => {
                Kind::of_field(&self.env.table(*table).get(*field).kind)
            }
            Expr::AuthUid => Kind::Uuid,
            Expr::AuthRole | Expr::AuthJwt(_) => Kind::Text,
            Expr::Arithmetic(op, l, r) => match (op, self.kind(l), self.kind(r)) {
                (ArithmeticOp::Multiply, Kind::Number(a), Kind::Number(b)) => {
                    Kind::Number(a.saturating_add(b))
                }
                (_, l, r) => l.unify(r),
            },
            Expr::Function(function, arguments) => match function {
                ScalarFunction::Lower | ScalarFunction::Upper | ScalarFunction::Trim => Kind::Text,
                ScalarFunction::Length => Kind::Number(0),
                ScalarFunction::Now => Kind::Timestamp,
                ScalarFunction::Abs | ScalarFunction::Coalesce => {
                    arguments.iter().map(|a| self.kind(a)).fold(Kind::Null, Kind::unify)
                }
            },
            Expr::HasRole(_)
            | Expr::And(_)
            | Expr::Or(_)
            | Expr::Not(_)
            | Expr::Compare(..)
            | Expr::IsNull(_)
            | Expr::IsBoolean(..)
            | Expr::In(..)
            | Expr::Like { .. }
            | Expr::Exists(_)
            | Expr::InQuery(..) => Kind::Boolean,
        }
    }

    /// Writes an expression in its own kind.
    pub(super) fn scalar(&mut self, expr: &'a Expr) -> Result<(), StoreError> {
        match expr {
            Expr::Literal(value) => self.literal(value, Kind::of_value(value)),
            Expr::Column { scope, table, field } => {
                self.column(*scope, *table, *field);
                Ok(())
            }
            Expr::Parameter { number, .. } => {
                self.slot(Slot::Parameter(*number, self.kind(expr)));
                Ok(())
            }
            Expr::AuthUid => {
                self.uid();
                Ok(())
            }
            Expr::AuthRole => {
                self.slot(Slot::Role);
                Ok(())
            }
            Expr::AuthJwt(path) => {
                self.slot(Slot::Claim(Cow::Borrowed(path)));
                Ok(())
            }
            Expr::Arithmetic(op, left, right) => self.arithmetic(*op, left, right),
            Expr::Function(function, arguments) => self.function(*function, arguments),
            _ => {
                self.push("(");
                self.predicate(expr)?;
                self.push(")");
                Ok(())
            }
        }
    }

    fn function(&mut self, function: ScalarFunction, arguments: &'a [Expr]) -> Result<(), StoreError> {
        let (name, kind) = match function {
            ScalarFunction::Now => {
                self.now();
                return Ok(());
            }
            ScalarFunction::Lower => ("takt_lower(", Kind::Text),
            ScalarFunction::Upper => ("takt_upper(", Kind::Text),
            ScalarFunction::Length => ("length(", Kind::Text),
            ScalarFunction::Trim => ("trim(", Kind::Text),
            ScalarFunction::Abs | ScalarFunction::Coalesce => {
                let all = arguments.iter().map(|a| self.kind(a)).fold(Kind::Null, Kind::unify);
                // SQLite's coalesce wants two arguments at the least.
                let alone = function == ScalarFunction::Coalesce && arguments.len() == 1;
                (
                    if function == ScalarFunction::Abs {
                        "abs("
                    } else if alone {
                        "("
                    } else {
                        "coalesce("
                    },
                    all,
                )
            }
        };
        self.push(name);
        for (at, argument) in arguments.iter().enumerate() {
            if at > 0 {
                self.push(", ");
            }
            self.operand(argument, kind)?;
        }
        self.push(")");
        Ok(())
    }

    fn arithmetic(&mut self, op: ArithmeticOp, left: &'a Expr, right: &'a Expr) -> Result<(), StoreError> {
        let (l, r) = (self.kind(left), self.kind(right));
        let both = l.unify(r);
        let (open, between) = match (op, both) {
            (ArithmeticOp::Add, Kind::Double) => ("(", " + "),
            (ArithmeticOp::Subtract, Kind::Double) => ("(", " - "),
            (ArithmeticOp::Multiply, Kind::Double) => ("(", " * "),
            (ArithmeticOp::Add, _) => ("takt_add(", ", "),
            (ArithmeticOp::Subtract, _) => ("takt_subtract(", ", "),
            (ArithmeticOp::Multiply, _) => ("takt_multiply(", ", "),
        };
        // Scales add up when exact numbers are multiplied; they must agree when they are added.
        let exact_product = op == ArithmeticOp::Multiply && both != Kind::Double;
        self.push(open);
        self.operand(left, if exact_product { l } else { both })?;
        self.push(between);
        self.operand(right, if exact_product { r } else { both })?;
        self.push(")");
        Ok(())
    }

    /// Writes what is calculated with: exact in the new kind, or refused.
    fn operand(&mut self, expr: &'a Expr, to: Kind) -> Result<(), StoreError> {
        match (self.kind(expr), to) {
            (Kind::Number(from), Kind::Number(to)) if from < to && !matches!(expr, Expr::Literal(_)) => {
                self.push("takt_multiply(");
                self.scalar(expr)?;
                self.push(", 1");
                (from..to).for_each(|_| self.push("0"));
                self.push(")");
                Ok(())
            }
            _ => self.as_kind(expr, to),
        }
    }

    /// Writes what is compared, brought to `to`. A number that leaves the whole numbers by that becomes a real: too
    /// large for any stored number, so that the comparison is right all the same.
    pub(super) fn as_kind(&mut self, expr: &'a Expr, to: Kind) -> Result<(), StoreError> {
        if let Expr::Literal(value) = expr {
            return self.literal(value, to);
        }
        let from = self.kind(expr);
        self.converted(from, to, |sql| sql.scalar(expr))
    }

    fn converted(
        &mut self,
        from: Kind,
        to: Kind,
        write: impl FnOnce(&mut Self) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        match (from, to) {
            (Kind::Number(f), Kind::Number(t)) if f < t => {
                self.push("(");
                write(self)?;
                self.push(" * 1");
                (f..t).for_each(|_| self.push("0"));
                self.push(")");
                Ok(())
            }
            (Kind::Number(scale), Kind::Double) => {
                self.push("(CAST(");
                write(self)?;
                self.push(" AS REAL) / 1");
                (0..scale).for_each(|_| self.push("0"));
                self.push(".0)");
                Ok(())
            }
            (Kind::Uuid, Kind::Text) => {
                self.push("takt_uuid_text(");
                write(self)?;
                self.push(")");
                Ok(())
            }
            _ => write(self),
        }
    }

    /// Writes a literal brought to `to`. Booleans and nulls are part of the shape, everything else is bound.
    pub(super) fn literal(&mut self, value: &'a Value, to: Kind) -> Result<(), StoreError> {
        match bound(value, to)? {
            Some(bind) => self.bind(bind),
            None => self.push(match value {
                Value::Boolean(true) => "1",
                Value::Boolean(false) => "0",
                _ => "NULL",
            }),
        }
        Ok(())
    }
}

/// A literal brought to `to`, if it is bound at all.
pub(super) fn bound(value: &Value, to: Kind) -> Result<Option<Bind<'_>>, StoreError> {
    Ok(Some(match (value, to) {
        (Value::Null | Value::Boolean(_), _) => return Ok(None),
        (Value::Integer(_) | Value::Decimal(_), Kind::Double) => Bind::Real(as_double(value)),
        (Value::Integer(_) | Value::Decimal(_), Kind::Number(scale)) => match on_scale(value, scale) {
            Some(OnScale::Exact(v)) => Bind::Integer(v),
            _ => return Err(refused("22003", "bigint out of range")),
        },
        (Value::Integer(v), _) => Bind::Integer(*v),
        (Value::Decimal(d), _) => Bind::Text(Cow::Owned(d.to_string())),
        (Value::Double(v), _) => Bind::Real(*v),
        (Value::Uuid(v), Kind::Text) => Bind::Text(Cow::Owned(v.hyphenated().to_string())),
        (Value::Uuid(v), _) => Bind::Uuid(*v),
        (Value::Text(v) | Value::Json(v), _) => Bind::Text(Cow::Borrowed(v)),
        (Value::Date(v), _) => Bind::Text(Cow::Owned(date_text(*v))),
        (Value::Time(v), _) => Bind::Text(Cow::Owned(time_text(*v))),
        (Value::Timestamp(v), _) => Bind::Integer(*v),
        (Value::Bytes(v), _) => Bind::Blob(Cow::Borrowed(v)),
    }))
}

/// A number as floating point.
#[expect(clippy::cast_precision_loss, reason = "comparison with a double rounds, as in PostgreSQL")]
fn as_double(value: &Value) -> f64 {
    match value {
        Value::Integer(v) => *v as f64,
        Value::Decimal(d) => nearest_double(*d),
        Value::Double(v) => *v,
        _ => f64::NAN,
    }
}

/// `auth.jwt() -> 'a' ->> 'b'` as text.
pub(super) fn claim(env: &Env<'_>, path: &[String]) -> Option<String> {
    let mut at = &env.principal.user.as_ref()?.claims;
    for key in path {
        at = at.get(key)?;
    }
    match at {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}
