//! The dialect seen from outside: URLs over one small shop, and what becomes of them.
//! Lives here: the fixture every test uses. The tests stand beside, one file per theme.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod errors;
mod fuzz;
mod print;
mod reads;
mod replies;
mod rpc;
mod writes;

use std::sync::LazyLock;

use expect_test::Expect;
use takt_model::{Principal, Project, ProjectFiles, SystemTables};
use takt_plan::Plan;
use takt_rest::{Method, Request, RestError, RestParts, parse};

/// Relations of every kind: to one (orders to customers), twice between two tables (orders to addresses),
/// one to one (profiles), to itself (categories), through a junction (orders and products).
const TABLES: [(&str, &str); 8] = [
    ("customers", include_str!("shop/customers.toml")),
    ("profiles", include_str!("shop/profiles.toml")),
    ("addresses", include_str!("shop/addresses.toml")),
    ("categories", include_str!("shop/categories.toml")),
    ("products", include_str!("shop/products.toml")),
    ("orders", include_str!("shop/orders.toml")),
    ("order_items", include_str!("shop/order_items.toml")),
    ("ledger", include_str!("shop/ledger.toml")),
];

const SYSTEM: SystemTables = SystemTables {
    file: "tables.toml",
    text: r#"
["auth.users"]
label = { en = "Accounts", de = "Konten" }
["auth.users".fields]
id = { type = "uuid", primary_key = true }
"#,
};

static PROJECT: LazyLock<Project> = LazyLock::new(|| {
    let mut files = ProjectFiles::default();
    let settings = "name = \"Shop\"\nlanguages = [\"en\"]\nroles = [\"staff\"]\n[limits]\nmax_rows = 1000\n";
    files.0.insert("takt.toml".to_owned(), settings.to_owned());
    for (name, text) in TABLES {
        files.0.insert(format!("schema/{name}.toml"), text.to_owned());
    }
    let (project, problems) = Project::parse(&files, &[SYSTEM]);
    let errors: Vec<_> = problems.iter().filter(|p| p.severity == takt_model::Severity::Error).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    project
});

/// `GET /orders?id=eq.1` with optional lines `Prefer: ...` below, and a body behind an empty line.
fn request(text: &str) -> Result<Request, RestError> {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines().map(str::trim);
    let (method, url) = lines.next().unwrap().split_once(' ').unwrap();
    let url = url.strip_prefix('/').unwrap();
    let (table, query) = url.split_once('?').unwrap_or((url, ""));
    let mut parts = RestParts::new(Method::named(method)?, table, query);
    parts.body = body.trim().as_bytes();
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap();
        let slot = match name {
            "Accept" => &mut parts.accept,
            "Accept-Profile" => &mut parts.accept_profile,
            "Content-Profile" => &mut parts.content_profile,
            "Content-Type" => &mut parts.content_type,
            "Prefer" => &mut parts.prefer,
            "Range" => &mut parts.range,
            _ => panic!("{name}"),
        };
        *slot = Some(value);
    }
    parse(&parts)
}

fn plan(text: &str) -> Result<Plan, RestError> {
    request(text)?.plan(&PROJECT, &takt_model::Principal::anon())
}

/// The plan of a request, printed.
fn check(text: &str, expected: &Expect) {
    match plan(text) {
        Ok(plan) => expected.assert_eq(&print::plan(&PROJECT, &plan)),
        Err(error) => panic!("{text}\n{}", String::from_utf8_lossy(&error.to_json())),
    }
}

/// The refusal of a request: status and body.
fn refused(text: &str) -> String {
    match plan(text) {
        Ok(plan) => panic!("{text}\n{}", print::plan(&PROJECT, &plan)),
        Err(error) => refusal(&error),
    }
}

fn refusal(error: &RestError) -> String {
    format!("{} {}", error.status, String::from_utf8(error.to_json()).unwrap())
}

fn staff() -> Principal {
    Principal::service()
}
