//! A small project with a database of its own, and short ways to call its functions.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use serde_json::{Value as Json, json};
use takt_engine::{Clock, Engine, EngineError, EngineOptions, Store, StoreOptions};
use takt_logic::{Call, HttpAnswer, HttpCall, Logic, LogicError};
use takt_model::{Principal, Problem, Project, ProjectFiles, SystemTables, User, Uuid};
use takt_outbound::{Outbound, OutboundOptions};

/// 2026-11-23T09:14:07.123456Z
pub(crate) const NOW: i64 = 1_795_425_247_123_456;

/// Time stands still, unless a test moves it.
pub(crate) struct Still(AtomicI64);

impl Still {
    pub(crate) fn forward(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_micros()).unwrap(), Ordering::SeqCst);
    }

    pub(crate) fn back(&self, by: Duration) {
        self.0.fetch_sub(i64::try_from(by.as_micros()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for Still {
    fn now(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// Accounts, as far as projects refer to them.
const ACCOUNTS: SystemTables = SystemTables {
    file: "house/accounts.toml",
    text: "[\"auth.users\"]\nlabel = { en = \"Accounts\" }\n[\"auth.users\".fields.id]\ntype = \"uuid\"\nprimary_key = true\n",
};

const TAKT: &str = "name = \"House\"\nlanguages = [\"en\", \"de\"]\nroles = [\"staff\"]\n";

const THINGS: &str = r#"
label = { en = "Things" }
[fields.id]
type = "uuid"
primary_key = true
default = "uuid_v7()"
[fields.name]
type = "text"
max = 40
required = true
unique = true
[fields.count]
type = "integer"
default = 0
check = "count >= 0"
[fields.serial]
type = "bigint"
[fields.price]
type = "decimal(12,2)"
[fields.weight]
type = "double"
[fields.active]
type = "boolean"
default = true
[fields.day]
type = "date"
[fields.hour]
type = "time"
[fields.at]
type = "timestamp"
[fields.extra]
type = "json"
[fields.raw]
type = "bytes"
[fields.colour]
type = "enum"
values = ["red", "green"]
default = "red"

[[policies]]
name = "everybody sees active things"
to = ["anon", "authenticated"]
allow = ["select"]
using = "active"
"#;

const PARTS: &str = r#"
label = { en = "Parts" }
[fields.thing]
type = "uuid"
primary_key = true
references = "things.id"
[fields.place]
type = "integer"
primary_key = true
"#;

/// A project with an engine.
pub(crate) struct House {
    pub(crate) engine: Engine,
    pub(crate) logic: Logic,
    pub(crate) clock: Arc<Still>,
    _folder: Option<tempfile::TempDir>,
}

/// The files of the house and the functions given.
pub(crate) fn files(functions: &[(&str, &str)]) -> ProjectFiles {
    let mut files = ProjectFiles::from([
        ("takt.toml", TAKT),
        ("schema/things.toml", THINGS),
        ("schema/parts.toml", PARTS),
    ]);
    files.0.extend(functions.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())));
    files
}

/// Reads a project whose schema must be without problems.
pub(crate) fn project(files: &ProjectFiles) -> Arc<Project> {
    let (project, problems) = Project::parse(files, &[takt_engine::TABLES, ACCOUNTS]);
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
    Arc::new(project)
}

pub(crate) fn outbound() -> Outbound {
    Outbound::new(OutboundOptions { allow_private: true, ..OutboundOptions::default() })
}

/// What is wrong with the functions.
pub(crate) fn problems(functions: &[(&str, &str)]) -> Vec<Problem> {
    let files = files(functions);
    Logic::load(&files, &project(&files), outbound()).1
}

impl House {
    /// A house with functions; warnings are allowed.
    pub(crate) fn new(functions: &[(&str, &str)]) -> Self {
        Self::with_settings(functions, "")
    }

    pub(crate) fn with_settings(functions: &[(&str, &str)], settings: &str) -> Self {
        let mut files = files(functions);
        files.0.insert("takt.toml".to_owned(), format!("{TAKT}{settings}"));
        Self::of(&files)
    }

    pub(crate) fn of(files: &ProjectFiles) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let house = Self::at(files, folder.path());
        Self { _folder: Some(folder), ..house }
    }

    pub(crate) fn at(files: &ProjectFiles, folder: &Path) -> Self {
        let project = project(files);
        let (logic, problems) = Logic::load(files, &project, outbound());
        let errors: Vec<String> = problems
            .iter()
            .filter(|p| p.severity == takt_model::Severity::Error)
            .map(ToString::to_string)
            .collect();
        assert!(errors.is_empty(), "{}", errors.join("\n"));
        let store = Store::open(StoreOptions {
            file: folder.join("takt.db"),
            readers: 1,
            write_queue: 1_024,
            read_time: Duration::from_secs(5),
            database_bytes: 0,
            vfs: "unix-excl".to_owned(),
            synchronous_full: true,
        })
        .unwrap();
        let clock = Arc::new(Still(AtomicI64::new(NOW)));
        let engine = Engine::open(EngineOptions { store, project, clock: clock.clone() }).unwrap();
        if let Some(hooks) = logic.hooks() {
            engine.set_hooks(hooks);
        }
        Self { engine, logic, clock, _folder: None }
    }

    /// How many rows a table of any exposure has.
    pub(crate) fn count(&self, table: &str) -> u64 {
        let count = |tx: &takt_engine::EngineTx| -> Result<u64, EngineError> {
            let plan = takt_plan::On::table(tx.project(), table)?.count(None);
            Ok(tx.rows(&Principal::system("test: count"), plan)?.1.count.unwrap())
        };
        self.engine.look_up(count).unwrap()
    }

    pub(crate) async fn call(
        &self,
        function: &str,
        input: Json,
    ) -> Result<takt_engine::ActionAnswer, LogicError> {
        self.call_as(customer(), function, input).await
    }

    pub(crate) async fn call_as(
        &self,
        who: Principal,
        function: &str,
        input: Json,
    ) -> Result<takt_engine::ActionAnswer, LogicError> {
        self.logic.call(&self.engine, Call { function, who, input, idempotency: None }).await
    }

    /// Status and body, or the error in one line.
    pub(crate) async fn told(&self, function: &str, input: Json) -> String {
        told(self.call(function, input).await)
    }

    pub(crate) async fn http(
        &self,
        function: &str,
        path: &str,
        body: &str,
    ) -> Result<HttpAnswer, LogicError> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let call = HttpCall {
            function,
            who: customer(),
            method: if body.is_empty() { http::Method::GET } else { http::Method::POST },
            path: path.to_owned(),
            query: query.to_owned(),
            headers: http::HeaderMap::from_iter([
                (http::header::HOST, "shop.example".parse().unwrap()),
                (http::header::CONTENT_TYPE, "application/json".parse().unwrap()),
            ]),
            body: body.to_owned().into(),
        };
        self.logic.http(&self.engine, call).await
    }
}

pub(crate) fn told(result: Result<takt_engine::ActionAnswer, LogicError>) -> String {
    match result {
        Ok(answer) if answer.body.is_empty() => format!("{}", answer.status),
        Ok(answer) => format!("{} {}", answer.status, answer.body),
        Err(error) => failure(&error),
    }
}

pub(crate) fn failure(error: &LogicError) -> String {
    match error {
        LogicError::Failed { code, message, position } => {
            format!("failed {code} at {}: {message}", position.as_deref().unwrap_or("-"))
        }
        LogicError::BadInput { code, message, details } => {
            format!(
                "bad input {code}: {message}{}",
                details.as_ref().map(|d| format!(" ({d})")).unwrap_or_default()
            )
        }
        LogicError::Engine(EngineError::Store(e)) => format!("engine: {e}"),
        other => format!("{other}"),
    }
}

/// A signed-in customer.
pub(crate) fn customer() -> Principal {
    somebody(7, &[])
}

pub(crate) fn somebody(n: u128, roles: &[&str]) -> Principal {
    Principal::user(User {
        id: Uuid::from_u128(n),
        email: Some(format!("person{n}@example.com")),
        roles: roles.iter().map(|r| (*r).to_owned()).collect(),
        session_id: None,
        claims: json!({}),
    })
}

/// An action with service rights whose body begins in line 2.
pub(crate) fn action(body: &str) -> String {
    format!(
        "export default async function ({{ db, user, step, emit, reject, now, uuid, Decimal }}, input) {{\n{body}\n}}\n\
         export const access = [\"anon\", \"authenticated\"], runs_as = \"service\", input = {{ x: {{ type: \"json\", optional: true }} }};\n"
    )
}

/// Runs one action after another in one house: name of the case, its body, what it answers.
pub(crate) async fn check(bodies: &[&str], expected: expect_test::Expect) {
    let names: Vec<String> = (0..bodies.len()).map(|n| format!("logic/f{n}.ts")).collect();
    let sources: Vec<String> = bodies.iter().map(|b| action(b)).collect();
    let functions: Vec<(&str, &str)> =
        names.iter().map(String::as_str).zip(sources.iter().map(String::as_str)).collect();
    let house = House::new(&functions);
    let mut lines = String::new();
    for n in 0..bodies.len() {
        lines += &house.told(&format!("f{n}"), json!({})).await;
        lines.push('\n');
    }
    expected.assert_eq(&lines);
}
