//! What a comparison writes down about its findings, and what it does about them: each in one transaction.
//! Invariant: by itself it acts once for a finding; what did not help then is for a person.

use takt_engine::{EngineError, EngineTx};
use takt_model::{MissingHere, MissingThere, Uuid};

use super::{Case, Task, compare::Found, ours::Standing};
use crate::{
    DeliveryState, Difference, DifferenceAction, DifferenceKind, DifferenceReason, Received,
    desk::put_back,
    dispatch::lane_of,
    receive,
    rows::{deliveries, differences, lanes},
};

/// A finding as it is written down when it is seen for the first time.
pub(super) fn sight(task: &Task, case: &Case) -> Difference {
    let Found { kind, key, at, field, ours, theirs, .. } = case.found.clone();
    let is_sent = task.reconcile.missing_there.operation().is_some() && kind == DifferenceKind::MissingThere;
    let is_received =
        task.reconcile.missing_here != MissingHere::Report && kind == DifferenceKind::MissingHere;
    let (delivery, reason) = match &case.standing {
        Standing::Delivery(id) => (Some(*id), None),
        Standing::Stopped(id) => (Some(*id), Some(DifferenceReason::Stopped)),
        Standing::WithoutEffect => (None, Some(DifferenceReason::WithoutEffect)),
        Standing::Nothing if is_sent => (None, Some(DifferenceReason::NoEvent)),
        Standing::Nothing if is_received => (None, Some(DifferenceReason::NoMessage)),
        Standing::Nothing | Standing::Fresh | Standing::Event(_) | Standing::UnderWay => (None, None),
    };
    Difference {
        id: Uuid::nil(),
        connection: task.connection.id.clone(),
        kind,
        key,
        field,
        ours,
        theirs,
        at,
        first_at: task.run.started_at,
        last_at: task.run.started_at,
        gone_at: None,
        action: None,
        acted_at: None,
        delivery,
        reason,
    }
}

/// Writes a finding down and does what is to be done about it, in one transaction. Whether something was done.
pub(super) fn keep(
    tx: &EngineTx,
    task: &Task,
    case: &Case,
    open: &[Difference],
) -> Result<(Difference, bool), EngineError> {
    let mut seen = sight(task, case);
    let before = open.iter().find(|d| d.is_same(&seen));
    match before {
        Some(before) => {
            (seen.id, seen.at, seen.first_at) = (before.id, before.at, before.first_at);
            (seen.action, seen.acted_at) = (before.action, before.acted_at);
        }
        None => seen.id = tx.new_uuid(),
    }
    // By itself it acts once; what did not help then is for a person.
    let is_first = seen.action.is_none();
    let done = match case.found.kind {
        _ if seen.action == Some(DifferenceAction::Settled) => None,
        DifferenceKind::MissingThere => {
            let by_itself = is_first && matches!(task.reconcile.missing_there, MissingThere::Send(_));
            let wanted = task.replay && task.reconcile.missing_there.operation().is_some();
            if by_itself || wanted { send(tx, task, case)? } else { None }
        }
        DifferenceKind::MissingHere => match task.reconcile.missing_here {
            MissingHere::Receive if is_first || task.replay => take(tx, task, case)?,
            MissingHere::Offer if task.replay => take(tx, task, case)?,
            MissingHere::Receive | MissingHere::Offer | MissingHere::Report => None,
        },
        DifferenceKind::Different | DifferenceKind::Twice => None,
    };
    if done.is_some() {
        (seen.action, seen.acted_at) = (done, Some(tx.now()));
    }
    differences::keep(tx, &seen, before.is_none())?;
    Ok((seen, done.is_some()))
}

/// Puts on its way what they do not have.
fn send(tx: &EngineTx, task: &Task, case: &Case) -> Result<Option<DifferenceAction>, EngineError> {
    let id = &task.connection.id;
    match &case.standing {
        Standing::Delivery(delivery) => match deliveries::get(tx, *delivery)? {
            // A person said that it shall not leave; only a person says otherwise.
            Some(d) if d.state == DeliveryState::Cancelled && !task.replay => Ok(None),
            // It arrived; what follows from its answer waits for a decision.
            Some(d) if d.is_parked() => Ok(None),
            Some(d) if d.state != DeliveryState::Waiting => {
                put_back(tx, &d, None)?;
                Ok(Some(DifferenceAction::Sent))
            }
            Some(_) | None => Ok(None),
        },
        Standing::Event(event) => {
            let Some(operation) = task.reconcile.missing_there.operation() else { return Ok(None) };
            if deliveries::of_event(tx, event.id)?
                .iter()
                .any(|d| d.connection == *id && d.operation == operation)
            {
                return Ok(None);
            }
            let lane = lane_of(tx.project(), id, operation, event);
            if let Some(lane) = &lane {
                lanes::join(tx, id, lane)?;
            }
            deliveries::insert(tx, &[deliveries::New { event, connection: id, operation, lane }])?;
            Ok(Some(DifferenceAction::Sent))
        }
        _ => Ok(None),
    }
}

/// Handles what did not come as though it had; of what came and lies, what follows is tried once more if a person wants.
fn take(tx: &EngineTx, task: &Task, case: &Case) -> Result<Option<DifferenceAction>, EngineError> {
    match (&case.standing, &case.message) {
        (Standing::Fresh, Some(message)) => {
            // It may have come in this very moment: then it was taken before, and nothing is done.
            let taken = receive::store(tx, message)?;
            Ok((taken == Received::Stored).then_some(DifferenceAction::Received))
        }
        (Standing::Stopped(delivery), _) if task.replay => match deliveries::get(tx, *delivery)? {
            Some(d) if d.state.is_stopped() => {
                put_back(tx, &d, None)?;
                Ok(Some(DifferenceAction::Received))
            }
            Some(_) | None => Ok(None),
        },
        _ => Ok(None),
    }
}
