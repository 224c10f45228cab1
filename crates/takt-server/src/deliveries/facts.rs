//! How the connections are, as the report's checks need it; the report does not look at deliveries itself.

use takt_interfaces::{ConnectionStatus, InterfacesError, Seen};
use takt_model::{Project, Words};
use takt_report::{ConnectionFact, Fact};

use crate::{app::App, deliveries::words::connection_name};

/// Every connection of the project, and its own functions if they want events.
pub(crate) fn connections(app: &App) -> Fact<Vec<ConnectionFact>> {
    look(app).map_err(|error| error.to_string())
}

fn look(app: &App) -> Result<Vec<ConnectionFact>, InterfacesError> {
    let project = app.project();
    let all = app.interfaces.connections()?;
    all.iter().map(|s| Ok(fact(&project, s, &app.interfaces.seen(&s.id)?))).collect()
}

fn fact(project: &Project, status: &ConnectionStatus, seen: &Seen) -> ConnectionFact {
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
    }
}
