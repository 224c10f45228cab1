//! Personal values of stories for a reason, and the audit that says who looked.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::time::Duration;

use takt_engine::{Actor, ActorKind, AuditFilter, Deed, Engine, EngineError, LaterJobChange, StoryChange};
use takt_model::{Uuid, Value};
use tempfile::tempdir;

use crate::house::{SHELVES, action, count, customer, open, shelf};

const DAY: Duration = Duration::from_secs(86_400);

fn deed(act: &str, subject: &str) -> Deed {
    let by = Actor {
        kind: ActorKind::Command,
        account: None,
        name: "ada".to_owned(),
        place: "command line".to_owned(),
    };
    Deed {
        by,
        act: act.to_owned(),
        subject: subject.to_owned(),
        reason: Some("complaint of a customer".to_owned()),
    }
}

/// An account writes a shelf with somebody's name on it.
async fn written(engine: &Engine, account: u128, id: i64, keeper: &'static str) -> Uuid {
    let act = engine.act(action(customer(account), "{}", None), move |tx| {
        let project = tx.inner().project().clone();
        let step = tx.step_begin(takt_model::Words::from([("en", "Written")]));
        tx.note(takt_model::Words::from([("en", "there is room")]));
        let values = vec![
            ("id", Value::Integer(id)),
            ("stock", Value::Integer(1)),
            ("keeper", Value::Text(keeper.to_owned())),
        ];
        tx.rows(shelf(&project).insert(values).map_err(EngineError::from)?)?;
        tx.step_end(step, true);
        Ok(String::new())
    });
    act.await.unwrap().story
}

async fn keeper(engine: &Engine, story: Uuid) -> Option<String> {
    let story =
        engine.reveal_story(story, deed("story.reveal", &format!("story {story}"))).await.unwrap().unwrap();
    assert!(story.revealed);
    story.all_changes().flat_map(|c| &c.fields).find(|f| f.name == "keeper").unwrap().after.clone()
}

#[tokio::test]
async fn a_personal_value_is_shown_for_a_reason_and_the_look_is_written_down_first() {
    let folder = tempdir().unwrap();
    let (engine, _) = open(folder.path(), SHELVES).unwrap();
    let story = written(&engine, 7, 1, "Grace").await;
    let read = engine.story(story).unwrap().unwrap();
    assert!(!serde_json::to_string(&read).unwrap().contains("Grace"));
    assert!(!format!("{read:?}").contains("Grace"), "not even in memory");
    assert_eq!(read.steps[0].notes.len(), 1);
    assert_eq!(count(&engine, "takt.audit"), 0);
    assert_eq!(keeper(&engine, story).await.as_deref(), Some("Grace"));
    let rows = engine.audit(&AuditFilter::default(), 10).unwrap();
    assert_eq!(rows.len(), 1);
    let row = &rows[0];
    assert_eq!((row.act.as_str(), row.name.as_str()), ("story.reveal", "ada"));
    assert_eq!(row.reason.as_deref(), Some("complaint of a customer"));
    assert_eq!(row.subject, format!("story {story}"));
}

#[tokio::test]
async fn what_a_call_was_given_is_shown_for_a_reason_and_forgotten_with_personal_values() {
    let folder = tempdir().unwrap();
    let (engine, clock) = open(folder.path(), SHELVES).unwrap();
    let given = |input: &'static str| {
        let engine = engine.clone();
        async move { engine.act(action(customer(7), input, None), |_| Ok(String::new())).await.unwrap().story }
    };
    let asked = deed("story.reveal", "story");
    let shown = |story: Uuid| {
        let (engine, asked) = (engine.clone(), asked.clone());
        async move {
            let story = engine.reveal_story(story, asked).await.unwrap().unwrap();
            (story.has_input, story.input)
        }
    };
    let called = given(r#"{"keeper":"Grace","password":"s3cret","stock":7}"#).await;
    let read = engine.story(called).unwrap().unwrap();
    assert!(read.has_input && read.has_masked(), "that something is hidden is told");
    assert!(!format!("{read:?}").contains("Grace"), "not even in memory");
    let kept = r#"{"keeper":"Grace","password":"•••","stock":7}"#.to_owned();
    assert_eq!(shown(called).await, (true, Some(kept)));
    // What nobody wrote out, and what is too long, is not kept.
    let long: &'static str = format!(r#"{{"keeper":"{}"}}"#, "x".repeat(4_000)).leak();
    for input in ["", long] {
        let story = given(input).await;
        assert_eq!(shown(story).await, (false, None), "{}", input.len());
    }
    clock.forward(DAY * 91);
    engine.forget_old_personal_values(Uuid::nil()).await.unwrap();
    assert_eq!(shown(called).await, (true, None));
}

#[tokio::test]
async fn the_statements_of_a_story_are_those_of_its_rows() {
    let folder = tempdir().unwrap();
    let (engine, _) = open(folder.path(), SHELVES).unwrap();
    let story = written(&engine, 7, 1, "Grace").await;
    let mut story = engine.story(story).unwrap().unwrap();
    let project = engine.project();
    let all = story.statements(&project);
    let [Some(statement)] = all.as_slice() else { panic!("{all:?}") };
    assert!(statement.starts_with("INSERT INTO \"shelves\" (\"id\", "), "{statement}");
    assert!(!statement.contains("Grace"));
    let change = story.steps[0].changes[0].clone();
    let as_if = |verb: &str, table: &str| StoryChange {
        verb: verb.to_owned(),
        table: table.to_owned(),
        ..change.clone()
    };
    story.changes = vec![
        as_if("update", "shelves"),
        as_if("delete", "shelves"),
        as_if("update", "gone"),
        as_if("sing", "shelves"),
    ];
    let all = story.statements(&project);
    let [_, Some(update), Some(delete), None, None] = all.as_slice() else { panic!("{all:?}") };
    assert!(update.starts_with("UPDATE \"shelves\" SET "), "{update}");
    assert!(delete.starts_with("DELETE FROM \"shelves\" WHERE "), "{delete}");
}

#[tokio::test]
async fn what_is_called_secret_is_never_kept() {
    let folder = tempdir().unwrap();
    let shelves = SHELVES.replace("personal = \"name\"", "personal = \"secret\"");
    let (engine, _) = open(folder.path(), &shelves).unwrap();
    let story = written(&engine, 7, 1, "token-1").await;
    assert_eq!(keeper(&engine, story).await.as_deref(), Some("•••"));
}

#[tokio::test]
async fn personal_values_are_forgotten_sooner_than_their_story_and_with_their_account() {
    let folder = tempdir().unwrap();
    let (engine, clock) = open(folder.path(), SHELVES).unwrap();
    let (old, theirs, other) = (
        written(&engine, 7, 1, "Grace").await,
        written(&engine, 8, 2, "Ada").await,
        written(&engine, 9, 3, "Edith").await,
    );
    engine.forget_personal_values_of(Uuid::from_u128(8)).await.unwrap();
    assert_eq!(keeper(&engine, theirs).await.as_deref(), Some("•••"));
    assert_eq!(keeper(&engine, other).await.as_deref(), Some("Edith"), "somebody else's stay");
    clock.forward(DAY * 91);
    let young = written(&engine, 7, 4, "Grace").await;
    assert_eq!(keeper(&engine, old).await.as_deref(), Some("Grace"), "until the next minute");
    assert_eq!(
        engine.forget_old_personal_values(Uuid::nil()).await.unwrap(),
        Some(other),
        "the last old one"
    );
    assert_eq!(engine.forget_old_personal_values(other).await.unwrap(), None);
    assert_eq!(keeper(&engine, old).await.as_deref(), Some("•••"));
    assert_eq!(keeper(&engine, young).await.as_deref(), Some("Grace"));
    assert!(engine.story(old).unwrap().is_some(), "the story itself stays");
}

#[tokio::test]
async fn many_values_are_forgotten_page_by_page() {
    let folder = tempdir().unwrap();
    let (engine, clock) = open(folder.path(), SHELVES).unwrap();
    let mut all = Vec::new();
    for id in 0..1_005 {
        all.push(written(&engine, 7, id, "Grace").await);
    }
    clock.forward(DAY * 91);
    let first = engine.forget_old_personal_values(Uuid::nil()).await.unwrap().unwrap();
    let (early, late) = all.split_at(1_000);
    assert_eq!(first, early[999]);
    assert_eq!(keeper(&engine, early[999]).await.as_deref(), Some("•••"));
    assert_eq!(keeper(&engine, late[0]).await.as_deref(), Some("Grace"));
    assert_eq!(engine.forget_old_personal_values(first).await.unwrap(), Some(late[4]));
    assert_eq!(keeper(&engine, late[4]).await.as_deref(), Some("•••"));
}

#[tokio::test]
async fn the_audit_is_filtered_and_forgotten_by_age() {
    let folder = tempdir().unwrap();
    let (engine, clock) = open(folder.path(), SHELVES).unwrap();
    for act in ["story.look", "story.reveal", "stories", "delivery.replay"] {
        engine.note_deed(deed(act, "thing 1")).await.unwrap();
        clock.forward(DAY);
    }
    let acts = |filter: AuditFilter| {
        let rows = engine.audit(&filter, 10).unwrap();
        rows.iter().map(|r| r.act.clone()).collect::<Vec<_>>()
    };
    let of = |acts: &[&str]| AuditFilter {
        acts: acts.iter().map(|a| (*a).to_owned()).collect(),
        ..AuditFilter::default()
    };
    assert_eq!(acts(of(&["story"])), ["story.reveal", "story.look"]);
    assert_eq!(acts(of(&["story.look"])), ["story.look"]);
    assert_eq!(acts(of(&["delivery", "story.reveal"])), ["delivery.replay", "story.reveal"]);
    assert_eq!(acts(of(&["job"])), [""; 0]);
    assert_eq!(acts(AuditFilter::default()).len(), 4);
    let since = engine.now() - 2 * 86_400_000_000 - 1;
    assert_eq!(acts(AuditFilter { since: Some(since), ..AuditFilter::default() }).len(), 2);
    let first = engine.audit(&AuditFilter::default(), 1).unwrap().remove(0);
    assert_eq!(acts(AuditFilter { before: Some(first.id), ..AuditFilter::default() }).len(), 3);
    assert_eq!(engine.forget_old_audit().await.unwrap(), 0);
    clock.forward(DAY * 1_094);
    assert_eq!(engine.forget_old_audit().await.unwrap(), 3, "the first three are older than three years");
    assert_eq!(acts(AuditFilter::default()), ["delivery.replay"]);
}

#[tokio::test]
async fn a_person_runs_cancels_and_retries_jobs_and_that_is_written_down() {
    let folder = tempdir().unwrap();
    let (engine, _) = open(folder.path(), SHELVES).unwrap();
    let id = engine.job_now("report", deed("job.run", "job report")).await.unwrap();
    assert_eq!(engine.later_due(engine.now(), 10).unwrap().len(), 1);
    let change = |to| engine.job_change(id, to, deed("job.decide", "job"));
    assert!(change(LaterJobChange::Cancel).await.unwrap());
    assert!(!change(LaterJobChange::Cancel).await.unwrap(), "it is cancelled already");
    assert_eq!(engine.later_due(engine.now(), 10).unwrap().len(), 0);
    assert_eq!(engine.later_job(id).unwrap().unwrap().state, "cancelled");
    assert!(change(LaterJobChange::Now).await.unwrap());
    assert_eq!(engine.later_jobs_in("waiting", 10).unwrap()[0].id, id);
    let unknown = engine.job_change(Uuid::from_u128(1), LaterJobChange::Now, deed("job.decide", "job"));
    assert!(!unknown.await.unwrap());
    assert_eq!(count(&engine, "takt.audit"), 3, "what was not possible is no deed");
}
