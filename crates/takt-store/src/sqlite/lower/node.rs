//! One flat statement per table of a read. Children are statements of their own, bound by the parent row's key.

use takt_model::{Expr, FieldId, FieldType, Table};
use takt_plan::{GuardedChild, GuardedNode, Link, NullsOrder, OrderBy, OutputItem, Window};

use super::{Env, RowName, Slot, Sql, expr::constant};
use crate::{StoreError, sqlite::types::Bind};

/// Where the rows of a node come from.
#[derive(Debug, Clone, Copy)]
pub(in crate::sqlite) enum Anchor<'a> {
    /// The whole table.
    Root,
    /// The rows that hang on a parent's row: `?1` is the parent's key.
    Parent(&'a GuardedChild),
    /// One row by primary key: `?1` ... are the key's values. Order and window do not apply.
    Key,
}

/// The statement of a node.
#[derive(Debug)]
pub(in crate::sqlite) struct NodeSql<'a> {
    pub(in crate::sqlite) text: String,
    pub(in crate::sqlite) slots: Vec<Slot<'a>>,
    /// For each child, the column of the statement that holds the key its rows hang on.
    pub(in crate::sqlite) child_keys: Vec<usize>,
}

impl NodeSql<'_> {
    /// The same, kept beyond its plan.
    pub(in crate::sqlite) fn into_owned(self) -> NodeSql<'static> {
        let slots = self.slots.into_iter().map(Slot::into_owned).collect();
        NodeSql { text: self.text, slots, child_keys: self.child_keys }
    }
}

/// Lowers one node (not its children).
pub(in crate::sqlite) fn node<'a>(
    env: Env<'a>,
    node: &'a GuardedNode,
    anchor: Anchor<'a>,
) -> Result<NodeSql<'a>, StoreError> {
    let table = env.table(node.table);
    let reserved = match anchor {
        Anchor::Root => 0,
        Anchor::Parent(_) => 1,
        Anchor::Key => table.primary_key.len(),
    };
    let mut sql = Sql::new(env, reserved);
    sql.push("SELECT ");
    let child_keys = columns(&mut sql, node);
    from_where(&mut sql, table, node, anchor)?;
    match anchor {
        Anchor::Key => {}
        Anchor::Parent(GuardedChild { link: Link::ToOne { .. }, .. }) => sql.push(" LIMIT 1"),
        Anchor::Root | Anchor::Parent(_) => {
            sql.order(table, &node.order);
            sql.window(node.window);
        }
    }
    Ok(NodeSql { text: sql.text, slots: sql.slots, child_keys })
}

/// Lowers the count of all fitting rows of a root.
pub(in crate::sqlite) fn count<'a>(env: Env<'a>, node: &'a GuardedNode) -> Result<Sql<'a>, StoreError> {
    let mut sql = Sql::new(env, 0);
    sql.push("SELECT count(*)");
    from_where(&mut sql, env.table(node.table), node, Anchor::Root)?;
    Ok(sql)
}

/// Writes the columns that are shown, then hidden ones that children need; answers where each child's key stands.
fn columns(sql: &mut Sql<'_>, node: &GuardedNode) -> Vec<usize> {
    let shown = || {
        node.outputs.iter().filter_map(|output| match output {
            OutputItem::Column(column) => Some(column.field),
            OutputItem::Child(_) => None,
        })
    };
    let mut written = 0;
    let mut select = |sql: &mut Sql<'_>, field: FieldId| {
        if written > 0 {
            sql.push(", ");
        }
        sql.column(0, node.table, field);
        written += 1;
        written - 1
    };
    shown().for_each(|field| {
        select(sql, field);
    });
    let key = |child: &GuardedChild| {
        let local = local_key(&child.link);
        shown().position(|field| field == local).unwrap_or_else(|| select(sql, local))
    };
    let keys = node.children.iter().map(key).collect();
    if written == 0 {
        sql.push("1");
    }
    keys
}

/// The parent's field that a child's rows hang on.
fn local_key(link: &Link) -> FieldId {
    match link {
        Link::ToOne { local, .. } | Link::ToMany { local, .. } | Link::Through { local, .. } => *local,
    }
}

fn from_where<'a>(
    sql: &mut Sql<'a>,
    table: &Table,
    node: &'a GuardedNode,
    anchor: Anchor<'a>,
) -> Result<(), StoreError> {
    sql.push(" FROM ");
    let mut conditions = 0;
    match anchor {
        Anchor::Root => sql.table_as_t0(table),
        Anchor::Key => {
            sql.table_as_t0(table);
            for (at, field) in table.primary_key.iter().enumerate() {
                sql.conjunction(&mut conditions);
                sql.column(0, table.id, *field);
                sql.push(" = ");
                sql.parameter(at + 1);
            }
        }
        Anchor::Parent(child) => match child.link {
            Link::ToOne { foreign, .. } | Link::ToMany { foreign, .. } => {
                sql.table_as_t0(table);
                sql.conjunction(&mut conditions);
                sql.column(0, table.id, foreign);
                sql.push(" = ?1");
            }
            Link::Through { junction, to_parent, to_child, foreign, .. } => {
                let between = sql.env.table(junction);
                sql.ident(&between.name);
                sql.push(" AS j0 JOIN ");
                sql.table_as_t0(table);
                sql.push(" ON ");
                sql.column(0, table.id, foreign);
                sql.push(" = ");
                sql.row = RowName::Junction;
                sql.column(0, junction, to_child);
                sql.conjunction(&mut conditions);
                sql.column(0, junction, to_parent);
                sql.push(" = ?1");
                sql.condition(&mut conditions, &child.junction_filter)?;
                sql.row = RowName::Table;
            }
        },
    }
    sql.condition(&mut conditions, &node.filter)
}

impl<'a> Sql<'a> {
    /// `"orders" AS t0`
    pub(in crate::sqlite) fn table_as_t0(&mut self, table: &Table) {
        self.ident(&table.name);
        self.push(" AS t0");
    }

    /// ` WHERE ` before the first condition, ` AND ` before the others.
    pub(in crate::sqlite) fn conjunction(&mut self, conditions: &mut usize) {
        self.push(if *conditions == 0 { " WHERE " } else { " AND " });
        *conditions += 1;
    }

    /// Adds a condition, unless it is known to hold.
    pub(in crate::sqlite) fn condition(
        &mut self,
        conditions: &mut usize,
        expr: &'a Expr,
    ) -> Result<(), StoreError> {
        if constant(&self.env, expr) == Some(true) {
            return Ok(());
        }
        self.conjunction(conditions);
        self.predicate(expr)
    }

    /// Writes what a field is sorted by: an enum by the order in which its values are declared, as in PostgreSQL.
    pub(in crate::sqlite) fn sort_key(&mut self, table: &Table, field: FieldId) {
        let FieldType::Enum { values, .. } = &table.get(field).kind else {
            self.column(0, table.id, field);
            return;
        };
        self.push("CASE ");
        self.column(0, table.id, field);
        for (at, value) in values.iter().enumerate() {
            // The project's own words, not a request's; still quoted as SQL wants it.
            self.push(&format!(" WHEN '{}' THEN {at}", value.replace('\'', "''")));
        }
        self.push(" END");
    }

    fn order(&mut self, table: &Table, order: &[OrderBy]) {
        for (at, by) in order.iter().enumerate() {
            self.push(if at == 0 { " ORDER BY " } else { ", " });
            self.sort_key(table, by.field);
            if by.descending {
                self.push(" DESC");
            }
            // Without nulls the clause only keeps SQLite from using an index.
            if !table.get(by.field).required {
                match (by.nulls, by.descending) {
                    (NullsOrder::First, true) => self.push(" NULLS FIRST"),
                    (NullsOrder::Last, false) => self.push(" NULLS LAST"),
                    // SQLite's own order: nulls are the smallest.
                    (NullsOrder::First, false) | (NullsOrder::Last, true) => {}
                }
            }
        }
    }

    fn window(&mut self, window: Window) {
        let bound = |n: u64| Bind::Integer(i64::try_from(n).unwrap_or(i64::MAX));
        if window.limit.is_none() && window.offset == 0 {
            return;
        }
        self.push(" LIMIT ");
        self.bind(window.limit.map_or(Bind::Integer(-1), bound));
        if window.offset > 0 {
            self.push(" OFFSET ");
            self.bind(bound(window.offset));
        }
    }
}
