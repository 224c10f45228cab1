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
use takt_store::{Store, StoreError, Tx};

use crate::fixture::*;

type Answer = Result<(), StoreError>;

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
fn together(shop: &Shop, jobs: Vec<Box<dyn FnMut(&Tx) -> Answer + Send>>) -> Vec<Answer> {
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
        if answers.iter().all(Option::is_some) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    answers.into_iter().flatten().collect()
}

fn insert(plan: Guarded) -> Box<dyn FnMut(&Tx) -> Answer + Send> {
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
            }) as Box<dyn FnMut(&Tx) -> Answer + Send>
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
    let jobs = (0..30)
        .map(|n| insert(if n % 10 == 4 { big(n) } else { label(&shop, n) }))
        .collect();
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
    let runs = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&runs);
    let before: Vec<_> = (10..15).map(|n| insert(label(&shop, n))).collect();
    let mut jobs = before;
    jobs.push(Box::new(move |tx| {
        seen.fetch_add(1, Ordering::Relaxed);
        let _ = tx.rows(&big);
        if tx.is_alive() {
            // Only the statement was undone: going on is honest.
            return tx.rows(&after).map(|_| ());
        }
        assert!(tx.rows(&after).is_err(), "nothing may be written outside of a transaction");
        Ok(())
    }));
    let answers = together(&shop, jobs);
    assert!(answers[..5].iter().all(Result::is_ok));
    let stored = count(&shop);
    match &answers[5] {
        Ok(()) => assert_eq!(stored, 6),
        Err(error) => assert_eq!((error, stored), (&StoreError::Full, 5)),
    }
    assert_eq!(runs.load(Ordering::Relaxed), 1);
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
    assert_eq!(shop.store.write_blocking(context(0), move |tx| tx.rows(&plan).map(|_| ())), Err(StoreError::Busy));
    assert_eq!(shop.store.read_here(context(0), |_| Ok::<_, StoreError>(())), Err(StoreError::Busy));
}
