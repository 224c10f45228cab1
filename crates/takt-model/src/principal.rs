//! Who acts: with which rights, and on behalf of which account.

use std::sync::Arc;

use uuid::Uuid;

/// With which rights something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rights {
    /// Nobody is signed in (role `anon`).
    Anon,
    /// An account is signed in (role `authenticated` plus the account's own roles).
    Authenticated,
    /// The secret key, or a function with `runs_as = "service"`: policies do not apply.
    Service,
    /// The product's own work; `why` stands in logs and stories ("auth: refresh session").
    System {
        /// What the product does here.
        why: &'static str,
    },
}

/// The account behind a request.
#[derive(Debug, Clone, PartialEq)]
pub struct User {
    /// `auth.users.id`, the claim `sub`.
    pub id: Uuid,
    /// Verified or not; `None` for anonymous accounts.
    pub email: Option<String>,
    /// The project's own roles from `app_metadata.roles`.
    pub roles: Vec<String>,
    /// Session of the access token, if there is one.
    pub session_id: Option<Uuid>,
    /// All claims of the access token, for `auth.jwt()`.
    pub claims: serde_json::Value,
}

/// Who acts. Under `runs_as = "service"` the rights are [`Rights::Service`] and `user` is still the caller.
#[derive(Debug, Clone, PartialEq)]
pub struct Principal {
    /// Which policies apply.
    pub rights: Rights,
    /// `auth.uid()` and friends.
    pub user: Option<Arc<User>>,
}

impl Principal {
    /// A visitor.
    #[must_use]
    pub fn anon() -> Self {
        Self { rights: Rights::Anon, user: None }
    }

    /// A signed-in account.
    #[must_use]
    pub fn user(user: User) -> Self {
        Self { rights: Rights::Authenticated, user: Some(Arc::new(user)) }
    }

    /// The holder of the secret key.
    #[must_use]
    pub fn service() -> Self {
        Self { rights: Rights::Service, user: None }
    }

    /// The product itself.
    #[must_use]
    pub fn system(why: &'static str) -> Self {
        Self { rights: Rights::System { why }, user: None }
    }

    /// The same caller with service rights.
    #[must_use]
    pub fn elevated(&self) -> Self {
        Self { rights: Rights::Service, user: self.user.clone() }
    }

    /// Whether policies apply.
    #[must_use]
    pub fn is_bound_by_policies(&self) -> bool {
        matches!(self.rights, Rights::Anon | Rights::Authenticated)
    }

    /// Whether this is the product itself.
    #[must_use]
    pub fn is_system(&self) -> bool {
        matches!(self.rights, Rights::System { .. })
    }

    /// Whether a policy or function for `role` applies: `anon`, `authenticated`, `service_role` or a project role.
    #[must_use]
    pub fn has_role(&self, role: &str) -> bool {
        match self.rights {
            Rights::Anon => role == "anon",
            Rights::Authenticated => {
                role == "authenticated"
                    || self.user.as_ref().is_some_and(|u| u.roles.iter().any(|r| r == role))
            }
            Rights::Service | Rights::System { .. } => role == "service_role",
        }
    }

    /// Whether the same policies apply to both, word for word: they have the same rights and the same roles. Who exactly
    /// asks (`auth.uid()`, `auth.jwt()`) may still differ.
    #[must_use]
    pub fn stands_like(&self, other: &Self) -> bool {
        self.rights == other.rights && self.roles() == other.roles()
    }

    /// The project's own roles of the account.
    #[must_use]
    pub fn roles(&self) -> &[String] {
        self.user.as_ref().map_or(&[], |u| &u.roles)
    }

    /// The claim `role` and `auth.role()`: project roles never appear here.
    #[must_use]
    pub fn claim_role(&self) -> &'static str {
        match self.rights {
            Rights::Anon => "anon",
            Rights::Authenticated => "authenticated",
            Rights::Service | Rights::System { .. } => "service_role",
        }
    }

    /// `auth.uid()`.
    #[must_use]
    pub fn uid(&self) -> Option<Uuid> {
        self.user.as_ref().map(|u| u.id)
    }
}
