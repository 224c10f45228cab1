//! `takt serve`: serves a project until it is told to stop.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use takt_model::LogFormat;
use takt_server::{Server, StartOptions, Summary, log_format, log_to_stderr, settings};

use super::{Common, terminal_language};
use crate::out::{self, Exit, Format};

/// Serve a project: database, keys and console are made at the first start.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  takt serve examples/shop                       at http://127.0.0.1:8000
  takt serve examples/shop --listen 0.0.0.0:80   reachable from outside
  takt serve examples/shop --dev                 reload on change, explain answers
  takt serve --data-dir /var/lib/shop --log json

SIGTERM or Ctrl+C ends it in order, a second one at once.")]
pub(crate) struct Serve {
    /// The project folder.
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Address and port to listen at; port 0 takes a free one.
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Log lines as text for people or JSON for machines.
    #[arg(long, value_name = "FORMAT")]
    log: Option<Log>,
    /// Reload the project on change and say in a header why rows were not returned.
    #[arg(long)]
    dev: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Log {
    Text,
    Json,
}

impl Serve {
    pub(crate) fn run(self, common: Common) -> Exit {
        let common = common.with_folder(self.folder.clone());
        let format = common.format();
        let options = StartOptions { dev: self.dev, ..common.start_options(self.flags()) };
        let _log = log_to_stderr(log_format(said_format(&options)));
        let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return format.fail(format!("The server cannot run: {error}.")),
        };
        let server = match Server::start(&options, runtime.handle()) {
            Ok(server) => server,
            Err(error) => return format.fail(error),
        };
        let summary = server.summary().clone();
        match format {
            Format::Text => out::print(greeting(&summary, terminal_language())),
            Format::Json => out::print(serde_json::json!(summary)),
        }
        let clean = runtime.block_on(server.run());
        if !clean {
            out::complain("Some requests did not end in time and were cut off.");
        }
        runtime.shutdown_background();
        Exit::Done
    }

    fn flags(&self) -> Vec<(String, String)> {
        let listen = self.listen.clone().map(|l| ("server.listen".to_owned(), l));
        let log = self.log.map(|l| match l {
            Log::Text => "text",
            Log::Json => "json",
        });
        listen.into_iter().chain(log.map(|l| ("server.log_format".to_owned(), l.to_owned()))).collect()
    }
}

/// The log format of the settings; the log must begin before the project is read for good.
fn said_format(options: &StartOptions) -> Option<LogFormat> {
    let settings = settings(&options.project_dir, &options.layers).unwrap_or_default();
    let said = settings.into_iter().find(|s| s.key == "server.log_format")?;
    match said.value.as_str() {
        "text" => Some(LogFormat::Text),
        "json" => Some(LogFormat::Json),
        _ => None,
    }
}

/// What the person in front of it needs to know.
fn greeting(summary: &Summary, language: &str) -> String {
    let say = |en: &str, de: &str| if language == "de" { de.to_owned() } else { en.to_owned() };
    let mut lines =
        vec![say(&format!("{} is being served.", summary.name), &format!("{} läuft.", summary.name))];
    lines.push(String::new());
    let mut row = |name: String, value: String| lines.push(format!("  {name:<11} {value}"));
    let url = &summary.url;
    row(say("Address", "Adresse"), url.clone());
    row(say("Console", "Konsole"), format!("{url}/studio"));
    if let Some(code) = &summary.setup_code {
        let text = say(
            "no owner yet; make the account there with the code",
            "noch ohne Inhaberkonto; dort anlegen mit dem Code",
        );
        row(String::new(), format!("{text} {code}"));
    }
    row(say("Tables", "Tabellen"), counted(&summary.tables));
    row(say("Functions", "Funktionen"), counted(&summary.functions));
    row(say("Accounts", "Konten"), summary.accounts.to_string());
    let data = summary.data_dir.display();
    row(
        say("Data", "Daten"),
        match summary.seeded_rows {
            0 => data.to_string(),
            n => say(
                &format!("{data} (new, with {n} rows from seeds/)"),
                &format!("{data} (neu, mit {n} Zeilen aus seeds/)"),
            ),
        },
    );
    row(say("Keys", "Schlüssel"), format!("takt keys{}", folders(summary)));
    if summary.dev {
        row(
            "Dev".to_owned(),
            say("reloads on change, explains answers", "lädt bei Änderungen neu, erklärt Antworten"),
        );
    }
    lines.push(String::new());
    lines.extend(summary.warnings.iter().cloned());
    lines.push(say("Ctrl+C stops it.", "Strg+C beendet es."));
    lines.join("\n")
}

fn counted(names: &[String]) -> String {
    const SHOWN: usize = 9;
    let all = names.len();
    if all == 0 {
        return "0".to_owned();
    }
    // Whoever cuts hides at least two: one name would have had the room of the dots.
    let shown = if all <= SHOWN { all } else { SHOWN - 1 };
    let names: Vec<_> = names.iter().take(shown).map(String::as_str).collect();
    let more = if shown < all { format!(", ... (+{})", all - shown) } else { String::new() };
    format!("{all}: {}{more}", names.join(", "))
}

/// The flags that other commands need to find this server.
fn folders(summary: &Summary) -> String {
    let mut flags = String::new();
    if summary.project_dir != std::path::Path::new(".") {
        flags.push_str(&format!(" --project {}", quoted(&summary.project_dir)));
    }
    if summary.data_dir != summary.project_dir.join("data") {
        flags.push_str(&format!(" --data-dir {}", quoted(&summary.data_dir)));
    }
    flags
}

/// As a shell takes it: in quotes if there is more in it than a plain path.
fn quoted(path: &std::path::Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+@:,".contains(c);
    if text.chars().all(is_plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_with_blanks_can_be_copied_into_a_shell() {
        for (path, expected) in
            [("/srv/läden", "/srv/läden"), ("/srv/Mein Laden", "'/srv/Mein Laden'"), ("it's", "'it'\\''s'")]
        {
            assert_eq!(quoted(std::path::Path::new(path)), expected);
        }
    }

    #[test]
    fn a_list_that_is_cut_hides_more_than_one() {
        let names = |n: usize| (1..=n).map(|n| n.to_string()).collect::<Vec<_>>();
        assert_eq!(counted(&[]), "0");
        assert_eq!(counted(&names(9)), "9: 1, 2, 3, 4, 5, 6, 7, 8, 9");
        assert_eq!(counted(&names(10)), "10: 1, 2, 3, 4, 5, 6, 7, 8, ... (+2)");
    }
}
