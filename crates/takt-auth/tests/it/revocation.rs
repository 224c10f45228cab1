//! What ends sessions ends them at once, for access tokens too, and for good.

use serde_json::json;
use takt_auth::{AdminUser, Session, SignOutScope, UserUpdate};
use takt_model::Principal;

use crate::world::{HOUR, PASSWORD, World, code};

/// Which of the sessions are still good: access token and refresh token must agree.
async fn alive(world: &World, sessions: &[&Session]) -> Vec<bool> {
    let mut alive = Vec::new();
    for session in sessions {
        let access = world.auth.verify_token(&session.access_token).is_ok();
        assert_eq!(world.refresh(&session.refresh_token).await.is_ok(), access);
        alive.push(access);
    }
    alive
}

async fn three_sessions(world: &World) -> [Session; 3] {
    let one = world.sign_up("anna@shop.test").await;
    let two = world.sign_in("anna@shop.test", PASSWORD).await.unwrap();
    let three = world.sign_in("anna@shop.test", PASSWORD).await.unwrap();
    // Known to the cache of verified tokens before anything ends.
    for session in [&one, &two, &three] {
        world.principal(session);
    }
    [one, two, three]
}

#[tokio::test]
async fn sign_out_ends_what_its_scope_says() {
    let cases = [
        (SignOutScope::Global, [false, false, false]),
        (SignOutScope::Local, [false, true, true]),
        (SignOutScope::Others, [true, false, false]),
    ];
    for (scope, expected) in cases {
        let world = World::new();
        let [one, two, three] = three_sessions(&world).await;
        let bystander = world.sign_up("bert@shop.test").await;
        let who = world.principal(&one);
        world.auth.sign_out(&who, scope).await.unwrap();
        assert_eq!(alive(&world, &[&one, &two, &three]).await, expected, "{scope:?}");
        assert_eq!(alive(&world, &[&bystander]).await, [true]);
        assert_eq!(code(&world.auth.sign_out(&who, scope).await), "ok", "twice is no error");
    }
    assert_eq!(
        code(&World::new().auth.sign_out(&Principal::anon(), SignOutScope::Global).await),
        "no_authorization"
    );
}

#[tokio::test]
async fn an_ended_session_stays_ended_after_a_restart() {
    let world = World::new();
    let [one, two, _] = three_sessions(&world).await;
    let who = world.principal(&one);
    world.auth.sign_out(&who, SignOutScope::Local).await.unwrap();
    let world = world.restarted();
    assert!(world.auth.verify_token(&one.access_token).is_err());
    assert!(world.auth.verify_token(&two.access_token).is_ok());
    let told = world.auth.verify_bearer(&one.access_token).unwrap_err();
    assert_eq!((told.code(), told.status()), ("session_not_found", 403));
    // And as long as its token could be good: the tidying does not forget it too early.
    world.pass(HOUR - 1);
    world.auth.tidy().await.unwrap();
    assert!(world.auth.verify_bearer(&one.access_token).is_err_and(|e| e.code() == "session_not_found"));
    world.pass(60);
    world.auth.tidy().await.unwrap();
    assert!(world.auth.verify_bearer(&one.access_token).is_err_and(|e| e.code() == "bad_jwt"));
}

#[tokio::test]
async fn a_new_password_or_address_ends_the_other_sessions() {
    let updates = [
        UserUpdate { password: Some("another good one".into()), ..UserUpdate::default() },
        UserUpdate { email: Some("anna@new.test".into()), ..UserUpdate::default() },
    ];
    for update in updates {
        let world = World::new();
        let [one, two, three] = three_sessions(&world).await;
        let who = world.principal(&one);
        world.auth.user_update(&who, update).await.unwrap();
        assert_eq!(alive(&world, &[&one, &two, &three]).await, [true, false, false]);
    }
    // Other data ends nothing.
    let world = World::new();
    let [one, two, three] = three_sessions(&world).await;
    let who = world.principal(&one);
    let update = UserUpdate { data: Some(json!({ "name": "A" })), ..UserUpdate::default() };
    world.auth.user_update(&who, update).await.unwrap();
    assert_eq!(alive(&world, &[&one, &two, &three]).await, [true, true, true]);
}

#[tokio::test]
async fn what_the_operator_takes_is_gone_at_once() {
    let service = Principal::service();
    let updates = [
        AdminUser { password: Some("set by the operator".into()), ..AdminUser::default() },
        AdminUser { email: Some("anna@new.test".into()), ..AdminUser::default() },
        AdminUser { ban_duration: Some("24h".into()), ..AdminUser::default() },
    ];
    for update in updates {
        let world = World::new();
        let [one, two, three] = three_sessions(&world).await;
        let id = one.user["id"].as_str().unwrap();
        world.auth.admin_user_update(&service, id, update).await.unwrap();
        assert_eq!(alive(&world, &[&one, &two, &three]).await, [false, false, false]);
    }
    let world = World::new();
    let [one, two, three] = three_sessions(&world).await;
    world.auth.admin_user_delete(&service, one.user["id"].as_str().unwrap()).await.unwrap();
    assert_eq!(alive(&world, &[&one, &two, &three]).await, [false, false, false]);
    let world = world.restarted();
    assert!(world.auth.verify_token(&one.access_token).is_err(), "also after a restart");
}

#[tokio::test]
async fn a_suspended_account_is_out_until_the_ban_ends() {
    let world = World::new();
    let session = world.sign_up("anna@shop.test").await;
    let id = session.user["id"].as_str().unwrap().to_owned();
    let ban = async |length: &str| {
        let update = AdminUser { ban_duration: Some(length.to_owned()), ..AdminUser::default() };
        world.auth.admin_user_update(&Principal::service(), &id, update).await.unwrap()
    };
    assert!(ban("2h").await.get("banned_until").is_some());
    assert_eq!(code(&world.sign_in("anna@shop.test", PASSWORD).await), "user_banned");
    assert_eq!(code(&world.sign_in("anna@shop.test", "wrong").await), "invalid_credentials");
    world.pass(2 * HOUR);
    assert_eq!(code(&world.sign_in("anna@shop.test", PASSWORD).await), "ok");
    ban("24h").await;
    assert_eq!(code(&world.sign_in("anna@shop.test", PASSWORD).await), "user_banned");
    assert!(ban("none").await.get("banned_until").is_none());
    assert_eq!(code(&world.sign_in("anna@shop.test", PASSWORD).await), "ok");
}

#[tokio::test]
async fn taken_roles_are_taken_from_tokens_that_are_out_already() {
    let world = World::new();
    let roles = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
    world.auth.account_add("anna@shop.test", PASSWORD, &roles(&["staff"])).await.unwrap();
    let session = world.sign_in("anna@shop.test", PASSWORD).await.unwrap();
    assert!(world.principal(&session).has_role("staff"));
    world.pass(60);
    world.auth.account_roles_set("anna@shop.test", &roles(&["editor"])).await.unwrap();
    let check = |world: &World| {
        let who = world.principal(&session);
        assert!(!who.has_role("staff") && who.has_role("editor"));
        assert_eq!(who.user.unwrap().claims["app_metadata"]["roles"], json!(["editor"]));
    };
    check(&world);
    let world = world.restarted();
    check(&world);
    world.pass(60);
    let next = world.refresh(&session.refresh_token).await.unwrap();
    assert!(world.principal(&next).has_role("editor"));
}
