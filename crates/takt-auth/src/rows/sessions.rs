//! `auth.sessions`.

use takt_model::{Uuid, Value};
use takt_plan::Window;

use super::{Db, Filter, Record, Test, ended_sessions};
use crate::{AuthError, revocation::Ended, token};

const TABLE: &str = "auth.sessions";

/// A session as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) id: Uuid,
    pub(crate) user_id: Uuid,
    pub(crate) created_at: i64,
    pub(crate) refreshed_at: i64,
    pub(crate) token_until: i64,
    pub(crate) user_agent: String,
}

impl Session {
    fn read(record: &Record) -> Result<Self, AuthError> {
        Ok(Self {
            id: record.uuid("id")?,
            user_id: record.uuid("user_id")?,
            created_at: record.moment("created_at")?,
            refreshed_at: record.moment("refreshed_at")?,
            token_until: record.moment("token_until")?,
            user_agent: record.text_or_null("user_agent")?.unwrap_or_default(),
        })
    }
}

pub(crate) fn find(db: &Db<'_>, id: Uuid) -> Result<Option<Session>, AuthError> {
    db.table(TABLE)?.find(Filter::is("id", Value::Uuid(id)))?.as_ref().map(Session::read).transpose()
}

pub(crate) fn of_user(db: &Db<'_>, user: Uuid) -> Result<Vec<Session>, AuthError> {
    let filter = Filter::is("user_id", Value::Uuid(user));
    db.table(TABLE)?.list(filter, Window::default())?.iter().map(Session::read).collect()
}

pub(crate) fn insert(db: &Db<'_>, session: &Session) -> Result<(), AuthError> {
    db.table(TABLE)?.insert(vec![
        ("id", Value::Uuid(session.id)),
        ("user_id", Value::Uuid(session.user_id)),
        ("created_at", Value::Timestamp(session.created_at)),
        ("refreshed_at", Value::Timestamp(session.refreshed_at)),
        ("token_until", Value::Timestamp(session.token_until)),
        ("user_agent", user_agent(session)),
    ])
}

fn user_agent(session: &Session) -> Value {
    Value::Text(session.user_agent.chars().filter(|c| !c.is_control()).take(255).collect())
}

/// The session was used: when, from where, and until when its newest access token is good.
pub(crate) fn touch(db: &Db<'_>, session: &Session) -> Result<(), AuthError> {
    let set = vec![
        ("refreshed_at", Value::Timestamp(session.refreshed_at)),
        ("token_until", Value::Timestamp(session.token_until)),
        ("user_agent", user_agent(session)),
    ];
    db.table(TABLE)?.update(Filter::is("id", Value::Uuid(session.id)), set).map(drop)
}

/// Ends sessions: they and their refresh tokens go, and their access tokens are remembered as refused.
/// The caller tells [`crate::revocation::Revocation`] after the commit.
pub(crate) fn end(db: &Db<'_>, sessions: &[Session]) -> Result<Vec<Ended>, AuthError> {
    let mut ended = Vec::with_capacity(sessions.len());
    for session in sessions {
        let until = session.token_until + token::SKEW_MICROS;
        let one = Ended { session: session.id, until };
        ended_sessions::insert(db, one)?;
        db.table(TABLE)?.delete(Filter::is("id", Value::Uuid(session.id)))?;
        ended.push(one);
    }
    Ok(ended)
}

/// Removes sessions that nobody used since `since` and whose access tokens have run out.
pub(crate) fn remove_idle(db: &Db<'_>, since: i64) -> Result<u64, AuthError> {
    let filter = Filter::default()
        .and("refreshed_at", Test::Below(Value::Timestamp(since)))
        .and("token_until", Test::Below(Value::Timestamp(db.now())));
    db.table(TABLE)?.delete(filter)
}
