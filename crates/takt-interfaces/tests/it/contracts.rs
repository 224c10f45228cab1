//! Contracts end to end: what breaks one does not leave, or stops where it came from; nothing is lost, nothing is sent
//! twice, and work goes on when the contract was corrected or a person has accepted.

use std::time::Duration;

use http::HeaderMap;
use takt_engine::{EngineError, EngineTx};
use takt_interfaces::{
    DeliveryState, Drift, DriftKind, InterfacesError, Outcome, Received, sign::sign_standard,
};
use takt_model::Principal;
use takt_outbound::Secret;

use crate::{house::House, receiver::Answer};

const DELIVER: &str = r#"
[[op]]
name = "order"
kind = "deliver"
on = "order.placed"
lane = "order.customer"
request = "POST /orders"
contract = { request = "contracts/order.json", response = "contracts/answer.json" }
"#;

const ORDER: &str = r#"{
  "type": "object", "required": ["order"],
  "properties": { "order": {
    "type": "object", "required": ["total"],
    "properties": { "total": { "type": "number" }, "email": { "type": "string", "maxLength": 20 } } } }
}"#;

const ANSWER: &str = r#"{
  "type": "object", "required": ["number"],
  "properties": { "number": { "type": "integer" }, "state": { "enum": ["new", "paid"] } }
}"#;

const GOOD: Answer = Answer::Status(201, "", r#"{"number":7,"state":"new"}"#);
const RENAMED: Answer = Answer::Status(201, "", r#"{"order_number":8,"state":"new"}"#);

async fn orders() -> House {
    House::contracted(DELIVER, &[("order.json", ORDER), ("answer.json", ANSWER)]).await
}

fn order(customer: &str) -> String {
    format!(r#"{{"order":{{"customer":"{customer}","total":12.5}}}}"#)
}

fn drifts(house: &House) -> Vec<Drift> {
    house.interfaces.drifts(Some("erp")).unwrap()
}

fn one_drift(house: &House) -> Drift {
    let [drift] = <[Drift; 1]>::try_from(drifts(house)).unwrap();
    drift
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_our_own_contract_never_leaves() {
    let house = orders().await;
    for (payload, why) in [
        (r#"{"order":{"customer":"a","total":"12.50"}}"#, "`order.total` must be number and is string"),
        (r#"{"order":{"customer":"b"}}"#, "`order.total` is missing"),
        (
            r#"{"order":{"customer":"c","total":1,"email":"a.very.long.address@example.com"}}"#,
            "`order.email` is not as allowed (maxLength)",
        ),
    ] {
        house.emit("order.placed", payload).await;
        house.work().await;
        let delivery = house.deliveries().pop().unwrap();
        assert_eq!((delivery.state, delivery.outcome), (DeliveryState::Dead, Some(Outcome::Refused)));
        let error = delivery.error.unwrap();
        assert_eq!(error, format!("contract: it does not leave, because it is not as agreed: {why}"));
        assert!(!error.contains("example.com"));
        let told = drifts(&house);
        assert!(!told[0].after.as_deref().unwrap().contains("example.com"), "{told:?}");
    }
    assert!(house.receiver.asked().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_breaks_the_contract_stops_its_lane_and_is_not_asked_for_again() {
    let house = orders().await;
    house.receiver.will([GOOD, RENAMED]);
    for customer in ["a", "a", "a"] {
        house.emit("order.placed", &order(customer)).await;
        house.work().await;
    }
    house.emit("order.placed", &order("b")).await;
    house.forward(Duration::from_secs(3600));
    house.work().await;
    let [fine, parked, behind, other] = house.deliveries().try_into().unwrap();
    assert_eq!(fine.state, DeliveryState::Delivered);
    assert_eq!((parked.state, parked.outcome), (DeliveryState::Asking, Some(Outcome::Ok)));
    assert!(parked.is_parked());
    assert_eq!(
        parked.error.as_deref(),
        Some("contract: the answer is not as agreed: `number` is missing, and `order_number` is new")
    );
    assert_eq!((behind.state, behind.attempts), (DeliveryState::Waiting, 0));
    assert_eq!(other.state, DeliveryState::Asking, "the receiver says nothing more: an empty object");
    assert_eq!(house.receiver.asked().len(), 3);

    let all = drifts(&house);
    let renamed = all.iter().find(|d| d.kind == DriftKind::Renamed).unwrap();
    assert_eq!((renamed.path.as_str(), renamed.detail.as_deref()), ("number", Some("order_number")));
    assert_eq!((renamed.count, renamed.first_seen, renamed.breaking), (1, renamed.last_seen, true));
    assert_eq!(renamed.before.as_deref(), Some(r#"{"number":7,"state":"new"}"#));
    assert_eq!(renamed.after.as_deref(), Some(r#"{"order_number":8,"state":"new"}"#));
    assert!(house.interfaces.is_open(renamed).unwrap());

    // Trying again asks nobody: the kept answer is judged anew.
    house.interfaces.replay(parked.id, None).await.unwrap();
    house.work().await;
    assert_eq!(house.states()[1], DeliveryState::Asking);
    assert_eq!(house.receiver.asked().len(), 3);

    house.receiver.will([GOOD]);
    let gone_on = house.interfaces.accept(renamed.id).await.unwrap();
    assert_eq!(gone_on, 2, "both are looked at again");
    house.work().await;
    use DeliveryState::{Asking, Delivered};
    assert_eq!(house.states(), [Delivered, Delivered, Delivered, Asking]);
    assert_eq!(house.receiver.asked().len(), 4, "only what had waited behind was sent");
    assert!(drifts(&house).iter().any(|d| d.accepted && d.count == 1), "seen once, whatever was judged anew");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_delivery_survives_the_end_of_the_process_and_goes_on_with_a_corrected_contract() {
    let house = orders().await;
    house.receiver.will([RENAMED]);
    house.emit("order.placed", &order("a")).await;
    house.emit("order.placed", &order("a")).await;
    house.work().await;
    let mut house = house.restarted();
    house.work().await;
    assert_eq!(house.states(), [DeliveryState::Asking, DeliveryState::Waiting]);
    assert_eq!(house.receiver.asked().len(), 1);
    house.receiver.will([RENAMED]);
    house.corrected("answer.json", &ANSWER.replace("\"number\"", "\"order_number\""));
    house.work().await;
    assert_eq!(house.states(), [DeliveryState::Delivered; 2]);
    assert_eq!(house.receiver.asked().len(), 2, "one each");
    assert!(drifts(&house).iter().all(|d| !house.interfaces.is_open(d).unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_nothing_is_noted_with_first_and_last_sight_and_work_goes_on() {
    let house = orders().await;
    let grown = Answer::Status(201, "", r#"{"number":7,"state":"on_hold","colour":"green"}"#);
    house.receiver.will([GOOD, grown.clone(), grown.clone(), grown]);
    for at in 0..4 {
        house.emit("order.placed", &order("a")).await;
        house.work().await;
        house.forward(Duration::from_secs(if at == 1 { 1 } else { 120 }));
    }
    assert_eq!(house.states(), [DeliveryState::Delivered; 4]);
    let mut all = drifts(&house);
    all.sort_by_key(|d| d.kind.name());
    let told: Vec<_> =
        all.iter().map(|d| (d.kind, d.path.as_str(), d.detail.as_deref(), d.count, d.breaking)).collect();
    // The second sight came within a minute of the first; it is counted with the third.
    assert_eq!(
        told,
        [
            (DriftKind::NewValue, "state", Some("on_hold"), 3, false),
            (DriftKind::UnknownField, "colour", None, 3, false),
        ]
    );
    assert!(all[0].first_seen < all[0].last_seen);
    assert_eq!(all[0].before.as_deref(), Some(r#"{"number":7,"state":"new"}"#));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_only_wants_a_note_gets_one() {
    let noted = DELIVER.replace("contracts/answer.json\"", "contracts/answer.json\", drift = \"note\"");
    let house = House::contracted(&noted, &[("order.json", ORDER), ("answer.json", ANSWER)]).await;
    house.receiver.will([RENAMED]);
    house.emit("order.placed", &order("a")).await;
    house.work().await;
    assert_eq!(house.states(), [DeliveryState::Delivered]);
    assert!(one_drift(&house).breaking);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_and_accepted_statuses_have_no_contract() {
    let also = DELIVER.replace("[[op]]", "[[op]]\nok_also = [409]");
    let house = House::contracted(&also, &[("order.json", ORDER), ("answer.json", ANSWER)]).await;
    house.receiver.will([Answer::status(409), Answer::status(422)]);
    for customer in ["a", "b"] {
        house.emit("order.placed", &order(customer)).await;
        house.work().await;
    }
    assert_eq!(house.states(), [DeliveryState::Delivered, DeliveryState::Dead]);
    assert_eq!(drifts(&house), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn in_several_calls_the_step_that_differs_is_the_last_and_is_not_made_again() {
    let run = DELIVER.replace("request = \"POST /orders\"", "run = \"logic/erp.ts#send\"").replace(
        "contract = { request = \"contracts/order.json\", response = \"contracts/answer.json\" }",
        "contract = { steps = { second = { response = \"contracts/answer.json\" } } }",
    );
    let mut house = House::contracted(&run, &[("answer.json", ANSWER)]).await;
    let lines = |house: &House| house.receiver.asked().iter().map(|a| a.line.clone()).collect::<Vec<_>>();
    house.receiver.will([Answer::ok(), Answer::Status(200, "", r#"{"number":"7"}"#)]);
    house.emit("order.placed", &order("a")).await;
    house.work().await;
    let parked = house.deliveries().remove(0);
    assert!(parked.is_parked(), "{parked:?}");
    assert_eq!(
        parked.error.as_deref(),
        Some("contract: the answer to `second` is not as agreed: `number` must be integer and is string")
    );
    assert!(house.functions.seen.lock().unwrap().is_empty(), "nothing follows from it");

    house.corrected("answer.json", &ANSWER.replace("\"integer\"", "[\"integer\", \"string\"]"));
    house.work().await;
    house.work().await;
    assert_eq!(house.states()[0], DeliveryState::Delivered);
    assert_eq!(lines(&house), ["POST /api/first HTTP/1.1", "POST /api/second HTTP/1.1"]);
    let seen: Vec<_> = house.functions.seen.lock().unwrap().iter().map(|e| e.name.clone()).collect();
    assert_eq!(seen, ["erp.order"], "once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_whose_body_breaks_its_contract_does_not_leave() {
    let run = DELIVER.replace("request = \"POST /orders\"", "run = \"logic/erp.ts#send\"").replace(
        "contract = { request = \"contracts/order.json\", response = \"contracts/answer.json\" }",
        "contract = { steps = { second = { request = \"contracts/order.json\" } } }",
    );
    let house = House::contracted(&run, &[("order.json", ORDER)]).await;
    house.emit("order.placed", &order("a")).await;
    house.work().await;
    let delivery = house.deliveries().remove(0);
    assert_eq!((delivery.state, delivery.outcome), (DeliveryState::Dead, Some(Outcome::Refused)));
    assert_eq!(house.receiver.asked().len(), 1, "only the first call");
    assert_eq!(one_drift(&house).step, "second");
    let accepted = house.interfaces.accept(one_drift(&house).id).await;
    assert!(matches!(accepted, Err(InterfacesError::NotNow(_))), "only a correction helps");
    assert!(!house.interfaces.is_open(&one_drift(&house)).unwrap(), "its dead letter waits, not the partner");
}

const POLL: &str = r#"
[[op]]
name = "stock"
kind = "poll"
every = "5m"
run = "logic/erp.ts#stock"
contract = { response = "contracts/answer.json" }
plausible = ["zeros(stock) <= 50% * rows", "rows >= 80% * last.rows"]
"#;

fn stock(numbers: impl IntoIterator<Item = u32>) -> String {
    let rows: Vec<_> = numbers.into_iter().map(|n| format!(r#"{{"slug":"a","stock":{n}}}"#)).collect();
    format!(r#"{{"products":[{}]}}"#, rows.join(","))
}

/// Asks once more, five minutes later; gives what consumers have heard so far.
async fn ask(house: &House, brings: &str) -> usize {
    *house.functions.brings.lock().unwrap() = Some(brings.to_owned());
    house.forward(Duration::from_secs(301));
    house.work().await;
    house.work().await;
    house.functions.seen.lock().unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn stock_of_nothing_but_zeros_is_refused_and_the_next_answer_counts_again() {
    let house = House::contracted(POLL, &[("answer.json", "{}")]).await;
    assert_eq!(ask(&house, &stock([0; 10])).await, 0, "the first answer already");
    let refused = house.deliveries().pop().unwrap();
    assert_eq!((refused.state, refused.outcome), (DeliveryState::Cancelled, Some(Outcome::Ok)));
    assert!(refused.error.unwrap().starts_with("plausible: "));
    assert_eq!(ask(&house, &stock(1..=10)).await, 1);
    assert_eq!(ask(&house, &stock([0; 10])).await, 1);
    let zeros = one_drift(&house);
    assert_eq!(
        (zeros.kind, zeros.path.as_str(), zeros.count),
        (DriftKind::Implausible, "zeros(stock) <= 50% * rows", 2)
    );
    assert_eq!(zeros.after.as_deref(), Some(r#"{"rows":10,"zeros(stock)":10}"#));
    let accepted = house.interfaces.accept(zeros.id).await;
    assert!(matches!(accepted, Err(InterfacesError::NotNow(_))), "nobody waves that through");
    assert!(house.interfaces.is_open(&zeros).unwrap());
    assert_eq!(ask(&house, &stock(1..=9)).await, 2);
    assert!(!house.interfaces.is_open(&one_drift(&house)).unwrap(), "over since an answer was taken again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_smaller_answer_is_taken_once_a_person_says_that_it_is_right() {
    let house = House::contracted(POLL, &[("answer.json", "{}")]).await;
    assert_eq!(ask(&house, &stock(1..=10)).await, 1);
    assert_eq!(ask(&house, &stock(1..=5)).await, 1);
    assert_eq!(ask(&house, &stock(1..=5)).await, 1, "asked again, refused again");
    let smaller = one_drift(&house);
    assert_eq!(smaller.before.as_deref(), Some(r#"{"rows":10,"zeros(stock)":0}"#));
    house.interfaces.accept(smaller.id).await.unwrap();
    // Asked at once, without waiting for the next five minutes.
    house.work().await;
    house.work().await;
    assert_eq!(house.functions.seen.lock().unwrap().len(), 2);
    assert_eq!(ask(&house, &stock(1..=3)).await, 2, "compared with five now");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_whose_answer_differs_becomes_no_event_until_it_is_accepted() {
    let house = House::contracted(POLL, &[("answer.json", ANSWER)]).await;
    house.receiver.will([GOOD, GOOD, RENAMED]);
    assert_eq!(ask(&house, &stock(1..=10)).await, 1);
    assert_eq!(ask(&house, &stock(1..=10)).await, 1);
    let drift = one_drift(&house);
    assert_eq!(drift.kind, DriftKind::Renamed);
    assert_eq!((drift.step.as_str(), drift.path.as_str()), ("first", "number"));
    let refused = house.deliveries().pop().unwrap();
    assert_eq!((refused.state, refused.outcome), (DeliveryState::Cancelled, Some(Outcome::Ok)));
    assert!(refused.error.unwrap().starts_with("contract: the answer to `first`"), "answered, and not taken");
    house.receiver.will([RENAMED, GOOD]);
    house.interfaces.accept(drift.id).await.unwrap();
    assert_eq!(ask(&house, &stock(1..=10)).await, 2);
}

const RECEIVE: &str = r#"
[[op]]
name = "thanked"
kind = "receive"
accept = "order.thanked"
contract = { request = "contracts/thanked.json" }
"#;

const THANKED: &str = r#"{
  "type": "object", "required": ["type", "amount"],
  "properties": { "type": { "type": "string" }, "amount": { "type": "integer" }, "email": { "type": "string" } }
}"#;

async fn take(house: &House, id: &str, body: &str) -> Received {
    let key = [Secret::new("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX")];
    let at = house.engine.now() / 1_000_000;
    let headers: HeaderMap = sign_standard(&key, id, at, body.as_bytes()).unwrap().into_iter().collect();
    house.interfaces.receive("erp", &headers, body.as_bytes()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_breaks_its_contract_is_kept_and_parked_and_not_seen() {
    let auth = "auth = { kind = \"standard-webhooks\", secrets = [\"hook_key\"] }";
    let mut house = House::incoming_contracted(auth, RECEIVE, &[("thanked.json", THANKED)]).await;
    let changed = r#"{"type":"order.thanked","amount":"12.90","email":"anna@example.com"}"#;
    assert_eq!(take(&house, "m1", changed).await, Received::Stored);
    assert_eq!(take(&house, "m1", changed).await, Received::Repeated);
    assert_eq!(take(&house, "m2", r#"{"type":"order.thanked","amount":3}"#).await, Received::Stored);
    house.work().await;
    let seen = |house: &House| {
        house.functions.seen.lock().unwrap().iter().map(|e| e.key.clone().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(seen(&house), ["m2"], "the other one is not held up");
    let parked = house.deliveries().into_iter().find(|d| d.is_parked()).unwrap();
    assert_eq!(
        parked.error.as_deref(),
        Some("contract: this message is not as agreed: `amount` must be integer and is string")
    );
    let drift = one_drift(&house);
    assert_eq!(drift.count, 1);
    assert!(!drift.after.unwrap().contains("anna"));

    house.corrected("thanked.json", &THANKED.replace("\"integer\"", "[\"integer\", \"string\"]"));
    house.work().await;
    house.work().await;
    assert_eq!(seen(&house), ["m2", "m1"], "once");
    assert_eq!(house.states(), [DeliveryState::Delivered; 2]);
}

/// JSON may name a field with a NUL, a text of the database has none.
#[tokio::test(flavor = "multi_thread")]
async fn a_nul_in_a_name_of_theirs_holds_nothing_up() {
    let house = orders().await;
    house.receiver.will([
        Answer::Status(200, "", r#"{"a\u0000":1}"#),
        Answer::Status(200, "", r#"{"number":1,"b\u0000":{"c\u0000":1}}"#),
        Answer::Status(200, "", r#"{"number\u0000":1}"#),
        GOOD,
    ]);
    for customer in ["a", "b", "c", "d"] {
        house.emit("order.placed", &order(customer)).await;
        house.work().await;
    }
    use DeliveryState::{Asking, Delivered};
    assert_eq!(house.states(), [Asking, Delivered, Asking, Delivered]);
    assert!(house.deliveries()[0].error.as_deref().unwrap().ends_with("and `a\u{fffd}` is new"));

    let auth = "auth = { kind = \"standard-webhooks\", secrets = [\"hook_key\"] }";
    let house = House::incoming_contracted(auth, RECEIVE, &[("thanked.json", THANKED)]).await;
    let named = r#"{"type":"order.thanked","amount":3,"x\u0000":"1"}"#;
    assert_eq!(take(&house, "m1", named).await, Received::Stored);
    assert_eq!(take(&house, "m2", r#"{"type":"order.thanked","amount\u0000":3}"#).await, Received::Stored);
    house.work().await;
    assert_eq!(house.states().iter().filter(|s| **s == Asking).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_call_whose_answer_was_kept_is_made_once_however_many_break_their_contract() {
    let run = DELIVER.replace("request = \"POST /orders\"", "run = \"logic/erp.ts#without_steps\"").replace(
        "contract = { request = \"contracts/order.json\", response = \"contracts/answer.json\" }",
        "contract = { steps = { first = { response = \"contracts/answer.json\" }, second = { response = \"contracts/answer.json\" } } }",
    );
    let house = House::contracted(&run, &[("answer.json", ANSWER)]).await;
    house.receiver.will([RENAMED, Answer::Status(200, "", r#"{"number":"7"}"#)]);
    house.emit("order.placed", &order("a")).await;
    house.work().await;
    for made in 2..4 {
        let drifts = drifts(&house);
        let open = drifts.iter().find(|d| !d.accepted).unwrap();
        assert_eq!(house.interfaces.accept(open.id).await.unwrap(), 1);
        house.work().await;
        let lines: Vec<_> = house.receiver.asked().into_iter().map(|a| a.line).collect();
        assert_eq!(lines, ["POST /api/first HTTP/1.1", "POST /api/second HTTP/1.1"], "{made}");
    }
    let delivery = house.deliveries().remove(0);
    assert_eq!(delivery.state, DeliveryState::Delivered);
    assert_eq!(delivery.journal, None, "nothing of their answers stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_waited_is_forgotten_once_it_was_taken() {
    let house = orders().await;
    house.receiver.will([RENAMED]);
    house.emit("order.placed", &order("a")).await;
    house.work().await;
    assert!(house.deliveries()[0].journal.is_some());
    house.interfaces.accept(one_drift(&house).id).await.unwrap();
    house.work().await;
    let delivery = house.deliveries().remove(0);
    assert_eq!((delivery.state, delivery.journal), (DeliveryState::Delivered, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_a_later_contract_stops_can_be_accepted() {
    let auth = "auth = { kind = \"standard-webhooks\", secrets = [\"hook_key\"] }";
    let mut house = House::incoming_contracted(auth, RECEIVE, &[("thanked.json", "{}")]).await;
    assert_eq!(take(&house, "m1", r#"{"type":"order.thanked","amount":"3"}"#).await, Received::Stored);
    house.corrected("thanked.json", THANKED);
    house.work().await;
    assert!(house.deliveries()[0].is_parked());
    let drift = one_drift(&house);
    assert_eq!((drift.path.as_str(), drift.count), ("amount", 1));
    assert_eq!(house.interfaces.accept(drift.id).await.unwrap(), 1);
    house.work().await;
    assert_eq!(house.states(), [DeliveryState::Delivered]);
    assert_eq!(one_drift(&house).count, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_values_are_one_finding_and_are_told_nowhere() {
    let schema = r#"{ "type": "object", "properties": { "people": {
        "type": "object", "additionalProperties": { "type": "object", "properties": { "n": { "type": "integer" } } } } } }"#;
    let house = House::contracted(DELIVER, &[("order.json", ORDER), ("answer.json", schema)]).await;
    house.receiver.will([
        Answer::Status(200, "", r#"{"people":{"anna@shop.example":{"n":"1"}}}"#),
        Answer::Status(200, "", r#"{"people":{"bert@shop.example":{"n":"1"}}}"#),
        Answer::Status(200, "", r#"{"people":{"carl@shop.example":1}}"#),
    ]);
    for customer in ["a", "b", "c"] {
        house.emit("order.placed", &order(customer)).await;
        house.work().await;
    }
    let mut all = drifts(&house);
    all.sort_by_key(|d| std::cmp::Reverse(d.count));
    let told: Vec<_> = all.iter().map(|d| (d.path.as_str(), d.count)).collect();
    assert_eq!(told, [("people.*.n", 2), ("people.*", 1)]);
    assert!(!format!("{all:?}").contains("shop.example"), "{all:?}");
    assert!(house.deliveries().iter().all(|d| !d.error.as_deref().unwrap().contains("shop.example")));
}

#[tokio::test(flavor = "multi_thread")]
async fn differences_that_need_nobody_are_forgotten_with_the_deliveries() {
    let house = orders().await;
    house.receiver.will([
        Answer::Status(201, "", r#"{"number":7,"colour":"green"}"#),
        Answer::Status(201, "", r#"{"number":null}"#),
        Answer::Status(201, "", r#"{"number":"7"}"#),
    ]);
    for customer in ["a", "b", "c"] {
        house.emit("order.placed", &order(customer)).await;
        house.work().await;
    }
    let null = drifts(&house).into_iter().find(|d| d.kind == DriftKind::Null).unwrap();
    house.interfaces.accept(null.id).await.unwrap();
    house.work().await;
    house.forward(Duration::from_secs(29 * 86_400));
    house.interfaces.tidy_now().await.unwrap();
    assert_eq!(drifts(&house).len(), 3);
    house.forward(Duration::from_secs(2 * 86_400));
    house.interfaces.tidy_now().await.unwrap();
    assert_eq!(one_drift(&house).kind, DriftKind::Type, "somebody has to decide");
}

/// An answer of `fields` numbered from `from`.
fn answer_of(fields: std::ops::Range<usize>, value: &str) -> Answer {
    let fields: Vec<_> = fields.map(|n| format!(r#""f{n}":{value}"#)).collect();
    Answer::Status(201, "", format!(r#"{{"number":7,{}}}"#, fields.join(",")).leak())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_helps_however_many_harmless_differences_were_seen_since() {
    let mut house = orders().await;
    house.receiver.will([RENAMED]);
    house.emit("order.placed", &order("a")).await;
    house.work().await;
    house.forward(Duration::from_secs(1));
    house.receiver.will((0..26).map(|n| answer_of(n * 20..(n + 1) * 20, "1")));
    for n in 0..26 {
        house.emit("order.placed", &order(&format!("c{n}"))).await;
    }
    house.work().await;
    assert!(drifts(&house).iter().all(|d| !d.breaking), "of so many the newest are listed");
    house.corrected("answer.json", &ANSWER.replace("\"required\": [\"number\"],", ""));
    house.work().await;
    assert_eq!(house.states()[0], DeliveryState::Delivered);
}

#[tokio::test(flavor = "multi_thread")]
async fn differences_that_break_a_contract_are_not_kept_without_end() {
    let fields: Vec<_> = (0..520).map(|n| format!(r#""f{n}":{{"type":"integer"}}"#)).collect();
    let schema = format!(r#"{{ "properties": {{ "number": {{}}, {} }} }}"#, fields.join(","));
    let house = House::contracted(DELIVER, &[("order.json", ORDER), ("answer.json", &schema)]).await;
    house.receiver.will((0..26).map(|n| answer_of(n * 20..(n + 1) * 20, "\"1\"")));
    for n in 0..26 {
        house.emit("order.placed", &order(&format!("c{n}"))).await;
    }
    house.work().await;
    let count = |tx: &EngineTx| -> Result<usize, EngineError> {
        let plan = tx.on("takt.drifts")?.read(&["id"], None, &[], None)?;
        Ok(tx.rows(&Principal::system("test"), plan)?.0.rows.len())
    };
    assert_eq!(house.engine.look_up(count).unwrap(), 500);
    assert!(house.deliveries().iter().all(takt_interfaces::Delivery::is_parked));
}
