//! What is backed up comes back, once, and only with a key.

use std::{fs, os::unix::fs::PermissionsExt};

use takt_repository::{Item, Key, KeyHolder, Repository, RepositoryError, verify_files};

use crate::world::{NIGHT, World, files_in, key, noise};

#[test]
fn what_is_backed_up_comes_back() {
    let world = World::new();
    let (repository, made) = world.made();
    assert_eq!((made.snapshot.files, made.snapshot.bytes, made.snapshot.at), (3, 3_000_013, NIGHT));
    let into = world.empty("restored");
    let restored = repository.restore(&made.snapshot, &into).unwrap();
    assert_eq!((restored.files, restored.bytes), (3, 3_000_013));
    world.assert_all_in(&into);
    let mode = |name: &str| fs::metadata(into.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("data"), mode("data/takt.db")), (0o700, 0o600), "what is private stays private");
    assert!(repository.check().unwrap() > 3_000_000);
}

#[test]
fn a_second_backup_adds_what_changed() {
    let world = World::new();
    // A repository cuts where chance of its own says, at most every 8 MB: in a smaller file the changed page may lie in a
    // piece that is nearly all of it.
    let mut content = noise(7, 16_000_000);
    world.write("takt.db", &content);
    let (repository, first) = world.made();
    // As in a database: a page in the middle.
    content[8_000_000..8_004_096].fill(1);
    world.write("takt.db", &content);
    let second = repository.back_up(world.items(), NIGHT + 1).unwrap();
    assert!(first.snapshot.added > 16_000_000, "{first:?}");
    assert!(second.snapshot.added < 13_000_000 && second.unchanged == 2, "{second:?}");
    let ids: Vec<_> = repository.snapshots().unwrap().into_iter().map(|s| s.id).collect();
    assert_eq!(ids, [second.snapshot.id.clone(), first.snapshot.id.clone()], "newest first");
    let into = world.empty("restored");
    repository.restore(&second.snapshot, &into).unwrap();
    world.assert_all_in(&into);
}

#[test]
fn a_file_that_cannot_be_read_leaves_no_backup() {
    let world = World::new();
    let (repository, _) = world.made();
    let mut items = world.items();
    // Opens, and then cannot be read: what the library would leave out without a word.
    items.push(Item { name: "public/folder".into(), from: world.empty("a folder"), private: false });
    let refused = repository.back_up(items, NIGHT + 1).unwrap_err();
    assert!(
        matches!(&refused, RepositoryError::Incomplete(what) if what.contains("a folder")),
        "{refused:?}"
    );
    assert_eq!(repository.snapshots().unwrap().len(), 1);
    repository.check().unwrap();
}

#[test]
fn nothing_is_readable_without_a_key() {
    let world = World::new();
    world.write("takt.db", b"a customer called Quillwort".repeat(2000).as_slice());
    let (_, _) = world.made();
    for file in files_in(&world.repository()) {
        let content = fs::read(&file).unwrap();
        assert!(!content.windows(9).any(|w| w == b"Quillwort"), "{}", file.display());
    }
    let wrong = Repository::open(&world.repository(), &Key::new("guess")).unwrap_err();
    assert_eq!(wrong, RepositoryError::WrongKey);
    assert_eq!(format!("{:?}", key()), "Key(***)");
}

#[test]
fn the_owners_key_opens_it_without_the_instance() {
    let world = World::new();
    let (repository, made) = world.made();
    assert!(!repository.has_key_of(KeyHolder::Owner).unwrap());
    let owner = Key::new("ABCDE-FGHJK");
    repository.add_key(&owner, KeyHolder::Owner).unwrap();
    let theirs = Repository::open(&world.repository(), &owner).unwrap();
    assert!(
        theirs.is_opened_by(KeyHolder::Owner).unwrap() && theirs.has_key_of(KeyHolder::Instance).unwrap()
    );
    let into = world.empty("restored");
    theirs.restore(&made.snapshot, &into).unwrap();
    world.assert_all_in(&into);
    // A lost key is taken back.
    let another = Key::new("MNPQR-STVWX");
    repository.replace_key(&another, KeyHolder::Owner).unwrap();
    assert_eq!(Repository::open(&world.repository(), &owner).unwrap_err(), RepositoryError::WrongKey);
    for good in [another, key()] {
        Repository::open(&world.repository(), &good).unwrap();
    }
}

#[test]
fn what_is_forgotten_is_gone_and_the_rest_is_whole() {
    let world = World::new();
    let (repository, first) = world.made();
    world.write("takt.db", &noise(8, 3_000_000));
    let second = repository.back_up(world.items(), NIGHT + 1).unwrap();
    repository.forget(&[first.snapshot.id]).unwrap();
    let left: Vec<_> = repository.snapshots().unwrap().into_iter().map(|s| s.id).collect();
    assert_eq!(left, std::slice::from_ref(&second.snapshot.id));
    repository.check().unwrap();
    let into = world.empty("restored");
    repository.restore(&second.snapshot, &into).unwrap();
    world.assert_all_in(&into);
}

#[test]
fn a_write_that_was_cut_off_hinders_nobody() {
    let world = World::new();
    let (repository, made) = world.made();
    let pack = files_in(&world.repository().join("data")).remove(0);
    let left = pack.with_extension("unfinished");
    fs::write(&left, b"half").unwrap();
    assert!(verify_files(&world.repository()).is_ok(), "it is no file of the repository");
    repository.check().unwrap();
    repository.back_up(world.items(), NIGHT + 1).unwrap();
    assert!(!left.exists(), "the next backup tidies up");
    assert!(repository.snapshots().unwrap().iter().any(|s| s.id == made.snapshot.id));
}

#[test]
fn places_are_told_apart() {
    let world = World::new();
    let missing = Repository::open(&world.repository(), &key()).unwrap_err();
    assert!(matches!(missing, RepositoryError::Missing(_)));
    assert!(matches!(verify_files(&world.repository()).unwrap_err(), RepositoryError::Missing(_)));
    let (_, _) = world.made();
    assert!(matches!(Repository::make(&world.repository(), &key()).unwrap_err(), RepositoryError::Exists(_)));
}
