//! `auth.ended_sessions`: what must outlive a session so that its access tokens stay refused after a restart.

use takt_model::Value;
use takt_plan::Window;

use super::{Db, Filter, Test};
use crate::{AuthError, revocation::Ended};

const TABLE: &str = "auth.ended_sessions";

pub(crate) fn insert(db: &Db<'_>, ended: Ended) -> Result<(), AuthError> {
    db.table(TABLE)?
        .insert(vec![("session_id", Value::Uuid(ended.session)), ("until", Value::Timestamp(ended.until))])
}

/// All that still matter.
pub(crate) fn list(db: &Db<'_>) -> Result<Vec<Ended>, AuthError> {
    let filter = Filter::default().and("until", Test::Above(Value::Timestamp(db.now())));
    let records = db.table(TABLE)?.list(filter, Window::default())?;
    let ended = |r: &super::Record| Ok(Ended { session: r.uuid("session_id")?, until: r.moment("until")? });
    records.iter().map(ended).collect()
}

/// Removes those whose access tokens have run out.
pub(crate) fn remove_old(db: &Db<'_>) -> Result<u64, AuthError> {
    let filter = Filter::default().and("until", Test::Below(Value::Timestamp(db.now())));
    db.table(TABLE)?.delete(filter)
}
