//! What somebody can do: one file per thing. Each takes what was asked, checks it, and does it in one transaction.

mod accounts;
mod admin;
mod connection_secrets;
mod console;
mod credentials;
mod demonstration;
mod evidence;
mod refresh;
mod sealing;
mod session;
mod sign_in;
mod sign_out;
mod sign_up;
mod tidy;
mod user;

pub use admin::{AdminUser, UserPage};
pub use connection_secrets::connection_secret_check;
pub use console::{ConsoleAccount, ConsoleSession};
pub use evidence::PasswordEvidence;
pub use session::{Client, Session};
pub use sign_out::SignOutScope;
pub use sign_up::SignUp;
pub use user::UserUpdate;
