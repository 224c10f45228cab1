//! Order where it matters, and what a crash leaves.

use std::time::Duration;

use takt_interfaces::{DeliveryState, Outcome};

use crate::{
    house::{DELIVER, House},
    receiver::Answer,
};

fn in_lanes() -> String {
    format!("{DELIVER}lane = \"order.id\"\n")
}

async fn emit(house: &House, order: &str, step: u32) {
    house.emit("order.placed", &format!(r#"{{"order":{{"id":"{order}"}},"step":{step}}}"#)).await;
}

fn arrived(house: &House) -> Vec<(String, u64)> {
    let asked = house.receiver.asked();
    let told = |a: &crate::receiver::Asked| {
        let body = a.json();
        (body["order"]["id"].as_str().unwrap().to_owned(), body["step"].as_u64().unwrap())
    };
    asked.iter().map(told).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_one_lane_one_goes_after_the_other() {
    let house = House::with(&in_lanes()).await;
    house.receiver.will([Answer::status(500)]);
    for step in 1..=5 {
        emit(&house, "a", step).await;
    }
    assert_eq!(house.work().await, 1, "the first failed: nothing overtakes it");
    house.forward(Duration::from_secs(3));
    house.work().await;
    let steps: Vec<u64> = arrived(&house).into_iter().map(|(_, step)| step).collect();
    assert_eq!(steps, [1, 1, 2, 3, 4, 5]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_stops_its_lane_and_no_other() {
    let house = House::with(&in_lanes()).await;
    house.receiver.will([Answer::status(422)]);
    for (order, step) in [("a", 1), ("a", 2), ("b", 1), ("a", 3)] {
        emit(&house, order, step).await;
        house.work().await;
    }
    let sent = |order: &str, step| (order.to_owned(), step);
    assert_eq!(arrived(&house), [sent("a", 1), sent("b", 1)]);
    let dead = house.deliveries().into_iter().find(|d| d.state == DeliveryState::Dead).unwrap();
    house.interfaces.replay(dead.id, None).await.unwrap();
    house.work().await;
    assert_eq!(arrived(&house)[2..], [sent("a", 1), sent("a", 2), sent("a", 3)], "then in order");
    assert!(house.states().iter().all(|s| *s == DeliveryState::Delivered));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_dead_letter_lets_the_others_go() {
    let house = House::with(&in_lanes()).await;
    house.receiver.will([Answer::status(422)]);
    emit(&house, "a", 1).await;
    emit(&house, "a", 2).await;
    house.work().await;
    let dead = house.deliveries().remove(0);
    house.interfaces.decide(dead.id, false).await.unwrap();
    house.work().await;
    assert_eq!(house.states(), [DeliveryState::Cancelled, DeliveryState::Delivered]);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_file_says_so_the_lane_goes_on() {
    let operation = format!("{}retry = {{ then = \"skip\" }}\n", in_lanes());
    let house = House::with(&operation).await;
    house.receiver.will([Answer::status(422)]);
    emit(&house, "a", 1).await;
    emit(&house, "a", 2).await;
    house.work().await;
    assert_eq!(house.states(), [DeliveryState::Dead, DeliveryState::Delivered]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_a_crash_interrupted_is_unknown_and_sent_again_in_order() {
    let house = House::with(&in_lanes()).await;
    emit(&house, "a", 1).await;
    emit(&house, "a", 2).await;
    house.interfaces.claim_and_die().await.unwrap();
    assert!(house.deliveries()[0].claimed);
    let house = house.restarted();
    house.work().await;
    assert_eq!(house.deliveries()[0].outcome, Some(Outcome::Unknown));
    house.forward(Duration::from_secs(3));
    house.work().await;
    let steps: Vec<u64> = arrived(&house).into_iter().map(|(_, step)| step).collect();
    assert_eq!(steps, [1, 2]);
    let tries = house.interfaces.delivery(house.deliveries()[0].id).unwrap().tries;
    assert_eq!((tries[0].outcome, tries[0].took), (Outcome::Unknown, None), "never told as never tried");
    assert_eq!(tries[1].outcome, Outcome::Ok);
}

#[tokio::test(flavor = "multi_thread")]
async fn deciding_about_a_dead_letter_that_its_lane_has_passed_leaves_the_lane_alone() {
    let operation = format!("{}retry = {{ then = \"skip\" }}\n", in_lanes());
    let house = House::with(&operation).await;
    house.receiver.will([Answer::status(422), Answer::status(500)]);
    emit(&house, "a", 1).await;
    emit(&house, "a", 2).await;
    house.work().await;
    let dead = house.deliveries().remove(0);
    assert_eq!(house.states(), [DeliveryState::Dead, DeliveryState::Waiting]);
    house.interfaces.decide(dead.id, false).await.unwrap();
    house.forward(Duration::from_secs(3));
    house.work().await;
    assert_eq!(house.states(), [DeliveryState::Cancelled, DeliveryState::Delivered], "not stuck for ever");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_behind_the_head_does_not_hurry_the_head() {
    let house = House::with(&in_lanes()).await;
    house.receiver.will([Answer::Status(503, "retry-after: 60\r\n", "")]);
    emit(&house, "a", 1).await;
    emit(&house, "a", 2).await;
    house.work().await;
    let second = house.deliveries().remove(1);
    house.interfaces.decide(second.id, false).await.unwrap();
    assert_eq!(house.work().await, 0, "the other side asked for a minute");
    house.forward(Duration::from_secs(61));
    assert_eq!(house.work().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_without_order_does_not_keep_lanes_away() {
    let loose = "[[op]]\nname = \"loose\"\nkind = \"deliver\"\non = \"loose\"\nrequest = \"POST /loose\"\n";
    let house =
        House::build("data = []\nguard = { concurrency = 2 }", "", &format!("{}{loose}", in_lanes())).await;
    for _ in 0..20 {
        house.emit("loose", "{}").await;
    }
    emit(&house, "a", 1).await;
    house.work().await;
    let lines: Vec<_> = house.receiver.asked().into_iter().map(|a| a.line).collect();
    assert!(lines[..2].contains(&"POST /api/orders HTTP/1.1".to_owned()), "{lines:?}");
}
