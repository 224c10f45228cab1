//! The figures of an answer, and whether they can be right. Pure.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};
use takt_model::{Figure, FigureKind, Figures, PlausibleRule};

use super::{Direction, DriftKind, Finding, Judged, Kept, Place, sample};
use crate::payload;

/// Judges what a question brought by its figures and those of the last answer that was taken (`last`, a JSON object).
pub(super) fn judge(place: Place<'_>, rules: &[PlausibleRule], result: &Json, last: Option<&str>) -> Judged {
    let rows = rows(result);
    let mut figures: Vec<Figure> = rules.iter().flat_map(PlausibleRule::figures).collect();
    figures.sort();
    figures.dedup();
    let now: Figures = figures.iter().filter_map(|f| Some((f.to_string(), value(f, rows)?))).collect();
    let before: Figures = last.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let broken: Vec<&PlausibleRule> = rules.iter().filter(|rule| !rule.holds(&now, &before)).collect();
    let told = told(&now);
    let Some(first) = broken.first() else {
        let kept = Kept { step: String::new(), direction: Direction::Result, sample: told };
        return Judged { kept: vec![kept], ..Judged::default() };
    };
    let finding = |rule: &&PlausibleRule| Finding {
        step: String::new(),
        direction: Direction::Result,
        path: rule.text().to_owned(),
        kind: DriftKind::Implausible,
        breaking: true,
        detail: rule.looks_back().then(|| "last".to_owned()),
        before: last.map(sample::cap),
        after: told.clone(),
        contract: String::new(),
        times: 1,
    };
    let more = if broken.len() > 1 { format!(" (and {} more)", broken.len() - 1) } else { String::new() };
    let stop = format!(
        "plausible: the answer to `{}` cannot be right: `{}` does not hold{more}",
        place.operation,
        first.text()
    );
    Judged { findings: broken.iter().map(finding).collect(), stop: Some(stop), ..Judged::default() }
}

fn told(figures: &Figures) -> String {
    let number = |value: f64| {
        // Counts read better without a point.
        if value.fract() == 0.0 && value.abs() < 1e15 { json!(value as i64) } else { json!(value) }
    };
    let all: serde_json::Map<String, Json> =
        figures.iter().map(|(name, v)| (name.clone(), number(*v))).collect();
    Json::Object(all).to_string()
}

/// The rows of an answer: the list that it is, or the longest of the lists in it.
fn rows(result: &Json) -> &[Json] {
    match result {
        Json::Array(list) => list,
        Json::Object(map) => {
            let lists = map.values().filter_map(Json::as_array);
            lists.max_by_key(|list| list.len()).map_or(&[], Vec::as_slice)
        }
        _ => &[],
    }
}

/// A figure; none where there are no numbers to take it of.
fn value(figure: &Figure, rows: &[Json]) -> Option<f64> {
    let field = figure.field.as_deref().unwrap_or_default();
    let values = || rows.iter().filter_map(|row| payload::at(row, field)).filter(|v| !v.is_null());
    let numbers = || values().filter_map(number);
    match figure.kind {
        FigureKind::Rows => Some(rows.len() as f64),
        FigureKind::Zeros => Some(numbers().filter(|n| *n == 0.0).count() as f64),
        FigureKind::Count => Some(values().count() as f64),
        FigureKind::Distinct => Some(values().map(Json::to_string).collect::<BTreeSet<_>>().len() as f64),
        FigureKind::Min => numbers().reduce(f64::min),
        FigureKind::Max => numbers().reduce(f64::max),
        FigureKind::Sum => Some(numbers().sum()),
        FigureKind::Avg => {
            let (sum, count) = numbers().fold((0.0, 0_u32), |(sum, count), n| (sum + n, count + 1));
            (count > 0).then(|| sum / f64::from(count))
        }
    }
}

/// Decimals may stand as texts.
fn number(value: &Json) -> Option<f64> {
    let number = match value {
        Json::Number(number) => number.as_f64(),
        Json::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.filter(|n| n.is_finite())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn stock(numbers: impl IntoIterator<Item = i64>) -> Json {
        let rows: Vec<_> = numbers.into_iter().map(|n| json!({ "slug": "a", "stock": n })).collect();
        json!({ "products": rows })
    }

    fn judged(rules: &[&str], result: &Json, last: Option<&str>) -> Judged {
        let rules: Vec<_> = rules.iter().map(|r| PlausibleRule::parse(r).unwrap()).collect();
        judge(Place { connection: "erp", operation: "stock", step: "" }, &rules, result, last)
    }

    const RULES: [&str; 3] = [
        "zeros(stock) <= 50% * rows",
        "rows >= 0.8 * last.rows",
        "zeros(stock) <= last.zeros(stock) + 20% * rows",
    ];

    #[test]
    fn stock_of_nothing_but_zeros_cannot_be_right() {
        let refused = judged(&RULES, &stock([0; 80]), None);
        assert_eq!(
            refused.stop.as_deref(),
            Some(
                "plausible: the answer to `stock` cannot be right: `zeros(stock) <= 50% * rows` does not hold"
            )
        );
        assert!(refused.kept.is_empty(), "a refused answer is not the last one");
        let [finding] = refused.findings.as_slice() else { panic!("{refused:?}") };
        assert_eq!(finding.after, r#"{"rows":80,"zeros(stock)":80}"#);
    }

    #[test]
    fn an_answer_is_compared_with_the_last_one_that_was_taken() {
        let first = judged(&RULES, &stock(1..=80), None);
        assert_eq!(first.stop, None);
        let last = first.kept[0].sample.clone();
        for (numbers, fits) in [
            ((1..=80).collect::<Vec<i64>>(), true),
            ((1..=64).collect(), true),
            ((1..=63).collect(), false),
            (std::iter::repeat_n(0, 16).chain(1..=64).collect(), true),
            (std::iter::repeat_n(0, 17).chain(1..=63).collect(), false),
            (Vec::new(), false),
        ] {
            assert_eq!(
                judged(&RULES, &stock(numbers.clone()), Some(&last)).stop.is_none(),
                fits,
                "{numbers:?}"
            );
        }
    }

    #[test]
    fn figures_are_taken_of_rows_wherever_they_are() {
        let rows = json!([{ "a": { "n": "2.50" } }, { "a": { "n": 1 } }, { "a": { "n": null } }, { "b": 1 }]);
        for (figure, expected) in [
            (FigureKind::Rows, Some(4.0)),
            (FigureKind::Count, Some(2.0)),
            (FigureKind::Sum, Some(3.5)),
            (FigureKind::Avg, Some(1.75)),
            (FigureKind::Min, Some(1.0)),
            (FigureKind::Max, Some(2.5)),
            (FigureKind::Zeros, Some(0.0)),
            (FigureKind::Distinct, Some(2.0)),
        ] {
            let figure = Figure { kind: figure, field: Some("a.n".to_owned()) };
            assert_eq!(value(&figure, super::rows(&rows)), expected, "{figure}");
        }
        let none = Figure { kind: FigureKind::Min, field: Some("x".to_owned()) };
        assert_eq!(value(&none, super::rows(&rows)), None);
        assert_eq!(super::rows(&json!({ "page": 1, "rows": [1, 2] })).len(), 2);
        assert!(super::rows(&json!("text")).is_empty());
    }
}
