//! How careful the writer is: savepoints for each job, or none as long as hardly anything fails.
//!
//! A savepoint copies every page that its job changes, so that it can put them back; a "Buy now" copies some twenty. A
//! group without savepoints must run again from its beginning when one of its jobs fails after it has written. So after
//! such a failure the writer takes savepoints for a while, and each time that it was too hopeful again, for longer.

use super::session::Undoing;

/// Jobs with savepoints after the first failure.
const SHORTEST: usize = 64;
/// At most so many, however often it was too hopeful: a third of a second of "Buy now".
const LONGEST: usize = 1 << 14;

/// Remembers what failed lately.
#[derive(Debug, Default)]
pub(super) struct Care {
    /// Jobs that still get savepoints.
    left: usize,
    /// How many get them after the next failure; 0 for the shortest time.
    next: usize,
    /// Jobs without savepoints since the last failure.
    well: usize,
}

impl Care {
    /// How the next group undoes what fails.
    pub(super) fn undoing(&self) -> Undoing {
        if self.left == 0 { Undoing::AsAWhole } else { Undoing::InPart }
    }

    /// So many jobs were run, and the group did not have to run again; or it has by now.
    pub(super) fn went_well(&mut self, jobs: usize) {
        if self.left > 0 {
            self.left = self.left.saturating_sub(jobs);
            return;
        }
        self.well = self.well.saturating_add(jobs);
        if self.well > 4 * self.next {
            self.next = 0;
        }
    }

    /// A group without savepoints had to be rolled back.
    pub(super) fn gave_up(&mut self) {
        self.left = self.next.max(SHORTEST);
        self.next = (2 * self.left).min(LONGEST);
        self.well = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_makes_it_careful_for_a_while_and_another_for_longer() {
        let mut care = Care::default();
        assert_eq!(care.undoing(), Undoing::AsAWhole);
        let mut lasted = Vec::new();
        for _ in 0..12 {
            care.gave_up();
            let mut jobs = 0;
            while care.undoing() == Undoing::InPart {
                care.went_well(1);
                jobs += 1;
            }
            lasted.push(jobs);
        }
        assert_eq!(lasted[..3], [64, 128, 256]);
        assert_eq!(lasted[11], LONGEST);
    }

    #[test]
    fn a_long_time_without_failures_makes_it_hopeful_again() {
        let mut care = Care::default();
        care.gave_up();
        care.went_well(64);
        care.went_well(4 * 128 + 1);
        care.gave_up();
        care.went_well(64);
        assert_eq!(care.undoing(), Undoing::AsAWhole, "as short as the first time");
    }
}
