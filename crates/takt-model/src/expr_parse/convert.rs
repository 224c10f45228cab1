//! `sqlparser`'s tree to ours, construct by construct. The depth is counted, so that no text can exhaust the stack.

use sqlparser::ast::{self, BinaryOperator as Op, InTarget, UnaryOperator};

use super::functions;
use super::names::Scopes;
use super::operand::{Operand, calculate, literal, pair, value_problem};
use super::{DEPTH, ExprProblem, Parsed, Purpose, too_deep};
use crate::{ArithmeticOp, CompareOp, Expr, FieldType, Project, TableId, Value};

pub(super) struct Converter<'p> {
    pub(super) project: &'p Project,
    pub(super) scopes: Scopes<'p>,
    pub(super) purpose: Purpose,
}

/// The beginning of a construct's text, for messages.
pub(super) fn snippet(expr: &ast::Expr) -> String {
    let text = expr.to_string();
    if text.chars().count() <= 60 { text } else { text.chars().take(57).chain("...".chars()).collect() }
}

fn boolean(expr: Expr) -> Parsed<Operand> {
    Ok(Operand::Known(expr, FieldType::Boolean))
}

/// `not e`, without piling up.
fn negate_if(negated: bool, expr: Expr) -> Expr {
    if negated { Expr::Not(Box::new(expr)) } else { expr }
}

impl<'p> Converter<'p> {
    pub(super) fn new(project: &'p Project, table: TableId, purpose: Purpose) -> Self {
        Self { project, scopes: Scopes::new(project, table), purpose }
    }

    /// An expression that is true or false.
    pub(super) fn condition(&mut self, expr: &ast::Expr, depth: usize) -> Parsed<Expr> {
        let operand = self.operand(expr, depth)?;
        match operand {
            Operand::Known(inner, FieldType::Boolean) => {
                Operand::Known(inner, FieldType::Boolean).condition("")
            }
            other => other.condition(&snippet(expr)),
        }
    }

    /// An expression that is a text.
    pub(super) fn text(&mut self, expr: &ast::Expr, depth: usize) -> Parsed<Expr> {
        match self.operand(expr, depth + 1)? {
            Operand::Text(text) => literal(&text, &FieldType::Text),
            Operand::Known(inner, FieldType::Text | FieldType::Enum { .. }) => Ok(inner),
            other => {
                let kind = match other {
                    Operand::Known(_, kind) => kind.name(),
                    Operand::Number(_) => "a number".to_owned(),
                    Operand::Null | Operand::Text(_) => "null".to_owned(),
                };
                Err(ExprProblem::new(format!("`{}` is {kind}, but a text is needed here", snippet(expr))))
            }
        }
    }

    pub(super) fn operand(&mut self, expr: &ast::Expr, depth: usize) -> Parsed<Operand> {
        if depth > DEPTH {
            return Err(too_deep());
        }
        use ast::Expr as E;
        match expr {
            E::Nested(inner) => self.operand(inner, depth + 1),
            E::Identifier(name) => self.scopes.bare(name),
            E::CompoundIdentifier(parts) => self.scopes.qualified(parts),
            E::Value(value) => constant(&value.value),
            E::TypedString(typed) => match &typed.value.value {
                ast::Value::SingleQuotedString(text) => cast(Operand::Text(text.clone()), &typed.data_type),
                other => Err(ExprProblem::new(format!("`{other}` is not part of the language"))),
            },
            E::Cast {
                kind: ast::CastKind::Cast | ast::CastKind::DoubleColon,
                expr,
                data_type,
                format: None,
            } => cast(self.operand(expr, depth + 1)?, data_type),
            E::BinaryOp { left, op, right } => self.binary(expr, left, op, right, depth),
            E::UnaryOp { op, expr: inner } => self.unary(op, inner, depth),
            E::IsNull(inner) | E::IsUnknown(inner) => self.is_null(inner, false, depth),
            E::IsNotNull(inner) | E::IsNotUnknown(inner) => self.is_null(inner, true, depth),
            E::IsTrue(inner) => self.is_boolean(inner, true, false, depth),
            E::IsNotTrue(inner) => self.is_boolean(inner, true, true, depth),
            E::IsFalse(inner) => self.is_boolean(inner, false, false, depth),
            E::IsNotFalse(inner) => self.is_boolean(inner, false, true, depth),
            E::IsDistinctFrom(left, right) => self.distinct(CompareOp::Distinct, left, right, depth),
            E::IsNotDistinctFrom(left, right) => self.distinct(CompareOp::NotDistinct, left, right, depth),
            E::In { expr, target: InTarget::List(list), negated, global: false } => {
                self.in_list(expr, list, *negated, depth)
            }
            E::In { expr, target: InTarget::Subquery(query), negated, global: false } => {
                self.in_query(expr, query, *negated, depth)
            }
            E::Between { expr, negated, low, high } => self.between(expr, low, high, *negated, depth),
            E::Like { negated, any: false, expr, pattern, escape_char: None } => {
                self.like(expr, pattern, false, *negated, depth)
            }
            E::ILike { negated, any: false, expr, pattern, escape_char: None } => {
                self.like(expr, pattern, true, *negated, depth)
            }
            E::Function(function) => self.function(function, depth),
            E::Trim { trim_where: None, trim_what: None, expr, trim_characters: None } => {
                self.trim(expr, depth)
            }
            E::Exists { subquery, negated } => self.exists(subquery, *negated, depth),
            E::Subquery(query) => self.scalar_query(query, depth),
            other => Err(foreign(other)),
        }
    }

    fn binary(
        &mut self,
        whole: &ast::Expr,
        left: &ast::Expr,
        op: &Op,
        right: &ast::Expr,
        depth: usize,
    ) -> Parsed<Operand> {
        let compare = |op| Some(op);
        let comparison = match op {
            Op::And | Op::Or => return self.chain(whole, op, depth),
            Op::LongArrow | Op::Arrow => return self.jwt(whole, depth),
            Op::Plus => return self.calculation(ArithmeticOp::Add, left, right, depth),
            Op::Minus => return self.calculation(ArithmeticOp::Subtract, left, right, depth),
            Op::Multiply => return self.calculation(ArithmeticOp::Multiply, left, right, depth),
            Op::Eq => compare(CompareOp::Eq),
            Op::NotEq => compare(CompareOp::Ne),
            Op::Lt => compare(CompareOp::Lt),
            Op::LtEq => compare(CompareOp::Le),
            Op::Gt => compare(CompareOp::Gt),
            Op::GtEq => compare(CompareOp::Ge),
            _ => None,
        };
        match comparison {
            Some(op) => self.comparison(op, left, right, depth),
            None => Err(ExprProblem::new(format!("the operator `{op}` is not part of the language"))),
        }
    }

    /// `a and b and c`: the parser leans long chains to the left; they are walked, not descended.
    fn chain(&mut self, whole: &ast::Expr, op: &Op, depth: usize) -> Parsed<Operand> {
        let mut parts = Vec::new();
        let mut rest = whole;
        while let ast::Expr::BinaryOp { left, op: own, right } = rest
            && own == op
        {
            parts.push(right.as_ref());
            rest = left;
        }
        parts.push(rest);
        let is_and = *op == Op::And;
        let mut list = Vec::new();
        for part in parts.into_iter().rev() {
            match (self.condition(part, depth + 1)?, is_and) {
                (Expr::And(inner), true) | (Expr::Or(inner), false) => list.extend(inner),
                (other, _) => list.push(other),
            }
        }
        boolean(match (list.len(), is_and) {
            (1, _) => list.pop().unwrap_or_else(Expr::yes),
            (_, true) => Expr::And(list),
            (_, false) => Expr::Or(list),
        })
    }

    fn comparison(
        &mut self,
        op: CompareOp,
        left: &ast::Expr,
        right: &ast::Expr,
        depth: usize,
    ) -> Parsed<Operand> {
        let (first, second) = (self.operand(left, depth + 1)?, self.operand(right, depth + 1)?);
        if matches!(first, Operand::Null) || matches!(second, Operand::Null) {
            let known = if matches!(first, Operand::Null) { right } else { left };
            let not = if op == CompareOp::Ne { " not" } else { "" };
            return Err(ExprProblem::new("a comparison with `null` is never true")
                .help(format!("write `{} is{not} null`", snippet(known))));
        }
        self.compared(op, (first, left), (second, right))
    }

    fn distinct(
        &mut self,
        op: CompareOp,
        left: &ast::Expr,
        right: &ast::Expr,
        depth: usize,
    ) -> Parsed<Operand> {
        let (first, second) = (self.operand(left, depth + 1)?, self.operand(right, depth + 1)?);
        self.compared(op, (first, left), (second, right))
    }

    fn compared(
        &mut self,
        op: CompareOp,
        (left, left_tree): (Operand, &ast::Expr),
        (right, right_tree): (Operand, &ast::Expr),
    ) -> Parsed<Operand> {
        let (left_text, right_text) = (snippet(left_tree), snippet(right_tree));
        let enums = [&left, &right].iter().any(|o| matches!(o, Operand::Known(_, FieldType::Enum { .. })));
        let (left, right, kind) = pair((left, &left_text), (right, &right_text))?;
        comparable(&kind, &left_text)?;
        if enums && matches!(op, CompareOp::Lt | CompareOp::Le | CompareOp::Gt | CompareOp::Ge) {
            return Err(ExprProblem::new("the values of an enum have no order")
                .help("list them: `status in ('paid', 'shipped')`".to_owned()));
        }
        boolean(Expr::Compare(op, Box::new(left), Box::new(right)))
    }

    fn calculation(
        &mut self,
        op: ArithmeticOp,
        left: &ast::Expr,
        right: &ast::Expr,
        depth: usize,
    ) -> Parsed<Operand> {
        let (first, second) = (self.operand(left, depth + 1)?, self.operand(right, depth + 1)?);
        calculate(op, (first, &snippet(left)), (second, &snippet(right)))
    }

    fn unary(&mut self, op: &UnaryOperator, inner: &ast::Expr, depth: usize) -> Parsed<Operand> {
        match op {
            UnaryOperator::Not => {
                let inner = self.condition(inner, depth + 1)?;
                // One form for "none": `not true` is `false`.
                boolean(match inner {
                    Expr::And(list) if list.is_empty() => Expr::no(),
                    Expr::Or(list) if list.is_empty() => Expr::yes(),
                    other => Expr::Not(Box::new(other)),
                })
            }
            UnaryOperator::Plus => self.operand(inner, depth + 1),
            UnaryOperator::Minus => match self.operand(inner, depth + 1)? {
                Operand::Number(text) => Ok(Operand::Number(match text.strip_prefix('-') {
                    Some(positive) => positive.to_owned(),
                    None => format!("-{text}"),
                })),
                other => {
                    let zero = Operand::Number("0".to_owned());
                    calculate(ArithmeticOp::Subtract, (zero, "0"), (other, &snippet(inner)))
                }
            },
            other => Err(ExprProblem::new(format!("the operator `{other}` is not part of the language"))),
        }
    }

    fn is_null(&mut self, inner: &ast::Expr, negated: bool, depth: usize) -> Parsed<Operand> {
        let (expr, _) = self.operand(inner, depth + 1)?.settle()?;
        boolean(negate_if(negated, Expr::IsNull(Box::new(expr))))
    }

    fn is_boolean(&mut self, inner: &ast::Expr, value: bool, negated: bool, depth: usize) -> Parsed<Operand> {
        let expr = self.condition(inner, depth + 1)?;
        boolean(negate_if(negated, Expr::IsBoolean(Box::new(expr), value)))
    }

    fn in_list(
        &mut self,
        left: &ast::Expr,
        list: &[ast::Expr],
        negated: bool,
        depth: usize,
    ) -> Parsed<Operand> {
        let first = self.operand(left, depth + 1)?;
        let left_text = snippet(left);
        let (expr, kind) = first.settle()?;
        comparable(&kind, &left_text)?;
        let mut values = Vec::new();
        for item in list {
            let value = match self.operand(item, depth + 1)? {
                Operand::Null => {
                    return Err(ExprProblem::new("`null` in a list is never equal to anything")
                        .help(format!("write `{left_text} is null` beside it")));
                }
                value => value,
            };
            let (_, value, _) =
                pair((Operand::Known(expr.clone(), kind.clone()), &left_text), (value, &snippet(item)))?;
            values.push(value);
        }
        boolean(negate_if(negated, Expr::In(Box::new(expr), values)))
    }

    fn between(
        &mut self,
        expr: &ast::Expr,
        low: &ast::Expr,
        high: &ast::Expr,
        negated: bool,
        depth: usize,
    ) -> Parsed<Operand> {
        let from = self.comparison(CompareOp::Ge, expr, low, depth)?.condition("")?;
        let to = self.comparison(CompareOp::Le, expr, high, depth)?.condition("")?;
        boolean(negate_if(negated, Expr::And(vec![from, to])))
    }

    fn like(
        &mut self,
        expr: &ast::Expr,
        pattern: &ast::Expr,
        fold_case: bool,
        negated: bool,
        depth: usize,
    ) -> Parsed<Operand> {
        let expr = Box::new(self.text(expr, depth)?);
        let pattern = Box::new(self.text(pattern, depth)?);
        boolean(negate_if(negated, Expr::Like { expr, pattern, fold_case }))
    }

    /// `auth.jwt() -> 'a' ->> 'b'`: the path is read from its end.
    fn jwt(&mut self, whole: &ast::Expr, depth: usize) -> Parsed<Operand> {
        let outside = || {
            ExprProblem::new(
                "`->` and `->>` are for `auth.jwt()` only; fields of type json cannot be looked into",
            )
        };
        let mut path = Vec::new();
        let mut rest = whole;
        loop {
            match rest {
                ast::Expr::BinaryOp { left, op, right } if matches!(op, Op::Arrow | Op::LongArrow) => {
                    if (*op == Op::LongArrow) != path.is_empty() {
                        return Err(ExprProblem::new("a claim is taken by `->` and, at the end, by `->>`")
                            .help("write `auth.jwt() -> 'app_metadata' ->> 'team'`".to_owned()));
                    }
                    match self.operand(right, depth + 1)? {
                        Operand::Text(key) => path.push(key),
                        _ => {
                            return Err(ExprProblem::new(
                                "the name of a claim is a text: `auth.jwt() ->> 'email'`",
                            ));
                        }
                    }
                    rest = left;
                }
                ast::Expr::Nested(inner) => rest = inner,
                ast::Expr::Function(function) if functions::name(function) == "auth.jwt" => break,
                _ => return Err(outside()),
            }
        }
        if self.purpose == Purpose::Check {
            return Err(ExprProblem::new("a check holds for every writer, so it cannot ask `auth.jwt()`")
                .help("that belongs into a policy".to_owned()));
        }
        path.reverse();
        Ok(Operand::Known(Expr::AuthJwt(path), FieldType::Text))
    }
}

fn comparable(kind: &FieldType, text: &str) -> Parsed<()> {
    if *kind == FieldType::Json {
        return Err(ExprProblem::new(format!("`{text}` is json, and json values cannot be compared")));
    }
    Ok(())
}

fn constant(value: &ast::Value) -> Parsed<Operand> {
    match value {
        ast::Value::Boolean(value) => {
            Ok(Operand::Known(Expr::Literal(Value::Boolean(*value)), FieldType::Boolean))
        }
        ast::Value::Null => Ok(Operand::Null),
        ast::Value::Number(text, false) => Ok(Operand::Number(text.clone())),
        ast::Value::SingleQuotedString(text) | ast::Value::EscapedStringLiteral(text) => {
            Ok(Operand::Text(text.clone()))
        }
        ast::Value::Placeholder(name) => {
            Err(ExprProblem::new(format!("`{name}`: there are no parameters here")))
        }
        other => Err(ExprProblem::new(format!("`{other}` is not part of the language"))),
    }
}

/// Casts give a literal its type; a field has one already.
fn cast(operand: Operand, data_type: &ast::DataType) -> Parsed<Operand> {
    let written = data_type.to_string().to_lowercase();
    let kind = cast_type(&written)
        .ok_or_else(|| ExprProblem::new(format!("a cast to `{written}` is not part of the language")))?;
    match operand {
        Operand::Text(text) | Operand::Number(text) => {
            let value = kind.parse_text(&text).map_err(value_problem)?;
            let kind = match &value {
                Value::Decimal(n) => {
                    FieldType::Decimal { precision: 18, scale: u8::try_from(n.scale()).unwrap_or(18).min(18) }
                }
                _ => kind,
            };
            Ok(Operand::Known(Expr::Literal(value), kind))
        }
        Operand::Null => Ok(Operand::Null),
        // An enum's value is a text already; its comparisons stay under guard.
        Operand::Known(expr, own @ (FieldType::Text | FieldType::Enum { .. })) if kind == FieldType::Text => {
            Ok(Operand::Known(expr, own))
        }
        Operand::Known(_, own) => {
            Err(ExprProblem::new(format!("only literals can be cast, not {} to {}", own.name(), kind.name())))
        }
    }
}

fn cast_type(name: &str) -> Option<FieldType> {
    Some(match name {
        "text" | "varchar" | "character varying" => FieldType::Text,
        "integer" | "int" | "int4" => FieldType::Integer,
        "bigint" | "int8" => FieldType::Bigint,
        "numeric" | "decimal" => FieldType::Decimal { precision: 18, scale: 18 },
        "double precision" | "float8" | "double" => FieldType::Double,
        "boolean" | "bool" => FieldType::Boolean,
        "date" => FieldType::Date,
        "time" | "time without time zone" => FieldType::Time,
        "timestamp" | "timestamptz" | "timestamp with time zone" | "timestamp without time zone" => {
            FieldType::Timestamp
        }
        "uuid" => FieldType::Uuid,
        "bytea" => FieldType::Bytes,
        _ => return None,
    })
}

/// Names a construct that the language does not have.
fn foreign(expr: &ast::Expr) -> ExprProblem {
    use ast::Expr as E;
    let (what, help) = match expr {
        E::Case { .. } => ("`case`", Some("write it with `and` and `or`")),
        E::AnyOp { .. } => ("`any`", Some("write `x in (...)`")),
        E::AllOp { .. } => ("`all`", Some("write `x not in (...)`")),
        E::Interval(_) => ("`interval`", None),
        E::AtTimeZone { .. } => ("`at time zone`", None),
        E::Extract { .. } => ("`extract`", None),
        E::SimilarTo { .. } | E::RLike { .. } => ("matching by regular expressions", Some("write `like`")),
        E::Like { .. } | E::ILike { .. } => {
            ("`like` with `any` or `escape`", Some("the escape character is `\\`"))
        }
        E::Trim { .. } => ("`trim` with a list of characters", Some("`trim(x)` takes blanks from both ends")),
        E::Tuple(_) => ("a row of several values", Some("compare the fields one by one with `and`")),
        E::Array(_) => ("`array`", None),
        E::Collate { .. } => ("`collate`", None),
        E::Substring { .. } => ("`substring`", None),
        E::Position { .. } => ("`position`", None),
        E::Ceil { .. } | E::Floor { .. } => ("`ceil` and `floor`", None),
        E::Cast { .. } | E::Convert { .. } => ("this kind of cast", Some("write `'2024-01-01'::date`")),
        E::In { .. } => ("this kind of `in`", Some("write `x in ('a', 'b')` or `x in (select ...)`")),
        E::IsJson { .. } => ("`is json`", None),
        E::IsNormalized { .. } => ("`is normalized`", None),
        E::Wildcard(_) | E::QualifiedWildcard(..) => ("`*`", None),
        _ => ("this construct", None),
    };
    ExprProblem::new(format!("{what} is not part of the language")).help(help.map(str::to_owned))
}
