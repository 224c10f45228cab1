//! How often somebody may try.

use std::time::Duration;

use takt_auth::SignUp;

use crate::world::{MINUTE, PASSWORD, World, client, code, from};

#[tokio::test]
async fn guesses_from_many_addresses_are_limited_and_the_owner_gets_in() {
    let world = World::new();
    // The owner's address is known from the sign-in.
    world.sign_up("anna@shop.test").await;
    world.sign_in("anna@shop.test", PASSWORD).await.unwrap();
    let mut tried = 0;
    for n in 0..60 {
        let guesser = from(&format!("198.51.100.{n}"));
        let guess = world.auth.sign_in_password("Anna@shop.test", "guess", &guesser).await;
        match code(&guess) {
            "invalid_credentials" => tried += 1,
            "over_request_rate_limit" => {
                let refused = guess.unwrap_err();
                assert_eq!(refused.status(), 429);
                let wait = refused.retry_after().unwrap();
                assert!(wait > Duration::ZERO && wait <= Duration::from_secs(15 * 60));
            }
            other => panic!("{other}"),
        }
    }
    assert_eq!(tried, 10);
    assert_eq!(code(&world.sign_in("anna@shop.test", PASSWORD).await), "ok");
    world.pass(15 * MINUTE);
    let guess = world.auth.sign_in_password("anna@shop.test", "guess", &from("198.51.100.1")).await;
    assert_eq!(code(&guess), "invalid_credentials");
}

#[tokio::test]
async fn an_unknown_account_is_limited_like_a_known_one() {
    let world = World::new();
    world.sign_up("anna@shop.test").await;
    let answers = async |email: &str| {
        let mut answers = Vec::new();
        for n in 0..12 {
            let guesser = from(&format!("198.51.100.{n}"));
            let refused = world.auth.sign_in_password(email, "guess", &guesser).await.unwrap_err();
            answers.push((refused.status(), refused.message(), refused.retry_after()));
        }
        answers
    };
    assert_eq!(answers("anna@shop.test").await, answers("nobody@shop.test").await);
}

#[tokio::test]
async fn one_address_may_try_so_often_whatever_the_account() {
    let world = World::with("attempts_per_address = 5");
    let tried = async |address: &str, n: i32| {
        code(&world.auth.sign_in_password(&format!("user{n}@shop.test"), "guess", &from(address)).await)
    };
    for n in 0..5 {
        // One /64 is one address.
        assert_eq!(tried(&format!("2001:db8::{n}"), n).await, "invalid_credentials");
    }
    assert_eq!(tried("2001:db8::ffff", 9).await, "over_request_rate_limit");
    assert_eq!(tried("2001:db8:0:1::1", 9).await, "invalid_credentials");
}

#[tokio::test]
async fn sign_ups_count_too_taken_or_not() {
    let world = World::with("attempts_per_address = 3");
    let mut codes = Vec::new();
    for email in ["a@shop.test", "a@shop.test", "b@shop.test", "c@shop.test"] {
        let sign_up = SignUp { email: email.into(), password: PASSWORD.into(), ..SignUp::default() };
        codes.push(code(&world.auth.sign_up(sign_up, &client()).await));
    }
    assert_eq!(codes, ["ok", "user_already_exists", "ok", "over_request_rate_limit"]);
}

#[tokio::test]
async fn who_knows_the_password_is_not_limited_by_using_it() {
    let world = World::with("attempts_per_account = 3");
    world.sign_up("anna@shop.test").await;
    for _ in 0..12 {
        assert_eq!(code(&world.sign_in("anna@shop.test", PASSWORD).await), "ok");
    }
}
