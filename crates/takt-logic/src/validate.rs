//! Whether a given input fits, off the writer: JSON in, typed values out.

use serde_json::{Map, Value as Json};
use takt_model::{FieldType, Value};

use crate::{
    LogicError,
    check::holds,
    input::{Entry, Input, LIST_MAX, Scalar, Shape, TEXT_MAX},
    near::did_you_mean,
};

/// An input that fits.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Given {
    /// A value with its type, which decides what it is in JavaScript.
    Value(FieldType, Value),
    /// In the order of the shape; what was left out is not there.
    Object(Vec<(String, Given)>),
    /// A list.
    List(Vec<Given>),
}

fn refused(message: String, details: Option<String>) -> LogicError {
    LogicError::BadInput { code: "22023", message, details }
}

impl Input {
    /// Reads a JSON object as this input.
    pub(crate) fn validate(&self, function: &str, json: &Json) -> Result<Given, LogicError> {
        match json {
            Json::Object(map) => object(&self.entries, map, &Path::Root(function)),
            Json::Null if self.entries.iter().all(|e| e.optional) => Ok(Given::Object(Vec::new())),
            _ => Err(refused(format!("the input of {function} is no object"), None)),
        }
    }
}

/// Where in the input; only written out when it must be told.
enum Path<'a> {
    Root(&'a str),
    Key(&'a Path<'a>, &'a str),
    At(&'a Path<'a>, usize),
}

impl std::fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Path::Root(_) => Ok(()),
            Path::Key(Path::Root(_), key) => f.write_str(key),
            Path::Key(path, key) => write!(f, "{path}.{key}"),
            Path::At(path, at) => write!(f, "{path}[{at}]"),
        }
    }
}

fn object(entries: &[Entry], map: &Map<String, Json>, path: &Path<'_>) -> Result<Given, LogicError> {
    if let Some(unknown) = map.keys().find(|k| !entries.iter().any(|e| e.name == **k)) {
        let place = Path::Key(path, unknown);
        let near = did_you_mean(unknown, entries.iter().map(|e| e.name.as_str()));
        let message = match path {
            Path::Root(function) => format!("{function} takes no input \"{place}\""),
            _ => format!("input \"{place}\" is not expected"),
        };
        return Err(refused(message, near));
    }
    let mut given = Vec::with_capacity(entries.len());
    for entry in entries {
        let place = Path::Key(path, &entry.name);
        match map.get(&entry.name) {
            None | Some(Json::Null) if entry.optional => {}
            None => return Err(refused(format!("input \"{place}\" is missing"), None)),
            Some(json) => given.push((entry.name.clone(), value(&entry.shape, json, &place)?)),
        }
    }
    checks(entries, &given, path)?;
    Ok(Given::Object(given))
}

/// The checks of one object's values, which may speak of each other.
fn checks(entries: &[Entry], given: &[(String, Given)], path: &Path<'_>) -> Result<(), LogicError> {
    let has_check = |e: &Entry| matches!(&e.shape, Shape::Scalar(s) if s.check.is_some());
    if !entries.iter().any(has_check) {
        return Ok(());
    }
    let value_of = |entry: &Entry| match given.iter().find(|(name, _)| *name == entry.name) {
        Some((_, Given::Value(_, value))) => value,
        _ => &Value::Null,
    };
    let values: Vec<&Value> = entries.iter().map(value_of).collect();
    for entry in entries {
        let Shape::Scalar(Scalar { check: Some(check), check_text, .. }) = &entry.shape else { continue };
        if !holds(check, &values) {
            let text = check_text.as_deref().unwrap_or_default();
            let place = Path::Key(path, &entry.name);
            return Err(refused(format!("input \"{place}\" does not satisfy {text}"), None));
        }
    }
    Ok(())
}

fn value(shape: &Shape, json: &Json, path: &Path<'_>) -> Result<Given, LogicError> {
    match (shape, json) {
        (Shape::Scalar(scalar), json) => {
            scalar_value(scalar, json, path).map(|v| Given::Value(scalar.kind.clone(), v))
        }
        (Shape::Object(entries), Json::Object(map)) => object(entries, map, path),
        (Shape::List(inner), Json::Array(list)) => {
            if list.len() > LIST_MAX {
                return Err(refused(format!("input \"{path}\" has more than {LIST_MAX} entries"), None));
            }
            let each = |(at, json)| value(inner, json, &Path::At(path, at));
            list.iter().enumerate().map(each).collect::<Result<_, _>>().map(Given::List)
        }
        (Shape::Object(_), _) => Err(refused(format!("input \"{path}\" is no object"), None)),
        (Shape::List(_), _) => Err(refused(format!("input \"{path}\" is no list"), None)),
    }
}

fn scalar_value(scalar: &Scalar, json: &Json, path: &Path<'_>) -> Result<Value, LogicError> {
    let refuse = |code, message: &str| LogicError::BadInput {
        code,
        message: format!("input \"{path}\": {message}"),
        details: None,
    };
    // PostgreSQL takes any JSON value as its text; a function that asked for a text wants one.
    let fits = match scalar.kind {
        FieldType::Json => true,
        FieldType::Text
        | FieldType::Uuid
        | FieldType::Date
        | FieldType::Time
        | FieldType::Timestamp
        | FieldType::Bytes
        | FieldType::Enum { .. } => json.is_string(),
        FieldType::Boolean => json.is_boolean(),
        FieldType::Integer | FieldType::Bigint | FieldType::Decimal { .. } | FieldType::Double => {
            json.is_number() || json.is_string()
        }
    };
    if !fits {
        let shown: String = json.to_string().chars().take(80).collect();
        let kind = scalar.kind.sql_name();
        return Err(refuse("22P02", &format!("invalid input syntax for type {kind}: {shown}")));
    }
    // Made to fit as a field of this type would make it, so that checks see what would be stored.
    let fitted = scalar.kind.parse_json(json).and_then(|v| scalar.kind.coerce(v));
    let value = fitted.map_err(|e| refuse(e.code, &e.message))?;
    let too_long = match &value {
        Value::Text(text) => {
            let max = scalar.max.unwrap_or(TEXT_MAX);
            (text.chars().count() > max).then_some(max)
        }
        Value::Bytes(bytes) => scalar.max.filter(|max| bytes.len() > *max),
        _ => None,
    };
    match too_long {
        Some(max) => Err(refuse("22001", &format!("value too long: at most {max} characters"))),
        None => Ok(value),
    }
}

/// The input as canonical JSON text: object keys sorted, nothing else changed.
pub(crate) fn canonical(json: &Json) -> String {
    fn sorted(json: &Json) -> Json {
        match json {
            Json::Object(map) => {
                let mut pairs: Vec<_> = map.iter().collect();
                pairs.sort_by(|a, b| a.0.cmp(b.0));
                Json::Object(pairs.into_iter().map(|(k, v)| (k.clone(), sorted(v))).collect())
            }
            Json::Array(list) => Json::Array(list.iter().map(sorted).collect()),
            other => other.clone(),
        }
    }
    sorted(json).to_string()
}
