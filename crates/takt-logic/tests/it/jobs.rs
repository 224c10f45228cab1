//! Jobs: by the clock, each due moment once; and after a delay, if and only if the transaction that asked commits.

use std::time::Duration;

use expect_test::expect;
use serde_json::json;
use takt_engine::{EngineError, StoryCause, StoryResult};
use takt_logic::{Logic, Scheduler};
use takt_model::Uuid;

use crate::house::{House, action, files, outbound, problems, project};

const HOURLY: &str = "export const kind = \"job\", schedule = \"0 * * * *\", label = { en: \"Hourly\" };
export default async function ({ db, now, user }) {
  await db.things.insert({ name: now.slice(0, 16) });
}
";

const REMIND: &str = "export const kind = \"job\", input = { name: \"text\" };
export default async function ({ db, reject }, { name }) {
  if (name === \"broken\") throw new Error(\"broken\");
  if (name === \"no\") reject(409, \"no\");
  await db.things.insert({ name });
}
";

fn hours(n: u64) -> Duration {
    Duration::from_secs(n * 3600)
}

impl House {
    async fn tick(&self, scheduler: &mut Scheduler) -> u64 {
        scheduler.run_due(&self.logic, &self.engine).await;
        self.count("things")
    }

    /// State, attempts and minutes until it is due, of each delayed job.
    fn later(&self) -> Vec<String> {
        let minutes = |at: i64| (at - self.engine.now()) / 60_000_000;
        let jobs = self.engine.later_jobs(100).unwrap();
        jobs.iter().map(|j| format!("{} {} {}", j.state, j.attempts, minutes(j.due_at))).collect()
    }
}

/// `later("remind", ...)` as the body of an action.
fn asks(arguments: &str) -> String {
    action(&format!("return later(\"remind\", {arguments});"))
        .replace("uuid, Decimal", "uuid, Decimal, later")
}

#[tokio::test]
async fn each_due_moment_runs_once() {
    let house = House::new(&[("logic/hourly.ts", HOURLY)]);
    let mut scheduler = Scheduler::default();
    assert_eq!(house.tick(&mut scheduler).await, 0, "nothing is made up from before the first start");
    house.clock.forward(hours(1));
    assert_eq!(house.tick(&mut scheduler).await, 1);
    assert_eq!(house.tick(&mut scheduler).await, 1);
    // Another task that knows nothing of the first: a restart, or a crash after the commit.
    assert_eq!(house.tick(&mut Scheduler::default()).await, 1);
    house.clock.forward(hours(1));
    assert_eq!(house.tick(&mut scheduler).await, 2);
    let story = house.engine.story_last(Some("hourly")).unwrap().unwrap();
    assert_eq!((story.result, story.caller), (StoryResult::Success, None));
    assert!(matches!(story.cause, StoryCause::Schedule { .. }));
}

#[tokio::test]
async fn of_the_moments_missed_while_nobody_served_the_latest_is_made_up() {
    let house = House::new(&[("logic/hourly.ts", HOURLY)]);
    house.tick(&mut Scheduler::default()).await;
    house.clock.forward(hours(50));
    let mut scheduler = Scheduler::default();
    assert_eq!(house.tick(&mut scheduler).await, 1);
    assert_eq!(house.tick(&mut scheduler).await, 1);
}

/// Somebody sets the clock of the machine: no moment runs twice, and after it everything is on time again.
#[tokio::test]
async fn a_clock_that_jumps_runs_no_moment_twice() {
    let house = House::new(&[("logic/hourly.ts", HOURLY)]);
    let mut scheduler = Scheduler::default();
    house.tick(&mut scheduler).await;
    house.clock.forward(hours(1));
    assert_eq!(house.tick(&mut scheduler).await, 1);
    house.clock.back(hours(24));
    for _ in 0..24 {
        house.clock.forward(hours(1));
        assert_eq!(house.tick(&mut scheduler).await, 1, "that moment has run");
        // A restart on the tick changes nothing.
        assert_eq!(house.tick(&mut Scheduler::default()).await, 1);
    }
    house.clock.forward(hours(1));
    assert_eq!(house.tick(&mut scheduler).await, 2);
    house.clock.forward(hours(24));
    assert_eq!(house.tick(&mut scheduler).await, 3, "of the moments missed the latest is made up");
    house.clock.forward(hours(1));
    assert_eq!(house.tick(&mut scheduler).await, 4);
}

#[tokio::test]
async fn a_job_that_fails_waits_for_its_next_moment() {
    let broken = HOURLY
        .replace("await db", "await db.things.insert({ name: \"x\" }); throw new Error(\"y\"); await db");
    let house = House::new(&[("logic/hourly.ts", &broken)]);
    let mut scheduler = Scheduler::default();
    house.tick(&mut scheduler).await;
    house.clock.forward(hours(1));
    assert_eq!(house.tick(&mut scheduler).await, 0);
    house.tick(&mut scheduler).await;
    assert_eq!(house.count("takt.stories"), 1);
    house.clock.forward(hours(1));
    house.tick(&mut scheduler).await;
    assert_eq!(house.count("takt.stories"), 2);
}

#[tokio::test]
async fn a_new_schedule_makes_nothing_up_either() {
    let house = House::new(&[("logic/hourly.ts", HOURLY)]);
    let mut scheduler = Scheduler::default();
    house.tick(&mut scheduler).await;
    house.clock.forward(Duration::from_secs(600));
    let changed = files(&[("logic/hourly.ts", &HOURLY.replace("0 * * * *", "*/20 * * * *"))]);
    let (logic, _) = Logic::load(&changed, &project(&changed), outbound());
    scheduler.run_due(&logic, &house.engine).await;
    assert_eq!(house.count("things"), 0);
    house.clock.forward(Duration::from_secs(1200));
    scheduler.run_due(&logic, &house.engine).await;
    assert_eq!(house.count("things"), 1);
}

#[tokio::test]
async fn a_delayed_job_is_asked_for_in_the_transaction_and_done_after_it() {
    let house = House::new(&[
        ("logic/remind.ts", REMIND),
        ("logic/soon.ts", &asks("{ name: \"soon\" }")),
        ("logic/three.ts", &asks("{ name: \"three\" }, { after: \"3d\" }")),
        ("logic/at.ts", &asks("{ name: \"at\" }, { at: \"2026-11-24T00:00:00Z\" }")),
        ("logic/undone.ts", &asks("{ name: \"undone\" }) && reject(409, \"no\"")),
    ]);
    let mut scheduler = Scheduler::default();
    for function in ["soon", "three", "at"] {
        let answer = house.call(function, json!({})).await.unwrap();
        let id: String = serde_json::from_str(&answer.body).unwrap();
        assert!(Uuid::parse_str(&id).is_ok());
    }
    assert!(house.call("undone", json!({})).await.unwrap().refused);
    assert_eq!(house.count("takt.later_jobs"), 3, "what was undone was never asked for");
    assert_eq!(house.tick(&mut scheduler).await, 1);
    house.clock.forward(hours(24));
    assert_eq!(house.tick(&mut scheduler).await, 2);
    house.clock.forward(hours(48));
    assert_eq!(house.tick(&mut scheduler).await, 3);
    assert_eq!(house.tick(&mut Scheduler::default()).await, 3);
    assert!(house.later().iter().all(|j| j.starts_with("done 0 ")), "{:?}", house.later());
}

#[tokio::test]
async fn a_delayed_job_that_fails_is_tried_again_five_times() {
    let house = House::new(&[("logic/remind.ts", REMIND), ("logic/ask.ts", &asks("{ name: \"broken\" }"))]);
    let mut scheduler = Scheduler::default();
    house.call("ask", json!({})).await.unwrap();
    let mut told = Vec::new();
    for wait in [0, 1, 5, 30, 120, 360, 1_000] {
        house.clock.forward(Duration::from_secs(wait * 60));
        house.tick(&mut scheduler).await;
        told.extend(house.later());
    }
    expect![[r#"
        waiting 1 1
        waiting 2 5
        waiting 3 30
        waiting 4 120
        waiting 5 360
        failed 6 0
        failed 6 -1000"#]]
    .assert_eq(&told.join("\n"));
    assert_eq!(house.count("takt.stories"), 7, "one of the action, one of each attempt");
}

#[tokio::test]
async fn a_delayed_job_that_is_refused_or_unknown_stays_visible() {
    let house = House::new(&[("logic/remind.ts", REMIND), ("logic/ask.ts", &asks("{ name: input.x }"))]);
    house.call("ask", json!({ "x": "no" })).await.unwrap();
    house.tick(&mut Scheduler::default()).await;
    assert_eq!(house.later(), ["refused 0 0"]);

    house.clock.forward(Duration::from_secs(1));
    house.call("ask", json!({ "x": "gone" })).await.unwrap();
    let without = files(&[]);
    let (logic, _) = Logic::load(&without, &project(&without), outbound());
    Scheduler::default().run_due(&logic, &house.engine).await;
    assert_eq!(house.later()[0], "waiting 1 1");
    let story = house.engine.story_last(Some("remind")).unwrap().unwrap();
    assert!(
        matches!(story.result, StoryResult::Failed { ref message, .. } if message == "there is no job `remind`")
    );
    // Back in the next release.
    house.clock.forward(Duration::from_secs(60));
    assert_eq!(house.tick(&mut Scheduler::default()).await, 1);
}

#[tokio::test]
async fn a_key_makes_the_last_word_count() {
    let house = House::new(&[
        ("logic/remind.ts", REMIND),
        ("logic/ask.ts", &asks("{ name: input.x }, { after: \"1h\", key: \"k\" }")),
    ]);
    let mut scheduler = Scheduler::default();
    let first = house.call("ask", json!({ "x": "a" })).await.unwrap().body;
    house.clock.forward(Duration::from_secs(1800));
    assert_eq!(house.call("ask", json!({ "x": "b" })).await.unwrap().body, first);
    house.clock.forward(Duration::from_secs(1800));
    assert_eq!(house.tick(&mut scheduler).await, 0, "it was moved");
    house.clock.forward(Duration::from_secs(1800));
    assert_eq!(house.tick(&mut scheduler).await, 1);
    // What is done has left its key to the next one.
    assert_ne!(house.call("ask", json!({ "x": "c" })).await.unwrap().body, first);
    house.clock.forward(hours(1));
    assert_eq!(house.tick(&mut scheduler).await, 2);
}

#[tokio::test]
async fn what_is_asked_for_in_a_wrong_way_is_told_where_it_is_asked() {
    let bodies = [
        "later(\"remnd\", {});",
        "later(\"f0\", {});",
        "later(\"remind\", {});",
        "later(\"remind\", { name: \"x\", nam: 1 });",
        "later(\"remind\", { name: \"x\" }, { after: \"3 weeks\" });",
        "later(\"remind\", { name: \"x\" }, { at: \"tomorrow\" });",
        "later(\"remind\", { name: \"x\" }, { after: \"1h\", at: now });",
        "later(\"remind\", { name: \"x\" }, { afer: \"1h\" });",
        "later(\"remind\", { name: \"x\" }, { key: 5 });",
        "later(5);",
    ];
    let sources: Vec<String> = bodies
        .iter()
        // Under another name, because the check at load time would refuse it.
        .map(|b| b.replace("later(\"", "ask(\""))
        .map(|b| {
            action(&format!(
                "const ask = later;\ntry {{ {b} }} catch (e) {{ return `${{e.code}} ${{e.message}}`; }}"
            ))
        })
        .map(|s| s.replace("uuid, Decimal", "uuid, Decimal, later"))
        .collect();
    let names: Vec<String> = (0..bodies.len()).map(|n| format!("logic/f{n}.ts")).collect();
    let mut functions: Vec<(&str, &str)> =
        names.iter().map(String::as_str).zip(sources.iter().map(String::as_str)).collect();
    functions.push(("logic/remind.ts", REMIND));
    let house = House::new(&functions);
    let mut lines = Vec::new();
    for n in 0..bodies.len() {
        lines.push(house.told(&format!("f{n}"), json!({})).await);
    }
    expect![[r#"
        200 "42883 there is no job `remnd`; did you mean `remind`?"
        200 "42883 there is no job `f0`"
        200 "22023 input \"name\" is missing"
        200 "22023 remind takes no input \"nam\""
        200 "22023 later: `after` is a time like \"15m\", \"2h\" or \"3d\", not \"3 weeks\""
        200 "22007 later: `at`: invalid input syntax for type timestamp with time zone: \"tomorrow\""
        200 "22023 later: say `after` or `at`, not both"
        200 "22023 later does not know `afer`; did you mean `after`?"
        200 "22023 later: `key` is a text, not a number"
        200 "undefined later(function, input, { after }): the function is a text""#]]
    .assert_eq(&lines.join("\n"));
    assert_eq!(house.count("takt.later_jobs"), 0);
}

#[tokio::test]
async fn a_crash_in_the_middle_leaves_the_job_due() {
    let folder = tempfile::tempdir().unwrap();
    let sources = files(&[("logic/remind.ts", REMIND), ("logic/ask.ts", &asks("{ name: input.x }"))]);
    let house = House::at(&sources, folder.path());
    house.call("ask", json!({ "x": "a" })).await.unwrap();
    // The effect is written and its transaction never commits.
    let undone: Result<(), EngineError> = house
        .engine
        .transact(|tx| {
            let on = tx.on("takt.later_jobs")?;
            let all = on.eq("state", takt_model::Value::Text("waiting".to_owned()))?;
            let done = on.update(all, vec![("state", takt_model::Value::Text("done".to_owned()))])?;
            tx.rows(&takt_model::Principal::system("test: crash"), done)?;
            Err(EngineError::Internal("crash".to_owned()))
        })
        .await;
    undone.unwrap_err();
    house.engine.close();
    drop(house);
    let house = House::at(&sources, folder.path());
    assert_eq!(house.tick(&mut Scheduler::default()).await, 1);
    assert_eq!(house.tick(&mut Scheduler::default()).await, 1);
}

#[test]
fn mistakes_of_jobs_and_consumers_are_told() {
    let exports = [
        "export const kind = \"job\", schedule = \"0 25 * * *\";",
        "export const kind = \"job\", schedule = \"0 6 * * *\", time_zone = \"Europe/Berln\";",
        "export const kind = \"job\", time_zone = \"Europe/Berlin\";",
        "export const kind = \"job\", schedule = \"0 6 * * *\", input = { x: \"text\" };",
        "export const kind = \"job\", runs_as = \"caller\", access = [\"anon\"], on = \"x\";",
        "export const schedule = \"0 6 * * *\";",
        "export const kind = \"consumer\";",
        "export const kind = \"consumer\", on = { table: \"things\" };",
        "export const kind = \"consumer\", on = [\"a\", 5];",
        "export const kind = \"consumer\", on = \"a\", input = {};",
    ];
    let sources: Vec<String> = exports.iter().map(|e| format!("{e}\nexport default () => 1;")).collect();
    let names: Vec<String> = (0..exports.len()).map(|n| format!("logic/f{n}.ts")).collect();
    let files: Vec<(&str, &str)> =
        names.iter().map(String::as_str).zip(sources.iter().map(String::as_str)).collect();
    let told: Vec<String> = problems(&files).iter().map(ToString::to_string).collect();
    expect![[r#"
        logic/f0.ts:1: error: the hour "25" is none (0 to 23); write `schedule = "0 6 * * *"`, `time_zone = "Europe/Berlin"`
        logic/f1.ts:1: error: unknown time zone `Europe/Berln`; write `schedule = "0 6 * * *"`, `time_zone = "Europe/Berlin"`
        logic/f2.ts:1: error: a time zone without a schedule; write `export const schedule = "0 6 * * *"`
        logic/f3.ts:1: error: the clock gives no input; make its input optional, or leave the schedule out
        logic/f4.ts:1: error: nothing sets off a function of this kind but a call; say `export const kind = "hook"` for rows, `"consumer"` for events
        logic/f4.ts:1: error: `access` says who may call; leave it out; nobody calls a function of this kind
        logic/f4.ts:1: error: there is no caller whose rights it could have; leave it out: what nobody calls runs as service
        logic/f5.ts:1: error: only jobs have a `schedule`; say `export const kind = "job"`
        logic/f6.ts:1: error: a consumer says which events it waits for; write `export const on = "order.placed"`, or a list of events
        logic/f7.ts:1: error: a consumer says which events it waits for; write `export const on = "order.placed"`, or a list of events
        logic/f8.ts:1: error: a consumer says which events it waits for; write `export const on = "order.placed"`, or a list of events
        logic/f9.ts:1: error: a consumer has no `input`; a consumer is given `{ id, name, key, payload, at }`"#]].assert_eq(&told.join("\n"));
}
