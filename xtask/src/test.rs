//! `cargo xtask test`: everything that CI runs, in the order in which failing early is cheapest.

use std::process::Command;

use crate::{
    needs,
    run::{self, Done, cargo, print, root, step},
};

type Step = (&'static str, fn() -> Done);

/// The step that runs only where it is asked for: it installs a business system.
const PARTNERS: &str = "partners";

const STEPS: [Step; 7] = [
    ("format", format),
    ("clippy", clippy),
    ("doc", documentation),
    ("unit", unit),
    ("build", build),
    ("e2e", end_to_end),
    (PARTNERS, partners),
];

/// Runs the steps named in `only`, or all; those with real partners if `with_partners`.
pub(crate) fn run(only: &[String], with_partners: bool) -> Done {
    if let Some(name) = only.iter().find(|name| !STEPS.iter().any(|(step, _)| step == name)) {
        let known: Vec<&str> = STEPS.iter().map(|(n, _)| *n).collect();
        return Err(format!("no step is called `{name}`; there are: {}", known.join(", ")));
    }
    let mut passed = 0;
    for (name, work) in STEPS {
        let is_named = only.iter().any(|o| o == name);
        if is_named || (only.is_empty() && (with_partners || name != PARTNERS)) {
            step(name, work)?;
            passed += 1;
        }
    }
    print(&format!("steps: {passed} passed, 0 failed"));
    Ok(())
}

fn format() -> Done {
    run::run(&mut cargo(&["fmt", "--all", "--check"]))
}

fn clippy() -> Done {
    run::run(&mut cargo(&["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"]))
}

fn documentation() -> Done {
    let arguments = ["doc", "--workspace", "--no-deps", "--document-private-items", "--quiet"];
    run::run(cargo(&arguments).env("RUSTDOCFLAGS", "-D warnings"))
}

fn unit() -> Done {
    run::run(&mut cargo(&["test", "--workspace", "--quiet"]))
}

fn build() -> Done {
    run::run(&mut cargo(&["build", "--package", "takt"]))
}

/// The real client library, the storefront in a browser, contests and kills: `tests/e2e/*.test.mjs`.
fn end_to_end() -> Done {
    // One of the reference libraries for signatures is Python's (tests/e2e/lib/reference.mjs).
    needs::python()?;
    needs::restic()?;
    node_tests("*.test.mjs", &[("TAKT_NEEDS_RESTIC", "1")])
}

/// The shop and a real Tryton, killed under load: `tests/partners/*.test.mjs`.
fn partners() -> Done {
    node_tests("../partners/*.test.mjs", &[("TAKT_TRYTON", &prepare_tryton()?)])
}

/// Installs Tryton and makes its database, beforehand, so that the first installation counts as nobody's time limit.
/// Gives the folder.
pub(crate) fn prepare_tryton() -> Result<String, String> {
    needs::python()?;
    let prepared = root().join("target/tryton");
    let prepared = prepared.to_str().ok_or("the path of the repository is no text")?;
    let script = root().join("tests/partners/tryton.py");
    run::run(Command::new("python3").arg(script).args(["prepare", prepared]))?;
    Ok(prepared.to_owned())
}

/// Runs the Node tests that match `pattern`, with further environment.
pub(crate) fn node_tests(pattern: &str, environment: &[(&str, &str)]) -> Done {
    let node = needs::node()?;
    let chromium = needs::chromium()?;
    let mut command = Command::new(node);
    command
        // One file after the other: each starts its own server, and two cores are few.
        .args(["--test", "--test-concurrency=1", "--test-reporter=spec", pattern])
        .current_dir(needs::e2e())
        .env("TAKT", root().join("target/debug/takt"))
        .env("TAKT_CHROMIUM", chromium)
        .env("TAKT_ARTIFACTS", root().join("artifacts"))
        .envs(environment.iter().copied());
    run::run(&mut command)
}
