//! Which differences are made at start and which await `takt apply`. The steps themselves are tested in the store.
#![allow(clippy::unwrap_used, reason = "tests")]

use takt_model::{Project, ProjectFiles};

use super::{Migration, Step, StoredSchema};

const TABLE: &str = r#"
label = { en = "Notes" }
[fields.id]
type = "integer"
primary_key = true
[fields.text]
type = "text"
[fields.kind]
type = "enum"
values = ["a", "b"]
"#;

fn project(table: &str) -> Project {
    let files = ProjectFiles::from([
        ("takt.toml", "name = \"Notes\"\nlanguages = [\"en\"]\n"),
        ("schema/notes.toml", table),
    ]);
    let (project, problems) = Project::parse(&files, &[]);
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(project.table("notes").is_some(), "{}", told.join("\n"));
    project
}

/// Names of the steps and of the refused steps on the way from `TABLE` to `wanted`.
fn way(wanted: &str) -> (Vec<&'static str>, Vec<&'static str>) {
    let migration = Migration::between(&StoredSchema::of(&project(TABLE)), &project(wanted));
    assert!(migration.refused.iter().all(|r| r.what.ends_with("awaits `takt apply`")));
    let steps = migration.steps.iter().map(|step| match step {
        Step::CreateTable(_) => "table",
        Step::AddField(..) => "field",
        Step::CreateIndex(..) => "index",
        Step::DropIndex(_) => "drop index",
    });
    (steps.collect(), migration.refused.iter().map(|r| r.step).collect())
}

#[test]
fn an_empty_database_gets_tables_and_nothing_else() {
    let wanted = project(TABLE);
    let migration = Migration::between(&StoredSchema::default(), &wanted);
    assert_eq!(migration.steps, [Step::CreateTable(wanted.table("notes").unwrap().id)]);
    assert!(Migration::between(&StoredSchema::of(&wanted), &wanted).is_empty());
}

#[test]
fn additive_differences_are_made() {
    let cases: [(&str, &[&str]); 6] = [
        ("[fields.more]\ntype = \"text\"", &["field"]),
        ("[fields.more]\ntype = \"integer\"\ndefault = 3", &["field"]),
        ("[fields.more]\ntype = \"text\"\nunique = true", &["field", "index"]),
        ("[fields.parent]\ntype = \"integer\"\nreferences = \"notes.id\"", &["field"]),
        ("[[indexes]]\nfields = [\"text\", \"kind\"]", &["index"]),
        ("[fields.at]\ntype = \"timestamp\"\ndefault = \"now()\"\nrequired = false", &["field"]),
    ];
    for (added, steps) in cases {
        assert_eq!(way(&format!("{TABLE}{added}\n")), (steps.to_vec(), vec![]), "{added}");
    }
    assert_eq!(way(&TABLE.replace("[\"a\", \"b\"]", "[\"b\", \"c\"]")), (vec![], vec![]), "values are ours");
}

#[test]
fn an_index_is_replaced_when_it_means_something_else() {
    let unique = project(&TABLE.replace("type = \"text\"", "type = \"text\"\nunique = true"));
    let plain = project(TABLE);
    let back = Migration::between(&StoredSchema::of(&unique), &plain);
    assert_eq!(back.steps, [Step::DropIndex("notes_text_key".to_owned())]);
}

#[test]
fn everything_else_is_refused_by_its_name() {
    let text = "[fields.text]\ntype = \"text\"\n";
    let cases = [
        (TABLE.replace(text, ""), "remove a field"),
        (TABLE.replace(text, "[fields.body]\ntype = \"text\"\nwas = \"text\"\n"), "rename a field"),
        (TABLE.replace(text, "[fields.text]\ntype = \"json\"\n"), "change a type"),
        (TABLE.replace(text, "[fields.text]\ntype = \"text\"\nrequired = true\n"), "require a value"),
        (format!("{TABLE}[fields.more]\ntype = \"text\"\nrequired = true\n"), "add a required field"),
        (format!("{TABLE}[fields.at]\ntype = \"timestamp\"\ndefault = \"now()\"\n"), "add a required field"),
        (
            format!("{TABLE}[fields.parent]\ntype = \"integer\"\nreferences = \"notes.id\"\ndefault = 1\n"),
            "add a field with a reference and a default",
        ),
    ];
    for (wanted, step) in cases {
        assert_eq!(way(&wanted).1, [step], "{wanted}");
    }
    let optional = Migration::between(
        &StoredSchema::of(&project(
            &TABLE.replace(text, "[fields.text]\ntype = \"text\"\nrequired = true\n"),
        )),
        &project(TABLE),
    );
    assert_eq!(optional.refused.iter().map(|r| r.step).collect::<Vec<_>>(), ["allow empty values"]);
    let gone = Migration::between(&StoredSchema::of(&project(TABLE)), &Project::default());
    assert_eq!(gone.refused.iter().map(|r| r.step).collect::<Vec<_>>(), ["remove a table"]);
}
