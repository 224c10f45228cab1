//! `Prefer` and `Preference-Applied`.

use crate::RestError;

/// What the caller prefers, as far as the dialect knows it. The first word on each subject counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Prefer {
    pub(crate) returns: Option<Returns>,
    /// `count=exact`; `planned` and `estimated` are served as exact.
    pub(crate) count: bool,
    pub(crate) resolution: Option<Resolution>,
    pub(crate) missing: Option<MissingWord>,
    pub(crate) handling: Option<Handling>,
    pub(crate) commit: bool,
    max_affected: Option<u64>,
}

/// `return=`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Returns {
    Minimal,
    HeadersOnly,
    Representation,
}

/// `resolution=`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resolution {
    Merge,
    Ignore,
}

/// `missing=`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MissingWord {
    Default,
    Null,
}

/// `handling=`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handling {
    Strict,
    Lenient,
}

/// Which preferences an answer may name as honoured.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Honoured {
    pub(crate) returns: bool,
    pub(crate) resolution: bool,
    pub(crate) missing: bool,
    pub(crate) max_affected: bool,
}

impl Prefer {
    pub(crate) fn parse(header: Option<&str>) -> Result<Self, RestError> {
        let mut prefer = Self::default();
        let mut unknown = Vec::new();
        for word in header.unwrap_or_default().split(',').map(str::trim).filter(|w| !w.is_empty()) {
            if !prefer.take(word)? {
                unknown.push(word);
            }
        }
        if prefer.is_strict() && !unknown.is_empty() {
            let message = "Invalid preferences given with handling=strict";
            let details = format!("Invalid preferences: {}", unknown.join(", "));
            return Err(RestError::new("PGRST122", message).details(details));
        }
        Ok(prefer)
    }

    /// Only strict handling makes the limit count, as in PostgREST.
    pub(crate) fn max_affected(&self) -> Option<u64> {
        self.max_affected.filter(|_| self.is_strict())
    }

    pub(crate) fn is_strict(&self) -> bool {
        self.handling == Some(Handling::Strict)
    }

    /// Whether the word is known.
    fn take(&mut self, word: &str) -> Result<bool, RestError> {
        fn first<T>(slot: &mut Option<T>, value: T) {
            slot.get_or_insert(value);
        }
        match word {
            "return=minimal" => first(&mut self.returns, Returns::Minimal),
            "return=headers-only" => first(&mut self.returns, Returns::HeadersOnly),
            "return=representation" => first(&mut self.returns, Returns::Representation),
            "count=exact" | "count=planned" | "count=estimated" => self.count = true,
            "resolution=merge-duplicates" => first(&mut self.resolution, Resolution::Merge),
            "resolution=ignore-duplicates" => first(&mut self.resolution, Resolution::Ignore),
            "missing=default" => first(&mut self.missing, MissingWord::Default),
            "missing=null" => first(&mut self.missing, MissingWord::Null),
            "handling=strict" => first(&mut self.handling, Handling::Strict),
            "handling=lenient" => first(&mut self.handling, Handling::Lenient),
            "tx=commit" => self.commit = true,
            "tx=rollback" => return Err(RestError::not_built("Prefer: tx=rollback")),
            _ => match word.strip_prefix("max-affected=").map(str::parse) {
                Some(Ok(rows)) => first(&mut self.max_affected, rows),
                _ => return Ok(false),
            },
        }
        Ok(true)
    }

    /// `Preference-Applied`; nothing is no header.
    pub(crate) fn applied(&self, honoured: Honoured) -> Option<String> {
        let resolution = self.resolution.filter(|_| honoured.resolution).map(|r| match r {
            Resolution::Merge => "resolution=merge-duplicates",
            Resolution::Ignore => "resolution=ignore-duplicates",
        });
        let missing = self.missing.filter(|_| honoured.missing).map(|m| match m {
            MissingWord::Default => "missing=default",
            MissingWord::Null => "missing=null",
        });
        let returns = self.returns.filter(|_| honoured.returns).map(|r| match r {
            Returns::Minimal => "return=minimal",
            Returns::HeadersOnly => "return=headers-only",
            Returns::Representation => "return=representation",
        });
        let handling = self.handling.map(|h| match h {
            Handling::Strict => "handling=strict",
            Handling::Lenient => "handling=lenient",
        });
        let count = self.count.then_some("count=exact");
        let commit = self.commit.then_some("tx=commit");
        let words: Vec<&str> =
            [resolution, missing, returns, count, commit, handling].into_iter().flatten().collect();
        let mut applied = words.join(", ");
        if let Some(rows) = self.max_affected().filter(|_| honoured.max_affected) {
            applied.push_str(&format!(", max-affected={rows}"));
        }
        (!applied.is_empty()).then_some(applied)
    }
}
