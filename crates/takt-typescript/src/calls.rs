//! Calls that can be read without running anything: `db.<table>.<verb>(..)` and `later("name", ..)`; events stand in
//! `emits.rs`.
//! What is not written out (variables, spreads, computed keys) is [`Literal::Unknown`] or not there at all: a reader
//! may say something about what it sees, and nothing about the rest.

use std::collections::HashSet;

use oxc_ast::ast::{
    Argument, ArrayExpressionElement, BindingPattern, CallExpression, Expression, FormalParameter,
    IdentifierReference, ObjectPropertyKind,
};
use oxc_semantic::{Scoping, SymbolId};
use oxc_span::GetSpan;
use oxc_syntax::symbol::SymbolFlags;

use crate::{Named, positions::Lines};

/// `db.<table>.<verb>(..)`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DbCall {
    /// The table, as written.
    pub table: Named,
    /// The verb, as written.
    pub verb: Named,
    /// What it is given, as far as it is written out.
    pub arguments: Vec<Literal>,
}

/// What an expression says by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Literal {
    /// Those keys of an object that are written out, and whether there can be no more.
    Object(Vec<(Named, Literal)>, bool),
    /// Those entries of a list that are written out; there may be more.
    List(Vec<Literal>),
    /// A text.
    Text(Named),
    /// Anything else.
    Unknown,
}

/// What functions are given as their first argument, and by which names they know it.
#[derive(Default)]
pub(crate) struct Given {
    db: HashSet<SymbolId>,
    later: HashSet<SymbolId>,
    emit: HashSet<SymbolId>,
}

impl Given {
    /// `({ db, later: soon }) => ..`
    pub(crate) fn note(&mut self, parameter: &FormalParameter<'_>) {
        let BindingPattern::ObjectPattern(pattern) = &parameter.pattern else { return };
        for property in &pattern.properties {
            let BindingPattern::BindingIdentifier(name) = &property.value else { continue };
            let Some(symbol) = name.symbol_id.get() else { continue };
            match property.key.static_name().as_deref() {
                Some("db") => self.db.insert(symbol),
                Some("later") => self.later.insert(symbol),
                Some("emit") => self.emit.insert(symbol),
                _ => false,
            };
        }
    }

    /// Whether this is `db` as a parameter brings it, or a property `db` of something.
    pub(crate) fn is_db(&self, expression: &Expression<'_>, scoping: &Scoping) -> bool {
        match expression {
            Expression::Identifier(identifier) => {
                let symbol =
                    identifier.reference_id.get().and_then(|id| scoping.get_reference(id).symbol_id());
                symbol.is_some_and(|symbol| {
                    let is_parameter =
                        scoping.symbol_flags(symbol).contains(SymbolFlags::FunctionScopedVariable);
                    self.db.contains(&symbol) || (identifier.name == "db" && is_parameter)
                })
            }
            Expression::StaticMemberExpression(member) => {
                member.property.name == "db" && matches!(member.object, Expression::Identifier(_))
            }
            _ => false,
        }
    }

    /// Whether this is `emit` under whichever name a parameter brings it, or a parameter of that name in a helper.
    pub(crate) fn is_emit(&self, identifier: &IdentifierReference<'_>, scoping: &Scoping) -> bool {
        let symbol = identifier.reference_id.get().and_then(|id| scoping.get_reference(id).symbol_id());
        identifier.name == "emit" || symbol.is_some_and(|symbol| self.emit.contains(&symbol))
    }

    fn is_later(&self, callee: &Expression<'_>, scoping: &Scoping) -> bool {
        let Expression::Identifier(identifier) = callee else { return false };
        let symbol = identifier.reference_id.get().and_then(|id| scoping.get_reference(id).symbol_id());
        symbol.is_some_and(|symbol| self.later.contains(&symbol))
    }
}

/// The call of a table, if it is one.
pub(crate) fn db_call(
    call: &CallExpression<'_>,
    given: &Given,
    scoping: &Scoping,
    lines: &Lines<'_>,
) -> Option<DbCall> {
    let Expression::StaticMemberExpression(verb) = &call.callee else { return None };
    let Expression::StaticMemberExpression(table) = &verb.object else { return None };
    if !given.is_db(&table.object, scoping) {
        return None;
    }
    let named = |name: &str, offset| Named { name: name.to_owned(), place: lines.place(offset) };
    let spread = call.arguments.iter().position(Argument::is_spread).unwrap_or(call.arguments.len());
    Some(DbCall {
        table: named(&table.property.name, table.property.span.start),
        verb: named(&verb.property.name, verb.property.span.start),
        arguments: call.arguments[..spread]
            .iter()
            .map(|a| a.as_expression().map_or(Literal::Unknown, |e| literal(e, lines)))
            .collect(),
    })
}

/// The name of the job in `later("name", ..)`, if it is written out.
pub(crate) fn later_call(
    call: &CallExpression<'_>,
    given: &Given,
    scoping: &Scoping,
    lines: &Lines<'_>,
) -> Option<Named> {
    if !given.is_later(&call.callee, scoping) {
        return None;
    }
    match literal(call.arguments.first()?.as_expression()?, lines) {
        Literal::Text(name) => Some(name),
        _ => None,
    }
}

pub(crate) fn literal(expression: &Expression<'_>, lines: &Lines<'_>) -> Literal {
    match expression.get_inner_expression() {
        Expression::StringLiteral(text) => {
            Literal::Text(Named { name: text.value.to_string(), place: lines.place(text.span.start) })
        }
        Expression::ArrayExpression(list) => {
            let entry = |e: &ArrayExpressionElement<'_>| e.as_expression().map(|e| literal(e, lines));
            Literal::List(list.elements.iter().filter_map(entry).collect())
        }
        Expression::ObjectExpression(object) => {
            let property = |property: &ObjectPropertyKind<'_>| {
                let ObjectPropertyKind::ObjectProperty(property) = property else { return None };
                if property.computed {
                    return None;
                }
                let name = property.key.static_name()?.into_owned();
                let place = lines.place(property.key.span().start);
                Some((Named { name, place }, literal(&property.value, lines)))
            };
            let written: Vec<_> = object.properties.iter().filter_map(property).collect();
            let is_whole = written.len() == object.properties.len();
            Literal::Object(written, is_whole)
        }
        _ => Literal::Unknown,
    }
}
