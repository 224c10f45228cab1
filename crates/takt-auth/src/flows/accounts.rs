//! Accounts as the operator sees them: for `takt account` and the console.

use serde_json::{Value, json};
use takt_plan::Window;

use crate::{
    Account, Auth, AuthError, StudioRole, email,
    revocation::NewRights,
    rows::{
        Db,
        users::{self, User},
    },
};

impl Auth {
    /// The newest accounts.
    ///
    /// # Errors
    /// The engine's.
    pub async fn accounts(&self, limit: u64) -> Result<Vec<Account>, AuthError> {
        let window = Window { limit: Some(limit), offset: 0 };
        let users = self.look_up("auth: list accounts", |db| users::list(db, window))?;
        Ok(users.iter().map(Account::of).collect())
    }

    /// The account with this address.
    ///
    /// # Errors
    /// The engine's, `validation_failed` for what is no address.
    pub async fn account_find(&self, address: &str) -> Result<Option<Account>, AuthError> {
        let address = email::normal_form(address)?;
        let user = self.look_up("auth: find account", |db| users::find_by_email(db, &address))?;
        Ok(user.as_ref().map(Account::of))
    }

    /// Makes an account with the project's own `roles`.
    ///
    /// # Errors
    /// `validation_failed`, `weak_password`, `email_exists`.
    pub async fn account_add(
        &self,
        address: &str,
        password: &str,
        roles: &[String],
    ) -> Result<Account, AuthError> {
        self.account_make(address, password, json!({ "roles": roles })).await
    }

    /// Gives an account exactly these roles; in force at once, also for those who are signed in.
    ///
    /// # Errors
    /// `user_not_found`, `validation_failed` for a role that the project does not have.
    pub async fn account_roles_set(&self, address: &str, roles: &[String]) -> Result<Account, AuthError> {
        self.account_rights(address, "roles", json!(roles)).await
    }

    /// Gives an account a role in the console, or takes it.
    ///
    /// # Errors
    /// `user_not_found`.
    pub async fn account_studio_role_set(
        &self,
        address: &str,
        role: Option<StudioRole>,
    ) -> Result<Account, AuthError> {
        self.account_rights(address, "studio_role", json!(role.map(StudioRole::as_str))).await
    }

    pub(super) async fn account_make(
        &self,
        address: &str,
        password: &str,
        rights: Value,
    ) -> Result<Account, AuthError> {
        let address = email::normal_form(address)?;
        let hash = self.hash_new_password(password.to_owned()).await?;
        let roles = self.inner.engine.project().settings.roles.clone();
        self.transact("auth: make account", move |db| {
            let mut user = User::new(db, address.clone(), Some(hash.clone()));
            if let Some(rights) = rights.as_object() {
                crate::shapes::merge(&mut user.app_metadata, rights);
            }
            check_rights(&user.app_metadata, &roles)?;
            users::insert(db, &user)?;
            Ok(Account::of(&user))
        })
        .await
    }

    async fn account_rights(
        &self,
        address: &str,
        key: &'static str,
        value: Value,
    ) -> Result<Account, AuthError> {
        let address = email::normal_form(address)?;
        let roles = self.inner.engine.project().settings.roles.clone();
        let change = serde_json::Map::from_iter([(key.to_owned(), value)]);
        let user = self
            .transact("auth: change rights", move |db| {
                let found = users::find_by_email(db, &address)?;
                let mut user = found.ok_or(AuthError::UserNotFound)?;
                lay_over_rights(db, &mut user, &change, &roles)?;
                user.updated_at = db.now();
                users::update(db, &user)?;
                Ok(user)
            })
            .await?;
        self.rights_changed(&user);
        Ok(Account::of(&user))
    }

    /// After the commit: tokens from before are read with the new rights.
    pub(super) fn rights_changed(&self, user: &User) {
        if let Some(at) = user.epoch_at {
            let app_metadata = user.app_metadata.clone();
            self.inner.revocation.change([NewRights { user: user.id, at, app_metadata }]);
        }
    }
}

/// Changes `app_metadata` key by key.
pub(super) fn lay_over_rights(
    db: &Db<'_>,
    user: &mut User,
    change: &serde_json::Map<String, Value>,
    known: &[String],
) -> Result<(), AuthError> {
    let mut app_metadata = user.app_metadata.clone();
    crate::shapes::merge(&mut app_metadata, change);
    check_rights(&app_metadata, known)?;
    user.set_app_metadata(app_metadata, db.now());
    Ok(())
}

/// Whether roles are roles of the project and the console's role is one.
pub(super) fn check_rights(app_metadata: &Value, known: &[String]) -> Result<(), AuthError> {
    let refused = |why: String| Err(AuthError::ValidationFailed(why));
    super::credentials::check_size(app_metadata)?;
    if let Some(roles) = app_metadata.get("roles") {
        let Some(list) = roles.as_array() else {
            return refused("app_metadata.roles must be a list of roles".to_owned());
        };
        for role in list {
            let Some(role) = role.as_str() else {
                return refused("app_metadata.roles must be a list of roles".to_owned());
            };
            if users::is_built_in(role) || !known.iter().any(|k| k == role) {
                let known = known.join("`, `");
                return refused(format!("unknown role `{role}`; the project has `{known}`"));
            }
        }
    }
    match app_metadata.get("studio_role") {
        None => Ok(()),
        Some(role) if role.as_str().is_some_and(|r| StudioRole::parse(r).is_some()) => Ok(()),
        Some(_) => refused("app_metadata.studio_role must be owner, developer, editor or auditor".to_owned()),
    }
}
