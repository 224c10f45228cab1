//! Table hooks: functions that written rows set off, whoever writes them.

use expect_test::expect;
use serde_json::json;
use takt_engine::{EngineError, Outcome, StoryResult};
use takt_model::{Principal, Value};
use takt_plan::{Conflict, ConflictAction, EmbedShape, GuardedChild, On, OutputColumn, Plan, RowSink};

use crate::house::{House, action, customer, files, outbound, problems, project, told};

/// A hook whose body begins in line 2.
fn hook(on: &str, body: &str) -> String {
    format!(
        "export default async function ({{ db, user, step, emit, reject }}, {{ verb, table, before, after }}) {{\n{body}\n}}\n\
         export const kind = \"hook\", label = {{ en: \"Hook\", de: \"Haken\" }}, runs_as = \"service\", on = {on};\n"
    )
}

/// Notes in `parts`, keyed by the thing, what was written.
const NOTES: &str =
    "await db.parts.insert({ thing: after.id, place: verb === \"insert\" ? 1 : after.count });";

/// As somebody with the secret key would write over REST.
struct Nobody;

impl Clone for Nobody {
    fn clone(&self) -> Self {
        Self
    }
}

impl RowSink for Nobody {
    fn row_begin(&mut self) {}
    fn value(&mut self, _: &OutputColumn, _: takt_model::ValueRef<'_>) {}
    fn embed_begin(&mut self, _: &GuardedChild, _: EmbedShape) {}
    fn embed_end(&mut self, _: EmbedShape) {}
    fn row_end(&mut self) {}
}

impl House {
    pub(crate) async fn write(
        &self,
        who: Principal,
        plan: impl Fn(On<'_>) -> Plan,
    ) -> Result<Outcome, EngineError> {
        let project = self.engine.project();
        let plan = plan(On::table(&project, "things").unwrap());
        Ok(self.engine.run(&who, plan, Nobody, |_, _| Ok(())).await?.1)
    }
}

fn thing(on: On<'_>) -> Plan {
    on.insert(vec![("name", Value::Text("a".to_owned()))]).unwrap()
}

fn refused(result: Result<Outcome, EngineError>) -> String {
    match result.unwrap_err() {
        EngineError::Rejected { status, message, details_json } => {
            format!("{status} {} {details_json}", message.get("de").unwrap_or_default())
        }
        EngineError::Hook { code, message, position } => {
            format!("failed {code} at {}: {message}", position.as_deref().unwrap_or("-"))
        }
        other => format!("{other:?}"),
    }
}

#[tokio::test]
async fn a_hook_runs_for_every_written_row_of_every_writer() {
    let house = House::new(&[
        ("logic/note.ts", &hook(r#"{ table: "things", verbs: ["insert", "update"] }"#, NOTES)),
        (
            "logic/make.ts",
            &action("return (await db.things.insert([{ name: \"b\" }, { name: \"c\" }])).length;"),
        ),
    ]);
    house.write(Principal::service(), thing).await.unwrap();
    assert_eq!(house.count("parts"), 1);
    assert_eq!(house.told("make", json!({})).await, "200 2");
    assert_eq!(house.count("parts"), 3);
    // Each of the three rows takes a new count.
    let raise = |on: On<'_>| {
        let name = on.compare("name", takt_model::CompareOp::Ge, Value::Text("a".to_owned())).unwrap();
        on.update(name, vec![("count", Value::Integer(5))]).unwrap()
    };
    assert_eq!(house.write(Principal::service(), raise).await.unwrap().affected, 3);
    assert_eq!(house.count("parts"), 6);
    // The product's own work sets nothing off.
    house.write(Principal::system("test: raise"), raise).await.unwrap();
    assert_eq!(house.count("parts"), 6);
}

#[tokio::test]
async fn a_hook_sees_the_row_before_and_after_with_the_types_of_its_fields() {
    let seen = "reject(409, { de: `${verb} ${table} ${before?.price.add(1)} ${after?.price.add(1)} ${typeof after?.serial}` }, { before, after: after?.name });";
    let house = House::new(&[
        ("logic/a.ts", &hook("{ table: \"things\", verbs: [\"update\", \"delete\"] }", seen)),
        (
            "logic/fill.ts",
            &action(
                r#"await db.things.insert({ id: "00000000-0000-7000-8000-000000000001", name: "x", price: new Decimal("1.50"), serial: 7n });"#,
            ),
        ),
    ]);
    house.told("fill", json!({})).await;
    let price = |on: On<'_>| {
        let all = on.eq("name", Value::Text("x".to_owned())).unwrap();
        on.update(all, vec![("price", Value::Decimal("2.25".parse().unwrap()))]).unwrap()
    };
    let gone = |on: On<'_>| on.delete(on.eq("name", Value::Text("x".to_owned())).unwrap());
    let lines = [
        refused(house.write(Principal::service(), price).await),
        refused(house.write(Principal::service(), gone).await),
    ];
    expect![[r#"
        409 update things 2.50 3.25 bigint {"before":{"id":"00000000-0000-7000-8000-000000000001","name":"x","count":0,"serial":7,"price":1.50,"weight":null,"active":true,"day":null,"hour":null,"at":null,"extra":null,"raw":null,"colour":"red"},"after":"x"}
        409 delete things 2.50 undefined undefined {"before":{"id":"00000000-0000-7000-8000-000000000001","name":"x","count":0,"serial":7,"price":1.50,"weight":null,"active":true,"day":null,"hour":null,"at":null,"extra":null,"raw":null,"colour":"red"}}"#]]
    .assert_eq(&lines.join("\n"));
    assert_eq!(house.count("things"), 1);
}

#[tokio::test]
async fn a_refusal_undoes_the_whole_write_and_what_other_hooks_did() {
    let house = House::new(&[
        (
            "logic/a.ts",
            &hook("{ table: \"things\" }", &format!("{NOTES} emit(\"thing.made\", {{ key: after.id }});")),
        ),
        (
            "logic/b.ts",
            &hook(
                "{ table: \"things\" }",
                "if (after.name === \"a\") reject(422, { en: \"No\", de: \"Nein\" });",
            ),
        ),
        ("logic/make.ts", &action("return await db.things.insert({ name: input.x });")),
        (
            "logic/careful.ts",
            &action(
                "try { await db.things.insert({ name: \"a\" }); } catch (e) { await db.things.insert({ name: e.code }); }",
            ),
        ),
    ]);
    assert_eq!(refused(house.write(Principal::service(), thing).await), "422 Nein null");
    assert_eq!((house.count("things"), house.count("parts"), house.count("takt.outbox_events")), (0, 0, 0));

    // The action answers as if it had said so itself.
    let answer = house.call("make", json!({ "x": "a" })).await.unwrap();
    assert_eq!((answer.status, answer.refused), (422, true));
    assert_eq!(answer.body, r#"{"message":{"en":"No","de":"Nein"},"details":null}"#);
    let story = house.engine.story(answer.story).unwrap().unwrap();
    assert!(matches!(story.result, StoryResult::Refused { status: 422, .. }));

    // A function that catches it goes on; what was undone is not told.
    house.call("careful", json!({})).await.unwrap();
    let story = house.engine.story_last(Some("careful")).unwrap().unwrap();
    let told: Vec<&str> = story.changes.iter().map(|c| c.table.as_str()).collect();
    assert_eq!((told, story.events.len()), (vec!["things"], 1));
    assert_eq!((house.count("things"), house.count("takt.outbox_events")), (1, 1));
}

#[tokio::test]
async fn what_hooks_do_in_an_action_stands_in_its_story() {
    let house = House::new(&[
        ("logic/note.ts", &hook("{ table: \"things\" }", NOTES)),
        ("logic/idle.ts", &hook("{ table: \"things\" }", "")),
        ("logic/make.ts", &action("await step(\"Make\", () => db.things.insert({ name: \"b\" }));")),
    ]);
    house.call("make", json!({})).await.unwrap();
    let story = house.engine.story_last(None).unwrap().unwrap();
    let steps: Vec<String> = story
        .steps
        .iter()
        .map(|s| {
            let tables: Vec<&str> = s.changes.iter().map(|c| c.table.as_str()).collect();
            format!("{} {} {}", s.depth, s.label.get("en").unwrap_or_default(), tables.join(" "))
        })
        .collect();
    assert_eq!(steps, ["0 Make things", "1 Hook parts"]);
}

#[tokio::test]
async fn a_hook_has_the_rights_of_the_writer_or_of_the_service() {
    let body = "reject(409, { de: `${user?.email} ${(await db.parts.find()).length}` });";
    let own = hook("{ table: \"things\" }", body).replace("runs_as = \"service\"", "runs_as = \"caller\"");
    let caller_cannot_write = "[[policies]]\nname = \"all make things\"\nto = [\"authenticated\"]\nallow = [\"insert\"]\ncheck = \"true\"\n";
    let told_by = async |source: String| {
        let mut files = files(&[("logic/a.ts", &source)]);
        files.0.get_mut("schema/things.toml").unwrap().push_str(caller_cannot_write);
        refused(House::of(&files).write(customer(), thing).await)
    };
    assert_eq!(told_by(hook("{ table: \"things\" }", body)).await, "409 person7@example.com 0 null");
    // Customers have no policy for parts.
    assert!(told_by(own).await.contains("Denied"), "as the caller");
}

#[tokio::test]
async fn hooks_set_off_each_other_to_a_certain_depth() {
    let deeper = |most: u32| {
        hook(
            "{ table: \"things\", verbs: [\"insert\"] }",
            &format!(
                "if (after.count < {most}) await db.things.insert({{ name: after.name + \"x\", count: after.count + 1 }});"
            ),
        )
    };
    let house = House::new(&[("logic/deep.ts", &deeper(7))]);
    house.write(Principal::service(), thing).await.unwrap();
    assert_eq!(house.count("things"), 8);

    let house = House::new(&[("logic/deep.ts", &deeper(1_000))]);
    expect!["failed 54001 at -: hooks have set off each other 8 times over; the last one wrote things"]
        .assert_eq(&refused(house.write(Principal::service(), thing).await));
    assert_eq!(house.count("things"), 0);
    // The deepest stack that there can be: an action, and in each of its hooks as much recursion as one may have.
    let house = House::new(&[
        (
            "logic/deep.ts",
            &hook(
                "{ table: \"things\", verbs: [\"insert\"] }",
                "const dig = (n) => n === 0 ? 0 : 1 + dig(n - 1);\nlet n = 100;\ntry { while (true) { dig(n); n = n * 2; } } catch {}\nlet result; const down = (d) => d > n / 4 ? db.things.insert({ name: after.name + \"x\", count: after.count + 1 }) : down(d + 1);\nif (after.count < 7) await down(0);",
            ),
        ),
        ("logic/start.ts", &action("await db.things.insert({ name: \"a\" });")),
    ]);
    assert_eq!(house.told("start", json!({})).await, "204");
    assert_eq!(house.count("things"), 8);
}

#[tokio::test]
async fn a_hook_that_fails_or_runs_away_undoes_the_write() {
    let house = House::new(&[
        (
            "logic/a.ts",
            &hook(
                "{ table: \"things\" }",
                "if (after.name === \"a\") while (true);\nif (after.name === \"b\") throw new Error(\"broken\");",
            ),
        ),
        ("logic/make.ts", &action("await db.things.insert({ name: input.x });")),
    ]);
    let stopped = refused(house.write(Principal::service(), thing).await);
    assert!(stopped.starts_with("failed 57014"), "{stopped}");
    assert_eq!(
        told(house.call("make", json!({ "x": "b" })).await),
        "failed P0001 at logic/a.ts:3:35: broken"
    );
    assert_eq!(house.told("make", json!({ "x": "c" })).await, "204");
    assert_eq!(house.count("things"), 1);
}

#[tokio::test]
async fn an_upsert_sets_off_what_each_row_became() {
    let house = House::new(&[(
        "logic/a.ts",
        &hook(
            "{ table: \"things\", verbs: [\"update\"] }",
            "reject(409, { de: `${before.count} ${after.count}` });",
        ),
    )]);
    let put = |on: On<'_>| {
        let values = vec![("name", Value::Text("a".to_owned())), ("count", Value::Integer(3))];
        let Plan::Insert(mut insert) = on.insert(values).unwrap() else { unreachable!() };
        let conflict = Conflict { fields: vec![on.field("name").unwrap()], action: ConflictAction::Merge };
        insert.conflict = Some(conflict);
        Plan::Insert(insert)
    };
    house.write(Principal::service(), put).await.unwrap();
    assert_eq!(refused(house.write(Principal::service(), put).await), "409 3 3 null");
}

#[tokio::test]
async fn a_reload_brings_other_hooks() {
    let house = House::new(&[("logic/note.ts", &hook("{ table: \"things\" }", NOTES))]);
    let other = files(&[("logic/note.ts", &hook("{ table: \"things\" }", "reject(409, { de: \"neu\" });"))]);
    let served = project(&other);
    let (logic, _) = takt_logic::Logic::load(&other, &served, outbound());
    house.engine.replace_project(served, logic.hooks()).unwrap();
    assert_eq!(refused(house.write(Principal::service(), thing).await), "409 neu null");
    let none = files(&[]);
    let served = project(&none);
    let (logic, _) = takt_logic::Logic::load(&none, &served, outbound());
    house.engine.replace_project(served, logic.hooks()).unwrap();
    house.write(Principal::service(), thing).await.unwrap();
    assert_eq!(house.count("parts"), 0);
}

#[test]
fn mistakes_of_hooks_are_told() {
    let exports = [
        "export const kind = \"hook\";",
        "export const kind = \"hook\", on = { table: \"thinks\" };",
        "export const kind = \"hook\", on = { table: \"things\", verbs: [\"insrt\", \"select\"] };",
        "export const kind = \"hook\", on = { table: \"things\", verbs: [] };",
        "export const kind = \"hook\", on = { table: \"things\", verb: [\"insert\"] };",
        "export const kind = \"hook\", on = { table: \"takt.stories\" };",
        "export const kind = \"hook\", on = { table: \"things\" }, access = [\"anon\"], input = { x: \"text\" };",
        "export const on = { table: \"things\" };",
    ];
    let sources: Vec<String> = exports.iter().map(|e| format!("{e}\nexport default () => 1;")).collect();
    let names: Vec<String> = (0..exports.len()).map(|n| format!("logic/f{n}.ts")).collect();
    let files: Vec<(&str, &str)> =
        names.iter().map(String::as_str).zip(sources.iter().map(String::as_str)).collect();
    let told: Vec<String> = problems(&files).iter().map(ToString::to_string).collect();
    expect![[r#"
        logic/f0.ts:1: error: a hook says whose rows it waits for; write `export const on = { table: "orders", verbs: ["insert"] }`
        logic/f1.ts:1: error: unknown table `thinks`; did you mean `things`?
        logic/f2.ts:1: error: unknown verb "insrt"; did you mean `insert`?
        logic/f2.ts:1: error: unknown verb "select"; rows are written by insert, update, delete
        logic/f3.ts:1: error: `verbs` is no list of verbs; write `verbs: ["insert", "update", "delete"]`
        logic/f4.ts:1: error: `on` does not know `verb`; did you mean `verbs`?
        logic/f5.ts:1: error: unknown table `takt.stories`
        logic/f6.ts:1: error: a hook has no `input`; a hook is given `{ verb, table, before, after }`
        logic/f6.ts:1: error: `access` says who may call; leave it out; nobody calls a function of this kind
        logic/f7.ts:1: error: nothing sets off a function of this kind but a call; say `export const kind = "hook"` for rows, `"consumer"` for events"#]].assert_eq(&told.join("\n"));
}

#[test]
fn a_hook_that_will_not_see_what_the_database_does_is_warned() {
    let mut files = files(&[
        ("logic/a.ts", &hook("{ table: \"parts\", verbs: [\"delete\"] }", "")),
        ("logic/b.ts", &hook("{ table: \"parts\", verbs: [\"insert\"] }", "")),
    ]);
    let parts = files.0.get_mut("schema/parts.toml").unwrap();
    *parts = parts.replace("\"things.id\"", "\"things.id\"\non_delete = \"cascade\"");
    let (_, problems) = takt_logic::Logic::load(&files, &project(&files), outbound());
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    expect![[r#"logic/a.ts:1: warning: rows of parts that are removed with their things call no hook; put a hook on things, or say `on_delete = "restrict"`"#]].assert_eq(&told.join("\n"));
}
