//! JSON-RPC: one call for each event, questions by functions, and what error objects mean.

use std::time::Duration;

use serde_json::json;
use takt_interfaces::{DeliveryState, Outcome};

use crate::{
    house::{House, connection},
    receiver::{Answer, Receiver},
};

const SALE: &str = r#"
[[op]]
name = "sale.create"
kind = "deliver"
on = "order.placed"
map = "logic/erp.ts#toSale"
"#;

async fn house(operations: &str, answers: impl IntoIterator<Item = Answer>) -> House {
    let receiver = Receiver::start().await;
    receiver.will(answers);
    let erp = connection(&receiver.address, "data = []", "", operations);
    House::of(receiver, &erp.replacen("\"rest\"", "\"jsonrpc\"", 1), &[])
}

async fn sold(answers: impl IntoIterator<Item = Answer>) -> House {
    let house = house(SALE, answers).await;
    house.functions.makes("toSale", r#"[{"number":"B1"}]"#);
    house.emit("order.placed", r#"{"order":{"number":"B1"}}"#).await;
    house.work().await;
    house
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operations_name_is_the_method_and_the_map_makes_the_parameters() {
    let house = sold([Answer::Status(200, "", r#"{"jsonrpc":"2.0","id":"1","result":7}"#)]).await;
    let (asked, delivery) = (house.receiver.asked().remove(0), house.deliveries().remove(0));
    assert_eq!(asked.line, "POST /api HTTP/1.1");
    let expected = json!({
        "jsonrpc": "2.0", "id": delivery.id.to_string(), "method": "sale.create", "params": [{"number": "B1"}],
    });
    assert_eq!(asked.json(), expected);
    assert_eq!(delivery.state, DeliveryState::Delivered);
}

#[tokio::test(flavor = "multi_thread")]
async fn error_objects_are_refusals_or_failures() {
    const INVALID: &str = r#"{"id":"1","error":{"code":-32602,"message":"unknown article"}}"#;
    const BUSY: &str = r#"{"id":"1","error":{"code":-32000,"message":"busy"}}"#;
    for (answer, outcome, error) in [
        (Answer::Status(200, "", INVALID), Outcome::Refused, "error -32602: unknown article"),
        (Answer::Status(200, "", BUSY), Outcome::Failed, "error -32000: busy"),
        (Answer::Status(500, "", INVALID), Outcome::Failed, "error -32602: unknown article"),
        (Answer::Status(503, "", ""), Outcome::Failed, "answered 503"),
        (Answer::Status(200, "", "<html>"), Outcome::Failed, "the answer is no JSON-RPC"),
    ] {
        let house = sold([answer]).await;
        let delivery = house.deliveries().remove(0);
        assert_eq!((delivery.outcome, delivery.error.as_deref()), (Some(outcome), Some(error)));
    }
}

const STOCK: &str = r#"
[[op]]
name = "stock"
kind = "poll"
every = "5m"
run = "logic/erp.ts#rpc"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_function_calls_methods_and_gets_results() {
    let house = house(STOCK, [Answer::Status(200, "", r#"{"id":"1","result":{"tea":4}}"#)]).await;
    house.work().await;
    house.work().await;
    let asked = house.receiver.asked().remove(0);
    assert_eq!(asked.line, "POST /api HTTP/1.1");
    let call = asked.json();
    assert_eq!((&call["jsonrpc"], &call["method"]), (&json!("2.0"), &json!("stock.list")));
    assert_eq!(call["params"]["name"], "erp.stock.due");
    let seen = house.functions.seen.lock().unwrap();
    assert_eq!(seen[0].payload, r#"{"tea":4}"#, "the result alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_object_ends_a_function_in_its_class() {
    const BUSY: &str = r#"{"id":"1","error":{"code":-32603,"message":"locked"}}"#;
    let operation = SALE.replace("map = \"logic/erp.ts#toSale\"", "run = \"logic/erp.ts#rpc\"");
    let house = house(&operation, [Answer::Status(200, "", BUSY)]).await;
    house.emit("order.placed", r#"{"order":{"number":"B1"}}"#).await;
    house.work().await;
    let delivery = house.deliveries().remove(0);
    assert_eq!(delivery.outcome, Some(Outcome::Failed));
    assert_eq!(delivery.error.as_deref(), Some("stock.list: error -32603: locked"));
    house.receiver.will([Answer::Status(200, "", r#"{"id":"1","result":null}"#)]);
    house.forward(Duration::from_secs(3));
    house.work().await;
    assert_eq!(house.states()[0], DeliveryState::Delivered);
}
