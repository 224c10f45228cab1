//! Webhook subscriptions as programs and people meet them: answers and errors of the API, the pages, who may what.

use expect_test::expect;
use serde_json::{Value as Json, json};
use takt_auth::StudioRole;
use takt_server::{AdminRequest, DeliveriesRequest, execute};

use crate::{
    studio::{Browser, PASSWORD, RUNTIME, has, link},
    support::{Answer, Running, options, project, write},
};

const HOOK: &str = r#"
purpose = { en = "The carrier knows what comes." }
partner = { name = "Carrier" }
owner = "Shipping"
outage = { en = "Parcels wait." }
data = []
[connect]
protocol = "webhook-out"
base = "http://127.0.0.1:9/hooks"
allow_private = true
auth = { kind = "standard-webhooks", secrets = ["hook_key"] }
[[op]]
name = "shipped"
kind = "deliver"
on = "order.shipped"
"#;

fn server() -> Running {
    let dir = project();
    write(dir.path(), "interfaces/carrier.toml", HOOK);
    let options = options(dir.path(), &[]);
    Running::serve(dir, &options)
}

fn ask(server: &Running, method: &str, path: &str, body: &Json) -> Answer {
    let secret = [("apikey", server.secret.as_str()), ("content-type", "application/json")];
    server.raw(method, &format!("/takt/v1/webhooks{path}"), &secret, body.to_string().as_bytes())
}

fn wanted() -> Json {
    json!({
        "url": "https://partner.invalid/hooks?key=their-own",
        "events": ["order.placed", "order.*"],
        "purpose": { "en": "The partner shows orders.", "de": "Der Partner zeigt Bestellungen." },
        "partner": { "name": "Partner", "contact": "it@partner.invalid" },
        "owner": "Sales",
        "outage": "Der Partner sieht Bestellungen später.",
        "data": [{ "fields": ["email"], "purpose": "contact", "basis": "contract", "country": "DE" }],
    })
}

/// The parts that change from run to run are dots.
fn shape(answer: &Answer) -> String {
    let mut json = answer.json();
    for field in ["id", "secret", "created_at", "changed_at", "both_sign_until"] {
        if json[field].is_string() {
            json[field] = "...".into();
        }
    }
    if json["took_ms"].is_number() {
        json["took_ms"] = "...".into();
    }
    format!("{} {json:#}", answer.status)
}

#[test]
fn the_answers_have_a_shape_and_the_secret_is_in_one_of_them() {
    let server = server();
    let made = ask(&server, "POST", "", &wanted());
    expect![[r#"
        201 {
          "url": "https://partner.invalid/hooks?key=their-own",
          "events": [
            "order.placed",
            "order.*"
          ],
          "description": null,
          "purpose": {
            "en": "The partner shows orders.",
            "de": "Der Partner zeigt Bestellungen."
          },
          "partner": {
            "name": "Partner",
            "contact": "it@partner.invalid",
            "agreement": null,
            "country": null
          },
          "owner": "Sales",
          "outage": {
            "de": "Der Partner sieht Bestellungen später."
          },
          "data": [
            {
              "fields": [
                "email"
              ],
              "purpose": "contact",
              "basis": "contract",
              "keep": null,
              "country": "DE"
            }
          ],
          "lane": null,
          "id": "...",
          "enabled": true,
          "off": null,
          "both_sign_until": null,
          "created_at": "...",
          "changed_at": "...",
          "secret": "..."
        }"#]]
    .assert_eq(&shape(&made));
    let secret = made.json()["secret"].as_str().unwrap().to_owned();
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let one = ask(&server, "GET", &format!("/{id}"), &Json::Null);
    let all = ask(&server, "GET", "", &Json::Null);
    assert_eq!(all.json(), json!([one.json()]));
    assert_eq!(all.header("cache-control").as_deref(), Some("no-store"));
    let changed = ask(&server, "PATCH", &format!("/{id}"), &json!({ "enabled": false, "data": [] }));
    assert_eq!((changed.status, &changed.json()["off"]["why"]), (200, &json!("said")));
    assert_eq!(changed.json()["data"], json!([]));
    for answer in [&one, &all, &changed] {
        assert!(!answer.text().contains(&secret) && !answer.text().contains("\"secret\""));
    }
    let rotated = ask(&server, "POST", &format!("/{id}/rotate"), &json!({}));
    let other = rotated.json()["secret"].as_str().unwrap().to_owned();
    assert!(other.starts_with("whsec_") && other != secret);
    let test = ask(&server, "POST", &format!("/{id}/test"), &json!({}));
    expect![[r#"
        200 {
          "verdict": "no_name",
          "status": null,
          "took_ms": "...",
          "answer": null,
          "says": {
            "en": "There is no machine called partner.invalid. Is the address spelled correctly?",
            "de": "Es gibt keinen Rechner namens partner.invalid. Ist die Adresse richtig geschrieben?"
          }
        }"#]]
    .assert_eq(&shape(&test));
    let removed = ask(&server, "DELETE", &format!("/{id}"), &Json::Null);
    expect![[r#"
        200 {
          "id": "...",
          "cancelled": 0,
          "message": "Removed. Nothing waited; what was sent stays in the log."
        }"#]]
    .assert_eq(&shape(&removed));
}

#[test]
fn every_refusal_has_its_code() {
    let server = server();
    let mut told = String::new();
    for (method, path, body) in [
        ("POST", "", json!({ "url": "http://partner.invalid/" })),
        ("POST", "", json!([1])),
        ("GET", "/hook-nobody", Json::Null),
        ("PATCH", "/hook-nobody", json!({})),
        ("DELETE", "/hook-nobody", Json::Null),
        ("POST", "/hook-nobody/rotate", json!({})),
        ("POST", "/hook-nobody/rotate", json!({ "overlap": "soon" })),
        ("POST", "/hook-nobody/test", json!({})),
        ("PUT", "/hook-nobody", json!({})),
        ("DELETE", "", Json::Null),
        ("GET", "/hook-nobody/rotate", Json::Null),
        ("GET", "/hook-nobody/else", Json::Null),
    ] {
        let answer = ask(&server, method, path, &body);
        let json = answer.json();
        told.push_str(&format!("{method} {path}: {} {} {}\n", answer.status, json["code"], json["message"]));
    }
    expect![[r#"
        POST : 422 "TAKT030" "The webhook was not saved: `events` is missing: which events are sent."
        POST : 422 "TAKT030" "The webhook was not saved: `body` must be a JSON object."
        GET /hook-nobody: 404 "TAKT013" "There is no such webhook."
        PATCH /hook-nobody: 404 "TAKT013" "There is no such webhook."
        DELETE /hook-nobody: 404 "TAKT013" "There is no such webhook."
        POST /hook-nobody/rotate: 404 "TAKT013" "There is no such webhook."
        POST /hook-nobody/rotate: 422 "TAKT030" "`overlap` is a duration such as `24h`, or `0s`."
        POST /hook-nobody/test: 404 "TAKT013" "There is no such webhook."
        PUT /hook-nobody: 405 "TAKT013" "Only GET, HEAD, PATCH and DELETE are answered here."
        DELETE : 405 "TAKT013" "Only GET, HEAD and POST are answered here."
        GET /hook-nobody/rotate: 405 "TAKT013" "Only POST is answered here."
        GET /hook-nobody/else: 404 "TAKT013" "There is nothing at /takt/v1/webhooks/hook-nobody/else."
    "#]]
    .assert_eq(&told);
    let secret = [("apikey", server.secret.as_str())];
    assert_eq!(server.raw("POST", "/takt/v1/webhooks", &secret, b"{").json()["code"], "22P02");
}

#[test]
fn visitors_and_accounts_reach_nothing() {
    let server = server();
    let id = ask(&server, "POST", "", &wanted()).json()["id"].as_str().unwrap().to_owned();
    let token = server.token("anna@example.com");
    for (method, path) in [
        ("GET", String::new()),
        ("POST", String::new()),
        ("GET", format!("/{id}")),
        ("PATCH", format!("/{id}")),
        ("DELETE", format!("/{id}")),
        ("POST", format!("/{id}/rotate")),
        ("POST", format!("/{id}/test")),
    ] {
        let path = format!("/takt/v1/webhooks{path}");
        assert_eq!(server.raw(method, &path, &[], b"").status, 401, "{method} {path}");
        assert_eq!(server.ask(method, &path, &[], "{}").status, 401, "{method} {path}");
        assert_eq!(server.ask_as(&token, method, &path, &[], "{}").status, 403, "{method} {path}");
    }
    assert_eq!(ask(&server, "GET", "", &Json::Null).json().as_array().unwrap().len(), 1);
    let table = [("apikey", server.secret.as_str())];
    assert_eq!(server.raw("GET", "/rest/v1/takt.subscriptions", &table, b"").status, 404);
}

#[test]
fn it_is_told_like_a_connection_of_a_file() {
    let server = server();
    let id = ask(&server, "POST", "", &wanted()).json()["id"].as_str().unwrap().to_owned();
    let command = |request| RUNTIME.block_on(execute(&server.app, AdminRequest::Deliveries(request)));
    let connections = DeliveriesRequest::Connections { about: false, language: "en".to_owned() };
    let told = command(connections).unwrap()["text"].as_str().unwrap().to_owned();
    has(&told, &["carrier              file", &format!("{id}    subscription")]);
    let about = DeliveriesRequest::Connections { about: true, language: "de".to_owned() };
    let told = command(about).unwrap()["text"].as_str().unwrap().to_owned();
    has(
        &told,
        &[
            "Der Partner zeigt Bestellungen.",
            "Der Partner sieht Bestellungen später.",
            "https://partner.invalid/hooks?…",
            "ein Abonnement, im Betrieb angelegt",
            "interfaces/carrier.toml",
            "email: Zweck: contact; Rechtsgrundlage: contract; Land: DE",
        ],
    );
    assert!(!told.contains("their-own"), "a key of the other side may stand in the query");
    let test = |connection: &str| {
        let language = "en".to_owned();
        command(DeliveriesRequest::Test { connection: connection.to_owned(), language })
    };
    // The secret first; then nobody listens at port 9.
    has(test("carrier").unwrap()["text"].as_str().unwrap(), &["`hook_key` is not set"]);
    let value = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX".to_owned();
    let set = AdminRequest::SecretSet { name: "hook_key".to_owned(), value };
    RUNTIME.block_on(execute(&server.app, set)).unwrap();
    has(test("carrier").unwrap()["text"].as_str().unwrap(), &["nobody listens"]);
    has(test(&id).unwrap()["text"].as_str().unwrap(), &["There is no machine called partner.invalid"]);
    let kept = RUNTIME.block_on(execute(&server.app, AdminRequest::SecretList)).unwrap().to_string();
    assert!(kept.contains("hook_key") && !kept.contains(&id), "{kept}");
}

#[test]
fn owner_and_developer_make_them_in_the_console_and_others_look() {
    let server = server();
    let mut owner = Browser::owner(&server);
    owner.get("/studio/deliveries");
    has(&owner.page, &["Add a receiver"]);
    owner.get("/studio/webhooks/new");
    let fields = [
        ("url", "https://partner.invalid/hooks"),
        ("events", "order.placed, order.shipped"),
        ("purpose", "The partner shows orders."),
        ("partner", "Partner"),
        ("owner", "Sales"),
        ("outage", "The partner sees orders later."),
        ("data_fields", "email"),
        ("data_purpose", "contact"),
    ];
    let refused = owner.post("/studio/webhooks/new", &fields);
    assert_eq!(refused.status, 422);
    has(
        &owner.page,
        &[
            "Legal basis: `data.basis` is missing",
            "value=\"Partner\"",
            "value=\"order.placed, order.shipped\"",
        ],
    );
    let mut whole = fields.to_vec();
    whole.extend([("data_basis", "contract"), ("data_country", "DE")]);
    let made = owner.post("/studio/webhooks/new", &whole);
    assert_eq!((made.status, made.header("cache-control").as_deref()), (200, Some("no-store")));
    let secret = made.text().split("whsec_").nth(1).unwrap().split('<').next().unwrap().to_owned();
    let one = link(&owner.page, "/studio/deliveries/hook-");
    owner.get(&one);
    has(
        &owner.page,
        &["Test the receiver", "Exchange the secret", "holds besides the new one for 1 day", "email"],
    );
    assert!(!owner.page.contains(&secret));
    let tested = owner.post(&format!("{one}/test"), &[]);
    has(&tested.text(), &["There is no machine called partner.invalid"]);
    owner.language = "de";
    owner.get(&one);
    has(&owner.page, &["Empfänger testen", "Geheimnis tauschen", "Entfernen …"]);
    assert!(
        owner.get("/studio/deliveries/carrier").text().contains("Empfänger testen"),
        "those of files too"
    );
    assert!(!owner.page.contains("Geheimnis tauschen"));

    let auth = &server.app.auth;
    let email = "auditor@example.org";
    RUNTIME.block_on(auth.account_add(email, PASSWORD, &[])).unwrap();
    RUNTIME.block_on(auth.account_studio_role_set(email, Some(StudioRole::Auditor))).unwrap();
    let mut auditor = Browser::new(&server);
    assert_eq!(auditor.sign_in(email).status, 303);
    assert_eq!(auditor.get(&one).status, 200);
    assert!(!auditor.page.contains("Exchange the secret") && !auditor.page.contains(&secret));
    assert!(!auditor.get("/studio/deliveries").text().contains("Add a receiver"));
    for path in ["/studio/webhooks/new", &format!("{one}/remove")] {
        assert_eq!(auditor.get(path).status, 404, "{path}");
        auditor.get("/studio/deliveries");
        assert_eq!(auditor.post(path, &whole).status, 404, "{path}");
    }
    for verb in ["test", "rotate"] {
        auditor.get("/studio/deliveries");
        assert_eq!(auditor.post(&format!("{one}/{verb}"), &[]).status, 404, "{verb}");
    }

    owner.language = "en";
    owner.get(&format!("{one}/remove"));
    has(&owner.page, &["0 messages that wait, or wait for a decision, are cancelled."]);
    let gone = owner.post(&format!("{one}/remove"), &[]);
    owner.follow(&gone);
    has(&owner.page, &["The receiver is removed."]);
    assert_eq!(owner.get(&one).status, 404);
}

#[test]
fn a_reload_keeps_them() {
    let dir = project();
    let options = takt_server::StartOptions { dev: true, ..options(dir.path(), &[]) };
    let server = Running::serve(dir, &options);
    let id = ask(&server, "POST", "", &wanted()).json()["id"].as_str().unwrap().to_owned();
    let before = server.app.project();
    let folder = server.dir.as_ref().unwrap().path();
    write(folder, "interfaces/carrier.toml", HOOK);
    let is_there = |name: &str| server.app.project().connection(name).is_some();
    let began = std::time::Instant::now();
    while !is_there("carrier") {
        assert!(began.elapsed() < std::time::Duration::from_secs(20), "not reloaded");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert!(is_there(&id) && before.connection("carrier").is_none());
}
