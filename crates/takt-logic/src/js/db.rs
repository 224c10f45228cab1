//! `db.<table>`: get, find, insert, update, delete, upsert. Each call becomes one plan; the engine guards it.

use std::rc::Rc;

use rquickjs::{Ctx, Function, Object, Value as Js, function::Rest};
use takt_model::{Expr, Field, FieldId, FieldType, Table, TableId, Value};
use takt_plan::{
    Assignment, Conflict, ConflictAction, Delete, Insert, Missing, Node, NullsOrder, OrderBy, Plan, Update,
    Window,
};

use super::{
    conditions::{Of, public_tables, with},
    host::{Host, Thrown},
    rows,
    values::{Form, form},
};
use crate::near::did_you_mean;

type Method = for<'h, 'js> fn(&Of<'h, 'js>, &[Js<'js>]) -> Result<Js<'js>, Thrown>;

const METHODS: [(&str, Method); 6] = [
    ("get", get),
    ("find", find),
    ("insert", insert),
    ("update", update),
    ("delete", delete),
    ("upsert", upsert),
];

/// What a table answers to.
pub(crate) const VERBS: [&str; 6] = ["get", "find", "insert", "update", "delete", "upsert"];

/// An object with all tables of the project.
pub(crate) fn tables<'js>(ctx: &Ctx<'js>, host: &Rc<Host>) -> rquickjs::Result<Object<'js>> {
    let all = Object::new(ctx.clone())?;
    for table in public_tables(&host.project) {
        let object = Object::new(ctx.clone())?;
        for (name, method) in METHODS {
            object.set(name, lend(ctx, host, table.id, method)?.with_name(name)?)?;
        }
        all.set(table.name.as_str(), object)?;
    }
    Ok(all)
}

fn lend<'js>(
    ctx: &Ctx<'js>,
    host: &Rc<Host>,
    table: TableId,
    method: Method,
) -> rquickjs::Result<Function<'js>> {
    let host = Rc::clone(host);
    Function::new(ctx.clone(), move |ctx: Ctx<'js>, arguments: Rest<Js<'js>>| -> rquickjs::Result<Js<'js>> {
        let of = Of { host: &host, ctx: &ctx, table: host.project.get(table) };
        method(&of, &arguments.0).map_err(|thrown| host.throw(&ctx, thrown))
    })
}

/// What is wrong with `db.<name>`.
pub(crate) fn unknown_table(host: &Host, name: &str) -> String {
    let near = did_you_mean(name, public_tables(&host.project).map(|t| t.name.as_str()));
    with(format!("there is no table `{name}`"), near.as_deref())
}

// ---- reading ----

fn get<'js>(of: &Of<'_, 'js>, arguments: &[Js<'js>]) -> Result<Js<'js>, Thrown> {
    let Some(key) = arguments.first().filter(|v| !v.is_undefined()) else {
        return Err(Thrown::told("22023", format!("db.{}.get(id): the id is undefined", of.table.name)));
    };
    if key.is_null() {
        return Ok(Js::new_null(of.ctx.clone()));
    }
    let equal = |field: FieldId, value: &Js<'js>| -> Result<Expr, Thrown> {
        let value = of.value(of.table.get(field), value)?;
        Ok(Expr::eq(of.table.id, field, value))
    };
    let filter = match of.table.primary_key.as_slice() {
        [field] => equal(*field, key)?,
        several => {
            let Form::Object(object) = form(of.host, of.ctx, key)? else {
                let names: Vec<&str> = several.iter().map(|f| of.table.get(*f).name.as_str()).collect();
                let names = names.join(", ");
                return Err(Thrown::told("22023", format!("db.{}.get takes {{ {names} }}", of.table.name)));
            };
            let one = |field: &FieldId| equal(*field, &object.get(of.table.get(*field).name.as_str())?);
            Expr::And(several.iter().map(one).collect::<Result<_, Thrown>>()?)
        }
    };
    let rows = of.host.rows(Plan::read(Node { filter: Some(filter), ..Node::all(of.table.id) }))?;
    let row = rows::first(of.host, of.ctx, of.table, &rows)?;
    Ok(row.unwrap_or_else(|| Js::new_null(of.ctx.clone())))
}

fn find<'js>(of: &Of<'_, 'js>, arguments: &[Js<'js>]) -> Result<Js<'js>, Thrown> {
    let mut node = Node::all(of.table.id);
    for (name, value) in options(of, arguments.first(), "find")? {
        match name.as_str() {
            "where" => node.filter = filter(of, &value, "find")?,
            "order" => node.order = order(of, &value)?,
            "limit" => node.window.limit = Some(whole(of, &value, "limit")?),
            "offset" => node.window.offset = whole(of, &value, "offset")?,
            other => {
                let hint = match of.table.field(other) {
                    Some(_) => Some(format!("write find({{ where: {{ {other}: ... }} }})")),
                    None => did_you_mean(other, ["where", "order", "limit", "offset"]),
                };
                let message = with(format!("find does not know `{other}`"), hint.as_deref());
                return Err(Thrown::hinted("22023", message, hint));
            }
        }
    }
    if node.window == (Window { limit: Some(0), offset: node.window.offset }) {
        return Ok(rquickjs::Array::new(of.ctx.clone())?.into_value());
    }
    let rows = of.host.rows(Plan::read(node))?;
    rows::list(of.host, of.ctx, of.table, &rows)
}

fn order<'js>(of: &Of<'_, 'js>, value: &Js<'js>) -> Result<Vec<OrderBy>, Thrown> {
    match form(of.host, of.ctx, value)? {
        Form::Text(text) => text.split(',').map(|part| order_by(of, part.trim())).collect(),
        Form::Array(list) => {
            let one = |entry: rquickjs::Result<Js<'js>>| match form(of.host, of.ctx, &entry?)? {
                Form::Text(text) => order_by(of, text.trim()),
                other => Err(Thrown::told("22023", format!("`order` takes texts, not {}", other.name()))),
            };
            list.iter().map(one).collect()
        }
        other => Err(Thrown::told("22023", format!("`order` takes \"field.asc\", not {}", other.name()))),
    }
}

/// `created_at.desc.nullslast`
fn order_by(of: &Of<'_, '_>, text: &str) -> Result<OrderBy, Thrown> {
    let mut parts = text.split('.');
    let field = of.field(parts.next().unwrap_or_default())?.id;
    let (mut descending, mut nulls) = (false, None);
    for part in parts {
        match part {
            "asc" => descending = false,
            "desc" => descending = true,
            "nullsfirst" => nulls = Some(NullsOrder::First),
            "nullslast" => nulls = Some(NullsOrder::Last),
            other => {
                let message = format!("`order`: `{other}` is none of asc, desc, nullsfirst, nullslast");
                return Err(Thrown::told("22023", message));
            }
        }
    }
    // PostgreSQL's: null counts as the greatest value.
    let nulls = nulls.unwrap_or(if descending { NullsOrder::First } else { NullsOrder::Last });
    Ok(OrderBy { field, descending, nulls })
}

fn whole<'js>(of: &Of<'_, 'js>, value: &Js<'js>, name: &str) -> Result<u64, Thrown> {
    match form(of.host, of.ctx, value)? {
        Form::Whole(v) if v >= 0 => Ok(v.unsigned_abs()),
        _ => Err(Thrown::told("22023", format!("`{name}` takes a whole number from 0"))),
    }
}

// ---- writing ----

fn insert<'js>(of: &Of<'_, 'js>, arguments: &[Js<'js>]) -> Result<Js<'js>, Thrown> {
    let settings = WriteOptions::read(of, arguments.get(1), &["returning"], "insert")?;
    write_rows(of, arguments.first(), None, settings.returning, "insert")
}

fn upsert<'js>(of: &Of<'_, 'js>, arguments: &[Js<'js>]) -> Result<Js<'js>, Thrown> {
    let settings = WriteOptions::read(of, arguments.get(1), &["on", "returning"], "upsert")?;
    let fields = settings.on.unwrap_or_else(|| of.table.primary_key.clone());
    if !of.table.is_unique(&fields) {
        let message = format!("upsert needs a unique key of {}: {{ on: [\"...\"] }}", of.table.name);
        return Err(Thrown::told("42P10", message));
    }
    let conflict = Conflict { fields, action: ConflictAction::Merge };
    write_rows(of, arguments.first(), Some(conflict), settings.returning, "upsert")
}

fn write_rows<'js>(
    of: &Of<'_, 'js>,
    given: Option<&Js<'js>>,
    conflict: Option<Conflict>,
    returning: bool,
    verb: &str,
) -> Result<Js<'js>, Thrown> {
    let undefined = Js::new_undefined(of.ctx.clone());
    let (objects, is_list) = match form(of.host, of.ctx, given.unwrap_or(&undefined))? {
        Form::Object(object) => (vec![object], false),
        Form::Array(list) => {
            (list.iter().map(|o| row_object(of, &o?, verb)).collect::<Result<_, _>>()?, true)
        }
        other => {
            return Err(Thrown::told(
                "22023",
                format!("{verb} takes a row or a list of rows, not {}", other.name()),
            ));
        }
    };
    if objects.is_empty() {
        return Ok(rquickjs::Array::new(of.ctx.clone())?.into_value());
    }
    let (fields, values) = columns(of, &objects, conflict.is_some())?;
    let plan = Insert {
        table: of.table.id,
        fields,
        rows: values,
        missing: Missing::Default,
        conflict,
        returning: returning.then(|| Node::all(of.table.id)),
    };
    let rows = of.host.rows(Plan::Insert(plan))?;
    if !returning {
        return Ok(undefined);
    }
    if is_list {
        return rows::list(of.host, of.ctx, of.table, &rows);
    }
    Ok(rows::first(of.host, of.ctx, of.table, &rows)?.unwrap_or_else(|| Js::new_null(of.ctx.clone())))
}

fn row_object<'js>(of: &Of<'_, 'js>, value: &Js<'js>, verb: &str) -> Result<Object<'js>, Thrown> {
    match form(of.host, of.ctx, value)? {
        Form::Object(object) => Ok(object),
        other => Err(Thrown::told("22023", format!("{verb}: a row is an object, not {}", other.name()))),
    }
}

/// The fields that any of the rows mentions, and each row's values in that order. Undefined is not mentioned.
#[expect(clippy::type_complexity, reason = "the shape of a plan's insert")]
fn columns<'js>(
    of: &Of<'_, 'js>,
    objects: &[Object<'js>],
    must_agree: bool,
) -> Result<(Vec<FieldId>, Vec<Vec<Option<Value>>>), Thrown> {
    let mut fields: Vec<FieldId> = Vec::new();
    let mut rows: Vec<Vec<Option<Value>>> = Vec::with_capacity(objects.len());
    for object in objects {
        let mut row: Vec<Option<Value>> = vec![None; fields.len()];
        for pair in object.props::<String, Js<'js>>() {
            let (name, value) = pair?;
            if value.is_undefined() {
                continue;
            }
            let field = of.field(&name)?;
            let value = of.value(field, &value)?;
            match fields.iter().position(|f| *f == field.id) {
                Some(at) => row[at] = Some(value),
                None => {
                    fields.push(field.id);
                    row.push(Some(value));
                }
            }
        }
        rows.push(row);
    }
    for row in &mut rows {
        row.resize(fields.len(), None);
        if must_agree && row.iter().any(Option::is_none) {
            // A default in the place of a missing value would overwrite what the existing row has.
            return Err(Thrown::told("22023", "upsert: all rows must mention the same fields"));
        }
    }
    Ok((fields, rows))
}

fn update<'js>(of: &Of<'_, 'js>, arguments: &[Js<'js>]) -> Result<Js<'js>, Thrown> {
    let settings = WriteOptions::read(of, arguments.get(2), &["all", "returning"], "update")?;
    let filter = write_filter(of, arguments.first(), settings.all, "update")?;
    let undefined = Js::new_undefined(of.ctx.clone());
    let Form::Object(values) = form(of.host, of.ctx, arguments.get(1).unwrap_or(&undefined))? else {
        return Err(Thrown::told("22023", "update(where, set): set is an object of new values"));
    };
    let mut set = Vec::new();
    for pair in values.props::<String, Js<'js>>() {
        let (name, value) = pair?;
        if !value.is_undefined() {
            let field = of.field(&name)?;
            set.push((field.id, assignment(of, field, &value)?));
        }
    }
    if set.is_empty() {
        return Err(Thrown::told("22023", "update(where, set): set names no field"));
    }
    let plan = Update {
        table: of.table.id,
        all: filter.is_none(),
        filter,
        set,
        returning: settings.returning.then(|| Node::all(of.table.id)),
        max_affected: None,
    };
    let rows = of.host.rows(Plan::Update(plan))?;
    settings.told(of, &rows)
}

/// A value, or `{ add: n }` / `{ sub: n }`.
fn assignment<'js>(of: &Of<'_, 'js>, field: &Field, value: &Js<'js>) -> Result<Assignment, Thrown> {
    if field.kind == FieldType::Json {
        return Ok(Assignment::Value(of.value(field, value)?));
    }
    let Form::Object(object) = form(of.host, of.ctx, value)? else {
        return Ok(Assignment::Value(of.value(field, value)?));
    };
    let numeric = matches!(
        field.kind,
        FieldType::Integer | FieldType::Bigint | FieldType::Decimal { .. } | FieldType::Double
    );
    let pairs: Vec<(String, Js<'js>)> = object.props().collect::<rquickjs::Result<_>>()?;
    match pairs.as_slice() {
        [(name, amount)] if numeric && !amount.is_null() && (name == "add" || name == "sub") => {
            let amount = of.value(field, amount)?;
            Ok(if name == "add" { Assignment::Add(amount) } else { Assignment::Subtract(amount) })
        }
        _ => {
            let form = if numeric { "a value, { add: n } or { sub: n }" } else { "a value" };
            Err(Thrown::told("22023", format!("{}.{} takes {form}", of.table.name, field.name)))
        }
    }
}

fn delete<'js>(of: &Of<'_, 'js>, arguments: &[Js<'js>]) -> Result<Js<'js>, Thrown> {
    let settings = WriteOptions::read(of, arguments.get(1), &["all", "returning"], "delete")?;
    let filter = write_filter(of, arguments.first(), settings.all, "delete")?;
    let plan = Delete {
        table: of.table.id,
        all: filter.is_none(),
        filter,
        returning: settings.returning.then(|| Node::all(of.table.id)),
        max_affected: None,
    };
    let rows = of.host.rows(Plan::Delete(plan))?;
    settings.told(of, &rows)
}

// ---- arguments ----

/// The last argument of a write.
struct WriteOptions {
    all: bool,
    returning: bool,
    on: Option<Vec<FieldId>>,
}

impl WriteOptions {
    fn read<'js>(
        of: &Of<'_, 'js>,
        given: Option<&Js<'js>>,
        known: &[&str],
        verb: &str,
    ) -> Result<Self, Thrown> {
        let mut read = Self { all: false, returning: true, on: None };
        for (name, value) in options(of, given, verb)? {
            if !known.contains(&name.as_str()) {
                let near = did_you_mean(&name, known.iter().copied());
                let message = with(format!("{verb} does not know `{name}`"), near.as_deref());
                return Err(Thrown::hinted("22023", message, near));
            }
            match (name.as_str(), form(of.host, of.ctx, &value)?) {
                (_, Form::Undefined) => {}
                ("all", Form::Boolean(v)) => read.all = v,
                ("returning", Form::Boolean(v)) => read.returning = v,
                ("on", Form::Text(field)) => read.on = Some(vec![of.field(&field)?.id]),
                ("on", Form::Array(list)) => {
                    let one = |name: rquickjs::Result<String>| Ok(of.field(&name?)?.id);
                    read.on = Some(list.iter().map(one).collect::<Result<_, Thrown>>()?);
                }
                (name, other) => {
                    return Err(Thrown::told("22023", format!("{verb}: `{name}` is {}", other.name())));
                }
            }
        }
        Ok(read)
    }

    fn told<'js>(&self, of: &Of<'_, 'js>, rows: &takt_plan::Rows) -> Result<Js<'js>, Thrown> {
        if self.returning {
            rows::list(of.host, of.ctx, of.table, rows)
        } else {
            Ok(Js::new_undefined(of.ctx.clone()))
        }
    }
}

fn options<'js>(
    of: &Of<'_, 'js>,
    given: Option<&Js<'js>>,
    verb: &str,
) -> Result<Vec<(String, Js<'js>)>, Thrown> {
    let Some(given) = given else { return Ok(Vec::new()) };
    match form(of.host, of.ctx, given)? {
        Form::Undefined => Ok(Vec::new()),
        Form::Object(object) => Ok(object.props().collect::<rquickjs::Result<_>>()?),
        other => {
            Err(Thrown::told("22023", format!("the options of {verb} are an object, not {}", other.name())))
        }
    }
}

fn filter<'js>(of: &Of<'_, 'js>, value: &Js<'js>, verb: &str) -> Result<Option<Expr>, Thrown> {
    match form(of.host, of.ctx, value)? {
        Form::Object(object) => of.conditions(&object, 0),
        Form::Undefined => Err(Thrown::told("22023", format!("{verb}: `where` is undefined"))),
        other => Err(Thrown::told("22023", format!("{verb}: `where` is an object, not {}", other.name()))),
    }
}

/// A write without conditions touches every row: that must be said.
fn write_filter<'js>(
    of: &Of<'_, 'js>,
    given: Option<&Js<'js>>,
    all: bool,
    verb: &str,
) -> Result<Option<Expr>, Thrown> {
    let undefined = Js::new_undefined(of.ctx.clone());
    let found = filter(of, given.unwrap_or(&undefined), verb)?;
    if found.is_none() && !all {
        let table: &Table = of.table;
        let message = format!(
            "{verb} on {} without a condition would touch every row; say {{ all: true }} if it is meant",
            table.name
        );
        return Err(Thrown::told("21000", message));
    }
    Ok(found)
}
