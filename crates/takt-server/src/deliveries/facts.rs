//! How the connections are, as the report's checks need it; the report does not look at deliveries itself.

use takt_interfaces::{ConnectionStatus, InterfacesError, Seen};
use takt_model::{Project, Words};
use takt_report::{ConnectionFact, DriftFact, Fact};

use crate::{
    app::App,
    deliveries::{
        drift::{self, Shown},
        words::connection_name,
    },
};

/// Every connection of the project, and its own functions if they want events.
pub(crate) fn connections(app: &App) -> Fact<Vec<ConnectionFact>> {
    look(app).map_err(|error| error.to_string())
}

fn look(app: &App) -> Result<Vec<ConnectionFact>, InterfacesError> {
    let project = app.project();
    let all = app.interfaces.connections()?;
    let one = |s: &ConnectionStatus| {
        let drifts = drift::all(app, Some(&s.id))?;
        Ok(fact(&project, s, &app.interfaces.seen(&s.id)?, &drifts))
    };
    all.iter().map(one).collect()
}

fn fact(project: &Project, status: &ConnectionStatus, seen: &Seen, drifts: &[Shown]) -> ConnectionFact {
    let operations = project.connection(&status.id).map(|c| c.operations.as_slice()).unwrap_or_default();
    let outage = project.connection(&status.id).map(|c| &c.outage);
    let bearable = outage.and_then(|o| o.bearable());
    ConnectionFact {
        name: Words::from(["de", "en"].map(|l| (l, connection_name(project, &status.id, l)))),
        is_partner: outage.is_some(),
        bearable: outage.and_then(|o| o.max.clone()),
        bearable_micros: bearable.and_then(|b| i64::try_from(b.as_micros()).ok()),
        last_ok_at: status.last_ok_at.max(seen.last_ok_at),
        last_failed_at: status.last_failed_at,
        waiting: status.waiting,
        oldest_waiting_at: seen.oldest_waiting_at,
        dead: status.dead,
        asking: status.asking,
        oldest_dead_at: seen.oldest_stopped_at,
        contracts: operations.iter().filter(|o| o.contract.is_some()).count() as u64,
        drifts: drifts
            .iter()
            .filter(|s| !s.drift.accepted && !s.ours)
            .map(|s| drift_fact(project, s))
            .collect(),
    }
}

fn drift_fact(project: &Project, shown: &Shown) -> DriftFact {
    let Shown { drift, open, .. } = shown;
    let [de, en] = ["de", "en"].map(|l| drift::sentence(project, drift, l));
    DriftFact {
        what: Words::from([("de", de.as_str()), ("en", en.as_str())]),
        open: *open,
        first_seen: drift.first_seen,
        last_seen: drift.last_seen,
    }
}
