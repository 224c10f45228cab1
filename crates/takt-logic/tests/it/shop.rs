//! The functions of the example shop, as they stand in the repository.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use serde_json::{Value as Json, json};
use takt_engine::EngineError;
use takt_logic::{Call, LogicError};
use takt_model::{Principal, ProjectFiles, Uuid, Value};

use crate::house::{House, customer};

fn files() -> ProjectFiles {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/shop");
    let mut files = BTreeMap::new();
    let mut read = |path: &str| {
        files.insert(path.to_owned(), std::fs::read_to_string(root.join(path)).unwrap());
    };
    read("takt.toml");
    for folder in ["schema", "logic"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            read(&format!("{folder}/{}", entry.unwrap().file_name().to_str().unwrap()));
        }
    }
    ProjectFiles(files)
}

const TEA: &str = "00000000-0000-7000-8000-0000000000a1";
const POT: &str = "00000000-0000-7000-8000-0000000000a2";
const HOME: &str = "00000000-0000-7000-8000-0000000000b1";

const SET_STATUS: &str = r#"export const input = { id: "uuid", status: "text" };
export default async function ({ db }, { id, status }) { await db.orders.update({ id }, { status }); }"#;

const NEWEST_CONTACT: &str = r#"export default async function ({ db }) {
  return (await db.newsletter_contacts.find({ order: "id.desc", limit: 1 }))[0];
}"#;

const OLD_CONTACT: &str = r#"export default async function ({ db }) {
  await db.newsletter_contacts.insert({ email: "old@example.com", consent_text: "Ja", token: null });
}"#;

/// A shop with two products, one customer and one address, filled by an action of its own.
async fn shop() -> House {
    let mut files = files();
    let fill = format!(
        r#"export const runs_as = "service";
        export default async function ({{ db, Decimal }}) {{
          const category = await db.categories.insert({{ slug: "tea", name_de: "Tee", name_en: "Tea" }});
          const product = (id, name, price, stock, tax_rate) => db.products.insert({{ id, sku: name, slug: name,
            category_id: category.id, name_de: name, name_en: name, price: new Decimal(price),
            tax_rate: new Decimal(tax_rate), stock }});
          product("{TEA}", "tea", "12.90", 10, "7.00");
          product("{POT}", "pot", "49.00", 100, "19.00");
          await db.addresses.insert({{ id: "{HOME}", customer_id: "00000000-0000-0000-0000-000000000007",
            name: "A", street: "B 1", postal_code: "12345", city: "C" }});
        }}"#
    );
    files.0.insert("logic/fill.ts".to_owned(), fill);
    for (name, text) in
        [("set_status", SET_STATUS), ("newest_contact", NEWEST_CONTACT), ("old_contact", OLD_CONTACT)]
    {
        files.0.insert(format!("logic/{name}.ts"), text.to_owned());
    }
    let house = House::of(&files);
    let account = house.engine.transact(|tx| -> Result<_, EngineError> {
        let plan = tx.on("auth.users")?.insert(vec![("id", Value::Uuid(Uuid::from_u128(7)))])?;
        tx.rows(&Principal::system("test: make account"), plan)
    });
    account.await.unwrap();
    house.call_as(Principal::service(), "fill", json!({})).await.unwrap();
    house
}

fn basket(items: &[(&str, u32)]) -> Json {
    let items: Vec<Json> = items.iter().map(|(id, n)| json!({ "product_id": id, "quantity": n })).collect();
    json!({ "items": items, "address_id": HOME })
}

#[tokio::test]
async fn the_functions_load_without_a_problem() {
    let files = files();
    let (_, problems) =
        takt_logic::Logic::load(&files, &crate::house::project(&files), crate::house::outbound());
    assert_eq!(problems, []);
}

#[tokio::test]
async fn a_purchase_takes_prices_and_stock_from_the_shop() {
    let house = shop().await;
    let answer = house.call("checkout", basket(&[(TEA, 2), (POT, 1)])).await.unwrap();
    assert_eq!((answer.status, answer.refused), (200, false), "{}", answer.body);
    assert!(answer.body.contains(r#""number":"B-2026-00001","total":74.80"#), "{}", answer.body);
    assert!(
        answer.body.contains(r#""unit_price":12.90,"tax_rate":7.00,"line_total":25.80"#),
        "{}",
        answer.body
    );
    let story = house.engine.story_last(Some("checkout")).unwrap().unwrap();
    let steps: Vec<&str> = story.steps.iter().filter_map(|s| s.label.get("en")).collect();
    assert_eq!(steps, ["Basket checked", "Address checked", "Stock reserved", "Order written"]);
    assert_eq!(story.events, ["order.placed"]);

    let order: Json = serde_json::from_str(&answer.body).unwrap();
    let input = json!({ "order_id": order["order_id"] });
    let cancelled = house.call("cancel_order", input.clone()).await.unwrap();
    assert!(cancelled.body.contains(r#""status":"cancelled""#), "{}", cancelled.body);
    let again = house.call("cancel_order", input).await.unwrap();
    assert_eq!((again.status, again.refused), (409, true));
}

#[tokio::test]
async fn a_refused_purchase_writes_nothing() {
    let house = shop().await;
    let cases = [
        (basket(&[(TEA, 11)]), "Only 10 left of tea."),
        (basket(&[]), "Your basket is empty."),
        (basket(&[(TEA, 60), (TEA, 60)]), "Please order at most 99 of one product."),
        (
            json!({ "items": [{ "product_id": TEA, "quantity": 1 }], "address_id": TEA }),
            "We could not find this delivery",
        ),
    ];
    for (input, words) in cases {
        let answer = house.call("checkout", input).await.unwrap();
        assert!(answer.refused && answer.body.contains(words), "{}", answer.body);
    }
    let first = house.call("checkout", basket(&[(TEA, 1)])).await.unwrap();
    assert!(first.body.contains("B-2026-00001"), "a refusal used a number: {}", first.body);
}

#[tokio::test]
async fn ten_pieces_are_sold_ten_times() {
    let house = Arc::new(shop().await);
    let mut running = Vec::new();
    for _ in 0..50 {
        let house = Arc::clone(&house);
        running.push(tokio::spawn(async move {
            house.call("checkout", basket(&[(TEA, 1)])).await.unwrap().status
        }));
    }
    let mut sold = 0;
    for task in running {
        sold += u32::from(task.await.unwrap() == 200);
    }
    assert_eq!(sold, 10);
}

#[tokio::test]
async fn one_idempotency_key_is_one_order() {
    let house = shop().await;
    let call = |input: Json| Call {
        function: "checkout",
        who: customer(),
        input,
        idempotency: Some("k1".to_owned()),
    };
    let first = house.logic.call(&house.engine, call(basket(&[(TEA, 1)]))).await.unwrap();
    // The same input in another order of keys is the same input.
    let turned = json!({ "address_id": HOME, "items": [{ "quantity": 1, "product_id": TEA }] });
    let second = house.logic.call(&house.engine, call(turned)).await.unwrap();
    assert_eq!((first.replayed, second.replayed, first.body == second.body), (false, true, true));
    let other = house.logic.call(&house.engine, call(basket(&[(TEA, 2)]))).await;
    assert!(matches!(other, Err(LogicError::Engine(EngineError::IdempotencyMismatch))), "{other:?}");
}

#[tokio::test]
async fn shipping_is_announced_once_whoever_ships() {
    let house = shop().await;
    let order: Json =
        serde_json::from_str(&house.call("checkout", basket(&[(TEA, 2)])).await.unwrap().body).unwrap();
    let set = |status: &str| json!({ "id": order["order_id"], "status": status });
    let events = || house.engine.story_last(Some("set_status")).unwrap().unwrap().events;
    house.call_as(Principal::service(), "set_status", set("paid")).await.unwrap();
    assert_eq!(events(), ["order.paid"], "not shipped yet");
    house.call_as(Principal::service(), "set_status", set("shipped")).await.unwrap();
    assert_eq!(events(), ["order.shipped"]);
    house.call_as(Principal::service(), "set_status", set("shipped")).await.unwrap();
    assert_eq!(events(), Vec::<String>::new(), "it was shipped before");
}

#[tokio::test]
async fn the_newsletter_answers_always_the_same() {
    let house = shop().await;
    let input = |email: &str| json!({ "email": email, "language": "de" });
    for email in ["a@example.com", "A@example.com ", "a@example.com"] {
        assert_eq!(house.told("subscribe", input(email)).await, r#"200 {"accepted":true}"#);
    }
    assert!(house.call("subscribe", input("nonsense")).await.unwrap().refused);
    let bad = json!({ "email": "a@example.com", "language": "fr" });
    assert!(matches!(house.call("subscribe", bad).await, Err(LogicError::BadInput { .. })));
}

#[tokio::test]
async fn the_newsletter_asks_once_an_hour_until_it_is_confirmed() {
    let house = shop().await;
    let asked = || house.engine.story_last(Some("subscribe")).unwrap().unwrap().events;
    let contact = async || -> Json {
        let answer = house.call_as(Principal::service(), "newest_contact", json!({})).await.unwrap();
        serde_json::from_str(&answer.body).unwrap()
    };
    let subscribe = async |language: &str| {
        let input = json!({ "email": "a@example.com", "language": language });
        assert_eq!(house.told("subscribe", input).await, r#"200 {"accepted":true}"#);
    };
    let minutes = |n: u64| Duration::from_secs(60 * n);

    subscribe("de").await;
    assert_eq!(asked(), ["newsletter.subscribed"]);
    let first = contact().await;
    house.clock.forward(minutes(59));
    subscribe("de").await;
    assert_eq!(asked(), Vec::<String>::new());
    house.clock.forward(minutes(2));
    subscribe("en").await;
    assert_eq!(asked(), ["newsletter.subscribed"]);
    let second = contact().await;
    assert_eq!(first["token"], second["token"], "the first mail's link goes on working");
    assert_eq!(second["language"], "en");
    assert!(second["consent_text"].as_str().unwrap().starts_with("Yes, I would like"));

    let token = json!({ "token": second["token"] });
    assert_eq!(
        house.told("confirm_newsletter", token.clone()).await,
        r#"200 {"confirmed":true,"before":false}"#
    );
    let story = house.engine.story_last(Some("confirm_newsletter")).unwrap().unwrap();
    assert_eq!(story.events, ["newsletter.confirmed"]);
    let confirmed = contact().await;
    assert_eq!(confirmed["consent_at"], second["consent_at"], "when it was asked for stays");
    house.clock.forward(minutes(61));
    assert_eq!(house.told("confirm_newsletter", token).await, r#"200 {"confirmed":true,"before":true}"#);
    assert_eq!(contact().await["confirmed_at"], confirmed["confirmed_at"]);
    subscribe("de").await;
    assert_eq!(asked(), Vec::<String>::new());
    let unknown = house.call("confirm_newsletter", json!({ "token": HOME })).await.unwrap();
    assert_eq!((unknown.status, unknown.refused), (404, true));
}

#[tokio::test]
async fn whoever_leaves_the_newsletter_is_asked_anew_and_the_proof_stays() {
    let house = shop().await;
    let contact = async || -> Json {
        let answer = house.call_as(Principal::service(), "newest_contact", json!({})).await.unwrap();
        serde_json::from_str(&answer.body).unwrap()
    };
    let events = |function: &str| house.engine.story_last(Some(function)).unwrap().unwrap().events;
    let input = json!({ "email": "a@example.com", "language": "de" });
    house.told("subscribe", input.clone()).await;
    let token = json!({ "token": contact().await["token"] });
    house.told("confirm_newsletter", token.clone()).await;
    let confirmed = contact().await;

    let left = async || house.told("leave_newsletter", token.clone()).await;
    assert_eq!(left().await, r#"200 {"left":true,"before":false}"#);
    assert_eq!(events("leave_newsletter"), ["newsletter.left"]);
    let gone = contact().await;
    assert!(!gone["left_at"].is_null());
    for proof in ["consent_text", "consent_at", "confirmed_at"] {
        assert_eq!(gone[proof], confirmed[proof], "{proof}");
    }
    assert_eq!(left().await, r#"200 {"left":true,"before":true}"#);
    assert!(house.call("confirm_newsletter", token.clone()).await.unwrap().refused, "that was the old wish");
    let unknown = house.call("leave_newsletter", json!({ "token": HOME })).await.unwrap();
    assert_eq!((unknown.status, unknown.refused), (404, true));

    // A stranger cannot make mails come at once to who has left.
    house.told("subscribe", input.clone()).await;
    assert_eq!(events("subscribe"), Vec::<String>::new());
    house.clock.forward(Duration::from_secs(61 * 60));
    house.told("subscribe", input).await;
    assert_eq!(events("subscribe"), ["newsletter.subscribed"]);
    let again = contact().await;
    assert!(again["confirmed_at"].is_null() && again["left_at"].is_null(), "{again}");
    assert_eq!(house.told("confirm_newsletter", token).await, r#"200 {"confirmed":true,"before":false}"#);
}

#[tokio::test]
async fn contacts_from_before_there_were_links_get_one_when_they_ask_again() {
    let house = shop().await;
    house.call_as(Principal::service(), "old_contact", json!({})).await.unwrap();
    let input = json!({ "email": "old@example.com", "language": "de" });
    assert_eq!(house.told("subscribe", input).await, r#"200 {"accepted":true}"#);
    let story = house.engine.story_last(Some("subscribe")).unwrap().unwrap();
    assert_eq!(story.events, ["newsletter.subscribed"]);
    let answer = house.call_as(Principal::service(), "newest_contact", json!({})).await.unwrap();
    assert!(!answer.body.contains(r#""token":null"#), "{}", answer.body);
    assert_eq!(house.count("newsletter_contacts"), 1);
}
