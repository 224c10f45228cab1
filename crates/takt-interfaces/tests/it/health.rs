//! Whether other systems are well, before anything has to be delivered.

use std::time::Duration;

use crate::{
    house::{DELIVER, House},
    receiver::Answer,
};

const TOP: &str = "data = []\nhealth = { request = \"GET /ping\", every = \"5m\" }";

#[tokio::test(flavor = "multi_thread")]
async fn a_system_is_asked_on_schedule_and_since_when_it_is_unwell_is_kept() {
    let house = House::build(TOP, "", DELIVER).await;
    let health = || house.interfaces.connections().unwrap().remove(0).health;
    assert_eq!(health(), None);

    house.work().await;
    let well = health().unwrap();
    assert!(well.is_well && well.error.is_none(), "{well:?}");
    assert!(house.receiver.asked()[0].line.starts_with("GET /api/ping "), "{:?}", house.receiver.asked());
    house.work().await;
    assert_eq!(house.receiver.asked().len(), 1, "not before its time");

    house.receiver.will([Answer::status(503), Answer::Close, Answer::status(302)]);
    let mut since = None;
    for error in ["answered 503", "closed", "answered 302"] {
        house.forward(Duration::from_secs(300));
        house.work().await;
        let unwell = health().unwrap();
        assert!(!unwell.is_well && unwell.since > well.since, "{unwell:?}");
        assert_eq!(unwell.since, *since.get_or_insert(unwell.since), "since the first time");
        assert!(unwell.error.as_ref().is_some_and(|e| e.contains(error) || error == "closed"), "{unwell:?}");
    }
    let house = house.restarted();
    house.forward(Duration::from_secs(300));
    house.work().await;
    let again = house.interfaces.connections().unwrap().remove(0).health.unwrap();
    assert!(again.is_well && again.since > since.unwrap(), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_stopped_or_not_set_up_is_not_asked() {
    let house = House::build(TOP, "", DELIVER).await;
    house.interfaces.pause("erp", true).await.unwrap();
    house.work().await;
    assert_eq!(house.receiver.asked().len(), 0);
    let auth = "auth = { kind = \"apikey\", secret = \"never_set\" }";
    let house = House::build(TOP, auth, DELIVER).await;
    house.work().await;
    assert_eq!(house.receiver.asked().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_was_set_back_keeps_no_question_away() {
    let house = House::build(TOP, "", DELIVER).await;
    house.work().await;
    house.back(Duration::from_secs(30 * 86_400));
    house.work().await;
    assert_eq!(house.receiver.asked().len(), 2);
}
