//! What people do about messages that differ from their contract: look, accept. Deliveries that were parked for it go on
//! when somebody accepts, or when the contract was corrected.

use takt_engine::{EngineError, EngineTx};
use takt_model::{OperationKind, Project, Uuid};
use takt_plan::Direction as Order;

use crate::{
    Delivery, DeliveryState, Drift, DriftKind, FUNCTIONS, Interfaces, InterfacesError, Outcome,
    contract::{Direction, Place},
    desk::{note, put_back},
    rows::{deliveries, drifts},
};

/// Differences of one list.
const MOST: u64 = 500;
/// Parked deliveries that one decision lets go on.
const MOST_PARKED: u64 = 100_000;

impl Interfaces {
    /// How messages differed from their contracts, of one connection or of all, seen last first; at most 500.
    ///
    /// # Errors
    /// The engine's.
    pub fn drifts(&self, connection: Option<&str>) -> Result<Vec<Drift>, InterfacesError> {
        Ok(self.house.engine.look_up(|tx| drifts::list(tx, connection, MOST))?)
    }

    /// Whether a difference still waits for somebody: the other side breaks the contract as the file has it now, nobody
    /// has accepted it, and no later answer to the same question was taken.
    ///
    /// # Errors
    /// The engine's.
    pub fn is_open(&self, drift: &Drift) -> Result<bool, InterfacesError> {
        let is_told = drift.breaking && !drift.accepted && !self.is_ours(drift);
        if !is_told || self.house.watch.contracts().is_outdated(drift) {
            return Ok(false);
        }
        let (connection, operation) = (drift.connection.as_str(), drift.operation.as_str());
        let place = Place { connection, operation, step: "" };
        let taken = self.house.engine.look_up(|tx| drifts::sampled_at(tx, place, Direction::Result))?;
        Ok(taken.is_none_or(|at| at <= drift.last_seen))
    }

    /// Whether it is about what we wanted to send: that did not leave, and its dead letter waits.
    #[must_use]
    pub fn is_ours(&self, drift: &Drift) -> bool {
        let project = self.house.engine.project();
        drift.direction == Direction::Request && !is_received(&project, &drift.connection, &drift.operation)
    }

    /// A person says that it is right so. What was parked for it goes on; gives how many deliveries.
    ///
    /// # Errors
    /// [`InterfacesError::UnknownDrift`]; [`InterfacesError::NotNow`] for what acceptance cannot mend; the engine's.
    pub async fn accept(&self, id: Uuid) -> Result<u64, InterfacesError> {
        let by = self.clone();
        let (connection, gone_on) = self
            .house
            .engine
            .transact(move |tx| -> Result<_, InterfacesError> {
                let drift = drifts::get(tx, id)?.ok_or(InterfacesError::UnknownDrift(id))?;
                may_be_accepted(tx.project(), &drift)?;
                if drift.kind == DriftKind::Implausible {
                    // From now on this is what the next answer is compared with.
                    let (connection, operation) = (drift.connection.as_str(), drift.operation.as_str());
                    let place = Place { connection, operation, step: "" };
                    let figures = drift.after.as_deref().unwrap_or("{}");
                    drifts::keep_sample(tx, place, Direction::Result, figures)?;
                }
                drifts::accept(tx, id)?;
                note(tx, by.deed("drift.accept", format!("connection {}", drift.connection)).as_ref())?;
                let gone_on = go_on(tx, &drift.connection, &drift.operation)?;
                Ok((drift.connection, gone_on))
            })
            .await?;
        // Who is asked on schedule is asked at once.
        self.asked.lock().await.retain(|poll, _| poll.connection != connection);
        self.wake_all();
        Ok(gone_on)
    }

    /// Lets go on what was parked for a contract that somebody has corrected since. Answers are judged anew; nothing is
    /// sent again.
    pub(crate) async fn go_on_after_correction(&self) -> Result<(), EngineError> {
        if !self.house.watch.has_changed() {
            return Ok(());
        }
        let done = self.go_on_with_corrected().await;
        if done.is_err() {
            // Looked at again in the next round.
            self.house.watch.look_again();
        }
        done
    }

    async fn go_on_with_corrected(&self) -> Result<(), EngineError> {
        let contracts = self.house.watch.contracts();
        let all = self.house.engine.look_up(drifts::undecided)?;
        let outdated = all.into_iter().filter(|d| contracts.is_outdated(d));
        let mut corrected: Vec<(String, String)> = outdated.map(|d| (d.connection, d.operation)).collect();
        corrected.sort();
        corrected.dedup();
        if corrected.is_empty() {
            return Ok(());
        }
        let gone_on = self
            .house
            .engine
            .transact(move |tx| -> Result<u64, EngineError> {
                let mut all = 0;
                for (connection, operation) in &corrected {
                    all += go_on(tx, connection, operation)?;
                }
                Ok(all)
            })
            .await?;
        if gone_on > 0 {
            tracing::info!(gone_on, "contracts were corrected; parked deliveries go on");
            self.wake_all();
        }
        Ok(())
    }
}

fn may_be_accepted(project: &Project, drift: &Drift) -> Result<(), InterfacesError> {
    let is_received = is_received(project, &drift.connection, &drift.operation);
    if drift.direction == Direction::Request && !is_received {
        let why = "what we send broke the contract and did not leave: correct the function or the contract, then replay";
        return Err(InterfacesError::NotNow(why.to_owned()));
    }
    if drift.kind == DriftKind::Implausible && drift.detail.is_none() {
        let why = "this rule compares with no earlier answer: change it in the file of the connection";
        return Err(InterfacesError::NotNow(why.to_owned()));
    }
    Ok(())
}

/// Puts the parked deliveries of an operation back; gives how many.
fn go_on(tx: &EngineTx, connection: &str, operation: &str) -> Result<u64, EngineError> {
    let parked = parked(tx, connection, operation)?;
    for delivery in &parked {
        put_back(tx, delivery, None)?;
    }
    Ok(parked.len() as u64)
}

/// Deliveries whose answer, or whose message, waits for a decision, in the order of their dispatch.
fn parked(tx: &EngineTx, connection: &str, operation: &str) -> Result<Vec<Delivery>, EngineError> {
    let is_received = is_received(tx.project(), connection, operation);
    let wanted = deliveries::Wanted {
        // Messages that came in are on their way to our own functions.
        connection: Some(if is_received { FUNCTIONS } else { connection }.to_owned()),
        state: Some(DeliveryState::Asking),
        ..deliveries::Wanted::default()
    };
    let mut all = deliveries::list(tx, &wanted, Order::Ascending, MOST_PARKED)?;
    let of_connection = |name: &str| name == connection || name.starts_with(&format!("{connection}."));
    all.retain(|d| {
        let is_its = if is_received { of_connection(&d.name) } else { d.operation == operation };
        is_its && is_parked(d)
    });
    Ok(all)
}

fn is_received(project: &Project, connection: &str, operation: &str) -> bool {
    let operations = project.connection(connection).map(|c| c.operations.as_slice()).unwrap_or_default();
    operations.iter().any(|o| o.name == operation && matches!(o.kind, OperationKind::Receive(_)))
}

/// It arrived, and what follows waits for a decision.
fn is_parked(delivery: &Delivery) -> bool {
    delivery.state == DeliveryState::Asking && delivery.outcome == Some(Outcome::Ok)
}

impl Delivery {
    /// Whether it arrived and only its answer, or its message, waits for a decision.
    #[must_use]
    pub fn is_parked(&self) -> bool {
        is_parked(self)
    }
}
