//! The list of problems while a project is read, and "did you mean".

use crate::{Problem, Severity, Source};

/// Gathers problems; reading always goes on to the end.
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<Problem>);

impl Problems {
    pub(crate) fn error(
        &mut self,
        source: &Source,
        message: impl Into<String>,
        help: impl Into<Option<String>>,
    ) {
        self.push(Severity::Error, source, message.into(), help.into());
    }

    pub(crate) fn warning(
        &mut self,
        source: &Source,
        message: impl Into<String>,
        help: impl Into<Option<String>>,
    ) {
        self.push(Severity::Warning, source, message.into(), help.into());
    }

    fn push(&mut self, severity: Severity, source: &Source, message: String, help: Option<String>) {
        self.0.push(Problem { source: source.clone(), column: None, severity, message, help });
    }

    /// In the order of files and lines.
    pub(crate) fn into_sorted(mut self) -> Vec<Problem> {
        self.0.sort_by(|a, b| a.source.cmp(&b.source));
        self.0.dedup();
        self.0
    }
}

/// "did you mean `text`?" for the nearest of `known`, if one is near enough.
#[must_use]
pub fn did_you_mean<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(written, known).map(|name| format!("did you mean `{name}`?"))
}

/// The nearest of `known`, or all of them when they are few and none is near.
pub(crate) fn did_you_mean_or_list<'a>(
    written: &str,
    known: impl IntoIterator<Item = &'a str> + Clone,
) -> Option<String> {
    did_you_mean(written, known.clone()).or_else(|| {
        let all: Vec<String> = known.into_iter().take(16).map(|name| format!("`{name}`")).collect();
        (!all.is_empty() && all.len() < 16).then(|| format!("known are {}", all.join(", ")))
    })
}

fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = written.to_lowercase();
    known
        .into_iter()
        .map(|name| (strsim::osa_distance(&folded, &name.to_lowercase()), name))
        .filter(|(distance, name)| {
            *distance <= (name.chars().count().max(written.chars().count()) / 3).max(1)
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}
