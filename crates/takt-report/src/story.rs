//! A story told in plain words: who did what when, what changed, which rule allowed it, how it ended. Pure.
//!
//! Labels come from the project's own words; sentences are in colon form ("Angelegt: Bestellungen"), so that
//! German needs no inflection. Personal values are never shown, even if an older story holds one.

pub(crate) mod later;

use std::{collections::HashMap, fmt};

use serde::Serialize;
use takt_engine::{Story, StoryCause, StoryChange, StoryField, StoryResult, StoryStep};
use takt_model::{Field, FieldType, Project, Table};

use later::LaterText;

use crate::{
    format, looks,
    report::State,
    text::{listing, pick},
};

/// What rows are called today, by table name and primary key: "Steingutkanne" instead of an id.
pub type RowNames = HashMap<(String, String), String>;

/// A story in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StoryText {
    /// "Jetzt kaufen · 23.11.2026, 09:14:07 Uhr (UTC) · gelungen"
    pub headline: String,
    /// What people call the process.
    pub title: String,
    /// When.
    pub when: String,
    /// How it ended, in a word.
    pub outcome: String,
    /// The light of that word.
    pub state: State,
    /// The whole in one sentence.
    pub summary: String,
    /// Who called.
    pub who: String,
    /// With which rights it ran.
    pub rights: String,
    /// In order. Changes outside of any step stand in a last step of their own.
    pub steps: Vec<StepText>,
    /// How many changes the story did not keep; empty if it kept all.
    pub left_out: String,
    /// What left as events.
    pub events: String,
    /// How it ended.
    pub end: String,
    /// What became of it at others, in the order in which it left.
    pub later: Vec<LaterText>,
    /// One sentence if something of that is still under way or has stopped; empty if all is done.
    pub open: String,
    /// For the technician: name and text, line by line.
    pub technical: Vec<(String, String)>,
    /// Headings in the language of the story, for whoever renders it: before, after, rule, ...
    language: String,
}

/// A step in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StepText {
    /// Counted from 1.
    pub number: usize,
    /// What people call it.
    pub title: String,
    /// Whether it ended well.
    pub succeeded: bool,
    /// How deep it stands inside other steps.
    pub depth: u8,
    /// What was written.
    pub changes: Vec<ChangeText>,
}

/// A written row in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangeText {
    /// "Geändert: Artikel „Steingutkanne“ – Bestand 7 → 6"
    pub sentence: String,
    /// Every field that differs.
    pub fields: Vec<FieldText>,
    /// Why that was allowed.
    pub rule: String,
    /// Table and key, for the technician.
    pub technical: String,
}

/// A field in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldText {
    /// What people call it.
    pub label: String,
    /// Name in the database.
    pub name: String,
    /// Before; empty for nothing.
    pub before: String,
    /// After; empty for nothing.
    pub after: String,
    /// Whether the value is personal and therefore not shown.
    pub hidden: bool,
}

/// Tells a story in `language` (`de`, else English). Pure.
#[must_use]
pub fn tell_story(story: &Story, project: &Project, language: &str) -> StoryText {
    tell_story_naming(story, project, language, &RowNames::new())
}

/// As [`tell_story`], with names for rows.
#[must_use]
pub fn tell_story_naming(story: &Story, project: &Project, language: &str, names: &RowNames) -> StoryText {
    let teller = Teller { story, project, language, names };
    let title = story.label.get(language).unwrap_or(&story.function).to_owned();
    let when = format::moment(story.at, language);
    let (state, outcome) = teller.outcome();
    StoryText {
        headline: format!("{title} · {when} · {outcome}"),
        summary: teller.summary(&title),
        title,
        when,
        outcome: outcome.to_owned(),
        state,
        who: teller.who(),
        rights: teller.rights(),
        steps: teller.steps(),
        left_out: teller.left_out(),
        events: teller.events(),
        end: teller.end(),
        later: Vec::new(),
        open: String::new(),
        technical: teller.technical(),
        language: language.to_owned(),
    }
}

struct Teller<'a> {
    story: &'a Story,
    project: &'a Project,
    language: &'a str,
    names: &'a RowNames,
}

impl Teller<'_> {
    fn pick<'t>(&self, de: &'t str, en: &'t str) -> &'t str {
        pick(self.language, de, en)
    }

    fn is_german(&self) -> bool {
        self.language == "de"
    }

    fn outcome(&self) -> (State, &'static str) {
        match &self.story.result {
            StoryResult::Success => (State::Green, pick(self.language, "gelungen", "succeeded")),
            StoryResult::Refused { .. } => (State::Yellow, pick(self.language, "abgelehnt", "refused")),
            StoryResult::Failed { .. } => (State::Red, pick(self.language, "fehlgeschlagen", "failed")),
        }
    }

    fn summary(&self, title: &str) -> String {
        let lists = self.written_lists();
        match (&self.story.result, self.is_german()) {
            (StoryResult::Success, true) if lists.is_empty() => {
                format!("„{title}“ ist gelungen. Dabei wurde nichts geändert.")
            }
            (StoryResult::Success, true) => {
                format!("„{title}“ ist gelungen. Geschrieben wurde in: {}.", listing(&lists, "de", 6))
            }
            (StoryResult::Success, false) if lists.is_empty() => {
                format!("\"{title}\" succeeded. Nothing was changed.")
            }
            (StoryResult::Success, false) => {
                format!("\"{title}\" succeeded. It wrote to: {}.", listing(&lists, "en", 6))
            }
            (StoryResult::Refused { .. }, true) => {
                format!("„{title}“ wurde von den Regeln abgelehnt. Es wurde nichts geschrieben.")
            }
            (StoryResult::Refused { .. }, false) => {
                format!("The rules refused \"{title}\". Nothing was written.")
            }
            (StoryResult::Failed { .. }, true) => {
                format!("„{title}“ ist fehlgeschlagen. Es wurde nichts geschrieben.")
            }
            (StoryResult::Failed { .. }, false) => format!("\"{title}\" failed. Nothing was written."),
        }
    }

    fn written_lists(&self) -> Vec<String> {
        let mut lists: Vec<String> = Vec::new();
        for change in self.story.all_changes() {
            let label = self.table_label(&change.table);
            if !lists.contains(&label) {
                lists.push(label);
            }
        }
        lists
    }

    fn who(&self) -> String {
        if let Some(cause) = self.by_itself() {
            return cause;
        }
        let id = self.story.caller.as_deref().map(format::short_id);
        let roles: Vec<String> = self
            .story
            .caller_roles
            .iter()
            .filter(|r| !matches!(r.as_str(), "visitor" | "anon" | "customer" | "authenticated" | "service"))
            .map(|r| self.role_label(r))
            .collect();
        let service = self.story.caller_roles.iter().any(|r| r == "service" || r == "service_role");
        match id {
            None if service => self
                .pick("Ein Programm mit dem geheimen Schlüssel", "A program with the secret key")
                .to_owned(),
            None => self.pick("Jemand ohne Anmeldung", "Somebody who was not signed in").to_owned(),
            Some(id) if roles.is_empty() => format!("{} {id}", self.pick("Kundenkonto", "Customer account")),
            Some(id) => format!("{} {id} ({})", self.pick("Konto", "Account"), roles.join(", ")),
        }
    }

    /// What set it off, if nobody called.
    fn by_itself(&self) -> Option<String> {
        let told = match &self.story.cause {
            cause if !cause.is_by_itself() => return None,
            StoryCause::Call => return None,
            StoryCause::Message { .. } => {
                self.pick("Niemand; ein Ereignis hat es ausgelöst", "Nobody; an event set it off")
            }
            StoryCause::Schedule { .. } => {
                self.pick("Niemand; der Zeitplan hat es ausgelöst", "Nobody; the schedule set it off")
            }
            StoryCause::Delay => self.pick(
                "Niemand; ein früherer Vorgang hat es bestellt",
                "Nobody; an earlier process had asked for it",
            ),
        };
        Some(told.to_owned())
    }

    fn role_label(&self, role: &str) -> String {
        let labels = &self.project.settings.role_labels;
        labels
            .iter()
            .find(|(name, _)| name == role)
            .and_then(|(_, words)| words.get(self.language))
            .unwrap_or(role)
            .to_owned()
    }

    fn rights(&self) -> String {
        if self.story.cause.is_by_itself() {
            return self
                .pick(
                    "Der Vorgang arbeitet mit den Rechten des Hauses, weil niemand ihn aufgerufen hat.",
                    "The process works with the house's own rights, because nobody called it.",
                )
                .to_owned();
        }
        if self.story.elevated {
            self.pick(
                "Der Vorgang arbeitet mit den Rechten des Hauses. Er darf mehr, als der Aufrufer selbst dürfte.",
                "The process works with the house's own rights. It may do more than the caller could.",
            )
        } else {
            self.pick(
                "Der Vorgang durfte nur, was der Aufrufer selbst darf.",
                "The process could only do what the caller may do.",
            )
        }
        .to_owned()
    }

    fn steps(&self) -> Vec<StepText> {
        let mut steps: Vec<StepText> =
            self.story.steps.iter().enumerate().map(|(i, s)| self.step(i + 1, s)).collect();
        if !self.story.changes.is_empty() {
            steps.push(StepText {
                number: steps.len() + 1,
                title: self
                    .pick("Außerhalb der Schritte geschrieben", "Written outside the steps")
                    .to_owned(),
                succeeded: self.story.result == StoryResult::Success,
                depth: 0,
                changes: self.story.changes.iter().map(|c| self.change(c)).collect(),
            });
        }
        steps
    }

    fn step(&self, number: usize, step: &StoryStep) -> StepText {
        let unnamed = self.pick("Unbenannter Schritt", "Unnamed step");
        StepText {
            number,
            title: step.label.get(self.language).unwrap_or(unnamed).to_owned(),
            succeeded: step.succeeded,
            depth: step.depth,
            changes: step.changes.iter().map(|c| self.change(c)).collect(),
        }
    }

    fn change(&self, change: &StoryChange) -> ChangeText {
        let table = self.project.table(&change.table);
        let fields: Vec<FieldText> = change.fields.iter().map(|f| self.field(table, f)).collect();
        ChangeText {
            sentence: self.sentence(change, table, &fields),
            fields,
            rule: self.rule(&change.rule),
            technical: format!("{} {} {}", change.verb, change.table, change.key),
        }
    }

    fn sentence(&self, change: &StoryChange, table: Option<&Table>, fields: &[FieldText]) -> String {
        let verb = match change.verb.as_str() {
            "insert" => self.pick("Angelegt", "Created"),
            "update" => self.pick("Geändert", "Changed"),
            "delete" => self.pick("Gelöscht", "Deleted"),
            _ => self.pick("Geschrieben", "Written"),
        };
        let list = self.table_label(&change.table);
        let name = self.row_name(change, table).map(|n| self.quoted(&n)).unwrap_or_default();
        let head = if name.is_empty() { format!("{verb}: {list}") } else { format!("{verb}: {list} {name}") };
        if change.verb != "update" || fields.is_empty() {
            return head;
        }
        let parts: Vec<String> = fields.iter().take(3).map(|f| self.movement(f)).collect();
        let more = if fields.len() > 3 { ", …" } else { "" };
        format!("{head} – {}{more}", parts.join(", "))
    }

    fn movement(&self, field: &FieldText) -> String {
        if field.hidden {
            return format!("{} {}", field.label, self.pick("geändert", "changed"));
        }
        let nothing = self.pick("leer", "empty");
        let or_nothing = |v: &str| if v.is_empty() { nothing.to_owned() } else { v.to_owned() };
        format!("{} {} → {}", field.label, or_nothing(&field.before), or_nothing(&field.after))
    }

    fn quoted(&self, text: &str) -> String {
        if self.is_german() { format!("„{text}“") } else { format!("\"{text}\"") }
    }

    /// What a person would call the row: its name of today, or a name-like field among those written.
    fn row_name(&self, change: &StoryChange, table: Option<&Table>) -> Option<String> {
        if let Some(name) = self.names.get(&(change.table.clone(), change.key.clone())) {
            return Some(name.clone());
        }
        let table = table?;
        let wanted = name_fields(table, self.language);
        wanted.into_iter().find_map(|field| {
            let written = change.fields.iter().find(|f| f.name == field.name)?;
            written.after.clone().or_else(|| written.before.clone())
        })
    }

    fn field(&self, table: Option<&Table>, written: &StoryField) -> FieldText {
        let field = table.and_then(|t| t.field(&written.name));
        let hidden = field.is_some_and(|f| f.personal.is_some());
        let show = |value: &Option<String>| match value {
            None => String::new(),
            Some(_) if hidden => self.pick("verborgen", "hidden").to_owned(),
            Some(text) => self.value(field, text),
        };
        FieldText {
            label: field
                .and_then(|f| f.label.get(self.language))
                .map_or_else(|| readable(&written.name), str::to_owned),
            name: written.name.clone(),
            before: show(&written.before),
            after: show(&written.after),
            hidden,
        }
    }

    fn value(&self, field: Option<&Field>, text: &str) -> String {
        let kind = field.map_or(&FieldType::Text, |f| &f.kind);
        let currency = self.project.settings.currency.as_str();
        let is_money = field.is_some_and(looks::money) && !currency.is_empty();
        format::value_text(text, kind, is_money.then_some(currency), self.language)
    }

    fn rule(&self, rule: &str) -> String {
        match rule {
            "" => self.pick("Die Regel ist nicht vermerkt.", "The rule was not noted.").to_owned(),
            "service" | "service_role" => self
                .pick(
                    "Erlaubt, weil der Vorgang mit den Rechten des Hauses arbeitet, nicht mit denen des Aufrufers.",
                    "Allowed because the process works with the house's own rights, not with the caller's.",
                )
                .to_owned(),
            policy if self.is_german() => format!("Erlaubt durch die Regel „{policy}“."),
            policy => format!("Allowed by the rule \"{policy}\"."),
        }
    }

    fn left_out(&self) -> String {
        let n = self.story.changes_left_out;
        let number = format::count(n, self.language);
        match (n, self.is_german()) {
            (0, _) => String::new(),
            (_, true) => format!("Weitere Änderungen, die hier nicht einzeln stehen: {number}."),
            (_, false) => format!("Further changes that are not listed here: {number}."),
        }
    }

    fn events(&self) -> String {
        if self.story.result != StoryResult::Success {
            return self.pick("Nichts ging hinaus.", "Nothing left.").to_owned();
        }
        if self.story.events.is_empty() {
            return self.pick("Kein Ereignis ging hinaus.", "No event left.").to_owned();
        }
        let names = self.story.events.join(", ");
        if self.is_german() { format!("Gemeldet: {names}.") } else { format!("Announced: {names}.") }
    }

    fn end(&self) -> String {
        let took = format::took(self.story.took, self.language);
        match (&self.story.result, self.is_german()) {
            (StoryResult::Success, true) => {
                format!("Alles wurde gemeinsam gespeichert, in einem Zug ({took}).")
            }
            (StoryResult::Success, false) => format!("All of it was stored together, in one go ({took})."),
            (StoryResult::Refused { message, .. }, german) => {
                let said = message.get(self.language).unwrap_or_default();
                if german {
                    format!("Abgelehnt mit: {} Es wurde nichts geschrieben.", self.quoted(said))
                } else {
                    format!("Refused with: {} Nothing was written.", self.quoted(said))
                }
            }
            (StoryResult::Failed { .. }, true) => {
                "Ein Fehler im Programm hat den Vorgang beendet. Es wurde nichts geschrieben.".to_owned()
            }
            (StoryResult::Failed { .. }, false) => {
                "A fault in the program ended the process. Nothing was written.".to_owned()
            }
        }
    }

    fn technical(&self) -> Vec<(String, String)> {
        let mut lines = vec![
            (self.pick("Funktion", "Function").to_owned(), self.story.function.clone()),
            (self.pick("Geschichte", "Story").to_owned(), self.story.id.clone()),
            (self.pick("Dauer", "Took").to_owned(), format::took(self.story.took, self.language)),
            (
                self.pick("Rollen des Aufrufers", "Caller's roles").to_owned(),
                self.story.caller_roles.join(", "),
            ),
            (
                self.pick("Rechte", "Rights").to_owned(),
                if self.story.elevated { "runs_as = \"service\"" } else { "caller" }.to_owned(),
            ),
        ];
        match &self.story.result {
            StoryResult::Success => {}
            StoryResult::Refused { status, .. } => lines.push(("Status".to_owned(), status.to_string())),
            StoryResult::Failed { code, message, position } => {
                lines.push(("Code".to_owned(), code.clone()));
                lines.push((self.pick("Meldung", "Message").to_owned(), message.clone()));
                let place = position.clone().unwrap_or_else(|| "–".to_owned());
                lines.push((self.pick("Stelle", "Place").to_owned(), place));
            }
        }
        lines
    }

    fn table_label(&self, name: &str) -> String {
        let table = self.project.table(name);
        table.and_then(|t| t.label.get(self.language)).map_or_else(|| readable(name), str::to_owned)
    }
}

/// Fields that tell a row from another in a person's words, the best first; never personal ones.
#[must_use]
pub fn name_fields<'a>(table: &'a Table, language: &str) -> Vec<&'a Field> {
    let in_language = |stem: &str| format!("{stem}_{language}");
    let wanted = [
        "number".to_owned(),
        in_language("name"),
        "name".to_owned(),
        in_language("title"),
        "title".to_owned(),
        "label".to_owned(),
        "sku".to_owned(),
        "slug".to_owned(),
    ];
    wanted.iter().filter_map(|w| table.field(w)).filter(|f| f.personal.is_none()).collect()
}

fn readable(name: &str) -> String {
    name.replace('_', " ")
}

/// How much of a story is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// The whole in one sentence.
    Sentence,
    /// The steps, and what each wrote.
    Steps,
    /// With every changed field and the rule that allowed it.
    Fields,
    /// With what only technicians need.
    Technical,
}

impl Depth {
    /// 0 to 3; more is as 3.
    #[must_use]
    pub fn of(number: u8) -> Self {
        match number {
            0 => Self::Sentence,
            1 => Self::Steps,
            2 => Self::Fields,
            _ => Self::Technical,
        }
    }
}

impl fmt::Display for StoryText {
    /// The form for a terminal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, Depth::Fields)
    }
}

impl StoryText {
    /// The form for a terminal, as deep as asked.
    #[must_use]
    pub fn to_depth(&self, depth: Depth) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _written = self.write(&mut text, depth);
        text
    }

    fn word<'t>(&self, de: &'t str, en: &'t str) -> &'t str {
        pick(&self.language, de, en)
    }

    fn write(&self, f: &mut impl fmt::Write, depth: Depth) -> fmt::Result {
        writeln!(f, "{}", self.headline)?;
        writeln!(f, "{}", self.summary)?;
        if !self.open.is_empty() {
            writeln!(f, "{}", self.open)?;
        }
        if depth == Depth::Sentence {
            return Ok(());
        }
        writeln!(f, "{}: {}. {}", self.word("Wer", "Who"), self.who, self.rights)?;
        for step in &self.steps {
            write_step(f, step, depth)?;
        }
        writeln!(f)?;
        if !self.left_out.is_empty() {
            writeln!(f, "{}", self.left_out)?;
        }
        writeln!(f, "{}", self.events)?;
        writeln!(f, "{}", self.end)?;
        if !self.later.is_empty() {
            writeln!(f, "\n{}:", self.word("Was danach geschah", "What happened afterwards"))?;
            for later in &self.later {
                writeln!(f, "  {} {}", later.mark(), later.sentence)?;
            }
        }
        // Only a fault is the developer's business; a refusal is the rules at work.
        if depth == Depth::Technical || self.state == State::Red {
            writeln!(f, "\n{}:", self.word("Für die Technik", "For the developer"))?;
            for (name, text) in &self.technical {
                writeln!(f, "  {name}: {text}")?;
            }
        }
        Ok(())
    }
}

fn write_step(f: &mut impl fmt::Write, step: &StepText, depth: Depth) -> fmt::Result {
    let indent = "   ".repeat(usize::from(step.depth));
    let mark = if step.succeeded { '✓' } else { '✗' };
    writeln!(f, "\n{indent}{} {mark} {}", step.number, step.title)?;
    for change in &step.changes {
        writeln!(f, "{indent}     {}", change.sentence)?;
        if depth < Depth::Fields {
            continue;
        }
        for field in &change.fields {
            writeln!(f, "{indent}       {}", field.line())?;
        }
        writeln!(f, "{indent}       {}", change.rule)?;
    }
    Ok(())
}

impl FieldText {
    /// `Bestand: 7 → 6`, or only the value of a new field.
    #[must_use]
    pub fn line(&self) -> String {
        match (self.before.as_str(), self.after.as_str()) {
            ("", after) => format!("{}: {after}", self.label),
            (before, "") => format!("{}: {before} → –", self.label),
            (before, after) => format!("{}: {before} → {after}", self.label),
        }
    }
}

#[cfg(test)]
mod tests;
