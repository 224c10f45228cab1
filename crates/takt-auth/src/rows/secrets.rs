//! `auth.secrets`: sealed bytes under a name.

use takt_model::Value;

use super::{Db, Filter};
use crate::AuthError;

const TABLE: &str = "auth.secrets";

pub(crate) fn find(db: &Db<'_>, name: &str) -> Result<Option<Vec<u8>>, AuthError> {
    let record = db.table(TABLE)?.find(Filter::is("name", Value::Text(name.to_owned())))?;
    record.map(|r| r.bytes("sealed")).transpose()
}

/// Names that begin with `prefix`, sorted.
pub(crate) fn names(db: &Db<'_>, prefix: &str) -> Result<Vec<String>, AuthError> {
    let all = db.table(TABLE)?.list(Filter::default(), takt_plan::Window::default())?;
    let names = all.iter().map(|r| r.text("name")).collect::<Result<Vec<_>, _>>()?;
    Ok(names.into_iter().filter(|n| n.starts_with(prefix)).collect())
}

pub(crate) fn remove(db: &Db<'_>, name: &str) -> Result<bool, AuthError> {
    Ok(db.table(TABLE)?.delete(Filter::is("name", Value::Text(name.to_owned())))? > 0)
}

pub(crate) fn insert(db: &Db<'_>, name: &str, sealed: &[u8]) -> Result<(), AuthError> {
    db.table(TABLE)?.insert(vec![
        ("name", Value::Text(name.to_owned())),
        ("sealed", Value::Bytes(sealed.to_vec())),
        ("created_at", Value::Timestamp(db.now())),
    ])
}
