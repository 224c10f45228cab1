//! The other tool: restic reads what we write, and we read what it wrote. Needs `restic`; a machine of ours has it
//! when `TAKT_NEEDS_RESTIC` is set, and then its absence is a failure.

use std::{path::Path, process::Command};

use takt_repository::Repository;

use crate::world::{NIGHT, World, key, noise};

/// `None` if there is no restic here and none is needed.
fn restic(repository: &Path, arguments: &[&str]) -> Option<String> {
    let ran = Command::new("restic")
        .args(["--repo", &repository.display().to_string(), "--no-cache"])
        .args(arguments)
        .env("RESTIC_PASSWORD", key().reveal())
        .output();
    match ran {
        Ok(ran) => {
            let (said, complained) =
                (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
            assert!(ran.status.success(), "restic {arguments:?}: {said}{complained}");
            Some(said.into_owned())
        }
        Err(error) => {
            assert!(std::env::var_os("TAKT_NEEDS_RESTIC").is_none(), "restic: {error}");
            println!("restic is not installed: not tried");
            None
        }
    }
}

#[test]
fn restic_checks_and_restores_what_we_wrote() {
    let world = World::new();
    let (repository, _) = world.made();
    world.write("takt.db", &noise(9, 3_000_000));
    let second = repository.back_up(world.items(), NIGHT + 1).unwrap();
    let Some(said) = restic(&world.repository(), &["check", "--read-data"]) else { return };
    assert!(said.contains("no errors were found"), "{said}");
    let into = world.path("by restic");
    restic(&world.repository(), &["restore", &second.snapshot.id, "--target", &into.display().to_string()]);
    world.assert_all_in(&into);
}

#[test]
fn restic_finds_no_fault_after_we_have_forgotten() {
    let world = World::new();
    let (repository, first) = world.made();
    world.write("takt.db", &noise(10, 3_000_000));
    repository.back_up(world.items(), NIGHT + 1).unwrap();
    repository.forget(&[first.snapshot.id]).unwrap();
    restic(&world.repository(), &["check", "--read-data"]);
}

#[test]
fn we_read_what_restic_has_pruned() {
    let world = World::new();
    let (repository, _) = world.made();
    world.write("takt.db", &noise(11, 3_000_000));
    let second = repository.back_up(world.items(), NIGHT + 1).unwrap();
    if restic(&world.repository(), &["forget", "--keep-last", "1", "--group-by", "host", "--prune"]).is_none()
    {
        return;
    }
    let again = Repository::open(&world.repository(), &key()).unwrap();
    again.check().unwrap();
    assert_eq!(again.snapshots().unwrap().len(), 1);
    let into = world.empty("restored");
    again.restore(&second.snapshot, &into).unwrap();
    world.assert_all_in(&into);
}
