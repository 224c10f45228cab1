//! Accounts managed by a server with the secret key, and by the operator.

use serde_json::{Value, json};
use takt_auth::{AdminUser, StudioRole};
use takt_model::Principal;

use crate::world::{PASSWORD, World, code, order};

fn named(email: &str) -> AdminUser {
    AdminUser { email: Some(email.to_owned()), password: Some(PASSWORD.to_owned()), ..AdminUser::default() }
}

#[tokio::test]
async fn only_the_service_role_manages_accounts() {
    let world = World::new();
    let session = world.sign_up("anna@shop.test").await;
    let id = session.user["id"].as_str().unwrap();
    for who in [Principal::anon(), world.principal(&session)] {
        let refused = world.auth.admin_users(&who, 1, 50).await.unwrap_err();
        assert_eq!((refused.code(), refused.status()), ("not_admin", 403));
        assert_eq!(code(&world.auth.admin_user(&who, id).await), "not_admin");
        assert_eq!(code(&world.auth.admin_user_create(&who, named("b@shop.test")).await), "not_admin");
        assert_eq!(code(&world.auth.admin_user_update(&who, id, named("b@shop.test")).await), "not_admin");
        assert_eq!(code(&world.auth.admin_user_delete(&who, id).await), "not_admin");
    }
}

#[tokio::test]
async fn accounts_are_made_read_changed_and_removed() {
    let world = World::new();
    let service = Principal::service();
    let new = AdminUser {
        app_metadata: Some(json!({ "roles": ["staff"], "plan": "gold" })),
        user_metadata: Some(json!({ "name": "Anna" })),
        ..named("Anna@shop.test")
    };
    let made = world.auth.admin_user_create(&service, new).await.unwrap();
    let id = made["id"].as_str().unwrap();
    assert_eq!(made["email"], "anna@shop.test");
    assert_eq!(
        made["app_metadata"],
        json!({ "provider": "email", "providers": ["email"], "roles": ["staff"], "plan": "gold" })
    );
    assert_eq!(world.auth.admin_user(&service, id).await.unwrap(), made);
    let session = world.sign_in("anna@shop.test", PASSWORD).await.unwrap();
    assert!(world.principal(&session).has_role("staff"));

    let change = AdminUser {
        app_metadata: Some(json!({ "plan": null, "studio_role": "editor" })),
        user_metadata: Some(json!({ "city": "Bonn" })),
        ..AdminUser::default()
    };
    let changed = world.auth.admin_user_update(&service, id, change).await.unwrap();
    assert_eq!(
        changed["app_metadata"],
        json!({ "provider": "email", "providers": ["email"], "roles": ["staff"], "studio_role": "editor" })
    );
    assert_eq!(changed["user_metadata"], json!({ "name": "Anna", "city": "Bonn" }));
    let account = world.auth.account_find("anna@shop.test").await.unwrap().unwrap();
    assert_eq!(account.studio_role, Some(StudioRole::Editor));

    world.auth.admin_user_delete(&service, id).await.unwrap();
    let gone = world.auth.admin_user(&service, id).await.unwrap_err();
    assert_eq!((gone.code(), gone.status()), ("user_not_found", 404));
    assert_eq!(code(&world.sign_in("anna@shop.test", PASSWORD).await), "invalid_credentials");
    assert_eq!(code(&world.auth.admin_user_delete(&service, id).await), "user_not_found");
}

#[tokio::test]
async fn nonsense_is_refused() {
    let world = World::new();
    let service = Principal::service();
    world.sign_up("taken@shop.test").await;
    let with = |app_metadata: Value| AdminUser { app_metadata: Some(app_metadata), ..named("a@shop.test") };
    let cases = [
        (AdminUser::default(), "validation_failed"),
        (named("no address"), "validation_failed"),
        (named("TAKEN@shop.test"), "email_exists"),
        (AdminUser { password: Some("short".into()), ..named("a@shop.test") }, "weak_password"),
        (AdminUser { ban_duration: Some("forever".into()), ..named("a@shop.test") }, "validation_failed"),
        (with(json!([])), "validation_failed"),
        (with(json!({ "roles": "staff" })), "validation_failed"),
        (with(json!({ "roles": [7] })), "validation_failed"),
        (with(json!({ "roles": ["boss"] })), "validation_failed"),
        (with(json!({ "roles": ["service_role"] })), "validation_failed"),
        (with(json!({ "studio_role": "king" })), "validation_failed"),
        (with(json!({ "studio_role": 1 })), "validation_failed"),
        (AdminUser { password: None, ..named("a@shop.test") }, "ok"),
    ];
    for (user, expected) in cases {
        assert_eq!(code(&world.auth.admin_user_create(&service, user).await), expected);
    }
    assert_eq!(code(&world.auth.admin_user(&service, "7").await), "validation_failed");
    // Without a password nobody signs in by one.
    for password in ["", PASSWORD] {
        assert_eq!(code(&world.sign_in("a@shop.test", password).await), "invalid_credentials");
    }
}

#[tokio::test]
async fn the_list_comes_in_pages_newest_first() {
    let world = World::new();
    for n in 0..7 {
        world.auth.account_add(&format!("user{n}@shop.test"), PASSWORD, &[]).await.unwrap();
        world.pass(1);
    }
    let emails =
        |users: &[Value]| users.iter().map(|u| u["email"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    let page = world.auth.admin_users(&Principal::service(), 2, 3).await.unwrap();
    assert_eq!(emails(&page.users), ["user3@shop.test", "user2@shop.test", "user1@shop.test"]);
    assert_eq!((page.total, page.page, page.per_page), (7, 2, 3));
    assert_eq!(page.to_json()["aud"], "authenticated");
    let last = world.auth.admin_users(&Principal::service(), 3, 3).await.unwrap();
    assert_eq!(emails(&last.users), ["user0@shop.test"]);
    let accounts = world.auth.accounts(2).await.unwrap();
    assert_eq!(
        accounts.iter().map(|a| a.email.as_str()).collect::<Vec<_>>(),
        ["user6@shop.test", "user5@shop.test"]
    );
}

#[tokio::test]
async fn an_account_with_orders_is_not_deleted() {
    let world = World::new();
    let session = world.sign_up("anna@shop.test").await;
    order(&world, &world.principal(&session)).await;
    let id = session.user["id"].as_str().unwrap();
    let refused = world.auth.admin_user_delete(&Principal::service(), id).await.unwrap_err();
    assert_eq!((refused.code(), refused.status()), ("conflict", 409));
    // Nothing of it happened: the person is still signed in.
    assert!(world.auth.verify_token(&session.access_token).is_ok());
    assert_eq!(code(&world.refresh(&session.refresh_token).await), "ok");
}

#[tokio::test]
async fn the_operator_sees_who_has_which_role() {
    let world = World::new();
    let account = world.auth.account_add("staff@shop.test", PASSWORD, &["staff".to_owned()]).await.unwrap();
    assert_eq!(account.roles, ["staff"]);
    let unknown = world.auth.account_add("x@shop.test", PASSWORD, &["boss".to_owned()]).await;
    assert_eq!(code(&unknown), "validation_failed");
    assert_eq!(unknown.unwrap_err().message(), "unknown role `boss`; the project has `staff`, `editor`");
    assert_eq!(code(&world.auth.account_roles_set("nobody@shop.test", &[]).await), "user_not_found");
    assert_eq!(world.auth.account_find("x@shop.test").await.unwrap(), None);
    assert_eq!(world.auth.account_find("STAFF@shop.test").await.unwrap(), Some(account));
}

#[tokio::test]
async fn passwords_are_counted_for_the_report() {
    let world = World::new();
    world.sign_up("anna@shop.test").await;
    world.sign_up("bert@shop.test").await;
    let without = AdminUser { password: None, ..named("c@shop.test") };
    world.auth.admin_user_create(&Principal::service(), without).await.unwrap();
    let evidence = world.auth.password_evidence().await.unwrap();
    assert_eq!((evidence.total, evidence.argon2id), (2, 2));
}
