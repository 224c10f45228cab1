//! What is made at first start and found again later.

use takt_auth::{Auth, KeyKind, MasterKey};

use crate::world::{PASSWORD, World, code, key};

#[tokio::test]
async fn keys_and_sessions_survive_a_restart() {
    let world = World::new();
    let (keys, jwks) = (world.auth.keys(), world.auth.jwks());
    assert!(keys.publishable.starts_with("sb_publishable_") && keys.publishable.len() > 50);
    assert!(keys.secret.starts_with("sb_secret_") && keys.secret.len() > 50);
    let session = world.sign_up("anna@shop.test").await;

    let world = world.restarted();
    assert_eq!(world.auth.keys(), keys);
    assert_eq!(world.auth.jwks(), jwks);
    assert_eq!(world.auth.key(&keys.secret), Some(KeyKind::Secret));
    assert_eq!(world.auth.key(&keys.publishable), Some(KeyKind::Publishable));
    assert_eq!(world.auth.key("sb_secret_x"), None);
    assert!(world.auth.verify_token(&session.access_token).is_ok());
    assert_eq!(code(&world.refresh(&session.refresh_token).await), "ok");
    assert_eq!(code(&world.sign_in("anna@shop.test", PASSWORD).await), "ok");
}

#[test]
fn two_instances_have_nothing_in_common() {
    let (one, other) = (World::new(), World::new());
    assert_ne!(one.auth.keys(), other.auth.keys());
    assert_ne!(one.auth.jwks(), other.auth.jwks());
}

#[test]
fn a_wrong_master_key_is_told_in_a_plain_sentence() {
    let world = World::new();
    let wrong = MasterKey::load_from(Some(&"ab".repeat(32)), world.folder()).unwrap();
    let refused = Auth::open(world.engine.clone(), wrong).unwrap_err();
    assert!(refused.to_string().starts_with("the master key does not fit this database"), "{refused}");
    assert!(Auth::open(world.engine.clone(), key(world.folder())).is_ok());
}

#[test]
fn clients_are_told_what_to_expect() {
    let world = World::with("sign_up = false");
    let settings = world.auth.settings_json();
    assert_eq!(settings["disable_signup"], true);
    assert_eq!(settings["external"]["email"], true);
    assert_eq!(settings["external"]["phone"], false);
    assert_eq!(settings["mailer_autoconfirm"], true);
}
