//! What functions can do with their first argument.

use expect_test::expect;
use serde_json::json;
use takt_engine::StoryResult;

use crate::house::{House, action, check, customer, told};

#[tokio::test]
async fn values_travel_both_ways() {
    check(
        &[
            r#"return await db.things.insert({ id: "00000000-0000-7000-8000-000000000001", name: "Kännchen", count: 3,
                 serial: 9007199254740993n, price: new Decimal("12.90"), weight: 0.5, active: true, day: "2026-11-23",
                 hour: "09:14:07", at: now, extra: { a: [1, "two", null] }, raw: new Uint8Array([222, 173]), colour: "green" });"#,
            r#"const t = await db.things.get("00000000-0000-7000-8000-000000000001");
               return [typeof t.count, typeof t.serial, t.price instanceof Decimal, typeof t.weight, typeof t.at, t.extra.a[1],
                 t.raw instanceof Uint8Array, t.raw.length, t.colour, Object.getPrototypeOf(t) === Object.prototype];"#,
            r#"return await db.things.update({ name: "Kännchen" }, { count: { add: 2 }, price: { sub: new Decimal("0.95") }, weight: null });"#,
            r#"return await db.things.get("00000000-0000-7000-8000-00000000ffff");"#,
            r#"return [await db.things.get(null), now, new Date(now).toISOString(), Date.now(), user];"#,
            r#"return undefined;"#,
        ],
        expect![[r#"
            200 {"id":"00000000-0000-7000-8000-000000000001","name":"Kännchen","count":3,"serial":9007199254740993,"price":12.90,"weight":0.5,"active":true,"day":"2026-11-23","hour":"09:14:07","at":"2026-11-23T09:14:07.123456+00:00","extra":{"a":[1,"two",null]},"raw":"\\xdead","colour":"green"}
            200 ["number","bigint",true,"number","string","two",true,2,"green",true]
            200 [{"id":"00000000-0000-7000-8000-000000000001","name":"Kännchen","count":5,"serial":9007199254740993,"price":11.95,"weight":null,"active":true,"day":"2026-11-23","hour":"09:14:07","at":"2026-11-23T09:14:07.123456+00:00","extra":{"a":[1,"two",null]},"raw":"\\xdead","colour":"green"}]
            200 null
            200 [null,"2026-11-23T09:14:07.123456+00:00","2026-11-23T09:14:07.123Z",1795425247123,{"id":"00000000-0000-0000-0000-000000000007","email":"person7@example.com","roles":[]}]
            204
        "#]],
    )
    .await;
}

#[tokio::test]
async fn rows_are_found_by_conditions() {
    check(
        &[
            r#"await db.things.insert([
                 { name: "a", count: 1, price: new Decimal("1.10") }, { name: "b", count: 2, price: new Decimal("2.20"), colour: "green" },
                 { name: "c", count: 3 }, { name: "d", count: 4, active: false }]);
               const names = (rows) => rows.map((r) => r.name).join("");
               const find = async (where, order) => names(await db.things.find({ where, order: order ?? "name" }));
               return {
                 eq: await find({ name: "b" }), none: await find({ name: "z" }), neq: await find({ count: { neq: 2 } }),
                 between: await find({ count: { gte: 2, lt: 4 } }), in: await find({ name: { in: ["a", "d"] } }),
                 isNull: await find({ price: null }), is: await find({ price: { is: null } }), isFalse: await find({ active: { is: false } }),
                 notNull: await find({ price: { neq: null } }), like: await find({ name: { ilike: "B%" } }),
                 decimal: await find({ price: { gt: new Decimal("1.10") } }), enum: await find({ colour: "green" }),
                 or: await find({ or: [{ name: "a" }, { count: { gt: 3 } }] }),
                 and: await find({ active: true, and: [{ count: { gt: 1 } }, { not: { name: "c" } }] }),
                 not: await find({ name: { not: { in: ["a", "b"] } } }),
                 emptyIn: await find({ name: { in: [] } }), all: await find({}),
                 desc: await find({}, "count.desc"), list: await find({}, ["active.asc", "name.desc"]),
                 window: names(await db.things.find({ order: "name", limit: 2, offset: 1 })), zero: names(await db.things.find({ limit: 0 })),
               };"#,
            r#"await db.parts.insert({ thing: (await db.things.find({ where: { name: "a" } }))[0].id, place: 1 });
               const [a] = await db.things.find({ where: { name: "a" } });
               const part = await db.parts.get({ thing: a.id, place: 1 });
               return [part.place, (await db.parts.delete({ thing: a.id })).length, (await db.parts.find()).length];"#,
        ],
        expect![[r#"
            200 {"eq":"b","none":"","neq":"acd","between":"bc","in":"ad","isNull":"cd","is":"cd","isFalse":"d","notNull":"ab","like":"b","decimal":"b","enum":"b","or":"ad","and":"b","not":"cd","emptyIn":"","all":"abcd","desc":"dcba","list":"dcba","window":"bc","zero":""}
            200 [1,1,0]
        "#]],
    )
    .await;
}

#[tokio::test]
async fn upsert_inserts_or_changes() {
    check(
        &[
            r#"const a = await db.things.upsert({ name: "a", count: 1 }, { on: ["name"] });
               const b = await db.things.upsert([{ name: "a", count: 5 }, { name: "b", count: 6 }], { on: "name" });
               return [a.count, b.map((r) => r.count), a.id === b[0].id, await db.things.insert({ name: "c" }, { returning: false })];"#,
            r#"await db.things.upsert([{ name: "a", count: 1 }, { name: "b" }], { on: "name" });"#,
            r#"await db.things.upsert({ name: "a" }, { on: ["count"] });"#,
        ],
        expect![[r#"
            200 [1,[5,6],true,null]
            failed P0001 at logic/f1.ts:2:17: DatabaseError: upsert: all rows must mention the same fields
            failed P0001 at logic/f2.ts:2:17: DatabaseError: upsert needs a unique key of things: { on: ["..."] }
        "#]],
    )
    .await;
}

#[tokio::test]
async fn mistakes_are_told_with_a_code_and_can_be_caught() {
    let attempt = |call: &str| {
        format!(
            "try {{ return await {call}; }} catch (e) {{ return `${{e.name}} ${{e.code}} ${{e.message}}`; }}"
        )
    };
    let calls = [
        "db.things.insert({ name: 1 })",
        "db.things.insert({ name: 'x', count: 1.5 })",
        "db.things.insert({ name: 'x', count: 3000000000 })",
        "db.things.insert({ name: 'x', price: 12.9 })",
        "db.things.insert({ name: 'x', price: new Decimal('99999999999.99') })",
        "db.things.insert({ name: 'x', colour: 'blue' })",
        "db.things.insert({ name: 'x', colr: 'red' })",
        "db.things.insert({ name: 'x', day: '2026-02-30' })",
        "db.things.insert({ name: null })",
        "db.things.insert({ name: 'x', count: -1 })",
        "db.things.insert({ name: 'x'.repeat(41) })",
        "db.things.insert()",
        "db.things.find({ where: { id: undefined } })",
        "db.things.find({ where: { id: 'nonsense' } })",
        "db.things.find({ where: { nmae: 'x' } })",
        "db.things.find({ where: { name: ['x'] } })",
        "db.things.find({ where: { count: { greater: 1 } } })",
        "db.things.find({ name: 'x' })",
        "db.things.find({ limit: -1 })",
        "db.things.find({ order: 'name.up' })",
        "db.things.get()",
        "db.things.update({}, { count: 1 })",
        "db.things.update({ name: 'x' }, {})",
        "db.things.update({ name: 'x' }, { name: { add: 1 } })",
        "db.things.delete()",
        "db.things.delete({})",
        "db.thngs.find()",
        "db['auth.users'].find()",
    ];
    let bodies: Vec<String> = calls.iter().map(|c| attempt(c)).collect();
    // The scan at load time would refuse it; here it must be told at run time.
    let bodies: Vec<String> = bodies
        .iter()
        .map(|b| b.replace("db.thngs", "db['thngs']").replace("db.things", "db['things']"))
        .collect();
    let bodies: Vec<&str> = bodies.iter().map(String::as_str).collect();
    check(&bodies, expect![[r#"
        200 "DatabaseError 22P02 things.name is of type text, not a number"
        200 "DatabaseError 22P02 things.count is of type integer, not a number"
        200 "DatabaseError 22003 things.count: value \"3000000000\" is out of range for type integer"
        200 "DatabaseError 22P02 things.price is exact and takes no floating point number (12.9)"
        200 "DatabaseError 22003 numeric field overflow"
        200 "DatabaseError 22P02 things.colour: invalid input value for enum things_colour: \"blue\""
        200 "DatabaseError 42703 column things.colr does not exist"
        200 "DatabaseError 22008 things.day: date/time field value out of range: \"2026-02-30\""
        200 "DatabaseError 23502 null value in column \"name\" of relation \"things\" violates not-null constraint"
        200 "DatabaseError 23514 new row for relation \"things\" violates check constraint \"things_count_check\""
        200 "DatabaseError 22001 value too long for type character varying(40)"
        200 "DatabaseError 22023 insert takes a row or a list of rows, not undefined"
        200 "DatabaseError 22023 the value for things.id is undefined"
        200 "DatabaseError 22P02 things.id: invalid input syntax for type uuid: \"nonsense\""
        200 "DatabaseError 42703 column things.nmae does not exist; did you mean `name`?"
        200 "DatabaseError 22023 a list is no value of name; write { name: { in: [...] } }"
        200 "DatabaseError 22023 unknown operator `greater` on count"
        200 "DatabaseError 22023 find does not know `name`; write find({ where: { name: ... } })"
        200 "DatabaseError 22023 `limit` takes a whole number from 0"
        200 "DatabaseError 22023 `order`: `up` is none of asc, desc, nullsfirst, nullslast"
        200 "DatabaseError 22023 db.things.get(id): the id is undefined"
        200 "DatabaseError 21000 update on things without a condition would touch every row; say { all: true } if it is meant"
        200 "DatabaseError 22023 update(where, set): set names no field"
        200 "DatabaseError 22023 things.name takes a value"
        200 "DatabaseError 22023 delete: `where` is undefined"
        200 "DatabaseError 21000 delete on things without a condition would touch every row; say { all: true } if it is meant"
        200 "TypeError undefined there is no table `thngs`; did you mean `things`?"
        200 "TypeError undefined there is no table `auth.users`"
    "#]]).await;
}

#[tokio::test]
async fn a_caught_error_leaves_the_transaction_usable_and_an_uncaught_one_ends_it() {
    check(
        &[
            r#"await db.things.insert({ name: "a" });
               let code;
               try { await db.things.insert({ name: "a" }); } catch (e) { code = e.code; }
               await db.things.insert({ name: "b" });
               return [code, (await db.things.find()).length];"#,
            r#"await db.things.insert({ name: "c" });
               await db.things.insert({ name: "a" });"#,
            r#"await db.things.insert({ name: "d" });
               throw new RangeError("too much tea");"#,
            r#"return (await db.things.find({ order: "name" })).map((t) => t.name);"#,
            r#"return (await db.things.delete({}, { all: true })).length;"#,
        ],
        expect![[r#"
            200 ["23505",2]
            engine: duplicate key value violates unique constraint "things_name_key"
            failed P0001 at logic/f2.ts:3:26: RangeError: too much tea
            200 ["a","b"]
            200 2
        "#]],
    )
    .await;
}

#[tokio::test]
async fn a_refusal_is_an_answer_even_if_it_was_caught() {
    check(
        &[
            r#"await db.things.insert({ name: "a" });
               reject(409, { en: "Sold out", de: "Ausverkauft" }, { left: new Decimal("0.50") });"#,
            r#"try { reject(422, "No"); } catch { }
               await db.things.insert({ name: "b" });
               return "went on";"#,
            r#"reject(500, "No");"#,
            r#"reject(404);"#,
            r#"return (await db.things.find()).length;"#,
        ],
        expect![[r#"
            409 {"message":{"en":"Sold out","de":"Ausverkauft"},"details":{"left":0.50}}
            422 {"message":{"en":"No"},"details":null}
            failed P0001 at logic/f2.ts:2:1: TypeError: reject(status, message): the status is a number from 400 to 499
            failed P0001 at logic/f3.ts:2:1: TypeError: the message of reject is a text or { en, de }, not undefined
            200 0
        "#]],
    )
    .await;
}

#[tokio::test]
async fn steps_and_events_are_in_the_story() {
    let source = action(
        r#"const made = await step({ en: "Made", de: "Gemacht" }, async () => {
             const a = await db.things.insert({ name: "a" });
             await step("Inner", () => db.things.update({ id: a.id }, { count: 2 }));
             return a;
           });
           try { await step("Broken", async () => { throw new Error("x"); }); } catch { }
           emit("thing.made", { key: made.id, thing: made, price: new Decimal("1.50") });
           emit("thing.counted");
           return step("Sync", () => 5);"#,
    );
    let house = House::new(&[("logic/make.ts", &source)]);
    assert_eq!(house.told("make", json!({})).await, "200 5");
    let story = house.engine.story_last(Some("make")).unwrap().unwrap();
    assert_eq!(story.result, StoryResult::Success);
    assert!(story.elevated);
    assert_eq!(story.caller.as_deref(), Some("00000000-0000-0000-0000-000000000007"));
    assert_eq!(story.events, ["thing.made", "thing.counted"]);
    let steps: Vec<String> = story
        .steps
        .iter()
        .map(|s| {
            format!(
                "{}{} {} {}",
                " ".repeat(s.depth.into()),
                s.label.get("en").unwrap(),
                s.succeeded,
                s.changes.len()
            )
        })
        .collect();
    expect![[r#"
        Made true 1
         Inner true 1
        Broken false 0
        Sync true 0"#]]
    .assert_eq(&steps.join("\n"));
}

#[tokio::test]
async fn policies_hold_unless_the_function_runs_as_service() {
    let as_caller = r#"
        export const access = ["anon", "authenticated"];
        export default async function ({ db }) {
          const seen = (await db.things.find({ order: "name" })).map((t) => t.name);
          try { await db.things.insert({ name: "x" }); } catch (e) { return [seen, e.code, e.message]; }
        }"#;
    let fill = action(r#"await db.things.insert([{ name: "a" }, { name: "b", active: false }]);"#);
    let house = House::new(&[("logic/look.ts", as_caller), ("logic/fill.ts", &fill)]);
    assert_eq!(house.told("fill", json!({})).await, "204");
    expect![[r#"200 [["a"],"42501","permission denied for table things"]"#]]
        .assert_eq(&house.told("look", json!({})).await);
}

#[tokio::test]
async fn access_decides_who_may_call() {
    let with = |access: &str| format!("export const access = {access};\nexport default () => 1;");
    let (open, signed_in, staff) = (with(r#"["anon"]"#), with(r#"["authenticated"]"#), with(r#"["staff"]"#));
    let house = House::new(&[
        ("logic/open.ts", &open),
        ("logic/signed_in.ts", &signed_in),
        ("logic/staff.ts", &staff),
        ("logic/closed.ts", "export default () => 1;"),
    ]);
    let mut matrix = String::new();
    let callers = [
        ("visitor", takt_model::Principal::anon()),
        ("customer", customer()),
        ("staff", crate::house::somebody(8, &["staff"])),
        ("service", takt_model::Principal::service()),
    ];
    for (name, who) in callers {
        matrix += &format!("{name:<9}");
        for function in ["open", "signed_in", "staff", "closed"] {
            let may = house.call_as(who.clone(), function, json!({})).await.is_ok();
            matrix += if may { " x" } else { " -" };
        }
        matrix.push('\n');
    }
    expect![[r#"
        visitor   x - - -
        customer  - x - -
        staff     - x x -
        service   x x x x
    "#]]
    .assert_eq(&matrix);
    assert_eq!(told(house.call("nobody", json!({})).await), "there is no such function");
}

#[tokio::test]
async fn chance_and_ids_come_from_the_transaction() {
    check(
        &[r#"const r = [Math.random(), Math.random()];
             const ids = [uuid(), uuid()];
             return [r[0] !== r[1], r.every((x) => x >= 0 && x < 1), ids[0] !== ids[1], /^[0-9a-f-]{36}$/.test(ids[0]), new Date().toISOString()];"#],
        expect![[r#"
            200 [true,true,true,true,"2026-11-23T09:14:07.123Z"]
        "#]],
    )
    .await;
}

#[tokio::test]
async fn modules_may_share_helpers() {
    let house = House::new(&[
        (
            "logic/_shop/money.ts",
            "export const RATE: number = 19;\nexport function twice(n: number): number { return 2 * n; }",
        ),
        (
            "logic/a.ts",
            "import { RATE, twice } from \"./_shop/money.ts\";\nexport const access = [\"authenticated\"];\nexport default (_: unknown, input) => twice(RATE);",
        ),
        (
            "logic/deep/b.js",
            "import { twice } from \"../_shop/money\";\nexport const access = [\"authenticated\"];\nexport default () => twice(4);",
        ),
    ]);
    let names: Vec<&str> = house.logic.functions().iter().map(|f| f.name.as_str()).collect();
    assert_eq!(names, ["a", "deep.b"]);
    assert_eq!(house.told("a", json!({})).await, "200 38");
    assert_eq!(house.told("deep.b", json!({})).await, "200 8");
}
