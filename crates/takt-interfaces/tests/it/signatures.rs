//! Our signatures as a file that others check: `tests/e2e/signatures.test.mjs` reads it with the reference library.

use expect_test::expect_file;
use serde_json::{Map, json};
use takt_interfaces::sign::sign_standard;
use takt_outbound::Secret;

/// Made up for this test.
const OLD: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";
const NEW: &str = "whsec_GBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc=";
const TIME: i64 = 1_790_000_000;

fn signed(what: &str, secrets: &[&str], id: &str, body: &str) -> serde_json::Value {
    let keys: Vec<Secret> = secrets.iter().map(|s| Secret::new(*s)).collect();
    let headers: Map<_, _> = sign_standard(&keys, id, TIME, body.as_bytes())
        .unwrap()
        .iter()
        .map(|(name, value)| (name.to_string(), json!(value.to_str().unwrap())))
        .collect();
    json!({ "what": what, "secrets": secrets, "time": TIME, "headers": headers, "body": body })
}

#[test]
fn signatures_are_those_that_the_reference_library_has_checked() {
    let cases = json!([
        signed("one secret", &[OLD], "msg_1", r#"{"type":"order.placed"}"#),
        signed(
            "two secrets while one is exchanged",
            &[NEW, OLD],
            "0193c5d2-7f00-7000-8000-000000000001",
            "{}"
        ),
        signed("more than ASCII", &[NEW], "msg_3", "{\"name\": \"Änne 🍵\",\n \"total\": 12.90}"),
    ]);
    let text = serde_json::to_string_pretty(&cases).unwrap() + "\n";
    expect_file!["../../../../tests/e2e/signatures.golden.json"].assert_eq(&text);
}
