//! The functions of policies and checks: who is asking, and a few about texts and numbers.

use sqlparser::ast::{self, FunctionArg, FunctionArgExpr, FunctionArguments, ObjectNamePart};

use super::convert::{Converter, snippet};
use super::operand::{Operand, pair};
use super::{ExprProblem, Parsed, Purpose};
use crate::read::{did_you_mean, did_you_mean_or_list};
use crate::{Expr, FieldType, ScalarFunction};

const NAMES: [&str; 12] = [
    "auth.uid",
    "auth.role",
    "auth.jwt",
    "auth.has_role",
    "lower",
    "upper",
    "length",
    "trim",
    "abs",
    "coalesce",
    "now",
    "exists",
];

/// `auth.uid` of a call.
pub(super) fn name(function: &ast::Function) -> String {
    let parts = function.name.0.iter().map(|part| match part {
        ObjectNamePart::Identifier(ident) => ident.value.to_lowercase(),
        other => other.to_string().to_lowercase(),
    });
    parts.collect::<Vec<_>>().join(".")
}

impl Converter<'_> {
    pub(super) fn function(&mut self, function: &ast::Function, depth: usize) -> Parsed<Operand> {
        let name = name(function);
        if !is_known(&name) {
            return Err(unknown(&name));
        }
        let arguments = arguments(function, &name)?;
        if self.purpose == Purpose::Check && name.starts_with("auth.") {
            let message = format!("a check holds for every writer, so it cannot ask `{name}()`");
            return Err(ExprProblem::new(message).help("that belongs into a policy".to_owned()));
        }
        let known = |expr, kind| Ok(Operand::Known(expr, kind));
        match name.as_str() {
            "auth.uid" => none(&name, &arguments).and_then(|()| known(Expr::AuthUid, FieldType::Uuid)),
            "auth.role" => none(&name, &arguments).and_then(|()| known(Expr::AuthRole, FieldType::Text)),
            "auth.jwt" => Err(ExprProblem::new("`auth.jwt()` alone has no value that can be compared")
                .help("take a claim: `auth.jwt() ->> 'email'`".to_owned())),
            "auth.has_role" => self.has_role(&arguments),
            "now" | "current_timestamp" => {
                none(&name, &arguments)?;
                known(Expr::Function(ScalarFunction::Now, Vec::new()), FieldType::Timestamp)
            }
            "lower" => self.of_text(ScalarFunction::Lower, FieldType::Text, &name, &arguments, depth),
            "upper" => self.of_text(ScalarFunction::Upper, FieldType::Text, &name, &arguments, depth),
            "trim" | "btrim" => self.of_text(ScalarFunction::Trim, FieldType::Text, &name, &arguments, depth),
            "length" | "char_length" => {
                self.of_text(ScalarFunction::Length, FieldType::Integer, &name, &arguments, depth)
            }
            "abs" => self.abs(&arguments, depth),
            "coalesce" => self.coalesce(&arguments, depth),
            _ => Err(unknown(&name)),
        }
    }

    fn has_role(&mut self, arguments: &[&ast::Expr]) -> Parsed<Operand> {
        let text = match arguments {
            [ast::Expr::Value(value)] => match &value.value {
                ast::Value::SingleQuotedString(text) => Some(text),
                _ => None,
            },
            _ => None,
        };
        let Some(role) = text else {
            return Err(ExprProblem::new(
                "`auth.has_role` takes one role as a text: `auth.has_role('staff')`",
            ));
        };
        let own = &self.project.settings.roles;
        let mut known =
            ["anon", "authenticated", "service_role"].into_iter().chain(own.iter().map(String::as_str));
        if !known.any(|k| k == role) {
            let help = did_you_mean_or_list(role, own.iter().map(String::as_str));
            return Err(ExprProblem::new(format!("unknown role `{role}`")).help(help));
        }
        Ok(Operand::Known(Expr::HasRole(role.clone()), FieldType::Boolean))
    }

    /// `trim(x)` is a construct of its own in the parser.
    pub(super) fn trim(&mut self, inner: &ast::Expr, depth: usize) -> Parsed<Operand> {
        self.of_text(ScalarFunction::Trim, FieldType::Text, "trim", &[inner], depth)
    }

    fn of_text(
        &mut self,
        function: ScalarFunction,
        kind: FieldType,
        name: &str,
        arguments: &[&ast::Expr],
        depth: usize,
    ) -> Parsed<Operand> {
        let argument = one(name, arguments)?;
        let expr = self.text(argument, depth)?;
        Ok(Operand::Known(Expr::Function(function, vec![expr]), kind))
    }

    fn abs(&mut self, arguments: &[&ast::Expr], depth: usize) -> Parsed<Operand> {
        let argument = one("abs", arguments)?;
        let (expr, kind) = self.operand(argument, depth + 1)?.settle()?;
        match kind {
            FieldType::Integer | FieldType::Bigint | FieldType::Decimal { .. } | FieldType::Double => {
                Ok(Operand::Known(Expr::Function(ScalarFunction::Abs, vec![expr]), kind))
            }
            other => {
                Err(ExprProblem::new(format!("`{}` is {}, not a number", snippet(argument), other.name())))
            }
        }
    }

    /// All arguments meet in one type; the first that is known decides how literals are read.
    fn coalesce(&mut self, arguments: &[&ast::Expr], depth: usize) -> Parsed<Operand> {
        if arguments.len() < 2 {
            return Err(ExprProblem::new("`coalesce` takes at least two values"));
        }
        let mut operands = Vec::new();
        for argument in arguments {
            operands.push((self.operand(argument, depth + 1)?, snippet(argument)));
        }
        let known = operands.iter().position(|(o, _)| matches!(o, Operand::Known(..))).unwrap_or(0);
        let first = operands[known].clone();
        let (_, mut kind) = first.0.clone().settle()?;
        let mut list = Vec::new();
        for (at, (operand, text)) in operands.into_iter().enumerate() {
            if at == known {
                list.push(operand.settle()?.0);
                continue;
            }
            let (_, expr, met) = pair((first.0.clone(), &first.1), (operand, &text))?;
            if let Some(wider) = crate::expr::common(&kind, &met) {
                kind = wider;
            }
            list.push(expr);
        }
        Ok(Operand::Known(Expr::Function(ScalarFunction::Coalesce, list), kind))
    }
}

fn is_known(name: &str) -> bool {
    NAMES.contains(&name) || ["current_timestamp", "btrim", "char_length"].contains(&name)
}

/// The arguments, if there is nothing but plain ones.
fn arguments<'f>(function: &'f ast::Function, name: &str) -> Parsed<Vec<&'f ast::Expr>> {
    let bare = function.over.is_none()
        && function.filter.is_none()
        && function.null_treatment.is_none()
        && function.within_group.is_empty()
        && !function.uses_odbc_syntax
        && matches!(function.parameters, FunctionArguments::None);
    let unusual =
        || ExprProblem::new(format!("`{name}(...)` is called in a way that is not part of the language"));
    if !bare {
        return Err(unusual());
    }
    let list = match &function.args {
        FunctionArguments::None => return Ok(Vec::new()),
        FunctionArguments::Subquery(_) => return Err(unusual()),
        FunctionArguments::List(list) => list,
    };
    if list.duplicate_treatment.is_some() || !list.clauses.is_empty() {
        return Err(unusual());
    }
    let plain = |argument: &'f FunctionArg| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Ok(expr),
        _ => Err(unusual()),
    };
    list.args.iter().map(plain).collect()
}

fn none(name: &str, arguments: &[&ast::Expr]) -> Parsed<()> {
    if arguments.is_empty() {
        Ok(())
    } else {
        Err(ExprProblem::new(format!("`{name}()` takes no arguments")))
    }
}

fn one<'e>(name: &str, arguments: &[&'e ast::Expr]) -> Parsed<&'e ast::Expr> {
    match arguments {
        [one] => Ok(one),
        _ => Err(ExprProblem::new(format!("`{name}` takes one value, not {}", arguments.len()))),
    }
}

fn unknown(name: &str) -> ExprProblem {
    let help = match name {
        "count" | "sum" | "min" | "max" | "avg" => {
            Some("policies and checks do not calculate over several rows".to_owned())
        }
        "current_user" | "session_user" | "user" => Some("use `auth.uid()` or `auth.role()`".to_owned()),
        "current_date" | "current_time" | "localtimestamp" => Some("use `now()`".to_owned()),
        "auth.email" => Some("write `auth.jwt() ->> 'email'`".to_owned()),
        _ => did_you_mean(name, NAMES)
            .or_else(|| Some(format!("known are {}", NAMES.map(|n| format!("`{n}`")).join(", ")))),
    };
    ExprProblem::new(format!("unknown function `{name}`")).help(help)
}
