//! A project with accounts, a folder, a clock.

use std::{
    net::IpAddr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use takt_auth::{Auth, AuthError, Client, MasterKey, Session, SignUp};
use takt_engine::{Clock, Engine, EngineOptions, Store, StoreOptions};
use takt_model::{Principal, Project, ProjectFiles};

pub(crate) const MINUTE: i64 = 60;
pub(crate) const HOUR: i64 = 3600;
pub(crate) const DAY: i64 = 24 * HOUR;
pub(crate) const PASSWORD: &str = "correct horse battery";

/// 2026-11-23T09:00:00Z in seconds.
pub(crate) const START: i64 = 1_795_424_400;

/// Time that stands still until it is moved.
#[derive(Clone)]
pub(crate) struct TestClock(Arc<AtomicI64>);

impl Clock for TestClock {
    fn now(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

pub(crate) struct World {
    pub(crate) auth: Auth,
    pub(crate) engine: Engine,
    clock: TestClock,
    settings: String,
    folder: tempfile::TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with("")
    }

    /// With lines of `[auth]` in the settings.
    pub(crate) fn with(auth_settings: &str) -> Self {
        let settings = format!(
            "name = \"Shop\"\nlanguages = [\"en\", \"de\"]\nroles = [\"staff\", \"editor\"]\n\
             [server]\npublic_url = \"https://shop.test\"\n[auth]\n{auth_settings}\n"
        );
        let folder = tempfile::tempdir().unwrap();
        let clock = TestClock(Arc::new(AtomicI64::new(START * 1_000_000)));
        let engine = open_engine(folder.path(), &settings, &clock);
        let auth = Auth::open(engine.clone(), key(folder.path())).unwrap();
        Self { auth, engine, clock, settings, folder }
    }

    /// Ends and starts again on the same folder.
    pub(crate) fn restarted(self) -> Self {
        let Self { auth, engine, clock, settings, folder } = self;
        drop(auth);
        engine.close();
        drop(engine);
        let engine = open_engine(folder.path(), &settings, &clock);
        let auth = Auth::open(engine.clone(), key(folder.path())).unwrap();
        Self { auth, engine, clock, settings, folder }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn pass(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
    }

    pub(crate) async fn sign_up(&self, email: &str) -> Session {
        self.try_sign_up(email, PASSWORD).await.unwrap()
    }

    pub(crate) async fn try_sign_up(&self, email: &str, password: &str) -> Result<Session, AuthError> {
        let sign_up = SignUp { email: email.to_owned(), password: password.to_owned(), ..SignUp::default() };
        self.auth.sign_up(sign_up, &client()).await
    }

    pub(crate) async fn sign_in(&self, email: &str, password: &str) -> Result<Session, AuthError> {
        self.auth.sign_in_password(email, password, &client()).await
    }

    pub(crate) async fn refresh(&self, token: &str) -> Result<Session, AuthError> {
        self.auth.refresh(token, &client()).await
    }

    pub(crate) fn principal(&self, session: &Session) -> Principal {
        self.auth.verify_token(&session.access_token).unwrap()
    }
}

pub(crate) fn client() -> Client {
    from("203.0.113.7")
}

pub(crate) fn from(address: &str) -> Client {
    Client { address: address.parse::<IpAddr>().unwrap(), user_agent: "test".to_owned() }
}

pub(crate) fn code<T>(result: &Result<T, AuthError>) -> &'static str {
    match result {
        Ok(_) => "ok",
        Err(error) => error.code(),
    }
}

pub(crate) fn key(folder: &Path) -> MasterKey {
    MasterKey::load_from(None, folder).unwrap()
}

pub(crate) fn try_open(folder: &Path, settings: &str, clock: &TestClock) -> Result<Engine, String> {
    let files = ProjectFiles::from([("takt.toml", settings), ("schema/orders.toml", ORDERS)]);
    let (project, problems) = Project::parse(&files, &[takt_engine::TABLES, takt_auth::TABLES]);
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    let store = Store::open(StoreOptions {
        file: folder.join("takt.db"),
        readers: 2,
        write_queue: 1024,
        read_time: Duration::from_secs(5),
        database_bytes: 0,
        vfs: "unix-excl".to_owned(),
        synchronous_full: true,
    })
    .map_err(|e| e.to_string())?;
    Engine::open(EngineOptions { store, project: Arc::new(project), clock: Arc::new(clock.clone()) })
        .map_err(|e| e.to_string())
}

fn open_engine(folder: &Path, settings: &str, clock: &TestClock) -> Engine {
    try_open(folder, settings, clock).unwrap()
}

/// A table of the project that must not lose its customer.
const ORDERS: &str = r#"
label = { en = "Orders", de = "Bestellungen" }
about = { en = "What a customer has bought.", de = "Was eine Kundin gekauft hat." }

[fields.id]
type = "uuid"
primary_key = true
default = "uuid_v7()"

[fields.customer_id]
type = "uuid"
required = true
references = "auth.users.id"
on_delete = "restrict"

[[policies]]
name = "customers read their own orders"
to = ["authenticated"]
allow = ["select", "insert"]
using = "customer_id = auth.uid()"
check = "customer_id = auth.uid()"
"#;

/// An order of `who`.
pub(crate) async fn order(world: &World, who: &Principal) {
    let project = world.engine.project();
    let (table, field) = project.field_id("orders", "customer_id").unwrap();
    let customer = takt_model::Value::Uuid(who.uid().unwrap());
    let plan = takt_plan::Plan::Insert(takt_plan::Insert {
        table,
        fields: vec![field],
        rows: vec![vec![Some(customer)]],
        missing: takt_plan::Missing::Default,
        conflict: None,
        returning: None,
    });
    let who = who.clone();
    world
        .engine
        .transact::<_, takt_engine::EngineError>(move |tx| tx.rows(&who, plan.clone()).map(drop))
        .await
        .unwrap();
}
