//! Whether a module could carry something from one call to the next.
//!
//! A context of the script engine may be used again only if nothing of a call stays in it. Objects that hang on
//! a module's names can be frozen after its evaluation; what cannot be frozen is found here: reassigned names,
//! collections, and variables hidden in closures that ran while the module was evaluated. When in doubt, the
//! answer is "state": that costs a fresh context for each call, never a leak.

use oxc_ast::ast::{
    Argument, ArrayExpressionElement, BindingPattern, CallExpression, Class, ClassElement, Declaration,
    ExportDefaultDeclarationKind, Expression, ObjectPropertyKind, Program, PropertyKey, RegExpFlags,
    Statement, VariableDeclaration,
};
use oxc_semantic::Scoping;
use oxc_span::{GetSpan, Span};

/// Where and why.
pub(crate) struct Stateful {
    pub(crate) span: Span,
    pub(crate) why: &'static str,
}

const REASSIGNED: &str = "this name at the top of the module is given another value later";
const CLOSURE: &str = "this runs while the module is read and may keep something for later calls";
const BLOCK: &str = "this statement at the top of the module may keep something for later calls";
const REGEX: &str = "a regular expression with the flag g or y remembers where it stopped";
const STATIC: &str = "a static field of a class keeps its value";

/// The first reason why calls of this module could see each other.
pub(crate) fn find(program: &Program<'_>, scoping: &Scoping) -> Option<Stateful> {
    for statement in &program.body {
        if let Err(found) = statement_is_still(statement, scoping) {
            return Some(found);
        }
    }
    let root = scoping.root_scope_id();
    scoping
        .get_bindings(root)
        .values()
        .find(|symbol| scoping.symbol_is_mutated(**symbol))
        .map(|symbol| Stateful { span: scoping.symbol_span(*symbol), why: REASSIGNED })
}

type Still = Result<(), Stateful>;

fn not_still(span: Span, why: &'static str) -> Still {
    Err(Stateful { span, why })
}

fn statement_is_still(statement: &Statement<'_>, scoping: &Scoping) -> Still {
    match statement {
        Statement::ImportDeclaration(_)
        | Statement::ExportAllDeclaration(_)
        | Statement::ExportNamedDeclaration(_)
        | Statement::ExportFromDeclaration(_)
        | Statement::EmptyStatement(_) => Ok(()),
        Statement::ExpressionStatement(s) => still(&s.expression, scoping),
        Statement::ExportDeclaration(export) => declaration_is_still(&export.declaration, scoping),
        Statement::ExportDefaultDeclaration(export) => match &export.declaration {
            ExportDefaultDeclarationKind::FunctionDeclaration(_)
            | ExportDefaultDeclarationKind::TSInterfaceDeclaration(_) => Ok(()),
            ExportDefaultDeclarationKind::ClassDeclaration(class) => class_is_still(class, scoping),
            other => match other.as_expression() {
                Some(expression) => still(expression, scoping),
                None => not_still(other.span(), CLOSURE),
            },
        },
        other => match other.as_declaration() {
            Some(declaration) => declaration_is_still(declaration, scoping),
            None => not_still(other.span(), BLOCK),
        },
    }
}

fn declaration_is_still(declaration: &Declaration<'_>, scoping: &Scoping) -> Still {
    match declaration {
        Declaration::VariableDeclaration(variables) => variables_are_still(variables, scoping),
        Declaration::FunctionDeclaration(_)
        | Declaration::TSTypeAliasDeclaration(_)
        | Declaration::TSInterfaceDeclaration(_)
        | Declaration::TSEnumDeclaration(_)
        | Declaration::TSExternalModuleDeclaration(_)
        | Declaration::TSGlobalDeclaration(_) => Ok(()),
        Declaration::ClassDeclaration(class) => class_is_still(class, scoping),
        Declaration::TSNamespaceDeclaration(_) | Declaration::TSImportEqualsDeclaration(_) => {
            not_still(declaration.span(), BLOCK)
        }
    }
}

fn variables_are_still(variables: &VariableDeclaration<'_>, scoping: &Scoping) -> Still {
    if variables.declare {
        return Ok(());
    }
    for variable in &variables.declarations {
        if !matches!(variable.id, BindingPattern::BindingIdentifier(_)) {
            // Destructuring may run iterators and getters.
            return not_still(variable.span, CLOSURE);
        }
        if let Some(init) = &variable.init {
            still(init, scoping)?;
        }
    }
    Ok(())
}

fn class_is_still(class: &Class<'_>, scoping: &Scoping) -> Still {
    if let Some(decorator) = class.decorators.first() {
        return not_still(decorator.span, CLOSURE);
    }
    if let Some(heritage) = &class.heritage {
        still(&heritage.expression, scoping)?;
    }
    for element in &class.body.body {
        match element {
            ClassElement::StaticBlock(block) => return not_still(block.span, STATIC),
            ClassElement::PropertyDefinition(p) if p.r#static && !p.declare => {
                return not_still(p.span, STATIC);
            }
            ClassElement::AccessorProperty(p) => return not_still(p.span, STATIC),
            ClassElement::MethodDefinition(m) => key_is_still(&m.key, scoping)?,
            ClassElement::PropertyDefinition(p) => key_is_still(&p.key, scoping)?,
            ClassElement::TSIndexSignature(_) => {}
        }
    }
    Ok(())
}

fn key_is_still(key: &PropertyKey<'_>, scoping: &Scoping) -> Still {
    key.as_expression().map_or(Ok(()), |e| still(e, scoping))
}

/// Whether evaluating `expression` runs no code that could keep a variable alive, and makes nothing that cannot
/// be frozen.
fn still(expression: &Expression<'_>, scoping: &Scoping) -> Still {
    let all = |list: &[&Expression<'_>]| list.iter().try_for_each(|e| still(e, scoping));
    match expression {
        Expression::BooleanLiteral(_)
        | Expression::NullLiteral(_)
        | Expression::NumericLiteral(_)
        | Expression::BigIntLiteral(_)
        | Expression::StringLiteral(_)
        | Expression::Identifier(_)
        | Expression::ArrowFunctionExpression(_)
        | Expression::FunctionExpression(_) => Ok(()),
        Expression::RegExpLiteral(regex) => {
            if regex.regex.flags.intersects(RegExpFlags::G | RegExpFlags::Y) {
                return not_still(regex.span, REGEX);
            }
            Ok(())
        }
        Expression::TemplateLiteral(template) => {
            template.expressions.iter().try_for_each(|e| still(e, scoping))
        }
        Expression::ArrayExpression(array) => array.elements.iter().try_for_each(|element| match element {
            ArrayExpressionElement::SpreadElement(spread) => still(&spread.argument, scoping),
            ArrayExpressionElement::Elision(_) => Ok(()),
            other => other.as_expression().map_or(Ok(()), |e| still(e, scoping)),
        }),
        Expression::ObjectExpression(object) => object.properties.iter().try_for_each(|p| match p {
            ObjectPropertyKind::ObjectProperty(property) => {
                key_is_still(&property.key, scoping)?;
                still(&property.value, scoping)
            }
            ObjectPropertyKind::SpreadProperty(spread) => still(&spread.argument, scoping),
        }),
        Expression::ClassExpression(class) => class_is_still(class, scoping),
        Expression::UnaryExpression(e) => still(&e.argument, scoping),
        Expression::BinaryExpression(e) => all(&[&e.left, &e.right]),
        Expression::LogicalExpression(e) => all(&[&e.left, &e.right]),
        Expression::ConditionalExpression(e) => all(&[&e.test, &e.consequent, &e.alternate]),
        Expression::ParenthesizedExpression(e) => still(&e.expression, scoping),
        Expression::TSAsExpression(e) => still(&e.expression, scoping),
        Expression::TSSatisfiesExpression(e) => still(&e.expression, scoping),
        Expression::TSNonNullExpression(e) => still(&e.expression, scoping),
        Expression::TSTypeAssertion(e) => still(&e.expression, scoping),
        Expression::StaticMemberExpression(e) => still(&e.object, scoping),
        Expression::ComputedMemberExpression(e) => all(&[&e.object, &e.expression]),
        Expression::CallExpression(call) => call_is_still(call, scoping),
        other => not_still(other.span(), CLOSURE),
    }
}

/// Built-in functions that give plain data for plain data.
fn call_is_still(call: &CallExpression<'_>, scoping: &Scoping) -> Still {
    let is_global = |e: &Expression<'_>, names: &[&str]| match e {
        Expression::Identifier(i) => {
            names.contains(&i.name.as_str())
                && i.reference_id.get().is_none_or(|r| scoping.get_reference(r).symbol_id().is_none())
        }
        _ => false,
    };
    let known = match &call.callee {
        callee @ Expression::Identifier(_) => is_global(callee, &["String", "Number", "Boolean", "BigInt"]),
        Expression::StaticMemberExpression(member) => {
            let name = member.property.name.as_str();
            (is_global(&member.object, &["Object"])
                && ["freeze", "keys", "values", "entries", "fromEntries"].contains(&name))
                || is_global(&member.object, &["Math"])
                || (matches!(member.object, Expression::StringLiteral(_))
                    && ["split", "trim", "toLowerCase", "toUpperCase", "repeat"].contains(&name))
        }
        _ => false,
    };
    if !known {
        return not_still(call.span, CLOSURE);
    }
    call.arguments.iter().try_for_each(|argument| match argument {
        Argument::SpreadElement(spread) => still(&spread.argument, scoping),
        other => other.as_expression().map_or(Ok(()), |e| still(e, scoping)),
    })
}
