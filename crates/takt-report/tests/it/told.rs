//! Stories of real actions, with names looked up.

use takt_report::{row_names, tell_story, tell_story_naming};

use crate::world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sale_names_the_product_and_what_changed() {
    let world = World::new();
    let answer = world.sell().await;
    let story = world.engine.story(answer.story).unwrap().unwrap();
    let names = row_names(&world.engine, &story, "de").await;
    let told = tell_story_naming(&story, &world.engine.project(), "de", &names).to_string();
    for part in [
        "Verkaufen",
        "Kundenkonto",
        "Artikel „Steingutkanne“ – Bestand 3 → 2",
        "Angelegt: Verkäufe",
        "Gemeldet: sale.made",
    ] {
        assert!(told.contains(part), "{part} is missing in\n{told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_sale_says_that_nothing_was_written() {
    let world = World::new();
    for _ in 0..3 {
        assert!(!world.sell().await.refused);
    }
    let answer = world.sell().await;
    assert!(answer.refused);
    let story = world.engine.story(answer.story).unwrap().unwrap();
    let told = tell_story(&story, &world.engine.project(), "en").to_string();
    for part in ["refused", "Refused with: \"Sold out.\" Nothing was written.", "Nothing left."] {
        assert!(told.contains(part), "{part} is missing in\n{told}");
    }
    assert!(!told.contains("Changed:"), "{told}");
}
