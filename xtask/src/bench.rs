//! `cargo xtask bench`: builds what owners run (the profile `dist`) and, the same way, the measuring program; runs it,
//! writes docs/benchmarks.md.
//! What is measured, and the hand-written program beside it, live in `benches/`.

use crate::run::{self, Done, cargo, root, step};

/// Measures each figure for `seconds`.
pub(crate) fn run(seconds: u64) -> Done {
    step("build", || {
        run::run(&mut cargo(&["build", "--profile", "dist", "--package", "takt", "--package", "takt-bench"]))
    })?;
    let seconds = seconds.to_string();
    let mut command = std::process::Command::new(root().join("target/dist/takt-bench"));
    command.arg("--seconds").arg(&seconds).current_dir(root());
    step("measure", || run::run(&mut command))
}
