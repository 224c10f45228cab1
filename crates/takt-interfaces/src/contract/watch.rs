//! What is remembered between messages: the compiled contracts of now, which samples were kept lately, and how often
//! harmless differences were seen since they were written down last. A write for each message would cost more than the
//! message.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use parking_lot::{Mutex, RwLock};

use super::{Contracts, Direction, DriftKind, Finding, Place, schema::Schema};

/// How often a sample of good messages is renewed: microseconds.
const SAMPLE_EVERY: i64 = 86_400_000_000;
/// How often a harmless difference is written down: microseconds.
const NOTE_EVERY: i64 = 60_000_000;
/// Harmless differences that are remembered; partners may name fields as they like.
const MOST_NOTES: usize = 4_000;

/// See the file's head.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    contracts: RwLock<Arc<Contracts>>,
    /// Whether contracts have come since somebody asked.
    changed: AtomicBool,
    samples: Mutex<HashMap<SampleKey, (String, i64)>>,
    notes: Mutex<HashMap<NoteKey, Note>>,
}

type SampleKey = (String, String, String, Direction);
type NoteKey = (SampleKey, String, DriftKind);

#[derive(Debug, Default)]
struct Note {
    written_at: Option<i64>,
    pending: i64,
}

fn key(place: Place<'_>, direction: Direction) -> SampleKey {
    (place.connection.to_owned(), place.operation.to_owned(), place.step.to_owned(), direction)
}

impl Watch {
    pub(crate) fn contracts(&self) -> Arc<Contracts> {
        Arc::clone(&self.contracts.read())
    }

    pub(crate) fn use_contracts(&self, contracts: Contracts) {
        *self.contracts.write() = Arc::new(contracts);
        self.changed.store(true, Ordering::Release);
    }

    /// Whether contracts have come since this was asked last.
    pub(crate) fn has_changed(&self) -> bool {
        self.changed.swap(false, Ordering::AcqRel)
    }

    /// Whoever was told so could not do what follows from it.
    pub(crate) fn look_again(&self) {
        self.changed.store(true, Ordering::Release);
    }

    /// Whether a sample of a good message is wanted now; who is told so keeps it.
    pub(super) fn wants_sample(
        &self,
        place: Place<'_>,
        direction: Direction,
        schema: &Schema,
        now: i64,
    ) -> bool {
        let mut samples = self.samples.lock();
        let key = key(place, direction);
        let has = samples.get(&key).is_some_and(|(print, at)| {
            print == schema.fingerprint() && now < at.saturating_add(SAMPLE_EVERY)
        });
        if !has {
            samples.insert(key, (schema.fingerprint().to_owned(), now));
        }
        !has
    }

    /// The findings that are to be written down now: all that break something, of the others one a minute.
    pub(super) fn due(&self, place: Place<'_>, findings: Vec<Finding>, now: i64) -> Vec<Finding> {
        let mut notes = self.notes.lock();
        let mut due = Vec::new();
        for mut finding in findings {
            if finding.breaking {
                due.push(finding);
                continue;
            }
            let key = (key(place, finding.direction), finding.path.clone(), finding.kind);
            if notes.len() >= MOST_NOTES && !notes.contains_key(&key) {
                continue;
            }
            let note = notes.entry(key).or_default();
            note.pending += finding.times;
            if note.written_at.is_none_or(|at| now >= at.saturating_add(NOTE_EVERY)) {
                note.written_at = Some(now);
                finding.times = std::mem::take(&mut note.pending);
                due.push(finding);
            }
        }
        due
    }
}
