//! The engine on a real store: a temporary database filled with the rows of a world, and plans run on it whose writes
//! are looked at from inside their transaction and then undone.

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use takt_engine::{
    Action, ActionError, Clock, Engine, EngineError, EngineOptions, EngineTx, Store, StoreOptions, TABLES,
};
use takt_model::{Expr, Principal, Project, ProjectFiles, Severity, User, Uuid, Value, Words};
use takt_plan::{Insert, Missing, Node, Output, Plan, Read, RowSink, Window};

use crate::{
    text,
    told::{Done, Refusal, Trees},
    world::{Data, NOW, World, field},
};

pub(crate) struct House {
    engine: Engine,
    runtime: tokio::runtime::Runtime,
    // Removed when the house is.
    _folder: tempfile::TempDir,
}

struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> i64 {
        NOW
    }
}

/// How a write runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// In a plain transaction.
    Transact,
    /// In an action, which looks at each row before and after for its story.
    Action,
}

/// How many tables of the product stand before a project's own.
pub(crate) fn first_table() -> u16 {
    let files = ProjectFiles::from([("takt.toml", "name = \"Test\"\nlanguages = [\"en\"]\n")]);
    u16::try_from(Project::parse(&files, &[TABLES]).0.tables.len()).unwrap()
}

/// Reads a project; the first error is enough.
pub(crate) fn read(files: &ProjectFiles) -> Result<Arc<Project>, String> {
    let (project, problems) = Project::parse(files, &[TABLES]);
    let mut errors = problems.iter().filter(|p| p.severity == Severity::Error);
    match errors.next() {
        Some(problem) => Err(format!("the reader refuses the project: {problem}")),
        None => Ok(Arc::new(project)),
    }
}

/// An engine on a new database in `folder`.
pub(crate) fn engine(folder: &Path, project: Arc<Project>) -> Result<Engine, String> {
    let store = Store::open(StoreOptions {
        file: folder.join("takt.db"),
        readers: 1,
        write_queue: 8,
        read_time: Duration::from_secs(20),
        database_bytes: 0,
        vfs: "unix-excl".to_owned(),
        // Nothing here must survive a power cut.
        synchronous_full: false,
    })
    .map_err(|e| e.to_string())?;
    Engine::open(EngineOptions { store, project, clock: Arc::new(Stopped) }).map_err(|e| e.to_string())
}

impl House {
    pub(crate) fn open(world: &World, data: &Data) -> Result<Self, String> {
        let folder = tempfile::tempdir().unwrap();
        let project = read(&text::files(world))?;
        for (at, table) in world.tables.iter().enumerate() {
            let read = project.tables.get(usize::from(world.first) + at).map(|t| t.name.as_str());
            assert_eq!(read, Some(table.name), "the reader sorts tables by name");
        }
        let engine = engine(folder.path(), project)?;
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let house = Self { engine, runtime, _folder: folder };
        house.fill(world, data)?;
        Ok(house)
    }

    fn fill(&self, world: &World, data: &Data) -> Result<(), String> {
        let plans: Vec<Plan> = data
            .0
            .iter()
            .enumerate()
            .map(|(table, rows)| {
                Plan::Insert(Insert {
                    table: world.id(table),
                    fields: world.tables[table].all_fields().into_iter().map(field).collect(),
                    rows: rows.iter().map(|row| row.iter().cloned().map(Some).collect()).collect(),
                    missing: Missing::Null,
                    conflict: None,
                    returning: None,
                })
            })
            .collect();
        let (world_, data_) = (world.clone(), data.clone());
        self.engine
            .transact_blocking(move |tx| -> Result<(), EngineError> {
                let who = Principal::system("test: fill");
                for plan in &plans {
                    tx.rows(&who, plan.clone())?;
                }
                assert_eq!(content(tx, &world_)?, data_, "what was filled in is there");
                Ok(())
            })
            .map_err(|e| format!("the rows cannot be filled in: {e}"))
    }

    /// Runs a plan; what a write did is undone.
    pub(crate) fn run(
        &self,
        world: &World,
        who: &Principal,
        plan: &Plan,
        way: Way,
    ) -> Result<Result<Done, Refusal>, String> {
        let found = match plan {
            Plan::Read(read) => {
                let found = self.read(who, plan);
                self.assert_same_prepared(who, read, &found);
                found
            }
            _ if way == Way::Action => self.act(world, who, plan),
            _ => self.write(world, who, plan),
        };
        match found {
            Ok(done) => Ok(Ok(done)),
            Err(error) => Refusal::of(&error).map(Err),
        }
    }

    fn read(&self, who: &Principal, plan: &Plan) -> Result<Done, EngineError> {
        let run = self.engine.run(who, plan.clone(), Trees::default(), |_, _| Ok(()));
        let (trees, outcome) = self.runtime.block_on(run)?;
        Ok(Done::of(trees.into_rows(), &outcome))
    }

    /// A read that was prepared, for whomever the same policies apply to, and then asked with its values is the same read.
    fn assert_same_prepared(&self, who: &Principal, read: &Read, found: &Result<Done, EngineError>) {
        let (mut read, mut values) = (read.clone(), Vec::new());
        cut_out(&mut read.root, &mut values);
        let project = self.engine.project();
        let asked = || {
            let prepared = self.engine.prepare(&project, &somebody_like(who), Plan::Read(read))?;
            let run = self.engine.run_prepared(who, &prepared, values, Trees::default(), |_, _| Ok(()));
            let (trees, outcome) = self.runtime.block_on(run)?;
            Ok::<_, EngineError>(Done::of(trees.into_rows(), &outcome))
        };
        match (found, asked()) {
            (Ok(found), Ok(asked)) => assert_eq!(asked, *found, "the prepared read tells the same"),
            (Err(found), Err(asked)) => assert_eq!(asked.to_string(), found.to_string()),
            (found, asked) => panic!("one is refused: {found:?}, prepared {asked:?}"),
        }
    }

    fn write(&self, world: &World, who: &Principal, plan: &Plan) -> Result<Done, EngineError> {
        let (world, who, plan) = (world.clone(), who.clone(), plan.clone());
        let ended = self.engine.transact_blocking(move |tx| -> Result<(), Undone> {
            Err(Undone::Looked(Box::new(written(tx, &world, &who, &plan))))
        });
        match ended {
            Err(Undone::Looked(result)) => *result,
            Err(Undone::Failed(error)) => Err(error),
            Ok(()) => unreachable!("the job always undoes what it did"),
        }
    }

    fn act(&self, world: &World, who: &Principal, plan: &Plan) -> Result<Done, EngineError> {
        let looked = Arc::new(Mutex::new(None));
        let (world, caller, plan, seen) = (world.clone(), who.clone(), plan.clone(), Arc::clone(&looked));
        let action = Action {
            function: "try".to_owned(),
            label: Words::from([("en", "Try")]),
            caller: who.clone(),
            rights: who.clone(),
            input_json: "{}".to_owned(),
            idempotency: None,
            once: None,
        };
        let ended = self.runtime.block_on(self.engine.act(action, move |tx| {
            *seen.lock().unwrap() = Some(written(tx.inner(), &world, &caller, &plan));
            Err(ActionError::Failed { code: "P0001", message: "undone".to_owned(), position: None })
        }));
        assert!(
            matches!(ended, Err(ActionError::Failed { .. })),
            "the action always undoes what it did: {ended:?}"
        );
        looked.lock().unwrap().take().expect("the action ran")
    }
}

/// Makes parameters of all values that a filter compares a column with.
fn cut_out(node: &mut Node, values: &mut Vec<Value>) {
    if let Some(filter) = &mut node.filter {
        filter.walk_mut(&mut |e| {
            if let Expr::Compare(_, column, value) = e
                && let Expr::Column { table, field, .. } = **column
                && let Expr::Literal(literal) = &**value
            {
                let number = values.len();
                values.push(literal.clone());
                **value = Expr::Parameter { number, table, field };
            }
        });
    }
    for child in &mut node.children {
        cut_out(&mut child.node, values);
    }
}

/// Another account with the same rights and roles.
fn somebody_like(who: &Principal) -> Principal {
    let user = who.user.as_ref().map(|user| {
        let claims = serde_json::json!({ "role": "authenticated", "team": "of somebody else" });
        Arc::new(User { id: Uuid::from_u128(99), claims, ..User::clone(user) })
    });
    Principal { rights: who.rights, user }
}

/// Runs a write and looks at the tables, also after a refusal: then nothing may have changed.
fn written(tx: &EngineTx, world: &World, who: &Principal, plan: &Plan) -> Result<Done, EngineError> {
    let mut trees = Trees::default();
    let before = content(tx, world)?;
    match tx.run(who, plan.clone(), &mut trees as &mut dyn RowSink) {
        Ok(outcome) => {
            let done = Done::of(trees.into_rows(), &outcome);
            Ok(Done { after: Some(content(tx, world)?), ..done })
        }
        Err(error) => {
            assert_eq!(content(tx, world)?, before, "a refused write leaves everything as it was");
            Err(error)
        }
    }
}

enum Undone {
    Looked(Box<Result<Done, EngineError>>),
    Failed(EngineError),
}

impl From<EngineError> for Undone {
    fn from(error: EngineError) -> Self {
        Self::Failed(error)
    }
}

/// All rows of the project's own tables by primary key.
fn content(tx: &EngineTx, world: &World) -> Result<Data, EngineError> {
    let who = Principal::system("test: look");
    let all = |table: usize| {
        let outputs = world.tables[table].all_fields();
        let named = |at: usize| Output::Field { name: at.to_string(), field: field(at) };
        let node = Node {
            outputs: outputs.into_iter().map(named).collect(),
            window: Window::default(),
            ..Node::all(world.id(table))
        };
        Ok(tx.rows(&who, Plan::read(node))?.0.rows)
    };
    Ok(Data((0..world.tables.len()).map(all).collect::<Result<_, EngineError>>()?))
}
