//! What commands print: the one place where text leaves for the terminal, and the exit codes.

use std::{
    fmt::Display,
    io::{Write, stderr, stdout},
    process::ExitCode,
};

use serde_json::{Value as Json, json};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0
    Done,
    /// 1: it could not be done.
    Failed,
    /// 3: it was done, and something was found.
    Findings,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Findings => 3,
        })
    }
}

/// For people or for programs (`--json`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Text,
    Json,
}

impl Format {
    /// Prints a result: `text` for people, `json` for programs.
    pub(crate) fn show(self, text: impl Display, json: &Json) {
        match self {
            Self::Text => print(text),
            Self::Json => print(json),
        }
    }

    /// Prints why something could not be done.
    pub(crate) fn fail(self, why: impl Display) -> Exit {
        match self {
            Self::Text => complain(&why),
            Self::Json => print(json!({ "error": why.to_string().trim() })),
        }
        Exit::Failed
    }
}

/// Prints to standard output. Whoever closed it does not want to read.
pub(crate) fn print(text: impl Display) {
    let text = text.to_string();
    let _closed = writeln!(stdout().lock(), "{}", text.trim_end());
    let _closed = stdout().lock().flush();
}

/// Prints to standard error.
pub(crate) fn complain(text: impl Display) {
    let text = text.to_string();
    let _closed = writeln!(stderr().lock(), "{}", text.trim_end());
}
