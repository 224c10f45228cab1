//! The lights of blocks, on results written by hand, and the report of a healthy instance.

#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::{
    checks::tests::healthy,
    report::{EvidenceClass, judge},
};

fn result(state: State, weight: u8, cap: bool) -> CheckResult {
    CheckResult {
        id: "D01",
        weight,
        cap,
        state,
        title: both("", ""),
        value: takt_model::Words::default(),
        threshold: both("", ""),
        meaning: both("", ""),
        ask: Ask::Agency,
        question: both("", ""),
        advice: both("", ""),
        effort: Effort::Small,
        class: EvidenceClass::Measured,
        evidence: Vec::new(),
        at: 0,
    }
}

#[test]
fn lights_follow_the_first_rule_that_fits() {
    use State::{Green as G, NotApplicable as N, Red as R, TooYoung as T, Unknown as U, Yellow as Y};
    type Results = [(State, u8, bool)];
    let cases: [(&str, &Results, State); 18] = [
        ("all green", &[(G, 5, true), (G, 3, false)], G),
        ("nothing asked", &[], U),
        ("all unknown is grey, not red", &[(U, 5, true), (U, 3, false)], U),
        ("all too young", &[(T, 5, false)], T),
        ("too young and not applicable", &[(T, 5, false), (N, 1, false)], T),
        ("red of weight 5", &[(R, 5, false), (G, 5, false), (G, 5, false)], R),
        ("red that caps", &[(R, 1, true), (G, 5, false), (G, 5, false)], R),
        (
            "two reds of weight 3",
            &[(R, 3, false), (R, 3, false), (G, 5, false), (G, 5, false), (G, 5, false)],
            R,
        ),
        ("one red of weight 3", &[(R, 3, false), (G, 5, false), (G, 5, false)], Y),
        ("fewer than half of the points", &[(R, 2, false), (Y, 2, false), (G, 1, false)], R),
        ("half of the points", &[(Y, 2, false)], Y),
        ("more than half unknown", &[(G, 3, false), (U, 5, false)], U),
        ("unknown of weight 3", &[(G, 5, false), (G, 5, false), (U, 3, false)], Y),
        ("small unknown", &[(G, 5, false), (G, 5, false), (U, 1, false)], G),
        ("yellow of weight 3", &[(G, 5, false), (G, 5, false), (Y, 3, false)], Y),
        ("small yellow", &[(G, 5, false), (G, 5, false), (Y, 1, false)], G),
        ("too young and a small green", &[(T, 5, false), (G, 1, false)], U),
        ("too young is left out", &[(G, 5, false), (T, 5, false)], G),
    ];
    for (name, results, expected) in cases {
        let results: Vec<_> = results.iter().map(|(s, w, k)| result(*s, *w, *k)).collect();
        let weight = results.iter().map(|r| u32::from(r.weight)).sum();
        assert_eq!(block_light(&results, weight), expected, "{name}");
    }
}

#[test]
fn few_good_answers_do_not_make_a_block_green() {
    let one = [result(State::Green, 3, false)];
    assert_eq!(block_light(&one, 9), State::Green);
    assert_eq!(block_light(&one, 10), State::Unknown);
    let with_gap = [result(State::Green, 1, false), result(State::Unknown, 1, false)];
    assert_eq!(block_light(&with_gap, 100), State::Unknown, "a gap alone does not make it yellow");
    let bad = [result(State::Red, 5, false)];
    assert_eq!(block_light(&bad, 100), State::Red, "a bad one counts at once");
}

#[test]
fn knowing_more_never_makes_it_worse_than_unknown() {
    // 9 of the weight known green; the next answer turns from unknown to yellow.
    let known =
        |state| [result(State::Green, 5, false), result(State::Green, 4, false), result(state, 2, false)];
    let points = |s| gravity(block_light(&known(s), 11));
    assert!(points(State::Yellow) >= points(State::Unknown));
}

#[test]
fn a_healthy_young_catalogue_is_not_called_green_as_a_whole() {
    let report = judge(&healthy());
    assert_eq!(report.total.state, State::Unknown, "32 of 94 answers do not carry a verdict");
    assert_eq!(report.blocks.len(), 6);
    assert_eq!(report.blocks.iter().map(|b| b.planned).sum::<usize>(), 94);
    let lights: Vec<_> = report.blocks.iter().map(|b| (b.id.letter(), b.state)).collect();
    assert_eq!(
        lights,
        [
            ('D', State::Green),
            ('M', State::Yellow),
            ('R', State::Green),
            ('S', State::Green),
            ('Z', State::Unknown),
            ('V', State::Unknown),
        ]
    );
    for block in &report.blocks {
        assert_eq!(block.results.len() + block.open.len(), block.planned, "{}", block.id.letter());
    }
}

#[test]
fn a_cap_makes_the_whole_red_and_comes_first_in_the_steps() {
    let mut evidence = healthy();
    evidence.accounts.as_mut().unwrap().with_second_factor = 0;
    evidence.store.as_mut().unwrap().durable = false;
    let report = judge(&evidence);
    assert_eq!(report.total.state, State::Red);
    assert_eq!(report.total.reason.get("en"), Some("Confirmed orders survive a power cut: no."));
    let steps: Vec<_> = report.steps.iter().map(|s| s.id).collect();
    assert_eq!(steps, ["D08", "R07", "M11"]);
}

#[test]
fn without_findings_the_gravest_open_questions_are_the_next_steps() {
    let report = judge(&healthy());
    let steps: Vec<_> = report.steps.iter().map(|s| s.id).collect();
    assert_eq!(steps, ["M11", "M03", "V05"]);
}
