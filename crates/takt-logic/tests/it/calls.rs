//! `takt check` reads calls of `db` and `later` against the schema, and says nothing of what it cannot know.

use expect_test::{Expect, expect};

use crate::house::problems;

const REMIND: &str = "export const kind = \"job\", input = { name: \"text\" };\nexport default () => 1;";

/// The body begins in line 2.
fn check(body: &str, expected: Expect) {
    let source = format!(
        "export default async function ({{ db, later }}, input) {{\n{body}\n}}\nexport const input = {{ x: \"json\" }};"
    );
    let told: Vec<String> = problems(&[("logic/a.ts", &source), ("logic/remind.ts", REMIND)])
        .iter()
        .map(ToString::to_string)
        .collect();
    expected.assert_eq(&told.join("\n"));
}

#[test]
fn mistakes_in_calls_are_told_with_their_place() {
    check(
        r#"await db.thinks.find();
await db.things.fnd({});
await db.things.find({ were: { name: "x" }, name: "y" });
await db.things.find({ where: { nme: "x", or: [{ cont: 1 }, { not: { colour: "blue" } }] }, order: "nam.desc, count" });
await db.things.find({ where: { count: { gte: 1, lessThan: 2 }, colour: { in: ["red", "gren"] } }, order: ["day.asc", "dya"] });
await db.things.insert({ name: "x", colr: "red" });
await db.things.insert([{ name: "x" }, { name: "y", colour: "grene" }], { retuning: false });
await db.things.update({ id: input.x, nam: 1 }, { count: { add: 1 }, cuont: 2 }, { al: true });
await db.things.upsert({ name: "x" }, { on: ["nme"] });
await db.things.delete({ actve: true });
await db.parts.get({ thing: input.x, plce: 1 });
later("remnd", {});
await db.things.update({ id: input.x }, { count: { plus: 1 }, price: { add: 1 }, extra: { plus: 1 } });
await db.things.insert([{ name: "x" }, { count: 1 }, { ...input, count: 1 }, { ["name"]: 1 }]);
await db.parts.upsert({ place: 1 });"#,
        expect![[r#"
            logic/a.ts:2:10: error: unknown table `thinks`; did you mean `things`?
            logic/a.ts:3:17: error: db.things has no `fnd`; did you mean `find`?
            logic/a.ts:4:24: error: find does not know `were`; did you mean `where`?
            logic/a.ts:4:45: error: find does not know `name`; write find({ where: { name: ... } })
            logic/a.ts:5:33: error: things has no field `nme`; did you mean `name`?
            logic/a.ts:5:50: error: things has no field `cont`; did you mean `count`?
            logic/a.ts:5:78: error: `blue` is no value of things.colour
            logic/a.ts:5:100: error: things has no field `nam`; did you mean `name`?
            logic/a.ts:6:50: error: unknown operator `lessThan` on count
            logic/a.ts:6:87: error: `gren` is no value of things.colour; did you mean `green`?
            logic/a.ts:6:119: error: things has no field `dya`; did you mean `day`?
            logic/a.ts:7:37: error: things has no field `colr`
            logic/a.ts:8:61: error: `grene` is no value of things.colour; did you mean `green`?
            logic/a.ts:8:75: error: insert does not know `retuning`; did you mean `returning`?
            logic/a.ts:9:39: error: things has no field `nam`; did you mean `name`?
            logic/a.ts:9:70: error: things has no field `cuont`; did you mean `count`?
            logic/a.ts:9:84: error: update does not know `al`; did you mean `all`?
            logic/a.ts:10:46: error: things has no field `nme`; did you mean `name`?
            logic/a.ts:11:26: error: things has no field `actve`; did you mean `active`?
            logic/a.ts:12:38: error: parts has no field `plce`; did you mean `place`?
            logic/a.ts:13:7: error: there is no job `remnd`; did you mean `remind`?
            logic/a.ts:14:52: error: a number can be changed by `add` and `sub`, not by `plus`
            logic/a.ts:15:17: error: a new row of things needs `name`
            logic/a.ts:16:16: error: a new row of parts needs `thing`"#]],
    );
}

#[test]
fn nothing_is_said_of_what_is_not_written_out_or_is_fine() {
    check(
        r#"const name = "x", orders = db.things, dynamic = { nme: 1 };
await db.things.find({ where: { name, ["nme"]: 1, ...dynamic }, order: `${name}.desc`, limit: 5, offset: 1 });
await db.things.find({ where: dynamic, order: dynamic });
await db.things.find();
await db[name].whatever({ nme: 1 });
orders.whatever();
await db.things.insert(dynamic);
await db.things.insert(input.x.map((nme) => ({ nme })));
await db.things.update({ extra: { eq: { deep: { nme: 1 } } } }, { extra: { deep: { nme: 1 } } });
await db.things.update({ and: [{ name: { like: "a%" } }, { not: { day: null } }] }, { count: { sub: 1 } }, { all: false, returning: true });
await db.things.upsert([{ name: "x", colour: "red" }], { on: "name" });
await db.parts.get({ thing: input.x, place: 1 });
await db.things.delete({}, { all: true });
await db.things.toString();
(db as any).things.whatever({});
later("remind", { name });
later(name, {});
const other = { db: { things: { whatever() {} } } };
{ const db = { nothing: { whatever() {} } }; db.nothing.whatever({}); }
((later) => later("x"))(console.log);"#,
        expect![[""]],
    );
}

#[test]
fn personal_fields_that_would_leave_under_another_name_are_told() {
    let people = (
        "schema/people.toml",
        "label = \"People\"\n[fields]\nid = { type = \"uuid\", primary_key = true }\n\
         email = { type = \"text\", personal = \"contact\" }\npin = { type = \"text\", personal = \"secret\" }\n\
         name = { type = \"text\", personal = \"name\" }\n",
    );
    let told = |body: &str| {
        let source =
            format!("export default async function ({{ db, emit, emit: send }}, input) {{\n{body}\n}}");
        let told = problems(&[people, ("logic/a.ts", &source)]);
        told.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    expect![[r#"
        logic/a.ts:3:29: warning: `email` is personal and would leave as `mail`, which `data` of no connection can hold back; call it `email` in the event too; a mapping function can give it the other side's name
        logic/a.ts:3:44: error: `pin` is secret and would leave as `geheim`; leave it out; who may see it reads it from the table
        logic/a.ts:5:18: warning: `email` is personal and would leave as `to`, which `data` of no connection can hold back; call it `email` in the event too; a mapping function can give it the other side's name
        logic/a.ts:7:18: warning: `email` is personal and would leave as `mail`, which `data` of no connection can hold back; call it `email` in the event too; a mapping function can give it the other side's name"#]]
    .assert_eq(&told(
        r#"const t = await db.people.get(input.id);
emit("task.made", { task: { mail: t.email, geheim: t.pin } });
const { email: address } = t;
send("a.made", { to: `<${address.trim()}>` });
const again = t.email;
emit("b.made", { mail: again });"#,
    ));
    // Under its own name it can be held back; what is asked about it is not it; `name` of things is nobody's.
    let fine = r#"const t = await db.people.get(input.id);
const { email, pin: secret } = t;
emit("task.made", { key: t.id, email, t, rest: { email: t.email.trim() } });
emit("a.made", { known: t.email !== null, long: t.email.length, none: !t.email, of: () => t.email, title: t.name });
emit("b.made", { ...t, email: { to: t.email } });"#;
    assert_eq!(told(fine), "");
}
