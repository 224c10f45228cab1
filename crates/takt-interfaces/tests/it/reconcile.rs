//! Comparing both sides: what is missing where, what is done about it, and what is never believed.

use std::time::Duration;

use takt_engine::{Actor, ActorKind, AuditFilter, EngineError, EngineTx};
use takt_interfaces::{
    Delivery, DeliveryState, Difference, DifferenceAction, DifferenceKind, DifferenceReason, InterfacesError,
    NotCompared, Outcome, Received, Reconciled, ReconciliationState, Wish, sign::sign_standard,
};
use takt_model::{Principal, Uuid, Value};
use takt_outbound::Secret;

use crate::{
    house::{DATA, House, connection},
    receiver::{Answer, Asked, Receiver},
};

/// Orders go out; those that the other side does not have are offered for sending again.
const SENDS: &str = r#"
[[op]]
name = "order"
kind = "deliver"
on = "order.placed"
lane = "order.id"
request = "POST /orders"
[reconcile]
every = "1h"
window = "3d"
grace = "15m"
theirs = "logic/erp.ts#theirs"
ours = { table = "orders", key = "number", at = "created_at", same = ["total"] }
missing_there = "offer"
send = "order"
"#;

/// Payments come in; those of which the message was lost are handled as though it had come.
const RECEIVES: &str = r#"
[[op]]
name = "paid"
kind = "receive"
accept = "order.thanked"
id = "id"
[reconcile]
every = "1h"
window = "3d"
grace = "15m"
theirs = "logic/erp.ts#theirs"
ours = { table = "orders", key = "number", at = "created_at", holds = "paid", expected = "paid", same = ["total"] }
missing_here = "receive"
[reconcile.connect]
protocol = "rest"
base = "http://{receiver}/api"
allow_private = true
"#;

const STANDARD: &str = "auth = { kind = \"standard-webhooks\", secrets = [\"hook_key\"] }";
const LOOK: Wish = Wish { dry_run: true, replay: false };
const COMPARE: Wish = Wish { dry_run: false, replay: false };
const REPLAY: Wish = Wish { dry_run: false, replay: true };

fn told(body: &'static str) -> Answer {
    Answer::Status(200, "", body)
}

/// What the other side has, for so many questions.
fn they_have(house: &House, body: &'static str) {
    house.receiver.will([told(body)]);
}

async fn compare(house: &House, wish: Wish) -> Reconciled {
    house.interfaces.reconcile("erp", wish).await.unwrap()
}

fn questions(house: &House) -> Vec<Asked> {
    house.receiver.asked().into_iter().filter(|a| a.line.contains("/theirs")).collect()
}

/// An order with its event, dispatched; what the other side answers to it.
async fn placed(house: &House, number: &str, answer: Answer) -> Uuid {
    let id = house.order(number, false, "12.90").await;
    let payload = format!(r#"{{"order":{{"id":"{id}","number":"{number}"}}}}"#);
    let emit = move |tx: &EngineTx| tx.emit("order.placed", Some(&id.to_string()), &payload);
    house.engine.transact(emit).await.unwrap();
    // Whoever is compared with on schedule is asked first.
    if questions(house).is_empty() {
        they_have(house, "[]");
    }
    house.receiver.will([answer]);
    house.work().await;
    id
}

fn summary(done: &Reconciled) -> (ReconciliationState, i64, i64, i64, i64) {
    let run = &done.run;
    (run.state, run.matched, run.missing_there, run.missing_here, run.under_way)
}

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test(flavor = "multi_thread")]
async fn what_they_do_not_have_is_told_since_when_and_sent_again_when_a_person_says_so() {
    let house = House::with(SENDS).await;
    placed(&house, "B1", Answer::ok()).await;
    placed(&house, "B2", Answer::status(400)).await;
    assert_eq!(house.states(), [DeliveryState::Delivered, DeliveryState::Dead]);
    let first = house.engine.now() + 1_200_000_000;
    house.forward(Duration::from_secs(1200));

    const ONE: &str = r#"[{"key":"B1","total":"12.9"}]"#;
    they_have(&house, ONE);
    let seen = compare(&house, COMPARE).await;
    assert_eq!(summary(&seen), (ReconciliationState::Differences, 1, 1, 0, 0));
    let [missing] = seen.differences.as_slice() else { panic!("{seen:?}") };
    assert_eq!((missing.kind, missing.key.as_str()), (DifferenceKind::MissingThere, "B2"));
    assert_eq!(missing.delivery, Some(house.deliveries()[1].id));
    assert_eq!((missing.action, missing.reason), (None, None));
    assert_eq!(house.states()[1], DeliveryState::Dead, "offered, not done");

    house.forward(HOUR);
    they_have(&house, ONE);
    let again = compare(&house, REPLAY).await;
    let [missing] = again.differences.as_slice() else { panic!("{again:?}") };
    assert_eq!((missing.first_at, missing.last_at), (first, house.engine.now()), "the first sight stays");
    assert_eq!((missing.action, again.run.replayed), (Some(DifferenceAction::Sent), 1));
    assert_eq!(house.states()[1], DeliveryState::Waiting);

    house.receiver.will([Answer::ok()]);
    house.work().await;
    house.forward(HOUR);
    they_have(&house, r#"[{"key":"B1","total":"12.90"},{"key":"B2","total":"12.90"}]"#);
    assert_eq!(summary(&compare(&house, COMPARE).await), (ReconciliationState::Agreed, 2, 0, 0, 0));
    let [gone]: [Difference; 1] = house.interfaces.differences("erp", 0).unwrap().try_into().unwrap();
    assert_eq!((gone.first_at, gone.gone_at), (first, Some(house.engine.now())));
}

#[tokio::test(flavor = "multi_thread")]
async fn by_itself_it_sends_once_and_never_what_a_person_has_cancelled() {
    let house = House::with(&SENDS.replace("\"offer\"", "\"send\"")).await;
    placed(&house, "B1", Answer::status(400)).await;
    placed(&house, "B2", Answer::status(400)).await;
    house.interfaces.decide(house.deliveries()[1].id, false).await.unwrap();
    house.forward(Duration::from_secs(1200));
    they_have(&house, "[]");
    let done = compare(&house, COMPARE).await;
    let actions: Vec<_> = done.differences.iter().map(|d| (d.key.as_str(), d.action)).collect();
    assert_eq!(actions, [("B1", Some(DifferenceAction::Sent)), ("B2", None)]);
    house.receiver.will([Answer::status(400)]);
    house.work().await;
    house.forward(Duration::from_secs(60));
    they_have(&house, "[]");
    let again = compare(&house, COMPARE).await;
    assert_eq!((again.run.missing_there, again.run.replayed), (2, 0), "what did not help is for a person");
    they_have(&house, "[]");
    assert_eq!(compare(&house, REPLAY).await.run.replayed, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_was_never_made_is_made() {
    let house = House::with(SENDS).await;
    placed(&house, "B1", Answer::ok()).await;
    let forget = |tx: &EngineTx| -> Result<(), EngineError> {
        let on = tx.on("takt.deliveries")?;
        let all = on.eq("connection", Value::Text("erp".to_owned()))?;
        tx.rows(&Principal::system("test"), on.delete(all)).map(drop)
    };
    house.engine.transact(forget).await.unwrap();
    house.forward(HOUR);
    they_have(&house, "[]");
    assert_eq!(compare(&house, REPLAY).await.differences[0].action, Some(DifferenceAction::Sent));
    house.receiver.will([Answer::ok()]);
    house.work().await;
    let [made]: [Delivery; 1] = house.deliveries().try_into().unwrap();
    assert_eq!((made.state, made.operation.as_str()), (DeliveryState::Delivered, "order"));
    assert_eq!(made.lane.as_deref().map(str::len), Some(36));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_still_under_way_is_not_missing() {
    let house = House::with(SENDS).await;
    placed(&house, "B1", Answer::status(503)).await;
    house.forward(Duration::from_secs(1200));
    house.order("B2", false, "1.00").await;
    they_have(&house, "[]");
    // B1's delivery waits for its next attempt, B2 is too young.
    assert_eq!(summary(&compare(&house, COMPARE).await), (ReconciliationState::Agreed, 0, 0, 0, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_leaves_nothing() {
    let house = House::with(SENDS).await;
    placed(&house, "B1", Answer::status(400)).await;
    house.forward(Duration::from_secs(1200));
    let before = house.interfaces.reconciliations("erp", 9).unwrap();
    they_have(&house, "[]");
    assert_eq!(compare(&house, LOOK).await.run.missing_there, 1);
    assert_eq!(house.interfaces.reconciliations("erp", 9).unwrap(), before);
    assert_eq!(house.interfaces.differences("erp", 0).unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_be_asked_or_answers_nonsense_is_never_agreed_with() {
    let house = House::with(SENDS).await;
    placed(&house, "B1", Answer::status(400)).await;
    house.forward(Duration::from_secs(1200));
    they_have(&house, "[]");
    compare(&house, COMPARE).await;
    for answer in
        [Answer::Close, Answer::status(500), Answer::status(401), told("{}"), told("[7]"), told("<html>")]
    {
        house.receiver.will([answer.clone()]);
        let done = compare(&house, COMPARE).await;
        assert_eq!(done.run.state, ReconciliationState::Failed, "{answer:?}");
        assert!(done.run.error.is_some(), "{answer:?}");
    }
    let [open]: [Difference; 1] = house.interfaces.differences("erp", 0).unwrap().try_into().unwrap();
    assert_eq!(open.gone_at, None, "what was known stays known");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_answer_is_not_believed_where_much_should_be_there() {
    let house = House::with(SENDS).await;
    for n in 0..5 {
        house.order(&format!("B{n}"), false, "1.00").await;
    }
    house.forward(Duration::from_secs(1200));
    they_have(&house, "[]");
    let done = compare(&house, REPLAY).await;
    assert_eq!(done.run.state, ReconciliationState::Implausible);
    assert_eq!((done.differences.len(), done.run.replayed, done.run.ours), (0, 0, 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_asked_who_is_stopped_or_declares_nothing() {
    let house = House::with(SENDS).await;
    house.interfaces.pause("erp", true).await.unwrap();
    house.work().await;
    assert_eq!(questions(&house).len(), 0);
    let stopped = house.interfaces.reconcile("erp", COMPARE).await;
    assert_eq!(stopped, Err(InterfacesError::NotCompared(NotCompared::Paused)));
    let other = House::with("").await;
    let undeclared = other.interfaces.reconcile("erp", COMPARE).await;
    assert_eq!(undeclared, Err(InterfacesError::NotCompared(NotCompared::Undeclared)));
    let unset = SENDS.replace("missing_there", "connect = { protocol = \"rest\", base = \"http://{receiver}\", auth = { kind = \"apikey\", secret = \"nobody_set_it\" } }\nmissing_there");
    let unset = House::with(&unset).await;
    unset.work().await;
    assert_eq!(questions(&unset).len(), 0, "off until it is set up");
    let error = unset.interfaces.reconcile("erp", COMPARE).await;
    assert_eq!(error, Err(InterfacesError::NotCompared(NotCompared::Secret("nobody_set_it".to_owned()))));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_cancelled_on_one_side_only_is_told_until_both_sides_agree() {
    let states = "expected = \"total > 0\", states = { void = { when = \"total = 0\" } }, same = []";
    let house = House::with(&SENDS.replace("same = [\"total\"]", states)).await;
    let (void, open) = ("0.00", "12.90");
    for (number, total) in [("B1", void), ("B2", void), ("B3", open), ("B4", open), ("B5", void)] {
        house.order(number, false, total).await;
    }
    let ordered = house.engine.now();
    house.forward(Duration::from_secs(1200));
    // B5 was cancelled before it was ever sent: nobody misses it there.
    const FIRST: &str = r#"[{"key":"B1","void":false},{"key":"B2","void":true},{"key":"B3","void":true},{"key":"B4","void":false}]"#;
    they_have(&house, FIRST);
    let seen = compare(&house, REPLAY).await;
    let asked = questions(&house).remove(0);
    assert_eq!(asked.json()["payload"]["keys"], serde_json::json!(["B1", "B2", "B3", "B4", "B5"]));
    assert_eq!((seen.run.ours, seen.run.matched, seen.run.different, seen.run.replayed), (2, 2, 2, 0));
    let told = |d: &Difference| {
        (d.key.clone(), d.field.clone().unwrap(), d.ours.clone().unwrap(), d.theirs.clone().unwrap(), d.at)
    };
    let state = |key: &str, ours: &str, theirs: &str| {
        (key.to_owned(), "void".to_owned(), ours.to_owned(), theirs.to_owned(), ordered)
    };
    let found: Vec<_> = seen.differences.iter().map(told).collect();
    assert_eq!(found, [state("B1", "true", "false"), state("B3", "false", "true")]);
    // Long after the window has passed the orders, what is open is still looked for.
    house.forward(Duration::from_secs(5 * 86_400));
    they_have(&house, FIRST);
    assert_eq!(compare(&house, COMPARE).await.run.different, 2);
    they_have(
        &house,
        r#"[{"key":"B1","void":true},{"key":"B2","void":true},{"key":"B3","void":true},{"key":"B4","void":false}]"#,
    );
    let seen = compare(&house, COMPARE).await;
    assert_eq!(seen.differences.iter().map(|d| d.key.as_str()).collect::<Vec<_>>(), ["B3"]);
    let open = house.interfaces.differences("erp", 0).unwrap();
    assert_eq!(open.iter().filter(|d| d.gone_at.is_none()).count(), 1, "{open:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn by_cron_it_is_made_when_the_clocks_of_its_place_say_so() {
    let nightly = SENDS.replace("every = \"1h\"", "schedule = \"30 3 * * *\"\ntime_zone = \"Europe/Berlin\"");
    // 09:00 in London, 10:00 in Berlin.
    let house = House::with(&nightly).await;
    house.receiver.will((0..2).map(|_| told("[]")));
    let mut asked = Vec::new();
    for minutes in [0, 17 * 60, 29, 1, 1, 23 * 60, 59] {
        house.forward(Duration::from_secs(minutes * 60));
        house.work().await;
        asked.push(questions(&house).len());
    }
    assert_eq!(asked, [1, 1, 1, 2, 2, 2, 3], "the first at once, then at 03:30 in Berlin");
    // The last one met nobody: not only at the next night is it tried again.
    house.receiver.will([told("[]")]);
    house.forward(Duration::from_secs(5 * 60));
    house.work().await;
    assert_eq!(questions(&house).len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_is_made_once_across_restarts_and_reaches_back_to_the_last_one_that_succeeded() {
    let house = House::with(SENDS).await;
    house.receiver.will((0..2).map(|_| told("[]")));
    let begun = house.engine.now();
    house.work().await;
    house.work().await;
    let house = house.restarted();
    house.work().await;
    assert_eq!(questions(&house).len(), 1, "once an hour, whatever happens in between");
    // Nobody was there for five days: nothing falls between.
    house.forward(Duration::from_secs(5 * 86_400));
    house.work().await;
    let newest = house.interfaces.reconciliations("erp", 1).unwrap().remove(0);
    assert_eq!(newest.from_at, begun - 3 * 86_400_000_000 + 3_600_000_000);
    let asked = questions(&house);
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0].json()["payload"]["from"], "2026-11-20T09:00:00Z");
    // Failed: again after five minutes, not after an hour.
    house.forward(HOUR);
    house.receiver.will([Answer::status(500)]);
    let house = house.restarted();
    house.work().await;
    house.forward(Duration::from_secs(301));
    house.work().await;
    assert_eq!(questions(&house).len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_the_process_did_not_survive_has_failed_and_is_made_again() {
    let house = House::with(SENDS).await;
    they_have(&house, "[]");
    house.work().await;
    let die = |tx: &EngineTx| -> Result<(), EngineError> {
        let on = tx.on("takt.reconciliations")?;
        let this = on.eq("connection", Value::Text("erp".to_owned()))?;
        let running = vec![("state", Value::Text("running".to_owned())), ("ended_at", Value::Null)];
        tx.rows(&Principal::system("test"), on.update(this, running)?).map(drop)
    };
    house.engine.transact(die).await.unwrap();
    let house = house.restarted();
    house.forward(Duration::from_secs(301));
    they_have(&house, "[]");
    house.work().await;
    let states: Vec<_> =
        house.interfaces.reconciliations("erp", 9).unwrap().into_iter().map(|r| r.state).collect();
    assert_eq!(states, [ReconciliationState::Agreed, ReconciliationState::Failed]);
}

const PAID: &str =
    r#"[{"key":"B1","at":1795424000,"total":"12.90","message":{"id":"p1","type":"order.thanked"}}]"#;

async fn payments() -> House {
    let house = House::incoming(STANDARD, RECEIVES).await;
    house.order("B1", false, "12.90").await;
    house.forward(Duration::from_secs(1200));
    house
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_never_came_is_handled_as_though_it_had_once_and_its_late_coming_changes_nothing() {
    let house = payments().await;
    they_have(&house, PAID);
    let done = compare(&house, COMPARE).await;
    assert_eq!(summary(&done), (ReconciliationState::Differences, 0, 0, 1, 0));
    assert_eq!(done.differences[0].action, Some(DifferenceAction::Received));
    // Before the function has run it is under way, and is not handled a second time.
    they_have(&house, PAID);
    assert_eq!(summary(&compare(&house, COMPARE).await), (ReconciliationState::Agreed, 0, 0, 0, 1));
    house.work().await;
    house.pay("B1").await;
    let body = r#"{"id":"p1","type":"order.thanked"}"#;
    let key = [Secret::new("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX")];
    let late = sign_standard(&key, "p1", house.engine.now() / 1_000_000, body.as_bytes()).unwrap();
    let late = house.interfaces.receive("erp", &late.into_iter().collect(), body.as_bytes()).await;
    assert_eq!(late, Ok(Received::Repeated));
    they_have(&house, PAID);
    assert_eq!(summary(&compare(&house, COMPARE).await), (ReconciliationState::Agreed, 1, 0, 0, 0));
    let seen = house.functions.seen.lock().unwrap();
    assert_eq!(seen.iter().map(|e| e.name.as_str()).collect::<Vec<_>>(), ["erp.order.thanked"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_and_helped_nothing_is_told_and_not_handled_again_by_itself() {
    let house = payments().await;
    house.functions.answers.lock().unwrap().push(takt_interfaces::Outcome::Refused);
    they_have(&house, PAID);
    compare(&house, COMPARE).await;
    house.work().await;
    house.forward(Duration::from_secs(1));
    they_have(&house, PAID);
    let stopped = compare(&house, COMPARE).await;
    assert!(stopped.differences[0].is_open(), "what was done did not help");
    assert_eq!(stopped.differences[0].reason, Some(DifferenceReason::Stopped));
    assert_eq!(stopped.run.replayed, 0);
    // A person may have it tried again.
    they_have(&house, PAID);
    assert_eq!(compare(&house, REPLAY).await.run.replayed, 1);
    house.work().await;
    they_have(&house, PAID);
    let without = compare(&house, COMPARE).await;
    assert_eq!(without.differences[0].reason, Some(DifferenceReason::WithoutEffect));
    assert_eq!(house.functions.seen.lock().unwrap().len(), 2);
}

/// A payment for an order that nobody knows: its function fails again and again.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_seen_is_in_order_only_once_the_effect_is_there() {
    let house = payments().await;
    house.functions.answers.lock().unwrap().extend([Outcome::Failed; 2]);
    they_have(&house, PAID);
    compare(&house, COMPARE).await;
    house.work().await;
    assert_eq!(house.states(), [DeliveryState::Waiting], "it is tried again");
    they_have(&house, PAID);
    let meanwhile = compare(&house, COMPARE).await;
    assert_eq!(summary(&meanwhile), (ReconciliationState::Agreed, 0, 0, 0, 1));
    let kept = house.interfaces.differences("erp", 0).unwrap();
    assert_eq!((kept.len(), kept[0].gone_at), (1, None), "still worked on");
    house.functions.answers.lock().unwrap().clear();
    house.forward(Duration::from_secs(3));
    house.work().await;
    house.pay("B1").await;
    they_have(&house, PAID);
    compare(&house, COMPARE).await;
    assert!(house.interfaces.differences("erp", 0).unwrap()[0].gone_at.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_amount_is_told_and_nothing_is_handled() {
    let house = payments().await;
    they_have(
        &house,
        r#"[{"key":"B1","at":1795424000,"total":"12.80","message":{"id":"p1","type":"order.thanked"}}]"#,
    );
    let done = compare(&house, REPLAY).await;
    let [different] = done.differences.as_slice() else { panic!("{done:?}") };
    assert_eq!(different.kind, DifferenceKind::Different);
    assert_eq!((different.ours.as_deref(), different.theirs.as_deref()), (Some("12.90"), Some("12.80")));
    house.work().await;
    assert_eq!(house.functions.seen.lock().unwrap().len(), 0);
}

/// F46: a payment service times out and later says "captured": tried again under the same key, so that it captures
/// once; comparing both sides then agrees.
#[tokio::test(flavor = "multi_thread")]
async fn a_capture_without_an_answer_is_asked_again_under_the_same_key() {
    let capture = SENDS.replace("POST /orders", "POST /captures/$order.number");
    let house = House::with(&capture).await;
    placed(&house, "B1", Answer::Close).await;
    assert_eq!(house.deliveries()[0].outcome, Some(takt_interfaces::Outcome::Unknown));
    house.forward(Duration::from_secs(3));
    house.receiver.will([told(r#"{"status":"captured"}"#)]);
    house.work().await;
    assert_eq!(house.states(), [DeliveryState::Delivered]);
    let captures = house.receiver.asked();
    let keys: Vec<_> = captures
        .iter()
        .filter(|a| a.line.contains("/captures/B1"))
        .map(|a| a.header("idempotency-key"))
        .collect();
    assert_eq!(keys.len(), 2);
    assert_eq!(
        (keys[0], keys[0].map(str::len)),
        (keys[1], Some(36)),
        "the service tells the repeat by its key"
    );
    house.forward(Duration::from_secs(1200));
    they_have(&house, r#"[{"key":"B1","total":"12.90"}]"#);
    assert_eq!(summary(&compare(&house, REPLAY).await), (ReconciliationState::Agreed, 1, 0, 0, 0));
    assert_eq!(house.states(), [DeliveryState::Delivered], "nothing is captured again");
}

#[tokio::test(flavor = "multi_thread")]
async fn comparisons_are_forgotten_and_what_is_open_stays() {
    let house = House::with(SENDS).await;
    placed(&house, "B1", Answer::status(400)).await;
    house.forward(Duration::from_secs(1200));
    they_have(&house, "[]");
    compare(&house, COMPARE).await;
    house.forward(Duration::from_secs(31 * 86_400));
    house.interfaces.tidy_now().await.unwrap();
    assert_eq!(house.interfaces.reconciliations("erp", 9).unwrap().len(), 1, "up to where was looked");
    assert_eq!(house.interfaces.differences("erp", 0).unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nul_in_what_they_tell_does_not_end_a_comparison() {
    let house = House::with(SENDS).await;
    placed(&house, "B1", Answer::ok()).await;
    house.forward(Duration::from_secs(1200));
    they_have(&house, r#"[{"key":"B1","total":"12\u0000"},{"key":"B\u0000","at":1795424000}]"#);
    let done = compare(&house, COMPARE).await;
    assert_eq!(done.run.state, ReconciliationState::Differences);
    let told: Vec<_> = done.differences.iter().map(|d| (d.key.as_str(), d.theirs.as_deref())).collect();
    assert_eq!(told, [("B1", Some("12\u{fffd}")), ("B\u{fffd}", None)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_told_late_that_breaks_its_contract_can_be_accepted() {
    let operations =
        RECEIVES.replace("id = \"id\"", "id = \"id\"\ncontract = { request = \"contracts/paid.json\" }");
    let schema = r#"{ "type": "object", "required": ["amount"], "properties": { "amount": {}, "id": {}, "type": {} } }"#;
    let house = House::incoming_contracted(STANDARD, &operations, &[("paid.json", schema)]).await;
    house.order("B1", false, "12.90").await;
    house.forward(Duration::from_secs(1200));
    they_have(&house, PAID);
    assert_eq!(compare(&house, COMPARE).await.run.replayed, 1);
    house.work().await;
    assert!(house.deliveries()[0].is_parked());
    let drifts = house.interfaces.drifts(Some("erp")).unwrap();
    assert_eq!(drifts.iter().map(|d| (d.path.as_str(), d.count)).collect::<Vec<_>>(), [("amount", 1)]);
    assert_eq!(house.interfaces.accept(drifts[0].id).await.unwrap(), 1);
    house.work().await;
    assert_eq!(house.states(), [DeliveryState::Delivered]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_arrived_and_waits_for_a_decision_is_not_sent_again() {
    let operations = SENDS.replace(
        "request = \"POST /orders\"",
        "request = \"POST /orders\"\ncontract = { response = \"contracts/answer.json\" }",
    );
    let schema = r#"{ "type": "object", "required": ["number"] }"#;
    let house = House::contracted(&operations, &[("answer.json", schema)]).await;
    placed(&house, "B1", Answer::ok()).await;
    assert!(house.deliveries()[0].is_parked());
    house.forward(Duration::from_secs(1200));
    they_have(&house, "[]");
    assert_eq!(compare(&house, REPLAY).await.run.replayed, 0);
    assert!(house.deliveries()[0].is_parked());
}

/// Webhook subscriptions come and go while others are compared with.
#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_that_comes_meanwhile_does_not_end_a_comparison() {
    let house = House::with(SENDS).await;
    placed(&house, "B1", Answer::ok()).await;
    house.forward(Duration::from_secs(1200));
    house.receiver.will([Answer::Slow(Duration::from_millis(600), r#"[{"key":"B1","total":"12.9"}]"#)]);
    let subscribe = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let wanted = serde_json::json!({
            "url": format!("http://{}/hooks", house.receiver.address),
            "events": ["order.shipped"],
            "purpose": "The carrier knows what comes.",
            "partner": "Carrier",
            "owner": "Shipping",
            "outage": "Parcels wait.",
        });
        house.interfaces.subscribe(wanted).await.unwrap();
    };
    let (done, ()) = tokio::join!(compare(&house, COMPARE), subscribe);
    assert_eq!(summary(&done), (ReconciliationState::Agreed, 1, 0, 0, 0), "{:?}", done.run.error);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asked_for_a_replay_is_written_down_first_and_it_ends_though_nobody_waits_for_it() {
    let house = House::with(SENDS).await;
    placed(&house, "B1", Answer::status(400)).await;
    house.forward(Duration::from_secs(1200));
    house.receiver.will([Answer::Slow(Duration::from_millis(600), "[]")]);
    let ada = Actor { kind: ActorKind::Account, account: None, name: "ada".to_owned(), place: String::new() };
    let room = house.interfaces.acting_for(ada);
    let left = tokio::time::timeout(Duration::from_millis(200), room.reconcile("erp", REPLAY)).await;
    assert!(left.is_err(), "the client is gone");
    let acts = house.engine.audit(&AuditFilter::default(), 10).unwrap();
    assert_eq!(acts.iter().map(|a| a.act.as_str()).collect::<Vec<_>>(), ["reconcile.replay"]);
    assert_eq!(house.states(), [DeliveryState::Dead]);
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        if house.interfaces.reconciliations("erp", 1).unwrap()[0].state != ReconciliationState::Running {
            break;
        }
    }
    let run = house.interfaces.reconciliations("erp", 1).unwrap().remove(0);
    assert_eq!((run.state, run.replayed), (ReconciliationState::Differences, 1));
    assert_eq!(house.states(), [DeliveryState::Waiting]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_was_set_back_keeps_no_comparison_away() {
    let house = House::with(SENDS).await;
    they_have(&house, "[]");
    house.work().await;
    house.back(Duration::from_secs(30 * 86_400));
    they_have(&house, "[]");
    house.work().await;
    assert_eq!(questions(&house).len(), 2);
}

/// One system takes our orders and another one tells what there is, each with a token of its own.
#[tokio::test(flavor = "multi_thread")]
async fn the_token_of_one_system_never_goes_to_the_other() {
    let (one, other) = (Receiver::start().await, Receiver::start().await);
    let auth = |tokens: &Receiver| {
        format!(
            "auth = {{ kind = \"oauth2-cc\", token_url = \"http://{}/token\", client_id = \"takt\", secret = \"erp_key\" }}\n",
            tokens.address
        )
    };
    let asks = format!(
        "[reconcile.connect]\nprotocol = \"rest\"\nbase = \"http://{}/api\"\nallow_private = true\n{}",
        other.address,
        auth(&other)
    );
    let erp = connection(&one.address, DATA, &auth(&one), &format!("{SENDS}{asks}"));
    let house = House::of(one, &erp, &[]);
    const TOKENS: [&str; 2] = [
        r#"{"access_token":"of-one","expires_in":3600}"#,
        r#"{"access_token":"of-other","expires_in":3600}"#,
    ];
    other.will([told(TOKENS[1]), told("[]"), told("[]")]);
    house.receiver.will([told(TOKENS[0]), Answer::ok()]);
    placed_quietly(&house, "B1").await;
    house.forward(HOUR);
    compare(&house, LOOK).await;
    let seen = |receiver: &Receiver| -> Vec<String> {
        let calls = receiver.asked().into_iter().filter(|a| !a.line.contains("/token"));
        calls.map(|a| a.header("authorization").unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(seen(&house.receiver), ["Bearer of-one"]);
    assert!(seen(&other).iter().all(|sent| sent == "Bearer of-other"), "{:?}", seen(&other));
    assert!(!seen(&other).is_empty());
}

/// An order with its event, sent; nothing is said about answers.
async fn placed_quietly(house: &House, number: &str) {
    let id = house.order(number, false, "12.90").await;
    let payload = format!(r#"{{"order":{{"id":"{id}","number":"{number}"}}}}"#);
    house.emit("order.placed", &payload).await;
    house.work().await;
}
