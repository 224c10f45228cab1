//! The comparison itself: what they told against what we have. Pure.
//! Invariants: what cannot be read is an error, never an empty list; a field that they do not tell does not agree.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value as Json};
use takt_model::{Field, FieldType, SharedState, Value};

use crate::{DifferenceKind, payload};

/// What stands in place of a personal value.
const MASK: &str = "•••";
/// Characters of a value that are kept for people.
const LONGEST: usize = 200;
/// Entries of one answer.
pub(super) const MOST: usize = 20_000;

/// What they told about one thing.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) key: String,
    /// When it came up there.
    pub(super) at: Option<i64>,
    fields: Map<String, Json>,
    /// The message that should have come.
    pub(super) message: Option<Json>,
}

/// A row of ours.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    /// The primary key, as text.
    pub(super) id: String,
    pub(super) key: String,
    pub(super) at: i64,
    /// Whether it has on our side what they report.
    pub(super) holds: bool,
    /// Values of the fields that must agree, in their order.
    pub(super) same: Vec<Value>,
    /// Names of the states that it is in.
    pub(super) states: Vec<String>,
}

/// What must agree besides that a thing is there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Agreed<'p> {
    /// Fields, of which rows have the values in this order.
    pub(super) same: &'p [&'p Field],
    pub(super) states: &'p [SharedState],
}

/// Something that does not agree.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    pub(super) kind: DifferenceKind,
    pub(super) key: String,
    pub(super) at: i64,
    pub(super) field: Option<String>,
    pub(super) ours: Option<String>,
    pub(super) theirs: Option<String>,
    /// Our row, by its primary key.
    pub(super) row: Option<String>,
    pub(super) message: Option<Json>,
}

/// What the comparison gave.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Compared {
    pub(super) matched: usize,
    /// Not there yet, and too young to be missing.
    pub(super) young: usize,
    pub(super) found: Vec<Found>,
}

/// Reads the list that the function gave: `[{ key, at, <fields>, message }]`.
pub(super) fn entries(result: &str) -> Result<Vec<Entry>, String> {
    let told: Json = serde_json::from_str(result).map_err(|_| "the function gave no JSON".to_owned())?;
    let Json::Array(list) = told else {
        return Err("the function must give a list: [{ key, at, ... }]".to_owned());
    };
    if list.len() > MOST {
        return Err(format!("they told more than {MOST} entries; a shorter `window` has fewer"));
    }
    list.into_iter().map(entry).collect()
}

fn entry(told: Json) -> Result<Entry, String> {
    let Json::Object(mut fields) = told else { return Err("an entry of theirs is no object".to_owned()) };
    let key = fields.remove("key").as_ref().and_then(payload::text).filter(|k| !k.is_empty());
    let key = key.ok_or_else(|| "an entry of theirs has no `key`".to_owned())?;
    let at = match fields.remove("at") {
        None | Some(Json::Null) => None,
        Some(at) => Some(moment(&at).ok_or_else(|| format!("`at` of {key} is no moment"))?),
    };
    let message = fields.remove("message").filter(|m| !m.is_null());
    Ok(Entry { key, at, fields, message })
}

/// A moment as text, or in seconds since 1970.
fn moment(at: &Json) -> Option<i64> {
    match at {
        Json::Number(seconds) => seconds.as_i64()?.checked_mul(1_000_000),
        Json::String(text) => match FieldType::Timestamp.parse_text(text) {
            Ok(Value::Timestamp(at)) => Some(at),
            _ => None,
        },
        _ => None,
    }
}

/// Compares. `expected` are rows that they must know, `ours` all rows that they named, by key. What came up after
/// `young` is not missing yet.
pub(super) fn compare(
    expected: &[Row],
    ours: &HashMap<String, Row>,
    theirs: &[Entry],
    agreed: Agreed<'_>,
    young: i64,
    now: i64,
) -> Compared {
    let mut compared = Compared::default();
    let mut groups: HashMap<&str, Vec<&Entry>> = HashMap::new();
    let mut order = Vec::new();
    for entry in theirs {
        let group = groups.entry(&entry.key).or_default();
        if group.is_empty() {
            order.push(entry.key.as_str());
        }
        group.push(entry);
    }
    for key in order {
        let Some([first, more @ ..]) = groups.get(key).map(Vec::as_slice) else { continue };
        if !more.is_empty() {
            compared.found.push(twice(first, more.len() + 1, ours.get(key), now));
        }
        one(&mut compared, first, ours.get(key), agreed, young, now);
    }
    let known: HashSet<&str> = theirs.iter().map(|e| e.key.as_str()).collect();
    for row in expected.iter().filter(|row| !known.contains(row.key.as_str())) {
        if row.at > young {
            compared.young += 1;
        } else {
            let row_id = Some(row.id.clone());
            compared
                .found
                .push(Found { row: row_id, ..found(DifferenceKind::MissingThere, &row.key, row.at) });
        }
    }
    compared
}

fn one(compared: &mut Compared, entry: &Entry, row: Option<&Row>, agreed: Agreed<'_>, young: i64, now: i64) {
    let at = entry.at.unwrap_or(now);
    let differing: Vec<Found> = row.map(|row| differing(entry, row, agreed)).unwrap_or_default();
    match row {
        Some(row) if differing.is_empty() && row.holds => compared.matched += 1,
        // What differs is told, and nothing is done about it: nobody knows which side is right.
        Some(_) if !differing.is_empty() => compared.found.extend(differing),
        _ if entry.at.is_some_and(|at| at > young) => compared.young += 1,
        row => compared.found.push(Found {
            row: row.map(|r| r.id.clone()),
            message: entry.message.clone(),
            ..found(DifferenceKind::MissingHere, &entry.key, at)
        }),
    }
}

/// As it is kept for people: short, and as a database keeps it.
fn shown(text: &str) -> String {
    let mut text = payload::head(text, LONGEST);
    payload::without_nul(&mut text);
    text
}

fn found(kind: DifferenceKind, key: &str, at: i64) -> Found {
    let key = shown(key);
    Found { kind, key, at, field: None, ours: None, theirs: None, row: None, message: None }
}

fn twice(entry: &Entry, times: usize, row: Option<&Row>, now: i64) -> Found {
    Found {
        theirs: Some(times.to_string()),
        row: row.map(|r| r.id.clone()),
        ..found(DifferenceKind::Twice, &entry.key, row.map(|r| r.at).or(entry.at).unwrap_or(now))
    }
}

/// The moment of a finding is the row's own: by that, later comparisons look for it again.
fn differing(entry: &Entry, row: &Row, agreed: Agreed<'_>) -> Vec<Found> {
    let values =
        agreed.same.iter().zip(&row.same).filter_map(|(field, ours)| value_differs(entry, row, field, ours));
    values.chain(agreed.states.iter().filter_map(|state| state_differs(entry, row, state))).collect()
}

fn value_differs(entry: &Entry, row: &Row, field: &Field, ours: &Value) -> Option<Found> {
    let told = entry.fields.get(&field.name);
    let theirs = told.and_then(payload::text);
    // Compared as values of the field: 12.9 is 12.90.
    let read = theirs.as_deref().and_then(|text| field.kind.parse_text(text).ok());
    let is_same = match ours {
        Value::Null => told.is_none_or(Json::is_null),
        ours => read.as_ref() == Some(ours),
    };
    let shown = |text: String| if field.personal.is_some() { MASK.to_owned() } else { shown(&text) };
    (!is_same).then(|| Found {
        field: Some(field.name.clone()),
        ours: (*ours != Value::Null).then(|| shown(ours.as_ref().to_text())),
        theirs: theirs.map(shown),
        row: Some(row.id.clone()),
        ..found(DifferenceKind::Different, &entry.key, row.at)
    })
}

/// `true` or `false` on both sides; anything else that they tell agrees with nothing.
fn state_differs(entry: &Entry, row: &Row, state: &SharedState) -> Option<Found> {
    let told = entry.fields.get(&state.name);
    let ours = row.states.contains(&state.name);
    (told.and_then(Json::as_bool) != Some(ours)).then(|| Found {
        field: Some(state.name.clone()),
        ours: Some(ours.to_string()),
        theirs: told.and_then(payload::text).map(|text| shown(&text)),
        row: Some(row.id.clone()),
        ..found(DifferenceKind::Different, &entry.key, row.at)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use takt_model::{Decimal, Project, ProjectFiles};

    use super::*;

    const SCHEMA: &str = r#"
label = { en = "Orders" }
[fields]
id = { type = "uuid", primary_key = true }
total = { type = "decimal(12,2)" }
email = { type = "text", personal = "contact" }
"#;

    fn row(key: &str, at: i64, holds: bool, total: &str) -> Row {
        let total = FieldType::Decimal { precision: 12, scale: 2 }.parse_text(total).unwrap();
        let same = vec![total, Value::Text("a@b.example".to_owned())];
        // Whoever has nothing to pay is called free here.
        let states =
            if same[0] == Value::Decimal(Decimal::ZERO) { vec!["free".to_owned()] } else { Vec::new() };
        Row { id: format!("id-{key}"), key: key.to_owned(), at, holds, same, states }
    }

    /// Orders as `(number, moment, whether paid, total)`, payments as JSON; what is found in short words.
    fn check(ours: &[(&str, i64, bool, &str)], theirs: &str) -> (usize, usize, Vec<String>) {
        let files = ProjectFiles::from([("schema/orders.toml", SCHEMA)]);
        let (project, _) = Project::parse(&files, &[]);
        let table = project.table("orders").unwrap();
        let same = [table.field("total").unwrap(), table.field("email").unwrap()];
        let rows: Vec<Row> = ours.iter().map(|(key, at, paid, total)| row(key, *at, *paid, total)).collect();
        let expected: Vec<Row> = rows.iter().filter(|r| r.holds).cloned().collect();
        let by_key = rows.into_iter().map(|r| (r.key.clone(), r)).collect();
        let theirs = entries(theirs).unwrap();
        let agreed = Agreed { same: &same, states: &[] };
        let compared = compare(&expected, &by_key, &theirs, agreed, 100_000_000, 200_000_000);
        let say = |f: Found| {
            let more = [f.field, f.ours, f.theirs].into_iter().flatten().collect::<Vec<_>>().join(" ");
            format!("{} {} {more}", f.kind.name(), f.key).trim_end().to_owned()
        };
        (compared.matched, compared.young, compared.found.into_iter().map(say).collect())
    }

    #[test]
    fn both_sides_are_told() {
        let same = r#""email":"a@b.example""#;
        for (ours, theirs, matched, young, found) in [
            (vec![], "[]".to_owned(), 0, 0, vec![]),
            (
                vec![("B1", 1, true, "12.90")],
                format!(r#"[{{"key":"B1","total":"12.9",{same}}}]"#),
                1,
                0,
                vec![],
            ),
            (vec![("B1", 1, true, "12.90")], "[]".to_owned(), 0, 0, vec!["missing_there B1"]),
            (vec![("B1", 150_000_000, true, "12.90")], "[]".to_owned(), 0, 1, vec![]),
            (
                vec![("B1", 1, false, "12.90")],
                format!(r#"[{{"key":"B1","at":50,"total":12.9,{same}}}]"#),
                0,
                0,
                vec!["missing_here B1"],
            ),
            (
                vec![("B1", 1, false, "12.90")],
                format!(r#"[{{"key":"B1","at":150,"total":12.9,{same}}}]"#),
                0,
                1,
                vec![],
            ),
            (vec![], r#"[{"key":"B2","at":50}]"#.to_owned(), 0, 0, vec!["missing_here B2"]),
            (
                vec![("B1", 1, false, "12.90")],
                format!(r#"[{{"key":"B1","total":"12.91",{same}}}]"#),
                0,
                0,
                vec!["different B1 total 12.90 12.91"],
            ),
            (
                vec![("B1", 1, true, "12.90")],
                r#"[{"key":"B1","total":"12.90 usd","email":"x@y.example"}]"#.to_owned(),
                0,
                0,
                vec!["different B1 total 12.90 12.90 usd", "different B1 email ••• •••"],
            ),
            (
                vec![("B1", 1, true, "12.90")],
                format!(r#"[{{"key":"B1",{same}}}]"#),
                0,
                0,
                vec!["different B1 total 12.90"],
            ),
            (
                vec![("B1", 1, true, "12.90")],
                format!(r#"[{{"key":"B1","total":"12.90",{same}}},{{"key":"B1","total":"12.90",{same}}}]"#),
                1,
                0,
                vec!["twice B1 2"],
            ),
        ] {
            let expected = (matched, young, found.into_iter().map(str::to_owned).collect());
            assert_eq!(check(&ours, &theirs), expected, "{ours:?} {theirs}");
        }
    }

    #[test]
    fn what_is_so_on_one_side_only_is_told_in_both_directions() {
        let free = SharedState {
            name: "free".to_owned(),
            label: takt_model::Words::default(),
            when: takt_model::Expr::yes(),
            when_text: String::new(),
        };
        for (total, told, found) in [
            ("0", r#""free":true"#, None),
            ("1", r#""free":false"#, None),
            ("0", r#""free":false"#, Some((Some("true"), Some("false")))),
            ("1", r#""free":true"#, Some((Some("false"), Some("true")))),
            ("1", r#""free":null"#, Some((Some("false"), None))),
            ("1", r#""free":"no""#, Some((Some("false"), Some("no")))),
            ("1", r#""at":50"#, Some((Some("false"), None))),
        ] {
            let ours = HashMap::from([("B1".to_owned(), row("B1", 7, true, total))]);
            let theirs = entries(&format!(r#"[{{"key":"B1",{told}}}]"#)).unwrap();
            let agreed = Agreed { same: &[], states: std::slice::from_ref(&free) };
            let compared = compare(&[], &ours, &theirs, agreed, 100, 200);
            let seen = compared.found.iter().map(|f| (f.at, f.ours.as_deref(), f.theirs.as_deref()));
            let wanted = found.map(|(ours, theirs)| (7, ours, theirs));
            assert_eq!(seen.collect::<Vec<_>>(), wanted.into_iter().collect::<Vec<_>>(), "{total} {told}");
            assert_eq!(compared.matched, usize::from(found.is_none()), "{total} {told}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_never_an_empty_list() {
        for told in ["null", "{}", r#"{"items":[]}"#, "[1]", r#"[{"at":1}]"#, r#"[{"key":"B1","at":"soon"}]"#]
        {
            assert!(entries(told).is_err(), "{told}");
        }
    }
}
