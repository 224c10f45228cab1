//! Dates, times and timestamps as text: what clients of PostgreSQL send, and what they get back.
//! Calendar arithmetic on whole microseconds; no time zone database, a time without a zone is UTC.

use jiff::civil::{Date, Time};

use super::write::padded;

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// The years 1 to 9999: what every client and every store can read.
const MOMENTS: std::ops::RangeInclusive<i64> = -62_135_596_800 * SECOND..=253_402_300_800 * SECOND - 1;

/// Why a text is no date or time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Not of the form at all.
    Syntax,
    /// A 30th of February, a 25th hour.
    Range,
    /// A zone more than 15:59:59 away from UTC.
    Zone,
}

pub(super) fn parse_date(text: &str) -> Result<Date, Fault> {
    let mut at = Cursor(text.trim());
    let date = at.date()?;
    if at.separator() {
        at.time()?;
        at.zone()?;
    }
    at.end()?;
    Ok(date)
}

/// A zone is read and ignored, as PostgreSQL does for `time`.
pub(super) fn parse_time(text: &str) -> Result<Time, Fault> {
    let mut at = Cursor(text.trim());
    let micros = at.time()?;
    at.zone()?;
    at.end()?;
    time_of(micros).ok_or(Fault::Range)
}

/// Microseconds since 1970-01-01T00:00:00Z.
pub(super) fn parse_timestamp(text: &str) -> Result<i64, Fault> {
    let mut at = Cursor(text.trim());
    let date = at.date()?;
    let (mut micros, mut offset) = (0, None);
    if at.separator() {
        micros = at.time()?;
        offset = at.zone()?;
    }
    at.end()?;
    let days = days_from_civil(i64::from(date.year()), i64::from(date.month()), i64::from(date.day()));
    let moment = days * DAY + micros - offset.unwrap_or(0) * SECOND;
    if MOMENTS.contains(&moment) { Ok(moment) } else { Err(Fault::Range) }
}

/// What is left to read.
struct Cursor<'a>(&'a str);

impl Cursor<'_> {
    fn take(&mut self, expected: char) -> bool {
        self.0.strip_prefix(expected).map(|rest| self.0 = rest).is_some()
    }

    /// Between `least` and `most` digits.
    fn number(&mut self, least: usize, most: usize) -> Result<i64, Fault> {
        let length = self.0.bytes().take(most).take_while(u8::is_ascii_digit).count();
        if length < least {
            return Err(Fault::Syntax);
        }
        let (digits, rest) = self.0.split_at(length);
        self.0 = rest;
        digits.parse().map_err(|_| Fault::Syntax)
    }

    fn date(&mut self) -> Result<Date, Fault> {
        let year = self.number(4, 6)?;
        let dash = self.take('-');
        let month = self.number(1, 2)?;
        if !dash || !self.take('-') {
            return Err(Fault::Syntax);
        }
        let day = self.number(1, 2)?;
        if year == 0 {
            return Err(Fault::Range);
        }
        let fit = |number: i64| i8::try_from(number).map_err(|_| Fault::Range);
        let year = i16::try_from(year).map_err(|_| Fault::Range)?;
        Date::new(year, fit(month)?, fit(day)?).map_err(|_| Fault::Range)
    }

    /// `T`, `t` or blanks, if a time follows.
    fn separator(&mut self) -> bool {
        if self.take('T') || self.take('t') {
            return true;
        }
        let rest = self.0.trim_start_matches(' ');
        let found = rest.len() < self.0.len();
        self.0 = rest;
        found
    }

    /// `HH:MM[:SS[.ffffff]]` in microseconds; a 60th second and 24:00 run over into the next minute and day.
    fn time(&mut self) -> Result<i64, Fault> {
        let hour = self.number(1, 2)?;
        if !self.take(':') {
            return Err(Fault::Syntax);
        }
        let minute = self.number(2, 2)?;
        let (mut second, mut fraction) = (0, 0);
        if self.take(':') {
            second = self.number(2, 2)?;
            if self.take('.') || self.take(',') {
                fraction = self.fraction()?;
            }
        }
        let micros = ((hour * 60 + minute) * 60 + second) * SECOND + fraction;
        let fits = hour <= 24 && minute <= 59 && second <= 60 && micros <= DAY;
        if fits { Ok(micros) } else { Err(Fault::Range) }
    }

    /// Digits after the point, rounded to microseconds.
    fn fraction(&mut self) -> Result<i64, Fault> {
        let digits = self.0.bytes().take_while(u8::is_ascii_digit).count();
        let (fraction, rest) = self.0.split_at(digits);
        self.0 = rest;
        if digits == 0 {
            return Err(Fault::Syntax);
        }
        let digit = |at: usize| fraction.as_bytes().get(at).map_or(0, |b| i64::from(b - b'0'));
        let micros = (0..6).fold(0, |sum, at| sum * 10 + digit(at));
        Ok(micros + i64::from(digit(6) >= 5))
    }

    /// Seconds east of UTC, if a zone is written: `Z`, `UTC`, `+02`, `-0330`, `+05:30`, `+05:30:10`.
    fn zone(&mut self) -> Result<Option<i64>, Fault> {
        self.0 = self.0.trim_start_matches(' ');
        let zulu = ["UTC", "GMT", "Z"]
            .iter()
            .find(|z| self.0.get(..z.len()).is_some_and(|start| start.eq_ignore_ascii_case(z)));
        if let Some(zulu) = zulu {
            self.0 = &self.0[zulu.len()..];
            return Ok(Some(0));
        }
        let sign = if self.take('+') {
            1
        } else if self.take('-') {
            -1
        } else {
            return Ok(None);
        };
        let hours = self.number(1, 2)?;
        let mut seconds = hours * 3600;
        if self.take(':') {
            seconds += self.number(2, 2)? * 60;
            if self.take(':') {
                seconds += self.number(2, 2)?;
            }
        } else if !self.0.is_empty() {
            seconds += self.number(2, 2)? * 60;
        }
        if hours > 15 {
            return Err(Fault::Zone);
        }
        Ok(Some(sign * seconds))
    }

    fn end(&self) -> Result<(), Fault> {
        if self.0.trim().is_empty() { Ok(()) } else { Err(Fault::Syntax) }
    }
}

fn time_of(micros: i64) -> Option<Time> {
    let seconds = micros / SECOND;
    let part = |number: i64| i8::try_from(number).ok();
    let nanos = i32::try_from(micros % SECOND * 1000).ok()?;
    Time::new(part(seconds / 3600)?, part(seconds / 60 % 60)?, part(seconds % 60)?, nanos).ok()
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar. March is the first month of the
/// reckoning, so that the leap day comes last.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The way back: year, month, day.
fn civil_from_days(days: i64) -> (i64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_shifted + 2) / 5 + 1;
    let month = if month_shifted < 10 { month_shifted + 3 } else { month_shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month.unsigned_abs(), day.unsigned_abs())
}

fn write_day(year: i64, month: u64, day: u64, out: &mut Vec<u8>) {
    // PostgreSQL counts years before our era from 1 and marks them at the end.
    padded((if year > 0 { year } else { 1 - year }).unsigned_abs(), 4, out);
    out.push(b'-');
    padded(month, 2, out);
    out.push(b'-');
    padded(day, 2, out);
}

fn write_clock(micros: i64, out: &mut Vec<u8>) {
    let seconds = (micros / SECOND).unsigned_abs();
    padded(seconds / 3600, 2, out);
    out.push(b':');
    padded(seconds / 60 % 60, 2, out);
    out.push(b':');
    padded(seconds % 60, 2, out);
    let fraction = (micros % SECOND).unsigned_abs();
    if fraction > 0 {
        out.push(b'.');
        padded(fraction, 6, out);
        while out.last() == Some(&b'0') {
            out.pop();
        }
    }
}

pub(super) fn write_date(date: Date, out: &mut Vec<u8>) {
    let year = i64::from(date.year());
    write_day(year, u64::from(date.month().unsigned_abs()), u64::from(date.day().unsigned_abs()), out);
    if year <= 0 {
        out.extend_from_slice(b" BC");
    }
}

pub(super) fn write_time(time: Time, out: &mut Vec<u8>) {
    let seconds = (i64::from(time.hour()) * 60 + i64::from(time.minute())) * 60 + i64::from(time.second());
    write_clock(seconds * SECOND + i64::from(time.subsec_nanosecond() / 1000), out);
}

pub(super) fn write_timestamp(micros: i64, out: &mut Vec<u8>) {
    let (year, month, day) = civil_from_days(micros.div_euclid(DAY));
    write_day(year, month, day, out);
    out.push(b'T');
    write_clock(micros.rem_euclid(DAY), out);
    out.extend_from_slice(b"+00:00");
    if year <= 0 {
        out.extend_from_slice(b" BC");
    }
}
