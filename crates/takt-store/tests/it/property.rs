//! Random filters: what SQLite answers to our SQL is what a small evaluator in Rust answers, with three-valued logic
//! and exact numbers.

use proptest::{prelude::*, test_runner::TestRunner};
use takt_model::{
    ArithmeticOp, CompareOp, Decimal, Expr, FieldId, Principal, ScalarFunction, TableId, Value,
};
use takt_plan::Plan;

use crate::fixture::*;

/// How many filters are tried.
const CASES: u32 = 600;
const WORDS: [&str; 6] = ["", "a", "Ab", "äb%", "a_b", "AB"];

/// One row: id, cents, fine, small, big, word, flag.
type Sample = Vec<Value>;

/// Rows with many nulls, equal values in different columns, and the edges of the types.
fn samples() -> Vec<Sample> {
    let cents = ["0", "1.10", "-1.10", "9.99", "1000000.01", "9999999999.99"];
    let fine = ["0", "1.1", "1.1001", "-1.1", "9.9900", "9999.9999"];
    let small = [0, 1, -1, 9, 10, i64::from(i32::MAX)];
    let big = [0, 1, -1, 10, i64::MAX, i64::MIN];
    let pick = |n: usize, v: Value| if n % 7 == 6 { Value::Null } else { v };
    (0..60_usize)
        .map(|n| {
            let (a, b, c, d, e) = (n % 6, (n / 2 + 1) % 6, (n / 3 + 2) % 6, (n * 5 + 1) % 6, (n / 4) % 6);
            vec![
                Value::Integer(i64::try_from(n).unwrap()),
                pick(n * 3 + 1, money(cents[a])),
                pick(n * 5 + 2, money(fine[b])),
                pick(n + 3, Value::Integer(small[c])),
                pick(n * 2 + 4, Value::Integer(big[d])),
                pick(n * 4 + 5, text(WORDS[e])),
                pick(n * 6 + 1, Value::Boolean(n % 2 == 0)),
            ]
        })
        .collect()
}

#[derive(Debug, Clone, Copy)]
struct Ids {
    table: TableId,
    numbers: [FieldId; 4],
    word: FieldId,
    flag: FieldId,
}

fn column(ids: Ids, field: FieldId) -> Expr {
    Expr::Column { scope: 0, table: ids.table, field }
}

fn number_literal() -> impl Strategy<Value = Expr> {
    prop_oneof![
        2 => (-30_i64..30).prop_map(Value::Integer),
        1 => proptest::sample::select(vec![i64::MAX, i64::MIN, i64::from(i32::MAX)]).prop_map(Value::Integer),
        4 => (-200_000_i64..200_000, 0_u32..6).prop_map(|(m, s)| Value::Decimal(Decimal::new(m, s))),
        1 => proptest::sample::select(vec!["1.1", "1.10", "9.99", "9.9900", "9999999999.99", "0.0000000001", "-79228162514264337593543950335"])
            .prop_map(money),
        1 => Just(Value::Null),
    ]
    .prop_map(Expr::Literal)
}

/// A number that arithmetic cannot drive out of range.
fn tame_number(ids: Ids) -> impl Strategy<Value = Expr> {
    prop_oneof![
        Just(column(ids, ids.numbers[1])),
        Just(column(ids, ids.numbers[2])),
        (-30_i64..30).prop_map(|v| Expr::Literal(Value::Integer(v))),
        (-2_000_i64..2_000, 0_u32..4).prop_map(|(m, s)| Expr::Literal(Value::Decimal(Decimal::new(m, s)))),
    ]
}

fn number(ids: Ids) -> impl Strategy<Value = Expr> {
    let op =
        proptest::sample::select(vec![ArithmeticOp::Add, ArithmeticOp::Subtract, ArithmeticOp::Multiply]);
    prop_oneof![
        4 => proptest::sample::select(ids.numbers.to_vec()).prop_map(move |f| column(ids, f)),
        3 => number_literal(),
        2 => (op, tame_number(ids), tame_number(ids))
            .prop_map(|(op, l, r)| Expr::Arithmetic(op, Box::new(l), Box::new(r))),
        1 => tame_number(ids).prop_map(|e| Expr::Function(ScalarFunction::Abs, vec![e])),
        1 => (proptest::sample::select(ids.numbers[..3].to_vec()), tame_number(ids))
            .prop_map(move |(f, e)| Expr::Function(ScalarFunction::Coalesce, vec![column(ids, f), e])),
        1 => Just(Expr::Function(ScalarFunction::Length, vec![column(ids, ids.word)])),
    ]
}

fn word(ids: Ids) -> impl Strategy<Value = Expr> {
    prop_oneof![
        2 => Just(column(ids, ids.word)),
        2 => proptest::sample::select(WORDS.to_vec()).prop_map(|w| Expr::Literal(text(w))),
        1 => Just(Expr::Function(ScalarFunction::Lower, vec![column(ids, ids.word)])),
        1 => Just(Expr::Function(ScalarFunction::Upper, vec![column(ids, ids.word)])),
        1 => Just(Expr::Literal(Value::Null)),
    ]
}

fn compare_op() -> impl Strategy<Value = CompareOp> {
    use CompareOp::{Distinct, Eq, Ge, Gt, Le, Lt, Ne, NotDistinct};
    proptest::sample::select(vec![Eq, Ne, Lt, Le, Gt, Ge, Distinct, NotDistinct])
}

fn condition(ids: Ids) -> impl Strategy<Value = Expr> {
    let pattern = "[aAbäÄ%_]{0,4}".prop_map(|p| Expr::Literal(text(&p)));
    let leaf = prop_oneof![
        6 => (compare_op(), number(ids), number(ids))
            .prop_map(|(op, l, r)| Expr::Compare(op, Box::new(l), Box::new(r))),
        2 => (compare_op(), word(ids), word(ids))
            .prop_map(|(op, l, r)| Expr::Compare(op, Box::new(l), Box::new(r))),
        2 => (number(ids), proptest::collection::vec(number_literal(), 0..5))
            .prop_map(|(e, list)| Expr::In(Box::new(e), list)),
        1 => (number(ids), proptest::collection::vec(number(ids), 1..3))
            .prop_map(|(e, list)| Expr::In(Box::new(e), list)),
        1 => (word(ids), proptest::collection::vec(word(ids), 0..3))
            .prop_map(|(e, list)| Expr::In(Box::new(e), list)),
        2 => (word(ids), pattern, any::<bool>()).prop_map(|(e, p, fold_case)| Expr::Like {
            expr: Box::new(e),
            pattern: Box::new(p),
            fold_case,
        }),
        1 => number(ids).prop_map(|e| Expr::IsNull(Box::new(e))),
        2 => Just(column(ids, ids.flag)),
        1 => any::<bool>().prop_map(|b| Expr::Literal(Value::Boolean(b))),
        1 => Just(Expr::Literal(Value::Null)),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Expr::And),
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Expr::Or),
            inner.clone().prop_map(|e| Expr::Not(Box::new(e))),
            (inner.clone(), any::<bool>()).prop_map(|(e, b)| Expr::IsBoolean(Box::new(e), b)),
            inner.prop_map(|e| Expr::IsNull(Box::new(e))),
        ]
    })
}

/// The value of an expression on a row; booleans as [`Value::Boolean`].
fn evaluate(expr: &Expr, row: &Sample) -> Value {
    let truth = |e: &Expr| match evaluate(e, row) {
        Value::Boolean(b) => Some(b),
        _ => None,
    };
    let boolean = |b: Option<bool>| b.map_or(Value::Null, Value::Boolean);
    match expr {
        Expr::Literal(v) => v.clone(),
        Expr::Column { field, .. } => row[usize::from(field.0)].clone(),
        Expr::And(list) => boolean(all(list.iter().map(truth))),
        Expr::Or(list) => boolean(any_of(list.iter().map(truth))),
        Expr::Not(e) => boolean(truth(e).map(|b| !b)),
        Expr::IsNull(e) => Value::Boolean(evaluate(e, row).is_null()),
        Expr::IsBoolean(e, wanted) => Value::Boolean(truth(e) == Some(*wanted)),
        Expr::Compare(op, l, r) => boolean(compare(*op, &evaluate(l, row), &evaluate(r, row))),
        Expr::In(e, list) => {
            let left = evaluate(e, row);
            boolean(any_of(list.iter().map(|e| compare(CompareOp::Eq, &left, &evaluate(e, row)))))
        }
        Expr::Like { expr, pattern, fold_case } => match (evaluate(expr, row), evaluate(pattern, row)) {
            (Value::Text(t), Value::Text(p)) => {
                let fold = |t: String| if *fold_case { t.to_lowercase() } else { t };
                let (t, p): (Vec<char>, Vec<char>) = (fold(t).chars().collect(), fold(p).chars().collect());
                Value::Boolean(like(&p, &t))
            }
            _ => Value::Null,
        },
        Expr::Arithmetic(op, l, r) => match (exact(&evaluate(l, row)), exact(&evaluate(r, row))) {
            (Some(l), Some(r)) => Value::Decimal(match op {
                ArithmeticOp::Add => l + r,
                ArithmeticOp::Subtract => l - r,
                ArithmeticOp::Multiply => l * r,
            }),
            _ => Value::Null,
        },
        Expr::Function(function, list) => {
            let first = evaluate(&list[0], row);
            match (function, first) {
                (ScalarFunction::Coalesce, _) => {
                    list.iter().map(|e| evaluate(e, row)).find(|v| !v.is_null()).unwrap_or(Value::Null)
                }
                (_, Value::Null) => Value::Null,
                (ScalarFunction::Abs, v) => Value::Decimal(exact(&v).unwrap().abs()),
                (ScalarFunction::Length, Value::Text(t)) => {
                    Value::Integer(i64::try_from(t.chars().count()).unwrap())
                }
                (ScalarFunction::Lower, Value::Text(t)) => Value::Text(t.to_lowercase()),
                (ScalarFunction::Upper, Value::Text(t)) => Value::Text(t.to_uppercase()),
                other => panic!("not generated: {other:?}"),
            }
        }
        other => panic!("not generated: {other:?}"),
    }
}

fn all(mut list: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut known = Some(true);
    loop {
        match list.next() {
            None => return known,
            Some(Some(true)) => {}
            Some(Some(false)) => return Some(false),
            Some(None) => known = None,
        }
    }
}

fn any_of(list: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    all(list.map(|b| b.map(|b| !b))).map(|b| !b)
}

fn compare(op: CompareOp, l: &Value, r: &Value) -> Option<bool> {
    use std::cmp::Ordering::{Equal, Greater, Less};
    if l.is_null() || r.is_null() {
        return match op {
            CompareOp::Distinct => Some(l.is_null() != r.is_null()),
            CompareOp::NotDistinct => Some(l.is_null() == r.is_null()),
            _ => None,
        };
    }
    let order = match (l, r) {
        (Value::Text(l), Value::Text(r)) => l.as_bytes().cmp(r.as_bytes()),
        (l, r) => exact(l).unwrap().cmp(&exact(r).unwrap()),
    };
    Some(match op {
        CompareOp::Eq | CompareOp::NotDistinct => order == Equal,
        CompareOp::Ne | CompareOp::Distinct => order != Equal,
        CompareOp::Lt => order == Less,
        CompareOp::Le => order != Greater,
        CompareOp::Gt => order == Greater,
        CompareOp::Ge => order != Less,
    })
}

fn exact(value: &Value) -> Option<Decimal> {
    match value {
        Value::Integer(v) => Some(Decimal::from(*v)),
        Value::Decimal(d) => Some(*d),
        _ => None,
    }
}

fn like(pattern: &[char], text: &[char]) -> bool {
    match pattern {
        [] => text.is_empty(),
        ['%', rest @ ..] => (0..=text.len()).any(|n| like(rest, &text[n..])),
        ['_', rest @ ..] => !text.is_empty() && like(rest, &text[1..]),
        [c, rest @ ..] => text.first() == Some(c) && like(rest, &text[1..]),
    }
}

#[test]
fn sqlite_answers_every_filter_as_the_evaluator_does() {
    let shop = Shop::new();
    let samples = samples();
    let names = ["id", "cents", "fine", "small", "big", "word", "flag"];
    let rows: Vec<Vec<(&str, Value)>> =
        samples.iter().map(|s| names.iter().copied().zip(s.iter().cloned()).collect()).collect();
    let rows: Vec<&[(&str, Value)]> = rows.iter().map(Vec::as_slice).collect();
    let on = shop.on("samples");
    shop.put(Plan::Insert(on.insert(&rows)));
    let ids = Ids {
        table: on.table.id,
        numbers: ["cents", "fine", "small", "big"].map(|n| on.field(n)),
        word: on.field("word"),
        flag: on.field("flag"),
    };
    let mut runner = TestRunner::new(ProptestConfig {
        cases: CASES,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let checked = runner.run(&condition(ids), |filter| {
        let expected: Vec<i64> = samples
            .iter()
            .filter(|row| evaluate(&filter, row) == Value::Boolean(true))
            .map(|row| if let Value::Integer(id) = row[0] { id } else { -1 })
            .collect();
        let plan = Plan::read(on.node("id", "", "id").filtered(filter));
        let found = shop.run(&Principal::service(), plan);
        let found = found.map_err(|e| TestCaseError::fail(e.to_string()))?.0;
        let found: Vec<serde_json::Value> = serde_json::from_str(&found).unwrap();
        let found: Vec<i64> = found.iter().filter_map(|r| r["id"].as_i64()).collect();
        prop_assert_eq!(found, expected);
        Ok(())
    });
    checked.unwrap();
}
