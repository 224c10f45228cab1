//! The names that a template uses: filters, tests and other files. The template language looks them up only when it
//! comes by; here they are read beforehand, so that `takt check` finds a slip of the pen and not the customer.

/// A name, where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Used {
    pub(super) kind: Kind,
    pub(super) name: String,
    /// From 1.
    pub(super) line: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Filter,
    Test,
    File,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Word(&'a str),
    Text(&'a str),
    Sign,
    Dot,
    Pipe,
}

/// All names of a template, in its order. Of files only those that are written out.
pub(super) fn used(source: &str) -> Vec<Used> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = source[at..].find('{').map(|n| at + n) {
        at = match source.as_bytes().get(start + 1) {
            Some(b'#') => after(source, start, "#}"),
            Some(b'{' | b'%') => {
                let line = source[..start].matches('\n').count() + 1;
                let (tokens, end) = tokens(source, start + 2);
                let raw = tokens.first() == Some(&Token::Word("raw"));
                names(&tokens, line, &mut found);
                if raw { after(source, end, "endraw") } else { end }
            }
            _ => start + 1,
        };
    }
    found
}

fn after(source: &str, from: usize, mark: &str) -> usize {
    source[from..].find(mark).map_or(source.len(), |n| from + n + mark.len())
}

/// The tokens of a block from `at` to its end, and where it ends.
fn tokens(source: &str, mut at: usize) -> (Vec<Token<'_>>, usize) {
    let mut tokens = Vec::new();
    while let Some(c) = source[at..].chars().next() {
        let rest = &source[at..];
        if rest.starts_with("}}") || rest.starts_with("%}") {
            return (tokens, at + 2);
        }
        let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let (token, length) = match c {
            '"' | '\'' => {
                let inside = closing(&rest[1..], c);
                (Token::Text(&rest[1..=inside]), (inside + 2).min(rest.len()))
            }
            '|' => (Token::Pipe, 1),
            '.' => (Token::Dot, 1),
            _ if word > 0 => (Token::Word(&rest[..word]), word),
            _ => (Token::Sign, c.len_utf8()),
        };
        let trims = c == '-' && tokens.is_empty();
        if !trims && !c.is_whitespace() {
            tokens.push(token);
        }
        at += length;
    }
    (tokens, at)
}

/// Where the text ends that was opened with `quote`.
fn closing(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (index, c) in rest.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return index,
            _ => {}
        }
    }
    rest.len()
}

fn names(tokens: &[Token<'_>], line: usize, found: &mut Vec<Used>) {
    use Token::{Dot, Pipe, Text, Word};
    let mut add = |kind, name: &str| found.push(Used { kind, name: name.to_owned(), line });
    match tokens {
        [Word("include" | "extends"), Text(file)] => add(Kind::File, file),
        [Word("filter"), Word(name), ..] => add(Kind::Filter, name),
        _ => {}
    }
    for (index, token) in tokens.iter().enumerate() {
        let attribute = index > 0 && tokens[index - 1] == Dot;
        match (token, &tokens[index + 1..]) {
            (Pipe, [Word(name), ..]) => add(Kind::Filter, name),
            (Word("is"), [Word("not"), Word(name), ..] | [Word(name), ..]) if !attribute => {
                add(Kind::Test, name);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::used;

    fn list(source: &str) -> Vec<String> {
        used(source).iter().map(|u| format!("{}:{:?}:{}", u.line, u.kind, u.name)).collect()
    }

    #[test]
    fn names_are_found_where_they_stand() {
        let source = "a | b is c {\n{{ x|money('a | b') |upper}}\n{%- if a.is is not defined and b is none -%}\n\
                      {# x | nope #}{% raw %}{{ x | nope }}{% endraw %}\n{% include \"_a.txt\" %}{% include name %}\n\
                      {% filter lower %}{{ \"a\\\" | b\" }}{% endfilter %}{% extends '_f.html' %}";
        let names = [
            "2:Filter:money",
            "2:Filter:upper",
            "3:Test:defined",
            "3:Test:none",
            "5:File:_a.txt",
            "6:Filter:lower",
            "6:File:_f.html",
        ];
        assert_eq!(list(source), names);
    }

    #[test]
    fn what_is_not_finished_does_no_harm() {
        for source in
            ["{", "{{", "{%", "{#", "{{ '", "{{ 'x", "{{ ü | ", "{% raw %}", "{{ x |ü }}", "{{ \"\\"]
        {
            assert!(list(source).len() <= 1, "{source}");
        }
    }
}
