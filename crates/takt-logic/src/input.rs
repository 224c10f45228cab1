//! What a function must be given: the shape written as `export const input`.
//! Lives here: the shape and how it is read. Not here: whether a given input fits (`validate.rs`).

use serde_json::{Map, Value as Json};
use takt_model::{
    Exposure, Expr, Field, FieldId, FieldType, Project, Source, Table, TableId, Words, parse_expression,
};

use crate::near::did_you_mean;

/// What a function must be given.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Input {
    /// In the order of the file.
    pub entries: Vec<Entry>,
}

/// A named part of an input.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Name.
    pub name: String,
    /// Whether it may be left out (or null).
    pub optional: bool,
    /// What it must be.
    pub shape: Shape,
}

/// What a value must be.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// A value of a field type.
    Scalar(Scalar),
    /// An object.
    Object(Vec<Entry>),
    /// A list.
    List(Box<Shape>),
}

/// A value of a field type.
#[derive(Debug, Clone, PartialEq)]
pub struct Scalar {
    /// Its type.
    pub kind: FieldType,
    /// Greatest number of characters of a text.
    pub max: Option<usize>,
    /// As written.
    pub check_text: Option<String>,
    /// Over the named parts of the same object: field ids are their positions.
    pub(crate) check: Option<Expr>,
}

/// Characters of a text without `max`.
pub(crate) const TEXT_MAX: usize = 10_000;
/// Entries of a list.
pub(crate) const LIST_MAX: usize = 1_000;
/// Objects and lists in each other.
const DEPTH_MAX: usize = 8;

const OPTIONS: [&str; 5] = ["type", "check", "max", "optional", "values"];
const TYPES: [&str; 13] = [
    "text",
    "integer",
    "bigint",
    "decimal",
    "double",
    "boolean",
    "date",
    "time",
    "timestamp",
    "uuid",
    "json",
    "bytes",
    "enum",
];

/// What is wrong with an input's shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InputProblem {
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

fn problem(message: String, help: impl Into<Option<String>>) -> InputProblem {
    InputProblem { message, help: help.into() }
}

impl Input {
    /// Reads the exported value.
    pub(crate) fn read(value: &Json) -> Result<Self, Vec<InputProblem>> {
        let Json::Object(map) = value else {
            let help = "write `{ name: \"type\" }`".to_owned();
            return Err(vec![problem("`input` is no object".to_owned(), help)]);
        };
        let mut reader = Reader { problems: Vec::new() };
        let entries = reader.object(map, "", 0);
        if reader.problems.is_empty() { Ok(Self { entries }) } else { Err(reader.problems) }
    }
}

struct Reader {
    problems: Vec<InputProblem>,
}

impl Reader {
    fn object(&mut self, map: &Map<String, Json>, path: &str, depth: usize) -> Vec<Entry> {
        let mut checks = Vec::new();
        let mut entries = Vec::with_capacity(map.len());
        for (name, spec) in map {
            let path = join(path, name);
            let (spec, options) = split(spec);
            let optional = options.and_then(|o| o.get("optional")).is_some_and(|v| v == &Json::Bool(true));
            if let Some(shape) = self.shape(spec, options, &path, depth) {
                let check = options.and_then(|o| o.get("check"));
                checks.push(check.map(|c| (path, c.clone())));
                entries.push(Entry { name: name.clone(), optional, shape });
            }
        }
        for (at, check) in checks.into_iter().enumerate() {
            if let Some((path, check)) = check {
                self.check(&mut entries, at, &path, &check);
            }
        }
        entries
    }

    fn shape(
        &mut self,
        spec: &Json,
        options: Option<&Map<String, Json>>,
        path: &str,
        depth: usize,
    ) -> Option<Shape> {
        if depth > DEPTH_MAX {
            self.problems.push(problem(format!("input `{path}` is nested too deeply"), None));
            return None;
        }
        match spec {
            Json::String(name) => self.scalar(name, options, path).map(Shape::Scalar),
            Json::Object(map) => Some(Shape::Object(self.object(map, path, depth + 1))),
            Json::Array(list) => match list.as_slice() {
                [inner] => {
                    let (spec, inner_options) = split(inner);
                    let shape = self.shape(spec, inner_options, &format!("{path}[]"), depth + 1)?;
                    Some(Shape::List(Box::new(shape)))
                }
                _ => {
                    let help = "write `[\"uuid\"]` or `[{ name: \"type\" }]`".to_owned();
                    self.problems.push(problem(format!("input `{path}`: a list has one shape"), help));
                    None
                }
            },
            _ => {
                let help =
                    "write a type: `\"text\"`, `{ type: \"integer\", check: \"..\" }`, `[{ .. }]`".to_owned();
                self.problems.push(problem(format!("input `{path}` has no type"), help));
                None
            }
        }
    }

    fn scalar(&mut self, name: &str, options: Option<&Map<String, Json>>, path: &str) -> Option<Scalar> {
        let values = options.and_then(|o| o.get("values"));
        let Some(kind) = field_type(name, values, path) else {
            let message = format!("input `{path}`: unknown type `{name}`");
            let first = name.split('(').next().unwrap_or(name);
            let help = match first {
                "enum" => Some("name the values: `{ type: \"enum\", values: [\"a\", \"b\"] }`".to_owned()),
                "decimal" => Some("write `decimal(12,2)`: at most 18 digits".to_owned()),
                "string" => Some("did you mean `text`?".to_owned()),
                "number" | "int" => Some("did you mean `integer`?".to_owned()),
                "bool" => Some("did you mean `boolean`?".to_owned()),
                other => did_you_mean(other, TYPES),
            };
            self.problems.push(problem(message, help));
            return None;
        };
        let max = match options.and_then(|o| o.get("max")) {
            None => None,
            Some(max) => match max.as_u64().and_then(|n| usize::try_from(n).ok()) {
                Some(n) if matches!(kind, FieldType::Text | FieldType::Bytes) && n > 0 => Some(n),
                _ => {
                    let message = format!("input `{path}`: `max` is a number of characters of a text");
                    self.problems.push(problem(message, None));
                    None
                }
            },
        };
        Some(Scalar { kind, max, check_text: None, check: None })
    }

    /// Reads the check of the entry at `at`; it may speak of all scalar entries beside it.
    fn check(&mut self, entries: &mut [Entry], at: usize, path: &str, check: &Json) {
        let table = beside(entries);
        let Some(entry) = entries.get_mut(at) else { return };
        let Shape::Scalar(scalar) = &mut entry.shape else {
            self.problems.push(problem(format!("input `{path}`: only single values have a `check`"), None));
            return;
        };
        let Json::String(text) = check else {
            let help = format!("write `check: \"{} >= 1\"`", entry.name);
            self.problems.push(problem(format!("input `{path}`: `check` is no text"), help));
            return;
        };
        let project = Project { tables: vec![table], ..Project::default() };
        match parse_expression(&project, TableId(0), text) {
            Ok(expr) if crate::check::is_pure(&expr) => {
                scalar.check_text = Some(text.clone());
                scalar.check = Some(expr);
            }
            Ok(_) => {
                let message = format!("input `{path}`: `check` may only speak of the values beside it");
                self.problems.push(problem(message, None));
            }
            Err(found) => {
                let message = format!("input `{path}`: bad `check`: {}", found.message);
                self.problems.push(problem(message, found.help));
            }
        }
    }
}

/// `{ type: .., check: .. }` taken apart; anything else is the shape itself.
fn split(spec: &Json) -> (&Json, Option<&Map<String, Json>>) {
    match spec {
        Json::Object(map) if map.keys().all(|k| OPTIONS.contains(&k.as_str())) => match map.get("type") {
            // `{ type: "text", max: "text" }` is an object with two fields, not a text with a strange maximum.
            Some(inner) if !is_object_of_types(map) => (inner, Some(map)),
            _ => (spec, None),
        },
        _ => (spec, None),
    }
}

fn is_object_of_types(map: &Map<String, Json>) -> bool {
    let is_type = |v: &Json| v.as_str().is_some_and(|t| TYPES.contains(&t.split('(').next().unwrap_or(t)));
    map.len() > 1 && map.values().all(is_type)
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// The type named `name`, as `schema/*.toml` names it.
fn field_type(name: &str, values: Option<&Json>, path: &str) -> Option<FieldType> {
    Some(match name {
        "text" => FieldType::Text,
        "integer" => FieldType::Integer,
        "bigint" => FieldType::Bigint,
        "double" => FieldType::Double,
        "boolean" => FieldType::Boolean,
        "date" => FieldType::Date,
        "time" => FieldType::Time,
        "timestamp" => FieldType::Timestamp,
        "uuid" => FieldType::Uuid,
        "json" => FieldType::Json,
        "bytes" => FieldType::Bytes,
        "enum" => {
            let values: Option<Vec<String>> =
                values?.as_array()?.iter().map(|v| v.as_str().map(ToOwned::to_owned)).collect();
            FieldType::Enum { name: path.to_owned(), values: values.filter(|v| !v.is_empty())? }
        }
        _ => {
            let (precision, scale) = name
                .strip_prefix("decimal(")?
                .strip_suffix(')')?
                .split_once(',')
                .map(|(p, s)| (p.trim(), s.trim()))?;
            let (precision, scale) = (precision.parse::<u8>().ok()?, scale.parse::<u8>().ok()?);
            if !(1..=18).contains(&precision) || scale > precision {
                return None;
            }
            FieldType::Decimal { precision, scale }
        }
    })
}

/// The entries of one object as a table of its own, so that checks are read by the same reader as those of the
/// schema. What is no single value stands there as json, which no comparison takes.
fn beside(entries: &[Entry]) -> Table {
    let field = |(at, entry): (usize, &Entry)| Field {
        id: FieldId(u16::try_from(at).unwrap_or(u16::MAX)),
        name: entry.name.clone(),
        label: Words::default(),
        about: Words::default(),
        kind: match &entry.shape {
            Shape::Scalar(scalar) => scalar.kind.clone(),
            Shape::Object(_) | Shape::List(_) => FieldType::Json,
        },
        required: !entry.optional,
        default: None,
        check: None,
        max: None,
        transitions: None,
        value_labels: Vec::new(),
        personal: None,
        was: None,
        source: Source::default(),
    };
    Table {
        id: TableId(0),
        name: "input".to_owned(),
        label: Words::default(),
        about: Words::default(),
        owner: None,
        fields: entries.iter().enumerate().map(field).collect(),
        primary_key: Vec::new(),
        indexes: Vec::new(),
        foreign_keys: Vec::new(),
        policies: Vec::new(),
        privacy: None,
        exposure: Exposure::Public,
        source: Source::default(),
    }
}
