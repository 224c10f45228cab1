//! A cursor over one parameter's text, with the pieces that all grammars of the dialect share: names, quoted
//! texts, and errors that say where and what was expected.

use crate::{RestError, limits};

/// A cursor. `what` names the grammar in errors: `select parameter`, `filter`, `order`.
pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    what: &'static str,
}

/// A name, and whether it stood in quotes (quoted words are never keywords).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) quoted: bool,
}

impl Name {
    pub(crate) fn is_word(&self, word: &str) -> bool {
        !self.quoted && self.text == word
    }
}

pub(crate) const FIELD_NAME: &str = "field name (* or [a..z0..9_$])";

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str, what: &'static str) -> Self {
        Self { text, at: 0, what }
    }

    pub(crate) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(crate) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(crate) fn is_done(&self) -> bool {
        self.at >= self.text.len()
    }

    pub(crate) fn position(&self) -> usize {
        self.at
    }

    pub(crate) fn back_to(&mut self, position: usize) {
        self.at = position;
    }

    pub(crate) fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    /// Takes `word` if it comes next.
    pub(crate) fn eat(&mut self, word: &str) -> bool {
        let found = self.rest().starts_with(word);
        if found {
            self.at += word.len();
        }
        found
    }

    pub(crate) fn blanks(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.bump();
        }
    }

    /// Takes characters as long as they fit.
    pub(crate) fn take_while(&mut self, fits: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !fits(c)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    /// Takes all that is left.
    pub(crate) fn take_rest(&mut self) -> &'a str {
        let rest = self.rest();
        self.at = self.text.len();
        rest
    }

    /// A name: letters, digits, `_`, `$`, inner blanks, `-` unless followed by `>`; or anything in quotes.
    pub(crate) fn name(&mut self) -> Result<Name, RestError> {
        self.blanks();
        if self.peek() == Some('"') {
            let text = self.quoted()?;
            self.blanks();
            return Ok(Name { text, quoted: true });
        }
        let start = self.at;
        let rest = self.rest();
        let mut end = rest.len();
        for (at, c) in rest.char_indices() {
            let arrow = || rest.get(at..).is_some_and(|r| r.starts_with("->"));
            if !(c.is_alphanumeric() || matches!(c, '_' | '$' | ' ') || (c == '-' && !arrow())) {
                end = at;
                break;
            }
        }
        self.at += end;
        let text = rest.get(..end).unwrap_or_default().trim_end();
        if text.is_empty() {
            self.at = start;
            return Err(self.expected(FIELD_NAME));
        }
        Ok(Name { text: text.to_owned(), quoted: false })
    }

    /// A text in double quotes with backslash escapes; the cursor stands on the opening quote.
    pub(crate) fn quoted(&mut self) -> Result<String, RestError> {
        self.bump();
        let mut text = String::new();
        loop {
            match self.bump() {
                Some('"') => return Ok(text),
                Some('\\') => match self.bump() {
                    Some(c) => text.push(c),
                    None => return Err(self.expected("an escaped character")),
                },
                Some(c) => text.push(c),
                None => return Err(self.expected("\"\\\"\"")),
            }
        }
    }

    /// Demands that nothing is left.
    pub(crate) fn end(&mut self, expecting: &str) -> Result<(), RestError> {
        if self.is_done() { Ok(()) } else { Err(self.expected(expecting)) }
    }

    /// The error at the cursor.
    pub(crate) fn expected(&self, expecting: &str) -> RestError {
        let unexpected = match self.peek() {
            Some(c) => format!("{:?}", c.to_string()),
            None => "end of input".to_owned(),
        };
        self.failed(&format!("unexpected {unexpected} expecting {expecting}"))
    }

    fn failed(&self, details: &str) -> RestError {
        let before = self.text.get(..self.at).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let mut text: String = self.text.chars().take(limits::ECHO_CHARS).collect();
        if text.len() < self.text.len() {
            text.push('…');
        }
        let message = format!("\"failed to parse {} ({text})\" (line {line}, column {column})", self.what);
        RestError::new("PGRST100", message).details(details)
    }
}
