//! Rules about the figures of an answer that is well-formed and may yet be wrong: `rows >= 0.8 * last.rows`,
//! `zeros(stock) <= 50% * rows`. Pure: a rule is read, names the figures it needs, and judges them.
//!
//! The language: one comparison (`<`, `<=`, `>`, `>=`, `==`, `!=`) between two sums of products of numbers, shares
//! (`20%`) and figures. Figures are `rows` and, over one field of the rows, `zeros`, `count` (present and not null),
//! `distinct`, `min`, `max`, `sum` and `avg`. `last.` in front means the figure of the last answer that was taken.
//! It is not the language of policies: that one speaks of rows in tables, this one of a whole answer and the one before.

use std::{collections::BTreeMap, fmt};

/// Rules of one operation, and characters of one rule, so that nobody has to read more.
const LONGEST: usize = 200;
/// Brackets inside brackets.
const DEEPEST: usize = 16;

/// A rule, as it was written and as it is judged.
#[derive(Debug, Clone, PartialEq)]
pub struct PlausibleRule {
    text: String,
    left: Term,
    op: Comparison,
    right: Term,
}

/// A figure of an answer: `rows`, `zeros(stock)`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Figure {
    /// What is taken.
    pub kind: FigureKind,
    /// Of which field of the rows; nothing for `rows`.
    pub field: Option<String>,
}

/// What is taken of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FigureKind {
    /// How many rows.
    Rows,
    /// Rows in which the field is 0.
    Zeros,
    /// Rows in which the field is present and not null.
    Count,
    /// Different values.
    Distinct,
    /// The smallest number.
    Min,
    /// The largest number.
    Max,
    /// All numbers together.
    Sum,
    /// The mean.
    Avg,
}

impl FigureKind {
    /// Those over a field.
    const OVER_FIELDS: [Self; 7] =
        [Self::Zeros, Self::Count, Self::Distinct, Self::Min, Self::Max, Self::Sum, Self::Avg];

    fn name(self) -> &'static str {
        match self {
            Self::Rows => "rows",
            Self::Zeros => "zeros",
            Self::Count => "count",
            Self::Distinct => "distinct",
            Self::Min => "min",
            Self::Max => "max",
            Self::Sum => "sum",
            Self::Avg => "avg",
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.field {
            Some(field) => write!(f, "{}({field})", self.kind.name()),
            None => f.write_str(self.kind.name()),
        }
    }
}

/// Figures by their names: `zeros(stock)`.
pub type Figures = BTreeMap<String, f64>;

#[derive(Debug, Clone, PartialEq)]
enum Term {
    Number(f64),
    Figure { figure: Figure, last: bool },
    Both(Box<Term>, Arithmetic, Box<Term>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Less,
    AtMost,
    More,
    AtLeast,
    Equal,
    Unequal,
}

impl PlausibleRule {
    /// Reads a rule.
    ///
    /// # Errors
    /// What is wrong with it, in one sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("a rule has at most {LONGEST} characters"));
        }
        let mut reader = Reader { rest: text, deep: 0 };
        let left = reader.sum()?;
        let op = reader.comparison()?;
        let right = reader.sum()?;
        reader.end()?;
        let rule = Self { text: text.trim().to_owned(), left, op, right };
        if rule.figures().is_empty() {
            return Err("the rule looks at nothing of the answer".to_owned());
        }
        Ok(rule)
    }

    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The figures of an answer that it needs, those of the last one included.
    #[must_use]
    pub fn figures(&self) -> Vec<Figure> {
        let mut all = Vec::new();
        self.left.figures(&mut all);
        self.right.figures(&mut all);
        all.sort();
        all.dedup();
        all
    }

    /// Whether it compares with the answer before: then a person may say that the new one is right.
    #[must_use]
    pub fn looks_back(&self) -> bool {
        self.left.looks_back() || self.right.looks_back()
    }

    /// Whether it holds. A rule over an answer that was never there, or over numbers that the rows do not have, says
    /// nothing and holds.
    #[must_use]
    pub fn holds(&self, now: &Figures, last: &Figures) -> bool {
        let (Some(left), Some(right)) = (self.left.value(now, last), self.right.value(now, last)) else {
            return true;
        };
        match self.op {
            Comparison::Less => left < right,
            Comparison::AtMost => left <= right,
            Comparison::More => left > right,
            Comparison::AtLeast => left >= right,
            Comparison::Equal => (left - right).abs() <= f64::EPSILON * left.abs().max(1.0),
            Comparison::Unequal => (left - right).abs() > f64::EPSILON * left.abs().max(1.0),
        }
    }
}

impl Term {
    fn figures(&self, all: &mut Vec<Figure>) {
        match self {
            Self::Number(_) => {}
            Self::Figure { figure, .. } => all.push(figure.clone()),
            Self::Both(left, _, right) => {
                left.figures(all);
                right.figures(all);
            }
        }
    }

    fn looks_back(&self) -> bool {
        match self {
            Self::Number(_) => false,
            Self::Figure { last, .. } => *last,
            Self::Both(left, _, right) => left.looks_back() || right.looks_back(),
        }
    }

    fn value(&self, now: &Figures, before: &Figures) -> Option<f64> {
        Some(match self {
            Self::Number(number) => *number,
            Self::Figure { figure, last } => *(if *last { before } else { now }).get(&figure.to_string())?,
            Self::Both(left, op, right) => {
                let (left, right) = (left.value(now, before)?, right.value(now, before)?);
                match op {
                    Arithmetic::Add => left + right,
                    Arithmetic::Subtract => left - right,
                    Arithmetic::Multiply => left * right,
                    // Nothing can be said of a share of nothing.
                    Arithmetic::Divide if right == 0.0 => return None,
                    Arithmetic::Divide => left / right,
                }
            }
        })
    }
}

struct Reader<'t> {
    rest: &'t str,
    deep: usize,
}

impl<'t> Reader<'t> {
    fn eat(&mut self, sign: &str) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn take(&mut self, fits: impl Fn(char) -> bool) -> &'t str {
        self.rest = self.rest.trim_start();
        let end = self.rest.find(|c| !fits(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    fn end(&mut self) -> Result<(), String> {
        let rest = self.rest.trim();
        if rest.is_empty() { Ok(()) } else { Err(format!("`{rest}` is too much")) }
    }

    fn comparison(&mut self) -> Result<Comparison, String> {
        // The longer ones first.
        let signs = [
            ("<=", Comparison::AtMost),
            (">=", Comparison::AtLeast),
            ("==", Comparison::Equal),
            ("!=", Comparison::Unequal),
            ("<", Comparison::Less),
            (">", Comparison::More),
        ];
        let found = signs.into_iter().find(|(sign, _)| self.eat(sign)).map(|(_, op)| op);
        found.ok_or_else(|| "a rule compares two sides: `rows >= 0.8 * last.rows`".to_owned())
    }

    fn sum(&mut self) -> Result<Term, String> {
        let mut left = self.product()?;
        loop {
            let op = match () {
                () if self.eat("+") => Arithmetic::Add,
                () if self.eat("-") => Arithmetic::Subtract,
                () => return Ok(left),
            };
            left = Term::Both(Box::new(left), op, Box::new(self.product()?));
        }
    }

    fn product(&mut self) -> Result<Term, String> {
        let mut left = self.single()?;
        loop {
            let op = match () {
                () if self.eat("*") => Arithmetic::Multiply,
                () if self.eat("/") => Arithmetic::Divide,
                () => return Ok(left),
            };
            left = Term::Both(Box::new(left), op, Box::new(self.single()?));
        }
    }

    fn single(&mut self) -> Result<Term, String> {
        if self.eat("(") {
            self.deep += 1;
            if self.deep > DEEPEST {
                return Err("there are too many brackets inside brackets".to_owned());
            }
            let inside = self.sum()?;
            self.deep -= 1;
            return if self.eat(")") { Ok(inside) } else { Err("a bracket is not closed".to_owned()) };
        }
        let number = self.take(|c| c.is_ascii_digit() || c == '.');
        if !number.is_empty() {
            let value: f64 = number.parse().map_err(|_| format!("`{number}` is no number"))?;
            return Ok(Term::Number(if self.eat("%") { value / 100.0 } else { value }));
        }
        self.figure()
    }

    fn figure(&mut self) -> Result<Term, String> {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let last = self.eat("last.");
        let name = self.take(is_name);
        if name == FigureKind::Rows.name() {
            return Ok(Term::Figure { figure: Figure { kind: FigureKind::Rows, field: None }, last });
        }
        let Some(kind) = FigureKind::OVER_FIELDS.into_iter().find(|k| k.name() == name) else {
            let all: Vec<_> = FigureKind::OVER_FIELDS.iter().map(|k| format!("`{}(..)`", k.name())).collect();
            let what = if name.is_empty() { self.rest.trim() } else { name };
            return Err(format!("`{what}` is no figure; there are `rows`, {}", all.join(", ")));
        };
        let field = if self.eat("(") { self.take(|c| is_name(c) || c == '.') } else { "" };
        if field.is_empty() || !self.eat(")") {
            return Err(format!("`{name}` needs a field: `{name}(stock)`"));
        }
        Ok(Term::Figure { figure: Figure { kind, field: Some(field.to_owned()) }, last })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn figures(all: &[(&str, f64)]) -> Figures {
        all.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect()
    }

    #[test]
    fn rules_hold_or_do_not() {
        let now =
            figures(&[("rows", 80.0), ("zeros(stock)", 20.0), ("sum(stock)", 0.0), ("min(stock)", -1.0)]);
        let last = figures(&[("rows", 100.0), ("zeros(stock)", 3.0)]);
        for (rule, holds) in [
            ("rows >= 0.8 * last.rows", true),
            ("rows > 80% * last.rows", false),
            ("rows == 80", true),
            ("rows != 80", false),
            ("zeros(stock) <= 50% * rows", true),
            ("zeros(stock) <= last.zeros(stock) + 20% * rows", false),
            ("zeros(stock) / rows < 0.3", true),
            ("min(stock) >= 0", false),
            ("sum(stock) > 0", false),
            ("(rows - zeros(stock)) * 2 >= 120", true),
            ("rows - 10 - 10 == 60", true),
            // Nothing to compare with.
            ("max(price) <= 2 * last.max(price)", true),
            ("rows / last.sum(price) > 9", true),
            ("rows / sum(stock) > 9", true),
        ] {
            assert_eq!(PlausibleRule::parse(rule).unwrap().holds(&now, &last), holds, "{rule}");
        }
        let first = PlausibleRule::parse("rows >= 0.8 * last.rows").unwrap();
        assert!(first.holds(&now, &Figures::new()), "the first answer has no last one");
        assert!(first.looks_back());
        assert!(!PlausibleRule::parse("rows > 0").unwrap().looks_back());
    }

    #[test]
    fn what_is_no_rule_is_said_in_a_sentence() {
        for (rule, why) in [
            ("rows", "a rule compares two sides: `rows >= 0.8 * last.rows`"),
            (
                "rows > ",
                "`` is no figure; there are `rows`, `zeros(..)`, `count(..)`, `distinct(..)`, `min(..)`, `max(..)`, `sum(..)`, `avg(..)`",
            ),
            (
                "lines > 1",
                "`lines` is no figure; there are `rows`, `zeros(..)`, `count(..)`, `distinct(..)`, `min(..)`, `max(..)`, `sum(..)`, `avg(..)`",
            ),
            ("zeros > 1", "`zeros` needs a field: `zeros(stock)`"),
            ("sum(stock > 1", "`sum` needs a field: `sum(stock)`"),
            ("rows > 1 and rows < 3", "`and rows < 3` is too much"),
            ("(rows > 1", "a bracket is not closed"),
            ("rows > 1.2.3", "`1.2.3` is no number"),
            ("1 < 2", "the rule looks at nothing of the answer"),
        ] {
            assert_eq!(PlausibleRule::parse(rule).unwrap_err(), why, "{rule}");
        }
        let deep = format!("{}rows{} > 1", "(".repeat(40), ")".repeat(40));
        assert_eq!(PlausibleRule::parse(&deep).unwrap_err(), "there are too many brackets inside brackets");
        assert!(PlausibleRule::parse(&"rows + ".repeat(60)).unwrap_err().contains("200 characters"));
    }

    #[test]
    fn it_names_the_figures_it_needs() {
        let rule = PlausibleRule::parse("zeros(stock) <= last.zeros(stock) + 20% * rows").unwrap();
        let names: Vec<_> = rule.figures().iter().map(ToString::to_string).collect();
        assert_eq!(names, ["rows", "zeros(stock)"]);
    }
}
