//! Stories as lines for a terminal, as deep as asked.
//! Lives here: order and marks. Not here: the sentences (`story.rs`, `later.rs`, `delivery.rs`). Pure.

use std::fmt;

use super::{FieldText, StepText, StoryText, background::BecauseText, later::mark};
use crate::{report::State, text::pick};

/// How much of a story is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// The whole in one sentence.
    Sentence,
    /// The steps, and what each wrote.
    Steps,
    /// With every changed field, the rule that allowed it, and the version of the rules.
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
        written(|text| self.write(text, depth))
    }

    fn word<'t>(&self, de: &'t str, en: &'t str) -> &'t str {
        pick(&self.language, de, en)
    }

    fn write(&self, f: &mut impl fmt::Write, depth: Depth) -> fmt::Result {
        writeln!(f, "{}", self.headline)?;
        writeln!(f, "{}", self.summary)?;
        line(f, &self.open)?;
        if depth == Depth::Sentence {
            return Ok(());
        }
        writeln!(f, "{}: {}. {}", self.word("Wer", "Who"), self.who, self.rights)?;
        because(f, self.because.as_ref(), depth)?;
        for step in &self.steps {
            write_step(f, step, depth)?;
        }
        writeln!(f)?;
        line(f, &self.left_out)?;
        writeln!(f, "{}", self.events)?;
        writeln!(f, "{}", self.end)?;
        line(f, &self.next)?;
        if depth >= Depth::Fields {
            line(f, &self.version)?;
            line(f, &self.compared)?;
        }
        self.write_later(f)?;
        if !self.besides.is_empty() {
            writeln!(f, "\n{}:", self.word("Was sonst noch dazu geschah", "What else happened about it"))?;
        }
        for beside in &self.besides {
            writeln!(f, "  {} {} [takt story {}]", mark(beside.state), beside.sentence, beside.id)?;
        }
        // Only a fault is the developer's business; a refusal is the rules at work.
        if depth == Depth::Technical || self.state == State::Red {
            writeln!(f, "\n{}:", self.word("Für die Technik", "For the developer"))?;
            for (name, text) in &self.technical {
                writeln!(f, "  {name}: {text}")?;
            }
        }
        if self.hides && depth >= Depth::Fields {
            let hint = self.word(
                "Persönliche Werte sind verborgen; mit --reason \"…\" werden sie gezeigt, und das wird vermerkt.",
                "Personal values are hidden; --reason \"…\" shows them, and that is written down.",
            );
            writeln!(f, "\n{hint}")?;
        }
        Ok(())
    }

    fn write_later(&self, f: &mut impl fmt::Write) -> fmt::Result {
        if self.later.is_empty() {
            return Ok(());
        }
        writeln!(f, "\n{}:", self.word("Was danach geschah", "What happened afterwards"))?;
        for later in &self.later {
            writeln!(f, "  {} {}", later.mark(), later.sentence)?;
            if later.may_repeat {
                let (doors, why) = (later.doors(&self.language), self.word("Warum", "Why"));
                writeln!(f, "      {doors}  [{why}: takt story {}]", later.id)?;
            }
        }
        line(f, &self.at_risk)
    }
}

/// A line of its own, unless there is nothing to say.
/// What `write` writes.
pub(super) fn written(write: impl FnOnce(&mut String) -> fmt::Result) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _written = write(&mut text);
    text
}

/// What set it off.
pub(super) fn because(f: &mut impl fmt::Write, because: Option<&BecauseText>, depth: Depth) -> fmt::Result {
    let Some(because) = because else { return Ok(()) };
    let id = if depth >= Depth::Fields { format!(" ({})", because.id) } else { String::new() };
    writeln!(f, "{}{id}.", because.sentence)
}

pub(super) fn line(f: &mut impl fmt::Write, text: &str) -> fmt::Result {
    if text.is_empty() { Ok(()) } else { writeln!(f, "{text}") }
}

fn write_step(f: &mut impl fmt::Write, step: &StepText, depth: Depth) -> fmt::Result {
    let indent = "   ".repeat(usize::from(step.depth));
    let mark = if step.succeeded { '✓' } else { '✗' };
    let took = if step.took.is_empty() { String::new() } else { format!("  ({})", step.took) };
    writeln!(f, "\n{indent}{} {mark} {}{took}", step.number, step.title)?;
    if depth == Depth::Technical && !step.source.is_empty() {
        writeln!(f, "{indent}     {}", step.source)?;
    }
    if depth == Depth::Technical {
        for statement in &step.statements {
            writeln!(f, "{indent}     {statement}")?;
        }
    }
    for note in &step.notes {
        writeln!(f, "{indent}     {note}")?;
    }
    for change in &step.changes {
        writeln!(f, "{indent}     {}", change.sentence)?;
        if depth < Depth::Fields {
            continue;
        }
        for field in &change.fields {
            writeln!(f, "{indent}       {}", field.line())?;
        }
        writeln!(f, "{indent}       {}", change.rule)?;
        if depth == Depth::Technical {
            writeln!(f, "{indent}       {}", change.technical)?;
        }
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
