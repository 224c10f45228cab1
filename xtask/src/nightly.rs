//! `cargo xtask nightly`: the long proofs at their full numbers. What they print is kept, with its date,
//! in docs/evidence/.

use std::{fs, process::Command};

use crate::{
    needs,
    run::{self, Done, cargo, root, say, step},
};

/// Runs all long proofs and writes their output as evidence.
pub(crate) fn run() -> Done {
    step("build", || run::run(&mut cargo(&["build", "--package", "takt"])))?;
    let node = needs::node()?;
    let folder = root().join("docs/evidence");
    fs::create_dir_all(&folder).map_err(|e| format!("cannot make docs/evidence: {e}"))?;
    let mut failed = Vec::new();
    for (name, numbers) in [
        ("kill", ("TAKT_KILLS", "100")),
        ("contest", ("TAKT_ROUNDS", "20")),
        ("delivery-kill", ("TAKT_DELIVERY_KILLS", "200")),
        ("delivery-stages", ("TAKT_STAGE_KILLS", "200")),
        ("backup", ("TAKT_KILLED_BACKUPS", "50")),
    ] {
        say(&format!("\n== {name} (minutes)"));
        let output = Command::new(&node)
            .args(["--test", "--test-reporter=spec", &format!("{name}.test.mjs")])
            .current_dir(needs::e2e())
            .env("TAKT", root().join("target/debug/takt"))
            .env(numbers.0, numbers.1)
            .output()
            .map_err(|e| format!("cannot run {name}: {e}"))?;
        keep(name, &format!("cargo xtask nightly, {name}"), &output.stdout)?;
        if !output.status.success() {
            failed.push(name);
        }
    }
    let cuts = cargo(&["test", "--package", "takt-store", "--test", "it", "power_cut", "--", "--nocapture"])
        .env("TAKT_CUTS", "200")
        .output()
        .map_err(|e| format!("cannot run the power cuts: {e}"))?;
    keep("power_cut", "cargo xtask nightly, power_cut", &cuts.stdout)?;
    if !cuts.status.success() {
        failed.push("power_cut");
    }
    let bits = cargo(&[
        "test",
        "--package",
        "takt-repository",
        "--package",
        "takt-backup",
        "flipped_bit",
        "--",
        "--nocapture",
    ])
    .env("TAKT_FLIPS", "1000")
    .output()
    .map_err(|e| format!("cannot run the flipped bits: {e}"))?;
    keep("backup-bits", "cargo xtask nightly, flipped bits", &bits.stdout)?;
    if !bits.status.success() {
        failed.push("flipped bits");
    }
    if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}; see docs/evidence/", failed.join(", "))) }
}

/// Keeps what a proof printed, with the command that shows it and the date.
pub(crate) fn keep(name: &str, command: &str, output: &[u8]) -> Done {
    let date = Command::new("date").args(["-u", "+%Y-%m-%d %H:%M UTC"]).output();
    let date = date.map(|d| String::from_utf8_lossy(&d.stdout).trim().to_owned()).unwrap_or_default();
    let text = format!("{command}, {date}\n\n{}", String::from_utf8_lossy(output));
    let path = root().join(format!("docs/evidence/{name}.txt"));
    fs::write(&path, text).map_err(|e| format!("cannot write {}: {e}", path.display()))
}
