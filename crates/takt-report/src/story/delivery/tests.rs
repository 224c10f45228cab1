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
        sentence: "Bestellung B-2026-00012 ist noch nicht bei „Warenwirtschaft“: die andere Seite ist nicht bereit.".into(),
        later: later(went, 2),
        is_question: false,
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
    expect![[r#""#]].assert_eq(&text);
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
    expect![[r#""#]].assert_eq(&text);
}

#[test]
fn a_question_without_an_answer_needs_no_decision() {
    let mut question = facts(Went::Cancelled(Some(AT)));
    question.is_question = true;
    question.subject = "stock".into();
    let told = |language| tell_delivery(&question, language, "UTC").to_depth(Depth::Sentence);
    expect![[r#""#]].assert_eq(&(told("de") + &told("en")));
    let text = tell_delivery(&question, "de", "UTC");
    assert_eq!((text.state, text.at_risk.as_str()), (State::Yellow, ""));
    let whole = text.to_depth(Depth::Technical);
    assert!(!whole.contains("Menschen"), "nobody cancelled it: {whole}");
}
