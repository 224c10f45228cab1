//! A drill says that all is there only if all is there.

use std::fs;

use takt_backup::{History, Instance, KeyHolder, Repository, drill, new_owner_key, owner_key};
use takt_repository::Item;

use crate::world::{NIGHT, World, content, rows_of};

#[test]
fn a_good_backup_passes_and_leaves_nothing_behind() {
    let world = World::new();
    world.order();
    let made = world.back_up();
    world.hours_later(2);
    let row = world.drill();
    assert_eq!(row.fault, None);
    assert_eq!((row.backup_at, row.by_owner), (Some(made.snapshot.at), false));
    assert_eq!((rows_of(&row.tables, "orders"), rows_of(&row.tables, "order_items")), (1, 2));
    assert!(row.milliseconds > 0);
    assert_eq!(History::of(&world.instance.engine).drills(10).unwrap(), [row]);
    assert!(!world.instance.data_dir.join("scratch").exists());
}

#[test]
fn without_a_backup_it_fails_and_says_so() {
    let world = World::new();
    assert!(world.drill().fault.unwrap().starts_with("There is no repository at"));
    assert_eq!(History::of(&world.instance.engine).drills(10).unwrap().len(), 1);
}

#[test]
fn what_cannot_be_opened_does_not_pass() {
    let world = World::new();
    world.back_up();
    let refused = |_: &std::path::Path| Err("it does not open.".to_owned());
    let row = drill(&world.instance, world.instance.repository(), None, &refused).unwrap().row;
    assert_eq!(row.fault.as_deref(), Some("The backup does not hold what it should: it does not open."));
}

#[test]
fn a_damaged_repository_does_not_pass() {
    let world = World::new();
    world.order();
    world.back_up();
    for (path, whole) in content(&world.instance.repository) {
        if path.ends_with(".gitignore") {
            continue;
        }
        let mut damaged = whole.clone();
        let middle = damaged.len() / 2;
        damaged[middle] ^= 4;
        fs::write(&path, damaged).unwrap();
        let row = world.drill();
        assert!(row.fault.is_some(), "{}", path.display());
        fs::write(&path, whole).unwrap();
    }
    assert_eq!(world.drill().fault, None);
}

/// A backup that is whole as far as the repository knows, and holds something else than it says.
#[test]
fn a_backup_that_is_not_what_it_says_does_not_pass() {
    let world = World::new();
    world.order();
    world.back_up();
    let repository = world.instance.repository().unwrap();
    let into = world.path("restored");
    takt_backup::restore_into(&repository, None, &into).unwrap();
    type Change = fn(&std::path::Path);
    let cases: [(&str, Change, &str); 5] = [
        ("a row more than it says", |d| edit(d, r#""rows": 1,"#, r#""rows": 7,"#), "has 1 rows instead of 7"),
        (
            "another newest order",
            |d| edit(d, &format!(r#""newest": {NIGHT}"#), r#""newest": 5"#),
            "has 1 rows instead of 1",
        ),
        ("a file less", |d| fs::remove_file(d.join("public/index.html")).unwrap(), "files with"),
        (
            "another database",
            |d| fs::write(d.join("data/takt.db"), b"something").unwrap(),
            "the database is not the one",
        ),
        ("no manifest", |d| fs::write(d.join("data/backup.json"), b"{}").unwrap(), "not what Takt writes"),
    ];
    for (number, (name, change, expected)) in cases.into_iter().enumerate() {
        let folder = world.path(&format!("case {number}"));
        takt_backup::restore_into(&repository, None, &folder).unwrap();
        change(&folder);
        let instance =
            Instance { repository: world.path(&format!("repository {number}")), ..world.instance.clone() };
        let items = content(&folder)
            .into_iter()
            .map(|(from, _)| Item {
                name: from.strip_prefix(&folder).unwrap().to_owned(),
                from,
                private: false,
            })
            .collect();
        instance.repository_or_new().unwrap().back_up(items, NIGHT).unwrap();
        let row = drill(&instance, instance.repository(), None, &|f| world.opens(f)).unwrap().row;
        let fault = row.fault.unwrap_or_else(|| panic!("{name} passed"));
        assert!(fault.contains(expected), "{name}: {fault}");
        let refused = takt_backup::restore_into(&instance.repository().unwrap(), None, &world.path("never"));
        assert!(refused.is_err() && !world.path("never").exists(), "{name}");
    }
}

fn edit(folder: &std::path::Path, from: &str, to: &str) {
    let path = folder.join("data/backup.json");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from} is not in {text}");
    fs::write(&path, text.replacen(from, to, 1)).unwrap();
}

#[test]
fn the_owners_key_can_be_tried() {
    let world = World::new();
    world.back_up();
    let key = new_owner_key(&world.instance.repository().unwrap()).unwrap();
    let theirs = Repository::open(&world.instance.repository, &owner_key(key.reveal())).unwrap();
    assert!(theirs.is_opened_by(KeyHolder::Owner).unwrap());
    let row = drill(&world.instance, Ok(theirs), None, &|f| world.opens(f)).unwrap().row;
    assert_eq!((row.fault.as_deref(), row.by_owner), (None, true));
}
