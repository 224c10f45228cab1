//! How the connections are, as the report's checks need it; the report does not look at deliveries itself.

use takt_interfaces::{ConnectionStatus, InterfacesError, ReconciliationState, Seen};
use takt_model::{Project, Words};
use takt_report::{ConnectionFact, DriftFact, Fact, ReconciledFact};

use crate::{
    app::App,
    deliveries::{
        drift::{self, Shown},
        words::connection_name,
    },
};

/// Comparisons that are looked through for the last one that was one.
const RUNS: u64 = 100;

/// Every connection of the project, and its own functions if they want events.
pub(crate) fn connections(app: &App) -> Fact<Vec<ConnectionFact>> {
    look(app).map_err(|error| error.to_string())
}

fn look(app: &App) -> Result<Vec<ConnectionFact>, InterfacesError> {
    let project = app.project();
    let all = app.interfaces.connections()?;
    let one = |s: &ConnectionStatus| {
        let reconciled = reconciled(app, &project, s)?;
        let drifts = drift::all(app, Some(&s.id))?;
        Ok(ConnectionFact { reconciled, ..fact(&project, s, &app.interfaces.seen(&s.id)?, &drifts) })
    };
    all.iter().map(one).collect()
}

/// What comparing with it gave; none if it is not declared, not set up, or stopped by a person and never done.
fn reconciled(
    app: &App,
    project: &Project,
    status: &ConnectionStatus,
) -> Result<Option<ReconciledFact>, InterfacesError> {
    let Some(connection) = project.connection(&status.id).filter(|c| c.reconcile.is_some()) else {
        return Ok(None);
    };
    let is_set_up = connection.secrets().into_iter().all(|name| app.auth.connection_secret(name).is_some());
    let runs = app.interfaces.reconciliations(&status.id, RUNS)?;
    if runs.is_empty() && (status.paused || !is_set_up) {
        return Ok(None);
    }
    let differences = app.interfaces.differences(&status.id, app.engine.now())?;
    let open = differences.iter().filter(|d| d.is_open()).count();
    let compared = runs.iter().find(|r| r.state.is_compared());
    let ended = runs.iter().find(|r| r.state != ReconciliationState::Running);
    Ok(Some(ReconciledFact {
        compared_at: compared.map(|r| r.started_at),
        last_failed: ended.is_some_and(|r| !r.state.is_compared()),
        expected: compared.map_or(0, |r| u64::try_from(r.ours.max(r.theirs)).unwrap_or_default()),
        open: open as u64,
    }))
}

fn fact(project: &Project, status: &ConnectionStatus, seen: &Seen, drifts: &[Shown]) -> ConnectionFact {
    let operations = project.connection(&status.id).map(|c| c.operations.as_slice()).unwrap_or_default();
    let outage = project.connection(&status.id).map(|c| &c.outage);
    let bearable = outage.and_then(|o| o.bearable());
    let well_at = status.health.as_ref().filter(|h| h.is_well).map(|h| h.at);
    let last_message_at = status.last_ok_at.max(seen.last_ok_at);
    ConnectionFact {
        name: Words::from(["de", "en"].map(|l| (l, connection_name(project, &status.id, l)))),
        is_partner: outage.is_some(),
        is_paused: status.paused,
        bearable: outage.and_then(|o| o.max.clone()),
        bearable_micros: bearable.and_then(|b| i64::try_from(b.as_micros()).ok()),
        last_ok_at: last_message_at.max(well_at),
        last_message_at,
        last_failed_at: status.last_failed_at,
        waiting: status.waiting,
        oldest_waiting_at: seen.oldest_waiting_at,
        dead: status.dead,
        asking: status.asking,
        oldest_dead_at: seen.oldest_stopped_at,
        unwell_since: status.health.as_ref().filter(|h| !h.is_well && !status.paused).map(|h| h.since),
        reconciled: None,
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
