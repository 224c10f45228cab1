//! `/auth/v1`: what the client library does, and what it must not be able to do.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use expect_test::expect;

use crate::support::{Running, options};

const JSON: (&str, &str) = ("content-type", "application/json");
const VERSION: (&str, &str) = ("x-supabase-api-version", "2024-01-01");

#[test]
fn an_account_signs_up_is_itself_changes_and_signs_out() {
    let server = Running::start();
    let token = server.token("anna@example.com");
    let me = server.ask_as(&token, "GET", "/auth/v1/user", &[], "");
    assert_eq!((me.status, me.json()["email"].as_str()), (200, Some("anna@example.com")));
    assert_eq!(me.header("cache-control").as_deref(), Some("no-store"));

    let changed = server.ask_as(&token, "PUT", "/auth/v1/user", &[JSON], r#"{"data":{"nick":"A"}}"#);
    assert_eq!(changed.json()["user_metadata"]["nick"], "A");

    assert_eq!(server.ask_as(&token, "POST", "/auth/v1/logout?scope=global", &[], "").status, 204);
    let after = server.ask_as(&token, "GET", "/auth/v1/user", &[VERSION], "");
    assert_eq!((after.status, after.json()["code"].as_str()), (403, Some("session_not_found")));
}

#[test]
fn tokens_are_had_by_password_and_by_refresh_token() {
    let server = Running::start();
    server.token("anna@example.com");
    let body = r#"{"email":"anna@example.com","password":"correct horse"}"#;
    let session = server.ask("POST", "/auth/v1/token?grant_type=password", &[JSON], body);
    assert_eq!(session.status, 200, "{}", session.text());
    let refresh = session.json()["refresh_token"].as_str().unwrap().to_owned();
    let body = format!(r#"{{"refresh_token":"{refresh}"}}"#);
    let next = server.ask("POST", "/auth/v1/token?grant_type=refresh_token", &[JSON], &body);
    assert_eq!(next.status, 200, "{}", next.text());
    assert!(next.json()["expires_in"].is_number());
}

#[test]
fn errors_speak_the_version_that_the_client_names() {
    let server = Running::start();
    let body = r#"{"email":"nobody@example.com","password":"wrong"}"#;
    let path = "/auth/v1/token?grant_type=password";
    let shown = ["x-sb-error-code", "x-supabase-api-version"];
    expect![[r#"
        400
        x-sb-error-code: invalid_credentials
        x-supabase-api-version: 2024-01-01
        {"code":"invalid_credentials","message":"Invalid login credentials"}"#]]
    .assert_eq(&server.ask("POST", path, &[JSON, VERSION], body).shown(&shown));
    expect![[r#"
        400
        x-sb-error-code: invalid_credentials
        {"code":400,"error_code":"invalid_credentials","msg":"Invalid login credentials"}"#]]
    .assert_eq(&server.ask("POST", path, &[JSON], body).shown(&shown));
    expect![[r#"
        401
        x-sb-error-code: no_authorization
        x-supabase-api-version: 2024-01-01
        {"code":"no_authorization","message":"This endpoint requires a valid Bearer token"}"#]]
    .assert_eq(&server.ask("GET", "/auth/v1/user", &[VERSION], "").shown(&shown));
    expect![[r#"
        501
        x-sb-error-code: TAKT012
        x-supabase-api-version: 2024-01-01
        {"code":"TAKT012","message":"/auth/v1/otp is not there yet in this version of Takt.","hint":null}"#]]
    .assert_eq(&server.ask("POST", "/auth/v1/otp", &[JSON, VERSION], "{}").shown(&shown));
}

#[test]
fn what_everybody_may_know_needs_no_key_and_the_rest_a_right_one() {
    let server = Running::with(&[("server.anonymous_without_key", "false")]);
    for path in ["/auth/v1/health", "/auth/v1/settings", "/auth/v1/.well-known/jwks.json"] {
        assert_eq!(server.raw("GET", path, &[], b"").status, 200, "{path}");
    }
    let answer = server.raw("POST", "/auth/v1/signup", &[JSON, VERSION], b"{}");
    assert_eq!((answer.status, answer.json()["code"].as_str()), (401, Some("TAKT001")));
}

#[test]
fn only_the_service_manages_accounts() {
    let server = Running::start();
    let token = server.token("anna@example.com");
    let refused = server.ask_as(&token, "GET", "/auth/v1/admin/users", &[VERSION], "");
    assert_eq!((refused.status, refused.json()["code"].as_str()), (403, Some("not_admin")));
    let service = [("apikey", server.secret.as_str())];
    let listed = server.raw("GET", "/auth/v1/admin/users", &service, b"");
    assert_eq!(listed.json()["users"][0]["email"], "anna@example.com");
    assert_eq!(listed.header("x-total-count").as_deref(), Some("1"));
    let id = listed.json()["users"][0]["id"].as_str().unwrap().to_owned();
    let removed = server.raw("DELETE", &format!("/auth/v1/admin/users/{id}"), &service, b"");
    assert_eq!(removed.status, 200, "{}", removed.text());
}

#[test]
fn a_token_names_the_address_of_people_as_its_issuer() {
    let named = |name| [("server.public_url", name)];
    let server = Running::with(&named("https://shop.example/"));
    let body = r#"{"email":"anna@example.com","password":"correct horse"}"#;
    let session = server.ask("POST", "/auth/v1/signup", &[JSON], body).json();
    let token = session["access_token"].as_str().unwrap();
    let claims = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(claims["iss"], "https://shop.example/auth/v1");

    let (dir, _) = server.stop();
    let options = options(dir.path(), &named("https://elsewhere.example"));
    let server = Running::serve(dir, &options);
    assert_eq!(server.ask_as(token, "GET", "/auth/v1/user", &[], "").status, 403, "an issuer of before");
    let refresh = serde_json::json!({ "refresh_token": session["refresh_token"] }).to_string();
    let renewed = server.ask("POST", "/auth/v1/token?grant_type=refresh_token", &[JSON], &refresh);
    assert_eq!(renewed.status, 200, "{}", renewed.text());
}
