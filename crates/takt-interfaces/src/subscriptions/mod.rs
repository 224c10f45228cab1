//! Webhook subscriptions: made, changed, exchanged in their secret and removed while the server runs.
//!
//! A subscription is a row of `takt.subscriptions` and becomes a [`Connection`] of the project that is served, like
//! those of files: lanes, breaker, dead letters, replay and pages know no difference.
//! Invariants: a change is on disk before it is answered, and holds for every event that commits after it; a secret
//! leaves only in the answer that made it; what waits for a removed one is cancelled, its log stays.

mod complaint;
mod keys;
mod terms;

pub use complaint::{Complaint, Fault};
pub use terms::Terms;

pub(crate) use keys::{Held, is_subscription};

use std::{collections::HashMap, time::Duration};

use serde_json::Value as Json;
use takt_engine::{EngineError, EngineTx, StoreError};
use takt_model::{Connection, ConnectionOrigin, Project};
use takt_outbound::{OutboundError, Secret};

use crate::{
    Interfaces, InterfacesError,
    desk::note,
    interfaces::House,
    outcome::micros,
    rows::{
        connections,
        subscriptions::{self as stored, Off, Stored},
    },
};

/// Deliveries that one transaction cancels.
const BATCH: u64 = 500;
/// How often, and how long apart, a change asks the writer whether what had begun before it is done: five seconds.
const SETTLE_TRIES: u32 = 100;
const SETTLE_PAUSE: Duration = Duration::from_millis(50);
/// How often a change is judged anew because another one came between.
const JUDGED_AT_MOST: usize = 5;
/// How long two secrets may sign.
const LONGEST_OVERLAP: Duration = Duration::from_secs(30 * 86_400);

/// A subscription as people and programs see it. Its secret is not among it. Moments are microseconds since 1970 UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Its name, and that of the connection that it is.
    pub id: String,
    /// What it says.
    pub terms: Terms,
    /// Whether events are sent to it.
    pub enabled: bool,
    /// Since when and why not.
    pub off: Option<(i64, Off)>,
    /// Until when the old secret signs too.
    pub both_sign_until: Option<i64>,
    /// When it was made.
    pub created_at: i64,
    /// When it was changed last.
    pub changed_at: i64,
}

impl Subscription {
    fn of(stored: &Stored, now: i64) -> Option<Self> {
        Some(Self {
            id: stored.id.clone(),
            terms: Terms::stored(&stored.terms)?,
            enabled: stored.enabled,
            off: stored.off,
            both_sign_until: stored.before.as_ref().map(|(_, until)| *until).filter(|until| *until > now),
            created_at: stored.created_at,
            changed_at: stored.changed_at,
        })
    }
}

impl Interfaces {
    /// Makes a subscription of `said` (the fields of [`Terms`], and `enabled`). The secret is given out here and never
    /// again.
    ///
    /// # Errors
    /// [`InterfacesError::Subscription`], [`InterfacesError::TooManySubscriptions`], or the engine's.
    pub async fn subscribe(&self, said: Json) -> Result<(Subscription, Secret), InterfacesError> {
        let (terms, enabled) = self.judged(said, &Terms::default()).await?;
        let (id, secret) = (keys::new_id()?, keys::new_secret()?);
        let sealed = self.house.seal(&id, &secret)?;
        let most = self.house.engine.project().settings.webhooks.subscriptions;
        let enabled = enabled.unwrap_or(true);
        let deed = self.deed("webhook.make", format!("connection {id}"));
        let made = self
            .change(move |tx| {
                if stored::all(tx)?.iter().filter(|s| !s.removed).count() as u64 >= most {
                    return Err(InterfacesError::TooManySubscriptions(most));
                }
                let new = Stored {
                    id: id.clone(),
                    terms: terms.to_json().to_string(),
                    enabled,
                    off: (!enabled).then_some((tx.now(), Off::Said)),
                    secret: Some(sealed.clone()),
                    before: None,
                    created_at: tx.now(),
                    changed_at: tx.now(),
                    removed: false,
                };
                stored::insert(tx, &new)?;
                note(tx, deed.as_ref())?;
                Ok(new)
            })
            .await?;
        Ok((self.told(&made)?, secret))
    }

    /// All subscriptions, oldest first.
    ///
    /// # Errors
    /// The engine's.
    pub fn subscriptions(&self) -> Result<Vec<Subscription>, InterfacesError> {
        let all = self.house.engine.look_up(stored::all)?;
        let now = self.house.engine.now();
        Ok(all.iter().filter(|s| !s.removed).filter_map(|s| Subscription::of(s, now)).collect())
    }

    /// One subscription.
    ///
    /// # Errors
    /// [`InterfacesError::UnknownSubscription`], or the engine's.
    pub fn subscription(&self, id: &str) -> Result<Subscription, InterfacesError> {
        let found = self.house.engine.look_up(|tx| stored::get(tx, id))?;
        self.told(&found.ok_or_else(|| InterfacesError::UnknownSubscription(id.to_owned()))?)
    }

    /// Changes what `said` names; the rest stays, also what others change at the same time.
    ///
    /// # Errors
    /// As [`Interfaces::subscribe`] and [`Interfaces::subscription`]; [`InterfacesError::NotNow`] if others changed it
    /// again and again meanwhile.
    pub async fn change_subscription(&self, id: &str, said: Json) -> Result<Subscription, InterfacesError> {
        for _ in 0..JUDGED_AT_MOST {
            let base = self.subscription(id)?.terms;
            let (terms, enabled) = self.judged(said.clone(), &base).await?;
            if let Some(changed) = self.replace_terms(id, base, terms, enabled).await? {
                return self.told(&changed);
            }
        }
        Err(InterfacesError::NotNow("others are changing it at the same time".to_owned()))
    }

    /// Puts `terms`, judged over `base`, in its place; nothing if it is no longer there, since judging takes time: a
    /// name is looked up.
    async fn replace_terms(
        &self,
        id: &str,
        base: Terms,
        terms: Terms,
        enabled: Option<bool>,
    ) -> Result<Option<Stored>, InterfacesError> {
        let id = id.to_owned();
        let deed = self.deed("webhook.change", format!("connection {id}"));
        self.change(move |tx| {
            let before =
                stored::get(tx, &id)?.ok_or_else(|| InterfacesError::UnknownSubscription(id.clone()))?;
            if Terms::stored(&before.terms).as_ref() != Some(&base) {
                return Ok(None);
            }
            let mut after =
                Stored { terms: terms.to_json().to_string(), changed_at: tx.now(), ..before.clone() };
            if let Some(enabled) = enabled {
                after.enabled = enabled;
                if enabled {
                    after.off = None;
                } else if before.enabled {
                    after.off = Some((tx.now(), Off::Said));
                }
                // What waits goes out when it is on, and stays where it is while it is off.
                let status = connections::status(tx, &id)?;
                connections::keep(tx, &id, &connections::Status { paused: !enabled, ..status })?;
            }
            stored::keep(tx, &after)?;
            note(tx, deed.as_ref())?;
            Ok(Some(after))
        })
        .await
    }

    /// Makes a new secret, given out here and never again. The old one signs too for `overlap`, as the settings say if
    /// nothing is said; with zero it ends at once.
    ///
    /// # Errors
    /// [`InterfacesError::UnknownSubscription`], [`InterfacesError::Subscription`] for an overlap over 30 days, or the
    /// engine's.
    pub async fn exchange_secret(
        &self,
        id: &str,
        overlap: Option<Duration>,
    ) -> Result<(Subscription, Secret), InterfacesError> {
        let overlap = overlap.unwrap_or(self.house.engine.project().settings.webhooks.overlap);
        if overlap > LONGEST_OVERLAP {
            let shape = Fault::Shape("a duration of at most 30d, such as `24h`");
            return Err(InterfacesError::Subscription(vec![Complaint::new("overlap", shape)]));
        }
        let secret = keys::new_secret()?;
        let sealed = self.house.seal(id, &secret)?;
        let id = id.to_owned();
        let deed = self.deed("webhook.exchange", format!("connection {id}"));
        let changed = self
            .change(move |tx| {
                let before =
                    stored::get(tx, &id)?.ok_or_else(|| InterfacesError::UnknownSubscription(id.clone()))?;
                let until = tx.now().saturating_add(micros(overlap));
                let old = before.secret.clone().filter(|_| !overlap.is_zero());
                let after = Stored {
                    secret: Some(sealed.clone()),
                    before: old.map(|old| (old, until)),
                    changed_at: tx.now(),
                    ..before
                };
                stored::keep(tx, &after)?;
                note(tx, deed.as_ref())?;
                Ok(after)
            })
            .await?;
        Ok((self.told(&changed)?, secret))
    }

    /// Removes a subscription and cancels what waits for it, dead letters too; gives how many. What was sent stays in
    /// the log for as long as any other.
    ///
    /// # Errors
    /// [`InterfacesError::UnknownSubscription`], or the engine's.
    pub async fn unsubscribe(&self, id: &str) -> Result<u64, InterfacesError> {
        let (room, id) = (self.clone(), id.to_owned());
        let deed = self.deed("webhook.remove", format!("connection {id}"));
        to_its_end(async move {
            let removed = id.clone();
            room.change(move |tx| {
                stored::get(tx, &removed)?
                    .ok_or_else(|| InterfacesError::UnknownSubscription(removed.clone()))?;
                stored::begin_removal(tx, &removed)?;
                note(tx, deed.as_ref())?;
                Ok(())
            })
            .await?;
            room.finish_removal(&id).await
        })
        .await
    }

    /// A batch at a time, so that nobody waits for it. A process that dies meanwhile goes on at its next start.
    async fn finish_removal(&self, id: &str) -> Result<u64, InterfacesError> {
        let mut cancelled = 0;
        loop {
            let id = id.to_owned();
            let cancel = move |tx: &EngineTx| stored::cancel_open(tx, &id, BATCH);
            match self.house.engine.transact(cancel).await? {
                0 => break,
                more => cancelled += more,
            }
        }
        let id = id.to_owned();
        let end = move |tx: &EngineTx| stored::end_removal(tx, &id);
        self.house.engine.transact(end).await?;
        Ok(cancelled)
    }

    /// Goes on with removals that an earlier process did not finish.
    pub(crate) async fn finish_removals(&self) -> Result<(), InterfacesError> {
        if self.house.engine.project().table("takt.subscriptions").is_none() {
            return Ok(());
        }
        for begun in self.house.engine.look_up(stored::all)?.into_iter().filter(|s| s.removed) {
            self.finish_removal(&begun.id).await?;
        }
        Ok(())
    }

    /// Makes connections of the subscriptions that are stored; once at the start.
    ///
    /// # Errors
    /// The engine's.
    pub fn take_up_subscriptions(&self) -> Result<(), EngineError> {
        self.house.take_up_subscriptions()
    }

    /// `project`, as its files say it, with the subscriptions besides; for a reload.
    ///
    /// # Errors
    /// The engine's.
    pub fn with_subscriptions(&self, project: Project) -> Result<Project, EngineError> {
        let connections = joined(&project, &self.house.engine.look_up(stored::all)?);
        Ok(Project { connections, ..project })
    }

    /// What was said over `before`, if it can be kept: the address too.
    async fn judged(&self, said: Json, before: &Terms) -> Result<(Terms, Option<bool>), InterfacesError> {
        let (said, enabled) = enabled(said).map_err(|wrong| InterfacesError::Subscription(vec![wrong]))?;
        let project = self.house.engine.project();
        let languages = &project.settings.languages;
        let terms = Terms::read(&said, before, languages).map_err(InterfacesError::Subscription)?;
        let allow_private = project.settings.webhooks.allow_private;
        if let Some(fault) = self.house.judge_address(&terms.url, allow_private).await {
            return Err(InterfacesError::Subscription(vec![Complaint::new("url", fault)]));
        }
        Ok((terms, enabled))
    }

    /// One change: on disk and in force before it is answered, and never in the middle of a dispatch.
    async fn change<R: Send + 'static>(
        &self,
        mut job: impl FnMut(&EngineTx) -> Result<R, InterfacesError> + Send + 'static,
    ) -> Result<R, InterfacesError> {
        let room = self.clone();
        to_its_end(async move {
            let alone = room.house.subscriptions.dispatching.write().await;
            let done = room.house.engine.transact(move |tx| job(tx)).await?;
            room.house.take_up_subscriptions()?;
            room.wait_for_begun_writes().await;
            drop(alone);
            room.wake_all();
            Ok(done)
        })
        .await
    }

    /// A purchase may have asked before the change who waits for its event; from the answer on, none has. The change
    /// itself is done and must be answered as done, however busy the writer is.
    async fn wait_for_begun_writes(&self) {
        for _ in 0..SETTLE_TRIES {
            match self.house.engine.settle().await {
                Ok(()) => return,
                Err(EngineError::Store(StoreError::Busy)) => tokio::time::sleep(SETTLE_PAUSE).await,
                Err(error) => return tracing::error!(%error, "a change of webhooks waited for nobody"),
            }
        }
        tracing::error!("the writer was too busy to wait for what had begun before a change of webhooks");
    }

    fn told(&self, stored: &Stored) -> Result<Subscription, InterfacesError> {
        let told = Subscription::of(stored, self.house.engine.now());
        told.ok_or_else(|| InterfacesError::UnknownSubscription(stored.id.clone()))
    }
}

impl House {
    fn seal(&self, id: &str, secret: &Secret) -> Result<Vec<u8>, InterfacesError> {
        self.secrets.seal(id, secret).ok_or(InterfacesError::NoChance)
    }

    /// Why an address cannot be a receiver's.
    async fn judge_address(&self, url: &str, allow_private: bool) -> Option<Fault> {
        let Some((scheme, rest)) = url.split_once("://") else {
            return Some(Fault::Address("it has no `https://`".to_owned()));
        };
        if !allow_private && !scheme.eq_ignore_ascii_case("https") {
            return Some(Fault::NotHttps);
        }
        let host = rest.split(['/', '?']).next().unwrap_or_default();
        if host.contains('@') || url.contains('#') {
            return Some(Fault::Credentials);
        }
        match self.outbound.judge(url, allow_private).await {
            Ok(()) => None,
            Err(OutboundError::PrivateAddress { .. }) => Some(Fault::Private),
            Err(error) => Some(Fault::Address(error.to_string())),
        }
    }

    /// Reads the rows, opens their secrets, and serves them as connections of the project.
    pub(crate) fn take_up_subscriptions(&self) -> Result<(), EngineError> {
        let _one_at_a_time = self.subscriptions.reading.lock();
        let all = self.engine.look_up(stored::all)?;
        let keys = all.iter().filter_map(|s| Some((s.id.clone(), self.open(s)?)));
        // First the keys: no connection shall be without them.
        self.subscriptions.replace(keys.collect::<HashMap<_, _>>());
        self.engine.replace_connections(|project| joined(project, &all));
        Ok(())
    }

    fn open(&self, stored: &Stored) -> Option<keys::Keys> {
        let open = |sealed: &[u8]| self.secrets.open(&stored.id, sealed);
        let now = open(stored.secret.as_deref()?);
        if now.is_none() {
            tracing::error!(
                subscription = stored.id,
                "the secret cannot be opened: is it another master key?"
            );
        }
        let before = stored.before.as_ref().and_then(|(sealed, until)| Some((open(sealed)?, *until)));
        Some(keys::Keys { now: now?, before })
    }
}

/// Runs to its end even if nobody waits for it any more: whoever hangs up must not leave a change on disk that is not in
/// force.
async fn to_its_end<R: Send + 'static>(
    work: impl Future<Output = Result<R, InterfacesError>> + Send + 'static,
) -> Result<R, InterfacesError> {
    let ended = tokio::spawn(work).await;
    ended.unwrap_or_else(|error| Err(EngineError::Internal(format!("a change of a webhook: {error}")).into()))
}

/// The connections of the files, and the subscriptions.
fn joined(project: &Project, all: &[Stored]) -> Vec<Connection> {
    let is_file = |c: &&Connection| c.origin == ConnectionOrigin::File;
    let mut connections: Vec<Connection> = project.connections.iter().filter(is_file).cloned().collect();
    let allow_private = project.settings.webhooks.allow_private;
    connections.extend(
        all.iter()
            .filter(|s| !s.removed)
            .filter_map(|s| Some(Terms::stored(&s.terms)?.connection(&s.id, s.enabled, allow_private))),
    );
    connections
}

/// Takes `enabled` out of what was said.
fn enabled(mut said: Json) -> Result<(Json, Option<bool>), Complaint> {
    let wanted = said.as_object_mut().and_then(|map| map.remove("enabled"));
    match wanted {
        None | Some(Json::Null) => Ok((said, None)),
        Some(Json::Bool(enabled)) => Ok((said, Some(enabled))),
        Some(_) => Err(Complaint::new("enabled", Fault::Shape("true or false"))),
    }
}
