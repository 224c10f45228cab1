//! Which backups may go. Pure.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

/// How many are kept: the newest of each of the last so many hours, days, weeks and months that have one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Keep {
    /// Hours.
    pub hourly: u32,
    /// Days.
    pub daily: u32,
    /// Weeks, from Monday.
    pub weekly: u32,
    /// Months.
    pub monthly: u32,
}

/// An hour, day, week or month.
type Period = (String, i64, i32);

/// How many are kept, one of each period of this name.
type Rhythm = (u32, fn(&Moment) -> Period);

struct Moment {
    at: i64,
    there: DateTime,
    offset: i32,
}

/// The ids of those that may go. `all` are ids and moments (microseconds since 1970 UTC); hours and days are those of
/// `time_zone` (UTC if there is no such zone). The newest is always kept.
#[must_use]
pub fn to_forget(all: &[(String, i64)], keep: Keep, time_zone: &str) -> Vec<String> {
    let zone = TimeZone::get(time_zone).unwrap_or(TimeZone::UTC);
    let mut newest_first: Vec<(&str, Moment)> = all
        .iter()
        .filter_map(|(id, at)| {
            let there = Timestamp::from_microsecond(*at).ok()?;
            let offset = zone.to_offset(there).seconds();
            Some((id.as_str(), Moment { at: *at, there: zone.to_datetime(there), offset }))
        })
        .collect();
    newest_first.sort_by_key(|(_, moment)| std::cmp::Reverse(moment.at));
    let mut kept: Vec<&str> = newest_first.first().map(|(id, _)| *id).into_iter().collect();
    let periods: [Rhythm; 4] = [
        // The hour that comes twice when clocks are set back is two.
        (keep.hourly, |m| (m.there.date().to_string(), i64::from(m.there.hour()), m.offset)),
        (keep.daily, |m| (m.there.date().to_string(), 0, 0)),
        (keep.weekly, |m| {
            let week = m.there.date().iso_week_date();
            (String::new(), i64::from(week.year()), i32::from(week.week()))
        }),
        (keep.monthly, |m| (String::new(), i64::from(m.there.year()), i32::from(m.there.month()))),
    ];
    for (most, name) in periods {
        let mut seen = Vec::new();
        for (id, at) in &newest_first {
            let period = name(at);
            if seen.last() == Some(&period) {
                continue;
            }
            if seen.len() >= most as usize {
                break;
            }
            seen.push(period);
            kept.push(id);
        }
    }
    newest_first.iter().map(|(id, _)| *id).filter(|id| !kept.contains(id)).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    const HOUR: i64 = 3_600_000_000;

    /// Every three hours, `count` of them, the last on Friday, 27 November 2026, 02:30 UTC; ids tell the moment.
    fn every_three_hours(count: i64) -> Vec<(String, i64)> {
        let last: Timestamp = "2026-11-27T02:30:00Z".parse().unwrap();
        (0..count)
            .map(|n| {
                let at = last.as_microsecond() - n * 3 * HOUR;
                (Timestamp::from_microsecond(at).unwrap().strftime("%m-%d %H").to_string(), at)
            })
            .collect()
    }

    fn kept(keep: Keep, zone: &str) -> Vec<String> {
        let all = every_three_hours(24 * 8);
        let gone = to_forget(&all, keep, zone);
        all.into_iter().map(|(id, _)| id).filter(|id| !gone.contains(id)).collect()
    }

    #[test]
    fn the_newest_of_each_period_is_kept() {
        let none = Keep::default();
        for (keep, expected) in [
            (none, vec!["11-27 02"]),
            (Keep { hourly: 3, ..none }, vec!["11-27 02", "11-26 23", "11-26 20"]),
            (Keep { daily: 3, ..none }, vec!["11-27 02", "11-26 23", "11-25 23"]),
            (Keep { weekly: 3, ..none }, vec!["11-27 02", "11-22 23", "11-15 23"]),
            (Keep { monthly: 12, ..none }, vec!["11-27 02"]),
            (
                Keep { hourly: 2, daily: 3, weekly: 2, monthly: 9 },
                vec!["11-27 02", "11-26 23", "11-25 23", "11-22 23"],
            ),
        ] {
            assert_eq!(kept(keep, "UTC"), expected, "{keep:?}");
        }
    }

    #[test]
    fn days_are_those_of_the_project() {
        // 02:30 UTC is still the day before in New York.
        let daily = Keep { daily: 2, ..Keep::default() };
        assert_eq!(kept(daily, "America/New_York"), ["11-27 02", "11-26 02"]);
        assert_eq!(kept(daily, "Nowhere/Atall"), ["11-27 02", "11-26 23"]);
    }

    #[test]
    fn nothing_is_forgotten_as_long_as_there_are_few() {
        let keep = Keep { hourly: 24, daily: 14, weekly: 8, monthly: 12 };
        assert!(to_forget(&every_three_hours(24), keep, "UTC").is_empty());
        assert!(to_forget(&[], keep, "UTC").is_empty());
    }
}
