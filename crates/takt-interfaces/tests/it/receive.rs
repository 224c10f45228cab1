//! Messages that come in: believed, stored, told when they repeat, handled until their effect is there.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use takt_engine::{EngineError, EngineTx};
use takt_interfaces::{DeliveryState, Outcome, ReceiveError, Received, sign::sign_standard};
use takt_model::{Principal, Value};
use takt_outbound::Secret;

use crate::house::House;

const RECEIVE: &str = r#"
[[op]]
name = "paid"
kind = "receive"
accept = "order.thanked"
"#;

async fn house() -> House {
    House::incoming("auth = { kind = \"standard-webhooks\", secrets = [\"hook_key\"] }", RECEIVE).await
}

fn signed(house: &House, id: &str, seconds_ago: i64, body: &str) -> HeaderMap {
    let key = [Secret::new("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX")];
    let at = house.engine.now() / 1_000_000 - seconds_ago;
    sign_standard(&key, id, at, body.as_bytes()).unwrap().into_iter().collect()
}

const BODY: &str = r#"{"type":"order.thanked","amount":12.90}"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_stored_handled_once_and_its_repeats_are_told() {
    let house = house().await;
    let headers = signed(&house, "m1", 0, BODY);
    let take = async || house.interfaces.receive("erp", &headers, BODY.as_bytes()).await;
    assert_eq!(take().await, Ok(Received::Stored));
    assert_eq!(take().await, Ok(Received::Repeated));
    house.work().await;
    assert_eq!(take().await, Ok(Received::Repeated));
    house.work().await;
    let seen = house.functions.seen.lock().unwrap().clone();
    assert_eq!(seen.len(), 1);
    assert_eq!((seen[0].name.as_str(), seen[0].key.as_deref()), ("erp.order.thanked", Some("m1")));
    assert_eq!(seen[0].payload, BODY, "byte for byte");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_at_once_are_one() {
    let house = house().await;
    let headers = signed(&house, "m1", 0, BODY);
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let (interfaces, headers) = (house.interfaces.clone(), headers.clone());
            tokio::spawn(async move { interfaces.receive("erp", &headers, BODY.as_bytes()).await.unwrap() })
        })
        .collect();
    let mut stored = 0;
    for task in tasks {
        stored += usize::from(task.await.unwrap() == Received::Stored);
    }
    assert_eq!(stored, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_effect_that_fails_stays_due() {
    let house = house().await;
    house.functions.answers.lock().unwrap().push(Outcome::Failed);
    let headers = signed(&house, "m1", 0, BODY);
    house.interfaces.receive("erp", &headers, BODY.as_bytes()).await.unwrap();
    house.work().await;
    assert_eq!(house.states(), [DeliveryState::Waiting]);
    house.forward(Duration::from_secs(3));
    house.work().await;
    assert_eq!(house.states(), [DeliveryState::Delivered]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_believed_is_not_stored() {
    let house = house().await;
    let good = signed(&house, "m1", 0, BODY);
    let changed = BODY.replace("12.90", "99.90");
    let mut unsigned = good.clone();
    unsigned.remove("webhook-signature");
    let mut short = good.clone();
    short.insert(HeaderName::from_static("webhook-signature"), HeaderValue::from_static("v1,"));
    for (headers, body) in [
        (good.clone(), changed.as_str()),
        (unsigned, BODY),
        (short, BODY),
        (signed(&house, "m1", 301, BODY), BODY),
        (signed(&house, "m1", -301, BODY), BODY),
        (HeaderMap::new(), BODY),
    ] {
        let refused = house.interfaces.receive("erp", &headers, body.as_bytes()).await;
        assert_eq!(refused, Err(ReceiveError::Signature));
    }
    assert_eq!(house.work().await, 0);
    assert_eq!(house.interfaces.receive("erp", &good, BODY.as_bytes()).await, Ok(Received::Stored));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_wants_is_answered_and_not_kept() {
    let house = house().await;
    let body = r#"{"type":"something.else"}"#;
    let headers = signed(&house, "m1", 0, body);
    assert_eq!(house.interfaces.receive("erp", &headers, body.as_bytes()).await, Ok(Received::Unwanted));
    let body = "no json";
    let headers = signed(&house, "m2", 0, body);
    let unreadable = house.interfaces.receive("erp", &headers, body.as_bytes()).await;
    assert!(matches!(unreadable, Err(ReceiveError::Unreadable(_))));
    let nowhere = house.interfaces.receive("erb", &headers, body.as_bytes()).await;
    assert_eq!(nowhere, Err(ReceiveError::UnknownConnection));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_after_forty_days_is_still_a_repeat() {
    let house = house().await;
    let first = signed(&house, "m1", 0, BODY);
    house.interfaces.receive("erp", &first, BODY.as_bytes()).await.unwrap();
    house.work().await;
    house.forward(Duration::from_secs(40 * 86_400));
    house.interfaces.tidy_now().await.unwrap();
    assert_eq!(house.deliveries().len(), 0, "the delivery itself is forgotten");
    let again = signed(&house, "m1", 0, BODY);
    assert_eq!(house.interfaces.receive("erp", &again, BODY.as_bytes()).await, Ok(Received::Repeated));
    house.forward(Duration::from_secs(6 * 86_400));
    house.interfaces.tidy_now().await.unwrap();
    let late = signed(&house, "m1", 0, BODY);
    assert_eq!(house.interfaces.receive("erp", &late, BODY.as_bytes()).await, Ok(Received::Stored));
}

/// GitHub's id of a message stands in a header that nobody signs: who has overheard one could send it again under
/// another id.
#[tokio::test(flavor = "multi_thread")]
async fn an_overheard_message_under_another_id_is_still_a_repeat() {
    let house = House::incoming("auth = { kind = \"github\", secrets = [\"hook_key\"] }", RECEIVE).await;
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX");
    let take = async |id: &str, body: &str| {
        let tag: String =
            ring::hmac::sign(&key, body.as_bytes()).as_ref().iter().map(|b| format!("{b:02x}")).collect();
        let mut headers = HeaderMap::new();
        headers.insert("x-hub-signature-256", HeaderValue::from_str(&format!("sha256={tag}")).unwrap());
        headers.insert("x-github-delivery", HeaderValue::from_str(id).unwrap());
        house.interfaces.receive("erp", &headers, body.as_bytes()).await.unwrap()
    };
    let other = BODY.replace("12.90", "12.91");
    assert_eq!(take("m1", BODY).await, Received::Stored);
    assert_eq!(take("m1", BODY).await, Received::Repeated, "sent again by GitHub");
    assert_eq!(take("m2", BODY).await, Received::Repeated, "sent again by who overheard it");
    assert_eq!(take("m1", &other).await, Received::Repeated, "one id is one message");
    assert_eq!(take("m3", &other).await, Received::Stored);
    house.work().await;
    assert_eq!(house.functions.seen.lock().unwrap().len(), 2);
}

/// What our functions were given is remembered longer than anybody tries again, and not for ever.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_is_forgotten_after_forty_five_days() {
    let house = house().await;
    let note = async |id: &'static str| {
        let insert = move |tx: &EngineTx| -> Result<(), EngineError> {
            let plan = tx.on("takt.inbox")?.insert(vec![
                ("source", Value::Text("consumer:thank".to_owned())),
                ("message_id", Value::Text(id.to_owned())),
                ("at", Value::Timestamp(tx.now())),
                ("status", Value::Integer(200)),
                ("story", Value::Uuid(tx.new_uuid())),
            ])?;
            tx.rows(&Principal::system("test"), plan).map(drop)
        };
        house.engine.transact(insert).await.unwrap();
    };
    let known = || {
        let count = |tx: &EngineTx| -> Result<u64, EngineError> {
            let plan = tx.on("takt.inbox")?.read(&["message_id"], None, &[], None)?;
            Ok(tx.rows(&Principal::system("test"), plan)?.0.rows.len() as u64)
        };
        house.engine.look_up(count).unwrap()
    };
    note("00000000-0000-7000-8000-000000000001").await;
    note("not-even-an-id").await;
    house.forward(Duration::from_secs(44 * 86_400));
    house.interfaces.tidy_now().await.unwrap();
    assert_eq!(known(), 2);
    note("00000000-0000-7000-8000-000000000002").await;
    house.forward(Duration::from_secs(2 * 86_400));
    house.interfaces.tidy_now().await.unwrap();
    assert_eq!(known(), 1);
}

/// Stopped by a person: what comes is kept, and nothing follows from it until it goes on.
#[tokio::test(flavor = "multi_thread")]
async fn messages_of_a_connection_that_is_paused_wait_in_their_order() {
    let receive = "[[op]]\nname = \"paid\"\nkind = \"receive\"\naccept = \"order.thanked\"\nid = \"id\"\n";
    let auth = "auth = { kind = \"basic\", user = \"partner\", secret = \"erp_key\" }";
    let house = House::incoming(auth, receive).await;
    let mut headers = HeaderMap::new();
    headers.insert("authorization", HeaderValue::from_static("Basic cGFydG5lcjpzM2NyZXQ="));
    house.interfaces.pause("erp", true).await.unwrap();
    for n in 0..70 {
        let body = format!(r#"{{"type":"order.thanked","id":"m{n:02}"}}"#);
        let answer = house.interfaces.receive("erp", &headers, body.as_bytes()).await;
        assert_eq!(answer, Ok(Received::Stored));
    }
    house.emit("order.thanked", r#"{"id":"own"}"#).await;
    house.work().await;
    house.forward(Duration::from_secs(86_400));
    house.work().await;
    let keys = || -> Vec<Option<String>> {
        house.functions.seen.lock().unwrap().iter().map(|e| e.key.clone()).collect()
    };
    assert_eq!(keys(), [None], "only what is ours");
    let seen = house.interfaces.seen("erp").unwrap();
    assert_eq!((seen.arrived_in_30_days, seen.messages.map(|m| m.waiting)), (70, Some(70)));
    assert!(seen.last_ok_at.is_some() && seen.first_ok_at <= seen.last_ok_at);
    house.interfaces.pause("erp", false).await.unwrap();
    while house.work().await > 0 {}
    let mut all: Vec<_> = keys().into_iter().flatten().collect();
    assert_eq!(all.len(), 70);
    // Functions run a few at a time.
    assert!(all[..4].iter().all(|key| key.as_str() < "m04"), "{all:?}");
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 70, "each once");
    assert_eq!(house.interfaces.seen("erp").unwrap().messages.map(|m| m.waiting), Some(0));
}
