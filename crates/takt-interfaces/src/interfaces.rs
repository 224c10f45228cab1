//! The room: what deliveries need, and the tasks that work for as long as the server runs.

use std::{
    collections::{BTreeSet, HashMap},
    hash::{BuildHasher, RandomState},
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use parking_lot::{Mutex, RwLock};
use takt_engine::{Actor, Engine, EngineError, EngineTx, Listeners, Once};
use takt_model::{Connect, Connection, Operation, OperationKind, Project};
use takt_outbound::Outbound;
use tokio::{sync::Notify, task::AbortHandle};

use crate::{
    Drift,
    connectors::{Consume, Holder, MakeBody, Secrets, Token},
    contract::{Contracts, Watch},
    dispatch::{Dispatched, PollRoute, Routes, ask, dispatch},
    mail_template::MailTemplates,
    masks::Personal,
    outcome::micros,
    pump::Pump,
    reconcile::{self, Comparing},
    rows::{attempts, connections::Health, drifts, events, received, subscriptions as stored},
    subscriptions::Held,
};

/// How often the outbox is looked at without being told.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often what is too old is forgotten.
const TIDY_EVERY: Duration = Duration::from_secs(60);
/// Rows of one transaction of forgetting.
const TIDY_BATCH: u64 = 500;
/// What our functions were given is remembered for at least so long, whatever is kept of deliveries: 45 days, in
/// microseconds; longer than anybody tries again.
const KEEP_RECEIVED: i64 = 45 * 86_400 * 1_000_000;

/// What the room is made of.
pub struct InterfacesOptions {
    /// Data.
    pub engine: Engine,
    /// The only door to the outside.
    pub outbound: Outbound,
    /// Values of secrets.
    pub secrets: Arc<dyn Secrets>,
    /// The address that people use, for links in mails.
    pub base_url: String,
    /// How long delivered events, their deliveries and attempts are kept.
    pub keep: Duration,
}

/// What every delivery needs.
pub(crate) struct House {
    pub(crate) engine: Engine,
    pub(crate) outbound: Outbound,
    pub(crate) secrets: Arc<dyn Secrets>,
    /// The address that people use.
    pub(crate) base_url: String,
    /// Tokens of OAuth 2.
    pub(crate) tokens: Mutex<HashMap<Holder, Token>>,
    /// Contracts of operations, and what is remembered between messages.
    pub(crate) watch: Watch,
    /// Secrets of subscriptions, and what keeps their changes apart.
    pub(crate) subscriptions: Held,
    templates: RwLock<Arc<MailTemplates>>,
    functions: RwLock<Functions>,
    /// Who wants which events, of the project that is served.
    routes: Mutex<Option<(Arc<Project>, Arc<Routes>)>>,
    /// Names of personal fields, of the project that is served.
    personal: RwLock<Option<(Arc<Project>, Arc<Personal>)>>,
    chance: RandomState,
    drawn: AtomicU64,
}

#[derive(Clone, Default)]
struct Functions {
    consume: Option<Arc<dyn Consume>>,
    bodies: Option<Arc<dyn MakeBody>>,
}

impl House {
    pub(crate) fn functions(&self) -> Option<Arc<dyn Consume>> {
        self.functions.read().consume.clone()
    }

    pub(crate) fn bodies(&self) -> Option<Arc<dyn MakeBody>> {
        self.functions.read().bodies.clone()
    }

    pub(crate) fn templates(&self) -> Arc<MailTemplates> {
        Arc::clone(&self.templates.read())
    }

    /// Names of personal fields, worked out once for each project that is served.
    pub(crate) fn personal(&self) -> Arc<Personal> {
        let project = self.engine.project();
        if let Some((of, personal)) = &*self.personal.read()
            && Arc::ptr_eq(of, &project)
        {
            return Arc::clone(personal);
        }
        let personal = Arc::new(Personal::of(&project));
        *self.personal.write() = Some((project, Arc::clone(&personal)));
        personal
    }

    /// The name of a secret that is needed there and not set.
    pub(crate) fn missing_secret(&self, connect: &Connect) -> Option<String> {
        let names = connect.auth.secrets().into_iter();
        names.map(str::to_owned).find(|name| self.secrets.secret(name).is_none())
    }

    /// Our own host name, as a mail server is greeted.
    pub(crate) fn host(&self) -> String {
        let host = self.base_url.split("://").nth(1).unwrap_or_default();
        host.split([':', '/']).next().filter(|h| !h.is_empty()).unwrap_or("localhost").to_owned()
    }

    /// From 0 to 1; spreads repeats, so it need not be secret.
    pub(crate) fn chance(&self) -> f64 {
        let drawn = self.drawn.fetch_add(1, Ordering::Relaxed);
        f64::from(u32::try_from(self.chance.hash_one(drawn) >> 32).unwrap_or_default()) / f64::from(u32::MAX)
    }

    /// Who wants which events, of the project that is served; made anew only when that or its functions change, because
    /// every dispatch asks.
    fn routes(&self) -> Arc<Routes> {
        let project = self.engine.project();
        let mut kept = self.routes.lock();
        if let Some((of, routes)) = kept.as_ref()
            && Arc::ptr_eq(of, &project)
        {
            return Arc::clone(routes);
        }
        let consumers = self.functions().map(|f| f.consumers()).unwrap_or_default();
        let routes = Arc::new(Routes::of(&project, consumers));
        *kept = Some((project, Arc::clone(&routes)));
        routes
    }
}

/// Tells the engine who waits for events. Weak, because the room holds the engine.
struct Waiting(Weak<House>);

impl Listeners for Waiting {
    fn wait_for(&self, event: &str) -> bool {
        self.0.upgrade().is_none_or(|house| house.routes().are_waited_for(event))
    }
}

/// Deliveries. Cheap to clone.
#[derive(Clone)]
pub struct Interfaces {
    pub(crate) house: Arc<House>,
    pumps: Arc<Mutex<HashMap<String, RunningPump>>>,
    /// When each question was asked last.
    pub(crate) asked: Arc<tokio::sync::Mutex<HashMap<PollRoute, i64>>>,
    pub(crate) comparing: Arc<Comparing>,
    keep: Duration,
    /// For whom decisions are written down.
    pub(crate) actor: Option<Arc<Actor>>,
}

struct RunningPump {
    wake: Arc<Notify>,
    task: AbortHandle,
}

/// How a connection is, for people. Moments are microseconds since 1970 UTC.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ConnectionStatus {
    /// Its name; `functions` for consumers of events.
    pub id: String,
    /// Where it comes from.
    pub source: ConnectionSource,
    /// Whether a person has stopped it.
    pub paused: bool,
    /// Until when the circuit breaker lets nothing through.
    pub open_until: Option<i64>,
    /// The last success, to the minute.
    pub last_ok_at: Option<i64>,
    /// The last failure, to the minute.
    pub last_failed_at: Option<i64>,
    /// What went wrong then.
    pub last_error: Option<String>,
    /// What it answered when it was asked whether it is well, if its file says how to ask.
    pub health: Option<Health>,
    /// Deliveries that wait.
    pub waiting: u64,
    /// Dead letters.
    pub dead: u64,
    /// Deliveries of which nobody knows whether they arrived.
    pub asking: u64,
}

/// Where a connection comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ConnectionSource {
    /// A file in `interfaces/`.
    File,
    /// A subscription: the API, or the console.
    Subscription,
    /// The functions of `logic/`.
    Functions,
}

impl Interfaces {
    /// The room; nothing is sent before [`Interfaces::run`].
    #[must_use]
    pub fn new(options: InterfacesOptions) -> Self {
        let InterfacesOptions { engine, outbound, secrets, base_url, keep } = options;
        let house = House {
            engine,
            outbound,
            secrets,
            base_url,
            tokens: Mutex::default(),
            watch: Watch::default(),
            subscriptions: Held::default(),
            templates: RwLock::new(Arc::new(MailTemplates::read(Vec::<(String, String)>::new()))),
            functions: RwLock::default(),
            routes: Mutex::default(),
            personal: RwLock::default(),
            chance: RandomState::new(),
            drawn: AtomicU64::new(0),
        };
        Self {
            house: Arc::new(house),
            pumps: Arc::default(),
            asked: Arc::default(),
            comparing: Arc::default(),
            keep,
            actor: None,
        }
    }

    /// The same room for somebody: what they decide is written to the audit, in the transaction that does it.
    #[must_use]
    pub fn acting_for(&self, actor: Actor) -> Self {
        Self { actor: Some(Arc::new(actor)), ..self.clone() }
    }

    /// Lends the project's functions. After a reload, [`Interfaces::look_at_functions_again`].
    pub fn lend(&self, consume: Arc<dyn Consume>, bodies: Arc<dyn MakeBody>) {
        *self.house.functions.write() = Functions { consume: Some(consume), bodies: Some(bodies) };
        self.house.routes.lock().take();
        self.house.engine.set_listeners(Arc::new(Waiting(Arc::downgrade(&self.house))));
    }

    /// The lent functions are others now: who wants which events is worked out anew.
    pub fn look_at_functions_again(&self) {
        self.house.routes.lock().take();
    }

    /// The project's mail templates; again after each reload.
    pub fn use_templates(&self, templates: MailTemplates) {
        *self.house.templates.write() = Arc::new(templates);
    }

    /// The project's contracts; again after each reload. What was parked for one that was corrected goes on.
    pub fn use_contracts(&self, contracts: Contracts) {
        self.house.watch.use_contracts(contracts);
    }

    /// Dispatches and delivers until it is dropped.
    pub async fn run(self) {
        let stop = StopPumps(Arc::clone(&self.pumps));
        if let Err(error) = self.finish_removals().await {
            tracing::error!(%error, "a webhook is still being removed");
        }
        tokio::join!(self.dispatch_all(), self.tidy(), self.reconcile_all(), self.watch_health());
        drop(stop);
    }

    async fn dispatch_all(&self) {
        let mut is_told = false;
        loop {
            // No subscription comes or goes between the routes and the commit that follows them.
            let still = self.house.subscriptions.dispatching.read().await;
            let routes = self.house.routes();
            self.start_pumps(&routes);
            if let Err(error) = self.go_on_after_correction().await {
                tracing::error!(%error, "parked deliveries wait");
            }
            if let Err(error) = self.ask_due(&routes, &mut *self.asked.lock().await).await {
                tracing::error!(%error, "other systems could not be asked");
            }
            match self.dispatch_round(&routes, is_told).await {
                Ok(done) => {
                    self.wake(&done.connections);
                    if done.is_full {
                        continue;
                    }
                }
                Err(error) => tracing::error!(%error, "events wait in the outbox"),
            }
            drop(still);
            is_told = tokio::select! {
                () = self.house.engine.outbox_written() => true,
                () = tokio::time::sleep(LOOK_EVERY) => false,
            };
        }
    }

    /// Asks whom it is time to ask; `asked` says when each was asked last. After a start everybody is asked at once.
    async fn ask_due(&self, routes: &Routes, asked: &mut HashMap<PollRoute, i64>) -> Result<(), EngineError> {
        let now = self.house.engine.now();
        for poll in &routes.polls {
            if asked.get(poll).is_some_and(|at| *at <= now && now < at.saturating_add(micros(poll.every))) {
                continue;
            }
            asked.insert(poll.clone(), now);
            let poll = poll.clone();
            if self.house.engine.transact(move |tx| ask(tx, &poll)).await? {
                self.wake_all();
            }
        }
        Ok(())
    }

    /// One round; nothing is written when there is nothing to dispatch.
    async fn dispatch_once(&self, routes: &Arc<Routes>) -> Result<Dispatched, EngineError> {
        self.dispatch_round(routes, false).await
    }

    /// As [`Self::dispatch_once`]. Who `is_told` that there is something need not look first.
    async fn dispatch_round(&self, routes: &Arc<Routes>, is_told: bool) -> Result<Dispatched, EngineError> {
        if !is_told && !self.house.engine.look_up(events::has_undispatched)? {
            return Ok(Dispatched::default());
        }
        let routes = Arc::clone(routes);
        self.house.engine.transact(move |tx| dispatch(tx, &routes)).await
    }

    /// A pump for each connection; those of connections that are gone end by themselves.
    fn start_pumps(&self, routes: &Routes) {
        let mut pumps = self.pumps.lock();
        pumps.retain(|_, pump| !pump.task.is_finished());
        for connection in &routes.connections {
            let is_running = pumps.get(connection).is_some_and(|p| !p.task.is_finished());
            if is_running {
                continue;
            }
            let wake = Arc::new(Notify::new());
            let pump = Pump::new(Arc::clone(&self.house), connection.clone(), Arc::clone(&wake));
            let task = tokio::spawn(pump.run()).abort_handle();
            pumps.insert(connection.clone(), RunningPump { wake, task });
        }
    }

    /// Something is due at these.
    fn wake(&self, connections: &BTreeSet<String>) {
        if connections.is_empty() {
            return;
        }
        let pumps = self.pumps.lock();
        connections.iter().filter_map(|c| pumps.get(c)).for_each(|pump| pump.wake.notify_one());
    }

    /// Something may be due.
    pub(crate) fn wake_all(&self) {
        self.pumps.lock().values().for_each(|pump| pump.wake.notify_one());
    }

    /// Forgets what is older than it need be; dead letters and questions stay until somebody decides.
    async fn tidy(&self) {
        loop {
            tokio::time::sleep(TIDY_EVERY).await;
            if let Err(error) = self.forget().await {
                tracing::warn!(%error, "old deliveries were not forgotten");
            }
        }
    }

    /// A batch at a time, so that nobody waits for it.
    pub(crate) async fn forget(&self) -> Result<(), EngineError> {
        let engine = &self.house.engine;
        let keep = micros(self.keep);
        let mut seen = None;
        loop {
            let forget =
                move |tx: &EngineTx| events::forget(tx, tx.now().saturating_sub(keep), seen, TIDY_BATCH);
            seen = engine.transact(forget).await?;
            if seen.is_none() {
                break;
            }
        }
        let mut seen = None;
        loop {
            let keep = keep.max(KEEP_RECEIVED);
            let forget =
                move |tx: &EngineTx| Once::forget(tx, tx.now().saturating_sub(keep), seen, TIDY_BATCH);
            seen = engine.transact(forget).await?;
            if seen.is_none() {
                break;
            }
        }
        if self.house.subscriptions.has_old(engine.now()) {
            engine.transact(stored::forget_old_secrets).await?;
            self.house.take_up_subscriptions()?;
        }
        let forget = move |tx: &EngineTx| attempts::forget(tx, tx.now().saturating_sub(keep), TIDY_BATCH);
        while engine.transact(forget).await? > 0 {}
        let contracts = self.house.watch.contracts();
        let forget = move |tx: &EngineTx| -> Result<(), EngineError> {
            let is_over = |d: &Drift| d.accepted || !d.breaking || contracts.is_outdated(d);
            let old = drifts::old(tx, tx.now().saturating_sub(keep))?;
            old.iter().filter(|d| is_over(d)).try_for_each(|d| drifts::forget(tx, d.id))
        };
        engine.transact(forget).await?;
        for connection in &engine.project().connections {
            let id = connection.id.clone();
            engine.transact(move |tx| reconcile::forget(tx, &id, tx.now().saturating_sub(keep))).await?;
            let Some(keep) = longest_keep(connection) else { continue };
            let id = connection.id.clone();
            let forget =
                move |tx: &EngineTx| received::forget(tx, &id, tx.now().saturating_sub(keep), TIDY_BATCH);
            while engine.transact(forget.clone()).await? > 0 {}
        }
        Ok(())
    }

    /// Dispatches everything and makes every attempt that is due now; for tests and commands without a server.
    ///
    /// # Errors
    /// The engine's.
    pub async fn work_once(&self) -> Result<usize, EngineError> {
        self.go_on_after_correction().await?;
        let routes = self.house.routes();
        self.ask_due(&routes, &mut *self.asked.lock().await).await?;
        self.reconcile_due().await?;
        self.ask_whether_well().await;
        while self.dispatch_once(&routes).await?.is_full {}
        let mut begun = 0;
        for connection in &routes.connections {
            let mut pump = Pump::new(Arc::clone(&self.house), connection.clone(), Arc::default());
            pump.recover().await?;
            loop {
                let turn = pump.turn().await?;
                begun += turn.begun;
                pump.wait().await;
                if turn.begun == 0 && !pump.has_ended() {
                    break;
                }
            }
        }
        Ok(begun)
    }
}

#[doc(hidden)]
impl Interfaces {
    /// Forgets what is older than it need be. For tests.
    ///
    /// # Errors
    /// The engine's.
    pub async fn tidy_now(&self) -> Result<(), EngineError> {
        self.forget().await
    }

    /// Dispatches, claims, and forgets what it was about to send: what a crash at that moment leaves. For tests.
    ///
    /// # Errors
    /// The engine's.
    pub async fn claim_and_die(&self) -> Result<(), EngineError> {
        let routes = self.house.routes();
        self.dispatch_once(&routes).await?;
        for connection in &routes.connections {
            let mut pump = Pump::new(Arc::clone(&self.house), connection.clone(), Arc::default());
            pump.claim_only().await?;
        }
        Ok(())
    }
}

/// How long messages of a connection are remembered: microseconds.
fn longest_keep(connection: &Connection) -> Option<i64> {
    let kept = |operation: &Operation| match &operation.kind {
        OperationKind::Receive(receive) => Some(micros(receive.keep)),
        OperationKind::Deliver(_) | OperationKind::Poll(_) => None,
    };
    connection.operations.iter().filter_map(kept).max()
}

/// Ends the pumps with the room.
struct StopPumps(Arc<Mutex<HashMap<String, RunningPump>>>);

impl Drop for StopPumps {
    fn drop(&mut self) {
        self.0.lock().drain().for_each(|(_, pump)| pump.task.abort());
    }
}
