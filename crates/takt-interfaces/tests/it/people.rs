//! What people do: pages, replays of a range, pauses.

use std::time::Duration;

use takt_engine::{Actor, ActorKind, AuditFilter};
use takt_interfaces::{DeliveryFilter, DeliveryState, InterfacesError, Replayed};
use takt_model::Uuid;

use crate::{
    house::{DELIVER, House},
    receiver::Answer,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_range_is_replayed_after_a_dry_run() {
    let house = House::with(DELIVER).await;
    for _ in 0..3 {
        house.emit("order.placed", "{}").await;
        house.work().await;
        house.forward(Duration::from_secs(3600));
    }
    let second = house.deliveries()[1].created_at;
    let since = DeliveryFilter { since: Some(second), ..DeliveryFilter::default() };
    let dry = house.interfaces.replay_all(&since, true).await.unwrap();
    assert_eq!(dry, Replayed { deliveries: 2, delivered: 2, dry_run: true });
    assert_eq!(house.work().await, 0);
    house.interfaces.replay_all(&since, false).await.unwrap();
    assert_eq!(house.work().await, 2);
    assert_eq!(house.receiver.asked().len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_connection_sends_nothing_and_loses_nothing() {
    let house = House::with(DELIVER).await;
    house.interfaces.pause("erp", true).await.unwrap();
    house.emit("order.placed", "{}").await;
    assert_eq!(house.work().await, 0);
    assert_eq!(house.interfaces.connections().unwrap()[0].waiting, 1);
    house.interfaces.pause("erp", false).await.unwrap();
    assert_eq!(house.work().await, 1);
    let unknown = house.interfaces.pause("epr", true).await;
    assert_eq!(unknown, Err(InterfacesError::UnknownConnection("epr".to_owned())));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_connection_is_not_asked_and_is_when_it_goes_on() {
    let poll = "[[op]]\nname = \"stock\"\nkind = \"poll\"\nevery = \"5m\"\nrun = \"logic/erp.ts#stock\"\n";
    let house = House::with(poll).await;
    house.interfaces.pause("erp", true).await.unwrap();
    assert_eq!((house.work().await, house.deliveries().len()), (0, 0));
    house.interfaces.pause("erp", false).await.unwrap();
    assert_eq!(house.work().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_go_back_in_time() {
    let house = House::with(DELIVER).await;
    house.receiver.will([Answer::status(422)]);
    for _ in 0..5 {
        house.emit("order.placed", "{}").await;
    }
    house.work().await;
    let first = house.interfaces.deliveries(&DeliveryFilter::default(), 2).unwrap();
    let next = DeliveryFilter { before: Some(first[1].id), ..DeliveryFilter::default() };
    let second = house.interfaces.deliveries(&next, 2).unwrap();
    assert!(first[1].id > second[0].id);
    let dead = DeliveryFilter { state: Some(DeliveryState::Dead), ..DeliveryFilter::default() };
    assert_eq!(house.interfaces.count(&dead).unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slip_is_told() {
    let house = House::with(DELIVER).await;
    let nobody = Uuid::from_u128(7);
    assert_eq!(house.interfaces.replay(nobody, None).await, Err(InterfacesError::UnknownDelivery(nobody)));
    house.emit("order.placed", "{}").await;
    house.work().await;
    let id = house.deliveries()[0].id;
    assert!(matches!(house.interfaces.replay(id, Some("{".to_owned())).await, Err(InterfacesError::Body(_))));
    assert!(matches!(house.interfaces.decide(id, true).await, Err(InterfacesError::NotNow(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_seen_of_a_connection_is_measured() {
    let house = House::with(DELIVER).await;
    assert_eq!(house.interfaces.seen("erp").unwrap(), takt_interfaces::Seen::default(), "nothing yet");
    house.emit("order.placed", "{}").await;
    house.work().await;
    house.forward(Duration::from_secs(40 * 86_400));
    house.receiver.will([Answer::ok(), Answer::status(422)]);
    for _ in 0..2 {
        house.emit("order.placed", "{}").await;
        house.work().await;
    }
    let all = house.deliveries();
    let seen = house.interfaces.seen("erp").unwrap();
    assert_eq!((seen.first_ok_at, seen.last_ok_at), (all[0].ended_at, all[1].ended_at));
    assert_eq!(seen.arrived_in_30_days, 1, "the first one is older");
    assert_eq!((seen.oldest_stopped_at, seen.oldest_waiting_at), (Some(all[2].created_at), None));
    assert!(seen.median_took.is_some());
    assert_eq!(house.interfaces.seen("other").unwrap(), takt_interfaces::Seen::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_delivery_is_about_has_a_name_and_its_whole_content_is_asked_for() {
    let house = House::with(DELIVER).await;
    let payload = r#"{"order":{"id":"o1","number":"B-2026-00012"},"email":"ada@example.com"}"#;
    house.emit("order.placed", payload).await;
    house.emit("order.placed", "{}").await;
    house.work().await;
    let all = house.deliveries();
    let numbers = house.interfaces.numbers(&all).unwrap();
    assert_eq!(numbers.get(&all[0].id).map(String::as_str), Some("B-2026-00012"));
    assert_eq!(numbers.get(&all[1].id), None);
    assert!(!house.interfaces.delivery(all[0].id).unwrap().payload.to_string().contains("ada@"));
    assert!(house.interfaces.content(all[0].id).unwrap().contains("ada@example.com"));
    house.interfaces.replay(all[1].id, Some(r#"{"number":7}"#.to_owned())).await.unwrap();
    let numbers = house.interfaces.numbers(&house.deliveries()).unwrap();
    assert_eq!(numbers.get(&all[1].id).map(String::as_str), Some("7"), "what a person wrote counts");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_partner_repeats_is_masked_too() {
    let house = House::with(DELIVER).await;
    house.receiver.will([Answer::Status(422, "", "ada@example.com is blocked")]);
    house.emit("order.placed", r#"{"order":{"email":"ada@example.com","number":"B-1"}}"#).await;
    house.work().await;
    let detail = house.interfaces.delivery(house.deliveries()[0].id).unwrap();
    assert_eq!(detail.tries[0].response.as_deref(), Some("••• is blocked"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_is_forgotten_after_a_month_and_dead_letters_never() {
    let house = House::with(DELIVER).await;
    house.receiver.will(std::iter::repeat_n(Answer::status(422), 501));
    for _ in 0..501 {
        house.emit("order.placed", "{}").await;
    }
    house.work().await;
    house.emit("order.placed", "{}").await;
    house.work().await;
    house.forward(Duration::from_secs(31 * 86_400));
    house.interfaces.tidy_now().await.unwrap();
    let count = |state| {
        let filter = DeliveryFilter { state: Some(state), ..DeliveryFilter::default() };
        house.interfaces.count(&filter).unwrap()
    };
    assert_eq!((count(DeliveryState::Dead), count(DeliveryState::Delivered)), (501, 0));
}

fn ada() -> Actor {
    Actor { kind: ActorKind::Account, account: None, name: "ada".to_owned(), place: "203.0.113.9".to_owned() }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_decides_is_written_down_with_it_and_what_was_impossible_is_not() {
    let house = House::with(DELIVER).await;
    house.receiver.will([Answer::status(422), Answer::status(422), Answer::ok()]);
    let room = house.interfaces.acting_for(ada());
    house.emit("order.placed", "{}").await;
    house.work().await;
    let id = house.deliveries()[0].id;
    room.replay(id, None).await.unwrap();
    house.work().await;
    room.replay(id, Some("{}".to_owned())).await.unwrap();
    house.work().await;
    assert!(room.decide(id, true).await.is_err(), "it has arrived already");
    assert!(room.replay(Uuid::from_u128(7), None).await.is_err());
    room.pause("erp", true).await.unwrap();
    room.pause("erp", false).await.unwrap();
    let all = DeliveryFilter { connection: Some("erp".to_owned()), ..DeliveryFilter::default() };
    room.replay_all(&all, true).await.unwrap();
    room.replay_all(&all, false).await.unwrap();
    let (state, since) = (Some(DeliveryState::Waiting), Some(house.engine.now()));
    let waiting = DeliveryFilter { state, since, ..DeliveryFilter::default() };
    room.replay_all(&waiting, false).await.unwrap();
    // Nobody's name: nothing is written down.
    house.interfaces.pause("erp", true).await.unwrap();
    let rows = house.engine.audit(&AuditFilter::default(), 100).unwrap();
    let told: Vec<_> = rows.iter().rev().map(|r| format!("{} {} {}", r.name, r.act, r.subject)).collect();
    let expected = [
        format!("ada delivery.replay delivery {id}"),
        format!("ada delivery.edit delivery {id}"),
        "ada connection.pause connection erp".to_owned(),
        "ada connection.resume connection erp".to_owned(),
        "ada deliveries.replay deliveries 1 connection=erp".to_owned(),
        "ada deliveries.replay deliveries 1 state=waiting since=2026-11-23T09:00:00+00:00".to_owned(),
    ];
    assert_eq!(told, expected);
    let about = AuditFilter { subject: Some(format!("delivery {id}")), ..AuditFilter::default() };
    assert_eq!(house.engine.audit(&about, 100).unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_begins_with_the_first_pause_again() {
    let operation = DELIVER.to_owned() + "retry = { schedule = [\"1m\", \"10h\"], give_up = \"1d\" }\n";
    let house = House::with(&operation).await;
    house.receiver.will(std::iter::repeat_with(|| Answer::status(503)).take(20).collect::<Vec<_>>());
    let pause = |house: &House| {
        let delivery = house.deliveries().remove(0);
        Duration::from_micros(u64::try_from(delivery.next_at - house.engine.now()).unwrap()).as_secs() / 60
    };
    house.emit("order.placed", "{}").await;
    house.work().await;
    assert_eq!(pause(&house), 1);
    house.forward(Duration::from_secs(70));
    house.work().await;
    assert!((600..=660).contains(&pause(&house)), "{}", pause(&house));
    for _ in 0..3 {
        house.forward(Duration::from_secs(11 * 3600));
        house.work().await;
    }
    assert_eq!(house.deliveries()[0].state, DeliveryState::Dead);
    // The breaker lets one through again.
    house.forward(Duration::from_secs(3600));
    let id = house.deliveries()[0].id;
    house.interfaces.replay(id, None).await.unwrap();
    house.work().await;
    assert_eq!(house.deliveries()[0].attempts, 6, "they are counted on");
    assert_eq!(pause(&house), 1, "and the pause is that of a first try");
}

#[tokio::test(flavor = "multi_thread")]
async fn those_that_wait_are_made_due_if_just_they_are_asked_for() {
    let house = House::with(DELIVER).await;
    house.receiver.will([Answer::status(503), Answer::ok(), Answer::ok()]);
    house.emit("order.placed", "{}").await;
    house.work().await;
    assert_eq!(house.work().await, 0, "it waits for its pause");
    let any = DeliveryFilter { connection: Some("erp".to_owned()), ..DeliveryFilter::default() };
    assert_eq!(house.interfaces.replay_all(&any, false).await.unwrap().deliveries, 0);
    assert_eq!(house.work().await, 0);
    let waiting = DeliveryFilter { state: Some(DeliveryState::Waiting), ..any };
    assert_eq!(house.interfaces.replay_all(&waiting, true).await.unwrap().deliveries, 1);
    assert_eq!(house.interfaces.replay_all(&waiting, false).await.unwrap().deliveries, 1);
    assert_eq!(house.work().await, 1);
    assert_eq!(house.deliveries()[0].state, DeliveryState::Delivered);
}
