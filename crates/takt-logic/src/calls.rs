//! Whether calls of `db` fit the schema, as far as they are written out. What is not (variables, spreads, computed
//! names) is left to the run; nothing is said about it.

use takt_model::{Field, FieldType, Table};
use takt_typescript::{DbCall, Literal, Named, Place};

use crate::{
    js::{conditions::OPERATORS, db::VERBS},
    near::did_you_mean,
};

/// What every object answers to; not a mistake of a verb's name.
const OF_EVERY_OBJECT: [&str; 4] = ["toString", "valueOf", "hasOwnProperty", "toLocaleString"];

/// Something that will fail when it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake {
    pub(crate) place: Place,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

/// The mistakes of one call of `table`; `is_spoilt` says of a name whether the schema mentions a field of it that
/// could not be read, which is told elsewhere.
pub(crate) fn check(table: &Table, call: &DbCall, is_spoilt: &dyn Fn(&str) -> bool) -> Vec<Mistake> {
    let mut checker = Checker { table, is_spoilt, mistakes: Vec::new() };
    checker.call(call);
    checker.mistakes
}

struct Checker<'c> {
    table: &'c Table,
    is_spoilt: &'c dyn Fn(&str) -> bool,
    mistakes: Vec<Mistake>,
}

impl<'c> Checker<'c> {
    fn mistake<'n>(&mut self, at: &Named, message: String, known: impl IntoIterator<Item = &'n str>) {
        let help = did_you_mean(&at.name, known);
        self.mistakes.push(Mistake { place: at.place, message, help });
    }

    fn call(&mut self, call: &DbCall) {
        let verb = call.verb.name.as_str();
        let argument = |at: usize| call.arguments.get(at).unwrap_or(&Literal::Unknown);
        match verb {
            "get" => self.row(argument(0)),
            "find" => self.find(argument(0)),
            "insert" => {
                self.rows(argument(0));
                self.needed(argument(0), &call.verb);
                self.options(argument(1), verb, &["returning"]);
            }
            "upsert" => {
                self.rows(argument(0));
                self.needed(argument(0), &call.verb);
                self.options(argument(1), verb, &["on", "returning"]);
            }
            "update" => {
                self.conditions(argument(0));
                self.changes(argument(1));
                self.options(argument(2), verb, &["all", "returning"]);
            }
            "delete" => {
                self.conditions(argument(0));
                self.options(argument(1), verb, &["all", "returning"]);
            }
            _ if OF_EVERY_OBJECT.contains(&verb) => {}
            _ => {
                let message = format!("db.{} has no `{verb}`", self.table.name);
                self.mistake(&call.verb, message, VERBS);
            }
        }
    }

    fn find(&mut self, options: &Literal) {
        let Literal::Object(options, _) = options else { return };
        for (name, value) in options {
            match name.name.as_str() {
                "where" => self.conditions(value),
                "order" => self.order(value),
                "limit" | "offset" => {}
                other => {
                    let message = format!("find does not know `{other}`");
                    if self.table.field(other).is_some() {
                        let help = Some(format!("write find({{ where: {{ {other}: ... }} }})"));
                        self.mistakes.push(Mistake { place: name.place, message, help });
                    } else {
                        self.mistake(name, message, ["where", "order", "limit", "offset"]);
                    }
                }
            }
        }
    }

    fn options(&mut self, options: &Literal, verb: &str, known: &[&'static str]) {
        let Literal::Object(options, _) = options else { return };
        for (name, value) in options {
            if !known.contains(&name.name.as_str()) {
                let message = format!("{verb} does not know `{}`", name.name);
                self.mistake(name, message, known.iter().copied());
            } else if name.name == "on" {
                self.names(value);
            }
        }
    }

    /// A row or a list of rows.
    fn rows(&mut self, given: &Literal) {
        match given {
            Literal::List(rows) => rows.iter().for_each(|row| self.row(row)),
            one => self.row(one),
        }
    }

    /// What a new row must have, in rows that are written out to their end.
    fn needed(&mut self, given: &Literal, verb: &Named) {
        match given {
            Literal::List(rows) => rows.iter().for_each(|row| self.needed(row, verb)),
            Literal::Object(values, true) => {
                // A slip of a name has told so itself.
                if values.iter().any(|(name, _)| self.table.field(&name.name).is_none()) {
                    return;
                }
                let is_missing = |f: &&Field| {
                    f.required && f.default.is_none() && !values.iter().any(|(n, _)| n.name == f.name)
                };
                let missing: Vec<_> =
                    self.table.fields.iter().filter(is_missing).map(|f| format!("`{}`", f.name)).collect();
                if !missing.is_empty() {
                    let message = format!("a new row of {} needs {}", self.table.name, missing.join(", "));
                    self.mistakes.push(Mistake { place: verb.place, message, help: None });
                }
            }
            Literal::Object(..) | Literal::Text(_) | Literal::Unknown => {}
        }
    }

    /// `{ field: value }`
    fn row(&mut self, given: &Literal) {
        let Literal::Object(values, _) = given else { return };
        for (name, value) in values {
            if let Some(field) = self.field(name) {
                self.value(field, value);
            }
        }
    }

    /// `{ field: value }`, or `{ field: { add: n } }` of a number.
    fn changes(&mut self, given: &Literal) {
        self.row(given);
        let Literal::Object(values, _) = given else { return };
        for (name, value) in values {
            let (Some(field), Literal::Object(change, _)) = (self.table.field(&name.name), value) else {
                continue;
            };
            let is_number = matches!(
                field.kind,
                FieldType::Integer | FieldType::Bigint | FieldType::Decimal { .. } | FieldType::Double
            );
            for (verb, _) in
                change.iter().filter(|(v, _)| is_number && !["add", "sub"].contains(&v.name.as_str()))
            {
                let message = format!("a number can be changed by `add` and `sub`, not by `{}`", verb.name);
                self.mistake(verb, message, ["add", "sub"]);
            }
        }
    }

    /// A field's name, or a list of them.
    fn names(&mut self, given: &Literal) {
        match given {
            Literal::Text(name) => {
                self.field(name);
            }
            Literal::List(list) => list.iter().for_each(|name| self.names(name)),
            Literal::Object(..) | Literal::Unknown => {}
        }
    }

    /// `"created_at.desc, name"`, or a list of such texts.
    fn order(&mut self, given: &Literal) {
        match given {
            Literal::Text(text) => {
                for part in text.name.split(',') {
                    let name = part.trim().split('.').next().unwrap_or_default().to_owned();
                    self.field(&Named { name, place: text.place });
                }
            }
            Literal::List(list) => list.iter().for_each(|part| self.order(part)),
            Literal::Object(..) | Literal::Unknown => {}
        }
    }

    fn conditions(&mut self, given: &Literal) {
        let Literal::Object(conditions, _) = given else { return };
        for (name, value) in conditions {
            let is_field = self.table.field(&name.name).is_some();
            match (name.name.as_str(), value) {
                ("or" | "and", Literal::List(list)) if !is_field => {
                    list.iter().for_each(|inner| self.conditions(inner));
                }
                ("not", inner) if !is_field => self.conditions(inner),
                ("or" | "and", _) if !is_field => {}
                _ => {
                    if let Some(field) = self.field(name) {
                        self.condition(field, value);
                    }
                }
            }
        }
    }

    /// A value, or `{ operator: value }`.
    fn condition(&mut self, field: &'c Field, value: &Literal) {
        let Literal::Object(operators, _) = value else { return self.value(field, value) };
        for (name, value) in operators {
            match name.name.as_str() {
                "not" => self.condition(field, value),
                "eq" | "neq" => self.value(field, value),
                "in" => {
                    if let Literal::List(list) = value {
                        list.iter().for_each(|value| self.value(field, value));
                    }
                }
                known if OPERATORS.contains(&known) => {}
                other => {
                    let message = format!("unknown operator `{other}` on {}", field.name);
                    self.mistake(name, message, OPERATORS);
                }
            }
        }
    }

    /// The one mistake of a value that can be seen: a text that is none of an enum's.
    fn value(&mut self, field: &Field, value: &Literal) {
        if let (FieldType::Enum { values, .. }, Literal::Text(text)) = (&field.kind, value)
            && !values.contains(&text.name)
        {
            let message = format!("`{}` is no value of {}.{}", text.name, self.table.name, field.name);
            self.mistake(text, message, values.iter().map(String::as_str));
        }
    }

    fn field(&mut self, name: &Named) -> Option<&'c Field> {
        let table = self.table;
        let found = table.field(&name.name);
        if found.is_none() && !(self.is_spoilt)(&name.name) {
            let message = format!("{} has no field `{}`", table.name, name.name);
            self.mistake(name, message, table.fields.iter().map(|f| f.name.as_str()));
        }
        found
    }
}
