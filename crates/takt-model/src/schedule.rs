//! When something is due, a job or a comparison: a cron expression in a time zone. Pure: moments in, moments out.
//!
//! Clocks that change: a time that does not exist is due at the next moment that does; a time that exists twice is
//! due the first time only.

use jiff::{
    Timestamp,
    civil::DateTime,
    tz::{AmbiguousOffset, TimeZone},
};

use crate::cron::Cron;

const HOUR: i64 = 3_600_000_000;
/// How far back the latest due moment is looked for, in growing steps: an hour first, so that a job of every minute
/// that has not run for a year is found as fast as one of every year.
const BACK: [i64; 5] = [HOUR, 24 * HOUR, 32 * 24 * HOUR, 367 * 24 * HOUR, 9 * 366 * 24 * HOUR];

/// From here on the longest pause is looked for: 2026-01-01.
const FROM: i64 = 1_767_225_600_000_000;
const MOST_PAUSES: usize = 3_000;

/// When something is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// As written: `0 6 * * *`.
    pub text: String,
    /// Name of the time zone: `Europe/Berlin`.
    pub time_zone: String,
    cron: Cron,
    zone: TimeZone,
}

impl Schedule {
    /// Reads a cron expression and the name of a time zone (from the database that is built in).
    ///
    /// # Errors
    /// What is wrong, in a sentence.
    pub fn read(text: &str, time_zone: &str) -> Result<Self, String> {
        let zone = TimeZone::get(time_zone).map_err(|_| format!("unknown time zone `{time_zone}`"))?;
        Ok(Self { text: text.to_owned(), time_zone: time_zone.to_owned(), cron: Cron::read(text)?, zone })
    }

    /// The next due moment after this one; both are microseconds since 1970 UTC.
    #[must_use]
    pub fn next_after(&self, moment: i64) -> Option<i64> {
        let after = Timestamp::from_microsecond(moment).ok()?;
        let mut civil = self.zone.to_datetime(after);
        loop {
            civil = self.cron.next_after(civil)?;
            // While an hour comes again, civil times ahead have been already.
            let at = self.moment(civil)?;
            if at > after {
                return Some(at.as_microsecond());
            }
        }
    }

    /// The latest due moment after `after` that has come at `until`.
    #[must_use]
    pub fn latest(&self, after: i64, until: i64) -> Option<i64> {
        for back in BACK {
            let from = after.max(until.saturating_sub(back));
            let mut latest = None;
            let mut next = self.next_after(from);
            while let Some(at) = next.filter(|at| *at <= until) {
                latest = Some(at);
                next = self.next_after(at);
            }
            if latest.is_some() || from == after {
                return latest;
            }
        }
        None
    }

    /// The longest pause between two due moments, seen from a fixed day on; microseconds. Of schedules with very many
    /// moments only the first thousands are looked at: those of some weeks at least.
    #[must_use]
    pub fn longest_pause(&self) -> Option<i64> {
        let mut at = self.next_after(FROM)?;
        let mut longest = 0;
        for _ in 0..MOST_PAUSES {
            let Some(next) = self.next_after(at) else { break };
            longest = longest.max(next - at);
            at = next;
        }
        (longest > 0).then_some(longest)
    }

    /// The moment at which clocks show this, or, if they never do, at which they jump over it.
    fn moment(&self, civil: DateTime) -> Option<Timestamp> {
        match self.zone.to_ambiguous_timestamp(civil).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(civil).ok(),
            AmbiguousOffset::Fold { before, .. } => before.to_timestamp(civil).ok(),
            AmbiguousOffset::Gap { after, .. } => {
                let too_early = after.to_timestamp(civil).ok()?;
                self.zone.following(too_early).next().map(|jump| jump.timestamp())
            }
        }
    }

    /// What tells this schedule from another, kept with its runs.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{} {}", self.text, self.time_zone)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn micros(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_microsecond()
    }

    fn told(moment: Option<i64>) -> String {
        moment.map_or("never".to_owned(), |m| Timestamp::from_microsecond(m).unwrap().to_string())
    }

    /// The next three moments in Berlin.
    fn next(cron: &str, after: &str) -> [String; 3] {
        let schedule = Schedule::read(cron, "Europe/Berlin").unwrap();
        let mut at = micros(after);
        [(); 3].map(|()| {
            let next = schedule.next_after(at);
            at = next.unwrap_or(at);
            told(next)
        })
    }

    #[test]
    fn a_time_that_does_not_exist_is_due_at_the_next_that_does() {
        // On 2027-03-28 clocks jump from 02:00 to 03:00, which is 01:00Z.
        assert_eq!(
            next("30 2 * * *", "2027-03-27T00:00:00Z"),
            ["2027-03-27T01:30:00Z", "2027-03-28T01:00:00Z", "2027-03-29T00:30:00Z"]
        );
        assert_eq!(
            next("*/30 * * * *", "2027-03-28T00:29:00Z"),
            ["2027-03-28T00:30:00Z", "2027-03-28T01:00:00Z", "2027-03-28T01:30:00Z"],
            "several that do not exist are one"
        );
    }

    #[test]
    fn a_time_that_exists_twice_is_due_once() {
        // On 2027-10-31 clocks go back from 03:00 to 02:00, which is 01:00Z.
        assert_eq!(
            next("30 2 * * *", "2027-10-30T20:00:00Z"),
            ["2027-10-31T00:30:00Z", "2027-11-01T01:30:00Z", "2027-11-02T01:30:00Z"]
        );
        assert_eq!(
            next("30 * * * *", "2027-10-30T23:00:00Z"),
            ["2027-10-30T23:30:00Z", "2027-10-31T00:30:00Z", "2027-10-31T02:30:00Z"]
        );
        assert_eq!(
            next("30 2 * * *", "2027-10-31T01:10:00Z")[0],
            "2027-11-01T01:30:00Z",
            "asked while the hour comes again"
        );
    }

    #[test]
    fn the_longest_pause_is_found() {
        let hours = |cron: &str| {
            let schedule = Schedule::read(cron, "Europe/Berlin").unwrap();
            schedule.longest_pause().map(|pause| pause / HOUR)
        };
        for (cron, expected) in [
            ("0 * * * *", Some(1)),
            // Once a year a day has 25 hours.
            ("30 3 * * *", Some(25)),
            ("0 8-18 * * 1-5", Some(63)),
            ("0 3 * * 0", Some(7 * 24 + 1)),
            ("0 3 1 * *", Some(31 * 24 + 1)),
        ] {
            assert_eq!(hours(cron), expected, "{cron}");
        }
    }

    #[test]
    fn of_those_that_were_missed_the_latest_counts() {
        let daily = Schedule::read("0 6 * * *", "UTC").unwrap();
        let from = micros("2026-11-01T06:00:00Z");
        let latest = |until: &str| told(daily.latest(from, micros(until)));
        assert_eq!(latest("2026-11-02T05:59:59Z"), "never");
        assert_eq!(latest("2026-11-02T06:00:00Z"), "2026-11-02T06:00:00Z");
        assert_eq!(latest("2026-11-20T07:00:00Z"), "2026-11-20T06:00:00Z");
        assert_eq!(latest("2030-01-01T00:00:00Z"), "2029-12-31T06:00:00Z");
        let each_minute = Schedule::read("* * * * *", "UTC").unwrap();
        assert_eq!(told(each_minute.latest(from, micros("2030-01-01T00:00:30Z"))), "2030-01-01T00:00:00Z");
        let leap = Schedule::read("0 0 29 2 *", "UTC").unwrap();
        assert_eq!(told(leap.latest(from, micros("2031-01-01T00:00:00Z"))), "2028-02-29T00:00:00Z");
    }

    #[test]
    fn an_unknown_zone_is_told() {
        assert_eq!(Schedule::read("0 6 * * *", "Berlin").unwrap_err(), "unknown time zone `Berlin`");
    }
}
