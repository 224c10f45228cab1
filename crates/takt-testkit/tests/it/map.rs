//! The map in ARCHITECTURE.md is true: its arrows are the manifests' dependencies, and every file says what lives
//! there.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

type Arrows = BTreeMap<String, BTreeSet<String>>;

/// Rows `| takt-plan | ... | model |` of the table under "The map"; the last cell names the arrows.
fn drawn() -> Arrows {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let mut arrows = Arrows::new();
    for line in text.lines().filter(|l| l.starts_with("| `takt")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let (room, uses) = (cells[0].trim_matches('`'), cells[cells.len() - 1]);
        if uses == "(later)" {
            continue;
        }
        let uses = uses.split(',').map(str::trim).filter(|u| *u != "nothing").map(|u| format!("takt-{u}"));
        arrows.insert(room.to_owned(), uses.collect());
    }
    arrows
}

/// `takt-*` under `[dependencies]` of each crate; tests may use what they want.
fn built() -> Arrows {
    let mut arrows = Arrows::new();
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        let path = entry.unwrap().path();
        let manifest = fs::read_to_string(path.join("Cargo.toml")).unwrap();
        let dependencies = manifest.split("[dependencies]").nth(1).unwrap_or_default();
        let dependencies = dependencies.split("\n[").next().unwrap_or_default();
        let uses = dependencies
            .lines()
            .filter(|l| l.starts_with("takt-"))
            .map(|l| l.split(['.', ' ', '=']).next().unwrap().to_owned());
        arrows.insert(path.file_name().unwrap().to_string_lossy().into_owned(), uses.collect());
    }
    arrows
}

#[test]
fn the_map_draws_the_arrows_that_are_built() {
    let (drawn, built) = (drawn(), built());
    assert!(drawn.len() >= 13, "the table of ARCHITECTURE.md was not found");
    for (room, uses) in &built {
        let on_map = drawn.get(room).unwrap_or_else(|| panic!("{room} is not on the map"));
        assert_eq!(uses, on_map, "the arrows of {room}: built (left), drawn (right)");
    }
    assert_eq!(drawn.keys().collect::<Vec<_>>(), built.keys().collect::<Vec<_>>());
}

#[test]
fn the_pure_rooms_have_no_runtime_clock_file_or_socket() {
    for room in ["takt-model", "takt-plan", "takt-rest"] {
        let manifest = fs::read_to_string(root().join("crates").join(room).join("Cargo.toml")).unwrap();
        let dependencies = manifest.split("[dev-dependencies]").next().unwrap();
        for banned in ["tokio", "rusqlite", "reqwest", "axum", "hyper", "takt-store", "takt-engine"] {
            assert!(!dependencies.lines().any(|l| l.starts_with(banned)), "{room} uses {banned}");
        }
        for file in sources(&root().join("crates").join(room).join("src")) {
            let text = fs::read_to_string(&file).unwrap();
            for banned in [
                "std::fs",
                "TcpStream",
                "TcpListener",
                "UdpSocket",
                "SystemTime::now",
                "Instant::now",
                "Zoned::now",
                "Timestamp::now",
            ] {
                assert!(!text.contains(banned), "{} uses {banned}", file.display());
            }
        }
    }
}

#[test]
fn every_file_says_what_lives_there() {
    let mut missing = Vec::new();
    for folder in ["crates", "xtask/src", "benches/src"] {
        for file in sources(&root().join(folder)) {
            let text = fs::read_to_string(&file).unwrap();
            // Compile-fail cases of trybuild are shown whole in their error texts.
            let is_case = file.components().any(|c| c.as_os_str() == "compile_fail");
            if !text.starts_with("//!") && !is_case {
                missing.push(file);
            }
        }
    }
    assert!(missing.is_empty(), "files without a `//!` header: {missing:#?}");
}

#[test]
fn sql_lives_in_the_store_only() {
    let mut found = Vec::new();
    for file in sources(&root().join("crates")) {
        let path = file.display().to_string();
        if path.contains("takt-store") || path.contains("takt-testkit") || path.contains("/tests/") {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        if text.contains("rusqlite") || text.contains("\"SELECT ") || text.contains("\"INSERT INTO ") {
            found.push(path);
        }
    }
    assert!(found.is_empty(), "SQL outside takt-store: {found:#?}");
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().is_some_and(|n| n != "target" && n != "node_modules") {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found
}
