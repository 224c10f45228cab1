//! Who is there: accounts, passwords, sessions, tokens, and the keys of a project.
//!
//! [`Auth::open`] needs an engine and the [`MasterKey`]; everything else is a method of [`Auth`], one file of
//! `flows/` per thing that somebody can do. All data passes through plans as `Principal::system("auth: ...")`
//! (`rows/`); no SQL, no route and no header live here. [`wire`] reads the bodies and writes the errors of
//! `/auth/v1` so that the server need not know the dialect.
//!
//! What is secret stays secret: passwords are stored as argon2id, tokens as SHA-256, keys sealed under the
//! master key, and no `Debug` of this crate prints any of them.

mod account;
mod api_keys;
mod auth;
mod email;
mod error;
mod flows;
mod jws;
mod limits;
mod master_key;
mod password;
mod random;
mod revocation;
mod rows;
mod secrets;
mod setup;
mod shapes;
mod token;
pub mod tries;
pub mod wire;

pub use account::{Account, StudioRole};
pub use api_keys::{ApiKeys, KeyKind};
pub use auth::Auth;
pub use error::{AuthError, TokenError};
pub use flows::{
    AdminUser, Client, ConsoleAccount, ConsoleSession, PasswordEvidence, Session, SignOutScope, SignUp,
    UserPage, UserUpdate, connection_secret_check,
};
pub use master_key::MasterKey;

use takt_model::SystemTables;

/// The tables of accounts, sessions, tokens and sealed secrets.
pub const TABLES: SystemTables =
    SystemTables { file: "takt-auth/src/tables.toml", text: include_str!("tables.toml") };
