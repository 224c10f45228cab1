//! Webhook subscriptions: made and changed while events come, exchanged in their secret, switched off by 410, removed.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
    time::Duration,
};

use serde_json::{Value as Json, json};
use takt_engine::{Actor, ActorKind, AuditFilter, EngineError, EngineTx};
use takt_interfaces::{
    ConnectionSource, DeliveryFilter, DeliveryState, InterfacesError, Off, Verdict,
    sign::{Scheme, verify},
};
use takt_model::Principal;
use takt_outbound::Secret;
use takt_plan::Direction;

use crate::{
    house::{DATA, DELIVER, House, connection},
    receiver::{Answer, Asked, Receiver},
};

/// What a program says.
fn wanted(house: &House) -> Json {
    json!({
        "url": format!("http://{}/hooks", house.receiver.address),
        "events": ["order.shipped", "parcel.*"],
        "purpose": "The carrier knows what comes.",
        "partner": "Carrier",
        "owner": "Shipping",
        "outage": "Parcels wait.",
    })
}

fn said(house: &House, field: &str, value: Json) -> Json {
    let mut wanted = wanted(house);
    wanted[field] = value;
    wanted
}

fn signed_by(asked: &Asked, secret: &Secret, now: i64) -> bool {
    let mut headers = http::HeaderMap::new();
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        headers.insert(http::HeaderName::from_static(name), asked.header(name).unwrap().parse().unwrap());
    }
    let (secrets, body) = (std::slice::from_ref(secret), asked.body.as_bytes());
    verify(&Scheme::Standard, secrets, &headers, body, now / 1_000_000, Duration::from_secs(5)).is_ok()
}

/// Names of the events that nobody has looked at yet.
fn waiting(house: &House) -> Vec<String> {
    let read = |tx: &EngineTx| -> Result<_, EngineError> {
        let on = tx.on("takt.outbox_events")?;
        let plan = on.read(&["name", "dispatched_at"], None, &[("id", Direction::Ascending)], None)?;
        Ok(tx.rows(&Principal::system("test"), plan)?.0)
    };
    let rows = house.engine.look_up(read).unwrap().rows;
    rows.iter().filter(|r| r[1].is_null()).map(|r| r[0].as_ref().to_text()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_nobody_waits_for_is_done_as_it_is_written() {
    let house = House::with(DELIVER).await;
    house.emit("order.shipped", "{}").await;
    house.emit("order.placed", "{}").await;
    assert_eq!(waiting(&house), ["order.placed"]);
    house.interfaces.subscribe(wanted(&house)).await.unwrap();
    house.emit("order.shipped", "{}").await;
    assert_eq!(waiting(&house), ["order.placed", "order.shipped"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_told_of_his_subscription_gets_every_event_from_then_on() {
    let house = House::with(DELIVER).await;
    let answered = Arc::new(AtomicBool::new(false));
    for round in 0..20 {
        answered.store(false, Ordering::SeqCst);
        let (engine, told) = (house.engine.clone(), Arc::clone(&answered));
        let shop = tokio::spawn(async move {
            let mut expected = Vec::new();
            for n in 0..50 {
                let name = format!("parcel.{round}.{n}");
                let before = told.load(Ordering::SeqCst);
                let written = name.clone();
                let write = move |tx: &EngineTx| -> Result<(), EngineError> { tx.emit(&written, None, "{}") };
                engine.transact(write).await.unwrap();
                expected.extend(before.then_some(name));
            }
            expected
        });
        let only = said(&house, "events", json!([format!("parcel.{round}.*")]));
        house.interfaces.subscribe(only).await.unwrap();
        answered.store(true, Ordering::SeqCst);
        let expected = shop.await.unwrap();
        let waiting = waiting(&house);
        let lost: Vec<_> = expected.iter().filter(|name| !waiting.contains(name)).collect();
        assert!(lost.is_empty(), "{lost:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_is_a_connection_like_those_of_files() {
    let house = House::with(DELIVER).await;
    let (made, secret) = house.interfaces.subscribe(wanted(&house)).await.unwrap();
    house.emit("order.shipped", r#"{"number":"B-1"}"#).await;
    house.emit("parcel.lost.again", "{}").await;
    house.emit("order.placed", "{}").await;
    house.work().await;
    let asked = house.receiver.asked();
    let mut hooks: Vec<_> = asked.iter().filter(|a| a.line.starts_with("POST /hooks")).collect();
    // Without a lane no order is promised.
    hooks.sort_by_key(|a| a.json()["type"].to_string());
    assert_eq!(hooks.len(), 2, "only the events that it names");
    // Without a lane they leave at the same time.
    let shipped = hooks.iter().find(|a| a.json()["type"] == "order.shipped").unwrap();
    assert_eq!(shipped.json()["data"], json!({"number": "B-1"}));
    assert!(hooks.iter().all(|a| signed_by(a, &secret, house.engine.now())));
    let all = house.interfaces.connections().unwrap();
    let sources: Vec<_> = all.iter().map(|c| (c.id.as_str(), c.source)).collect();
    assert_eq!(
        sources,
        [
            ("erp", ConnectionSource::File),
            (made.id.as_str(), ConnectionSource::Subscription),
            ("functions", ConnectionSource::Functions),
        ]
    );
    // Paused, replayed and made a dead letter like any other.
    house.interfaces.pause(&made.id, true).await.unwrap();
    house.receiver.will([Answer::status(422)]);
    house.emit("order.shipped", "{}").await;
    assert_eq!(house.work().await, 0);
    house.interfaces.pause(&made.id, false).await.unwrap();
    assert_eq!(house.work().await, 1);
    let dead = house.deliveries().pop().unwrap();
    assert_eq!(dead.state, DeliveryState::Dead);
    house.interfaces.replay(dead.id, None).await.unwrap();
    house.work().await;
    assert_eq!(house.deliveries().pop().unwrap().state, DeliveryState::Delivered);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_survives_a_restart_and_its_secret_signs_on() {
    let house = House::with(DELIVER).await;
    let (made, secret) = house.interfaces.subscribe(wanted(&house)).await.unwrap();
    house.emit("order.shipped", "{}").await;
    let house = house.restarted();
    house.emit("order.shipped", "{}").await;
    house.work().await;
    let asked = house.receiver.asked();
    assert_eq!(asked.len(), 2, "what committed before the restart arrives after it");
    assert!(asked.iter().all(|a| signed_by(a, &secret, house.engine.now())));
    assert_eq!(house.interfaces.subscription(&made.id).unwrap(), made);
}

#[tokio::test(flavor = "multi_thread")]
async fn personal_fields_leave_only_where_they_are_declared() {
    let house = House::with(DELIVER).await;
    house.interfaces.subscribe(wanted(&house)).await.unwrap();
    let flow = json!([{"fields": ["email"], "purpose": "notice", "basis": "contract", "country": "DE"}]);
    house.interfaces.subscribe(said(&house, "data", flow)).await.unwrap();
    let event = r#"{"order":{"email":"ada@example.com","ship_name":"Ada","number":"B-1"}}"#;
    house.emit("order.shipped", event).await;
    house.work().await;
    let mut sent: Vec<_> =
        house.receiver.asked().iter().map(|a| a.json()["data"]["order"].to_string()).collect();
    sent.sort();
    assert_eq!(sent, [r#"{"email":"ada@example.com","number":"B-1"}"#, r#"{"number":"B-1"}"#]);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_secret_is_exchanged_both_sign_and_then_only_the_new_one() {
    let house = House::with(DELIVER).await;
    let (made, old) = house.interfaces.subscribe(wanted(&house)).await.unwrap();
    let day = Duration::from_secs(86_400);
    let (changed, new) = house.interfaces.exchange_secret(&made.id, None).await.unwrap();
    assert_eq!(changed.both_sign_until, Some(house.engine.now() + 86_400_000_000), "24 h by the settings");
    let signing = async |house: &House| {
        house.emit("order.shipped", "{}").await;
        house.work().await;
        let asked = house.receiver.asked().pop().unwrap();
        [&old, &new].map(|secret| signed_by(&asked, secret, house.engine.now()))
    };
    assert_eq!(signing(&house).await, [true, true]);
    let house = house.restarted();
    assert_eq!(signing(&house).await, [true, true], "after a restart too");
    house.forward(day);
    assert_eq!(signing(&house).await, [false, true]);
    house.interfaces.tidy_now().await.unwrap();
    assert_eq!(house.interfaces.subscription(&made.id).unwrap().both_sign_until, None);
    // Somebody has stolen it: the old one ends at once.
    let (_, last) = house.interfaces.exchange_secret(&made.id, Some(Duration::ZERO)).await.unwrap();
    assert_eq!(signing(&house).await, [false, false]);
    let asked = house.receiver.asked().pop().unwrap();
    assert!(signed_by(&asked, &last, house.engine.now()));
    let long = house.interfaces.exchange_secret(&made.id, Some(31 * day)).await.unwrap_err();
    assert!(long.to_string().contains("at most 30d"), "{long}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_gone_switches_it_off_and_that_is_said() {
    let house = House::with(DELIVER).await;
    let (made, _) = house.interfaces.subscribe(wanted(&house)).await.unwrap();
    house.receiver.will([Answer::status(410)]);
    house.emit("order.shipped", "{}").await;
    house.work().await;
    let off = house.interfaces.subscription(&made.id).unwrap();
    assert_eq!((off.enabled, off.off), (false, Some((house.engine.now(), Off::Gone))));
    let count = house.deliveries().len();
    house.emit("order.shipped", "{}").await;
    house.work().await;
    assert_eq!(house.deliveries().len(), count, "nothing piles up for somebody who is gone");
    let on = house.interfaces.change_subscription(&made.id, json!({"enabled": true})).await.unwrap();
    assert_eq!((on.enabled, on.off), (true, None));
    house.emit("order.shipped", "{}").await;
    assert_eq!(house.work().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_off_gets_nothing_new_and_keeps_what_waits() {
    let house = House::with(DELIVER).await;
    let (made, _) = house.interfaces.subscribe(wanted(&house)).await.unwrap();
    house.receiver.will([Answer::status(503)]);
    house.emit("order.shipped", "{}").await;
    house.work().await;
    let off = house.interfaces.change_subscription(&made.id, json!({"enabled": false})).await.unwrap();
    assert_eq!(off.off.map(|(_, why)| why), Some(Off::Said));
    house.emit("order.shipped", "{}").await;
    house.forward(Duration::from_secs(3600));
    assert_eq!((house.work().await, house.states()), (0, vec![DeliveryState::Waiting]));
    // Whoever lets it go on with the usual command wants the events too.
    house.interfaces.pause(&made.id, false).await.unwrap();
    assert!(house.interfaces.subscription(&made.id).unwrap().enabled);
    assert_eq!((house.work().await, house.states()), (1, vec![DeliveryState::Delivered]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_holds_at_once() {
    let house = House::with(DELIVER).await;
    let (made, _) = house.interfaces.subscribe(wanted(&house)).await.unwrap();
    let other = json!({"events": ["order.cancelled"], "lane": "id"});
    let changed = house.interfaces.change_subscription(&made.id, other).await.unwrap();
    assert_eq!(changed.terms.purpose, made.terms.purpose, "the rest stays");
    house.emit("order.shipped", "{}").await;
    house.emit("order.cancelled", r#"{"id":"o1"}"#).await;
    house.work().await;
    let all = house.deliveries();
    assert_eq!(
        all.iter().map(|d| (d.name.as_str(), d.lane.as_deref())).collect::<Vec<_>>(),
        [("order.cancelled", Some("o1"))]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn removing_one_cancels_what_waits_and_keeps_the_log() {
    let house = House::with(DELIVER).await;
    let (made, _) = house.interfaces.subscribe(said(&house, "lane", json!("id"))).await.unwrap();
    house.receiver.will([Answer::ok(), Answer::status(422), Answer::status(503)]);
    for id in ["o1", "o2", "o3"] {
        house.emit("order.shipped", &format!(r#"{{"id":"{id}"}}"#)).await;
        house.work().await;
    }
    assert_eq!(
        house.interfaces.unsubscribe(&made.id).await.unwrap(),
        2,
        "the dead letter and the waiting one"
    );
    let states = [DeliveryState::Delivered, DeliveryState::Cancelled, DeliveryState::Cancelled];
    assert_eq!(house.states(), states);
    house.emit("order.shipped", "{}").await;
    house.forward(Duration::from_secs(86_400));
    assert_eq!(house.work().await, 0);
    assert_eq!(house.interfaces.connections().unwrap().len(), 2, "the file and the functions");
    let again = house.interfaces.replay(house.deliveries()[1].id, None).await;
    assert_eq!(again, Err(InterfacesError::UnknownConnection(made.id.clone())));
    let unknown = InterfacesError::UnknownSubscription(made.id.clone());
    assert_eq!(house.interfaces.unsubscribe(&made.id).await, Err(unknown.clone()));
    assert_eq!(house.interfaces.subscription(&made.id), Err(unknown));
    let house = house.restarted();
    assert_eq!(house.interfaces.subscriptions().unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_a_limit_and_everything_that_is_wrong_is_told() {
    let receiver = Receiver::start().await;
    let erp = connection(&receiver.address, DATA, "", DELIVER);
    let settings = "[webhooks]\nallow_private = true\nsubscriptions = 2\n";
    let house = House::with_settings(receiver, &erp, settings);
    for _ in 0..2 {
        house.interfaces.subscribe(wanted(&house)).await.unwrap();
    }
    let third = house.interfaces.subscribe(wanted(&house)).await.unwrap_err();
    assert_eq!(third, InterfacesError::TooManySubscriptions(2));
    let first = house.interfaces.subscriptions().unwrap().remove(0);
    house.interfaces.unsubscribe(&first.id).await.unwrap();
    house.interfaces.subscribe(wanted(&house)).await.unwrap();
    let wrong = house.interfaces.subscribe(json!({"url": "x", "enabled": true})).await.unwrap_err();
    assert!(matches!(&wrong, InterfacesError::Subscription(all) if all.len() == 5), "{wrong}");
    let wrong = house.interfaces.subscribe(said(&house, "enabled", json!("yes"))).await.unwrap_err();
    assert!(wrong.to_string().contains("true or false"), "{wrong}");
}

/// The own network in all its clothes is refused when it is saved, and when it is called: an address that was saved
/// while it was allowed is not called any more once it is not.
#[tokio::test(flavor = "multi_thread")]
async fn the_own_network_is_closed_when_saved_and_when_called() {
    let receiver = Receiver::start().await;
    let erp = connection(&receiver.address, DATA, "", DELIVER);
    let house = House::with_settings(receiver, &erp, "");
    for (url, why) in [
        ("http://partner.example/", "must begin with https://"),
        ("https://127.0.0.1/", "own network"),
        ("https://127.1/", "own network"),
        ("https://0.0.0.0/", "own network"),
        ("https://[::ffff:127.0.0.1]/", "own network"),
        ("https://2130706433/", "own network"),
        ("https://0x7f.1/", "own network"),
        ("https://169.254.169.254/latest/", "own network"),
        ("https://[fd00::1]/", "own network"),
        ("https://100.64.0.1/", "own network"),
        ("https://localhost:8000/", "own network"),
        ("https://user:pass@partner.example/", "must not hold a user"),
        ("https://partner.example/#part", "must not hold a user"),
        ("ftp://partner.example/", "must begin with https://"),
        ("partner.example", "no address of a receiver"),
        ("https://", "no address of a receiver"),
    ] {
        let refused = house.interfaces.subscribe(said(&house, "url", json!(url))).await.unwrap_err();
        assert!(refused.to_string().contains(why), "{url}: {refused}");
    }
    assert_eq!(house.interfaces.subscriptions().unwrap(), []);

    let open = House::with(DELIVER).await;
    open.interfaces.subscribe(wanted(&open)).await.unwrap();
    let closed = open.restarted_with("");
    closed.emit("order.shipped", "{}").await;
    closed.work().await;
    assert_eq!(closed.receiver.asked().len(), 0);
    let delivery = closed.deliveries().pop().unwrap();
    assert_eq!(delivery.state, DeliveryState::Dead);
    assert!(delivery.error.unwrap().contains("private network"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_says_at_once_what_is_wrong() {
    let house = House::with(DELIVER).await;
    let (made, secret) = house.interfaces.subscribe(wanted(&house)).await.unwrap();
    let probe = house.interfaces.probe(&made.id).await.unwrap();
    assert_eq!(
        (probe.verdict, probe.status, probe.answer.as_deref()),
        (Verdict::Arrived, Some(200), Some("{}"))
    );
    let asked = house.receiver.asked().pop().unwrap();
    assert_eq!(asked.json()["type"], "takt.test");
    assert!(signed_by(&asked, &secret, house.engine.now()));
    assert_eq!(house.deliveries().len(), 0, "nothing is stored");
    house.receiver.will([
        Answer::Status(302, "location: https://elsewhere.example/\r\n", ""),
        Answer::status(410),
        Answer::status(401),
        Answer::status(404),
        Answer::status(500),
        Answer::Close,
    ]);
    for verdict in [
        Verdict::Redirect,
        Verdict::Gone,
        Verdict::Denied,
        Verdict::NotThere,
        Verdict::Status,
        Verdict::Broken,
    ] {
        assert_eq!(house.interfaces.probe(&made.id).await.unwrap().verdict, verdict);
    }
    assert!(house.interfaces.subscription(&made.id).unwrap().enabled, "a test switches nothing off");
    // A server that speaks no TLS.
    let plain = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let plain_at = plain.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = plain.accept().await {
            let answer = b"HTTP/1.1 400 Bad Request\r\n\r\n";
            tokio::io::AsyncWriteExt::write_all(&mut stream, answer).await.unwrap();
        }
    });
    let unused = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for (url, verdict) in [
        (format!("http://{unused}/"), Verdict::Refused),
        ("https://nobody.invalid/".to_owned(), Verdict::NoName),
        (format!("https://{plain_at}/"), Verdict::Tls),
    ] {
        house.interfaces.change_subscription(&made.id, json!({"url": url})).await.unwrap();
        assert_eq!(house.interfaces.probe(&made.id).await.unwrap().verdict, verdict, "{url}");
    }
    assert_eq!(house.interfaces.probe("erp").await, Err(InterfacesError::NoWebhook("erp".to_owned())));
    let nobody = house.interfaces.probe("nobody").await;
    assert_eq!(nobody, Err(InterfacesError::UnknownConnection("nobody".to_owned())));
}

/// A future that is looked at once, as by a server whose client hangs up while it waits.
async fn begin<F: Future>(mut begun: Pin<&mut F>) {
    poll_fn(|cx| {
        assert!(begun.as_mut().poll(cx).is_pending(), "it has to wait for the disk");
        Poll::Ready(())
    })
    .await;
}

async fn soon(mut holds: impl FnMut() -> bool) -> bool {
    for _ in 0..200 {
        if holds() {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    false
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_somebody_who_hung_up_is_in_force_all_the_same() {
    let house = House::with(DELIVER).await;
    let room = &house.interfaces;
    // The leaked secret.
    let (made, old) = room.subscribe(wanted(&house)).await.unwrap();
    house.forward(Duration::from_secs(1));
    begin(Box::pin(room.exchange_secret(&made.id, Some(Duration::ZERO))).as_mut()).await;
    assert!(soon(|| room.subscription(&made.id).unwrap().changed_at > made.changed_at).await);
    // From the disk into the room.
    tokio::time::sleep(Duration::from_millis(200)).await;
    house.emit("order.shipped", "{}").await;
    house.work().await;
    let asked = house.receiver.asked().pop().unwrap();
    assert!(!signed_by(&asked, &old, house.engine.now()), "the secret that leaked signs on");
    // Whoever was removed gets nothing more, and what waited is cancelled.
    room.pause(&made.id, true).await.unwrap();
    house.emit("order.shipped", "{}").await;
    house.work().await;
    begin(Box::pin(room.unsubscribe(&made.id)).as_mut()).await;
    assert!(soon(|| room.subscription(&made.id).is_err()).await);
    let in_force = || house.engine.project().connection(&made.id).is_none();
    assert!(soon(in_force).await, "the removed one is still served");
    assert!(soon(|| house.states() == [DeliveryState::Delivered, DeliveryState::Cancelled]).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_changes_at_once_are_both_kept() {
    let house = House::with(DELIVER).await;
    let (made, _) = house.interfaces.subscribe(wanted(&house)).await.unwrap();
    let change = |said: Json| house.interfaces.change_subscription(&made.id, said);
    for turn in 0..10 {
        let (owner, outage) = (format!("Owner {turn}"), format!("Outage {turn}"));
        let (one, other, third) = tokio::join!(
            change(json!({ "owner": owner })),
            change(json!({ "outage": outage })),
            house.interfaces.pause(&made.id, false),
        );
        one.unwrap();
        other.unwrap();
        third.unwrap();
        let terms = house.interfaces.subscription(&made.id).unwrap().terms.to_json();
        assert_eq!(terms["owner"], owner);
        assert!(terms["outage"].to_string().contains(&outage), "{terms}");
    }
}

/// More than one batch, and the removal comes between the first and the second.
#[tokio::test(flavor = "multi_thread")]
async fn a_replay_of_many_leaves_alone_what_a_removal_has_cancelled() {
    let house = House::with(DELIVER).await;
    let room = &house.interfaces;
    let (made, _) = room.subscribe(wanted(&house)).await.unwrap();
    room.pause(&made.id, true).await.unwrap();
    let emit = |tx: &EngineTx| (0..700).try_for_each(|_| tx.emit("order.shipped", None, "{}"));
    house.engine.transact::<(), EngineError>(emit).await.unwrap();
    house.work().await;
    let of = |state| DeliveryFilter {
        connection: Some(made.id.clone()),
        state: Some(state),
        ..DeliveryFilter::default()
    };
    let waiting = of(DeliveryState::Waiting);
    assert_eq!(room.count(&waiting).unwrap(), 700);
    let mut replay = Box::pin(room.replay_all(&waiting, false));
    begin(replay.as_mut()).await;
    room.unsubscribe(&made.id).await.unwrap();
    replay.await.unwrap();
    assert_eq!(room.count(&waiting).unwrap(), 0, "they would wait for ever");
    assert_eq!(room.count(&of(DeliveryState::Cancelled)).unwrap(), 700);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_is_written_down_before_it_is_sent_whoever_asks_for_it() {
    let house = House::with(DELIVER).await;
    let (made, _) = house.interfaces.subscribe(wanted(&house)).await.unwrap();
    let place = "203.0.113.9".to_owned();
    let ada = Actor { kind: ActorKind::Key, account: None, name: "secret key".to_owned(), place };
    let room = house.interfaces.acting_for(ada);
    let tested = || {
        let rows = house.engine.audit(&AuditFilter::default(), 100).unwrap();
        rows.iter().map(|r| format!("{} {} {}", r.name, r.act, r.subject)).collect::<Vec<_>>()
    };
    assert!(room.probe("erp").await.is_err(), "no webhook that goes out");
    assert_eq!(tested(), [""; 0]);
    // Silent: it stands there before there is an answer.
    house.receiver.will([Answer::Late(Duration::from_secs(60))]);
    let sending = tokio::spawn({
        let (room, id) = (room.clone(), made.id.clone());
        async move { room.probe(&id).await }
    });
    assert!(soon(|| !house.receiver.asked().is_empty()).await);
    assert_eq!(tested(), [format!("secret key webhook.test connection {}", made.id)]);
    sending.abort();
}

/// Events that commit while subscriptions come and go: each that commits after the answer of one is delivered to it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_event_slips_through_while_the_server_runs() {
    let house = House::with(DELIVER).await;
    let running = tokio::spawn(house.interfaces.clone().run());
    let mut wanted_of = Vec::new();
    for turn in 0..20 {
        let name = format!("turn.{turn}");
        let (made, _) = house.interfaces.subscribe(said(&house, "events", json!([name]))).await.unwrap();
        house.emit(&name, "{}").await;
        wanted_of.push(made.id);
    }
    for _ in 0..200 {
        if house.deliveries().len() == 20 && house.states().iter().all(|s| *s == DeliveryState::Delivered) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let got: Vec<_> = house.deliveries().into_iter().map(|d| d.connection).collect();
    assert_eq!(got, wanted_of);
    for id in &wanted_of {
        house.interfaces.unsubscribe(id).await.unwrap();
    }
    running.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_is_kept_short_and_without_personal_values() {
    let mapped = DELIVER.replace("request", "map = \"logic/erp.ts#toOrder\"\nrequest");
    let house = House::with(&mapped).await;
    house.functions.makes("toOrder", r#"{"mail":"ada@example.com","number":"B-1"}"#);
    house.emit("order.placed", r#"{"email":"ada@example.com"}"#).await;
    house.work().await;
    let tries = house.interfaces.delivery(house.deliveries()[0].id).unwrap().tries;
    assert_eq!(tries[0].body.as_deref(), Some(r#"{"mail":"•••","number":"B-1"}"#));
    house
        .functions
        .makes("toOrder", &format!(r#"{{"email":"ada@example.com","text":"{}"}}"#, "x".repeat(9000)));
    house.emit("order.placed", "{}").await;
    house.work().await;
    let tries = house.interfaces.delivery(house.deliveries()[1].id).unwrap().tries;
    let body = tries[0].body.as_deref().unwrap();
    assert!(body.starts_with(r#"{"email":"•••","text":"xxx"#) && body.len() <= 1030, "{body}");
    // What was sent does not stay for ever, not even of dead letters.
    house.receiver.will([Answer::status(422)]);
    house.emit("order.placed", "{}").await;
    house.work().await;
    house.forward(Duration::from_secs(31 * 86_400));
    house.interfaces.tidy_now().await.unwrap();
    let left = house.deliveries();
    assert_eq!((left.len(), left[0].state), (1, DeliveryState::Dead));
    assert_eq!(house.interfaces.delivery(left[0].id).unwrap().tries, []);
}
