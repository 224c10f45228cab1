//! `where` as an expression over a row.

use rquickjs::{Array, Ctx, Object, Value as Js};
use takt_model::{CompareOp, Exposure, Expr, Field, FieldType, Project, Table, Value};

use super::{
    host::{Host, Thrown},
    values::{Form, form, to_value},
};
use crate::near::did_you_mean;

/// Values of one `in`.
const IN_MAX: usize = 1_000;
/// Conditions in each other.
const DEPTH_MAX: usize = 16;

pub(crate) const OPERATORS: [&str; 11] =
    ["eq", "neq", "gt", "gte", "lt", "lte", "in", "is", "like", "ilike", "not"];

/// A table as functions of JavaScript see it.
pub(crate) struct Of<'h, 'js> {
    pub(crate) host: &'h Host,
    pub(crate) ctx: &'h Ctx<'js>,
    pub(crate) table: &'h Table,
}

impl<'js> Of<'_, 'js> {
    /// The field named `name`.
    pub(crate) fn field(&self, name: &str) -> Result<&Field, Thrown> {
        self.table.field(name).ok_or_else(|| {
            let message = format!("column {}.{name} does not exist", self.table.name);
            let near = did_you_mean(name, self.table.fields.iter().map(|f| f.name.as_str()));
            Thrown::hinted("42703", with(message, near.as_deref()), near)
        })
    }

    /// A value of `field`.
    pub(crate) fn value(&self, field: &Field, value: &Js<'js>) -> Result<Value, Thrown> {
        let what = || format!("{}.{}", self.table.name, field.name);
        to_value(self.host, self.ctx, &field.kind, value, &what)
    }

    /// Which rows; nothing for `{}`.
    pub(crate) fn conditions(&self, object: &Object<'js>, depth: usize) -> Result<Option<Expr>, Thrown> {
        if depth > DEPTH_MAX {
            return Err(Thrown::told("54001", "the conditions are nested too deeply"));
        }
        let mut all = Vec::new();
        for pair in object.props::<String, Js<'js>>() {
            let (name, value) = pair?;
            if self.table.field(&name).is_none() {
                match name.as_str() {
                    "or" => {
                        all.push(Expr::Or(self.each(&name, &value, depth)?));
                        continue;
                    }
                    "and" => {
                        all.push(Expr::And(self.each(&name, &value, depth)?));
                        continue;
                    }
                    "not" => {
                        let inner = self.object(&name, &value)?;
                        let inner = self.conditions(&inner, depth + 1)?.unwrap_or_else(Expr::yes);
                        all.push(Expr::Not(Box::new(inner)));
                        continue;
                    }
                    _ => {}
                }
            }
            let field = self.field(&name)?;
            all.push(self.condition(field, &value)?);
        }
        Ok(match all.len() {
            0 => None,
            1 => all.pop(),
            _ => Some(Expr::And(all)),
        })
    }

    /// The alternatives of `or`, the parts of `and`.
    fn each(&self, name: &str, value: &Js<'js>, depth: usize) -> Result<Vec<Expr>, Thrown> {
        let Form::Array(list) = form(self.host, self.ctx, value)? else {
            return Err(Thrown::told("22023", format!("`{name}` takes a list of conditions")));
        };
        let one = |entry: rquickjs::Result<Js<'js>>| {
            let inner = self.object(name, &entry?)?;
            Ok(self.conditions(&inner, depth + 1)?.unwrap_or_else(Expr::yes))
        };
        list.iter().map(one).collect()
    }

    fn object(&self, name: &str, value: &Js<'js>) -> Result<Object<'js>, Thrown> {
        match form(self.host, self.ctx, value)? {
            Form::Object(object) => Ok(object),
            other => Err(Thrown::told("22023", format!("`{name}` takes conditions, not {}", other.name()))),
        }
    }

    fn condition(&self, field: &Field, value: &Js<'js>) -> Result<Expr, Thrown> {
        match form(self.host, self.ctx, value)? {
            Form::Object(operators) => self.operators(field, &operators),
            Form::Array(_) => Err(Thrown::told(
                "22023",
                format!("a list is no value of {}; write {{ {}: {{ in: [...] }} }}", field.name, field.name),
            )),
            _ => self.compare(field, CompareOp::Eq, value),
        }
    }

    fn operators(&self, field: &Field, operators: &Object<'js>) -> Result<Expr, Thrown> {
        let mut all = Vec::new();
        for pair in operators.props::<String, Js<'js>>() {
            let (name, value) = pair?;
            all.push(self.operator(field, &name, &value)?);
        }
        match all.len() {
            0 => Err(Thrown::told("22023", format!("the condition on {} is empty", field.name))),
            1 => Ok(all.remove(0)),
            _ => Ok(Expr::And(all)),
        }
    }

    fn operator(&self, field: &Field, name: &str, value: &Js<'js>) -> Result<Expr, Thrown> {
        let op = match name {
            "eq" => CompareOp::Eq,
            "neq" => CompareOp::Ne,
            "gt" => CompareOp::Gt,
            "gte" => CompareOp::Ge,
            "lt" => CompareOp::Lt,
            "lte" => CompareOp::Le,
            "in" => return self.one_of(field, value),
            "is" => return self.is(field, value),
            "like" | "ilike" => return self.like(field, value, name == "ilike"),
            "not" => return Ok(Expr::Not(Box::new(self.condition(field, value)?))),
            other => {
                let near = did_you_mean(other, OPERATORS);
                let message = format!("unknown operator `{other}` on {}", field.name);
                return Err(Thrown::hinted("22023", with(message, near.as_deref()), near));
            }
        };
        self.compare(field, op, value)
    }

    fn compare(&self, field: &Field, op: CompareOp, value: &Js<'js>) -> Result<Expr, Thrown> {
        let value = self.value(field, value)?;
        let column = Box::new(self.column(field));
        if value.is_null() {
            let is_null = Expr::IsNull(column);
            return match op {
                CompareOp::Eq => Ok(is_null),
                CompareOp::Ne => Ok(Expr::Not(Box::new(is_null))),
                _ => Err(Thrown::told("22023", format!("{} cannot be compared with null", field.name))),
            };
        }
        Ok(Expr::Compare(op, column, Box::new(Expr::Literal(value))))
    }

    fn one_of(&self, field: &Field, value: &Js<'js>) -> Result<Expr, Thrown> {
        let Form::Array(list) = form(self.host, self.ctx, value)? else {
            return Err(Thrown::told("22023", format!("`in` on {} takes a list", field.name)));
        };
        if list.len() > IN_MAX {
            return Err(Thrown::told("54000", format!("`in` takes at most {IN_MAX} values")));
        }
        let values = self.values(field, &list)?;
        Ok(Expr::In(Box::new(self.column(field)), values))
    }

    fn values(&self, field: &Field, list: &Array<'js>) -> Result<Vec<Expr>, Thrown> {
        let one = |entry: rquickjs::Result<Js<'js>>| {
            let value = self.value(field, &entry?)?;
            if value.is_null() {
                return Err(Thrown::told("22023", format!("`in` on {} takes no null", field.name)));
            }
            Ok(Expr::Literal(value))
        };
        list.iter().map(one).collect()
    }

    fn is(&self, field: &Field, value: &Js<'js>) -> Result<Expr, Thrown> {
        let column = Box::new(self.column(field));
        match form(self.host, self.ctx, value)? {
            Form::Null => Ok(Expr::IsNull(column)),
            Form::Boolean(wanted) if field.kind == FieldType::Boolean => Ok(Expr::IsBoolean(column, wanted)),
            _ => Err(Thrown::told("22023", format!("`is` on {} takes null, true or false", field.name))),
        }
    }

    fn like(&self, field: &Field, value: &Js<'js>, fold_case: bool) -> Result<Expr, Thrown> {
        match (&field.kind, form(self.host, self.ctx, value)?) {
            (FieldType::Text | FieldType::Enum { .. }, Form::Text(pattern)) => Ok(Expr::Like {
                expr: Box::new(self.column(field)),
                pattern: Box::new(Expr::Literal(Value::Text(pattern))),
                fold_case,
            }),
            _ => Err(Thrown::told("22023", format!("`like` needs a text field and a text: {}", field.name))),
        }
    }

    fn column(&self, field: &Field) -> Expr {
        Expr::Column { scope: 0, table: self.table.id, field: field.id }
    }
}

/// The sentence with its hint: what is shown is the message, and only that.
pub(crate) fn with(message: String, hint: Option<&str>) -> String {
    match hint {
        Some(hint) => format!("{message}; {hint}"),
        None => message,
    }
}

/// Tables that functions may name.
pub(crate) fn public_tables(project: &Project) -> impl Iterator<Item = &Table> {
    project.tables.iter().filter(|t| t.exposure == Exposure::Public)
}
