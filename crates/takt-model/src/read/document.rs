//! One TOML file with its line numbers, and the reading of its tables key by key.
//! A [`Section`] remembers which keys were asked for; what is left over is unknown.

use std::cell::RefCell;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problems::{Problems, did_you_mean_or_list};
use crate::{Source, Words};

/// A file's text and where its lines begin.
#[derive(Debug)]
pub(crate) struct Document<'t> {
    file: &'t str,
    starts: Vec<usize>,
}

/// Something read, and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Spotted<T> {
    pub(crate) value: T,
    pub(crate) source: Source,
}

/// A TOML value as it was written.
pub(crate) type Node<'t> = Spanned<DeValue<'t>>;

impl<'t> Document<'t> {
    pub(crate) fn new(file: &'t str, text: &str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { file, starts }
    }

    /// Parses `text`; every syntax error is a problem, and `None` says that there was one.
    pub(crate) fn parse(&self, text: &'t str, problems: &mut Problems) -> Option<DeTable<'t>> {
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            let span = error.span().unwrap_or(0..0);
            let message = error.message().replace('\n', "; ");
            problems.error(&self.at(&span), format!("this is no valid TOML: {message}"), None);
        }
        errors.is_empty().then(|| table.into_inner())
    }

    pub(crate) fn at(&self, span: &Range<usize>) -> Source {
        let line = self.starts.partition_point(|start| *start <= span.start);
        Source { file: self.file.to_owned(), line: u32::try_from(line).unwrap_or(u32::MAX) }
    }
}

/// A table of a TOML file while it is read.
#[derive(Debug)]
pub(crate) struct Section<'d> {
    doc: &'d Document<'d>,
    table: &'d DeTable<'d>,
    /// "field `status`", for messages.
    what: String,
    source: Source,
    known: RefCell<Vec<&'static str>>,
}

impl<'d> Section<'d> {
    pub(crate) fn new(doc: &'d Document<'d>, table: &'d DeTable<'d>, what: String, source: Source) -> Self {
        Self { doc, table, what, source, known: RefCell::default() }
    }

    /// Where the table begins.
    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    /// Its keys and values, each with the key's place.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&'d str, Source, &'d Node<'d>)> + '_ {
        let doc = self.doc;
        self.table.iter().map(move |(key, value)| (&**key.get_ref(), doc.at(&key.span()), value))
    }

    /// The value under `key`, whatever it is.
    pub(crate) fn value(&self, key: &'static str) -> Option<Spotted<&'d DeValue<'d>>> {
        let mut known = self.known.borrow_mut();
        if !known.contains(&key) {
            known.push(key);
        }
        let (name, value) = self.table.get_key_value(key)?;
        Some(Spotted { value: value.get_ref(), source: self.doc.at(&name.span()) })
    }

    fn typed<T>(
        &self,
        key: &'static str,
        expected: &str,
        problems: &mut Problems,
        convert: impl FnOnce(&'d DeValue<'d>) -> Option<T>,
    ) -> Option<Spotted<T>> {
        let Spotted { value, source } = self.value(key)?;
        let converted = convert(value);
        if converted.is_none() {
            problems.error(&source, format!("`{key}` must be {expected}, but is {}", kind_of(value)), None);
        }
        Some(Spotted { value: converted?, source })
    }

    pub(crate) fn text(&self, key: &'static str, problems: &mut Problems) -> Option<Spotted<String>> {
        self.typed(key, "a text", problems, |v| v.as_str().map(str::to_owned))
    }

    pub(crate) fn flag(&self, key: &'static str, problems: &mut Problems) -> Option<Spotted<bool>> {
        self.typed(key, "true or false", problems, DeValue::as_bool)
    }

    /// A positive whole number.
    pub(crate) fn size(&self, key: &'static str, problems: &mut Problems) -> Option<Spotted<u32>> {
        self.typed(key, "a whole number of at least 1", problems, |v| {
            whole(v).and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0)
        })
    }

    pub(crate) fn texts(&self, key: &'static str, problems: &mut Problems) -> Option<Spotted<Vec<String>>> {
        self.typed(key, "a list of texts", problems, text_list)
    }

    /// Texts per language. A plain text counts for the first language of the project.
    pub(crate) fn words(&self, key: &'static str, languages: &[String], problems: &mut Problems) -> Words {
        self.value(key).map_or_else(Words::default, |said| self.words_of(key, said, languages, problems))
    }

    /// As [`Section::words`], of a value under a name of the user's choice.
    pub(crate) fn words_of(
        &self,
        key: &str,
        Spotted { value, source }: Spotted<&'d DeValue<'d>>,
        languages: &[String],
        problems: &mut Problems,
    ) -> Words {
        match value {
            DeValue::String(text) => {
                let language = languages.first().map_or("en", String::as_str);
                Words::from([(language, text.as_ref())])
            }
            DeValue::Table(table) => {
                let mut words = Words::default();
                for (language, text) in table {
                    let at = self.doc.at(&language.span());
                    match text.get_ref().as_str() {
                        Some(text) => {
                            words.0.insert(language.get_ref().to_string(), text.to_owned());
                        }
                        None => problems.error(
                            &at,
                            format!(
                                "`{key}.{}` must be a text, but is {}",
                                language.get_ref(),
                                kind_of(text.get_ref())
                            ),
                            None,
                        ),
                    }
                    if !languages.iter().any(|l| l == language.get_ref()) {
                        problems.warning(
                            &at,
                            format!("`{}` is no language of the project", language.get_ref()),
                            did_you_mean_or_list(language.get_ref(), languages.iter().map(String::as_str)),
                        );
                    }
                }
                words
            }
            other => {
                let help = "write `{ en = \"...\", de = \"...\" }`".to_owned();
                problems.error(
                    &source,
                    format!("`{key}` must be texts per language, but is {}", kind_of(other)),
                    help,
                );
                Words::default()
            }
        }
    }

    /// The table under `key`.
    pub(crate) fn section(&self, key: &'static str, problems: &mut Problems) -> Option<Section<'d>> {
        let Spotted { value, source } =
            self.typed(key, &format!("a table `[{key}]`"), problems, DeValue::as_table)?;
        Some(Section::new(self.doc, value, format!("[{key}]"), source))
    }

    /// All values of this table, each of which must be a table itself, with their names.
    pub(crate) fn all_sections(&self, problems: &mut Problems) -> Vec<(&'d str, Section<'d>)> {
        let mut sections = Vec::new();
        for (name, source, node) in self.entries() {
            match node.get_ref().as_table() {
                Some(table) => {
                    sections.push((name, Section::new(self.doc, table, format!("[{name}]"), source)));
                }
                None => problems.error(&source, format!("`{name}` must be a table `[{name}]`"), None),
            }
        }
        sections
    }

    /// The tables `[[key]]`.
    pub(crate) fn sections(&self, key: &'static str, problems: &mut Problems) -> Vec<Section<'d>> {
        let Some(list) =
            self.typed(key, &format!("a list of tables `[[{key}]]`"), problems, DeValue::as_array)
        else {
            return Vec::new();
        };
        let mut sections = Vec::new();
        for node in list.value {
            let source = self.doc.at(&node.span());
            match node.get_ref().as_table() {
                Some(table) => sections.push(Section::new(self.doc, table, format!("[[{key}]]"), source)),
                None => problems.error(
                    &source,
                    format!(
                        "`{key}` must be a list of tables `[[{key}]]`, but holds {}",
                        kind_of(node.get_ref())
                    ),
                    None,
                ),
            }
        }
        sections
    }

    /// A table that stands under a name of the user's choice: `[fields.status]`.
    pub(crate) fn child(
        &self,
        what: String,
        source: &Source,
        node: &'d Node<'d>,
        problems: &mut Problems,
    ) -> Option<Section<'d>> {
        let table = node.get_ref().as_table();
        if table.is_none() {
            problems.error(
                source,
                format!("{what} must be a table, but is {}", kind_of(node.get_ref())),
                None,
            );
        }
        Some(Section::new(self.doc, table?, what, source.clone()))
    }

    /// Every key that nobody asked for is a problem.
    pub(crate) fn finish(&self, problems: &mut Problems) {
        let known = self.known.borrow();
        for (key, source, _) in self.entries() {
            if !known.contains(&key) {
                let help = did_you_mean_or_list(key, known.iter().copied());
                problems.error(&source, format!("unknown key `{key}` in {}", self.what), help);
            }
        }
    }
}

/// A list of texts, if it is one.
pub(crate) fn text_list(value: &DeValue<'_>) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|item| item.get_ref().as_str().map(str::to_owned)).collect()
}

/// A whole number, if it is one and fits.
pub(crate) fn whole(value: &DeValue<'_>) -> Option<i64> {
    let number = value.as_integer()?;
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

/// What a value is, for messages; numbers are short enough to be shown.
pub(crate) fn kind_of(value: &DeValue<'_>) -> String {
    let kind = match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(number) => return number.to_string(),
        DeValue::Float(number) => return number.to_string(),
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    kind.to_owned()
}
