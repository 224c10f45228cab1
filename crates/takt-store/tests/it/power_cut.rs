//! The power is cut at random instants under load: whatever was acknowledged is there, nothing is half there.
//! The same run without FULL must lose rows, or this test could not fail.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

use parking_lot::Mutex;
use takt_model::{Principal, Value};
use takt_plan::Plan;
use takt_store::{Store, StoreError, StoreOptions, Tx};
use takt_testkit::CrashVfs;

use crate::fixture::*;

const WRITERS: i64 = 8;
const ROWS_OF_EACH: i64 = 120;

/// What was acknowledged when (as a moment of the disk), and the disk that remembers how it came to be.
struct Run {
    vfs: CrashVfs,
    ready: usize,
    acknowledged: BTreeMap<i64, usize>,
}

/// Writers in parallel; each of their jobs stores a label and a category with the same number, or neither.
fn run(vfs: &str, synchronous_full: bool) -> Run {
    let vfs = CrashVfs::register(vfs).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let options = StoreOptions { vfs: vfs.name().to_owned(), synchronous_full, ..options(folder.path()) };
    let shop = Arc::new(Mutex::new(Shop::with(folder, Store::open(options).unwrap())));
    let ready = vfs.disk().moment();
    let acknowledged = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (shop, vfs, acknowledged) = (Arc::clone(&shop), &vfs, &acknowledged);
            scope.spawn(move || {
                for n in 0..ROWS_OF_EACH {
                    let number = writer * ROWS_OF_EACH + n;
                    let (store, pair) = {
                        let shop = shop.lock();
                        (shop.store.clone(), pair(&shop, number))
                    };
                    let job = move |tx: &Tx| {
                        for plan in &pair {
                            tx.rows(plan)?;
                        }
                        Ok::<_, StoreError>(())
                    };
                    store.write_blocking(context(0), job).unwrap();
                    let moment = vfs.disk().moment();
                    acknowledged.lock().insert(number, moment);
                }
            });
        }
    });
    shop.lock().store.close();
    Run { vfs, ready, acknowledged: acknowledged.into_inner() }
}

fn pair(shop: &Shop, number: i64) -> [takt_plan::Guarded; 2] {
    // Long rows, so that the log is written back into the database several times during the run.
    let long = "x".repeat(usize::try_from(500 + number % 3_000).unwrap());
    let service = Principal::service();
    let label = [("id", Value::Integer(number)), ("text", text(&long))];
    let category = [("id", Value::Integer(number)), ("name", text("pair"))];
    [
        guarded(&shop.project, &service, Plan::Insert(shop.on("labels").insert(&[&label]))),
        guarded(&shop.project, &service, Plan::Insert(shop.on("categories").insert(&[&category]))),
    ]
}

/// Cuts the power again and again; the number of acknowledged rows that were lost in all cuts together.
fn cut(run: &Run, cuts: u64) -> usize {
    let end = run.vfs.disk().moment();
    let mut lost = 0;
    for seed in 0..cuts {
        let moment = run.ready + usize::try_from(mix(seed)).unwrap() % (end - run.ready);
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in run.vfs.disk().power_cut(moment, seed) {
            std::fs::write(folder.path().join(name), bytes).unwrap();
        }
        let found = open_and_check(folder.path(), seed);
        let expected = run.acknowledged.iter().filter(|(_, at)| **at <= moment).map(|(n, _)| n);
        lost += expected.filter(|n| !found.contains(n)).count();
    }
    lost
}

/// The product opens what the power cut left; pairs are whole and the file is sound. The labels that are there.
fn open_and_check(folder: &Path, seed: u64) -> BTreeSet<i64> {
    let project = project();
    let store = Store::open(options(folder)).unwrap_or_else(|e| panic!("cut {seed}: {e}"));
    if store.stored_schema().unwrap().tables.is_empty() {
        // Not even the making of the tables has survived.
        return BTreeSet::new();
    }
    let ids = |table: &str| -> BTreeSet<i64> {
        let plan = guarded(&project, &Principal::system("test"), on(&project, table).read("id", "", ""));
        let (rows, _) = store.read_here(context(0), |tx| tx.rows(&plan)).unwrap();
        let id = |row: &Vec<Value>| if let Value::Integer(n) = row[0] { n } else { -1 };
        rows.rows.iter().map(id).collect()
    };
    let (labels, categories) = (ids("labels"), ids("categories"));
    assert_eq!(labels, categories, "cut {seed}: a job is half there");
    store.close();
    let conn = rusqlite::Connection::open(folder.join("takt.db")).unwrap();
    let sound: String = conn.query_row("PRAGMA integrity_check", [], |r| r.get(0)).unwrap();
    assert_eq!(sound, "ok", "cut {seed}");
    labels
}

fn mix(seed: u64) -> u64 {
    (seed + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20
}

#[test]
fn nothing_acknowledged_is_lost_in_a_power_cut() {
    let run = run("takt-crash-full", true);
    assert_eq!(run.acknowledged.len(), usize::try_from(WRITERS * ROWS_OF_EACH).unwrap());
    let cuts = std::env::var("TAKT_CUTS").ok().and_then(|n| n.parse().ok()).unwrap_or(200);
    let lost = cut(&run, cuts);
    println!("{cuts} power cuts, {} rows acknowledged, {lost} lost", run.acknowledged.len());
    assert_eq!(lost, 0);
}

#[test]
fn without_full_the_same_run_loses_rows() {
    let lost = cut(&run("takt-crash-normal", false), 30);
    println!("the same with synchronous=NORMAL: {lost} rows lost in 30 cuts");
    assert!(lost > 0, "this test could not see a loss");
}
