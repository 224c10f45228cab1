//! What is wrong with a project: where, what, and what would be right.

use std::fmt;

/// Where something stands in the project folder.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Source {
    /// Path inside the project folder, with `/`.
    pub file: String,
    /// Line, counted from 1.
    pub line: u32,
}

/// How grave a problem is: an error stops `serve`, a warning does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The project cannot be served.
    Error,
    /// Worth knowing; the project is served.
    Warning,
}

/// One thing that is wrong with a project.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// File and line.
    #[serde(flatten)]
    pub source: Source,
    /// Column, counted from 1 in characters, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// Error or warning.
    pub severity: Severity,
    /// What is wrong, in one sentence: "unknown type `txet`".
    pub message: String,
    /// What would be right: "did you mean `text`?".
    pub help: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, "{}:{}:", self.source.file, self.source.line)?;
        if let Some(column) = self.column {
            write!(f, "{column}:")?;
        }
        write!(f, " {kind}: {}", self.message)?;
        match &self.help {
            Some(help) => write!(f, "; {help}"),
            None => Ok(()),
        }
    }
}
