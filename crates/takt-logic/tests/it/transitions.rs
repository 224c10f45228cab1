//! The transitions of an enum hold for every writer: over REST, with the secret key, in actions.

use expect_test::expect;
use serde_json::json;
use takt_engine::EngineError;
use takt_model::{Principal, ProjectFiles, Value};
use takt_plan::{Conflict, ConflictAction, On, Plan};

use crate::house::{House, action, customer, files};

/// Things become green and stay it.
fn sources() -> ProjectFiles {
    let change = action(
        "await db.things.update({ name: \"a\" }, { colour: \"green\" });\nawait db.things.update({ name: \"a\" }, { colour: \"red\" });",
    );
    let mut files = files(&[("logic/change.ts", &change)]);
    let things = files.0.get_mut("schema/things.toml").unwrap();
    *things = things.replace("default = \"red\"", "default = \"red\"\ntransitions = { red = [\"green\"] }");
    things.push_str("[[policies]]\nname = \"all change things\"\nto = [\"authenticated\"]\nallow = [\"update\"]\nusing = \"true\"\ncheck = \"true\"\n");
    files
}

fn colour(on: On<'_>, colour: &str) -> Plan {
    let this = on.eq("name", Value::Text("a".to_owned())).unwrap();
    on.update(this, vec![("colour", Value::Text(colour.to_owned()))]).unwrap()
}

fn upsert(on: On<'_>, colour: &str) -> Plan {
    let values = vec![("name", Value::Text("a".to_owned())), ("colour", Value::Text(colour.to_owned()))];
    let Plan::Insert(mut insert) = on.insert(values).unwrap() else { unreachable!() };
    insert.conflict =
        Some(Conflict { fields: vec![on.field("name").unwrap()], action: ConflictAction::Merge });
    Plan::Insert(insert)
}

#[tokio::test]
async fn a_transition_that_is_not_named_is_refused_to_every_writer() {
    let house = House::of(&sources());
    house.write(Principal::service(), |on| upsert(on, "red")).await.unwrap();
    let mut lines = vec![house.told("change", json!({})).await];
    // What the action did before it was refused is undone.
    house.write(customer(), |on| colour(on, "green")).await.unwrap();
    let told =
        |result: Result<_, EngineError>| result.map(|_: takt_engine::Outcome| ()).unwrap_err().to_string();
    lines.push(told(house.write(customer(), |on| colour(on, "red")).await));
    lines.push(told(house.write(Principal::service(), |on| colour(on, "red")).await));
    lines.push(told(house.write(Principal::service(), |on| upsert(on, "red")).await));
    house.write(Principal::service(), |on| upsert(on, "green")).await.unwrap();
    expect![[r#"
        engine: things.colour may not change from "green" to "red"
        things.colour may not change from "green" to "red"
        things.colour may not change from "green" to "red"
        things.colour may not change from "green" to "red""#]]
    .assert_eq(&lines.join("\n"));
}
