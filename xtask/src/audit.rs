//! `cargo xtask audit`: advisories, licences and sources of all dependencies. Not part of `test`, because the
//! advisory database comes from the network.

use std::process::Command;

use crate::run::{self, Done, cargo, say};

/// Runs cargo-deny with `deny.toml`.
pub(crate) fn run() -> Done {
    if Command::new("cargo-deny").arg("--version").output().is_err() {
        say("cargo-deny is missing; installing it (a few minutes) ...");
        run::run(&mut cargo(&["install", "--locked", "cargo-deny"]))?;
    }
    run::run(&mut cargo(&["deny", "check"]))
}
