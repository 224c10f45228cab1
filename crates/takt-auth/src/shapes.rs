//! The shapes of the accounts dialect (`design/wire.md` section 2, 25): a user as the client libraries read it.

use serde_json::{Map, Value, json};

use crate::rows::users::User;

/// A user. What is not set is left out, as the client libraries expect.
pub(crate) fn user(user: &User) -> Value {
    let mut shape = Map::new();
    let mut put = |name: &str, value: Value| {
        shape.insert(name.to_owned(), value);
    };
    put("id", user.id.to_string().into());
    put("aud", "authenticated".into());
    put("role", "authenticated".into());
    put("email", user.email.clone().into());
    put("phone", "".into());
    if let Some(at) = user.email_confirmed_at {
        put("email_confirmed_at", moment(at));
        put("confirmed_at", moment(at));
    }
    if let Some(at) = user.last_sign_in_at {
        put("last_sign_in_at", moment(at));
    }
    if let Some(until) = user.banned_until {
        put("banned_until", moment(until));
    }
    put("app_metadata", user.app_metadata.clone());
    put("user_metadata", user.user_metadata.clone());
    put("identities", json!([email_identity(user)]));
    put("created_at", moment(user.created_at));
    put("updated_at", moment(user.updated_at));
    put("is_anonymous", false.into());
    Value::Object(shape)
}

/// The one identity of an account as long as nobody signs in through others.
fn email_identity(user: &User) -> Value {
    let mut identity = json!({
        "identity_id": user.id.to_string(),
        "id": user.id.to_string(),
        "user_id": user.id.to_string(),
        "identity_data": {
            "sub": user.id.to_string(),
            "email": user.email,
            "email_verified": user.email_confirmed_at.is_some(),
            "phone_verified": false,
        },
        "provider": "email",
        "created_at": moment(user.created_at),
        "updated_at": moment(user.updated_at),
        "email": user.email,
    });
    if let (Some(at), Some(shape)) = (user.last_sign_in_at, identity.as_object_mut()) {
        shape.insert("last_sign_in_at".to_owned(), moment(at));
    }
    identity
}

/// RFC 3339 in UTC, as the accounts dialect writes it: `2026-11-23T09:14:07.123456Z`.
pub(crate) fn moment(micros: i64) -> Value {
    jiff::Timestamp::from_microsecond(micros).map_or(Value::Null, |at| at.to_string().into())
}

/// Lays `changes` over `data`, key by key; null removes a key.
pub(crate) fn merge(data: &mut Value, changes: &Map<String, Value>) {
    if !data.is_object() {
        *data = json!({});
    }
    let Some(data) = data.as_object_mut() else { return };
    for (key, value) in changes {
        if value.is_null() {
            data.shift_remove(key);
        } else {
            data.insert(key.clone(), value.clone());
        }
    }
}
