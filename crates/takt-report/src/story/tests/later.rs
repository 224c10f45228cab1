//! What became of a story at others.

use expect_test::expect;

use super::fixture::*;
use crate::story::{later::Went, *};

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
              [Es ist angekommen: takt deliveries arrived 0199b000-0000-7000-8000-0000000000dd]  [Jetzt erneut: takt deliveries replay 0199b000-0000-7000-8000-0000000000dd]  [Warum: takt story 0199b000-0000-7000-8000-0000000000dd]
          ✗ An Amt: angekommen, aber die Antwort ist nicht so, wie es vereinbart ist. Was daraus folgt, wartet; ein Mensch muss entscheiden.
          – An Alt: von einem Menschen abgebrochen.
        Gefährdet ist: nichts Gespeichertes. Es fehlt: die Übergabe an ERP, Lager, Kasse und Bote. Bestellungen warten hier.
    "#]]
    .assert_eq(afterwards);
    assert_eq!(
        told.open,
        "3 Übergaben sind stehen geblieben und brauchen eine Entscheidung: an Kasse, Bote und Amt. Die Übergabe an ERP steht noch aus, denn antwortet mit 503; es geht nichts verloren. Die Übergabe an Lager steht noch aus."
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
