//! Bodies and errors of `/auth/v1` (`design/wire.md` section 1.2 and 2, 27). Routes and headers are the server's.
//!
//! A body with a wrong JSON type is refused with `validation_failed`; the refusal names the place, never the value,
//! because the value may be a password.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use crate::{AdminUser, AuthError, SignUp, UserUpdate};

/// How the client wants errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorFormat {
    /// `{"code": "...", "message": "..."}`, with the header `x-sb-error-code`.
    Version20240101,
    /// `{"code": 400, "error_code": "...", "msg": "..."}`
    Old,
}

impl ErrorFormat {
    /// From the header `X-Supabase-Api-Version`, a date.
    #[must_use]
    pub fn of(api_version: Option<&str>) -> Self {
        match api_version.map(str::trim) {
            Some(version) if version.len() == 10 && version >= "2024-01-01" => Self::Version20240101,
            _ => Self::Old,
        }
    }
}

/// The body of an error.
#[must_use]
pub fn error_json(error: &AuthError, format: ErrorFormat) -> Value {
    let (code, message) = (error.code(), error.message());
    let mut body = match format {
        ErrorFormat::Version20240101 => json!({ "code": code, "message": message }),
        ErrorFormat::Old => json!({ "code": error.status(), "error_code": code, "msg": message }),
    };
    if let AuthError::WeakPassword { reasons, .. } = error {
        body["weak_password"] = json!({ "reasons": reasons });
    }
    body
}

/// What `/token` is asked for.
#[derive(Clone, PartialEq)]
pub enum Grant {
    /// `grant_type=password`
    Password {
        /// As typed.
        email: String,
        /// As typed.
        password: String,
    },
    /// `grant_type=refresh_token`
    RefreshToken(String),
}

impl std::fmt::Debug for Grant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Password { .. } => "Grant::Password(***)",
            Self::RefreshToken(_) => "Grant::RefreshToken(***)",
        })
    }
}

/// The body of `POST /signup`.
///
/// # Errors
/// `validation_failed`, `phone_provider_disabled`.
pub fn sign_up(body: &[u8]) -> Result<SignUp, AuthError> {
    #[derive(Deserialize)]
    struct Body {
        email: Option<String>,
        phone: Option<String>,
        password: Option<String>,
        data: Option<Map<String, Value>>,
    }
    let body: Body = parse(body)?;
    refuse_phone(body.phone.as_deref(), body.email.as_deref())?;
    Ok(SignUp {
        email: body.email.unwrap_or_default(),
        password: body.password.unwrap_or_default(),
        data: body.data.map_or(Value::Null, Value::Object),
    })
}

/// The body of `POST /token?grant_type=`.
///
/// # Errors
/// `validation_failed`, also for grants that are not there; `phone_provider_disabled`.
pub fn grant(grant_type: Option<&str>, body: &[u8]) -> Result<Grant, AuthError> {
    match grant_type {
        Some("password") => {
            #[derive(Deserialize)]
            struct Body {
                email: Option<String>,
                phone: Option<String>,
                password: Option<String>,
            }
            let body: Body = parse(body)?;
            refuse_phone(body.phone.as_deref(), body.email.as_deref())?;
            let email = body.email.filter(|e| !e.is_empty()).ok_or_else(|| missing("email"))?;
            Ok(Grant::Password { email, password: body.password.unwrap_or_default() })
        }
        Some("refresh_token") => {
            #[derive(Deserialize)]
            struct Body {
                refresh_token: Option<String>,
            }
            let body: Body = parse(body)?;
            let token = body.refresh_token.filter(|t| !t.is_empty());
            token.map(Grant::RefreshToken).ok_or_else(|| missing("refresh_token"))
        }
        // The text is not repeated: it comes from the address bar.
        Some(_) => Err(AuthError::ValidationFailed("unsupported_grant_type".to_owned())),
        None => Err(missing("grant_type")),
    }
}

/// The body of `PUT /user`.
///
/// # Errors
/// `validation_failed`, `phone_provider_disabled`.
pub fn user_update(body: &[u8]) -> Result<UserUpdate, AuthError> {
    #[derive(Deserialize)]
    struct Body {
        email: Option<String>,
        phone: Option<String>,
        password: Option<String>,
        current_password: Option<String>,
        data: Option<Map<String, Value>>,
    }
    let body: Body = parse(body)?;
    refuse_phone(body.phone.as_deref(), None)?;
    Ok(UserUpdate {
        email: body.email,
        password: body.password,
        data: body.data.map(Value::Object),
        current_password: body.current_password,
    })
}

/// The body of `POST /admin/users` and `PUT /admin/users/{id}`.
///
/// # Errors
/// `validation_failed`.
pub fn admin_user(body: &[u8]) -> Result<AdminUser, AuthError> {
    #[derive(Deserialize)]
    struct Body {
        email: Option<String>,
        password: Option<String>,
        app_metadata: Option<Map<String, Value>>,
        user_metadata: Option<Map<String, Value>>,
        ban_duration: Option<String>,
    }
    let body: Body = parse(body)?;
    Ok(AdminUser {
        email: body.email,
        password: body.password,
        app_metadata: body.app_metadata.map(Value::Object),
        user_metadata: body.user_metadata.map(Value::Object),
        ban_duration: body.ban_duration,
    })
}

/// `page` and `per_page` of `GET /admin/users`; what is no number counts as not said.
#[must_use]
pub fn page(page: Option<&str>, per_page: Option<&str>) -> (u64, u64) {
    let number = |text: Option<&str>, default| text.and_then(|t| t.parse().ok()).unwrap_or(default);
    (number(page, 1), number(per_page, 50))
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, AuthError> {
    serde_json::from_slice(body).map_err(|error| {
        let what = match error.classify() {
            serde_json::error::Category::Data => "a value has the wrong type",
            _ => "it is no JSON",
        };
        let (line, column) = (error.line(), error.column());
        AuthError::ValidationFailed(format!(
            "Could not read the request body: {what} (line {line}, column {column})"
        ))
    })
}

fn missing(name: &str) -> AuthError {
    AuthError::ValidationFailed(format!("{name} is missing"))
}

fn refuse_phone(phone: Option<&str>, email: Option<&str>) -> Result<(), AuthError> {
    let has = |text: Option<&str>| text.is_some_and(|t| !t.is_empty());
    if has(phone) && !has(email) { Err(AuthError::PhoneDisabled) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

    use super::*;

    #[test]
    fn errors_in_both_formats() {
        let weak = AuthError::WeakPassword { message: "Too short.".into(), reasons: vec!["length"] };
        let cases = [
            (
                AuthError::InvalidCredentials,
                Some("2024-01-01"),
                r#"{"code":"invalid_credentials","message":"Invalid login credentials"}"#,
            ),
            (
                AuthError::InvalidCredentials,
                None,
                r#"{"code":400,"error_code":"invalid_credentials","msg":"Invalid login credentials"}"#,
            ),
            (
                AuthError::InvalidCredentials,
                Some("2023-05-05"),
                r#"{"code":400,"error_code":"invalid_credentials","msg":"Invalid login credentials"}"#,
            ),
            (
                weak,
                Some("2024-01-01"),
                r#"{"code":"weak_password","message":"Too short.","weak_password":{"reasons":["length"]}}"#,
            ),
            (
                AuthError::Internal("the file /x is gone".into()),
                Some("2025-01-01"),
                r#"{"code":"unexpected_failure","message":"Unexpected failure, please check server logs for more information"}"#,
            ),
        ];
        for (error, version, expected) in cases {
            assert_eq!(error_json(&error, ErrorFormat::of(version)).to_string(), expected);
        }
    }

    #[test]
    fn wrong_types_are_refused_without_repeating_them() {
        let bodies: [&[u8]; 12] = [
            b"",
            b"null",
            b"[]",
            b"7",
            b"\"hunter2\"",
            b"{",
            b"{\"email\": \xff}",
            br#"{"email": 7, "password": "hunter2"}"#,
            br#"{"email": "a@b.c", "password": {"hunter2": 1}}"#,
            br#"{"email": "a@b.c", "password": ["hunter2"]}"#,
            br#"{"email": "a@b.c", "password": "x", "password": "hunter2"}"#,
            br#"{"email": ["hunter2"], "data": "hunter2"}"#,
        ];
        for body in bodies {
            for error in [
                sign_up(body).err(),
                grant(Some("password"), body).err(),
                user_update(body).err(),
                admin_user(body).err(),
            ] {
                let error = error.unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(body)));
                assert_eq!((error.code(), error.status()), ("validation_failed", 400));
                assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
            }
        }
    }

    #[test]
    fn bodies_of_the_client_library_are_read() {
        let body = br#"{"email":"a@b.c","password":"pw","data":{"name":"Anna"},"gotrue_meta_security":{},"code_challenge":null,"code_challenge_method":null}"#;
        let sign_up = sign_up(body).unwrap();
        assert_eq!((sign_up.email.as_str(), sign_up.password.as_str()), ("a@b.c", "pw"));
        assert_eq!(sign_up.data, json!({ "name": "Anna" }));
        assert_eq!(
            grant(Some("refresh_token"), br#"{"refresh_token":"r"}"#).unwrap(),
            Grant::RefreshToken("r".into())
        );
        for (grant_type, body) in
            [(None, "{}"), (Some("magic"), "{}"), (Some("password"), "{}"), (Some("refresh_token"), "{}")]
        {
            assert_eq!(grant(grant_type, body.as_bytes()).unwrap_err().code(), "validation_failed");
        }
        let phone = br#"{"phone":"+49","password":"pw"}"#;
        assert_eq!(grant(Some("password"), phone).unwrap_err().code(), "phone_provider_disabled");
    }

    #[test]
    fn nothing_secret_is_printed() {
        let printed = [
            format!("{:?}", sign_up(br#"{"email":"a@b.c","password":"hunter2"}"#)),
            format!("{:?}", grant(Some("password"), br#"{"email":"a@b.c","password":"hunter2"}"#)),
            format!("{:?}", grant(Some("refresh_token"), br#"{"refresh_token":"hunter2"}"#)),
            format!("{:?}", user_update(br#"{"password":"hunter2"}"#)),
            format!("{:?}", admin_user(br#"{"password":"hunter2"}"#)),
        ];
        for text in printed {
            assert!(!text.contains("hunter2"), "{text}");
        }
    }
}
