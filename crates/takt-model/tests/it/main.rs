//! What a project may say and how it is answered, seen from outside.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod connection_slips;
mod connections;
mod expressions;
mod problems;
mod settings;
mod shop;
mod tables;
mod values;

use takt_model::{Problem, Project, ProjectFiles, SystemTables};

/// A stand-in for the accounts of the product.
const USERS: SystemTables = SystemTables {
    file: "users.toml",
    text: r#"
["auth.users".fields.id]
type = "uuid"
primary_key = true
default = "uuid_v7()"

["auth.users".fields.email]
type = "text"
max = 320
unique = true
"#,
};

fn read<const N: usize>(files: [(&str, &str); N]) -> (Project, Vec<Problem>) {
    Project::parse(&ProjectFiles::from(files), &[USERS])
}

/// A project that must be right.
fn good<const N: usize>(files: [(&str, &str); N]) -> Project {
    let (project, problems) = read(files);
    assert!(problems.is_empty(), "{}", lines(&problems));
    project
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(|p| format!("{p}\n")).collect()
}
