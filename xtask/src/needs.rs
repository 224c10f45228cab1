//! What the tests need besides Rust, installed by the project's own files or told exactly.
//!
//! Node 22 comes from the npm package that carries it (tests/e2e/package.json), so any npm will do;
//! Chromium is Debian's. `apt-get` is only called where it may be: as root, on a machine that has it.

use std::{path::PathBuf, process::Command};

use crate::run::{Done, root, run, say};

/// The folder of the end-to-end tests.
pub(crate) fn e2e() -> PathBuf {
    root().join("tests/e2e")
}

/// A Node of at least version 22, after the packages of the tests were installed.
pub(crate) fn node() -> Result<PathBuf, String> {
    install_packages()?;
    let arch = if cfg!(target_arch = "aarch64") { "arm64" } else { "x64" };
    let carried = e2e().join(format!("node_modules/node-linux-{arch}/bin/node"));
    let candidates = [carried, PathBuf::from("node")];
    candidates
        .into_iter()
        .find(|node| major_version(node).is_some_and(|v| v >= 22))
        .ok_or_else(|| "no Node 22 or newer: install it, or `npm install` in tests/e2e on Linux".to_owned())
}

fn major_version(node: &PathBuf) -> Option<u32> {
    let output = Command::new(node).arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.trim().trim_start_matches('v').split('.').next()?.parse().ok()
}

fn install_packages() -> Done {
    let installed = e2e().join("node_modules/.package-lock.json");
    let wanted = e2e().join("package-lock.json");
    let fresh = |path: &PathBuf| path.metadata().and_then(|m| m.modified()).ok();
    if fresh(&installed).is_some_and(|i| fresh(&wanted).is_none_or(|w| i >= w)) {
        return Ok(());
    }
    if Command::new("npm").arg("--version").output().is_err() {
        apt("npm", &["nodejs", "npm"])?;
    }
    say("installing the Node packages of tests/e2e ...");
    run(Command::new("npm").args(["ci", "--no-fund", "--no-audit"]).current_dir(e2e()))
}

/// A Python that can make environments of its own.
pub(crate) fn python() -> Done {
    let has = || {
        let asked = Command::new("python3").args(["-c", "import venv, ensurepip"]).output();
        asked.is_ok_and(|o| o.status.success())
    };
    if has() {
        return Ok(());
    }
    apt("Python with its module venv", &["python3", "python3-venv"])?;
    if has() {
        Ok(())
    } else {
        Err("python3 was installed but cannot make environments (module venv)".to_owned())
    }
}

/// The other tool that reads our backups.
pub(crate) fn restic() -> Done {
    if Command::new("restic").arg("version").output().is_ok_and(|o| o.status.success()) {
        return Ok(());
    }
    apt("restic", &["restic"])
}

/// The browser.
pub(crate) fn chromium() -> Result<PathBuf, String> {
    let find = || {
        ["/usr/bin/chromium", "/usr/bin/chromium-browser"]
            .into_iter()
            .map(PathBuf::from)
            .find(|path| path.exists())
            .or_else(|| std::env::var_os("TAKT_CHROMIUM").map(PathBuf::from))
    };
    if let Some(found) = find() {
        return Ok(found);
    }
    apt("the browser", &["chromium"])?;
    find().ok_or_else(|| "Chromium was installed but is not in /usr/bin; set TAKT_CHROMIUM".to_owned())
}

/// Installs Debian packages where this process may, else says what to do.
pub(crate) fn apt(what: &str, packages: &[&str]) -> Done {
    let list = packages.join(" ");
    let told = || format!("{what} is missing: run `sudo apt-get install -y {list}` and try again");
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|o| o.stdout.starts_with(b"0"));
    if !is_root || Command::new("apt-get").arg("--version").output().is_err() {
        return Err(told());
    }
    say(&format!("installing {list} ..."));
    run(Command::new("apt-get").args(["update", "-q"])).map_err(|_| told())?;
    run(Command::new("apt-get")
        .args(["install", "-y", "-q", "--no-install-recommends"])
        .args(packages)
        .env("DEBIAN_FRONTEND", "noninteractive"))
    .map_err(|_| told())
}
