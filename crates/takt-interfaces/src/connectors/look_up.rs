//! Looking there whether something arrived, before it is sent again: `on_unknown = "lookup"`.
//!
//! Invariant: of what was sent and not answered nothing leaves a second time before the look has said that it is not
//! there.

use std::{sync::Arc, time::Duration};

use takt_model::{Connection, Deliver, OnUnknown, Project};

use super::{Job, talk};
use crate::{Cause, Ended, Outcome, interfaces::House};

/// The end of an attempt that need not send anything, or may not; none if it may. Only where the attempt before left
/// without an answer there is something to look up.
pub(super) async fn first(
    house: &Arc<House>,
    project: &Arc<Project>,
    connection: &Connection,
    deliver: &Deliver,
    job: &Job,
    timeout: Duration,
) -> Option<Ended> {
    let look_up = deliver.look_up.as_ref().filter(|_| deliver.on_unknown == OnUnknown::LookUp)?;
    if job.delivery.outcome != Some(Outcome::Unknown) {
        return None;
    }
    // It keeps nothing: what steps of the delivery have kept is theirs, and it looks anew each time.
    let mut look = job.clone();
    look.delivery.journal = None;
    let looked = talk::run(house, project, connection, look_up, None, look, timeout).await;
    let is_as_agreed = looked.judged.stop.is_none();
    let found = looked.result.clone().filter(|_| looked.outcome == Outcome::Ok && is_as_agreed);
    Some(match (looked.outcome, found.as_deref()) {
        (Outcome::Ok, Some("false")) => return None,
        (Outcome::Ok, Some("true")) => Ended { result: None, journal: None, ..looked },
        (Outcome::Ok, Some(result)) if result != "null" => Ended { journal: None, ..looked },
        // The function says so itself, or brought nothing, or what it was told is not as agreed.
        (Outcome::Ok | Outcome::Refused, _) => {
            let error = looked.error.clone().unwrap_or_else(|| "the look brought nothing".to_owned());
            unknown(Ended { cause: Some(Cause::CannotTell), error: Some(error), ..looked })
        }
        // Nobody was there, or it went wrong: still nobody knows, and it is looked up again.
        (Outcome::Failed | Outcome::Unknown, _) => unknown(looked),
    })
}

fn unknown(mut looked: Ended) -> Ended {
    looked.judged.stop = None;
    Ended { outcome: Outcome::Unknown, journal: None, result: None, ..looked }
}
