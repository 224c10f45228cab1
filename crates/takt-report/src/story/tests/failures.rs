//! From one sentence to everything: what was refused, and what failed.

use expect_test::expect;

use super::fixture::*;
use crate::{
    story::{background::Follows, *},
    text::both,
};

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
          Anfrage: POST /rest/v1/rpc/checkout
          Kopfzeilen: nicht aufbewahrt
          Inhalt: nicht aufbewahrt; das geschieht nur bei Aufrufen mit Idempotency-Key und bis 4.000 Bytes
          SQL: nichts wurde geschrieben
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
          Request: POST /rest/v1/rpc/checkout
          Headers: not kept
          Body: not kept; only of calls with an Idempotency-Key and up to 4,000 bytes
          SQL: nothing was written
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
          SQL: nichts wurde geschrieben
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
          SQL: nichts wurde geschrieben
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
          SQL: nichts wurde geschrieben
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
          SQL: nothing was written
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
          SQL: nothing was written
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
          SQL: nothing was written
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
