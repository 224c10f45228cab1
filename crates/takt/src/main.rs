//! The command line: reads the words, asks one command, ends with its exit code.

mod commands;
mod out;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = commands::Cli::parse();
    cli.run().into()
}
