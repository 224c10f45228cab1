//! `auth.refresh_tokens`: the family of each session.

use takt_model::{Uuid, Value};

use super::{Db, Filter, Record, Test};
use crate::{AuthError, random};

const TABLE: &str = "auth.refresh_tokens";

/// A refresh token as it is stored: not the token itself.
#[derive(Debug, Clone)]
pub(crate) struct RefreshToken {
    pub(crate) id: Uuid,
    pub(crate) session_id: Uuid,
    pub(crate) parent: Option<Uuid>,
    pub(crate) used_at: Option<i64>,
}

impl RefreshToken {
    fn read(record: &Record) -> Result<Self, AuthError> {
        Ok(Self {
            id: record.uuid("id")?,
            session_id: record.uuid("session_id")?,
            parent: record.uuid_or_null("parent")?,
            used_at: record.moment_or_null("used_at")?,
        })
    }
}

pub(crate) fn find(db: &Db<'_>, token: &str) -> Result<Option<RefreshToken>, AuthError> {
    let hash = random::sha256(token.as_bytes()).to_vec();
    one(db, Filter::is("token_hash", Value::Bytes(hash)))
}

/// The one token of the session that was not used yet.
pub(crate) fn active(db: &Db<'_>, session: Uuid) -> Result<Option<RefreshToken>, AuthError> {
    one(db, Filter::is("session_id", Value::Uuid(session)).and("used_at", Test::Null))
}

fn one(db: &Db<'_>, filter: Filter) -> Result<Option<RefreshToken>, AuthError> {
    db.table(TABLE)?.find(filter)?.as_ref().map(RefreshToken::read).transpose()
}

pub(crate) fn insert(
    db: &Db<'_>,
    id: Uuid,
    session: Uuid,
    token: &str,
    parent: Option<Uuid>,
) -> Result<(), AuthError> {
    db.table(TABLE)?.insert(vec![
        ("id", Value::Uuid(id)),
        ("session_id", Value::Uuid(session)),
        ("token_hash", Value::Bytes(random::sha256(token.as_bytes()).to_vec())),
        ("parent", parent.map_or(Value::Null, Value::Uuid)),
        ("created_at", Value::Timestamp(db.now())),
    ])
}

/// The token was exchanged for its child.
pub(crate) fn set_used(db: &Db<'_>, id: Uuid) -> Result<(), AuthError> {
    let set = vec![("used_at", Value::Timestamp(db.now()))];
    db.table(TABLE)?.update(Filter::is("id", Value::Uuid(id)), set).map(drop)
}

/// Removes tokens that were used before `since`: their return would be theft so old that it is "not found".
pub(crate) fn remove_old(db: &Db<'_>, since: i64) -> Result<u64, AuthError> {
    db.table(TABLE)?.delete(Filter::default().and("used_at", Test::Below(Value::Timestamp(since))))
}
