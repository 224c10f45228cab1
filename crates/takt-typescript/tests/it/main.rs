//! Stripping, positions and facts, as the logic room uses them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use expect_test::{Expect, expect};
use takt_typescript::{Literal, Place, strip};

fn check(source: &str, expected: Expect) {
    let text = match strip("logic/checkout.ts", source) {
        Ok(stripped) => stripped.code,
        Err(problem) => format!("{problem}"),
    };
    expected.assert_eq(&text);
}

#[test]
fn types_go_and_everything_else_stays() {
    check(
        r#"
import { helper } from "./_helper.ts";
import type { Order } from "./_types.ts";
interface Line { quantity: number }
type Id = string;
enum Colour { Red, Green = "green" }
export const input = { id: "uuid" } as const;
export default async function ({ db }: Context, { id }: { id: Id }): Promise<Order> {
  const lines = (await db.lines.find<Line>({ where: { id } }))!;
  const first = lines[0] satisfies Line;
  return helper(first as Line, Colour.Red, lines?.length ?? 0, 1n, /x/u);
}
"#,
        expect![[r#"
            import { helper } from "./_helper.ts";
            var Colour = function(Colour) {
            	Colour[Colour["Red"] = 0] = "Red";
            	Colour["Green"] = "green";
            	return Colour;
            }(Colour || {});
            export const input = { id: "uuid" };
            export default async function({ db }, { id }) {
            	const lines = await db.lines.find({ where: { id } });
            	const first = lines[0];
            	return helper(first, Colour.Red, lines?.length ?? 0, 1n, /x/u);
            }
        "#]],
    );
}

#[test]
fn mistakes_have_a_place() {
    check("export default function ( {\n  return 1;\n}", expect!["2:10: Expected `:` but found `decimal`"]);
    check("const a = 1;\n  const a = 2;\n", expect!["1:7: Identifier `a` has already been declared"]);
    check(
        "export default function () {\n  await 1;\n}",
        expect!["2:3: `await` is only allowed within async functions and at the top levels of modules"],
    );
}

#[test]
fn places_lead_back_to_the_source() {
    let source =
        "type A = {\n  a: string;\n};\n\nexport default function (a: A) {\n  throw new Error(a.a);\n}\n";
    let stripped = strip("logic/a.ts", source).unwrap();
    let line = stripped.code.lines().position(|l| l.contains("throw")).unwrap() as u32 + 1;
    let column = stripped.code.lines().nth(line as usize - 1).unwrap().find("new").unwrap() as u32 + 1;
    assert_ne!(line, 6, "the test would prove nothing");
    assert_eq!(stripped.positions.source(Place { line, column }), Some(Place { line: 6, column: 9 }));
}

#[test]
fn facts_are_what_a_reader_wants_to_know() {
    let source = r#"
import { a } from "./_a.ts";
import type { T } from "./_t.ts";
export { b as access } from "../b.js";
export const label = "x", { kind } = { kind: "action" };
const LIMIT: number = 5;
enum Size { Small }
declare const outside: string;
function help(db) { return db.products.get(1); }
export default async function ({ db }, x) {
  await import("./late.ts");
  const local = { find: a };
  return [db.orders.find({}), help(db), ctx.db.pages, local.find()];
}
"#;
    let facts = strip("logic/a.ts", source).unwrap().facts;
    let names = |list: &[takt_typescript::Named]| {
        list.iter().map(|n| format!("{} {}", n.place.line, n.name)).collect::<Vec<_>>().join(", ")
    };
    expect![[r#"
        exports 4 access, 5 label, 5 kind, 10 default
        imports 2 ./_a.ts, 4 ../b.js
        dynamic [Place { line: 11, column: 9 }]
        names label, kind, LIMIT, Size, help
        tables 9 products, 13 orders, 13 pages"#]]
    .assert_eq(&format!(
        "exports {}\nimports {}\ndynamic {:?}\nnames {}\ntables {}",
        names(&facts.exports),
        names(&facts.imports),
        facts.dynamic_imports,
        facts.names.join(", "),
        names(&facts.tables)
    ));
}

#[test]
fn state_between_calls_is_found() {
    let still = [
        "const A = 1; let b = 'x'; const C = { a: [1, { b: `t${A}` }], f() {}, g: () => 1 };",
        "const EMAIL = /x@y/i; const N = -1n; const T = Object.freeze({ a: 1 }); const M = Math.max(1, 2);",
        "class Money extends Object { x = 1; #y = 2; static of() { return new Money(); } }",
        "enum E { A } type T = string; interface I { a: E } function f() { let n = 0; n++; }",
        "export default async function () { const m = new Map(); m.set(1, 2); }",
    ];
    for source in still {
        let state = strip("logic/a.ts", source).unwrap().facts.state;
        assert!(state.is_none(), "{source}: {state:?}");
    }
    let stateful = [
        ("let n = 0;\nexport default function () { return ++n; }", 1),
        ("function f() {}\nexport default function () { f = null; }", 1),
        ("\nconst cache = new Map();", 2),
        ("const next = (() => { let n = 0; return () => ++n; })();", 1),
        ("const WORDS = /a/g;", 1),
        ("class A { static #n = 0; }", 1),
        ("class A { static { globalThis.x = 1; } }", 1),
        ("const Object = { freeze: (x) => x };\nconst A = Object.freeze(() => 1);", 2),
        ("{ let n = 0; globalThis.f = () => ++n; }", 1),
        ("const { a } = { get a() { return 1; } };", 1),
        ("for (const a of []) {}", 1),
        ("const a = await 1;", 1),
    ];
    for (source, line) in stateful {
        let state = strip("logic/a.ts", source).unwrap().facts.state;
        assert_eq!(state.map(|s| s.place.line), Some(line), "{source}");
    }
}

#[test]
fn calls_are_read_as_far_as_they_are_written_out() {
    let source = r#"
export default async function ({ db, db: base, later, ...rest }, { where }) {
  await db.orders.find({ where: { id: 1, ...where, [where]: 2, "status": "paid" }, order: ["a.asc", where] });
  await base.orders?.insert([{ a: where }, ...rest] as any, { returning: false });
  await (db as any).orders.anything();
  await db[where].find();
  const orders = db.orders;
  orders.fnd();
  later("remind", {});
  later(where);
  other.later("x");
}
export function own(later) { const db = { orders: { x() {} } }; db.orders.x(); later("y"); }
"#;
    let facts = strip("logic/a.ts", source).unwrap().facts;
    let calls: Vec<String> = facts
        .calls
        .iter()
        .map(|c| {
            format!(
                "{}:{} {}.{} {}",
                c.verb.place.line,
                c.verb.place.column,
                c.table.name,
                c.verb.name,
                shown(&c.arguments)
            )
        })
        .collect();
    expect![[r#"
        3:19 orders.find { where: { id: ?, status: "paid" }, order: ["a.asc", ?] }
        4:22 orders.insert [{ a: ? }], { returning: ? }"#]]
    .assert_eq(&calls.join("\n"));
    let later: Vec<_> = facts.later.iter().map(|l| (l.name.as_str(), l.place.line, l.place.column)).collect();
    assert_eq!(later, [("remind", 9, 9)]);
}

fn shown(arguments: &[Literal]) -> String {
    let one = |literal: &Literal| match literal {
        Literal::Object(pairs, _) => {
            let pairs: Vec<_> = pairs
                .iter()
                .map(|(k, v)| format!("{}: {}", k.name, shown(std::slice::from_ref(v))))
                .collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        Literal::List(list) => format!("[{}]", shown(list)),
        Literal::Text(text) => format!("{:?}", text.name),
        Literal::Unknown => "?".to_owned(),
    };
    arguments.iter().map(one).collect::<Vec<_>>().join(", ")
}
