//! The account of demonstrations, such as test orders: made by the system, known by a mark in `app_metadata` that
//! nothing else can set, and without a password, so that nobody signs in to it.
//!
//! Never known by its address: where people may sign up, anybody can have that address first.

use serde_json::{Value, json};

use crate::{
    Account, Auth, AuthError, email, random,
    rows::{
        Db,
        users::{self, User},
    },
};

/// In `app_metadata`.
pub(super) const MARK: &str = "demonstration";
/// With which its address begins; it only narrows the search for the mark.
const NAME: &str = "testbestellung";
const NAMED_SO: &str = "testbestellung%";

impl Auth {
    /// The account of demonstrations; made at the first call as `testbestellung@<host>.invalid`, or beside it where
    /// somebody else has that address.
    ///
    /// # Errors
    /// The engine's, `validation_failed` for a host that fits into no address.
    pub async fn demonstration_account(&self, host: &str) -> Result<Account, AuthError> {
        if let Some(user) = self.look_up("auth: find the demonstration account", find)? {
            return Ok(Account::of(&user));
        }
        let suffix = format!("{:016x}", u64::from_be_bytes(random::bytes()?));
        let plain = email::normal_form(&format!("{NAME}@{host}.invalid"))?;
        let other = email::normal_form(&format!("{NAME}-{suffix}@{host}.invalid"))?;
        self.transact("auth: make the demonstration account", move |db| {
            // Two at once: the second finds what the first made.
            if let Some(user) = find(db)? {
                return Ok(Account::of(&user));
            }
            let is_taken = users::find_by_email(db, &plain)?.is_some();
            let address = if is_taken { &other } else { &plain };
            let mut user = User::new(db, address.clone(), None);
            let mark = serde_json::Map::from_iter([(MARK.to_owned(), json!(true))]);
            crate::shapes::merge(&mut user.app_metadata, &mark);
            users::insert(db, &user)?;
            Ok(Account::of(&user))
        })
        .await
    }
}

fn find(db: &Db<'_>) -> Result<Option<User>, AuthError> {
    let is_marked = |user: &User| user.app_metadata.get(MARK) == Some(&Value::Bool(true));
    Ok(users::list_named(db, NAMED_SO)?.into_iter().find(is_marked))
}
