//! What many reads have in common: the request without the values that it compares with. Requests of one shape have
//! one plan, so whoever keeps plans by [`Shape::key`] reads, plans and guards each shape once.
//!
//! A value is cut out where its text does nothing but name a value: `column=eq.VALUE` (also neq, gt, gte, lt, lte) on a
//! column of the table itself, without percent signs. Whatever else a request says stays in its key, word for word;
//! so does a value that is none of its column's type, and its request is refused on the usual way in the usual words.

use takt_model::{CompareOp, FieldType, Principal, Project, Rights, Table, Value};

use crate::{Method, RestParts, query};

/// Longer requests have no shape: keys are kept.
const MOST_BYTES: usize = 2048;
/// Stands in keys where a value was and behind each part; requests with one in them have no shape.
const MARK: char = '\0';

/// The shape of a read, and the values of one request of that shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    key: String,
    pub(crate) cuts: Vec<Cut>,
    values: Vec<Value>,
}

/// A value that was cut out; its number is its place among the cuts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cut {
    /// Which parameter of the query string.
    pub(crate) parameter: usize,
    pub(crate) op: CompareOp,
}

impl Shape {
    /// The shape of a request of `who`; `None` for writes and for what is better not kept.
    #[must_use]
    pub fn of(parts: &RestParts<'_>, project: &Project, who: &Principal) -> Option<Self> {
        if !parts.method.is_read() {
            return None;
        }
        let table = project.table(parts.table)?;
        let key = Key { text: String::with_capacity(256) };
        let mut shape = Self { key: key.of(parts, who)?.text, cuts: Vec::new(), values: Vec::new() };
        shape.query(parts.query, table)?;
        (shape.key.len() <= MOST_BYTES).then_some(shape)
    }

    /// Equal for requests that have the same plan for callers to whom the same policies apply.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The values that were cut out, for the plan's parameters.
    #[must_use]
    pub fn into_values(self) -> Vec<Value> {
        self.values
    }

    fn query(&mut self, text: &str, table: &Table) -> Option<()> {
        if text.len() > MOST_BYTES || text.contains(MARK) {
            return None;
        }
        for (parameter, pair) in query::pairs(text).enumerate() {
            if pair.starts_with(query::GATEWAY_KEY) {
                continue;
            }
            self.key.push('&');
            match value_of(pair, table) {
                Some((before, op, value)) => {
                    self.key.push_str(before);
                    self.key.push(MARK);
                    self.cuts.push(Cut { parameter, op });
                    self.values.push(value);
                }
                None => self.key.push_str(pair),
            }
        }
        Some(())
    }
}

/// The parts of a key: each ends with a mark and has none inside, and their number is known from the first ones.
struct Key {
    text: String,
}

impl Key {
    fn of(mut self, parts: &RestParts<'_>, who: &Principal) -> Option<Self> {
        let rights = match who.rights {
            Rights::Anon => "anon",
            Rights::Authenticated => "authenticated",
            Rights::Service => "service",
            Rights::System { .. } => return None,
        };
        self.part(parts.method.name())?;
        self.part(parts.table)?;
        self.part(rights)?;
        self.part(&who.roles().len().to_string())?;
        who.roles().iter().try_for_each(|role| self.part(role))?;
        // A body's type and profile are nothing to a read.
        let range = parts.range.filter(|_| parts.method == Method::Get);
        for header in [parts.accept, parts.accept_profile, parts.prefer, range] {
            self.part(header.unwrap_or_default())?;
        }
        Some(self)
    }

    fn part(&mut self, text: &str) -> Option<()> {
        self.text.push_str(text);
        self.text.push(MARK);
        (text.len() <= MOST_BYTES && !text.contains(MARK)).then_some(())
    }
}

/// `price=gte.` and the value behind it, if the parameter is such a comparison.
fn value_of<'q>(pair: &'q str, table: &Table) -> Option<(&'q str, CompareOp, Value)> {
    let (name, filter) = pair.split_once('=')?;
    let (word, text) = filter.split_once('.')?;
    let op = match word {
        "eq" => CompareOp::Eq,
        "neq" => CompareOp::Ne,
        "gt" => CompareOp::Gt,
        "gte" => CompareOp::Ge,
        "lt" => CompareOp::Lt,
        "lte" => CompareOp::Le,
        _ => return None,
    };
    let field = table.field(name).filter(|_| query::is_plain_column(name))?;
    let is_one_comparison = match &field.kind {
        // Their order is written out, value by value.
        FieldType::Enum { .. } => matches!(op, CompareOp::Eq | CompareOp::Ne),
        // A truth is part of what a database plans by; json is not compared.
        FieldType::Boolean | FieldType::Json => false,
        _ => true,
    };
    if !is_one_comparison || query::is_encoded(text) {
        return None;
    }
    let value = field.kind.parse_text(text).ok()?;
    Some((pair.get(..pair.len() - text.len())?, op, value))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use takt_model::ProjectFiles;

    use super::*;

    fn project() -> Project {
        let schema = "[fields]\nid = { type = \"integer\", primary_key = true }\nname = { type = \"text\" }\n\
            order = { type = \"text\" }\nactive = { type = \"boolean\" }\n\
            state = { type = \"enum\", values = [\"new\", \"old\"] }\n";
        let files = ProjectFiles::from([
            ("takt.toml", "name = \"Shop\"\nlanguages = [\"en\"]\n"),
            ("schema/things.toml", schema),
        ]);
        Project::parse(&files, &[]).0
    }

    fn shape(query: &str) -> Shape {
        Shape::of(&RestParts::new(Method::Get, "things", query), &project(), &Principal::anon()).unwrap()
    }

    #[test]
    fn values_of_simple_comparisons_are_cut_out() {
        for (query, cut, values) in [
            ("id=eq.7", "&id=eq.\0", 1),
            ("id=gt.7&id=lt.9&select=id", "&id=gt.\0&id=lt.\0&select=id", 2),
            ("name=eq.a,b\"c", "&name=eq.\0", 1),
            ("state=eq.new", "&state=eq.\0", 1),
            ("apikey=sb_x&id=eq.7", "&id=eq.\0", 1),
        ] {
            let shape = shape(query);
            assert!(shape.key().ends_with(&format!("\0{cut}")), "{query}: {:?}", shape.key());
            assert_eq!(shape.into_values().len(), values, "{query}");
        }
    }

    #[test]
    fn whatever_else_a_request_says_stays_in_its_key() {
        for query in [
            "id=eq.x",
            "id=in.(1,2)",
            "id=not.eq.7",
            "id=eq(any).{1}",
            "name=eq.a%20b",
            "name=eq.a+b",
            "name=like.a*",
            "nothing=eq.1",
            "order=eq.x",
            "active=eq.true",
            "state=gt.new",
            "state=eq.lost",
            "or=(id.eq.7)",
            "limit=7&offset=7",
            "things.id=eq.7",
            "\"id\"=eq.7",
            "id",
        ] {
            let shape = shape(query);
            assert!(shape.key().ends_with(&format!("\0&{query}")), "{query}: {:?}", shape.key());
            assert!(shape.into_values().is_empty(), "{query}");
        }
    }

    #[test]
    fn requests_that_differ_in_more_than_values_have_other_keys() {
        let project = project();
        let of = |parts: RestParts<'_>, who: &Principal| {
            Shape::of(&parts, &project, who).map(|shape| shape.key().to_owned())
        };
        let get = |query| RestParts::new(Method::Get, "things", query);
        let roles = |roles: &[&str]| {
            Principal::user(takt_model::User {
                id: takt_model::Uuid::nil(),
                email: None,
                roles: roles.iter().map(|r| (*r).to_owned()).collect(),
                session_id: None,
                claims: serde_json::Value::Null,
            })
        };
        let anon = Principal::anon();
        let long = format!("name=eq.{}", "a".repeat(MOST_BYTES));
        let keys = [
            of(get("id=eq.7"), &anon),
            of(get("id=eq.7"), &Principal::service()),
            of(get("id=eq.7"), &roles(&[])),
            of(get("id=eq.7"), &roles(&["staff"])),
            of(get("id=eq.7"), &roles(&["staff", "cook"])),
            of(get("id=eq.7"), &roles(&["2"])),
            of(get("id=neq.7"), &anon),
            of(RestParts::new(Method::Head, "things", "id=eq.7"), &anon),
            of(RestParts { accept: Some("text/csv"), ..get("id=eq.7") }, &anon),
            of(RestParts { prefer: Some("count=exact"), ..get("id=eq.7") }, &anon),
            of(RestParts { range: Some("0-1"), ..get("id=eq.7") }, &anon),
            of(RestParts { accept_profile: Some("0-1"), ..get("id=eq.7") }, &anon),
        ];
        let different: std::collections::BTreeSet<_> = keys.iter().map(|k| k.clone().unwrap()).collect();
        assert_eq!(different.len(), keys.len());
        assert_eq!(of(get("id=eq.8"), &anon), keys[0]);

        assert_eq!(of(RestParts::new(Method::Post, "things", ""), &anon), None);
        assert_eq!(of(RestParts::new(Method::Get, "nothing", ""), &anon), None);
        assert_eq!(of(get("name=eq.a\0b"), &anon), None);
        assert_eq!(of(get(&long), &anon), None);
        assert_eq!(of(get(""), &roles(&["a\0b"])), None);
        assert_eq!(of(get(""), &Principal::system("test")), None);
    }
}
