//! Sign-up, sign-in, and the shapes of their answers.

use std::time::{Duration, Instant};

use expect_test::expect;
use serde_json::{Value, json};
use takt_auth::SignUp;

use crate::world::{HOUR, PASSWORD, START, World, client, code};

/// Ids and tokens differ each time.
fn without_chance(mut value: Value) -> String {
    fn walk(value: &mut Value) {
        match value {
            Value::Object(map) => map.values_mut().for_each(walk),
            Value::Array(list) => list.iter_mut().for_each(walk),
            Value::String(text) if text.len() == 36 && text.split('-').count() == 5 => {
                "<id>".clone_into(text)
            }
            Value::String(text) if text.len() > 40 => "<token>".clone_into(text),
            _ => {}
        }
    }
    walk(&mut value);
    serde_json::to_string_pretty(&value).unwrap()
}

fn claims(token: &str) -> Value {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[tokio::test]
async fn a_session_and_its_token_have_the_shapes_of_the_dialect() {
    let world = World::new();
    let sign_up = SignUp {
        email: " Anna@Shop.test ".to_owned(),
        password: PASSWORD.to_owned(),
        data: json!({ "name": "Anna", "nothing": null }),
    };
    let session = world.auth.sign_up(sign_up, &client()).await.unwrap();
    expect![[r#"
        {
          "access_token": "<token>",
          "token_type": "bearer",
          "expires_in": 3600,
          "expires_at": 1795428000,
          "refresh_token": "<token>",
          "user": {
            "id": "<id>",
            "aud": "authenticated",
            "role": "authenticated",
            "email": "anna@shop.test",
            "phone": "",
            "email_confirmed_at": "2026-11-23T09:00:00Z",
            "confirmed_at": "2026-11-23T09:00:00Z",
            "last_sign_in_at": "2026-11-23T09:00:00Z",
            "app_metadata": {
              "provider": "email",
              "providers": [
                "email"
              ]
            },
            "user_metadata": {
              "name": "Anna"
            },
            "identities": [
              {
                "identity_id": "<id>",
                "id": "<id>",
                "user_id": "<id>",
                "identity_data": {
                  "sub": "<id>",
                  "email": "anna@shop.test",
                  "email_verified": true,
                  "phone_verified": false
                },
                "provider": "email",
                "created_at": "2026-11-23T09:00:00Z",
                "updated_at": "2026-11-23T09:00:00Z",
                "email": "anna@shop.test",
                "last_sign_in_at": "2026-11-23T09:00:00Z"
              }
            ],
            "created_at": "2026-11-23T09:00:00Z",
            "updated_at": "2026-11-23T09:00:00Z",
            "is_anonymous": false
          }
        }"#]]
    .assert_eq(&without_chance(session.to_json()));
    expect![[r#"
        {
          "iss": "https://shop.test/auth/v1",
          "sub": "<id>",
          "aud": "authenticated",
          "exp": 1795428000,
          "iat": 1795424400,
          "email": "anna@shop.test",
          "phone": "",
          "app_metadata": {
            "provider": "email",
            "providers": [
              "email"
            ]
          },
          "user_metadata": {
            "name": "Anna"
          },
          "role": "authenticated",
          "aal": "aal1",
          "amr": [
            {
              "method": "password",
              "timestamp": 1795424400
            }
          ],
          "session_id": "<id>",
          "is_anonymous": false
        }"#]]
    .assert_eq(&without_chance(claims(&session.access_token)));
    assert_eq!(session.expires_at, START + HOUR);
}

#[tokio::test]
async fn who_signed_up_can_sign_in_and_is_recognised() {
    let world = World::new();
    let first = world.sign_up("anna@shop.test").await;
    let second = world.sign_in("ANNA@shop.test ", PASSWORD).await.unwrap();
    let (one, two) = (world.principal(&first), world.principal(&second));
    assert_eq!(one.uid(), two.uid());
    assert_ne!(one.user.as_ref().unwrap().session_id, two.user.as_ref().unwrap().session_id);
    assert_eq!(two.claim_role(), "authenticated");
    assert_eq!(two.user.as_ref().unwrap().email.as_deref(), Some("anna@shop.test"));
    let user = world.auth.user(&two).await.unwrap();
    assert_eq!(user["email"], "anna@shop.test");
}

#[tokio::test]
async fn wrong_password_and_unknown_account_get_the_same_answer() {
    let world = World::new();
    world.sign_up("anna@shop.test").await;
    let cases = [
        ("anna@shop.test", "wrong"),
        ("anna@shop.test", ""),
        ("anna@shop.test", "correct horse batter"),
        ("anna@shop.test", "correct horse battery "),
        ("anna@shop.test", "Correct horse battery"),
        ("nobody@shop.test", PASSWORD),
        ("no address", PASSWORD),
        ("", PASSWORD),
    ];
    for (email, password) in cases {
        let refused = world.sign_in(email, password).await.unwrap_err();
        let answer = (refused.status(), refused.code(), refused.message());
        let expected = (400, "invalid_credentials", "Invalid login credentials".to_owned());
        assert_eq!(answer, expected, "{email} {password}");
    }
}

#[tokio::test]
async fn sign_up_is_refused_with_reasons() {
    let world = World::new();
    world.sign_up("anna@shop.test").await;
    let long = "x".repeat(1025);
    let cases = [
        ("anna@shop.test", PASSWORD, "user_already_exists"),
        ("  ANNA@SHOP.TEST", PASSWORD, "user_already_exists"),
        ("", PASSWORD, "anonymous_provider_disabled"),
        ("bert", PASSWORD, "validation_failed"),
        ("bert@shop.test\r\nBcc: x@y.z", PASSWORD, "validation_failed"),
        ("bert@shop.test", "", "validation_failed"),
        ("bert@shop.test", "1234567", "weak_password"),
        ("bert@shop.test", "12345678\0", "validation_failed"),
        ("bert@shop.test", &long, "validation_failed"),
        ("bert@shop.test", "12345678", "ok"),
    ];
    for (email, password, expected) in cases {
        assert_eq!(code(&world.try_sign_up(email, password).await), expected, "{email:?}");
    }
    let closed = World::with("sign_up = false");
    assert_eq!(code(&closed.try_sign_up("anna@shop.test", PASSWORD).await), "signup_disabled");
}

#[tokio::test]
async fn one_of_many_parallel_sign_ups_with_one_address_wins() {
    let world = std::sync::Arc::new(World::new());
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let world = std::sync::Arc::clone(&world);
        all.spawn(async move { code(&world.try_sign_up("anna@shop.test", PASSWORD).await) });
    }
    let mut codes = all.join_all().await;
    codes.sort_unstable();
    assert_eq!(codes[0], "ok");
    assert!(codes[1..].iter().all(|c| *c == "user_already_exists"), "{codes:?}");
}

#[tokio::test]
async fn metadata_must_be_an_object_of_bearable_size() {
    let world = World::new();
    let cases = [
        (json!([1]), "validation_failed"),
        (json!("text"), "validation_failed"),
        (json!({ "x": "y".repeat(5000) }), "validation_failed"),
        (json!(null), "ok"),
    ];
    for (data, expected) in cases {
        let sign_up = SignUp { email: "anna@shop.test".into(), password: PASSWORD.into(), data };
        assert_eq!(code(&world.auth.sign_up(sign_up, &client()).await), expected);
    }
}

#[tokio::test]
async fn a_megabyte_of_password_is_refused_at_once() {
    let world = World::new();
    world.sign_up("anna@shop.test").await;
    let huge = "x".repeat(1_000_000);
    // The quickest of some tries: other work on the machine only adds.
    let mut quickest = Duration::MAX;
    for _ in 0..10 {
        let start = Instant::now();
        let refused = world.sign_in("anna@shop.test", &huge).await.unwrap_err();
        quickest = quickest.min(start.elapsed());
        assert_eq!((refused.code(), refused.status()), ("validation_failed", 400));
    }
    assert!(quickest < Duration::from_millis(5), "{quickest:?}");
}

#[tokio::test]
async fn an_expired_token_is_told_apart_from_an_invalid_one() {
    let world = World::new();
    let session = world.sign_up("anna@shop.test").await;
    let verify = |token: &str| world.auth.verify_token(token).map(|_| ()).map_err(|e| e.to_string());
    world.pass(HOUR + 29);
    assert_eq!(verify(&session.access_token), Ok(()));
    world.pass(1);
    assert_eq!(verify(&session.access_token), Err("JWT expired".to_owned()));
    assert_eq!(verify("ey.x.y"), Err("JWT invalid".to_owned()));
    assert_eq!(
        verify(&World::new().sign_up("anna@shop.test").await.access_token),
        Err("JWT invalid".to_owned())
    );
    let told = world.auth.verify_bearer(&session.access_token).unwrap_err();
    assert_eq!((told.code(), told.status()), ("bad_jwt", 403));
}

#[tokio::test]
async fn look_alike_addresses_are_different_accounts() {
    let world = World::new();
    let alike =
        ["muller@shop.test", "m\u{FC}ller@shop.test", "mu\u{308}ller@shop.test", "\u{FF4D}uller@shop.test"];
    let mut ids = Vec::new();
    for email in alike {
        ids.push(world.sign_up(email).await.user["id"].clone());
    }
    for (email, id) in alike.iter().zip(&ids) {
        assert_eq!(world.sign_in(email, PASSWORD).await.unwrap().user["id"], *id, "{email}");
    }
    ids.dedup();
    assert_eq!(ids.len(), 4);
}
