//! An action is one transaction with its story, its events and its kept answer.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::time::Duration;

use takt_engine::{ActionError, EngineError, StoreError, StoryResult};
use takt_model::{Principal, Words};
use tempfile::tempdir;

use crate::house::{SHELVES, action, count, customer, fill, open, take};

#[tokio::test]
async fn a_success_commits_rows_event_and_story_together() {
    let folder = tempdir().unwrap();
    let (engine, _) = open(folder.path(), SHELVES).unwrap();
    fill(&engine, 3);
    let answer = engine.act(action(customer(7), "{}", None), |tx| take(tx, 1)).await.unwrap();
    assert_eq!((answer.status, answer.body.as_str(), answer.refused), (200, "Integer(2)", false));
    assert_eq!(count(&engine, "takt.outbox_events"), 1);
    let story = engine.story(answer.story).unwrap().unwrap();
    assert_eq!(story.result, StoryResult::Success);
    assert!(story.elevated);
    assert_eq!(story.events, ["stock.taken"]);
    let change = &story.steps[0].changes[0];
    assert_eq!(
        (change.table.as_str(), change.verb.as_str(), change.key.as_str()),
        ("shelves", "update", "1")
    );
    assert_eq!(change.rule, "service");
    let fields: Vec<_> =
        change.fields.iter().map(|f| (f.name.as_str(), f.before.as_deref(), f.after.as_deref())).collect();
    assert_eq!(fields, [("stock", Some("3"), Some("2"))]);
}

#[tokio::test]
async fn a_refusal_leaves_nothing_but_its_story() {
    let folder = tempdir().unwrap();
    let (engine, _) = open(folder.path(), SHELVES).unwrap();
    fill(&engine, 3);
    let refused = engine
        .act(action(customer(7), "{}", None), |tx| {
            take(tx, 1)?;
            Err(ActionError::Reject {
                status: 409,
                message: Words::from([("en", "Sold out"), ("de", "Ausverkauft")]),
                details_json: String::new(),
            })
        })
        .await
        .unwrap();
    assert_eq!((refused.status, refused.refused), (409, true));
    assert_eq!(refused.body, r#"{"message":{"en":"Sold out","de":"Ausverkauft"},"details":null}"#);
    assert_eq!(count(&engine, "takt.outbox_events"), 0);
    let story = engine.story_last(Some("take")).unwrap().unwrap();
    assert!(matches!(story.result, StoryResult::Refused { status: 409, .. }));
    assert!(story.steps[0].changes.is_empty(), "nothing was written, so nothing is told as changed");
    let answer = engine.act(action(customer(7), "{}", None), |tx| take(tx, 1)).await.unwrap();
    assert_eq!(answer.body, "Integer(2)");
}

#[tokio::test]
async fn a_violated_check_fails_the_action_and_is_told_in_its_story() {
    let folder = tempdir().unwrap();
    let (engine, _) = open(folder.path(), SHELVES).unwrap();
    fill(&engine, 3);
    let error = engine.act(action(customer(7), "{}", None), |tx| take(tx, 4)).await.unwrap_err();
    let ActionError::Engine(EngineError::Store(StoreError::Refused { code, message, .. })) = error else {
        panic!("{error:?}")
    };
    assert_eq!(code, "23514");
    assert_eq!(message, r#"new row for relation "shelves" violates check constraint "shelves_stock_check""#);
    let story = engine.story_last(None).unwrap().unwrap();
    assert!(matches!(story.result, StoryResult::Failed { ref code, .. } if code == "23514"));
    assert_eq!(count(&engine, "takt.outbox_events"), 0);
}

#[tokio::test]
async fn personal_values_are_masked_in_stories() {
    let folder = tempdir().unwrap();
    let (engine, _) = open(folder.path(), SHELVES).unwrap();
    let answer = engine
        .act(action(customer(7), "{}", None), |tx| {
            let project = tx.inner().project().clone();
            let plan = crate::house::shelf(&project)
                .insert(vec![
                    ("id", takt_model::Value::Integer(5)),
                    ("stock", takt_model::Value::Integer(1)),
                    ("keeper", takt_model::Value::Text("canary-name".to_owned())),
                ])
                .map_err(EngineError::from)?;
            tx.rows(plan)?;
            Ok(String::new())
        })
        .await
        .unwrap();
    assert_eq!(answer.status, 204);
    let story = engine.story(answer.story).unwrap().unwrap();
    let text = serde_json::to_string(&story).unwrap();
    assert!(!text.contains("canary-name"), "{text}");
    assert!(text.contains("•••"));
    assert!(story.has_masked() && !story.revealed);
}

#[tokio::test]
async fn a_story_is_found_by_the_number_of_what_it_wrote() {
    let folder = tempdir().unwrap();
    let shelves = format!("{SHELVES}number = {{ type = \"text\" }}\nnote = {{ type = \"text\" }}\n");
    let (engine, _) = open(folder.path(), &shelves).unwrap();
    let write = |id: i64, number: &'static str, note: &'static str| {
        let engine = engine.clone();
        async move {
            let act = engine.act(action(customer(7), "{}", None), move |tx| {
                let project = tx.inner().project().clone();
                let values = vec![
                    ("id", takt_model::Value::Integer(id)),
                    ("stock", takt_model::Value::Integer(1)),
                    ("number", takt_model::Value::Text(number.to_owned())),
                    ("note", takt_model::Value::Text(note.to_owned())),
                ];
                tx.rows(crate::house::shelf(&project).insert(values).map_err(EngineError::from)?)?;
                Ok(String::new())
            });
            act.await.unwrap().story.to_string()
        }
    };
    let first = write(1, "B-2026-00001", "").await;
    for id in 2..520 {
        write(id, "B-2026-09999", "B-2026-00001").await;
    }
    let found = engine.story_of_number("B-2026-00001").unwrap().unwrap();
    assert_eq!(found.id, first, "beyond the first page, and not by another field");
    assert_eq!(engine.story_of_number("B-2026-0000").unwrap(), None, "whole numbers only");
    assert_eq!(engine.story_of_number("\"").unwrap(), None);
}

#[tokio::test]
async fn one_key_gives_one_effect_and_the_first_answer() {
    let folder = tempdir().unwrap();
    let (engine, clock) = open(folder.path(), SHELVES).unwrap();
    fill(&engine, 9);
    let call = |who: Principal, input: &'static str| {
        let engine = engine.clone();
        async move { engine.act(action(who, input, Some("k1")), |tx| take(tx, 1)).await }
    };
    let parallel: Vec<_> = (0..20).map(|_| tokio::spawn(call(customer(7), "{}"))).collect();
    let mut replayed = 0;
    for task in parallel {
        let answer = task.await.unwrap().unwrap();
        assert_eq!(answer.body, "Integer(8)");
        replayed += u32::from(answer.replayed);
    }
    assert_eq!(replayed, 19);
    let mismatch = call(customer(7), r#"{"other":1}"#).await.unwrap_err();
    assert_eq!(mismatch, ActionError::Engine(EngineError::IdempotencyMismatch));
    assert_eq!(
        call(customer(8), "{}").await.unwrap().body,
        "Integer(7)",
        "another caller's key is another key"
    );
    clock.forward(Duration::from_secs(8 * 24 * 3600));
    assert_eq!(call(customer(7), "{}").await.unwrap().body, "Integer(6)", "kept for 7 days");
}

#[tokio::test]
async fn a_refusal_is_kept_under_its_key_a_failure_is_not() {
    let folder = tempdir().unwrap();
    let (engine, _) = open(folder.path(), SHELVES).unwrap();
    fill(&engine, 1);
    let refuse = |_: &takt_engine::ActionTx| {
        Err(ActionError::Reject { status: 409, message: Words::default(), details_json: String::new() })
    };
    engine.act(action(customer(7), "{}", Some("r")), refuse).await.unwrap();
    let again = engine.act(action(customer(7), "{}", Some("r")), |tx| take(tx, 1)).await.unwrap();
    assert!(again.replayed && again.refused);
    engine.act(action(customer(7), "{}", Some("f")), |tx| take(tx, 2)).await.unwrap_err();
    let again = engine.act(action(customer(7), "{}", Some("f")), |tx| take(tx, 1)).await.unwrap();
    assert!(!again.replayed && !again.refused);
}

#[tokio::test]
async fn kept_answers_and_stories_survive_a_restart() {
    let folder = tempdir().unwrap();
    let (engine, _) = open(folder.path(), SHELVES).unwrap();
    fill(&engine, 9);
    let first = engine.act(action(customer(7), "{}", Some("k")), |tx| take(tx, 1)).await.unwrap();
    engine.close();
    drop(engine);
    let (engine, _) = open(folder.path(), SHELVES).unwrap();
    let again = engine.act(action(customer(7), "{}", Some("k")), |tx| take(tx, 1)).await.unwrap();
    assert!(again.replayed);
    assert_eq!((again.body, again.story), (first.body, first.story));
    assert!(engine.story(first.story).unwrap().is_some());
}
