//! Events that leave: `emit("name", { .. })`, and of which fields of rows their values are made, as far as it can be
//! read without running anything. A value that goes through a function or a variable that is changed is not followed.

use std::collections::HashMap;

use oxc_ast::ast::{
    Argument, BindingPattern, CallExpression, Expression, IdentifierReference, ObjectExpression,
    ObjectPropertyKind, StaticMemberExpression, VariableDeclarator,
};
use oxc_ast_visit::{Visit, walk};
use oxc_semantic::Scoping;
use oxc_span::GetSpan;
use oxc_syntax::{operator::BinaryOperator, symbol::SymbolId};

use crate::{
    Literal, Named,
    calls::{Given, literal},
    positions::Lines,
};

/// `emit("name", { .. })`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmitCall {
    /// Its name; none if it is worked out when it runs, or if `emit` is handed to somebody.
    pub name: Option<Named>,
    /// What it carries, by the names that are written out.
    pub fields: Vec<Sent>,
    /// Whether there can be no more names on the first level than those.
    pub is_whole: bool,
}

/// A value of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Its names from the outside in, and where the last one stands.
    pub path: Vec<Named>,
    /// Names of the properties that it is made of: `email` of `order.email.trim()`.
    pub of: Vec<String>,
}

/// Which property a variable was made of: `mail` of `const { email: mail } = order` is `email`.
#[derive(Default)]
pub(crate) struct Origins(HashMap<SymbolId, String>);

impl Origins {
    pub(crate) fn note_pattern(&mut self, pattern: &BindingPattern<'_>) {
        match pattern {
            BindingPattern::ObjectPattern(object) => {
                for property in &object.properties {
                    let bound = match &property.value {
                        BindingPattern::AssignmentPattern(with_default) => &with_default.left,
                        other => other,
                    };
                    if let (Some(name), BindingPattern::BindingIdentifier(to)) =
                        (property.key.static_name(), bound)
                        && let Some(symbol) = to.symbol_id.get()
                    {
                        self.0.insert(symbol, name.into_owned());
                    }
                    self.note_pattern(bound);
                }
            }
            BindingPattern::ArrayPattern(list) => {
                list.elements.iter().flatten().for_each(|e| self.note_pattern(e))
            }
            BindingPattern::AssignmentPattern(with_default) => self.note_pattern(&with_default.left),
            BindingPattern::BindingIdentifier(_) => {}
        }
    }

    /// `const mail = order.email`
    pub(crate) fn note_variable(&mut self, variable: &VariableDeclarator<'_>) {
        self.note_pattern(&variable.id);
        if let (BindingPattern::BindingIdentifier(to), Some(Expression::StaticMemberExpression(from))) =
            (&variable.id, &variable.init)
            && let Some(symbol) = to.symbol_id.get()
        {
            self.0.insert(symbol, from.property.name.to_string());
        }
    }
}

pub(crate) fn emit_call(
    call: &CallExpression<'_>,
    (given, origins): (&Given, &Origins),
    scoping: &Scoping,
    lines: &Lines<'_>,
) -> Option<EmitCall> {
    let unknown = EmitCall { name: None, fields: Vec::new(), is_whole: false };
    let is_emit = match &call.callee {
        Expression::Identifier(identifier) => given.is_emit(identifier, scoping),
        Expression::StaticMemberExpression(member) => member.property.name == "emit",
        _ => false,
    };
    if !is_emit {
        // Whoever is handed `emit` may call it by any name.
        let is_handed = |a: &Argument<'_>| matches!(a, Argument::Identifier(i) if given.is_emit(i, scoping));
        return call.arguments.iter().any(is_handed).then_some(unknown);
    }
    let argument = |at: usize| call.arguments.get(at).and_then(Argument::as_expression);
    let name = match argument(0).map(|e| literal(e, lines)) {
        Some(Literal::Text(name)) => Some(name),
        _ => None,
    };
    let mut fields = Vec::new();
    let is_whole = match argument(1).map(Expression::get_inner_expression) {
        Some(Expression::ObjectExpression(object)) => {
            let reader = Reader { origins, scoping, lines };
            reader.object(object, &[], &mut fields)
        }
        None => call.arguments.len() < 2,
        Some(_) => false,
    };
    Some(EmitCall { name, fields, is_whole })
}

struct Reader<'r> {
    origins: &'r Origins,
    scoping: &'r Scoping,
    lines: &'r Lines<'r>,
}

impl Reader<'_> {
    /// Adds the values of `object`; says whether all its names are written out.
    fn object(&self, object: &ObjectExpression<'_>, above: &[Named], fields: &mut Vec<Sent>) -> bool {
        let mut is_whole = true;
        for property in &object.properties {
            let ObjectPropertyKind::ObjectProperty(property) = property else {
                is_whole = false;
                continue;
            };
            let Some(name) = property.key.static_name().filter(|_| !property.computed) else {
                is_whole = false;
                continue;
            };
            let place = self.lines.place(property.key.span().start);
            let mut path = above.to_vec();
            path.push(Named { name: name.into_owned(), place });
            match property.value.get_inner_expression() {
                Expression::ObjectExpression(inner) => {
                    self.object(inner, &path, fields);
                    if inner.properties.is_empty() {
                        fields.push(Sent { path, of: Vec::new() });
                    }
                }
                value => {
                    let mut made = Made { reader: self, of: Vec::new() };
                    made.visit_expression(value);
                    fields.push(Sent { path, of: made.of });
                }
            }
        }
        is_whole
    }
}

/// Of which properties a value is made.
struct Made<'r> {
    reader: &'r Reader<'r>,
    of: Vec<String>,
}

impl<'a> Visit<'a> for Made<'_> {
    fn visit_expression(&mut self, expression: &Expression<'a>) {
        match expression {
            // What is asked about a value is not the value.
            Expression::BinaryExpression(binary) if binary.operator != BinaryOperator::Addition => {}
            Expression::UnaryExpression(_) | Expression::FunctionExpression(_) => {}
            Expression::ArrowFunctionExpression(_) => {}
            other => walk::walk_expression(self, other),
        }
    }

    fn visit_static_member_expression(&mut self, member: &StaticMemberExpression<'a>) {
        if member.property.name == "length" {
            return;
        }
        self.of.push(member.property.name.to_string());
        walk::walk_static_member_expression(self, member);
    }

    fn visit_identifier_reference(&mut self, identifier: &IdentifierReference<'a>) {
        let symbol =
            identifier.reference_id.get().and_then(|id| self.reader.scoping.get_reference(id).symbol_id());
        self.of.extend(symbol.and_then(|symbol| self.reader.origins.0.get(&symbol)).cloned());
    }
}
