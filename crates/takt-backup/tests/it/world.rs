//! A shop folder with a database, and a place for its backups.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use takt_backup::{BackupMade, DrillRow, Instance, Keep, back_up, drill};
use takt_engine::{Clock, Engine, EngineError, EngineOptions, Store, StoreOptions};
use takt_model::{Principal, Project, ProjectFiles, Severity, Value};

/// 2026-11-27 02:30 UTC.
pub(crate) const NIGHT: i64 = 1_795_746_600_000_000;

const TOML: &str = "name = \"Tea\"\nlanguages = [\"de\", \"en\"]\n";
const ORDERS: &str = r#"
[fields.id]
type = "uuid"
primary_key = true
default = "uuid_v7()"
[fields.note]
type = "text"
[fields.created_at]
type = "timestamp"
default = "now()"
"#;
const ITEMS: &str = r#"
[fields.id]
type = "uuid"
primary_key = true
default = "uuid_v7()"
[fields.order_id]
type = "uuid"
references = "orders.id"
required = true
"#;

pub(crate) const KEEP: Keep = Keep { hourly: 24, daily: 14, weekly: 8, monthly: 12 };

/// A clock that tests move.
#[derive(Debug)]
struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

pub(crate) struct World {
    pub(crate) instance: Instance,
    clock: Arc<Hand>,
    dir: tempfile::TempDir,
}

pub(crate) fn open(data_dir: &Path, clock: Arc<dyn Clock>) -> Result<Engine, EngineError> {
    let files = ProjectFiles::from([
        ("takt.toml", TOML),
        ("schema/orders.toml", ORDERS),
        ("schema/order_items.toml", ITEMS),
    ]);
    let (project, problems) = Project::parse_with(&files, &[takt_engine::TABLES, takt_backup::TABLES], &[]);
    assert!(problems.iter().all(|p| p.severity == Severity::Warning), "{problems:?}");
    let store = Store::open(StoreOptions {
        file: data_dir.join("takt.db"),
        readers: 2,
        write_queue: 1024,
        read_time: Duration::from_secs(5),
        database_bytes: 0,
        vfs: "unix-excl".to_owned(),
        synchronous_full: true,
    })?;
    Engine::open(EngineOptions { store, project: Arc::new(project), clock })
}

impl World {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let project_dir = dir.path().join("shop");
        let data_dir = project_dir.join("data");
        for (name, text) in [
            ("takt.toml", TOML),
            ("schema/orders.toml", ORDERS),
            ("schema/order_items.toml", ITEMS),
            ("public/index.html", "<p>Tea</p>"),
            ("data/master.key", "a key\n"),
        ] {
            let path = project_dir.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let clock = Arc::new(Hand(AtomicI64::new(NIGHT)));
        let engine = open(&data_dir, Arc::clone(&clock) as Arc<dyn Clock>).unwrap();
        let repository = dir.path().join("repository");
        Self { instance: Instance { engine, project_dir, data_dir, repository }, clock, dir }
    }

    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock) as Arc<dyn Clock>
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn hours_later(&self, hours: i64) {
        self.clock.0.fetch_add(hours * 3_600_000_000, Ordering::SeqCst);
    }

    pub(crate) fn order(&self) {
        order(&self.instance.engine).unwrap();
    }

    pub(crate) fn back_up(&self) -> BackupMade {
        back_up(&self.instance, KEEP).unwrap()
    }

    pub(crate) fn drill(&self) -> DrillRow {
        drill(&self.instance, self.instance.repository(), None, &|folder| self.opens(folder)).unwrap().row
    }

    pub(crate) fn opens(&self, folder: &Path) -> Result<(), String> {
        let engine = open(&folder.join("data"), self.clock()).map_err(|e| e.to_string())?;
        engine.close();
        Ok(())
    }
}

/// An order and its two items, in one transaction.
pub(crate) fn order(engine: &Engine) -> Result<(), EngineError> {
    engine.transact_blocking(|tx| {
        let who = Principal::service();
        let id = Value::Uuid(tx.new_uuid());
        let orders = tx.on("orders")?;
        let note = Value::Text("Oolong, and a card for Quillwort".to_owned());
        tx.rows(&who, orders.insert(vec![("id", id.clone()), ("note", note)])?)?;
        for _ in 0..2 {
            tx.rows(&who, tx.on("order_items")?.insert(vec![("order_id", id.clone())])?)?;
        }
        Ok(())
    })
}

pub(crate) fn rows_of(tables: &[takt_backup::TableRows], name: &str) -> u64 {
    tables.iter().find(|t| t.name == name).unwrap().rows
}

/// All files below a folder, with their content.
pub(crate) fn content(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(content(&path));
        } else {
            found.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
    found.sort();
    found
}
