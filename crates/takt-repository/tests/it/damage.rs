//! One flipped bit anywhere: it is found without a key, and nothing wrong is ever given back.
//! `TAKT_FLIPS=1000` is the long form.

use std::fs;

use takt_repository::{Repository, RepositoryError, verify_files};

use crate::world::{World, files_in, key};

fn flips() -> u64 {
    std::env::var("TAKT_FLIPS").ok().and_then(|n| n.parse().ok()).unwrap_or(24)
}

#[test]
fn every_flipped_bit_is_found_and_never_given_back() {
    let world = World::new();
    let (_, made) = world.made();
    let files = files_in(&world.repository());
    let files: Vec<_> = files.into_iter().filter(|f| !f.ends_with(".gitignore")).collect();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut draw = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let (mut refused, mut not_needed) = (0, 0);
    for round in 0..flips() {
        // Each kind of file in turn, so that the large ones do not get all.
        let file = &files[usize::try_from(round).unwrap() % files.len()];
        let whole = fs::read(file).unwrap();
        let bit = draw(whole.len() as u64 * 8);
        let mut damaged = whole.clone();
        damaged[usize::try_from(bit / 8).unwrap()] ^= 1 << (bit % 8);
        fs::write(file, &damaged).unwrap();

        let place = format!("bit {bit} of {}", file.display());
        let is_config = file.ends_with("config");
        let verified = verify_files(&world.repository());
        assert!(is_config || matches!(verified, Err(RepositoryError::Damaged(_))), "{place}: {verified:?}");
        let checked = Repository::open(&world.repository(), &key()).and_then(|r| r.check());
        assert!(checked.is_err(), "{place}: {checked:?}");

        // Without looking first: what comes back is right, or nothing does.
        let into = world.empty(&format!("restored/{round}"));
        let restored =
            Repository::open(&world.repository(), &key()).and_then(|r| r.restore(&made.snapshot, &into));
        match restored {
            Ok(_) => {
                world.assert_all_in(&into);
                not_needed += 1;
            }
            Err(_) => refused += 1,
        }
        fs::remove_dir_all(into).unwrap();
        fs::write(file, &whole).unwrap();
    }
    println!("{} flips: {refused} refused, {not_needed} where the bit was not needed", flips());
    assert!(refused > 0);
    Repository::open(&world.repository(), &key()).unwrap().check().unwrap();
}

#[test]
fn what_is_cut_short_or_missing_is_found() {
    let world = World::new();
    let (_, made) = world.made();
    for kind in ["data", "index", "snapshots", "keys"] {
        for file in files_in(&world.repository().join(kind)) {
            let whole = fs::read(&file).unwrap();
            let place = file.display();
            fs::write(&file, &whole[..whole.len() / 2]).unwrap();
            assert!(verify_files(&world.repository()).is_err(), "half of {place}");
            fs::remove_file(&file).unwrap();
            let opened = Repository::open(&world.repository(), &key());
            let gone = opened.and_then(|r| {
                r.check()?;
                r.restore(&made.snapshot, &world.empty("never"))
            });
            assert!(gone.is_err(), "without {place}");
            fs::write(&file, whole).unwrap();
        }
    }
}
