//! Every mistake in `logic/` is told with file and line.

use expect_test::{Expect, expect};

use crate::house::problems;

fn check(functions: &[(&str, &str)], expected: Expect) {
    let told: Vec<String> = problems(functions).iter().map(ToString::to_string).collect();
    expected.assert_eq(&told.join("\n"));
}

#[test]
fn a_sound_function_has_no_problems() {
    check(
        &[
            (
                "logic/a.ts",
                "export const label = { en: \"A\", de: \"A\" }, about = \"x\", access = [\"anon\", \"authenticated\", \"staff\", \"service_role\"], runs_as = \"caller\", kind = \"action\";\nexport const input = { id: \"uuid\" };\nexport default async ({ db }) => db.things.find();",
            ),
            ("logic/_helper.ts", "export function help() {}"),
            ("logic/types.d.ts", "declare const nothing: string;"),
            ("logic/hook.ts", "export const kind = \"http\";\nexport default () => new Response(\"x\");"),
        ],
        expect![[""]],
    );
}

#[test]
fn mistakes_in_exports_are_told() {
    check(
        &[
            ("logic/a.ts", "\nexport const acess = [\"anon\"];\nexport default () => 1;"),
            ("logic/b.ts", "export const access = [\"authentcated\", \"boss\"];\nexport default () => 1;"),
            ("logic/c.ts", "export const access = \"anon\";\nexport default () => 1;"),
            ("logic/d.ts", "export const runs_as = \"servce\";\nexport default () => 1;"),
            ("logic/e.ts", "export const kind = \"jobs\";\nexport default () => 1;"),
            ("logic/f.ts", "export const label = \"x\";"),
            ("logic/g.ts", "export default 5;"),
            (
                "logic/h.ts",
                "export const kind = \"http\", input = { a: \"text\" }, runs_as = \"service\";\nexport default () => 1;",
            ),
            ("logic/i.ts", "export const label = 5;\nexport default () => 1;"),
            ("logic/j.js", "export default () => 1;"),
            ("logic/j.ts", "export default () => 1;"),
        ],
        expect![[r#"
            logic/a.ts:2: error: unknown export `acess`; did you mean `access`?
            logic/b.ts:1: error: unknown role `authentcated`; did you mean `authenticated`?
            logic/b.ts:1: error: unknown role `boss`; name the project's own roles in takt.toml: `roles = [...]`
            logic/c.ts:1: error: `access` is no list of roles; write `["authenticated"]`
            logic/d.ts:1: error: unknown value `servce` of `runs_as`; a function runs as "caller" or as "service"
            logic/e.ts:1: error: unknown kind "jobs"; a function is of kind "action", "http", "hook", "consumer", "job", "mapping"
            logic/f.ts:1: error: there is no default export; write `export default async function ({ db }, input) { ... }`, or begin the file's name with `_` if it only helps others, or say `export const kind = "mapping"`
            logic/g.ts:1: error: the default export is no function; write `export default async function ({ db }, input) { ... }`, or begin the file's name with `_` if it only helps others, or say `export const kind = "mapping"`
            logic/h.ts:1: error: an http function has no `input`; an http function reads its request itself
            logic/h.ts:1: error: an http function has no transaction and no rights of its own; let it call an action that runs as service
            logic/i.ts:1: error: `label` is no text; write `{ en: "...", de: "..." }`
            logic/j.ts:1: error: the function `j` exists twice; the other is logic/j.js"#]],
    );
}

#[test]
fn mistakes_in_inputs_are_told() {
    let with = |input: &str| format!("\nexport const input = {input};\nexport default () => 1;");
    let inputs = [
        "{ a: \"txet\", b: \"string\", c: \"decimal\", d: \"decimal(19,2)\", e: \"enum\" }",
        "{ a: 5, b: [], c: [\"text\", \"uuid\"], d: [{ x: \"uid\" }] }",
        "{ a: { type: \"integer\", check: \"a >\" } }",
        "{ a: { type: \"integer\", check: \"b > 1\" } }",
        "{ a: { type: \"integer\", check: \"a = 'x'\" } }",
        "{ a: { type: \"uuid\", check: \"a = auth.uid()\" } }",
        "{ a: { type: \"integer\", check: true } }",
        "{ a: { type: [\"text\"], check: \"a is null\" } }",
        "{ a: { type: \"integer\", max: 5 } }",
        "\"text\"",
    ];
    let sources: Vec<String> = inputs.iter().map(|i| with(i)).collect();
    let names: Vec<String> = (0..inputs.len()).map(|n| format!("logic/f{n}.ts")).collect();
    let files: Vec<(&str, &str)> =
        names.iter().map(String::as_str).zip(sources.iter().map(String::as_str)).collect();
    check(
        &files,
        expect![[r#"
        logic/f0.ts:2: error: input `a`: unknown type `txet`; did you mean `text`?
        logic/f0.ts:2: error: input `b`: unknown type `string`; did you mean `text`?
        logic/f0.ts:2: error: input `c`: unknown type `decimal`; write `decimal(12,2)`: at most 18 digits
        logic/f0.ts:2: error: input `d`: unknown type `decimal(19,2)`; write `decimal(12,2)`: at most 18 digits
        logic/f0.ts:2: error: input `e`: unknown type `enum`; name the values: `{ type: "enum", values: ["a", "b"] }`
        logic/f1.ts:2: error: input `a` has no type; write a type: `"text"`, `{ type: "integer", check: ".." }`, `[{ .. }]`
        logic/f1.ts:2: error: input `b`: a list has one shape; write `["uuid"]` or `[{ name: "type" }]`
        logic/f1.ts:2: error: input `c`: a list has one shape; write `["uuid"]` or `[{ name: "type" }]`
        logic/f1.ts:2: error: input `d[].x`: unknown type `uid`; did you mean `uuid`?
        logic/f2.ts:2: error: input `a`: bad `check`: this is no expression: expected an expression, found EOF
        logic/f3.ts:2: error: input `a`: bad `check`: unknown field `b`; did you mean `a`?
        logic/f4.ts:2: error: input `a`: bad `check`: invalid input syntax for type integer: "x"
        logic/f5.ts:2: error: input `a`: `check` may only speak of the values beside it
        logic/f6.ts:2: error: input `a`: `check` is no text; write `check: "a >= 1"`
        logic/f7.ts:2: error: input `a`: only single values have a `check`
        logic/f8.ts:2: error: input `a`: `max` is a number of characters of a text
        logic/f9.ts:2: error: `input` is no object; write `{ name: "type" }`"#]],
    );
}

#[test]
fn mistakes_in_code_are_told() {
    check(
        &[
            ("logic/a.ts", "export default function ({ db }) {\n  return db.things.find(;\n}"),
            ("logic/b.ts", "export default function ({ db }) {\n  return db.thinks.find();\n}"),
            (
                "logic/c.ts",
                "import fs from \"node:fs\";\nimport { x } from \"./_missing.ts\";\nimport { y } from \"../schema/things.toml\";\nexport default () => fs + x + y;",
            ),
            ("logic/d.ts", "export default async () => {\n  await import(\"./b.ts\");\n};"),
            ("logic/e.ts", "const a = null;\nexport default () => 1;\nconsole.log(a.b);"),
            ("logic/f.ts", "export default () => 1;\nfor (;;) {}"),
            ("logic/g.ts", "export default () => 1;\nawait new Promise(() => {});"),
            ("logic/h.ts", "import { x } from \"./_broken.ts\";\nexport default () => x;"),
            ("logic/_broken.ts", "export const x = ;"),
            ("logic/i.ts", "import { nothing } from \"./_ok.ts\";\nexport default () => nothing;"),
            ("logic/_ok.ts", "export const something = 1;"),
            ("logic/k.ts", "let calls = 0;\nexport default () => ++calls;"),
        ],
        expect![[r#"
            logic/_broken.ts:1:18: error: Unexpected token
            logic/a.ts:2:25: error: Unexpected token
            logic/b.ts:2:13: error: unknown table `thinks`; did you mean `things`?
            logic/c.ts:1: error: cannot import `node:fs`; only files inside logic/ can be imported, by a relative path; there are no packages and no system modules
            logic/c.ts:2: error: cannot import `./_missing.ts`; only files inside logic/ can be imported
            logic/c.ts:3: error: cannot import `../schema/things.toml`; only files inside logic/ can be imported
            logic/d.ts:2: error: `import(...)` cannot be used here; write a static `import ... from` at the top
            logic/e.ts:3: error: the file cannot be read as a module: TypeError: cannot read property 'b' of null
            logic/f.ts:1: error: the file cannot be read as a module: the function took too long and was stopped
            logic/g.ts:1: error: the file cannot be read as a module: the module never finishes: it awaits something that nothing will settle
            logic/i.ts:1: error: the file cannot be read as a module: SyntaxError: Could not find export 'nothing' in module 'logic/_ok.ts'
            logic/k.ts:1: warning: this name at the top of the module is given another value later: each call starts anew, which takes longer; keep state in tables; declare constants with plain values"#]],
    );
}
