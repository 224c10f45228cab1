//! The engine: a store, a project, a clock.
//! Lives here: opening, migrating, one plan ([`Engine::run`]), several plans ([`Engine::transact`]).
//! Not here: business actions (`action.rs`), stories, history.

use std::{
    cell::Cell,
    hash::{BuildHasher, RandomState},
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use arc_swap::ArcSwap;
use takt_model::{CompareOp, Connection, Expr, Principal, Project, Value};
use takt_plan::{
    Buffered, Guarded, GuardedNode, GuardedPlan, Link, Migration, On, Plan, RowSink, Rows, guard,
};
use takt_store::{Outcome, Store, StoreError, StoreHealth, Tx, TxContext};

use crate::{Clock, EngineError, hooks::Hooks};

/// What an engine is made of.
pub struct EngineOptions {
    /// An open store.
    pub store: Store,
    /// A project without errors, read with all system tables.
    pub project: Arc<Project>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

/// A verdict on rows and outcome before the commit; an error rolls back.
pub type Verdict<S> = fn(&S, &Outcome) -> Result<(), EngineError>;

/// Runs plans. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    served: ArcSwap<Served>,
    clock: Arc<dyn Clock>,
    chance: RandomState,
    drawn: AtomicU64,
    /// Rung after a commit with events.
    outbox: tokio::sync::Notify,
}

/// What is served: one value, so that no write ever meets the hooks of another project.
#[derive(Clone)]
pub(crate) struct Served {
    project: Arc<Project>,
    hooks: Option<Arc<dyn Hooks>>,
    listeners: Option<Arc<dyn Listeners>>,
}

/// Who waits for events. Events are written here; the room above that delivers them knows who wants them.
pub trait Listeners: Send + Sync {
    /// Whether anybody waits for an event of this name now. Asked on the writer's thread for each event.
    fn wait_for(&self, event: &str) -> bool;
}

/// A read that is guarded and lowered; made by [`Engine::prepare`].
#[derive(Debug)]
pub struct PreparedRead {
    read: Arc<takt_store::PreparedRead>,
    route: Route,
}

/// A transaction of several plans, as seen by the rooms above.
#[derive(Clone)]
pub struct EngineTx {
    pub(crate) tx: Tx,
    served: Arc<Served>,
    /// Whether an event was written that somebody waits for.
    emitted: Rc<Cell<bool>>,
}

impl Engine {
    /// Makes the database fit the project (additive steps only) and starts.
    ///
    /// # Errors
    /// [`EngineError::Schema`] naming every step that awaits `takt apply`; nothing is changed then.
    pub fn open(options: EngineOptions) -> Result<Self, EngineError> {
        let EngineOptions { store, project, clock } = options;
        migrate(&store, &project)?;
        let inner = Inner {
            store,
            served: ArcSwap::from_pointee(Served { project, hooks: None, listeners: None }),
            clock,
            chance: RandomState::new(),
            drawn: AtomicU64::new(0),
            outbox: tokio::sync::Notify::new(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The project that is served now.
    #[must_use]
    pub fn project(&self) -> Arc<Project> {
        Arc::clone(&self.inner.served.load().project)
    }

    pub(crate) fn served(&self) -> Arc<Served> {
        self.inner.served.load_full()
    }

    /// What written rows set off from now on; without a call, nothing.
    pub fn set_hooks(&self, hooks: Arc<dyn Hooks>) {
        self.inner.served.rcu(|served| Served { hooks: Some(Arc::clone(&hooks)), ..Served::clone(served) });
    }

    /// Who waits for events from now on. An event that nobody waits for is written as dispatched: nobody has to look at
    /// it again. Without a call, every event is looked at.
    pub fn set_listeners(&self, listeners: Arc<dyn Listeners>) {
        self.inner.served.rcu(|served| {
            let listeners = Some(Arc::clone(&listeners));
            Served { listeners, ..Served::clone(served) }
        });
    }

    /// Waits until every write that has begun is committed or undone: afterwards nothing is committed any more that
    /// was decided by what was served before.
    ///
    /// # Errors
    /// The engine's.
    pub async fn settle(&self) -> Result<(), EngineError> {
        self.transact(|_| Ok(())).await
    }

    /// Serves another project with its hooks from now on (reload); migrates as [`Engine::open`].
    ///
    /// # Errors
    /// As [`Engine::open`]; the old project goes on then.
    pub fn replace_project(
        &self,
        project: Arc<Project>,
        hooks: Option<Arc<dyn Hooks>>,
    ) -> Result<(), EngineError> {
        migrate(&self.inner.store, &project)?;
        self.inner.served.rcu(|served| {
            let (project, hooks) = (Arc::clone(&project), hooks.clone());
            Served { project, hooks, ..Served::clone(served) }
        });
        Ok(())
    }

    /// Serves the same project with other connections from now on: subscriptions come and go while it runs. Tables,
    /// settings and hooks stay. `connections` may be asked more than once.
    pub fn replace_connections(&self, connections: impl Fn(&Project) -> Vec<Connection>) {
        self.inner.served.rcu(|served| {
            let connections = connections(&served.project);
            let project = Project { connections, ..Project::clone(&served.project) };
            Served { project: Arc::new(project), ..Served::clone(served) }
        });
    }

    /// Microseconds since 1970 UTC, from the engine's clock.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.inner.clock.now()
    }

    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.inner.clock)
    }

    pub(crate) fn store(&self) -> &Store {
        &self.inner.store
    }

    /// Time and chance for one transaction. The seed is a keyed hash (SipHash) of a counter: distinct for each
    /// transaction and not to be guessed from the ids that came before.
    pub(crate) fn context(&self, capture: bool) -> TxContext {
        let drawn = self.inner.drawn.fetch_add(1, Ordering::Relaxed);
        TxContext { now: self.now(), seed: self.inner.chance.hash_one(drawn), capture }
    }

    /// Guards and runs one plan in one transaction of its own and pushes its rows into `sink`.
    ///
    /// # Errors
    /// See [`EngineError`]; nothing is written then.
    pub async fn run<S: RowSink + Clone + Send + 'static>(
        &self,
        who: &Principal,
        plan: Plan,
        sink: S,
        verdict: Verdict<S>,
    ) -> Result<(S, Outcome), EngineError> {
        let served = self.served();
        let guarded = guard(plan, &served.project, who)?;
        let context = self.context(false);
        let store = &self.inner.store;
        let route = route(&guarded);
        if matches!(route, Route::Here) {
            let mut sink = sink;
            let outcome = store.run_here(context, &guarded, &mut sink)?;
            verdict(&sink, &outcome)?;
            return Ok((sink, outcome));
        }
        let once = move |tx: &Tx, mut sink: S| -> Result<(S, Outcome, bool), EngineError> {
            let etx = EngineTx::new(tx, &served);
            let outcome = etx.run_guarded(&guarded, &mut sink)?;
            verdict(&sink, &outcome)?;
            Ok((sink, outcome, etx.has_emitted()))
        };
        let (sink, outcome, emitted) = match route {
            Route::Here | Route::Reader => store.read(context, move |tx| once(tx, sink)).await?,
            Route::Writer => store.write(context, move |tx| once(tx, sink.clone())).await?,
        };
        self.announce(emitted);
        Ok((sink, outcome))
    }

    /// Makes a read ready to run many times: guarded and lowered once.
    ///
    /// # Errors
    /// See [`EngineError`]; a write is not prepared.
    pub fn prepare(
        &self,
        project: &Arc<Project>,
        who: &Principal,
        plan: Plan,
    ) -> Result<PreparedRead, EngineError> {
        let guarded = guard(plan, project, who)?;
        let route = route(&guarded);
        Ok(PreparedRead { route, read: Arc::new(takt_store::PreparedRead::of(guarded)?) })
    }

    /// As [`Engine::run`], for a prepared read and the values of its parameters.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub async fn run_prepared<S: RowSink + Send + 'static>(
        &self,
        who: &Principal,
        prepared: &PreparedRead,
        values: Vec<Value>,
        mut sink: S,
        verdict: Verdict<S>,
    ) -> Result<(S, Outcome), EngineError> {
        let (context, store) = (self.context(false), &self.inner.store);
        if matches!(prepared.route, Route::Here) {
            let outcome = store.run_prepared_here(context, &prepared.read, who, &values, &mut sink)?;
            verdict(&sink, &outcome)?;
            return Ok((sink, outcome));
        }
        let (read, who) = (Arc::clone(&prepared.read), who.clone());
        let job = move |tx: &Tx| -> Result<(S, Outcome), EngineError> {
            let outcome = tx.run_prepared(&read, &who, &values, &mut sink)?;
            verdict(&sink, &outcome)?;
            Ok((sink, outcome))
        };
        store.read(context, job).await
    }

    /// Runs several plans in one write transaction. `job` may run more than once and must have no effect
    /// besides the transaction.
    ///
    /// # Errors
    /// The job's, or the engine's.
    pub async fn transact<R, E>(
        &self,
        mut job: impl FnMut(&EngineTx) -> Result<R, E> + Send + 'static,
    ) -> Result<R, E>
    where
        R: Send + 'static,
        E: From<EngineError> + Send + 'static,
    {
        let served = self.served();
        let job = move |tx: &Tx| -> Result<(R, bool), Carried<E>> {
            let etx = EngineTx::new(tx, &served);
            let done = job(&etx).map_err(Carried::Job)?;
            Ok((done, etx.has_emitted()))
        };
        let (done, emitted) =
            self.inner.store.write(self.context(false), job).await.map_err(Carried::into_job)?;
        self.announce(emitted);
        Ok(done)
    }

    /// Waits until a commit has written events. A hint, not a promise: events of an earlier process, or of another
    /// one, are found by looking now and then.
    pub async fn outbox_written(&self) {
        self.inner.outbox.notified().await;
    }

    /// Tells whoever waits in [`Engine::outbox_written`]. Only after the commit: who looks must find.
    pub(crate) fn announce(&self, emitted: bool) {
        if emitted {
            self.inner.outbox.notify_one();
        }
    }

    /// As [`Engine::transact`], blocking; for start-up and commands.
    ///
    /// # Errors
    /// The job's, or the engine's.
    pub fn transact_blocking<R, E>(
        &self,
        mut job: impl FnMut(&EngineTx) -> Result<R, E> + Send + 'static,
    ) -> Result<R, E>
    where
        R: Send + 'static,
        E: From<EngineError> + Send + 'static,
    {
        let served = self.served();
        let job = move |tx: &Tx| job(&EngineTx::new(tx, &served)).map_err(Carried::Job);
        self.inner.store.write_blocking(self.context(false), job).map_err(Carried::into_job)
    }

    /// Runs reads on one snapshot, on the calling thread; for short look-ups by key.
    ///
    /// # Errors
    /// The job's, or the engine's.
    pub fn look_up<R, E: From<EngineError>>(
        &self,
        job: impl FnOnce(&EngineTx) -> Result<R, E>,
    ) -> Result<R, E> {
        let served = self.served();
        let job = |tx: &Tx| job(&EngineTx::new(tx, &served)).map_err(Carried::Job);
        self.inner.store.read_here(self.context(false), job).map_err(Carried::into_job)
    }

    /// Copies the database as of now to the file `to`, on the calling thread, while reads and writes go on.
    ///
    /// # Errors
    /// See [`Store::copy`].
    pub fn copy_database(&self, to: &std::path::Path) -> Result<(), EngineError> {
        Ok(self.inner.store.copy(to)?)
    }

    /// How the store is.
    #[must_use]
    pub fn health(&self) -> StoreHealth {
        self.inner.store.health()
    }

    /// Finishes waiting writes and closes the store.
    pub fn close(&self) {
        self.inner.store.close();
    }
}

impl EngineTx {
    pub(crate) fn new(tx: &Tx, served: &Arc<Served>) -> Self {
        Self { tx: tx.clone(), served: Arc::clone(served), emitted: Rc::default() }
    }

    pub(crate) fn hooks(&self) -> Option<&dyn Hooks> {
        self.served.hooks.as_deref()
    }

    /// Whether an event was written that somebody waits for.
    pub(crate) fn has_emitted(&self) -> bool {
        self.emitted.get()
    }

    /// Guards and runs a plan; rows go to `sink`. A failed write leaves the transaction as it was before.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub fn run(&self, who: &Principal, plan: Plan, sink: &mut dyn RowSink) -> Result<Outcome, EngineError> {
        let guarded = guard(plan, self.project(), who)?;
        self.run_guarded(&guarded, sink)
    }

    /// As [`EngineTx::run`], keeping the rows.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub fn rows(&self, who: &Principal, plan: Plan) -> Result<(Rows, Outcome), EngineError> {
        let mut sink = Buffered::default();
        let outcome = self.run(who, plan, &mut sink)?;
        Ok((sink.into_rows(), outcome))
    }

    /// The project that this transaction sees.
    #[must_use]
    pub fn project(&self) -> &Arc<Project> {
        &self.served.project
    }

    /// One of the product's own tables, for plans by name.
    ///
    /// # Errors
    /// [`EngineError::Plan`] if the project was read without it.
    pub fn on(&self, table: &str) -> Result<On<'_>, EngineError> {
        Ok(On::table(self.project(), table)?)
    }

    /// The moment of the transaction: microseconds since 1970 UTC.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.tx.context().now
    }

    /// A new random v7 UUID of this transaction.
    #[must_use]
    pub fn new_uuid(&self) -> takt_model::Uuid {
        self.tx.new_uuid()
    }

    /// Writes an outbox row: leaves if and only if this transaction commits.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub fn emit(&self, name: &str, key: Option<&str>, payload_json: &str) -> Result<(), EngineError> {
        self.emit_for(name, key, payload_json, None)
    }

    /// As [`EngineTx::emit`], for an event that a story (or a delivery, by its id) tells of.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub fn emit_for(
        &self,
        name: &str,
        key: Option<&str>,
        payload_json: &str,
        story: Option<takt_model::Uuid>,
    ) -> Result<(), EngineError> {
        let is_awaited = self.served.listeners.as_ref().is_none_or(|listeners| listeners.wait_for(name));
        let plan = self.on("takt.outbox_events")?.insert(vec![
            ("id", Value::Uuid(self.new_uuid())),
            ("name", Value::Text(name.to_owned())),
            ("key", key.map_or(Value::Null, |k| Value::Text(k.to_owned()))),
            ("payload", Value::Json(payload_json.to_owned())),
            ("story", story.map_or(Value::Null, Value::Uuid)),
            ("at", Value::Timestamp(self.now())),
            ("dispatched_at", if is_awaited { Value::Null } else { Value::Timestamp(self.now()) }),
        ])?;
        self.rows(&Principal::system("outbox: write event"), plan)?;
        self.emitted.set(self.emitted.get() || is_awaited);
        Ok(())
    }
}

/// A job's own error on its way through the store, which may have an error of its own to say.
enum Carried<E> {
    Job(E),
    Store(StoreError),
}

impl<E> From<StoreError> for Carried<E> {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl<E: From<EngineError>> Carried<E> {
    fn into_job(self) -> E {
        match self {
            Self::Job(error) => error,
            Self::Store(error) => EngineError::from(error).into(),
        }
    }
}

fn migrate(store: &Store, project: &Project) -> Result<(), EngineError> {
    let migration = Migration::between(&store.stored_schema()?, project);
    if !migration.refused.is_empty() {
        let steps: Vec<String> = migration.refused.iter().map(|r| format!("- {}", r.what)).collect();
        return Err(EngineError::Schema(format!(
            "the database does not fit the project and the way there is not additive; nothing was changed:\n{}",
            steps.join("\n")
        )));
    }
    if !migration.steps.is_empty() {
        store.migrate(project, &migration)?;
    }
    Ok(())
}

/// Where a plan runs.
#[derive(Debug)]
enum Route {
    /// On the calling thread: provably short.
    Here,
    /// On a reader thread.
    Reader,
    /// In the writer's commit group.
    Writer,
}

fn route(guarded: &Guarded) -> Route {
    match guarded.plan() {
        GuardedPlan::Read(read) if !read.count && is_by_key(&read.root, guarded.project()) => Route::Here,
        GuardedPlan::Read(_) => Route::Reader,
        _ => Route::Writer,
    }
}

/// Whether a read finds at most one row by its primary key, and embeds only single rows.
fn is_by_key(node: &GuardedNode, project: &Project) -> bool {
    let pinned = |key: takt_model::FieldId| {
        let is_pin = |e: &Expr| {
            matches!(e, Expr::Compare(CompareOp::Eq, l, r)
                if matches!(**l, Expr::Column { scope: 0, field, .. } if field == key)
                    && matches!(**r, Expr::Literal(_) | Expr::Parameter { .. }))
        };
        match &node.filter {
            Expr::And(all) => all.iter().any(is_pin),
            one => is_pin(one),
        }
    };
    let single =
        |c: &takt_plan::GuardedChild| matches!(c.link, Link::ToOne { .. }) && c.node.children.is_empty();
    project.get(node.table).primary_key.iter().all(|k| pinned(*k)) && node.children.iter().all(single)
}
