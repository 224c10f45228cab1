//! Rows to plain objects. One function per list of columns, compiled once per context, so that all rows of a
//! query share their shape and a row costs one call.

use std::{rc::Rc, sync::Arc};

use rquickjs::{Array, Ctx, Function, Persistent, Value as Js, function::Args};
use takt_model::{FieldType, Table, TableId, Value};
use takt_plan::Rows;

use super::{
    host::{Host, Thrown},
    values::to_js,
};

/// Makes rows of one list of columns.
pub(crate) struct RowMaker {
    table: TableId,
    columns: Vec<Arc<str>>,
    make: Persistent<Function<'static>>,
    kinds: Vec<FieldType>,
}

/// All rows as a list of objects.
pub(crate) fn list<'js>(host: &Host, ctx: &Ctx<'js>, table: &Table, rows: &Rows) -> Result<Js<'js>, Thrown> {
    let list = Array::new(ctx.clone())?;
    for (at, row) in each(host, ctx, table, rows)?.into_iter().enumerate() {
        list.set(at, row)?;
    }
    Ok(list.into_value())
}

/// The first row as an object, if there is one.
pub(crate) fn first<'js>(
    host: &Host,
    ctx: &Ctx<'js>,
    table: &Table,
    rows: &Rows,
) -> Result<Option<Js<'js>>, Thrown> {
    Ok(each(host, ctx, table, rows)?.into_iter().next())
}

/// A row with all fields of its table, in their order.
pub(crate) fn whole<'js>(
    host: &Host,
    ctx: &Ctx<'js>,
    table: &Table,
    row: &[Value],
) -> Result<Js<'js>, Thrown> {
    let columns = table.fields.iter().map(|f| f.name.as_str().into()).collect();
    let rows = Rows { columns, rows: vec![row.to_vec()] };
    Ok(first(host, ctx, table, &rows)?.unwrap_or_else(|| Js::new_null(ctx.clone())))
}

fn each<'js>(host: &Host, ctx: &Ctx<'js>, table: &Table, rows: &Rows) -> Result<Vec<Js<'js>>, Thrown> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let maker = maker(host, ctx, table, rows)?;
    let make = maker.make.clone().restore(ctx)?;
    let one = |row: &Vec<Value>| -> Result<Js<'js>, Thrown> {
        // Room for more than the engine keeps on its stack: it counts arguments there in a way of its own.
        let mut args = Args::new(ctx.clone(), row.len().max(5));
        for (value, kind) in row.iter().zip(&maker.kinds) {
            args.push_arg(to_js(host, ctx, kind, value)?)?;
        }
        Ok(make.call_arg(args)?)
    };
    rows.rows.iter().map(one).collect()
}

fn maker(host: &Host, ctx: &Ctx<'_>, table: &Table, rows: &Rows) -> Result<Rc<RowMaker>, Thrown> {
    let fits = |m: &&Rc<RowMaker>| m.table == table.id && m.columns == rows.columns;
    if let Some(known) = host.makers.borrow().iter().find(fits) {
        return Ok(Rc::clone(known));
    }
    let kind = |name: &Arc<str>| table.field(name).map_or(FieldType::Text, |f| f.kind.clone());
    let parameters: Vec<String> = (0..rows.columns.len()).map(|at| format!("v{at}")).collect();
    let properties: Vec<String> =
        rows.columns.iter().zip(&parameters).map(|(name, value)| property(name, value)).collect();
    let source = format!("(({}) => ({{ {} }}))", parameters.join(", "), properties.join(", "));
    let make: Function<'_> = ctx.eval(source)?;
    let maker = Rc::new(RowMaker {
        table: table.id,
        columns: rows.columns.clone(),
        make: Persistent::save(ctx, make),
        kinds: rows.columns.iter().map(kind).collect(),
    });
    host.makers.borrow_mut().push(Rc::clone(&maker));
    Ok(maker)
}

/// `"name": v0`. In brackets, as a name that is worked out for each row, only where the plain form means something else.
fn property(name: &str, value: &str) -> String {
    let quoted = serde_json::Value::from(name);
    if name == "__proto__" { format!("[{quoted}]: {value}") } else { format!("{quoted}: {value}") }
}
