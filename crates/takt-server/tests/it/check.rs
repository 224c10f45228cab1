//! What `takt check` says of connections together with functions: events that come, places in them, where a line leads.
//! Not here: what a file says for itself (`takt-model`), and calls in functions (`takt-logic`).

use takt_server::check;
use tempfile::TempDir;

use crate::support::write;

const CONNECTION: &str = r#"
purpose = { en = "Orders go to the ERP." }
partner = { name = "ERP" }
owner = "Sales"
outage = { en = "Orders wait." }
data = []
[connect]
protocol = "rest"
base = "https://erp.example/api"
[[op]]
name = "order"
kind = "deliver"
on = "order.placed"
lane = "order.id"
request = "POST /orders"
[[op]]
name = "stock"
kind = "poll"
every = "5m"
run = "logic/erp.ts#stock"
plausible = ["zeros(stock) <= 50% * rows"]
"#;

const MAIL: &str = r#"
purpose = { en = "Mails." }
partner = { name = "Our mail server" }
owner = "Sales"
outage = { en = "Mails wait." }
data = []
[connect]
protocol = "smtp"
base = "mail.example:587"
from = "Shop <post@shop.example>"
[[op]]
name = "placed"
kind = "deliver"
on = "order.placed"
mail = { template = "placed", to = "order.email" }
"#;

const BUY: &str = "export const access = [\"anon\"];\nexport const input = {};\n\
    export default function ({ emit }) {\n  const order = { id: 1 };\n  emit(\"order.placed\", { key: 1, order });\n}\n";
const ERP: &str = "export const kind = \"mapping\";\n\
    export const stock = (event, { call }) => call(\"GET\", \"/s\").body.map((p) => ({ stock: p.quantity }));\n";
const HEAR: &str = "export const kind = \"consumer\";\nexport const on = [\"order.placed\", \"erp.stock\"];\n\
    export default function () {}\n";

/// What is told of the project with these parts changed: in which file, what into what.
fn told(changes: &[(&str, &str, &str)]) -> Vec<String> {
    let dir = TempDir::new().unwrap();
    for (path, text) in [
        ("takt.toml", "name = \"Check\"\nlanguages = [\"en\"]\n"),
        ("interfaces/erp.toml", CONNECTION),
        ("interfaces/mail.toml", MAIL),
        ("mails/placed.en.txt", "Subject: Hello\n\nHello.\n"),
        ("logic/buy.ts", BUY),
        ("logic/erp.ts", ERP),
        ("logic/hear.ts", HEAR),
    ] {
        let mut text = text.to_owned();
        for (_, from, to) in changes.iter().filter(|(of, ..)| *of == path) {
            assert!(text.contains(from), "{path}: {from}");
            text = text.replacen(from, to, 1);
        }
        write(dir.path(), path, &text);
    }
    check(dir.path(), &[]).unwrap().problems.iter().map(ToString::to_string).collect()
}

#[test]
fn what_is_right_is_left_alone() {
    assert_eq!(told(&[]), Vec::<String>::new());
    for (file, from, to) in [
        // Everything that begins so, what a poll brings, what is worked out when it runs.
        ("interfaces/erp.toml", "\"order.placed\"\nlane", "\"order.*\"\nlane"),
        ("logic/buy.ts", "emit(\"order.placed\"", "emit(`order.${1}`, {});\n  emit(\"order.placed\""),
        ("logic/buy.ts", "{ key: 1, order }", "{ key: 1, ...{ order } }"),
        ("interfaces/erp.toml", "https://erp.example/api", "http://erp/api\"\nallow_private = true #\""),
        (
            "interfaces/mail.toml",
            "\"mail.example:587\"",
            "\"127.0.0.1:1025\"\nsecurity = \"none\"\nallow_private = true",
        ),
        ("interfaces/erp.toml", "[connect]", "[connect]\napi = { version = \"1\", end = \"2199-01-01\" }"),
    ] {
        assert_eq!(told(&[(file, from, to)]), Vec::<String>::new(), "{to}");
    }
}

#[test]
fn what_comes_to_nothing_is_told_with_the_nearest_that_would_not() {
    for (file, from, to, message) in [
        (
            "interfaces/erp.toml",
            "on = \"order.placed\"",
            "on = \"order.plcaed\"",
            "interfaces/erp.toml:10: warning: nothing emits `order.plcaed`; did you mean `order.placed`?",
        ),
        (
            "logic/hear.ts",
            "\"order.placed\"",
            "\"order.plcaed\"",
            "warning: nothing emits `order.plcaed`; did you mean",
        ),
        (
            "interfaces/erp.toml",
            "lane = \"order.id\"",
            "lane = \"ordre.id\"",
            "warning: `lane`: `order.placed` has no `ordre`; did you mean `order`?",
        ),
        (
            "interfaces/mail.toml",
            "\"order.email\"",
            "\"customer.email\"",
            "`to`: `order.placed` has no `customer`; it has",
        ),
        (
            "interfaces/erp.toml",
            "zeros(stock)",
            "zeros(stokc)",
            "warning: `plausible`: logic/erp.ts never says `stokc`, so a rule about it protects from nothing; did you mean `stock`?",
        ),
        (
            "interfaces/erp.toml",
            "[connect]",
            "[connect]\napi = { version = \"7\", end = \"2020-01-31\" }",
            "warning: the version `7` of the other side ended on 2020-01-31",
        ),
    ] {
        let told = told(&[(file, from, to)]);
        assert!(told.len() == 1 && told[0].contains(message), "{to}: {told:?}");
    }
}

#[test]
fn lines_that_everybody_can_read_and_mails_by_nobody_are_refused() {
    const CLEAR: &str = "would be reached in the clear: everybody on the way could read it";
    for (file, from, to, message) in [
        ("interfaces/erp.toml", "https://erp", "http://erp", CLEAR),
        ("interfaces/mail.toml", "[connect]", "[connect]\nsecurity = \"none\"", CLEAR),
        ("interfaces/mail.toml", "Shop <post@shop.example>", "nobody", "error: the sender `nobody`:"),
        (
            "interfaces/erp.toml",
            "https://erp.example/api",
            "http://127.0.0.1/api",
            "is an address of the own network",
        ),
    ] {
        let told = told(&[(file, from, to)]);
        assert!(
            told.len() == 1 && told[0].contains(message) && told[0].contains("error: "),
            "{to}: {told:?}"
        );
        // Where the address stands, not where the file begins.
        assert!(!told[0].contains(".toml:1:"), "{told:?}");
    }
}
