//! Rows as they are before they change: their keys, which rules may touch them, and their fields if needed.

use rusqlite::Row;
use takt_model::{Expr, Table, Value};
use takt_plan::WriteRule;

use super::{Key, Writing, read_fields, read_key};
use crate::{
    StoreError,
    sqlite::{
        error::{driver, refused_with},
        lower::Sql,
        read::{always, prepare},
    },
};

/// A row that a write is aimed at.
pub(super) struct Target {
    pub(super) key: Key,
    /// For each rule, whether its `using` holds.
    pub(super) held: Vec<bool>,
    /// Whether the caller may see it (upserts).
    pub(super) visible: bool,
    /// All fields, if they were wanted; else empty.
    pub(super) old: Vec<Value>,
}

/// The columns of a look at rows before they change.
pub(super) struct Look<'a> {
    table: &'a Table,
    held: Vec<Option<usize>>,
    visible: Option<usize>,
    fields: Option<usize>,
}

impl<'a> Look<'a> {
    /// Writes `SELECT key, using..., fields... FROM t AS t0`.
    pub(super) fn push(
        sql: &mut Sql<'a>,
        table: &'a Table,
        rules: &'a [WriteRule],
        visible: Option<&'a Expr>,
        wants_fields: bool,
    ) -> Result<Self, StoreError> {
        sql.push("SELECT ");
        for (at, field) in table.primary_key.iter().enumerate() {
            if at > 0 {
                sql.push(", ");
            }
            sql.column(0, table.id, *field);
        }
        let mut columns = table.primary_key.len();
        let mut fact = |sql: &mut Sql<'a>, expr: &'a Expr| -> Result<Option<usize>, StoreError> {
            if always(&sql.env, expr) {
                return Ok(None);
            }
            sql.push(", ((");
            sql.predicate(expr)?;
            sql.push(") IS TRUE)");
            columns += 1;
            Ok(Some(columns - 1))
        };
        let held = rules.iter().map(|rule| fact(sql, &rule.using)).collect::<Result<_, _>>()?;
        let visible = visible.map(|expr| fact(sql, expr)).transpose()?.flatten();
        let fields = wants_fields.then_some(columns);
        if wants_fields {
            for field in &table.fields {
                sql.push(", ");
                sql.column(0, table.id, field.id);
            }
        }
        sql.push(" FROM ");
        sql.table_as_t0(table);
        Ok(Self { table, held, visible, fields })
    }

    /// Reads one row.
    pub(super) fn read(&self, row: &Row<'_>) -> Result<Target, StoreError> {
        let fact = |column: &Option<usize>| match column {
            None => Ok(true),
            Some(at) => row.get::<_, bool>(*at).map_err(driver),
        };
        Ok(Target {
            key: read_key(row, 0, self.table.primary_key.len())?,
            held: self.held.iter().map(fact).collect::<Result<_, _>>()?,
            visible: fact(&self.visible)?,
            old: self.fields.map_or(Ok(Vec::new()), |from| read_fields(self.table, row, from))?,
        })
    }
}

/// The rows where `filter` and one rule's `using` hold, by primary key.
pub(super) fn select(
    writing: &Writing<'_>,
    filter: &Expr,
    rules: &[WriteRule],
    wants_fields: bool,
    max_affected: Option<u64>,
) -> Result<Vec<Target>, StoreError> {
    let Writing { conn, env, table, .. } = *writing;
    let mut sql = Sql::new(env, 0);
    let look = Look::push(&mut sql, table, rules, None, wants_fields)?;
    let mut conditions = 0;
    allowed(&mut sql, &mut conditions, rules)?;
    sql.condition(&mut conditions, filter)?;
    by_key(&mut sql, table);
    let mut statement = prepare(conn, &sql)?;
    let mut rows = statement.raw_query();
    let mut targets = Vec::new();
    while let Some(row) = rows.next().map_err(driver)? {
        targets.push(look.read(row)?);
    }
    match max_affected {
        Some(max) if targets.len() as u64 > max => Err(refused_with(
            "PGRST124",
            "Query result exceeds max-affected preference constraint",
            format!("The query affects {} rows", targets.len()),
        )),
        _ => Ok(targets),
    }
}

/// One rule's `using` holds.
fn allowed<'a>(sql: &mut Sql<'a>, conditions: &mut usize, rules: &'a [WriteRule]) -> Result<(), StoreError> {
    if rules.iter().any(|rule| always(&sql.env, &rule.using)) {
        return Ok(());
    }
    sql.conjunction(conditions);
    sql.push("(");
    for (at, rule) in rules.iter().enumerate() {
        if at > 0 {
            sql.push(" OR ");
        }
        sql.predicate(&rule.using)?;
    }
    // Without a rule nothing is allowed.
    sql.push(if rules.is_empty() { "0)" } else { ")" });
    Ok(())
}

fn by_key(sql: &mut Sql<'_>, table: &Table) {
    for (at, field) in table.primary_key.iter().enumerate() {
        sql.push(if at == 0 { " ORDER BY " } else { ", " });
        sql.column(0, table.id, *field);
    }
}
