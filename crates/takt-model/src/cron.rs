//! Cron expressions over civil time: five fields, lists, ranges, steps and names. Pure; knows no time zone.
//!
//! Ours because the crate for it (`croner`) brings another version of the date library or a second one, and decides
//! by itself what happens when clocks change (docs/adr/0010).

use jiff::civil::{Date, DateTime, Time};

/// Days until a moment that exists at all must have come: 29 February, over a century without leap day.
const DAYS_MAX: usize = 8 * 366 + 2;

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const SHORT: [(&str, &str); 5] = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
];

/// A cron expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cron {
    minutes: Set,
    hours: Set,
    days: Set,
    months: Set,
    /// Sunday is 0.
    weekdays: Set,
}

/// The values of one field, a bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Set {
    bits: u64,
    /// Whether it begins with `*`: then day and weekday must both fit, else one of them is enough, as in cron.
    star: bool,
}

impl Set {
    fn has(self, value: i8) -> bool {
        u32::try_from(value).is_ok_and(|v| self.bits & (1 << v) != 0)
    }
}

/// What a field may say.
struct Field {
    name: &'static str,
    least: u32,
    most: u32,
    names: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field { name: "minute", least: 0, most: 59, names: &[] },
    Field { name: "hour", least: 0, most: 23, names: &[] },
    Field { name: "day of the month", least: 1, most: 31, names: &[] },
    Field { name: "month", least: 1, most: 12, names: &MONTHS },
    Field { name: "weekday", least: 0, most: 7, names: &WEEKDAYS },
];

impl Cron {
    /// Reads an expression; says in a sentence what is wrong with it.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let long = SHORT.iter().find(|(short, _)| *short == text.trim()).map_or(text, |(_, long)| long);
        let parts: Vec<&str> = long.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = parts.as_slice() else {
            return Err("a schedule has five parts: minute, hour, day, month, weekday".to_owned());
        };
        let mut weekdays = FIELDS[4].read(weekday)?;
        // Sunday is 0 and 7.
        weekdays.bits = (weekdays.bits | weekdays.bits >> 7) & 0x7f;
        let cron = Self {
            minutes: FIELDS[0].read(minute)?,
            hours: FIELDS[1].read(hour)?,
            days: FIELDS[2].read(day)?,
            months: FIELDS[3].read(month)?,
            weekdays,
        };
        let any = DateTime::constant(2024, 1, 1, 0, 0, 0, 0);
        cron.next_after(any).map(|_| cron).ok_or_else(|| format!("\"{text}\" never comes"))
    }

    /// The next civil time after this one that fits.
    pub(crate) fn next_after(self, after: DateTime) -> Option<DateTime> {
        let mut date = after.date();
        let (mut hour, mut minute) = (after.hour(), after.minute() + 1);
        for _ in 0..DAYS_MAX {
            if self.fits(date)
                && let Some(time) = self.time_from(hour, minute)
            {
                return Some(date.to_datetime(time));
            }
            date = date.tomorrow().ok()?;
            (hour, minute) = (0, 0);
        }
        None
    }

    fn fits(self, date: Date) -> bool {
        let day = self.days.has(date.day());
        let weekday = self.weekdays.has(date.weekday().to_sunday_zero_offset());
        let either = if self.days.star || self.weekdays.star { day && weekday } else { day || weekday };
        self.months.has(date.month()) && either
    }

    /// The first time of a day that fits, not before this one (whose minute may be 60).
    fn time_from(self, hour: i8, minute: i8) -> Option<Time> {
        let first = |hour: i8, from: i8| {
            let minute = (from..60).find(|m| self.minutes.has(*m))?;
            Time::new(hour, minute, 0, 0).ok()
        };
        (hour..24).filter(|h| self.hours.has(*h)).find_map(|h| first(h, if h == hour { minute } else { 0 }))
    }
}

impl Field {
    fn read(&self, text: &str) -> Result<Set, String> {
        let mut set = Set { bits: 0, star: text.starts_with('*') };
        for part in text.split(',') {
            set.bits |= self.part(part).ok_or_else(|| {
                format!("the {} \"{part}\" is none ({} to {})", self.name, self.least, self.most)
            })?;
        }
        Ok(set)
    }

    /// `*`, `5`, `1-5`, `*/15`, `10-40/5`, `mon-fri`
    fn part(&self, part: &str) -> Option<u64> {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, step.parse::<u32>().ok().filter(|s| *s > 0)?),
            None => (part, 1),
        };
        let (from, to) = match range.split_once('-') {
            Some((from, to)) => (self.value(from)?, self.value(to)?),
            None if range == "*" => (self.least, self.most),
            None if part.contains('/') => (self.value(range)?, self.most),
            None => (self.value(range)?, self.value(range)?),
        };
        if from > to {
            return None;
        }
        Some((from..=to).step_by(usize::try_from(step).ok()?).fold(0, |bits, v| bits | 1 << v))
    }

    fn value(&self, text: &str) -> Option<u32> {
        let named = self.names.iter().position(|n| n.eq_ignore_ascii_case(text));
        let value = match named {
            Some(at) => self.least + u32::try_from(at).ok()?,
            None if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok()?,
            None => return None,
        };
        (self.least..=self.most).contains(&value).then_some(value)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn next(cron: &str, after: &str) -> String {
        let after: DateTime = after.parse().unwrap();
        Cron::read(cron).unwrap().next_after(after).map_or("never".to_owned(), |at| at.to_string())
    }

    #[test]
    fn the_next_time_is_found() {
        // 2026-11-23 is a Monday.
        for (cron, after, expected) in [
            ("0 6 * * *", "2026-11-23T05:59:59", "2026-11-23T06:00:00"),
            ("0 6 * * *", "2026-11-23T06:00:00", "2026-11-24T06:00:00"),
            ("*/15 * * * *", "2026-11-23T10:14:30", "2026-11-23T10:15:00"),
            ("59 23 31 12 *", "2026-11-23T00:00:00", "2026-12-31T23:59:00"),
            ("0 9-17/4 * * mon-fri", "2026-11-27T17:00:00", "2026-11-30T09:00:00"),
            ("30 8 1,15 * *", "2026-11-23T00:00:00", "2026-12-01T08:30:00"),
            ("0 0 29 2 *", "2026-11-23T00:00:00", "2028-02-29T00:00:00"),
            ("0 0 13 * fri", "2026-11-23T00:00:00", "2026-11-27T00:00:00"),
            ("0 0 */2 * fri", "2026-11-23T00:00:00", "2026-11-27T00:00:00"),
            ("0 0 * * 7", "2026-11-23T00:00:00", "2026-11-29T00:00:00"),
            ("5/20 0 * * *", "2026-11-23T00:05:00", "2026-11-23T00:25:00"),
            ("@weekly", "2026-11-23T00:00:00", "2026-11-29T00:00:00"),
        ] {
            assert_eq!(next(cron, after), expected, "{cron} after {after}");
        }
    }

    #[test]
    fn what_is_no_schedule_is_told() {
        for (cron, told) in [
            ("", "a schedule has five parts: minute, hour, day, month, weekday"),
            ("* * * *", "a schedule has five parts: minute, hour, day, month, weekday"),
            ("60 * * * *", "the minute \"60\" is none (0 to 59)"),
            ("* 24 * * *", "the hour \"24\" is none (0 to 23)"),
            ("* * 0 * *", "the day of the month \"0\" is none (1 to 31)"),
            ("* * * foo *", "the month \"foo\" is none (1 to 12)"),
            ("* * * * fri-mon", "the weekday \"fri-mon\" is none (0 to 7)"),
            ("*/0 * * * *", "the minute \"*/0\" is none (0 to 59)"),
            ("+5 * * * *", "the minute \"+5\" is none (0 to 59)"),
            ("0 0 31 2 *", "\"0 0 31 2 *\" never comes"),
        ] {
            assert_eq!(Cron::read(cron).unwrap_err(), told, "{cron}");
        }
    }
}
