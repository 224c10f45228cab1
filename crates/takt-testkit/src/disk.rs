//! A disk as a power cut leaves it: everything up to the last sync of a file, and of the rest a random part.
//! Pure: it is told what was done and says what would be there. Not here: the file system that tells it.
//!
//! After a sync of a file its bytes, its length and its name are safe. Of what came later each write is kept, lost or
//! torn at sector boundaries, each independently of the others, so writes also reach the disk in any order.

use std::collections::BTreeMap;

/// What a disk writes in one piece.
pub const SECTOR: u64 = 512;

/// Something that was done to a file.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    Create { file: String },
    Write { file: String, offset: u64, bytes: Vec<u8> },
    Truncate { file: String, length: u64 },
    Sync { file: String },
    Delete { file: String, directory_synced: bool },
}

/// The story of a disk.
#[derive(Debug, Default)]
pub struct Disk {
    events: Vec<Event>,
}

/// A file while the story is told.
#[derive(Debug, Default, Clone)]
struct File<'d> {
    /// Whether the name is in the directory for good.
    named: bool,
    safe: Vec<u8>,
    pending: Vec<Pending<'d>>,
}

#[derive(Debug, Clone, Copy)]
enum Pending<'d> {
    Write { offset: u64, bytes: &'d [u8] },
    Truncate(u64),
    Delete,
}

impl Disk {
    pub(crate) fn note(&mut self, event: Event) {
        self.events.push(event);
    }

    /// How much has been done so far: a moment for [`Disk::power_cut`].
    #[must_use]
    pub fn moment(&self) -> usize {
        self.events.len()
    }

    /// The files, by name, as they are found when the power is cut at `moment`; `seed` decides what survives of the
    /// writes that were not synced.
    #[must_use]
    pub fn power_cut(&self, moment: usize, seed: u64) -> BTreeMap<String, Vec<u8>> {
        let mut files: BTreeMap<&str, File<'_>> = BTreeMap::new();
        for event in self.events.iter().take(moment) {
            happen(&mut files, event);
        }
        let mut chance = Chance(seed);
        files
            .into_iter()
            .filter_map(|(name, file)| Some((name.to_owned(), file.survive(&mut chance)?)))
            .collect()
    }
}

fn happen<'d>(files: &mut BTreeMap<&'d str, File<'d>>, event: &'d Event) {
    match event {
        Event::Create { file } => {
            files.entry(file).or_default();
        }
        Event::Write { file, offset, bytes } => {
            let pending = Pending::Write { offset: *offset, bytes };
            files.entry(file).or_default().pending.push(pending);
        }
        Event::Truncate { file, length } => {
            files.entry(file).or_default().pending.push(Pending::Truncate(*length));
        }
        Event::Sync { file } => {
            let file = files.entry(file).or_default();
            file.named = true;
            for done in std::mem::take(&mut file.pending) {
                apply(&mut file.safe, &done);
            }
        }
        Event::Delete { file, directory_synced: true } => {
            files.remove(file.as_str());
        }
        Event::Delete { file, directory_synced: false } => {
            if let Some(file) = files.get_mut(file.as_str()) {
                file.pending.push(Pending::Delete);
            }
        }
    }
}

impl File<'_> {
    /// What is found of the file; `None` if not even its name.
    fn survive(mut self, chance: &mut Chance) -> Option<Vec<u8>> {
        if !self.named && chance.one_in(2) {
            return None;
        }
        for done in &self.pending {
            match (chance.below(3), done) {
                (0, _) => {}
                (1, Pending::Delete) => return None,
                (2, Pending::Write { offset, bytes }) => tear(&mut self.safe, *offset, bytes, chance),
                _ => apply(&mut self.safe, done),
            }
        }
        Some(self.safe)
    }
}

fn apply(safe: &mut Vec<u8>, done: &Pending<'_>) {
    match done {
        Pending::Write { offset, bytes } => put(safe, *offset, bytes),
        Pending::Truncate(length) => safe.resize(position(*length), 0),
        // Whoever writes on has the file again.
        Pending::Delete => safe.clear(),
    }
}

fn put(safe: &mut Vec<u8>, offset: u64, bytes: &[u8]) {
    let from = position(offset);
    if safe.len() < from + bytes.len() {
        safe.resize(from + bytes.len(), 0);
    }
    safe[from..from + bytes.len()].copy_from_slice(bytes);
}

/// Keeps some sectors of a write. The length may have reached the disk before the bytes: lost sectors at the end
/// are zeros then.
fn tear(safe: &mut Vec<u8>, offset: u64, bytes: &[u8], chance: &mut Chance) {
    let mut at = 0;
    while at < bytes.len() {
        let here = offset + at as u64;
        let to_boundary = position(SECTOR - here % SECTOR);
        let end = bytes.len().min(at + to_boundary);
        if chance.one_in(2) {
            put(safe, here, &bytes[at..end]);
        }
        at = end;
    }
}

fn position(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

/// A small seeded source of chance (xorshift over a mixed seed).
#[derive(Debug)]
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(offset: u64, byte: u8, length: usize) -> Event {
        Event::Write { file: "f".to_owned(), offset, bytes: vec![byte; length] }
    }

    fn sync() -> Event {
        Event::Sync { file: "f".to_owned() }
    }

    fn disk(events: Vec<Event>) -> Disk {
        Disk { events }
    }

    #[test]
    fn what_was_synced_is_always_there() {
        let disk = disk(vec![write(0, 1, 2_000), sync(), write(0, 2, 2_000)]);
        for seed in 0..50 {
            assert_eq!(disk.power_cut(2, seed).get("f"), Some(&vec![1; 2_000]));
        }
    }

    #[test]
    fn what_was_not_synced_is_kept_lost_or_torn() {
        let disk = disk(vec![write(0, 1, 2_000), sync(), write(100, 2, 1_900)]);
        let (mut kept, mut lost, mut torn) = (0, 0, 0);
        for seed in 0..200 {
            let files = disk.power_cut(3, seed);
            let found = files.get("f").map(Vec::as_slice).unwrap_or_default();
            assert!(found[..100].iter().all(|b| *b == 1), "bytes beside the write are untouched");
            match found[100..].iter().filter(|b| **b == 2).count() {
                0 => lost += 1,
                1_900 => kept += 1,
                _ => torn += 1,
            }
        }
        assert!(kept > 20 && lost > 20 && torn > 20, "{kept} kept, {lost} lost, {torn} torn");
    }

    #[test]
    fn a_file_that_was_never_synced_may_not_exist() {
        let disk = disk(vec![Event::Create { file: "f".to_owned() }, write(0, 1, 10)]);
        let found = (0..100).filter(|seed| disk.power_cut(2, *seed).contains_key("f")).count();
        assert!(found > 20 && found < 80, "{found}");
    }

    #[test]
    fn a_deletion_counts_once_the_directory_is_synced() {
        let delete = |directory_synced| Event::Delete { file: "f".to_owned(), directory_synced };
        let safe = disk(vec![write(0, 1, 10), sync(), delete(true)]);
        assert!((0..20).all(|seed| safe.power_cut(3, seed).is_empty()));
        let unsafe_one = disk(vec![write(0, 1, 10), sync(), delete(false)]);
        let gone = (0..100).filter(|seed| unsafe_one.power_cut(3, *seed).is_empty()).count();
        assert!(gone > 10 && gone < 90, "{gone}");
    }
}
