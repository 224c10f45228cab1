//! A shop folder with a database, and all rooms over it.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use takt_auth::{Auth, MasterKey};
use takt_engine::{Engine, EngineOptions, Release, Store, StoreOptions, SystemClock};
use takt_logic::{Call, Logic};
use takt_model::{Principal, Project, ProjectFiles, User, Value};
use takt_outbound::{Outbound, OutboundOptions};
use takt_plan::{Insert, Missing, Plan};
use takt_report::{Evidence, Rooms, collect};

pub(crate) const PRODUCT: &str = "0199a001-0000-7000-8000-000000000001";

pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) auth: Auth,
    pub(crate) logic: Logic,
    pub(crate) outbound: Outbound,
    pub(crate) folder: tempfile::TempDir,
}

const TOML: &str = "name = \"Shop\"\nlanguages = [\"de\", \"en\"]\nroles = [\"staff\"]\ncurrency = \"EUR\"\n";

const PRODUCTS: &str = r#"
label = { en = "Products", de = "Artikel" }
[fields.id]
type = "uuid"
primary_key = true
[fields.name_de]
type = "text"
max = 100
required = true
[fields.price]
label = { en = "Price", de = "Preis" }
type = "decimal(12,2)"
required = true
[fields.stock]
label = { en = "Stock", de = "Bestand" }
type = "integer"
required = true
[[policies]]
name = "everyone sees products"
to = ["anon", "authenticated"]
allow = ["select"]
using = "true"
"#;

const SALES: &str = r#"
label = { en = "Sales", de = "Verkäufe" }
[fields.id]
type = "uuid"
primary_key = true
default = "uuid_v7()"
[fields.product_id]
type = "uuid"
references = "products.id"
required = true
[fields.buyer_id]
type = "uuid"
references = "auth.users.id"
[fields.note]
type = "text"
max = 200
[fields.phone]
type = "text"
max = 200
[fields.paid_at]
label = { en = "Paid", de = "Bezahlt" }
type = "timestamp"
default = "now()"
[privacy]
purpose = "contract"
keep = "3 years"
"#;

const SELL_TS: &str = r#"
export const label = { en: "Sell", de: "Verkaufen" };
export const access = ["authenticated"];
export const runs_as = "service";
export const input = { product_id: "uuid" };
export default async function ({ db, step, emit, reject, user }, { product_id }) {
  await step({ en: "Stock reserved", de: "Bestand reserviert" }, async () => {
    const hit = await db.products.update({ id: product_id, stock: { gte: 1 } }, { stock: { sub: 1 } });
    if (hit.length === 0) reject(409, { en: "Sold out.", de: "Ausverkauft." });
  });
  await step({ en: "Sale written", de: "Verkauf geschrieben" }, async () => {
    await db.sales.insert({ product_id, buyer_id: user.id, note: "mail@example.org" });
  });
  emit("sale.made", { key: product_id });
  return { sold: true };
}
"#;

fn open_store(folder: &Path) -> Store {
    Store::open(StoreOptions {
        file: folder.join("takt.db"),
        readers: 2,
        write_queue: 64,
        read_time: Duration::from_secs(5),
        database_bytes: 0,
        vfs: "unix-excl".to_owned(),
        synchronous_full: true,
    })
    .unwrap()
}

impl World {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let files = ProjectFiles::from([
            ("takt.toml", TOML),
            ("schema/products.toml", PRODUCTS),
            ("schema/sales.toml", SALES),
            ("logic/sell.ts", SELL_TS),
        ]);
        let (project, problems) = Project::parse(&files, &[takt_engine::TABLES, takt_auth::TABLES]);
        assert!(problems.is_empty(), "{problems:#?}");
        let project = Arc::new(project);
        let engine = Engine::open(EngineOptions {
            store: open_store(folder.path()),
            project: Arc::clone(&project),
            clock: Arc::new(SystemClock),
        })
        .unwrap();
        engine.record_start(Release { at: engine.now(), project: "a".into(), ..Release::default() }).unwrap();
        let key = MasterKey::load_from(None, folder.path()).unwrap();
        let auth = Auth::open(engine.clone(), key).unwrap();
        let outbound = Outbound::new(OutboundOptions::default());
        let (logic, problems) = Logic::load(&files, &project, outbound.clone());
        assert!(problems.is_empty(), "{problems:#?}");
        let world = Self { engine, auth, logic, outbound, folder };
        world.stock(3);
        world
    }

    /// One product with so many pieces.
    fn stock(&self, pieces: i64) {
        let project = self.engine.project();
        let table = project.table("products").unwrap();
        let row = [
            ("id", Value::Uuid(PRODUCT.parse().unwrap())),
            ("name_de", Value::Text("Steingutkanne".into())),
            ("price", Value::Decimal("39.90".parse().unwrap())),
            ("stock", Value::Integer(pieces)),
        ];
        let plan = Plan::Insert(Insert {
            table: table.id,
            fields: row.iter().map(|(name, _)| table.field(name).unwrap().id).collect(),
            rows: vec![row.into_iter().map(|(_, value)| Some(value)).collect()],
            missing: Missing::Default,
            conflict: None,
            returning: None,
        });
        let written: Result<_, takt_engine::EngineError> =
            self.engine.transact_blocking(move |tx| tx.rows(&Principal::system("test"), plan.clone()));
        written.unwrap();
    }

    /// A customer buys one piece.
    pub(crate) async fn sell(&self) -> takt_engine::ActionAnswer {
        let account = match self.auth.account_find("a@example.org").await.unwrap() {
            Some(account) => account,
            None => self.auth.account_add("a@example.org", "correct horse battery", &[]).await.unwrap(),
        };
        let who = Principal::user(User {
            id: account.id,
            email: Some(account.email),
            roles: Vec::new(),
            session_id: None,
            claims: serde_json::json!({ "role": "authenticated" }),
        });
        let input = serde_json::json!({ "product_id": PRODUCT });
        self.logic.call(&self.engine, Call { function: "sell", who, input, idempotency: None }).await.unwrap()
    }

    pub(crate) fn public(&self, path: &str, text: &str) {
        let file: PathBuf = self.folder.path().join("public").join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }

    pub(crate) async fn evidence(&self) -> Evidence {
        collect(&Rooms {
            connections: Ok(Vec::new()),
            backups: Ok(takt_report::BackupFacts::default()),
            engine: &self.engine,
            auth: &self.auth,
            logic: &self.logic,
            outbound: &self.outbound,
            project_dir: self.folder.path(),
            data_dir: self.folder.path(),
        })
        .await
    }
}
