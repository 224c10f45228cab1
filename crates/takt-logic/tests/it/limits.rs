//! A function that runs away is stopped, has written nothing, and harms nobody.

use expect_test::{Expect, expect};
use serde_json::json;

use crate::house::{House, action};

async fn check(settings: &str, cases: &[(&str, &str)], expected: Expect) {
    let sources: Vec<(String, String)> =
        cases.iter().map(|(name, body)| (format!("logic/{name}.ts"), action(body))).collect();
    let mut functions: Vec<(&str, &str)> = sources.iter().map(|(n, s)| (n.as_str(), s.as_str())).collect();
    let count = action("return (await db.things.find()).length;");
    functions.push(("logic/count.ts", &count));
    let house = House::with_settings(&functions, settings);
    let mut told = String::new();
    for (name, _) in cases {
        told += &format!("{name}: {}\n", house.told(name, json!({})).await);
        assert_eq!(house.told("count", json!({})).await, "200 0", "after {name}");
    }
    expected.assert_eq(&told);
}

const WRITE: &str = "await db.things.insert({ name: 'x' });\n";

/// A body that writes first.
fn after_a_write(cases: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    cases.iter().map(|(name, body)| (*name, format!("{WRITE}{body}"))).collect()
}

async fn check_after_a_write(settings: &str, cases: &[(&'static str, &str)], expected: Expect) {
    let cases = after_a_write(cases);
    let cases: Vec<(&str, &str)> = cases.iter().map(|(n, b)| (*n, b.as_str())).collect();
    check(settings, &cases, expected).await;
}

#[tokio::test]
async fn whoever_takes_too_long_is_stopped() {
    check_after_a_write(
        "",
        &[
            ("forever", "let n = 0;\nfor (;;) n++;"),
            ("stubborn", "for (;;) { try { for (;;) {} } catch { } finally { } }"),
            ("regex", "return /^(a+)+$/.test('a'.repeat(40) + '!');"),
            ("sort", "return [3, 2, 1].sort(() => { for (;;) {} });"),
            ("getter", "return { get a() { for (;;) {} } };"),
            ("sparse", "return Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1);"),
            ("step", "await step('a', async () => {\n  await null;\n  for (;;) {}\n});"),
        ],
        expect![[r#"
            forever: failed 57014 at logic/forever.ts:2:17: the function took too long and was stopped
            stubborn: failed 57014 at logic/stubborn.ts:2:17: the function took too long and was stopped
            regex: failed 57014 at logic/regex.ts:3:40: the function took too long and was stopped
            sort: failed 57014 at logic/sort.ts:3:16: the function took too long and was stopped
            getter: failed 57014 at logic/getter.ts:3:1: the function took too long and was stopped
            sparse: failed 57014 at logic/sparse.ts:3:57: the function took too long and was stopped
            step: failed 57014 at logic/step.ts:4:3: the function took too long and was stopped
        "#]],
    )
    .await;
}

/// Between two short pieces of work; where that is, depends on the moment.
#[tokio::test]
async fn whoever_never_comes_to_an_end_is_stopped() {
    let never = [
        ("promises", "for (;;) await null;"),
        ("microtasks", "const again = () => Promise.resolve().then(again);\nawait again();"),
    ];
    let cases = after_a_write(&never);
    let sources: Vec<(String, String)> =
        cases.iter().map(|(name, body)| (format!("logic/{name}.ts"), action(body))).collect();
    let functions: Vec<(&str, &str)> = sources.iter().map(|(n, s)| (n.as_str(), s.as_str())).collect();
    let house = House::with_settings(&functions, "");
    for (name, _) in never {
        let told = house.told(name, json!({})).await;
        assert!(
            told.starts_with("failed 57014") && told.ends_with("took too long and was stopped"),
            "{told}"
        );
    }
}

#[tokio::test]
async fn whoever_takes_too_much_memory_is_stopped() {
    check_after_a_write(
        "[logic]\nmemory = \"3MB\"\naction_time = \"20s\"\n",
        &[
            ("bytes", "const all = [];\nfor (;;) all.push(new Uint8Array(100000));"),
            ("crumbs", "const all = [];\nfor (;;) all.push({ n: all.length });"),
            ("map", "const m = new Map();\nfor (let i = 0; ; i++) m.set(i, i);"),
            ("closures", "let f = () => 0;\nfor (;;) { const g = f; f = () => g; }"),
            ("rejections", "const all = [];\nfor (;;) all.push(Promise.reject(new Error('x')));"),
            ("from", "return Array.from({ length: 2 ** 32 - 1 }).length;"),
            ("replace", "return 'a'.repeat(1e6).replace(/a/g, 'b'.repeat(1e4));"),
            ("concat", "let a = [1];\nfor (;;) a = a.concat(a);"),
        ],
        expect![[r#"
            bytes: failed 53200 at logic/bytes.ts:4:23: out of memory
            crumbs: failed 53200 at -: out of memory
            map: failed 53200 at -: out of memory
            closures: failed 53200 at -: out of memory
            rejections: failed 53200 at -: out of memory
            from: failed 53200 at logic/from.ts:3:39: out of memory
            replace: failed 53200 at logic/replace.ts:3:42: out of memory
            concat: failed 53200 at logic/concat.ts:4:23: out of memory
        "#]],
    )
    .await;
}

#[tokio::test]
async fn whoever_fails_otherwise_is_told_where() {
    check_after_a_write(
        "",
        &[
            ("recursion", "const down = () => down() + 1;\nreturn down();"),
            ("async_recursion", "const down = async () => (await down()) + 1;\nreturn down();"),
            ("json_recursion", "const o = { toJSON() { return JSON.stringify(o); } };\nreturn JSON.stringify(o);"),
            ("own_json", "const o = { toJSON() { return { o }; } };\nreturn o;"),
            ("steps", "const down = () => step('a', down);\nreturn down();"),
            ("reverse", "return Array.prototype.reverse.call({ length: 2 ** 53 - 1 });"),
            ("join", "return new Array(2 ** 32 - 1).join('');"),
            ("fill", "return new Array(1e9).fill(0);"),
            ("thrown", "if (input) {\n  throw new Error('no tea');\n}"),
            ("nonsense", "throw { tea: 1 };"),
            ("text", "throw 'tea';"),
            ("typo", "return undefind.name;"),
            ("never", "await new Promise(() => {});"),
            ("forgotten", "step('later', async () => { throw new Error('lost'); });\nreturn 1;"),
            ("circle", "const a = {};\na.a = a;\nreturn a;"),
            ("laughs", "let a = ['x'.repeat(1000)];\nfor (let i = 0; i < 40; i++) a = [a, a];\nreturn a;"),
        ],
        expect![[r#"
            recursion: failed 54001 at logic/recursion.ts:3:20: RangeError: Maximum call stack size exceeded
            async_recursion: failed 54001 at logic/async_recursion.ts:3:33: RangeError: Maximum call stack size exceeded
            json_recursion: failed 54001 at logic/json_recursion.ts:3:46: RangeError: Maximum call stack size exceeded
            own_json: failed P0001 at -: TypeError: the value is nested too deeply for JSON, or contains itself
            steps: failed 54001 at logic/steps.ts:3:30: RangeError: Maximum call stack size exceeded
            reverse: failed P0001 at logic/reverse.ts:3:57: RangeError: the list is too long
            join: failed P0001 at logic/join.ts:3:31: RangeError: the list is too long
            fill: failed P0001 at logic/fill.ts:3:23: RangeError: the list is too long
            thrown: failed P0001 at logic/thrown.ts:4:13: no tea
            nonsense: failed P0001 at -: [object Object]
            text: failed P0001 at -: tea
            typo: failed P0001 at logic/typo.ts:3:8: ReferenceError: undefind is not defined
            never: failed P0001 at -: the function never finishes: it awaits something that nothing will settle
            forgotten: failed P0001 at logic/forgotten.ts:3:39: lost
            circle: failed P0001 at -: TypeError: the value is nested too deeply for JSON, or contains itself
            laughs: failed P0001 at -: TypeError: the value is too long as JSON
        "#]],
    )
    .await;
}

#[tokio::test]
async fn whatever_else_is_tried_fails_in_an_orderly_way() {
    let cases = after_a_write(&[
        ("caught", "const all = [];\nfor (;;) { try { for (;;) all.push({}); } catch { } }"),
        (
            "awaited",
            "const all = [];\nconst eat = async () => { await null; all.push('x'.repeat(all.length) + all.length, await eat()); };\nawait eat();",
        ),
        (
            "finally",
            "const all = [];\nconst f = async (n) => { try { all.push([n]); return await f(n + 1); } finally { all.push(n); } };\nreturn f(0);",
        ),
        ("big", "let n = 3n;\nfor (;;) n = n * n;"),
        ("text", "let s = 'x';\nfor (;;) s += s;"),
        ("nothing", "throw null;"),
        ("thenable", "return { then(resolve) { resolve(this); } };"),
        ("proxy", "return new Proxy({}, { ownKeys() { for (;;) {} } });"),
        ("generator", "function* g() { for (;;) yield g(); }\nreturn [...g()];"),
        ("error", "const e = new Error('x');\ne.message = { toString() { for (;;) {} } };\nthrow e;"),
        (
            "stack",
            "const e = new Error('x');\nObject.defineProperty(e, 'stack', { get() { for (;;) {} } });\nthrow e;",
        ),
        ("label", "step({ get en() { for (;;) {} } }, () => 1);"),
        (
            "where",
            "await db.things.find({ where: { get name() { return db.things.find({ where: this }); } } });",
        ),
    ]);
    let sources: Vec<(String, String)> =
        cases.iter().map(|(name, body)| (format!("logic/{name}.ts"), action(body))).collect();
    let mut functions: Vec<(&str, &str)> = sources.iter().map(|(n, s)| (n.as_str(), s.as_str())).collect();
    let count = action("return (await db.things.find()).length;");
    functions.push(("logic/count.ts", &count));
    for settings in ["", "[logic]\nmemory = \"2MB\"\naction_time = \"200ms\"\n"] {
        let house = House::with_settings(&functions, settings);
        for (name, _) in &cases {
            let told = house.told(name, json!({})).await;
            assert!(told.starts_with("failed "), "{name}: {told}");
            assert_eq!(house.told("count", json!({})).await, "200 0", "after {name}");
        }
    }
}

#[tokio::test]
async fn statements_are_limited() {
    check(
        "[logic]\nstatements = 5\n",
        &[
            ("many", "for (let i = 0; i < 6; i++) {\n  await db.things.insert({ name: `t${i}` });\n}"),
            ("caught", "for (let i = 0; i < 9; i++) {\n  try { await db.things.insert({ name: `t${i}` }); } catch { }\n}\nreturn 'done';"),
            ("enough", "for (let i = 0; i < 4; i++) await db.things.insert({ name: `t${i}` });\nawait db.things.delete({}, { all: true });"),
        ],
        expect![[r#"
            many: failed 54000 at logic/many.ts:3:38: the function made more statements than one call may make
            caught: failed 54000 at -: the function made more statements than one call may make
            enough: 204
        "#]],
    )
    .await;
}

#[tokio::test]
async fn others_go_on_while_one_is_stopped() {
    let forever = action("for (;;) {}");
    let good = action("await db.things.insert({ name: uuid().slice(0, 36) });\nreturn 1;");
    let house = std::sync::Arc::new(House::new(&[("logic/forever.ts", &forever), ("logic/good.ts", &good)]));
    let mut running = Vec::new();
    for n in 0..20 {
        let house = std::sync::Arc::clone(&house);
        let name = if n % 5 == 0 { "forever" } else { "good" };
        running.push(tokio::spawn(async move { (name, house.told(name, json!({})).await) }));
    }
    for task in running {
        let (name, told) = task.await.unwrap();
        assert_eq!(told.starts_with("failed 57014"), name == "forever", "{name}: {told}");
    }
}

#[tokio::test]
async fn an_error_in_a_helper_names_the_helpers_line() {
    let helper = "type Tea = { name: string };\n\nexport function brew(tea: Tea): string {\n  return tea.name.toUpperCase();\n}\n";
    let main = "import { brew } from \"./_brew.ts\";\nexport const access = [\"authenticated\"];\nexport default () => brew({} as any);";
    let house = House::new(&[("logic/_brew.ts", helper), ("logic/tea.ts", main)]);
    expect![
        "failed P0001 at logic/_brew.ts:4:10: TypeError: cannot read property 'toUpperCase' of undefined"
    ]
    .assert_eq(&house.told("tea", json!({})).await);
}
