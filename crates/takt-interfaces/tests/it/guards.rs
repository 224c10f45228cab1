//! What a connection's file may not be talked into: addresses of the own network, on every way that leads out; and
//! proofs of senders that are almost right.

use http::{HeaderMap, HeaderName, HeaderValue};
use takt_interfaces::{DeliveryState, ReceiveError, Received, sign::sign_standard};
use takt_outbound::Secret;

use crate::{
    house::{DELIVER, House, connection},
    receiver::{Answer, Receiver},
};

/// Without the flag that lets a file name its own network.
fn closed(address: &str, more: &str) -> String {
    connection(address, "data = []", more, DELIVER).replace("allow_private = true\n", "")
}

const OAUTH: &str = r#"auth = { kind = "oauth2-cc", token_url = "http://TOKEN/token", client_id = "takt", secret = "erp_key" }"#;

#[tokio::test(flavor = "multi_thread")]
async fn the_own_network_is_closed_in_all_its_clothes() {
    let inside = Receiver::start().await;
    let port = inside.address.rsplit_once(':').unwrap().1.to_owned();
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0.0.0.0",
        "localhost",
        "LOCALHOST",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[fd00::8]",
        "[fe80::1]",
        "169.254.169.254",
        "100.64.0.1",
        "10.0.0.1",
        "192.168.0.1",
    ] {
        let house = House::of(Receiver::start().await, &closed(&format!("{host}:{port}"), ""), &[]);
        house.emit("order.placed", "{}").await;
        house.work().await;
        let delivery = house.deliveries().remove(0);
        assert_eq!(delivery.state, DeliveryState::Dead, "{host}: {delivery:?}");
        let error = delivery.error.unwrap();
        assert!(error.contains("private network"), "{host}: {error}");
    }
    assert_eq!(inside.asked().len(), 0, "somebody knocked");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_to_a_token_has_the_same_guard() {
    let inside = Receiver::start().await;
    let auth = OAUTH.replace("TOKEN", &inside.address);
    let house = House::of(Receiver::start().await, &closed("partner.invalid", &auth), &[]);
    house.emit("order.placed", "{}").await;
    house.work().await;
    let error = house.deliveries().remove(0).error.unwrap();
    assert!(error.contains("no token") && error.contains("private network"), "{error}");
    assert_eq!(inside.asked().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_of_the_way_to_a_token_is_not_followed() {
    let (trap, tokens) = (Receiver::start().await, Receiver::start().await);
    let away = format!("location: http://{}/\r\n", trap.address);
    tokens.will([Answer::Status(307, away.leak(), "")]);
    let erp = connection("partner.invalid", "data = []", &OAUTH.replace("TOKEN", &tokens.address), DELIVER);
    let house = House::of(Receiver::start().await, &erp, &[]);
    house.emit("order.placed", "{}").await;
    house.work().await;
    let error = house.deliveries().remove(0).error.unwrap();
    assert!(error.contains("no token: answered 307"), "{error}");
    assert!(!error.contains("s3cret"), "{error}");
    assert_eq!((tokens.asked().len(), trap.asked().len()), (1, 0));
}

const BODY: &str = r#"{"type":"order.thanked","amount":12.90}"#;

/// Through the room itself; each scheme alone is tested in `sign.rs`.
#[tokio::test(flavor = "multi_thread")]
async fn a_proof_that_is_almost_right_is_none() {
    let receive = "[[op]]\nname = \"paid\"\nkind = \"receive\"\naccept = \"order.thanked\"\n";
    let auth = "auth = { kind = \"standard-webhooks\", secrets = [\"hook_key\"] }";
    let house = House::incoming(auth, receive).await;
    let now = house.engine.now() / 1_000_000;
    let signed = |seconds_ago: i64| -> HeaderMap {
        let key = [Secret::new("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX")];
        sign_standard(&key, "m1", now - seconds_ago, BODY.as_bytes()).unwrap().into_iter().collect()
    };
    let good = signed(0)["webhook-signature"].to_str().unwrap().to_owned();
    let with = |signature: &str| {
        let mut headers = signed(0);
        let value = HeaderValue::from_str(signature).unwrap();
        headers.insert(HeaderName::from_static("webhook-signature"), value);
        headers
    };
    let without = |name: &str| {
        let mut headers = signed(0);
        headers.remove(name);
        headers
    };
    let other = "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    for (what, headers, is_believed) in [
        ("empty", with(""), false),
        ("only the version", with("v1,"), false),
        ("short", with(&good[..good.len() - 8]), false),
        ("longer", with(&format!("{good}AAAA")), false),
        ("of another length, in base64", with("v1,AAAA"), false),
        ("another version", with(&good.replace("v1,", "v2,")), false),
        ("without version", with(good.trim_start_matches("v1,")), false),
        ("of another key", with(other), false),
        ("six minutes old", signed(361), false),
        ("six minutes ahead", signed(-361), false),
        ("no id", without("webhook-id"), false),
        ("no time", without("webhook-timestamp"), false),
        ("no signature", without("webhook-signature"), false),
        (
            "a thousand wrong ones and then the right one",
            with(&format!("{}{good}", format!("{other} ").repeat(1000))),
            false,
        ),
        ("last of several", with(&format!("{other} {other} {good}")), true),
    ] {
        let answer = house.interfaces.receive("erp", &headers, BODY.as_bytes()).await;
        let expected = if is_believed { Ok(Received::Stored) } else { Err(ReceiveError::Signature) };
        assert_eq!(answer, expected, "{what}");
    }
    house.work().await;
    let again = house.interfaces.receive("erp", &signed(0), BODY.as_bytes()).await;
    assert_eq!(again, Ok(Received::Repeated), "the same id");
    house.work().await;
    assert_eq!(house.functions.seen.lock().unwrap().len(), 1, "one effect");
}

/// What no table takes is the sender's mistake, told at once; it would be sent again for days otherwise.
#[tokio::test(flavor = "multi_thread")]
async fn a_type_or_id_that_no_table_takes_is_refused() {
    let receive = "[[op]]\nname = \"paid\"\nkind = \"receive\"\nid = \"id\"\n";
    let house =
        House::incoming("auth = { kind = \"basic\", user = \"partner\", secret = \"erp_key\" }", receive)
            .await;
    let mut headers = HeaderMap::new();
    headers.insert("authorization", HeaderValue::from_static("Basic cGFydG5lcjpzM2NyZXQ="));
    for body in [r#"{"type":"a\u0000b","id":"1"}"#, r#"{"type":"a","id":"1\u0000"}"#] {
        let answer = house.interfaces.receive("erp", &headers, body.as_bytes()).await;
        assert!(matches!(answer, Err(ReceiveError::Unreadable(_))), "{body}: {answer:?}");
    }
    let fine = house.interfaces.receive("erp", &headers, br#"{"type":"a","id":"1"}"#).await;
    assert_eq!(fine, Ok(Received::Stored));
}

/// A hundred at the same moment under one id: one is stored, and what follows happens once.
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_at_once_have_one_effect() {
    let receive = "[[op]]\nname = \"paid\"\nkind = \"receive\"\naccept = \"order.thanked\"\n";
    let auth = "auth = { kind = \"standard-webhooks\", secrets = [\"hook_key\"] }";
    let house = House::incoming(auth, receive).await;
    let key = [Secret::new("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX")];
    let now = house.engine.now() / 1_000_000;
    let headers: HeaderMap = sign_standard(&key, "m1", now, BODY.as_bytes()).unwrap().into_iter().collect();
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let (interfaces, headers) = (house.interfaces.clone(), headers.clone());
            tokio::spawn(async move { interfaces.receive("erp", &headers, BODY.as_bytes()).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    house.work().await;
    assert_eq!(house.functions.seen.lock().unwrap().len(), 1);
}
