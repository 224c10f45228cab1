//! Filters: `gt.5`, `not.in.(1,2)`, `like(any).{a*,*b}`, and the trees of `and=` / `or=`.
//! Values stay text here; they get their type where the column is known (`plan/filters.rs`).

use std::{iter::Peekable, str::Chars};

use takt_model::CompareOp;

use crate::{RestError, limits, scan::Scanner};

/// A condition, or several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Logic {
    Filter(Filter),
    Group { any: bool, negated: bool, list: Vec<Logic> },
}

/// One condition on one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filter {
    pub(crate) column: String,
    pub(crate) negated: bool,
    pub(crate) test: Test,
}

/// What is asked of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Test {
    Quantified(Operator, Operand),
    In(Vec<String>),
    Is(Is),
    IsDistinct(String),
    /// A comparison with the value of this number that was cut out of the request (`shape.rs`).
    Cut(CompareOp, usize),
}

/// The operators that take `(any)` and `(all)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Eq,
    Neq,
    Gt,
    Gte,
    Lt,
    Lte,
    Like,
    Ilike,
}

/// One value, or a list of which any or all must fit; `None` is an unquoted `NULL`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Operand {
    One(String),
    Any(Vec<Option<String>>),
    All(Vec<Option<String>>),
}

/// The values of `is`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Is {
    Null,
    NotNull,
    True,
    False,
    Unknown,
}

const OPERATORS: [(&str, Operator); 8] = [
    ("eq", Operator::Eq),
    ("neq", Operator::Neq),
    ("gt", Operator::Gt),
    ("gte", Operator::Gte),
    ("lt", Operator::Lt),
    ("lte", Operator::Lte),
    ("like", Operator::Like),
    ("ilike", Operator::Ilike),
];

/// Part of the dialect, but not built.
const NOT_BUILT: [&str; 14] =
    ["match", "imatch", "fts", "plfts", "phfts", "wfts", "cs", "cd", "ov", "sl", "sr", "nxr", "nxl", "adj"];

impl Logic {
    /// Reads `column=text`.
    pub(crate) fn filter(column: String, text: &str) -> Result<Self, RestError> {
        let mut scan = Scanner::new(text, "filter");
        let filter = Self::Filter(condition(&mut scan, column, Place::Parameter)?);
        scan.end("end of input")?;
        Ok(filter)
    }

    /// A comparison whose value was cut out.
    pub(crate) fn cut(column: String, op: CompareOp, number: usize) -> Self {
        Self::Filter(Filter { column, negated: false, test: Test::Cut(op, number) })
    }

    /// Reads the list of `and=(...)` / `or=(...)`.
    pub(crate) fn group(any: bool, negated: bool, text: &str) -> Result<Self, RestError> {
        let mut scan = Scanner::new(text, "logic tree");
        scan.blanks();
        let list = list(&mut scan, 1)?;
        scan.blanks();
        scan.end("end of input")?;
        Ok(Self::Group { any, negated, list })
    }

    /// How many comparisons a database has to make of it; what becomes one list (see `plan/filters.rs`) is one.
    pub(crate) fn conditions(&self) -> usize {
        match self {
            Self::Group { list, .. } => list.iter().map(Self::conditions).sum(),
            Self::Filter(filter) => match &filter.test {
                Test::Quantified(operator, operand) if operand.members(*operator).is_none() => operand.len(),
                Test::Quantified(..) | Test::In(_) | Test::Is(_) | Test::IsDistinct(_) | Test::Cut(..) => 1,
            },
        }
    }
}

impl Filter {
    pub(crate) fn is_cut(&self) -> bool {
        matches!(self.test, Test::Cut(..))
    }
}

impl Operand {
    fn len(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Any(list) | Self::All(list) => list.len(),
        }
    }

    /// The values of `eq(any)` and `neq(all)`, which ask for a member of a list; not with a null among them, which
    /// makes the answer null and needs every comparison.
    pub(crate) fn members(&self, operator: Operator) -> Option<Vec<&str>> {
        match (operator, self) {
            (Operator::Eq, Self::Any(list)) | (Operator::Neq, Self::All(list)) => {
                list.iter().map(Option::as_deref).collect()
            }
            _ => None,
        }
    }
}

fn list(scan: &mut Scanner<'_>, depth: usize) -> Result<Vec<Logic>, RestError> {
    if depth > limits::LOGIC_DEPTH {
        return Err(limits::exceeded("and/or within each other", limits::LOGIC_DEPTH));
    }
    if !scan.eat("(") {
        return Err(scan.expected("\"(\""));
    }
    let mut list = Vec::new();
    loop {
        list.push(element(scan, depth)?);
        scan.blanks();
        if scan.eat(")") {
            return Ok(list);
        }
        if !scan.eat(",") {
            return Err(scan.expected("\",\" or \")\""));
        }
    }
}

fn element(scan: &mut Scanner<'_>, depth: usize) -> Result<Logic, RestError> {
    scan.blanks();
    for (word, any, negated) in
        [("and", false, false), ("or", true, false), ("not.and", false, true), ("not.or", true, true)]
    {
        let nested = scan.rest().strip_prefix(word).is_some_and(|r| r.trim_start().starts_with('('));
        if nested {
            scan.eat(word);
            scan.blanks();
            return Ok(Logic::Group { any, negated, list: list(scan, depth + 1)? });
        }
    }
    let column = scan.name()?.text;
    if scan.rest().starts_with("->") {
        return Err(RestError::not_built(format_args!("JSON paths in filters ({column}->)")));
    }
    if !scan.eat(".") {
        return Err(scan.expected("\".\""));
    }
    Ok(Logic::Filter(condition(scan, column, Place::Tree)?))
}

/// Where a condition stands: its value reaches to the end, or to `,` or `)`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Parameter,
    Tree,
}

fn condition(scan: &mut Scanner<'_>, column: String, place: Place) -> Result<Filter, RestError> {
    let negated = scan.eat("not.");
    let start = scan.position();
    let word = scan.take_while(|c| c.is_ascii_lowercase());
    let test = match word {
        "in" => {
            dot(scan)?;
            Test::In(values(scan)?)
        }
        "is" => {
            dot(scan)?;
            Test::Is(is(scan, place)?)
        }
        "isdistinct" => {
            dot(scan)?;
            Test::IsDistinct(single(scan, place)?)
        }
        _ => match OPERATORS.iter().find(|(name, _)| *name == word) {
            Some((_, operator)) => Test::Quantified(*operator, operand(scan, place)?),
            None => {
                let follows = matches!(scan.peek(), Some('.' | '('));
                if follows && NOT_BUILT.contains(&word) {
                    return Err(RestError::not_built(format_args!("the operator '{word}'")));
                }
                scan.back_to(start);
                let expecting =
                    if negated { "operator (eq, gt, ...)" } else { "\"not\" or operator (eq, gt, ...)" };
                return Err(scan.expected(expecting));
            }
        },
    };
    Ok(Filter { column, negated, test })
}

fn dot(scan: &mut Scanner<'_>) -> Result<(), RestError> {
    if scan.eat(".") { Ok(()) } else { Err(scan.expected("\".\"")) }
}

/// `(any)` or `(all)`: makes an operand of the values in braces.
type Quantifier = fn(Vec<Option<String>>) -> Operand;

fn operand(scan: &mut Scanner<'_>, place: Place) -> Result<Operand, RestError> {
    let quantifier: Option<Quantifier> = if scan.eat("(any)") {
        Some(Operand::Any)
    } else if scan.eat("(all)") {
        Some(Operand::All)
    } else if scan.peek() == Some('(') {
        return Err(scan.expected("\"(any)\" or \"(all)\""));
    } else {
        None
    };
    dot(scan)?;
    let text = single(scan, place)?;
    match quantifier {
        Some(quantified) => Ok(quantified(array(&text)?)),
        None => Ok(Operand::One(text)),
    }
}

fn is(scan: &mut Scanner<'_>, place: Place) -> Result<Is, RestError> {
    let start = scan.position();
    let word = single(scan, place)?;
    Ok(match word.to_ascii_lowercase().as_str() {
        "null" => Is::Null,
        "not_null" => Is::NotNull,
        "true" => Is::True,
        "false" => Is::False,
        "unknown" => Is::Unknown,
        _ => {
            scan.back_to(start);
            return Err(scan.expected("null or trilean value (unknown, true, false)"));
        }
    })
}

/// A single value. As a parameter it is all the rest, quotes included; in a tree it ends before `,` or `)`
/// unless it is quoted or in braces.
fn single(scan: &mut Scanner<'_>, place: Place) -> Result<String, RestError> {
    if place == Place::Parameter {
        return Ok(scan.take_rest().to_owned());
    }
    if let Some(text) = whole_quoted(scan) {
        return Ok(text);
    }
    if scan.peek() == Some('{') {
        return braces(scan);
    }
    Ok(scan.take_while(|c| !matches!(c, ',' | ')')).to_owned())
}

/// A quoted text, if it is quoted as a whole: a lone quote inside a value is part of the value.
fn whole_quoted(scan: &mut Scanner<'_>) -> Option<String> {
    let start = scan.position();
    if scan.peek() == Some('"')
        && let Ok(text) = scan.quoted()
        && matches!(scan.peek(), None | Some(',' | ')'))
    {
        return Some(text);
    }
    scan.back_to(start);
    None
}

fn braces(scan: &mut Scanner<'_>) -> Result<String, RestError> {
    let rest = scan.rest();
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in rest.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            '}' if !quoted => {
                let text = rest.get(..=at).unwrap_or_default();
                scan.eat(text);
                return Ok(text.to_owned());
            }
            _ => {}
        }
    }
    scan.take_rest();
    Err(scan.expected("\"}\""))
}

/// The values of `in`: `(1,"a b",)`. `()` is none at all.
fn values(scan: &mut Scanner<'_>) -> Result<Vec<String>, RestError> {
    if !scan.eat("(") {
        return Err(scan.expected("\"(\""));
    }
    if scan.eat(")") {
        return Ok(Vec::new());
    }
    let mut values = Vec::new();
    loop {
        if values.len() >= limits::LIST_VALUES {
            return Err(limits::exceeded("values of a list", limits::LIST_VALUES));
        }
        values.push(match whole_quoted(scan) {
            Some(text) => text,
            None => scan.take_while(|c| !matches!(c, ',' | ')')).to_owned(),
        });
        if scan.eat(")") {
            return Ok(values);
        }
        if !scan.eat(",") {
            return Err(scan.expected("\",\" or \")\""));
        }
    }
}

/// PostgreSQL's array literal: `{a,"b c",NULL}`, one level.
fn array(text: &str) -> Result<Vec<Option<String>>, RestError> {
    let malformed = || RestError::new("22P02", format!("malformed array literal: \"{text}\""));
    let inner = text.trim().strip_prefix('{').and_then(|t| t.strip_suffix('}')).ok_or_else(malformed)?;
    if inner.trim().is_empty() {
        return Ok(Vec::new());
    }
    let mut values = Vec::new();
    let mut chars = inner.chars().peekable();
    loop {
        if values.len() >= limits::LIST_VALUES {
            return Err(limits::exceeded("values of a list", limits::LIST_VALUES));
        }
        values.push(array_value(&mut chars).ok_or_else(malformed)?);
        match chars.next() {
            None => return Ok(values),
            Some(',') => {}
            Some(_) => return Err(malformed()),
        }
    }
}

/// One value of an array, with the blanks around it; the outer `None` is a malformed one.
fn array_value(chars: &mut Peekable<Chars<'_>>) -> Option<Option<String>> {
    let blanks = |chars: &mut Peekable<Chars<'_>>| while chars.next_if(|c| c.is_whitespace()).is_some() {};
    let mut value = String::new();
    blanks(chars);
    if chars.next_if_eq(&'"').is_some() {
        loop {
            match chars.next()? {
                '"' => break,
                '\\' => value.push(chars.next()?),
                c => value.push(c),
            }
        }
        blanks(chars);
        return Some(Some(value));
    }
    while let Some(c) = chars.next_if(|c| *c != ',') {
        match c {
            '\\' => value.push(chars.next()?),
            '{' | '}' | '"' => return None,
            c => value.push(c),
        }
    }
    value.truncate(value.trim_end().len());
    if value.is_empty() {
        return None;
    }
    Some((!value.eq_ignore_ascii_case("null")).then_some(value))
}
