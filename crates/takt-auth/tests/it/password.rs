//! The caller's own account, changed by its owner.

use serde_json::json;
use takt_auth::UserUpdate;
use takt_model::Principal;

use crate::world::{DAY, HOUR, PASSWORD, World, code};

const NEW: &str = "another good one";

fn password(new: &str, current: Option<&str>) -> UserUpdate {
    UserUpdate {
        password: Some(new.to_owned()),
        current_password: current.map(str::to_owned),
        ..UserUpdate::default()
    }
}

#[tokio::test]
async fn a_new_password_replaces_the_old_one() {
    let world = World::new();
    let session = world.sign_up("anna@shop.test").await;
    let who = world.principal(&session);
    world.auth.user_update(&who, password(NEW, None)).await.unwrap();
    assert_eq!(code(&world.sign_in("anna@shop.test", PASSWORD).await), "invalid_credentials");
    assert_eq!(code(&world.sign_in("anna@shop.test", NEW).await), "ok");
}

#[tokio::test]
async fn a_new_password_is_refused_with_reasons() {
    let world = World::new();
    let session = world.sign_up("anna@shop.test").await;
    let who = world.principal(&session);
    let cases = [
        (password(PASSWORD, None), 422, "same_password"),
        (password("short", None), 422, "weak_password"),
        (password("", None), 422, "weak_password"),
        (password(&"x".repeat(2000), None), 400, "validation_failed"),
        (password(NEW, Some("wrong")), 400, "invalid_credentials"),
        (password(NEW, Some("wr\0ng")), 400, "validation_failed"),
    ];
    for (update, status, expected) in cases {
        let refused = world.auth.user_update(&who, update).await.unwrap_err();
        assert_eq!((refused.status(), refused.code()), (status, expected));
    }
    assert_eq!(code(&world.sign_in("anna@shop.test", PASSWORD).await), "ok", "nothing changed");
}

#[tokio::test]
async fn an_old_session_needs_the_current_password() {
    let world = World::new();
    let session = world.sign_up("anna@shop.test").await;
    world.pass(DAY);
    let session = world.refresh(&session.refresh_token).await.unwrap();
    world.pass(HOUR / 2);
    let who = world.principal(&session);
    let email = UserUpdate { email: Some("anna@new.test".into()), ..UserUpdate::default() };
    for update in [password(NEW, None), email] {
        assert_eq!(code(&world.auth.user_update(&who, update).await), "reauthentication_needed");
    }
    let data = UserUpdate { data: Some(json!({ "name": "Anna" })), ..UserUpdate::default() };
    assert_eq!(code(&world.auth.user_update(&who, data).await), "ok");
    assert_eq!(code(&world.auth.user_update(&who, password(NEW, Some(PASSWORD))).await), "ok");
    assert_eq!(code(&world.sign_in("anna@shop.test", NEW).await), "ok");
}

#[tokio::test]
async fn guessing_the_current_password_is_limited_too() {
    let world = World::with("attempts_per_account = 5");
    let session = world.sign_up("anna@shop.test").await;
    let who = world.principal(&session);
    let mut codes = Vec::new();
    for n in 0..8 {
        let update = password(NEW, Some(&format!("guess {n}")));
        codes.push(code(&world.auth.user_update(&who, update).await));
    }
    assert_eq!(codes[..5], ["invalid_credentials"; 5]);
    assert_eq!(codes[5..], ["over_request_rate_limit"; 3]);
}

#[tokio::test]
async fn an_address_can_be_changed_to_a_free_one() {
    let world = World::new();
    let session = world.sign_up("anna@shop.test").await;
    world.sign_up("bert@shop.test").await;
    let who = world.principal(&session);
    let change = async |email: &str| {
        let update = UserUpdate { email: Some(email.to_owned()), ..UserUpdate::default() };
        world.auth.user_update(&who, update).await
    };
    let taken = change("BERT@shop.test").await.unwrap_err();
    assert_eq!((taken.code(), taken.status()), ("email_exists", 422));
    assert_eq!(code(&change("no address").await), "validation_failed");
    assert_eq!(change("Anna@New.test").await.unwrap()["email"], "anna@new.test");
    assert_eq!(code(&world.sign_in("anna@new.test", PASSWORD).await), "ok");
    assert_eq!(code(&world.sign_in("anna@shop.test", PASSWORD).await), "invalid_credentials");
}

#[tokio::test]
async fn data_is_laid_over_what_is_there() {
    let world = World::new();
    let session = world.sign_up("anna@shop.test").await;
    let who = world.principal(&session);
    let mut user = json!(null);
    for data in [json!({ "name": "Anna", "city": "Bonn" }), json!({ "city": null, "likes": ["tea"] })] {
        let update = UserUpdate { data: Some(data), ..UserUpdate::default() };
        user = world.auth.user_update(&who, update).await.unwrap();
    }
    assert_eq!(user["user_metadata"], json!({ "name": "Anna", "likes": ["tea"] }));
    assert_eq!(world.auth.user(&who).await.unwrap(), user);
    // Rights are not the person's to write.
    assert_eq!(user["app_metadata"], json!({ "provider": "email", "providers": ["email"] }));
    let big = UserUpdate { data: Some(json!({ "x": "y".repeat(5000) })), ..UserUpdate::default() };
    assert_eq!(code(&world.auth.user_update(&who, big).await), "validation_failed");
}

#[tokio::test]
async fn who_has_no_account_cannot_read_or_change_one() {
    let world = World::new();
    for who in [Principal::anon(), Principal::service()] {
        assert_eq!(code(&world.auth.user(&who).await), "no_authorization");
        assert_eq!(code(&world.auth.user_update(&who, UserUpdate::default()).await), "no_authorization");
    }
    let session = world.sign_up("anna@shop.test").await;
    let who = world.principal(&session);
    world.auth.sign_out(&who, takt_auth::SignOutScope::Local).await.unwrap();
    assert_eq!(code(&world.auth.user(&who).await), "session_not_found");
    assert_eq!(code(&world.auth.user_update(&who, UserUpdate::default()).await), "session_not_found");
}
