//! TypeScript to JavaScript: types are removed, nothing else is lowered, and what a reader of the file wants to
//! know about it (exports, imports, tables in use, state between calls) is gathered on the way.
//!
//! A leaf of its own because the parser is heavy to compile and rarely touched. Everything stands behind [`strip`].

mod calls;
mod emits;
mod facts;
mod positions;
mod state;

use std::path::{Path, PathBuf};

use oxc_allocator::Allocator;
use oxc_codegen::{Codegen, CodegenOptions, CommentOptions};
use oxc_diagnostics::{OxcDiagnostic, Severity};
use oxc_parser::Parser;
use oxc_semantic::SemanticBuilder;
use oxc_span::SourceType;
use oxc_transformer::{TransformOptions, Transformer};

pub use calls::{DbCall, Literal};
pub use emits::{EmitCall, Sent};
pub use facts::{Facts, Named};
pub use positions::{Place, Positions};

use positions::Lines;

/// A file without its types.
#[derive(Debug, Clone)]
pub struct Stripped {
    /// JavaScript, an ES module.
    pub code: String,
    /// From places in `code` to places in the source.
    pub positions: Positions,
    /// What stands in the file.
    pub facts: Facts,
}

/// Why a file is no TypeScript (or JavaScript, by its ending).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{line}:{column}: {message}")]
pub struct SyntaxProblem {
    /// Counted from 1.
    pub line: u32,
    /// Counted from 1, in characters.
    pub column: u32,
    /// What is wrong.
    pub message: String,
    /// A way out, if the parser knows one.
    pub help: Option<String>,
}

/// Removes the types from the file at `path` (which decides between TypeScript and JavaScript).
///
/// # Errors
/// The first thing that is no syntax.
pub fn strip(path: &str, source: &str) -> Result<Stripped, SyntaxProblem> {
    let lines = Lines::of(source);
    let problem = |all: &[OxcDiagnostic]| {
        all.iter().find(|d| d.severity == Severity::Error).map(|d| problem_of(d, &lines))
    };
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, source, source_type(path)).parse();
    if let Some(problem) = problem(&parsed.diagnostics) {
        return Err(problem);
    }
    let mut program = parsed.program;
    let built = SemanticBuilder::new_compiler().with_enum_eval(true).build(&program);
    if let Some(problem) = problem(&built.diagnostics) {
        return Err(problem);
    }
    let scoping = built.semantic.into_scoping();
    let mut facts = facts::gather(&program, &scoping, &lines);
    let done = Transformer::new(&allocator, Path::new(path), &TransformOptions::default())
        .build_with_scoping(scoping, &mut program);
    if let Some(problem) = problem(&done.diagnostics) {
        return Err(problem);
    }
    facts.erased = facts::erased(&facts.imports, &program);
    let options = CodegenOptions {
        comments: CommentOptions::disabled(),
        source_map_path: Some(PathBuf::from(path)),
        ..CodegenOptions::default()
    };
    let printed = Codegen::new().with_options(options).with_source_text(source).build(&program);
    let places = printed.map.iter().flat_map(|map| map.get_tokens());
    let positions = Positions::new(
        places.map(|t| ((t.get_dst_line(), t.get_dst_col()), (t.get_src_line(), t.get_src_col()))),
    );
    Ok(Stripped { code: printed.code, positions, facts })
}

fn source_type(path: &str) -> SourceType {
    if path.ends_with(".js") || path.ends_with(".mjs") { SourceType::mjs() } else { SourceType::ts() }
}

fn problem_of(diagnostic: &OxcDiagnostic, lines: &Lines<'_>) -> SyntaxProblem {
    let offset = diagnostic.labels.first().map_or(0, |label| label.offset());
    let place = lines.place(offset);
    SyntaxProblem {
        line: place.line,
        column: place.column,
        message: diagnostic.message.to_string(),
        help: diagnostic.help.as_ref().map(ToString::to_string),
    }
}
