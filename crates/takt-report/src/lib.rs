//! The judgement: facts collected once, checks as pure functions over them, and stories told in plain words.
//!
//! [`collect()`] reads what the instance knows about itself into an [`Evidence`]; [`judge`] turns that into a
//! [`Report`] with six lights; [`tell_story`] turns a story of the engine into sentences. Collecting is the only
//! part that reads anything; judging and telling are pure. Nothing is guessed: what cannot be measured is unknown,
//! and unknown is never green.

mod access;
mod audit;
mod blocks;
mod catalogue;
pub mod checks;
mod collect;
mod evidence;
pub mod format;
mod history;
mod looks;
mod report;
mod score;
mod story;
mod text;

pub use audit::{act_word, audit_line, subject_words};
pub use collect::{Rooms, collect, row_names};
pub use evidence::{
    Accounts, BackupDrillFact, BackupFacts, BackupPlace, ConnectionFact, Dependency, DoubleFact, DriftFact,
    Evidence, Fact, FrontFacts, LinkFact, OverdueFact, Parts, Passwords, ReconciledFact, StoreFacts, Suspect,
    SuspectReason, TableCount,
};
pub use report::{
    Answer, Ask, Block, BlockId, CheckResult, Effort, EvidenceClass, NextStep, OpenCheck, Report, RuleSet,
    State, Verdict, judge,
};
pub use story::background::{Background, Because, BecauseText, Follows, Version};
pub use story::delivery::{AttemptFact, AttemptText, DeliveryFacts, DeliveryText, tell_delivery};
pub use story::later::{Later, LaterText, Went};
pub use story::{
    Beside, ChangeText, Depth, FieldText, RowNames, StepText, StoryText, name_fields, tell_story,
    tell_story_naming, tell_story_with,
};
