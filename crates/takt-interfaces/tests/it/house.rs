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
    Boxed, Consume, Consumed, Delivery, DeliveryFilter, DeliveryState, Ended, Interfaces, InterfacesOptions,
    MakeBody, Outcome, Secrets, Talk,
};
use takt_model::{Project, ProjectFiles, Severity, SystemTables};
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
}

impl Functions {
    pub(crate) fn makes(&self, export: &str, body: &str) {
        self.made.lock().unwrap().insert(export.to_owned(), body.to_owned());
    }
}

struct Lent(Arc<Functions>);

impl Consume for Lent {
    fn consumers(&self) -> Vec<(String, Vec<String>)> {
        let events = ["order.thanked", "erp.order.thanked"];
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

    /// Makes two calls in steps, as a function would.
    fn talk(
        &self,
        _: &str,
        _: &str,
        _: String,
        mut talk: Talk,
    ) -> Boxed<(Result<String, String>, Option<Talk>)> {
        let speak = move || {
            for path in ["/first", "/second"] {
                if talk.kept(path).is_none() {
                    let request = format!(r#"{{"method":"POST","path":"{path}","body":{{}}}}"#);
                    match talk.call(&request) {
                        Ok(answer) => talk.keep(path, &answer),
                        Err(why) => return (Err(why), Some(talk)),
                    }
                }
            }
            (Ok(r#"{"number":7}"#.to_owned()), Some(talk))
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
"#;

pub(crate) struct House {
    pub(crate) engine: Engine,
    pub(crate) interfaces: Interfaces,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) receiver: Receiver,
    pub(crate) functions: Arc<Functions>,
    folder: TempDir,
    project: Arc<Project>,
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
        Self::of(receiver, &erp)
    }

    /// A connection `erp` from which messages come.
    pub(crate) async fn incoming(auth: &str, operations: &str) -> Self {
        let erp = connection("-", "data = []", auth, operations)
            .replace("protocol = \"rest\"", "protocol = \"webhook-in\"")
            .replace("base = \"http://-/api\"", "");
        Self::of(Receiver::start().await, &erp)
    }

    fn of(receiver: Receiver, erp: &str) -> Self {
        Self::with_settings(receiver, erp, "[webhooks]\nallow_private = true\n")
    }

    /// As [`House::of`], with settings behind the project's name.
    pub(crate) fn with_settings(receiver: Receiver, erp: &str, settings: &str) -> Self {
        let project = read(erp, settings);
        let clock = Arc::new(TestClock(AtomicI64::new(START)));
        let folder = tempfile::tempdir().unwrap();
        let functions = Arc::new(Functions::default());
        let (engine, interfaces) = rooms(&folder, &project, &clock, &functions);
        let erp = erp.to_owned();
        Self { engine, interfaces, clock, receiver, functions, folder, project, erp }
    }

    /// The process dies and another begins on the same database.
    pub(crate) fn restarted(self) -> Self {
        let Self { engine, interfaces, clock, receiver, functions, folder, project, erp } = self;
        drop(interfaces);
        engine.close();
        drop(engine);
        let (engine, interfaces) = rooms(&folder, &project, &clock, &functions);
        Self { engine, interfaces, clock, receiver, functions, folder, project, erp }
    }

    /// As [`House::restarted`], with other settings behind the project's name.
    pub(crate) fn restarted_with(self, settings: &str) -> Self {
        let Self { engine, interfaces, clock, receiver, functions, folder, erp, .. } = self;
        drop(interfaces);
        engine.close();
        drop(engine);
        let project = read(&erp, settings);
        let (engine, interfaces) = rooms(&folder, &project, &clock, &functions);
        Self { engine, interfaces, clock, receiver, functions, folder, project, erp }
    }

    /// An event in a transaction of its own.
    pub(crate) async fn emit(&self, name: &str, payload: &str) {
        let (name, payload) = (name.to_owned(), payload.to_owned());
        self.engine
            .transact(move |tx| -> Result<(), EngineError> { tx.emit(&name, None, &payload) })
            .await
            .unwrap();
    }

    pub(crate) fn forward(&self, by: Duration) {
        self.clock.0.fetch_add(i64::try_from(by.as_micros()).unwrap(), Ordering::SeqCst);
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

/// The project of these tests; `settings` stand behind its name.
fn read(erp: &str, settings: &str) -> Arc<Project> {
    let takt = format!("name = \"Test\"\nlanguages = [\"en\"]\n{settings}");
    let files = ProjectFiles::from([
        ("takt.toml", takt.as_str()),
        ("schema/orders.toml", ORDERS),
        ("interfaces/erp.toml", erp),
    ]);
    let tables: [SystemTables; 3] =
        [takt_engine::TABLES, takt_interfaces::TABLES, takt_interfaces::SUBSCRIPTION_TABLES];
    let (project, problems) = Project::parse(&files, &tables);
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
