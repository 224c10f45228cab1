//! The account of demonstrations.

use serde_json::json;
use takt_auth::AdminUser;
use takt_model::Principal;

use crate::world::{World, code};

const TAKEN: &str = "testbestellung@shop.test.invalid";

#[tokio::test]
async fn the_demonstration_account_is_made_once_and_nobody_signs_in_to_it() {
    let world = World::new();
    let made = world.auth.demonstration_account("shop.test").await.unwrap();
    assert_eq!((made.email.as_str(), made.roles.len(), made.studio_role), (TAKEN, 0, None));
    assert_eq!(world.auth.demonstration_account("shop.test").await.unwrap().id, made.id);
    assert_eq!(
        world.auth.demonstration_account("other.test").await.unwrap().id,
        made.id,
        "the host has moved"
    );
    for password in ["", "correct horse battery"] {
        assert_ne!(code(&world.sign_in(TAKEN, password).await), "ok");
    }
}

#[tokio::test]
async fn an_account_of_a_stranger_is_never_taken_for_it() {
    let world = World::new();
    let session = world.sign_up(TAKEN).await;
    let stranger = world.principal(&session).uid().unwrap();
    // People write their own user_metadata; that is no mark.
    let data = json!({ "demonstration": true });
    let change = takt_auth::UserUpdate { data: Some(data.clone()), ..takt_auth::UserUpdate::default() };
    world.auth.user_update(&world.principal(&session), change).await.unwrap();
    let made = world.auth.demonstration_account("shop.test").await.unwrap();
    assert_ne!(made.id, stranger);
    assert!(
        made.email.starts_with("testbestellung-") && made.email.ends_with("@shop.test.invalid"),
        "{}",
        made.email
    );
    assert_eq!(world.auth.demonstration_account("shop.test").await.unwrap().id, made.id);
    // Not even the service sets the mark.
    let change = AdminUser { app_metadata: Some(data), ..AdminUser::default() };
    let refused =
        world.auth.admin_user_update(&Principal::service(), &stranger.to_string(), change).await.unwrap_err();
    assert_eq!(refused.code(), "validation_failed");
}
