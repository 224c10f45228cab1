//! Refresh tokens: rotation, honest tabs, thieves.

use std::sync::Arc;

use crate::world::{DAY, HOUR, PASSWORD, World, code};

#[tokio::test]
async fn each_use_gives_the_next_token() {
    let world = World::new();
    let mut session = world.sign_up("anna@shop.test").await;
    let mut seen = vec![session.refresh_token.clone()];
    for _ in 0..5 {
        world.pass(HOUR);
        let next = world.refresh(&session.refresh_token).await.unwrap();
        assert!(!seen.contains(&next.refresh_token));
        assert_eq!(world.principal(&next).uid().unwrap().to_string(), session.user["id"]);
        assert_eq!(next.expires_at, session.expires_at + HOUR);
        seen.push(next.refresh_token.clone());
        session = next;
    }
}

#[tokio::test]
async fn three_tabs_that_refresh_at_once_stay_signed_in() {
    let world = Arc::new(World::new());
    let mut current = world.sign_up("anna@shop.test").await.refresh_token;
    for round in 0..40 {
        world.pass(HOUR);
        let mut tabs = tokio::task::JoinSet::new();
        for _ in 0..3 {
            let (world, token) = (Arc::clone(&world), current.clone());
            tabs.spawn(async move { world.refresh(&token).await });
        }
        let mut tokens: Vec<String> =
            tabs.join_all().await.into_iter().map(|s| s.unwrap().refresh_token).collect();
        tokens.dedup();
        assert_eq!(tokens.len(), 1, "round {round}: all tabs hold the active token");
        current = tokens.remove(0);
    }
}

#[tokio::test]
async fn a_slow_tab_within_the_reuse_interval_gets_the_active_token() {
    let world = World::new();
    let first = world.sign_up("anna@shop.test").await.refresh_token;
    let second = world.refresh(&first).await.unwrap().refresh_token;
    let third = world.refresh(&second).await.unwrap().refresh_token;
    world.pass(10);
    assert_eq!(world.refresh(&first).await.unwrap().refresh_token, third);
    assert_eq!(world.refresh(&second).await.unwrap().refresh_token, third);
}

#[tokio::test]
async fn a_lost_answer_is_repeated_however_late() {
    let world = World::new();
    let first = world.sign_up("anna@shop.test").await.refresh_token;
    let second = world.refresh(&first).await.unwrap().refresh_token;
    world.pass(5 * DAY);
    assert_eq!(world.refresh(&first).await.unwrap().refresh_token, second);
}

#[tokio::test]
async fn a_replay_after_the_interval_kills_the_family() {
    let world = World::new();
    let other = world.sign_up("anna@shop.test").await;
    let first = world.sign_in("anna@shop.test", PASSWORD).await.unwrap();
    let second = world.refresh(&first.refresh_token).await.unwrap();
    let third = world.refresh(&second.refresh_token).await.unwrap();
    world.pass(11);
    let refused = world.refresh(&first.refresh_token).await.unwrap_err();
    assert_eq!((refused.code(), refused.status()), ("refresh_token_already_used", 400));
    // Thief and owner are both out: refresh and access tokens alike.
    for token in [&first.refresh_token, &second.refresh_token, &third.refresh_token] {
        assert_eq!(code(&world.refresh(token).await), "refresh_token_not_found");
    }
    for session in [&first, &second, &third] {
        assert!(world.auth.verify_token(&session.access_token).is_err());
    }
    // The account's other session lives.
    assert!(world.auth.verify_token(&other.access_token).is_ok());
    assert_eq!(code(&world.refresh(&other.refresh_token).await), "ok");
}

#[tokio::test]
async fn the_interval_is_a_setting() {
    let world = World::with("refresh_reuse = \"0s\"");
    let first = world.sign_up("anna@shop.test").await.refresh_token;
    let second = world.refresh(&first).await.unwrap().refresh_token;
    world.refresh(&second).await.unwrap();
    world.pass(1);
    assert_eq!(code(&world.refresh(&first).await), "refresh_token_already_used");
}

#[tokio::test]
async fn an_idle_session_ends() {
    let world = World::with("session_idle = \"30d\"");
    let session = world.sign_up("anna@shop.test").await;
    world.pass(29 * DAY);
    let session = world.refresh(&session.refresh_token).await.unwrap();
    world.pass(30 * DAY);
    let refused = world.refresh(&session.refresh_token).await.unwrap_err();
    assert_eq!((refused.code(), refused.status()), ("session_expired", 400));
    assert_eq!(code(&world.refresh(&session.refresh_token).await), "refresh_token_not_found");
}

#[tokio::test]
async fn what_is_no_token_is_not_found() {
    let world = World::new();
    let session = world.sign_up("anna@shop.test").await;
    let changed = session.refresh_token.replacen(|c: char| c.is_ascii_alphanumeric(), "_", 1);
    let long = "x".repeat(100_000);
    for token in ["", "x", "\0", "ü", &changed, &session.access_token, &long] {
        assert_eq!(code(&world.refresh(token).await), "refresh_token_not_found");
    }
    assert_eq!(code(&world.refresh(&session.refresh_token).await), "ok");
}

#[tokio::test]
async fn tidying_removes_only_what_nobody_needs() {
    let world = World::with("session_idle = \"30d\"");
    let idle = world.sign_up("anna@shop.test").await;
    world.pass(31 * DAY);
    let fresh = world.sign_in("anna@shop.test", PASSWORD).await.unwrap();
    let next = world.refresh(&fresh.refresh_token).await.unwrap();
    world.auth.tidy().await.unwrap();
    assert_eq!(code(&world.refresh(&idle.refresh_token).await), "refresh_token_not_found");
    assert_eq!(code(&world.refresh(&next.refresh_token).await), "ok");
    assert!(world.auth.verify_token(&fresh.access_token).is_ok());
}
