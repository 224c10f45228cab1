//! `like` and `ilike`, the same on every store: `%` any text, `_` one character, `\` takes the next one literally.
//! Pure. A pattern is cut at its `%`; each piece is searched once from left to right, so time grows with the text,
//! not with the number of ways to fit.

/// A pattern that ends with its escape character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DanglingEscape;

/// A pattern taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    pieces: Vec<Piece>,
    fold_case: bool,
}

/// What stands between two `%`.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// Without `_`.
    Plain(String),
    /// With `_` as `None`.
    Wild(Vec<Option<char>>),
}

impl Pattern {
    /// Reads a pattern.
    pub(super) fn new(text: &str, fold_case: bool) -> Result<Self, DanglingEscape> {
        let folded = if fold_case { lower(text) } else { text.to_owned() };
        let (mut pieces, mut current) = (Vec::new(), Vec::new());
        let mut chars = folded.chars();
        while let Some(c) = chars.next() {
            match c {
                '%' => pieces.push(Piece::new(std::mem::take(&mut current))),
                '_' => current.push(None),
                '\\' => current.push(Some(chars.next().ok_or(DanglingEscape)?)),
                c => current.push(Some(c)),
            }
        }
        pieces.push(Piece::new(current));
        Ok(Self { pieces, fold_case })
    }

    /// Whether the whole of `text` fits.
    pub(super) fn fits(&self, text: &str) -> bool {
        if self.fold_case { self.fits_folded(&lower(text)) } else { self.fits_folded(text) }
    }

    fn fits_folded(&self, text: &str) -> bool {
        let [first, middle @ .., last] = self.pieces.as_slice() else {
            return self.pieces.first().is_some_and(|only| only.at_start(text) == Some(""));
        };
        let Some(mut rest) = first.at_start(text) else { return false };
        for piece in middle {
            match piece.find(rest) {
                Some(after) => rest = after,
                None => return false,
            }
        }
        last.at_end(rest)
    }
}

impl Piece {
    fn new(chars: Vec<Option<char>>) -> Self {
        match chars.iter().copied().collect() {
            Some(plain) => Self::Plain(plain),
            None => Self::Wild(chars),
        }
    }

    /// What follows the piece at the start of `text`.
    fn at_start<'t>(&self, text: &'t str) -> Option<&'t str> {
        match self {
            Self::Plain(plain) => text.strip_prefix(plain.as_str()),
            Self::Wild(chars) => {
                let mut rest = text.chars();
                for wanted in chars {
                    let found = rest.next()?;
                    if wanted.is_some_and(|w| w != found) {
                        return None;
                    }
                }
                Some(rest.as_str())
            }
        }
    }

    /// What follows the leftmost occurrence.
    fn find<'t>(&self, text: &'t str) -> Option<&'t str> {
        match self {
            Self::Plain(plain) => text.find(plain.as_str()).map(|at| &text[at + plain.len()..]),
            Self::Wild(_) => text.char_indices().find_map(|(at, _)| self.at_start(&text[at..])),
        }
    }

    fn at_end(&self, text: &str) -> bool {
        match self {
            Self::Plain(plain) => text.ends_with(plain.as_str()),
            Self::Wild(chars) => {
                let mut rest = text.chars();
                chars
                    .iter()
                    .rev()
                    .all(|wanted| rest.next_back().is_some_and(|c| wanted.is_none_or(|w| w == c)))
            }
        }
    }
}

/// Lower case, character by character (no rule depends on the neighbours, so that folding keeps positions).
pub(super) fn lower(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.chars().flat_map(char::to_lowercase).collect()
}

/// Upper case, character by character.
pub(super) fn upper(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_uppercase();
    }
    text.chars().flat_map(char::to_uppercase).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use proptest::prelude::*;

    use super::*;

    /// The definition, by trying everything.
    fn naive(pattern: &[char], text: &[char]) -> bool {
        match pattern {
            [] => text.is_empty(),
            ['%', rest @ ..] => (0..=text.len()).any(|n| naive(rest, &text[n..])),
            ['_', rest @ ..] => !text.is_empty() && naive(rest, &text[1..]),
            ['\\', c, rest @ ..] | [c, rest @ ..] => text.first() == Some(c) && naive(rest, &text[1..]),
        }
    }

    #[test]
    fn patterns_fit_as_in_postgresql() {
        let cases = [
            ("", "", true),
            ("", "a", false),
            ("%", "", true),
            ("a%", "abc", true),
            ("a%", "Abc", false),
            ("%c", "abc", true),
            ("a_c", "abc", true),
            ("a_c", "ac", false),
            ("_", "ü", true),
            ("100\\%", "100%", true),
            ("100\\%", "1000", false),
            ("%ab%ab%", "ab", false),
            ("%ab%ab%", "abab", true),
            ("a%a", "a", false),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(
                Pattern::new(pattern, false).unwrap().fits(text),
                expected,
                "{text:?} like {pattern:?}"
            );
        }
        assert!(Pattern::new("TÜR%", true).unwrap().fits("türkis"));
        assert_eq!(Pattern::new("a\\", false), Err(DanglingEscape));
    }

    proptest! {
        #[test]
        fn fits_what_the_definition_fits(pattern in "([ab_%]|\\\\[ab_%]){0,8}", text in "[ab_%]{0,10}") {
            let chars: Vec<char> = pattern.chars().collect();
            let expected = naive(&chars, &text.chars().collect::<Vec<_>>());
            prop_assert_eq!(Pattern::new(&pattern, false).unwrap().fits(&text), expected);
        }
    }
}
