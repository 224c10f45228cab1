//! `on_unknown = "lookup"`: what was sent and not answered leaves a second time only if it is not there.

use std::time::Duration;

use takt_interfaces::{Cause, DeliveryState, Outcome};

use crate::{
    house::{DELIVER, House},
    receiver::Answer,
};

const LOOKS: &str = "on_unknown = \"lookup\"\nlookup = \"logic/erp.ts#look\"\n";

fn lines(house: &House) -> Vec<String> {
    house.receiver.asked().iter().map(|a| a.line.split(" HTTP").next().unwrap().to_owned()).collect()
}

/// Sent without an answer; then the look gets these answers, one attempt each.
async fn unanswered(looks: impl IntoIterator<Item = Answer>) -> House {
    let house = House::with(&format!("{DELIVER}{LOOKS}")).await;
    house.receiver.will([Answer::Close].into_iter().chain(looks));
    house.emit("order.placed", r#"{"order":{"id":"o1"}}"#).await;
    house.work().await;
    assert_eq!(house.deliveries()[0].outcome, Some(Outcome::Unknown));
    house.forward(Duration::from_secs(3));
    house.work().await;
    house
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_is_delivered_and_not_sent_again() {
    let house = unanswered([Answer::Status(200, "", "true")]).await;
    assert_eq!(house.states(), [DeliveryState::Delivered]);
    assert_eq!(lines(&house), ["POST /api/orders", "GET /api/look"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_sent_again() {
    let house = unanswered([Answer::Status(200, "", "false")]).await;
    assert_eq!(house.states(), [DeliveryState::Delivered]);
    assert_eq!(lines(&house), ["POST /api/orders", "GET /api/look", "POST /api/orders"]);
    let asked = house.receiver.asked();
    assert_eq!(asked[0].header("idempotency-key"), asked[2].header("idempotency-key"));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_that_cannot_be_told_a_person_is_asked() {
    for look in [Answer::Status(200, "", "null"), Answer::status(400)] {
        let house = unanswered([look]).await;
        let delivery = house.deliveries().remove(0);
        assert_eq!((delivery.state, delivery.cause), (DeliveryState::Asking, Some(Cause::CannotTell)));
        house.forward(Duration::from_secs(86_400));
        house.work().await;
        assert_eq!(lines(&house), ["POST /api/orders", "GET /api/look"]);
        // Once a person wants it, it is looked up again first.
        house.receiver.will([Answer::Status(200, "", "false")]);
        house.interfaces.replay(delivery.id, None).await.unwrap();
        house.work().await;
        assert_eq!(house.states(), [DeliveryState::Delivered]);
        assert_eq!(lines(&house)[2..], ["GET /api/look", "POST /api/orders"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_that_fails_is_made_again_and_nothing_is_sent_meanwhile() {
    let house = unanswered([Answer::status(503), Answer::Close, Answer::Status(200, "", "true")]).await;
    assert_eq!(house.deliveries()[0].outcome, Some(Outcome::Unknown), "still nobody knows");
    for _ in 0..2 {
        house.forward(Duration::from_secs(70));
        house.work().await;
    }
    assert_eq!(house.states(), [DeliveryState::Delivered]);
    assert_eq!(lines(&house), ["POST /api/orders", "GET /api/look", "GET /api/look", "GET /api/look"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_a_crash_interrupted_is_looked_up_too() {
    let house = House::with(&format!("{DELIVER}{LOOKS}")).await;
    house.emit("order.placed", r#"{"order":{"id":"o1"}}"#).await;
    house.interfaces.claim_and_die().await.unwrap();
    let house = house.restarted();
    house.receiver.will([Answer::Status(200, "", "false")]);
    house.work().await;
    house.forward(Duration::from_secs(3));
    house.work().await;
    assert_eq!(lines(&house), ["GET /api/look", "POST /api/orders"]);
    assert_eq!(house.states(), [DeliveryState::Delivered]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_needs_no_look() {
    let house = House::with(&format!("{DELIVER}{LOOKS}")).await;
    house.receiver.will([Answer::status(503)]);
    house.emit("order.placed", r#"{"order":{"id":"o1"}}"#).await;
    house.work().await;
    house.forward(Duration::from_secs(3));
    house.work().await;
    assert_eq!(lines(&house), ["POST /api/orders", "POST /api/orders"]);
}
