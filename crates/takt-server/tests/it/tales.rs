//! Stories as people and programs meet them: who may see which, personal values for a reason, the audit; jobs.

use takt_auth::StudioRole;
use takt_engine::AuditFilter;
use takt_server::{AdminRequest, DeliveriesRequest, JobsRequest, execute};

use crate::{
    deliveries::Shop,
    studio::{Browser, PASSWORD, RUNTIME, has},
    support::{Answer, Running},
};

const REASON: &str = "The customer asks about her delivery";

/// Signs somebody with these rights in at the account door; gives the token.
fn token(server: &Running, email: &str, roles: &[&str], role: Option<StudioRole>) -> String {
    let roles: Vec<String> = roles.iter().map(|r| (*r).to_owned()).collect();
    RUNTIME.block_on(server.app.auth.account_add(email, PASSWORD, &roles)).unwrap();
    RUNTIME.block_on(server.app.auth.account_studio_role_set(email, role)).unwrap();
    let body = format!(r#"{{"email":"{email}","password":"{PASSWORD}"}}"#);
    let answer = server.ask("POST", "/auth/v1/token?grant_type=password", &[], &body);
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

fn audit(server: &Running, act: &str) -> Vec<(String, Option<String>)> {
    let wanted = AuditFilter { acts: vec![act.to_owned()], ..AuditFilter::default() };
    let rows = server.app.engine.audit(&wanted, 100).unwrap();
    rows.into_iter().map(|r| (r.name, r.reason)).collect()
}

fn by(name: &str, reason: Option<&str>, request: AdminRequest) -> AdminRequest {
    AdminRequest::By { by: name.to_owned(), reason: reason.map(str::to_owned), request: Box::new(request) }
}

/// Who asks -> what is answered without a reason, with one, and to the list.
#[test]
fn stories_are_json_for_those_who_may_see_them() {
    let shop = Shop::open();
    let story = shop.buy("B-1");
    shop.wait_for("dead", 1);
    let server = &shop.server;
    let one = format!("/takt/v1/stories/{story}");
    let secret = [("apikey", server.secret.clone())];
    let bearer = |token: String| {
        [("apikey", server.publishable.clone()), ("authorization", format!("Bearer {token}"))]
    };
    let callers = [
        ("nobody", vec![]),
        ("publishable key", vec![("apikey", server.publishable.clone())]),
        ("customer", bearer(server.token("anna@example.com")).to_vec()),
        ("staff", bearer(token(server, "staff@example.com", &["staff"], None)).to_vec()),
        ("editor", bearer(token(server, "e@example.com", &[], Some(StudioRole::Editor))).to_vec()),
        ("auditor", bearer(token(server, "a@example.com", &[], Some(StudioRole::Auditor))).to_vec()),
        ("developer", bearer(token(server, "d@example.com", &[], Some(StudioRole::Developer))).to_vec()),
        ("owner", bearer(token(server, "o@example.com", &[], Some(StudioRole::Owner))).to_vec()),
        ("secret key", secret.to_vec()),
    ];
    let mut told = String::new();
    for (who, headers) in &callers {
        let ask = |path: &str, reason: Option<&str>| -> Answer {
            let mut all: Vec<(&str, &str)> = headers.iter().map(|(k, v)| (*k, v.as_str())).collect();
            all.extend(reason.map(|r| ("takt-reason", r)));
            server.raw("GET", path, &all, b"")
        };
        let masked = ask(&one, None);
        let open = ask(&one, Some(REASON));
        assert!(!masked.text().contains("ada@example.com"), "{who}");
        let sees = if open.text().contains("ada@example.com") { "sees" } else { "-" };
        let list = ask("/takt/v1/stories?last=3", Some(REASON));
        assert!(!list.text().contains("ada@example.com"), "{who}: a list is always masked");
        told.push_str(&format!("{who:<16} {} {} {sees:<4} {}\n", masked.status, open.status, list.status));
    }
    expect_test::expect![[r#"
        nobody           401 401 -    401
        publishable key  401 401 -    401
        customer         403 403 -    403
        staff            403 403 -    403
        editor           200 403 -    200
        auditor          200 200 sees 200
        developer        200 200 sees 200
        owner            200 200 sees 200
        secret key       200 200 sees 200
    "#]]
    .assert_eq(&told);
    let looks = audit(server, "story.reveal");
    let expected = ["secret key", "o@example.com", "d@example.com", "a@example.com"];
    assert_eq!(looks, expected.map(|name| (name.to_owned(), Some(REASON.to_owned()))));
    assert_eq!(audit(server, "story.look").len(), 5, "masked looks are looks too");
}

#[test]
fn the_json_door_knows_numbers_deliveries_languages_and_bad_reasons() {
    let shop = Shop::open();
    let story = shop.buy("B-2026-00012");
    let dead = shop.wait_for("dead", 1).remove(0);
    let server = &shop.server;
    let ask = |path: &str, more: &[(&str, &str)]| {
        let key = [("apikey", server.secret.as_str())];
        let all: Vec<_> = key.into_iter().chain(more.iter().copied()).collect();
        server.raw("GET", path, &all, b"")
    };
    let one = ask(&format!("/takt/v1/stories/{story}"), &[]);
    assert_eq!((one.status, one.header("cache-control").as_deref()), (200, Some("no-store")));
    let json = one.json();
    assert_eq!((json["id"].as_str(), json["function"].as_str()), (Some(story.as_str()), Some("order")));
    assert_eq!(json["deliveries"][0]["state"], "dead");
    assert!(json.get("told").is_none());
    let by_number = ask("/takt/v1/stories/B-2026-00012?language=de", &[]).json();
    assert_eq!(by_number["id"], story.as_str());
    let headline = by_number["told"]["headline"].as_str().unwrap();
    assert!(headline.starts_with("Jetzt kaufen: B-2026-00012 · "), "{headline}");
    assert!(headline.ends_with("ERFOLGREICH, eine Übergabe braucht eine Entscheidung"), "{headline}");
    let delivery = ask(&format!("/takt/v1/stories/{dead}?language=en"), &[]).json();
    assert_eq!(
        (delivery["state"].as_str(), delivery["tries"][0]["status"].as_i64()),
        (Some("dead"), Some(422))
    );
    has(
        delivery["told"]["at_risk"].as_str().unwrap(),
        &["At risk: nothing that is stored.", "Orders wait; nobody packs."],
    );
    assert!(!delivery.to_string().contains("ada@example.com"));
    let open = ask(&format!("/takt/v1/stories/{dead}"), &[("takt-reason", "R%C3%BCckfrage%20der%20Kundin")]);
    has(&open.text(), &["ada@example.com"]);
    assert_eq!(audit(server, "delivery.reveal")[0].1.as_deref(), Some("Rückfrage der Kundin"));
    for reason in ["", "because", "aaaa aaaaaa aaa"] {
        let refused = ask(&format!("/takt/v1/stories/{story}"), &[("takt-reason", reason)]);
        assert_eq!(refused.status, 400, "{reason}");
        has(&refused.text(), &["reason"]);
    }
    assert_eq!(ask("/takt/v1/stories?last=1", &[]).json().as_array().unwrap().len(), 1);
    for (path, status) in [
        ("/takt/v1/stories?last=0", 400),
        ("/takt/v1/stories?last=many", 400),
        ("/takt/v1/stories/0199a001-0000-7000-8000-000000000001", 404),
        ("/takt/v1/stories/B-9", 404),
        ("/takt/v1/nothing", 404),
    ] {
        assert_eq!(ask(path, &[]).status, status, "{path}");
    }
    let secret = [("apikey", server.secret.as_str())];
    assert_eq!(server.raw("POST", "/takt/v1/stories", &secret, b"{}").status, 405);
}

#[test]
fn the_audit_can_be_changed_through_no_door() {
    let shop = Shop::open();
    let server = &shop.server;
    let story = shop.buy("B-1");
    let look = AdminRequest::Story { id: story.clone(), language: "en".to_owned(), depth: 2 };
    shop.ask(by("Ada", Some(REASON), look));
    let secret = [("apikey", server.secret.as_str()), ("content-type", "application/json")];
    for table in ["takt.audit", "audit", "takt_audit", "takt.stories"] {
        for (method, body) in [("GET", ""), ("POST", "{}"), ("PATCH", "{\"name\":\"x\"}"), ("DELETE", "")] {
            let answer =
                server.raw(method, &format!("/rest/v1/{table}?id=not.is.null"), &secret, body.as_bytes());
            assert!(answer.status >= 400, "{method} {table}: {}", answer.status);
        }
    }
    let mut owner = Browser::owner(server);
    owner.get("/studio/audit");
    has(&owner.page, &["Ada", REASON, "looked at a story's personal values"]);
    for path in ["/studio/audit", "/studio/audit/1"] {
        assert!(matches!(owner.post(path, &[("do", "delete")]).status, 404 | 405), "{path}");
        owner.get("/studio/audit");
    }
    assert_eq!(audit(server, "story.reveal"), [("Ada".to_owned(), Some(REASON.to_owned()))]);
}

#[test]
fn in_the_console_personal_values_are_shown_for_a_reason_to_those_who_may() {
    let shop = Shop::open();
    let story = shop.buy("B-1");
    let server = &shop.server;
    let page = format!("/studio/stories/{story}");
    let mut owner = Browser::owner(server);
    owner.get(&page);
    has(&owner.page, &["hidden", "Show personal values"]);
    assert!(!owner.page.contains("ada@example.com"));
    assert_eq!(owner.post(&page, &[("reason", "why")]).status, 422);
    has(&owner.page, &["Please give the reason in a few words"]);
    assert!(!owner.page.contains("ada@example.com"));
    assert_eq!(owner.post(&page, &[("reason", REASON)]).status, 200);
    has(&owner.page, &["ada@example.com", "Personal values are visible."]);
    owner.get(&page);
    assert!(!owner.page.contains("ada@example.com"), "the next look is masked again");
    assert_eq!(audit(server, "story.reveal"), [("owner@example.org".to_owned(), Some(REASON.to_owned()))]);
    assert_eq!(audit(server, "story.look").len(), 1, "a page that is loaded again is the same look");
    for (email, role, reveals, audits) in [
        ("auditor@example.org", StudioRole::Auditor, 200, 200),
        ("developer@example.org", StudioRole::Developer, 200, 404),
        ("editor@example.org", StudioRole::Editor, 404, 404),
    ] {
        RUNTIME.block_on(server.app.auth.account_add(email, PASSWORD, &[])).unwrap();
        RUNTIME.block_on(server.app.auth.account_studio_role_set(email, Some(role))).unwrap();
        let mut member = Browser::new(server);
        assert_eq!(member.sign_in(email).status, 303);
        assert_eq!(member.get(&page).status, 200, "{email}");
        assert_eq!(member.page.contains("Show personal values"), reveals == 200, "{email}");
        assert_eq!(member.post(&page, &[("reason", REASON)]).status, reveals, "{email}");
        assert_eq!(member.get("/studio/audit").status, audits, "{email}");
    }
    let mut staff = Browser::staff(server);
    for path in [page.as_str(), "/studio/audit", "/studio/jobs"] {
        assert_eq!(staff.get(path).status, 404, "{path}");
    }
}

#[test]
fn commands_need_a_reason_that_is_one_and_are_written_down_with_a_name() {
    let shop = Shop::open();
    let story = shop.buy("B-2026-00012");
    let dead = shop.wait_for("dead", 1).remove(0);
    let tell = |reason: Option<&str>, id: &str| {
        let story = AdminRequest::Story { id: id.to_owned(), language: "de".to_owned(), depth: 3 };
        RUNTIME.block_on(execute(&shop.server.app, by("Ada", reason, story)))
    };
    let masked = tell(None, &story).unwrap();
    has(masked["text"].as_str().unwrap(), &["email: verborgen", "--reason"]);
    assert!(!masked.to_string().contains("ada@example.com"));
    let refused = tell(Some("weil"), &story).unwrap_err().to_string();
    assert!(refused.starts_with("Bitte nennen Sie den Grund"), "{refused}");
    let open = tell(Some("Rückfrage der Kundin"), &story).unwrap();
    has(open["text"].as_str().unwrap(), &["email: ada@example.com"]);
    let delivery = tell(Some("Rückfrage der Kundin"), &dead).unwrap();
    has(
        delivery["text"].as_str().unwrap(),
        &[
            "B-2026-00012",
            "UNZUSTELLBAR",
            "Auslöser: Jetzt kaufen",
            "Antwort 422",
            "Gefährdet ist: nichts Gespeichertes. Es fehlt: die Übergabe an „ERP“. Bestellungen warten; niemand packt.",
            "takt deliveries replay",
            "interfaces/erp.toml",
            "ada@example.com",
            "→ POST",
            "← unknown article",
        ],
    );
    let replay = DeliveriesRequest::Replay { id: dead.clone(), body: None, language: "de".to_owned() };
    shop.ask(by("Grace", None, AdminRequest::Deliveries(replay)));
    let told = tell(None, &dead).unwrap();
    has(told["text"].as_str().unwrap(), &["Grace – Zustellung noch einmal angestoßen"]);
    let list = AdminRequest::AuditList {
        acts: vec!["delivery".to_owned()],
        subject: None,
        since: None,
        limit: 10,
        language: "de".to_owned(),
    };
    let told = shop.ask(by("Ada", None, list));
    has(
        told["text"].as_str().unwrap(),
        &["Grace (Befehl): Zustellung noch einmal angestoßen", "Grund: Rückfrage der Kundin"],
    );
}

#[test]
fn a_story_tells_its_request_and_the_sql_of_its_steps() {
    let shop = Shop::open();
    let server = &shop.server;
    let body = r#"{"number":"B-2026-00012"}"#;
    let answer = server.ask("POST", "/rest/v1/rpc/order", &[("idempotency-key", "k-1")], body);
    let story = answer.header("takt-story").unwrap();
    let tell = |reason: Option<&str>, depth| {
        let story = AdminRequest::Story { id: story.clone(), language: "de".to_owned(), depth };
        RUNTIME.block_on(execute(&server.app, by("Ada", reason, story))).unwrap()
    };
    let masked = tell(None, 3);
    has(
        masked["text"].as_str().unwrap(),
        &[
            "Anfrage: POST /rest/v1/rpc/order",
            "Kopfzeilen: nicht aufbewahrt",
            "Inhalt: verborgen",
            "INSERT INTO \"orders\" (\"id\", ",
            "Nach dem Stand des Projekts von damals.",
        ],
    );
    assert!(!tell(None, 2)["text"].as_str().unwrap().contains("INSERT INTO"), "only for technicians");
    let open = tell(Some(REASON), 3);
    has(open["text"].as_str().unwrap(), &[&format!("Inhalt: {body}")]);
    assert_eq!(open["input"], serde_json::json!({ "number": "B-2026-00012" }));

    let path = format!("/takt/v1/stories/{story}?language=en");
    let secret = ("apikey", server.secret.as_str());
    let told = server.raw("GET", &path, &[secret], b"").json();
    assert_eq!((told["has_input"].as_bool(), told.get("input")), (Some(true), None));
    let statements =
        told["told"]["steps"].as_array().unwrap().iter().flat_map(|s| s["statements"].as_array().unwrap());
    assert!(statements.clone().any(|s| s.as_str().unwrap().starts_with("INSERT INTO \"orders\"")), "{told}");
    let told = server.raw("GET", &path, &[secret, ("takt-reason", REASON)], b"").json();
    assert_eq!(told["input"]["number"], "B-2026-00012");

    let mut owner = Browser::owner(server);
    owner.get(&format!("/studio/stories/{story}"));
    has(
        &owner.page,
        &[
            "POST /rest/v1/rpc/order",
            "INSERT INTO &quot;orders&quot;",
            "<code>hidden</code>",
            "Personal values",
        ],
    );
    assert!(!owner.page.contains("{&quot;number&quot;"));
    // Without a key nothing is written out, and nothing is kept.
    let without = shop.buy("B-2026-00013");
    let story = AdminRequest::Story { id: without, language: "en".to_owned(), depth: 3 };
    let told = RUNTIME.block_on(execute(&server.app, story)).unwrap();
    has(told["text"].as_str().unwrap(), &["Body: not kept; only of calls with an Idempotency-Key"]);
}

#[test]
fn jobs_are_seen_run_cancelled_and_retried() {
    let server = Running::start();
    let ask = |request| RUNTIME.block_on(execute(&server.app, by("Ada", None, AdminRequest::Jobs(request))));
    let en = || "en".to_owned();
    let list = |language: &str| {
        let answer = ask(JobsRequest::List { language: language.to_owned() }).unwrap();
        (answer["text"].as_str().unwrap().to_owned(), answer["jobs"].clone())
    };
    has(&list("de").0, &["copy", "auf Wunsch"]);
    let run = ask(JobsRequest::Run { function: "copy".to_owned(), language: en() }).unwrap();
    has(run["text"].as_str().unwrap(), &["`copy`: noted; a running server does it within a second"]);
    let id = run["id"].as_str().unwrap().to_owned();
    assert!(
        ask(JobsRequest::Run { function: "note".to_owned(), language: en() }).is_err(),
        "an action is no job"
    );
    // It has no `owner`: it fails, is told in plain words, and is tried again by itself.
    let started = std::time::Instant::now();
    let failed = loop {
        let (text, jobs) = list("en");
        if jobs["waiting"][0]["attempts"] == 1 {
            break text;
        }
        assert!(started.elapsed().as_secs() < 20, "{text}");
        std::thread::sleep(std::time::Duration::from_millis(100));
    };
    has(&failed, &["Waiting:", id.as_str(), "1x – a fault in the program"]);
    let story = AdminRequest::Story { id: id.clone(), language: "en".to_owned(), depth: 1 };
    let told = RUNTIME.block_on(execute(&server.app, story)).unwrap();
    has(
        told["text"].as_str().unwrap(),
        &["FAILED", "Who: A person had asked for it.", "It is tried again by itself: "],
    );
    let mut owner = Browser::owner(&server);
    owner.get("/studio/jobs");
    has(&owner.page, &["Run now", "Do it now", "a fault in the program"]);
    let cancelled = owner.post(&format!("/studio/jobs/{id}"), &[("do", "cancel")]);
    assert_eq!(cancelled.status, 303, "{}", cancelled.text());
    owner.follow(&cancelled);
    has(&owner.page, &["The job will not be done.", "No job is waiting."]);
    assert_eq!(owner.post(&format!("/studio/jobs/{id}"), &[("do", "cancel")]).status, 409);
    assert!(ask(JobsRequest::Cancel { id: id.clone(), language: en() }).is_err());
    let late = JobsRequest::Cancel { id: id.clone(), language: "de".to_owned() };
    has(&ask(late).unwrap_err().to_string(), &["Es gibt keine aufgeschobene Aufgabe"]);
    let retried = ask(JobsRequest::Retry { id, language: "de".to_owned() }).unwrap();
    has(retried["text"].as_str().unwrap(), &["Es ist vorgemerkt; ein laufender Server erledigt es"]);
    let acts = ["job.run", "job.cancel", "job.retry"].map(|act| audit(&server, act).len());
    assert_eq!(acts, [1, 1, 1]);
}
