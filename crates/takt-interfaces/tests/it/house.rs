//! A house with a connection: project, temporary database, clock, receiver.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use takt_engine::{Clock, Engine, EngineError, EngineOptions, Store, StoreOptions};
use takt_interfaces::{
    Boxed, Consume, Consumed, Contracts, Delivery, DeliveryFilter, DeliveryState, Ended, Interfaces,
    InterfacesOptions, MakeBody, Outcome, Secrets, Talk,
};
use takt_model::{Decimal, Principal, Project, ProjectFiles, Severity, SystemTables, Uuid, Value};
use takt_outbound::{Outbound, OutboundOptions, Secret};
use tempfile::TempDir;

use crate::receiver::Receiver;

/// 2026-11-23T09:00:00Z in microseconds.
const START: i64 = 1_795_424_400_000_000;

pub(crate) struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

struct TestSecrets;

impl Secrets for TestSecrets {
    fn secret(&self, name: &str) -> Option<Secret> {
        let value = match name {
            "erp_key" => "s3cret",
            "hook_key" => "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX",
            _ => return None,
        };
        Some(Secret::new(value))
    }

    /// Turned round, so that a value that was not opened shows.
    fn seal(&self, _: &str, value: &Secret) -> Option<Vec<u8>> {
        Some(value.expose().bytes().rev().collect())
    }

    fn open(&self, _: &str, sealed: &[u8]) -> Option<Secret> {
        let bytes: Vec<u8> = sealed.iter().rev().copied().collect();
        String::from_utf8(bytes).ok().map(Secret::new)
    }
}

/// Functions that the test scripts.
#[derive(Default)]
pub(crate) struct Functions {
    pub(crate) seen: Mutex<Vec<Consumed>>,
    pub(crate) answers: Mutex<Vec<Outcome>>,
    made: Mutex<HashMap<String, String>>,
    /// What a talk brings in the place of `{"number":7}`.
    pub(crate) brings: Mutex<Option<String>>,
}

impl Functions {
    pub(crate) fn makes(&self, export: &str, body: &str) {
        self.made.lock().unwrap().insert(export.to_owned(), body.to_owned());
    }
}

struct Lent(Arc<Functions>);

impl Consume for Lent {
    fn consumers(&self) -> Vec<(String, Vec<String>)> {
        let events = ["order.thanked", "erp.order.thanked", "erp.order", "erp.stock"];
        vec![("thank".to_owned(), events.map(str::to_owned).to_vec())]
    }

    fn consume(&self, _: &str, event: Consumed) -> Boxed<Ended> {
        self.0.seen.lock().unwrap().push(event);
        let outcome = self.0.answers.lock().unwrap().pop().unwrap_or(Outcome::Ok);
        Box::pin(async move {
            let mut ended = Ended::without_answer(outcome, "it threw");
            if outcome == Outcome::Ok {
                ended.error = None;
            }
            ended
        })
    }
}

impl MakeBody for Lent {
    fn make(&self, _: &str, export: &str, input: String) -> Boxed<Result<String, String>> {
        let made = self.0.made.lock().unwrap().get(export).cloned();
        Box::pin(async move { Ok(made.unwrap_or(input)) })
    }

    /// Makes two calls in steps, as a function would, and without steps in `without_steps`; `theirs` posts its question and gives the answer's body.
    fn talk(
        &self,
        _: &str,
        export: &str,
        input: String,
        mut talk: Talk,
    ) -> Boxed<(Result<String, String>, Option<Talk>)> {
        if export == "theirs" {
            let ask = move || {
                let request = format!(r#"{{"method":"POST","path":"/theirs","body":{input}}}"#);
                let answer = talk.call(&request).map(|answer| {
                    serde_json::from_str::<serde_json::Value>(&answer).unwrap()["body"].to_string()
                });
                (answer, Some(talk))
            };
            return Box::pin(async move { tokio::task::spawn_blocking(ask).await.unwrap() });
        }
        // What a look brings is what the other side's answer says.
        if export == "look" {
            let look = move || {
                let answer = talk.call(r#"{"method":"GET","path":"/look"}"#).map(|answer| {
                    serde_json::from_str::<serde_json::Value>(&answer).unwrap()["body"].to_string()
                });
                (answer, Some(talk))
            };
            return Box::pin(async move { tokio::task::spawn_blocking(look).await.unwrap() });
        }
        if export == "rpc" {
            let ask = move || {
                assert!(talk.is_rpc());
                let request = format!(r#"{{"method":"stock.list","params":{input}}}"#);
                let answer = talk.call(&request).map(|answer| {
                    serde_json::from_str::<serde_json::Value>(&answer).unwrap()["body"].to_string()
                });
                (answer, Some(talk))
            };
            return Box::pin(async move { tokio::task::spawn_blocking(ask).await.unwrap() });
        }
        let brings = self.0.brings.lock().unwrap().clone();
        let has_steps = export != "without_steps";
        let speak = move || {
            for path in ["/first", "/second"] {
                if !has_steps || talk.kept(path).is_none() {
                    let name = &path[1..];
                    let request = format!(r#"{{"method":"POST","path":"{path}","body":{{}},"as":"{name}"}}"#);
                    match talk.call(&request) {
                        Ok(answer) if has_steps => talk.keep(path, &answer),
                        Ok(_) => {}
                        Err(why) => return (Err(why), Some(talk)),
                    }
                }
            }
            (Ok(brings.unwrap_or_else(|| r#"{"number":7}"#.to_owned())), Some(talk))
        };
        Box::pin(async move { tokio::task::spawn_blocking(speak).await.unwrap() })
    }
}

/// Orders with a personal field.
const ORDERS: &str = r#"
label = { en = "Orders" }
[fields]
id = { type = "uuid", primary_key = true }
email = { type = "text", personal = "contact" }
ship_name = { type = "text", personal = "name" }
number = { type = "text", unique = true }
paid = { type = "boolean" }
total = { type = "decimal(12,2)" }
created_at = { type = "timestamp" }
"#;

pub(crate) struct House {
    pub(crate) engine: Engine,
    pub(crate) interfaces: Interfaces,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) receiver: Receiver,
    pub(crate) functions: Arc<Functions>,
    folder: TempDir,
    project: Arc<Project>,
    files: ProjectFiles,
    /// The file of the connection.
    erp: String,
}

/// A connection `erp` to the receiver; `more` is added to `[connect]`, `operations` are its `[[op]]`s.
pub(crate) fn connection(address: &str, top: &str, more: &str, operations: &str) -> String {
    format!(
        r#"
purpose = {{ en = "Orders go to the ERP." }}
partner = {{ name = "ERP" }}
owner = "Sales"
outage = {{ en = "Orders wait." }}
{top}
[connect]
protocol = "rest"
base = "http://{address}/api"
allow_private = true
{more}
{operations}
"#
    )
}

/// The usual operation.
pub(crate) const DELIVER: &str = r#"
[[op]]
name = "order"
kind = "deliver"
on = "order.placed"
request = "POST /orders"
"#;

pub(crate) const DATA: &str = "data = [{ fields = [\"email\"], purpose = \"order\", basis = \"contract\" }]";

impl House {
    pub(crate) async fn with(operations: &str) -> Self {
        Self::build(DATA, "", operations).await
    }

    pub(crate) async fn build(top: &str, more: &str, operations: &str) -> Self {
        let receiver = Receiver::start().await;
        let erp = connection(&receiver.address, top, more, operations);
        Self::of(receiver, &erp, &[])
    }

    /// With schemas, each by its name in `contracts/`.
    pub(crate) async fn contracted(operations: &str, schemas: &[(&str, &str)]) -> Self {
        let receiver = Receiver::start().await;
        let erp = connection(&receiver.address, DATA, "", operations);
        Self::of(receiver, &erp, schemas)
    }

    /// A connection `erp` from which messages come.
    pub(crate) async fn incoming(auth: &str, operations: &str) -> Self {
        Self::incoming_contracted(auth, operations, &[]).await
    }

    /// The same with schemas.
    pub(crate) async fn incoming_contracted(auth: &str, operations: &str, schemas: &[(&str, &str)]) -> Self {
        let erp = connection("-", "data = []", auth, operations)
            .replacen("protocol = \"rest\"", "protocol = \"webhook-in\"", 1)
            .replace("base = \"http://-/api\"", "");
        Self::of(Receiver::start().await, &erp, schemas)
    }

    /// `{receiver}` in the file is the receiver's address.
    pub(crate) fn of(receiver: Receiver, erp: &str, schemas: &[(&str, &str)]) -> Self {
        Self::read_of(receiver, erp, schemas, "[webhooks]\nallow_private = true\n")
    }

    /// As [`House::of`], with settings behind the project's name.
    pub(crate) fn with_settings(receiver: Receiver, erp: &str, settings: &str) -> Self {
        Self::read_of(receiver, erp, &[], settings)
    }

    fn read_of(receiver: Receiver, erp: &str, schemas: &[(&str, &str)], settings: &str) -> Self {
        let erp = erp.replace("{receiver}", &receiver.address);
        let mut files = files(&erp, settings);
        let schemas = schemas.iter().map(|(name, text)| (format!("contracts/{name}"), (*text).to_owned()));
        files.0.extend(schemas);
        let project = read(&files);
        let clock = Arc::new(TestClock(AtomicI64::new(START)));
        let folder = tempfile::tempdir().unwrap();
        let functions = Arc::new(Functions::default());
        let (engine, interfaces) = rooms(&folder, &project, &clock, &functions);
        let house = Self { engine, interfaces, clock, receiver, functions, folder, project, files, erp };
        house.use_contracts();
        house
    }

    fn use_contracts(&self) {
        let (contracts, problems) = Contracts::read(&self.files, &self.project);
        assert!(problems.is_empty(), "{problems:?}");
        self.interfaces.use_contracts(contracts);
    }

    /// Somebody changes a schema, and the project is read again.
    pub(crate) fn corrected(&mut self, name: &str, text: &str) {
        self.files.0.insert(format!("contracts/{name}"), text.to_owned());
        self.use_contracts();
    }

    /// The process dies and another begins on the same database.
    pub(crate) fn restarted(self) -> Self {
        let Self { engine, interfaces, clock, receiver, functions, folder, project, files, erp } = self;
        drop(interfaces);
        engine.close();
        drop(engine);
        let (engine, interfaces) = rooms(&folder, &project, &clock, &functions);
        let house = Self { engine, interfaces, clock, receiver, functions, folder, project, files, erp };
        house.use_contracts();
        house
    }

    /// As [`House::restarted`], with other settings behind the project's name.
    pub(crate) fn restarted_with(self, settings: &str) -> Self {
        let Self { engine, interfaces, clock, receiver, functions, folder, erp, .. } = self;
        drop(interfaces);
        engine.close();
        drop(engine);
        let files = files(&erp, settings);
        let project = read(&files);
        let (engine, interfaces) = rooms(&folder, &project, &clock, &functions);
        Self { engine, interfaces, clock, receiver, functions, folder, project, files, erp }
    }

    /// An event in a transaction of its own.
    pub(crate) async fn emit(&self, name: &str, payload: &str) {
        let (name, payload) = (name.to_owned(), payload.to_owned());
        self.engine
            .transact(move |tx| -> Result<(), EngineError> { tx.emit(&name, None, &payload) })
            .await
            .unwrap();
    }

    /// A paid or unpaid order with a number, in a transaction of its own.
    pub(crate) async fn order(&self, number: &str, paid: bool, total: &str) -> Uuid {
        let (number, total) = (number.to_owned(), total.parse::<Decimal>().unwrap());
        self.engine
            .transact(move |tx| -> Result<Uuid, EngineError> {
                let id = tx.new_uuid();
                let plan = tx.on("orders")?.insert(vec![
                    ("id", Value::Uuid(id)),
                    ("number", Value::Text(number.clone())),
                    ("paid", Value::Boolean(paid)),
                    ("total", Value::Decimal(total)),
                    ("created_at", Value::Timestamp(tx.now())),
                ])?;
                tx.rows(&Principal::system("test"), plan)?;
                Ok(id)
            })
            .await
            .unwrap()
    }

    pub(crate) async fn pay(&self, number: &str) {
        let number = number.to_owned();
        self.engine
            .transact(move |tx| -> Result<(), EngineError> {
                let on = tx.on("orders")?;
                let this = on.eq("number", Value::Text(number.clone()))?;
                tx.rows(&Principal::system("test"), on.update(this, vec![("paid", Value::Boolean(true))])?)?;
                Ok(())
            })
            .await
            .unwrap();
    }

    pub(crate) fn forward(&self, by: Duration) {
        self.clock.0.fetch_add(i64::try_from(by.as_micros()).unwrap(), Ordering::SeqCst);
    }

    /// Somebody sets the clock back.
    pub(crate) fn back(&self, by: Duration) {
        self.clock.0.fetch_sub(i64::try_from(by.as_micros()).unwrap(), Ordering::SeqCst);
    }

    pub(crate) async fn work(&self) -> usize {
        self.interfaces.work_once().await.unwrap()
    }

    /// Oldest first.
    pub(crate) fn deliveries(&self) -> Vec<Delivery> {
        let mut all = self.interfaces.deliveries(&DeliveryFilter::default(), 200).unwrap();
        all.reverse();
        all
    }

    pub(crate) fn states(&self) -> Vec<DeliveryState> {
        self.deliveries().into_iter().map(|d| d.state).collect()
    }
}

/// The files of these tests; `settings` stand behind the project's name.
fn files(erp: &str, settings: &str) -> ProjectFiles {
    let takt = format!("name = \"Test\"\nlanguages = [\"en\"]\n{settings}");
    ProjectFiles::from([
        ("takt.toml", takt.as_str()),
        ("schema/orders.toml", ORDERS),
        ("interfaces/erp.toml", erp),
    ])
}

fn read(files: &ProjectFiles) -> Arc<Project> {
    let tables: [SystemTables; 3] =
        [takt_engine::TABLES, takt_interfaces::TABLES, takt_interfaces::SUBSCRIPTION_TABLES];
    let (project, problems) = Project::parse(files, &tables);
    let errors: Vec<_> = problems.iter().filter(|p| p.severity == Severity::Error).collect();
    assert!(errors.is_empty(), "{errors:?}");
    Arc::new(project)
}

fn rooms(
    folder: &TempDir,
    project: &Arc<Project>,
    clock: &Arc<TestClock>,
    functions: &Arc<Functions>,
) -> (Engine, Interfaces) {
    let store = Store::open(StoreOptions {
        file: folder.path().join("takt.db"),
        readers: 2,
        write_queue: 512,
        read_time: Duration::from_secs(5),
        database_bytes: 0,
        vfs: "unix-excl".to_owned(),
        synchronous_full: true,
    })
    .unwrap();
    let options =
        EngineOptions { store, project: Arc::clone(project), clock: Arc::clone(clock) as Arc<dyn Clock> };
    let engine = Engine::open(options).unwrap();
    let interfaces = Interfaces::new(InterfacesOptions {
        engine: engine.clone(),
        outbound: Outbound::new(OutboundOptions::default()),
        secrets: Arc::new(TestSecrets),
        base_url: "https://shop.example".to_owned(),
        keep: Duration::from_secs(30 * 86_400),
    });
    let lent = Arc::new(Lent(Arc::clone(functions)));
    interfaces.lend(Arc::clone(&lent) as Arc<dyn Consume>, lent);
    interfaces.take_up_subscriptions().unwrap();
    (engine, interfaces)
}
