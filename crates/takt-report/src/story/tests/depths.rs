//! From one sentence to everything: a success with a delivery outstanding.

use expect_test::expect;

use super::fixture::*;
use crate::{
    story::{later::Went, *},
    text::both,
};

#[test]
fn a_story_is_told_as_deep_as_asked() {
    let told = tell_story(&bought(), &shop(), "en").and_then(&[later("ERP", Went::Running, 1, "")]);
    expect![[r#"
        Buy now: B-2026-00001 · Mon 23 Nov 2026, 09:14:07 (UTC) · SUCCEEDED, one delivery is outstanding
        "Buy now" succeeded. It wrote to: Products and Orders.
        The delivery to ERP is still under way.
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
fn a_success_with_a_delivery_outstanding_at_every_depth() {
    let mut story = bought();
    story.steps[1].notes = vec![both("Steingutkanne: 1.007 vorhanden", "Stoneware pot: 1,007 in stock")];
    expect![[r#"
        ===== de 0
        Jetzt kaufen: B-2026-00001 · Mo 23.11.2026, 09:14:07 Uhr (UTC) · ERFOLGREICH, eine Übergabe steht aus
        „Jetzt kaufen“ ist gelungen. Geschrieben wurde in: Artikel und Bestellungen.
        Die Übergabe an „ERP“ steht noch aus, denn die andere Seite ist nicht bereit; es geht nichts verloren.
        ===== de 1
        Jetzt kaufen: B-2026-00001 · Mo 23.11.2026, 09:14:07 Uhr (UTC) · ERFOLGREICH, eine Übergabe steht aus
        „Jetzt kaufen“ ist gelungen. Geschrieben wurde in: Artikel und Bestellungen.
        Die Übergabe an „ERP“ steht noch aus, denn die andere Seite ist nicht bereit; es geht nichts verloren.
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
        Die Übergabe an „ERP“ steht noch aus, denn die andere Seite ist nicht bereit; es geht nichts verloren.
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
        Die Übergabe an „ERP“ steht noch aus, denn die andere Seite ist nicht bereit; es geht nichts verloren.
        Wer: Kundenkonto …0000a1b2. Der Vorgang arbeitet mit den Rechten des Hauses. Er darf mehr, als der Aufrufer selbst dürfte.
        Auslöser: Warenkorb (0199b000-0000-7000-8000-0000000000ee).

        1 ✓ Warenkorb geprüft  (0,0004 s)

        2 ✓ Bestand reserviert  (0,0004 s)
             logic/checkout.ts:41
             UPDATE "products" SET "stock" = ?2 WHERE "products"."id" = ?1
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
          Anfrage: POST /rest/v1/rpc/checkout
          Kopfzeilen: nicht aufbewahrt
          Inhalt: nicht aufbewahrt; das geschieht nur bei Aufrufen mit Idempotency-Key und bis 4.000 Bytes
          SQL: je Schritt die Anweisung, mit der eine solche Zeile geschrieben wird; ?1, ?2 … stehen für die Werte. Wonach vorher gesucht wurde, ist nicht aufbewahrt. Nach dem heutigen Stand des Projekts, der seither ein anderer ist: Damals kann sie anders gelautet haben.
        ===== en 0
        Buy now: B-2026-00001 · Mon 23 Nov 2026, 09:14:07 (UTC) · SUCCEEDED, one delivery is outstanding
        "Buy now" succeeded. It wrote to: Products and Orders.
        The delivery to „ERP“ has not arrived yet, because die andere Seite ist nicht bereit; nothing is lost.
        ===== en 1
        Buy now: B-2026-00001 · Mon 23 Nov 2026, 09:14:07 (UTC) · SUCCEEDED, one delivery is outstanding
        "Buy now" succeeded. It wrote to: Products and Orders.
        The delivery to „ERP“ has not arrived yet, because die andere Seite ist nicht bereit; nothing is lost.
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
        The delivery to „ERP“ has not arrived yet, because die andere Seite ist nicht bereit; nothing is lost.
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
        The delivery to „ERP“ has not arrived yet, because die andere Seite ist nicht bereit; nothing is lost.
        Who: Customer account …0000a1b2. The process works with the house's own rights. It may do more than the caller could.
        Set off by: Warenkorb (0199b000-0000-7000-8000-0000000000ee).

        1 ✓ Basket checked  (0.0004 s)

        2 ✓ Stock reserved  (0.0004 s)
             logic/checkout.ts:41
             UPDATE "products" SET "stock" = ?2 WHERE "products"."id" = ?1
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
          Request: POST /rest/v1/rpc/checkout
          Headers: not kept
          Body: not kept; only of calls with an Idempotency-Key and up to 4,000 bytes
          SQL: with each step, the statement that writes such a row; ?1, ?2 ... stand for the values. What was looked for before is not kept. By the project of today, which is another one since: it may have been different then.
    "#]].assert_eq(&all_depths(&story, &[waiting()]));
}
