//! The console: the first owner, its sessions.

use takt_auth::{AdminUser, StudioRole};
use takt_engine::EngineError;
use takt_model::{Principal, Rights, Value};
use takt_plan::{Node, Plan};

use crate::world::{DAY, HOUR, PASSWORD, World, client, code, from};

const SECOND: i64 = 1_000_000;

#[tokio::test]
async fn the_first_owner_is_made_with_the_code_and_only_once() {
    let world = World::new();
    let setup = world.auth.setup_code().unwrap();
    assert_eq!(
        code(&world.auth.owner_create("AAAA-AAAA-AAAA", "owner@shop.test", PASSWORD, &client()).await),
        "setup_code_wrong"
    );
    assert_eq!(
        code(&world.auth.owner_create(&setup, "owner@shop.test", "short", &client()).await),
        "weak_password"
    );
    let session =
        world.auth.owner_create(&setup.to_lowercase(), "Owner@shop.test", PASSWORD, &client()).await.unwrap();
    assert_eq!(session.account.studio_role, Some(StudioRole::Owner));
    assert_eq!(session.account.roles, ["staff", "editor"]);
    let owner = world.auth.console_verify(&session.token).unwrap();
    assert_eq!((owner.email.as_str(), owner.studio_role), ("owner@shop.test", Some(StudioRole::Owner)));
    assert_eq!(owner.principal.rights, Rights::Authenticated);
    assert!(owner.principal.has_role("staff"));

    assert_eq!(world.auth.setup_code(), None);
    assert_eq!(
        code(&world.auth.owner_create(&setup, "eve@shop.test", PASSWORD, &client()).await),
        "setup_closed"
    );
    let world = world.restarted();
    assert_eq!(world.auth.setup_code(), None);
}

#[tokio::test]
async fn wrong_codes_make_a_stranger_wait_and_never_close_the_door() {
    let world = World::new();
    let setup = world.auth.setup_code().unwrap();
    let make = async |tried: &str, address: &str| {
        world.auth.owner_create(tried, "owner@shop.test", PASSWORD, &from(address)).await
    };
    let (stranger, owner) = ("198.51.100.9", "203.0.113.7");
    for _ in 0..10 {
        assert_eq!(code(&make("BBBB-BBBB-BBBB", stranger).await), "setup_code_wrong");
    }
    let refused = make("BBBB-BBBB-BBBB", stranger).await.unwrap_err();
    assert_eq!((refused.status(), refused.code()), (429, "over_request_rate_limit"));
    assert_eq!(refused.retry_after(), Some(std::time::Duration::from_secs(10)));
    assert_eq!(refused.message(), "Too many wrong codes; wait 10 seconds, then try again");
    world.pass(10);
    assert_eq!(code(&make("BBBB-BBBB-BBBB", stranger).await), "setup_code_wrong");
    assert_eq!(code(&make(&setup, stranger).await), "over_request_rate_limit");

    assert_eq!(world.auth.setup_code().as_ref(), Some(&setup), "the code is still good");
    assert_eq!(code(&make("CCCC-CCCC-CCCC", owner).await), "setup_code_wrong");
    assert_eq!(code(&make(&setup, owner).await), "over_request_rate_limit");
    world.pass(10);
    assert_eq!(code(&make(&setup, owner).await), "ok");
}

#[tokio::test]
async fn two_owners_at_the_same_moment_are_one() {
    let world = std::sync::Arc::new(World::new());
    let setup = world.auth.setup_code().unwrap();
    let mut all = tokio::task::JoinSet::new();
    for n in 0..4 {
        let (world, setup) = (std::sync::Arc::clone(&world), setup.clone());
        all.spawn(async move {
            code(&world.auth.owner_create(&setup, &format!("owner{n}@shop.test"), PASSWORD, &client()).await)
        });
    }
    let mut codes = all.join_all().await;
    codes.sort_unstable();
    assert_eq!(codes, ["ok", "setup_closed", "setup_closed", "setup_closed"]);
}

#[tokio::test]
async fn only_accounts_with_a_role_may_use_the_console() {
    let world = World::new();
    world.sign_up("customer@shop.test").await;
    world.auth.account_add("staff@shop.test", PASSWORD, &["staff".to_owned()]).await.unwrap();
    world.auth.account_add("auditor@shop.test", PASSWORD, &[]).await.unwrap();
    world.auth.account_studio_role_set("auditor@shop.test", Some(StudioRole::Auditor)).await.unwrap();
    let sign_in =
        async |email: &str, password: &str| world.auth.console_sign_in(email, password, &client()).await;
    let cases = [
        ("customer@shop.test", PASSWORD, "insufficient_role"),
        ("customer@shop.test", "wrong", "invalid_credentials"),
        ("nobody@shop.test", PASSWORD, "invalid_credentials"),
        ("staff@shop.test", PASSWORD, "ok"),
        ("auditor@shop.test", PASSWORD, "ok"),
    ];
    for (email, password, expected) in cases {
        assert_eq!(code(&sign_in(email, password).await), expected, "{email}");
    }
    let staff = sign_in("staff@shop.test", PASSWORD).await.unwrap();
    assert_eq!(world.auth.console_verify(&staff.token).unwrap().studio_role, None);
    // A role that is taken closes the console at once.
    world.auth.account_roles_set("staff@shop.test", &[]).await.unwrap();
    assert_eq!(code(&world.auth.console_verify(&staff.token)), "insufficient_role");
}

#[tokio::test]
async fn a_console_session_ends_after_twelve_idle_hours_and_moves_on_with_use() {
    let world = World::new();
    let setup = world.auth.setup_code().unwrap();
    let token = world.auth.owner_create(&setup, "owner@shop.test", PASSWORD, &client()).await.unwrap().token;
    for use_number in 0..5 {
        world.pass(11 * HOUR);
        assert_eq!(code(&world.auth.console_verify(&token)), "ok", "use {use_number}");
        ends_at(&world, world.engine.now() + 12 * HOUR * SECOND).await;
    }
    world.pass(12 * HOUR);
    let refused = world.auth.console_verify(&token).unwrap_err();
    assert_eq!((refused.code(), refused.status()), ("session_not_found", 401));
}

#[tokio::test]
async fn a_console_session_ends_after_thirty_days_however_much_it_is_used() {
    let world = World::new();
    let setup = world.auth.setup_code().unwrap();
    let token = world.auth.owner_create(&setup, "owner@shop.test", PASSWORD, &client()).await.unwrap().token;
    let last = world.engine.now() + 30 * DAY * SECOND;
    while world.engine.now() + 10 * HOUR * SECOND < last {
        world.pass(10 * HOUR);
        assert_eq!(code(&world.auth.console_verify(&token)), "ok");
        ends_at(&world, (world.engine.now() + 12 * HOUR * SECOND).min(last)).await;
    }
    world.pass(10 * HOUR);
    assert_eq!(code(&world.auth.console_verify(&token)), "session_not_found");
}

#[tokio::test]
async fn a_console_session_ends_with_its_sign_out_and_its_password() {
    let world = World::new();
    let setup = world.auth.setup_code().unwrap();
    let first = world.auth.owner_create(&setup, "owner@shop.test", PASSWORD, &client()).await.unwrap();
    let second = world.auth.console_sign_in("owner@shop.test", PASSWORD, &client()).await.unwrap();
    assert_ne!(first.token, second.token);
    world.auth.console_sign_out(&first.token).await.unwrap();
    assert_eq!(code(&world.auth.console_verify(&first.token)), "session_not_found");
    assert_eq!(code(&world.auth.console_verify(&second.token)), "ok");
    let update = AdminUser { password: Some("another good one".into()), ..AdminUser::default() };
    let id = first.account.id.to_string();
    world.auth.admin_user_update(&Principal::service(), &id, update).await.unwrap();
    assert_eq!(code(&world.auth.console_verify(&second.token)), "session_not_found");
    for token in ["", "x", &"y".repeat(10_000)] {
        assert_eq!(code(&world.auth.console_verify(token)), "session_not_found");
    }
}

/// Waits until the one console session ends at `expected`: its end is moved on in the background.
async fn ends_at(world: &World, expected: i64) {
    for _ in 0..500 {
        if end(world) == Value::Timestamp(expected) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("ends at {:?} instead of {expected}", end(world));
}

fn end(world: &World) -> Value {
    let table = world.engine.project().table("auth.console_sessions").unwrap().id;
    let plan = Plan::read(Node::all(table));
    let rows = world.engine.look_up::<_, EngineError>(|tx| Ok(tx.rows(&Principal::system("test"), plan)?.0));
    rows.unwrap().value(0, "expires_at").unwrap().clone()
}
