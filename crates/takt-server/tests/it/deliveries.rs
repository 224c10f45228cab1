//! Deliveries as people meet them: in the console, in stories, in commands and as JSON; with a receiver on loopback.

use std::{
    io::{Read, Write},
    net::TcpListener,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use serde_json::Value as Json;
use takt_auth::StudioRole;
use takt_server::{AdminRequest, DeliveriesRequest, execute};

use crate::{
    studio::{Browser, PASSWORD, RUNTIME, has, link},
    support::{Running, options, project, write},
};

const ORDERS: &str = r#"
label = { en = "Orders", de = "Bestellungen" }
[fields.id]
type = "uuid"
primary_key = true
default = "uuid_v7()"
[fields.number]
type = "text"
[fields.email]
type = "text"
personal = "contact"
[fields.token]
type = "text"
required = false
personal = "secret"
"#;

const ORDER: &str = r#"
export const label = { en: "Buy now", de: "Jetzt kaufen" };
export const access = ["anon"];
export const runs_as = "service";
export const input = { number: { type: "text", max: 20 } };
export default async function ({ db, emit }, { number }) {
  const order = await db.orders.insert({
    number, email: "ada@example.com", token: number.startsWith("S-") ? "tok-4711" : null,
  });
  emit("order.placed", { key: order.id, order });
  return { number };
}
"#;

fn interface(address: &str) -> String {
    format!(
        r#"
purpose = {{ en = "Orders go to the ERP.", de = "Bestellungen gehen in die Warenwirtschaft." }}
partner = {{ name = "ERP", contact = "it@erp.example", avv = "AVV-2026-01" }}
owner = "Sales"
leads = {{ erp = ["stock"], shop = ["order"] }}
outage = {{ en = "Orders wait; nobody packs.", de = "Bestellungen warten; niemand packt.", max = "8h" }}
data = [{{ fields = ["email"], purpose = "order", basis = "Art. 6 (1) b", keep = "10y", country = "DE" }}]
[connect]
protocol = "rest"
base = "http://{address}/api"
allow_private = true
[[op]]
name = "order"
kind = "deliver"
on = "order.placed"
request = "POST /orders"
"#
    )
}

/// The other side: answers with the status that the test says and keeps what it was sent.
#[derive(Clone)]
struct Partner {
    status: Arc<Mutex<u16>>,
    sent: Arc<Mutex<Vec<String>>>,
}

impl Partner {
    fn start() -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let partner = Self { status: Arc::new(Mutex::new(422)), sent: Arc::default() };
        let inner = partner.clone();
        std::thread::spawn(move || listener.incoming().flatten().for_each(|stream| inner.answer(stream)));
        (partner, address)
    }

    fn answer(&self, mut stream: std::net::TcpStream) {
        let mut bytes = Vec::new();
        let mut buffer = [0; 4096];
        while let Ok(n) = stream.read(&mut buffer) {
            bytes.extend_from_slice(&buffer[..n]);
            let text = String::from_utf8_lossy(&bytes).to_lowercase();
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length = head.lines().find_map(|l| l.strip_prefix("content-length: ")).unwrap_or("0");
            if n == 0 || body.len() >= length.parse::<usize>().unwrap() {
                break;
            }
        }
        self.sent.lock().unwrap().push(String::from_utf8_lossy(&bytes).into_owned());
        let status = *self.status.lock().unwrap();
        let body = if status == 200 { "{}" } else { "unknown article" };
        let length = body.len();
        let _ = write!(
            stream,
            "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        );
    }

    fn will_answer(&self, status: u16) {
        *self.status.lock().unwrap() = status;
    }

    fn last(&self) -> String {
        self.sent.lock().unwrap().last().unwrap().clone()
    }
}

pub(crate) struct Shop {
    pub(crate) server: Running,
    partner: Partner,
}

impl Shop {
    pub(crate) fn open() -> Self {
        let (partner, address) = Partner::start();
        let dir = project();
        write(dir.path(), "schema/orders.toml", ORDERS);
        write(dir.path(), "logic/order.ts", ORDER);
        write(dir.path(), "interfaces/erp.toml", &interface(&address));
        let options = options(dir.path(), &[]);
        Self { server: Running::serve(dir, &options), partner }
    }

    /// Somebody buys; gives the id of the story.
    pub(crate) fn buy(&self, number: &str) -> String {
        let body = format!(r#"{{"number":"{number}"}}"#);
        let answer = self.server.ask("POST", "/rest/v1/rpc/order", &[], &body);
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.header("takt-story").unwrap()
    }

    pub(crate) fn ask(&self, request: AdminRequest) -> Json {
        RUNTIME.block_on(execute(&self.server.app, request)).unwrap()
    }

    /// Waits until so many deliveries are in a state.
    pub(crate) fn wait_for(&self, state: &str, n: usize) -> Vec<String> {
        let started = Instant::now();
        loop {
            let wanted = takt_server::Wanted { state: Some(state.to_owned()), ..Default::default() };
            let request = DeliveriesRequest::List { wanted, limit: 50, language: "en".to_owned() };
            let all = self.ask(AdminRequest::Deliveries(request));
            let ids: Vec<_> = all["deliveries"]
                .as_array()
                .unwrap()
                .iter()
                .map(|d| d["id"].as_str().unwrap().to_owned())
                .collect();
            if ids.len() == n {
                return ids;
            }
            assert!(started.elapsed() < Duration::from_secs(20), "{n} {state}: {all}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub(crate) fn tell(&self, id: &str, language: &str, depth: u8) -> String {
        let request = AdminRequest::Story { id: id.to_owned(), language: language.to_owned(), depth };
        self.ask(request)["text"].as_str().unwrap().to_owned()
    }
}

#[test]
fn a_dead_letter_is_told_in_plain_words_and_sent_again() {
    let shop = Shop::open();
    shop.buy("B-2026-00012");
    shop.wait_for("dead", 1);
    let mut owner = Browser::owner(&shop.server);
    owner.get("/studio");
    has(&owner.page, &["1 delivery has not arrived and needs a decision.", "href=\"/studio/deliveries\""]);
    owner.get("/studio/deliveries");
    has(
        &owner.page,
        &[
            "Order B-2026-00012 did not arrive at &quot;ERP&quot;: it was not accepted as it is (answer 422).",
            "Orders go to the ERP.",
            "Orders wait; nobody packs.",
            "Sales",
        ],
    );
    owner.language = "de";
    owner.get("/studio/deliveries");
    has(
        &owner.page,
        &["Bestellung B-2026-00012 kam nicht bei „ERP“ an", "Bestellungen warten; niemand packt."],
    );
    owner.language = "en";
    owner.get("/studio/deliveries?state=dead");
    let one = link(&owner.page, "/studio/deliveries/erp/");
    owner.get(&one);
    has(&owner.page, &["unknown article", "refused", "B-2026-00012", "How it came about", "•••"]);
    assert!(!owner.page.contains("ada@example.com"), "personal values are hidden");

    shop.partner.will_answer(200);
    let again = owner.post(&one, &[("do", "again")]);
    assert_eq!(again.status, 303, "{}", again.text());
    shop.wait_for("delivered", 1);
    owner.follow(&again);
    has(&owner.page, &["It waits again and leaves as soon as it may.", "Order B-2026-00012 arrived at"]);
    let late = owner.post(&one, &[("do", "cancel")]);
    assert_eq!(late.status, 409);
    has(&late.text(), &["That is not possible now"]);
    assert_eq!(owner.post(&one, &[("do", "burn")]).status, 404);
}

#[test]
fn the_content_is_changed_by_who_asks_for_it() {
    let shop = Shop::open();
    shop.buy("B-2026-00012");
    shop.wait_for("dead", 1);
    let mut owner = Browser::owner(&shop.server);
    owner.get("/studio/deliveries");
    let one = link(&owner.page, "/studio/deliveries/erp/");
    owner.get(&one);
    assert_eq!(owner.get(&format!("{one}/content")).status, 405, "looking is noted, so it is no GET");
    owner.get(&one);
    for typed in ["", "because"] {
        let refused = owner.post(&format!("{one}/content"), &[("reason", typed)]);
        assert_eq!(refused.status, 422);
        has(&refused.text(), &["Please give the reason in a few words"]);
        assert!(!refused.text().contains("ada@example.com"));
    }
    let why = ("reason", "The article number is wrong");
    let shown = owner.post(&format!("{one}/content"), &[why]);
    has(&shown.text(), &["ada@example.com", "<textarea"]);
    let broken = owner.post(&format!("{one}/send"), &[("content", "{\"number\": ")]);
    assert_eq!(broken.status, 422);
    has(&broken.text(), &["The content is not valid JSON", "{&quot;number&quot;: "]);
    shop.partner.will_answer(200);
    let sent = owner.post(&format!("{one}/send"), &[("content", r#"{"number":"B-7"}"#)]);
    assert_eq!(sent.status, 303);
    shop.wait_for("delivered", 1);
    assert!(shop.partner.last().ends_with(r#"{"number":"B-7"}"#), "{}", shop.partner.last());
    owner.follow(&sent);
    has(
        &owner.page,
        &["Changed by hand.", "Order B-7 arrived at", "owner@example.org – changed the content and sent it"],
    );
    for only in ["deliveries", "reveal"] {
        owner.get(&format!("/studio/audit?only={only}"));
        has(&owner.page, &["looked at a delivery's personal values", "The article number is wrong"]);
    }
}

/// With a token somebody could act in another's name: no reason shows it, so it cannot be edited either.
#[test]
fn a_secret_in_a_content_stays_masked_for_every_reason() {
    let shop = Shop::open();
    shop.buy("S-1");
    let id = shop.wait_for("dead", 1).remove(0);
    let page = format!("/studio/deliveries/erp/{id}");
    let why = ("reason", "The customer asks about her order");
    let mut owner = Browser::owner(&shop.server);
    owner.get(&page);
    let refused = owner.post(&format!("{page}/content"), &[why]);
    assert_eq!(refused.status, 409);
    has(&refused.text(), &["This content holds a secret that nobody gets to see"]);
    assert!(!refused.text().contains("tok-4711") && !refused.text().contains("ada@example.com"));
    owner.language = "de";
    has(&owner.post(&format!("{page}/content"), &[why]).text(), &["Dieser Inhalt enthält ein Geheimnis"]);
    let email = "auditor@example.org";
    RUNTIME.block_on(shop.server.app.auth.account_add(email, PASSWORD, &[])).unwrap();
    RUNTIME.block_on(shop.server.app.auth.account_studio_role_set(email, Some(StudioRole::Auditor))).unwrap();
    let mut auditor = Browser::new(&shop.server);
    auditor.sign_in(email);
    auditor.get(&page);
    assert_eq!(auditor.post(&format!("{page}/reveal"), &[why]).status, 200);
    has(&auditor.page, &["ada@example.com", "•••"]);
    assert!(!auditor.page.contains("tok-4711"), "{}", auditor.page);
    auditor.get("/studio/audit?only=reveal");
    has(&auditor.page, &["looked at a delivery's personal values", why.1]);
    let secret = [("apikey", shop.server.secret.as_str()), ("takt-reason", why.1)];
    let json = shop.server.raw("GET", &format!("/takt/v1/stories/{id}"), &secret, b"").text();
    has(&json, &["ada@example.com"]);
    assert!(!json.contains("tok-4711"), "{json}");
}

#[test]
fn a_connection_is_paused_and_all_its_dead_letters_leave_again() {
    let shop = Shop::open();
    for number in ["B-1", "B-2", "B-3"] {
        shop.buy(number);
    }
    shop.wait_for("dead", 3);
    let mut owner = Browser::owner(&shop.server);
    owner.get("/studio/deliveries/erp");
    let paused = owner.post("/studio/deliveries/erp/pause", &[]);
    owner.follow(&paused);
    has(&owner.page, &["Paused. What wants to leave waits; nothing is lost.", "Let it go on"]);
    let page = owner.page.clone();
    owner.get("/studio/audit?only=deliveries");
    has(&owner.page, &["paused a connection"]);
    owner.page = page;
    owner.get("/studio/deliveries/erp/replay");
    has(&owner.page, &["3 deliveries would be tried again. Nothing has happened yet."]);
    shop.wait_for("dead", 3);
    shop.partner.will_answer(200);
    let replayed = owner.post("/studio/deliveries/erp/replay", &[]);
    owner.follow(&replayed);
    has(&owner.page, &["3 leave once more, in the order in which they came up."]);
    shop.wait_for("waiting", 3);
    let resumed = owner.post("/studio/deliveries/erp/resume", &[]);
    owner.follow(&resumed);
    has(&owner.page, &["It goes on."]);
    shop.wait_for("delivered", 3);
    owner.get("/studio/deliveries/erp/replay");
    has(&owner.page, &["There are no dead letters."]);
    for path in ["/studio/deliveries/epr", "/studio/deliveries/epr/replay", "/studio/deliveries/erp/nonsense"]
    {
        assert_eq!(owner.get(path).status, 404, "{path}");
    }
}

#[test]
fn a_connection_documents_itself_from_its_file_and_from_what_was_seen() {
    let shop = Shop::open();
    shop.partner.will_answer(200);
    shop.buy("B-1");
    shop.wait_for("delivered", 1);
    let facts = [
        "it@erp.example",
        "AVV-2026-01",
        "basis: Art. 6 (1) b; kept there for: 10y; country: DE",
        "leaves on order.placed; POST /orders; in any order; pauses between tries: 2 s, 10 s, 1 min, 5 min, 30 min, 1 h",
        "tries go on for at most 3 days",
        "Bearable for",
        "Arrived in the last 30 days",
        "Usual duration (median)",
    ];
    let mut owner = Browser::owner(&shop.server);
    owner.get("/studio/deliveries/erp");
    has(&owner.page, &facts);
    let request = DeliveriesRequest::Connections { about: true, language: "en".to_owned() };
    let told = shop.ask(AdminRequest::Deliveries(request));
    has(told["text"].as_str().unwrap(), &facts);
    has(
        told["text"].as_str().unwrap(),
        &["Arrived in the last 30 days: 1", "ERP (erp)\nOrders go to the ERP."],
    );
    let request = DeliveriesRequest::Connections { about: true, language: "de".to_owned() };
    let told = shop.ask(AdminRequest::Deliveries(request));
    has(
        told["text"].as_str().unwrap(),
        &["Was wirklich zu sehen war", "Erträglich für: 8h", "versucht wird es höchstens 3 Tage"],
    );
}

#[test]
fn auditors_look_and_do_not_touch() {
    let shop = Shop::open();
    shop.buy("B-1");
    let dead = shop.wait_for("dead", 1).remove(0);
    Browser::owner(&shop.server);
    let auth = &shop.server.app.auth;
    let email = "auditor@example.org";
    RUNTIME.block_on(auth.account_add(email, PASSWORD, &[])).unwrap();
    RUNTIME.block_on(auth.account_studio_role_set(email, Some(StudioRole::Auditor))).unwrap();
    let mut auditor = Browser::new(&shop.server);
    assert_eq!(auditor.sign_in(email).status, 303);
    let one = format!("/studio/deliveries/erp/{dead}");
    for path in ["/studio/deliveries", "/studio/deliveries/erp", one.as_str()] {
        assert_eq!(auditor.get(path).status, 200, "{path}");
        for word in ["Try again", "Pause", "Send all dead letters"] {
            assert!(!auditor.page.contains(word), "{path} shows {word}");
        }
    }
    for (path, fields) in [
        (one.clone(), vec![("do", "again")]),
        (format!("{one}/content"), vec![]),
        (format!("{one}/send"), vec![("content", "{}")]),
        ("/studio/deliveries/erp/pause".to_owned(), vec![]),
        ("/studio/deliveries/erp/resume".to_owned(), vec![]),
        ("/studio/deliveries/erp/replay".to_owned(), vec![]),
    ] {
        auditor.get("/studio/deliveries");
        assert_eq!(auditor.post(&path, &fields).status, 404, "{path}");
    }
    assert_eq!(auditor.get("/studio/deliveries/erp/replay").status, 404);
    shop.wait_for("dead", 1);
    let mut staff = Browser::staff(&shop.server);
    assert_eq!(staff.get("/studio/deliveries").status, 404, "staff works with orders, not with operations");
    assert_eq!(staff.get(&one).status, 404);
}

#[test]
fn commands_answer_and_refuse_in_the_language_of_who_asks() {
    let shop = Shop::open();
    shop.buy("B-2026-00012");
    shop.buy("B-2026-00013");
    let dead = shop.wait_for("dead", 2);
    let mut told = String::new();
    for language in ["en", "de"] {
        let say = || language.to_owned();
        let id = dead[0].clone();
        let dead_ones = || takt_server::Wanted { state: Some("dead".to_owned()), ..Default::default() };
        let nonsense = || takt_server::Wanted { state: Some("gone".to_owned()), ..Default::default() };
        let never = || takt_server::Wanted { since: Some("today".to_owned()), ..Default::default() };
        let nobody = || "00000000-0000-7000-8000-000000000000".to_owned();
        let erp = || "erp".to_owned();
        use DeliveriesRequest::{Decide, List, Pause, Replay, ReplayAll, Show};
        for (what, request) in [
            ("pause", Pause { connection: erp(), paused: true, language: say() }),
            ("count", ReplayAll { wanted: dead_ones(), all: false, dry_run: true, language: say() }),
            ("replay all", ReplayAll { wanted: dead_ones(), all: false, dry_run: false, language: say() }),
            ("cancel", Decide { id: id.clone(), arrived: false, language: say() }),
            ("cancel again", Decide { id: id.clone(), arrived: true, language: say() }),
            ("replay", Replay { id: id.clone(), body: None, language: say() }),
            ("replay nonsense", Replay { id, body: Some("{".to_owned()), language: say() }),
            ("arrived", Decide { id: dead[1].clone(), arrived: true, language: say() }),
            ("unknown", Replay { id: nobody(), body: None, language: say() }),
            ("no id", Show { id: "B-1".to_owned(), language: say() }),
            ("no state", List { wanted: nonsense(), limit: 1, language: say() }),
            ("no moment", List { wanted: never(), limit: 1, language: say() }),
            ("no connection", Pause { connection: "crm".to_owned(), paused: true, language: say() }),
            ("resume", Pause { connection: erp(), paused: false, language: say() }),
        ] {
            let answer = RUNTIME.block_on(execute(&shop.server.app, AdminRequest::Deliveries(request)));
            let text = match answer {
                Ok(json) => json["text"].as_str().unwrap().to_owned(),
                Err(error) => error.to_string(),
            };
            told.push_str(&format!("{language} {what}: {}\n", text.replace(dead[0].as_str(), "ID")));
        }
        shop.wait_for("dead", 1);
        // Both lie again as before.
        shop.ask(AdminRequest::Deliveries(Replay { id: dead[1].clone(), body: None, language: say() }));
        shop.wait_for("dead", 2);
    }
    let unknown = |language: &str| {
        let request = AdminRequest::Story { id: "B-9".to_owned(), language: language.to_owned(), depth: 3 };
        RUNTIME.block_on(execute(&shop.server.app, request)).unwrap_err().to_string()
    };
    assert!(unknown("de").starts_with("Es gibt keine Geschichte B-9;"), "{}", unknown("de"));
    expect_test::expect![[r#"
        en pause: `erp` is paused; deliveries wait and nothing is lost.
        en count: 2 deliveries would be put back; nothing was changed.
        en replay all: 2 deliveries were put back and leave in the order of their dispatch.
        en cancel: It will not leave any more.
        en cancel again: it has ended already, or an attempt is under way.
        en replay: It waits again and leaves as soon as it may.
        en replay nonsense: the new body is not JSON: EOF while parsing an object at line 1 column 1.
        en arrived: It counts as delivered.
        en unknown: there is no delivery 00000000-0000-7000-8000-000000000000.
        en no id: `B-1` is no id.
        en no state: There is no state `gone`; there are: waiting, delivered, dead, asking, cancelled.
        en no moment: `today` is no moment; write 2026-11-26T09:00:00Z.
        en no connection: there is no connection `crm`.
        en resume: `erp` goes on.
        de pause: `erp` ist angehalten; Zustellungen warten, und nichts geht verloren.
        de count: 2 Zustellungen würden noch einmal angestoßen; nichts wurde geändert.
        de replay all: 2 Zustellungen wurden noch einmal angestoßen und gehen in ihrer ursprünglichen Reihenfolge hinaus.
        de cancel: Es geht nicht mehr hinaus.
        de cancel again: Das geht gerade nicht: Es ist unterwegs, schon beendet, oder jemand ändert es gerade. Bitte sehen Sie noch einmal nach.
        de replay: Es wartet wieder und geht hinaus, sobald es darf.
        de replay nonsense: Der Inhalt ist kein gültiges JSON: EOF while parsing an object at line 1 column 1.
        de arrived: Es gilt als zugestellt.
        de unknown: Diese Zustellung gibt es nicht.
        de no id: `B-1` ist keine gültige Kennung.
        de no state: Einen Zustand `gone` gibt es nicht; es gibt: waiting, delivered, dead, asking, cancelled.
        de no moment: `today` ist kein Zeitpunkt; er heißt etwa 2026-11-26T09:00:00Z.
        de no connection: Diese Verbindung gibt es nicht.
        de resume: `erp` läuft weiter.
    "#]].assert_eq(&told);
}

#[test]
fn a_story_tells_what_became_of_it_at_others() {
    let shop = Shop::open();
    let story = shop.buy("B-2026-00012");
    shop.wait_for("dead", 1);
    let told = shop.tell("B-2026-00012", "en", 2);
    has(
        &told,
        &[
            "The delivery to \"ERP\" has stopped and needs a decision.",
            "✗ To \"ERP\": did not arrive after 1 try: it was not accepted as it is (answer 422). A person must decide.",
        ],
    );
    assert_eq!(told, shop.tell(&story, "en", 2), "the number and the id name the same story");
    assert!(
        shop.tell(&story, "de", 0)
            .ends_with("Die Übergabe an „ERP“ ist stehen geblieben und braucht eine Entscheidung.")
    );
    let mut owner = Browser::owner(&shop.server);
    owner.get(&format!("/studio/stories/{story}"));
    has(
        &owner.page,
        &[
            "The delivery to &quot;ERP&quot; has stopped",
            "What happened afterwards",
            "href=\"/studio/deliveries/erp/",
        ],
    );
    let by_number = owner.get("/studio/tales/B-2026-00012");
    let story_page = format!("/studio/stories/{story}");
    assert_eq!(
        by_number.header("location").as_deref(),
        Some(story_page.as_str()),
        "an order's page leads there"
    );
    assert_eq!(owner.get("/studio/tales/B-2026-99999").status, 404);
    shop.partner.will_answer(200);
    let dead = shop.wait_for("dead", 1).remove(0);
    shop.ask(AdminRequest::Deliveries(DeliveriesRequest::Replay {
        id: dead,
        body: None,
        language: "en".to_owned(),
    }));
    shop.wait_for("delivered", 1);
    let told = shop.tell(&story, "en", 2);
    has(&told, &["✓ To \"ERP\": arrived on ", "after 2 tries."]);
    assert!(!told.contains("needs a decision"));
    let unknown = AdminRequest::Story { id: "B-9".to_owned(), language: "en".to_owned(), depth: 3 };
    let error = RUNTIME.block_on(execute(&shop.server.app, unknown)).unwrap_err().to_string();
    assert!(error.starts_with("There is no story B-9;"), "{error}");
}
