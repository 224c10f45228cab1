//! `auth.users`.

use takt_engine::{EngineError, StoreError};
use takt_model::{Uuid, Value};
use takt_plan::Window;

use super::{Db, Filter, Record, Test, moment_or_null};
use crate::{AuthError, StudioRole};

const TABLE: &str = "auth.users";

/// An account as it is stored. Not `Debug`: it holds the hash of a password.
#[derive(Clone)]
pub(crate) struct User {
    pub(crate) id: Uuid,
    pub(crate) email: String,
    pub(crate) password_hash: Option<String>,
    pub(crate) app_metadata: serde_json::Value,
    pub(crate) user_metadata: serde_json::Value,
    pub(crate) email_confirmed_at: Option<i64>,
    pub(crate) last_sign_in_at: Option<i64>,
    pub(crate) banned_until: Option<i64>,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
    pub(crate) password_changed_at: Option<i64>,
    pub(crate) epoch: i64,
    pub(crate) epoch_at: Option<i64>,
}

impl User {
    /// A new account, confirmed at once as long as there is no mail.
    pub(crate) fn new(db: &Db<'_>, email: String, password_hash: Option<String>) -> Self {
        let now = db.now();
        Self {
            id: db.new_id(),
            email,
            password_changed_at: password_hash.as_ref().map(|_| now),
            password_hash,
            app_metadata: serde_json::json!({ "provider": "email", "providers": ["email"] }),
            user_metadata: serde_json::json!({}),
            email_confirmed_at: Some(now),
            last_sign_in_at: None,
            banned_until: None,
            created_at: now,
            updated_at: now,
            epoch: 0,
            epoch_at: None,
        }
    }

    /// Whether the account is suspended at `now`.
    pub(crate) fn is_banned(&self, now: i64) -> bool {
        self.banned_until.is_some_and(|until| until > now)
    }

    /// The project's own roles.
    pub(crate) fn roles(&self) -> Vec<String> {
        roles(&self.app_metadata)
    }

    /// What the account may do in the console besides its roles.
    pub(crate) fn studio_role(&self) -> Option<StudioRole> {
        StudioRole::parse(self.app_metadata.get("studio_role")?.as_str()?)
    }

    /// Gives the account other rights; tokens from before are read with the new ones.
    pub(crate) fn set_app_metadata(&mut self, app_metadata: serde_json::Value, now: i64) {
        self.app_metadata = app_metadata;
        self.epoch += 1;
        self.epoch_at = Some(now);
    }

    /// Gives the account another password.
    pub(crate) fn set_password(&mut self, hash: String, now: i64) {
        self.password_hash = Some(hash);
        self.password_changed_at = Some(now);
    }

    fn read(record: &Record) -> Result<Self, AuthError> {
        Ok(Self {
            id: record.uuid("id")?,
            email: record.text("email")?,
            password_hash: record.text_or_null("password_hash")?,
            app_metadata: record.json("app_metadata")?,
            user_metadata: record.json("user_metadata")?,
            email_confirmed_at: record.moment_or_null("email_confirmed_at")?,
            last_sign_in_at: record.moment_or_null("last_sign_in_at")?,
            banned_until: record.moment_or_null("banned_until")?,
            created_at: record.moment("created_at")?,
            updated_at: record.moment("updated_at")?,
            password_changed_at: record.moment_or_null("password_changed_at")?,
            epoch: record.integer("epoch")?,
            epoch_at: record.moment_or_null("epoch_at")?,
        })
    }

    /// All fields but the key.
    fn values(&self) -> Vec<(&'static str, Value)> {
        let text = |t: &Option<String>| t.clone().map_or(Value::Null, Value::Text);
        let studio_role = self.studio_role().map(|r| r.as_str().to_owned());
        vec![
            ("email", Value::Text(self.email.clone())),
            ("password_hash", text(&self.password_hash)),
            ("app_metadata", Value::Json(self.app_metadata.to_string())),
            ("user_metadata", Value::Json(self.user_metadata.to_string())),
            ("studio_role", text(&studio_role)),
            ("email_confirmed_at", moment_or_null(self.email_confirmed_at)),
            ("last_sign_in_at", moment_or_null(self.last_sign_in_at)),
            ("banned_until", moment_or_null(self.banned_until)),
            ("created_at", Value::Timestamp(self.created_at)),
            ("updated_at", Value::Timestamp(self.updated_at)),
            ("password_changed_at", moment_or_null(self.password_changed_at)),
            ("epoch", Value::Integer(self.epoch)),
            ("epoch_at", moment_or_null(self.epoch_at)),
        ]
    }
}

/// The project's own roles in an `app_metadata`. The built-in names are no roles that an account can have.
pub(crate) fn roles(app_metadata: &serde_json::Value) -> Vec<String> {
    let list = app_metadata.get("roles").and_then(serde_json::Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(serde_json::Value::as_str)
        .filter(|role| !is_built_in(role))
        .map(str::to_owned)
        .collect()
}

/// `anon`, `authenticated` and `service_role` say how somebody came in, not what an account is.
pub(crate) fn is_built_in(role: &str) -> bool {
    matches!(role, "anon" | "authenticated" | "service_role")
}

pub(crate) fn find(db: &Db<'_>, id: Uuid) -> Result<Option<User>, AuthError> {
    one(db, Filter::is("id", Value::Uuid(id)))
}

pub(crate) fn find_by_email(db: &Db<'_>, email: &str) -> Result<Option<User>, AuthError> {
    one(db, Filter::is("email", Value::Text(email.to_owned())))
}

fn one(db: &Db<'_>, filter: Filter) -> Result<Option<User>, AuthError> {
    db.table(TABLE)?.find(filter)?.as_ref().map(User::read).transpose()
}

/// Accounts whose address is like `pattern`, the oldest first.
pub(crate) fn list_named(db: &Db<'_>, pattern: &'static str) -> Result<Vec<User>, AuthError> {
    let filter = Filter::default().and("email", Test::Like(pattern));
    db.table(TABLE)?.list(filter, Window::default())?.iter().map(User::read).collect()
}

/// Whether there is an account that owns the console.
pub(crate) fn has_owner(db: &Db<'_>) -> Result<bool, AuthError> {
    let owner = Value::Text(StudioRole::Owner.as_str().to_owned());
    Ok(db.table(TABLE)?.find(Filter::is("studio_role", owner))?.is_some())
}

/// The newest accounts first.
pub(crate) fn list(db: &Db<'_>, window: Window) -> Result<Vec<User>, AuthError> {
    db.table(TABLE)?.list_newest(Filter::default(), window)?.iter().map(User::read).collect()
}

pub(crate) fn count(db: &Db<'_>) -> Result<u64, AuthError> {
    db.table(TABLE)?.count(Filter::default())
}

/// How many accounts have a password, and how many of these as argon2id.
pub(crate) fn count_passwords(db: &Db<'_>) -> Result<(u64, u64), AuthError> {
    let table = db.table(TABLE)?;
    let with = |test| table.count(Filter::default().and("password_hash", test));
    Ok((with(Test::NotNull)?, with(Test::Like("$argon2id$%"))?))
}

/// Accounts whose rights changed after `since`.
pub(crate) fn changed_rights(db: &Db<'_>, since: i64) -> Result<Vec<User>, AuthError> {
    let filter = Filter::default().and("epoch_at", Test::Above(Value::Timestamp(since)));
    db.table(TABLE)?.list(filter, Window::default())?.iter().map(User::read).collect()
}

/// A new account.
///
/// # Errors
/// [`AuthError::EmailExists`] if the address is taken.
pub(crate) fn insert(db: &Db<'_>, user: &User) -> Result<(), AuthError> {
    let mut values = user.values();
    values.push(("id", Value::Uuid(user.id)));
    db.table(TABLE)?.insert(values).map_err(taken)
}

/// Stores a changed account.
///
/// # Errors
/// [`AuthError::EmailExists`] if the address is taken.
pub(crate) fn update(db: &Db<'_>, user: &User) -> Result<(), AuthError> {
    let filter = Filter::is("id", Value::Uuid(user.id));
    db.table(TABLE)?.update(filter, user.values()).map(drop).map_err(taken)
}

/// Removes an account with its sessions.
///
/// # Errors
/// [`AuthError::AccountInUse`] if the project's own data still refers to it.
pub(crate) fn delete(db: &Db<'_>, id: Uuid) -> Result<(), AuthError> {
    match db.table(TABLE)?.delete(Filter::is("id", Value::Uuid(id))) {
        Err(error) if refused_with(&error, "23503") => Err(AuthError::AccountInUse),
        result => result.map(drop),
    }
}

fn taken(error: AuthError) -> AuthError {
    if refused_with(&error, "23505") { AuthError::EmailExists } else { error }
}

fn refused_with(error: &AuthError, sqlstate: &str) -> bool {
    matches!(
        error,
        AuthError::Engine(EngineError::Store(StoreError::Refused { code, .. })) if *code == sqlstate
    )
}
