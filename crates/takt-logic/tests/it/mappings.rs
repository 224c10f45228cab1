//! Mapping functions: pure, named by connections, off the writer's thread.

use expect_test::expect;

use takt_logic::Converse;

use crate::house::{House, failure, problems};

const ERP: &str = r#"import { cents } from "./_money.ts";
export const kind = "mapping", label = { en: "ERP", de: "Warenwirtschaft" };
export function toSale(order, { Decimal }) {
  return { no: order.number, cents: cents(order.total), twice: new Decimal(String(order.total)).mul(2) };
}
export const later = async (x) => { await null; return [x, undefined]; };
export const nothing = () => {};
export const broken = (x) => x.a.b;
export const endless = () => { while (true); };
export const greedy = () => { const all = []; while (true) all.push(new Array(100000).fill(1)); };
export const clock = () => new Date().toISOString();
export const chance = () => Math.random();
export const reach = () => [typeof fetch, typeof db, typeof process, typeof globalThis.require];
let calls = 0;
export const count = () => ++calls;
"#;

fn house() -> House {
    House::new(&[
        ("logic/erp.ts", ERP),
        ("logic/_money.ts", "export const cents = (x) => Math.round(x * 100);"),
    ])
}

impl House {
    async fn map(&self, path: &str, export: &str, input: &str) -> String {
        match self.logic.map(path, export, input).await {
            Ok(text) => text,
            Err(error) => failure(&error),
        }
    }
}

#[tokio::test]
async fn a_mapping_turns_one_shape_into_another() {
    let house = house();
    let mut lines = Vec::new();
    for (export, input) in [
        ("toSale", r#"{"number":"B-1","total":74.8}"#),
        ("later", "7"),
        ("nothing", "{}"),
        ("broken", "{}"),
        ("broken", "{"),
        ("endless", "null"),
        ("greedy", "null"),
        ("clock", "null"),
        ("reach", "null"),
        ("count", "null"),
        ("count", "null"),
        ("missing", "null"),
        ("cents", "1"),
    ] {
        lines.push(format!("{export}: {}", house.map("logic/erp.ts", export, input).await));
    }
    lines.push(house.map("logic/_money.ts", "cents", "1").await);
    expect![[r#"
        toSale: {"no":"B-1","cents":7480,"twice":149.6}
        later: [7,null]
        nothing: null
        broken: failed P0001 at logic/erp.ts:8:30: TypeError: cannot read property 'b' of undefined
        broken: failed P0001 at -: SyntaxError: Expected property name or '}' in JSON at position 1 (line 1 column 2)
        endless: failed 57014 at logic/erp.ts:9:1: the function took too long and was stopped
        greedy: failed 53200 at logic/erp.ts:10:87: out of memory
        clock: failed P0001 at logic/erp.ts:11:39: RangeError: Date value is NaN
        reach: ["undefined","undefined","undefined","undefined"]
        count: 1
        count: 1
        missing: there is no such function
        cents: there is no such function
        there is no such function"#]].assert_eq(&lines.join("\n"));
    assert_eq!(
        house.map("logic/erp.ts", "chance", "null").await,
        house.map("logic/erp.ts", "chance", "null").await,
        "a repeat gives the same"
    );
}

#[test]
fn a_mapping_is_no_function_and_is_listed() {
    let house = house();
    assert!(house.logic.functions().is_empty());
    let mapping = house.logic.mapping("logic/erp.ts").unwrap();
    assert_eq!(mapping.label.get("de"), Some("Warenwirtschaft"));
    assert!(mapping.exports.iter().any(|e| e == "toSale"));
    assert_eq!(house.logic.mappings().len(), 1);
}

#[test]
fn mistakes_of_mappings_are_told() {
    let files = [
        ("logic/a.ts", "export const kind = \"mapping\";\nexport default () => 1;"),
        (
            "logic/b.ts",
            "export const kind = \"mapping\";\nexport const access = [\"anon\"];\nexport const f = () => 1;",
        ),
        ("logic/c.ts", "export const f = () => 1;"),
    ];
    let told: Vec<String> = problems(&files).iter().map(ToString::to_string).collect();
    expect![[r#"
        logic/a.ts:1: error: a mapping exports functions; write `export function toSale(order) { return { ... }; }`
        logic/a.ts:2: error: a mapping has no `default`; it is called by connections, by the names of its functions
        logic/b.ts:2: error: a mapping has no `access`; it is called by connections, by the names of its functions
        logic/c.ts:1: error: there is no default export; write `export default async function ({ db }, input) { ... }`, or begin the file's name with `_` if it only helps others, or say `export const kind = "mapping"`"#]].assert_eq(&told.join("\n"));
}

/// The other side of a conversation: away, or a JSON-RPC server that echoes.
struct Other {
    is_rpc: bool,
}

impl Converse for Other {
    fn is_rpc(&self) -> bool {
        self.is_rpc
    }

    fn call(&mut self, request_json: &str) -> Result<String, String> {
        if self.is_rpc {
            return Ok(format!(r#"{{"status":200,"body":{request_json}}}"#));
        }
        Err("no connection to erp.example: Connection refused".to_owned())
    }

    fn kept(&self, _: &str) -> Option<String> {
        None
    }

    fn keep(&mut self, _: &str, _: &str) {}

    fn refuse(&mut self) {}
}

const TALKING: &str = r#"export const kind = "mapping";
export const caught = (event, { call, CallError }) => {
  try { call("GET", "/orders"); } catch (e) { return [e.name, e instanceof CallError, e instanceof Error, e.message]; }
};
export const uncaught = (event, { call }) => call("GET", "/orders");
export const rpc = (event, { call }) => call("stock.list", { place: 5 });
"#;

#[tokio::test]
async fn what_a_call_throws_has_a_class_of_its_own() {
    let house = House::new(&[("logic/erp.ts", TALKING)]);
    let mut told = String::new();
    for (export, is_rpc) in [("caught", false), ("uncaught", false), ("rpc", true)] {
        let (result, _) = house.logic.converse("logic/erp.ts", export, "{}", Other { is_rpc }).await;
        told.push_str(&format!("{}\n", result.unwrap_or_else(|error| failure(&error))));
    }
    expect![[r#"
        ["CallError",true,true,"no connection to erp.example: Connection refused"]
        failed P0001 at logic/erp.ts:5:46: CallError: no connection to erp.example: Connection refused
        {"method":"stock.list","params":{"place":5}}
    "#]]
    .assert_eq(&told);
}
