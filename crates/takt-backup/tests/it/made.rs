//! What a backup holds, and that making one disturbs nobody.

use std::{
    fs,
    sync::atomic::{AtomicBool, Ordering},
};

use takt_backup::{History, KeyHolder, Nearness, Repository, back_up, instance_key, owner_key};
use takt_backup::{Keep, new_owner_key};

use crate::world::{KEEP, World, content, order, rows_of};

#[test]
fn rows_files_settings_and_keys_are_in_it() {
    let world = World::new();
    for _ in 0..3 {
        world.order();
    }
    let made = world.back_up();
    assert_eq!(rows_of(&made.manifest.tables, "orders"), 3);
    assert_eq!(rows_of(&made.manifest.tables, "order_items"), 6);
    assert!(made.manifest.master_key);
    let into = world.path("restored");
    takt_backup::restore_into(&world.instance.repository().unwrap(), None, &into).unwrap();
    for name in ["takt.toml", "schema/orders.toml", "public/index.html", "data/master.key", "data/backup.key"]
    {
        let here = fs::read(world.instance.project_dir.join(name)).unwrap();
        assert_eq!(fs::read(into.join(name)).unwrap(), here, "{name}");
    }
    let orders = made.manifest.tables.iter().find(|t| t.name == "orders").unwrap();
    assert_eq!((orders.dated_by.as_deref(), orders.newest), (Some("created_at"), Some(made.manifest.at)));
    assert!(orders.is_projects);
}

#[test]
fn a_backup_under_writes_has_whole_transactions_only() {
    let world = World::new();
    let stop = AtomicBool::new(false);
    std::thread::scope(|threads| {
        let engine = world.instance.engine.clone();
        let stop = &stop;
        let writer = threads.spawn(move || {
            let mut written = 0_u64;
            while !stop.load(Ordering::SeqCst) {
                order(&engine).unwrap();
                written += 1;
            }
            written
        });
        let mut before = 0;
        for _ in 0..4 {
            let made = world.back_up();
            let (orders, items) =
                (rows_of(&made.manifest.tables, "orders"), rows_of(&made.manifest.tables, "order_items"));
            assert_eq!(items, 2 * orders, "half a transaction");
            assert!(orders >= before, "an older moment");
            before = orders;
            world.hours_later(1);
        }
        stop.store(true, Ordering::SeqCst);
        assert!(writer.join().unwrap() > before, "it was written to all the time");
    });
    let row = world.drill();
    assert_eq!(row.fault, None);
}

#[test]
fn the_history_knows_what_was_made_and_what_was_not() {
    let world = World::new();
    let made = world.back_up();
    world.hours_later(24);
    // What is there is no repository of ours: nothing is made, and it is written down.
    let key = world.instance.data_dir.join("backup.key");
    let kept = fs::read(&key).unwrap();
    fs::remove_file(&key).unwrap();
    let refused = back_up(&world.instance, KEEP).unwrap_err();
    assert_eq!(refused.to_string(), "The key does not open the repository.");
    fs::write(&key, kept).unwrap();
    let rows = History::of(&world.instance.engine).backups(10).unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0].fault.as_deref(), Some("The key does not open the repository."));
    assert_eq!((rows[1].snapshot.as_ref(), rows[1].rows), (Some(&made.snapshot.id), made.manifest.rows()));
    assert_eq!(rows[1].nearness, Nearness::SameDisk);
    assert!(!rows[1].owner_has_key);
    assert!(!world.instance.data_dir.join("scratch").exists(), "the scratch place is gone");
}

#[test]
fn old_ones_go_as_the_settings_say() {
    let world = World::new();
    let keep = Keep { hourly: 2, daily: 2, ..Keep::default() };
    for _ in 0..5 {
        world.order();
        back_up(&world.instance, keep).unwrap();
        world.hours_later(1);
    }
    let repository = world.instance.repository().unwrap();
    assert_eq!(repository.snapshots().unwrap().len(), 2);
    repository.check().unwrap();
}

#[test]
fn the_owners_key_is_enough() {
    let world = World::new();
    world.order();
    world.back_up();
    let repository = world.instance.repository().unwrap();
    let lost = new_owner_key(&repository).unwrap();
    let key = new_owner_key(&repository).unwrap();
    assert!(Repository::open(&world.instance.repository, &lost).is_err(), "an earlier one is taken back");
    // As typed from paper, on a machine that has nothing but the repository.
    let theirs =
        Repository::open(&world.instance.repository, &owner_key(&key.reveal().to_lowercase())).unwrap();
    assert!(theirs.is_opened_by(KeyHolder::Owner).unwrap());
    let into = world.path("elsewhere/shop");
    takt_backup::restore_into(&theirs, None, &into).unwrap();
    assert!(into.join("data/takt.db").is_file());
    // The instance goes on, and its next backup says that the owner has one.
    world.hours_later(1);
    assert!(world.back_up().row.owner_has_key);
}

#[test]
fn what_is_in_a_backup_is_not_readable_beside_it() {
    let world = World::new();
    world.order();
    world.back_up();
    let secret = instance_key(&world.instance.data_dir).unwrap();
    for (path, bytes) in content(&world.instance.repository) {
        for needle in [b"Quillwort".as_slice(), b"created_at", secret.reveal().as_bytes()] {
            assert!(!bytes.windows(needle.len()).any(|w| w == needle), "{}", path.display());
        }
    }
}
