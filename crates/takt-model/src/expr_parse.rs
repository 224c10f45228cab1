//! Reads policies and checks: PostgreSQL's syntax by `sqlparser`, names and types by us.
//!
//! Text to tokens to `sqlparser`'s tree here; its tree to ours in `convert.rs`, with names in `names.rs`, literals
//! and types in `operand.rs`, functions in `functions.rs`, sub-queries in `query.rs`. Whatever is not part of the
//! documented language is refused by name; nothing is passed through.

mod convert;
mod functions;
mod names;
mod operand;
mod query;

use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, Tokenizer};

use crate::{Expr, Project, TableId};

/// How deep an expression may be nested, as we count: parentheses and operators.
const DEPTH: usize = 32;

/// How deep the parser may descend, as it counts: parentheses and prefix operators. Its frames are large
/// (up to 60 kB in a debug build), and a thread may have no more than 2 MB of stack.
const DESCENT: usize = 20;

/// How many words and signs it may have; bounds the work and the depth of trees inside the parser.
const TOKENS: usize = 1000;

/// Why a text is no expression over a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExprProblem {
    /// "unknown field `custmer_id`"
    pub message: String,
    /// "did you mean `customer_id`?"
    pub help: Option<String>,
}

impl ExprProblem {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    fn help(mut self, help: impl Into<Option<String>>) -> Self {
        self.help = help.into();
        self
    }
}

type Parsed<T> = Result<T, ExprProblem>;

/// What an expression is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Everything of the language.
    Policy,
    /// The row alone: a check holds whoever writes.
    Check,
}

/// Reads a boolean expression over a row of `table`.
///
/// # Errors
/// When the text is no expression of the documented language, or names or types do not fit.
pub fn parse_expression(project: &Project, table: TableId, text: &str) -> Result<Expr, ExprProblem> {
    parse(project, table, text, Purpose::Policy)
}

pub(crate) fn parse(project: &Project, table: TableId, text: &str, purpose: Purpose) -> Parsed<Expr> {
    let tree = syntax(text)?;
    convert::Converter::new(project, table, purpose).condition(&tree, 0)
}

fn syntax(text: &str) -> Parsed<sqlparser::ast::Expr> {
    let dialect = PostgreSqlDialect {};
    let tokens = Tokenizer::new(&dialect, text)
        .tokenize_with_location()
        .map_err(|e| ExprProblem::new(format!("this is no expression: {}", e.message)))?;
    let words = tokens.iter().filter(|t| !matches!(t.token, Token::Whitespace(_))).count();
    if words == 0 {
        return Err(ExprProblem::new("the expression is empty").help("for all rows write `true`".to_owned()));
    }
    if words > TOKENS {
        return Err(ExprProblem::new(format!(
            "the expression is too long: more than {TOKENS} words and signs"
        )));
    }
    let mut parser = Parser::new(&dialect).with_recursion_limit(DESCENT).with_tokens_with_locations(tokens);
    let tree = parser.parse_expr().map_err(syntax_problem)?;
    match parser.peek_token().token {
        Token::EOF => Ok(tree),
        Token::SemiColon => {
            Err(ExprProblem::new("the expression ends with `;`").help("leave it out".to_owned()))
        }
        Token::Word(word) if word.keyword == Keyword::WHERE => {
            Err(ExprProblem::new("`where` is not part of an expression"))
        }
        other => Err(ExprProblem::new(format!("`{other}` is not expected here"))),
    }
}

fn syntax_problem(error: ParserError) -> ExprProblem {
    match error {
        ParserError::RecursionLimitExceeded => too_deep(),
        ParserError::TokenizerError(message) | ParserError::ParserError(message) => {
            let message = message.replacen("Expected:", "expected", 1).replacen("found:", "found", 1);
            ExprProblem::new(format!("this is no expression: {message}"))
        }
    }
}

fn too_deep() -> ExprProblem {
    ExprProblem::new("the expression is nested too deeply")
        .help("ask one thing after the other with `and`".to_owned())
}
