//! `auth.console_sessions`.

use takt_model::{Uuid, Value};

use super::{Db, Filter, Record, Test};
use crate::{AuthError, random};

const TABLE: &str = "auth.console_sessions";

/// A session of the console as it is stored: not its token.
#[derive(Debug, Clone)]
pub(crate) struct ConsoleRow {
    pub(crate) id: Uuid,
    pub(crate) user_id: Uuid,
    pub(crate) created_at: i64,
    pub(crate) expires_at: i64,
}

impl ConsoleRow {
    fn read(record: &Record) -> Result<Self, AuthError> {
        Ok(Self {
            id: record.uuid("id")?,
            user_id: record.uuid("user_id")?,
            created_at: record.moment("created_at")?,
            expires_at: record.moment("expires_at")?,
        })
    }
}

fn by_token(token: &str) -> Filter {
    Filter::is("token_hash", Value::Bytes(random::sha256(token.as_bytes()).to_vec()))
}

pub(crate) fn find(db: &Db<'_>, token: &str) -> Result<Option<ConsoleRow>, AuthError> {
    db.table(TABLE)?.find(by_token(token))?.as_ref().map(ConsoleRow::read).transpose()
}

pub(crate) fn insert(db: &Db<'_>, user: Uuid, token: &str, expires_at: i64) -> Result<(), AuthError> {
    db.table(TABLE)?.insert(vec![
        ("id", Value::Uuid(db.new_id())),
        ("user_id", Value::Uuid(user)),
        ("token_hash", Value::Bytes(random::sha256(token.as_bytes()).to_vec())),
        ("created_at", Value::Timestamp(db.now())),
        ("expires_at", Value::Timestamp(expires_at)),
    ])
}

pub(crate) fn extend(db: &Db<'_>, id: Uuid, expires_at: i64) -> Result<(), AuthError> {
    let set = vec![("expires_at", Value::Timestamp(expires_at))];
    db.table(TABLE)?.update(Filter::is("id", Value::Uuid(id)), set).map(drop)
}

pub(crate) fn remove(db: &Db<'_>, token: &str) -> Result<(), AuthError> {
    db.table(TABLE)?.delete(by_token(token)).map(drop)
}

pub(crate) fn remove_of_user(db: &Db<'_>, user: Uuid) -> Result<(), AuthError> {
    db.table(TABLE)?.delete(Filter::is("user_id", Value::Uuid(user))).map(drop)
}

pub(crate) fn remove_expired(db: &Db<'_>) -> Result<u64, AuthError> {
    let filter = Filter::default().and("expires_at", Test::Below(Value::Timestamp(db.now())));
    db.table(TABLE)?.delete(filter)
}
