//! The console over real sockets, on the example shop: coming in, forms from elsewhere, lights, stories, staff.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::support::{Answer, Running, options};

const OWNER: &str = "owner@example.org";
const STAFF: &str = "staff@example.org";
pub(crate) const PASSWORD: &str = "a long sentence is good";

pub(crate) static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

fn shop() -> Running {
    let dir = tempfile::tempdir().unwrap();
    let from = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples/shop");
    copy(&from, dir.path());
    serve(dir)
}

fn serve(dir: TempDir) -> Running {
    let options = options(dir.path(), &[]);
    Running::serve(dir, &options)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap).filter(|e| e.file_name() != "data") {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Somebody with a browser: keeps cookies, sends forms from the page that was looked at last.
pub(crate) struct Browser<'a> {
    server: &'a Running,
    cookies: Vec<(String, String)>,
    pub(crate) page: String,
    pub(crate) language: &'static str,
}

impl<'a> Browser<'a> {
    pub(crate) fn new(server: &'a Running) -> Self {
        Self { server, cookies: Vec::new(), page: String::new(), language: "en" }
    }

    pub(crate) fn owner(server: &'a Running) -> Self {
        let mut browser = Self::new(server);
        browser.get("/studio/setup");
        let code = server.app.auth.setup_code().unwrap();
        let answer =
            browser.post("/studio/setup", &[("code", &code), ("email", OWNER), ("password", PASSWORD)]);
        assert_eq!(answer.status, 303, "{}", answer.text());
        browser
    }

    pub(crate) fn staff(server: &'a Running) -> Self {
        RUNTIME.block_on(server.app.auth.account_add(STAFF, PASSWORD, &["staff".to_owned()])).unwrap();
        let mut browser = Self::new(server);
        assert_eq!(browser.sign_in(STAFF).status, 303);
        browser
    }

    pub(crate) fn sign_in(&mut self, email: &str) -> Answer {
        self.get("/studio/sign-in");
        self.post("/studio/sign-in", &[("email", email), ("password", PASSWORD)])
    }

    pub(crate) fn get(&mut self, path: &str) -> Answer {
        let answer = self.send("GET", path, &[], "");
        self.page = answer.text();
        answer
    }

    /// Sends a form with the token of the last page.
    pub(crate) fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = hidden(&self.page, "form_token");
        let mut all = vec![("form_token", token.as_str())];
        all.extend(fields);
        let origin = format!("http://{}", self.server.address);
        let answer = self.send("POST", path, &[("origin", &origin)], &form(&all));
        if answer.status != 303 {
            self.page = answer.text();
        }
        answer
    }

    /// Follows the way that an answer names.
    pub(crate) fn follow(&mut self, answer: &Answer) -> Answer {
        self.get(&answer.header("location").unwrap())
    }

    fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let jar: Vec<String> = self.cookies.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let jar = jar.join("; ");
        let mut all = vec![("accept-language", self.language), ("cookie", jar.as_str())];
        if method == "POST" {
            all.push(("content-type", "application/x-www-form-urlencoded"));
        }
        all.extend(headers);
        let answer = self.server.raw(method, path, &all, body.as_bytes());
        for cookie in answer.header("set-cookie").iter().flat_map(|all| all.split(", ")) {
            let (name, rest) = cookie.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            self.cookies.retain(|(n, _)| n != name);
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        answer
    }
}

/// The value of a hidden or shown field of a page.
pub(crate) fn hidden(page: &str, name: &str) -> String {
    let mark = format!("name=\"{name}\"");
    let rest = page.split(&mark).nth(1).unwrap_or_else(|| panic!("no field {name} in {page}"));
    let value = rest.split("value=\"").nth(1).unwrap().split('"').next().unwrap();
    value.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

fn form(fields: &[(&str, &str)]) -> String {
    let encoded = |text: &str| -> String {
        text.bytes()
            .map(|b| match b {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(b).to_string(),
                other => format!("%{other:02X}"),
            })
            .collect()
    };
    fields.iter().map(|(k, v)| format!("{}={}", encoded(k), encoded(v))).collect::<Vec<_>>().join("&")
}

/// The first link of a page that begins so.
pub(crate) fn link(page: &str, start: &str) -> String {
    let mark = format!("href=\"{start}");
    let rest = page.split(&mark).nth(1).unwrap_or_else(|| panic!("no link to {start} in {page}"));
    format!("{start}{}", rest.split('"').next().unwrap())
}

pub(crate) fn has(page: &str, parts: &[&str]) {
    for part in parts {
        assert!(page.contains(part), "{part:?} is missing in {page}");
    }
}

#[test]
fn the_owner_comes_in_with_the_code_and_only_once() {
    let server = shop();
    let mut browser = Browser::new(&server);
    assert_eq!(browser.get("/studio").header("location").unwrap(), "/studio/setup");
    browser.get("/studio/setup");
    let wrong = browser.post("/studio/setup", &[("code", "AAAA"), ("email", OWNER), ("password", PASSWORD)]);
    assert_eq!(wrong.status, 403);
    has(&wrong.text(), &["The one-time code is wrong.", OWNER]);
    let code = server.app.auth.setup_code().unwrap();
    let short = browser.post("/studio/setup", &[("code", &code), ("email", OWNER), ("password", "short")]);
    assert_eq!(short.status, 422);
    let made = browser.post("/studio/setup", &[("code", &code), ("email", OWNER), ("password", PASSWORD)]);
    assert_eq!(made.status, 303);
    let cookie = made.header("set-cookie").unwrap();
    has(&cookie, &["takt_studio=", "Path=/studio", "HttpOnly", "SameSite=Strict"]);
    assert!(!cookie.contains("Secure"), "this server is reached by http");
    assert_eq!(browser.get("/studio").status, 200);
    assert_eq!(Browser::new(&server).get("/studio/setup").header("location").unwrap(), "/studio/sign-in");
}

#[test]
fn a_session_ends_with_signing_out() {
    let server = shop();
    let mut browser = Browser::owner(&server);
    let before = browser.cookies.clone();
    browser.get("/studio/account");
    has(&browser.page, &[OWNER, "owner", "staff"]);
    assert_eq!(browser.post("/studio/sign-out", &[]).status, 303);
    browser.cookies = before;
    assert_eq!(
        browser.get("/studio").header("location").unwrap(),
        "/studio/sign-in",
        "the old cookie is dead too"
    );
}

#[test]
fn customers_and_strangers_stay_outside() {
    let server = shop();
    Browser::owner(&server);
    RUNTIME.block_on(server.app.auth.account_add("c@example.org", PASSWORD, &[])).unwrap();
    let mut browser = Browser::new(&server);
    assert_eq!(browser.sign_in("c@example.org").status, 403);
    assert_eq!(browser.sign_in("nobody@example.org").status, 400);
    has(&browser.page, &["Email address or password is wrong."]);
    let pages = [
        "/studio",
        "/studio/stories",
        "/studio/deliveries",
        "/studio/orders",
        "/studio/products",
        "/studio/account",
    ];
    for path in pages.into_iter().chain(["/studio/stories/0199a001-0000-7000-8000-000000000001"]) {
        assert_eq!(browser.get(path).header("location").unwrap(), "/studio/sign-in", "{path}");
    }
    assert_eq!(browser.get("/studio/nowhere").status, 404);
}

#[test]
fn forms_from_elsewhere_change_nothing() {
    let server = shop();
    let mut browser = Browser::owner(&server);
    browser.get("/studio");
    let token = hidden(&browser.page, "form_token");
    let own = format!("http://{}", server.address);
    let mut other = Browser::new(&server);
    other.get("/studio/sign-in");
    let foreign = hidden(&other.page, "form_token");
    let cases = [
        ("no token", ("origin", own.as_str()), ""),
        ("a made-up token", ("origin", own.as_str()), "AAAA"),
        ("a token of another browser", ("origin", own.as_str()), foreign.as_str()),
        ("another origin", ("origin", "https://evil.example"), token.as_str()),
        ("no origin at all, as from a sandbox", ("origin", "null"), token.as_str()),
        ("another site", ("sec-fetch-site", "cross-site"), token.as_str()),
    ];
    for (name, header, token) in cases {
        let answer = browser.send("POST", "/studio/test-order", &[header], &form(&[("form_token", token)]));
        assert_eq!(answer.status, 403, "{name}");
    }
    assert!(server.app.engine.stories(10).unwrap().is_empty());
    let fine =
        browser.send("POST", "/studio/test-order", &[("origin", &own)], &form(&[("form_token", &token)]));
    assert_eq!(fine.status, 303);
}

#[test]
fn the_overview_shows_six_lights_in_the_language_of_the_browser() {
    let server = shop();
    let mut browser = Browser::owner(&server);
    let page = browser.get("/studio");
    assert_eq!(page.text().matches("class=\"card ").count(), 6);
    has(
        &page.text(),
        &["lang=\"en\"", "Six lights", "Memory", "not yet known", "Three next steps", "of 94 checks"],
    );
    browser.language = "de-DE,de;q=0.9";
    browser.get("/studio");
    has(
        &browser.page,
        &["lang=\"de\"", "Sechs Lichter", "Gedächtnis", "noch nicht bekannt", "Drei nächste Schritte"],
    );
    let answer = browser.post("/studio/language", &[("to", "en"), ("back", "/studio")]);
    assert_eq!(browser.follow(&answer).status, 200);
    has(&browser.page, &["lang=\"en\""]);
    let astray = browser.post("/studio/language", &[("to", "de"), ("back", "//evil.example/studio")]);
    assert_eq!(astray.header("location").unwrap(), "/studio");
}

#[test]
fn nothing_stands_inline() {
    let server = shop();
    let mut browser = Browser::owner(&server);
    let pages = [
        "/studio",
        "/studio/stories",
        "/studio/deliveries",
        "/studio/jobs",
        "/studio/audit",
        "/studio/orders",
        "/studio/products",
    ];
    for path in pages.into_iter().chain(["/studio/account"]) {
        let answer = browser.get(path);
        let policy = answer.header("content-security-policy").unwrap();
        assert!(!policy.contains("unsafe"), "{policy}");
        for mark in [" style=", "<style", "onclick", "onsubmit", "javascript:", "<script>"] {
            assert!(!browser.page.contains(mark), "{path} has {mark}");
        }
        assert_eq!(answer.header("cache-control").unwrap(), "no-store");
    }
    for (file, kind) in
        [("studio.css", "text/css"), ("studio.js", "text/javascript"), ("icon.svg", "image/svg+xml")]
    {
        let answer = server.raw("GET", &format!("/studio/assets/{file}"), &[], b"");
        assert_eq!(answer.status, 200);
        assert!(answer.header("content-type").unwrap().starts_with(kind));
    }
    assert_eq!(server.raw("GET", "/studio/assets/other.css", &[], b"").status, 404);
}

#[test]
fn a_test_order_tells_its_story_and_can_be_taken_back() {
    let server = shop();
    let mut browser = Browser::owner(&server);
    browser.get("/studio");
    let placed = browser.post("/studio/test-order", &[]);
    assert_eq!(placed.status, 303);
    browser.follow(&placed);
    has(
        &browser.page,
        &["Buy now", "This is a test order.", "Stock reserved", "Order written", "B-20", "hidden"],
    );
    assert!(
        !browser.page.contains("Testbestellung"),
        "the recipient is personal and stays hidden in the story"
    );
    let order = hidden(&browser.page, "order");
    let cancelled = browser.post("/studio/test-order/cancel", &[("order", &order)]);
    browser.follow(&cancelled);
    has(&browser.page, &["The test order is cancelled.", "Stock returned"]);
    // Once is enough.
    browser.get(&placed.header("location").unwrap());
    let again = browser.post("/studio/test-order/cancel", &[("order", &order)]);
    has(&again.text(), &["can no longer be cancelled"]);
    browser.get("/studio/stories");
    assert_eq!(browser.page.matches("class=\"row\"").count(), 3, "a refusal has a story too");
    has(&browser.page, &["refused"]);
}

#[test]
fn a_test_order_never_uses_what_a_stranger_prepared() {
    let server = shop();
    let mut browser = Browser::owner(&server);
    // Whoever signs up first can have the address of the demonstration account.
    let host = server.app.base_url.split("://").nth(1).unwrap().split(':').next().unwrap();
    let host = if host.starts_with(|c: char| c.is_ascii_alphabetic()) { host } else { "shop" };
    let token = server.token(&format!("testbestellung@{host}.invalid"));
    let json = ("content-type", "application/json");
    let own = r#"{"name":"Eve","street":"Here 1","postal_code":"12345","city":"Evetown"}"#;
    let kept = server.ask_as(&token, "POST", "/rest/v1/addresses", &[json], own);
    assert_eq!(kept.status, 201, "{}", kept.text());
    let place = |browser: &mut Browser<'_>| {
        browser.get("/studio");
        assert_eq!(browser.post("/studio/test-order", &[]).status, 303);
    };
    place(&mut browser);
    assert_eq!(
        server.ask_as(&token, "GET", "/rest/v1/orders", &[], "").text(),
        "[]",
        "not the stranger's order"
    );

    // An address in the book of the demonstration account that its demonstration did not make is passed over.
    let secret = [("apikey", server.secret.as_str()), json];
    let listed = |path: &str| server.raw("GET", path, &secret, b"").json();
    let customer =
        listed("/rest/v1/orders?select=customer_id")[0]["customer_id"].as_str().unwrap().to_owned();
    let path = format!("/rest/v1/addresses?customer_id=eq.{customer}");
    assert_eq!(listed(&path).as_array().unwrap().len(), 1);
    let changed = server.raw("PATCH", &path, &secret, br#"{"street":"Elsewhere 1"}"#);
    assert_eq!(changed.status, 204, "{}", changed.text());
    place(&mut browser);
    assert_eq!(listed(&path).as_array().unwrap().len(), 2, "a fresh one beside it");
    place(&mut browser);
    assert_eq!(listed(&path).as_array().unwrap().len(), 2, "its own is taken again");
    let customers = listed("/rest/v1/orders?select=customer_id");
    assert!(customers.as_array().unwrap().iter().all(|o| o["customer_id"] == *customer), "{customers}");
    assert_eq!(customers.as_array().unwrap().len(), 3);
}

#[test]
fn strangers_with_wrong_codes_wait_and_are_told_so() {
    let server = shop();
    let mut browser = Browser::new(&server);
    browser.get("/studio/setup");
    let fields = [("code", "AAAA"), ("email", OWNER), ("password", PASSWORD)];
    for _ in 0..10 {
        assert_eq!(browser.post("/studio/setup", &fields).status, 403);
    }
    let waiting = browser.post("/studio/setup", &fields);
    assert_eq!(waiting.status, 429);
    has(&waiting.text(), &["Too many wrong codes. Please wait ten seconds, then try again."]);
    browser.language = "de";
    has(&browser.post("/studio/setup", &fields).text(), &["Bitte warten Sie zehn Sekunden"]);
    assert!(server.app.auth.setup_code().is_some());
}

#[test]
fn pages_of_the_console_are_not_compressed() {
    let server = shop();
    let answer = server.raw("GET", "/studio/setup", &[("accept-encoding", "zstd, br, gzip")], b"");
    assert_eq!((answer.status, answer.header("content-encoding")), (200, None));
    assert!(answer.body.len() > 1_000, "large enough for compression elsewhere");
    has(&answer.text(), &["form_token"]);
}

#[test]
fn staff_ships_orders_and_the_policies_decide() {
    let server = shop();
    let mut owner = Browser::owner(&server);
    owner.get("/studio");
    owner.post("/studio/test-order", &[]);
    let mut staff = Browser::staff(&server);
    assert_eq!(staff.get("/studio").header("location").unwrap(), "/studio/orders");
    assert_eq!(staff.get("/studio/stories").status, 404, "stories are for the owner");
    staff.get("/studio/orders?state=pending");
    let order = link(&staff.page, "/studio/orders/");
    staff.get(&order);
    has(&staff.page, &["Mark as shipped", "Cancel the order", "Testbestellung"]);
    let state = format!("{order}/state");
    let unknown = staff.post(&state, &[("from", "pending"), ("to", "lost")]);
    assert_eq!(unknown.status, 409);
    staff.get(&order);
    let paid = staff.post(&state, &[("from", "pending"), ("to", "paid")]);
    assert_eq!(paid.status, 303);
    staff.get(&order);
    let stale = staff.post(&state, &[("from", "pending"), ("to", "shipped")]);
    has(&stale.text(), &["Nothing changed: the state has moved on meanwhile"]);
    staff.get(&order);
    let shipped = staff.post(&state, &[("from", "paid"), ("to", "shipped")]);
    staff.follow(&shipped);
    has(&staff.page, &["The new state is stored.", "shipped"]);
    assert!(!staff.page.contains("Mark as shipped"), "nothing follows after shipping");
    // The values are called as the schema labels them, in the history too.
    staff.language = "de";
    staff.get(&order);
    has(&staff.page, &["Verlauf der Bestellungen", "offen", "bezahlt", "versendet", "Rechnung", "Deutsch"]);
    for raw in [">pending<", ">paid<", ">invoice<", ">de<"] {
        assert!(!staff.page.contains(raw), "{raw}");
    }
    staff.language = "en";
    staff.get(&order);
    let late = staff.post(&state, &[("from", "pending"), ("to", "paid")]);
    has(&late.text(), &["Nothing changed"]);
    let back = staff.post(&state, &[("from", "shipped"), ("to", "paid")]);
    assert_eq!(back.status, 409);
    let cancelled = staff.post(&state, &[("from", "shipped"), ("to", "cancelled")]);
    has(&cancelled.text(), &["can no longer be cancelled"]);
    staff.get("/studio/orders?state=pending");
    has(&staff.page, &["There is nothing here yet."]);
}

#[test]
fn staff_changes_products_without_overwriting_others() {
    let server = shop();
    Browser::owner(&server);
    let mut staff = Browser::staff(&server);
    staff.get("/studio/products?search=assam");
    let product = link(&staff.page, "/studio/products/");
    staff.get(&product);
    let (price, stock) = (hidden(&staff.page, "old_price"), hidden(&staff.page, "old_stock"));
    let name = hidden(&staff.page, "old_name_en");
    let unchanged = [("f_stock", stock.as_str()), ("old_stock", stock.as_str())];
    let save = |staff: &mut Browser<'_>, fields: &[(&str, &str)]| {
        staff.get(&product);
        let all: Vec<_> = unchanged.into_iter().chain(fields.iter().copied()).collect();
        staff.post(&product, &all)
    };

    let same = save(&mut staff, &[("f_price", &price), ("old_price", &price)]);
    assert!(same.header("location").unwrap().ends_with("done=same"));
    let negative = save(&mut staff, &[("f_price", "-1.00"), ("old_price", &price)]);
    assert_eq!(negative.status, 409);
    has(&negative.text(), &["The rules of the data do not allow this", "value=\"-1.00\""]);
    let nonsense = save(&mut staff, &[("f_price", "cheap"), ("old_price", &price)]);
    has(&nonsense.text(), &["Price incl. tax: This does not fit the kind of field."]);
    let saved = save(&mut staff, &[("f_price", "9.99"), ("old_price", &price)]);
    staff.follow(&saved);
    has(&staff.page, &["Saved.", "value=\"9.99\""]);
    let stale = save(&mut staff, &[("f_price", "5.00"), ("old_price", &price)]);
    has(&stale.text(), &["somebody else has changed the same meanwhile"]);
    let script = save(&mut staff, &[("f_name_en", "<script>alert(1)</script>"), ("old_name_en", &name)]);
    staff.follow(&script);
    has(&staff.page, &["&lt;script&gt;alert(1)&lt;/script&gt;"]);
    assert!(!staff.page.contains("<script>"));
    // A field that no policy of theirs covers is not in the form, and not taken from one either.
    let other = save(&mut staff, &[("f_sku", "XX-1"), ("old_sku", "")]);
    assert!(other.header("location").unwrap().ends_with("done=same"));
}

#[test]
fn a_project_without_a_shop_has_no_shop_pages() {
    let server = Running::start();
    let mut browser = Browser::owner(&server);
    browser.get("/studio");
    assert!(!browser.page.contains("test-order"));
    for path in ["/studio/orders", "/studio/products", "/studio/orders/1", "/studio/products/1"] {
        assert_eq!(browser.get(path).status, 404, "{path}");
    }
    assert_eq!(browser.get("/studio/stories").status, 200);
    assert_eq!(browser.get("/studio/stories/nonsense").status, 404);
}
