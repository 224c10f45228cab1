//! Takes typed values out of the merged entries, checks their range, and notes what was taken from where.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::layers::{Entries, Entry, Raw};
use super::{LogFormat, Origin, units};
use crate::read::{Problems, Spotted, did_you_mean_or_list};

/// What one value of a setting can be.
type Taken<T> = Result<T, String>;

pub(super) struct Take<'t> {
    entries: Entries,
    problems: &'t mut Problems,
    sources: Vec<(String, crate::Source)>,
    /// Key, text and origin of everything taken.
    pub(super) origins: Vec<(String, String, Origin)>,
}

impl<'t> Take<'t> {
    pub(super) fn new(entries: Entries, problems: &'t mut Problems) -> Self {
        Self { entries, problems, sources: Vec::new(), origins: Vec::new() }
    }

    /// Keys that nobody took; empty unless the default file has more than the struct.
    pub(super) fn left_over(&self) -> Vec<&str> {
        self.entries.keys().map(String::as_str).collect()
    }

    /// Everything under `prefix.`.
    pub(super) fn below(&mut self, prefix: &str) -> Vec<(String, Entry)> {
        self.entries.shift_remove(prefix);
        let begins = |key: &String| key.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('.'));
        let keys: Vec<String> = self.entries.keys().filter(|k| begins(k)).cloned().collect();
        keys.into_iter()
            .filter_map(|key| {
                let entry = self.entries.shift_remove(&key)?;
                self.note(&key, &entry);
                Some((key[prefix.len() + 1..].to_owned(), entry))
            })
            .collect()
    }

    /// As [`Take::below`], if `prefix` was written as a table.
    pub(super) fn below_or_none(&mut self, prefix: &str) -> Option<Vec<(String, Entry)>> {
        let begins = |key: &String| key.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('.'));
        if self.entries.keys().any(begins) { Some(self.below(prefix)) } else { None }
    }

    /// Where the value that was taken for `key` stands.
    pub(super) fn source_of(&self, key: &str) -> crate::Source {
        self.sources
            .iter()
            .find(|(taken, _)| taken == key)
            .map(|(_, source)| source.clone())
            .unwrap_or_default()
    }

    pub(super) fn problem(&mut self, source: &crate::Source, message: String, help: Option<String>) {
        self.problems.error(source, message, help);
    }

    pub(super) fn problems(&mut self) -> &mut Problems {
        self.problems
    }

    fn note(&mut self, key: &str, entry: &Entry) {
        self.origins.push((key.to_owned(), Spotted::from(entry).value, entry.origin));
    }

    /// A value that does not fit is reported; the struct then holds the type's empty value.
    fn take<T: Default>(&mut self, key: &str, read: impl FnOnce(&Raw) -> Taken<T>) -> T {
        let Some(entry) = self.entries.shift_remove(key) else {
            let source = crate::Source { file: "takt.default.toml".to_owned(), line: 1 };
            self.problems.error(&source, format!("the default for `{key}` is missing"), None);
            return T::default();
        };
        self.note(key, &entry);
        self.sources.push((key.to_owned(), entry.source.clone()));
        read(&entry.raw).unwrap_or_else(|expected| {
            let value = Spotted::from(&entry).value;
            self.problems.error(&entry.source, format!("`{key}` must be {expected}, not `{value}`"), None);
            T::default()
        })
    }

    pub(super) fn text(&mut self, key: &str, expected: &str, fits: impl Fn(&str) -> bool) -> String {
        self.take(key, |raw| match raw {
            Raw::Text(text) | Raw::Untyped(text) if fits(text) => Ok(text.clone()),
            _ => Err(expected.to_owned()),
        })
    }

    pub(super) fn texts(&mut self, key: &str, expected: &str, fits: impl Fn(&str) -> bool) -> Vec<String> {
        self.take(key, |raw| {
            let list = match raw {
                Raw::List(list) => list.clone(),
                Raw::Untyped(text) => text
                    .split(',')
                    .map(|item| item.trim().to_owned())
                    .filter(|item| !item.is_empty())
                    .collect(),
                _ => return Err(expected.to_owned()),
            };
            if list.iter().all(|item| fits(item)) { Ok(list) } else { Err(expected.to_owned()) }
        })
    }

    pub(super) fn flag(&mut self, key: &str) -> bool {
        self.take(key, |raw| match raw {
            Raw::Flag(value) => Ok(*value),
            Raw::Untyped(text) => match text.trim() {
                "true" | "1" | "yes" | "on" => Ok(true),
                "false" | "0" | "no" | "off" => Ok(false),
                _ => Err("true or false".to_owned()),
            },
            _ => Err("true or false".to_owned()),
        })
    }

    pub(super) fn number<T: TryFrom<u64> + Default>(&mut self, key: &str, range: RangeInclusive<u64>) -> T {
        self.take(key, |raw| {
            let number = match raw {
                Raw::Whole(number) => u64::try_from(*number).ok(),
                Raw::Untyped(text) => text.trim().parse().ok(),
                _ => None,
            };
            number
                .filter(|n| range.contains(n))
                .and_then(|n| T::try_from(n).ok())
                .ok_or_else(|| format!("a whole number from {} to {}", range.start(), range.end()))
        })
    }

    pub(super) fn bytes<T: TryFrom<u64> + Default>(&mut self, key: &str, range: RangeInclusive<u64>) -> T {
        self.take(key, |raw| {
            let size = match raw {
                Raw::Whole(number) => u64::try_from(*number).ok(),
                Raw::Text(text) | Raw::Untyped(text) => units::bytes(text),
                _ => None,
            };
            size.filter(|n| range.contains(n)).and_then(|n| T::try_from(n).ok()).ok_or_else(|| {
                format!("a size like \"10MB\", from {} to {} bytes", range.start(), range.end())
            })
        })
    }

    pub(super) fn duration(&mut self, key: &str, range: RangeInclusive<Duration>) -> Duration {
        self.take(key, |raw| {
            let duration = match raw {
                Raw::Text(text) | Raw::Untyped(text) => units::duration(text),
                _ => None,
            };
            duration.filter(|d| range.contains(d)).ok_or_else(|| {
                let ends = [range.start(), range.end()].map(|d| units::duration_text(*d));
                format!("a duration like \"5s\", from {} to {}", ends[0], ends[1])
            })
        })
    }

    pub(super) fn log_format(&mut self, key: &str) -> Option<LogFormat> {
        self.take(key, |raw| match raw {
            Raw::Text(text) | Raw::Untyped(text) => match text.as_str() {
                "text" => Ok(Some(LogFormat::Text)),
                "json" => Ok(Some(LogFormat::Json)),
                "auto" => Ok(None),
                other => {
                    let help = did_you_mean_or_list(other, ["text", "json", "auto"]).unwrap_or_default();
                    Err(format!("\"text\", \"json\" or \"auto\" ({help})"))
                }
            },
            _ => Err("\"text\", \"json\" or \"auto\"".to_owned()),
        })
    }
}

/// `127.0.0.1:8000`, `[::1]:80`, `localhost:8000`
pub(super) fn is_listen_address(text: &str) -> bool {
    if text.parse::<std::net::SocketAddr>().is_ok() {
        return true;
    }
    text.rsplit_once(':').is_some_and(|(host, port)| {
        let named = host.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
        // Digits and points alone are a mistyped address, not a name.
        let letters = host.bytes().any(|b| b.is_ascii_alphabetic());
        named && letters && port.parse::<u16>().is_ok()
    })
}

/// `https://shop.example`, without a path.
pub(super) fn is_origin(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    host.is_some_and(|host| !host.is_empty() && !host.contains(['/', ' ', '?', '#']))
}

/// As an origin, but with a path if wanted.
pub(super) fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/') && !rest.contains([' ', '?', '#']))
}

/// `10.0.0.1` or `10.0.0.0/8`
pub(super) fn is_network(text: &str) -> bool {
    let (address, bits) = text.split_once('/').map_or((text, None), |(a, b)| (a, Some(b)));
    let Ok(address) = address.parse::<IpAddr>() else { return false };
    let most: u8 = if address.is_ipv4() { 32 } else { 128 };
    bits.is_none_or(|bits| bits.parse::<u8>().is_ok_and(|bits| bits <= most))
}

/// `UTC`, `Europe/Berlin`: the form only; whether there is such a zone, the check of the project says.
pub(super) fn is_time_zone(text: &str) -> bool {
    let is_word = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-' | b'+');
    text.len() <= 64 && text.split('/').all(|part| !part.is_empty() && part.bytes().all(is_word))
}

/// `de`, `gsw`, `pt-BR`
pub(super) fn is_language(text: &str) -> bool {
    let (language, region) = text.split_once('-').map_or((text, None), |(l, r)| (l, Some(r)));
    let lower = (2..=3).contains(&language.len()) && language.bytes().all(|b| b.is_ascii_lowercase());
    lower && region.is_none_or(|r| r.len() == 2 && r.bytes().all(|b| b.is_ascii_uppercase()))
}
