//! A small house for tests: a project, a temporary database, a clock that the test moves.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use takt_engine::{
    Action, ActionError, ActionTx, Clock, Engine, EngineError, EngineOptions, Idempotency, Store,
    StoreOptions, TABLES,
};
use takt_model::{Principal, Project, ProjectFiles, Severity, User, Uuid, Value, Words};
use takt_plan::{Assignment, On, Plan, Update};

/// A shelf with a stock that may not fall below 0.
pub(crate) const SHELVES: &str = r#"
label = { en = "Shelves" }
[fields]
id = { type = "integer", primary_key = true }
stock = { type = "integer", required = true, check = "stock >= 0" }
keeper = { type = "text", personal = "name" }
"#;

/// 2026-11-23T09:00:00Z in microseconds.
pub(crate) const START: i64 = 1_795_424_400_000_000;

pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn forward(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_micros()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

pub(crate) fn project(shelves: &str) -> Arc<Project> {
    let files = ProjectFiles::from([
        ("takt.toml", "name = \"Test\"\nlanguages = [\"en\"]\n"),
        ("schema/shelves.toml", shelves),
    ]);
    let (project, problems) = Project::parse(&files, &[TABLES]);
    let errors: Vec<_> = problems.iter().filter(|p| p.severity == Severity::Error).collect();
    assert!(errors.is_empty(), "{errors:?}");
    Arc::new(project)
}

pub(crate) fn open(folder: &Path, shelves: &str) -> Result<(Engine, Arc<TestClock>), EngineError> {
    let store = Store::open(StoreOptions {
        file: folder.join("takt.db"),
        readers: 2,
        write_queue: 64,
        read_time: Duration::from_secs(5),
        database_bytes: 0,
        vfs: "unix-excl".to_owned(),
        synchronous_full: true,
    })?;
    let clock = Arc::new(TestClock(AtomicI64::new(START)));
    let engine = Engine::open(EngineOptions { store, project: project(shelves), clock: clock.clone() })?;
    Ok((engine, clock))
}

pub(crate) fn customer(n: u128) -> Principal {
    Principal::user(User {
        id: Uuid::from_u128(n),
        email: None,
        roles: Vec::new(),
        session_id: None,
        claims: serde_json::Value::Null,
    })
}

pub(crate) fn action(caller: Principal, input: &str, key: Option<&str>) -> Action {
    Action {
        function: "take".to_owned(),
        label: Words::from([("en", "Take one"), ("de", "Eins nehmen")]),
        rights: caller.elevated(),
        caller,
        input_json: input.to_owned(),
        idempotency: key.map(|k| Idempotency { key: k.to_owned() }),
        once: None,
    }
}

pub(crate) fn shelf(project: &Project) -> On<'_> {
    On::table(project, "shelves").unwrap()
}

/// Takes `amount` from shelf 1 in a step, emits an event, gives the new stock.
pub(crate) fn take(tx: &ActionTx, amount: i64) -> Result<String, ActionError> {
    let step = tx.step_begin(Words::from([("en", "Stock reserved"), ("de", "Bestand reserviert")]));
    let project = tx.inner().project().clone();
    let on = shelf(&project);
    let plan = Plan::Update(Update {
        table: on.table.id,
        filter: Some(on.eq("id", Value::Integer(1)).map_err(EngineError::from)?),
        all: false,
        set: vec![(
            on.field("stock").map_err(EngineError::from)?,
            Assignment::Subtract(Value::Integer(amount)),
        )],
        returning: Some(on.node(&["stock"], None).map_err(EngineError::from)?),
        max_affected: None,
    });
    let (rows, _) = tx.rows(plan)?;
    tx.step_end(step, true);
    tx.emit("stock.taken", Some("1"), "{}")?;
    Ok(format!("{:?}", rows.value(0, "stock").unwrap()))
}

pub(crate) fn fill(engine: &Engine, stock: i64) {
    engine
        .transact_blocking(move |tx| -> Result<(), EngineError> {
            let plan = shelf(tx.project()).insert(vec![
                ("id", Value::Integer(1)),
                ("stock", Value::Integer(stock)),
                ("keeper", Value::Text("somebody".to_owned())),
            ])?;
            tx.rows(&Principal::system("test: fill"), plan)?;
            Ok(())
        })
        .unwrap();
}

/// How many rows a table of any exposure has.
pub(crate) fn count(engine: &Engine, table: &str) -> u64 {
    engine
        .look_up(|tx| -> Result<u64, EngineError> {
            let plan = On::table(tx.project(), table)?.count(None);
            Ok(tx.rows(&Principal::system("test: count"), plan)?.1.count.unwrap())
        })
        .unwrap()
}
