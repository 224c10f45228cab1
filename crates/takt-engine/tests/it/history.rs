//! Releases and request minutes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::time::Duration;

use takt_engine::{Release, RequestMinute};
use tempfile::tempdir;

use crate::house::{SHELVES, action, count, customer, fill, open, take};

#[test]
fn a_release_is_recorded_when_something_changed_and_a_return_is_noticed() {
    let folder = tempdir().unwrap();
    let (engine, _) = open(folder.path(), SHELVES).unwrap();
    let release = |at: i64, project: &str| Release { at, project: project.to_owned(), ..Release::default() };
    assert!(engine.record_start(release(1, "a")).unwrap().is_some());
    assert!(engine.record_start(release(2, "a")).unwrap().is_none(), "the same state is no release");
    assert!(!engine.record_start(release(3, "b")).unwrap().unwrap().came_back);
    assert!(engine.record_start(release(4, "a")).unwrap().unwrap().came_back);
    let all: Vec<i64> = engine.releases(10).unwrap().iter().map(|r| r.at).collect();
    assert_eq!(all, [4, 3, 1]);
}

#[tokio::test]
async fn minutes_add_up_across_flushes() {
    let folder = tempdir().unwrap();
    let (engine, _) = open(folder.path(), SHELVES).unwrap();
    let minute = |minute, succeeded| {
        let mut latency = [0; 16];
        latency[3] = succeeded;
        RequestMinute { minute, succeeded, failed: 1, latency }
    };
    engine.record_minutes(vec![minute(10, 5), minute(11, 1)]).await.unwrap();
    engine.record_minutes(vec![minute(11, 2)]).await.unwrap();
    let read = engine.minutes_since(11).unwrap();
    assert_eq!(read.len(), 1);
    assert_eq!((read[0].succeeded, read[0].failed, read[0].latency[3]), (3, 2, 3));
    assert_eq!(engine.minutes_since(0).unwrap().len(), 2);
}

#[tokio::test]
async fn old_stories_are_forgotten_a_thousand_at_once() {
    const DAY: Duration = Duration::from_secs(86_400);
    let folder = tempdir().unwrap();
    let (engine, clock) = open(folder.path(), SHELVES).unwrap();
    fill(&engine, 3_000);
    for _ in 0..1_001 {
        engine.act(action(customer(7), "{}", None), |tx| take(tx, 1)).await.unwrap();
    }
    clock.forward(DAY * 399);
    let young = engine.act(action(customer(7), "{}", None), |tx| take(tx, 1)).await.unwrap();
    assert_eq!(engine.forget_old_stories().await.unwrap(), 0, "nothing is old yet");
    clock.forward(DAY * 2);
    assert_eq!(engine.forget_old_stories().await.unwrap(), 1_000);
    assert_eq!(count(&engine, "takt.stories"), 2);
    assert_eq!(engine.forget_old_stories().await.unwrap(), 1);
    assert_eq!(engine.story_last(None).unwrap().unwrap().id, young.story.to_string());
    assert_eq!(engine.forget_old_stories().await.unwrap(), 0);
}
