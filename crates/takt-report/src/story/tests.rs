//! Stories in both languages, told and not told.

#![allow(clippy::unwrap_used, reason = "tests")]

use expect_test::expect;
use takt_engine::{StoryChange, StoryField, Usual};
use takt_model::{ProjectFiles, Words};

use super::{
    background::{Because, Follows, Version},
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
labels = { pending = { de = "offen", en = "open" } }
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
    StoryField {
        name: name.into(),
        before: before.map(Into::into),
        after: after.map(Into::into),
        hidden: None,
    }
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
                took: 420,
                notes: vec![],
                changes: vec![],
            },
            StoryStep {
                label: both("Bestand reserviert", "Stock reserved"),
                succeeded: true,
                depth: 0,
                took: 420,
                notes: vec![],
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
                took: 420,
                notes: vec![],
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
        revealed: false,
    }
}

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

fn later(to: &str, went: Went, attempts: u64, why: &str) -> Later {
    Later {
        id: "0199b000-0000-7000-8000-0000000000dd".into(),
        connection: "erp".into(),
        to: to.into(),
        went,
        attempts,
        why: why.into(),
        means: "Bestellungen warten hier.".into(),
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
              [Jetzt erneut: takt deliveries replay 0199b000-0000-7000-8000-0000000000dd]  [Warum: takt story 0199b000-0000-7000-8000-0000000000dd]
          … An Lager: wartet und geht hinaus, sobald es an der Reihe ist.
          ✗ An Kasse: nicht angekommen nach 4 Versuchen: nahm es nicht an. Ein Mensch muss entscheiden.
              [Jetzt erneut: takt deliveries replay 0199b000-0000-7000-8000-0000000000dd]  [Warum: takt story 0199b000-0000-7000-8000-0000000000dd]
          ✗ An Bote: gesendet, aber niemand weiß, ob es angekommen ist. Ein Mensch muss entscheiden.
              [Jetzt erneut: takt deliveries replay 0199b000-0000-7000-8000-0000000000dd]  [Warum: takt story 0199b000-0000-7000-8000-0000000000dd]
          ✗ An Amt: angekommen, aber die Antwort ist nicht so, wie es vereinbart ist. Was daraus folgt, wartet; ein Mensch muss entscheiden.
          – An Alt: von einem Menschen abgebrochen.
        Gefährdet ist: nichts Gespeichertes. Es fehlt: die Übergabe an ERP, Lager, Kasse und Bote. Bestellungen warten hier.
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

/// The one before it did not get through, so it was not even tried.
#[test]
fn what_waits_for_a_connection_that_rests_says_why() {
    const AT: i64 = 1_795_425_249_000_000;
    let one = |why| [later("ERP", Went::Waits(Some(AT)), 0, why)];
    let german =
        tell_story(&bought(), &shop(), "de").and_then(&one("dort kam zuletzt nichts durch")).to_string();
    let english =
        tell_story(&bought(), &shop(), "en").and_then(&one("nothing got through there lately")).to_string();
    assert!(
        german.contains("An ERP: wartet, denn dort kam zuletzt nichts durch; nächster Versuch: 23.11.2026"),
        "{german}"
    );
    assert!(
        english.contains("To ERP: waiting, because nothing got through there lately; next try: 23 Nov"),
        "{english}"
    );
}

#[test]
fn a_story_is_told_as_deep_as_asked() {
    let told = tell_story(&bought(), &shop(), "en").and_then(&[later("ERP", Went::Running, 1, "")]);
    expect![[r#"
        Buy now: B-2026-00001 · Mon 23 Nov 2026, 09:14:07 (UTC) · SUCCEEDED, one delivery is outstanding
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

/// Everything that can be known around a story.
fn background() -> Background {
    Background {
        names: RowNames::from([(("products".into(), PRODUCT.into()), "Steingutkanne".into())]),
        because: Some(Because {
            id: "0199b000-0000-7000-8000-0000000000ee".into(),
            title: "Warenkorb".into(),
        }),
        event: None,
        version: Some(Version { name: "471ae99f0b12".into(), since: 1_795_425_000_000_000 }),
        usual: Some(Usual { took: 700, of: 128 }),
        follows: Some(Follows::Again(1_795_425_547_000_000)),
        lines: HashMap::from([(2, "logic/checkout.ts:41".into())]),
        file: Some("logic/checkout.ts:27".into()),
    }
}

fn waiting() -> Later {
    later("„ERP“", Went::Waits(Some(1_795_425_949_000_000)), 3, "die andere Seite ist nicht bereit")
}

/// One text of all depths in both languages.
fn all_depths(story: &Story, later: &[Later]) -> String {
    let mut text = String::new();
    for language in ["de", "en"] {
        let told = tell_story_with(story, &shop(), language, &background()).and_then(later);
        for depth in 0..=3 {
            text.push_str(&format!("===== {language} {depth}\n{}", told.to_depth(Depth::of(depth))));
        }
    }
    text
}

#[test]
fn a_success_with_a_delivery_outstanding_at_every_depth() {
    let mut story = bought();
    story.steps[1].notes = vec![both("Steingutkanne: 1.007 vorhanden", "Stoneware pot: 1,007 in stock")];
    expect![[r#"
        ===== de 0
        Jetzt kaufen: B-2026-00001 · Mo 23.11.2026, 09:14:07 Uhr (UTC) · ERFOLGREICH, eine Übergabe steht aus
        „Jetzt kaufen“ ist gelungen. Geschrieben wurde in: Artikel und Bestellungen.
        Eine Übergabe steht noch aus.
        ===== de 1
        Jetzt kaufen: B-2026-00001 · Mo 23.11.2026, 09:14:07 Uhr (UTC) · ERFOLGREICH, eine Übergabe steht aus
        „Jetzt kaufen“ ist gelungen. Geschrieben wurde in: Artikel und Bestellungen.
        Eine Übergabe steht noch aus.
        Wer: Kundenkonto …0000a1b2. Der Vorgang arbeitet mit den Rechten des Hauses. Er darf mehr, als der Aufrufer selbst dürfte.
        Auslöser: Warenkorb.

        1 ✓ Warenkorb geprüft  (0,0004 s)

        2 ✓ Bestand reserviert  (0,0004 s)
             Steingutkanne: 1.007 vorhanden
             Geändert: Artikel „Steingutkanne“ – Bestand 1.007 → 1.006

        3 ✓ Bestellung geschrieben  (0,0004 s)
             Angelegt: Bestellungen „B-2026-00001“

        Gemeldet: order.placed.
        Alles wurde gemeinsam gespeichert, in einem Zug (0,0008 s).

        Was danach geschah:
          … An „ERP“: 3-mal versucht, noch nicht angekommen: die andere Seite ist nicht bereit; nächster Versuch: 23.11.2026, 09:25:49 Uhr (UTC).
              [Jetzt erneut: takt deliveries replay 0199b000-0000-7000-8000-0000000000dd]  [Warum: takt story 0199b000-0000-7000-8000-0000000000dd]
        Gefährdet ist: nichts Gespeichertes. Es fehlt: die Übergabe an „ERP“. Bestellungen warten hier.
        ===== de 2
        Jetzt kaufen: B-2026-00001 · Mo 23.11.2026, 09:14:07 Uhr (UTC) · ERFOLGREICH, eine Übergabe steht aus
        „Jetzt kaufen“ ist gelungen. Geschrieben wurde in: Artikel und Bestellungen.
        Eine Übergabe steht noch aus.
        Wer: Kundenkonto …0000a1b2. Der Vorgang arbeitet mit den Rechten des Hauses. Er darf mehr, als der Aufrufer selbst dürfte.
        Auslöser: Warenkorb (0199b000-0000-7000-8000-0000000000ee).

        1 ✓ Warenkorb geprüft  (0,0004 s)

        2 ✓ Bestand reserviert  (0,0004 s)
             Steingutkanne: 1.007 vorhanden
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
        Stand der Regeln: 471ae99f0b12, in Betrieb seit 23.11.2026, 09:10:00 Uhr (UTC).
        Diesmal war es wie üblich: üblich sind 0,0007 s (Median der letzten 128 in 28 Tagen).

        Was danach geschah:
          … An „ERP“: 3-mal versucht, noch nicht angekommen: die andere Seite ist nicht bereit; nächster Versuch: 23.11.2026, 09:25:49 Uhr (UTC).
              [Jetzt erneut: takt deliveries replay 0199b000-0000-7000-8000-0000000000dd]  [Warum: takt story 0199b000-0000-7000-8000-0000000000dd]
        Gefährdet ist: nichts Gespeichertes. Es fehlt: die Übergabe an „ERP“. Bestellungen warten hier.
        ===== de 3
        Jetzt kaufen: B-2026-00001 · Mo 23.11.2026, 09:14:07 Uhr (UTC) · ERFOLGREICH, eine Übergabe steht aus
        „Jetzt kaufen“ ist gelungen. Geschrieben wurde in: Artikel und Bestellungen.
        Eine Übergabe steht noch aus.
        Wer: Kundenkonto …0000a1b2. Der Vorgang arbeitet mit den Rechten des Hauses. Er darf mehr, als der Aufrufer selbst dürfte.
        Auslöser: Warenkorb (0199b000-0000-7000-8000-0000000000ee).

        1 ✓ Warenkorb geprüft  (0,0004 s)

        2 ✓ Bestand reserviert  (0,0004 s)
             logic/checkout.ts:41
             Steingutkanne: 1.007 vorhanden
             Geändert: Artikel „Steingutkanne“ – Bestand 1.007 → 1.006
               Bestand: 1.007 → 1.006
               Erlaubt, weil der Vorgang mit den Rechten des Hauses arbeitet, nicht mit denen des Aufrufers.
               update products 0199a001-0000-7000-8000-000000000003

        3 ✓ Bestellung geschrieben  (0,0004 s)
             Angelegt: Bestellungen „B-2026-00001“
               id: …000000aa
               Bestellnummer: B-2026-00001
               Status: offen
               Summe: 1.039,90 €
               Empfänger: verborgen
               Bestellt: 23.11.2026, 09:14:07 Uhr (UTC)
               Erlaubt, weil der Vorgang mit den Rechten des Hauses arbeitet, nicht mit denen des Aufrufers.
               insert orders 0199b000-0000-7000-8000-0000000000aa

        Gemeldet: order.placed.
        Alles wurde gemeinsam gespeichert, in einem Zug (0,0008 s).
        Stand der Regeln: 471ae99f0b12, in Betrieb seit 23.11.2026, 09:10:00 Uhr (UTC).
        Diesmal war es wie üblich: üblich sind 0,0007 s (Median der letzten 128 in 28 Tagen).

        Was danach geschah:
          … An „ERP“: 3-mal versucht, noch nicht angekommen: die andere Seite ist nicht bereit; nächster Versuch: 23.11.2026, 09:25:49 Uhr (UTC).
              [Jetzt erneut: takt deliveries replay 0199b000-0000-7000-8000-0000000000dd]  [Warum: takt story 0199b000-0000-7000-8000-0000000000dd]
        Gefährdet ist: nichts Gespeichertes. Es fehlt: die Übergabe an „ERP“. Bestellungen warten hier.

        Für die Technik:
          Funktion: checkout
          Geschichte: 0199b000-0000-7000-8000-000000000001
          Dauer: 0,0008 s
          Rollen des Aufrufers: customer
          Rechte: runs_as = "service"
          Quelle: logic/checkout.ts:27
          Anfrage und SQL: werden nicht aufbewahrt; die Schritte nennen je Zeile Tabelle, Schlüssel und Felder
        ===== en 0
        Buy now: B-2026-00001 · Mon 23 Nov 2026, 09:14:07 (UTC) · SUCCEEDED, one delivery is outstanding
        "Buy now" succeeded. It wrote to: Products and Orders.
        One delivery is still under way.
        ===== en 1
        Buy now: B-2026-00001 · Mon 23 Nov 2026, 09:14:07 (UTC) · SUCCEEDED, one delivery is outstanding
        "Buy now" succeeded. It wrote to: Products and Orders.
        One delivery is still under way.
        Who: Customer account …0000a1b2. The process works with the house's own rights. It may do more than the caller could.
        Set off by: Warenkorb.

        1 ✓ Basket checked  (0.0004 s)

        2 ✓ Stock reserved  (0.0004 s)
             Stoneware pot: 1,007 in stock
             Changed: Products "Steingutkanne" – Stock 1,007 → 1,006

        3 ✓ Order written  (0.0004 s)
             Created: Orders "B-2026-00001"

        Announced: order.placed.
        All of it was stored together, in one go (0.0008 s).

        What happened afterwards:
          … To „ERP“: tried 3 times, has not arrived yet: die andere Seite ist nicht bereit; next try: 23 Nov 2026, 09:25:49 (UTC).
              [Try again: takt deliveries replay 0199b000-0000-7000-8000-0000000000dd]  [Why: takt story 0199b000-0000-7000-8000-0000000000dd]
        At risk: nothing that is stored. Missing: the delivery to „ERP“. Bestellungen warten hier.
        ===== en 2
        Buy now: B-2026-00001 · Mon 23 Nov 2026, 09:14:07 (UTC) · SUCCEEDED, one delivery is outstanding
        "Buy now" succeeded. It wrote to: Products and Orders.
        One delivery is still under way.
        Who: Customer account …0000a1b2. The process works with the house's own rights. It may do more than the caller could.
        Set off by: Warenkorb (0199b000-0000-7000-8000-0000000000ee).

        1 ✓ Basket checked  (0.0004 s)

        2 ✓ Stock reserved  (0.0004 s)
             Stoneware pot: 1,007 in stock
             Changed: Products "Steingutkanne" – Stock 1,007 → 1,006
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
        Version of the rules: 471ae99f0b12, in service since 23 Nov 2026, 09:10:00 (UTC).
        This time it was as usual: usual are 0.0007 s (median of the last 128 in 28 days).

        What happened afterwards:
          … To „ERP“: tried 3 times, has not arrived yet: die andere Seite ist nicht bereit; next try: 23 Nov 2026, 09:25:49 (UTC).
              [Try again: takt deliveries replay 0199b000-0000-7000-8000-0000000000dd]  [Why: takt story 0199b000-0000-7000-8000-0000000000dd]
        At risk: nothing that is stored. Missing: the delivery to „ERP“. Bestellungen warten hier.
        ===== en 3
        Buy now: B-2026-00001 · Mon 23 Nov 2026, 09:14:07 (UTC) · SUCCEEDED, one delivery is outstanding
        "Buy now" succeeded. It wrote to: Products and Orders.
        One delivery is still under way.
        Who: Customer account …0000a1b2. The process works with the house's own rights. It may do more than the caller could.
        Set off by: Warenkorb (0199b000-0000-7000-8000-0000000000ee).

        1 ✓ Basket checked  (0.0004 s)

        2 ✓ Stock reserved  (0.0004 s)
             logic/checkout.ts:41
             Stoneware pot: 1,007 in stock
             Changed: Products "Steingutkanne" – Stock 1,007 → 1,006
               Stock: 1,007 → 1,006
               Allowed because the process works with the house's own rights, not with the caller's.
               update products 0199a001-0000-7000-8000-000000000003

        3 ✓ Order written  (0.0004 s)
             Created: Orders "B-2026-00001"
               id: …000000aa
               Order number: B-2026-00001
               Status: open
               Total: €1,039.90
               Recipient: hidden
               Ordered: 23 Nov 2026, 09:14:07 (UTC)
               Allowed because the process works with the house's own rights, not with the caller's.
               insert orders 0199b000-0000-7000-8000-0000000000aa

        Announced: order.placed.
        All of it was stored together, in one go (0.0008 s).
        Version of the rules: 471ae99f0b12, in service since 23 Nov 2026, 09:10:00 (UTC).
        This time it was as usual: usual are 0.0007 s (median of the last 128 in 28 days).

        What happened afterwards:
          … To „ERP“: tried 3 times, has not arrived yet: die andere Seite ist nicht bereit; next try: 23 Nov 2026, 09:25:49 (UTC).
              [Try again: takt deliveries replay 0199b000-0000-7000-8000-0000000000dd]  [Why: takt story 0199b000-0000-7000-8000-0000000000dd]
        At risk: nothing that is stored. Missing: the delivery to „ERP“. Bestellungen warten hier.

        For the developer:
          Function: checkout
          Story: 0199b000-0000-7000-8000-000000000001
          Took: 0.0008 s
          Caller's roles: customer
          Rights: runs_as = "service"
          Source: logic/checkout.ts:27
          Request and SQL: are not kept; the steps name table, key and fields of each row
    "#]].assert_eq(&all_depths(&story, &[waiting()]));
}

#[test]
fn a_refusal_at_every_depth() {
    let mut story = bought();
    story.result =
        StoryResult::Refused { status: 409, message: both("Assam ist ausverkauft.", "Assam is sold out.") };
    story.steps.truncate(2);
    story.steps[1].succeeded = false;
    story.steps[1].changes.clear();
    story.events.clear();
    let mut known = background();
    known.follows = None;
    let told = |language| tell_story_with(&story, &shop(), language, &known);
    let text =
        [told("de"), told("en")].map(|t| [0, 1, 2, 3].map(|d| t.to_depth(Depth::of(d))).join("=====\n"));
    expect![[r#"
        Jetzt kaufen · Mo 23.11.2026, 09:14:07 Uhr (UTC) · ABGELEHNT
        „Jetzt kaufen“ wurde von den Regeln abgelehnt. Es wurde nichts geschrieben.
        =====
        Jetzt kaufen · Mo 23.11.2026, 09:14:07 Uhr (UTC) · ABGELEHNT
        „Jetzt kaufen“ wurde von den Regeln abgelehnt. Es wurde nichts geschrieben.
        Wer: Kundenkonto …0000a1b2. Der Vorgang arbeitet mit den Rechten des Hauses. Er darf mehr, als der Aufrufer selbst dürfte.
        Auslöser: Warenkorb.

        1 ✓ Warenkorb geprüft  (0,0004 s)

        2 ✗ Bestand reserviert  (0,0004 s)

        Nichts ging hinaus.
        Abgelehnt mit: „Assam ist ausverkauft.“ Es wurde nichts geschrieben.
        =====
        Jetzt kaufen · Mo 23.11.2026, 09:14:07 Uhr (UTC) · ABGELEHNT
        „Jetzt kaufen“ wurde von den Regeln abgelehnt. Es wurde nichts geschrieben.
        Wer: Kundenkonto …0000a1b2. Der Vorgang arbeitet mit den Rechten des Hauses. Er darf mehr, als der Aufrufer selbst dürfte.
        Auslöser: Warenkorb (0199b000-0000-7000-8000-0000000000ee).

        1 ✓ Warenkorb geprüft  (0,0004 s)

        2 ✗ Bestand reserviert  (0,0004 s)

        Nichts ging hinaus.
        Abgelehnt mit: „Assam ist ausverkauft.“ Es wurde nichts geschrieben.
        Stand der Regeln: 471ae99f0b12, in Betrieb seit 23.11.2026, 09:10:00 Uhr (UTC).
        =====
        Jetzt kaufen · Mo 23.11.2026, 09:14:07 Uhr (UTC) · ABGELEHNT
        „Jetzt kaufen“ wurde von den Regeln abgelehnt. Es wurde nichts geschrieben.
        Wer: Kundenkonto …0000a1b2. Der Vorgang arbeitet mit den Rechten des Hauses. Er darf mehr, als der Aufrufer selbst dürfte.
        Auslöser: Warenkorb (0199b000-0000-7000-8000-0000000000ee).

        1 ✓ Warenkorb geprüft  (0,0004 s)

        2 ✗ Bestand reserviert  (0,0004 s)
             logic/checkout.ts:41

        Nichts ging hinaus.
        Abgelehnt mit: „Assam ist ausverkauft.“ Es wurde nichts geschrieben.
        Stand der Regeln: 471ae99f0b12, in Betrieb seit 23.11.2026, 09:10:00 Uhr (UTC).

        Für die Technik:
          Funktion: checkout
          Geschichte: 0199b000-0000-7000-8000-000000000001
          Dauer: 0,0008 s
          Rollen des Aufrufers: customer
          Rechte: runs_as = "service"
          Quelle: logic/checkout.ts:27
          Status: 409
          Anfrage und SQL: werden nicht aufbewahrt; die Schritte nennen je Zeile Tabelle, Schlüssel und Felder
        ==========
        Buy now · Mon 23 Nov 2026, 09:14:07 (UTC) · REFUSED
        The rules refused "Buy now". Nothing was written.
        =====
        Buy now · Mon 23 Nov 2026, 09:14:07 (UTC) · REFUSED
        The rules refused "Buy now". Nothing was written.
        Who: Customer account …0000a1b2. The process works with the house's own rights. It may do more than the caller could.
        Set off by: Warenkorb.

        1 ✓ Basket checked  (0.0004 s)

        2 ✗ Stock reserved  (0.0004 s)

        Nothing left.
        Refused with: "Assam is sold out." Nothing was written.
        =====
        Buy now · Mon 23 Nov 2026, 09:14:07 (UTC) · REFUSED
        The rules refused "Buy now". Nothing was written.
        Who: Customer account …0000a1b2. The process works with the house's own rights. It may do more than the caller could.
        Set off by: Warenkorb (0199b000-0000-7000-8000-0000000000ee).

        1 ✓ Basket checked  (0.0004 s)

        2 ✗ Stock reserved  (0.0004 s)

        Nothing left.
        Refused with: "Assam is sold out." Nothing was written.
        Version of the rules: 471ae99f0b12, in service since 23 Nov 2026, 09:10:00 (UTC).
        =====
        Buy now · Mon 23 Nov 2026, 09:14:07 (UTC) · REFUSED
        The rules refused "Buy now". Nothing was written.
        Who: Customer account …0000a1b2. The process works with the house's own rights. It may do more than the caller could.
        Set off by: Warenkorb (0199b000-0000-7000-8000-0000000000ee).

        1 ✓ Basket checked  (0.0004 s)

        2 ✗ Stock reserved  (0.0004 s)
             logic/checkout.ts:41

        Nothing left.
        Refused with: "Assam is sold out." Nothing was written.
        Version of the rules: 471ae99f0b12, in service since 23 Nov 2026, 09:10:00 (UTC).

        For the developer:
          Function: checkout
          Story: 0199b000-0000-7000-8000-000000000001
          Took: 0.0008 s
          Caller's roles: customer
          Rights: runs_as = "service"
          Source: logic/checkout.ts:27
          Status: 409
          Request and SQL: are not kept; the steps name table, key and fields of each row
    "#]].assert_eq(&text.join("==========\n"));
}

#[test]
fn a_failed_job_says_what_follows() {
    let mut story = bought();
    story.label = both("Bestände abgleichen", "Compare stock");
    story.function = "compare_stock".into();
    story.caller = None;
    story.caller_roles = vec!["service_role".into()];
    story.cause = StoryCause::Later { id: "0199".into(), attempt: 2, asked_by: Some("0198".into()) };
    story.elevated = false;
    story.result = StoryResult::Failed {
        code: "P0001".into(),
        message: "x is not a function".into(),
        position: Some("logic/compare_stock.ts:12:9".into()),
    };
    story.steps.clear();
    story.events.clear();
    expect![[r#"
        ===== de 0
        Bestände abgleichen · Mo 23.11.2026, 09:14:07 Uhr (UTC) · FEHLGESCHLAGEN
        „Bestände abgleichen“ ist fehlgeschlagen. Es wurde nichts geschrieben.
        ===== de 1
        Bestände abgleichen · Mo 23.11.2026, 09:14:07 Uhr (UTC) · FEHLGESCHLAGEN
        „Bestände abgleichen“ ist fehlgeschlagen. Es wurde nichts geschrieben.
        Wer: Niemand; ein früherer Vorgang hat es bestellt (Versuch 2). Der Vorgang arbeitet mit den Rechten des Hauses, weil niemand ihn aufgerufen hat.
        Auslöser: Warenkorb.

        Nichts ging hinaus.
        Ein Fehler im Programm hat den Vorgang beendet. Es wurde nichts geschrieben.
        Es wird von selbst noch einmal versucht: 23.11.2026, 09:19:07 Uhr (UTC).

        Für die Technik:
          Funktion: compare_stock
          Geschichte: 0199b000-0000-7000-8000-000000000001
          Dauer: 0,0008 s
          Rollen des Aufrufers: service_role
          Rechte: caller
          Quelle: logic/checkout.ts:27
          Aufgabe: 0199, 2
          Code: P0001
          Meldung: x is not a function
          Stelle: logic/compare_stock.ts:12:9
          Anfrage und SQL: werden nicht aufbewahrt; die Schritte nennen je Zeile Tabelle, Schlüssel und Felder
        ===== de 2
        Bestände abgleichen · Mo 23.11.2026, 09:14:07 Uhr (UTC) · FEHLGESCHLAGEN
        „Bestände abgleichen“ ist fehlgeschlagen. Es wurde nichts geschrieben.
        Wer: Niemand; ein früherer Vorgang hat es bestellt (Versuch 2). Der Vorgang arbeitet mit den Rechten des Hauses, weil niemand ihn aufgerufen hat.
        Auslöser: Warenkorb (0199b000-0000-7000-8000-0000000000ee).

        Nichts ging hinaus.
        Ein Fehler im Programm hat den Vorgang beendet. Es wurde nichts geschrieben.
        Es wird von selbst noch einmal versucht: 23.11.2026, 09:19:07 Uhr (UTC).
        Stand der Regeln: 471ae99f0b12, in Betrieb seit 23.11.2026, 09:10:00 Uhr (UTC).

        Für die Technik:
          Funktion: compare_stock
          Geschichte: 0199b000-0000-7000-8000-000000000001
          Dauer: 0,0008 s
          Rollen des Aufrufers: service_role
          Rechte: caller
          Quelle: logic/checkout.ts:27
          Aufgabe: 0199, 2
          Code: P0001
          Meldung: x is not a function
          Stelle: logic/compare_stock.ts:12:9
          Anfrage und SQL: werden nicht aufbewahrt; die Schritte nennen je Zeile Tabelle, Schlüssel und Felder
        ===== de 3
        Bestände abgleichen · Mo 23.11.2026, 09:14:07 Uhr (UTC) · FEHLGESCHLAGEN
        „Bestände abgleichen“ ist fehlgeschlagen. Es wurde nichts geschrieben.
        Wer: Niemand; ein früherer Vorgang hat es bestellt (Versuch 2). Der Vorgang arbeitet mit den Rechten des Hauses, weil niemand ihn aufgerufen hat.
        Auslöser: Warenkorb (0199b000-0000-7000-8000-0000000000ee).

        Nichts ging hinaus.
        Ein Fehler im Programm hat den Vorgang beendet. Es wurde nichts geschrieben.
        Es wird von selbst noch einmal versucht: 23.11.2026, 09:19:07 Uhr (UTC).
        Stand der Regeln: 471ae99f0b12, in Betrieb seit 23.11.2026, 09:10:00 Uhr (UTC).

        Für die Technik:
          Funktion: compare_stock
          Geschichte: 0199b000-0000-7000-8000-000000000001
          Dauer: 0,0008 s
          Rollen des Aufrufers: service_role
          Rechte: caller
          Quelle: logic/checkout.ts:27
          Aufgabe: 0199, 2
          Code: P0001
          Meldung: x is not a function
          Stelle: logic/compare_stock.ts:12:9
          Anfrage und SQL: werden nicht aufbewahrt; die Schritte nennen je Zeile Tabelle, Schlüssel und Felder
        ===== en 0
        Compare stock · Mon 23 Nov 2026, 09:14:07 (UTC) · FAILED
        "Compare stock" failed. Nothing was written.
        ===== en 1
        Compare stock · Mon 23 Nov 2026, 09:14:07 (UTC) · FAILED
        "Compare stock" failed. Nothing was written.
        Who: Nobody; an earlier process had asked for it (try 2). The process works with the house's own rights, because nobody called it.
        Set off by: Warenkorb.

        Nothing left.
        A fault in the program ended the process. Nothing was written.
        It is tried again by itself: 23 Nov 2026, 09:19:07 (UTC).

        For the developer:
          Function: compare_stock
          Story: 0199b000-0000-7000-8000-000000000001
          Took: 0.0008 s
          Caller's roles: service_role
          Rights: caller
          Source: logic/checkout.ts:27
          Job: 0199, 2
          Code: P0001
          Message: x is not a function
          Place: logic/compare_stock.ts:12:9
          Request and SQL: are not kept; the steps name table, key and fields of each row
        ===== en 2
        Compare stock · Mon 23 Nov 2026, 09:14:07 (UTC) · FAILED
        "Compare stock" failed. Nothing was written.
        Who: Nobody; an earlier process had asked for it (try 2). The process works with the house's own rights, because nobody called it.
        Set off by: Warenkorb (0199b000-0000-7000-8000-0000000000ee).

        Nothing left.
        A fault in the program ended the process. Nothing was written.
        It is tried again by itself: 23 Nov 2026, 09:19:07 (UTC).
        Version of the rules: 471ae99f0b12, in service since 23 Nov 2026, 09:10:00 (UTC).

        For the developer:
          Function: compare_stock
          Story: 0199b000-0000-7000-8000-000000000001
          Took: 0.0008 s
          Caller's roles: service_role
          Rights: caller
          Source: logic/checkout.ts:27
          Job: 0199, 2
          Code: P0001
          Message: x is not a function
          Place: logic/compare_stock.ts:12:9
          Request and SQL: are not kept; the steps name table, key and fields of each row
        ===== en 3
        Compare stock · Mon 23 Nov 2026, 09:14:07 (UTC) · FAILED
        "Compare stock" failed. Nothing was written.
        Who: Nobody; an earlier process had asked for it (try 2). The process works with the house's own rights, because nobody called it.
        Set off by: Warenkorb (0199b000-0000-7000-8000-0000000000ee).

        Nothing left.
        A fault in the program ended the process. Nothing was written.
        It is tried again by itself: 23 Nov 2026, 09:19:07 (UTC).
        Version of the rules: 471ae99f0b12, in service since 23 Nov 2026, 09:10:00 (UTC).

        For the developer:
          Function: compare_stock
          Story: 0199b000-0000-7000-8000-000000000001
          Took: 0.0008 s
          Caller's roles: service_role
          Rights: caller
          Source: logic/checkout.ts:27
          Job: 0199, 2
          Code: P0001
          Message: x is not a function
          Place: logic/compare_stock.ts:12:9
          Request and SQL: are not kept; the steps name table, key and fields of each row
    "#]].assert_eq(&all_depths(&story, &[]));
    let mut ends = String::new();
    for follows in [Follows::Done, Follows::GivenUp, Follows::Cancelled, Follows::Scheduled(story.at)] {
        for language in ["de", "en"] {
            let known = Background { follows: Some(follows), ..Background::default() };
            ends.push_str(&format!("{}\n", tell_story_with(&story, &shop(), language, &known).next));
        }
    }
    expect![[r#"
        Ein späterer Versuch ist gelungen.
        A later try succeeded.
        Es wird nicht mehr von selbst versucht. Ein Mensch muss entscheiden.
        It is not tried again by itself. A person must decide.
        Ein Mensch hat es abgebrochen.
        A person has cancelled it.
        Der nächste planmäßige Lauf: 23.11.2026, 09:14:07 Uhr (UTC).
        The next scheduled run: 23 Nov 2026, 09:14:07 (UTC).
    "#]]
    .assert_eq(&ends);
}

#[test]
fn a_dead_letter_of_a_story_offers_to_try_again() {
    let stopped = later("„ERP“", Went::Stopped, 4, "es wurde so nicht angenommen (Antwort 422)");
    let told = |language| tell_story(&bought(), &shop(), language).and_then(std::slice::from_ref(&stopped));
    let tail = |text: String, from: &str| text.split_once(from).unwrap().1.to_owned();
    let text = told("de").headline
        + &tail(told("de").to_depth(Depth::Steps), "Was danach geschah")
        + &told("en").headline
        + &tail(told("en").to_depth(Depth::Steps), "What happened afterwards");
    expect![[r#"
        Jetzt kaufen: B-2026-00001 · Mo 23.11.2026, 09:14:07 Uhr (UTC) · ERFOLGREICH, eine Übergabe braucht eine Entscheidung:
          ✗ An „ERP“: nicht angekommen nach 4 Versuchen: es wurde so nicht angenommen (Antwort 422). Ein Mensch muss entscheiden.
              [Jetzt erneut: takt deliveries replay 0199b000-0000-7000-8000-0000000000dd]  [Warum: takt story 0199b000-0000-7000-8000-0000000000dd]
        Gefährdet ist: nichts Gespeichertes. Es fehlt: die Übergabe an „ERP“. Bestellungen warten hier.
        Buy now: B-2026-00001 · Mon 23 Nov 2026, 09:14:07 (UTC) · SUCCEEDED, one delivery needs a decision:
          ✗ To „ERP“: did not arrive after 4 tries: es wurde so nicht angenommen (Antwort 422). A person must decide.
              [Try again: takt deliveries replay 0199b000-0000-7000-8000-0000000000dd]  [Why: takt story 0199b000-0000-7000-8000-0000000000dd]
        At risk: nothing that is stored. Missing: the delivery to „ERP“. Bestellungen warten hier.
    "#]].assert_eq(&text);
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
