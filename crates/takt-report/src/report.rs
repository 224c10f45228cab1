//! The report: six blocks with their lights, made from evidence. Pure.
//! Lives here: its parts and how they are put together. Not here: single checks (`checks`), weighing (`score`).

use serde::Serialize;
use takt_model::Words;

use crate::{
    blocks, catalogue,
    checks::{self, Check},
    evidence::Evidence,
    score,
    text::Text,
};

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// As it should be.
    Green,
    /// To be looked at.
    Yellow,
    /// To be mended.
    Red,
    /// Not known. Never counts as good.
    Unknown,
    /// Does not concern this instance, shown by the machine itself.
    NotApplicable,
    /// Needs a longer history than there is yet.
    TooYoung,
}

impl State {
    /// Its word.
    #[must_use]
    pub fn word(self) -> Text {
        match self {
            Self::Green => Text { de: "grün", en: "green" },
            Self::Yellow => Text { de: "gelb", en: "yellow" },
            Self::Red => Text { de: "rot", en: "red" },
            Self::Unknown => Text { de: "noch nicht bekannt", en: "not yet known" },
            Self::NotApplicable => Text { de: "entfällt", en: "does not apply" },
            Self::TooYoung => Text { de: "zu jung", en: "too young" },
        }
    }

    /// Its shape, for those who cannot tell the colours apart.
    #[must_use]
    pub fn shape(self) -> char {
        match self {
            Self::Green => '●',
            Self::Yellow => '▲',
            Self::Red => '■',
            Self::Unknown => '○',
            Self::NotApplicable => '–',
            Self::TooYoung => '◔',
        }
    }

    /// Whether the question was answered.
    #[must_use]
    pub fn is_answered(self) -> bool {
        matches!(self, Self::Green | Self::Yellow | Self::Red | Self::NotApplicable)
    }
}

/// The six blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockId {
    /// D: database.
    Data,
    /// M: server, hosting, protection.
    Machine,
    /// R: program logic.
    Rules,
    /// S: interfaces and mediators.
    Interfaces,
    /// Z: future.
    Future,
    /// V: responsibility and handover.
    Handover,
}

/// Whom to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// The owner decides.
    Owner,
    /// The agency or developer.
    Agency,
    /// Whoever runs the machine.
    Hoster,
    /// The data protection officer.
    DataProtection,
    /// Whoever runs the system on the other side.
    Partner,
}

impl Ask {
    /// Who that is, in words.
    #[must_use]
    pub fn word(self) -> Text {
        match self {
            Self::Owner => Text { de: "Sie selbst", en: "yourself" },
            Self::Partner => Text { de: "der Partner", en: "the partner" },
            Self::Agency => Text { de: "Ihre Agentur", en: "your agency" },
            Self::Hoster => Text { de: "Ihr Hoster", en: "your hosting company" },
            Self::DataProtection => Text { de: "Datenschutz", en: "data protection" },
        }
    }
}

/// How much work a repair is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effort {
    /// Hours.
    Small,
    /// Days.
    Medium,
    /// Weeks.
    Large,
}

impl Effort {
    /// Its word.
    #[must_use]
    pub fn word(self) -> Text {
        match self {
            Self::Small => Text { de: "klein", en: "small" },
            Self::Medium => Text { de: "mittel", en: "medium" },
            Self::Large => Text { de: "groß", en: "large" },
        }
    }
}

/// How we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceClass {
    /// Measured by this program.
    Measured,
    /// Written down by a person in the project.
    Stated,
}

impl EvidenceClass {
    /// Its word.
    #[must_use]
    pub fn word(self) -> Text {
        match self {
            Self::Measured => Text { de: "selbst gemessen", en: "measured by Takt" },
            Self::Stated => Text { de: "im Projekt angegeben", en: "stated in the project" },
        }
    }
}

/// What a check finds in the evidence.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The light.
    pub state: State,
    /// A sentence with the value; the same for every colour.
    pub title: Words,
    /// The value alone: `0`, `99.93 %`, "yes"; empty where there is none.
    pub value: Words,
    /// What it stands on, line by line.
    pub evidence: Vec<Words>,
}

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CheckResult {
    /// `D02`
    pub id: &'static str,
    /// 1, 2, 3 or 5.
    pub weight: u8,
    /// Whether red here makes the whole red.
    pub cap: bool,
    /// The light.
    pub state: State,
    /// A sentence with the value.
    pub title: Words,
    /// The value alone; empty where there is none.
    pub value: Words,
    /// What is green, yellow and red.
    pub threshold: Words,
    /// What it means for the owner.
    pub meaning: Words,
    /// Whom to ask.
    pub ask: Ask,
    /// What to ask, to copy.
    pub question: Words,
    /// What to do, as an imperative.
    pub advice: Words,
    /// How much work that is.
    pub effort: Effort,
    /// How we know.
    pub class: EvidenceClass,
    /// What it stands on.
    pub evidence: Vec<Words>,
    /// When it was measured: microseconds since 1970 UTC.
    pub at: i64,
}

/// A check of the catalogue that nobody answers yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OpenCheck {
    /// `M09`
    pub id: &'static str,
    /// What it will answer, in a few words.
    pub name: Words,
}

/// One of the six parts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Block {
    /// Which.
    pub id: BlockId,
    /// Its name.
    pub title: Words,
    /// What it is about.
    pub about: Words,
    /// Its light.
    pub state: State,
    /// The most important sentence.
    pub sentence: Words,
    /// How many checks of the catalogue are answered.
    pub answered: usize,
    /// How many the catalogue has for this block.
    pub planned: usize,
    /// The results of the checks that exist, the gravest first.
    pub results: Vec<CheckResult>,
    /// Checks of the catalogue that are not built yet.
    pub open: Vec<OpenCheck>,
}

/// Which checks were asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct RuleSet {
    /// Changes with every new, removed or changed check.
    pub version: &'static str,
    /// Checks in it.
    pub size: usize,
    /// Checks that the catalogue foresees.
    pub planned: usize,
    /// Of these, answered now.
    pub answered: usize,
}

/// The whole in one word.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// The light.
    pub state: State,
    /// "Mit Lücken"
    pub word: Words,
    /// Why.
    pub reason: Words,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NextStep {
    /// The check behind it.
    pub id: &'static str,
    /// An imperative.
    pub title: Words,
    /// Whom to ask.
    pub ask: Ask,
    /// What to ask, to copy.
    pub question: Words,
    /// How much work that is; none where nobody knows yet.
    pub effort: Option<Effort>,
}

/// A report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// When its facts were collected: microseconds since 1970 UTC.
    pub at: i64,
    /// Which checks were asked.
    pub rule_set: RuleSet,
    /// The whole.
    pub total: Verdict,
    /// The six blocks.
    pub blocks: Vec<Block>,
    /// At most three, at most one for each block.
    pub steps: Vec<NextStep>,
    /// What somebody without programming knowledge should know, sentence by sentence.
    pub notes: Vec<Words>,
}

impl Report {
    /// All results.
    pub fn results(&self) -> impl Iterator<Item = &CheckResult> {
        self.blocks.iter().flat_map(|b| &b.results)
    }
}

/// Judges. Pure: the same evidence gives the same report.
#[must_use]
pub fn judge(evidence: &Evidence) -> Report {
    let results: Vec<CheckResult> = checks::ALL.iter().map(|c| result(c, evidence)).collect();
    let blocks: Vec<Block> = blocks::ALL.into_iter().map(|id| block(id, &results)).collect();
    let answered = blocks.iter().map(|b| b.answered).sum();
    let rule_set = RuleSet {
        version: checks::VERSION,
        size: checks::ALL.len(),
        planned: catalogue::ALL.len(),
        answered,
    };
    Report {
        at: evidence.at,
        total: score::total(&blocks, &rule_set),
        steps: score::next_steps(&blocks),
        notes: score::notes(evidence, &rule_set),
        rule_set,
        blocks,
    }
}

fn result(check: &Check, evidence: &Evidence) -> CheckResult {
    let answer = (check.probe)(evidence);
    CheckResult {
        id: check.id,
        weight: check.weight,
        cap: check.cap,
        state: answer.state,
        title: answer.title,
        value: answer.value,
        threshold: check.threshold.words(),
        meaning: check.meaning.words(),
        ask: check.ask,
        question: check.question.words(),
        advice: check.advice.words(),
        effort: check.effort,
        class: check.class,
        evidence: answer.evidence,
        at: evidence.at,
    }
}

fn block(id: BlockId, all: &[CheckResult]) -> Block {
    let mut results: Vec<CheckResult> =
        all.iter().filter(|r| BlockId::of(r.id) == Some(id)).cloned().collect();
    results.sort_by_key(|r| (score::gravity(r.state), std::cmp::Reverse(r.weight), r.id));
    let planned: Vec<_> = catalogue::ALL.iter().filter(|e| BlockId::of(e.id) == Some(id)).collect();
    let catalogue_weight = planned.iter().map(|e| u32::from(e.weight)).sum();
    let state = score::block_light(&results, catalogue_weight);
    let answered = results.iter().filter(|r| r.state.is_answered()).count();
    let open = planned
        .iter()
        .filter(|e| !results.iter().any(|r| r.id == e.id))
        .map(|e| OpenCheck { id: e.id, name: e.name.words() })
        .collect();
    Block {
        id,
        title: id.title().words(),
        about: id.about().words(),
        state,
        sentence: score::sentence(state, &results),
        answered,
        planned: planned.len(),
        results,
        open,
    }
}
