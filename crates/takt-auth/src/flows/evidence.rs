//! Facts about accounts for the report.

use crate::{Auth, AuthError, rows::users};

/// How passwords are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordEvidence {
    /// Accounts with a password.
    pub total: u64,
    /// Of these, those stored as argon2id.
    pub argon2id: u64,
}

impl Auth {
    /// How passwords are stored, counted now.
    ///
    /// # Errors
    /// The engine's; whoever reports must then say "unknown".
    pub async fn password_evidence(&self) -> Result<PasswordEvidence, AuthError> {
        let (total, argon2id) = self.look_up("auth: evidence", users::count_passwords)?;
        Ok(PasswordEvidence { total, argon2id })
    }
}
