//! What a story says: who, with which rights, what was written, how it ended.

use expect_test::expect;
use takt_model::Words;

use super::fixture::*;
use crate::{story::*, text::both};

#[test]
fn a_purchase_in_german() {
    let names = RowNames::from([(("products".into(), PRODUCT.into()), "Steingutkanne".into())]);
    let told = tell_story_naming(&bought(), &shop(), "de", &names).to_string();
    assert!(!told.contains("old story"), "personal values stay hidden");
    expect![[r#"
        Jetzt kaufen: B-2026-00001 · Mo 23.11.2026, 09:14:07 Uhr (UTC) · ERFOLGREICH
        „Jetzt kaufen“ ist gelungen. Geschrieben wurde in: Artikel und Bestellungen.
        Wer: Kundenkonto …0000a1b2. Der Vorgang arbeitet mit den Rechten des Hauses. Er darf mehr, als der Aufrufer selbst dürfte.

        1 ✓ Warenkorb geprüft  (0,0004 s)

        2 ✓ Bestand reserviert  (0,0004 s)
             Geändert: Artikel „Steingutkanne“ – Bestand 1.007 → 1.006
               Bestand: 1.007 → 1.006
               Erlaubt, weil der Vorgang mit den Rechten des Hauses arbeitet, nicht mit denen des Aufrufers.

        3 ✓ Bestellung geschrieben  (0,0004 s)
             Angelegt: Bestellungen „B-2026-00001“
               id: …000000aa
               Bestellnummer: B-2026-00001
               Status: offen
               Summe: 1.039,90 €
               Empfänger: verborgen
               Bestellt: 23.11.2026, 09:14:07 Uhr (UTC)
               Erlaubt, weil der Vorgang mit den Rechten des Hauses arbeitet, nicht mit denen des Aufrufers.

        Gemeldet: order.placed.
        Alles wurde gemeinsam gespeichert, in einem Zug (0,0008 s).
    "#]].assert_eq(&told);
}

#[test]
fn a_purchase_in_english() {
    expect![[r#"
        Buy now: B-2026-00001 · Mon 23 Nov 2026, 09:14:07 (UTC) · SUCCEEDED
        "Buy now" succeeded. It wrote to: Products and Orders.
        Who: Customer account …0000a1b2. The process works with the house's own rights. It may do more than the caller could.

        1 ✓ Basket checked  (0.0004 s)

        2 ✓ Stock reserved  (0.0004 s)
             Changed: Products – Stock 1,007 → 1,006
               Stock: 1,007 → 1,006
               Allowed because the process works with the house's own rights, not with the caller's.

        3 ✓ Order written  (0.0004 s)
             Created: Orders "B-2026-00001"
               id: …000000aa
               Order number: B-2026-00001
               Status: open
               Total: €1,039.90
               Recipient: hidden
               Ordered: 23 Nov 2026, 09:14:07 (UTC)
               Allowed because the process works with the house's own rights, not with the caller's.

        Announced: order.placed.
        All of it was stored together, in one go (0.0008 s).
    "#]].assert_eq(&tell_story(&bought(), &shop(), "en").to_string());
}

#[test]
fn a_refusal_says_that_nothing_was_written() {
    let mut story = bought();
    story.result =
        StoryResult::Refused { status: 409, message: both("Assam ist ausverkauft.", "Assam is sold out.") };
    story.steps.truncate(2);
    story.steps[1].succeeded = false;
    story.steps[1].changes.clear();
    story.events.clear();
    for (language, expected) in [
        (
            "de",
            expect![[r#"
                Jetzt kaufen · Mo 23.11.2026, 09:14:07 Uhr (UTC) · ABGELEHNT
                „Jetzt kaufen“ wurde von den Regeln abgelehnt. Es wurde nichts geschrieben.
                Wer: Kundenkonto …0000a1b2. Der Vorgang arbeitet mit den Rechten des Hauses. Er darf mehr, als der Aufrufer selbst dürfte.

                1 ✓ Warenkorb geprüft  (0,0004 s)

                2 ✗ Bestand reserviert  (0,0004 s)

                Nichts ging hinaus.
                Abgelehnt mit: „Assam ist ausverkauft.“ Es wurde nichts geschrieben.
            "#]],
        ),
        (
            "en",
            expect![[r#"
                Buy now · Mon 23 Nov 2026, 09:14:07 (UTC) · REFUSED
                The rules refused "Buy now". Nothing was written.
                Who: Customer account …0000a1b2. The process works with the house's own rights. It may do more than the caller could.

                1 ✓ Basket checked  (0.0004 s)

                2 ✗ Stock reserved  (0.0004 s)

                Nothing left.
                Refused with: "Assam is sold out." Nothing was written.
            "#]],
        ),
    ] {
        expected.assert_eq(&tell_story(&story, &shop(), language).to_string());
    }
}

#[test]
fn staff_acts_by_a_rule_of_the_project() {
    let mut story = bought();
    story.function = "ship".into();
    story.label = Words::default();
    story.caller_roles = vec!["customer".into(), "staff".into()];
    story.elevated = false;
    story.steps.clear();
    story.changes = vec![change(
        "orders",
        "update",
        ORDER,
        vec![field("status", Some("pending"), Some("paid"))],
        "staff notes payment",
    )];
    story.events.clear();
    expect![[r#"
        ship · Mo 23.11.2026, 09:14:07 Uhr (UTC) · ERFOLGREICH
        „ship“ ist gelungen. Geschrieben wurde in: Bestellungen.
        Wer: Konto …0000a1b2 (staff). Der Vorgang durfte nur, was der Aufrufer selbst darf.

        1 ✓ Außerhalb der Schritte geschrieben
             Geändert: Bestellungen – Status offen → paid
               Status: offen → paid
               Erlaubt durch die Regel „staff notes payment“.

        Kein Ereignis ging hinaus.
        Alles wurde gemeinsam gespeichert, in einem Zug (0,0008 s).
    "#]]
    .assert_eq(&tell_story(&story, &shop(), "de").to_string());
}

#[test]
fn a_failure_tells_the_place_only_to_the_technician() {
    let mut story = bought();
    story.result = StoryResult::Failed {
        code: "P0001".into(),
        message: "x is not a function".into(),
        position: Some("logic/checkout.ts:12:9".into()),
    };
    let told = tell_story(&story, &shop(), "en");
    let text = told.to_string();
    let (for_all, for_the_developer) = text.split_once("For the developer:").unwrap();
    assert!(!for_all.contains("checkout.ts"));
    assert!(for_the_developer.contains("logic/checkout.ts:12:9"));
    assert!(told.technical.contains(&("Place".to_owned(), "logic/checkout.ts:12:9".to_owned())));
    assert_eq!(told.state, State::Red);
}

#[test]
fn what_nobody_called_says_what_set_it_off() {
    let told = |cause| {
        let story = Story {
            cause,
            caller: None,
            caller_roles: vec!["service_role".into()],
            elevated: false,
            ..bought()
        };
        let text = tell_story(&story, &shop(), "de");
        format!("{}. {}", text.who, text.rights)
    };
    let message = |source: &str| StoryCause::Message { source: source.into(), id: "1".into() };
    let lines = [
        told(message("consumer:send_thanks")),
        told(StoryCause::Schedule { due_at: 0 }),
        told(StoryCause::Delay),
        told(StoryCause::Later { id: "1".into(), attempt: 2, asked_by: Some("2".into()) }),
        told(StoryCause::Later { id: "1".into(), attempt: 1, asked_by: None }),
        told(message("webhook:payments")),
    ];
    expect![[r#"
        Niemand; ein Ereignis hat es ausgelöst. Der Vorgang arbeitet mit den Rechten des Hauses, weil niemand ihn aufgerufen hat.
        Niemand; der Zeitplan hat es ausgelöst, fällig 01.01.1970, 00:00:00 Uhr (UTC). Der Vorgang arbeitet mit den Rechten des Hauses, weil niemand ihn aufgerufen hat.
        Niemand; ein früherer Vorgang hat es bestellt. Der Vorgang arbeitet mit den Rechten des Hauses, weil niemand ihn aufgerufen hat.
        Niemand; ein früherer Vorgang hat es bestellt (Versuch 2). Der Vorgang arbeitet mit den Rechten des Hauses, weil niemand ihn aufgerufen hat.
        Ein Mensch hat es angestoßen. Der Vorgang arbeitet mit den Rechten des Hauses, weil niemand ihn aufgerufen hat.
        Ein Programm mit dem geheimen Schlüssel. Der Vorgang durfte nur, was der Aufrufer selbst darf."#]].assert_eq(&lines.join("\n"));
}

#[test]
fn personal_values_are_shown_only_in_a_story_that_was_revealed() {
    let mut story = bought();
    let recipient = |story: &Story| {
        let told = tell_story(story, &shop(), "de");
        let field = &told.steps[2].changes[0].fields[4];
        (field.after.clone(), field.hidden, told.hides)
    };
    story.steps[2].changes[0].fields[4].after = Some(MASK.into());
    assert_eq!(recipient(&story), ("verborgen".into(), true, true));
    story.revealed = true;
    assert_eq!(
        recipient(&story),
        ("nicht aufbewahrt".into(), true, false),
        "forgotten meanwhile, or never kept"
    );
    story.steps[2].changes[0].fields[4].after = Some("Ada Muster".into());
    assert_eq!(recipient(&story), ("Ada Muster".into(), false, false));
}

#[test]
fn a_story_is_told_in_the_time_zone_of_the_project() {
    let mut project = shop();
    project.settings.time_zone = "Europe/Berlin".into();
    let told = tell_story(&bought(), &project, "de");
    assert_eq!(told.headline, "Jetzt kaufen: B-2026-00001 · Mo 23.11.2026, 10:14:07 Uhr (MEZ) · ERFOLGREICH");
    let shown = told.to_depth(Depth::Technical);
    assert!(
        shown.contains("Bestellt: 23.11.2026, 10:14:07 Uhr (MEZ)") && !shown.contains("(UTC)"),
        "{shown}"
    );
}
