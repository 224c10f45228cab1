//! After an outage: what waited goes out in the order in which it came up, and soon.

use std::time::Duration;

use takt_interfaces::{Cause, DeliveryState};

use crate::{
    house::{DATA, DELIVER, House, connection},
    receiver::{Answer, Receiver},
};

/// A pause that nobody would want to sit out.
const LONG: &str = "retry = { schedule = [\"70s\", \"2m\"] }\n";
const LANES: &str = "lane = \"order.id\"\n";

fn one_at_a_time(address: &str, operation: &str, breaker: &str) -> String {
    let top = format!("{DATA}\nguard = {{ concurrency = 1, breaker = \"{breaker}\" }}");
    connection(address, &top, "", &format!("{DELIVER}{operation}{LONG}"))
}

async fn emit(house: &House, order: &str) {
    house.emit("order.placed", &format!(r#"{{"order":{{"id":"{order}"}}}}"#)).await;
}

fn arrived(house: &House) -> Vec<String> {
    let asked = house.receiver.asked();
    asked.iter().map(|a| a.json()["order"]["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waited_for_somebody_to_be_there_arrives_in_the_order_in_which_it_came_up() {
    for operation in ["", LANES] {
        let receiver = Receiver::away().await;
        let erp = one_at_a_time(&receiver.address, operation, "5 of 10, half-open 30s..10m");
        let house = House::of(receiver, &erp, &[]);
        // Later ones have names that would come first.
        for order in ["z", "y"] {
            emit(&house, order).await;
            house.work().await;
        }
        let waiting = house.deliveries();
        assert_eq!((waiting[0].attempts, waiting[1].attempts), (1, 0), "the second one need not try");
        assert_eq!(waiting[0].cause, Some(Cause::Refused));
        let house = house.restarted();
        house.forward(Duration::from_secs(5));
        emit(&house, "a").await;
        house.work().await;
        house.receiver.come().await;
        house.forward(Duration::from_secs(9));
        assert_eq!(house.work().await, 0, "{operation} its pause is not over");
        house.forward(Duration::from_secs(1));
        house.work().await;
        assert_eq!(
            arrived(&house),
            ["z", "y", "a"],
            "{operation} long before the pauses of the first are over"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_found_nobody_there_does_not_wait_once_another_got_through() {
    let receiver = Receiver::away().await;
    let address = receiver.address.clone();
    let erp = connection(&address, DATA, "", &format!("{DELIVER}{LONG}"));
    let house = House::of(receiver, &erp, &[]);
    emit(&house, "a").await;
    emit(&house, "b").await;
    house.work().await;
    house.receiver.come().await;
    house.forward(Duration::from_secs(5));
    house.work().await;
    assert_eq!(house.states(), [DeliveryState::Delivered; 2]);
    assert_eq!(arrived(&house), ["a", "b"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_faults_the_waiting_ones_follow_at_once_but_who_was_asked_for_patience_keeps_to_it() {
    let receiver = Receiver::start().await;
    receiver.will([Answer::Status(429, "retry-after: 3600\r\n", ""), Answer::status(500)]);
    let erp = one_at_a_time(&receiver.address, LANES, "2 of 4, half-open 30s..10m");
    let house = House::of(receiver, &erp, &[]);
    for order in ["patient", "b", "c"] {
        emit(&house, order).await;
    }
    house.work().await;
    assert_eq!(arrived(&house), ["patient", "b"], "the breaker is open");
    house.forward(Duration::from_secs(30));
    house.work().await;
    assert_eq!(arrived(&house)[2..], ["c", "b"], "a fault of its own waits until somebody got through");
    assert_eq!(house.deliveries()[0].cause, Some(Cause::Patience));
    assert_eq!(house.states()[0], DeliveryState::Waiting);
}
