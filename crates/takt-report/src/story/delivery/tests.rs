//! Deliveries in both languages, at every depth.

#![allow(clippy::unwrap_used, reason = "tests")]

use expect_test::expect;

use super::*;

const AT: i64 = 1_795_425_247_000_000;

fn attempt(number: i64, state: State, outcome: &str, status: Option<i64>) -> AttemptFact {
    AttemptFact {
        number,
        at: AT + number * 2_000_000,
        took: Some(410_000),
        outcome: outcome.into(),
        state,
        status,
        why: status.map_or_else(String::new, |s| format!("die andere Seite ist nicht bereit (Antwort {s})")),
        error: status.map(|s| format!("answered {s}")),
        request: Some("POST /orders".into()),
        response: Some("Wartung".into()),
    }
}

fn later(went: Went, attempts: u64) -> Later {
    Later {
        id: "0199b000-0000-7000-8000-0000000000dd".into(),
        connection: "erp".into(),
        to: "„Warenwirtschaft“".into(),
        went,
        attempts,
        why: "die andere Seite ist nicht bereit (Antwort 503)".into(),
        means: "Bestellungen werden angenommen und warten hier.".into(),
    }
}

fn facts(went: Went) -> DeliveryFacts {
    DeliveryFacts {
        subject: "Bestellung B-2026-00012".into(),
        sentence:
            "Bestellung B-2026-00012 ist noch nicht bei „Warenwirtschaft“: die andere Seite ist nicht bereit."
                .into(),
        later: later(went, 2),
        is_question: false,
        was_answered: false,
        created_at: AT,
        attempts: vec![
            attempt(1, State::Red, "fehlgeschlagen", Some(503)),
            attempt(2, State::Red, "fehlgeschlagen", Some(503)),
        ],
        because: Some(Because { id: "0199b000".into(), title: "Jetzt kaufen".into() }),
        rule: "Weil interfaces/erp.toml es so will: „sale“ bei order.placed.".into(),
        content: r#"{"email":"•••"}"#.into(),
        edited: false,
        hides: true,
        decisions: vec!["Am 23.11.2026 hat owner@example.org: Zustellung noch einmal angestoßen.".into()],
        after: Vec::new(),
        technical: vec![("Spur".into(), "B-2026-00012".into())],
    }
}

#[test]
fn a_delivery_that_waits_says_what_is_missing_and_until_when() {
    let told = tell_delivery(&facts(Went::Waits(Some(AT + 4_500_000_000))), "de", "UTC");
    let text = [0, 1, 2, 3].map(|depth| told.to_depth(Depth::of(depth))).join("=====\n");
    expect![[r#"
        Bestellung B-2026-00012 an „Warenwirtschaft“ · Mo 23.11.2026, 09:14:07 Uhr (UTC) · STEHT AUS
        Bestellung B-2026-00012 ist noch nicht bei „Warenwirtschaft“: die andere Seite ist nicht bereit.
        =====
        Bestellung B-2026-00012 an „Warenwirtschaft“ · Mo 23.11.2026, 09:14:07 Uhr (UTC) · STEHT AUS
        Bestellung B-2026-00012 ist noch nicht bei „Warenwirtschaft“: die andere Seite ist nicht bereit.
        Auslöser: Jetzt kaufen.

        Versuche:
          1 ✗ 23.11.2026, 09:14:09 Uhr (UTC): fehlgeschlagen – die andere Seite ist nicht bereit (Antwort 503) (0,41 s)
          2 ✗ 23.11.2026, 09:14:11 Uhr (UTC): fehlgeschlagen – die andere Seite ist nicht bereit (Antwort 503) (0,41 s)

        … An „Warenwirtschaft“: 2-mal versucht, noch nicht angekommen: die andere Seite ist nicht bereit (Antwort 503); nächster Versuch: 23.11.2026, 10:29:07 Uhr (UTC).
            [Jetzt erneut: takt deliveries replay 0199b000-0000-7000-8000-0000000000dd]
        Gefährdet ist: nichts Gespeichertes. Es fehlt: die Übergabe an „Warenwirtschaft“. Bestellungen werden angenommen und warten hier.
        Am 23.11.2026 hat owner@example.org: Zustellung noch einmal angestoßen.
        =====
        Bestellung B-2026-00012 an „Warenwirtschaft“ · Mo 23.11.2026, 09:14:07 Uhr (UTC) · STEHT AUS
        Bestellung B-2026-00012 ist noch nicht bei „Warenwirtschaft“: die andere Seite ist nicht bereit.
        Auslöser: Jetzt kaufen (0199b000).

        Versuche:
          1 ✗ 23.11.2026, 09:14:09 Uhr (UTC): fehlgeschlagen – die andere Seite ist nicht bereit (Antwort 503) (0,41 s)
          2 ✗ 23.11.2026, 09:14:11 Uhr (UTC): fehlgeschlagen – die andere Seite ist nicht bereit (Antwort 503) (0,41 s)

        … An „Warenwirtschaft“: 2-mal versucht, noch nicht angekommen: die andere Seite ist nicht bereit (Antwort 503); nächster Versuch: 23.11.2026, 10:29:07 Uhr (UTC).
            [Jetzt erneut: takt deliveries replay 0199b000-0000-7000-8000-0000000000dd]
        Gefährdet ist: nichts Gespeichertes. Es fehlt: die Übergabe an „Warenwirtschaft“. Bestellungen werden angenommen und warten hier.
        Am 23.11.2026 hat owner@example.org: Zustellung noch einmal angestoßen.

        Weil interfaces/erp.toml es so will: „sale“ bei order.placed.
        Inhalt: {"email":"•••"}
        Persönliche Werte sind verborgen; mit --reason "…" werden sie gezeigt, und das wird vermerkt.
        =====
        Bestellung B-2026-00012 an „Warenwirtschaft“ · Mo 23.11.2026, 09:14:07 Uhr (UTC) · STEHT AUS
        Bestellung B-2026-00012 ist noch nicht bei „Warenwirtschaft“: die andere Seite ist nicht bereit.
        Auslöser: Jetzt kaufen (0199b000).

        Versuche:
          1 ✗ 23.11.2026, 09:14:09 Uhr (UTC): fehlgeschlagen – die andere Seite ist nicht bereit (Antwort 503) (0,41 s)
               → POST /orders
               ← Wartung
          2 ✗ 23.11.2026, 09:14:11 Uhr (UTC): fehlgeschlagen – die andere Seite ist nicht bereit (Antwort 503) (0,41 s)
               → POST /orders
               ← Wartung

        … An „Warenwirtschaft“: 2-mal versucht, noch nicht angekommen: die andere Seite ist nicht bereit (Antwort 503); nächster Versuch: 23.11.2026, 10:29:07 Uhr (UTC).
            [Jetzt erneut: takt deliveries replay 0199b000-0000-7000-8000-0000000000dd]
        Gefährdet ist: nichts Gespeichertes. Es fehlt: die Übergabe an „Warenwirtschaft“. Bestellungen werden angenommen und warten hier.
        Am 23.11.2026 hat owner@example.org: Zustellung noch einmal angestoßen.

        Weil interfaces/erp.toml es so will: „sale“ bei order.placed.
        Inhalt: {"email":"•••"}
        Persönliche Werte sind verborgen; mit --reason "…" werden sie gezeigt, und das wird vermerkt.

        Für die Technik:
          Spur: B-2026-00012
    "#]].assert_eq(&text);
}

#[test]
fn every_end_has_plain_words_in_both_languages() {
    let ends = [
        Went::Arrived(Some(AT)),
        Went::Running,
        Went::Held,
        Went::Stopped,
        Went::Unclear,
        Went::Cancelled(Some(AT)),
    ];
    let mut text = String::new();
    for went in ends {
        for language in ["de", "en"] {
            let told = tell_delivery(&facts(went), language, "Europe/Berlin");
            text.push_str(&format!("{}\n{}\n{}\n", told.headline, told.stands.sentence, told.at_risk));
        }
    }
    expect![[r#"
        Bestellung B-2026-00012 an „Warenwirtschaft“ · Mo 23.11.2026, 10:14:07 Uhr (MEZ) · ANGEKOMMEN
        An „Warenwirtschaft“: angekommen am 23.11.2026, 10:14:07 Uhr (MEZ) nach 2 Versuchen.

        Bestellung B-2026-00012 to „Warenwirtschaft“ · Mon 23 Nov 2026, 10:14:07 (CET) · ARRIVED
        To „Warenwirtschaft“: arrived on 23 Nov 2026, 10:14:07 (CET) after 2 tries.

        Bestellung B-2026-00012 an „Warenwirtschaft“ · Mo 23.11.2026, 10:14:07 Uhr (MEZ) · UNTERWEGS
        An „Warenwirtschaft“: ist gerade unterwegs.
        Gefährdet ist: nichts Gespeichertes. Es fehlt: die Übergabe an „Warenwirtschaft“. Bestellungen werden angenommen und warten hier.
        Bestellung B-2026-00012 to „Warenwirtschaft“ · Mon 23 Nov 2026, 10:14:07 (CET) · UNDER WAY
        To „Warenwirtschaft“: is under way just now.
        At risk: nothing that is stored. Missing: the delivery to „Warenwirtschaft“. Bestellungen werden angenommen und warten hier.
        Bestellung B-2026-00012 an „Warenwirtschaft“ · Mo 23.11.2026, 10:14:07 Uhr (MEZ) · ANGEHALTEN
        An „Warenwirtschaft“: wartet, weil die Verbindung angehalten ist. Es geht nichts verloren.
        Gefährdet ist: nichts Gespeichertes. Es fehlt: die Übergabe an „Warenwirtschaft“. Bestellungen werden angenommen und warten hier.
        Bestellung B-2026-00012 to „Warenwirtschaft“ · Mon 23 Nov 2026, 10:14:07 (CET) · PAUSED
        To „Warenwirtschaft“: waiting because the connection is paused. Nothing is lost.
        At risk: nothing that is stored. Missing: the delivery to „Warenwirtschaft“. Bestellungen werden angenommen und warten hier.
        Bestellung B-2026-00012 an „Warenwirtschaft“ · Mo 23.11.2026, 10:14:07 Uhr (MEZ) · UNZUSTELLBAR
        An „Warenwirtschaft“: nicht angekommen nach 2 Versuchen: die andere Seite ist nicht bereit (Antwort 503). Ein Mensch muss entscheiden.
        Gefährdet ist: nichts Gespeichertes. Es fehlt: die Übergabe an „Warenwirtschaft“. Bestellungen werden angenommen und warten hier.
        Bestellung B-2026-00012 to „Warenwirtschaft“ · Mon 23 Nov 2026, 10:14:07 (CET) · UNDELIVERABLE
        To „Warenwirtschaft“: did not arrive after 2 tries: die andere Seite ist nicht bereit (Antwort 503). A person must decide.
        At risk: nothing that is stored. Missing: the delivery to „Warenwirtschaft“. Bestellungen werden angenommen und warten hier.
        Bestellung B-2026-00012 an „Warenwirtschaft“ · Mo 23.11.2026, 10:14:07 Uhr (MEZ) · UNKLAR
        An „Warenwirtschaft“: gesendet, aber niemand weiß, ob es angekommen ist. Ein Mensch muss entscheiden.
        Gefährdet ist: nichts Gespeichertes. Es fehlt: die Übergabe an „Warenwirtschaft“. Bestellungen werden angenommen und warten hier.
        Bestellung B-2026-00012 to „Warenwirtschaft“ · Mon 23 Nov 2026, 10:14:07 (CET) · UNCLEAR
        To „Warenwirtschaft“: sent, but nobody knows whether it arrived. A person must decide.
        At risk: nothing that is stored. Missing: the delivery to „Warenwirtschaft“. Bestellungen werden angenommen und warten hier.
        Bestellung B-2026-00012 an „Warenwirtschaft“ · Mo 23.11.2026, 10:14:07 Uhr (MEZ) · ABGEBROCHEN
        An „Warenwirtschaft“: von einem Menschen abgebrochen am 23.11.2026, 10:14:07 Uhr (MEZ).

        Bestellung B-2026-00012 to „Warenwirtschaft“ · Mon 23 Nov 2026, 10:14:07 (CET) · CANCELLED
        To „Warenwirtschaft“: cancelled by a person on 23 Nov 2026, 10:14:07 (CET).

    "#]].assert_eq(&text);
}

#[test]
fn an_answer_that_is_not_taken_over_is_an_answer() {
    let mut question = facts(Went::Cancelled(Some(AT)));
    (question.is_question, question.was_answered) = (true, true);
    question.subject = "stock".into();
    let told = |language| tell_delivery(&question, language, "UTC").to_depth(Depth::Sentence);
    expect![[r#"
        Frage an „Warenwirtschaft“: stock · Mo 23.11.2026, 09:14:07 Uhr (UTC) · BEANTWORTET, ABER NICHT ÜBERNOMMEN
        „Warenwirtschaft“ hat geantwortet, aber nicht so, wie es vereinbart ist oder stimmen kann. Es wurde nichts übernommen.
        Question to „Warenwirtschaft“: stock · Mon 23 Nov 2026, 09:14:07 (UTC) · ANSWERED, NOT TAKEN OVER
        „Warenwirtschaft“ has answered, but not as agreed or not in a way that can be right. Nothing was taken over.
    "#]].assert_eq(&(told("de") + &told("en")));
    assert_eq!(tell_delivery(&question, "de", "UTC").state, State::Yellow);
    question.later.went = Went::Arrived(Some(AT));
    assert_eq!(tell_delivery(&question, "en", "UTC").outcome, "answered");
    question.later.went = Went::Waits(None);
    assert_eq!(tell_delivery(&question, "en", "UTC").outcome, "outstanding");
}

#[test]
fn the_next_try_is_told_in_the_zone_of_the_shop() {
    let mut waits = facts(Went::Waits(Some(AT)));
    waits.later.attempts = 0;
    for language in ["de", "en"] {
        let told = tell_delivery(&waits, language, "Europe/Berlin").stands.sentence;
        assert!(told.contains("10:14:07"), "{told}");
    }
}

#[test]
fn a_question_without_an_answer_needs_no_decision() {
    let mut question = facts(Went::Cancelled(Some(AT)));
    question.is_question = true;
    question.subject = "stock".into();
    let told = |language| tell_delivery(&question, language, "UTC").to_depth(Depth::Sentence);
    expect![[r#"
        Frage an „Warenwirtschaft“: stock · Mo 23.11.2026, 09:14:07 Uhr (UTC) · OHNE ANTWORT
        „Warenwirtschaft“ hat nicht geantwortet. Die nächste Frage geht nach Plan hinaus; es geht nichts verloren.
        Question to „Warenwirtschaft“: stock · Mon 23 Nov 2026, 09:14:07 (UTC) · WITHOUT AN ANSWER
        „Warenwirtschaft“ has not answered. The next question leaves on schedule; nothing is lost.
    "#]].assert_eq(&(told("de") + &told("en")));
    let text = tell_delivery(&question, "de", "UTC");
    assert_eq!((text.state, text.at_risk.as_str()), (State::Yellow, ""));
    let whole = text.to_depth(Depth::Technical);
    assert!(!whole.contains("Menschen"), "nobody cancelled it: {whole}");
}
