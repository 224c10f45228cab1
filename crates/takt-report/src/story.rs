//! A story told in plain words: who did what when, what changed, which rule allowed it, how it ended. Pure.
//!
//! Labels come from the project's own words; sentences are in colon form ("Angelegt: Bestellungen"), so that
//! German needs no inflection. Personal values are shown only in a story that was revealed for a reason.
//! Beneath: `background.rs` (what is known around a story), `later.rs` (deliveries that it caused), `delivery.rs` (the
//! story of one delivery), `terminal.rs` (lines for a terminal).

pub(crate) mod background;
pub(crate) mod delivery;
pub(crate) mod later;
mod terminal;

use std::collections::HashMap;

use serde::Serialize;
use takt_engine::{Story, StoryCause, StoryChange, StoryField, StoryResult, StoryStep};
use takt_model::{Field, FieldType, Project, Table};

use background::{Background, BecauseText};
use later::LaterText;
pub use terminal::Depth;

use crate::{
    format, looks,
    report::State,
    text::{listing, pick},
};

/// What stands in a story in the place of a personal value.
const MASK: &str = "•••";

/// What rows are called today, by table name and primary key: "Steingutkanne" instead of an id.
pub type RowNames = HashMap<(String, String), String>;

/// A story in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StoryText {
    /// "Jetzt kaufen: B-2026-00001 · Mo 23.11.2026, 09:14:07 Uhr (UTC) · ERFOLGREICH, eine Übergabe steht aus"
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
    /// What set it off, if another story did.
    pub because: Option<BecauseText>,
    /// Which release of the rules ran; empty if that is not known.
    pub version: String,
    /// How it compares with how long this usually takes; empty if there is nothing to compare with.
    pub compared: String,
    /// What follows a failure by itself; empty if nothing does.
    pub next: String,
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
    /// What else happened later about the same thing, the oldest first.
    pub besides: Vec<Beside>,
    /// One sentence if something of that is still under way or has stopped; empty if all is done.
    pub open: String,
    /// What is at risk by that and what is missing; empty if all is done.
    pub at_risk: String,
    /// Whether personal values are hidden in it.
    pub hides: bool,
    /// For the technician: name and text, line by line.
    pub technical: Vec<(String, String)>,
    /// The headline without what became of it at others.
    #[serde(skip)]
    plain_headline: String,
    /// Headings in the language of the story, for whoever renders it: before, after, rule, ...
    language: String,
    #[serde(skip)]
    zone: String,
}

/// Something that happened later about the same thing, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Beside {
    /// Id of its story or delivery.
    pub id: String,
    /// "Paket angekündigt: gelungen."
    pub sentence: String,
    /// The light of it.
    pub state: State,
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
    /// "0,02 s"; empty if it was not kept.
    pub took: String,
    /// What was decided in it.
    pub notes: Vec<String>,
    /// What was written.
    pub changes: Vec<ChangeText>,
    /// `logic/checkout.ts:31`, for the technician; empty if it was not found.
    pub source: String,
    /// The statements that wrote it, each once, for the technician.
    pub statements: Vec<String>,
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
    let background = Background { names: names.clone(), ..Background::default() };
    tell_story_with(story, project, language, &background)
}

/// As [`tell_story`], with everything that is known around it.
#[must_use]
pub fn tell_story_with(
    story: &Story,
    project: &Project,
    language: &str,
    background: &Background,
) -> StoryText {
    let zone = project.settings.time_zone.as_str();
    let teller = Teller { story, project, language, zone, names: &background.names, background };
    let title = story.label.get(language).unwrap_or(&story.function).to_owned();
    let when = format::moment_in(story.at, language, zone);
    let (state, outcome) = teller.outcome();
    let subject = teller.number().map_or_else(String::new, |number| format!(": {number}"));
    let day = format::weekday(story.at, language, zone);
    let loud = match &story.result {
        StoryResult::Success => teller.pick("ERFOLGREICH", "SUCCEEDED").to_owned(),
        StoryResult::Refused { .. } | StoryResult::Failed { .. } => outcome.to_uppercase(),
    };
    let plain_headline = format!("{title}{subject} · {day} {when} · {loud}");
    StoryText {
        headline: plain_headline.clone(),
        summary: teller.summary(&title),
        title,
        when,
        outcome: outcome.to_owned(),
        state,
        who: teller.who(),
        rights: teller.rights(),
        because: background.because.as_ref().map(|b| b.told(language)),
        version: teller.version(),
        compared: teller.compared(),
        next: teller.next(),
        steps: teller.steps(),
        left_out: teller.left_out(),
        events: teller.events(),
        end: teller.end(),
        later: Vec::new(),
        besides: Vec::new(),
        open: String::new(),
        at_risk: String::new(),
        hides: story.has_masked() && !story.revealed,
        technical: teller.technical(),
        plain_headline,
        language: language.to_owned(),
        zone: zone.to_owned(),
    }
}

pub(super) struct Teller<'a> {
    pub(super) story: &'a Story,
    pub(super) project: &'a Project,
    pub(super) language: &'a str,
    pub(super) zone: &'a str,
    names: &'a RowNames,
    pub(super) background: &'a Background,
}

impl Teller<'_> {
    pub(super) fn pick<'t>(&self, de: &'t str, en: &'t str) -> &'t str {
        pick(self.language, de, en)
    }

    pub(super) fn is_german(&self) -> bool {
        self.language == "de"
    }

    /// By which number people call what it wrote: that of the first row that has one.
    fn number(&self) -> Option<&str> {
        let fields = self.story.all_changes().flat_map(|c| &c.fields);
        let number =
            fields.filter(|f| f.name == "number").find_map(|f| f.after.as_deref().or(f.before.as_deref()));
        number.filter(|n| *n != MASK)
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
            StoryCause::Message { .. } => match &self.background.event {
                Some(event) => {
                    let event = self.quoted(event);
                    return Some(if self.is_german() {
                        format!("Niemand; das Ereignis {event} hat es ausgelöst")
                    } else {
                        format!("Nobody; the event {event} set it off")
                    });
                }
                None => self.pick("Niemand; ein Ereignis hat es ausgelöst", "Nobody; an event set it off"),
            },
            StoryCause::Schedule { due_at } => {
                let due = format::moment_in(*due_at, self.language, self.zone);
                return Some(if self.is_german() {
                    format!("Niemand; der Zeitplan hat es ausgelöst, fällig {due}")
                } else {
                    format!("Nobody; the schedule set it off, due {due}")
                });
            }
            StoryCause::Delay => self.pick(
                "Niemand; ein früherer Vorgang hat es bestellt",
                "Nobody; an earlier process had asked for it",
            ),
            StoryCause::Later { attempt, asked_by, .. } => {
                return Some(self.asked(*attempt, asked_by.is_some()));
            }
        };
        Some(told.to_owned())
    }

    fn asked(&self, attempt: i64, by_story: bool) -> String {
        let asked = if by_story {
            self.pick(
                "Niemand; ein früherer Vorgang hat es bestellt",
                "Nobody; an earlier process had asked for it",
            )
        } else {
            self.pick("Ein Mensch hat es angestoßen", "A person had asked for it")
        };
        match (attempt, self.is_german()) {
            (..=1, _) => asked.to_owned(),
            (n, true) => format!("{asked} (Versuch {n})"),
            (n, false) => format!("{asked} (try {n})"),
        }
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
        let mut statements = self.background.statements.iter();
        let mut of = |changes: &[StoryChange]| {
            let mut each: Vec<String> = Vec::new();
            for statement in statements.by_ref().take(changes.len()).flatten() {
                if !each.contains(statement) {
                    each.push(statement.clone());
                }
            }
            each
        };
        let steps = self.story.steps.iter().enumerate();
        let mut steps: Vec<StepText> =
            steps.map(|(i, s)| StepText { statements: of(&s.changes), ..self.step(i + 1, s) }).collect();
        if !self.story.changes.is_empty() {
            steps.push(StepText {
                number: steps.len() + 1,
                title: self
                    .pick("Außerhalb der Schritte geschrieben", "Written outside the steps")
                    .to_owned(),
                succeeded: self.story.result == StoryResult::Success,
                depth: 0,
                took: String::new(),
                notes: Vec::new(),
                changes: self.story.changes.iter().map(|c| self.change(c)).collect(),
                source: String::new(),
                statements: of(&self.story.changes),
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
            took: if step.took >= 50 { format::took(step.took, self.language) } else { String::new() },
            notes: step.notes.iter().filter_map(|n| n.get(self.language)).map(str::to_owned).collect(),
            changes: step.changes.iter().map(|c| self.change(c)).collect(),
            source: self.background.lines.get(&number).cloned().unwrap_or_default(),
            statements: Vec::new(),
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

    pub(super) fn quoted(&self, text: &str) -> String {
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
        let is_personal = field.is_some_and(|f| f.personal.is_some());
        let is_mask = |value: &Option<String>| value.as_deref() == Some(MASK);
        let is_masked = is_mask(&written.before) || is_mask(&written.after);
        let hidden = if self.story.revealed { is_masked } else { is_personal || is_masked };
        let show = |value: &Option<String>| match value {
            None => String::new(),
            Some(_) if hidden && self.story.revealed => self.pick("nicht aufbewahrt", "not kept").to_owned(),
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
        if let Some(label) = field.and_then(|f| f.value_label(text, self.language)) {
            return label.to_owned();
        }
        let kind = field.map_or(&FieldType::Text, |f| &f.kind);
        if matches!(kind, FieldType::Timestamp)
            && let Ok(at) = text.parse::<jiff::Timestamp>()
        {
            return format::moment_in(at.as_microsecond(), self.language, self.zone);
        }
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

#[cfg(test)]
mod tests;
