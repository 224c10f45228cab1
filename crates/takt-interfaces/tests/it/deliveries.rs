//! What becomes of one delivery.

use std::time::Duration;

use serde_json::json;
use takt_interfaces::{DeliveryState, Outcome};

use crate::{
    house::{DELIVER, House},
    receiver::Answer,
};

const ORDER: &str = r#"{"order":{"id":"o1","total":12.5,"email":"a@example.com","ship_name":"Anna"}}"#;

#[tokio::test(flavor = "multi_thread")]
async fn an_event_arrives_once_and_is_written_down() {
    let house = House::with(DELIVER).await;
    house.emit("order.placed", ORDER).await;
    house.emit("order.unheard", ORDER).await;
    assert_eq!(house.work().await, 1);
    assert_eq!(house.work().await, 0, "nothing is due any more");
    let asked = house.receiver.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].line, "POST /api/orders HTTP/1.1");
    let delivery = &house.deliveries()[0];
    assert_eq!(asked[0].header("idempotency-key"), Some(delivery.id.to_string().as_str()));
    assert_eq!(delivery.state, DeliveryState::Delivered);
    let told = house.interfaces.delivery(delivery.id).unwrap();
    assert_eq!((told.tries.len(), told.tries[0].outcome, told.tries[0].status), (1, Outcome::Ok, Some(200)));
    assert!(told.tries[0].took.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn personal_fields_that_are_not_declared_do_not_leave() {
    let house = House::with(DELIVER).await;
    house.emit("order.placed", ORDER).await;
    house.work().await;
    let sent = house.receiver.asked()[0].json();
    assert_eq!(sent, json!({"order": {"id": "o1", "total": 12.5, "email": "a@example.com"}}));
    let told = house.interfaces.delivery(house.deliveries()[0].id).unwrap();
    assert_eq!(told.payload["order"]["email"], "•••", "and people see none of them");
}

#[tokio::test(flavor = "multi_thread")]
async fn money_leaves_as_it_was_written() {
    let house = House::with(DELIVER).await;
    house.emit("order.placed", r#"{"total":12.90,"big":9007199254740993.10}"#).await;
    house.work().await;
    assert_eq!(house.receiver.asked()[0].body, r#"{"total":12.90,"big":9007199254740993.10}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_tried_again_with_the_same_id_until_it_arrives() {
    let house = House::with(DELIVER).await;
    house.receiver.will([Answer::status(500), Answer::status(503), Answer::status(429)]);
    house.emit("order.placed", ORDER).await;
    for pause in [0, 3, 11, 67] {
        house.forward(Duration::from_secs(pause));
        assert_eq!(house.work().await, 1, "after {pause} s");
        assert_eq!(house.work().await, 0, "not before its time");
    }
    assert_eq!(house.states(), [DeliveryState::Delivered]);
    let asked = house.receiver.asked();
    let mut ids: Vec<_> = asked.iter().map(|a| a.header("idempotency-key").unwrap()).collect();
    ids.dedup();
    assert_eq!((asked.len(), ids.len()), (4, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_other_side_is_given_the_time_it_asks_for() {
    let house = House::with(DELIVER).await;
    house.receiver.will([Answer::Status(429, "retry-after: 90\r\n", "")]);
    house.emit("order.placed", ORDER).await;
    house.work().await;
    house.forward(Duration::from_secs(89));
    assert_eq!(house.work().await, 0);
    house.forward(Duration::from_secs(1));
    assert_eq!(house.work().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_down_for_75_hours_costs_a_dead_letter_and_no_more() {
    let house = House::with(DELIVER).await;
    house.receiver.will(std::iter::repeat_n(Answer::status(503), 200));
    house.emit("order.placed", ORDER).await;
    for _ in 0..75 * 4 {
        house.work().await;
        house.forward(Duration::from_secs(15 * 60));
    }
    let delivery = house.deliveries().remove(0);
    assert_eq!(delivery.state, DeliveryState::Dead);
    let hours = (delivery.ended_at.unwrap() - delivery.created_at) / 3_600_000_000;
    assert!((72..75).contains(&hours), "given up after {hours} hours");
    house.interfaces.replay(delivery.id, None).await.unwrap();
    house.receiver.will([]);
    assert!(house.receiver.asked().len() < 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_a_dead_letter_at_once_and_can_be_mended() {
    let house = House::with(DELIVER).await;
    house.receiver.will([Answer::Status(422, "", "unknown product")]);
    house.emit("order.placed", ORDER).await;
    house.work().await;
    let delivery = house.deliveries().remove(0);
    assert_eq!(delivery.state, DeliveryState::Dead);
    let told = house.interfaces.delivery(delivery.id).unwrap();
    assert_eq!(told.tries[0].response.as_deref(), Some("unknown product"));
    house.interfaces.replay(delivery.id, Some(r#"{"order":{"id":"o2"}}"#.to_owned())).await.unwrap();
    house.work().await;
    assert_eq!(house.states(), [DeliveryState::Delivered]);
    let asked = house.receiver.asked();
    assert_eq!(asked[1].json(), json!({"order": {"id": "o2"}}));
    assert_eq!(asked[0].header("idempotency-key"), asked[1].header("idempotency-key"));
    assert_eq!(
        house.interfaces.delivery(delivery.id).unwrap().tries.len(),
        2,
        "the first attempt stays told"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_left_without_an_answer_are_unknown() {
    let house = House::with(DELIVER).await;
    house.receiver.will([Answer::Close]);
    house.emit("order.placed", ORDER).await;
    house.work().await;
    let delivery = house.deliveries().remove(0);
    assert_eq!((delivery.state, delivery.outcome), (DeliveryState::Waiting, Some(Outcome::Unknown)));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_repeats_do_harm_a_person_is_asked() {
    let house = House::with(&format!("{DELIVER}on_unknown = \"ask\"\n")).await;
    house.receiver.will([Answer::Close]);
    house.emit("order.placed", ORDER).await;
    house.work().await;
    house.forward(Duration::from_secs(86_400));
    assert_eq!(house.work().await, 0, "never sent again by itself");
    let delivery = house.deliveries().remove(0);
    assert_eq!(delivery.state, DeliveryState::Asking);
    house.interfaces.decide(delivery.id, true).await.unwrap();
    assert_eq!(house.states(), [DeliveryState::Delivered]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_breaker_keeps_everybody_away_also_after_a_restart() {
    let house =
        House::build("data = []\nguard = { breaker = \"1 of 4, half-open 60s..2m\" }", "", DELIVER).await;
    house.receiver.will([Answer::status(500)]);
    house.emit("order.placed", "{}").await;
    house.work().await;
    let status = &house.interfaces.connections().unwrap()[0];
    assert!(status.open_until.is_some(), "{status:?}");
    house.emit("order.placed", "{}").await;
    assert_eq!(house.work().await, 0, "nobody knocks while it is open");
    let house = house.restarted();
    assert_eq!(house.work().await, 0, "a restart does not forget it");
    house.forward(Duration::from_secs(61));
    assert_eq!(house.work().await, 2, "one tries, and then the others go");
    assert!(house.interfaces.connections().unwrap()[0].open_until.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_gone_for_good_is_left_alone() {
    let house = House::with(DELIVER).await;
    house.receiver.will([Answer::status(410)]);
    house.emit("order.placed", "{}").await;
    house.work().await;
    house.emit("order.placed", "{}").await;
    assert_eq!(house.work().await, 0);
    assert!(house.interfaces.connections().unwrap()[0].paused);
    house.interfaces.pause("erp", false).await.unwrap();
    assert_eq!(house.work().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_secret_is_told_by_its_name() {
    let auth = "auth = { kind = \"apikey\", secret = \"nobody_set_it\" }";
    let house = House::build("data = []", auth, DELIVER).await;
    house.emit("order.placed", "{}").await;
    house.work().await;
    let error = house.deliveries().remove(0).error.unwrap();
    assert!(error.contains("nobody_set_it"), "{error}");
    assert_eq!(house.receiver.asked().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_and_bodies_made_by_functions_are_sent() {
    let auth = "auth = { kind = \"apikey\", header = \"Authorization\", prefix = \"bearer \", secret = \"erp_key\" }";
    let operation = format!("{DELIVER}map = \"logic/erp.ts#toSale\"\n");
    let house = House::build("data = []", auth, &operation).await;
    house.functions.makes("toSale", r#"{"reference":"B-1"}"#);
    house.emit("order.placed", "{}").await;
    house.work().await;
    let asked = house.receiver.asked();
    assert_eq!(asked[0].header("authorization"), Some("bearer s3cret"));
    assert_eq!(asked[0].json(), json!({"reference": "B-1"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn consumers_get_events_and_are_tried_again() {
    let house = House::with(DELIVER).await;
    house.functions.answers.lock().unwrap().push(Outcome::Failed);
    house.emit("order.thanked", r#"{"n":1}"#).await;
    house.work().await;
    house.forward(Duration::from_secs(3));
    house.work().await;
    assert_eq!(house.states(), [DeliveryState::Delivered]);
    let seen = house.functions.seen.lock().unwrap();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0], seen[1], "the same event with the same id");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_in_several_calls_goes_on_behind_its_finished_steps() {
    let operation = DELIVER
        .replace("request = \"POST /orders\"", "run = \"logic/erp.ts#send\"")
        .replace("name = \"order\"", "name = \"order.thanked\"");
    let house = House::build("data = []", "", &operation).await;
    house.receiver.will([Answer::ok(), Answer::Close]);
    house.emit("order.placed", "{}").await;
    house.work().await;
    assert_eq!(house.deliveries()[0].outcome, Some(Outcome::Unknown), "a call without an answer");
    house.forward(Duration::from_secs(3));
    house.work().await;
    house.work().await;
    assert_eq!(house.states(), [DeliveryState::Delivered; 2]);
    let seen = house.functions.seen.lock().unwrap().clone();
    assert_eq!((seen[0].name.as_str(), seen[0].payload.as_str()), ("erp.order.thanked", r#"{"number":7}"#));
    let lines: Vec<_> = house.receiver.asked().into_iter().map(|a| a.line).collect();
    let post = |path: &str| format!("POST /api/{path} HTTP/1.1");
    assert_eq!(lines, [post("first"), post("second"), post("second")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_poll_brings_becomes_an_event_and_its_failure_waits_for_the_next() {
    let operation =
        "[[op]]\nname = \"order.thanked\"\nkind = \"poll\"\nevery = \"5m\"\nrun = \"logic/erp.ts#stock\"\n";
    let house = House::build("data = []", "", operation).await;
    house.work().await;
    house.work().await;
    assert_eq!(house.receiver.asked().len(), 2, "both calls of one question");
    assert_eq!(house.functions.seen.lock().unwrap()[0].name, "erp.order.thanked");
    house.receiver.will([Answer::status(500)]);
    house.forward(Duration::from_secs(301));
    house.work().await;
    house.work().await;
    assert_eq!(house.receiver.asked().len(), 3, "asked once, not again before its time");
    assert_eq!(house.functions.seen.lock().unwrap().len(), 1);
    house.forward(Duration::from_secs(301));
    house.work().await;
    house.work().await;
    assert_eq!(house.functions.seen.lock().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_leaves_in_the_moment_in_which_a_receiver_says_that_it_is_gone() {
    let house = House::build("data = []\nguard = { concurrency = 1 }", "", DELIVER).await;
    house.receiver.will([Answer::status(410)]);
    for _ in 0..3 {
        house.emit("order.placed", "{}").await;
    }
    house.work().await;
    assert_eq!(house.receiver.asked().len(), 1);
    use DeliveryState::{Dead, Waiting};
    assert_eq!(house.states().iter().filter(|s| **s == Waiting).count(), 2);
    assert_eq!(house.states().iter().filter(|s| **s == Dead).count(), 1);
}
