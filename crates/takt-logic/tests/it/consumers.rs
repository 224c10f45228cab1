//! Consumers of events and incoming messages: once in effect, however often they are given.

use serde_json::json;
use takt_engine::{EngineError, EngineTx, Once, StoryResult};
use takt_logic::{Event, LogicError};
use takt_model::{Principal, Uuid, Value};

use crate::house::{House, NOW, action, told};

/// Makes a thing named as the payload says.
const CONSUMER: &str =
    "export const kind = \"consumer\", on = [\"thing.wanted\", \"thing.needed\"], label = { en: \"Make\" };
export default async function ({ db, emit, reject, user }, event) {
  if (event.payload.name === \"no\") reject(409, \"not now\");
  if (event.payload.name === \"broken\") throw new Error(\"broken\");
  const thing = await db.things.insert({ name: event.payload.name });
  emit(\"thing.made\", { key: thing.id });
  return { event, user };
}
";

fn event(id: u128, name: &str) -> Event {
    Event {
        id: Uuid::from_u128(id),
        name: "thing.wanted".to_owned(),
        key: Some("k".to_owned()),
        payload: format!("{{\"name\":\"{name}\",\"price\":1.50}}"),
        at: NOW,
    }
}

fn house() -> House {
    House::new(&[
        ("logic/make.ts", CONSUMER),
        ("logic/take.ts", &action("await db.things.insert({ name: input.x });")),
    ])
}

#[tokio::test]
async fn a_consumer_is_an_action_of_its_own_with_its_story() {
    let house = house();
    let consumers: Vec<_> =
        house.logic.consumers().iter().map(|c| (c.function.to_owned(), c.events.to_vec())).collect();
    assert_eq!(consumers, [("make".to_owned(), vec!["thing.wanted".to_owned(), "thing.needed".to_owned()])]);
    let answer = house.logic.consume(&house.engine, "make", &event(1, "a")).await.unwrap();
    assert_eq!(
        answer.body,
        r#"{"event":{"id":"00000000-0000-0000-0000-000000000001","name":"thing.wanted","key":"k","payload":{"name":"a","price":1.5},"at":"2026-11-23T09:14:07.123456+00:00"},"user":null}"#
    );
    let story = house.engine.story(answer.story).unwrap().unwrap();
    assert_eq!((story.function.as_str(), &story.result), ("make", &StoryResult::Success));
    assert_eq!(story.events, ["thing.made"]);
}

#[tokio::test]
async fn an_event_has_its_effect_once_however_often_it_comes() {
    let house = house();
    let first = house.logic.consume(&house.engine, "make", &event(1, "a")).await.unwrap();
    let again = house.logic.consume(&house.engine, "make", &event(1, "a")).await.unwrap();
    assert!(again.replayed && !first.replayed);
    assert_eq!((again.story, &again.body), (first.story, &first.body));
    house.logic.consume(&house.engine, "make", &event(2, "b")).await.unwrap();
    assert_eq!(
        (house.count("things"), house.count("takt.outbox_events"), house.count("takt.inbox")),
        (2, 2, 2)
    );

    // At the same time, as two carriers would.
    let tasks: Vec<_> = (0..10)
        .map(|_| {
            let (logic, engine) = (house.logic.clone(), house.engine.clone());
            tokio::spawn(
                async move { logic.consume(&engine, "make", &event(3, "c")).await.unwrap().replayed },
            )
        })
        .collect();
    let mut replayed = 0;
    for task in tasks {
        replayed += u32::from(task.await.unwrap());
    }
    assert_eq!((replayed, house.count("things")), (9, 3));
}

#[tokio::test]
async fn what_was_refused_or_failed_has_not_been_received() {
    let house = house();
    let refused = house.logic.consume(&house.engine, "make", &event(1, "no")).await.unwrap();
    assert!(refused.refused && !refused.replayed);
    let failed = told(house.logic.consume(&house.engine, "make", &event(2, "broken")).await);
    assert_eq!(failed, "failed P0001 at logic/make.ts:4:50: broken");
    assert_eq!((house.count("takt.inbox"), house.count("takt.outbox_events")), (0, 0));
    // Both come again; by now the rules would let them through.
    for id in [1, 2] {
        let name = format!("n{id}");
        assert!(!house.logic.consume(&house.engine, "make", &event(id, &name)).await.unwrap().replayed);
    }
    assert_eq!((house.count("takt.inbox"), house.count("things")), (2, 2));
}

#[tokio::test]
async fn an_event_that_nobody_waits_for_is_told() {
    let house = house();
    let other = Event { name: "other".to_owned(), ..event(1, "a") };
    for (function, event) in [("make", &other), ("take", &event(1, "a")), ("nothing", &event(1, "a"))] {
        let error = house.logic.consume(&house.engine, function, event).await.unwrap_err();
        assert_eq!(error, LogicError::UnknownFunction);
    }
    // Nobody calls it by name.
    assert_eq!(house.call("make", json!({})).await.unwrap_err(), LogicError::UnknownFunction);
}

#[tokio::test]
async fn what_can_come_no_more_is_forgotten_and_what_is_still_kept_is_not() {
    let house = house();
    house.logic.consume(&house.engine, "make", &event(1, "gone")).await.unwrap();
    // An event of the outbox, as dead letters keep it for as long as nobody decides about them.
    let emit = |tx: &EngineTx| -> Result<(), EngineError> {
        let plan = tx.on("takt.outbox_events")?.insert(vec![
            ("id", Value::Uuid(Uuid::from_u128(2))),
            ("name", Value::Text("thing.wanted".to_owned())),
            ("payload", Value::Json("{}".to_owned())),
            ("at", Value::Timestamp(NOW)),
        ])?;
        tx.rows(&Principal::system("test"), plan).map(drop)
    };
    house.engine.transact(emit).await.unwrap();
    let kept = event(2, "kept");
    house.logic.consume(&house.engine, "make", &kept).await.unwrap();
    assert_eq!(house.count("takt.inbox"), 2);
    let forget = |before| move |tx: &EngineTx| Once::forget(tx, before, None, 500);
    house.engine.transact(forget(NOW - 1)).await.unwrap();
    assert_eq!(house.count("takt.inbox"), 2, "not old enough");
    house.engine.transact(forget(NOW + 1_000_000_000)).await.unwrap();
    assert_eq!(house.count("takt.inbox"), 1);
    assert!(house.logic.consume(&house.engine, "make", &kept).await.unwrap().replayed);
}
