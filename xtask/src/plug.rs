//! `cargo xtask plug`: pulls the plug of a real ERP while customers buy, and prints the balance: how many orders were
//! accepted, delivered and doubled, how long catching up took, and what the story of an order placed meanwhile says.
//! The output is kept in docs/evidence/plug.txt. What is done and must hold is tests/partners/erp.test.mjs.

use std::process::Command;

use crate::{
    needs, nightly,
    run::{self, Done, cargo, print, root, step},
    test,
};

/// Leaves the ERP dead for `seconds`.
pub(crate) fn run(seconds: u64) -> Done {
    step("build", || run::run(&mut cargo(&["build", "--package", "takt"])))?;
    let prepared = test::prepare_tryton()?;
    let output = Command::new(needs::node()?)
        .args(["--test", "--test-reporter=spec", "../partners/erp.test.mjs"])
        .current_dir(needs::e2e())
        .env("TAKT", root().join("target/debug/takt"))
        .env("TAKT_TRYTON", prepared)
        .env("TAKT_PLUG_SECONDS", seconds.to_string())
        .output()
        .map_err(|e| format!("cannot run the test with the ERP: {e}"))?;
    print(&String::from_utf8_lossy(&output.stdout));
    nightly::keep("plug", &format!("cargo xtask plug --seconds {seconds}"), &output.stdout)?;
    if output.status.success() {
        Ok(())
    } else {
        Err("the balance is not even; see docs/evidence/plug.txt".to_owned())
    }
}
