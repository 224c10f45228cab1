//! `/auth/v1/admin/users`: accounts managed by a server that holds the secret key.

use std::fmt;

use serde_json::{Map, Value, json};
use takt_model::{Principal, Rights, Uuid};
use takt_plan::Window;

use super::{
    accounts::{check_rights, lay_over_rights},
    credentials::{check_size, metadata},
    demonstration,
    sign_out::end_sessions,
};
use crate::{
    Auth, AuthError, email,
    revocation::Ended,
    rows::{
        Db, console_sessions,
        users::{self, User},
    },
    shapes,
};

const MAX_PER_PAGE: u64 = 1000;
/// A ban without a sensible end: a hundred years.
const LONGEST_BAN: i64 = 100 * 365 * 24 * 3600 * 1_000_000;

/// What is to be stored of an account; absent fields stay. `Debug` shows no password.
#[derive(Clone, Default, PartialEq)]
pub struct AdminUser {
    /// Needed for a new account.
    pub email: Option<String>,
    /// Without one, nobody can sign in by password.
    pub password: Option<String>,
    /// Laid over what is there, key by key; null removes a key.
    pub app_metadata: Option<Value>,
    /// Laid over what is there, key by key; null removes a key.
    pub user_metadata: Option<Value>,
    /// `24h`, `1h30m`, `none`.
    pub ban_duration: Option<String>,
}

impl fmt::Debug for AdminUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdminUser(***)")
    }
}

/// One page of accounts, newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct UserPage {
    /// In the shape of [`Auth::user`].
    pub users: Vec<Value>,
    /// `X-Total-Count`
    pub total: u64,
    /// Counted from 1.
    pub page: u64,
    /// At most so many on a page.
    pub per_page: u64,
}

impl UserPage {
    /// The body of the answer.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({ "users": self.users, "aud": "authenticated" })
    }

    /// The header `Link`, for the path `at`.
    #[must_use]
    pub fn link(&self, at: &str) -> String {
        let last = self.total.div_ceil(self.per_page).max(1);
        let to = |page, rel| format!("<{at}?page={page}&per_page={}>; rel=\"{rel}\"", self.per_page);
        if self.page < last {
            format!("{}, {}", to(self.page + 1, "next"), to(last, "last"))
        } else {
            to(last, "last")
        }
    }
}

/// Checked fields of an [`AdminUser`].
#[derive(Clone)]
struct Fields {
    email: Option<String>,
    hash: Option<String>,
    app_metadata: Map<String, Value>,
    user_metadata: Map<String, Value>,
    ban: Option<Ban>,
    roles: Vec<String>,
}

/// A ban of so many microseconds, or none.
type Ban = Option<i64>;

impl Auth {
    /// A page of accounts; `page` counts from 1.
    ///
    /// # Errors
    /// `not_admin`.
    pub async fn admin_users(
        &self,
        who: &Principal,
        page: u64,
        per_page: u64,
    ) -> Result<UserPage, AuthError> {
        only_service(who)?;
        let (page, per_page) = (page.max(1), per_page.clamp(1, MAX_PER_PAGE));
        let window = Window { limit: Some(per_page), offset: (page - 1).saturating_mul(per_page) };
        let (users, total) =
            self.look_up("auth: list accounts", |db| Ok((users::list(db, window)?, users::count(db)?)))?;
        Ok(UserPage { users: users.iter().map(shapes::user).collect(), total, page, per_page })
    }

    /// One account.
    ///
    /// # Errors
    /// `not_admin`, `user_not_found`, `validation_failed` for what is no id.
    pub async fn admin_user(&self, who: &Principal, id: &str) -> Result<Value, AuthError> {
        only_service(who)?;
        let id = user_id(id)?;
        let user = self.look_up("auth: read account", |db| users::find(db, id))?;
        Ok(shapes::user(&user.ok_or(AuthError::UserNotFound)?))
    }

    /// Makes an account, confirmed as all are while there is no mail.
    ///
    /// # Errors
    /// `not_admin`, `validation_failed`, `weak_password`, `email_exists`.
    pub async fn admin_user_create(&self, who: &Principal, user: AdminUser) -> Result<Value, AuthError> {
        only_service(who)?;
        let fields = self.admin_fields(user).await?;
        let Some(address) = fields.email.clone() else {
            let message = "Cannot create a user without an email".to_owned();
            return Err(AuthError::ValidationFailed(message));
        };
        let user = self
            .transact("auth: make account", move |db| {
                let mut user = User::new(db, address.clone(), fields.hash.clone());
                shapes::merge(&mut user.app_metadata, &fields.app_metadata);
                check_rights(&user.app_metadata, &fields.roles)?;
                shapes::merge(&mut user.user_metadata, &fields.user_metadata);
                check_size(&user.user_metadata)?;
                user.banned_until = banned_until(db, fields.ban.flatten());
                users::insert(db, &user)?;
                Ok(user)
            })
            .await?;
        Ok(shapes::user(&user))
    }

    /// Changes an account. A new password, address or ban ends its sessions; new rights are in force at once.
    ///
    /// # Errors
    /// `not_admin`, `user_not_found`, `validation_failed`, `weak_password`, `email_exists`.
    pub async fn admin_user_update(
        &self,
        who: &Principal,
        id: &str,
        user: AdminUser,
    ) -> Result<Value, AuthError> {
        only_service(who)?;
        let id = user_id(id)?;
        let fields = self.admin_fields(user).await?;
        let (user, ended) = self.transact("auth: change account", move |db| change(db, id, &fields)).await?;
        self.inner.revocation.end(ended);
        self.rights_changed(&user);
        Ok(shapes::user(&user))
    }

    /// Removes an account with its sessions and answers what it was.
    ///
    /// # Errors
    /// `not_admin`, `user_not_found`, `conflict` if the project's data still refers to it.
    pub async fn admin_user_delete(&self, who: &Principal, id: &str) -> Result<Value, AuthError> {
        only_service(who)?;
        let id = user_id(id)?;
        let (user, ended) = self
            .transact("auth: delete account", move |db| {
                let user = users::find(db, id)?.ok_or(AuthError::UserNotFound)?;
                let ended = end_sessions(db, id, |_| true)?;
                users::delete(db, id)?;
                Ok((user, ended))
            })
            .await?;
        self.inner.revocation.end(ended);
        // After the commit, because that may take a while; lost, the values go with their time (`logic.story_personal`).
        if let Err(error) = self.inner.engine.forget_personal_values_of(id).await {
            tracing::warn!(%error, "the personal values in stories of a deleted account were not forgotten");
        }
        Ok(shapes::user(&user))
    }

    async fn admin_fields(&self, user: AdminUser) -> Result<Fields, AuthError> {
        let AdminUser { email: address, password, app_metadata, user_metadata, ban_duration } = user;
        let address = address.filter(|a| !a.is_empty());
        let app_metadata = metadata(app_metadata.unwrap_or_default())?;
        if app_metadata.contains_key(demonstration::MARK) {
            let message = "app_metadata.demonstration is set by the system only".to_owned();
            return Err(AuthError::ValidationFailed(message));
        }
        Ok(Fields {
            email: address.map(|a| email::normal_form(&a)).transpose()?,
            app_metadata,
            user_metadata: metadata(user_metadata.unwrap_or_default())?,
            ban: ban_duration.as_deref().map(parse_ban).transpose()?,
            roles: self.inner.engine.project().settings.roles.clone(),
            hash: match password.filter(|p| !p.is_empty()) {
                Some(new) => Some(self.hash_new_password(new).await?),
                None => None,
            },
        })
    }
}

fn change(db: &Db<'_>, id: Uuid, fields: &Fields) -> Result<(User, Vec<Ended>), AuthError> {
    let mut user = users::find(db, id)?.ok_or(AuthError::UserNotFound)?;
    let mut ends_sessions = false;
    if let Some(address) = fields.email.as_ref().filter(|a| **a != user.email) {
        user.email.clone_from(address);
        ends_sessions = true;
    }
    if let Some(hash) = &fields.hash {
        user.set_password(hash.clone(), db.now());
        ends_sessions = true;
    }
    if let Some(ban) = fields.ban {
        user.banned_until = banned_until(db, ban);
        ends_sessions |= ban.is_some();
    }
    if !fields.app_metadata.is_empty() {
        lay_over_rights(db, &mut user, &fields.app_metadata, &fields.roles)?;
    }
    shapes::merge(&mut user.user_metadata, &fields.user_metadata);
    check_size(&user.user_metadata)?;
    user.updated_at = db.now();
    users::update(db, &user)?;
    if !ends_sessions {
        return Ok((user, Vec::new()));
    }
    console_sessions::remove_of_user(db, id)?;
    let ended = end_sessions(db, id, |_| true)?;
    Ok((user, ended))
}

fn banned_until(db: &Db<'_>, ban: Ban) -> Option<i64> {
    ban.map(|length| db.now() + length)
}

fn only_service(who: &Principal) -> Result<(), AuthError> {
    match who.rights {
        Rights::Service | Rights::System { .. } => Ok(()),
        Rights::Anon | Rights::Authenticated => Err(AuthError::NotAdmin),
    }
}

fn user_id(text: &str) -> Result<Uuid, AuthError> {
    Uuid::try_parse(text).map_err(|_| AuthError::ValidationFailed("user_id must be an UUID".to_owned()))
}

/// Reads `none` or a length such as `24h`, `1h30m`, `90s`.
fn parse_ban(text: &str) -> Result<Ban, AuthError> {
    if text == "none" {
        return Ok(None);
    }
    let wrong = || {
        let message = "ban_duration must be `none` or a length such as `24h` or `1h30m`";
        AuthError::ValidationFailed(message.to_owned())
    };
    let mut rest = text;
    let mut micros: i64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let number: i64 = rest[..digits].parse().map_err(|_| wrong())?;
        rest = &rest[digits..];
        // `ms` before `m`.
        let units = [("ms", 1_000), ("us", 1), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000)];
        let (unit, length) = units.into_iter().find(|(u, _)| rest.starts_with(u)).ok_or_else(wrong)?;
        rest = &rest[unit.len()..];
        micros = micros.saturating_add(number.saturating_mul(length));
    }
    if micros == 0 {
        return Err(wrong());
    }
    Ok(Some(micros.min(LONGEST_BAN)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

    use super::*;

    #[test]
    fn bans_have_lengths() {
        let cases = [
            ("none", Some(None)),
            ("24h", Some(Some(24 * 3_600_000_000))),
            ("1h30m", Some(Some(5_400_000_000))),
            ("500ms", Some(Some(500_000))),
            ("876000000000h", Some(Some(LONGEST_BAN))),
            ("", None),
            ("0h", None),
            ("24", None),
            ("h", None),
            ("1y", None),
            ("-5h", None),
            ("99999999999999999999h", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_ban(text).ok(), expected, "{text:?}");
        }
    }

    #[test]
    fn pages_point_to_the_next() {
        let page = |page, total| UserPage { users: vec![], total, page, per_page: 50 }.link("/admin/users");
        assert_eq!(
            page(1, 120),
            "</admin/users?page=2&per_page=50>; rel=\"next\", </admin/users?page=3&per_page=50>; rel=\"last\""
        );
        assert_eq!(page(3, 120), "</admin/users?page=3&per_page=50>; rel=\"last\"");
        assert_eq!(page(1, 0), "</admin/users?page=1&per_page=50>; rel=\"last\"");
    }
}
