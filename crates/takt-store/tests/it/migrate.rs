//! The database's schema: made, remembered, grown, and never lost.

use std::sync::Arc;

use expect_test::expect;
use takt_model::{Principal, Project, Value};
use takt_plan::{Migration, Plan};
use takt_store::{Store, StoreError};

use crate::fixture::*;

/// The fixture with one schema file changed.
fn changed(file: &str, from: &str, to: &str) -> Arc<Project> {
    let mut files = files();
    let text = files.0.get_mut(file).unwrap();
    assert!(text.contains(from), "{file} has no {from:?}");
    *text = text.replacen(from, to, 1);
    parse(&files)
}

#[test]
fn a_made_schema_is_remembered_and_needs_nothing() {
    let shop = Shop::new().reopened();
    let stored = shop.store.stored_schema().unwrap();
    assert_eq!(stored, takt_plan::StoredSchema::of(&shop.project));
    assert!(Migration::between(&stored, &shop.project).is_empty());
    let health = shop.store.health();
    assert!(health.durable && health.writable && health.bytes > 0);
}

#[test]
fn additive_changes_are_made_and_rows_take_the_default() {
    let mut shop = Shop::new();
    shop.put(Plan::Insert(shop.on("labels").insert(&[&[("id", Value::Integer(1)), ("text", text("it's"))]])));
    let grown = "[fields.colour]\ntype = \"text\"\ndefault = \"it's \\\"green\\\"\"\n\n[fields.weight]\ntype = \"decimal(6,2)\"\ndefault = 1.5\n\n[fields.since]\ntype = \"timestamp\"\n\n[fields.parent_id]\ntype = \"integer\"\nreferences = \"labels.id\"\n\n[[indexes]]\nfields = [\"text\"]\nunique = true\n\n[[policies]]";
    let project = changed("schema/labels.toml", "[[policies]]", grown);
    let migration = Migration::between(&shop.store.stored_schema().unwrap(), &project);
    assert_eq!((migration.steps.len(), migration.refused.len()), (5, 0));
    shop.store.migrate(&project, &migration).unwrap();
    shop.project = project;
    let mut shop = shop.reopened();
    assert!(Migration::between(&shop.store.stored_schema().unwrap(), &shop.project).is_empty());
    let all = shop.on("labels").read("*", "", "");
    expect![[
        r#"[{"id":1,"text":"it's","colour":"it's \"green\"","weight":1.50,"since":null,"parent_id":null}]"#
    ]]
    .assert_eq(&shop.json(&Principal::service(), all));
    let dangling = shop.on("labels").insert(&[&[
        ("id", Value::Integer(2)),
        ("text", text("b")),
        ("parent_id", Value::Integer(7)),
    ]]);
    assert!(shop.refusal(&Principal::service(), Plan::Insert(dangling)).starts_with("23503"));
    // And back: only the index goes.
    shop.project = changed(
        "schema/labels.toml",
        "[[policies]]",
        &grown.replace("[[indexes]]\nfields = [\"text\"]\nunique = true\n\n", ""),
    );
    migrate(&shop.store, &shop.project).unwrap();
    let twice = shop.on("labels").insert(&[&[("id", Value::Integer(2)), ("text", text("it's"))]]);
    shop.put(Plan::Insert(twice));
}

#[test]
fn a_unique_index_over_doubles_is_refused_with_their_number() {
    let shop = Shop::new();
    let row = |n: i64, t: &str| vec![("id", Value::Integer(n)), ("text", text(t))];
    let rows = [row(1, "a"), row(2, "a"), row(3, "a"), row(4, "b"), row(5, "b")];
    let rows: Vec<&[(&str, Value)]> = rows.iter().map(Vec::as_slice).collect();
    shop.put(Plan::Insert(shop.on("labels").insert(&rows)));
    let project = changed("schema/labels.toml", "type = \"text\"", "type = \"text\"\nunique = true");
    let refused = migrate(&shop.store, &project).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "table `labels`: the unique index `labels_text_key` cannot be made: 3 rows have values that another row \
         has already; awaits `takt apply`"
    );
    assert!(Migration::between(&shop.store.stored_schema().unwrap(), &shop.project).is_empty());
}

#[test]
fn policies_checks_and_enum_values_need_no_step() {
    let shop = Shop::new();
    let stored = shop.store.stored_schema().unwrap();
    let projects = [
        changed("schema/labels.toml", "using = \"true\"", "using = \"id > 0\""),
        changed("schema/orders.toml", "total >= 0", "total >= 1"),
        changed("schema/orders.toml", "\"cancelled\"]\ndefault", "\"cancelled\", \"returned\"]\ndefault"),
        changed("schema/products.toml", "max = 12", "max = 40"),
    ];
    for project in projects {
        assert!(Migration::between(&stored, &project).is_empty());
    }
}

#[test]
fn everything_else_is_refused_by_name() {
    let shop = Shop::new();
    let stored = shop.store.stored_schema().unwrap();
    let without_labels = {
        let mut files = files();
        files.0.remove("schema/labels.toml");
        files.0.remove("schema/product_labels.toml");
        parse(&files)
    };
    let projects = [
        without_labels,
        changed("schema/products.toml", "[fields.details]", "[fields.extras]"),
        changed("schema/products.toml", "[fields.details]", "[fields.extras]\nwas = \"details\""),
        changed(
            "schema/orders.toml",
            "[fields.note]\ntype = \"text\"",
            "[fields.note]\ntype = \"text\"\nrequired = true",
        ),
        changed("schema/categories.toml", "type = \"text\"\nrequired = true", "type = \"text\""),
        changed("schema/products.toml", "decimal(12,2)", "decimal(12,3)"),
        changed("schema/categories.toml", "on_delete = \"set null\"", "on_delete = \"restrict\""),
        changed(
            "schema/labels.toml",
            "[[policies]]",
            "[fields.code]\ntype = \"text\"\nrequired = true\n\n[[policies]]",
        ),
        changed(
            "schema/labels.toml",
            "[[policies]]",
            "[fields.at]\ntype = \"timestamp\"\ndefault = \"now()\"\n\n[[policies]]",
        ),
    ];
    let mut told = String::new();
    for project in projects {
        let migration = Migration::between(&stored, &project);
        for refused in &migration.refused {
            told.push_str(&refused.what);
            told.push('\n');
        }
        let error = shop.store.migrate(&project, &migration).unwrap_err();
        assert!(matches!(error, StoreError::Refused { .. }));
    }
    expect![[r#"
        table `labels` is gone from the project but exists in the database; remove a table: awaits `takt apply`
        table `product_labels` is gone from the project but exists in the database; remove a table: awaits `takt apply`
        table `products`: field `details` is gone from the project but holds a column in the database; remove a field: awaits `takt apply`
        table `products`: field `details` is called `extras` now; rename a field: awaits `takt apply`
        table `orders`: field `note` may be empty in the database, but not in the project; require a value: awaits `takt apply`
        table `categories`: field `name` may be empty in the project, but not in the database; allow empty values: awaits `takt apply`
        table `products`: field `price` is of type decimal(12,2) in the database and decimal(12,3) in the project; change a type: awaits `takt apply`
        table `categories`: field `parent_id` refers to `categories.id` (restrict) in the project, but not so in the database; change a reference: awaits `takt apply`
        table `labels`: field `code` is new and required, but has no constant default for the rows that exist; add a required field: awaits `takt apply`
        table `labels`: field `at` is new and required, but has no constant default for the rows that exist; add a required field: awaits `takt apply`
    "#]].assert_eq(&told);
    assert_eq!(shop.store.stored_schema().unwrap(), stored);
}

#[test]
fn a_new_table_may_refer_to_an_old_one() {
    let mut shop = Shop::new();
    shop.project = with_file(
        "schema/reviews.toml",
        "label = { en = \"Reviews\" }\n[fields.id]\ntype = \"uuid\"\nprimary_key = true\ndefault = \"uuid_v7()\"\n\
         [fields.product_id]\ntype = \"uuid\"\nrequired = true\nreferences = \"products.id\"\n",
    );
    migrate(&shop.store, &shop.project).unwrap();
    let dangling = shop.on("reviews").insert(&[&[("product_id", id(5))]]);
    assert!(shop.refusal(&Principal::service(), Plan::Insert(dangling)).starts_with("23503"));
}

#[test]
fn a_newer_format_and_a_foreign_file_are_refused_in_plain_words() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("takt.db");
    Store::open(options(folder.path())).unwrap().close();
    let edit = |sql: &str| {
        let conn = rusqlite::Connection::open(&file).unwrap();
        conn.execute_batch(sql).unwrap();
    };
    edit("UPDATE takt_meta SET value = '2'");
    let opening = || {
        Store::open(options(folder.path())).err().unwrap().to_string().replace(file.to_str().unwrap(), "FILE")
    };
    expect!["the database FILE was written by a newer release of Takt (format 2; this release knows format 1): start that release or a later one"].assert_eq(&opening());
    edit("DROP TABLE takt_meta");
    expect!["the database FILE was not made by Takt"].assert_eq(&opening());
    std::fs::remove_file(&file).unwrap();
    std::fs::write(&file, "This is a letter, not a database. ".repeat(100)).unwrap();
    expect!["the file FILE is no readable database"].assert_eq(&opening());
}

#[test]
fn a_second_process_is_locked_out() {
    // Two processes are imitated by the two locking schemes: `unix-excl` shares its locks inside one process only
    // with itself, so the ordinary scheme is a stranger to it.
    let folder = tempfile::tempdir().unwrap();
    let _first = Store::open(options(folder.path())).unwrap();
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "migrate::opens_the_file_of_another_process", "--nocapture"])
        .env("TAKT_TEST_FOLDER", folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout).into_owned();
    assert!(child.status.success(), "{said}");
    assert!(said.contains("1 passed"), "{said}");
}

#[test]
#[ignore = "runs as a second process of the test above"]
fn opens_the_file_of_another_process() {
    let folder = std::env::var("TAKT_TEST_FOLDER").unwrap();
    let error = Store::open(options(std::path::Path::new(&folder))).err().unwrap();
    assert!(matches!(error, StoreError::Locked(_)), "{error}");
}
