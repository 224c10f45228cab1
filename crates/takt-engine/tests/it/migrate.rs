//! What happens to the database when the project has changed between two starts.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use takt_engine::EngineError;
use tempfile::tempdir;

use crate::house::{SHELVES, count, fill, open};

/// Opens with one schema, fills one row, opens with another.
fn change(to: &str) -> Result<u64, String> {
    let folder = tempdir().unwrap();
    let (engine, _) = open(folder.path(), SHELVES).unwrap();
    fill(&engine, 1);
    engine.close();
    drop(engine);
    let opened = open(folder.path(), to).map(|(engine, _)| count(&engine, "shelves"));
    opened.map_err(|error| match error {
        EngineError::Schema(text) => text,
        other => panic!("{other:?}"),
    })
}

#[test]
fn additive_changes_are_made_and_rows_stay() {
    let cases = [
        format!("{SHELVES}note = {{ type = \"text\" }}\n"),
        format!("{SHELVES}colour = {{ type = \"text\", default = \"blue\" }}\n"),
        format!("{SHELVES}\n[[indexes]]\nfields = [\"stock\"]\n"),
        format!(
            "{SHELVES}\n[[policies]]\nname = \"all\"\nto = [\"anon\"]\nallow = [\"select\"]\nusing = \"true\"\n"
        ),
        SHELVES.replace("stock >= 0", "stock >= 0 and stock < 100"),
    ];
    for to in cases {
        assert_eq!(change(&to), Ok(1), "{to}");
    }
}

#[test]
fn anything_else_is_refused_by_name_and_nothing_is_changed() {
    let cases = [
        (SHELVES.replace("keeper = { type = \"text\", personal = \"name\" }", ""), "keeper"),
        (SHELVES.replace("stock = { type = \"integer\"", "stock = { type = \"bigint\""), "stock"),
        (
            SHELVES.replace("keeper = { type = \"text\"", "keeper = { type = \"text\", required = true"),
            "keeper",
        ),
        (format!("{SHELVES}must = {{ type = \"text\", required = true }}\n"), "must"),
    ];
    for (to, named) in cases {
        let text = change(&to).unwrap_err();
        assert!(text.contains(named) && text.contains("takt apply"), "{text}");
    }
}
