//! The project's own commands: `cargo xtask test` runs everything that CI runs.
//!
//! Lives here: the list of commands. Each is a file: `test.rs`, `nightly.rs`, `plug.rs`, `bench.rs`,
//! `dist.rs`, `audit.rs`.

mod audit;
mod bench;
mod dist;
mod needs;
mod nightly;
mod plug;
mod run;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The project's own commands.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Format, lints, documentation, all tests, the real client library and the storefront in a browser.
    Test {
        /// Only these steps: format, clippy, doc, unit, build, e2e, partners.
        #[arg(long, value_delimiter = ',')]
        only: Vec<String>,
        /// Also against real partners: a Tryton that is installed from its public packages.
        #[arg(long)]
        partners: bool,
    },
    /// The long proofs: kills and contests at their full numbers; writes docs/evidence/.
    Nightly,
    /// Kills a real ERP while customers buy, and prints the balance; writes docs/evidence/plug.txt.
    Plug {
        /// How long the ERP is dead.
        #[arg(long, default_value_t = 600)]
        seconds: u64,
    },
    /// Measures against a hand-written program in the same run; writes docs/benchmarks.md.
    Bench {
        /// Seconds for each measurement.
        #[arg(long, default_value_t = 5)]
        seconds: u64,
    },
    /// One stripped archive in target/dist.
    Dist {
        /// Also try it in a bare Debian folder made by debootstrap (root only).
        #[arg(long)]
        prove: bool,
    },
    /// Advisories, licences and sources of all dependencies, by cargo-deny.
    Audit,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Test { only, partners } => test::run(&only, partners),
        Command::Nightly => nightly::run(),
        Command::Plug { seconds } => plug::run(seconds),
        Command::Bench { seconds } => bench::run(seconds),
        Command::Dist { prove } => dist::run(prove),
        Command::Audit => audit::run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            run::say(&format!("\n{message}"));
            ExitCode::FAILURE
        }
    }
}
