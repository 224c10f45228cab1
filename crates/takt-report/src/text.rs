//! Two languages side by side: constants of the checks and sentences built from numbers.

use takt_model::Words;

/// A constant text in German and English.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    /// German.
    pub de: &'static str,
    /// English.
    pub en: &'static str,
}

impl Text {
    /// As words that travel in a report.
    #[must_use]
    pub fn words(&self) -> Words {
        both(self.de, self.en)
    }
}

/// A text in both languages.
pub(crate) fn both(de: impl Into<String>, en: impl Into<String>) -> Words {
    let mut words = Words::default();
    words.0.insert("de".to_owned(), de.into());
    words.0.insert("en".to_owned(), en.into());
    words
}

/// One of two forms, by number.
pub(crate) fn plural<'a>(n: u64, one: &'a str, other: &'a str) -> &'a str {
    if n == 1 { one } else { other }
}

/// One of two texts, by language; everything that is not German reads English.
pub(crate) fn pick<'a>(language: &str, de: &'a str, en: &'a str) -> &'a str {
    if language == "de" { de } else { en }
}

/// A list as people read it: `a, b and c`; at most `limit` entries, the rest as a number.
pub(crate) fn listing(items: &[String], language: &str, limit: usize) -> String {
    let mut shown: Vec<String> = items.iter().take(limit).cloned().collect();
    if items.len() > limit {
        let more = items.len() - limit;
        shown.push(match language {
            "de" => format!("{more} weitere"),
            _ => format!("{more} more"),
        });
    }
    match shown.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [head @ .., last] => format!("{} {} {last}", head.join(", "), pick(language, "und", "and")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_end_with_a_word() {
        let items: Vec<String> = ["a", "b", "c", "d"].iter().map(|s| (*s).to_owned()).collect();
        assert_eq!(listing(&items[..1], "de", 3), "a");
        assert_eq!(listing(&items[..3], "de", 3), "a, b und c");
        assert_eq!(listing(&items, "en", 2), "a, b and 2 more");
    }
}
