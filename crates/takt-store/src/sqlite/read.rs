//! Reads: a node's statement is stepped, its rows go borrowed into the sink, and for each row its children's
//! statements are bound by the row's key and stepped in turn. Nothing is buffered.

use rusqlite::{CachedStatement, Connection, Row, types::ValueRef as Raw};
use takt_model::{Expr, Rights, Table, Value};
use takt_plan::{EmbedShape, GuardedChild, GuardedNode, GuardedRead, Link, OutputItem, RowSink};

use super::{
    error::{driver, refused},
    lower::{self, Anchor, Env, NodeSql, Slot, Sql},
    types::{Bind, decode},
};
use crate::{Outcome, StoreError};

/// Rows of all tables together that one answer may have. `limits.max_rows` holds for each table and parent, and
/// embeds in embeds multiply.
const ANSWER_ROWS: u64 = 50_000;
/// Bytes that one answer may have.
const ANSWER_BYTES: usize = 16 << 20;

/// How much an answer may still grow; the product's own work is not limited.
pub(super) struct Budget {
    rows: Option<u64>,
}

impl Budget {
    pub(super) fn of(env: &Env<'_>) -> Self {
        let is_own = matches!(env.principal.rights, Rights::System { .. });
        Self { rows: (!is_own).then_some(ANSWER_ROWS) }
    }

    /// One row more.
    fn spend(&mut self, sink: &dyn RowSink) -> Result<(), StoreError> {
        let Some(left) = &mut self.rows else { return Ok(()) };
        if *left == 0 || sink.bytes() > ANSWER_BYTES {
            return Err(refused(
                "54000",
                format!("the answer has more than {ANSWER_ROWS} rows or {} MB", ANSWER_BYTES >> 20),
            ));
        }
        *left -= 1;
        Ok(())
    }
}

/// Runs a read.
pub(crate) fn run(
    conn: &Connection,
    env: Env<'_>,
    read: &GuardedRead,
    sink: &mut dyn RowSink,
) -> Result<Outcome, StoreError> {
    run_lowered(conn, env, read, &Lowered::of(env, &read.root, Anchor::Root)?, sink)
}

/// Runs a read that was lowered before, maybe for somebody else of the same roles.
pub(crate) fn run_lowered(
    conn: &Connection,
    env: Env<'_>,
    read: &GuardedRead,
    lowered: &Lowered<'_>,
    sink: &mut dyn RowSink,
) -> Result<Outcome, StoreError> {
    let mut root = Prepared::new(conn, env, &read.root, lowered)?;
    let returned = root.push_rows(sink, &mut Budget::of(&env))?;
    let count = if read.count { Some(count(conn, env, &read.root, returned)?) } else { None };
    Ok(Outcome { returned, count, ..Outcome::default() })
}

/// All fitting rows, without a statement where the page itself already tells.
fn count(conn: &Connection, env: Env<'_>, root: &GuardedNode, returned: u64) -> Result<u64, StoreError> {
    let last_page = root.window.limit.is_none_or(|limit| returned < limit);
    if last_page && (returned > 0 || root.window.offset == 0) {
        return Ok(root.window.offset + returned);
    }
    let sql = lower::count(env, root)?;
    let mut statement = prepare(conn, &sql)?;
    let mut rows = statement.raw_query();
    let row = rows.next().map_err(driver)?;
    let counted = row.map(|r| r.get::<_, i64>(0)).transpose().map_err(driver)?.unwrap_or_default();
    Ok(u64::try_from(counted).unwrap_or_default())
}

/// Values that one statement can take (SQLite's SQLITE_MAX_VARIABLE_NUMBER).
const MOST_VALUES: usize = 32_766;

/// A statement from the cache with its values bound.
pub(super) fn prepare<'c>(conn: &'c Connection, sql: &Sql<'_>) -> Result<CachedStatement<'c>, StoreError> {
    prepare_text(conn, &sql.env, &sql.text, &sql.slots)
}

fn prepare_text<'c>(
    conn: &'c Connection,
    env: &Env<'_>,
    text: &str,
    slots: &[Slot<'_>],
) -> Result<CachedStatement<'c>, StoreError> {
    if slots.len() > MOST_VALUES {
        return Err(refused("54000", format!("one request can have at most {MOST_VALUES} values")));
    }
    let mut statement = conn.prepare_cached(text).map_err(driver)?;
    for (at, slot) in slots.iter().enumerate() {
        statement.raw_bind_parameter(at + 1, slot.filled(env)?.as_ref()).map_err(driver)?;
    }
    Ok(statement)
}

/// Binds the first parameters of a statement.
pub(super) fn bind_values(
    statement: &mut CachedStatement<'_>,
    values: &[Bind<'_>],
) -> Result<(), StoreError> {
    for (at, value) in values.iter().enumerate() {
        statement.raw_bind_parameter(at + 1, value).map_err(driver)?;
    }
    Ok(())
}

/// The statements of a node and its children: all that depends on the plan and the caller's roles alone.
#[derive(Debug)]
pub(crate) struct Lowered<'p> {
    sql: NodeSql<'p>,
    children: Vec<Lowered<'p>>,
}

impl<'p> Lowered<'p> {
    pub(super) fn of(env: Env<'p>, node: &'p GuardedNode, anchor: Anchor<'p>) -> Result<Self, StoreError> {
        let below = |child: &'p GuardedChild| Self::of(env, &child.node, Anchor::Parent(child));
        Ok(Self {
            sql: lower::node(env, node, anchor)?,
            children: node.children.iter().map(below).collect::<Result<_, StoreError>>()?,
        })
    }

    /// The statements of a read from its root, kept beyond their plan.
    pub(crate) fn kept(env: Env<'_>, read: &GuardedRead) -> Result<Lowered<'static>, StoreError> {
        Ok(Lowered::of(env, &read.root, Anchor::Root)?.into_owned())
    }

    fn into_owned(self) -> Lowered<'static> {
        Lowered {
            sql: self.sql.into_owned(),
            children: self.children.into_iter().map(Lowered::into_owned).collect(),
        }
    }

    /// Whether these statements are right for `values`.
    pub(crate) fn takes(&self, values: &[Value]) -> bool {
        !self.sql.slots.iter().any(|slot| slot.refuses(values))
            && self.children.iter().all(|c| c.takes(values))
    }
}

/// A node ready to run, with its children.
pub(super) struct Prepared<'c, 'p> {
    node: &'p GuardedNode,
    table: &'p Table,
    statement: CachedStatement<'c>,
    child_keys: &'p [usize],
    children: Vec<PreparedChild<'c, 'p>>,
}

struct PreparedChild<'c, 'p> {
    child: &'p GuardedChild,
    shape: EmbedShape,
    rows: Prepared<'c, 'p>,
}

impl<'c, 'p> Prepared<'c, 'p> {
    pub(super) fn new(
        conn: &'c Connection,
        env: Env<'p>,
        node: &'p GuardedNode,
        lowered: &'p Lowered<'_>,
    ) -> Result<Self, StoreError> {
        let NodeSql { text, slots, child_keys } = &lowered.sql;
        let statement = prepare_text(conn, &env, text, slots)?;
        let children = node
            .children
            .iter()
            .zip(&lowered.children)
            .map(|(child, lowered)| {
                let rows = Prepared::new(conn, env, &child.node, lowered)?;
                Ok(PreparedChild { child, shape: shape(&child.link), rows })
            })
            .collect::<Result<_, StoreError>>()?;
        Ok(Self { node, table: env.table(node.table), statement, child_keys, children })
    }

    /// Binds the key of [`Anchor::Key`].
    pub(super) fn bind_key(&mut self, key: &[Bind<'_>]) -> Result<(), StoreError> {
        bind_values(&mut self.statement, key)
    }

    /// Steps the statement; every row goes into the sink with its children.
    pub(super) fn push_rows(
        &mut self,
        sink: &mut dyn RowSink,
        budget: &mut Budget,
    ) -> Result<u64, StoreError> {
        let Self { node, table, statement, child_keys, children } = self;
        let mut rows = statement.raw_query();
        let mut pushed = 0;
        while let Some(row) = rows.next().map_err(driver)? {
            budget.spend(sink)?;
            push_row(node, table, row, child_keys, children, sink, budget)?;
            pushed += 1;
        }
        Ok(pushed)
    }
}

fn push_row(
    node: &GuardedNode,
    table: &Table,
    row: &Row<'_>,
    child_keys: &[usize],
    children: &mut [PreparedChild<'_, '_>],
    sink: &mut dyn RowSink,
    budget: &mut Budget,
) -> Result<(), StoreError> {
    sink.row_begin();
    let mut at = 0;
    for output in &node.outputs {
        match output {
            OutputItem::Column(column) => {
                let raw = row.get_ref(at).map_err(driver)?;
                sink.value(column, decode(&table.get(column.field).kind, raw)?);
                at += 1;
            }
            OutputItem::Child(position) => {
                let (Some(child), Some(key)) = (children.get_mut(*position), child_keys.get(*position))
                else {
                    return Err(StoreError::Internal("an output names a child that is not there".to_owned()));
                };
                child.push(row.get_ref(*key).map_err(driver)?, sink, budget)?;
            }
        }
    }
    sink.row_end();
    Ok(())
}

impl PreparedChild<'_, '_> {
    fn push(&mut self, key: Raw<'_>, sink: &mut dyn RowSink, budget: &mut Budget) -> Result<(), StoreError> {
        sink.embed_begin(self.child, self.shape);
        // Nothing hangs on a null key.
        if key != Raw::Null {
            let bound = rusqlite::types::ToSqlOutput::Borrowed(key);
            self.rows.statement.raw_bind_parameter(1, bound).map_err(driver)?;
            self.rows.push_rows(sink, budget)?;
        }
        sink.embed_end(self.shape);
        Ok(())
    }
}

fn shape(link: &Link) -> EmbedShape {
    match link {
        Link::ToOne { .. } => EmbedShape::One,
        Link::ToMany { .. } | Link::Through { .. } => EmbedShape::Many,
    }
}

/// Whether an expression is true whatever the row is.
pub(super) fn always(env: &Env<'_>, expr: &Expr) -> bool {
    lower::constant(env, expr) == Some(true)
}
