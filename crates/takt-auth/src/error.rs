//! What accounts can refuse: one enum, and one table from it to GoTrue's codes and statuses
//! (`design/wire.md` section 2, 27 to 29). Not here: the JSON of an error (`wire.rs`).

use std::time::Duration;

use takt_engine::{EngineError, StoreError};

/// Errors of accounts. The text is told to the caller; what is inside [`AuthError::Internal`] and
/// [`AuthError::Engine`] is for the log only, see [`AuthError::message`].
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AuthError {
    /// Wrong password or no such account: never told apart.
    #[error("Invalid login credentials")]
    InvalidCredentials,
    /// Sign-up with a taken address.
    #[error("User already registered")]
    UserAlreadyExists,
    /// An account is to get a taken address.
    #[error("A user with this email address has already been registered")]
    EmailExists,
    /// The password does not meet the rules.
    #[error("{message}")]
    WeakPassword {
        /// What the rules are.
        message: String,
        /// `length`
        reasons: Vec<&'static str>,
    },
    /// The new password is the old one.
    #[error("New password should be different from the old password.")]
    SamePassword,
    /// The request makes no sense; never repeats what was sent.
    #[error("{0}")]
    ValidationFailed(String),
    /// People may not sign up by themselves here.
    #[error("Signups not allowed for this instance")]
    SignupDisabled,
    /// Sign-up without an address.
    #[error("Anonymous sign-ins are disabled")]
    AnonymousDisabled,
    /// Sign-in or sign-up by telephone.
    #[error("Phone logins are disabled")]
    PhoneDisabled,
    /// The access token is no token of ours, was changed, or has expired.
    #[error("invalid JWT: unable to parse or verify signature, {0}")]
    BadJwt(&'static str),
    /// No access token was sent where one is needed.
    #[error("This endpoint requires a valid Bearer token")]
    NoAuthorization,
    /// The session of the access token has ended.
    #[error("Session from session_id claim in JWT does not exist")]
    SessionNotFound,
    /// The session was not used for too long.
    #[error("Invalid Refresh Token: Session Expired")]
    SessionExpired,
    /// No such refresh token.
    #[error("Invalid Refresh Token: Refresh Token Not Found")]
    RefreshTokenNotFound,
    /// A used refresh token came back: the session was ended.
    #[error("Invalid Refresh Token: Already Used")]
    RefreshTokenAlreadyUsed,
    /// No such account.
    #[error("User not found")]
    UserNotFound,
    /// The account is suspended.
    #[error("User is banned")]
    UserBanned,
    /// Only for the service role.
    #[error("User not allowed")]
    NotAdmin,
    /// The session is too old for this change without the current password.
    #[error("This change requires the current password or a recent sign-in")]
    ReauthenticationNeeded,
    /// Too many tries, or too many sign-ins waiting.
    #[error("Request rate limit reached")]
    OverRequestRateLimit {
        /// When to come back.
        retry_after: Duration,
    },
    /// The account still has rows that must not go away with it.
    #[error("The account cannot be deleted: other data still refers to it")]
    AccountInUse,
    /// The code of the first start is wrong.
    #[error("The code is wrong")]
    SetupCodeWrong,
    /// Many wrong codes came before this one.
    #[error("Too many wrong codes; wait {} seconds, then try again", .retry_after.as_secs())]
    SetupCodeWait {
        /// When to come back.
        retry_after: Duration,
    },
    /// There is an owner already.
    #[error("The first account was made already")]
    SetupClosed,
    /// The account has no role that opens the console.
    #[error("This account may not use the console")]
    ConsoleDenied,
    /// The console session has ended.
    #[error("The console session has ended; please sign in again")]
    ConsoleSessionEnded,
    /// Accounts cannot start; a plain sentence for the operator.
    #[error("{0}")]
    Start(String),
    /// The engine refused or failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Something failed inside; the text is for the log.
    #[error("internal error of accounts: {0}")]
    Internal(String),
}

impl AuthError {
    /// GoTrue's code (our own where GoTrue has none).
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.row().1
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.row().0
    }

    /// What is told to the caller: nothing from inside.
    #[must_use]
    pub fn message(&self) -> String {
        match self {
            Self::Engine(EngineError::Store(StoreError::Busy)) => {
                "The database is busy; try again".to_owned()
            }
            Self::Engine(EngineError::Store(StoreError::Full)) => {
                "The disk is full; nothing was written".to_owned()
            }
            Self::Engine(_) | Self::Internal(_) | Self::Start(_) => {
                "Unexpected failure, please check server logs for more information".to_owned()
            }
            other => other.to_string(),
        }
    }

    /// When the caller may try again, if that helps.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::OverRequestRateLimit { retry_after } | Self::SetupCodeWait { retry_after } => {
                Some(*retry_after)
            }
            Self::Engine(EngineError::Store(StoreError::Busy)) => Some(Duration::from_secs(1)),
            _ => None,
        }
    }

    /// Whether this belongs into the log: it is our fault, not the caller's.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.status() >= 500
    }

    /// The one table: status and code of every error.
    fn row(&self) -> (u16, &'static str) {
        match self {
            Self::InvalidCredentials => (400, "invalid_credentials"),
            Self::UserAlreadyExists => (422, "user_already_exists"),
            Self::EmailExists => (422, "email_exists"),
            Self::WeakPassword { .. } => (422, "weak_password"),
            Self::SamePassword => (422, "same_password"),
            Self::ValidationFailed(_) => (400, "validation_failed"),
            Self::SignupDisabled => (422, "signup_disabled"),
            Self::AnonymousDisabled => (422, "anonymous_provider_disabled"),
            Self::PhoneDisabled => (400, "phone_provider_disabled"),
            Self::BadJwt(_) => (403, "bad_jwt"),
            Self::NoAuthorization => (401, "no_authorization"),
            Self::SessionNotFound => (403, "session_not_found"),
            Self::SessionExpired => (400, "session_expired"),
            Self::RefreshTokenNotFound => (400, "refresh_token_not_found"),
            Self::RefreshTokenAlreadyUsed => (400, "refresh_token_already_used"),
            Self::UserNotFound => (404, "user_not_found"),
            Self::UserBanned => (400, "user_banned"),
            Self::NotAdmin => (403, "not_admin"),
            Self::ReauthenticationNeeded => (400, "reauthentication_needed"),
            Self::OverRequestRateLimit { .. } | Self::SetupCodeWait { .. } => {
                (429, "over_request_rate_limit")
            }
            Self::AccountInUse => (409, "conflict"),
            Self::SetupCodeWrong => (403, "setup_code_wrong"),
            Self::SetupClosed => (403, "setup_closed"),
            Self::ConsoleDenied => (403, "insufficient_role"),
            Self::ConsoleSessionEnded => (401, "session_not_found"),
            Self::Engine(EngineError::Store(StoreError::Busy | StoreError::Timeout)) => {
                (503, "unexpected_failure")
            }
            Self::Engine(EngineError::Store(StoreError::Full)) => (507, "unexpected_failure"),
            Self::Engine(_) | Self::Start(_) | Self::Internal(_) => (500, "unexpected_failure"),
        }
    }
}

impl From<TokenError> for AuthError {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Invalid => Self::BadJwt("signature is invalid"),
            TokenError::Expired => Self::BadJwt("token has invalid claims: token is expired"),
        }
    }
}

/// Why an access token is refused, as the data dialect tells it apart (`design/wire.md` section 2, 17).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Unreadable, not signed by us, wrong claims, or of a session that has ended: PGRST301.
    #[error("JWT invalid")]
    Invalid,
    /// It was good once: PGRST303 "JWT expired".
    #[error("JWT expired")]
    Expired,
}
