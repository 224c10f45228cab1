//! Filters get their columns and types. Every literal is read by its column's type before any database sees it,
//! because databases coerce silently and then answer wrong rows (`design/wire.md` 3.2).

use takt_model::{CompareOp, Expr, Field, FieldType, Policy, Principal, Table, Value, Verb};
use takt_plan::Child;

use super::{field, relations};
use crate::{
    RestError,
    filter::{Filter, Is, Logic, Operand, Operator, Test},
    limits,
    select::Tree,
};

/// Whether a condition asks for the rows of an embed: `rel=is.null` (false), `rel=not.is.null` (true).
pub(super) fn embed_test(
    table: &Table,
    tree: &Tree,
    logic: &Logic,
) -> Result<Option<(usize, bool)>, RestError> {
    let Logic::Filter(filter) = logic else { return Ok(None) };
    let Some(at) = tree.embed_named(&filter.column) else { return Ok(None) };
    match filter.test {
        Test::Is(Is::Null) => Ok(Some((at, filter.negated))),
        Test::Is(Is::NotNull) => Ok(Some((at, !filter.negated))),
        _ if table.field(&filter.column).is_some() => Ok(None),
        _ => {
            let message = format!("Bad operator on the '{}' embedded resource", filter.column);
            Err(RestError::new("PGRST120", message)
                .details("Only is null or not is null filters are allowed on embedded resources"))
        }
    }
}

/// A condition on a row of `table` (scope 0). `children` are the embeds of `tree` in their order.
pub(super) fn expression(
    who: &Principal,
    table: &Table,
    tree: &Tree,
    children: &[Child],
    logic: &Logic,
) -> Result<Expr, RestError> {
    if let Some((at, wanted)) = embed_test(table, tree, logic)? {
        let exists = children.get(at).map_or_else(Expr::no, |c| relations::existence(table.id, c));
        return Ok(negate_if(!wanted, exists));
    }
    match logic {
        Logic::Filter(filter) => condition(table, filter).map_err(|e| conceal(who, table, filter, e)),
        Logic::Group { any, negated, list } => {
            let list: Vec<Expr> =
                list.iter().map(|l| expression(who, table, tree, children, l)).collect::<Result<_, _>>()?;
            Ok(negate_if(*negated, combine(*any, list)))
        }
    }
}

/// Whether rows can be ordered by the field, and its values compared.
pub(super) fn check_ordered(field: &Field) -> Result<(), RestError> {
    if field.kind == FieldType::Json {
        return Err(RestError::new("42883", "could not identify an ordering operator for type json"));
    }
    Ok(())
}

fn combine(any: bool, mut list: Vec<Expr>) -> Expr {
    match list.len() {
        1 => list.remove(0),
        _ if any => Expr::Or(list),
        _ => Expr::And(list),
    }
}

fn negate_if(negated: bool, expr: Expr) -> Expr {
    if negated { Expr::Not(Box::new(expr)) } else { expr }
}

/// A complaint about a literal or an operator tells that a field exists and of which type it is: to whoever may not
/// see the field it is told like a missing one.
fn conceal(who: &Principal, table: &Table, filter: &Filter, error: RestError) -> RestError {
    match table.field(&filter.column) {
        Some(hidden) if !is_visible(who, table, hidden) => {
            RestError::unknown_field(&table.name, &hidden.name)
        }
        _ => error,
    }
}

fn is_visible(who: &Principal, table: &Table, field: &Field) -> bool {
    let shows = |p: &Policy| {
        p.allow.contains(&Verb::Select)
            && p.to.iter().any(|r| who.has_role(r))
            && p.fields.as_ref().is_none_or(|f| f.contains(&field.id))
    };
    !who.is_bound_by_policies() || table.policies.iter().any(shows)
}

fn condition(table: &Table, filter: &Filter) -> Result<Expr, RestError> {
    let field = field(table, &filter.column)?;
    let column = || Expr::Column { scope: 0, table: table.id, field: field.id };
    let expr = match &filter.test {
        Test::Quantified(operator, operand) => {
            let one = |text: Option<&str>| single(field, column(), *operator, text);
            match (operand.members(*operator), operand) {
                (Some(list), _) => {
                    let any_of = member(field, column(), list.into_iter())?;
                    negate_if(*operator == Operator::Neq, any_of)
                }
                (None, Operand::One(text)) => one(Some(text))?,
                (None, Operand::Any(list)) => combine(true, each(list, one)?),
                (None, Operand::All(list)) => combine(false, each(list, one)?),
            }
        }
        Test::In(list) => member(field, column(), list.iter().map(String::as_str))?,
        Test::Is(is) => truth(field, column(), *is)?,
        Test::Cut(op, number) => {
            let value = Expr::Parameter { number: *number, table: table.id, field: field.id };
            Expr::Compare(*op, Box::new(column()), Box::new(value))
        }
        Test::IsDistinct(text) => {
            check_comparable(field, "=")?;
            compare(CompareOp::Distinct, column(), literal(field, text)?)
        }
    };
    Ok(negate_if(filter.negated, expr))
}

fn member<'a>(field: &Field, column: Expr, list: impl Iterator<Item = &'a str>) -> Result<Expr, RestError> {
    check_comparable(field, "=")?;
    let values = list.map(|text| Ok(Expr::Literal(literal(field, text)?)));
    Ok(Expr::In(Box::new(column), values.collect::<Result<_, RestError>>()?))
}

fn each(
    list: &[Option<String>],
    one: impl Fn(Option<&str>) -> Result<Expr, RestError>,
) -> Result<Vec<Expr>, RestError> {
    list.iter().map(|text| one(text.as_deref())).collect()
}

/// `column operator value`; no text is null.
fn single(field: &Field, column: Expr, operator: Operator, text: Option<&str>) -> Result<Expr, RestError> {
    let (op, symbol) = match operator {
        Operator::Eq => (CompareOp::Eq, "="),
        Operator::Neq => (CompareOp::Ne, "<>"),
        Operator::Gt => (CompareOp::Gt, ">"),
        Operator::Gte => (CompareOp::Ge, ">="),
        Operator::Lt => (CompareOp::Lt, "<"),
        Operator::Lte => (CompareOp::Le, "<="),
        Operator::Like => return like(field, column, text, false),
        Operator::Ilike => return like(field, column, text, true),
    };
    check_comparable(field, symbol)?;
    let value = text.map_or(Ok(Value::Null), |t| literal(field, t))?;
    match (&field.kind, &value) {
        (FieldType::Enum { values, .. }, Value::Text(bound))
            if !matches!(op, CompareOp::Eq | CompareOp::Ne) =>
        {
            Ok(enum_range(column, op, values, bound))
        }
        _ => Ok(compare(op, column, value)),
    }
}

fn compare(op: CompareOp, column: Expr, value: Value) -> Expr {
    Expr::Compare(op, Box::new(column), Box::new(Expr::Literal(value)))
}

/// The values of an enum are ordered as they were declared, not as texts.
fn enum_range(column: Expr, op: CompareOp, values: &[String], bound: &str) -> Expr {
    let at = values.iter().position(|v| v == bound).unwrap_or_default();
    let fits = |i: usize| match op {
        CompareOp::Lt => i < at,
        CompareOp::Le => i <= at,
        CompareOp::Gt => i > at,
        _ => i >= at,
    };
    let fitting: Vec<Expr> = values
        .iter()
        .enumerate()
        .filter(|(i, _)| fits(*i))
        .map(|(_, v)| Expr::Literal(Value::Text(v.clone())))
        .collect();
    if fitting.is_empty() {
        // False for every value, but null for null, so that `not.` does not find nulls.
        return Expr::Compare(CompareOp::Ne, Box::new(column.clone()), Box::new(column));
    }
    Expr::In(Box::new(column), fitting)
}

fn like(field: &Field, column: Expr, text: Option<&str>, fold_case: bool) -> Result<Expr, RestError> {
    if field.kind != FieldType::Text {
        return Err(no_operator(field, if fold_case { "~~*" } else { "~~" }));
    }
    let pattern = match text {
        Some(text) => literal(field, &pattern(text)?)?,
        None => Value::Null,
    };
    Ok(Expr::Like { expr: Box::new(column), pattern: Box::new(Expr::Literal(pattern)), fold_case })
}

/// `*` is `%` in URLs.
fn pattern(text: &str) -> Result<String, RestError> {
    let pattern = text.replace('*', "%");
    if pattern.matches('%').count() > limits::WILDCARDS {
        return Err(limits::exceeded("wildcards of a pattern", limits::WILDCARDS));
    }
    let escapes = pattern.chars().rev().take_while(|c| *c == '\\').count();
    if escapes % 2 == 1 {
        return Err(RestError::new("22025", "LIKE pattern must not end with escape character"));
    }
    Ok(pattern)
}

fn truth(field: &Field, column: Expr, is: Is) -> Result<Expr, RestError> {
    let boolean = |word: &str| {
        if field.kind == FieldType::Boolean {
            return Ok(());
        }
        let kind = field.kind.sql_name();
        let message = format!("argument of IS {word} must be type boolean, not type {kind}");
        Err(RestError::new("42804", message))
    };
    let column = Box::new(column);
    Ok(match is {
        Is::Null => Expr::IsNull(column),
        Is::NotNull => Expr::Not(Box::new(Expr::IsNull(column))),
        Is::True => {
            boolean("TRUE")?;
            Expr::IsBoolean(column, true)
        }
        Is::False => {
            boolean("FALSE")?;
            Expr::IsBoolean(column, false)
        }
        Is::Unknown => {
            boolean("UNKNOWN")?;
            Expr::IsNull(column)
        }
    })
}

/// PostgreSQL's type json has no comparison at all.
fn check_comparable(field: &Field, symbol: &str) -> Result<(), RestError> {
    if field.kind == FieldType::Json {
        return Err(no_operator(field, symbol));
    }
    Ok(())
}

fn no_operator(field: &Field, symbol: &str) -> RestError {
    let kind = field.kind.sql_name();
    RestError::new("42883", format!("operator does not exist: {kind} {symbol} unknown")).hint(
        "No operator matches the given name and argument types. You might need to add explicit type casts.",
    )
}

fn literal(field: &Field, text: &str) -> Result<Value, RestError> {
    Ok(field.kind.parse_text(text)?)
}
