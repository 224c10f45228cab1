//! What is told of written rows: they are read again by key through the same path as any read, embeds included.
//! A written row that the caller may not see refuses the whole, as in PostgreSQL.

use std::cmp::Ordering;

use rusqlite::{CachedStatement, types::ValueRef as Raw};
use takt_model::Value;
use takt_plan::{GuardedNode, NullsOrder, OrderBy, OutputItem, RowSink};

use super::{Key, Writing, obligations::row_security};
use crate::{
    Change, StoreError,
    sqlite::{
        error::driver,
        lower::{Anchor, Sql},
        read::{Budget, Lowered, Prepared, always, bind_values, prepare},
        types::Bind,
    },
};

/// In which order written rows are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// As they were given (inserts).
    AsGiven,
    /// As the request orders them.
    OfNode,
}

/// Pushes the rows with these keys. What was captured of them (`changes`) is told as it is, where that is the same.
pub(super) fn tell(
    writing: &Writing<'_>,
    node: &GuardedNode,
    keys: &[Key],
    changes: &[Change],
    order: Order,
    sink: &mut dyn RowSink,
) -> Result<u64, StoreError> {
    if keys.is_empty() {
        return Ok(0);
    }
    if (order == Order::AsGiven || keys.len() == 1)
        && changes.len() == keys.len()
        && is_whole_row(writing, node, keys.len())
        && changes.iter().all(|change| change.after.is_some())
    {
        let rows = changes.iter().filter_map(|change| change.after.as_deref());
        return Ok(rows.map(|row| tell_captured(node, row, sink)).sum());
    }
    let lowered = Lowered::of(writing.env, node, Anchor::Key)?;
    let mut prepared = Prepared::new(writing.conn, writing.env, node, &lowered)?;
    let mut budget = Budget::of(&writing.env);
    let mut pushed = 0;
    for key in chosen(writing, node, keys, order)? {
        prepared.bind_key(key)?;
        if prepared.push_rows(sink, &mut budget)? == 0 {
            return Err(row_security(writing.table));
        }
        pushed += 1;
    }
    Ok(pushed)
}

/// Whether the node shows nothing of so many written rows but their own fields, whatever they are.
fn is_whole_row(writing: &Writing<'_>, node: &GuardedNode, rows: usize) -> bool {
    let all = node.window.offset == 0 && node.window.limit.is_none_or(|limit| limit >= rows as u64);
    all && node.children.is_empty() && always(&writing.env, &node.filter)
}

/// All fields of the row are known since it was written; reading it again would give the same.
fn tell_captured(node: &GuardedNode, row: &[Value], sink: &mut dyn RowSink) -> u64 {
    sink.row_begin();
    for output in &node.outputs {
        if let OutputItem::Column(column) = output {
            let value = row.get(usize::from(column.field.0)).unwrap_or(&Value::Null);
            sink.value(column, value.as_ref());
        }
    }
    sink.row_end();
    1
}

/// The keys inside the window, in their order. Rows outside of it must be visible all the same.
fn chosen<'k>(
    writing: &Writing<'_>,
    node: &GuardedNode,
    keys: &'k [Key],
    order: Order,
) -> Result<Vec<&'k Key>, StoreError> {
    let all = keys.len() as u64;
    let whole = node.window.offset == 0 && node.window.limit.is_none_or(|limit| limit >= all);
    if whole && (order == Order::AsGiven || keys.len() == 1) {
        return Ok(keys.iter().collect());
    }
    let mut probe = Probe::new(writing, node)?;
    let mut sorted = Vec::with_capacity(keys.len());
    for key in keys {
        sorted.push((probe.sort_values(key)?, key));
    }
    if order == Order::OfNode {
        sorted.sort_by(|(a, _), (b, _)| compare(&node.order, a, b));
    }
    let count = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let limit = node.window.limit.map_or(usize::MAX, count);
    Ok(sorted.into_iter().map(|(_, key)| key).skip(count(node.window.offset)).take(limit).collect())
}

/// Reads what a written row is sorted by.
struct Probe<'a> {
    writing: &'a Writing<'a>,
    statement: CachedStatement<'a>,
    columns: usize,
}

impl<'a> Probe<'a> {
    fn new(writing: &'a Writing<'a>, node: &'a GuardedNode) -> Result<Self, StoreError> {
        let table = writing.table;
        let mut sql = Sql::new(writing.env, table.primary_key.len());
        sql.push("SELECT 1");
        for by in &node.order {
            sql.push(", ");
            sql.sort_key(table, by.field);
        }
        sql.push(" FROM ");
        sql.table_as_t0(table);
        super::update::where_key(&mut sql, table);
        sql.condition(&mut 1, &node.filter)?;
        let statement = prepare(writing.conn, &sql)?;
        Ok(Self { writing, statement, columns: node.order.len() })
    }

    fn sort_values(&mut self, key: &Key) -> Result<Vec<Bind<'static>>, StoreError> {
        bind_values(&mut self.statement, key)?;
        let mut rows = self.statement.raw_query();
        let row = rows.next().map_err(driver)?.ok_or_else(|| row_security(self.writing.table))?;
        (1..=self.columns).map(|at| Ok(Bind::keep(row.get_ref(at).map_err(driver)?))).collect()
    }
}

/// The order that the statement of a read would give.
fn compare(order: &[OrderBy], a: &[Bind<'static>], b: &[Bind<'static>]) -> Ordering {
    for (by, (a, b)) in order.iter().zip(a.iter().zip(b)) {
        let nulls_first = by.nulls == NullsOrder::First;
        let found = match (a.is_null(), b.is_null()) {
            (true, true) => Ordering::Equal,
            (true, false) if nulls_first => Ordering::Less,
            (true, false) => Ordering::Greater,
            (false, true) if nulls_first => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) if by.descending => compare_values(b, a),
            (false, false) => compare_values(a, b),
        };
        if found != Ordering::Equal {
            return found;
        }
    }
    Ordering::Equal
}

fn compare_values(a: &Bind<'_>, b: &Bind<'_>) -> Ordering {
    match (a.as_raw(), b.as_raw()) {
        (Raw::Integer(a), Raw::Integer(b)) => a.cmp(&b),
        (Raw::Real(a), Raw::Real(b)) => a.total_cmp(&b),
        (Raw::Text(a), Raw::Text(b)) | (Raw::Blob(a), Raw::Blob(b)) => a.cmp(b),
        // One column has one storage class.
        _ => Ordering::Equal,
    }
}
