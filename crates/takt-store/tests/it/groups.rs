//! The commit group: one job's failure is its own, and nothing is acknowledged that is not committed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::Duration,
};

use takt_model::{Principal, Value};
use takt_plan::{Guarded, Plan};
use takt_store::{Store, StoreError, StoreOptions, Tx};
use takt_testkit::CrashVfs;

use crate::fixture::*;

type Answer = Result<(), StoreError>;
type Job = Box<dyn FnMut(&Tx) -> Answer + Send>;

fn label(shop: &Shop, n: i64) -> Guarded {
    let row = [("id", Value::Integer(n)), ("text", text("a"))];
    guarded(&shop.project, &Principal::service(), Plan::Insert(shop.on("labels").insert(&[&row])))
}

fn count(shop: &Shop) -> u64 {
    shop.run(&Principal::service(), counted(shop.on("labels").node("id", "", ""))).unwrap().1.count.unwrap()
}

/// Holds the writer until the returned sender is dropped, so that what is sent meanwhile makes one group.
fn hold(store: &Store) -> (mpsc::Sender<()>, std::thread::JoinHandle<Answer>) {
    let (free, held) = mpsc::channel::<()>();
    let (began, wait) = mpsc::channel();
    let store = store.clone();
    let thread = std::thread::spawn(move || {
        store.write_blocking(context(0), move |_| {
            let _ = began.send(());
            let _ = held.recv();
            Ok(())
        })
    });
    wait.recv().unwrap();
    (free, thread)
}

/// Runs all jobs as one group behind a held writer; the answers in order.
fn together(shop: &Shop, jobs: Vec<Job>) -> Vec<Answer> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (free, held) = hold(&shop.store);
    let answers = runtime.block_on(async {
        let waiting: Vec<_> = jobs
            .into_iter()
            .map(|job| {
                let store = shop.store.clone();
                Box::pin(async move { store.write(context(1), job).await })
            })
            .collect();
        let all = futures(waiting);
        tokio::pin!(all);
        // The first poll puts every job into the queue; then the writer may go on.
        tokio::select! { biased; _ = &mut all => panic!("answered before the writer was free"), () = std::future::ready(()) => {} }
        drop(free);
        all.await
    });
    held.join().unwrap().unwrap();
    answers
}

async fn futures<F: Future<Output = Answer> + Unpin>(mut waiting: Vec<F>) -> Vec<Answer> {
    let mut answers: Vec<Option<Answer>> = waiting.iter().map(|_| None).collect();
    std::future::poll_fn(|cx| {
        for (future, answer) in waiting.iter_mut().zip(&mut answers) {
            if answer.is_none()
                && let std::task::Poll::Ready(done) = std::pin::Pin::new(future).poll(cx)
            {
                *answer = Some(done);
            }
        }
        if answers.iter().all(Option::is_some) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    answers.into_iter().flatten().collect()
}

fn insert(plan: Guarded) -> Job {
    Box::new(move |tx| tx.rows(&plan).map(|_| ()))
}

#[test]
fn a_job_that_fails_undoes_itself_and_nobody_else() {
    let shop = Shop::new();
    let jobs = (0..40).map(|n| insert(label(&shop, if n == 20 { 3 } else { n }))).collect();
    let answers = together(&shop, jobs);
    let failed: Vec<usize> = (0..40).filter(|n| answers[*n].is_err()).collect();
    assert_eq!(failed, [20]);
    assert!(matches!(&answers[20], Err(StoreError::Refused { code: "23505", .. })));
    assert_eq!(count(&shop), 39);
}

#[test]
fn jobs_run_in_the_order_they_came() {
    let shop = Shop::new();
    let seen = Arc::new(parking_lot::Mutex::new(Vec::new()));
    let jobs = (0..50)
        .map(|n| {
            let seen = Arc::clone(&seen);
            Box::new(move |_: &Tx| {
                seen.lock().push(n);
                Ok(())
            }) as Job
        })
        .collect();
    together(&shop, jobs);
    assert_eq!(*seen.lock(), (0..50).collect::<Vec<_>>());
}

#[test]
fn a_panic_is_answered_and_the_others_are_stored() {
    let shop = Shop::new();
    let mut jobs: Vec<_> = (0..10).map(|n| insert(label(&shop, n))).collect();
    let plan = label(&shop, 99);
    jobs.insert(
        5,
        Box::new(move |tx| {
            tx.rows(&plan)?;
            panic!("a job's own fault");
        }),
    );
    let answers = together(&shop, jobs);
    assert_eq!(answers.iter().filter(|a| a.is_ok()).count(), 10);
    assert_eq!(answers[5], Err(StoreError::Internal("a write job panicked".to_owned())));
    assert_eq!(count(&shop), 10);
    shop.put(Plan::Insert(shop.on("labels").insert(&[&[("id", Value::Integer(100)), ("text", text("a"))]])));
}

#[test]
fn a_full_quota_fails_who_fills_it_and_keeps_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(folder.path());
    options.database_bytes = 300_000;
    let shop = Shop::with(folder, Store::open(options).unwrap());
    let big = |n: i64| {
        let row = [("id", Value::Integer(n)), ("text", Value::Text("x".repeat(400_000)))];
        guarded(&shop.project, &Principal::service(), Plan::Insert(shop.on("labels").insert(&[&row])))
    };
    let jobs = (0..30).map(|n| insert(if n % 10 == 4 { big(n) } else { label(&shop, n) })).collect();
    let answers = together(&shop, jobs);
    let full: Vec<usize> = (0..30).filter(|n| answers[*n] == Err(StoreError::Full)).collect();
    assert_eq!(full, [4, 14, 24]);
    assert_eq!(answers.iter().filter(|a| a.is_ok()).count(), 27);
    assert_eq!(count(&shop), 27);
}

#[test]
fn a_job_that_swallows_a_fall_is_not_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(folder.path());
    options.database_bytes = 300_000;
    let shop = Shop::with(folder, Store::open(options).unwrap());
    let row = [("id", Value::Integer(1)), ("text", Value::Text("x".repeat(400_000)))];
    let big = guarded(&shop.project, &Principal::service(), Plan::Insert(shop.on("labels").insert(&[&row])));
    let after = label(&shop, 2);
    let fell = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&fell);
    let before: Vec<_> = (10..15).map(|n| insert(label(&shop, n))).collect();
    let mut jobs = before;
    jobs.push(Box::new(move |tx| {
        let _ = tx.rows(&big);
        seen.fetch_add(usize::from(!tx.is_alive()), Ordering::Relaxed);
        assert!(tx.rows(&after).is_err(), "nothing may be written outside of a transaction");
        Ok(())
    }));
    let answers = together(&shop, jobs);
    assert_eq!(fell.load(Ordering::Relaxed), 1, "SQLite rolled everything back, once");
    assert!(answers[..5].iter().all(Result::is_ok), "the others ran again");
    assert_eq!((&answers[5], count(&shop)), (&Err(StoreError::Full), 5));
}

#[test]
fn a_full_queue_refuses_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(folder.path());
    options.write_queue = 2;
    let shop = Shop::with(folder, Store::open(options).unwrap());
    let jobs = (0..5).map(|n| insert(label(&shop, n))).collect();
    let answers = together(&shop, jobs);
    assert_eq!(answers.iter().filter(|a| **a == Err(StoreError::Busy)).count(), 3);
    assert_eq!(count(&shop), 2);
}

#[test]
fn a_job_whose_caller_has_gone_does_not_run() {
    let shop = Shop::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let (free, held) = hold(&shop.store);
    let plan = label(&shop, 1);
    runtime.block_on(async {
        let write = shop.store.write(context(1), move |tx| tx.rows(&plan).map(|_| ()));
        assert!(tokio::time::timeout(Duration::from_millis(20), write).await.is_err());
    });
    drop(free);
    held.join().unwrap().unwrap();
    assert_eq!(count(&shop), 0);
}

#[test]
fn readers_answer_beside_a_held_writer() {
    let shop = Shop::new();
    shop.put(Plan::Insert(shop.on("labels").insert(&[&[("id", Value::Integer(1)), ("text", text("a"))]])));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (free, held) = hold(&shop.store);
    let plan = guarded(&shop.project, &Principal::service(), shop.on("labels").read("id", "", ""));
    let read = shop.store.read(context(0), move |tx| tx.rows(&plan));
    assert_eq!(runtime.block_on(read).unwrap().1.returned, 1);
    let panicking = shop.store.read(context(0), |_| -> Answer { panic!("a job's own fault") });
    assert!(runtime.block_on(panicking).is_err());
    assert_eq!(count(&shop), 1);
    drop(free);
    held.join().unwrap().unwrap();
}

#[test]
fn a_closed_store_answers_busy() {
    let shop = Shop::new();
    shop.store.close();
    let plan = label(&shop, 1);
    assert_eq!(
        shop.store.write_blocking(context(0), move |tx| tx.rows(&plan).map(|_| ())),
        Err(StoreError::Busy)
    );
    assert_eq!(shop.store.read_here(context(0), |_| Ok::<_, StoreError>(())), Err(StoreError::Busy));
}

/// A store on a disk that can fail.
fn on_failing_disk(name: &str) -> (CrashVfs, Shop) {
    let vfs = CrashVfs::register(name).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let options = StoreOptions { vfs: vfs.name().to_owned(), ..options(folder.path()) };
    let shop = Shop::with(folder, Store::open(options).unwrap());
    (vfs, shop)
}

/// How many labels a fresh process finds.
fn count_after_restart(shop: Shop) -> u64 {
    count(&shop.reopened())
}

#[test]
fn a_full_disk_at_the_commit_acknowledges_only_what_is_stored() {
    let (vfs, shop) = on_failing_disk("takt-full-disk");
    let log = std::fs::metadata(shop.folder.path().join("takt.db-wal")).unwrap().len();
    // Room for a few of the jobs alone, but not for all of them together.
    vfs.set_room(Some(log + 60_000));
    let long = |n: i64| {
        let row = [("id", Value::Integer(n)), ("text", Value::Text("x".repeat(9_000)))];
        guarded(&shop.project, &Principal::service(), Plan::Insert(shop.on("labels").insert(&[&row])))
    };
    let answers = together(&shop, (0..20).map(|n| insert(long(n))).collect());
    let stored = answers.iter().filter(|a| a.is_ok()).count();
    assert!(answers.iter().all(|a| matches!(a, Ok(()) | Err(StoreError::Full))), "{answers:?}");
    assert!(stored > 0 && stored < 20, "{stored} stored");
    assert_eq!(count(&shop), stored as u64);
    vfs.set_room(None);
    shop.put(Plan::Insert(shop.on("labels").insert(&[&[("id", Value::Integer(99)), ("text", text("a"))]])));
    assert!(shop.store.health().writable);
    assert_eq!(count_after_restart(shop), stored as u64 + 1);
}

#[test]
fn a_sync_that_fails_acknowledges_nobody() {
    let (vfs, shop) = on_failing_disk("takt-failing-sync");
    vfs.set_syncs_fail(true);
    let answers = together(&shop, (0..5).map(|n| insert(label(&shop, n))).collect());
    assert!(answers.iter().all(|a| matches!(a, Err(StoreError::Internal(_)))), "{answers:?}");
    assert!(!shop.store.health().writable);
    vfs.set_syncs_fail(false);
    shop.put(Plan::Insert(shop.on("labels").insert(&[&[("id", Value::Integer(99)), ("text", text("a"))]])));
    assert!(shop.store.health().writable);
    assert_eq!(count_after_restart(shop), 1);
}

#[test]
fn a_write_job_that_waits_for_another_is_refused_not_hung() {
    let shop = Shop::new();
    let store = shop.store.clone();
    let inner = move |_: &Tx| store.write_blocking(context(0), |_| Ok::<_, StoreError>(()));
    assert!(matches!(shop.store.write_blocking(context(0), inner), Err(StoreError::Internal(_))));
}

/// The labels that a job left behind; it is given plans for new ones by their numbers.
fn left_by(mut job: impl FnMut(&Tx, &[Guarded]) -> Answer + Send + 'static) -> String {
    let shop = Shop::new();
    let plans: Vec<Guarded> = (0..5).map(|n| label(&shop, n)).collect();
    let work: Job = Box::new(move |tx| job(tx, &plans));
    together(&shop, vec![work]);
    shop.run(&Principal::service(), Plan::read(shop.on("labels").node("id", "", "id"))).unwrap().0
}

fn give_up() -> Answer {
    Err(StoreError::Internal("given up".to_owned()))
}

#[test]
fn a_nested_job_that_gives_up_undoes_itself_and_nothing_before_it() {
    let before = left_by(|tx, labels| {
        tx.rows(&labels[1])?;
        let _ = tx.nested(|tx| tx.rows(&labels[2]).map(drop).and_then(|()| give_up()));
        tx.rows(&labels[3]).map(drop)
    });
    assert_eq!(before, r#"[{"id":1},{"id":3}]"#);
    let first = left_by(|tx, labels| {
        let _ = tx.nested(|tx| {
            let _ = tx.nested(|tx| tx.rows(&labels[1]).map(drop).and_then(|()| give_up()));
            tx.rows(&labels[2])?;
            tx.nested(|tx| tx.rows(&labels[3]).map(drop))?;
            let _ = tx.nested(|tx| tx.rows(&labels[4]).map(drop).and_then(|()| give_up()));
            Ok::<_, StoreError>(())
        });
        Ok(())
    });
    assert_eq!(first, r#"[{"id":2},{"id":3}]"#);
    let outer = left_by(|tx, labels| {
        let _ = tx.nested(|tx| {
            tx.nested(|tx| tx.rows(&labels[1]).map(drop))?;
            give_up()
        });
        Ok(())
    });
    assert_eq!(outer, "[]");
}

#[test]
fn a_write_that_fails_leaves_what_its_transaction_wrote_before() {
    let left = left_by(|tx, labels| {
        tx.rows(&labels[1])?;
        assert!(tx.rows(&labels[1]).is_err());
        tx.nested(|tx| {
            assert!(tx.rows(&labels[1]).is_err());
            tx.rows(&labels[2]).map(drop)
        })
    });
    assert_eq!(left, r#"[{"id":1},{"id":2}]"#);
}

#[test]
fn a_panic_in_a_nested_job_undoes_the_whole_job() {
    let left = left_by(|tx, labels| {
        tx.rows(&labels[1])?;
        tx.nested(|tx| -> Answer {
            tx.rows(&labels[2])?;
            panic!("a job's own fault")
        })
    });
    assert_eq!(left, "[]");
}
