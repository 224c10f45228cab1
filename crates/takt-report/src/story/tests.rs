//! Stories in both languages, told and not told.

#![allow(clippy::unwrap_used, reason = "tests")]

use expect_test::expect;
use takt_engine::{StoryChange, StoryField};
use takt_model::{ProjectFiles, Words};

use super::{
    later::{Later, Went},
    *,
};
use crate::text::both;

fn shop() -> Project {
    let files = ProjectFiles::from([
        (
            "takt.toml",
            "name = \"Shop\"\nlanguages = [\"de\", \"en\"]\nroles = [\"staff\"]\ncurrency = \"EUR\"\n",
        ),
        (
            "schema/products.toml",
            r#"
label = { en = "Products", de = "Artikel" }
[fields.id]
type = "uuid"
primary_key = true
[fields.name_de]
type = "text"
[fields.stock]
label = { en = "Stock", de = "Bestand" }
type = "integer"
"#,
        ),
        (
            "schema/orders.toml",
            r#"
label = { en = "Orders", de = "Bestellungen" }
[fields.id]
type = "uuid"
primary_key = true
[fields.number]
label = { en = "Order number", de = "Bestellnummer" }
type = "text"
[fields.status]
label = { en = "Status", de = "Status" }
type = "enum"
values = ["pending", "paid"]
[fields.total]
label = { en = "Total", de = "Summe" }
type = "decimal(12,2)"
[fields.ship_name]
label = { en = "Recipient", de = "Empfänger" }
type = "text"
personal = "name"
[fields.created_at]
label = { en = "Ordered", de = "Bestellt" }
type = "timestamp"
"#,
        ),
    ]);
    Project::parse(&files, &[]).0
}

fn field(name: &str, before: Option<&str>, after: Option<&str>) -> StoryField {
    StoryField { name: name.into(), before: before.map(Into::into), after: after.map(Into::into) }
}

fn change(table: &str, verb: &str, key: &str, fields: Vec<StoryField>, rule: &str) -> StoryChange {
    StoryChange { table: table.into(), verb: verb.into(), key: key.into(), fields, rule: rule.into() }
}

const PRODUCT: &str = "0199a001-0000-7000-8000-000000000003";
const ORDER: &str = "0199b000-0000-7000-8000-0000000000aa";

fn bought() -> Story {
    Story {
        id: "0199b000-0000-7000-8000-000000000001".into(),
        function: "checkout".into(),
        label: both("Jetzt kaufen", "Buy now"),
        at: 1_795_425_247_000_000,
        took: 812,
        caller: Some("0199b000-0000-7000-8000-00000000a1b2".into()),
        caller_roles: vec!["customer".into()],
        cause: takt_engine::StoryCause::Call,
        elevated: true,
        result: StoryResult::Success,
        steps: vec![
            StoryStep {
                label: both("Warenkorb geprüft", "Basket checked"),
                succeeded: true,
                depth: 0,
                changes: vec![],
            },
            StoryStep {
                label: both("Bestand reserviert", "Stock reserved"),
                succeeded: true,
                depth: 0,
                changes: vec![change(
                    "products",
                    "update",
                    PRODUCT,
                    vec![field("stock", Some("1007"), Some("1006"))],
                    "service",
                )],
            },
            StoryStep {
                label: both("Bestellung geschrieben", "Order written"),
                succeeded: true,
                depth: 0,
                changes: vec![change(
                    "orders",
                    "insert",
                    ORDER,
                    vec![
                        field("id", None, Some(ORDER)),
                        field("number", None, Some("B-2026-00001")),
                        field("status", None, Some("pending")),
                        field("total", None, Some("1039.90")),
                        field("ship_name", None, Some("a name that an old story still holds")),
                        field("created_at", None, Some("2026-11-23T09:14:07.000000+00:00")),
                    ],
                    "service",
                )],
            },
        ],
        changes: vec![],
        changes_left_out: 0,
        events: vec!["order.placed".into()],
    }
}

#[test]
fn a_purchase_in_german() {
    let names = RowNames::from([(("products".into(), PRODUCT.into()), "Steingutkanne".into())]);
    let told = tell_story_naming(&bought(), &shop(), "de", &names).to_string();
    assert!(!told.contains("old story"), "personal values stay hidden");
    expect![[r#"
        Jetzt kaufen · 23.11.2026, 09:14:07 Uhr (UTC) · gelungen
        „Jetzt kaufen“ ist gelungen. Geschrieben wurde in: Artikel und Bestellungen.
        Wer: Kundenkonto …0000a1b2. Der Vorgang arbeitet mit den Rechten des Hauses. Er darf mehr, als der Aufrufer selbst dürfte.

        1 ✓ Warenkorb geprüft

        2 ✓ Bestand reserviert
             Geändert: Artikel „Steingutkanne“ – Bestand 1.007 → 1.006
               Bestand: 1.007 → 1.006
               Erlaubt, weil der Vorgang mit den Rechten des Hauses arbeitet, nicht mit denen des Aufrufers.

        3 ✓ Bestellung geschrieben
             Angelegt: Bestellungen „B-2026-00001“
               id: …000000aa
               Bestellnummer: B-2026-00001
               Status: pending
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
        Buy now · 23 Nov 2026, 09:14:07 (UTC) · succeeded
        "Buy now" succeeded. It wrote to: Products and Orders.
        Who: Customer account …0000a1b2. The process works with the house's own rights. It may do more than the caller could.

        1 ✓ Basket checked

        2 ✓ Stock reserved
             Changed: Products – Stock 1,007 → 1,006
               Stock: 1,007 → 1,006
               Allowed because the process works with the house's own rights, not with the caller's.

        3 ✓ Order written
             Created: Orders "B-2026-00001"
               id: …000000aa
               Order number: B-2026-00001
               Status: pending
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
        Jetzt kaufen · 23.11.2026, 09:14:07 Uhr (UTC) · abgelehnt
        „Jetzt kaufen“ wurde von den Regeln abgelehnt. Es wurde nichts geschrieben.
        Wer: Kundenkonto …0000a1b2. Der Vorgang arbeitet mit den Rechten des Hauses. Er darf mehr, als der Aufrufer selbst dürfte.

        1 ✓ Warenkorb geprüft

        2 ✗ Bestand reserviert

        Nichts ging hinaus.
        Abgelehnt mit: „Assam ist ausverkauft.“ Es wurde nichts geschrieben.
    "#]],
        ),
        (
            "en",
            expect![[r#"
        Buy now · 23 Nov 2026, 09:14:07 (UTC) · refused
        The rules refused "Buy now". Nothing was written.
        Who: Customer account …0000a1b2. The process works with the house's own rights. It may do more than the caller could.

        1 ✓ Basket checked

        2 ✗ Stock reserved

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
        ship · 23.11.2026, 09:14:07 Uhr (UTC) · gelungen
        „ship“ ist gelungen. Geschrieben wurde in: Bestellungen.
        Wer: Konto …0000a1b2 (staff). Der Vorgang durfte nur, was der Aufrufer selbst darf.

        1 ✓ Außerhalb der Schritte geschrieben
             Geändert: Bestellungen – Status pending → paid
               Status: pending → paid
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

fn later(to: &str, went: Went, attempts: u64, why: &str) -> Later {
    Later {
        id: "0199b000-0000-7000-8000-0000000000dd".into(),
        connection: "erp".into(),
        to: to.into(),
        went,
        attempts,
        why: why.into(),
    }
}

#[test]
fn later_deliveries_are_told_with_the_story() {
    const AT: i64 = 1_795_425_249_000_000;
    let all = [
        later("Mail", Went::Arrived(Some(AT)), 1, ""),
        later("ERP", Went::Waits(Some(AT)), 3, "antwortet mit 503"),
        later("Lager", Went::Waits(None), 0, ""),
        later("Kasse", Went::Stopped, 4, "nahm es nicht an"),
        later("Bote", Went::Unclear, 1, ""),
        later("Amt", Went::Parked, 1, ""),
        later("Alt", Went::Cancelled(None), 1, ""),
    ];
    let told = tell_story(&bought(), &shop(), "de").and_then(&all);
    let text = told.to_string();
    let afterwards = text.split_once("Was danach geschah").unwrap().1;
    expect![[r#"
        :
          ✓ An Mail: angekommen am 23.11.2026, 09:14:09 Uhr (UTC).
          … An ERP: 3-mal versucht, noch nicht angekommen: antwortet mit 503; nächster Versuch: 23.11.2026, 09:14:09 Uhr (UTC).
          … An Lager: wartet und geht hinaus, sobald es an der Reihe ist.
          ✗ An Kasse: nicht angekommen nach 4 Versuchen: nahm es nicht an. Ein Mensch muss entscheiden.
          ✗ An Bote: gesendet, aber niemand weiß, ob es angekommen ist. Ein Mensch muss entscheiden.
          ✗ An Amt: angekommen, aber die Antwort ist nicht so, wie es vereinbart ist. Was daraus folgt, wartet; ein Mensch muss entscheiden.
          – An Alt: von einem Menschen abgebrochen.
    "#]]
    .assert_eq(afterwards);
    assert_eq!(
        told.open,
        "3 Übergaben sind stehen geblieben und brauchen eine Entscheidung. 2 Übergaben stehen noch aus."
    );
    let done = tell_story(&bought(), &shop(), "en").and_then(&all[..1]);
    assert_eq!(done.open, "", "what is done needs no sentence at the top");
    assert!(done.to_string().contains("To Mail: arrived on 23 Nov 2026, 09:14:09 (UTC)."));
}

#[test]
fn a_story_is_told_as_deep_as_asked() {
    let told = tell_story(&bought(), &shop(), "en").and_then(&[later("ERP", Went::Running, 1, "")]);
    expect![[r#"
        Buy now · 23 Nov 2026, 09:14:07 (UTC) · succeeded
        "Buy now" succeeded. It wrote to: Products and Orders.
        One delivery is still under way.
    "#]]
    .assert_eq(&told.to_depth(Depth::of(0)));
    let steps = told.to_depth(Depth::of(1));
    assert!(
        steps.contains("Created: Orders \"B-2026-00001\"") && !steps.contains("Allowed because"),
        "{steps}"
    );
    assert!(steps.contains("… To ERP: is under way just now."));
    assert_eq!(told.to_depth(Depth::of(2)), told.to_string());
    assert!(told.to_depth(Depth::of(3)).contains("For the developer:\n  Function: checkout"));
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
        told(message("webhook:payments")),
    ];
    expect![[r#"
        Niemand; ein Ereignis hat es ausgelöst. Der Vorgang arbeitet mit den Rechten des Hauses, weil niemand ihn aufgerufen hat.
        Niemand; der Zeitplan hat es ausgelöst. Der Vorgang arbeitet mit den Rechten des Hauses, weil niemand ihn aufgerufen hat.
        Niemand; ein früherer Vorgang hat es bestellt. Der Vorgang arbeitet mit den Rechten des Hauses, weil niemand ihn aufgerufen hat.
        Ein Programm mit dem geheimen Schlüssel. Der Vorgang durfte nur, was der Aufrufer selbst darf."#]].assert_eq(&lines.join("\n"));
}
