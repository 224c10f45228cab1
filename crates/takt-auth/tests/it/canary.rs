//! Nothing secret is in the files of the data folder, in what is printed, or in what is answered.

use takt_auth::{SignUp, UserUpdate};

use crate::world::{World, client};

const CANARY: &str = "Canary-Passwort-4711";

#[tokio::test]
async fn no_secret_is_in_the_files() {
    let world = World::new();
    let sign_up = SignUp { email: "anna@shop.test".into(), password: CANARY.into(), ..SignUp::default() };
    let session = world.auth.sign_up(sign_up, &client()).await.unwrap();
    let next = world.auth.refresh(&session.refresh_token, &client()).await.unwrap();
    let setup = world.auth.setup_code().unwrap();
    let console = world.auth.owner_create(&setup, "owner@shop.test", CANARY, &client()).await.unwrap();
    let _ = world.auth.sign_in_password("anna@shop.test", "Canary-falsch-0815", &client()).await;
    let who = world.principal(&next);
    let update = UserUpdate { password: Some("Canary-neu-2342".into()), ..UserUpdate::default() };
    world.auth.user_update(&who, update).await.unwrap();
    let keys = world.auth.keys();
    let key = std::fs::read_to_string(world.folder().join("master.key")).unwrap();
    let secrets = [
        CANARY,
        "Canary-falsch-0815",
        "Canary-neu-2342",
        &session.access_token,
        &session.refresh_token,
        &next.access_token,
        &next.refresh_token,
        &console.token,
        &setup,
        &setup.replace('-', ""),
        &keys.secret,
        &keys.publishable,
        keys.secret.trim_start_matches("sb_secret_"),
        key.trim(),
    ];
    world.engine.close();
    let mut looked_at = 0;
    for entry in std::fs::read_dir(world.folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with("master.key") {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        looked_at += bytes.len();
        for secret in secrets {
            assert!(!contains(&bytes, secret.as_bytes()), "{} holds a secret", path.display());
        }
    }
    assert!(looked_at > 4096, "the database was read");
}

/// The search itself works: what is not secret is found.
#[tokio::test]
async fn the_search_finds_what_is_there() {
    let world = World::new();
    world.sign_up("anna@shop.test").await;
    world.engine.close();
    let found = std::fs::read_dir(world.folder())
        .unwrap()
        .any(|entry| contains(&std::fs::read(entry.unwrap().path()).unwrap(), b"anna@shop.test"));
    assert!(found);
}

#[tokio::test]
async fn no_secret_is_printed() {
    let world = World::new();
    let sign_up = SignUp { email: "anna@shop.test".into(), password: CANARY.into(), ..SignUp::default() };
    let mut printed = format!("{sign_up:?} {:?} {:?}", world.auth, world.auth.keys());
    let session = world.auth.sign_up(sign_up.clone(), &client()).await.unwrap();
    let update = UserUpdate {
        password: Some(CANARY.into()),
        current_password: Some(CANARY.into()),
        ..UserUpdate::default()
    };
    printed += &format!("{session:?} {update:?}");
    let setup = world.auth.setup_code().unwrap();
    let console = world.auth.owner_create(&setup, "owner@shop.test", CANARY, &client()).await.unwrap();
    printed += &format!("{console:?} {:?}", world.auth.console_verify(&console.token).unwrap());
    for refused in [
        world.auth.sign_up(sign_up, &client()).await.err(),
        world.auth.sign_in_password("anna@shop.test", "Canary-falsch", &client()).await.err(),
        world.auth.refresh("Canary-token", &client()).await.err(),
        world.auth.user_update(&world.principal(&session), update).await.err(),
    ] {
        let refused = refused.unwrap();
        printed += &format!("{refused:?} {refused} {}", refused.message());
    }
    let keys = world.auth.keys();
    for secret in [
        CANARY,
        "Canary-falsch",
        "Canary-token",
        &session.access_token,
        &session.refresh_token,
        &console.token,
        &keys.secret,
        &keys.publishable,
        &setup,
        "argon2",
    ] {
        assert!(!printed.contains(secret), "{printed}");
    }
    let answered = format!("{} {}", session.user, world.auth.settings_json());
    assert!(!answered.contains("argon2") && !answered.contains("password"));
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
