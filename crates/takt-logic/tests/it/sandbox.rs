//! Nothing of one call can be seen by the next, and nothing outside can be reached.

use std::sync::Arc;

use expect_test::expect;
use serde_json::json;

use crate::house::{House, action, check};

#[tokio::test]
async fn nothing_stays_from_call_to_call() {
    // Each attempt tries to leave a mark and tells whether it found the mark of the call before.
    let attempts = [
        (
            "global",
            "const found = globalThis.mark; try { globalThis.mark = 1; } catch { } return found ?? null;",
        ),
        (
            "define",
            "const found = globalThis.mark; try { Object.defineProperty(globalThis, 'mark', { value: 1 }); } catch { } return found ?? null;",
        ),
        (
            "object",
            "const found = {}.mark; try { Object.prototype.mark = 1; } catch { } return found ?? null;",
        ),
        ("proto", "const found = {}.mark; try { ({}).__proto__.mark = 1; } catch { } return found ?? null;"),
        ("array", "const found = [].mark; try { Array.prototype.mark = 1; } catch { } return found ?? null;"),
        (
            "push",
            "const a = []; a.push(1); const found = a.length; try { Array.prototype.push = () => 9; } catch { } return found === 1 ? null : found;",
        ),
        ("function", "const found = step.mark; try { step.mark = 1; } catch { } return found ?? null;"),
        ("own", "const found = helper.mark; try { helper.mark = 1; } catch { } return found ?? null;"),
        (
            "constant",
            "const found = LIST.length; try { LIST.push(1); } catch { } return found === 1 ? null : found;",
        ),
        (
            "deep",
            "const found = TREE.a.b; try { TREE.a.b = 9; } catch { } return found === 1 ? null : found;",
        ),
        (
            "db",
            "const found = db.mark2; try { db.things.mark = 1; } catch { } return found ?? db.things.mark ?? null;",
        ),
        (
            "decimal",
            "const found = new Decimal('1').mark; try { Decimal.prototype.mark = 1; } catch { } return found ?? null;",
        ),
        ("date", "const found = Date.mark; try { Date.mark = 1; } catch { } return found ?? null;"),
        (
            "generator",
            "const p = Object.getPrototypeOf(function* () {}).prototype; const found = p.mark; try { p.mark = 1; } catch { } return found ?? null;",
        ),
        (
            "iterator",
            "const p = Object.getPrototypeOf(new Map().entries()); const found = p.mark; try { p.mark = 1; } catch { } return found ?? null;",
        ),
        (
            "typed",
            "const p = Object.getPrototypeOf(Uint8Array); const found = p.mark; try { p.mark = 1; } catch { } return found ?? null;",
        ),
        (
            "regex",
            "const found = EMAIL.mark; try { EMAIL.mark = 1; EMAIL.lastIndex = 5; } catch { } return found ?? (EMAIL.lastIndex || null);",
        ),
        (
            "class",
            "const found = Shape.mark; try { Shape.mark = 1; Shape.prototype.mark = 1; } catch { } return found ?? null;",
        ),
        (
            "meta",
            "const found = import.meta.mark; try { import.meta.mark = 1; } catch { } return found ?? null;",
        ),
        (
            "symbol",
            "const s = Object(Symbol.for('x')).description; const found = Symbol.mark; try { Symbol.mark = 1; } catch { } return found ?? (s === 'x' ? null : s);",
        ),
        ("math", "const found = Math.mark; try { Math.mark = 1; } catch { } return found ?? null;"),
        (
            "console",
            "const found = console.mark; try { console.mark = 1; console.log = 1; } catch { } return found ?? null;",
        ),
        (
            "error",
            "const found = Error.prototype.mark; try { Error.prototype.mark = 1; Error.prototype.name = 'Mark'; } catch { } return found ?? (new Error('').name === 'Error' ? null : new Error('').name);",
        ),
        (
            "valueOf",
            "try { Object.prototype.toString = () => 'mark'; } catch { } return `${{}}` === '[object Object]' ? null : `${{}}`;",
        ),
        (
            "stack",
            "try { Error.stackTraceLimit = 0; Error.prepareStackTrace = () => 'mark'; } catch { } return new Error('').stack === 'mark' ? 'mark' : null;",
        ),
    ];
    let top =
        "const LIST = [1], TREE = { a: { b: 1 } }, EMAIL = /x/;\nclass Shape {}\nfunction helper() {}\n";
    let sources: Vec<(String, String)> = attempts
        .iter()
        .map(|(name, body)| {
            (format!("logic/{name}.ts"), format!("{}{top}", action(body)).replace("db.mark2", "db['then']"))
        })
        .collect();
    let functions: Vec<(&str, &str)> = sources.iter().map(|(n, s)| (n.as_str(), s.as_str())).collect();
    let house = House::new(&functions);
    for round in 0..3 {
        for (name, _) in attempts {
            assert_eq!(house.told(name, json!({})).await, "200 null", "{name} in round {round}");
        }
    }
}

#[tokio::test]
async fn state_of_a_module_starts_anew_with_each_call() {
    let source = "let calls = 0;\nconst seen = new Map();\nexport const access = [\"authenticated\"];\nexport default () => { seen.set(calls, 1); return [++calls, seen.size]; };";
    let house = House::new(&[("logic/count.ts", source)]);
    for _ in 0..3 {
        assert_eq!(house.told("count", json!({})).await, "200 [1,1]");
    }
}

#[tokio::test]
async fn many_calls_in_one_context_and_over_its_end() {
    let source = action(
        "const t = await db.things.upsert({ name: 'a', count: 0 }, { on: 'name' });\nreturn (await db.things.update({ id: t.id }, { count: { add: 1 } }))[0].count;",
    );
    let house = Arc::new(House::new(&[("logic/again.ts", &source)]));
    let mut running = Vec::new();
    for _ in 0..1_010 {
        let house = Arc::clone(&house);
        running.push(tokio::spawn(async move { house.told("again", json!({})).await }));
    }
    for task in running {
        assert_eq!(task.await.unwrap(), "200 1");
    }
}

#[tokio::test]
async fn a_failed_call_does_not_harm_the_next() {
    let source = action(
        "if (input.x === 1) throw new Error('no');\nif (input.x === 2) for (;;) {}\nif (input.x === 3) reject(409, 'no');\nif (input.x === 4) { step('a', async () => { throw 1; }); }\nreturn 'fine';",
    );
    let house = House::new(&[("logic/f.ts", &source)]);
    for x in [1, 0, 2, 0, 3, 0, 4, 0, 1, 2, 3, 4] {
        let told = house.told("f", json!({ "x": x })).await;
        assert_eq!(told == "200 \"fine\"", x == 0, "{x}: {told}");
    }
}

#[tokio::test]
async fn nothing_outside_can_be_reached() {
    let attempts = [
        "eval('1')",
        "(0, globalThis.eval)('1')",
        "new Function('return 1')()",
        "(() => {}).constructor('return 1')()",
        "(async () => {}).constructor('return 1')()",
        "(function* () {}).constructor('return 1')()",
        "Object.getPrototypeOf(async function* () {}).constructor('return 1')",
        "fetch('http://localhost')",
        "setTimeout(() => {}, 1)",
        "require('fs')",
        "process.env",
        "Deno.readTextFile('x')",
        "std.open('x')",
        "os.exec(['x'])",
        "new Worker('x')",
        "new WeakRef({})",
        "new SharedArrayBuffer(1)",
        "Atomics.wait()",
        "performance.now()",
        "new WebAssembly.Module()",
        "host.uuid()",
        "globalThis.__takt([])",
        "Object.keys(globalThis).join()",
    ];
    let bodies: Vec<String> = attempts
        .iter()
        .map(|a| format!("try {{ return String({a}); }} catch (e) {{ return e.name; }}"))
        .collect();
    let bodies: Vec<&str> = bodies.iter().map(String::as_str).collect();
    check(
        &bodies,
        expect![[r#"
        200 "ReferenceError"
        200 "TypeError"
        200 "EvalError"
        200 "EvalError"
        200 "EvalError"
        200 "EvalError"
        200 "EvalError"
        200 "ReferenceError"
        200 "ReferenceError"
        200 "ReferenceError"
        200 "ReferenceError"
        200 "ReferenceError"
        200 "ReferenceError"
        200 "ReferenceError"
        200 "ReferenceError"
        200 "ReferenceError"
        200 "ReferenceError"
        200 "ReferenceError"
        200 "ReferenceError"
        200 "ReferenceError"
        200 "ReferenceError"
        200 "TypeError"
        200 ""
    "#]],
    )
    .await;
}

#[tokio::test]
async fn ordinary_programs_do_not_notice_the_seal() {
    check(
        &[
            r#"class NoTea extends Error { constructor(m) { super(m); this.name = "NoTea"; this.message += "!"; } }
               try { throw new NoTea("gone"); } catch (e) { return [e instanceof NoTea, e instanceof Error, String(e), e.name]; }"#,
            r#"const o = {}; o.toString = () => "mine"; o.constructor = 5; return [`${o}`, o.constructor, Object.keys(o)];"#,
            r#"function Old(n) { this.n = n; } Old.prototype.twice = function () { return 2 * this.n; }; return new Old(4).twice();"#,
            r#"const m = new Map([[1, 2]]), s = new Set([1]), d = new Date(0); d.setFullYear(2000); return [[...m], [...s], d.toISOString(), [3, 1, 2].sort(), "a-b".split("-"), "aXb".replace(/x/gi, "-")];"#,
            r#"const { a, ...rest } = { a: 1, b: 2, c: 3 }; return [a, rest, structured(rest)]; function structured(x) { return Object.fromEntries(Object.entries(x).map(([k, v]) => [k, v * 2])); }"#,
            r#"return await Promise.all([1, 2].map(async (n) => (await Promise.resolve(n)) * 2));"#,
            r#"const later = []; queueMicrotask(() => later.push(1)); await null; return later;"#,
            r#"return [typeof Function, (() => {}) instanceof Function, new Date() instanceof Date, Date.UTC(2000, 0), typeof Date()];"#,
            r#"function* count() { yield 1; yield 2; } return [...count(), ...Iterator.from([3]).map((x) => x + 1)];"#,
        ],
        expect![[r#"
            200 [true,true,"NoTea: gone!","NoTea"]
            200 ["mine",5,["toString","constructor"]]
            200 8
            200 [[[1,2]],[1],"2000-01-01T00:00:00.000Z",[1,2,3],["a","b"],"a-b"]
            200 [1,{"b":2,"c":3},{"b":4,"c":6}]
            200 [2,4]
            200 [1]
            200 ["function",true,true,946684800000,"string"]
            200 [1,2,4]
        "#]],
    )
    .await;
}
