//! Receivers that misbehave, each a row of one table with real sockets: what class the attempt gets, what people are
//! told, and whether the message arrives in the end once the receiver has come to its senses.

use std::{sync::Arc, time::Duration};

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
};
use takt_interfaces::{DeliveryState, Outcome};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::{
    house::{DELIVER, House, connection},
    receiver::{Answer, Receiver},
};

const ORDER: &str = r#"{"order":{"id":"o1"}}"#;
/// So that a row takes half a second where the product takes half a minute.
const QUICK: &str = "data = []\nguard = { timeout = \"500ms\" }";
const PATIENT: &str = "data = []\nguard = { timeout = \"20s\" }";

/// How it goes on.
#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    /// It is tried again by itself.
    ByItself,
    /// A person decides, and then it arrives.
    AfterADecision,
    /// It arrived at once.
    Arrived,
}

struct Row {
    what: &'static str,
    answer: Answer,
    outcome: Outcome,
    /// Part of what people are told.
    told: &'static str,
    end: End,
}

fn row(what: &'static str, answer: Answer, outcome: Outcome, told: &'static str, end: End) -> Row {
    Row { what, answer, outcome, told, end }
}

#[rustfmt::skip] // a table
fn rows() -> Vec<Row> {
    use End::{AfterADecision, Arrived, ByItself};
    use Outcome::{Failed, Ok, Refused, Unknown};
    let away = |status| Answer::Status(status, "location: http://127.0.0.1:TRAP/\r\n", "");
    vec![
        row("a fault", Answer::status(500), Failed, "answered 500", ByItself),
        row("not ready", Answer::status(503), Failed, "answered 503", ByItself),
        row("too much at once", Answer::Status(429, "retry-after: 90\r\n", ""), Failed, "answered 429", ByItself),
        row("patience for ever", Answer::Status(429, "retry-after: 99999999999999999999\r\n", ""), Failed, "answered 429", ByItself),
        row("moved for good", away(301), Failed, "answered 301", ByItself),
        row("moved for now", away(302), Failed, "answered 302", ByItself),
        row("moved, same method", away(307), Failed, "answered 307", ByItself),
        row("moved for good, same method", away(308), Failed, "answered 308", ByItself),
        row("gone", Answer::status(410), Refused, "answered 410", AfterADecision),
        row("not found", Answer::status(404), Refused, "answered 404", AfterADecision),
        row("not acceptable", Answer::status(422), Refused, "answered 422", AfterADecision),
        row("silence", Answer::Bytes(Vec::new()), Unknown, "did not answer within 500 ms", ByItself),
        row("half an answer", Answer::Bytes(b"HTTP/1.1 200 X\r\ncontent-length: 9\r\n\r\n{".to_vec()), Ok, "", Arrived),
        row("half a fault", Answer::Bytes(b"HTTP/1.1 503 X\r\ncontent-length: 9\r\n\r\n{".to_vec()), Failed, "answered 503, but", ByItself),
        row("half a refusal", Answer::Bytes(b"HTTP/1.1 422 X\r\ncontent-length: 9\r\n\r\n{".to_vec()), Refused, "answered 422, but", AfterADecision),
        row("half a request to wait", Answer::Bytes(b"HTTP/1.1 429 X\r\nretry-after: 90\r\ncontent-length: 9\r\n\r\n{".to_vec()), Failed, "answered 429, but", ByItself),
        row("200 after the time is over", Answer::Late(Duration::from_millis(800)), Unknown, "did not answer within 500 ms", ByItself),
        row("a drip", Answer::Drip(Duration::from_millis(100)), Unknown, "did not answer within 500 ms", ByItself),
        row("hints for ever", Answer::Endless(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"), Unknown, "", ByItself),
        row("closed without a word", Answer::Close, Unknown, "closed the connection without an answer", ByItself),
        row("reset without a word", Answer::Reset(b""), Unknown, "closed the connection without an answer", ByItself),
        row("reset within the head", Answer::Reset(b"HTTP/1.1 200 X\r\nconte"), Unknown, "closed the connection without an answer", ByItself),
        row("reset within the body", Answer::Reset(b"HTTP/1.1 200 X\r\ncontent-length: 100\r\n\r\n{"), Ok, "", Arrived),
        row("another language", Answer::Bytes(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()), Unknown, "closed the connection without an answer", ByItself),
        row("a head without end", Answer::Endless(b"HTTP/1.1 200 X\r\n", b"x: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"), Unknown, "", ByItself),
        row("a gigabyte that is announced", Answer::Bytes(b"HTTP/1.1 200 X\r\ncontent-length: 1073741824\r\n\r\n".to_vec()), Ok, "", Arrived),
        row("a body without end", Answer::Endless(b"HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\n\r\n", &CHUNK), Ok, "", Arrived),
        row("a compressed bomb", compressed(), Ok, "", Arrived),
        row("a text that is none", Answer::Status(200, "content-type: application/json\r\n", "\u{0}\u{7}{{"), Ok, "", Arrived),
    ]
}

/// 64 KB of a chunked body.
static CHUNK: [u8; 65_545] = {
    let mut bytes = [b'x'; 65_545];
    let head = *b"10000\r\n";
    let mut at = 0;
    while at < head.len() {
        bytes[at] = head[at];
        at += 1;
    }
    bytes[65_543] = b'\r';
    bytes[65_544] = b'\n';
    bytes
};

/// 2,000 bytes whose header says that they unpack to more. Nobody unpacks: we never said that we could.
fn compressed() -> Answer {
    let mut bytes = b"HTTP/1.1 200 X\r\ncontent-encoding: gzip\r\ncontent-length: 2000\r\n\r\n".to_vec();
    bytes.extend([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);
    bytes.resize(bytes.len() + 1990, 0xff);
    Answer::Bytes(bytes)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_misbehaviour_has_its_class_its_words_and_its_end() {
    for Row { what, answer, outcome, told, end } in rows() {
        let trap = Receiver::start().await;
        let port = trap.address.rsplit_once(':').unwrap().1.to_owned();
        let answer = match answer {
            Answer::Status(status, head, body) if head.contains("TRAP") => {
                Answer::Status(status, head.replace("TRAP", &port).leak(), body)
            }
            other => other,
        };
        // What comes as a flood has no time limit to hide behind.
        let is_flood = what == "a body without end";
        let house = House::build(if is_flood { PATIENT } else { QUICK }, "", DELIVER).await;
        house.receiver.will([answer]);
        house.emit("order.placed", ORDER).await;
        let begun = std::time::Instant::now();
        assert_eq!(house.work().await, 1, "{what}");
        assert!(begun.elapsed() < Duration::from_secs(8), "{what} took {:?}", begun.elapsed());
        let delivery = house.deliveries().remove(0);
        assert_eq!(delivery.outcome, Some(outcome), "{what}: {delivery:?}");
        let error = delivery.error.clone().unwrap_or_default();
        assert!(error.contains(told), "{what}: {error}");
        let told = house.interfaces.delivery(delivery.id).unwrap();
        assert!(told.tries[0].response.as_ref().is_none_or(|r| r.len() < 4096), "{what}");
        let state = match end {
            End::ByItself => DeliveryState::Waiting,
            End::AfterADecision => DeliveryState::Dead,
            End::Arrived => DeliveryState::Delivered,
        };
        assert_eq!(delivery.state, state, "{what}");
        if end == End::AfterADecision {
            house.interfaces.pause("erp", false).await.unwrap();
            house.interfaces.replay(delivery.id, None).await.unwrap();
        }
        house.forward(Duration::from_secs(2 * 86_400));
        house.work().await;
        assert_eq!(house.states(), [DeliveryState::Delivered], "{what}: in the end");
        let asked = house.receiver.asked();
        let id = delivery.id.to_string();
        assert!(asked.iter().all(|a| a.header("idempotency-key") == Some(&id)), "{what}: one id");
        assert!(asked.iter().all(|a| a.header("accept-encoding").is_none()), "{what}: nothing compressed");
        assert_eq!(asked.len(), 1 + usize::from(end != End::Arrived), "{what}");
        assert_eq!(trap.asked().len(), 0, "{what}: a redirect was followed");
    }
}

/// The status came, its body did not come whole: who needs more than the status does not know what became of it.
#[tokio::test(flavor = "multi_thread")]
async fn where_the_body_is_needed_a_broken_one_leaves_nobody_knowing() {
    let half = |status: u16| {
        Answer::Reset(match status {
            200 => b"HTTP/1.1 200 X\r\ncontent-length: 100\r\n\r\n{",
            503 => b"HTTP/1.1 503 X\r\ncontent-length: 100\r\n\r\n{",
            _ => unreachable!(),
        })
    };
    let judged = format!("{DELIVER}contract = {{ response = \"contracts/answer.json\" }}\n");
    let asked =
        DELIVER.replace("request = ", "contract = { request = \"contracts/answer.json\" }\nrequest = ");
    let in_calls = DELIVER.replace("request = \"POST /orders\"", "run = \"logic/erp.ts#send\"");
    let ask = "on_unknown = \"ask\"\n";
    for (what, protocol, operations, status, outcome) in [
        ("nothing needs it", "rest", DELIVER.to_owned(), 200, Outcome::Ok),
        ("only what leaves is agreed", "rest", asked, 200, Outcome::Ok),
        ("the answer is agreed", "rest", judged.clone(), 200, Outcome::Unknown),
        ("refused is refused", "rest", judged, 503, Outcome::Failed),
        ("errors stand in it", "jsonrpc", DELIVER.to_owned(), 200, Outcome::Unknown),
        ("a function reads it", "rest", in_calls.clone(), 200, Outcome::Unknown),
        ("a function need not read that", "rest", in_calls, 503, Outcome::Failed),
    ] {
        let receiver = Receiver::start().await;
        let erp = connection(&receiver.address, PATIENT, "", &format!("{operations}{ask}"));
        let erp = erp.replace("protocol = \"rest\"", &format!("protocol = \"{protocol}\""));
        let schemas: &[_] = if erp.contains("contract") { &[("answer.json", "{}")] } else { &[] };
        let house = House::of(receiver, &erp, schemas);
        house.receiver.will([half(status)]);
        house.emit("order.placed", ORDER).await;
        house.work().await;
        let delivery = house.deliveries().remove(0);
        assert_eq!(delivery.outcome, Some(outcome), "{what}: {delivery:?}");
        let state = match outcome {
            Outcome::Ok => DeliveryState::Delivered,
            Outcome::Unknown => DeliveryState::Asking,
            Outcome::Failed | Outcome::Refused => DeliveryState::Waiting,
        };
        assert_eq!(delivery.state, state, "{what}");
        let status = &house.interfaces.delivery(delivery.id).unwrap().tries[0].status;
        let is_known = !what.starts_with("a function reads");
        assert_eq!(status.is_some(), is_known, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_there_is_waited_for() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string();
    for (what, address) in [("down", closed.as_str()), ("a name that nobody knows", "no-such-host.invalid")] {
        let erp = connection(address, QUICK, "", DELIVER);
        let house = House::of(Receiver::start().await, &erp, &[]);
        house.emit("order.placed", ORDER).await;
        house.work().await;
        let delivery = house.deliveries().remove(0);
        assert_eq!(
            (delivery.outcome, delivery.state),
            (Some(Outcome::Failed), DeliveryState::Waiting),
            "{what}"
        );
        let error = delivery.error.unwrap();
        assert!(error.contains("no connection to"), "{what}: {error}");
    }
}

/// Each is refused before a byte of the message leaves, so nothing can have arrived.
#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_prove_its_name_gets_nothing() {
    let certificates: [(&str, &[u8]); 3] = [
        ("by itself", include_bytes!("../../../takt-outbound/tests/certificates/selfsigned.crt.der")),
        ("expired", include_bytes!("../../../takt-outbound/tests/certificates/expired.crt.der")),
        ("of another", include_bytes!("../../../takt-outbound/tests/certificates/elsewhere.crt.der")),
    ];
    for (what, certificate) in certificates {
        let (address, mut spoken) = tls(certificate).await;
        let port = address.rsplit_once(':').unwrap().1;
        let erp =
            connection(&format!("localhost:{port}"), PATIENT, "", DELIVER).replace("http://", "https://");
        let house = House::of(Receiver::start().await, &erp, &[]);
        house.emit("order.placed", ORDER).await;
        house.work().await;
        let delivery = house.deliveries().remove(0);
        assert_eq!(
            (delivery.outcome, delivery.state),
            (Some(Outcome::Failed), DeliveryState::Waiting),
            "{what}"
        );
        let error = delivery.error.unwrap();
        assert!(error.contains("no connection to") && error.contains("certificate"), "{what}: {error}");
        assert_eq!(spoken.recv().await, Some(false), "{what}: TLS came about");
    }
}

/// A server that shows `certificate`; tells of each connection whether TLS came about.
async fn tls(certificate: &[u8]) -> (String, tokio::sync::mpsc::Receiver<bool>) {
    let key = include_bytes!("../../../takt-outbound/tests/certificates/server.key.der");
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.to_vec()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(certificate.to_vec())], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (tell, told) = tokio::sync::mpsc::channel(4);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let came_about = acceptor.accept(stream).await.is_ok();
            tell.send(came_about).await.ok();
        }
    });
    (address, told)
}

/// The whole schedule, in hours after the first attempt.
#[tokio::test(flavor = "multi_thread")]
async fn the_schedules_reach_over_three_days_and_end_in_a_dead_letter_that_can_be_replayed() {
    for (schedule, down_for, wanted) in [
        // Of a webhook: three days and more.
        (
            "retry = { schedule = \"webhook\" }\n",
            Duration::from_secs(200 * 3600),
            &[0, 0, 0, 0, 0, 2, 7, 17, 27, 37, 47, 57, 67, 77][..],
        ),
    ] {
        let house = House::with(&format!("{DELIVER}{schedule}")).await;
        house.receiver.will(std::iter::repeat_n(Answer::status(503), 1000));
        house.emit("order.placed", ORDER).await;
        let minutes = down_for.as_secs() / 60;
        for _ in 0..minutes {
            if house.work().await == 0 && house.states() == [DeliveryState::Dead] {
                break;
            }
            // To the next attempt at once: the clock is an argument.
            let next = house.deliveries()[0].next_at - house.engine.now();
            house.forward(Duration::from_micros(u64::try_from(next.max(1_000_000)).unwrap()));
        }
        let delivery = house.deliveries().remove(0);
        let tries = house.interfaces.delivery(delivery.id).unwrap().tries;
        let hours: Vec<i64> = tries.iter().map(|t| (t.at - tries[0].at) / 3_600_000_000).collect();
        for (got, least) in hours.iter().zip(wanted) {
            let most = least + least / 10 + 1;
            assert!((*least..=most).contains(got), "{hours:?} against {wanted:?}");
        }
        assert_eq!(hours.len(), wanted.len(), "{hours:?}");
        assert_eq!(delivery.state, DeliveryState::Dead);
        let status = &house.interfaces.connections().unwrap()[0];
        assert_eq!((status.dead, status.waiting), (1, 0), "what raises the alarm");
        assert!(status.last_error.as_deref().is_some_and(|e| e.contains("503")), "{status:?}");
        // A month later it still lies there.
        house.forward(Duration::from_secs(31 * 86_400));
        house.interfaces.tidy_now().await.unwrap();
        house.receiver.heal();
        house.interfaces.replay(delivery.id, None).await.unwrap();
        house.work().await;
        assert_eq!(house.states(), [DeliveryState::Delivered]);
        let id = delivery.id.to_string();
        assert!(house.receiver.asked().iter().all(|a| a.header("idempotency-key") == Some(&id)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_down_for_75_hours_gets_a_webhook_afterwards() {
    let house = House::with(&format!("{DELIVER}retry = {{ schedule = \"webhook\" }}\n")).await;
    house.receiver.will(std::iter::repeat_n(Answer::status(503), 1000));
    house.emit("order.placed", ORDER).await;
    for _ in 0..75 * 4 {
        house.work().await;
        house.forward(Duration::from_secs(15 * 60));
    }
    house.receiver.heal();
    assert_eq!(house.states(), [DeliveryState::Waiting]);
    for _ in 0..12 * 4 {
        house.work().await;
        house.forward(Duration::from_secs(15 * 60));
    }
    assert_eq!(house.states(), [DeliveryState::Delivered]);
}

/// A NUL in an answer or in an ordering key, which no table takes, is kept as a sign and stops nobody.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_written_down_does_not_stop_the_others() {
    let house = House::with(&format!("{DELIVER}lane = \"lane\"\n")).await;
    house.emit("order.placed", r#"{"lane":"a\u0000b","n":1}"#).await;
    house.emit("order.placed", r#"{"lane":"c","n":2}"#).await;
    house.receiver.will([Answer::Status(422, "", "no\0no"), Answer::Status(200, "", "\0\0\0")]);
    assert_eq!(house.work().await, 2);
    let mut states = house.states();
    states.sort_by_key(|s| s.name());
    assert_eq!(states, [DeliveryState::Dead, DeliveryState::Delivered]);
    let dead = house.deliveries().into_iter().find(|d| d.state == DeliveryState::Dead).unwrap();
    let told = house.interfaces.delivery(dead.id).unwrap();
    assert_eq!(told.tries[0].response.as_deref(), Some("no\u{fffd}no"));
}

/// One in five fails, as on a bad line: all arrive, each lane in its order, and nothing waits for a person.
#[tokio::test(flavor = "multi_thread")]
async fn with_one_failure_in_five_all_arrive_in_order() {
    let house = House::with(&format!("{DELIVER}lane = \"lane\"\n")).await;
    let answers = (0..500).map(|n| match n % 10 {
        3 => Answer::status(503),
        7 => Answer::Close,
        _ => Answer::ok(),
    });
    house.receiver.will(answers);
    for n in 0..100 {
        house.emit("order.placed", &format!("{{\"lane\":{},\"n\":{n}}}", n % 7)).await;
    }
    for _ in 0..200 {
        house.work().await;
        if house.states().iter().all(|s| *s == DeliveryState::Delivered) {
            break;
        }
        house.forward(Duration::from_secs(600));
    }
    assert_eq!(house.states(), [DeliveryState::Delivered; 100]);
    for lane in 0..7 {
        let asked = house.receiver.asked();
        let seen = asked.iter().map(crate::receiver::Asked::json).filter(|j| j["lane"] == lane);
        let seen: Vec<i64> = seen.map(|j| j["n"].as_i64().unwrap()).collect();
        assert!(seen.is_sorted(), "lane {lane}: {seen:?}");
    }
}
