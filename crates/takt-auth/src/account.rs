//! An account as people who run the project see it: in the console and in `takt account`.

use serde_json::{Value, json};
use takt_model::Uuid;

use crate::{rows::users::User, shapes};

/// What an account may do in the console, besides what its project roles allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StudioRole {
    /// Everything.
    Owner,
    /// Everything but accounts of owners.
    Developer,
    /// Data.
    Editor,
    /// Reads everything, changes nothing.
    Auditor,
}

impl StudioRole {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Owner, Self::Developer, Self::Editor, Self::Auditor];

    /// As `app_metadata.studio_role` has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Developer => "developer",
            Self::Editor => "editor",
            Self::Auditor => "auditor",
        }
    }

    /// Reads `owner`, `developer`, `editor`, `auditor`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

/// An account.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// `auth.users.id`
    pub id: Uuid,
    /// Address.
    pub email: String,
    /// The project's own roles.
    pub roles: Vec<String>,
    /// Role in the console.
    pub studio_role: Option<StudioRole>,
    /// Microseconds since 1970 UTC.
    pub created_at: i64,
    /// Microseconds since 1970 UTC.
    pub last_sign_in_at: Option<i64>,
    /// Suspended until then; microseconds since 1970 UTC.
    pub banned_until: Option<i64>,
}

impl Account {
    pub(crate) fn of(user: &User) -> Self {
        Self {
            id: user.id,
            email: user.email.clone(),
            roles: user.roles(),
            studio_role: user.studio_role(),
            created_at: user.created_at,
            last_sign_in_at: user.last_sign_in_at,
            banned_until: user.banned_until,
        }
    }

    /// For `--json`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "id": self.id.to_string(),
            "email": self.email,
            "roles": self.roles,
            "studio_role": self.studio_role.map(StudioRole::as_str),
            "created_at": shapes::moment(self.created_at),
            "last_sign_in_at": self.last_sign_in_at.map(shapes::moment),
            "banned_until": self.banned_until.map(shapes::moment),
        })
    }
}
