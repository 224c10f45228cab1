//! Ways out of the sandbox that others have tried: constructor chains, template literals, getters, stack-trace hooks,
//! prototype pollution, imports, names of hosts. None reaches anything, and the next call finds everything as it was.

use std::fmt::Write as _;

use expect_test::expect_file;
use serde_json::{Value as Json, json};

use crate::house::{House, action, problems};

const LONG: &str = "[logic]\naction_time = \"5s\"\nmemory = \"32MB\"\n";

/// Whatever has a constructor that makes functions from text.
const CALLABLE: [&str; 16] = [
    "(() => {})",
    "(async () => {})",
    "(function* () {})",
    "(async function* () {})",
    "(class {})",
    "(function () {}.bind(null))",
    "new Proxy(() => {}, {})",
    "step",
    "reject",
    "db.things.find",
    "Decimal",
    "Math.max",
    "[].map",
    "Object",
    "JSON.parse",
    "Object.getOwnPropertyDescriptor(Object.prototype, '__proto__').get",
];

const WAYS_THERE: [&str; 9] = [
    "X.constructor",
    "X['con' + 'structor']",
    "X['\\x63onstructor']",
    "X.__proto__.constructor",
    "Object.getPrototypeOf(X).constructor",
    "Reflect.get(X, 'constructor')",
    "(({ constructor: c }) => c)(X)",
    "(d => d.value ?? d.get.call(X))(Object.getOwnPropertyDescriptor(Object.getPrototypeOf(X), 'constructor'))",
    "X.constructor.constructor",
];

const WAYS_IN: [&str; 8] = [
    "C(P)",
    "new C(P)",
    "C.call(null, P)",
    "C.apply(null, [P])",
    "C.bind(null, P)()",
    "Reflect.construct(C, [P])",
    "Reflect.apply(C, undefined, ['a', P])",
    "C`globalThis.escaped = 1; return 'ESCAPED'`",
];

#[tokio::test]
async fn no_constructor_makes_a_function_of_a_text() {
    let mut sources = Vec::new();
    for (n, callable) in CALLABLE.iter().enumerate() {
        let mut body =
            format!("const P = \"globalThis.escaped = 1; return 'ESCAPED'\", X = {callable}, told = [];\n");
        for there in WAYS_THERE {
            for way_in in WAYS_IN {
                writeln!(
                    body,
                    "try {{ const C = {there}; const made = {way_in}; \
                     const got = typeof made === 'function' ? await made() : typeof made?.next === 'function' ? made.next().value : made; \
                     told.push(String(got)); }} catch (e) {{ told.push(e.name); }}"
                )
                .unwrap();
            }
        }
        body.push_str("told.push(typeof globalThis.escaped);\nreturn told;");
        sources.push((format!("logic/f{n}.ts"), action(&body)));
    }
    let functions: Vec<(&str, &str)> = sources.iter().map(|(n, s)| (n.as_str(), s.as_str())).collect();
    let house = House::with_settings(&functions, LONG);
    let mut tried = 0;
    for (n, callable) in CALLABLE.iter().enumerate() {
        let told = house.told(&format!("f{n}"), json!({})).await;
        let told = told.strip_prefix("200 ").unwrap_or_else(|| panic!("{callable}: {told}"));
        let told: Vec<String> = serde_json::from_str(told).unwrap();
        assert_eq!(told.last().unwrap(), "undefined", "{callable}: a mark was left");
        for (at, outcome) in told[..told.len() - 1].iter().enumerate() {
            let way = (WAYS_THERE[at / WAYS_IN.len()], WAYS_IN[at % WAYS_IN.len()]);
            assert!(!outcome.contains("ESCAPED"), "{callable} {way:?}: {outcome}");
            tried += 1;
        }
    }
    assert_eq!(tried, CALLABLE.len() * WAYS_THERE.len() * WAYS_IN.len());
    assert!(tried > 1_000);
}

/// Names under which hosts lend files, networks, processes, clocks and other machines.
const NAMES: [&str; 78] = [
    "process",
    "require",
    "module",
    "exports",
    "__dirname",
    "__filename",
    "global",
    "window",
    "self",
    "top",
    "parent",
    "frames",
    "document",
    "navigator",
    "location",
    "Deno",
    "Bun",
    "std",
    "os",
    "bjson",
    "scriptArgs",
    "print",
    "load",
    "loadScript",
    "loadFile",
    "evalScript",
    "gc",
    "Worker",
    "SharedWorker",
    "ServiceWorker",
    "XMLHttpRequest",
    "WebSocket",
    "EventSource",
    "fetch",
    "setTimeout",
    "setInterval",
    "setImmediate",
    "clearTimeout",
    "requestAnimationFrame",
    "postMessage",
    "importScripts",
    "localStorage",
    "sessionStorage",
    "indexedDB",
    "caches",
    "crypto",
    "performance",
    "Atomics",
    "SharedArrayBuffer",
    "WebAssembly",
    "FinalizationRegistry",
    "WeakRef",
    "ShadowRealm",
    "Realm",
    "Compartment",
    "structuredClone",
    "AsyncFunction",
    "GeneratorFunction",
    "host",
    "__takt",
    "takt",
    "Java",
    "Packages",
    "java",
    "System",
    "plv8",
    "php",
    "Ruby",
    "Kernel",
    "open",
    "alert",
    "read",
    "readline",
    "quit",
    "version",
    "Intl",
    "arguments",
    "__proto__",
];

#[tokio::test]
async fn no_name_leads_outside() {
    let list = serde_json::to_string(&NAMES[..]).unwrap();
    let body =
        format!("return {list}.filter((name) => Object.prototype.hasOwnProperty.call(globalThis, name));");
    let direct = NAMES
        .iter()
        .filter(|n| !["__proto__", "arguments", "require", "module", "exports"].contains(n))
        .fold(String::new(), |mut all, name| {
            writeln!(all, "if (typeof {name} !== 'undefined') found.push('{name}');").unwrap();
            all
        });
    let direct = action(&format!("const found = [];\n{direct}return found;"));
    let house = House::new(&[("logic/own.ts", &action(&body)), ("logic/direct.ts", &direct)]);
    assert_eq!(house.told("own", json!({})).await, "200 []");
    assert_eq!(house.told("direct", json!({})).await, "200 []");
}

/// What is tried, one a line; what became of it stands beside it in `escapes.txt`.
const TRIED: &[&str] = &[
    // Text becomes code.
    "eval(\"'ESC' + 'APED'\")",
    "(0, eval)(\"'ESC' + 'APED'\")",
    "globalThis.eval?.(\"'ESC' + 'APED'\")",
    "Reflect.get(globalThis, 'eval')",
    "[\"'ESC' + 'APED'\"].map(eval)",
    "new Function('return 1')",
    "Reflect.construct(Function, ['return 1'], Object)",
    "class F extends Function { constructor() { super('return 1'); } } return new F()()",
    "Function.prototype.constructor('return 1')()",
    "Object.getPrototypeOf(Function.prototype).constructor",
    "`${{ toString: () => 'constructor' }}`",
    "({})[['constructor']][['constructor']]('return 1')()",
    "''.sub.call.call(({}).constructor.constructor, null, 'return this')()",
    "Array.from([1], (0, [].constructor.constructor)('return this'))",
    "'a'.replace(/a/, (0, ''.constructor.constructor))",
    "[].reduceRight.constructor('return this')()",
    "String.raw.constructor`return this`",
    "(await (async () => {}).constructor('return 1')())",
    "new (Object.getPrototypeOf(function* () {}).constructor)('yield 1')().next().value",
    "JSON.parse('{\"a\":1}', JSON.constructor.constructor('return this'))",
    "Reflect.ownKeys(globalThis).filter((k) => /eval|unction$/.test(String(k)))",
    "typeof setTimeout === 'function' && setTimeout('globalThis.escaped = 1')",
    "new RegExp('(?{escaped})')",
    // This is the outside.
    "(function () { return this; })()",
    "(() => this)()",
    "function f() { return f.caller; } return f()",
    "(function () { return arguments.callee; })()",
    "(function () { return arguments.callee.caller; })()",
    "function f() { return f.arguments; } return f()",
    "[].concat.call(null)",
    "Object.keys(globalThis)",
    "Object.getOwnPropertyNames(Object.getPrototypeOf(globalThis))",
    "Object.getOwnPropertySymbols(globalThis).map(String)",
    "Reflect.ownKeys(step).map(String)",
    "Reflect.ownKeys(db).map(String)",
    "Reflect.ownKeys(db.things.find).map(String)",
    "step.caller",
    "db.things.find.call({ constructor: 1 }, {})",
    "Reflect.apply(db.things.find, undefined, [{ where: null }])",
    "Object.create(step)('x', () => 1)",
    "new step('x', () => 1)",
    "new (class extends step {})('x')",
    // Stack-trace hooks.
    "Error.prepareStackTrace = (e, s) => s; return new Error('x').stack",
    "Error.prepareStackTrace = (e, s) => s[0].getThis(); return new Error('x').stack",
    "Error.captureStackTrace?.({})",
    "const o = {}; Error.captureStackTrace(o, step); return Object.keys(o)",
    "Error.stackTraceLimit = Infinity; return new Error('x').stack.includes('.rs')",
    "/\\.rs|\\/root|\\/home|crates/.test(new Error('x').stack)",
    "try { null.x } catch (e) { return /\\.rs|\\/root|\\/home|crates/.test(e.stack) }",
    "try { db.things.find(5, { get where() { throw new Error('mine') } }) } catch (e) { return e.message }",
    "try { await db.things.insert({ nope: 1 }) } catch (e) { return /\\.rs|sqlite|SELECT|INSERT/i.test(String(e) + e.stack) }",
    "try { (function f() { f() })() } catch (e) { return e.constructor.constructor('return this')() }",
    "try { (function f() { f() })() } catch (e) { return e.__proto__.__proto__.__proto__.constructor.name }",
    "await Promise.reject(new Error('x')).catch((e) => e.constructor.constructor('return 1')())",
    "(await Promise.allSettled([Promise.reject(step)]))[0].reason.constructor('return 1')()",
    "new AggregateError([new Error('x')]).errors[0].constructor.constructor('return 1')()",
    // Prototype pollution.
    "Object.prototype.escaped = 1; return ({}).escaped",
    "({}).__proto__.escaped = 1; return ({}).escaped",
    "({}).constructor.prototype.escaped = 1; return ({}).escaped",
    "Object.defineProperty(Object.prototype, 'escaped', { value: 1 }); return ({}).escaped",
    "Object.setPrototypeOf(Object.prototype, { escaped: 1 }); return ({}).escaped",
    "Reflect.setPrototypeOf(Array.prototype, { escaped: 1 })",
    "Object.assign({}.__proto__, { escaped: 1 }); return ({}).escaped",
    "Object.assign({}, JSON.parse('{\"__proto__\":{\"escaped\":1}}')).escaped",
    "const merge = (a, b) => { for (const k in b) typeof b[k] === 'object' ? merge(a[k] ??= {}, b[k]) : (a[k] = b[k]); return a }; merge({}, JSON.parse('{\"__proto__\":{\"escaped\":1}}')); return ({}).escaped",
    "const merge = (a, b) => { for (const k in b) typeof b[k] === 'object' ? merge(a[k] ??= {}, b[k]) : (a[k] = b[k]); return a }; merge({}, JSON.parse('{\"constructor\":{\"prototype\":{\"escaped\":1}}}')); return ({}).escaped",
    "const o = {}; o['__proto__']['escaped'] = 1; return ({}).escaped",
    "Array.prototype.push = function () { return 'ESCAPED' }; return [].push(1)",
    "Array.prototype[Symbol.iterator] = function* () { yield 'ESCAPED' }; return [...[1]]",
    "Promise.prototype.then = () => 'ESCAPED'; return await Promise.resolve(1)",
    "String.prototype.toString = () => 'ESCAPED'; return String('a')",
    "Function.prototype.call = () => 'ESCAPED'; return (() => 1).call()",
    "Function.prototype[Symbol.hasInstance] = () => true; return ({}) instanceof Map",
    "Object.prototype.toJSON = () => 'ESCAPED'; return { a: 1 }",
    "Object.prototype.then = (f) => f('ESCAPED'); return { a: 1 }",
    "Object.prototype.where = { name: 'x' }; return (await db.things.find()).length",
    "Object.prototype.get = () => 'ESCAPED'; return Object.defineProperty({}, 'a', { value: 1 }).a",
    "Decimal.prototype.add = () => 'ESCAPED'; return String(new Decimal('1').add('1'))",
    "Date.now = () => 0; return Date.now() === 0",
    "Math.random = () => 4; return Math.random() === 4",
    "JSON.stringify = () => 'ESCAPED'; return JSON.stringify({})",
    "globalThis.Object = class {}; return Object.keys({ a: 1 })",
    "globalThis.undefined = 1; return typeof undefined",
    "delete Object.prototype.hasOwnProperty; return typeof ({}).hasOwnProperty",
    "delete globalThis.Promise; return typeof Promise",
    "db.escaped = 1; return db.escaped",
    "db.things.find = () => 'ESCAPED'; return String(await db.things.find())",
    "Object.defineProperty(db, 'things', { value: 'ESCAPED' }); return String(db.things)",
    "user.id = 'ESCAPED'; return (await db.things.find()).length",
    "user.roles?.push?.('staff'); return 1",
    // Getters, proxies and thenables that the other side meets.
    "return { get a() { return (() => {}).constructor('return 1')() } }",
    "return { toJSON() { return this.constructor.constructor('return 1')() } }",
    "return { then(f) { f(this.constructor.constructor) } }",
    "return new Proxy({}, { get: (t, k) => k === 'toJSON' ? undefined : 'ESC', ownKeys: () => ['a'], getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }) }).a",
    "return new Proxy({}, { getPrototypeOf() { return Function.prototype } })",
    "await db.things.find(new Proxy({}, { get() { return new Proxy({}, this) } }))",
    "await db.things.insert(new Proxy({ name: 'p' }, { ownKeys: () => ['name', 'name', 'constructor'] }))",
    "await db.things.insert({ name: { toString() { return 'ESCAPED' } } })",
    "await db.things.insert({ name: { [Symbol.toPrimitive]: () => 'ESCAPED' } })",
    "await db.things.insert({ name: new String('boxed') })",
    "await db.things.insert({ __proto__: { name: 'inherited' } })",
    "await db.things.insert(JSON.parse('{\"__proto__\":1,\"name\":\"p1\"}'))",
    "await db.things.insert(JSON.parse('{\"constructor\":1,\"name\":\"p2\"}'))",
    "await db.things.insert(Object.create({ name: 'inherited' }))",
    "await db.things.find({ where: { get name() { throw new Error('mine') } } })",
    "const like = {}; like.valueOf = () => 'ESCAPED'; return await db.things.find({ where: { name: like } })",
    "await db.things.find({ limit: { valueOf: () => 1 } })",
    "step({ get en() { return (() => {}).constructor('return 1') } }, () => 1)",
    "step({ en: { toString: () => 'ESCAPED' } }, () => 1)",
    "step(Symbol('x'), () => 1)",
    "emit({ toString: () => 'order.placed' }, {})",
    "emit('x'.repeat(100000), {})",
    "emit('a.b', { get x() { return step.constructor('return 1') } })",
    "reject({ valueOf: () => 409 }, 'no')",
    "new Decimal({ toString: () => '1; drop table things' })",
    "new Decimal('0x10')",
    "uuid.constructor('return 1')()",
    "now.constructor.constructor('return 1')()",
    // Tables that are not the project's, and names that are no names.
    "typeof db['takt.outbox_events']",
    "typeof db['ta' + 'kt']",
    "typeof db['auth.users']",
    "typeof db['au' + 'th']",
    "typeof db['sqlite_' + 'master']",
    "typeof db['things; drop table things']",
    "typeof db.__proto__?.constructor?.constructor",
    "db.constructor.constructor('return 1')()",
    "typeof db[Symbol.iterator]",
    "await db.things.find({ where: { 'name\\\" or 1=1 --': 'x' } })",
    "await db.things.find({ where: { name: \"' or 1=1 --\" } })",
    "await db.things.find({ order: 'name; drop table things' })",
    "await db.things.find({ order: { name: 'asc; drop table things' } })",
    "await db.things.find({ where: { name: { 'eq; drop': 1 } } })",
    "await db.things.find({ where: { name: { like: '%'.repeat(10000) } } })",
    "await db.things.find({ where: { __proto__: { name: 'x' } } })",
    // Other modules; those that are imported are refused when the project is read, see below.
    "Object.keys(import.meta)",
    "import.meta.url",
    "import.meta.resolve?.call(null, './x')",
    // Time and chance of the machine.
    "new Date().toISOString()",
    "Date.now() === Date.parse(now)",
    "new Date(2026, 0, 1).getTimezoneOffset()",
    "typeof Temporal",
    "const r = Math.random(); return r >= 0 && r < 1",
    // Memory behind the values.
    "new Uint8Array(16).some((b) => b !== 0)",
    "new Uint8Array(new ArrayBuffer(8), 4, 8)",
    "new DataView(new ArrayBuffer(8)).getUint8(8)",
    "new ArrayBuffer(8, { maxByteLength: 2 ** 40 })",
    "new ArrayBuffer(8).transfer?.(2 ** 40)",
    "const a = [1, 2, 3]; a.length = 2 ** 32 - 1; return a.indexOf(9, 2 ** 32 - 5)",
    "const a = new Uint8Array(8); return a.sort(() => { a.buffer.transfer?.(0); return 1 }).length",
    "const a = [1, 2, 3]; return a.map((x, i) => { a.length = 0; return x })",
    "const a = [3, 2, 1]; return a.sort(() => { a.length = 0; return 1 }).length",
    "'a'.padEnd(2 ** 30)",
    "[].concat(...Array(1000).fill('x')).length",
    "/(?:a|a)*$/.exec('a'.repeat(20))?.[0].length",
    "Array(2 ** 25).join('x').length",
    "const m = new Map([[1, 1]]); m.forEach((v, k) => { m.delete(k); k < 100 && m.set(k + 1, 1) }); return m.size",
];

#[tokio::test]
async fn whatever_is_tried_stays_inside() {
    let body = |attempt: &str| {
        let is_statement = ["return ", "try "].iter().any(|w| attempt.starts_with(w))
            || ["; return ", "} return "].iter().any(|w| attempt.contains(w));
        let run = if is_statement { attempt.to_owned() } else { format!("return {attempt};") };
        // Under another name, so that what is refused when the project is read is tried when it runs.
        let run = run.replace("db.", "d.").replace("db[", "d[").replace("(db)", "(d)");
        format!(
            "const d = db;\ntry {{ const got = await (async () => {{ {run} }})();\n\
             return typeof got === 'function' ? 'a function' : typeof got === 'symbol' ? 'a symbol' : got ?? String(got); }}\n\
             catch (e) {{ return String(e?.name) + ': ' + String(e?.message).slice(0, 120); }}"
        )
    };
    let sources: Vec<(String, String)> = TRIED
        .iter()
        .enumerate()
        .map(|(n, attempt)| (format!("logic/f{n}.js"), action(&body(attempt))))
        .collect();
    let mut functions: Vec<(&str, &str)> = sources.iter().map(|(n, s)| (n.as_str(), s.as_str())).collect();
    let probe = action(PROBE);
    functions.push(("logic/probe.ts", &probe));
    let house = House::with_settings(&functions, LONG);
    let clean = house.told("probe", json!({})).await;
    let mut told = String::new();
    for (n, attempt) in TRIED.iter().enumerate() {
        let outcome = house.told(&format!("f{n}"), json!({})).await;
        let outcome: String = outcome.chars().take(200).collect();
        let is_fresh = ["\"id\":\"", "Date(", "toISOString"].iter().any(|w| outcome.contains(w));
        let shown = if is_fresh { outcome.split("\"id\":\"").next().unwrap_or_default() } else { &outcome };
        writeln!(told, "{attempt}\n    {shown}").unwrap();
        // `ESC` is put together only where text became code, or a built-in of ours answers in another's words.
        assert!(
            !outcome.contains("ESCAPED")
                || attempt.contains("toString")
                || attempt.contains("toPrimitive")
                || attempt.contains("valueOf"),
            "{attempt}: {outcome}"
        );
        assert_eq!(house.told("probe", json!({})).await, clean, "after {attempt}");
    }
    expect_file!["escapes.txt"].assert_eq(&told);
}

/// What the next call finds: names, prototypes and what built-ins answer.
const PROBE: &str = "
const inherited = [{}, [], '', 0, true, () => {}, /x/, new Map(), new Set(), new Date(0), new Error('')].map((v) => v.escaped ?? null);
return [typeof escaped, inherited, Object.keys(globalThis), [].push(1), [...[1]], String('a'), JSON.stringify({ a: 1 }),
  await Promise.resolve(2), ({}) instanceof Map, typeof Promise, Object.keys({ a: 1 }), String(new Decimal('1').add('1')),
  typeof db.things.find, Error.prepareStackTrace ?? null, Object.getOwnPropertyNames(Object.prototype).sort().join()];";

#[test]
fn tables_and_fields_that_are_not_the_projects_are_refused_when_it_is_read() {
    for body in [
        "return db.takt;",
        "return db.auth;",
        "return db.sqlite_master;",
        "return db.things.insert({ constructor: 1, name: 'p' });",
        "return db.things.find({ where: { name: { valueOf: 1 } } });",
    ] {
        let told = problems(&[("logic/f.js", &action(body))]);
        assert!(!told.is_empty(), "{body}");
    }
}

#[test]
fn imports_of_the_machine_are_refused_when_the_project_is_read() {
    let dynamic = action("return await import(['s', 'td'].join(''));");
    assert!(!problems(&[("logic/f.ts", &dynamic)]).is_empty(), "an import that is worked out");
    for path in [
        "std",
        "os",
        "fs",
        "node:fs",
        "qjs:std",
        "/etc/passwd",
        "../../Cargo.toml",
        "../takt.toml",
        "data:text/javascript,export default 1",
        "http://127.0.0.1/x.js",
        "https://example.com/x.js",
        "./nope.ts",
        "%2e%2e/takt.toml",
        "./..\\takt.toml",
        "",
    ] {
        let source = format!("import x from {};\n{}", Json::from(path), action("return x;"));
        let told = problems(&[("logic/f.ts", &source)]);
        assert!(!told.is_empty(), "{path}");
    }
}
