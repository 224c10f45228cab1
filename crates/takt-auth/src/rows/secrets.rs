//! `auth.secrets`: sealed bytes under a name.

use takt_model::Value;

use super::{Db, Filter};
use crate::AuthError;

const TABLE: &str = "auth.secrets";

pub(crate) fn find(db: &Db<'_>, name: &str) -> Result<Option<Vec<u8>>, AuthError> {
    let record = db.table(TABLE)?.find(Filter::is("name", Value::Text(name.to_owned())))?;
    record.map(|r| r.bytes("sealed")).transpose()
}

pub(crate) fn insert(db: &Db<'_>, name: &str, sealed: &[u8]) -> Result<(), AuthError> {
    db.table(TABLE)?.insert(vec![
        ("name", Value::Text(name.to_owned())),
        ("sealed", Value::Bytes(sealed.to_vec())),
        ("created_at", Value::Timestamp(db.now())),
    ])
}
