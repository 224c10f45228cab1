//! A copy is of one moment, whatever is written meanwhile, and whoever looks at it sees what is wrong with it.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use takt_model::{Principal, Project, Value};
use takt_plan::Plan;
use takt_store::{Examined, Store, StoreError, Thoroughness, Tx, examine};

use crate::fixture::*;

/// Two rows in one transaction.
fn write_pair(store: &Store, project: &Arc<Project>, number: i64) {
    let row = |n: i64| {
        let row = [("id", Value::Integer(n)), ("text", text("a label"))];
        guarded(project, &Principal::service(), Plan::Insert(on(project, "labels").insert(&[&row])))
    };
    let pair = [row(1_000 + 2 * number), row(1_001 + 2 * number)];
    let job = move |tx: &Tx| pair.iter().try_for_each(|p| tx.rows(p).map(drop));
    store.write_blocking::<(), StoreError>(context(7), job).unwrap();
}

fn rows(examined: &Examined, table: &str) -> u64 {
    examined.tables.iter().find(|t| t.name == table).unwrap().rows
}

#[test]
fn a_copy_is_of_one_moment_while_writes_go_on() {
    let shop = Shop::new();
    let dir = tempfile::tempdir().unwrap();
    let (stop, written) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|threads| {
        let (store, project) = (shop.store.clone(), Arc::clone(&shop.project));
        let (stop, written) = (&stop, &written);
        threads.spawn(move || {
            for number in 0.. {
                write_pair(&store, &project, number);
                written.fetch_add(1, Ordering::SeqCst);
                if stop.load(Ordering::SeqCst) {
                    break;
                }
            }
        });
        for round in 0..20 {
            let file = dir.path().join(format!("{round} of ?20%.db"));
            let before = written.load(Ordering::SeqCst);
            shop.store.copy(&file).unwrap();
            let after = written.load(Ordering::SeqCst) + 1;
            let seen = examine(&file, Thoroughness::Whole, &[]).unwrap();
            assert_eq!((seen.faults.len(), seen.broken_links), (0, 0));
            let labels = rows(&seen, "labels");
            assert_eq!(labels % 2, 0, "half a transaction");
            assert!((before..=after).contains(&(labels / 2)), "{before} {labels} {after}");
            let beside = fs::read_dir(dir.path()).unwrap().count();
            assert_eq!(beside, round + 1, "looking leaves nothing beside the file");
        }
        stop.store(true, Ordering::SeqCst);
    });
}

#[test]
fn a_copy_opens_as_a_database_does() {
    let shop = Shop::new();
    write_pair(&shop.store, &shop.project, 1);
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().to_owned();
    shop.store.copy(&dir.path().join("takt.db")).unwrap();
    assert!(shop.store.copy(&dir.path().join("takt.db")).is_err(), "nothing is written over");
    let copy = Shop::with(dir, Store::open(options(&place)).unwrap());
    let all = copy.json(&Principal::service(), Plan::read(copy.on("labels").node("id", "", "id")));
    assert_eq!(all, r#"[{"id":1002},{"id":1003}]"#);
    // As any other database: it is written to.
    write_pair(&copy.store, &copy.project, 2);
}

#[test]
fn whoever_looks_sees_what_is_wrong() {
    let shop = Shop::new();
    for number in 0..400 {
        write_pair(&shop.store, &shop.project, number);
    }
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("copy.db");
    shop.store.copy(&file).unwrap();
    let whole = fs::read(&file).unwrap();
    // A page that is no page any more.
    let mut damaged = whole.clone();
    let middle = whole.len() / 2 / 4096 * 4096;
    damaged[middle..middle + 4096].fill(0xff);
    fs::write(&file, damaged).unwrap();
    let seen = examine(&file, Thoroughness::Whole, &[]);
    assert!(seen.is_err() || !seen.unwrap().faults.is_empty());
    fs::write(&file, b"no database at all, but long enough to be read as one".repeat(100)).unwrap();
    assert!(examine(&file, Thoroughness::Quick, &[]).is_err());
    assert!(examine(&dir.path().join("none.db"), Thoroughness::Quick, &[]).is_err());
}

#[test]
fn the_newest_row_is_dated_by_the_field_that_is_asked_for() {
    let shop = Shop::new();
    write_pair(&shop.store, &shop.project, 1);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("copy.db");
    shop.store.copy(&file).unwrap();
    let seen = examine(&file, Thoroughness::Quick, &[("labels".to_owned(), "id".to_owned())]).unwrap();
    let labels = seen.tables.iter().find(|t| t.name == "labels").unwrap();
    assert_eq!((labels.rows, labels.newest), (2, Some(1_003)));
    assert!(seen.tables.iter().filter(|t| t.name != "labels").all(|t| t.newest.is_none()));
}
