//! Log lines to standard error: one per request and whatever else happens, as text for people or JSON for machines.
//! Never in a line: tokens, keys, bodies, values of the query.
//!
//! Lines are gathered for a moment and written together, because a system call per request would cost more than
//! many a request; warnings and errors go out at once.

use std::{
    io::{self, Write},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use takt_model::LogFormat;
use tracing::{Level, Metadata};
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

mod json;

use json::JsonLines;

const EVERY: Duration = Duration::from_millis(100);
const FULL_AT: usize = 64 * 1024;

/// Writes what is gathered when it is dropped; keep it until the end.
#[derive(Debug)]
#[must_use = "lines are lost if this is dropped early"]
pub struct LogGuard(Gathered);

impl Drop for LogGuard {
    fn drop(&mut self) {
        self.0.write_out();
    }
}

/// Sends all log lines of the process to standard error. Which ones is said by `TAKT_LOG` (default `info`).
pub fn log_to_stderr(format: LogFormat) -> LogGuard {
    let gathered = Gathered::default();
    let filter = EnvFilter::try_from_env("TAKT_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(gathered.clone());
    let installed = match format {
        LogFormat::Text => builder.with_ansi(false).with_target(false).try_init(),
        LogFormat::Json => builder.event_format(JsonLines).try_init(),
    };
    if installed.is_ok() {
        write_regularly(gathered.clone());
    }
    LogGuard(gathered)
}

fn write_regularly(gathered: Gathered) {
    let work = move || {
        loop {
            std::thread::sleep(EVERY);
            gathered.write_out();
        }
    };
    if std::thread::Builder::new().name("takt-log".into()).spawn(work).is_err() {
        tracing::warn!("no thread for the log; lines may come late");
    }
}

/// Lines that wait to be written.
#[derive(Debug, Clone, Default)]
struct Gathered(Arc<Mutex<Vec<u8>>>);

impl Gathered {
    fn write_out(&self) {
        let mut lines = self.0.lock();
        if !lines.is_empty() {
            // A log that nobody reads (closed pipe, full disk) must not stop the service.
            let _written = io::stderr().lock().write_all(&lines);
            lines.clear();
            lines.shrink_to(FULL_AT);
        }
    }
}

/// One line on its way.
struct Line<'a> {
    gathered: &'a Gathered,
    is_urgent: bool,
}

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = {
            let mut lines = self.gathered.0.lock();
            lines.extend_from_slice(bytes);
            lines.len()
        };
        if length >= FULL_AT {
            self.gathered.write_out();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        if self.is_urgent {
            self.gathered.write_out();
        }
    }
}

impl<'a> MakeWriter<'a> for Gathered {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line { gathered: self, is_urgent: false }
    }

    fn make_writer_for(&'a self, meta: &Metadata<'_>) -> Line<'a> {
        Line { gathered: self, is_urgent: *meta.level() <= Level::WARN }
    }
}
