//! Asking other systems on schedule whether they are well, as their files say (`health`), so that an outage is seen
//! before something has to be delivered. What was answered is kept with the connection; nothing else follows from it.

use std::time::Duration;

use serde_json::json;
use takt_engine::EngineTx;
use takt_model::{Connection, HealthProbe, Uuid};
use tokio::task::JoinSet;

use crate::{
    Cause, Interfaces,
    connectors::{Job, http},
    outcome::micros,
    payload,
    probe::reason,
    rows::connections,
};

/// How often it is looked whom to ask.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Whoever does not answer within this time is not well.
const PATIENCE: Duration = Duration::from_secs(10);

impl Interfaces {
    /// Asks for ever.
    pub(crate) async fn watch_health(&self) {
        loop {
            self.ask_whether_well().await;
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Asks everybody whose time has come, at the same time. Who is stopped by a person or not set up is not asked.
    pub(crate) async fn ask_whether_well(&self) {
        let project = self.house.engine.project();
        let probes = project.connections.iter().filter_map(|c| Some((c, c.health.as_ref()?)));
        let mut asked = JoinSet::new();
        for (connection, probe) in probes.filter(|(connection, probe)| self.is_due(connection, probe)) {
            let (room, connection, probe) = (self.clone(), connection.clone(), probe.clone());
            asked.spawn(async move { room.ask(&connection, &probe).await });
        }
        while asked.join_next().await.is_some() {}
    }

    fn is_due(&self, connection: &Connection, probe: &HealthProbe) -> bool {
        let now = self.house.engine.now();
        self.house.missing_secret(&connection.connect).is_none()
            && self.house.engine.look_up(|tx| connections::status(tx, &connection.id)).is_ok_and(|status| {
                // A moment that is still to come was noted before the clock was set back.
                let is_fresh = |at: i64| at <= now && now < at.saturating_add(micros(probe.every));
                !status.paused && status.health.is_none_or(|h| !is_fresh(h.at))
            })
    }

    async fn ask(&self, connection: &Connection, probe: &HealthProbe) {
        let (error, cause) = self.what_is_wrong(connection, probe).await.unzip();
        let cause = cause.flatten();
        if let Some(error) = &error {
            tracing::warn!(connection = connection.id, %error, "another system is not well");
        }
        let id = connection.id.clone();
        let note = move |tx: &EngineTx| connections::note_health(tx, &id, error.as_deref(), cause);
        if let Err(error) = self.house.engine.transact(note).await {
            tracing::warn!(%error, "how another system is was not written down");
        }
    }

    /// None if it answered with a success.
    async fn what_is_wrong(
        &self,
        connection: &Connection,
        probe: &HealthProbe,
    ) -> Option<(String, Option<Cause>)> {
        let asked = json!({ "method": probe.request.method, "path": probe.request.path });
        let (id, now) = (Uuid::new_v4(), self.house.engine.now());
        let job = Job::unstored(id, &connection.id, "health", "health".to_owned(), "{}".to_owned(), now);
        let mut request = match http::spoken(&self.house, connection, None, &job, &asked).await {
            Ok(request) => request,
            Err(not_made) => return Some((payload::head(&not_made.reason, 200), not_made.cause)),
        };
        request.timeout = Some(PATIENCE.min(connection.guard.timeout));
        match self.house.outbound.send(&format!("{}: health", connection.id), request).await {
            Ok(response) if (200..300).contains(&response.status) => None,
            Ok(response) => Some((format!("answered {}", response.status), None)),
            Err(error) => Some((payload::head(&reason(&error), 200), Cause::of_error(&error))),
        }
    }
}
