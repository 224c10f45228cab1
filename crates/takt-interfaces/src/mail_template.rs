//! Mail templates: `mails/<name>.<language>.txt` and `.html` of a project become subject, text and HTML. Pure.
//!
//! The first line of the `.txt` may be `Subject: ...`; else the `<title>` of the `.html` is the subject. A mail has
//! one of the two files or both; without `.txt` the text is made from the HTML. Files whose name begins with `_` are
//! parts for `{% include %}` and `{% extends %}`, which see nothing but this folder.
//! Invariants: data is never read as a template; what a template asks for and the data does not have is an error
//! and not a gap; no amount passes through a floating-point number.

mod exact;
mod filters;
mod names;
mod plain_text;

use std::{collections::BTreeMap, ops::Range};

use exact::Exact;
use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior, Value};
use serde_json::Value as Json;

/// The folder in a project.
const FOLDER: &str = "mails/";
/// Bytes of one file.
const MOST_SOURCE: usize = 256 * 1024;
/// Bytes of one finished part.
const MOST_OUTPUT: usize = 1024 * 1024;
/// Work of one part: an instruction or 64 bytes.
const FUEL: u64 = 200_000;
/// Characters of a subject.
const MOST_SUBJECT: usize = 300;
/// Marks the subject's template, beside the file it was cut from.
const SUBJECT: &str = "#subject";

/// The templates of a project, read once.
#[derive(Debug)]
pub struct MailTemplates {
    environment: Environment<'static>,
    /// File name -> what it has.
    files: BTreeMap<String, File>,
    faults: Vec<TemplateError>,
    /// Files that others name, with who names them.
    wanted: Vec<(String, names::Used)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum File {
    WithSubject,
    WithoutSubject,
    /// It has a fault; see `faults`.
    Broken,
}

/// A finished mail, without addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The language that was found.
    pub language: String,
    /// One line.
    pub subject: String,
    /// For readers without HTML.
    pub text: String,
    /// If the project has one.
    pub html: Option<String>,
}

/// What is wrong with a template. Texts name file, line and field, never a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// There is no such mail.
    #[error("there is no mail `{name}` in `{language}`: mails/{name}.{language}.txt is missing")]
    Missing {
        /// Name of the mail.
        name: String,
        /// The language asked for.
        language: String,
    },
    /// A file in the folder is not called `<name>.<language>.txt` or `.html`.
    #[error(
        "{file}: a template is called `<name>.<language>.txt` or `<name>.<language>.html`, in small letters"
    )]
    FileName {
        /// `mails/...`
        file: String,
    },
    /// It cannot be read as a template.
    #[error("{file}:{line}: {reason}")]
    Syntax {
        /// `mails/...`
        file: String,
        /// From 1.
        line: usize,
        /// In the words of the template language.
        reason: String,
    },
    /// The data does not have what the template asks for.
    #[error("{file}:{line}: the data has no `{field}`")]
    MissingField {
        /// `mails/...`
        file: String,
        /// From 1.
        line: usize,
        /// As the template writes it.
        field: String,
    },
    /// It cannot be carried out with this data.
    #[error("{file}:{line}: {reason}")]
    Render {
        /// `mails/...`
        file: String,
        /// From 1.
        line: usize,
        /// In the words of the template language.
        reason: String,
    },
    /// No subject, or an empty one.
    #[error("{file}: there is no subject: begin the .txt with `Subject: ...` or give the .html a <title>")]
    NoSubject {
        /// `mails/...`
        file: String,
    },
    /// A file, or what it makes, is too long.
    #[error("{file} is longer than {limit} bytes")]
    TooLarge {
        /// `mails/...`
        file: String,
        /// Bytes.
        limit: usize,
    },
}

impl MailTemplates {
    /// Reads the files of a project: path (`mails/welcome.en.txt`) and text. Other folders are left alone. Faults
    /// are kept for [`Self::check`]; the other mails work all the same.
    #[must_use]
    pub fn read<P: Into<String>, T: Into<String>>(files: impl IntoIterator<Item = (P, T)>) -> Self {
        let mut all = Self {
            environment: environment(),
            files: BTreeMap::new(),
            faults: Vec::new(),
            wanted: Vec::new(),
        };
        for (path, text) in files {
            if let Some(name) = path.into().strip_prefix(FOLDER) {
                all.add(name, text.into());
            }
        }
        all
    }

    /// The same mails with days of this time zone (`Europe/Berlin`); UTC if nothing is said.
    #[must_use]
    pub fn in_time_zone(mut self, zone: &str) -> Self {
        self.environment.add_global(filters::TIME_ZONE, zone);
        self
    }

    /// What is wrong with the templates, for `takt check`: names, sizes, syntax, unknown filters and files, subjects.
    #[must_use]
    pub fn check(&self) -> Vec<TemplateError> {
        let mut faults = self.faults.clone();
        for (file, used) in self.wanted.iter().filter(|(_, used)| !self.has(&used.name)) {
            let reason = format!("there is no file `{}`", shown(&used.name));
            faults.push(TemplateError::Syntax { file: shown(file), line: used.line, reason });
        }
        for (name, file) in &self.files {
            let Some(Name { mail, language, kind }) = Name::read(name).filter(|n| !n.is_part()) else {
                continue;
            };
            let other = match kind {
                Kind::Text => Kind::Html,
                Kind::Html => Kind::Text,
            };
            let beside = self.files.get(&file_name(mail, language, other));
            // Told once, and not about a mail of which a file cannot be read anyway.
            let alone = beside.is_none() || (kind == Kind::Text && beside == Some(&File::WithoutSubject));
            if *file == File::WithoutSubject && alone {
                faults.push(TemplateError::NoSubject { file: shown(name) });
            }
        }
        faults
    }

    /// The names of all mails, without parts.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let mails = self.files.keys().filter_map(|file| Name::read(file)).filter(|n| !n.is_part());
        let mut names: Vec<&str> = mails.map(|n| n.mail).collect();
        names.dedup();
        names.into_iter()
    }

    /// Makes the mail `name` in `language`, or in `fallback_language` if the project does not have it in that one.
    ///
    /// # Errors
    /// [`TemplateError`]; a mail is made whole or not at all.
    pub fn render(
        &self,
        name: &str,
        language: &str,
        fallback_language: &str,
        data: &Json,
    ) -> Result<Rendered, TemplateError> {
        let missing = || TemplateError::Missing { name: name.to_owned(), language: language.to_owned() };
        let exists = |l: &str| [Kind::Text, Kind::Html].iter().any(|k| self.has(&file_name(name, l, *k)));
        let is_mail = is_word(name) && !name.starts_with('_');
        let language =
            [language, fallback_language].into_iter().find(|l| is_mail && exists(l)).ok_or_else(missing)?;
        let context = context(data, language);
        let (txt, htm) = (file_name(name, language, Kind::Text), file_name(name, language, Kind::Html));
        let subject = self.subject(&txt, &htm, &context)?;
        let html = self.has(&htm).then(|| self.part(&htm, &context)).transpose()?;
        let text = match &html {
            Some(html) if !self.has(&txt) => plain_text::from_html(html),
            // Where the subject was cut out, empty lines are left.
            _ => format!("{}\n", self.part(&txt, &context)?.trim_start_matches(['\r', '\n']).trim_end()),
        };
        Ok(Rendered { language: language.to_owned(), subject, text, html })
    }

    fn has(&self, file: &str) -> bool {
        self.files.contains_key(file)
    }

    fn subject(&self, txt: &str, html: &str, context: &Value) -> Result<String, TemplateError> {
        let with_subject = |file: &&str| self.files.get(*file) == Some(&File::WithSubject);
        let broken = |file: &&str| self.files.get(*file) == Some(&File::Broken);
        let Some(file) = [txt, html].into_iter().find(|f| with_subject(f) || broken(f)) else {
            let file = if self.has(txt) { txt } else { html };
            return Err(TemplateError::NoSubject { file: shown(file) });
        };
        let made = self.part(&format!("{file}{SUBJECT}"), context)?;
        // A line break in a value must not become a header of its own.
        let clean: String = made.chars().map(|c| if is_break(c) { ' ' } else { c }).collect();
        let words: Vec<&str> = clean.split_ascii_whitespace().collect();
        let subject: String = words.join(" ").chars().take(MOST_SUBJECT).collect();
        if subject.is_empty() {
            return Err(TemplateError::NoSubject { file: shown(file) });
        }
        Ok(subject)
    }

    fn part(&self, template: &str, context: &Value) -> Result<String, TemplateError> {
        let file = template.trim_end_matches(SUBJECT);
        if self.files.get(file) == Some(&File::Broken) {
            let known = self.faults.iter().find(|fault| fault.file() == Some(&*shown(file)));
            return Err(known.cloned().unwrap_or_else(|| TemplateError::FileName { file: shown(file) }));
        }
        let found = self.environment.get_template(template).map_err(|e| told(&e, file))?;
        let made = found.render(context.clone()).map_err(|e| told(&e, file))?;
        if made.len() > MOST_OUTPUT {
            return Err(TemplateError::TooLarge { file: shown(file), limit: MOST_OUTPUT });
        }
        Ok(made)
    }

    fn add(&mut self, name: &str, text: String) {
        let text = text.strip_prefix('\u{feff}').map_or_else(|| text.clone(), str::to_owned);
        let file = self.compiled(name, &text).unwrap_or_else(|fault| {
            self.faults.push(fault);
            File::Broken
        });
        // A file with a wrong name is not a mail.
        if Name::read(name).is_some() {
            self.files.insert(name.to_owned(), file);
        }
    }

    fn compiled(&mut self, name: &str, text: &str) -> Result<File, TemplateError> {
        let kind = Name::read(name).ok_or_else(|| TemplateError::FileName { file: shown(name) })?.kind;
        if text.len() > MOST_SOURCE {
            return Err(TemplateError::TooLarge { file: shown(name), limit: MOST_SOURCE });
        }
        let subject = match kind {
            Kind::Text => subject_line(text),
            Kind::Html => title(text),
        };
        let mut body = text.to_owned();
        if let Some(subject) = subject.clone() {
            // Lines before it are kept, so that an error names the line of the file.
            let lines = text[..subject.start].matches('\n').count();
            let source = format!("{}{}", "\n".repeat(lines), &text[subject.clone()]);
            self.compile(name, format!("{name}{SUBJECT}"), source)?;
            if kind == Kind::Text {
                body.replace_range(..subject.end, "");
            }
        }
        self.compile(name, name.to_owned(), body)?;
        self.look_up(name, text)?;
        Ok(if subject.is_some() { File::WithSubject } else { File::WithoutSubject })
    }

    /// The first name in `text` that means nothing is a fault; files are looked for when all are read.
    fn look_up(&mut self, file: &str, text: &str) -> Result<(), TemplateError> {
        for used in names::used(text) {
            let (what, known): (_, &[&str]) = match used.kind {
                names::Kind::Filter => ("filter", &filters::FILTERS),
                names::Kind::Test => ("test", &filters::TESTS),
                names::Kind::File => {
                    self.wanted.push((file.to_owned(), used));
                    continue;
                }
            };
            if !known.contains(&used.name.as_str()) {
                let reason = format!("there is no {what} `{}`; there are: {}", used.name, known.join(", "));
                return Err(TemplateError::Syntax { file: shown(file), line: used.line, reason });
            }
        }
        Ok(())
    }

    fn compile(&mut self, file: &str, name: String, source: String) -> Result<(), TemplateError> {
        self.environment.add_template_owned(name, source).map_err(|e| told(&e, file))
    }
}

impl TemplateError {
    fn file(&self) -> Option<&str> {
        match self {
            Self::Missing { .. } => None,
            Self::FileName { file }
            | Self::Syntax { file, .. }
            | Self::MissingField { file, .. }
            | Self::Render { file, .. }
            | Self::NoSubject { file }
            | Self::TooLarge { file, .. } => Some(file),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Html,
}

/// A file's name, taken apart.
struct Name<'a> {
    mail: &'a str,
    language: &'a str,
    kind: Kind,
}

impl<'a> Name<'a> {
    fn read(file: &'a str) -> Option<Self> {
        let (rest, kind) = match file.rsplit_once('.')? {
            (rest, "txt") => (rest, Kind::Text),
            (rest, "html") => (rest, Kind::Html),
            _ => return None,
        };
        // A part may do without a language.
        let (mail, language) = rest.split_once('.').unwrap_or((rest, ""));
        let name = Self { mail, language, kind };
        let language_ok = is_word(language) || (language.is_empty() && name.is_part());
        (is_word(mail) && language_ok).then_some(name)
    }

    fn is_part(&self) -> bool {
        self.mail.starts_with('_')
    }
}

fn is_word(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
    !text.is_empty() && text.bytes().all(fits)
}

fn file_name(mail: &str, language: &str, kind: Kind) -> String {
    let ending = match kind {
        Kind::Text => "txt",
        Kind::Html => "html",
    };
    format!("{mail}.{language}.{ending}")
}

fn shown(name: &str) -> String {
    format!("{FOLDER}{name}")
}

/// Where the subject stands in a text file: behind `Subject:` of the first line.
fn subject_line(text: &str) -> Option<Range<usize>> {
    const WORD: &str = "subject:";
    let end = text.find(['\r', '\n']).unwrap_or(text.len());
    let word = text.get(..WORD.len())?;
    (word.eq_ignore_ascii_case(WORD) && end >= WORD.len()).then_some(WORD.len()..end)
}

/// Where the subject stands in an HTML file: between `<title>` and `</title>`.
fn title(text: &str) -> Option<Range<usize>> {
    let lower = text.to_ascii_lowercase();
    let start = lower.find("<title>")? + "<title>".len();
    let length = lower[start..].find("</title>")?;
    Some(start..start + length)
}

fn is_break(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// The template language, cut down to what mails need: no files, no `safe`, no functions, limits on work.
fn environment() -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|name| {
        if name.ends_with(".html") { AutoEscape::Html } else { AutoEscape::None }
    });
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(50);
    // Only so does an error know which field is missing. What else it then knows is dropped in `told`.
    environment.set_debug(true);
    filters::add(&mut environment);
    environment
}

fn context(data: &Json, language: &str) -> Value {
    let mut fields: Vec<(String, Value)> = match data {
        Json::Object(fields) => fields.iter().map(|(key, v)| (key.clone(), value(v))).collect(),
        _ => Vec::new(),
    };
    fields.push((filters::LANGUAGE.to_owned(), Value::from(language)));
    Value::from_pairs(fields)
}

/// Whole numbers stay numbers, so that `{% if quantity > 1 %}` works; every other one stays exact as [`Exact`].
fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::from(()),
        Json::Bool(yes) => Value::from(*yes),
        Json::Number(number) => number.as_i64().map_or_else(|| Exact::value(number.to_string()), Value::from),
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => items.iter().map(value).collect(),
        Json::Object(fields) => Value::from_pairs(fields.iter().map(|(key, v)| (key.as_str(), value(v)))),
    }
}

/// In our words; the library's error also holds the data, and that stays behind.
fn told(error: &minijinja::Error, file: &str) -> TemplateError {
    let file = shown(error.name().map_or(file, |name| name.trim_end_matches(SUBJECT)));
    let line = error.line().unwrap_or(1);
    let reason = || match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    };
    match error.kind() {
        ErrorKind::UndefinedError => TemplateError::MissingField { file, line, field: missing_field(error) },
        ErrorKind::SyntaxError => TemplateError::Syntax { file, line, reason: reason() },
        _ => TemplateError::Render { file, line, reason: reason() },
    }
}

/// The expression that has no value: as the library says it ("`a.b` is undefined"), else what stands before the
/// filter that complained.
fn missing_field(error: &minijinja::Error) -> String {
    let said = error.detail().filter(|d| d.contains("` is undefined")).and_then(|d| d.split('`').nth(1));
    let before_filter = || {
        let (source, range) = error.template_source().zip(error.range())?;
        let start = source.get(..range.start)?.rsplit(['{', '%']).next()?;
        Some(start.trim().trim_end_matches('|').trim())
    };
    said.or_else(before_filter).filter(|f| !f.is_empty()).unwrap_or("a field").to_owned()
}

#[cfg(test)]
mod tests;
