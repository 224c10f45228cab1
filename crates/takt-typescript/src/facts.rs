//! What stands in a file: exports, imports, names of its own, tables in use.

use oxc_ast::ast::{
    CallExpression, Declaration, ExportSpecifier, FormalParameter, ImportExpression, Program, Statement,
    StaticMemberExpression, VariableDeclarator,
};
use oxc_ast_visit::{Visit, walk};
use oxc_semantic::Scoping;
use oxc_span::Span;

use crate::{
    DbCall, EmitCall, Place,
    calls::{Given, db_call, later_call},
    emits::{Origins, emit_call},
    positions::Lines,
    state::{self, Stateful},
};

/// Something with a name, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The name, the specifier, or the sentence.
    pub name: String,
    /// Where.
    pub place: Place,
}

/// What stands in a file.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Exported names; `default` among them.
    pub exports: Vec<Named>,
    /// Specifiers of static imports and re-exports that are not of types only.
    pub imports: Vec<Named>,
    /// Of these, those of which nothing is used: they go with the types, and their files are not run.
    pub erased: Vec<String>,
    /// Dynamic `import(...)` expressions.
    pub dynamic_imports: Vec<Place>,
    /// Names of values that the module itself declares at its top.
    pub names: Vec<String>,
    /// `db.<name>`: where a parameter `db` (or a property `db`) is asked for `name`.
    pub tables: Vec<Named>,
    /// `db.<table>.<verb>(..)`, as far as it is written out.
    pub calls: Vec<DbCall>,
    /// `later("name", ..)`: the names that are written out.
    pub later: Vec<Named>,
    /// `emit(..)`: the events that leave.
    pub emits: Vec<EmitCall>,
    /// Why a call could leave something behind for the next one in this module: the first reason found.
    pub state: Option<Named>,
}

pub(crate) fn gather(program: &Program<'_>, scoping: &Scoping, lines: &Lines<'_>) -> Facts {
    let mut gatherer = Gatherer {
        facts: Facts::default(),
        given: Given::default(),
        origins: Origins::default(),
        scoping,
        lines,
    };
    for statement in &program.body {
        gatherer.top_level(statement);
    }
    gatherer.visit_program(program);
    gatherer.facts.state = state::find(program, scoping)
        .map(|Stateful { span, why }| Named { name: why.to_owned(), place: lines.place(span.start) });
    gatherer.facts
}

/// Which of `imports` stand no longer in `program`, from which the types were taken.
pub(crate) fn erased(imports: &[Named], program: &Program<'_>) -> Vec<String> {
    let source = |statement: &Statement<'_>| match statement {
        Statement::ImportDeclaration(import) => Some(import.source.value.to_string()),
        Statement::ExportAllDeclaration(export) => Some(export.source.value.to_string()),
        Statement::ExportFromDeclaration(export) => Some(export.source.value.to_string()),
        _ => None,
    };
    let left: Vec<String> = program.body.iter().filter_map(source).collect();
    imports.iter().map(|i| i.name.clone()).filter(|name| !left.contains(name)).collect()
}

struct Gatherer<'f> {
    facts: Facts,
    given: Given,
    origins: Origins,
    scoping: &'f Scoping,
    lines: &'f Lines<'f>,
}

impl Gatherer<'_> {
    fn named(&self, name: &str, span: Span) -> Named {
        Named { name: name.to_owned(), place: self.lines.place(span.start) }
    }

    fn top_level(&mut self, statement: &Statement<'_>) {
        match statement {
            Statement::ImportDeclaration(import) if import.import_kind.is_value() => {
                let named = self.named(&import.source.value, import.span);
                self.facts.imports.push(named);
            }
            Statement::ExportAllDeclaration(export) if export.export_kind.is_value() => {
                let named = self.named(&export.source.value, export.span);
                self.facts.imports.push(named);
            }
            Statement::ExportFromDeclaration(export) if export.export_kind.is_value() => {
                let named = self.named(&export.source.value, export.span);
                self.facts.imports.push(named);
                self.specifiers(&export.specifiers);
            }
            Statement::ExportNamedDeclaration(export) if export.export_kind.is_value() => {
                self.specifiers(&export.specifiers);
            }
            Statement::ExportDefaultDeclaration(export) => {
                let named = self.named("default", export.span);
                self.facts.exports.push(named);
            }
            Statement::ExportDeclaration(export) => {
                let before = self.facts.names.len();
                self.declaration(&export.declaration);
                let new = self.facts.names[before..].to_vec();
                for name in new {
                    let named = self.named(&name, export.span);
                    self.facts.exports.push(named);
                }
            }
            other => {
                if let Some(declaration) = other.as_declaration() {
                    self.declaration(declaration);
                }
            }
        }
    }

    fn specifiers(&mut self, specifiers: &[ExportSpecifier<'_>]) {
        for specifier in specifiers.iter().filter(|s| s.export_kind.is_value()) {
            let named = self.named(specifier.exported.name().as_str(), specifier.span);
            self.facts.exports.push(named);
        }
    }

    fn declaration(&mut self, declaration: &Declaration<'_>) {
        let names = &mut self.facts.names;
        match declaration {
            Declaration::VariableDeclaration(variables) if !variables.declare => {
                for variable in &variables.declarations {
                    names.extend(variable.id.get_binding_identifiers().iter().map(|i| i.name.to_string()));
                }
            }
            Declaration::FunctionDeclaration(function) if !function.declare && function.body.is_some() => {
                names.extend(function.id.iter().map(|i| i.name.to_string()));
            }
            Declaration::ClassDeclaration(class) if !class.declare => {
                names.extend(class.id.iter().map(|i| i.name.to_string()));
            }
            Declaration::TSEnumDeclaration(numbers) if !numbers.declare => {
                names.push(numbers.id.name.to_string());
            }
            _ => {}
        }
    }
}

impl<'a> Visit<'a> for Gatherer<'_> {
    fn visit_static_member_expression(&mut self, member: &StaticMemberExpression<'a>) {
        if self.given.is_db(&member.object, self.scoping) {
            let named = self.named(&member.property.name, member.property.span);
            self.facts.tables.push(named);
        }
        walk::walk_static_member_expression(self, member);
    }

    fn visit_formal_parameter(&mut self, parameter: &FormalParameter<'a>) {
        self.given.note(parameter);
        self.origins.note_pattern(&parameter.pattern);
        walk::walk_formal_parameter(self, parameter);
    }

    fn visit_variable_declarator(&mut self, variable: &VariableDeclarator<'a>) {
        self.origins.note_variable(variable);
        walk::walk_variable_declarator(self, variable);
    }

    fn visit_call_expression(&mut self, call: &CallExpression<'a>) {
        self.facts.calls.extend(db_call(call, &self.given, self.scoping, self.lines));
        self.facts.later.extend(later_call(call, &self.given, self.scoping, self.lines));
        self.facts.emits.extend(emit_call(call, (&self.given, &self.origins), self.scoping, self.lines));
        walk::walk_call_expression(self, call);
    }

    fn visit_import_expression(&mut self, import: &ImportExpression<'a>) {
        let place = self.lines.place(import.span.start);
        self.facts.dynamic_imports.push(place);
        walk::walk_import_expression(self, import);
    }
}
