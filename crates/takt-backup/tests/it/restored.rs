//! Giving back for good: nothing live is touched before the backup has been compared.

use std::{fs, path::Path};

use takt_backup::{BackupError, INTERRUPTED, restore_into, restore_over};
use takt_engine::Thoroughness;

use crate::world::{NIGHT, World, content, open};

fn orders(data_dir: &Path) -> u64 {
    let seen = takt_engine::examine(&data_dir.join("takt.db"), Thoroughness::Whole, &[]).unwrap();
    assert!(seen.faults.is_empty());
    seen.tables.iter().find(|t| t.name == "orders").unwrap().rows
}

/// Two orders in the backup, three in the database, which is closed.
fn two_of_three() -> World {
    let world = World::new();
    world.order();
    world.order();
    world.back_up();
    world.order();
    world.instance.engine.close();
    world
}

#[test]
fn into_an_empty_or_new_folder_only() {
    let world = two_of_three();
    let repository = world.instance.repository().unwrap();
    let full = world.path("full");
    fs::create_dir_all(&full).unwrap();
    fs::write(full.join("mine.txt"), "mine").unwrap();
    assert!(matches!(restore_into(&repository, None, &full), Err(BackupError::NotEmpty(_))));
    assert_eq!(content(&full).len(), 1);
    for place in ["new", "empty"] {
        let place = world.path(place);
        if place.ends_with("empty") {
            fs::create_dir_all(&place).unwrap();
        }
        let restored = restore_into(&repository, None, &place).unwrap();
        assert_eq!((orders(&place.join("data")), restored.place), (2, place));
    }
    let id = &repository.snapshots().unwrap()[0].id;
    restore_into(&repository, Some(&id[..8]), &world.path("named")).unwrap();
    for wrong in ["", "zz", "0123456789"] {
        let refused = restore_into(&repository, Some(wrong), &world.path("wrong")).unwrap_err();
        assert!(matches!(refused, BackupError::Unknown(_)), "{wrong}: {refused}");
    }
    assert!(!world.path("wrong").exists());
}

#[test]
fn over_a_data_folder_what_was_there_is_kept() {
    let world = two_of_three();
    let repository = world.instance.repository().unwrap();
    let data = &world.instance.data_dir;
    fs::write(data.join("master.key"), "another key\n").unwrap();
    fs::write(data.join("takt.db-wal"), "what a crash left").unwrap();
    let restored = restore_over(&repository, None, data, NIGHT).unwrap();
    assert_eq!(orders(data), 2);
    assert_eq!(fs::read_to_string(data.join("master.key")).unwrap(), "a key\n");
    assert!(!data.join("takt.db-wal").exists() && !data.join(INTERRUPTED).exists());
    let before = restored.before.unwrap();
    assert_eq!(orders(&before), 3);
    assert_eq!(fs::read_to_string(before.join("master.key")).unwrap(), "another key\n");
    assert_eq!(fs::read_to_string(before.join("takt.db-wal")).unwrap(), "what a crash left");
    let engine = open(data, world.clock()).unwrap();
    assert!(engine.health().writable);
    engine.close();
}

#[test]
fn a_restore_that_was_interrupted_is_mended_by_the_next() {
    let world = two_of_three();
    let repository = world.instance.repository().unwrap();
    let data = &world.instance.data_dir;
    // As after a power cut between the two: the marker stands, the new database is not there yet.
    let first = restore_over(&repository, None, data, NIGHT).unwrap();
    fs::remove_file(data.join("takt.db")).unwrap();
    fs::write(data.join(INTERRUPTED), "").unwrap();
    restore_over(&repository, None, data, NIGHT + 1_000_000).unwrap();
    assert_eq!(orders(data), 2);
    assert!(!data.join(INTERRUPTED).exists());
    assert_eq!(orders(&first.before.unwrap()), 3, "what stood there first is still kept");
}

/// `TAKT_FLIPS=1000` is the long form.
#[test]
fn with_a_flipped_bit_live_data_is_never_touched() {
    let flips: usize = std::env::var("TAKT_FLIPS").ok().and_then(|n| n.parse().ok()).unwrap_or(12);
    let world = two_of_three();
    let data = &world.instance.data_dir;
    let live = content(data);
    let files = content(&world.instance.repository);
    let files: Vec<_> = files.into_iter().filter(|(path, _)| !path.ends_with(".gitignore")).collect();
    let mut refused = 0;
    let mut state = 88_172_645_463_325_252_u64;
    for round in 0..flips {
        let (path, whole) = &files[round % files.len()];
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let bit = usize::try_from(state % (whole.len() as u64 * 8)).unwrap();
        let mut damaged = whole.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        fs::write(path, damaged).unwrap();
        let tried = takt_backup::Repository::open(
            &world.instance.repository,
            &takt_backup::instance_key(data).unwrap(),
        )
        .map_err(BackupError::from)
        .and_then(|repository| restore_over(&repository, None, data, NIGHT));
        assert!(tried.is_err(), "bit {bit} of {}", path.display());
        refused += 1;
        fs::write(path, whole).unwrap();
        assert!(content(data) == live, "bit {bit} of {}: live data was touched", path.display());
    }
    println!("{refused} of {flips} refused");
    assert_eq!(orders(data), 3);
}
