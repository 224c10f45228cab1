//! Running other programs and telling what happens.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

/// A failure, in a sentence for people.
pub(crate) type Done = Result<(), String>;

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(PathBuf::new, Path::to_path_buf)
}

/// A line on standard error, where progress belongs.
#[expect(clippy::print_stderr, reason = "a command line tool talks")]
pub(crate) fn say(line: &str) {
    eprintln!("{line}");
}

/// A line on standard output: results.
#[expect(clippy::print_stdout, reason = "a command line tool talks")]
pub(crate) fn print(line: &str) {
    println!("{line}");
}

/// `cargo` with arguments, in the repository's root.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    command
}

/// Runs a program to its end; an error says how it was called.
pub(crate) fn run(command: &mut Command) -> Done {
    let called = format!("{command:?}").replace('"', "");
    let status = command.status().map_err(|e| format!("cannot run {called}: {e}"))?;
    if status.success() { Ok(()) } else { Err(format!("{called} failed ({status})")) }
}

/// Runs a step and tells how long it took.
pub(crate) fn step(name: &str, work: impl FnOnce() -> Done) -> Done {
    say(&format!("\n== {name}"));
    let begun = Instant::now();
    let done = work();
    let how = if done.is_ok() { "done" } else { "FAILED" };
    say(&format!("== {name}: {how} in {} s", begun.elapsed().as_secs()));
    done
}
