//! Reads `interfaces/*.toml`. A connection without purpose, owner, data and outage text is refused: who cannot say
//! what a connection is for should not open it.
//! Lives here: the file as a whole and its limits. Beneath: `connect.rs` (address and credentials), `operation.rs`,
//! `reconcile.rs` (what is compared with the other side).

mod address;
mod connect;
mod contract;
mod health;
mod operation;
mod reconcile;

use std::time::Duration;

use super::{
    document::{Document, Section, Spotted},
    names::{self, NameOf},
    problems::Problems,
};
use crate::{
    Breaker, Connection, ConnectionOrigin, DataFlow, Exposure, Guard, Outage, Partner, Project, ProjectFiles,
    Source, Table, Words, settings::duration,
};

/// Nobody waits longer for one call.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(120);

/// All connections of a project, by name of file.
pub(crate) fn all(files: &ProjectFiles, project: &Project, problems: &mut Problems) -> Vec<Connection> {
    let mut found = Vec::new();
    for (path, text) in files.under("interfaces", "toml") {
        let doc = Document::new(path, text);
        let Some(root) = doc.parse(text, problems) else { continue };
        let source = Source { file: path.to_owned(), line: 1 };
        let id = super::stem(path);
        names::check(NameOf::Table, id, &source, problems);
        let section = Section::new(&doc, &root, format!("connection `{id}`"), source);
        found.extend(one(id, &section, project, problems));
    }
    found
}

fn one(id: &str, section: &Section<'_>, project: &Project, problems: &mut Problems) -> Option<Connection> {
    let languages = &project.settings.languages;
    let source = section.source().clone();
    if let Some(name) = section.text("id", problems)
        && name.value != id
    {
        problems.error(
            &name.source,
            format!("the file is called `{id}.toml`, but says `{}`", name.value),
            None,
        );
    }
    let purpose = section.words("purpose", languages, problems);
    if !says_something(&purpose, languages) {
        missing(section, "purpose", "{ en = \"Paid orders go to the ERP.\", de = \"...\" }", problems);
    }
    let owner = said(section, "owner", problems);
    if owner.is_none() {
        missing(section, "owner", "\"Sales\"", problems);
    }
    let owner = owner.unwrap_or_default();
    let connect = connect::read(section, problems)?;
    let connection = Connection {
        id: id.to_owned(),
        purpose,
        partner: partner(section, languages, problems),
        owner,
        leads: leads(section, id, &project.tables, problems),
        outage: outage(section, languages, problems),
        data: data(section, &project.tables, problems),
        guard: guard(section, problems),
        health: health::read(section, &connect, problems),
        paused: section.flag("paused", problems).is_some_and(|p| p.value),
        operations: operation::all(section, connect.protocol, problems),
        reconcile: reconcile::read(section, project, problems),
        connect,
        origin: ConnectionOrigin::File,
        source,
    };
    operation::check(&connection, problems);
    reconcile::check(&connection, project, problems);
    section.finish(problems);
    Some(connection)
}

/// What every connection must say; told where it is said without a word, else where the file begins.
fn missing(section: &Section<'_>, key: &'static str, example: &str, problems: &mut Problems) {
    let at = section.value(key).map_or_else(|| section.source().clone(), |v| v.source);
    let message = format!("a connection must say its `{key}`");
    problems.error(&at, message, format!("write `{key} = {example}`"));
}

/// Whether the people of this project can read it: something stands there, in one of their languages.
fn says_something(words: &Words, languages: &[String]) -> bool {
    words.0.iter().any(|(language, text)| languages.contains(language) && !text.trim().is_empty())
}

/// A text with something in it. Blanks say nothing.
fn said(section: &Section<'_>, key: &'static str, problems: &mut Problems) -> Option<String> {
    section.text(key, problems).map(|t| t.value).filter(|t| !t.trim().is_empty())
}

fn partner(section: &Section<'_>, languages: &[String], problems: &mut Problems) -> Partner {
    let Some(part) = section.section("partner", problems) else {
        missing(section, "partner", "{ name = \"...\", contact = \"...\" }", problems);
        return Partner::default();
    };
    let names = part.words("name", languages, problems);
    let first = languages.first().map_or("en", String::as_str);
    let partner = Partner {
        name: names.get(first).map(str::trim).unwrap_or_default().to_owned(),
        names,
        contact: said(&part, "contact", problems),
        agreement: said(&part, "avv", problems),
        country: said(&part, "country", problems),
    };
    if partner.name.is_empty() {
        problems.error(part.source(), "the partner has no `name`", None);
    }
    part.finish(problems);
    partner
}

/// Who decides about what. The words are free, because the other side has fields of its own; slips of known words are
/// told, and a list in which the other side does not appear.
fn leads(
    section: &Section<'_>,
    id: &str,
    tables: &[Table],
    problems: &mut Problems,
) -> Vec<(String, Vec<String>)> {
    /// How files may name this side and the other one, beside the connection's own name.
    const SIDES: [&str; 4] = ["shop", "takt", "us", "partner"];
    let Some(part) = section.section("leads", problems) else { return Vec::new() };
    let mut leads = Vec::new();
    for (system, source, node) in part.entries() {
        let Some(fields) = super::text_list(node.get_ref()) else {
            problems.error(&source, format!("`leads.{system}` must be a list of field names"), None);
            continue;
        };
        let sides = || SIDES.into_iter().chain([id]);
        if sides().all(|side| side != system)
            && let Some(help) = super::did_you_mean(system, sides())
        {
            problems.warning(&source, format!("nobody is called `{system}` here"), help);
        }
        fields.iter().for_each(|name| near_miss(name, &source, tables, problems));
        leads.push((system.to_owned(), fields));
    }
    leads
}

/// A word that is no table and no field, but nearly one.
fn near_miss(name: &str, source: &Source, tables: &[Table], problems: &mut Problems) {
    let is_public = |t: &&Table| t.exposure == Exposure::Public;
    let public = || tables.iter().filter(is_public);
    let known = || public().flat_map(|t| t.fields.iter().map(|f| &f.name).chain([&t.name]));
    let plain = name.rsplit('.').next().unwrap_or(name);
    // "prices" speaks of the field `price`.
    let one = |word: &str| word.trim_end_matches('s').to_owned();
    if known().all(|k| one(k) != one(plain))
        && let Some(help) = super::did_you_mean(plain, known().map(String::as_str))
    {
        problems.warning(source, format!("no table and no field is called `{name}`"), help);
    }
}

fn outage(section: &Section<'_>, languages: &[String], problems: &mut Problems) -> Outage {
    const EXAMPLE: &str = "{ en = \"Orders wait; nothing is lost.\", de = \"...\", max = \"8h\" }";
    let Some(part) = section.section("outage", problems) else {
        missing(section, "outage", EXAMPLE, problems);
        return Outage::default();
    };
    let max = part.text("max", problems);
    if let Some(said) = max.as_ref().filter(|m| duration(&m.value).is_none_or(|d| d.is_zero())) {
        let help = "write `max = \"8h\"` or `max = \"2d\"`".to_owned();
        problems.error(&said.source, format!("`outage.max`: `{}` is no duration", said.value), help);
    }
    let max = max.map(|m| m.value);
    let mut outage = Outage { max, ..Outage::default() };
    for (language, source, node) in part.entries().filter(|(key, ..)| *key != "max") {
        match node.get_ref().as_str() {
            Some(text) if languages.iter().any(|l| l == language) => {
                outage.words.0.insert(language.to_owned(), text.to_owned());
            }
            Some(_) => problems.error(&source, format!("`{language}` is no language of the project"), None),
            None => problems.error(&source, format!("`outage.{language}` must be a text"), None),
        }
    }
    if !says_something(&outage.words, languages) {
        missing(section, "outage", EXAMPLE, problems);
    }
    outage
}

/// `data = []` says that no personal data crosses; saying nothing is refused.
fn data(section: &Section<'_>, tables: &[Table], problems: &mut Problems) -> Vec<DataFlow> {
    if section.value("data").is_none() {
        let example = "[{ fields = [\"email\"], purpose = \"...\", basis = \"...\" }]` or `data = []";
        missing(section, "data", example, problems);
        return Vec::new();
    }
    let flow = |part: Section<'_>, problems: &mut Problems| {
        let text = |key, problems: &mut Problems| said(&part, key, problems);
        let fields = part.texts("fields", problems);
        if let Some(fields) = &fields {
            check_fields(fields, tables, problems);
        }
        let flow = DataFlow {
            fields: fields.map(|f| f.value).unwrap_or_default(),
            purpose: text("purpose", problems),
            basis: text("basis", problems),
            keep: text("keep", problems),
            country: text("country", problems),
        };
        if flow.purpose.is_none() || flow.basis.is_none() {
            problems.error(part.source(), "personal data needs a `purpose` and a legal `basis`", None);
        }
        part.finish(problems);
        flow
    };
    section.sections("data", problems).into_iter().map(|part| flow(part, problems)).collect()
}

/// A name that no table has is no mistake (the other side may have fields of its own), but a slip of one is.
fn check_fields(fields: &Spotted<Vec<String>>, tables: &[Table], problems: &mut Problems) {
    let personal = || {
        let fields = tables.iter().flat_map(|t| &t.fields);
        fields.filter(|f| f.personal.is_some()).map(|f| f.name.as_str())
    };
    for name in &fields.value {
        if tables.iter().all(|t| t.field(name).is_none())
            && let Some(help) = super::did_you_mean(name, personal())
        {
            problems.warning(&fields.source, format!("no table has a field `{name}`"), help);
        }
    }
}

fn guard(section: &Section<'_>, problems: &mut Problems) -> Guard {
    let mut guard = Guard::default();
    let Some(part) = section.section("guard", problems) else { return guard };
    if let Some(timeout) = time(&part, "timeout", problems) {
        guard.timeout = timeout;
        if timeout > LONGEST_TIMEOUT {
            problems.error(part.source(), "a call may take at most two minutes (`120s`)", None);
        }
    }
    if let Some(concurrency) = part.size("concurrency", problems) {
        guard.concurrency = concurrency.value.min(256);
    }
    if let Some(rate) = part.text("rate", problems) {
        match rate.value.strip_suffix("/s").and_then(|n| n.trim().parse().ok()).filter(|n| *n > 0) {
            Some(per_second) => guard.per_second = per_second,
            None => {
                let help = "write `4/s`; without `rate` there is no limit".to_owned();
                problems.error(&rate.source, format!("`{}` is no rate", rate.value), help);
            }
        }
    }
    if let Some(said) = part.text("breaker", problems) {
        match breaker(&said.value) {
            Some(breaker) => guard.breaker = breaker,
            None => problems.error(
                &said.source,
                format!("`{}` is no breaker", said.value),
                "write `5 of 10, half-open 30s..10m`".to_owned(),
            ),
        }
    }
    part.finish(problems);
    guard
}

/// `5 of 10, half-open 30s..10m`
fn breaker(text: &str) -> Option<Breaker> {
    let (counts, pauses) = text.split_once(',')?;
    let (failures, of) = counts.split_once(" of ")?;
    let (pause, pause_max) = pauses.trim().strip_prefix("half-open")?.split_once("..")?;
    let breaker = Breaker {
        failures: failures.trim().parse().ok()?,
        of: of.trim().parse().ok()?,
        pause: duration(pause.trim())?,
        pause_max: duration(pause_max.trim())?,
    };
    let is_sound = (1..=breaker.of).contains(&breaker.failures)
        && breaker.of <= 1000
        && !breaker.pause.is_zero()
        && breaker.pause <= breaker.pause_max;
    is_sound.then_some(breaker)
}

/// A duration under `key`.
fn time(section: &Section<'_>, key: &'static str, problems: &mut Problems) -> Option<Duration> {
    let said = section.text(key, problems)?;
    let read = duration(&said.value).filter(|d| !d.is_zero());
    if read.is_none() {
        problems.error(
            &said.source,
            format!("`{}` is no duration", said.value),
            "write `20s` or `5m`".to_owned(),
        );
    }
    read
}
